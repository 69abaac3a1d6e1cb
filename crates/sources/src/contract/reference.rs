//! Does everything that a row names exist?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::Result;

use crate::expression::{fill, ident, literal};

/// One reference: table, column, referenced table, referenced column.
type References = (&'static str, &'static str, &'static str, &'static str);

/// Numbers of the rows of `working` whose reference leads nowhere, and why.
pub(crate) fn unknown(
    engine: &Engine,
    reference: References,
    working: &str,
    referenced: &str,
) -> Result<Vec<(i64, String)>> {
    let (table, column, to_table, to_column) = reference;
    // A promotion may hold for whole categories: only ids of products are references.
    let only = if table == "promotion_products" && to_table == "products" {
        "l.level = 'product'"
    } else {
        "true"
    };
    let places = [
        ("table", working),
        ("column", &ident(column)),
        ("to_table", referenced),
        ("to_column", &ident(to_column)),
        ("only", only),
        ("words", &literal(&format!("{column} is not in {to_table}: "))),
    ];
    let frame =
        engine.query(&fill(include_str!("../../sql/reference.sql"), &places), &BTreeMap::new())?;
    Ok(frame.i64("_n")?.into_iter().zip(frame.text("reason")?).collect())
}
