//! Which engine would have picked better?

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use tercet_delivery::report::backtest::{
    BacktestReport, EngineResult, Estimate, PairedResult, Pool, Slice, WeekCount,
};
use tercet_delivery::report::{Fact, Headline};
use tercet_measurement::offline::{Interval, Metric, Scope, Summary};
use tercet_types::{Date, Error, Result};

use super::{FormatFlag, Project, Shared, value};
use crate::config::Environment;
use crate::output::{Format, heading, print, rows};
use crate::pipeline::{Contestant, Replay, Replayed, known_engine, replay};

/// `tercet backtest`
#[derive(Debug, Args)]
#[command(after_help = "\
A hit is a purchase in that week of a product that an offered promotion holds for. The denominator is
customers who were active in the last eight weeks and bought anything that week. Engines get the same
slots and the same eligible promotions; the first engine is held against the others.

Examples:
  tercet backtest --from 2017-08-14 --to 2017-08-28
  tercet backtest --from 2017-09-04 --to 2017-09-18 --engines tercet,personal,legacy --format json
  tercet backtest --from 2017-08-14 --to 2017-08-28 --engines tercet --ablate")]
pub(crate) struct BacktestArguments {
    /// The first Monday
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>)]
    from: Date,
    /// The last Monday
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>)]
    to: Date,
    /// The engines, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "popular,personal,personal-decayed,legacy,tercet",
        value_name = "NAMES"
    )]
    engines: Vec<String>,
    /// Seed of models and of the bootstrap, or several separated by commas: every week is replayed with each, and
    /// figures are of all [default: as configured]
    #[arg(long, value_delimiter = ',', value_name = "NUMBERS")]
    seed: Vec<u64>,
    /// Draws of the bootstrap
    #[arg(long, default_value_t = 1_000, value_name = "NUMBER")]
    draws: u32,
    /// Leave browsing out
    #[arg(long)]
    without_interactions: bool,
    /// Let tercet learn once more without each group of features: what each group is worth
    #[arg(long)]
    ablate: bool,
    /// Let tercet learn once more without these groups of features together, such as alike+rhythm
    #[arg(long, value_name = "GROUP+GROUP")]
    without: Vec<String>,
    /// Write the HTML report here [default: backtest.html in the project's folder]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    format: FormatFlag,
}

/// The engine that the others are held against, when it takes part.
const REFERENCE: &str = "tercet";

/// Replays the weeks and prints the comparison.
pub(crate) fn backtest(
    verb: &BacktestArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    check_seeds(&verb.seed)?;
    let project = Project::open(shared, environment)?;
    let mut contestants = Vec::new();
    for name in &verb.engines {
        let known = Contestant { engine: known_engine(name.trim())?, without: Vec::new() };
        if !contestants.contains(&known) {
            contestants.push(known);
        }
    }
    // The reference first, the others in the order they were named.
    contestants.sort_by_key(|contestant| contestant.engine != REFERENCE);
    if verb.ablate {
        contestants.extend(Contestant::ablations());
    }
    for group in &verb.without {
        contestants.push(Contestant::without(group)?);
    }
    let ask = Replay {
        from: verb.from,
        to: verb.to,
        contestants,
        seeds: match verb.seed.as_slice() {
            [] => vec![project.config.run.seed],
            seeds => seeds.to_vec(),
        },
        draws: verb.draws,
        without_interactions: verb.without_interactions,
    };
    let replayed = replay(&project, &ask, &shared.progress())?;
    let page = verb.report.clone().unwrap_or_else(|| project.folder.join("backtest.html"));
    let html = report(&project, &ask, &replayed).html()?;
    write_whole(&page, html.as_bytes())?;
    shared.progress().say(&format!("report: {}", page.display()));
    match verb.format.format {
        Format::Json => {
            print(serde_json::to_string_pretty(&replayed.summary).map_err(|cause| {
                Error::internal("T1005", "the results could not be written as JSON").cause(cause)
            })?)
        }
        format => {
            for scope in [Scope::Narrow, Scope::Broad, Scope::All] {
                if format == Format::Table {
                    print(format!("\n{}", heading(&format!("{} promotions", scope.name()))))?;
                }
                print(rows(format, &header(), &lines(&replayed.summary, scope)))?;
            }
            Ok(())
        }
    }
}

/// Refuses seeds that would count a replay twice, and more of them than anybody waits for.
fn check_seeds(seeds: &[u64]) -> Result<()> {
    /// The most.
    const SEEDS_MAX: usize = 50;
    if seeds.len() > SEEDS_MAX {
        return Err(Error::config("T1097", format!("{} seeds are asked for", seeds.len()))
            .hint(format!("give --seed at most {SEEDS_MAX} numbers, and more weeks instead")));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = seeds.iter().find(|seed| !seen.insert(**seed)) {
        return Err(Error::config("T1097", format!("seed {twice} is asked for twice"))
            .hint("give --seed every number once"));
    }
    Ok(())
}

/// Writes a file for a person: whole or not at all.
pub(super) fn write_whole(path: &std::path::Path, bytes: &[u8]) -> Result<()> {
    let partial = path.with_extension("partial");
    std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, path)).map_err(
        |cause| {
            Error::unavailable("T1008", format!("{}: cannot be written", path.display()))
                .cause(cause)
        },
    )
}

fn header() -> Vec<&'static str> {
    vec!["engine", "metric", "value", "low", "high", "vs", "relative", "rel. low", "rel. high"]
}

/// Rows of the printed table: figures of each engine, and the reference held against it.
fn lines(summary: &Summary, scope: Scope) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for (engine, scopes) in &summary.engines {
        let Some(metrics) = scopes.get(&scope) else { continue };
        let paired = summary
            .paired
            .get(&format!("{REFERENCE}-{engine}"))
            .and_then(|scopes| scopes.get(&scope));
        for metric in Metric::ALL {
            let Some(figure) = metrics.get(&metric) else { continue };
            let relative = paired
                .and_then(|paired| paired.get(&metric))
                .and_then(|difference| difference.relative.as_ref());
            let share = |value: Option<f64>| {
                value.map_or_else(String::new, |value| format!("{:+.1} %", 100.0 * value))
            };
            lines.push(vec![
                engine.clone(),
                metric.name().to_owned(),
                number(figure.value),
                number(figure.low),
                number(figure.high),
                if paired.is_some() { format!("{REFERENCE} is") } else { String::new() },
                share(relative.map(|relative| relative.value)),
                share(relative.map(|relative| relative.low)),
                share(relative.map(|relative| relative.high)),
            ]);
        }
    }
    lines
}

fn number(value: f64) -> String {
    if value.abs() >= 10.0 { format!("{value:.1}") } else { format!("{value:.4}") }
}

/// Fills the HTML report.
fn report(project: &Project, ask: &Replay, replayed: &Replayed) -> BacktestReport {
    let summary = &replayed.summary;
    let names: Vec<String> = ask.contestants.iter().map(Contestant::name).collect();
    let relative = |other: &str, metric: Metric| {
        let paired = summary.paired.get(&format!("{REFERENCE}-{other}"))?.get(&Scope::Narrow)?;
        paired.get(&metric)?.relative.as_ref()
    };
    let mut headlines = Vec::new();
    for (metric, label) in [
        (Metric::SpendCapturedMinor, "Spend captured"),
        (Metric::DiscoveryHitRateAt3, "Discovery hit rate"),
        (Metric::HitRateAt3, "Hit rate"),
    ] {
        if let Some(found) = relative("personal", metric) {
            headlines.push(Headline {
                label: format!("{label}, narrow"),
                value: format!("{:+.1} %", 100.0 * found.value),
                note: format!(
                    "against personal, 95 % from {:+.1} to {:+.1} %",
                    100.0 * found.low,
                    100.0 * found.high
                ),
            });
        }
    }
    let seconds: f64 = replayed.weeks.iter().map(|week| week.seconds).fold(0.0, f64::max);
    let seeds: Vec<String> = ask.seeds.iter().map(u64::to_string).collect();
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value };
    let mut notes = project.config.project.notes.clone();
    notes.push(
        "A replay shows who would have found the purchases that happened anyway; it does not show what an offer causes."
            .to_owned(),
    );
    if ask.without_interactions {
        notes.push("Browsing was left out of this replay.".to_owned());
    }
    BacktestReport {
        project: project.config.project.name.clone(),
        currency: project.config.project.currency.clone(),
        reference: names.first().map_or(REFERENCE, String::as_str).to_owned(),
        summary: format!(
            "{} weeks replayed with {} engines on the same slots, customers and promotions",
            replayed.weeks.len(),
            names.len()
        ),
        facts: vec![
            fact("weeks", format!("{} to {}", ask.from, ask.to)),
            fact("engines", names.join(", ")),
            fact("seed", seeds.join(", ")),
            fact("bootstrap", format!("{} draws of customers, paired", ask.draws)),
            fact("slowest week", format!("{seconds:.1} s")),
        ],
        headlines,
        notes,
        weeks: replayed
            .weeks
            .iter()
            .map(|week| WeekCount {
                week: week.monday,
                candidates: week.candidates as i64,
                customers: week.customers as i64,
                buyers: week.buyers as i64,
            })
            .collect(),
        pools: Scope::ALL.into_iter().map(|scope| pool(&names, summary, scope)).collect(),
    }
}

fn pool(names: &[String], summary: &Summary, scope: Scope) -> Pool {
    let estimate = |metric: Metric, interval: &Interval| Estimate {
        metric: metric.name().to_owned(),
        value: interval.value,
        low: interval.low,
        high: interval.high,
    };
    let engines = names.iter().filter_map(|name| {
        let metrics = summary.engines.get(name)?.get(&scope)?;
        Some(EngineResult {
            engine: name.clone(),
            metrics: metrics.iter().map(|(metric, interval)| estimate(*metric, interval)).collect(),
        })
    });
    let reference = names.first().map_or(REFERENCE, String::as_str);
    let paired = names.iter().skip(1).filter_map(|other| {
        let metrics = summary.paired.get(&format!("{reference}-{other}"))?.get(&scope)?;
        Some(PairedResult {
            against: other.clone(),
            differences: metrics
                .iter()
                .map(|(metric, paired)| Estimate {
                    metric: metric.name().to_owned(),
                    value: paired.value,
                    low: paired.low,
                    high: paired.high,
                })
                .collect(),
            relative: metrics
                .iter()
                .filter_map(|(metric, paired)| {
                    paired.relative.as_ref().map(|relative| estimate(*metric, relative))
                })
                .collect(),
        })
    });
    let slices = |of: &std::collections::BTreeMap<
        String,
        tercet_measurement::offline::PerScope<
            std::collections::BTreeMap<String, tercet_measurement::offline::Breakdown>,
        >,
    >| {
        let mut found = Vec::new();
        for (engine, scopes) in of {
            for (slice, breakdown) in scopes.get(&scope).into_iter().flatten() {
                for (metric, value) in &breakdown.metrics {
                    found.push(Slice {
                        slice: slice.clone(),
                        engine: engine.clone(),
                        metric: metric.name().to_owned(),
                        value: *value,
                        customers: breakdown.customers as i64,
                    });
                }
            }
        }
        found
    };
    Pool {
        name: scope.name().to_owned(),
        description: match scope {
            Scope::Narrow => {
                "Promotions with at most 100 eligible products: the ones that tell engines apart."
            }
            Scope::Broad => {
                "Promotions with more than 100 eligible products: buying into one says little."
            }
            Scope::All => "Every promotion that could be offered.",
        }
        .to_owned(),
        engines: engines.collect(),
        paired: paired.collect(),
        by_segment: slices(&summary.by_segment),
        by_week: slices(&summary.by_week),
    }
}
