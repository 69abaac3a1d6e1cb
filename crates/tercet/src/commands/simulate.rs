//! How does a simulated shop get onto disk, with the project that reads it?

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::Args;
use serde::Serialize;
use tercet_engine::{Engine, EngineOptions, FileFact, Location, RawColumn, Store, TableWriter};
use tercet_simulator::{
    Column, FORMULA, Margins, REFERENCE, REFERENCE_WEEKS, Settings, Size, Table, World,
};
use tercet_types::{Date, Error, Result};

use super::Shared;
use crate::config::{CONFIG_FILE, Environment, store_options};
use crate::output::{Meter, print, table, thousands};

/// Customers whose rows stand in one file of each table.
const FILE_CUSTOMERS: u32 = 50_000;

/// Customers whose rows are in memory at once, for each thread.
const BLOCK_CUSTOMERS: u32 = 500;

/// Of about so many customers the margins are taken.
const MEASURED_CUSTOMERS: u32 = 20_000;

/// The most threads of a simulation.
const THREADS_MAX: usize = 256;

/// What names the files of a simulation, written last: without it the simulation is not whole.
const MANIFEST: &str = "simulation.json";

/// `tercet simulate`
#[derive(Debug, Args)]
#[command(after_help = "\
Everything in it is made up. The truth lies in truth/, which the project does not read.

Examples:
  tercet simulate --customers 5000 --out shop
  tercet check --project shop
  tercet run --project shop
  tercet simulate --customers 5000000 --products 20000 --promotions 300 --out s3://bucket/shop")]
pub(crate) struct SimulateArguments {
    /// Where the shop is written: an empty folder, or a URL such as s3://bucket/shop
    #[arg(long, value_name = "URL")]
    out: String,
    /// Customers
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    customers: u32,
    /// Products
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    products: u32,
    /// Promotions, over all weeks
    #[arg(long, default_value_t = 300, value_name = "N")]
    promotions: u32,
    /// Weeks of history
    #[arg(long, default_value_t = 26, value_name = "N")]
    weeks: u32,
    #[command(flatten)]
    made: WorldFlags,
}

/// Which world it is, and how it is made.
#[derive(Debug, Args)]
pub(super) struct WorldFlags {
    /// Seed of all chance: the same seed gives the same results
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) seed: u64,
    /// Parameters of the world, as a simulation's own world.toml has them [default: calibrated]
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Threads; results do not depend on them [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

impl WorldFlags {
    pub(super) fn world(&self, size: Size) -> Result<World> {
        let settings = self.world.as_deref().map_or_else(|| Ok(Settings::default()), read_world)?;
        World::new(settings, size, self.seed)
    }

    pub(super) fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.threads.unwrap_or(cores).clamp(1, THREADS_MAX)
    }
}

/// What a simulation is, and what it wrote.
#[derive(Debug, Serialize)]
struct SimulationManifest {
    simulated: bool,
    version: &'static str,
    seed: u64,
    customers: u32,
    products: u32,
    promotions: u32,
    weeks: u32,
    as_of: String,
    files: Vec<FileFact>,
}

/// Writes a simulated shop and says how near it comes to a real one.
pub(crate) fn simulate(
    verb: &SimulateArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let size = Size {
        customers: verb.customers,
        products: verb.products,
        promotions: verb.promotions,
        weeks: verb.weeks,
    };
    let (world, threads) = (verb.made.world(size)?, verb.made.threads());
    let engine = Engine::new(EngineOptions {
        threads,
        store_options: store_options(environment),
        ..EngineOptions::default()
    })?;
    let here = std::env::current_dir().map_err(|cause| {
        Error::unavailable("T1008", "the current folder cannot be read").cause(cause)
    })?;
    let location = Location::new(&verb.out, &here)?;
    let store = engine.store(&location)?;
    refuse_what_is_there(&store)?;

    let progress = shared.progress();
    let (mut files, margins) = {
        let meter = progress.meter("simulating", "customers", u64::from(size.customers));
        write_customers(&world, &store, threads, &meter)?
    };
    for (folder, tables) in [("data", world.fixed_tables()), ("truth", world.truth_tables())] {
        for table in tables {
            files.push(write_whole(&store, &format!("{folder}/{}.parquet", table.name), table)?);
        }
    }
    files.push(store.put("truth/FORMULA.md", FORMULA.as_bytes().to_vec())?);
    files.push(store.put("world.toml", world.settings().to_toml().into_bytes())?);
    let beside = if location.local().is_some() {
        String::new()
    } else {
        format!("{}/", verb.out.trim_end_matches('/'))
    };
    files.push(store.put(CONFIG_FILE, project_of(&world, &beside).into_bytes())?);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let lines: u64 = files
        .iter()
        .filter(|file| file.path.starts_with("data/transactions/"))
        .filter_map(|file| file.rows)
        .sum();
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let manifest = SimulationManifest {
        simulated: true,
        version: env!("CARGO_PKG_VERSION"),
        seed: world.seed(),
        customers: size.customers,
        products: size.products,
        promotions: size.promotions,
        weeks: size.weeks,
        as_of: Date::from_days(world.as_of_day()).to_string(),
        files,
    };
    let text = serde_json::to_string_pretty(&manifest).map_err(|cause| {
        Error::internal("T1005", "a manifest could not be written").cause(cause)
    })?;
    store.create(MANIFEST, text.into_bytes())?;

    print(format!(
        "{}: a simulated shop of {} customers, {} transaction lines in {} weeks, {} MB\n",
        verb.out,
        thousands(size.customers),
        thousands(lines),
        size.weeks,
        thousands(bytes / 1_000_000),
    ))?;
    print(comparison(&margins, size.weeks))?;
    if location.local().is_some() {
        progress.say(&format!(
            "next: tercet check --project {out}\n      tercet run --project {out}",
            out = verb.out
        ));
    } else {
        progress.say(&format!("next: fetch {CONFIG_FILE} from there into a folder of your own"));
    }
    Ok(())
}

/// Reads the parameters of a world; those that the file does not name keep their defaults.
fn read_world(path: &Path) -> Result<Settings> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|cause| {
        Error::not_found("T1027", format!("{shown}: cannot be read"))
            .hint("name a file such as the world.toml of another simulation")
            .cause(cause)
    })?;
    toml::from_str(&text).map_err(|cause| {
        Error::config("T1028", format!("{shown}: {}", cause.to_string().trim_end())).hint(
            "every key stands, with its meaning and bounds, in the world.toml of a simulation",
        )
    })
}

/// Nothing is overwritten, and nothing of another mixed in.
fn refuse_what_is_there(store: &Store) -> Result<()> {
    let ours = [MANIFEST, CONFIG_FILE, "world.toml"];
    let mut found = None;
    for path in ours {
        if found.is_none() && store.get_if_there(path)?.is_some() {
            found = Some(path.to_owned());
        }
    }
    for folder in ["data", "truth"] {
        found = found.or(store.list(folder)?.into_iter().next());
    }
    found.map_or(Ok(()), |path| {
        Err(Error::conflict("T1029", format!("{} is already there", store.place_of(&path)))
            .hint("name an empty folder, or delete what is there"))
    })
}

/// Writes the tables that grow with customers: each thread takes the next file's customers.
fn write_customers(
    world: &World,
    store: &Store,
    threads: usize,
    meter: &Meter,
) -> Result<(Vec<FileFact>, Margins)> {
    let files = world.size().customers.div_ceil(FILE_CUSTOMERS);
    let next = AtomicU32::new(0);
    let failed = AtomicBool::new(false);
    let done: Mutex<(Vec<FileFact>, Margins)> = Mutex::default();
    let work = || -> Result<()> {
        loop {
            let file = next.fetch_add(1, Ordering::Relaxed);
            if file >= files || failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            let written = write_file(world, store, file, meter);
            if written.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            let (facts, margins) = written?;
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.0.extend(facts);
            done.1.merge(&margins);
        }
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads.min(files as usize)).map(|_| scope.spawn(work)).collect();
        running.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| {
                Err(Error::internal("T1030", "a thread of the simulation stopped"))
            })
        })
    })?;
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Writes one file of each table that grows with customers.
fn write_file(
    world: &World,
    store: &Store,
    file: u32,
    meter: &Meter,
) -> Result<(Vec<FileFact>, Margins)> {
    let all = world.size().customers;
    let customers: Range<u32> = file * FILE_CUSTOMERS..((file + 1) * FILE_CUSTOMERS).min(all);
    let one_in = all.div_ceil(MEASURED_CUSTOMERS);
    let mut writers: BTreeMap<String, TableWriter> = BTreeMap::new();
    let mut margins = Margins::default();
    for from in customers.clone().step_by(BLOCK_CUSTOMERS as usize) {
        let upto = (from + BLOCK_CUSTOMERS).min(customers.end);
        let block = world.block(from..upto, |customer| customer % one_in == 0);
        for (folder, tables) in [("data", block.tables), ("truth", block.truth)] {
            for table in tables {
                let path = format!("{folder}/{}/part-{file:05}.parquet", table.name);
                let writer =
                    writers.entry(path).or_insert_with_key(|path| store.table_writer(path));
                writer.write(raw(table))?;
            }
        }
        margins.merge(&block.margins);
        meter.advance(u64::from(upto - from));
    }
    let facts = writers.into_values().map(TableWriter::finish).collect::<Result<_>>()?;
    Ok((facts, margins))
}

fn write_whole(store: &Store, path: &str, table: Table) -> Result<FileFact> {
    let mut writer = store.table_writer(path);
    writer.write(raw(table))?;
    writer.finish()
}

/// The simulator's columns as the engine writes them.
pub(crate) fn raw(table: Table) -> Vec<(&'static str, RawColumn)> {
    let column = |column| match column {
        Column::Int(values) => RawColumn::I64(values),
        Column::IntOrNull(values) => RawColumn::I64OrNull(values),
        Column::Real(values) => RawColumn::F64(values),
        Column::Flag(values) => RawColumn::Bool(values),
        Column::Day(values) => RawColumn::Date(values),
        Column::DayOrNull(values) => RawColumn::DateOrNull(values),
        Column::Instant(values) => RawColumn::Timestamp(values),
        Column::Word(places, words) => RawColumn::Words(places, words),
        Column::Text(values) => RawColumn::Text(values),
    };
    table.columns.into_iter().map(|(name, values)| (name, column(values))).collect()
}

/// The project that reads the shop.
pub(super) fn project_of(world: &World, beside: &str) -> String {
    include_str!("simulate.toml")
        .replace("{as_of}", &Date::from_days(world.as_of_day()).to_string())
        .replace("{seed}", &world.seed().to_string())
        .replace("{beside}", beside)
}

/// The margins beside those of a real shop.
fn comparison(margins: &Margins, weeks: u32) -> String {
    let rows: Vec<Vec<String>> = margins
        .values(weeks)
        .into_iter()
        .zip(REFERENCE)
        .map(|((name, simulated), (_, real))| {
            vec![
                name.replace('_', " "),
                format!("{simulated:.4}"),
                format!("{real:.4}"),
                format!("{:+.0} %", 100.0 * (simulated / real - 1.0)),
            ]
        })
        .collect();
    let real = format!("The Complete Journey, {REFERENCE_WEEKS} weeks");
    let simulated = format!("simulated, {weeks} weeks");
    table(&["margin", &simulated, &real, "off by"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_written_world_reads_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.toml");
        let mut settings = Settings::default();
        settings.purchases.cycle_days = 33.25;
        settings.promotions.weeks_max = 9;
        settings.start_on = "2024-01-01".to_owned();
        std::fs::write(&path, settings.to_toml()).unwrap();
        assert_eq!(read_world(&path).unwrap(), settings);
        std::fs::write(&path, "[purchases]\nloyal = 1\n").unwrap();
        assert_eq!(read_world(&path).unwrap_err().code(), "T1028");
        assert_eq!(read_world(&folder.path().join("none")).unwrap_err().code(), "T1027");
    }

    #[test]
    fn the_project_is_one_and_does_not_name_the_truth() {
        let size = Size { customers: 1, products: 20, promotions: 2, weeks: 2 };
        let world = World::new(Settings::default(), size, 5).unwrap();
        for beside in ["", "s3://bucket/shop/"] {
            let text = project_of(&world, beside);
            let config: Config = toml::from_str(&text).unwrap();
            assert_eq!(config.run.seed, 5);
            assert!(!text.contains("truth") && text.contains("simulated"));
            assert!(text.contains(&format!("path = \"{beside}data/transactions/\"")));
        }
    }
}
