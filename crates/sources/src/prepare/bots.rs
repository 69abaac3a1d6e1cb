//! Which events are a machine's?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::Result;

use crate::expression::{fill, literal};
use crate::spec::Sources;
use crate::table::{Table, numbers};

/// Drops events whose user agent names a bot, and those of visitors from their first hour with more
/// events than a person makes. They are counted, not quarantined: there may be more of them than of rows.
pub(super) fn drop(engine: &Engine, sources: &Sources, table: &mut Table) -> Result<()> {
    let patterns: Vec<String> =
        sources.prepare.bot_user_agents.iter().map(|text| escaped(&text.to_lowercase())).collect();
    // A pattern that nothing meets stands in for an empty list.
    let pattern = if patterns.is_empty() { "a^".to_owned() } else { patterns.join("|") };
    let limit = sources.prepare.bot_events_per_hour.to_string();
    let places = [("pattern", literal(&pattern)), ("limit", limit)];
    let places: Vec<(&str, &str)> =
        places.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let none = BTreeMap::new();
    let bots =
        engine.query(&fill(include_str!("../../sql/bots.sql"), &places), &none)?.i64("_n")?;
    if bots.is_empty() {
        return Ok(());
    }
    let rows = bots.len() as u64;
    engine.register("_bad", &numbers(bots.into_iter())?)?;
    let places = [("table", table.working.as_str()), ("bad", "_bad"), ("known", "true")];
    engine.create(
        &table.working,
        &fill(include_str!("../../sql/kept_rows.sql"), &places),
        &none,
    )?;
    engine.forget("_bad")?;
    table.tell(
        "bots",
        rows,
        "events of bots dropped, by user agent or by events an hour".to_owned(),
    );
    Ok(())
}

/// The text as a pattern that means itself.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let sign = (c.is_ascii_punctuation() && c != '_').then_some('\\');
            sign.into_iter().chain([c])
        })
        .collect()
}
