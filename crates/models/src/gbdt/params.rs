//! How is an ensemble trained?

use serde::{Deserialize, Serialize};

/// What the trees minimise, and through which link they predict.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Squared error; identity link; any finite label.
    SquaredError,
    /// Log-loss; logistic link; labels in `[0, 1]`.
    Logistic,
    /// Tweedie deviance; log link; labels `>= 0`: order values with many exact zeros.
    ///
    /// Source: Jørgensen, "Exponential dispersion models", JRSS B 49(2), 1987.
    Tweedie {
        /// The power `p` of the variance function `mu^p`, in `[1, 2)`.
        variance_power: f32,
    },
}

impl Objective {
    /// The prediction of a margin (sum of leaves).
    pub fn link(self, margin: f64) -> f64 {
        match self {
            Self::SquaredError => margin,
            Self::Logistic => 1.0 / (1.0 + (-margin).exp()),
            Self::Tweedie { .. } => margin.exp(),
        }
    }
}

/// The settings of one training. `Default` suits some ten thousand rows of order values.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// The loss and link.
    pub objective: Objective,
    /// The most trees to grow.
    pub rounds: usize,
    /// The most leaves of a tree, grown leaf-wise (best gain first); `None` grows level by level.
    pub leaves: Option<usize>,
    /// The deepest level of a tree; `None` is no limit (then set `leaves`).
    pub max_depth: Option<usize>,
    /// The share of each tree's step that is kept, in `(0, 1]`.
    pub learning_rate: f64,
    /// The least sum of second derivatives in a leaf.
    pub min_child_weight: f64,
    /// The fewest training rows in a leaf (rows of weight zero do not count).
    pub min_rows_per_leaf: usize,
    /// The share of rows drawn for each tree, in `(0, 1]`.
    pub subsample: f64,
    /// The share of features drawn for each tree, in `(0, 1]`.
    pub column_sample: f64,
    /// The L2 penalty on leaf values.
    pub l2: f64,
    /// Stops after this many rounds without a better validation score; `None` never stops early.
    pub early_stopping_rounds: Option<usize>,
    /// The seed of row and column draws.
    pub seed: u64,
    /// The most histogram bins per feature.
    pub bins: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            objective: Objective::SquaredError,
            rounds: 400,
            leaves: Some(31),
            max_depth: None,
            learning_rate: 0.05,
            min_child_weight: 1e-3,
            min_rows_per_leaf: 20,
            subsample: 1.0,
            column_sample: 0.8,
            l2: 1.0,
            early_stopping_rounds: Some(30),
            seed: 7,
            bins: 255,
        }
    }
}
