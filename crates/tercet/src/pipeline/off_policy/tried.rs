//! What did the draws of earlier runs try?

use std::collections::BTreeMap;

use tercet_types::{DAYS_PER_WEEK, Date, ErrorKind, Result};

use super::logged::{Log, LoggedRun, LoggedSlate};
use super::{Asked, Reward};
use crate::commands::Project;
use crate::config::ModelValue;
use crate::output::Progress;
use crate::pipeline::manifest::{Stage, complete_runs, parse, stage_path};
use crate::pipeline::plan_facts::PlanFacts;
use crate::pipeline::tried::{Drawn, TriedWeek, Tries, first_tried, share_of};

/// The most slates of a week that are gone through; of more, so many are drawn.
const SLATES_MAX: usize = 20_000;

/// The runs whose draws a run of that day learns from: complete ones of the configured engine that drew something,
/// whose weeks are over, one per Monday (that of the last id when a day was run with several seeds). Answers are those
/// of whole weeks before that day, so that runs of another weekday have none.
pub(in crate::pipeline) fn runs_that_drew(project: &Project, as_of: Date) -> Result<Vec<String>> {
    let model = &project.config.model;
    if model.value != ModelValue::Auto || !model.external_scores.is_empty() {
        return Ok(Vec::new());
    }
    let (from, to) = weeks(as_of);
    let runs: BTreeMap<Date, String> = complete_runs(&project.store)?
        .into_iter()
        .filter(|run| run.engine == project.config.run.engine)
        .filter(|run| (from..=to).contains(&run.as_of))
        .filter(|run| (as_of.days() - run.as_of.days()) % DAYS_PER_WEEK == 0)
        .map(|run| (run.as_of, run.run_id))
        .collect();
    let mut drew = Vec::new();
    for run_id in runs.into_values() {
        let path = stage_path(&run_id, Stage::Allocation, "plan.json");
        let Some(plan) = project.store.get_if_there(&path)? else { continue };
        if parse::<PlanFacts>(&plan, &path)?.draws.is_some() {
            drew.push(run_id);
        }
    }
    Ok(drew)
}

/// The first and the last Monday whose runs are learnt from.
fn weeks(as_of: Date) -> (Date, Date) {
    (first_tried(as_of), as_of.plus_days(-DAYS_PER_WEEK))
}

/// What these runs tried; a log that cannot be read is no error, since then something else decides.
///
/// # Errors
/// The store's and the engine's own.
pub(in crate::pipeline) fn tries(
    project: &Project,
    runs: &[String],
    as_of: Date,
    progress: &Progress,
) -> Result<Tries> {
    if runs.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let (from, to) = weeks(as_of);
    let asked = Asked { from: Some(from), to: Some(to), reward: Reward::Order, level: 0.95 };
    let is_tried = |run: &str| runs.iter().any(|tried| tried == run);
    let log = match Log::read_of(project, &asked, is_tried, progress) {
        Ok(log) => log,
        Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Internal) => {
            return Err(error);
        }
        Err(error) => return Ok(Err(format!("logs of earlier runs cannot be used: {error}"))),
    };
    Ok(Ok(log.runs.iter().enumerate().map(|(at, run)| tried_of(run, &log, at)).collect()))
}

fn tried_of(run: &LoggedRun, log: &Log, at: usize) -> TriedWeek {
    let mut week = TriedWeek::new(run.as_of);
    let mut ids: Vec<&str> = vec![""; run.promotions.len()];
    run.promotions.iter().for_each(|(id, place)| ids[*place as usize] = id);
    let slates: Vec<&LoggedSlate> = log.slates.iter().filter(|slate| slate.run == at).collect();
    let share = SLATES_MAX as f64 / slates.len().max(1) as f64;
    for slate in slates {
        let (openings, done) = (&slate.openings, slate.promotions());
        let drawn = Drawn { openings, law: slate.law, done: &done };
        week.count(&drawn);
        if share_of(&[&slate.customer], run.as_of) < share {
            week.add(&slate.customer, &drawn, |place| ids.get(place as usize).copied());
        }
    }
    week
}
