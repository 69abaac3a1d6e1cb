//! Which engine is tried against which, and on how many customers?

use serde::{Deserialize, Serialize};

/// `[experiment]`: an engine test within the weekly run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Experiment {
    /// The test's name: letters, digits, `-`, `_` and `.`. Without one nothing is tested. Under another name other
    /// customers are drawn, whatever an earlier test did.
    pub(crate) name: String,
    /// Who decides for the others: `legacy` or another engine; `none` means that they get no offers yet.
    pub(crate) baseline: String,
    /// Share of the customers outside the holdout for whom `[run] engine` decides, 0 to 1. A larger share adds
    /// customers and lets none go; 0 ends the test for all.
    pub(crate) share: f64,
}

impl Default for Experiment {
    fn default() -> Self {
        Self { name: String::new(), baseline: "legacy".to_owned(), share: 0.5 }
    }
}
