//! Does a Rust file say what it answers, stay small, and keep SQL out?

use super::{Source, tests_start};

/// Past this many lines something wants its own room.
const LINES_MAX: usize = 1_000;

/// Crates whose own business is making SQL: `engine` out of plans, `sources` out of the shop's column
/// map, whose statements are known only when a project is read.
const SQL_CRATES: &[&str] = &["crates/engine/", "crates/sources/"];

/// How a statement begins.
const SQL_STARTS: &[&str] =
    &["select ", "with ", "insert into ", "create table ", "create view ", "copy ", "delete from "];

/// The rules for one Rust file.
pub(crate) fn check(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    if !begins_with_question(&source.text) {
        findings.push(source.at(1, "begin with '//! <the question this file answers>?'"));
    }
    let lines = source.text.lines().count();
    if lines > LINES_MAX {
        findings.push(source.at(lines, format!("more than {LINES_MAX} lines: split it")));
    }
    let ignored = concat!("#[", "ignore");
    for (number, line) in source.text.lines().enumerate() {
        if line.trim_start().starts_with(ignored) {
            findings
                .push(source.at(number + 1, "an ignored test proves nothing: mend or delete it"));
        }
    }
    findings.extend(sql_in_strings(source));
    findings
}

/// True when the first sentence of the first paragraph of the file's documentation is a question.
fn begins_with_question(text: &str) -> bool {
    let mut paragraph = String::new();
    for line in text.lines() {
        match line.strip_prefix("//! ") {
            Some(words) => {
                paragraph.push_str(words.trim());
                paragraph.push(' ');
            }
            None => break,
        }
    }
    match (paragraph.find("? "), paragraph.find(". ")) {
        (Some(question), Some(statement)) => question < statement,
        (question, _) => question.is_some(),
    }
}

/// String literals that begin like a statement, outside tests.
fn sql_in_strings(source: &Source) -> Vec<String> {
    let ours = source.path.starts_with("crates/") && source.path.contains("/src/");
    if !ours
        || source.path.ends_with("/tests.rs")
        || source.path.contains("/tests/")
        || SQL_CRATES.iter().any(|name| source.path.starts_with(name))
    {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in source.text.lines().take(tests_start(&source.text)).enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        // A statement has its keyword at the start of a literal and goes on like SQL.
        let lower = code.to_ascii_lowercase();
        let found = lower.match_indices('"').any(|(quote, _)| {
            let literal = lower[quote + 1..].trim_start();
            SQL_STARTS.iter().any(|start| literal.starts_with(start))
                && [" from ", " as ", " into ", " table ", " view ", " to ", "{"]
                    .iter()
                    .any(|word| literal.contains(word))
        });
        if found {
            findings.push(source.at(number + 1, "SQL in a string: put it into a .sql file"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::source;
    use super::*;

    #[test]
    fn first_lines() {
        let check = |text: &str, expect: bool| {
            assert_eq!(begins_with_question(text), expect, "{text}");
        };
        check("//! Which day is it?\n", true);
        check("//! Which day is it, asked over\n//! two lines?\n//!\n//! More.\n", true);
        check("//! Which day is it? A day of a calendar.\n", true);
        check("//! A calendar day.\n//!\n//! Or is it?\n", false);
        check("//! A calendar day. Or is it?\n", false);
        check("use std::fmt;\n//! Which?\n", false);
        check("// Which day is it?\n", false);
        check("", false);
    }

    #[test]
    fn statements_in_strings() {
        let check = |path: &str, text: &str, expect: usize| {
            assert_eq!(sql_in_strings(&source(path, text)).len(), expect, "{path}: {text}");
        };
        let statement = "let q = \"select a from b\";\n";
        check("crates/features/src/rfm.rs", statement, 1);
        check("crates/engine/src/session.rs", statement, 0);
        check("crates/features/tests/rfm.rs", statement, 0);
        check(
            "crates/features/src/rfm.rs",
            &format!("#[cfg(test)]\nmod tests {{ {statement} }}"),
            0,
        );
        check("crates/features/src/rfm.rs", "error(\"select one of the stages\")\n", 0);
        check("crates/features/src/rfm.rs", "const Q: &str = include_str!(\"../sql/a.sql\");\n", 0);
    }

    #[test]
    fn long_files() {
        let text = format!("//! How long?\n{}", "\n".repeat(LINES_MAX));
        assert_eq!(check(&source("crates/a/src/lib.rs", &text)).len(), 1);
    }
}
