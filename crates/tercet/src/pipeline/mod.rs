//! How does one week become decisions, and how are the stages strung together?
//!
//! `runner` knows order, resume and visibility, and nothing of what stages do; `stages` is the thin edge
//! of each stage: tables in, a call to the crates that do the work, tables out.

mod answers;
mod arms;
mod aside;
mod audiences;
mod by_facts;
mod campaign;
mod champion;
mod decide;
mod decision_log;
mod draws;
mod effects;
mod engine_test;
mod evaluate;
mod filling;
mod history;
mod learn;
mod learned;
mod lessons;
mod lift;
mod limits;
mod lock;
mod manifest;
mod off_policy;
mod pairs;
mod parts;
mod pins;
mod plan_facts;
mod predict;
mod prepare;
mod prices;
mod publish;
mod ratio;
mod reasons;
mod redraws;
mod replay;
mod report;
mod retention;
mod runner;
mod scopes;
mod shop;
mod slates;
mod slot_masks;
mod stages;
mod tried;
mod week;
mod worth;

pub(crate) use campaign::{Campaign, campaign, participant};
pub(crate) use effects::{Effect, EffectFacts, EngineFacts, effects};
pub(crate) use evaluate::{Cost, Ground, Protocol, cut, fold_facts, purchase, rank_and_judge};
pub(crate) use history::Contact;
pub(crate) use lift::{
    Answer, Asked, Comparison, Measured, Planned, PowerAsk, compare, measure, plan,
};
pub(crate) use lock::exclusively;
pub(crate) use manifest::{
    RunManifest, Selection, Stage, chosen_run, complete_runs, files_of, stage_path,
};
pub(crate) use off_policy::{
    Asked as PolicyAsked, Evaluated, Evaluation, Judged, Policy, Reward, TableRow, View, evaluate,
};
pub(crate) use prepare::{identity_of, parts_of, pseudonym_key, sources_of};
pub(crate) use publish::rule_words;
pub(crate) use redraws::{Coverage, REDRAWS_MAX, redraw};
pub(crate) use replay::{Contestant, Replay, Replayed, replay};
pub(crate) use retention::apply_retention;
pub(crate) use runner::Outcome;
pub(crate) use shop::Shop;
pub(crate) use stages::weekly_run;
pub(crate) use worth::known_engine;
