//! How is each behaviour segment served?

use serde::{Deserialize, Serialize};

/// `[routes]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Routes {
    /// Transaction-only customers whose last order is older than this are served by what sells, days.
    pub(crate) recency_max_days: i64,
    /// Transaction-only customers with fewer orders than this are served by what sells.
    pub(crate) frequency_min_orders: i64,
    /// Weight of recent category visits against the model, for customers who buy and browse; 0 to 1.
    pub(crate) visit_weight: f64,
}

impl Default for Routes {
    fn default() -> Self {
        Self { recency_max_days: 120, frequency_min_orders: 2, visit_weight: 0.1 }
    }
}
