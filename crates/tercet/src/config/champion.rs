//! Which engines compete to decide the week?

use serde::{Deserialize, Serialize};
use tercet_measurement::offline::Metric;

/// `[champion]`: with `[run] engine = "champion"` the engine decides that did best on the weeks just past.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Champion {
    /// The engines that compete. Of engines that do equally well the first decides.
    pub(crate) engines: Vec<String>,
    /// The weeks before the as-of date that they are replayed on, each with only what was known then.
    pub(crate) weeks: u32,
    /// What they are judged by, on narrow promotions, or on all where none is narrow.
    pub(crate) metric: Metric,
    /// Whether the report says what each group of features is worth to the product's own engine: it learns once more
    /// without each.
    pub(crate) ablation: bool,
}

impl Default for Champion {
    fn default() -> Self {
        Self {
            engines: ["tercet", "personal-decayed", "legacy", "personal", "popular"]
                .map(str::to_owned)
                .to_vec(),
            weeks: 3,
            metric: Metric::SpendCapturedMinor,
            ablation: true,
        }
    }
}
