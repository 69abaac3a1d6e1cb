//! Do the intervals we report hold the truth as often as they say?
//!
//! Each part measures by itself and gives [`Row`]s; a row outside its band fails the chore. `--quick` runs fewer
//! trials in wider bands, and writes nothing; `--only` runs one part, and keeps what was written of the others.
//! What the rows mean stands in docs/src/concepts/measurement.md.

mod campaigns;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::{Value, json};

use crate::bench::Failure;
use crate::bench::process::printed;
use crate::ci::variables_of_this_package;

const USAGE: &str = "\
usage: cargo xtask calibrate [--quick] [--only NAME]

  --quick      fewer trials, in bands that are wider by their noise; writes nothing
  --only NAME  this part alone, estimates or campaigns; the others' figures stay as they were written
";

/// Where the full figures are kept.
const JSON: &str = "bench/calibration.json";
const PAGE: &str = "bench/CALIBRATION.md";

/// A share that was counted over many trials, and the band it has to lie in.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    what: String,
    counted: String,
    trials: u64,
    share: f64,
    least: f64,
    most: f64,
}

impl Row {
    fn holds(&self) -> bool {
        (self.least..=self.most).contains(&self.share)
    }

    /// A row of a part that prints the trials of all its rows, and rows.
    fn of(part: &Value, row: &Value) -> Option<Self> {
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        let number = |name: &str| row[name].as_f64();
        Some(Self {
            what: text("what")?,
            counted: text("counted")?,
            trials: part["trials"].as_u64()?,
            share: number("share")?,
            least: number("least")?,
            most: number("most")?,
        })
    }

    fn json(&self) -> Value {
        let Self { what, counted, trials, share, least, most } = self;
        json!({
            "what": what, "counted": counted, "trials": trials,
            "share": share, "least": least, "most": most, "holds": self.holds(),
        })
    }
}

/// One set of trials.
struct Part {
    name: &'static str,
    about: &'static str,
    run: fn(&Path, bool) -> Result<Vec<Row>, Failure>,
}

/// All of them, in the order in which they run.
const PARTS: &[Part] = &[
    Part { name: "estimates", about: "estimates, on what real households spent", run: estimates },
    Part {
        name: "campaigns",
        about: "a simulated campaign, drawn anew",
        run: campaigns::campaigns,
    },
];

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Options {
    quick: bool,
    only: Option<String>,
}

fn options(arguments: &[String]) -> Option<Options> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--only" => {
                options.only = Some(
                    rest.next()
                        .filter(|name| PARTS.iter().any(|part| part.name == **name))?
                        .clone(),
                );
            }
            _ => return None,
        }
    }
    Some(options)
}

/// Runs the parts; fails when a share lies outside its band.
pub(crate) fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let Some(options) = options(arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match measured(root, &options) {
        Ok(rows) => finish(root, options.quick, &rows),
        Err(failure) => {
            eprintln!("calibrate: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The rows of every part: measured now, or as they were written when another part is asked for.
fn measured(root: &Path, options: &Options) -> Result<Vec<(&'static str, Vec<Row>)>, Failure> {
    let mut found = Vec::with_capacity(PARTS.len());
    for part in PARTS {
        let left_out = options.only.as_ref().is_some_and(|name| name != part.name);
        if left_out {
            let rows = if options.quick { Vec::new() } else { written(root, part.about) };
            found.extend((!rows.is_empty()).then_some((part.about, rows)));
        } else {
            eprintln!("== {}", part.about);
            found.push((part.about, (part.run)(root, options.quick)?));
        }
    }
    Ok(found)
}

/// The rows of a part that were written the last time.
fn written(root: &Path, about: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(root.join(JSON)).unwrap_or_default();
    let parts: Value = serde_json::from_str(&text).unwrap_or_default();
    let part = parts.as_array().and_then(|parts| parts.iter().find(|part| part["part"] == about));
    let rows = part.and_then(|part| part["rows"].as_array());
    rows.map(|rows| rows.iter().filter_map(|row| Row::of(row, row)).collect()).unwrap_or_default()
}

fn finish(root: &Path, quick: bool, parts: &[(&str, Vec<Row>)]) -> ExitCode {
    let page = page(parts);
    println!("{page}");
    if !quick {
        let part = |(about, rows): &(&str, Vec<Row>)| json!({ "part": about, "rows": rows.iter().map(Row::json).collect::<Vec<_>>() });
        let text = serde_json::to_string_pretty(&parts.iter().map(part).collect::<Vec<_>>());
        let text = text.unwrap_or_default() + "\n";
        for (path, text) in [(JSON, &text), (PAGE, &page)] {
            if let Err(cause) = std::fs::write(root.join(path), text) {
                eprintln!("calibrate: {path}: {cause}");
                return ExitCode::FAILURE;
            }
        }
    }
    let outside = parts.iter().flat_map(|(_, rows)| rows).filter(|row| !row.holds()).count();
    println!("calibrate: {outside} outside their band");
    if outside == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn page(parts: &[(&str, Vec<Row>)]) -> String {
    let mut page = "\
# Calibration

Figures of `cargo xtask calibrate`: how often something is found where there is nothing, and how often an interval
holds an effect that is there. Bands are those that have to hold, not confidence intervals of the figures.
"
    .to_owned();
    for (name, rows) in parts {
        let _ = write!(
            page,
            "\n## {name}\n\n| estimate | counted | trials | share | band | |\n|---|---|---|---|---|---|\n"
        );
        for row in rows {
            let Row { what, counted, trials, share, least, most } = row;
            let verdict = if row.holds() { "ok" } else { "**outside**" };
            let _ = writeln!(
                page,
                "| {what} | {counted} | {trials} | {share:.4} | {least:.4}–{most:.4} | {verdict} |"
            );
        }
    }
    page
}

/// The example of the measurement crate: real spend, drawn and assigned again and again.
fn estimates(root: &Path, quick: bool) -> Result<Vec<Row>, Failure> {
    let mut command = Command::new("cargo");
    for name in variables_of_this_package() {
        command.env_remove(name);
    }
    let example = ["run", "--release", "--locked", "--quiet"];
    command.args(example).args(["-p", "tercet-measurement", "--example", "calibrate"]);
    if quick {
        command.args(["--", "--trials", "1000"]);
    }
    let found = printed(command.current_dir(root))?;
    let rows = found["rows"].as_array().ok_or("no rows were printed")?;
    rows.iter().map(|row| Row::of(&found, row).ok_or_else(|| format!("no row: {row}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(share: f64) -> Row {
        let (what, counted) = ("mean".to_owned(), "found".to_owned());
        Row { what, counted, trials: 100, share, least: 0.045, most: 0.055 }
    }

    #[test]
    fn arguments() {
        let check = |line: &str, expect: Option<(bool, Option<&str>)>| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let expect =
                expect.map(|(quick, only)| Options { quick, only: only.map(str::to_owned) });
            assert_eq!(options(&words), expect, "{line}");
        };
        check("", Some((false, None)));
        check("--quick --only estimates", Some((true, Some("estimates"))));
        check("--only campaigns", Some((false, Some("campaigns"))));
        check("--only", None);
        check("--only others", None);
        check("--fast", None);
    }

    #[test]
    fn what_lies_outside_its_band_is_said() {
        assert!(row(0.045).holds() && row(0.055).holds());
        for share in [0.0449, 0.0551, f64::NAN] {
            assert!(!row(share).holds());
            assert!(page(&[("part", vec![row(share)])]).contains("**outside**"));
        }
        assert!(!page(&[("part", vec![row(0.05)])]).contains("**outside**"));
    }

    #[test]
    fn rows_are_read_as_they_are_written() {
        let part = json!({ "trials": 100 });
        assert_eq!(Row::of(&part, &row(0.05).json()), Some(row(0.05)));
        assert_eq!(Row::of(&part, &json!({ "what": "mean" })), None);
    }
}
