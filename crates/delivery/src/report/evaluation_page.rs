//! Which figures and tables does the page of an evaluation hold?

use minijinja::value::Serde;
use minijinja::{Value, context};
use tercet_types::{Currency, Result};

use super::evaluation::{Depth, EvaluationReport, MetricFigure, Reading};
use super::figure::{About, Table};
use super::page;
use super::reading::{forest, text};
use crate::format::{self, Unit};

/// Metrics in order of display: name, label, unit, meaning.
const METRICS: &[(&str, &str, Unit, &str)] = &[
    ("recall", "Recall", Unit::Rate, "Share of what was to be found that stands in the list."),
    (
        "precision",
        "Precision",
        Unit::Rate,
        "Share of the list's places that hold something to be found.",
    ),
    (
        "hit_rate",
        "Hit rate",
        Unit::Rate,
        "Share of customers whose list holds anything to be found.",
    ),
    (
        "ndcg",
        "NDCG",
        Unit::Number,
        "Hits, worth less the lower they stand, over the best list of this length.",
    ),
    (
        "ndcg_whole_ideal",
        "NDCG, whole ideal",
        Unit::Number,
        "The same over a list that holds all there was to be found, however long.",
    ),
    ("mrr", "MRR", Unit::Number, "One over the place of the first hit, 0 without one."),
    ("map", "MAP", Unit::Number, "Precision at each hit, averaged over all there was to be found."),
    ("repeat_recall", "Repeat recall", Unit::Rate, "Recall of what the customer took up before."),
    ("explore_recall", "Explore recall", Unit::Rate, "Recall of what is new to the customer."),
    (
        "value_minor",
        "Value found",
        Unit::Number,
        "What was paid for the hits, hundredths of the table's unit.",
    ),
    (
        "novelty",
        "Novelty",
        Unit::Number,
        "How rare what is listed is, in bits: minus log2 of its share of customers.",
    ),
    (
        "popularity",
        "Popularity",
        Unit::Rate,
        "Share of customers who took up what is listed: how much a list follows the crowd.",
    ),
    ("coverage", "Coverage", Unit::Rate, "Share of all products that stand in anybody's list."),
    (
        "gini",
        "Gini",
        Unit::Number,
        "How unevenly products share the places: 0 evenly, near 1 a few take all.",
    ),
];

fn known(name: &str) -> (&str, Unit) {
    let found = METRICS.iter().find(|metric| metric.0 == name);
    found.map_or((name, Unit::Number), |metric| (metric.1, metric.2))
}

pub(crate) fn html(report: &EvaluationReport) -> Result<String> {
    let currency = Currency::new(page::NO_CURRENCY)?;
    let depths: Vec<Value> =
        report.depths.iter().map(|depth| view(depth, report, currency)).collect();
    let meanings: Vec<Value> = METRICS
        .iter()
        .map(|(_, label, _, meaning)| context! { label => *label, meaning => *meaning })
        .collect();
    let context = context! {
        r => Serde(report),
        depths => depths,
        models => models(report),
        meanings => meanings,
    };
    page::render("evaluation.html", context, currency)
}

fn view(depth: &Depth, report: &EvaluationReport, currency: Currency) -> Value {
    let (label, unit) = known(&report.primary);
    let difference = if unit == Unit::Rate { Unit::Points } else { unit };
    let differences = forest(
        About {
            id: &format!("differences-{}", depth.k),
            title: &format!("{label} less that of {}", report.against),
            description: "Customer by customer; right of the line ranks better.",
            unit: difference,
            currency,
        },
        ["Model", "Difference"],
        &depth.differences,
    );
    context! {
        k => depth.k,
        id => format!("at-{}", depth.k),
        differences => differences.map(Value::from),
        tests => tests(depth, difference, currency),
        rows => rows(depth, currency),
    }
}

/// Metrics (rows) by models (columns).
fn rows(depth: &Depth, currency: Currency) -> Vec<Value> {
    let find =
        |figures: &[MetricFigure], name: &str| figures.iter().find(|f| f.metric == name).cloned();
    let there = |name: &str| depth.figures.iter().any(|figures| find(figures, name).is_some());
    METRICS
        .iter()
        .filter(|(name, ..)| there(name))
        .map(|(name, label, unit, _)| {
            let text = |value: f64| format::value(value, *unit, currency);
            let cells: Vec<Value> = depth
                .figures
                .iter()
                .map(|figures| match find(figures, name) {
                    Some(figure) => context! {
                        value => text(figure.value),
                        interval => figure.interval.map_or(String::new(), |(low, high)| {
                            format!("{} – {}", text(low), text(high))
                        }),
                        best => figure.is_best,
                    },
                    None => context! { value => "–", interval => "", best => false },
                })
                .collect();
            context! { label => *label, cells }
        })
        .collect()
}

fn tests(depth: &Depth, unit: Unit, currency: Currency) -> Table {
    let chance = |model: &str| {
        let found = depth.chances.iter().find(|(name, _)| name == model);
        found.map_or("–".to_owned(), |(_, chance)| chance.clone())
    };
    let row = |(model, reading): &(String, Reading)| {
        vec![model.clone(), text(reading, unit, currency), chance(model)]
    };
    let head = ["Model", "Difference", "By chance alone"];
    Table::new("Paired differences", 1, &head, depth.differences.iter().map(row).collect())
}

fn models(report: &EvaluationReport) -> Table {
    let row = |model: &super::evaluation::EvaluatedModel| {
        vec![
            model.model.clone(),
            model.estimator.clone(),
            if model.settings.is_empty() {
                "as they come".to_owned()
            } else {
                model.settings.clone()
            },
            format::seconds(model.fit_seconds),
            format::seconds(model.rank_seconds),
        ]
    };
    let head = ["Model", "Estimator", "Settings", "CPU to fit", "CPU to rank"];
    Table::new("Models", 3, &head, report.models.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::assert_whole;
    use super::*;

    #[test]
    fn the_sample_renders_whole_and_needs_nothing_from_outside() {
        let html = EvaluationReport::sample().html().unwrap();
        assert_whole(&html);
        for said in
            ["NDCG less that of ease", "Hit rate", "At 20", "too few units", "window_days 7"]
        {
            assert!(html.contains(said), "{said}");
        }
    }

    #[test]
    fn an_evaluation_of_nothing_renders() {
        let sample = EvaluationReport::sample();
        let report = EvaluationReport {
            depths: vec![Depth { k: 5, figures: vec![], differences: vec![], chances: vec![] }],
            models: vec![],
            facts: vec![],
            headlines: vec![],
            notes: vec![],
            ..sample
        };
        let html = report.html().unwrap();
        assert_whole(&html);
        assert!(html.contains("No model has figures"));
    }
}
