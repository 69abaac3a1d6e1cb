//! As of when, with which seed, by which engine, on how much machine?

use serde::{Deserialize, Serialize};
use tercet_types::Date;

/// The day a run decides for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AsOf {
    /// The day of the clock.
    Today,
    /// A day.
    #[serde(untagged)]
    Day(Date),
}

/// `[run]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Run {
    /// The first day the offers hold for; only what lies before it is known. A date or `"today"`.
    pub(crate) as_of: AsOf,
    /// Seed of all randomness.
    pub(crate) seed: u64,
    /// Who decides: `tercet`, `legacy`, `personal-decayed`, `personal`, `popular`, or a recommender by its name;
    /// `champion` lets the one decide that did best on the weeks just past, see `[champion]`.
    pub(crate) engine: String,
    /// Threads; 0 means all cores.
    pub(crate) threads: usize,
    /// Memory a query may hold before it spills to disk, MiB.
    pub(crate) memory_mb: usize,
    /// Parts that the customers are cut into, one for each thread in memory at a time; 0 means as many as the size of the
    /// input asks for.
    pub(crate) parts: usize,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            as_of: AsOf::Today,
            seed: 7,
            engine: "tercet".to_owned(),
            threads: 0,
            memory_mb: 1024,
            parts: 0,
        }
    }
}
