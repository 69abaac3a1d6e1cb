//! Does every value lie where it can?

use tercet_types::mechanic::Mechanic;
use tercet_types::tables::TableSchema;

use super::RowRule;
use crate::mapping::RANGE_ISSUE;

/// Levels of the product hierarchy that a promotion may name.
const LEVELS: &str = "'product', 'department', 'category', 'product_type', 'brand', 'manufacturer'";

/// Not-a-number and infinite values of any table, and the ranges of each.
pub(super) fn rules(table: &TableSchema) -> Vec<RowRule> {
    let rule = |condition: &str, reason: &str| RowRule {
        check: "range",
        condition: condition.to_owned(),
        reason: reason.to_owned(),
    };
    let negative = |column: &str| {
        rule(
            &format!("{column} < 0"),
            &format!("'{column} is negative: ' || cast({column} as varchar)"),
        )
    };
    let share = |column: &str| {
        rule(
            &format!("{column} < 0 or {column} > 1"),
            &format!("'{column} is not between 0 and 1: ' || cast({column} as varchar)"),
        )
    };
    let mut rules = vec![rule(&format!("{RANGE_ISSUE} is not null"), RANGE_ISSUE)];
    rules.extend(match table.name {
        "transactions" => vec![
            rule(
                "kind not in ('sale', 'return', 'cancellation')",
                "'kind ''' || substr(kind, 1, 40) || ''' is none of sale, return, cancellation'",
            ),
            rule(
                "kind = 'sale' and (quantity < 0 or amount_minor < 0)",
                "'a sale has a negative quantity or amount'",
            ),
            rule(
                "kind is null and quantity < 0 and amount_minor > 0",
                "'the quantity is negative, the amount positive'",
            ),
            negative("discount_minor"),
            negative("coupon_discount_minor"),
        ],
        "products" => vec![
            negative("price_minor"),
            share("margin_rate"),
            rule("launched_on > discontinued_on", "'it was discontinued before it was launched'"),
        ],
        "promotions" => vec![
            rule(
                "valid_from > valid_to",
                "'valid_from ' || cast(valid_from as varchar) || ' lies after valid_to ' || cast(valid_to as varchar)",
            ),
            rule(
                &format!(
                    "mechanic not in ({})",
                    Mechanic::ALL.map(|mechanic| format!("'{}'", mechanic.name())).join(", ")
                ),
                "'mechanic ''' || substr(mechanic, 1, 40) || ''' is not known'",
            ),
            share("value_rate"),
            negative("value_minor"),
            negative("threshold_minor"),
            negative("buy_quantity"),
            negative("get_quantity"),
            negative("budget_minor"),
            negative("cap"),
        ],
        "promotion_products" => vec![rule(
            &format!("level not in ({LEVELS})"),
            "'level ''' || substr(level, 1, 40) || ''' is not known'",
        )],
        "redemptions" => vec![negative("discount_minor")],
        _ => Vec::new(),
    });
    rules
}
