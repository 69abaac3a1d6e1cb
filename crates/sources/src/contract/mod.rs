//! Which rows keep the contract, and what happens to those that do not?
//!
//! One check a file. A check of single rows is a [`RowRule`]; all of a table's rules run in one pass.

mod eligible;
mod empty;
mod freshness;
mod future;
mod id_length;
mod key;
mod not_null;
mod range;
mod reference;
mod type_;
mod zero_quantity;

use tercet_types::tables::{TableSchema, sources as tables};
use tercet_types::{Error, Result};

use crate::expression::nearest;
use crate::options::{ContractOptions, Policy};

pub(crate) use eligible::without_products;
pub(crate) use empty::empty;
pub(crate) use freshness::freshness;
pub(crate) use future::{FUTURE, condition as is_future};
pub(crate) use key::duplicates;
pub(crate) use reference::unknown;

/// The names of the checks, as the configuration and the report use them, in order of application.
pub const CHECKS: &[&str] = &[
    "type",
    "range",
    "id_length",
    "not_null",
    "zero_quantity",
    "key",
    "reference",
    "eligible",
    "future",
    "freshness",
    "empty",
];

/// A check of single rows.
#[derive(Clone, Debug)]
pub(crate) struct RowRule {
    /// The check it belongs to.
    pub check: &'static str,
    /// SQL that is true for rows that fail.
    pub condition: String,
    /// SQL text that says why.
    pub reason: String,
}

/// All row rules of a table, in order of application.
pub(crate) fn row_rules(table: &TableSchema) -> Vec<RowRule> {
    [
        type_::rules(),
        range::rules(table),
        id_length::rules(),
        not_null::rules(table),
        zero_quantity::rules(table),
    ]
    .concat()
}

/// What happens to rows that fail a check: as configured, or the check's default.
pub(crate) fn policy(options: &ContractOptions, table: &str, check: &str) -> Policy {
    let configured = options.policies.get(&format!("{table}.{check}")).copied();
    configured.unwrap_or_else(|| default(table, check))
}

/// The policy of a reference. A product that only transactions know is sold all the same: naming one is
/// told, and costs nothing but a word, where a promotion that nobody knows makes a row useless.
pub(crate) fn reference_policy(options: &ContractOptions, table: &str, column: &str) -> Policy {
    let configured = options.policies.get(&format!("{table}.reference")).copied();
    let listed_product = (table, column) == ("promotion_products", "value");
    let by_default = if listed_product { Policy::Warn } else { default(table, "reference") };
    configured.unwrap_or(by_default)
}

fn default(table: &str, check: &str) -> Policy {
    match (table, check) {
        ("promotion_products", "reference") => Policy::Quarantine,
        (_, "reference" | "zero_quantity" | "freshness") => Policy::Warn,
        ("products" | "transactions" | "promotions" | "promotion_products", "empty") => {
            Policy::Stop
        }
        (_, "empty") => Policy::Warn,
        // A row after the as-of date is not wrong, only not known yet: set aside and counted.
        (_, "future") => Policy::Ok,
        _ => Policy::Quarantine,
    }
}

/// True when a row that fails the check cannot stay, whatever the policy says.
pub(crate) fn must_go(check: &str) -> bool {
    matches!(check, "not_null" | "key")
}

/// Refuses policies of tables or checks that do not exist.
///
/// # Errors
/// `T0207`.
pub(crate) fn known_policies(options: &ContractOptions) -> Result<()> {
    for name in options.policies.keys() {
        let (table, check) = name.split_once('.').unwrap_or((name, ""));
        let table_names = || tables::ALL.iter().map(|table| table.name);
        let (wrong, near) = if !table_names().any(|known| known == table) {
            (table, nearest(table, table_names()))
        } else if !CHECKS.contains(&check) {
            (check, nearest(check, CHECKS.iter().copied()))
        } else {
            continue;
        };
        let near = near.map(|near| format!("did you mean '{near}'? ")).unwrap_or_default();
        return Err(Error::config("T0207", format!("contract: '{name}': there is no '{wrong}'"))
            .hint(format!("{near}the checks are {}", CHECKS.join(", "))));
    }
    let share = options.quarantine_share_max;
    if !(0.0..=1.0).contains(&share) {
        return Err(Error::config(
            "T0207",
            format!("contract: quarantine_share_max {share} is no share"),
        )
        .hint("give a number from 0 to 1"));
    }
    Ok(())
}
