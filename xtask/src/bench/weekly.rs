//! How long do a weekly run and a replay of past Mondays take, in how much memory, and how does a run grow with the
//! shop?
//!
//! On the demo's real data, and on simulated shops of photo gifts, which are made beforehand. A simulated shop's run
//! starts from nothing, with its temporary files beside the shop.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::process::{Taken, said, taken};
use super::record::{Goal, Record, number};
use super::shop::{MOST_CUSTOMERS, World, growth_sizes, has_room, shop};
use super::{Bench, Failure};

/// Mondays of the replay: the first starts from nothing, the others show a weekly step.
const REPLAY: [&str; 4] = ["--from", "2017-08-14", "--to", "2017-08-28"];

/// What a run may take of the machine, whatever the shop.
const PEAK_MB_MAX: f64 = 8_000.0;

/// What the largest shop may take.
const SECONDS_MAX: f64 = 600.0;

/// Memory of a query, MiB: the limit under which a run must come to its end, and enough.
const QUERY_MEMORY_MB: [u32; 2] = [1_024, 8_192];

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let mut records = demo(bench)?;
    records.extend(growth(bench)?);
    records.extend(limited(bench)?);
    Ok(records)
}

/// The shipped example.
fn demo(bench: &Bench) -> Result<Vec<Record>, Failure> {
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
    let _ = fs::remove_dir_all(&folder);
    done.map(|()| records)
}

/// One run of every size.
fn growth(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let (mut records, mut points) = (Vec::new(), Vec::new());
    for customers in growth_sizes(bench) {
        let shop = shop(bench, World::PhotoGift, customers)?;
        let taken = weekly_run(bench, shop.folder(), None)?;
        let name = |what: &str| format!("weekly: {customers} customers, {what}");
        let lines = number(shop.lines);
        let time = Record::new(name("time"), "s", &[taken.seconds])
            .note(format!("photo gifts, {lines} order lines"));
        let is_most = customers == MOST_CUSTOMERS;
        records.push(if is_most { time.goal(Goal::AtMost(SECONDS_MAX)) } else { time });
        let memory = Record::new(name("memory"), "MB", &[taken.peak_mb]);
        records.push(memory.goal(Goal::AtMost(PEAK_MB_MAX)));
        points.push((f64::from(customers), taken.seconds));
        clear(shop.folder())?;
    }
    records.push(Record::growth("weekly: growth with customers, photo gifts", &points));
    if !bench.quick && !has_room(bench, MOST_CUSTOMERS) {
        let why = "the disk below the target folder has no room for it";
        records.push(Record::broken(&format!("weekly: {MOST_CUSTOMERS} customers"), why));
    }
    Ok(records)
}

/// A run with little memory for queries makes the offers of one with much.
fn limited(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let Some(&customers) = growth_sizes(bench).first() else { return Ok(Vec::new()) };
    let shop = shop(bench, World::PhotoGift, customers)?;
    let mut found = Vec::new();
    for memory_mb in QUERY_MEMORY_MB {
        let taken = weekly_run(bench, shop.folder(), Some(memory_mb))?;
        let mut offers = Command::new(bench.tercet()?);
        offers.args(["offers", "--quiet", "--format", "csv", "--project"]).arg(shop.folder());
        found.push((taken, said(&mut offers)?));
    }
    clear(shop.folder())?;
    let [(little, offers), (_, others)] = &found[..] else { return Ok(Vec::new()) };
    let [limit_mb, enough_mb] = QUERY_MEMORY_MB;
    if offers.lines().count() < 2 || offers != others {
        return Err(format!("other offers with {limit_mb} MiB for a query than with {enough_mb}"));
    }
    let name = |what: &str| format!("weekly: {customers} customers under a limit, {what}");
    let how = format!("{limit_mb} MiB for a query; the same offers as with {enough_mb}");
    Ok(vec![
        Record::new(name("time"), "s", &[little.seconds]).note(how),
        Record::new(name("memory"), "MB", &[little.peak_mb]).goal(Goal::AtMost(PEAK_MB_MAX)),
    ])
}

/// Makes the weekly run of a project anew.
fn weekly_run(bench: &Bench, folder: &Path, memory_mb: Option<u32>) -> Result<Taken, Failure> {
    clear(folder)?;
    let temporary = temporary(folder);
    fs::create_dir_all(&temporary).map_err(|cause| format!("{}: {cause}", temporary.display()))?;
    let mut command = Command::new(bench.tercet()?);
    command.args(["run", "--project"]).arg(folder).env("TMPDIR", &temporary);
    if let Some(memory_mb) = memory_mb {
        command.env("TERCET__RUN__MEMORY_MB", memory_mb.to_string());
    }
    taken(&mut command)
}

/// Takes earlier runs of a project away.
fn clear(folder: &Path) -> Result<(), Failure> {
    for folder in [folder.join("runs"), temporary(folder)] {
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|cause| format!("{}: {cause}", folder.display()))?;
        }
    }
    Ok(())
}

/// Where a run of a project keeps its temporary files.
fn temporary(folder: &Path) -> std::path::PathBuf {
    folder.join("temporary")
}
