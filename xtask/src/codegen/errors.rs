//! What does the page of errors say?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::cell;

const INTRODUCTION: &str = "\
<!-- Written by 'cargo xtask codegen' from the errors in the code. -->

# Errors

A failure is a message that names the place, a hint with the remedy, a code that stays, and a kind.
The kind is the exit code, and says what to do:

| kind | exit code | what to do |
|---|---|---|
| config | 2 | the configuration or a flag is wrong: edit it and run again |
| data | 3 | the input data are wrong: mend the file, or relax the contract that the message names |
| conflict | 4 | somebody else holds the resource, or it already exists: wait, or pick another |
| unavailable | 5 | a disk, store or network does not answer: run the same command again, it resumes |
| not found | 6 | what was asked for is not there: list what is |
| internal | 70 | a bug in tercet: report it with the message |

Messages below stand as in the code: `{…}` is filled in.
";

/// The areas of codes.
const AREAS: &[(&str, &str)] = &[
    ("T01", "Values and types"),
    ("T02", "Sources"),
    ("T03", "Features"),
    ("T04", "Models"),
    ("T05", "Scoring"),
    ("T06", "Allocation"),
    ("T07", "Measurement"),
    ("T08", "Delivery"),
    ("T09", "Engine and stores"),
    ("T10", "Projects, runs and commands"),
    ("T11", "Simulation"),
];

/// The constructors of errors, and their kinds in words.
const KINDS: &[(&str, &str)] = &[
    ("config", "config"),
    ("data", "data"),
    ("conflict", "conflict"),
    ("unavailable", "unavailable"),
    ("not_found", "not found"),
    ("internal", "internal"),
];

/// How deep folders are searched.
const DEPTH_MAX: usize = 8;

/// The whole page.
pub(super) fn page(root: &Path) -> String {
    let mut found: BTreeMap<(String, &str), BTreeSet<String>> = BTreeMap::new();
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join("crates")).into_iter().flatten().flatten() {
        gather(&entry.path().join("src"), 0, &mut files);
    }
    for text in files {
        for (code, kind, message) in errors(&text) {
            found.entry((code, kind)).or_default().insert(message);
        }
    }
    let mut page = INTRODUCTION.to_owned();
    for (prefix, title) in AREAS {
        let codes: Vec<_> =
            found.iter().filter(|((code, _), _)| code.starts_with(prefix)).collect();
        if codes.is_empty() {
            continue;
        }
        let _ =
            writeln!(page, "\n## {prefix}: {title}\n\n| code | kind | messages |\n|---|---|---|");
        for ((code, kind), messages) in codes {
            let messages: Vec<String> =
                messages.iter().map(|text| format!("“{}”", cell(text))).collect();
            let _ = writeln!(page, "| `{code}` | {kind} | {} |", messages.join("<br>"));
        }
    }
    page
}

fn gather(folder: &Path, depth: usize, files: &mut Vec<String>) {
    if depth > DEPTH_MAX {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, depth + 1, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.extend(fs::read_to_string(path));
        }
    }
}

/// Code, kind and message of every `Error::kind("T0000", "message")` outside comments and tests.
fn errors(text: &str) -> Vec<(String, &'static str, String)> {
    let code: String = text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("Error::") {
        let rest = &code[at + "Error::".len()..];
        let Some((constructor, arguments)) = rest.split_once('(') else { continue };
        let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == constructor.trim()) else {
            continue;
        };
        let Some(number) = literal(arguments) else { continue };
        let is_code = number.len() == 5 && number.starts_with('T');
        let after = arguments.trim_start().get(number.len() + 2..).unwrap_or("");
        let message = after.trim_start().trim_start_matches(',').trim_start();
        let message = message.strip_prefix("format!(").unwrap_or(message);
        if let (true, Some(message)) = (is_code, literal(message)) {
            found.push((number, *kind, message));
        }
    }
    found
}

/// The string literal that the text begins with, escapes and continued lines resolved.
fn literal(text: &str) -> Option<String> {
    let mut value = String::new();
    let mut letters = text.trim_start().strip_prefix('"')?.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Some(value),
            '\\' => match letters.next()? {
                '\n' => while letters.next_if(|c| c.is_whitespace()).is_some() {},
                'n' => value.push(' '),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_in_code() {
        let check = |text: &str, expect: &[(&str, &str, &str)]| {
            let found = errors(text);
            let found: Vec<_> =
                found.iter().map(|(c, k, m)| (c.as_str(), *k, m.as_str())).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("Error::data(\"T0203\", \"no column\")", &[("T0203", "data", "no column")]);
        check(
            "Error::not_found(\n    \"T1001\",\n    format!(\"{shown}: no \\\n      project\"),\n)",
            &[("T1001", "not found", "{shown}: no project")],
        );
        check("// Error::data(\"T0203\", \"no column\")", &[]);
        check("Error::data(code, \"no column\")", &[]);
        check("#[cfg(test)]\nError::data(\"T0203\", \"no column\")", &[]);
    }
}
