//! How many old runs are kept?

use serde::{Deserialize, Serialize};

/// `[retention]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// The newest complete runs that are kept; older ones are deleted after a run is complete.
    /// Runs within the windows of the rules (`repeat_gap_weeks`, `contact_window_weeks`, `pressure_price_minor`) always stay,
    /// and so do the one whose log of assignment the newest took over and those whose draws it learnt from.
    pub(crate) keep_runs: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep_runs: 26 }
    }
}
