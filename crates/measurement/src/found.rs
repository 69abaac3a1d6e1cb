//! What stands in a report where an estimate should be?

use serde::Serialize;

use crate::estimate::{Estimate, Refusal};

/// An estimate, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Found {
    /// The estimate.
    Estimate(Estimate),
    /// Why there is none.
    Refused {
        /// The reason.
        refused: Refusal,
    },
}

impl Found {
    /// The estimate, where there is one.
    pub const fn estimate(&self) -> Option<&Estimate> {
        match self {
            Self::Estimate(estimate) => Some(estimate),
            Self::Refused { .. } => None,
        }
    }
}

impl From<Result<Estimate, Refusal>> for Found {
    fn from(result: Result<Estimate, Refusal>) -> Self {
        result.map_or_else(|refused| Self::Refused { refused }, Self::Estimate)
    }
}
