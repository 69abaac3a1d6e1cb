//! How does a customer stand to a promotion, and what came of it?

use tercet_engine::{Engine, Frame, Value, params};
use tercet_types::{Date, Result};

const LABELS: &str = include_str!("../sql/pair/labels.sql");

/// What customers bought of promotions' products in `[monday, monday + 7 days)`, for the eligible products
/// that [`build_master`](crate::build_master) left registered: one row per customer and promotion with a purchase,
/// sorted by both. Pairs without a row bought nothing.
///
/// Columns: `customer_ix`, `promotion_ix`, `spend_minor`, `products` (eligible products bought),
/// `discovered_minor`, `discovered` (eligible products bought that the customer never bought before).
///
/// # Errors
/// The engine's own.
pub fn labels(engine: &Engine, monday: Date) -> Result<Frame> {
    engine.query(LABELS, &params([("as_of", Value::Date(monday))])).map_err(|e| e.context("labels"))
}
