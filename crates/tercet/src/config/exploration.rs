//! How much is drawn at random, so that runs can be judged and learnt from?

use serde::{Deserialize, Serialize};
use tercet_allocation::{Exploration as Draws, Law};
use tercet_types::Date;

/// `[exploration]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Exploration {
    /// Share of slots that get, instead of what was planned, a promotion drawn from all that the customer may get in
    /// them; 0 to 1. 0.02 is a good start.
    pub(crate) epsilon: f64,
    /// Share of customers all of whose slots are drawn like this, others every week; 0 to 1. 0.01 is a good start.
    pub(crate) measurement_share: f64,
    /// The most of every cap and budget that is kept back for draws, as a share of it; absent, as much as the share
    /// of slots that are drawn. A promotion for whose draws a limit has no room is drawn for nobody.
    pub(crate) limit_share: Option<f64>,
}

impl Exploration {
    /// What is drawn in a run.
    pub(crate) fn draws(&self, seed: u64, as_of: Date) -> Draws {
        let law = Law { epsilon: self.epsilon, measurement_share: self.measurement_share };
        Draws {
            law,
            limit_share: self.limit_share.unwrap_or_else(|| law.share()),
            // Another week, other draws.
            seed: seed.rotate_left(32) ^ u64::from(as_of.days().unsigned_abs()),
        }
    }
}
