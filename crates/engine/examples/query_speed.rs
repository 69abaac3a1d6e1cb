//! How long does a statement take over Parquet files, and how much memory?
//!
//! ```text
//! cargo run --release -p tercet-engine --example query_speed -- \
//!     --sql FILE [--table NAME=PATH]... [--threads 2] [--memory-mb 4096] [--explain]
//! ```
//! Prints one line of JSON: seconds, CPU seconds and peak memory of this process, and the first row of the
//! result. With `--explain` the plan with what each step took. Files are listed and fingerprinted before the
//! clock starts, as a run does, and the peak of memory counts from there.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]

use std::path::Path;
use std::time::Instant;

use tercet_engine::{Engine, EngineOptions, FileSet, Location};
use tercet_types::{Error, Result};

/// Clock ticks in a second, as Linux counts the time of a process.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds of this process so far, where the system tells.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything: state is field 3, user and system time are 14 and 15.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

/// The most memory this process has had, MB, where the system tells.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024 / 1_000_000
}

/// Lets the peak of memory begin anew, where the system can (`proc_pid_clear_refs(5)`).
fn forget_peak() {
    // Where it cannot, the peak is that of the whole process.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn usage(what: &str) -> Error {
    Error::config("T0901", what.to_owned()).hint(
        "query_speed --sql FILE [--table NAME=PATH]... [--threads N] [--memory-mb N] [--explain]",
    )
}

fn main() -> Result<()> {
    let (mut sql, mut tables, mut explain) = (String::new(), Vec::new(), false);
    let mut options = EngineOptions { memory_bytes: 4_096 << 20, ..EngineOptions::default() };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--explain" {
            explain = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| usage("a value is missing"))?;
        let number = || value.parse::<usize>().map_err(|_| usage("not a number"));
        match name.as_str() {
            "--sql" => {
                sql = std::fs::read_to_string(&value).map_err(|_| usage("no such SQL file"))?;
            }
            "--table" => {
                let (name, path) = value.split_once('=').ok_or_else(|| usage("NAME=PATH"))?;
                tables.push((name.to_owned(), path.to_owned()));
            }
            "--threads" => options.threads = number()?,
            "--memory-mb" => options.memory_bytes = number()? << 20,
            _ => return Err(usage("an unknown option")),
        }
    }
    let engine = Engine::new(options)?;
    for (name, path) in &tables {
        let location = Location::new(path, Path::new("/"))?;
        engine.attach(name, &FileSet { location, format: None })?;
    }
    if explain {
        let sql = format!("explain analyze {sql}");
        let plan = engine.query(&sql, &Default::default())?;
        println!("{}", plan.text("plan")?.join("\n"));
        return Ok(());
    }
    forget_peak();
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let result = engine.query(&sql, &Default::default())?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let mut row = Vec::new();
    for column in result.columns() {
        let value = result.i64_or_null(&column)?.first().copied().flatten();
        row.push(format!("\"{column}\":{}", value.map_or("null".to_owned(), |v| v.to_string())));
    }
    println!(
        "{{\"seconds\":{seconds:.3},\"cpu_seconds\":{cpu:.2},\"peak_mb\":{},\"row\":{{{}}}}}",
        peak_mb(),
        row.join(",")
    );
    Ok(())
}
