//! In which order are tables read, checked and prepared?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use tercet_engine::{Engine, Frame, InputFile};
use tercet_types::tables::{TableSchema, sources as tables};
use tercet_types::{Date, Error, Result};

use crate::contract;
use crate::cut::{BY_CUSTOMER, Cut};
use crate::expression::{ident, literal, nearest};
use crate::health::{CheckOutcome, Health, TableHealth};
use crate::inputs::relative;
use crate::options::Policy;
use crate::prepare::{Sold, complete, prepare};
use crate::quarantine::{self, Rejected};
use crate::spec::Sources;
use crate::table::{Seen, Table, working};
use crate::whole::Tally;
use crate::{pseudonym, raw};

/// What [`load`] leaves behind, beside the eight canonical tables in the engine.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The health of the input.
    pub health: Health,
    /// Rows that failed, one row each: `table, check, reason, source, source_file` (text), `source_row`
    /// (integer, from 1) and `raw` (the row as the shop wrote it, a JSON object of texts). After
    /// [`Reading::finish`], those of the tables that are not by customer.
    pub quarantine: Frame,
    /// The files that were read, sorted by path; paths below the project's folder are relative to it.
    pub input_files: Vec<InputFile>,
    /// Columns per source label, to be handed in as [`Sources::previous_columns`] next time.
    pub columns_seen: BTreeMap<String, Vec<String>>,
}

/// Reads and checks all sources and says how healthy they are. Nothing is written; what would stop a run
/// is a check with status [`Policy::Stop`] in the health. `parts` as for [`Reading::open`].
///
/// # Errors
/// Wrong configuration only: `T0201`, `T0202`, `T0207`, `T0208`; what is wrong with a source's files or
/// columns stands in the health, under the check `source`.
pub fn check(engine: &Engine, sources: &Sources, as_of: Date, parts: usize) -> Result<Health> {
    let mut reading = Reading::new(engine, sources, as_of, true)?;
    reading.open_parts(parts)?;
    reading.each_part(|_, _, _| Ok(()), |()| Ok(()))?;
    reading.close()?;
    Ok(reading.health())
}

/// Reads, checks and prepares all sources and registers the eight canonical tables in the engine under
/// their names, with the rows before `as_of` (the day itself has not begun). Optional tables without a
/// source are there without rows. Rows stand in the order of their sources, tables with a key in its order.
///
/// Extra columns that are always there: `customers.is_visitor` (true for visitors that never logged in),
/// `interactions.stitched_on` (the day of the log-in that gave an earlier event its customer: for an as-of
/// date up to that day, the event is its visitor's), `promotion_products.discontinued_on`.
///
/// # Errors
/// `T0203` for a missing column, `T0204` when a check with policy `stop` fails, `T0205` for an empty
/// needed table, `T0206` when too many rows fail; those of [`Engine::attach`] for files; those of [`check`].
pub fn load(engine: &Engine, sources: &Sources, as_of: Date) -> Result<Loaded> {
    let mut reading = Reading::new(engine, sources, as_of, false)?;
    reading.open_parts(1)?;
    let ((tables, mut rejected), found) = reading.plan.read_part(engine, 0)?;
    reading.found.absorb(found);
    for (name, rows) in tables {
        engine.register(name, &rows)?;
    }
    rejected.extend(reading.close()?);
    let quarantine = quarantine::frame(rejected)?;
    Ok(reading.loaded(quarantine))
}

/// A part of a shop.
pub struct PartRows {
    /// The tables by customer: name and rows.
    pub tables: Vec<(&'static str, Frame)>,
    /// Its rows that failed, as in [`Loaded::quarantine`].
    pub quarantine: Frame,
}

/// What tables leave: their rows, and those they rejected.
type Left = (Vec<(&'static str, Frame)>, Vec<Rejected>);

/// Tables while they are read, by name.
type Tables = BTreeMap<&'static str, Table>;

/// A reading of all sources in parts, each with all that some of the customers did: as many parts as it
/// takes to hold one in the memory of each thread.
///
/// Call [`Reading::each_part`] once, then [`Reading::finish`]. What a part holds does not
/// depend on anything but the data and the number of parts, and all parts together hold what [`load`] gives.
pub struct Reading<'a> {
    engine: &'a Engine,
    plan: Plan<'a>,
    /// Tables that are not by customer, read and not yet closed.
    shared: Tables,
    found: Found,
    notes: Vec<String>,
    parts: usize,
}

/// What is the same for all parts.
struct Plan<'a> {
    sources: &'a Sources,
    as_of: Date,
    /// True when what is wrong with a source is booked instead of returned.
    lenient: bool,
    cut: Option<Cut>,
    /// True when the tables that are not by customer could all be read.
    is_readable: bool,
    /// The first part with a table that could not be read: those behind it are not looked at.
    broken_from: AtomicUsize,
}

/// What was come across in a part, in the tables of the shop, or in both.
#[derive(Default)]
struct Found {
    /// Health of tables so far, and what is counted for the checks of whole tables.
    tables: BTreeMap<&'static str, (TableHealth, Tally)>,
    sold: Sold,
    seen: Seen,
    stop: Option<Error>,
    /// True behind a part with a table that could not be read.
    is_broken: bool,
}

impl Found {
    /// Adds what was found in the next part; nothing behind a table that could not be read.
    fn absorb(&mut self, other: Self) {
        if self.is_broken {
            return;
        }
        self.is_broken = !other.is_readable();
        for (name, (health, tally)) in other.tables {
            self.book(name, health, tally);
        }
        self.sold.absorb(other.sold);
        self.seen.absorb(other.seen);
        self.stop = self.stop.take().or(other.stop);
    }

    fn book(&mut self, name: &'static str, health: TableHealth, tally: Tally) {
        let (known, tallied) = self.tables.entry(name).or_default();
        known.absorb(health);
        tallied.absorb(tally);
    }

    /// True while every table could be read.
    fn is_readable(&self) -> bool {
        self.tables.values().all(|(health, _)| health.check("source").is_none())
    }

    /// The first reason to stop ends a reading that is no check.
    fn take_stops(&mut self, plan: &Plan<'_>, read: &mut Tables) -> Result<()> {
        for &schema in tables::ALL {
            if let Some(stop) = read.get_mut(schema.name).and_then(|table| table.stop.take()) {
                self.stop.get_or_insert(stop);
            }
        }
        match self.stop.take() {
            Some(stop) if !plan.lenient => Err(stop),
            stop => {
                self.stop = stop;
                Ok(())
            }
        }
    }

    /// Books the health of tables and takes their rows, unless this is only a check.
    fn leave(&mut self, plan: &Plan<'_>, engine: &Engine, read: Tables) -> Result<Left> {
        let rejected = match plan.lenient {
            true => Vec::new(),
            false => quarantine::rows(engine, plan.sources, read.values())?,
        };
        let mut left = Vec::new();
        for mut table in read.into_values() {
            table.health.rows_out = table.rows(engine)?;
            table.health.columns = shown_columns(engine, &table.working)?;
            table.health.quarantined = table.rejects.len() as u64;
            if !plan.lenient {
                left.push((table.schema.name, rows_of(engine, table.schema)?));
            }
            engine.forget(&table.working)?;
            let tally = table.tally();
            self.book(table.schema.name, table.health, tally);
        }
        Ok((left, rejected))
    }
}

impl Plan<'_> {
    /// Reads the tables that are by customer, or those that are not.
    fn read(
        &self,
        engine: &Engine,
        by_customer: bool,
        part: usize,
        found: &mut Found,
    ) -> Result<Tables> {
        let mut read = Tables::new();
        for &schema in tables::ALL {
            if BY_CUSTOMER.contains(&schema.name) != by_customer {
                continue;
            }
            let cut = self.cut.as_ref().map(|cut| (cut, part));
            match Table::read(engine, self.sources, schema, self.as_of, &mut found.seen, cut) {
                Ok(table) => {
                    read.insert(schema.name, table);
                }
                Err(error) if self.lenient => {
                    found.book(schema.name, unreadable(schema, &error), Tally::default());
                    found.stop.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        if self.is_readable && found.is_readable() {
            self.references(engine, &mut read)?;
        }
        Ok(read)
    }

    /// Reads, checks and prepares a part, with an engine that knows the tables of the shop.
    fn read_part(&self, engine: &Engine, part: usize) -> Result<(Left, Found)> {
        let mut found = Found::default();
        if part > self.broken_from.load(Ordering::Relaxed) {
            return Ok((Left::default(), found));
        }
        let mut read = self.read(engine, true, part, &mut found)?;
        if !found.is_readable() {
            self.broken_from.fetch_min(part, Ordering::Relaxed);
        }
        found.take_stops(self, &mut read)?;
        if found.stop.is_none() && self.is_readable {
            prepare(engine, self.sources, &mut read)?;
            found.sold.add(engine)?;
        }
        let left = found.leave(self, engine, read)?;
        Ok((left, found))
    }

    /// Does everything that a row names exist? The tables must all be readable.
    fn references(&self, engine: &Engine, read: &mut Tables) -> Result<()> {
        const LISTED: (&str, &str, &str, &str) =
            ("promotion_products", "value", "products", "product_id");
        let has_source = |name: &str| self.sources.specs.iter().any(|spec| spec.table == name);
        for &reference in tables::REFERENCES.iter().chain([&LISTED]) {
            let (from, column, to, _) = reference;
            let policy = contract::reference_policy(&self.sources.contract, from, column);
            let Some(table) = read.get_mut(from) else { continue };
            if policy == Policy::Ok || !has_source(from) || !has_source(to) {
                continue;
            }
            let unknown = contract::unknown(engine, reference, &working(from), &working(to))?;
            table.book(policy, "reference", Some(column), unknown);
            table.cut(engine, self.as_of)?;
        }
        Ok(())
    }
}

impl<'a> Reading<'a> {
    /// Checks the configuration, reads the tables that are not by customer, and cuts the others into `parts`
    /// (see [`parts_for`](crate::parts_for)).
    ///
    /// # Errors
    /// As [`load`]; `T0210` for too many parts.
    pub fn open(
        engine: &'a Engine,
        sources: &'a Sources,
        as_of: Date,
        parts: usize,
    ) -> Result<Self> {
        let mut reading = Self::new(engine, sources, as_of, false)?;
        reading.open_parts(parts)?;
        Ok(reading)
    }

    /// Reads, checks and prepares all parts, as many at a time as the engine has threads ([`Engine::each_part`]):
    /// hands the rows of each to `leave` on the thread that read it, with that thread's engine, and what that gives to
    /// `take`, in order.
    ///
    /// # Errors
    /// As [`load`]; those of `leave` and `take`.
    pub fn each_part<T: Send>(
        &mut self,
        leave: impl Fn(&Engine, usize, PartRows) -> Result<T> + Sync,
        mut take: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        let Self { engine, plan, found, parts, .. } = self;
        let work = |engine: &Engine, part: usize| {
            let ((tables, rejected), found) = plan.read_part(engine, part)?;
            let rows = PartRows { tables, quarantine: quarantine::frame(rejected)? };
            Ok((leave(engine, part, rows)?, found))
        };
        let take = |(left, of_part)| {
            found.absorb(of_part);
            take(left)
        };
        match parts {
            // A shop that is one part has all threads.
            1 => work(engine, 0).and_then(take),
            parts => engine.each_part(*parts, work, take),
        }
    }

    /// How many parts there are, at least one.
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// Does what needs to have seen all parts, and registers `products`, `promotions` and
    /// `promotion_products`.
    ///
    /// # Errors
    /// As [`load`].
    pub fn finish(mut self) -> Result<Loaded> {
        let quarantine = quarantine::frame(self.close()?)?;
        Ok(self.loaded(quarantine))
    }

    fn new(engine: &'a Engine, sources: &'a Sources, as_of: Date, lenient: bool) -> Result<Self> {
        contract::known_policies(&sources.contract)?;
        known_tables(sources)?;
        known_time_zone(engine, &sources.time_zone)?;
        pseudonym::install(engine, sources);
        let broken_from = AtomicUsize::new(usize::MAX);
        let plan = Plan { sources, as_of, lenient, cut: None, is_readable: true, broken_from };
        let (shared, found) = (Tables::new(), Found::default());
        Ok(Self { engine, plan, shared, found, notes: Vec::new(), parts: 1 })
    }

    fn open_parts(&mut self, parts: usize) -> Result<()> {
        let Self { engine, plan, found, .. } = self;
        let columns = raw::attach_inputs(engine, plan.sources, &mut found.seen.files)?;
        found.seen.columns.extend(columns);
        self.shared = plan.read(engine, false, 0, found)?;
        plan.is_readable = found.is_readable();
        if plan.is_readable {
            plan.cut = Cut::new(engine, plan.sources, parts, &mut found.seen)?;
        }
        if plan.cut.as_ref().is_some_and(Cut::has_failures) {
            plan.broken_from = AtomicUsize::new(0);
        }
        self.parts = plan.cut.as_ref().map_or(1, Cut::parts);
        Ok(())
    }

    /// Does what needs all parts.
    fn close(&mut self) -> Result<Vec<Rejected>> {
        let Self { engine, plan, found, .. } = self;
        let mut shared = std::mem::take(&mut self.shared);
        found.sold.register(engine)?;
        if plan.is_readable && found.is_readable() {
            eligible(engine, plan, &mut shared)?;
        }
        found.take_stops(plan, &mut shared)?;
        if found.stop.is_none() {
            complete(engine, plan.sources, plan.as_of, &mut shared, &mut self.notes)?;
        }
        let (tables, rejected) = found.leave(plan, engine, shared)?;
        for (name, rows) in tables {
            engine.register(name, &rows)?;
        }
        found.sold.forget(engine)?;
        for (health, tally) in found.tables.values_mut() {
            if let Some(stop) = tally.as_a_whole(health, plan.sources, plan.as_of) {
                found.stop.get_or_insert(stop);
            }
        }
        for index in 0..plan.sources.specs.len() {
            engine.forget(&raw::table_of(index))?;
        }
        for name in plan.sources.inputs.keys() {
            engine.forget(name)?;
        }
        match found.stop.take() {
            Some(stop) if !plan.lenient => Err(stop),
            _ => Ok(rejected),
        }
    }

    fn health(&mut self) -> Health {
        let place = |name: &str| tables::ALL.iter().position(|table| table.name == name);
        let mut health: Vec<TableHealth> = std::mem::take(&mut self.found.tables)
            .into_values()
            .filter(|(health, _)| !health.sources.is_empty() || !health.checks.is_empty())
            .map(|(health, _)| health)
            .collect();
        health.sort_by_key(|health| place(&health.table));
        Health { tables: health, notes: std::mem::take(&mut self.notes) }
    }

    fn loaded(mut self, quarantine: Frame) -> Loaded {
        let health = self.health();
        let mut files = std::mem::take(&mut self.found.seen.files);
        for file in &mut files {
            file.path = relative(self.plan.sources, std::mem::take(&mut file.path));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup();
        let columns_seen = self.found.seen.columns;
        Loaded { health, quarantine, input_files: files, columns_seen }
    }
}

/// Does every promotion hold for some product?
fn eligible(engine: &Engine, plan: &Plan<'_>, shared: &mut Tables) -> Result<()> {
    let without = contract::without_products(engine)?;
    if let Some(promotions) = shared.get_mut("promotions")
        && !promotions.sources.is_empty()
    {
        promotions.outcome(plan.sources, "eligible", without);
        promotions.cut(engine, plan.as_of)?;
    }
    Ok(())
}

/// The rows of a working table, in the order of the key, or else of the sources.
fn rows_of(engine: &Engine, schema: &TableSchema) -> Result<Frame> {
    let columns: Vec<String> = engine
        .columns(&working(schema.name))?
        .into_iter()
        .map(|column| column.name)
        .filter(|name| !name.starts_with('_'))
        .collect();
    let frame = if schema.key.is_empty() {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        engine.table_by(&working(schema.name), &columns, "_n")?
    } else {
        let quoted = |names: &[String]| names.iter().map(|name| ident(name)).collect::<Vec<_>>();
        let key: Vec<String> = schema.key.iter().map(|name| (*name).to_owned()).collect();
        let sql = format!(
            "select {} from {} order by {}",
            quoted(&columns).join(", "),
            working(schema.name),
            quoted(&key).join(", ")
        );
        engine.query(&sql, &BTreeMap::new())?
    };
    frame.conform(schema)
}

/// Columns of a working table but for those that only reading it needs.
fn shown_columns(engine: &Engine, table: &str) -> Result<u64> {
    let columns = engine.columns(table)?;
    Ok(columns.iter().filter(|column| !column.name.starts_with('_')).count() as u64)
}

fn unreadable(schema: &TableSchema, error: &Error) -> TableHealth {
    let hint = error.hint_text().map(|hint| vec![hint.to_owned()]).unwrap_or_default();
    TableHealth {
        table: schema.name.to_owned(),
        checks: vec![CheckOutcome {
            check: "source".to_owned(),
            subject: String::new(),
            status: Policy::Stop,
            rows: 0,
            detail: format!("{} {error}", error.code()),
            examples: hint,
        }],
        ..TableHealth::default()
    }
}

/// Refuses sources of tables that do not exist, and projects that lack a needed one.
fn known_tables(sources: &Sources) -> Result<()> {
    let names = || tables::ALL.iter().map(|table| table.name);
    let mentioned = sources.specs.iter().map(|spec| ("source", spec.table.as_str()));
    let noise = sources.prepare.noise.iter().map(|rule| ("noise rule", rule.table.as_str()));
    for (what, table) in mentioned.chain(noise) {
        if !names().any(|known| known == table) {
            let near = nearest(table, names());
            let near = near.map(|near| format!("did you mean '{near}'? ")).unwrap_or_default();
            return Err(Error::config("T0201", format!("{what}: there is no table '{table}'"))
                .hint(format!("{near}the tables are {}", names().collect::<Vec<_>>().join(", "))));
        }
    }
    if let Some(name) = sources.inputs.keys().find(|name| names().any(|known| known == *name)) {
        return Err(Error::config(
            "T0201",
            format!("[inputs.{name}] has the name of a canonical table"),
        )
        .hint(format!("call it raw_{name}")));
    }
    let have: BTreeSet<&str> = sources.specs.iter().map(|spec| spec.table.as_str()).collect();
    if let Some(lacking) = tables::NEEDED.iter().find(|needed| !have.contains(*needed)) {
        return Err(Error::config("T0208", format!("there is no source of '{lacking}'"))
            .hint(format!("add [sources.{lacking}] with a path and its columns")));
    }
    Ok(())
}

fn known_time_zone(engine: &Engine, zone: &str) -> Result<()> {
    let ty = literal(&format!("Timestamp(Microsecond, Some(\"{zone}\"))"));
    let sql = format!("select arrow_cast('2017-01-01T00:00:00Z', {ty}) as t");
    match engine.query(&sql, &BTreeMap::new()) {
        Ok(_) if !zone.contains(['"', '\'', ')']) => Ok(()),
        _ => Err(Error::config("T0202", format!("time_zone: '{zone}' is not a time zone"))
            .hint("write an IANA name such as \"Europe/Berlin\", or \"UTC\"")),
    }
}
