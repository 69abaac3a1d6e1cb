//! What does the page of configuration keys say?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use super::parse::{Field, Shape, container, inner, shapes};
use super::{cell, estimators};

/// Where the structs of `tercet.toml` stand.
const FOLDERS: &[&str] = &["crates/tercet/src/config", "crates/sources/src", "crates/features/src"];

/// The section whose keys hang on the estimator.
const RECOMMENDERS: &str = "recommenders";

const INTRODUCTION: &str = "\
<!-- Written by 'cargo xtask codegen' from the comments in crates/tercet/src/config. -->

# Configuration

A project is a folder with a `tercet.toml`.
Every key is optional unless said otherwise; an unknown key is an error that names the nearest known one.
A key can be overridden for one command by an environment variable: `TERCET__RUN__SEED=9` is `seed` in `[run]`.
A flag wins over the variable, the variable over the file, the file over the default.
Paths start at the project's folder.
";

/// The whole page.
pub(super) fn page(root: &Path) -> String {
    let shapes = shapes(root, FOLDERS);
    let mut page = INTRODUCTION.to_owned();
    let mut done = BTreeSet::new();
    if let Some(config) = shapes.get("Config") {
        for field in &config.fields {
            section(&mut page, "", field, &shapes, &mut done);
            if field.key == RECOMMENDERS {
                let _ = writeln!(page, "\n## `[{RECOMMENDERS}.<name>]`\n\n{}", field.doc);
                page.push_str(&estimators::sections(root));
            }
        }
    }
    page
}

/// One field of a struct that is a section of its own.
fn section(
    page: &mut String,
    prefix: &str,
    field: &Field,
    shapes: &BTreeMap<String, Shape>,
    done: &mut BTreeSet<String>,
) {
    let path =
        if prefix.is_empty() { field.key.clone() } else { format!("{prefix}.{}", field.key) };
    let (path, heading) = match container(&field.ty) {
        "Vec" => (path.clone(), format!("[[{path}]]")),
        "BTreeMap" => (format!("{path}.<name>"), format!("[{path}.<name>]")),
        _ => (path.clone(), format!("[{path}]")),
    };
    let Some((name, shape)) = shape_of(&field.ty, shapes) else { return };
    let _ = writeln!(page, "\n## `{heading}`\n\n{}", field.doc);
    // "`[run]`: more" above a struct repeats the heading, a short sentence the field.
    let more = match shape.doc.strip_prefix("`[") {
        Some(heading) => heading.split_once(": ").map_or("", |(_, more)| more),
        None if shape.doc.len() > 2 * field.doc.len() => &shape.doc,
        None => "",
    };
    if !more.is_empty() {
        let _ = writeln!(page, "{}", sentence(more));
    }
    if !done.insert(name.clone()) {
        return;
    }
    let (plain, nested): (Vec<&Field>, Vec<&Field>) =
        shape.fields.iter().partition(|field| !is_section(field, shapes));
    if !plain.is_empty() {
        page.push_str("\n| key | type | default | what it means |\n|---|---|---|---|\n");
    }
    for field in plain {
        let mut doc = field.doc.clone();
        if let Some((_, choice)) = shape_of(&field.ty, shapes) {
            for (name, meaning) in &choice.variants {
                let _ = write!(doc, " `{name}`: {}", meaning);
            }
        }
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            field.key,
            kind(&field.ty),
            default(field, shape),
            cell(&doc),
        );
    }
    for field in nested {
        section(page, &path, field, shapes, done);
    }
}

/// True when a field's type is a struct with fields of its own.
fn is_section(field: &Field, shapes: &BTreeMap<String, Shape>) -> bool {
    shape_of(&field.ty, shapes).is_some_and(|(_, shape)| !shape.fields.is_empty())
}

/// The shape behind a type: what is in the container, without its path.
fn shape_of<'a>(ty: &str, shapes: &'a BTreeMap<String, Shape>) -> Option<(String, &'a Shape)> {
    let name = inner(ty);
    Some((name.to_owned(), shapes.get(name)?))
}

/// The type in the words of the file.
pub(super) fn kind(ty: &str) -> String {
    let plain = match inner(ty) {
        "String" | "PathBuf" => "text",
        "bool" => "true or false",
        "f64" | "f32" => "number",
        "char" => "character",
        name if name.starts_with(['u', 'i']) && name.len() <= 5 => "integer",
        "Date" => "date",
        _ => "one of",
    };
    match container(ty) {
        "Vec" => format!("list of {plain}"),
        "BTreeMap" => format!("table of {plain}"),
        _ => plain.to_owned(),
    }
}

/// The default in the words of the file.
fn default(field: &Field, shape: &Shape) -> String {
    if !shape.has_defaults && !field.has_default && !field.ty.starts_with("Option<") {
        return "required".to_owned();
    }
    if field.ty.starts_with("Option<") && !shape.defaults.contains_key(&field.name) {
        return String::new();
    }
    let written = shape.defaults.get(&field.name).map_or("", String::as_str);
    let value = written
        .trim_end_matches(".to_owned()")
        .trim_end_matches(".to_string()")
        .trim_end_matches(".into()");
    let plain = match value {
        "" => match (container(&field.ty), inner(&field.ty)) {
            ("", "bool") => "false".to_owned(),
            ("", "String") => "\"\"".to_owned(),
            ("", name) if name.starts_with(['u', 'i', 'f']) => "0".to_owned(),
            ("Vec", _) => "[]".to_owned(),
            _ => String::new(),
        },
        "None" => String::new(),
        "String::new()" => "\"\"".to_owned(),
        "Vec::new()" => "[]".to_owned(),
        "BTreeMap::new()" => String::new(),
        other if other.starts_with("Some(") => other[5..other.len() - 1].to_owned(),
        other => match other.rsplit_once("::") {
            Some((_, variant)) if variant.chars().all(char::is_alphanumeric) => {
                format!("\"{}\"", variant.to_lowercase())
            }
            Some(_) => String::new(),
            None => other.to_owned(),
        },
    };
    if plain.is_empty() || plain.contains(['(', ')', '{', ' ']) && !plain.starts_with('"') {
        String::new()
    } else {
        format!("`{plain}`")
    }
}

/// A capital letter in front.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_in_words() {
        let check = |ty: &str, expect: &str| assert_eq!(kind(ty), expect, "{ty}");
        check("String", "text");
        check("Option<i64>", "integer");
        check("Vec<String>", "list of text");
        check("BTreeMap<String, String>", "table of text");
        check("f64", "number");
        check("AsOf", "one of");
        check("Option<[i64; 4]>", "list of integer");
        check("Option<Vec<String>>", "list of text");
        assert_eq!(inner("BTreeMap<String, tercet_sources::SourceSpec>"), "SourceSpec");
    }
}
