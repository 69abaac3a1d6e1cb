//! Who is measured, and what did they do week by week?
//!
//! Made by `tercet lift` from the canonical tables and the logs of the runs; every figure of the report is a
//! statistic of these two.

use super::{TableSchema, Type, optional, required};
use Type::{Bool, Date, I32, I64, Text};

/// The units of a measurement: customers, each in the arm it was logged in first.
pub const UNITS: TableSchema = TableSchema {
    name: "units",
    grain: "one row per customer assigned before the end of the campaign",
    columns: &[
        required("unit", I32, "The number that stands for the customer in `outcomes`."),
        required("customer_id", Text, "The customer."),
        required("entered_on", Date, "The Monday from which on outcomes count."),
        required("arm", Text, "As logged at the first assignment: treatment or control."),
        optional("experiment_arm", Text, "As logged: the arm of the engine test, where one ran."),
        required("segment", Text, "The behaviour segment at the first assignment."),
        optional("device", Text, "The device at the first assignment."),
        required("opted_out", Bool, "True when offers are no longer allowed at the end."),
    ],
    key: &["unit"],
};

/// What units did. Weeks in which a unit did nothing and got nothing have no row.
pub const OUTCOMES: TableSchema = TableSchema {
    name: "outcomes",
    grain: "one row per unit and week in which something happened",
    columns: &[
        required("unit", I32, "The unit."),
        required("week", I32, "Weeks since the campaign's first Monday; negative before it."),
        required("orders", I64, "Orders."),
        required("revenue_minor", I64, "What was paid, less returns, minor units."),
        required(
            "margin_minor",
            I64,
            "Margin on what was bought before coupons, less coupon discounts, minor units.",
        ),
        required("discount_minor", I64, "Discount by coupons, minor units."),
        required("coupons_used", I64, "Redemptions, whoever gave the coupon."),
        required("first_coupons", I64, "1 in the week of the first redemption of all, else 0."),
        required("repeats", I64, "Products bought that had been bought in an earlier week."),
        required("first_purchases", I64, "Products never bought before."),
        required("new_products", I64, "Those of them that were new in the shop."),
        required("contacts", I64, "1 when a run of the week reached the customer, else 0."),
        required("offers_sent", I64, "Offers of the week's run."),
        required("offers_seen", I64, "Those of them that were shown."),
        required("offers_used", I64, "Those of them that were used, by the rules of attribution."),
        required(
            "attributed_minor",
            I64,
            "What was paid for products of offers used, minor units.",
        ),
    ],
    key: &["unit", "week"],
};
