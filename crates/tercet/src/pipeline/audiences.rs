//! Whom do audiences let in, and who redeemed what?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{Engine, params};
use tercet_types::{Date, Error, Result};

use super::week::Week;
use crate::config::Config;

/// Customers of the run's target audience.
pub(super) fn audience(engine: &Engine, week: &Week, config: &Config) -> Result<BTreeSet<i32>> {
    let mut found = match config.audience.predicate.trim() {
        "" => week.customers.keys().copied().collect(),
        predicate => customers_where(engine, predicate, "[audience] where")?,
    };
    if config.audience.limit > 0 && found.len() as u64 > config.audience.limit {
        let mut by_spend: Vec<i32> = found.into_iter().collect();
        by_spend.sort_by_key(|ix| (std::cmp::Reverse(week.customers[ix].monetary_minor), *ix));
        by_spend.truncate(config.audience.limit as usize);
        found = by_spend.into_iter().collect();
    }
    Ok(found)
}

/// Who may get each promotion that names an audience.
pub(super) fn promotion_audiences(
    engine: &Engine,
    week: &Week,
    promotions: &[i32],
) -> Result<BTreeMap<i32, BTreeSet<i32>>> {
    let mut known: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    let mut admitted = BTreeMap::new();
    for ix in promotions {
        let promotion = &week.promotions[ix];
        let Some(predicate) = promotion.audience.as_deref() else { continue };
        if !known.contains_key(predicate) {
            let place = format!("promotion '{}': audience", promotion.id);
            known.insert(predicate, customers_where(engine, predicate, &place)?);
        }
        admitted.insert(*ix, known[predicate].clone());
    }
    Ok(admitted)
}

/// Customers that meet a predicate over the customer master.
pub(super) fn customers_where(
    engine: &Engine,
    predicate: &str,
    place: &str,
) -> Result<BTreeSet<i32>> {
    let sql = include_str!("../../sql/customers_where.sql").replace("{predicate}", predicate);
    let found = engine.query(&sql, &params([])).map_err(|error| {
        Error::config("T1019", format!("{place}: {error}"))
            .hint("an audience is SQL over the customer master, for example behaviour = 'both' and orders_12w >= 3")
            .cause(error)
    })?;
    Ok(found.i32("customer_ix")?.into_iter().collect())
}

/// Promotions that customers redeemed before the Monday.
pub(crate) fn redeemed_before(engine: &Engine, as_of: Date) -> Result<BTreeSet<(i32, i32)>> {
    let values = params([("as_of", tercet_engine::Value::Date(as_of))]);
    let found = engine.query(include_str!("../../sql/redeemed_before.sql"), &values)?;
    Ok(found.i32("customer_ix")?.into_iter().zip(found.i32("promotion_ix")?).collect())
}
