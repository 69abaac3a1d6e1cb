//! Which settings of an estimator rank best on what was held back to choose them?

mod trials;

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};
use tercet_engine::Engine;
use tercet_measurement::ranking::Stage;
use tercet_models::Attributes;
use tercet_models::search::{Tried, propose};
use tercet_types::{Error, ErrorKind, Result};

use self::trials::{Trial, Trials};
use super::Shared;
use super::evaluate::{
    Data, DataArguments, MetricFlag, Model, ProtocolArguments, Sections, data_words, read,
    settings_file, settings_of, settings_text, written_apart,
};
use super::uplift::table::{engine, folder_of};
use crate::config::Environment;
use crate::output::{Progress, heading, now, print, unbroken};
use crate::pipeline::{Protocol, cut, rank_and_judge};

/// The most trials of one study.
const BUDGET_MAX: u64 = 10_000;

/// `tercet tune`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tercet tune --data interactions.csv --model popular --budget 30 --out popular.toml\n  tercet tune --data orders.parquet --format baskets --model personal --minutes 20 --metric recall\n  tercet evaluate --data interactions.csv --settings popular.toml"
)]
pub(crate) struct TuneArguments {
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    protocol: ProtocolArguments,
    /// The estimator, or the section of the settings to start from
    #[arg(long, value_name = "NAME")]
    model: String,
    /// Settings to start from: TOML or JSON with [recommenders.NAME] [default: those of the project, where there is one]
    #[arg(long, value_name = "FILE")]
    settings: Option<String>,
    /// How many settings are tried in all, those of earlier calls counted
    #[arg(long, value_name = "TRIALS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=BUDGET_MAX))]
    budget: u64,
    /// Begin no trial after so many minutes
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<f64>,
    /// How many places of the lists count
    #[arg(long, value_name = "N", default_value_t = 10)]
    k: usize,
    /// What is to become large
    #[arg(long, value_enum, default_value = "ndcg")]
    metric: MetricFlag,
    /// Where trials are kept: a file, or a URL [default: MODEL.trials.jsonl in the project's folder]
    #[arg(long, value_name = "FILE")]
    trials: Option<String>,
    /// Where to keep the best settings, as .toml or .json, beside other sections there [default: printed]
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
    /// Print all trials as JSON
    #[arg(long)]
    json: bool,
}

/// Tries settings, each judged on the validation part alone, and keeps the best.
///
/// # Errors
/// Those of reading and judging as in `tercet evaluate`; `T1068` for a result that would be written over what is read;
/// `T1094` for a file that holds more than settings and would be written anew; `T1095` for a model without anything to search, or settings
/// that cannot be written.
pub(crate) fn tune(verb: &TuneArguments, shared: &Shared, environment: &Environment) -> Result<()> {
    let progress = shared.progress();
    let engine = engine(environment)?;
    let sections = settings_of(&engine, verb.settings.as_deref(), shared, environment)?;
    let model = Model::named(&verb.model, &sections)?;
    if model.estimator.space.is_empty() {
        return Err(Error::config("T1095", format!("{}: nothing can be searched", verb.model))
            .hint("the estimator has no settings with a range"));
    }
    let default_place = shared.project.join(format!("{}.trials.jsonl", verb.model));
    let place = verb.trials.clone().unwrap_or_else(|| default_place.display().to_string());
    // Settings that are started from may be written anew: their other sections are kept.
    written_apart(&[("out", verb.out.as_deref())], &verb.data.inputs())?;
    let mut inputs = verb.data.inputs();
    inputs.extend(verb.settings.as_deref().into_iter().chain(verb.out.as_deref()));
    written_apart(&[("trials", Some(&place))], &inputs)?;
    beside(&engine, verb.out.as_deref())?;
    let (data, _) = progress.step("read", || {
        let data = read(&engine, &verb.data)?;
        let said = data_words(&data);
        Ok((data, said))
    })?;
    let (store, file) = folder_of(&engine, &place)?;
    let mut trials = Trials::read(&store, &file, &place, &study(verb, &model, &data)?)?;
    search(verb, &model, &data, &mut trials, &progress)?;
    let Some(best) = trials.best() else {
        return Err(Error::data("T1095", format!("{}: no trial could be judged", verb.model))
            .hint(format!("why stands in {place}")));
    };
    if verb.json {
        print(format!("{:#}", json!({ "best": best, "trials": trials.all() })))?;
    } else {
        print(page(verb, &model, &trials))?;
    }
    let mut sections = beside(&engine, verb.out.as_deref())?;
    sections.insert(model.name.clone(), section(&model, &best.settings)?);
    match &verb.out {
        Some(out) => {
            let text = settings_text(&sections, Some(out))?;
            let (store, name) = folder_of(&engine, out)?;
            store.put(&name, text.into_bytes())?;
            progress
                .say(&format!("next: tercet evaluate --settings {out} --models {}", verb.model));
        }
        None if !verb.json => {
            let text = settings_text(&sections, None)?;
            print(format!("\n{}\n{text}", heading("The best settings")))?;
        }
        None => (),
    }
    Ok(())
}

/// The sections of the file that is to be written, where it is there already.
///
/// # Errors
/// `T1094` when it holds anything else, which would be lost.
fn beside(engine: &Engine, out: Option<&str>) -> Result<Sections> {
    let Some(out) = out else { return Ok(Sections::new()) };
    let (store, name) = folder_of(engine, out)?;
    match store.get_if_there(&name)? {
        Some(bytes) => settings_file(&String::from_utf8_lossy(&bytes), out),
        None => Ok(Sections::new()),
    }
}

/// Runs trials until the budget is spent.
fn search(
    verb: &TuneArguments,
    model: &Model,
    data: &Data,
    trials: &mut Trials<'_>,
    progress: &Progress,
) -> Result<()> {
    let ks = [verb.k];
    let protocol = Protocol {
        split: verb.protocol.split(data)?,
        stage: Stage::Validation,
        seen: verb.protocol.seen(data),
        ks: &ks,
        redraws: None,
    };
    let folds = cut(&data.ground, &protocol)?;
    let start = start(model)?;
    let (metric, began) = (verb.metric.metric(), now());
    let time_is_up = || {
        verb.minutes.is_some_and(|minutes| {
            began.elapsed() >= Duration::from_secs_f64(60.0 * minutes.max(0.0))
        })
    };
    while (trials.all().len() as u64) < verb.budget && !time_is_up() {
        let tried: Vec<Tried> = trials.all().iter().map(Trial::tried).collect();
        let settings = propose(model.estimator.space, &start, &tried, verb.protocol.seed);
        let number = trials.all().len() + 1;
        let (trial, _) = progress.step(&format!("trial {number}"), || {
            let judged = model.estimator.build(&settings).and_then(|estimator| {
                rank_and_judge(&data.ground, &folds, &protocol, &*estimator, progress)
            });
            let trial = match judged {
                Ok(found) => Trial {
                    trial: number,
                    settings: settings.clone(),
                    value: found.scores.mean(metric, verb.k),
                    cost: Some(found.cost),
                    failed: None,
                },
                // Settings that do not go together are a trial that failed; anything else is no fault of theirs.
                Err(error) if error.kind() == ErrorKind::Config => Trial {
                    trial: number,
                    settings: settings.clone(),
                    value: None,
                    cost: None,
                    failed: Some(error.to_string()),
                },
                Err(error) => return Err(error),
            };
            let said = match trial.value {
                Some(value) => format!("{}@{} {value:.4}", metric.name(), verb.k),
                None => trial.failed.clone().unwrap_or_else(|| "nothing to judge".to_owned()),
            };
            Ok((trial, said))
        })?;
        trials.keep(trial)?;
    }
    Ok(())
}

/// Every setting that a search starts from: the estimator's own, and over them what the section says.
fn start(model: &Model) -> Result<Value> {
    let mut start = model.estimator.defaults()?;
    if let Some(all) = start.as_object_mut() {
        all.extend(model.settings.clone());
    }
    Ok(start)
}

/// What makes trials comparable: the data, how they are judged, and what is searched.
fn study(verb: &TuneArguments, model: &Model, data: &Data) -> Result<Value> {
    let histories = &data.ground.histories;
    let mut hash = blake3::Hasher::new();
    for customer in 0..histories.customers() {
        hash.update(&histories.customer_key(customer as u32).to_le_bytes());
    }
    for product in &data.product_ids {
        hash.update(product.as_bytes()).update(&[0]);
    }
    for line in histories.lines() {
        hash.update(format!("{line:?}").as_bytes());
    }
    Ok(json!({
        "data": hash.finalize().to_hex().as_str()[..16],
        "attributes": [known(&data.ground.products), known(&data.ground.customers)],
        "protocol": verb.protocol.facts(data, Stage::Validation)?,
        "seed": verb.protocol.seed,
        "estimator": model.estimator.name,
        "start": start(model)?,
        "space": format!("{:?}", model.estimator.space),
        "metric": format!("{}@{}", verb.metric.metric().name(), verb.k),
    }))
}

/// A fingerprint of what is known of every row, and its kinds.
fn known(attributes: &Attributes) -> Value {
    let mut hash = blake3::Hasher::new();
    for kind in attributes.kinds() {
        for row in 0..attributes.rows() {
            let values = kind.of(row as u32);
            hash.update(&(values.len() as u64).to_le_bytes());
            values.iter().for_each(|value| _ = hash.update(&value.to_le_bytes()));
        }
    }
    let names: Vec<&str> = attributes.kinds().iter().map(|kind| kind.name()).collect();
    json!([names, hash.finalize().to_hex().as_str()[..16]])
}

/// The settings as a section that later calls read: what was searched, and what else differs from the estimator's own.
fn section(model: &Model, settings: &Value) -> Result<Map<String, Value>> {
    let defaults = model.estimator.defaults()?;
    let is_searched = |name: &str| {
        model.estimator.space.iter().any(|axis| axis.setting.split('.').next() == Some(name))
    };
    let mut section = Map::new();
    if model.name != model.estimator.name {
        section.insert("estimator".to_owned(), model.estimator.name.into());
    }
    for (name, value) in settings.as_object().into_iter().flatten() {
        let is_default = defaults.get(name) == Some(value);
        if !is_default || (is_searched(name) && !value.is_null()) {
            section.insert(name.clone(), value.clone());
        }
    }
    Ok(section)
}

/// All trials, the best first.
fn page(verb: &TuneArguments, model: &Model, trials: &Trials<'_>) -> String {
    let figure = format!("{}@{}", verb.metric.metric().name(), verb.k);
    let axes = model.estimator.space;
    let header: Vec<&str> = ["trial", &figure, "fit s", "rank s"]
        .into_iter()
        .chain(axes.iter().map(|axis| axis.setting))
        .collect();
    let shown = |value: Option<&Value>| match value {
        Some(Value::Number(number)) => match number.as_f64() {
            Some(real) if number.is_f64() => format!("{real:.4}"),
            _ => number.to_string(),
        },
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "–".to_owned(),
    };
    let mut order: Vec<&Trial> = trials.all().iter().collect();
    order.sort_by(|a, b| {
        let of = |trial: &Trial| trial.value.unwrap_or(f64::NEG_INFINITY);
        of(b).total_cmp(&of(a)).then(a.trial.cmp(&b.trial))
    });
    let lines: Vec<Vec<String>> = order
        .into_iter()
        .map(|trial| {
            let cost = |of: fn(&crate::pipeline::Cost) -> f64| {
                trial.cost.as_ref().map_or("–".to_owned(), |cost| format!("{:.2}", of(cost)))
            };
            let mut line = vec![
                trial.trial.to_string(),
                trial.value.map_or("–".to_owned(), |value| format!("{value:.4}")),
                cost(|cost| cost.fit_cpu_seconds.unwrap_or(cost.fit_seconds)),
                cost(|cost| cost.rank_cpu_seconds.unwrap_or(cost.rank_seconds)),
            ];
            line.extend(axes.iter().map(|axis| {
                let path = format!("/{}", axis.setting.replace('.', "/"));
                shown(trial.settings.pointer(&path))
            }));
            line
        })
        .collect();
    let spent: f64 = trials.all().iter().filter_map(Trial::cpu_seconds).sum();
    format!(
        "{}\n{}\n{} trials, {spent:.1} s of CPU",
        heading(&format!("{} by {figure} on the validation part", verb.model)),
        unbroken(&header, &lines),
        trials.all().len()
    )
}
