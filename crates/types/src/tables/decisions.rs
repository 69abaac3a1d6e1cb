//! What was decided, how likely was it, and what leaves the house?

use super::{TableSchema, Type, optional, required};
use Type::{Bool, Date, F64, I32, I64, Text};

/// The decision log: everything that later evaluation needs, from the first run.
///
/// One row per customer and slot, **also** for control customers and empty slots: what was not sent
/// is a decision too.
pub const DECISIONS: TableSchema = TableSchema {
    name: "decisions",
    grain: "one row per customer and slot",
    columns: &[
        required("customer_id", Text, "The customer."),
        required("slot", I32, "The slot, from 1."),
        required("slot_name", Text, "The slot's configured name."),
        required("decision_id", Text, "Keyed hash of run, customer and slot."),
        required("run_id", Text, "The run."),
        required("as_of", Date, "The Monday decided for."),
        required("engine", Text, "The engine that decided; none where an engine test has none."),
        required("model_version", Text, "Fingerprint of the model."),
        required("policy_version", Text, "Fingerprint of rules, slots and solver settings."),
        required("arm", Text, "treatment or control."),
        optional("promotion_id", Text, "The promotion; null when the slot stayed empty."),
        required("value_minor", I64, "The value it was chosen for, minor units; 0 when empty."),
        required(
            "value_kind",
            Text,
            "order_value, incremental_margin (what the offer brings, less what it costs) or rank_score (an engine's score in millionths).",
        ),
        required("expected_cost_minor", I64, "Expected discount given, minor units."),
        required("response_rate", F64, "Probability of buying into the promotion in its week."),
        required(
            "propensity",
            F64,
            "Probability that this slot got this promotion, or none where it is empty, before any coin was tossed.",
        ),
        required("joint_propensity", F64, "Probability of the customer's whole slate."),
        required("eligible_count", I32, "Promotions eligible for this slot and customer."),
        required("eligible_hash", Text, "Hash of the eligible set, to replay it."),
        required("dual_hash", Text, "Hash of the solver's multipliers; of nothing for greedy."),
        required("rng_seed", I64, "Seed of the run's randomness."),
        required("is_explored", Bool, "True when drawn by exploration, whatever came of it."),
        required("is_forced", Bool, "True when pinned by the marketer."),
        required("is_exposed", Bool, "True once shown; false when decided."),
        optional("discount_rate", F64, "Depth as a share of the price, where known."),
        required("window_from", Date, "First day an outcome counts."),
        required("window_to", Date, "Last day an outcome counts."),
        optional("empty_reason", Text, "The rule that emptied the slot."),
        optional("reason_codes", Text, "Why, as codes separated by '|', strongest first."),
        optional(
            "planned_promotion_id",
            Text,
            "What was planned for the slot before any draw; null when nothing.",
        ),
        required("is_randomised", Bool, "True when the slot could be drawn by exploration."),
        required("is_measured", Bool, "True in the measurement slice, where all slots are drawn."),
        required(
            "is_usable",
            Bool,
            "False when a limit refused a draw: propensities are not those of what was done then.",
        ),
        optional("experiment", Text, "The engine test that the customer is in."),
        optional(
            "experiment_arm",
            Text,
            "test where the engine under test decides, baseline where the other one does, or none.",
        ),
    ],
    key: &["customer_id", "slot"],
};

/// What delivery publishes: the offers that go out.
pub const OFFERS: TableSchema = TableSchema {
    name: "offers",
    grain: "one row per treated customer and filled slot",
    columns: &[
        required("customer_id", Text, "The customer."),
        required("slot", I32, "The slot, from 1."),
        required("promotion_id", Text, "The promotion."),
        required("decision_id", Text, "The decision it comes from."),
        optional("code", Text, "The code to redeem with."),
        required("valid_from", Date, "The first day it can be redeemed."),
        required("valid_to", Date, "The last day it can be redeemed."),
        required("reasons", Text, "Why, in words."),
        required("engine", Text, "The engine that decided."),
        required("arm", Text, "treatment."),
        required("model_version", Text, "Fingerprint of the model."),
        required("value_minor", I64, "The value it was chosen for, minor units."),
        required("run_id", Text, "The run."),
    ],
    key: &["customer_id", "slot"],
};
