//! How long does the report of a campaign of millions take, next to DuckDB on the head of it?
//!
//! Units and outcomes are made beforehand, by the anchor. DuckDB answers less: the sizes of the arms, two plain
//! differences and one covariance; its difference must be ours.

use std::process::Command;

use super::process::{number_of, printed, said, taken};
use super::record::{Goal, Record};
use super::shop::cores;
use super::{Bench, Failure};

/// What the whole report may take.
const SECONDS_MAX: f64 = 10.0;

/// Customers in one part of the tables.
const PART_CUSTOMERS: u32 = 125_000;

/// How far the two may be apart, relative to the larger.
const APART_MAX: f64 = 1e-9;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let customers = bench.size(5_000_000, 250_000);
    let shop = bench.target().join(format!("bench-campaign-{customers}"));
    let measurement = shop.join("lift/bench");
    let anchor = || -> Result<Command, Failure> {
        let mut python = Command::new(bench.python()?);
        python.arg(bench.root.join("bench/lift_anchor.py"));
        Ok(python)
    };
    if !measurement.join("measurement.json").exists() {
        let parts = (customers / PART_CUSTOMERS).max(2).to_string();
        let made = bench.prepared(|| {
            said(anchor()?.arg("make").arg(&measurement).args([customers.to_string(), parts]))
        });
        made?;
        std::fs::write(shop.join("tercet.toml"), "[project]\nname = \"Benchmark\"\n")
            .map_err(|cause| format!("{}: {cause}", shop.display()))?;
    }
    let report = || -> Result<Command, Failure> {
        let mut tercet = Command::new(bench.tercet()?);
        tercet.args(["--quiet", "--project"]).arg(&shop);
        tercet.args(["lift", "--measurement", "bench", "--format"]);
        Ok(tercet)
    };
    let (mut ours, mut peak_mb, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let mut head = f64::NAN;
    for _ in 0..bench.size(5, 3) {
        let taken = taken(report()?.arg("json"))?;
        ours.push(taken.seconds);
        peak_mb.push(taken.peak_mb);
        let other = printed(anchor()?.arg("ask").arg(&measurement).arg(cores().to_string()))?;
        theirs.push(number_of(&other, "seconds")?);
        head = number_of(&other, "revenue")?;
    }
    let difference = plain_revenue(&said(report()?.arg("csv"))?)?;
    if (difference - head).abs() > APART_MAX * head.abs() {
        return Err(format!("lift: the difference in revenue is {difference}, DuckDB's {head}"));
    }
    Ok(vec![
        Record::new("lift: the whole report", "s", &ours)
            .goal(Goal::AtMost(SECONDS_MAX))
            .note(format!("{customers} customers, 24 weeks of which a third have rows")),
        Record::new("lift: beside the head of it", "s", &ours)
            .beside("DuckDB", &theirs)
            .note("sizes, two differences and a covariance in DuckDB; the same difference"),
        Record::new("lift: memory", "MB", &peak_mb),
    ])
}

/// The plain difference in revenue of the report as CSV.
fn plain_revenue(csv: &str) -> Result<f64, Failure> {
    csv.lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .find(|cells| cells.get(1) == Some(&"revenue_minor"))
        .and_then(|cells| cells.get(4)?.parse().ok())
        .ok_or_else(|| "lift: the report has no revenue".to_owned())
}
