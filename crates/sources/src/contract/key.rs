//! Is every key there once?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::Result;
use tercet_types::tables::TableSchema;

use crate::expression::{fill, ident};

/// Numbers of the rows whose key an earlier row of `working` has, and why.
pub(crate) fn duplicates(
    engine: &Engine,
    table: &TableSchema,
    working: &str,
) -> Result<Vec<(i64, String)>> {
    if table.key.is_empty() {
        return Ok(Vec::new());
    }
    let key: Vec<String> = table.key.iter().map(|name| ident(name)).collect();
    let shown: Vec<String> = key.iter().map(|name| format!("cast({name} as varchar)")).collect();
    let places =
        [("table", working), ("key", &key.join(", ")), ("shown", &shown.join(" || ', ' || "))];
    let frame =
        engine.query(&fill(include_str!("../../sql/key.sql"), &places), &BTreeMap::new())?;
    Ok(frame.i64("_n")?.into_iter().zip(frame.text("reason")?).collect())
}
