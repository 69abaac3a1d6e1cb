//! How often do intervals hold the true effect of a simulated campaign, chance and assignment drawn anew?

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Row;
use crate::bench::Failure;
use crate::bench::process::said;
use crate::ci::variables_of_this_package;

/// The band that has to hold, and the noise that is added to it where redraws are few: three standard errors.
const BAND: (f64, f64) = (0.935, 0.965);
const QUICK_NOISE: f64 = 0.038;

/// What is run: 10 weeks, and the few weeks of a small shop that a quick run has.
const FULL: &str = "--customers 2000 --weeks 10 --redraws 2000 --seed 301";
const QUICK: &str = "--customers 400 --products 800 --promotions 60 --weeks 3 --history-weeks 8 --redraws 300 --seed 301";

/// The margin that an engine brings beyond no offers and beyond the statistical engine, by the difference of means
/// and adjusted by earlier spend.
pub(super) fn campaigns(root: &Path, quick: bool) -> Result<Vec<Row>, Failure> {
    let mut command = Command::new("cargo");
    for name in variables_of_this_package() {
        command.env_remove(name);
    }
    command.args(["run", "--release", "--locked", "--quiet", "-p", "tercet", "--"]);
    command.args(["--quiet", "compare", "--engines", "legacy,tercet", "--format", "json"]);
    command.args(if quick { QUICK } else { FULL }.split(' '));
    let text = said(command.current_dir(root))?;
    let found: Value =
        serde_json::from_str(&text).map_err(|cause| format!("tercet compare: {cause}"))?;
    let noise = if quick { QUICK_NOISE } else { 0.0 };
    let rows = found["coverage"].as_array().ok_or("no coverage was printed")?.iter();
    let rows: Vec<Row> = rows
        .filter(|row| {
            row["engine"] == "tercet" && row["effect"] == "margin_minor" && row["way"] != "relative"
        })
        .filter_map(|row| {
            let over = row["over"].as_str().unwrap_or("no offers");
            Some(Row {
                what: format!("margin of tercet less {over}, {}", row["way"].as_str()?),
                counted: "95 % intervals that hold the true effect".to_owned(),
                trials: found["redraws"].as_u64()?,
                share: row["covered"]["value"].as_f64()?,
                least: BAND.0 - noise,
                most: BAND.1 + noise,
            })
        })
        .collect();
    if rows.len() == 4 { Ok(rows) } else { Err(format!("{} rows of coverage, not 4", rows.len())) }
}
