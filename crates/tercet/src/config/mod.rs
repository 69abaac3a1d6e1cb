//! What may a project configure?
//!
//! One file per section of `tercet.toml`; the doc comment of a field is its reference. This is the
//! only place that reads TOML and environment variables. Precedence: flag, then
//! `TERCET__SECTION__KEY`, then the file, then the default.

mod champion;
mod delivery;
mod experiment;
mod exploration;
mod lift;
mod load;
mod model;
mod project;
mod retention;
mod routes;
mod rules;
mod run;
mod slots;

pub(crate) use champion::Champion;
pub(crate) use delivery::Delivery;
pub(crate) use experiment::Experiment;
pub(crate) use exploration::Exploration;
pub(crate) use lift::Lift;
pub(crate) use load::{CONFIG_FILE, Environment, load, store_options};
pub(crate) use model::{Model, ModelValue};
pub(crate) use project::Project;
pub(crate) use retention::Retention;
pub(crate) use routes::Routes;
pub(crate) use rules::{Audience, Pin, Rules};
pub(crate) use run::{AsOf, Run};
pub(crate) use slots::Slot;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The whole of `tercet.toml`. Every key is optional; an unknown key is an error.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Name, currency, time zone, and where runs are kept.
    pub(crate) project: Project,
    /// As-of date, seed, engine, threads and memory.
    pub(crate) run: Run,
    /// Raw files that a source's `query` joins.
    pub(crate) inputs: BTreeMap<String, tercet_sources::InputSpec>,
    /// The shop's data, mapped onto the canonical tables.
    pub(crate) sources: BTreeMap<String, tercet_sources::SourceSpec>,
    /// What is checked, and what happens to rows that fail.
    pub(crate) contract: tercet_sources::ContractOptions,
    /// Noise, bots, sessions, discontinued products, pseudonyms.
    pub(crate) prepare: tercet_sources::PrepareOptions,
    /// Windows and thresholds of segments and features.
    pub(crate) features: tercet_features::Settings,
    /// How the order-value model is trained.
    pub(crate) model: Model,
    /// How each behaviour segment is served.
    pub(crate) routes: Routes,
    /// The offers a customer gets, one entry each.
    #[serde(rename = "slots")]
    pub(crate) slots: Vec<Slot>,
    /// Who is in the run's target audience.
    pub(crate) audience: Audience,
    /// What must hold: control group, caps, budgets, contact limits, pins.
    pub(crate) rules: Rules,
    /// How much is drawn at random.
    pub(crate) exploration: Exploration,
    /// Which engine is tried against which.
    pub(crate) experiment: Experiment,
    /// Which engines compete to decide the week.
    pub(crate) champion: Champion,
    /// What leaves the house.
    pub(crate) delivery: Delivery,
    /// Settings of recommenders, by the name of the estimator, or by one of their own with `estimator` inside.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) recommenders: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    /// How it is measured what offers brought.
    pub(crate) lift: Lift,
    /// How many old runs are kept.
    pub(crate) retention: Retention,
}
