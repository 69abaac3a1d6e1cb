//! What did the offers bring?

mod page;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tercet_measurement::Found;
use tercet_measurement::lift::{MetricLift, Role};
use tercet_types::{Currency, Date, Error, Result};

use super::backtest::write_whole;
use super::{FormatFlag, Project, Shared, value};
use crate::config::Environment;
use crate::output::{Format, heading, marked, print, rows, thousands};
use crate::pipeline::{Asked, Comparison, Measured, compare, exclusively, measure};

/// `tercet lift`
#[derive(Debug, Args)]
#[command(after_help = "\
Customers are compared in the arms that the runs logged, whatever reached them: treated against the control
group that got nothing. Margin is what is left after discounts and the cost of contacts. Differences are less
what customers spent before the campaign (CUPED), where that is known; the page shows them without as well.

Examples:
  tercet lift
  tercet lift --from 2017-09-04 --to 2017-11-06 --report lift.html
  tercet lift --experiment new-model --format json
  tercet lift --measurement 2017-09-04-2017-12-11-1f3a9c07")]
pub(crate) struct LiftArguments {
    /// The first Monday of the campaign [default: that of the oldest run]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>)]
    from: Option<Date>,
    /// The last Monday of the campaign [default: that of the newest run]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>)]
    to: Option<Date>,
    /// Also compare the arms of this engine test
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// Read the shop's data again, even where nothing seems to have changed
    #[arg(long)]
    again: bool,
    /// Report on a measurement that was made before, with today's level, planned weeks and cost of a contact; nothing
    /// else is read
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "to", "experiment", "again"])]
    measurement: Option<String>,
    /// Write the HTML report here [default: report.html beside the measurement]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    format: FormatFlag,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    version: &'static str,
    project: &'a str,
    currency: &'a str,
    measurement: &'a str,
    campaign: &'a Measured,
    comparisons: &'a [Comparison],
}

/// Measures the campaign and prints what it brought.
pub(crate) fn lift(verb: &LiftArguments, shared: &Shared, environment: &Environment) -> Result<()> {
    let project = Project::open(shared, environment)?;
    let progress = shared.progress();
    let asked = Asked {
        from: verb.from,
        to: verb.to,
        experiment: verb.experiment.clone(),
        again: verb.again,
        measurement: verb.measurement.clone(),
    };
    let measurement = exclusively(&project.folder, || measure(&project, &asked, &progress))?;
    let (comparisons, _) = progress.step("statistics", || {
        let comparisons = compare(&project, &measurement)?;
        let said = format!("{} comparisons", comparisons.len());
        Ok((comparisons, said))
    })?;
    let printed = Printed {
        version: env!("CARGO_PKG_VERSION"),
        project: &project.config.project.name,
        currency: &project.config.project.currency,
        measurement: &measurement.id,
        campaign: &measurement.measured,
        comparisons: &comparisons,
    };
    let json = serde_json::to_string_pretty(&printed).map_err(|cause| {
        Error::internal("T1005", "the results could not be written as JSON").cause(cause)
    })?;
    measurement.store.put(&measurement.path("lift.json"), format!("{json}\n").into_bytes())?;
    let html =
        page::report(&project, &measurement.id, &measurement.measured, &comparisons)?.html()?;
    let place = match &verb.report {
        Some(file) => {
            write_whole(file, html.as_bytes())?;
            file.display().to_string()
        }
        None => {
            measurement.store.put(&measurement.path("report.html"), html.into_bytes())?;
            measurement.store.place_of(&measurement.path("report.html"))
        }
    };
    progress.say(&format!("report: {place}"));
    match verb.format.format {
        Format::Json => print(json),
        Format::Csv => print(rows(Format::Csv, &CSV, &csv_lines(&comparisons))),
        Format::Table => tables(&project, &measurement.measured, &comparisons),
    }
}

fn tables(project: &Project, measured: &Measured, comparisons: &[Comparison]) -> Result<()> {
    let currency = Currency::new(&project.config.project.currency)?;
    print(format!(
        "{} customers from {} on, {} weeks{}; {} runs",
        thousands(measured.units),
        measured.first_day,
        measured.weeks,
        match measured.weeks_after {
            0 => String::new(),
            weeks => format!(" and {weeks} after it"),
        },
        measured.runs.len(),
    ))?;
    for comparison in comparisons {
        let (lift, [first, second]) = (&comparison.lift, comparison.arms);
        print(format!(
            "\n{}  {} {first}, {} {second}",
            heading(&comparison.name),
            thousands(lift.treated),
            thousands(lift.control),
        ))?;
        for sentence in page::ratio(comparison) {
            print(if comparison.is_broken() { marked(&sentence, true) } else { sentence })?;
        }
        let lines: Vec<Vec<String>> =
            lift.metrics.iter().map(|metric| table_line(metric, currency)).collect();
        let header = ["a customer", "treated", "control", "difference", "95 %", "relative", "95 %"];
        print(rows(Format::Table, &header, &lines))?;
        for (what, total) in [("margin", &lift.total_margin), ("revenue", &lift.total_revenue)] {
            print(match total {
                Found::Estimate(total) => format!(
                    "{what} of all treated together: {} ({} to {})",
                    money(total.value, currency),
                    money(total.low, currency),
                    money(total.high, currency),
                ),
                Found::Refused { refused } => {
                    format!("{what} of all treated together: not known, {}", refused.words())
                }
            })?;
        }
        page::verdict(lift).into_iter().try_for_each(print)?;
    }
    print(
        "\nadjusted difference: less what customers spent before anybody was assigned, where that is known; the plain ones stand on the page",
    )
}

fn money(minor: f64, currency: Currency) -> String {
    format!(
        "{} {}",
        thousands(format!("{:.0}", minor / currency.minor_per_major() as f64)),
        currency.code()
    )
}

fn table_line(metric: &MetricLift, currency: Currency) -> Vec<String> {
    let is_money = metric.metric.ends_with("_minor");
    let scale = match is_money {
        true => currency.minor_per_major() as f64,
        false => 1.0,
    };
    let number = |value: f64| format!("{:.4}", value / scale);
    let signed = |value: f64| format!("{:+.4}", value / scale);
    let percent = |value: f64| format!("{:+.1}", 100.0 * value);
    let level = |value: Option<f64>| value.map_or_else(String::new, &number);
    let name = metric.metric.trim_end_matches("_minor").replace('_', " ");
    let name = if is_money { format!("{name}, {}", currency.code()) } else { name };
    let name = match metric.role {
        Role::Guardrail => format!("{name} (guardrail)"),
        Role::Goal | Role::Detail => name,
    };
    let mut line = vec![name, level(metric.treatment), level(metric.control)];
    let is_level = metric.relative.is_none();
    line.extend(match metric.best() {
        Found::Estimate(found) if is_level => {
            [String::new(), format!("{} to {}", number(found.low), number(found.high))]
        }
        Found::Estimate(found) => {
            [signed(found.value), format!("{} to {}", signed(found.low), signed(found.high))]
        }
        Found::Refused { refused } => [String::new(), refused.words().to_owned()],
    });
    line.extend(match metric.best_relative() {
        Some(Found::Estimate(found)) => [
            format!("{} %", percent(found.value)),
            format!("{} to {}", percent(found.low), percent(found.high)),
        ],
        // Why there is none stands on the page and in the JSON.
        Some(Found::Refused { .. }) => ["–".to_owned(), String::new()],
        None => [String::new(), String::new()],
    });
    line
}

const CSV: [&str; 14] = [
    "comparison",
    "metric",
    "treatment",
    "control",
    "difference",
    "low",
    "high",
    "p_value",
    "adjusted",
    "adjusted_low",
    "adjusted_high",
    "relative",
    "relative_low",
    "relative_high",
];

fn csv_lines(comparisons: &[Comparison]) -> Vec<Vec<String>> {
    let optional = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let three = |found: Option<&Found>| match found.and_then(Found::estimate) {
        Some(found) => [found.value, found.low, found.high].map(|value| value.to_string()),
        None => <[String; 3]>::default(),
    };
    let line = |comparison: &Comparison, metric: &MetricLift| {
        let mut line = vec![
            comparison.name.clone(),
            metric.metric.to_owned(),
            optional(metric.treatment),
            optional(metric.control),
        ];
        line.extend(three(Some(&metric.difference)));
        line.push(optional(metric.difference.estimate().and_then(|found| found.p_value)));
        line.extend(three(metric.adjusted.as_ref()));
        line.extend(three(metric.best_relative()));
        line
    };
    comparisons
        .iter()
        .flat_map(|of| of.lift.metrics.iter().map(move |metric| line(of, metric)))
        .collect()
}
