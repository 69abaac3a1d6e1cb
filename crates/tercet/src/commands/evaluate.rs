//! Which recommender ranks best what customers took up next, by any table?

mod arguments;
mod described;
mod lines;
mod lists;
mod models;
mod places;
mod protocol;
mod read;
mod report;
mod table;
mod when;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tercet_engine::Engine;
use tercet_measurement::offline::Bootstrap;
use tercet_measurement::ranking::{Ask, Comparison, Metric, Redraws, Stage, compare};
use tercet_types::{Error, Result};

pub(super) use self::arguments::{DataArguments, product_column};
pub(super) use self::described::Described;
pub(super) use self::models::Model;
pub(super) use self::models::Sections;
use self::models::{chosen, sections_of};
pub(super) use self::models::{settings_file, settings_text};
pub(super) use self::places::written_apart;
pub(super) use self::protocol::{ProtocolArguments, SeenFlag};
pub(super) use self::read::{Data, read, read_known};
use super::Shared;
use super::uplift::table::{engine, folder_of};
use crate::config::{CONFIG_FILE, Environment, load};
use crate::output::{print, thousands};
use crate::pipeline::{Cost, Protocol, cut, fold_facts, rank_and_judge};

/// What an estimator answers to data that are too large for it.
const TOO_LARGE: &str = "T0408";

/// `tercet evaluate`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tercet evaluate --data interactions.csv --models all --k 10,20 --report evaluation.html\n  tercet evaluate --data orders.parquet --format baskets --customer household_id --order basket_id --json\n  tercet evaluate --data ratings.csv --split random --shares 8:1:1 --models popular,personal --metric ndcg\n  tercet evaluate --data sessions.parquet --test prefixes.parquet --k 20 --against popular"
)]
pub(crate) struct EvaluateArguments {
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    protocol: ProtocolArguments,
    /// Which are judged: names of estimators or of sections of the settings, or all that take data of this size
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',', default_value = "all")]
    models: Vec<String>,
    /// How many places of the lists count
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "10")]
    k: Vec<usize>,
    /// What the best is chosen by, at the first k
    #[arg(long, value_enum, default_value = "ndcg")]
    metric: MetricFlag,
    /// The model that the others are held against [default: the best]
    #[arg(long, value_name = "NAME")]
    against: Option<String>,
    /// Settings of models: TOML or JSON with [recommenders.NAME]
    #[arg(long, value_name = "FILE")]
    settings: Option<String>,
    /// Judge what settings are chosen by, not what is reported on
    #[arg(long, conflicts_with = "fit_without_validation")]
    validation: bool,
    /// Judge a share of the customers only, drawn by a hash
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    test_share: f64,
    /// How often the share is drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    redraws: u32,
    /// Draws of the intervals
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    draws: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Where to keep the JSON: a file, or a URL
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
    /// Where to keep the page: an .html file, or a URL
    #[arg(long, value_name = "FILE")]
    report: Option<String>,
}

/// A metric that models can be chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MetricFlag {
    Recall,
    Precision,
    HitRate,
    Ndcg,
    NdcgWholeIdeal,
    Mrr,
    Map,
}

impl MetricFlag {
    pub(super) const fn metric(self) -> Metric {
        match self {
            Self::Recall => Metric::Recall,
            Self::Precision => Metric::Precision,
            Self::HitRate => Metric::HitRate,
            Self::Ndcg => Metric::Ndcg,
            Self::NdcgWholeIdeal => Metric::NdcgWholeIdeal,
            Self::Mrr => Metric::Mrr,
            Self::Map => Metric::Map,
        }
    }
}

/// All that is said of an evaluation.
struct Evaluation {
    /// Data, protocol and folds.
    facts: Value,
    costs: Vec<Cost>,
    comparison: Comparison,
}

/// Reads, cuts, ranks and judges.
///
/// # Errors
/// `T1068` for a result that would be written over what is read, `T1091` to `T1094` for tables, splits and settings that
/// do not fit, `T0731` to `T0733` when nothing is left to judge.
pub(crate) fn evaluate(
    verb: &EvaluateArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let progress = shared.progress();
    let engine = engine(environment)?;
    let sections = settings_of(&engine, verb.settings.as_deref(), shared, environment)?;
    let config = shared.project.join(CONFIG_FILE).display().to_string();
    let mut inputs = verb.data.inputs();
    inputs.extend([verb.settings.as_deref().unwrap_or(&config)]);
    let outputs = [("out", verb.out.as_deref()), ("report", verb.report.as_deref())];
    written_apart(&outputs, &inputs)?;
    let mut models = chosen(&verb.models, &sections)?;
    if let Some(against) = &verb.against
        && !models.iter().any(|model| model.name == *against)
    {
        return Err(Error::config("T1094", format!("'{against}' is compared but not judged"))
            .hint("add it to --models"));
    }
    let (data, _) = progress.step("read", || {
        let data = read(&engine, &verb.data)?;
        let said = data_words(&data);
        Ok((data, said))
    })?;
    let evaluation = judged(verb, &mut models, &data, &progress)?;
    let document = document(&evaluation, &models);
    if let Some(place) = &verb.out {
        let (store, name) = folder_of(&engine, place)?;
        store.put(&name, format!("{document:#}\n").into_bytes())?;
    }
    let primary = verb.metric.metric();
    if let Some(place) = &verb.report {
        let page =
            report::report(&evaluation, &models, primary, &verb.k, env!("CARGO_PKG_VERSION"));
        let (store, name) = folder_of(&engine, place)?;
        store.put(&name, page.html()?.into_bytes())?;
    }
    if verb.json {
        return print(format!("{document:#}"));
    }
    print(table::page(&evaluation, primary, &verb.k))
}

/// The sections of a settings file, else of the project's configuration, where there is one.
pub(super) fn settings_of(
    engine: &Engine,
    place: Option<&str>,
    shared: &Shared,
    environment: &Environment,
) -> Result<Sections> {
    if let Some(place) = place {
        let (store, name) = folder_of(engine, place)?;
        return sections_of(&String::from_utf8_lossy(&store.get(&name)?), place);
    }
    if !shared.project.join(CONFIG_FILE).exists() {
        return Ok(Sections::new());
    }
    Ok(load(&shared.project, environment)?.config.recommenders)
}

/// What was read, in words.
pub(super) fn data_words(data: &Data) -> String {
    let histories = &data.ground.histories;
    format!(
        "{} lines of {} customers, {} products",
        thousands(histories.lines().len()),
        thousands(histories.customers()),
        thousands(histories.products())
    )
}

/// Judges the models; those that came with `all` and refuse data of this size are taken out.
fn judged(
    verb: &EvaluateArguments,
    models: &mut Vec<Model>,
    data: &Data,
    progress: &crate::output::Progress,
) -> Result<Evaluation> {
    let stage = if verb.validation { Stage::Validation } else { verb.protocol.test() };
    let histories = &data.ground.histories;
    let redraws = match (verb.test_share, verb.redraws) {
        (1.0, 1) => None,
        (share, count) => Some(Redraws::new(histories, share, count, verb.protocol.seed)?),
    };
    let protocol = Protocol {
        split: verb.protocol.split(data)?,
        stage,
        seen: verb.protocol.seen(data),
        ks: &verb.k,
        redraws,
    };
    let folds = cut(&data.ground, &protocol)?;
    let mut facts = verb.protocol.facts(data, stage)?;
    facts["data"] = json!(verb.data.data);
    facts["customers"] = json!(histories.customers());
    facts["products"] = json!(histories.products());
    facts["lines"] = json!(histories.lines().len());
    facts["values_are_known"] = json!(data.has_values);
    facts["test_share"] = json!(verb.test_share);
    facts["redraws"] = json!(verb.redraws);
    facts["folds"] = json!(fold_facts(&folds));
    let (mut scores, mut costs) = (Vec::new(), Vec::new());
    let mut left_out = Vec::new();
    for model in &*models {
        let is_wanted = model.is_named || verb.against.as_ref() == Some(&model.name);
        let (judgement, _) = progress.step(&model.name, || {
            let estimator = &*model.recommender;
            match rank_and_judge(&data.ground, &folds, &protocol, estimator, progress) {
                Ok(found) => {
                    let said = match found.scores.mean(verb.metric.metric(), verb.k[0]) {
                        Some(value) => {
                            format!("{}@{} {value:.4}", verb.metric.metric().name(), verb.k[0])
                        }
                        None => "nothing to judge".to_owned(),
                    };
                    Ok((Some(found), said))
                }
                Err(error) if error.code() == TOO_LARGE && !is_wanted => {
                    let why = error.to_string();
                    left_out.push(json!({ "model": model.name, "why": why }));
                    Ok((None, format!("left out: {why}")))
                }
                Err(error) => Err(error),
            }
        })?;
        if let Some(judgement) = judgement {
            scores.push((model.name.clone(), judgement.scores));
            costs.push(judgement.cost);
        }
    }
    models.retain(|model| scores.iter().any(|(name, _)| *name == model.name));
    facts["models_left_out"] = json!(left_out);
    let ask = Ask {
        against: verb.against.clone(),
        primary: verb.metric.metric(),
        bootstrap: Bootstrap { draws: verb.draws, seed: verb.protocol.seed },
        redraws,
    };
    let (mut comparison, _) = progress.step("compare", || {
        let found = compare(&scores, &ask)?;
        let said = format!("{} customers, {} draws", thousands(found.customers), verb.draws);
        Ok((found, said))
    })?;
    if !data.has_values {
        let figures = comparison.models.iter_mut().map(|model| &mut model.figures);
        figures.for_each(|figures| figures.retain(|figure| figure.metric != Metric::ValueMinor));
    }
    Ok(Evaluation { facts, costs, comparison })
}

/// The evaluation as JSON.
fn document(evaluation: &Evaluation, models: &[Model]) -> Value {
    let settings = models.iter().zip(&evaluation.costs).map(|(model, cost)| {
        let estimator = model.estimator.name;
        let said = json!({ "estimator": estimator, "settings": model.settings, "cost": cost });
        (model.name.clone(), said)
    });
    json!({
        "protocol": evaluation.facts,
        "models": settings.collect::<serde_json::Map<String, Value>>(),
        "comparison": evaluation.comparison,
    })
}
