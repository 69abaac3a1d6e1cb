//! How fast is it, next to the programs people would use instead, and does anything grow faster than its input?
//!
//! Each file of `bench/` is one benchmark: it measures, and gives [`Record`]s, each with the figure, its spread,
//! the anchor's figure from the same run, and the goal. What they mean stands in
//! docs/src/internals/benchmarks.md. Anchors are installed into an environment below the target folder.

mod allocation;
mod anchors;
mod bound;
mod customer_value;
mod lift;
mod machine;
pub(crate) mod process;
mod recommenders;
mod record;
mod rfm;
mod scorer;
mod shop;
mod simulator;
mod weekly;

use std::cell::{Cell, OnceCell};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::ci::{clock, variables_of_this_package};
use machine::Machine;
use record::{Part, Record, Report};

const USAGE: &str = "\
usage: cargo xtask bench [--quick] [--only NAME]... [--skip NAME]...

  --quick      smaller sizes, fewer repeats, five minutes once built; figures go to bench/quick.json, QUICK.md
  --only NAME  this benchmark alone (may be given again); what was written of others stays
  --skip NAME  all but this benchmark (may be given again); what was written of it stays, and where nothing was, it
               is written as not measured, which misses its goals
";

/// What went wrong, in words, with what to do about it.
pub(crate) type Failure = String;

/// One benchmark.
struct Benchmark {
    name: &'static str,
    about: &'static str,
    run: fn(&Bench) -> Result<Vec<Record>, Failure>,
}

/// All of them, in the order in which they run.
const BENCHMARKS: &[Benchmark] = &[
    Benchmark { name: "scorer", about: "pairs by leaf masks, LightGBM, lleaves", run: scorer::run },
    Benchmark { name: "bound", about: "the plan's bound, HiGHS", run: bound::run },
    Benchmark { name: "allocation", about: "plans of large shops", run: allocation::run },
    Benchmark { name: "simulator", about: "lines made per second and core", run: simulator::run },
    Benchmark { name: "rfm", about: "recency, frequency, money: DuckDB, Polars", run: rfm::run },
    Benchmark { name: "lift", about: "the report of a campaign, DuckDB", run: lift::run },
    Benchmark {
        name: "customer-value",
        about: "fitting BG/NBD, lifetimes",
        run: customer_value::run,
    },
    Benchmark {
        name: "recommenders",
        about: "learning from millions of interactions, implicit",
        run: recommenders::run,
    },
    Benchmark { name: "weekly", about: "a weekly run and a replay on real data", run: weekly::run },
];

/// What all benchmarks share.
struct Bench {
    root: PathBuf,
    quick: bool,
    python: OnceCell<Result<PathBuf, Failure>>,
    binary: OnceCell<Result<PathBuf, Failure>>,
    /// What building, and installing the anchors, took so far.
    preparing: Cell<Duration>,
}

impl Bench {
    /// The full size, or the one of `--quick`.
    fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Where everything is built and kept.
    fn target(&self) -> PathBuf {
        target(&self.root)
    }

    /// The interpreter of the environment with all anchors.
    fn python(&self) -> Result<&Path, Failure> {
        let install = || self.prepared(|| anchors::install(&self.root, &self.target()));
        let python = self.python.get_or_init(install);
        python.as_deref().map_err(Clone::clone)
    }

    /// The binary that ships, built now.
    fn tercet(&self) -> Result<&Path, Failure> {
        let binary = self.binary.get_or_init(|| {
            self.build(&["--package", "tercet"])?;
            Ok(self.target().join("release/tercet"))
        });
        binary.as_deref().map_err(Clone::clone)
    }

    /// Builds an example of a crate in the profile that ships; where it is.
    fn example(&self, package: &str, name: &str) -> Result<PathBuf, Failure> {
        self.build(&["--package", package, "--example", name])?;
        Ok(self.target().join("release/examples").join(name))
    }

    fn build(&self, what: &[&str]) -> Result<(), Failure> {
        let mut cargo = Command::new("cargo");
        for name in variables_of_this_package() {
            cargo.env_remove(name);
        }
        cargo.args(["build", "--release", "--locked", "--quiet"]).args(what);
        let built = self.prepared(|| cargo.current_dir(&self.root).status());
        if built.is_ok_and(|status| status.success()) {
            Ok(())
        } else {
            Err(format!("cargo build --release {} failed", what.join(" ")))
        }
    }

    /// Does what is no part of a benchmark's time.
    fn prepared<T>(&self, work: impl FnOnce() -> T) -> T {
        let (clock, before) = (clock(), self.preparing.get());
        let done = work();
        // What was prepared meanwhile, within this, is part of it.
        self.preparing.set(before + clock.elapsed());
        done
    }
}

/// Runs what the arguments ask for; fails when a goal is missed or a benchmark breaks.
pub(crate) fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let Options { quick, only, skip } = match options(arguments) {
        Ok(options) => options,
        Err(what) => {
            eprintln!("{what}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let bench = Bench {
        root: root.to_path_buf(),
        quick,
        python: OnceCell::new(),
        binary: OnceCell::new(),
        preparing: Cell::new(Duration::ZERO),
    };
    match measure(&bench, &only, &skip) {
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
        Ok(missed) if missed.is_empty() => {
            println!("bench: every goal of what was measured now is met");
            ExitCode::SUCCESS
        }
        Ok(missed) => {
            println!("bench: missed: {}", missed.join("; "));
            ExitCode::FAILURE
        }
    }
}

/// Takes the figures of some benchmarks, and writes each when it is taken; the names of those that miss their goal.
fn measure(bench: &Bench, only: &[&str], skip: &[&str]) -> Result<Vec<String>, Failure> {
    let mut report = Report::standing(&bench.root, bench.quick)?;
    let chosen = BENCHMARKS.iter().filter(|one| only.is_empty() || only.contains(&one.name));
    let chosen: Vec<&Benchmark> =
        chosen.filter(|one| !(skip.contains(&one.name) && report.has(one.name))).collect();
    let mut measuring = Duration::ZERO;
    let mut missed = Vec::new();
    for (place, one) in chosen.iter().enumerate() {
        eprintln!("[{}/{}] {}: {}", place + 1, chosen.len(), one.name, one.about);
        let (clock, before) = (clock(), bench.preparing.get());
        let mut machine = Machine::here(&bench.root);
        let measured = match skip.contains(&one.name) {
            true => Err("not measured: --skip".to_owned()),
            false => (one.run)(bench),
        };
        let records = measured.unwrap_or_else(|failure| vec![Record::broken(one.name, &failure)]);
        machine.finish();
        let part = Part { benchmark: one.name.to_owned(), machine, records };
        let prepared = bench.preparing.get() - before;
        let measured = clock.elapsed() - prepared;
        measuring += measured;
        eprintln!(
            "[{}/{}] {}: {} figures, {} missed, {:.0} s, and {:.0} s to build and install",
            place + 1,
            chosen.len(),
            one.name,
            part.records.len(),
            part.missed().count(),
            measured.as_secs_f64(),
            prepared.as_secs_f64()
        );
        println!("{}", part.page());
        missed.extend(part.missed().map(str::to_owned));
        report.put(part);
        let order = |part: &Part| BENCHMARKS.iter().position(|one| one.name == part.benchmark);
        report.parts.sort_by_key(order);
        report.write(&bench.root)?;
    }
    eprintln!(
        "bench: {:.0} s, and {:.0} s to build and install",
        measuring.as_secs_f64(),
        bench.preparing.get().as_secs_f64()
    );
    Ok(missed)
}

/// What the arguments ask for.
#[derive(Debug, Default, PartialEq)]
struct Options {
    quick: bool,
    only: Vec<&'static str>,
    skip: Vec<&'static str>,
}

fn options(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let list = match argument.as_str() {
            "--quick" => {
                options.quick = true;
                continue;
            }
            "--only" => &mut options.only,
            "--skip" => &mut options.skip,
            other => return Err(format!("unknown argument '{other}'")),
        };
        let name = arguments.next().map(String::as_str).unwrap_or_default();
        let known = BENCHMARKS.iter().find(|one| one.name == name);
        let known = known.ok_or_else(|| {
            let names: Vec<&str> = BENCHMARKS.iter().map(|one| one.name).collect();
            format!("{argument} '{name}': the benchmarks are {}", names.join(", "))
        })?;
        list.push(known.name);
    }
    Ok(options)
}

/// Where cargo builds.
#[expect(clippy::disallowed_methods, reason = "cargo's own variable says where it builds")]
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let check = |line: &str, expect: Option<Options>| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(options(&words).ok(), expect, "{line}");
        };
        check("", Some(Options::default()));
        check("--quick", Some(Options { quick: true, ..Options::default() }));
        let only = vec!["rfm", "scorer"];
        let both = Options { quick: true, only, ..Options::default() };
        check("--only rfm --quick --only scorer", Some(both));
        let skip = vec!["weekly"];
        check("--skip weekly", Some(Options { skip, ..Options::default() }));
        check("--skip", None);
        check("--only", None);
        check("--only nothing", None);
        check("--fast", None);
    }
}
