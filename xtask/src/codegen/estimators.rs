//! Which settings does each recommender have, what are they where nobody says, and where are good ones looked for?
//!
//! Names, defaults and ranges are those of the registry, asked of the program itself; what a setting means is what the
//! comment above it says.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Map, Value};

use super::cell;
use super::configuration::kind;
use super::parse::{Field, Shape, shapes};

/// Where the structs of settings stand.
const FOLDER: &str = "crates/models/src/recommenders";

/// Where estimators are listed.
const REGISTRY: &str = "crates/models/src/registry.rs";

const HEAD: &str = "
| key | type | default | `tune` looks among | what it means |
|---|---|---|---|---|
";

/// A section for every estimator, or why there is none.
pub(super) fn sections(root: &Path) -> String {
    let registry = fs::read_to_string(root.join(REGISTRY)).unwrap_or_default();
    let structs: Vec<String> = registry
        .lines()
        .filter_map(|line| line.trim().strip_prefix("estimator::<")?.strip_suffix(">(),"))
        .map(str::to_owned)
        .collect();
    let folders: Vec<String> = [FOLDER.to_owned()]
        .into_iter()
        .chain(fs::read_dir(root.join(FOLDER)).into_iter().flatten().flatten().filter_map(
            |entry| {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                is_folder.then(|| format!("{FOLDER}/{}", entry.file_name().to_string_lossy()))
            },
        ))
        .collect();
    let shapes = shapes(root, &folders.iter().map(String::as_str).collect::<Vec<_>>());
    let mut page = String::new();
    match estimators(root) {
        Ok(estimators) if estimators.len() == structs.len() => {
            for (name, estimator) in structs.iter().zip(&estimators) {
                section(&mut page, name, estimator, &shapes);
            }
        }
        Ok(_) => _ = writeln!(page, "\n{REGISTRY} was not understood: one estimator a line"),
        Err(why) => _ = writeln!(page, "\nThe registry could not be asked: {why}"),
    }
    page
}

/// The registry, as the example prints it.
fn estimators(root: &Path) -> Result<Vec<Value>, String> {
    let mut cargo = Command::new("cargo");
    for variable in crate::ci::variables_of_this_package() {
        cargo.env_remove(variable);
    }
    let told = cargo
        .args(["run", "--quiet", "--release", "--package", "tercet-models"])
        .args(["--example", "estimators"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&told.stdout).map_err(|error| error.to_string())
}

fn section(page: &mut String, name: &str, estimator: &Value, shapes: &BTreeMap<String, Shape>) {
    let Some(shape) = shapes.get(name) else { return };
    let _ = writeln!(
        page,
        "\n### `[recommenders.{}]`\n\n{}",
        estimator["name"].as_str().unwrap_or_default(),
        shape.doc
    );
    let empty = Map::new();
    let of = |key: &str| estimator[key].as_object().unwrap_or(&empty);
    let (defaults, searched) = (of("defaults"), of("searched"));
    page.push_str(HEAD);
    for field in &shape.fields {
        row(page, field, defaults, searched, shapes);
    }
}

fn row(
    page: &mut String,
    field: &Field,
    defaults: &Map<String, Value>,
    searched: &Map<String, Value>,
    shapes: &BTreeMap<String, Shape>,
) {
    let mut doc = field.doc.clone();
    for (name, meaning) in shapes.get(field.inner()).into_iter().flat_map(|shape| &shape.variants) {
        let _ = write!(doc, " `{name}`: {meaning}");
    }
    let default = match defaults.get(&field.key) {
        None | Some(Value::Null) => String::new(),
        Some(value) => format!("`{}`", toml(value)),
    };
    // Of settings inside others each has its own range.
    let inside = format!("{}.", field.key);
    let ranges = searched.iter().filter_map(|(setting, range)| {
        let range = range.as_str()?;
        match setting.strip_prefix(&inside) {
            Some(part) => Some(format!("`{part}`: {range}")),
            None => (*setting == field.key).then(|| range.to_owned()),
        }
    });
    let ranges: Vec<String> = ranges.collect();
    let is_table = matches!(defaults.get(&field.key), Some(Value::Object(_)));
    let kind = if is_table { "table".to_owned() } else { kind(&field.ty) };
    let _ = writeln!(
        page,
        "| `{}` | {kind} | {} | {} | {} |",
        field.key,
        cell(&default),
        cell(&ranges.join("; ")),
        cell(&doc),
    );
}

/// A value as it is written in the file; what a table leaves open stands not in it.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let known = fields.iter().filter(|(_, value)| !value.is_null());
            let fields: Vec<String> =
                known.map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
        Value::Array(values) => {
            format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_in_the_file() {
        let check = |value: Value, expect: &str| assert_eq!(toml(&value), expect);
        check(json!(0.5), "0.5");
        check(json!("per-order"), "\"per-order\"");
        check(json!([1, "a"]), "[1, \"a\"]");
        check(json!({ "days": 9, "none": null }), "{ days = 9 }");
        check(json!({}), "{}");
    }
}
