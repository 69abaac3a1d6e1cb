//! What is an offer worth to a customer, on paper?

use super::{TableSchema, Type, optional, required};
use Type::{F64, I64, Text};

/// One value per customer and candidate promotion.
pub const SCORES: TableSchema = TableSchema {
    name: "scores",
    grain: "one row per customer and candidate promotion",
    columns: &[
        required("customer_id", Text, "The customer."),
        required("promotion_id", Text, "The promotion."),
        required("value_minor", I64, "What allocation maximises, minor units."),
        required(
            "value_kind",
            Text,
            "order_value, incremental_margin (what the offer brings, less what it costs) or rank_score (an engine's score in millionths).",
        ),
        required(
            "expected_cost_minor",
            I64,
            "Expected discount given, minor units; budgets consume it.",
        ),
        required(
            "margin_loss_minor",
            I64,
            "Expected loss of margin, minor units: the discount given, less the margin on purchases that the offer brings, where that is known; at least 0. Budgets in margin consume it.",
        ),
        required("response_rate", F64, "Probability of buying into the promotion in its week."),
        required(
            "discovery_rate",
            F64,
            "Probability of buying an eligible product never bought before.",
        ),
        required("route", Text, "The segment route that made the value."),
        optional("reason_codes", Text, "Why, as codes separated by '|', strongest first."),
    ],
    key: &["customer_id", "promotion_id"],
};
