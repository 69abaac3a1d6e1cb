//! What is done to rows that keep the contract, before they are used?
//!
//! One step a file. No step lets a row know of anything later than itself, except where a column says
//! from which day on it holds (`stitched_on`, `discontinued_on`).

mod customers;
mod discontinued;
mod events;
mod products;
mod returns;
mod returns_match;
mod sold;

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::{Date, Result};

use crate::expression::ident;
use crate::spec::Sources;
use crate::table::Table;

pub(crate) use sold::Sold;

/// All steps that look at one customer at a time, in order, over the tables by customer.
pub(crate) fn prepare(
    engine: &Engine,
    sources: &Sources,
    tables: &mut BTreeMap<&'static str, Table>,
) -> Result<()> {
    if let Some(table) = tables.get_mut("transactions") {
        returns::net(engine, table)?;
    }
    if let Some(table) = tables.get_mut("interactions") {
        events::prepare(engine, sources, table)?;
    }
    if let Some(table) = tables.get_mut("customers") {
        customers::complete(engine, table)?;
    }
    Ok(())
}

/// All steps that look at what the whole shop sold ([`Sold`]), in order, over the other tables.
pub(crate) fn complete(
    engine: &Engine,
    sources: &Sources,
    as_of: Date,
    tables: &mut BTreeMap<&'static str, Table>,
    notes: &mut Vec<String>,
) -> Result<()> {
    if let Some(table) = tables.get_mut("products") {
        products::complete(engine, table)?;
        discontinued::date(engine, sources, as_of, table, notes)?;
    }
    Ok(())
}

/// The columns of a working table but for `without`, each as `alias.column`.
pub(crate) fn columns_but(
    engine: &Engine,
    table: &str,
    alias: &str,
    without: &[&str],
) -> Result<String> {
    let columns: Vec<String> = engine
        .columns(table)?
        .into_iter()
        .filter(|column| !without.contains(&column.name.as_str()))
        .map(|column| format!("{alias}{}", ident(&column.name)))
        .collect();
    Ok(columns.join(", "))
}
