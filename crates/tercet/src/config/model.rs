//! How is the order-value model trained?

use serde::{Deserialize, Serialize};

/// `[model]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Model {
    /// Past weeks that are trained on; the newest of them decides when to stop.
    pub(crate) training_weeks: u32,
    /// The most trees.
    pub(crate) rounds: u32,
    /// Leaves of a tree.
    pub(crate) leaves: u32,
    /// Shrinkage of each tree.
    pub(crate) learning_rate: f64,
    /// Rounds without progress before training stops.
    pub(crate) early_stopping_rounds: u32,
    /// Weight of finding a product the customer never bought, minor units per expected discovery.
    pub(crate) discovery_weight_minor: f64,
    /// Path or URL of a table (customer_id, promotion_id, value) that stands in for the model.
    pub(crate) external_scores: String,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            training_weeks: 8,
            rounds: 150,
            leaves: 31,
            learning_rate: 0.08,
            early_stopping_rounds: 20,
            discovery_weight_minor: 0.0,
            external_scores: String::new(),
        }
    }
}
