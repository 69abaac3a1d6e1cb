//! What does tercet want to know of a shop?
//!
//! The eight canonical tables. A source maps the shop's own columns onto them; columns that are not
//! named here may be mapped too and travel on as `extra` columns (profile categoricals, for example).

use super::{Column, TableSchema, Type, optional, required};
use Type::{Bool, Date, F64, I64, Text, Timestamp};

/// Who may get an offer.
pub const CUSTOMERS: TableSchema = TableSchema {
    name: "customers",
    grain: "one row per customer",
    columns: &[
        required("customer_id", Text, "The shop's id of the customer, or its keyed hash."),
        optional("first_seen_on", Date, "The day the shop first knew the customer."),
        optional("region", Text, "Where the customer lives, as coarse as the shop likes."),
        optional("device", Text, "The device the customer mostly uses."),
        optional("traffic_source", Text, "How the customer first came."),
        optional(
            "consent",
            Bool,
            "True when the customer may be sent offers; null takes the configured default.",
        ),
        optional("suppressed", Bool, "True when the customer must not be contacted at all."),
        optional(
            "home_store_id",
            Text,
            "The store where the customer shops; null takes the one of most orders.",
        ),
        optional(
            "channels",
            Text,
            "Channels in which the customer may be reached, separated by '|'; null takes those the customer uses.",
        ),
    ],
    key: &["customer_id"],
};

/// What the shop sells.
pub const PRODUCTS: TableSchema = TableSchema {
    name: "products",
    grain: "one row per product",
    columns: &[
        required("product_id", Text, "The shop's id of the product."),
        optional("product_name", Text, "The name a customer knows."),
        optional("department", Text, "The first level of the hierarchy."),
        optional("category", Text, "The second level of the hierarchy."),
        optional("product_type", Text, "The third level of the hierarchy."),
        optional("brand", Text, "The brand."),
        optional("manufacturer", Text, "The maker."),
        optional("package_size", Text, "The pack, as printed."),
        optional("price_minor", I64, "The regular price of one unit, minor units."),
        optional("margin_rate", F64, "Margin over net revenue, 0 to 1."),
        optional("launched_on", Date, "The first day of sale."),
        optional("discontinued_on", Date, "The first day it is no longer sold."),
    ],
    key: &["product_id"],
};

/// What customers bought and brought back.
pub const TRANSACTIONS: TableSchema = TableSchema {
    name: "transactions",
    grain: "one row per order line",
    columns: &[
        required("order_id", Text, "The order, basket or receipt."),
        required("customer_id", Text, "Who bought."),
        required("product_id", Text, "What was bought."),
        required("occurred_at", Timestamp, "When, in the project's time zone."),
        required("quantity", F64, "Units; negative on a return."),
        required(
            "amount_minor",
            I64,
            "What the shop received for the line, minor units; negative on a return.",
        ),
        optional("discount_minor", I64, "Discount without a coupon, minor units, positive."),
        optional("coupon_discount_minor", I64, "Discount by coupons, minor units, positive."),
        optional("store_id", Text, "Where it was bought."),
        optional("channel", Text, "Web, app, store and so on."),
        optional(
            "kind",
            Text,
            "'sale', 'return' or 'cancellation'; null means by the sign of the amount.",
        ),
        optional(
            "original_order_id",
            Text,
            "On a return or cancellation, the order it takes back.",
        ),
    ],
    key: &[],
};

/// What customers and visitors looked at.
pub const INTERACTIONS: TableSchema = TableSchema {
    name: "interactions",
    grain: "one row per browsing event",
    columns: &[
        required("visitor_id", Text, "The cookie, device or login that browsed."),
        required("occurred_at", Timestamp, "When, in the project's time zone."),
        required(
            "event_type",
            Text,
            "GA4 e-commerce name: view_item, add_to_cart, purchase, login and so on.",
        ),
        optional("customer_id", Text, "The customer, where logged in."),
        optional("product_id", Text, "The product looked at."),
        optional("category", Text, "The category looked at."),
        optional(
            "promotion_id",
            Text,
            "The promotion seen or clicked, of view_promotion and select_promotion.",
        ),
        optional("session_id", Text, "The session; derived from gaps when missing."),
        optional("device", Text, "The device."),
        optional("traffic_source", Text, "Where the visit came from."),
        optional("user_agent", Text, "The browser's own word; bots are dropped by it."),
    ],
    key: &[],
};

/// What the shop promotes.
pub const PROMOTIONS: TableSchema = TableSchema {
    name: "promotions",
    grain: "one row per promotion",
    columns: &[
        required("promotion_id", Text, "The shop's id of the promotion."),
        required("valid_from", Date, "The first day it can be redeemed."),
        required("valid_to", Date, "The last day it can be redeemed."),
        optional("promotion_name", Text, "The name a customer reads."),
        optional("campaign_id", Text, "The campaign it belongs to."),
        optional(
            "mechanic",
            Text,
            "percent, money_off, free_item, buy_x_get_y, free_shipping or threshold.",
        ),
        optional("value_rate", F64, "Depth as a share of the price, 0 to 1."),
        optional("value_minor", I64, "Depth in minor units."),
        optional("threshold_minor", I64, "The least basket it needs, minor units."),
        optional("buy_quantity", I64, "Units to buy, for buy_x_get_y."),
        optional("get_quantity", I64, "Units given, for buy_x_get_y and free_item."),
        optional("store_scope", Text, "Store ids it holds in, separated by '|'; null means all."),
        optional("channel_scope", Text, "Channels it holds in, separated by '|'; null means all."),
        optional("code", Text, "The code every customer uses."),
        optional("code_pool", Text, "The pool to draw one code per customer from."),
        optional("budget_minor", I64, "The most it may be expected to cost in a run, minor units."),
        optional("cap", I64, "The most customers it may go to in a run."),
        optional("exclusivity_group", Text, "At most one of a group goes to one customer."),
        optional(
            "audience",
            Text,
            "A SQL predicate over the customer master; null means everybody.",
        ),
        optional("funding", Text, "Who pays: shop, manufacturer and so on."),
        optional(
            "margin_effect_minor",
            I64,
            "What one redemption does to the margin beyond the discount, minor units.",
        ),
        optional("creative_small", Text, "The picture for small screens."),
        optional("creative_large", Text, "The picture for large screens."),
    ],
    key: &["promotion_id"],
};

/// Which products a promotion holds for.
pub const PROMOTION_PRODUCTS: TableSchema = TableSchema {
    name: "promotion_products",
    grain: "one row per promotion and eligible product, category or brand",
    columns: &[
        required("promotion_id", Text, "The promotion."),
        required(
            "level",
            Text,
            "What 'value' names: product, department, category, product_type, brand or manufacturer.",
        ),
        required("value", Text, "The product's id, or the name at that level."),
    ],
    key: &["promotion_id", "level", "value"],
};

/// Which promotions customers were sent or shown.
pub const EXPOSURES: TableSchema = TableSchema {
    name: "exposures",
    grain: "one row per customer and promotion shown",
    columns: &[
        required("customer_id", Text, "Who saw it."),
        required("promotion_id", Text, "What was shown."),
        required("exposed_on", Date, "The day."),
        optional("channel", Text, "Mail, web, app and so on."),
    ],
    key: &[],
};

/// Which promotions customers used.
pub const REDEMPTIONS: TableSchema = TableSchema {
    name: "redemptions",
    grain: "one row per redemption",
    columns: &[
        required("customer_id", Text, "Who used it."),
        required("promotion_id", Text, "What was used."),
        required("redeemed_on", Date, "The day."),
        optional("order_id", Text, "The order it was used in."),
        optional("discount_minor", I64, "What it cost, minor units."),
    ],
    key: &[],
};

/// All canonical tables, referenced tables first.
pub const ALL: &[&TableSchema] = &[
    &CUSTOMERS,
    &PRODUCTS,
    &TRANSACTIONS,
    &INTERACTIONS,
    &PROMOTIONS,
    &PROMOTION_PRODUCTS,
    &EXPOSURES,
    &REDEMPTIONS,
];

/// The tables a project cannot run without.
pub const NEEDED: &[&str] = &["products", "transactions", "promotions", "promotion_products"];

/// A reference from one table to another: table, column, referenced table, referenced column.
pub const REFERENCES: &[(&str, &str, &str, &str)] = &[
    ("transactions", "product_id", "products", "product_id"),
    ("transactions", "customer_id", "customers", "customer_id"),
    ("interactions", "product_id", "products", "product_id"),
    ("promotion_products", "promotion_id", "promotions", "promotion_id"),
    ("exposures", "promotion_id", "promotions", "promotion_id"),
    ("redemptions", "promotion_id", "promotions", "promotion_id"),
];

/// The column that dates a row, for tables that grow with time.
pub fn as_of_column(table: &str) -> Option<&'static Column> {
    match table {
        "transactions" => TRANSACTIONS.column("occurred_at"),
        "interactions" => INTERACTIONS.column("occurred_at"),
        "exposures" => EXPOSURES.column("exposed_on"),
        "redemptions" => REDEMPTIONS.column("redeemed_on"),
        _ => None,
    }
}
