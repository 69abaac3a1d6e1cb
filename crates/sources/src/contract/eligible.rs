//! Does every promotion hold for some product?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::Result;

/// Numbers of the promotions without any eligible product that exists, and why.
pub(crate) fn without_products(engine: &Engine) -> Result<Vec<(i64, String)>> {
    let frame = engine.query(include_str!("../../sql/eligible.sql"), &BTreeMap::new())?;
    Ok(frame.i64("_n")?.into_iter().zip(frame.text("reason")?).collect())
}
