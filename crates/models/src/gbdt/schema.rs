//! Which features does a model know, and are these the same?

use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

/// The names of the features and, for categorical ones, their levels in index order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureSchema {
    /// One name per column of the matrix.
    pub names: Vec<String>,
    /// Per column: `None` for a number, the levels for a category (cell value = index).
    pub levels: Vec<Option<Vec<String>>>,
}

impl FeatureSchema {
    /// A schema of numeric features alone.
    pub fn numeric<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let levels = vec![None; names.len()];
        Self { names, levels }
    }

    /// Adds one column; builder style.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, levels: Option<Vec<String>>) -> Self {
        self.names.push(name.into());
        self.levels.push(levels);
        self
    }

    /// The number of features.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no feature.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// A stable 64-bit hash of names and levels (FNV-1a, length-prefixed fields).
    ///
    /// Source: Fowler, Noll, Vo, <https://datatracker.ietf.org/doc/html/rfc9923>.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Fnv::new();
        hash.number(self.names.len() as u64);
        for (name, levels) in self.names.iter().zip(&self.levels) {
            hash.text(name);
            match levels {
                None => hash.number(0),
                Some(levels) => {
                    hash.number(1 + levels.len() as u64);
                    levels.iter().for_each(|level| hash.text(level));
                }
            }
        }
        hash.0
    }

    /// Says whether `other` has the same features in the same order.
    ///
    /// # Errors
    /// `T0401` naming the first difference.
    pub fn check_same(&self, other: &Self) -> Result<()> {
        let difference = self.first_difference(other);
        difference.map_or(Ok(()), |difference| {
            Err(Error::data(
                "T0401",
                format!("feature schema differs from the model's: {difference}"),
            )
            .hint("train the model again, or score with the features it was trained on"))
        })
    }

    /// # Errors
    /// `T0403` when names and levels have different lengths or a name stands twice.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.names.len() != self.levels.len() {
            return Err(Error::data(
                "T0403",
                format!(
                    "feature schema: {} names but {} level lists",
                    self.names.len(),
                    self.levels.len()
                ),
            ));
        }
        let mut sorted: Vec<&String> = self.names.iter().collect();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(Error::data("T0403", format!("feature schema: '{}' stands twice", pair[0])))
            }
            None => Ok(()),
        }
    }

    fn first_difference(&self, other: &Self) -> Option<String> {
        for (column, (mine, theirs)) in self.names.iter().zip(&other.names).enumerate() {
            if mine != theirs {
                return Some(format!("column {column} is '{theirs}', the model expects '{mine}'"));
            }
            let (mine, theirs) = (&self.levels[column], &other.levels[column]);
            let name = &self.names[column];
            match (mine, theirs) {
                (None, Some(_)) => {
                    return Some(format!("'{name}' is categorical, the model expects a number"));
                }
                (Some(_), None) => {
                    return Some(format!("'{name}' is a number, the model expects a category"));
                }
                (Some(mine), Some(theirs)) if mine != theirs => {
                    let at = mine.iter().zip(theirs).take_while(|(a, b)| a == b).count();
                    let level = |levels: &[String]| {
                        levels.get(at).map_or("nothing".into(), |l| format!("'{l}'"))
                    };
                    return Some(format!(
                        "level {at} of '{name}' is {}, the model expects {}",
                        level(theirs),
                        level(mine)
                    ));
                }
                _ => {}
            }
        }
        if let Some(missing) = self.names.get(other.names.len()) {
            return Some(format!("'{missing}' is missing"));
        }
        other.names.get(self.names.len()).map(|extra| format!("'{extra}' is unknown to the model"))
    }
}

/// FNV-1a, 64 bits.
pub(crate) struct Fnv(pub(crate) u64);

impl Fnv {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> FeatureSchema {
        FeatureSchema::numeric(["recency_days"])
            .with("segment", Some(vec!["both".into(), "browsing".into()]))
    }

    #[test]
    fn the_first_difference_is_named() {
        let check = |other: FeatureSchema, expect: &str| {
            let error = schema().check_same(&other).unwrap_err();
            assert_eq!(error.code(), "T0401");
            assert_eq!(
                error.to_string(),
                format!("feature schema differs from the model's: {expect}")
            );
            assert_ne!(schema().fingerprint(), other.fingerprint());
        };
        check(FeatureSchema::numeric(["recency_days"]), "'segment' is missing");
        check(
            FeatureSchema::numeric(["age"]),
            "column 0 is 'age', the model expects 'recency_days'",
        );
        check(
            FeatureSchema::numeric(["recency_days", "segment"]),
            "'segment' is a number, the model expects a category",
        );
        check(
            FeatureSchema::numeric(["recency_days"]).with("segment", Some(vec!["both".into()])),
            "level 1 of 'segment' is nothing, the model expects 'browsing'",
        );
        check(schema().with("extra", None), "'extra' is unknown to the model");
        assert!(schema().check_same(&schema()).is_ok());
    }

    #[test]
    fn the_fingerprint_is_stable() {
        assert_eq!(FeatureSchema::default().fingerprint(), 0xa8c7_f832_281a_39c5);
        assert!(FeatureSchema::numeric(["a", "a"]).validate().is_err());
    }
}
