//! Which pages are written from the code, and do they still say what it says?

mod configuration;
mod errors;
mod estimators;
mod parse;
mod tables;

use std::fs;
use std::path::Path;

/// Makes a page from the repository at a root.
type Page = fn(&Path) -> String;

/// The generated pages: where each stands, and what makes it.
const PAGES: &[(&str, Page)] = &[
    ("docs/src/reference/tables.md", tables::page),
    ("docs/src/reference/configuration.md", configuration::page),
    ("docs/src/reference/errors.md", errors::page),
];

/// Writes the pages that changed; says what could not be written.
pub(crate) fn write(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, page) in stale(root) {
        match fs::write(root.join(path), page) {
            Ok(()) => eprintln!("{path}: written"),
            Err(error) => findings.push(format!("{path}: {error}")),
        }
    }
    findings
}

/// Pages that no longer say what the code says.
pub(crate) fn check(root: &Path) -> Vec<String> {
    stale(root)
        .into_iter()
        .map(|(path, _)| format!("{path}: stale: run 'cargo xtask codegen' and commit it"))
        .collect()
}

fn stale(root: &Path) -> Vec<(&'static str, String)> {
    PAGES
        .iter()
        .map(|(path, page)| (*path, page(root)))
        .filter(|(path, page)| {
            // Line ends are a matter of the checkout.
            let there = fs::read_to_string(root.join(path)).unwrap_or_default();
            there.replace("\r\n", "\n") != *page
        })
        .collect()
}

/// A text that fits in a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
