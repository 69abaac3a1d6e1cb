//! What did everybody do, week by week?

use std::collections::BTreeSet;

use tercet_engine::{Engine, Frame, Store};
use tercet_features::{FirstSales, OutcomeAsk, outcomes};
use tercet_sources::{PartRows, Reading};
use tercet_types::tables::outcomes::UNITS;
use tercet_types::tables::sources as canonical;
use tercet_types::{Date, Error, Result};

use crate::commands::Project;
use crate::config::Lift as Settings;
use crate::pipeline::manifest::Part;
use crate::pipeline::prepare::sources_of;

/// Where a part of the shop's data lies while it is looked at, below the measurement.
pub(super) const READING: &str = "reading";

/// What a shop says is looked at of these weeks.
pub(super) fn ask(settings: &Settings, first_day: Date, until: Date) -> OutcomeAsk {
    OutcomeAsk {
        first_day,
        until,
        weeks_before: i64::from(settings.covariate_weeks),
        novelty_weeks: i64::from(settings.novelty_weeks),
        margin_rate: settings.margin_rate,
        attribution: settings.attribution.clone(),
        click_days: i64::from(settings.click_days),
    }
}

/// The shop's data, checked and prepared, a part in memory at a time.
pub(super) struct Read<'a> {
    engine: &'a Engine,
    store: &'a Store,
    scratch: String,
    /// The tables by customer that there are.
    tables: BTreeSet<&'static str>,
    /// The day of the first transaction.
    pub(super) first_day: Date,
    /// The day of the last one.
    pub(super) last_day: Date,
    /// Rows that failed their contract.
    pub(super) quarantined: u64,
}

/// Reads the shop's data up to the end of what is measured.
pub(super) fn read<'a>(
    project: &'a Project,
    store: &'a Store,
    id: &str,
    ask: &OutcomeAsk,
    parts: usize,
) -> Result<Read<'a>> {
    let (engine, sources) = (&project.engine, sources_of(project)?);
    let scratch = format!("{id}/{READING}");
    let mut reading = Reading::open(engine, &sources, ask.until, parts)?;
    let (mut sales, mut tables) = (FirstSales::default(), BTreeSet::new());
    let mut days: Option<(Date, Date)> = None;
    let leave = |engine: &Engine, at: usize, read: PartRows| {
        let (mut of_part, part) = (None, Part { at, of: parts });
        let mut written = BTreeSet::new();
        for (table, rows) in read.tables {
            if table == "transactions" {
                one_currency(&rows, &project.config.project.currency)?;
                engine.lend(table, &rows)?;
                of_part = Some((FirstSales::of(engine, ask)?, days_of_transactions(engine)?));
                engine.forget(table)?;
            }
            store.put_table(&format!("{scratch}/{}", part.file(table)), &rows)?;
            written.insert(table);
        }
        Ok((of_part, written))
    };
    reading.each_part(leave, |(of_part, written)| {
        tables.extend(written);
        if let Some((first_sales, of_part)) = of_part {
            sales.absorb(first_sales);
            let both = days.into_iter().chain(of_part);
            days = both.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        }
        Ok(())
    })?;
    let loaded = reading.finish()?;
    let quarantined = loaded.health.tables.iter().map(|table| table.quarantined).sum();
    for table in canonical::ALL.iter().filter(|table| !engine.has(table.name)) {
        engine.register_empty(table)?;
    }
    tercet_features::index_shop(engine)?;
    sales.register(engine, ask)?;
    let (first_day, last_day) = days.ok_or_else(|| {
        Error::data("T1041", "there are no transactions").hint("look at [sources.transactions]")
    })?;
    Ok(Read { engine, store, scratch, tables, first_day, last_day, quarantined })
}

/// The days of the first and the last of the `transactions` that are registered.
fn days_of_transactions(engine: &Engine) -> Result<Option<(Date, Date)>> {
    let sql = include_str!("../../../sql/days_of_transactions.sql");
    let found = engine.query(sql, &std::collections::BTreeMap::new())?;
    let (first, last) = (found.date_or_null("first_day")?, found.date_or_null("last_day")?);
    let day = |days: Vec<Option<Date>>| days.into_iter().next().flatten();
    Ok(day(first).zip(day(last)))
}

/// Amounts of several currencies cannot be added up. A shop that says the currency of a line says that of the project.
fn one_currency(transactions: &Frame, currency: &str) -> Result<()> {
    if !transactions.has("currency") {
        return Ok(());
    }
    let (_, named) = transactions.codes("currency")?;
    match named.iter().find(|name| !name.trim().eq_ignore_ascii_case(currency)) {
        None => Ok(()),
        Some(other) => Err(Error::data(
            "T1046",
            format!("transactions are in {other}, and the project counts in {currency}"),
        )
        .hint("convert amount_minor to one currency in [sources.transactions], or leave the lines of the others out by a query")),
    }
}

impl Read<'_> {
    /// Registers a part of the tables by customer, in place of another.
    pub(super) fn open(&self, part: Part) -> Result<()> {
        for table in &self.tables {
            let path = format!("{}/{}", self.scratch, part.file(table));
            self.engine.mount_parts(self.store, &[path], table)?;
        }
        Ok(())
    }
}

/// What a part's units did.
pub(super) struct Written {
    /// Offers used, by rule.
    pub(super) attributed: std::collections::BTreeMap<String, (u64, i64)>,
    /// Revenue and margin of units before the campaign, of those who had any.
    pub(super) before: [Vec<i64>; 2],
}

/// Keeps the units of a part, who are registered with their offers, and what they did.
pub(super) fn write(
    project: &Project,
    store: &Store,
    id: &str,
    ask: &OutcomeAsk,
    part: Part,
    units: &Frame,
    known_until: i32,
) -> Result<Written> {
    let engine = &project.engine;
    let found = outcomes(engine, ask)?;
    store.put_table(&format!("{id}/{}", part.file("units")), &units.conform(&UNITS)?)?;
    store.put_table(&format!("{id}/{}", part.file("outcomes")), &found.weeks)?;
    engine.lend("unit_weeks", &found.weeks)?;
    let before = tercet_features::spent_before(engine, i64::from(known_until))?;
    engine.forget("unit_weeks")?;
    Ok(Written { attributed: found.attributed, before })
}
