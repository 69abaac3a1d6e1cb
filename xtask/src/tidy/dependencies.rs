//! Does every crate from outside have its line of reasons?

use std::fs;
use std::path::Path;

use super::Source;

/// The page of reasons.
const PAGE: &str = "docs/src/internals/dependencies.md";

/// Dependencies of the workspace that the page does not name.
pub(crate) fn check(root: &Path, sources: &[Source]) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let page = sources.iter().find(|source| source.path == PAGE).map_or("", |page| &page.text);
    from_outside(&manifest)
        .into_iter()
        .filter(|name| !page.contains(&format!("`{name}`")))
        .map(|name| {
            format!("{PAGE}:1: say what `{name}` is for, and why not fifty lines of our own")
        })
        .collect()
}

/// Names under `[workspace.dependencies]`, our own crates left out.
fn from_outside(manifest: &str) -> Vec<&str> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim()))
        .filter(|name| !name.starts_with("tercet-"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let manifest = "[workspace]\nresolver = \"3\"\n\n[workspace.dependencies]\n\
            tercet-types = { path = \"x\" }\n# Tables.\nalpha = { version = \"1\", features = [\n    \"a\",\n] }\n\
            beta = \"2\"\n\n[profile.release]\ndebug = 0\n";
        assert_eq!(from_outside(manifest), ["alpha", "beta"]);
    }
}
