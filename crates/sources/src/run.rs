//! In which order are tables read, checked and prepared?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{Engine, Frame, InputFile};
use tercet_types::tables::{TableSchema, sources as tables};
use tercet_types::{Date, Error, Result};

use crate::contract;
use crate::expression::{ident, literal, nearest};
use crate::health::{CheckOutcome, Health, TableHealth};
use crate::inputs::relative;
use crate::options::Policy;
use crate::prepare::prepare;
use crate::spec::Sources;
use crate::table::{Table, working};
use crate::{pseudonym, quarantine, raw};

/// What [`load`] leaves behind, beside the eight canonical tables in the engine.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The health of the input.
    pub health: Health,
    /// Rows that failed, one row each: `table, check, reason, source, source_file` (text), `source_row`
    /// (integer, from 1) and `raw` (the row as the shop wrote it, a JSON object of texts).
    pub quarantine: Frame,
    /// The files that were read, sorted by path; paths below the project's folder are relative to it.
    pub input_files: Vec<InputFile>,
    /// Columns per source label, to be handed in as [`Sources::previous_columns`] next time.
    pub columns_seen: BTreeMap<String, Vec<String>>,
}

/// Reads and checks all sources and says how healthy they are. Nothing is written; what would stop a run
/// is a check with status [`Policy::Stop`] in the health.
///
/// # Errors
/// Wrong configuration only: `T0201`, `T0202`, `T0207`, `T0208`; what is wrong with a source's files or
/// columns stands in the health, under the check `source`.
pub fn check(engine: &Engine, sources: &Sources, as_of: Date) -> Result<Health> {
    let mut run = Run::new(engine, sources, as_of)?;
    run.read(true)?;
    if run.stop.is_none() {
        run.prepare()?;
    }
    run.finish()?;
    Ok(run.health)
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
    let mut run = Run::new(engine, sources, as_of)?;
    run.read(false)?;
    if let Some(stop) = run.stop.take() {
        return Err(stop);
    }
    run.prepare()?;
    run.publish()?;
    let quarantine = quarantine::build(engine, sources, run.tables.values())?;
    run.finish()?;
    for file in &mut run.files {
        file.path = relative(sources, std::mem::take(&mut file.path));
    }
    run.files.sort_by(|a, b| a.path.cmp(&b.path));
    run.files.dedup();
    Ok(Loaded {
        health: run.health,
        quarantine,
        input_files: run.files,
        columns_seen: run.columns_seen,
    })
}

/// One reading of all sources.
struct Run<'a> {
    engine: &'a Engine,
    sources: &'a Sources,
    as_of: Date,
    tables: BTreeMap<&'static str, Table>,
    files: Vec<InputFile>,
    columns_seen: BTreeMap<String, Vec<String>>,
    health: Health,
    stop: Option<Error>,
}

impl<'a> Run<'a> {
    fn new(engine: &'a Engine, sources: &'a Sources, as_of: Date) -> Result<Self> {
        contract::known_policies(&sources.contract)?;
        known_tables(sources)?;
        known_time_zone(engine, &sources.time_zone)?;
        pseudonym::install(engine, sources);
        Ok(Self {
            engine,
            sources,
            as_of,
            tables: BTreeMap::new(),
            files: Vec::new(),
            columns_seen: BTreeMap::new(),
            health: Health::default(),
            stop: None,
        })
    }

    /// Reads all tables and applies the contract; `lenient` books a table that cannot be read at all.
    fn read(&mut self, lenient: bool) -> Result<()> {
        let columns = raw::attach_inputs(self.engine, self.sources, &mut self.files)?;
        self.columns_seen.extend(columns);
        for &schema in tables::ALL {
            let table = Table::read(
                self.engine,
                self.sources,
                schema,
                self.as_of,
                &mut self.files,
                &mut self.columns_seen,
            );
            match table {
                Ok(table) => {
                    self.tables.insert(schema.name, table);
                }
                Err(error) if lenient => {
                    self.health.tables.push(unreadable(schema, &error));
                    self.stop.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        // The other checks look across tables: they need all of them.
        if self.tables.len() == tables::ALL.len() {
            self.references()?;
            self.eligible()?;
        }
        for &schema in tables::ALL {
            let Some(table) = self.tables.get_mut(schema.name) else { continue };
            table.as_a_whole(self.engine, self.sources)?;
            if let Some(stop) = table.stop.take() {
                self.stop.get_or_insert(stop);
            }
        }
        Ok(())
    }

    fn references(&mut self) -> Result<()> {
        const LISTED: (&str, &str, &str, &str) =
            ("promotion_products", "value", "products", "product_id");
        for &reference in tables::REFERENCES.iter().chain([&LISTED]) {
            let (from, _, to, _) = reference;
            let has_source =
                |name: &str| self.tables.get(name).is_some_and(|t| !t.sources.is_empty());
            let policy = contract::reference_policy(&self.sources.contract, from, reference.1);
            if !has_source(from) || !has_source(to) || policy == Policy::Ok {
                continue;
            }
            let unknown = contract::unknown(self.engine, reference, &working(from), &working(to))?;
            if let Some(table) = self.tables.get_mut(from) {
                table.book(policy, "reference", Some(reference.1), unknown);
                table.cut(self.engine, self.as_of)?;
            }
        }
        Ok(())
    }

    fn eligible(&mut self) -> Result<()> {
        let without = contract::without_products(self.engine)?;
        if let Some(promotions) = self.tables.get_mut("promotions")
            && !promotions.sources.is_empty()
        {
            promotions.outcome(self.sources, "eligible", without);
            promotions.cut(self.engine, self.as_of)?;
        }
        Ok(())
    }

    fn prepare(&mut self) -> Result<()> {
        prepare(self.engine, self.sources, self.as_of, &mut self.tables, &mut self.health.notes)
    }

    /// Registers the canonical tables under their names.
    fn publish(&mut self) -> Result<()> {
        for &schema in tables::ALL {
            let columns: Vec<String> = self
                .engine
                .columns(&working(schema.name))?
                .into_iter()
                .filter(|column| !column.name.starts_with('_'))
                .map(|column| ident(&column.name))
                .collect();
            let key: Vec<String> = schema.key.iter().map(|name| ident(name)).collect();
            let order = if key.is_empty() { "_n".to_owned() } else { key.join(", ") };
            let sql = format!(
                "select {} from {} order by {order}",
                columns.join(", "),
                working(schema.name)
            );
            let frame = self.engine.query(&sql, &BTreeMap::new())?.conform(schema)?;
            self.engine.forget(&working(schema.name))?;
            self.engine.register(schema.name, &frame)?;
            if let Some(table) = self.tables.get_mut(schema.name) {
                table.health.rows_out = frame.rows() as u64;
                table.health.columns = columns.len() as u64;
            }
        }
        Ok(())
    }

    /// Puts the health together and leaves nothing behind but the canonical tables.
    fn finish(&mut self) -> Result<()> {
        for &schema in tables::ALL {
            let name = working(schema.name);
            let Some(table) = self.tables.get_mut(schema.name) else { continue };
            if self.engine.has(&name) {
                table.health.rows_out = table.rows(self.engine)?;
                table.health.columns = shown_columns(self.engine, &name)?;
                self.engine.forget(&name)?;
            }
            table.health.quarantined = table.rejects.len() as u64;
            if !table.sources.is_empty() || !table.health.checks.is_empty() {
                self.health.tables.push(table.health.clone());
            }
        }
        let place = |health: &TableHealth| tables::ALL.iter().position(|t| t.name == health.table);
        self.health.tables.sort_by_key(place);
        for index in 0..self.sources.specs.len() {
            self.engine.forget(&format!("_raw_{index}"))?;
            self.engine.forget(&format!("_files_{index}"))?;
        }
        for name in self.sources.inputs.keys() {
            self.engine.forget(name)?;
        }
        Ok(())
    }
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
