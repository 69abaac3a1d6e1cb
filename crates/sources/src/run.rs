//! In which order are tables read, checked and prepared?

use std::collections::{BTreeMap, BTreeSet};

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
    for part in 0..reading.parts() {
        reading.read_part(part)?;
    }
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
    let (tables, mut rejected) = reading.read_part(0)?;
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
/// takes to hold one in memory.
///
/// Call [`Reading::part`] once for each, in order, then [`Reading::finish`]. What a part holds does not
/// depend on anything but the data and the number of parts, and all parts together hold what [`load`] gives.
pub struct Reading<'a> {
    engine: &'a Engine,
    sources: &'a Sources,
    as_of: Date,
    /// True when what is wrong with a source is booked instead of returned.
    lenient: bool,
    cut: Option<Cut>,
    /// Tables that are not by customer, read and not yet closed.
    shared: Tables,
    /// Health of tables so far, and what is counted for the checks of whole tables.
    tables: BTreeMap<&'static str, (TableHealth, Tally)>,
    notes: Vec<String>,
    sold: Sold,
    seen: Seen,
    stop: Option<Error>,
    parts: usize,
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

    /// How many parts there are, at least one.
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// Reads, checks and prepares a part: its rows of the tables by customer.
    ///
    /// # Errors
    /// As [`load`].
    pub fn part(&mut self, part: usize) -> Result<PartRows> {
        let (tables, rejected) = self.read_part(part)?;
        Ok(PartRows { tables, quarantine: quarantine::frame(rejected)? })
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
        Ok(Self {
            engine,
            sources,
            as_of,
            lenient,
            cut: None,
            shared: BTreeMap::new(),
            tables: BTreeMap::new(),
            notes: Vec::new(),
            sold: Sold::default(),
            seen: Seen::default(),
            stop: None,
            parts: 1,
        })
    }

    fn open_parts(&mut self, parts: usize) -> Result<()> {
        let columns = raw::attach_inputs(self.engine, self.sources, &mut self.seen.files)?;
        self.seen.columns.extend(columns);
        let mut shared = self.read(false, 0)?;
        self.references(&mut shared)?;
        self.shared = shared;
        if self.is_readable() {
            self.cut = Cut::new(self.engine, self.sources, parts, &mut self.seen)?;
        }
        self.parts = self.cut.as_ref().map_or(1, Cut::parts);
        Ok(())
    }

    /// True while every table could be read.
    fn is_readable(&self) -> bool {
        self.tables.values().all(|(health, _)| health.check("source").is_none())
    }

    /// Reads the tables that are by customer, or those that are not.
    fn read(&mut self, by_customer: bool, part: usize) -> Result<Tables> {
        let mut read = Tables::new();
        for &schema in tables::ALL {
            if BY_CUSTOMER.contains(&schema.name) != by_customer {
                continue;
            }
            let cut = self.cut.as_ref().map(|cut| (cut, part));
            let (engine, sources, as_of) = (self.engine, self.sources, self.as_of);
            match Table::read(engine, sources, schema, as_of, &mut self.seen, cut) {
                Ok(table) => {
                    read.insert(schema.name, table);
                }
                Err(error) if self.lenient => {
                    let health = unreadable(schema, &error);
                    self.tables.insert(schema.name, (health, Tally::default()));
                    self.stop.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn read_part(&mut self, part: usize) -> Result<Left> {
        if part > 0 && !self.is_readable() {
            return Ok(Left::default());
        }
        let mut read = self.read(true, part)?;
        self.references(&mut read)?;
        self.take_stops(&mut read)?;
        if self.stop.is_none() {
            prepare(self.engine, self.sources, &mut read)?;
            self.sold.add(self.engine)?;
        }
        self.leave(read)
    }

    /// Does what needs all parts.
    fn close(&mut self) -> Result<Vec<Rejected>> {
        let mut shared = std::mem::take(&mut self.shared);
        self.sold.register(self.engine)?;
        if self.is_readable() {
            self.eligible(&mut shared)?;
        }
        self.take_stops(&mut shared)?;
        if self.stop.is_none() {
            complete(self.engine, self.sources, self.as_of, &mut shared, &mut self.notes)?;
        }
        let (tables, rejected) = self.leave(shared)?;
        for (name, rows) in tables {
            self.engine.register(name, &rows)?;
        }
        self.sold.forget(self.engine)?;
        for (health, tally) in self.tables.values_mut() {
            if let Some(stop) = tally.as_a_whole(health, self.sources, self.as_of) {
                self.stop.get_or_insert(stop);
            }
        }
        for index in 0..self.sources.specs.len() {
            self.engine.forget(&raw::table_of(index))?;
        }
        for name in self.sources.inputs.keys() {
            self.engine.forget(name)?;
        }
        match self.stop.take() {
            Some(stop) if !self.lenient => Err(stop),
            _ => Ok(rejected),
        }
    }

    fn references(&self, read: &mut Tables) -> Result<()> {
        const LISTED: (&str, &str, &str, &str) =
            ("promotion_products", "value", "products", "product_id");
        // The other checks look across tables: they need all of them.
        if !self.is_readable() {
            return Ok(());
        }
        let has_source = |name: &str| self.sources.specs.iter().any(|spec| spec.table == name);
        for &reference in tables::REFERENCES.iter().chain([&LISTED]) {
            let (from, column, to, _) = reference;
            let policy = contract::reference_policy(&self.sources.contract, from, column);
            let Some(table) = read.get_mut(from) else { continue };
            if policy == Policy::Ok || !has_source(from) || !has_source(to) {
                continue;
            }
            let unknown = contract::unknown(self.engine, reference, &working(from), &working(to))?;
            table.book(policy, "reference", Some(column), unknown);
            table.cut(self.engine, self.as_of)?;
        }
        Ok(())
    }

    fn eligible(&self, shared: &mut Tables) -> Result<()> {
        let without = contract::without_products(self.engine)?;
        if let Some(promotions) = shared.get_mut("promotions")
            && !promotions.sources.is_empty()
        {
            promotions.outcome(self.sources, "eligible", without);
            promotions.cut(self.engine, self.as_of)?;
        }
        Ok(())
    }

    /// The first reason to stop ends a reading that is no check.
    fn take_stops(&mut self, read: &mut Tables) -> Result<()> {
        for &schema in tables::ALL {
            if let Some(stop) = read.get_mut(schema.name).and_then(|table| table.stop.take()) {
                self.stop.get_or_insert(stop);
            }
        }
        match self.stop.take() {
            Some(stop) if !self.lenient => Err(stop),
            stop => {
                self.stop = stop;
                Ok(())
            }
        }
    }

    /// Books the health of tables and takes their rows, unless this is only a check.
    fn leave(&mut self, read: Tables) -> Result<Left> {
        let rejected = match self.lenient {
            true => Vec::new(),
            false => quarantine::rows(self.engine, self.sources, read.values())?,
        };
        let mut left = Vec::new();
        for mut table in read.into_values() {
            table.health.rows_out = table.rows(self.engine)?;
            table.health.columns = shown_columns(self.engine, &table.working)?;
            table.health.quarantined = table.rejects.len() as u64;
            if !self.lenient {
                left.push((table.schema.name, rows_of(self.engine, table.schema)?));
            }
            self.engine.forget(&table.working)?;
            let tally = table.tally();
            let (health, tallied) = self.tables.entry(table.schema.name).or_default();
            health.absorb(table.health);
            tallied.absorb(tally);
        }
        Ok((left, rejected))
    }

    fn health(&mut self) -> Health {
        let place = |name: &str| tables::ALL.iter().position(|table| table.name == name);
        let mut health: Vec<TableHealth> = std::mem::take(&mut self.tables)
            .into_values()
            .filter(|(health, _)| !health.sources.is_empty() || !health.checks.is_empty())
            .map(|(health, _)| health)
            .collect();
        health.sort_by_key(|health| place(&health.table));
        Health { tables: health, notes: std::mem::take(&mut self.notes) }
    }

    fn loaded(mut self, quarantine: Frame) -> Loaded {
        let health = self.health();
        let mut files = self.seen.files;
        for file in &mut files {
            file.path = relative(self.sources, std::mem::take(&mut file.path));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup();
        Loaded { health, quarantine, input_files: files, columns_seen: self.seen.columns }
    }
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
