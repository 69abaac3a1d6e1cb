//! Does everybody who did anything have a row?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::Result;

use super::columns_but;
use super::products::append;
use crate::table::Table;

/// Adds a row for every customer that only other tables know, and the extra column `is_visitor`: true for
/// visitors that never logged in, whose customer id is their visitor id.
pub(super) fn complete(engine: &Engine, table: &mut Table) -> Result<()> {
    let none = BTreeMap::new();
    let columns = columns_but(engine, &table.working, "", &["is_visitor"])?;
    let sql = format!("select {columns}, false as is_visitor from {}", table.working);
    engine.create(&table.working, &sql, &none)?;
    let rows = engine.create("_seen", include_str!("../../sql/seen_customers.sql"), &none)?;
    if rows > 0 {
        append(engine, &table.working, "customer_id", &["is_visitor"])?;
        let sql = "select count(*) as n from _seen where is_visitor";
        let visitors = engine.query(sql, &none)?.i64("n")?.first().copied().unwrap_or(0);
        let visitors = visitors as u64;
        for (count, who) in [(rows as u64 - visitors, "customers"), (visitors, "visitors")] {
            if count > 0 {
                let detail = format!("rows made up for {who} that only other tables know");
                table.tell("completed", count, detail);
            }
        }
    }
    engine.forget("_seen")
}
