//! Does every row carry what it needs?

use tercet_types::tables::TableSchema;

use super::RowRule;

/// Rows without a required value; they cannot stay.
pub(super) fn rules(table: &TableSchema) -> Vec<RowRule> {
    table
        .columns
        .iter()
        .filter(|column| column.required)
        .map(|column| RowRule {
            check: "not_null",
            condition: format!("\"{}\" is null", column.name),
            reason: format!("'{} is missing'", column.name),
        })
        .collect()
}
