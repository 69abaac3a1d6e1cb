//! Under which well-known names do other systems keep our columns?
//!
//! Amazon Personalize data sets (Interactions, Users, Items) and Google Merchant promotion feeds are read
//! without a mapping. A mapping in the configuration, and a column of the canonical name, come first.

/// Table, canonical column, source column, and the SQL that reads it (`{}` is the quoted column).
const ALIASES: &[(&str, &str, &str, &str)] = &[
    // Amazon Personalize.
    ("customers", "customer_id", "USER_ID", "{}"),
    ("products", "product_id", "ITEM_ID", "{}"),
    ("products", "category", "CATEGORY_L1", "{}"),
    ("products", "product_type", "CATEGORY_L2", "{}"),
    ("products", "launched_on", "CREATION_TIMESTAMP", "{}"),
    ("interactions", "visitor_id", "USER_ID", "{}"),
    ("interactions", "customer_id", "USER_ID", "{}"),
    ("interactions", "product_id", "ITEM_ID", "{}"),
    ("interactions", "occurred_at", "TIMESTAMP", "{}"),
    ("interactions", "event_type", "EVENT_TYPE", "{}"),
    ("transactions", "customer_id", "USER_ID", "{}"),
    ("transactions", "product_id", "ITEM_ID", "{}"),
    ("transactions", "occurred_at", "TIMESTAMP", "{}"),
    // Google Merchant promotions feed. The dates are 'from/to' in ISO 8601.
    ("promotions", "promotion_name", "long_title", "{}"),
    ("promotions", "code", "generic_redemption_code", "{}"),
    ("promotions", "valid_from", "promotion_effective_dates", "split_part({}, '/', 1)"),
    ("promotions", "valid_to", "promotion_effective_dates", "split_part({}, '/', 2)"),
    ("promotions", "value_rate", "percent_off", "try_cast({} as double) / 100"),
    (
        "promotions",
        "value_minor",
        "money_off_amount",
        "round(try_cast(split_part({}, ' ', 1) as double) * 100)",
    ),
    (
        "promotions",
        "threshold_minor",
        "minimum_purchase_amount",
        "round(try_cast(split_part({}, ' ', 1) as double) * 100)",
    ),
    ("promotions", "buy_quantity", "minimum_purchase_quantity", "{}"),
    ("promotions", "get_quantity", "get_this_quantity_discounted", "{}"),
    (
        "promotions",
        "mechanic",
        "coupon_value_type",
        "case {} when 'percent_off' then 'percent' when 'money_off' then 'money_off' \
         when 'buy_m_get_n_money_off' then 'buy_x_get_y' when 'buy_m_get_n_percent_off' then 'buy_x_get_y' \
         when 'buy_m_get_money_off' then 'threshold' when 'buy_m_get_percent_off' then 'threshold' \
         when 'free_gift' then 'free_item' when 'free_gift_with_item_id' then 'free_item' \
         when 'free_shipping_standard' then 'free_shipping' \
         when 'free_shipping_overnight' then 'free_shipping' \
         when 'free_shipping_two_day' then 'free_shipping' end",
    ),
];

/// The source columns that may stand for a canonical one, each with the SQL that reads it.
pub(crate) fn of<'a>(
    table: &'a str,
    column: &'a str,
) -> impl Iterator<Item = (&'static str, &'static str)> + 'a {
    ALIASES
        .iter()
        .filter(move |(of_table, of_column, _, _)| *of_table == table && *of_column == column)
        .map(|(_, _, source, sql)| (*source, *sql))
}
