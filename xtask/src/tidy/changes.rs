//! Is every fragment of the changelog well-formed?

use super::Source;

/// Where fragments wait for the next release.
const FOLDER: &str = "changes/unreleased/";

/// The kinds of change, as `CHANGELOG.md` groups them.
const KINDS: &[&str] = &["added", "changed", "deprecated", "removed", "fixed", "security"];

/// The rules for the fragments: `<kind>-<what>.md` with one entry of whole sentences.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| source.path.starts_with("changes/") && !source.path.ends_with("README.md"))
        .filter(|source| source.path.ends_with(".md"))
        .filter_map(|source| Some(source.at(1, fault(source)?)))
        .collect()
}

fn fault(source: &Source) -> Option<String> {
    let Some(name) = source.path.strip_prefix(FOLDER) else {
        return Some(format!("fragments stand in {FOLDER}"));
    };
    let stem = name.strip_suffix(".md")?;
    let kind = stem.split('-').next().unwrap_or("");
    let plain = stem.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let text = source.text.trim();
    if !KINDS.contains(&kind) || stem.len() <= kind.len() + 1 {
        Some(format!("name it <kind>-<what>.md; kinds are {}", KINDS.join(", ")))
    } else if !plain {
        Some("name it in lower case, words joined by '-'".to_owned())
    } else if text.is_empty() || text.starts_with(['#', '-', '*']) {
        Some("say in plain sentences what a user notices, without heading or bullet".to_owned())
    } else if !text.ends_with('.') {
        Some("end with a full stop".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::source;
    use super::*;

    #[test]
    fn fragments() {
        let check = |path: &str, text: &str, expect: bool| {
            assert_eq!(fault(&source(path, text)).is_none(), expect, "{path}: {text}");
        };
        check("changes/unreleased/added-weekly-run.md", "`tercet run` makes offers.\n", true);
        check("changes/unreleased/weekly-run.md", "It runs.", false);
        check("changes/unreleased/added.md", "It runs.", false);
        check("changes/unreleased/added-Weekly_run.md", "It runs.", false);
        check("changes/unreleased/fixed-run.md", "- It runs.", false);
        check("changes/unreleased/fixed-run.md", "It runs", false);
        check("changes/added-weekly-run.md", "It runs.", false);
    }
}
