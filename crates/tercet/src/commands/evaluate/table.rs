//! How is an evaluation read on a terminal?

use serde_json::Value;
use tercet_measurement::ranking::{Figure, Metric, ModelFigures, Paired};

use super::Evaluation;
use crate::output::{heading, thousands, unbroken};
use crate::pipeline::Cost;

/// The metrics of the main table, in order.
const SHOWN: [Metric; 7] = [
    Metric::Recall,
    Metric::HitRate,
    Metric::Ndcg,
    Metric::Mrr,
    Metric::Map,
    Metric::Novelty,
    Metric::Coverage,
];

/// All that is said on a terminal: the models, what sets them apart from the reference, and on what.
pub(super) fn page(evaluation: &Evaluation, primary: Metric, ks: &[usize]) -> String {
    let mut text = protocol(evaluation);
    for &k in ks {
        text.push_str(&format!("\n\n{}\n{}", heading(&format!("At {k}")), models(evaluation, k)));
    }
    if let Some(differences) = differences(evaluation, primary, ks[0]) {
        text.push_str(&format!("\n\n{differences}"));
    }
    if let Some(redraws) = redraws(evaluation, primary, ks[0]) {
        text.push_str(&format!("\n\n{redraws}"));
    }
    text.push_str("\n\n* the best of its column; below a figure its 95 % interval, a bootstrap over customers");
    text
}

/// What was judged, in a sentence or two.
fn protocol(evaluation: &Evaluation) -> String {
    let facts = &evaluation.facts;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut text = format!(
        "{} of {}: {} customers judged on the {} part, over all {} products; those that a customer knows are {}",
        word(&facts["split"]["kind"]),
        word(&facts["data"]),
        thousands(evaluation.comparison.customers),
        word(&facts["judged"]),
        thousands(&facts["products"]),
        seen_words(facts),
    );
    for sentence in left_out(facts) {
        text.push_str(&format!("\n{sentence}"));
    }
    text
}

/// Whether products that a customer knows are ranked.
pub(super) fn seen_words(facts: &Value) -> &'static str {
    match facts["seen"].as_str() {
        Some("drop") => "not ranked",
        _ => "ranked too",
    }
}

/// What and who cannot be judged or found: sentences.
pub(super) fn left_out(facts: &Value) -> Vec<String> {
    let folds = facts["folds"].as_array().map_or(&[][..], Vec::as_slice);
    let sum = |name: &str| folds.iter().filter_map(|fold| fold[name].as_u64()).sum::<u64>();
    let refused = facts["models_left_out"].as_array().into_iter().flatten();
    let mut said: Vec<String> = refused
        .map(|one| {
            let word = |name: &str| one[name].as_str().unwrap_or_default();
            format!(
                "{} is left out, as the data are too large for it: {}.",
                word("model"),
                word("why")
            )
        })
        .collect();
    if sum("unknown_customers") > 0 {
        said.push(format!(
            "{} customers are left out, of whom nothing is known before what is judged.",
            thousands(sum("unknown_customers"))
        ));
    }
    if sum("truth_lines_of_new_products") > 0 {
        said.push(format!(
            "{} of the {} lines to be found are of products that nobody in the training took up.",
            thousands(sum("truth_lines_of_new_products")),
            thousands(sum("truth_lines"))
        ));
    }
    if sum("truth_lines_of_known_products") > 0 && facts["seen"] == "drop" {
        said.push(format!(
            "{} of the {} lines to be found are of products that the customer knows, which are not ranked.",
            thousands(sum("truth_lines_of_known_products")),
            thousands(sum("truth_lines"))
        ));
    }
    said
}

pub(super) fn at(model: &ModelFigures, metric: Metric, k: usize) -> Option<&Figure> {
    model.figures.iter().find(|figure| figure.metric == metric && figure.k == k)
}

fn models(evaluation: &Evaluation, k: usize) -> String {
    let names = SHOWN.map(Metric::name);
    let header: Vec<&str> = ["model"].into_iter().chain(names).chain(["fit s", "rank s"]).collect();
    let lines: Vec<Vec<String>> = evaluation
        .comparison
        .models
        .iter()
        .zip(&evaluation.costs)
        .map(|(model, cost)| {
            let mut line = vec![model.model.clone()];
            line.extend(SHOWN.map(|metric| at(model, metric, k).map_or("–".to_owned(), cell)));
            let Cost { fit_cpu_seconds, rank_cpu_seconds, fit_seconds, rank_seconds } = *cost;
            line.push(format!("{:.2}", fit_cpu_seconds.unwrap_or(fit_seconds)));
            line.push(format!("{:.2}", rank_cpu_seconds.unwrap_or(rank_seconds)));
            line
        })
        .collect();
    unbroken(&header, &lines)
}

/// A value, its mark, and below them its interval; without their leading zero, so that all columns fit.
fn cell(figure: &Figure) -> String {
    let digits = |value: f64| match value.abs() {
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.4}").replacen("0.", ".", 1),
    };
    let mark = if figure.is_best { "*" } else { "" };
    let interval = figure.interval.map(|[low, high]| format!("\n{}–{}", digits(low), digits(high)));
    format!("{}{mark}{}", digits(figure.value), interval.unwrap_or_default())
}

/// A probability as it is to be read, or why there is none.
pub(super) fn chance_words(paired: &Paired, p: Option<f64>) -> String {
    match p {
        Some(p) if p < 0.0001 => "< 0.0001".to_owned(),
        Some(p) => format!("{p:.4}"),
        None => paired.refused.map_or("–", |refused| refused.words()).to_owned(),
    }
}

/// Each model less the reference, with a test.
fn differences(evaluation: &Evaluation, metric: Metric, k: usize) -> Option<String> {
    let comparison = &evaluation.comparison;
    let lines: Vec<Vec<String>> = comparison
        .models
        .iter()
        .filter_map(|model| {
            let paired = at(model, metric, k)?.paired.as_ref()?;
            let [low, high] = paired.interval;
            Some(vec![
                model.model.clone(),
                format!("{:+.4}", paired.value),
                format!("{low:+.4} to {high:+.4}"),
                chance_words(paired, paired.p_value),
                chance_words(paired, paired.p_holm),
            ])
        })
        .collect();
    let title =
        format!("{}@{k} less that of {}, customer by customer", metric.name(), comparison.against);
    let header = ["model", "difference", "95 % interval", "p", "p for all (Holm)"];
    (!lines.is_empty()).then(|| format!("{}\n{}", heading(&title), unbroken(&header, &lines)))
}

/// Means over redrawn shares.
fn redraws(evaluation: &Evaluation, metric: Metric, k: usize) -> Option<String> {
    let redrawn = |model: &ModelFigures, metric| at(model, metric, k).and_then(|f| f.redrawn);
    let first = redrawn(evaluation.comparison.models.first()?, metric)?;
    let names = SHOWN[..5].iter().map(|metric| format!("{}@{k}", metric.name()));
    let names: Vec<String> = ["model".to_owned()].into_iter().chain(names).collect();
    let header: Vec<&str> = names.iter().map(String::as_str).collect();
    let lines: Vec<Vec<String>> = evaluation
        .comparison
        .models
        .iter()
        .map(|model| {
            let cells = SHOWN[..5].iter().map(|metric| match redrawn(model, *metric) {
                Some(found) => {
                    let deviation = found.deviation.map(|sd| format!(" ± {sd:.4}"));
                    format!("{:.4}{}", found.mean, deviation.unwrap_or_default())
                }
                None => "–".to_owned(),
            });
            [model.model.clone()].into_iter().chain(cells).collect()
        })
        .collect();
    let title = format!("Mean and standard deviation over {} redrawn shares", first.redraws);
    Some(format!("{}\n{}", heading(&title), unbroken(&header, &lines)))
}
