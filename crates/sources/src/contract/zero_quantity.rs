//! Are there order lines without a quantity?

use tercet_types::tables::TableSchema;

use super::RowRule;

/// Tills write such lines for corrections and coupons; they are told but stay.
pub(super) fn rules(table: &TableSchema) -> Vec<RowRule> {
    if table.name != "transactions" {
        return Vec::new();
    }
    vec![RowRule {
        check: "zero_quantity",
        condition: "quantity = 0".to_owned(),
        reason: "'quantity is 0 in order ' || order_id".to_owned(),
    }]
}
