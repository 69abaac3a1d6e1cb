//! What stands in a report where an estimate should be?

use serde::Serialize;

use crate::estimate::{Estimate, Refusal};

/// An estimate, or why there is none; other figures have refusals of their own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Found<T = Estimate, R = Refusal> {
    /// The estimate.
    Estimate(T),
    /// Why there is none.
    Refused {
        /// The reason.
        refused: R,
    },
}

impl<T, R> Found<T, R> {
    /// The estimate, where there is one.
    pub const fn estimate(&self) -> Option<&T> {
        match self {
            Self::Estimate(estimate) => Some(estimate),
            Self::Refused { .. } => None,
        }
    }
}

impl<T, R> From<Result<T, R>> for Found<T, R> {
    fn from(result: Result<T, R>) -> Self {
        result.map_or_else(|refused| Self::Refused { refused }, Self::Estimate)
    }
}
