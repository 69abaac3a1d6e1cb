//! How long do a weekly run and a replay of past Mondays take on real data, and in how much memory?

use std::process::Command;

use super::process::taken;
use super::record::Record;
use super::{Bench, Failure};

/// Mondays of the replay: the first starts from nothing, the others show a weekly step.
const REPLAY: [&str; 4] = ["--from", "2017-08-14", "--to", "2017-08-28"];

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let binary = bench.tercet()?;
    let folder = std::env::temp_dir().join(format!("tercet-bench-{}", std::process::id()));
    let shop = folder.join("shop").to_string_lossy().into_owned();
    let mut records = Vec::new();
    let mut done = taken(Command::new(binary).args([
        "init",
        &shop,
        "--example",
        "complete-journey",
        "--quiet",
    ]))
    .map(|_| ());
    let replay = [&["backtest", "--project", &shop, "--format", "csv"][..], &REPLAY].concat();
    let steps = [
        ("weekly: run", vec!["run", "--project", &shop]),
        ("weekly: replay of three Mondays, five engines", replay),
    ];
    for (name, arguments) in steps {
        if done.is_err() || (bench.quick && arguments[0] == "backtest") {
            continue;
        }
        done = taken(Command::new(binary).args(arguments)).map(|taken| {
            records.push(Record::new(name, "s", &[taken.seconds]).note("complete-journey"));
            records.push(Record::new(format!("{name}, memory"), "MB", &[taken.peak_mb]));
        });
    }
    // A folder that stays behind is no failure of the benchmark.
    let _ = std::fs::remove_dir_all(&folder);
    done.map(|()| records)
}
