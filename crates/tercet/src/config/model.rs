//! How is the order-value model trained?

use serde::{Deserialize, Serialize};

/// `model.value`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModelValue {
    /// The margin that the offer brings, less what it costs, where offers drawn by chance in earlier runs tell it;
    /// else as by `order`.
    Auto,
    /// What is spent on a promotion's products, with the offer or without.
    Order,
    /// The margin that the offer brings, less what it costs, by all earlier offers, drawn by chance or not.
    Incremental,
}

/// `[model]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Model {
    /// What an offer is valued by: what is spent on the promotion with or without it (`order`), or the margin that the
    /// offer brings less what it costs, by the answers to all earlier offers (`incremental`), or only if offers drawn
    /// by chance in earlier runs (`[exploration]`) say so (`auto`); where these say too little, by what is spent.
    pub(crate) value: ModelValue,
    /// Past weeks that are trained on; the newest of them decides when to stop.
    pub(crate) training_weeks: u32,
    /// The most trees.
    pub(crate) rounds: usize,
    /// Leaves of a tree.
    pub(crate) leaves: usize,
    /// Shrinkage of each tree.
    pub(crate) learning_rate: f64,
    /// Rounds without progress before training stops.
    pub(crate) early_stopping_rounds: usize,
    /// Fewest rows of a leaf.
    pub(crate) leaf_rows_min: usize,
    /// Least sum of second derivatives in a leaf.
    pub(crate) leaf_weight_min: f64,
    /// Share of rows drawn for each tree.
    pub(crate) row_share: f64,
    /// Worth of a customer who buys into an offer at all, as a multiple of the spend behind a typical
    /// response.
    pub(crate) response_weight: f64,
    /// Worth of a product found that the customer never bought, as a multiple of the spend behind a
    /// typical response.
    pub(crate) discovery_weight: f64,
    /// Path or URL of a table (customer_id, promotion_id, value) that stands in for the model.
    pub(crate) external_scores: String,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            value: ModelValue::Auto,
            training_weeks: 5,
            rounds: 100,
            leaves: 15,
            learning_rate: 0.08,
            early_stopping_rounds: 15,
            leaf_rows_min: 1,
            leaf_weight_min: 15.0,
            row_share: 0.8,
            response_weight: 0.6,
            discovery_weight: 3.6,
            external_scores: String::new(),
        }
    }
}
