//! Which products are no longer sold?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Value, params};
use tercet_types::{Date, Result};

use super::columns_but;
use crate::expression::fill;
use crate::spec::Sources;
use crate::table::{Table, working};

/// Dates the end of products that were not sold for the configured days, and gives the eligible products
/// of promotions the extra column `discontinued_on`: from that day on the product is out of the set. The
/// row stays, because earlier as-of dates still count it.
pub(super) fn date(
    engine: &Engine,
    sources: &Sources,
    as_of: Date,
    table: &mut Table,
    notes: &mut Vec<String>,
) -> Result<()> {
    let as_of_value = params([("as_of", Value::Date(as_of))]);
    if let Some(days) = sources.prepare.unsold_days {
        let columns = columns_but(engine, &table.working, "p.", &["discontinued_on"])?;
        let sql = fill(
            include_str!("../../sql/discontinued.sql"),
            &[("columns", &columns), ("unsold_days", &days.to_string())],
        );
        engine.create(&table.working, &sql, &as_of_value)?;
    }
    let eligible = working("promotion_products");
    let columns = columns_but(engine, &eligible, "pp.", &["discontinued_on"])?;
    let sql = fill(include_str!("../../sql/eligible_products.sql"), &[("columns", &columns)]);
    engine.create(&eligible, &sql, &BTreeMap::new())?;
    let sql =
        format!("select count(*) as n from {} where discontinued_on <= $as_of", table.working);
    let products = engine.query(&sql, &as_of_value)?.i64("n")?.first().copied().unwrap_or(0);
    if products > 0 {
        let sql = format!("select count(*) as n from {eligible} where discontinued_on <= $as_of");
        let rows = engine.query(&sql, &as_of_value)?.i64("n")?.first().copied().unwrap_or(0);
        table.tell("discontinued", products as u64, format!("products no longer sold on {as_of}"));
        notes.push(format!(
            "{rows} rows of promotion_products name a product that is no longer sold on {as_of}"
        ));
    }
    Ok(())
}
