//! Whose are the events before a log-in?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::Result;

use super::columns_but;
use crate::expression::fill;
use crate::table::Table;

/// Gives every event a customer; see the statement for the rule. Adds the extra column `stitched_on`.
pub(super) fn stitch(engine: &Engine, table: &mut Table) -> Result<()> {
    let none = BTreeMap::new();
    let columns = columns_but(engine, &table.working, "", &["customer_id", "stitched_on"])?;
    let sql = fill(include_str!("../../sql/stitched.sql"), &[("columns", &columns)]);
    engine.create(&table.working, &sql, &none)?;
    let sql = format!("select count(*) as n from {} where _stitched", table.working);
    let rows = engine.query(&sql, &none)?.i64("n")?.first().copied().unwrap_or(0) as u64;
    if rows > 0 {
        table.tell(
            "stitched",
            rows,
            "events before or after a log-in given to its customer".to_owned(),
        );
    }
    Ok(())
}
