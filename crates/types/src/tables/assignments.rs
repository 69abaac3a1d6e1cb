//! Who was put into which arm, when, and by what?

use super::{TableSchema, Type, optional, required};
use Type::{Bool, Date, F64, I32, Text};

/// `experiment` of the persistent holdout, whose arms are `treatment` and `control`.
pub const HOLDOUT: &str = "holdout";

/// The log of assignment: who is in an arm stays there, whatever becomes of key and shares.
///
/// A run takes over the rows of the run before and adds who is new, so that the newest table is all there is
/// to know: arms are read from it and never computed again. `bucket < share · 10,000` holds of `control` and
/// `test` and of nobody else.
pub const ASSIGNMENTS: TableSchema = TableSchema {
    name: "assignments",
    grain: "one row per customer and experiment",
    columns: &[
        required("customer_id", Text, "The customer."),
        required(
            "experiment",
            Text,
            "What the customer was assigned for: holdout, or the configured name of an engine test.",
        ),
        required(
            "arm",
            Text,
            "treatment or control of the holdout; test (decided by the engine under test) or baseline of an engine test.",
        ),
        required("bucket", I32, "Bucket of the keyed hash, 0 to 9999, on the day of assignment."),
        required(
            "share",
            F64,
            "Planned share of the arm that grows, control or test: the largest since the day of assignment.",
        ),
        required(
            "assigned_on",
            Date,
            "The as-of date of the first run that assigned the customer; outcomes count from it on.",
        ),
        required(
            "arm_since",
            Date,
            "The as-of date since which the arm holds; later than assigned_on for whom a larger share moved.",
        ),
        required("behaviour", Text, "Behaviour segment on the day of assignment."),
        optional("device", Text, "The device the customer mostly used by then."),
        optional("first_order_on", Date, "The day of the first order before that day."),
        required(
            "is_kept",
            Bool,
            "True where today's key and share would say another arm, and the logged one holds.",
        ),
    ],
    key: &["customer_id", "experiment"],
};
