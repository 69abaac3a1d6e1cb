//! How does it look, how often intervals held the truth?

use tercet_measurement::Found;
use tercet_types::{Currency, Result};

use super::{name_of, scale_of};
use crate::output::{Format, heading, print, rows, thousands};
use crate::pipeline::Coverage;

const HEADER: [&str; 8] = [
    "a customer's week",
    "true effect",
    "±",
    "error",
    "stated",
    "95 % that hold it",
    "adjusted",
    "relative",
];

/// A table for each engine and what it is held against.
pub(super) fn tables(coverage: &[Coverage], redraws: u32, currency: Currency) -> Result<()> {
    if coverage.is_empty() {
        return Ok(());
    }
    print(heading(&format!(
        "\n{} redraws of chance and assignment, the offers as decided (simulated)",
        thousands(redraws)
    )))?;
    for one in coverage.chunk_by(|a, b| (a.engine, a.over) == (b.engine, b.over)) {
        let (engine, over) = (one[0].engine, one[0].over.unwrap_or("no offers"));
        print(format!("\n{}", heading(&format!("{engine} less {over}"))))?;
        let lines: Vec<Vec<String>> =
            one.chunk_by(|a, b| a.effect == b.effect).map(|ways| line(ways, currency)).collect();
        print(rows(Format::Table, &HEADER, &lines))?;
    }
    print(
        "\ntrue effect: expected over chance, of all who may be sent offers, ± its standard error over redraws\n\
         error: standard deviation of the estimates; stated: mean of the standard errors that come with them\n\
         95 % that hold it: share of the intervals, with its own; --format json has it of the adjusted and relative\n\
         adjusted: the difference less what spend before explains (CUPED)",
    )
}

fn line(ways: &[Coverage], currency: Currency) -> Vec<String> {
    let facts = &ways[0];
    let scale = scale_of(facts.effect, currency);
    let number = |value: f64| format!("{:.4}", value / scale);
    let mut line = vec![
        name_of(facts.effect, currency),
        format!("{:+.4}", facts.truth / scale),
        format!("{:.5}", facts.truth_error / scale),
        number(facts.error),
        number(facts.stated_error),
    ];
    line.extend(ways.iter().enumerate().map(|(place, way)| match &way.covered {
        Found::Estimate(share) => {
            let [value, low, high] = [share.value, share.low, share.high].map(|x| 100.0 * x);
            let refused = match way.refused {
                0 => String::new(),
                refused => format!(", {} refused", thousands(refused)),
            };
            match place {
                0 => format!("{value:.1} % ({low:.1} to {high:.1}){refused}"),
                _ => format!("{value:.1} %{refused}"),
            }
        }
        Found::Refused { .. } => "refused".to_owned(),
    }));
    line.resize(HEADER.len(), String::new());
    line
}

/// All of it as CSV.
pub(super) fn lines(coverage: &[Coverage]) -> Result<()> {
    let header = [
        "simulated",
        "engine",
        "over",
        "effect",
        "way",
        "truth",
        "truth_error",
        "mean_estimate",
        "error",
        "stated_error",
        "refused",
        "covered",
        "covered_low",
        "covered_high",
    ];
    let line = |facts: &Coverage| {
        let mut line = vec![
            "true".to_owned(),
            facts.engine.to_owned(),
            facts.over.unwrap_or_default().to_owned(),
            facts.effect.name().to_owned(),
            facts.way.name().to_owned(),
        ];
        line.extend(
            [facts.truth, facts.truth_error, facts.mean_estimate, facts.error, facts.stated_error]
                .map(|value| value.to_string()),
        );
        line.push(facts.refused.to_string());
        line.extend(match &facts.covered {
            Found::Estimate(share) => [share.value, share.low, share.high].map(|x| x.to_string()),
            Found::Refused { .. } => <[String; 3]>::default(),
        });
        line
    };
    print(rows(Format::Csv, &header, &coverage.iter().map(line).collect::<Vec<_>>()))
}
