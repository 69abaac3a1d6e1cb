//! How is a piece of the shop's SQL read, quoted and made lenient?

use std::collections::BTreeSet;

use tercet_types::{Error, Result};

/// A quoted SQL identifier.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A quoted SQL text.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Fills the `{name}` places of a statement.
pub(crate) fn fill(statement: &str, places: &[(&str, &str)]) -> String {
    // Comments name the places too; a value of several lines would run out of them.
    let lines = statement.lines().filter(|line| !line.trim_start().starts_with("--"));
    let plain = lines.collect::<Vec<_>>().join("\n");
    places.iter().fold(plain, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// A part of an expression.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    /// An identifier without quotes.
    Word(&'a str),
    /// An identifier in double quotes, with them.
    Quoted(&'a str),
    /// Anything else: text literals, numbers, signs, blanks.
    Other(&'a str),
}

fn parts(expression: &str) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end_of_quoted =
            |quote: char| rest[1..].find(quote).map_or(rest.len(), |position| position + 2);
        let (part, length) = match first {
            '"' => {
                let length = end_of_quoted('"');
                (Part::Quoted(&rest[..length]), length)
            }
            '\'' => {
                let length = end_of_quoted('\'');
                (Part::Other(&rest[..length]), length)
            }
            c if c.is_alphabetic() || c == '_' => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (Part::Word(&rest[..length]), length)
            }
            c if c.is_numeric() => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (Part::Other(&rest[..length]), length)
            }
            c => (Part::Other(&rest[..c.len_utf8()]), c.len_utf8()),
        };
        found.push(part);
        rest = &rest[length..];
    }
    found
}

/// The expression with every `cast` made a `try_cast`: a cell that cannot be cast becomes null, and the
/// contract tells which one it was.
///
/// # Errors
/// `T0202` for `::`, which cannot be made lenient.
pub(crate) fn lenient(expression: &str) -> Result<String> {
    let parts = parts(expression);
    let double_colon =
        parts.windows(2).any(|pair| pair[0] == Part::Other(":") && pair[1] == Part::Other(":"));
    if double_colon {
        return Err(Error::config("T0202", format!("'{expression}': '::' is not accepted"))
            .hint("write cast(… as …)"));
    }
    Ok(parts
        .iter()
        .map(|part| match part {
            Part::Word(word) if word.eq_ignore_ascii_case("cast") => "try_cast",
            Part::Word(word) if word.eq_ignore_ascii_case("arrow_cast") => "arrow_try_cast",
            Part::Word(text) | Part::Quoted(text) | Part::Other(text) => text,
        })
        .collect())
}

/// Which of `columns` the expression reads, as far as its words tell.
pub(crate) fn reads(expression: &str, columns: &BTreeSet<String>) -> BTreeSet<String> {
    parts(expression)
        .iter()
        .filter_map(|part| match part {
            Part::Word(word) => Some((*word).to_owned()),
            Part::Quoted(word) => Some(word.trim_matches('"').replace("\"\"", "\"")),
            Part::Other(_) => None,
        })
        .filter(|word| columns.contains(word))
        .collect()
}

/// True when null may be what the expression is meant to give: it handles cases itself.
pub(crate) fn may_give_null(expression: &str) -> bool {
    const WORDS: [&str; 4] = ["nullif", "case", "try_cast", "arrow_try_cast"];
    let own = |word: &str| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
    parts(expression).iter().any(|part| matches!(part, Part::Word(word) if own(word)))
}

/// The name among `known` that comes nearest to `name`, when one is near.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this Jaro-Winkler similarity a suggestion confuses more than it helps.
    const NEAR: f64 = 0.75;
    let lower = name.to_lowercase();
    known
        .map(|other| (strsim::jaro_winkler(&lower, &other.to_lowercase()), other))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_become_lenient_outside_of_texts() {
        let check = |input: &str, expect: &str| assert_eq!(lenient(input).unwrap(), expect);
        check("cast(qty as double)", "try_cast(qty as double)");
        check("CAST (x as bigint)||'cast('", "try_cast (x as bigint)||'cast('");
        check("try_cast(x as double)", "try_cast(x as double)");
        check("broadcast + \"cast\"", "broadcast + \"cast\"");
        check("arrow_cast(x, 'Int8')", "arrow_try_cast(x, 'Int8')");
        check("'it''s' || größe", "'it''s' || größe");
        assert_eq!(lenient("x::int").unwrap_err().code(), "T0202");
        check("'a::b'", "'a::b'");
    }

    #[test]
    fn words_tell_which_columns_are_read() {
        let columns: BTreeSet<String> = ["qty", "unit price", "x"].map(str::to_owned).into();
        let check = |input: &str, expect: &[&str]| {
            assert_eq!(reads(input, &columns).into_iter().collect::<Vec<_>>(), expect, "{input}");
        };
        check("qty * cast(\"unit price\" as double)", &["qty", "unit price"]);
        check("'x' || qty_2", &[]);
    }

    #[test]
    fn suggestions_are_near() {
        let known = ["quantity", "amount", "sku"];
        assert_eq!(nearest("quantty", known.into_iter()), Some("quantity"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
    }
}
