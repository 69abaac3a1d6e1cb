//! How long do recency, frequency and money take over a long list of order lines, next to DuckDB and Polars?
//!
//! The same Parquet files, the same number of threads, a process for each repeat, one engine after another in every
//! round. All must come to the same numbers, which change with any value of any row.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::process::{number_of, printed};
use super::record::{Goal, Record};
use super::shop::{Shop, World, cores, growth_sizes, shop};
use super::{Bench, Failure};

/// What is asked, and by which of its ways an anchor may answer.
const QUESTIONS: &[(&str, &[&str])] =
    &[("rfm", &["rfm", "orders_rfm"]), ("customer_category", &["customer_category"])];

/// The engine that goals are set by, first, and one more to read.
const ANCHORS: [&str; 2] = ["duckdb", "polars"];

/// Memory of a query, MiB: enough, and the limit under which it must come to its end by spilling.
const MEMORY_MB: [usize; 2] = [8_192, 1_024];

/// What the repeats of one program took.
#[derive(Default)]
struct Repeats {
    seconds: Vec<f64>,
    cpu_seconds: Vec<f64>,
    peak_mb: Vec<f64>,
}

impl Repeats {
    fn add(&mut self, printed: &Value) -> Result<(), Failure> {
        self.seconds.push(number_of(printed, "seconds")?);
        self.cpu_seconds.push(number_of(printed, "cpu_seconds")?);
        self.peak_mb.push(number_of(printed, "peak_mb")?);
        Ok(())
    }

    fn middle(numbers: &[f64]) -> f64 {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

struct Rfm<'a> {
    bench: &'a Bench,
    program: PathBuf,
    threads: usize,
}

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let program = bench.example("tercet-engine", "query_speed")?;
    let rfm = Rfm { bench, program, threads: cores() };
    let large = shop(bench, World::Grocery, bench.size(200_000, 10_000))?;
    let mut records = Vec::new();
    for (question, ways) in QUESTIONS {
        records.extend(rfm.compared(&large, question, ways)?);
    }
    let mut points = Vec::new();
    for customers in growth_sizes(bench) {
        let shop = shop(bench, World::PhotoGift, customers)?;
        let mut repeats = Repeats::default();
        for _ in 0..bench.size(5, 3) {
            repeats.add(&rfm.ours(&shop, "rfm", MEMORY_MB[0])?)?;
        }
        points.push((f64::from(customers), Repeats::middle(&repeats.seconds)));
    }
    records.push(Record::growth("rfm: growth with customers, photo gifts", &points));
    Ok(records)
}

impl Rfm<'_> {
    /// One question, all engines in turn.
    fn compared(&self, shop: &Shop, question: &str, ways: &[&str]) -> Result<Vec<Record>, Failure> {
        let (mut ours, mut spilling) = (Repeats::default(), Repeats::default());
        let mut theirs: BTreeMap<(&str, &str), Repeats> = BTreeMap::new();
        for _ in 0..self.bench.size(5, 3) {
            let found = self.ours(shop, question, MEMORY_MB[0])?;
            ours.add(&found)?;
            for engine in ANCHORS {
                for way in ways {
                    let other = self.theirs(shop, engine, way)?;
                    same(question, engine, &found, &other)?;
                    theirs.entry((engine, way)).or_default().add(&other)?;
                }
            }
            let limited = self.ours(shop, question, MEMORY_MB[1])?;
            same(question, "itself with little memory", &found, &limited)?;
            spilling.add(&limited)?;
        }
        // Of an anchor's ways the fastest counts.
        let best = |engine: &str| {
            let of_engine = theirs.iter().filter(|((name, _), _)| *name == engine);
            of_engine
                .map(|((_, way), repeats)| (*way, repeats))
                .min_by(|a, b| {
                    Repeats::middle(&a.1.seconds).total_cmp(&Repeats::middle(&b.1.seconds))
                })
                .ok_or_else(|| format!("{question}: no repeat of {engine}"))
        };
        let (way, duckdb) = best(ANCHORS[0])?;
        let (_, polars) = best(ANCHORS[1])?;
        let how = format!("{:.0} lines, {} threads; {way} in DuckDB", shop.lines, self.threads);
        let limit = format!("with {} MiB for the query; the same rows", MEMORY_MB[1]);
        Ok(vec![
            Record::new(format!("{question}: time"), "s", &ours.seconds)
                .beside("DuckDB", &duckdb.seconds)
                .goal(Goal::RatioAtMost(1.2))
                .note(how),
            Record::new(format!("{question}: CPU time"), "s", &ours.cpu_seconds)
                .beside("DuckDB", &duckdb.cpu_seconds),
            Record::new(format!("{question}: memory"), "MB", &ours.peak_mb)
                .beside("DuckDB", &duckdb.peak_mb)
                .goal(Goal::RatioAtMost(1.0)),
            Record::new(format!("{question}: time beside Polars"), "s", &ours.seconds)
                .beside("Polars", &polars.seconds),
            Record::new(format!("{question}: memory beside Polars"), "MB", &ours.peak_mb)
                .beside("Polars", &polars.peak_mb),
            Record::new(format!("{question}: time under a limit"), "s", &spilling.seconds)
                .note(&limit),
            Record::new(format!("{question}: memory under a limit"), "MB", &spilling.peak_mb)
                .note(limit),
        ])
    }

    fn ours(&self, shop: &Shop, query: &str, memory_mb: usize) -> Result<Value, Failure> {
        let data = shop.data();
        let sql = self.bench.root.join("bench/sql").join(format!("{query}.sql"));
        let table = |name: &str, path: &Path| format!("{name}={}", path.display());
        let mut command = Command::new(&self.program);
        command.arg("--sql").arg(sql);
        command.args(["--table", &table("transactions", &data.join("transactions"))]);
        command.args(["--table", &table("products", &data.join("products.parquet"))]);
        command.args(["--threads", &self.threads.to_string()]);
        command.args(["--memory-mb", &memory_mb.to_string()]);
        printed(&mut command)
    }

    fn theirs(&self, shop: &Shop, engine: &str, query: &str) -> Result<Value, Failure> {
        let mut command = Command::new(self.bench.python()?);
        command.arg(self.bench.root.join("bench/rfm_anchor.py"));
        command.args(["--engine", engine, "--query", query]);
        command.args(["--threads", &self.threads.to_string(), "--data"]).arg(shop.data());
        printed(&mut command)
    }
}

/// Both came to the same numbers.
fn same(question: &str, other: &str, found: &Value, theirs: &Value) -> Result<(), Failure> {
    if found["row"].is_object() && found["row"] == theirs["row"] {
        return Ok(());
    }
    Err(format!("{question}: {} is not {} of {other}", found["row"], theirs["row"]))
}
