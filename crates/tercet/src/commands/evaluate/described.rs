//! What is known of products or customers, and what are the values called?

use std::collections::BTreeMap;

use tercet_models::Attributes;
use tercet_types::{Error, Result};

/// Attributes with the names of their values.
#[derive(Debug)]
pub(in crate::commands) struct Described {
    /// Values by number.
    pub(in crate::commands) attributes: Attributes,
    /// The names of the values of each kind, ascending: the number of a value is its place.
    values: BTreeMap<String, Vec<String>>,
}

impl Described {
    /// Nothing is known of so many rows.
    pub(in crate::commands) const fn none(rows: usize) -> Self {
        Self { attributes: Attributes::none(rows), values: BTreeMap::new() }
    }

    /// The same rows with one more kind: the values of each row.
    pub(in crate::commands) fn with(self, kind: &str, lists: &[Vec<String>]) -> Result<Self> {
        let mut names: Vec<String> = lists.iter().flatten().cloned().collect();
        names.sort_unstable();
        names.dedup();
        let place = |value: &String| names.binary_search(value).unwrap_or_default() as u32;
        let numbers: Vec<Vec<u32>> =
            lists.iter().map(|list| list.iter().map(place).collect()).collect();
        let attributes = self.attributes.with(kind, &numbers)?;
        let mut values = self.values;
        values.insert(kind.to_owned(), names);
        Ok(Self { attributes, values })
    }

    /// The rows with a value of a kind.
    ///
    /// # Errors
    /// `T1086` for a kind or value that nobody knows.
    pub(in crate::commands) fn rows_with(&self, kind: &str, value: &str) -> Result<&[u32]> {
        let known = self.attributes.kind(kind).zip(self.values.get(kind));
        let Some((rows, values)) = known else {
            let kinds: Vec<&str> = self.values.keys().map(String::as_str).collect();
            let hint = match kinds.is_empty() {
                true => {
                    "no attributes are known: name a table of them with --attributes".to_owned()
                }
                false => format!("the attributes are {}", kinds.join(", ")),
            };
            return Err(
                Error::not_found("T1086", format!("there is no attribute '{kind}'")).hint(hint)
            );
        };
        match values.binary_search_by(|known| known.as_str().cmp(value)) {
            Ok(place) => Ok(rows.rows_with(place as u32)),
            Err(_) => {
                let likeness = |known: &&String| strsim::jaro_winkler(value, known);
                let nearest = values.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
                let error = Error::not_found("T1086", format!("no {kind} is called '{value}'"));
                Err(match nearest {
                    Some(nearest) => error.hint(format!("did you mean '{nearest}'?")),
                    None => error,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name() {
        let lists = [vec!["red".to_owned()], vec![], vec!["blue".to_owned(), "red".to_owned()]];
        let described = Described::none(3).with("colour", &lists).unwrap();
        assert_eq!(described.rows_with("colour", "red").unwrap(), [0, 2]);
        assert_eq!(described.rows_with("colour", "blue").unwrap(), [2]);
        let hint = |kind: &str, value: &str| {
            let error = described.rows_with(kind, value).unwrap_err();
            assert_eq!(error.code(), "T1086");
            error.hint_text().unwrap().to_owned()
        };
        assert_eq!(hint("colour", "rde"), "did you mean 'red'?");
        assert_eq!(hint("shape", "red"), "the attributes are colour");
    }
}
