//! Which events belong to one session?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::Result;

use super::columns_but;
use crate::expression::fill;
use crate::spec::Sources;
use crate::table::Table;

/// Names the session of every event that has none: a pause longer than the gap ends one.
pub(super) fn derive(engine: &Engine, sources: &Sources, table: &mut Table) -> Result<()> {
    let none = BTreeMap::new();
    let sql = format!("select count(*) as n from {} where session_id is null", table.working);
    let unnamed = engine.query(&sql, &none)?.i64("n")?.first().copied().unwrap_or(0) as u64;
    if unnamed == 0 {
        return Ok(());
    }
    let columns = columns_but(engine, &table.working, "", &["session_id"])?;
    let gap = sources.prepare.session_gap_minutes.to_string();
    let sql = fill(
        include_str!("../../sql/sessions.sql"),
        &[("columns", &columns), ("gap_minutes", &gap)],
    );
    engine.create(&table.working, &sql, &none)?;
    table.tell(
        "sessions",
        unnamed,
        format!("events put into sessions that end after {gap} minutes"),
    );
    Ok(())
}
