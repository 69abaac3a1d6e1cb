//! What does the page of an evaluation say?

use serde_json::Value;
use tercet_delivery::report::evaluation::{
    Depth, EvaluatedModel, EvaluationReport, Fact, Headline, MetricFigure, Reading,
};
use tercet_measurement::ranking::{Metric, ModelFigures};

use super::table::{at, chance_words, left_out, seen_words};
use super::{Evaluation, Model};
use crate::output::thousands;

/// The page, filled.
pub(super) fn report(
    evaluation: &Evaluation,
    models: &[Model],
    primary: Metric,
    ks: &[usize],
    version: &str,
) -> EvaluationReport {
    let comparison = &evaluation.comparison;
    let facts = &evaluation.facts;
    let depths: Vec<Depth> = ks.iter().map(|k| depth(&comparison.models, primary, *k)).collect();
    let mut ranked: Vec<(&str, f64)> = comparison
        .models
        .iter()
        .filter_map(|model| Some((model.model.as_str(), at(model, primary, ks[0])?.value)))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let figure = format!("{}@{}", primary.name(), ks[0]);
    let summary = match ranked[..] {
        [] => "No model could be judged.".to_owned(),
        [(_, value), ..] if value <= 0.0 => format!("No model finds anything by {figure}."),
        [(only, value)] => format!("{only} reaches {value:.4} by {figure}."),
        [(best, value), (next, other), ..] if value > other => format!(
            "{best} ranks best by {figure}: {value:.4}, {:.4} above the next, {next}.",
            value - other
        ),
        [(one, value), (other, _), ..] => {
            format!("{one} and {other} rank alike by {figure}: {value:.4}.")
        }
    };
    let mut notes = Vec::new();
    if comparison.was_chosen && ranked.len() > 1 {
        notes.push(
            "The model that the others are held against is the best on these very customers, which flatters it. \
             Name it before, with --against, where a difference is to be believed."
                .to_owned(),
        );
    }
    notes.extend(left_out(facts));
    EvaluationReport {
        data: text(&facts["data"]),
        against: comparison.against.clone(),
        primary: primary.name().to_owned(),
        summary,
        facts: made_from(evaluation, version),
        headlines: headlines(evaluation, ranked.first().copied(), &figure),
        notes,
        depths,
        models: models
            .iter()
            .zip(&evaluation.costs)
            .map(|(model, cost)| EvaluatedModel {
                model: model.name.clone(),
                estimator: model.estimator.name.to_owned(),
                settings: settings_words(model),
                fit_seconds: cost.fit_cpu_seconds.unwrap_or(cost.fit_seconds),
                rank_seconds: cost.rank_cpu_seconds.unwrap_or(cost.rank_seconds),
            })
            .collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn settings_words(model: &Model) -> String {
    let said = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name} {text}"),
        value => format!("{name} {value}"),
    };
    model.settings.iter().map(said).collect::<Vec<String>>().join(", ")
}

fn headlines(evaluation: &Evaluation, best: Option<(&str, f64)>, figure: &str) -> Vec<Headline> {
    let headline = |label: &str, value: String, note: &str| Headline {
        label: label.to_owned(),
        value,
        note: note.to_owned(),
    };
    let facts = &evaluation.facts;
    let customers = format!("of {}", thousands(&facts["customers"]));
    let mut headlines = vec![
        headline("Customers judged", thousands(evaluation.comparison.customers), &customers),
        headline("Products ranked", thousands(&facts["products"]), "all of them, for everybody"),
    ];
    headlines.extend(
        best.map(|(model, value)| {
            headline(&format!("Best {figure}"), format!("{value:.4}"), model)
        }),
    );
    headlines
}

fn made_from(evaluation: &Evaluation, version: &str) -> Vec<Fact> {
    let (facts, comparison) = (&evaluation.facts, &evaluation.comparison);
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value };
    let split: Vec<String> = facts["split"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value.as_str() {
            Some(text) if name == "kind" => text.to_owned(),
            _ => format!("{name} {value}"),
        })
        .collect();
    let intervals = format!(
        "95 %, percentiles of a bootstrap over customers, {} draws, seed {}",
        thousands(comparison.draws),
        comparison.seed
    );
    let mut made_from = vec![
        fact("Data", text(&facts["data"])),
        fact("Lines", thousands(&facts["lines"])),
        fact("Split", split.join(", ")),
        fact("Judged part", text(&facts["judged"])),
        fact("Known products", seen_words(facts).to_owned()),
        fact("Intervals", intervals),
        fact("Tests", "Student's paired t over customers, corrected by Holm".to_owned()),
        fact("Version", format!("tercet {version}")),
    ];
    if facts["validation_is_learnt_from"] == Value::Bool(false) {
        let said = "known of the customers asked for, not learnt from".to_owned();
        made_from.insert(4, fact("Validation part", said));
    }
    made_from
}

fn depth(models: &[ModelFigures], primary: Metric, k: usize) -> Depth {
    let paired = || {
        models.iter().filter_map(|model| {
            let paired = at(model, primary, k)?.paired.as_ref()?;
            Some((model.model.clone(), paired))
        })
    };
    Depth {
        k,
        figures: models
            .iter()
            .map(|model| {
                let own = model.figures.iter().filter(|figure| figure.k == k);
                own.map(|figure| MetricFigure {
                    metric: figure.metric.name().to_owned(),
                    value: figure.value,
                    interval: figure.interval.map(|[low, high]| (low, high)),
                    is_best: figure.is_best,
                })
                .collect()
            })
            .collect(),
        differences: paired()
            .map(|(model, paired)| {
                let [low, high] = paired.interval;
                (model, Reading::Known { value: paired.value, low, high })
            })
            .collect(),
        chances: paired()
            .map(|(model, paired)| (model, chance_words(paired, paired.p_holm)))
            .collect(),
    }
}
