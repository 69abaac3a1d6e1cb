//! Which crate may depend on what, and does it keep to that?
//!
//! The rings are cut by the weight of what they depend on, so that a pure crate builds and tests in
//! seconds. Cargo itself is asked (`cargo tree`), so features and platforms are those of a real build.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The ring of every crate: it may depend on its own ring and on lower ones.
const RINGS: &[(&str, u8)] = &[
    ("tercet-types", 0),
    ("tercet-models", 1),
    ("tercet-scoring", 1),
    ("tercet-allocation", 1),
    ("tercet-measurement", 1),
    ("tercet-simulator", 1),
    ("tercet-engine", 2),
    ("tercet-sources", 2),
    ("tercet-features", 2),
    ("tercet-delivery", 3),
    ("tercet", 4),
];

/// What a pure crate (rings 0 and 1) may not contain at any depth: I/O and what brings it.
const NOT_IN_PURE: &[&str] =
    &["datafusion", "object_store", "parquet", "tokio", "reqwest", "hyper", "chrono-tz"];

/// What ring 3 may not contain at any depth.
const NOT_IN_EDGES: &[&str] = &["datafusion"];

/// Who alone may name a crate in its manifest.
const OWNERS: &[(&str, &str)] = &[
    ("datafusion", "tercet-engine"),
    ("arrow", "tercet-engine"),
    ("parquet", "tercet-engine"),
    ("object_store", "tercet-engine"),
    ("toml", "tercet"),
    ("clap", "tercet"),
];

/// All findings: forbidden dependencies, crates without a ring.
pub(crate) fn check(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, manifest) in members(root) {
        let Some(ring) = ring(&name) else {
            findings
                .push(format!("{manifest}: give the crate '{name}' a ring in xtask/src/deps.rs"));
            continue;
        };
        match (tree(root, &name, "normal,build", None), tree(root, &name, "all", Some("1"))) {
            (Ok(all), Ok(direct)) => {
                findings.extend(
                    faults(&name, ring, &all, &direct)
                        .iter()
                        .map(|fault| format!("{manifest}: {fault}")),
                );
            }
            (Err(error), _) | (_, Err(error)) => findings.push(format!("{manifest}: {error}")),
        }
    }
    findings
}

fn ring(name: &str) -> Option<u8> {
    RINGS.iter().find(|(known, _)| *known == name).map(|(_, ring)| *ring)
}

/// What is wrong with one crate: `all` it contains at any depth, `direct` what its manifest names.
fn faults(name: &str, ring: u8, all: &BTreeSet<String>, direct: &BTreeSet<String>) -> Vec<String> {
    let forbidden = match ring {
        0 | 1 => NOT_IN_PURE,
        3 => NOT_IN_EDGES,
        _ => &[],
    };
    let mut faults = Vec::new();
    for word in forbidden {
        if let Some(found) = all.iter().find(|found| is_of(found, word)) {
            faults.push(format!("{name} is in ring {ring} and must not contain {found}"));
        }
    }
    for (word, owner) in OWNERS {
        if let (Some(found), true) =
            (direct.iter().find(|found| is_of(found, word)), name != *owner)
        {
            faults.push(format!("only {owner} may depend on {found}; {name} does"));
        }
    }
    for (other, other_ring) in RINGS {
        if *other != name && *other_ring > ring && all.contains(*other) {
            faults.push(format!(
                "{name} (ring {ring}) must not depend on {other} (ring {other_ring})"
            ));
        }
    }
    faults
}

/// True when `name` is the crate `family` or one of its parts: `datafusion-common` is of `datafusion`.
fn is_of(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Names and manifests of the crates under `crates/`, in order of folder.
fn members(root: &Path) -> Vec<(String, String)> {
    let mut members = Vec::new();
    for entry in fs::read_dir(root.join("crates")).into_iter().flatten().flatten() {
        let folder = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(entry.path().join("Cargo.toml")).unwrap_or_default();
        let name = text.lines().find_map(|line| line.strip_prefix("name = \""));
        if let Some(name) = name.and_then(|name| name.strip_suffix('"')) {
            members.push((name.to_owned(), format!("crates/{folder}/Cargo.toml")));
        }
    }
    members.sort();
    members
}

/// The crates in the tree of `package` over the edges named, itself included.
fn tree(
    root: &Path,
    package: &str,
    edges: &str,
    depth: Option<&str>,
) -> Result<BTreeSet<String>, String> {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(["tree", "--quiet", "--locked", "--prefix", "none"]);
    command.args(["--package", package, "--edges", edges]);
    if let Some(depth) = depth {
        command.args(["--depth", depth]);
    }
    let output = command.output().map_err(|error| format!("cargo tree: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_and_owners() {
        let check = |name: &str, all: &str, direct: &str, expect: usize| {
            let set = |names: &str| names.split_whitespace().map(str::to_owned).collect();
            let faults = faults(name, ring(name).unwrap(), &set(all), &set(direct));
            assert_eq!(faults.len(), expect, "{name}: {faults:?}");
        };
        check("tercet-models", "tercet-models tercet-types rayon", "tercet-types rayon", 0);
        check("tercet-models", "tercet-models datafusion-common", "", 1);
        check("tercet-models", "tercet-models tercet-engine datafusion tokio", "tercet-engine", 3);
        check(
            "tercet-engine",
            "datafusion datafusion-common object_store",
            "datafusion object_store",
            0,
        );
        check("tercet-features", "tercet-engine datafusion", "tercet-engine", 0);
        check("tercet-features", "datafusion arrow-array", "datafusion arrow-array", 2);
        check("tercet-delivery", "serde datafusion-expr", "serde", 1);
        check("tercet-sources", "toml", "toml", 1);
        check("tercet", "toml clap", "toml clap", 0);
    }

    #[test]
    fn families() {
        assert!(is_of("datafusion", "datafusion"));
        assert!(is_of("datafusion-common", "datafusion"));
        assert!(!is_of("datafusionist", "datafusion"));
        assert!(!is_of("toml_edit", "toml"));
    }
}
