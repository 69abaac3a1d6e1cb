//! Which rules for sources and pages does no compiler know?
//!
//! Every rule is a function from text to findings; a finding names its place as `path:line: what`.
//! There is no list of exceptions: a rule that needs one is the wrong rule.

mod changes;
mod dependencies;
mod markdown;
mod rust;
mod sql;

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are not ours to read.
const SKIPPED: &[&str] = &["target", "runs", "node_modules", "book"];

/// A folder with this file is somebody's project, made by `tercet demo` or `tercet init`; ours stand in
/// `examples`.
const PROJECT_FILE: &str = "tercet.toml";

/// Levels of folders the walk goes down.
const DEPTH_MAX: usize = 16;

/// One text file of the repository.
pub(crate) struct Source {
    /// The path from the root, with '/' on every system.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

impl Source {
    /// The path without its last part, without a slash at the end.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// A finding at a line, counted from 1.
    fn at(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// All findings of all rules, in order of path.
pub(crate) fn check(root: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    walk(root, 0, &mut paths);
    paths.sort();
    let sources: Vec<Source> = paths.iter().filter_map(|path| read(root, path)).collect();
    let mut findings = Vec::new();
    for source in &sources {
        let extension = source.path.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            "rs" => findings.extend(rust::check(source)),
            "sql" => findings.extend(sql::check(source)),
            "md" => {
                findings.extend(markdown::check_links(root, source));
                findings.extend(markdown::check_paths(root, source));
            }
            _ => {}
        }
        if matches!(extension, "rs" | "sql" | "py" | "js" | "ts" | "html" | "j2") {
            findings.extend(leftovers(source));
        }
    }
    findings.extend(changes::check(&sources));
    findings.extend(dependencies::check(root, &sources));
    findings.extend(markdown::check_crates_listed(root, &sources));
    findings.extend(markdown::check_summary(&sources));
    findings.sort();
    findings
}

/// The line that starts the unit tests of a file, counted from 0; the number of lines when none does.
fn tests_start(text: &str) -> usize {
    text.lines()
        .position(|line| line.trim_start().starts_with("#[cfg(test)]"))
        .unwrap_or_else(|| text.lines().count())
}

/// Words that say something was left for later.
fn leftovers(source: &Source) -> Vec<String> {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("HA", "CK")];
    let mut findings = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let found = line
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .find(|word| words.contains(word));
        if let Some(word) = found {
            findings.push(source.at(number + 1, format!("{word}: finish it, or open an issue")));
        }
    }
    findings
}

fn walk(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Ok(kind) = entry.file_type() else { continue };
        if name.starts_with('.') || SKIPPED.contains(&name.as_ref()) {
            continue;
        }
        if kind.is_dir()
            && entry.path().join(PROJECT_FILE).exists()
            && !folder.ends_with("examples")
        {
            continue;
        }
        if kind.is_dir() && depth < DEPTH_MAX {
            walk(&entry.path(), depth + 1, paths);
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
}

/// The file as text; `None` for kinds that hold no text of ours.
fn read(root: &Path, path: &Path) -> Option<Source> {
    let extension = path.extension()?.to_str()?;
    if !matches!(extension, "rs" | "sql" | "md" | "py" | "ts" | "html" | "j2" | "toml") {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let path = path.strip_prefix(root).ok()?.to_string_lossy().replace('\\', "/");
    Some(Source { path, text })
}

#[cfg(test)]
pub(crate) mod testing {
    use super::Source;

    /// A file that stands only in a test.
    pub(crate) fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_whole_words() {
        let check = |text: &str, expect: usize| {
            let source = testing::source("a.rs", text);
            assert_eq!(leftovers(&source).len(), expect, "{text}");
        };
        check(concat!("// TO", "DO: later"), 1);
        check(concat!("x(); // FIX", "ME\ny();"), 1);
        check("the mastodon, the hackney, todo!", 0);
    }

    #[test]
    fn this_repository_has_its_files() {
        let mut paths = Vec::new();
        walk(&crate::root(), 0, &mut paths);
        assert!(paths.iter().any(|path| path.ends_with("xtask/src/tidy.rs")));
        assert!(!paths.iter().any(|path| path.components().any(|part| part.as_os_str() == ".git")));
    }
}
