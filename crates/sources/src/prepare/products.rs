//! Does every product that was sold have a row?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::Result;

use crate::table::Table;

/// Adds a row, with nothing but the id, for each product that only the transactions know.
pub(super) fn complete(engine: &Engine, table: &mut Table) -> Result<()> {
    let none = BTreeMap::new();
    let rows = engine.create("_seen", include_str!("../../sql/seen_products.sql"), &none)?;
    if rows > 0 {
        append(engine, &table.working, "product_id", &[])?;
        table.tell(
            "completed",
            rows as u64,
            "rows made up for products that only transactions know".to_owned(),
        );
    }
    engine.forget("_seen")
}

/// Puts the rows of `_seen` below the table; columns but the id and `also` are null.
pub(super) fn append(engine: &Engine, working: &str, id: &str, also: &[&str]) -> Result<()> {
    let columns: Vec<(String, String)> = engine
        .columns(working)?
        .into_iter()
        .map(|column| {
            let quoted = crate::expression::ident(&column.name);
            let given = column.name == id || also.contains(&column.name.as_str());
            let value = if given { quoted.clone() } else { format!("null as {quoted}") };
            (quoted, value)
        })
        .collect();
    let own: Vec<&str> = columns.iter().map(|(own, _)| own.as_str()).collect();
    let seen: Vec<&str> = columns.iter().map(|(_, seen)| seen.as_str()).collect();
    let sql = format!(
        "select {} from {working} union all select {} from _seen",
        own.join(", "),
        seen.join(", ")
    );
    engine.create(working, &sql, &BTreeMap::new())?;
    Ok(())
}
