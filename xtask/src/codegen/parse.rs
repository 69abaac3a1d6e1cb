//! Which structs can be written in a configuration, and what do their comments say?
//!
//! Reads the shape of the code by its lines, as rustfmt writes them: enough for plain structs of named
//! fields and enums of plain variants.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A struct or enum with what its comments say.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// The comment above it.
    pub(super) doc: String,
    /// Fields of a struct.
    pub(super) fields: Vec<Field>,
    /// Variants of an enum, lower case, with their comments.
    pub(super) variants: Vec<(String, String)>,
    /// True when the words of a variant's name are parted by hyphens.
    is_hyphenated: bool,
    /// True when keys may be left out.
    pub(super) has_defaults: bool,
    /// Defaults as written in `impl Default`, by field.
    pub(super) defaults: BTreeMap<String, String>,
}

/// A field of a struct.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// The key in the file.
    pub(super) key: String,
    /// The name in the code.
    pub(super) name: String,
    /// The type, as written.
    pub(super) ty: String,
    /// The comment above it.
    pub(super) doc: String,
    /// True when this key alone may be left out.
    pub(super) has_default: bool,
}

impl Field {
    /// The type without what contains it.
    pub(super) fn inner(&self) -> &str {
        inner(&self.ty)
    }
}

/// All shapes in the Rust files of these folders, by name.
pub(super) fn shapes(root: &Path, folders: &[&str]) -> BTreeMap<String, Shape> {
    let mut shapes = BTreeMap::new();
    for folder in folders {
        let mut paths: Vec<_> = fs::read_dir(root.join(folder))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .collect();
        paths.sort();
        for path in paths {
            read(&fs::read_to_string(path).unwrap_or_default(), &mut shapes);
        }
    }
    shapes
}

/// Where the reader stands.
enum Place {
    Outside,
    Struct(String),
    Enum(String),
    Default(String),
}

fn read(text: &str, shapes: &mut BTreeMap<String, Shape>) {
    let mut place = Place::Outside;
    let mut doc: Vec<&str> = Vec::new();
    let mut attributes = String::new();
    for line in text.lines() {
        let code = line.trim();
        if code == "#[cfg(test)]" {
            break;
        }
        if let Some(words) = code.strip_prefix("///") {
            doc.push(words.trim());
            continue;
        }
        if code.starts_with("#[") {
            attributes.push_str(code);
            continue;
        }
        if line.starts_with('}') {
            place = Place::Outside;
        } else {
            match &place {
                Place::Outside => {
                    place = begin(line, &doc, &attributes, shapes);
                }
                Place::Struct(name) => {
                    if let (Some(shape), Some(field)) =
                        (shapes.get_mut(name), field(code, &doc, &attributes))
                    {
                        shape.fields.push(field);
                    }
                }
                Place::Enum(name) => {
                    let variant: String =
                        code.chars().take_while(|c| c.is_alphanumeric()).collect();
                    // A variant that holds a value says with its field what may be written.
                    let plain = !variant.is_empty() && !code.contains('(');
                    if let (Some(shape), true) = (shapes.get_mut(name), plain) {
                        let name = written(&variant, shape.is_hyphenated);
                        shape.variants.push((name, prose(&doc)));
                    }
                }
                Place::Default(name) => defaults(code, shapes.entry(name.clone()).or_default()),
            }
        }
        doc.clear();
        attributes.clear();
    }
}

/// The place that a line outside of everything begins.
fn begin(
    line: &str,
    doc: &[&str],
    attributes: &str,
    shapes: &mut BTreeMap<String, Shape>,
) -> Place {
    if let Some(name) = line.strip_prefix("impl Default for ") {
        return Place::Default(name.trim_end_matches('{').trim().to_owned());
    }
    let code = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
    let (kind, rest) = code.split_once(' ').unwrap_or_default();
    if !matches!(kind, "struct" | "enum") || !attributes.contains("Deserialize") {
        return Place::Outside;
    }
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
    let shape = shapes.entry(name.clone()).or_default();
    shape.doc = prose(doc);
    shape.has_defaults = attributes.contains("default");
    shape.is_hyphenated = attributes.contains("kebab-case");
    match (kind, line.ends_with('{')) {
        ("struct", true) => Place::Struct(name),
        ("enum", true) => Place::Enum(name),
        _ => Place::Outside,
    }
}

/// The name of a variant in the file.
fn written(variant: &str, is_hyphenated: bool) -> String {
    let mut name = String::new();
    for letter in variant.chars() {
        if is_hyphenated && letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

fn field(code: &str, doc: &[&str], attributes: &str) -> Option<Field> {
    let declared = code.strip_prefix("pub(crate) ").or_else(|| code.strip_prefix("pub "))?;
    let (name, ty) = declared.strip_suffix(',')?.split_once(": ")?;
    let key = attributes
        .split_once("rename = \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or(name, |(key, _)| key);
    Some(Field {
        key: key.to_owned(),
        name: name.to_owned(),
        ty: ty.to_owned(),
        doc: prose(doc),
        has_default: attributes.contains("default"),
    })
}

/// The lines of a comment as one paragraph; links to other items become their names.
fn prose(doc: &[&str]) -> String {
    let lines: Vec<&str> = doc.iter().copied().filter(|line| !line.is_empty()).collect();
    let mut text = lines.join(" ").replace("[`crate::", "`").replace("[`", "`").replace("`]", "`");
    // Where a link leads in the code is of no use in a page.
    while let Some((before, rest)) = text.split_once("`(crate::") {
        let after = rest.split_once(')').map_or("", |(_, after)| after);
        text = format!("{before}`{after}");
    }
    text
}

/// Adds `name: value` pairs of a line of a constructor, one or several.
fn defaults(code: &str, shape: &mut Shape) {
    let inner = code.trim_start_matches("Self {").trim_end_matches('}').trim();
    let pairs: Vec<&str> = if inner == code { vec![code] } else { inner.split(", ").collect() };
    for pair in pairs {
        if let Some((name, value)) = pair.trim_end_matches(',').split_once(": ") {
            shape.defaults.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
}

/// `Vec<B>` is a `Vec`; an option is what it may hold.
pub(super) fn container(ty: &str) -> &str {
    let ty = without_option(ty);
    if ty.starts_with('[') { "Vec" } else { ty.split_once('<').map_or("", |(outer, _)| outer) }
}

/// `BTreeMap<String, a::B>` is about `B`, `[i64; 4]` about `i64`.
pub(super) fn inner(ty: &str) -> &str {
    let ty = without_option(ty);
    let inside = match ty.strip_prefix('[') {
        Some(array) => array.split_once(';').map_or(array, |(element, _)| element),
        None => ty.split_once('<').map_or(ty, |(_, rest)| rest.trim_end_matches('>')),
    };
    let last = inside.rsplit_once(", ").map_or(inside, |(_, value)| value);
    last.rsplit_once("::").map_or(last, |(_, name)| name)
}

fn without_option(ty: &str) -> &str {
    ty.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>')).unwrap_or(ty)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = r#"
/// `[run]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Run {
    /// Seed of all
    /// randomness.
    pub(crate) seed: u64,
    /// Which rows.
    #[serde(rename = "where")]
    pub(crate) predicate: String,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            seed: 7,
            predicate: String::new(),
        }
    }
}

/// How.
#[derive(Deserialize)]
pub enum How {
    /// One way.
    One,
    /// Another.
    Two,
    /// A value.
    Three(Run),
}
"#;

    #[test]
    fn structs_enums_and_defaults() {
        assert_eq!(prose(&["As [`A`](crate::a::A) or", "[`B`]."]), "As `A` or `B`.");
        let mut shapes = BTreeMap::new();
        read(CODE, &mut shapes);
        let run = &shapes["Run"];
        assert!(run.has_defaults);
        assert_eq!(run.doc, "`[run]`");
        let fields: Vec<_> = run.fields.iter().map(|f| (f.key.as_str(), f.doc.as_str())).collect();
        assert_eq!(fields, [("seed", "Seed of all randomness."), ("where", "Which rows.")]);
        assert_eq!(run.defaults["seed"], "7");
        let variants: Vec<_> =
            shapes["How"].variants.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(variants, ["one", "two"]);
        assert_eq!(written("PerOrder", true), "per-order");
        assert_eq!(written("PerOrder", false), "perorder");
    }
}
