//! Does every link in the pages lead somewhere, and is nothing left out of the lists?

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Source;

/// Links to files and headings that are not there.
pub(crate) fn check_links(root: &Path, source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    for (line, target) in links(&source.text) {
        if target.contains("://") || target.starts_with("mailto:") || target.starts_with('<') {
            continue;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let place = if path.is_empty() {
            root.join(&source.path)
        } else {
            root.join(source.folder()).join(path)
        };
        if !place.exists() {
            findings.push(source.at(line, format!("no such file: {target}")));
        } else if !anchor.is_empty() && place.extension().is_some_and(|kind| kind == "md") {
            let text = fs::read_to_string(&place).unwrap_or_default();
            if !headings(&text).contains(anchor) {
                findings.push(source.at(line, format!("no such heading: {target}")));
            }
        }
    }
    findings
}

/// Paths of the repository named as code (`crates/…`) that are not there.
pub(crate) fn check_paths(root: &Path, source: &Source) -> Vec<String> {
    const FOLDERS: &[&str] = &["crates/", "xtask/", "docs/", "examples/", "changes/"];
    let mut findings = Vec::new();
    for (line, code) in code_spans(&source.text) {
        let named = FOLDERS.iter().any(|folder| code.starts_with(folder));
        if named && !code.contains(['<', '*', ' ', '…', '{']) && !root.join(code).exists() {
            findings.push(source.at(line, format!("no such path: {code}")));
        }
    }
    findings
}

/// Crates that `crates/README.md` does not list.
pub(crate) fn check_crates_listed(root: &Path, sources: &[Source]) -> Vec<String> {
    const LIST: &str = "crates/README.md";
    let listed = sources.iter().find(|source| source.path == LIST);
    let mut findings = Vec::new();
    let Ok(entries) = fs::read_dir(root.join("crates")) else { return findings };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let named = listed.is_some_and(|list| list.text.contains(&format!("[`{name}`]({name}/")));
        if entry.path().join("Cargo.toml").exists() && !named {
            findings.push(format!("{LIST}:1: list the crate as [`{name}`]({name}/src/...)"));
        }
    }
    findings
}

/// Pages of the book that its summary does not list.
pub(crate) fn check_summary(sources: &[Source]) -> Vec<String> {
    const SUMMARY: &str = "docs/src/SUMMARY.md";
    let Some(summary) = sources.iter().find(|source| source.path == SUMMARY) else {
        return Vec::new();
    };
    let listed: BTreeSet<&str> = links(&summary.text).into_iter().map(|(_, link)| link).collect();
    sources
        .iter()
        .filter(|source| source.path.ends_with(".md") && source.path != SUMMARY)
        .filter_map(|source| Some((source, source.path.strip_prefix("docs/src/")?)))
        .filter(|(_, page)| !listed.contains(page))
        .map(|(source, _)| source.at(1, "list the page in docs/src/SUMMARY.md"))
        .collect()
}

/// Targets of inline links with their lines, code left out.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for (middle, _) in line.match_indices("](") {
            let in_code = line[..middle].matches('`').count() % 2 == 1;
            let target = &line[middle + 2..];
            if let (false, Some(end)) = (in_code, target.find(')')) {
                found.push((number + 1, target[..end].trim()));
            }
        }
    }
    found
}

/// What stands between single backticks, with its line, fenced code left out.
fn code_spans(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(line.split('`').skip(1).step_by(2).map(|code| (number + 1, code)));
        }
    }
    found
}

/// The anchors of a page's headings: lower case, words joined by '-', punctuation dropped.
fn headings(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut anchors = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let title = line.trim_start_matches('#');
        if !fenced && title.len() < line.len() && title.starts_with(' ') {
            let anchor = title
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect();
            anchors.insert(anchor);
        }
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::super::testing::source;
    use super::*;

    #[test]
    fn links_outside_code() {
        let check = |text: &str, expect: &[&str]| {
            let found: Vec<&str> = links(text).into_iter().map(|(_, link)| link).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("see [a](a.md) and [b](b.md#c)", &["a.md", "b.md#c"]);
        check("`[a](a.md)`", &[]);
        check("```\n[a](a.md)\n```\n[b](b.md)", &["b.md"]);
    }

    #[test]
    fn anchors() {
        let check = |text: &str, expect: &str| {
            assert!(headings(text).contains(expect), "{text}: {:?}", headings(text));
        };
        check("## What happens in `tercet run`?", "what-happens-in-tercet-run");
        check("# As-of dates", "as-of-dates");
        assert!(headings("```\n# no heading\n```").is_empty());
    }

    #[test]
    fn paths_in_code() {
        let check = |text: &str, expect: usize| {
            let page = source("page.md", text);
            assert_eq!(check_paths(&crate::root(), &page).len(), expect, "{text}");
        };
        check("see `xtask/src/main.rs` and `crates/types`", 0);
        check("see `xtask/src/nowhere.rs`", 1);
        check("see `crates/<name>/src` and `cargo xtask test`", 0);
        check("```\n`xtask/src/nowhere.rs`\n```", 0);
    }

    #[test]
    fn broken_links_are_found() {
        let check = |target: &str, expect: usize| {
            let page = source("xtask/page.md", &format!("[x]({target})"));
            assert_eq!(check_links(&crate::root(), &page).len(), expect, "{target}");
        };
        check("src/main.rs", 0);
        check("../Cargo.toml", 0);
        check("src/nowhere.rs", 1);
        check("https://example.com/x", 0);
    }
}
