//! Who is measured, in which arm, and what were they offered: what do the logs of the runs say?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::Frame;
use tercet_features::{
    Share, UnitsAsk, keep_assigned_here, planned_shares, register_offers, register_units,
    sent_in_run,
};
use tercet_measurement::assignment::BUCKETS;
use tercet_types::tables::assignments::HOLDOUT;
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use super::Asked;
use crate::commands::Project;
use crate::pipeline::manifest::{Part, RunManifest, Stage, complete_runs, files_of};

/// The tables that runs leave to measure by.
const ASSIGNMENTS: &str = "assignments";
const DECISIONS: &str = "run_decisions";

/// The arms that the log of assignment knows.
const TREATMENT: &str = "treatment";

/// The runs of a campaign.
pub(super) struct Logs<'a> {
    project: &'a Project,
    /// Run ids, one a week, oldest first.
    pub(super) runs: Vec<String>,
    /// The first run's Monday.
    pub(super) first_day: Date,
    /// The last run's Monday.
    pub(super) last_day: Date,
    experiment: String,
}

/// What is found out of the assignment while parts come.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    /// Customers in the log.
    logged: u64,
    shares: BTreeMap<String, Share>,
    segments: BTreeSet<String>,
}

pub(super) fn no_assignments(runs: &[String]) -> Error {
    Error::data(
        "T1042",
        format!("{}: nobody is in its log of assignment", runs.last().map_or("-", String::as_str)),
    )
    .hint("run the week again with this version, and hold out some customers: [rules] holdout_rate")
}

impl<'a> Logs<'a> {
    /// The runs of the configured engine in the weeks asked for, one for each Monday.
    pub(super) fn find(project: &'a Project, asked: &Asked) -> Result<Self> {
        let engine = &project.config.run.engine;
        let runs: BTreeMap<Date, RunManifest> = complete_runs(&project.store)?
            .into_iter()
            .filter(|run| run.engine == *engine)
            .filter(|run| asked.from.is_none_or(|from| run.as_of >= from))
            .filter(|run| asked.to.is_none_or(|to| run.as_of <= to))
            .map(|run| (run.as_of, run))
            .collect();
        let (Some(first), Some(last)) = (runs.keys().next(), runs.keys().next_back()) else {
            return Err(Error::not_found(
                "T1040",
                format!("there is no complete run of engine '{engine}' in these weeks"),
            )
            .hint("'tercet runs' lists the runs that are there"));
        };
        let (first_day, last_day) = (*first, *last);
        Ok(Self {
            project,
            first_day,
            last_day,
            runs: runs.into_values().map(|run| run.run_id).collect(),
            experiment: asked.experiment.clone().unwrap_or_default(),
        })
    }

    /// Registers the units of a part, numbered on from `first_unit`, and what they were offered, and returns them.
    ///
    /// # Errors
    /// `T1042` when the last run has no log of assignment, or a control customer was sent an offer.
    pub(super) fn register(
        &self,
        part: Part,
        first_unit: u64,
        weeks: usize,
        assigned: &mut Assigned,
    ) -> Result<Frame> {
        let engine = &self.project.engine;
        let ask = UnitsAsk {
            first_day: self.first_day,
            campaign_until: self.first_day.plus_days(DAYS_PER_WEEK * weeks as i32),
            experiment: self.experiment.clone(),
            first_unit: first_unit as i64,
        };
        let is_divided_alike = self.mount_assignments(part)?;
        assigned.count(&planned_shares(engine, &ask)?, is_divided_alike);
        keep_assigned_here(engine)?;
        assigned.add(planned_shares(engine, &ask)?);
        let units = register_units(engine, &ask)?;
        let customers = units.text("customer_id")?;
        if let Some(twice) = customers.windows(2).position(|pair| pair[0] == pair[1]) {
            return Err(Error::data(
                "T1042",
                format!("row {twice} of the log of assignment: a customer stands in it twice"),
            )
            .hint("the log of a run was changed: no lift of this campaign can be read"));
        }
        assigned.segments.extend(units.codes("segment")?.1);
        engine.forget(ASSIGNMENTS)?;
        self.mount_decisions(part)?;
        let offers = register_offers(engine, &ask)?;
        engine.forget(DECISIONS)?;
        if offers.text("arm")?.iter().any(|arm| arm != TREATMENT) {
            return Err(Error::data(
                "T1042",
                format!("customers in control were sent offers by a run from {} on", self.first_day),
            )
            .hint("the log of a run was changed, or its arms were: no lift of this campaign can be read"));
        }
        Ok(units)
    }

    /// The newest log of assignment, which holds all that earlier ones held: the rows of the part, or all where the
    /// run was divided otherwise; true for the part.
    fn mount_assignments(&self, part: Part) -> Result<bool> {
        let Project { engine, store, .. } = self.project;
        let run = self.runs.last().ok_or_else(|| no_assignments(&self.runs))?;
        let files = files_of(store, run, Stage::Allocation, ASSIGNMENTS)
            .map_err(|cause| no_assignments(&self.runs).cause(cause))?;
        engine.mount_parts(store, of_part(&files, part), ASSIGNMENTS)?;
        Ok(files.len() == part.of)
    }

    fn mount_decisions(&self, part: Part) -> Result<()> {
        let Project { engine, store, .. } = self.project;
        let mut offered = Vec::new();
        for run in &self.runs {
            let files = files_of(store, run, Stage::Allocation, "decisions")?;
            engine.mount_parts(store, of_part(&files, part), DECISIONS)?;
            offered.push(sent_in_run(engine)?);
        }
        engine.register(DECISIONS, &Frame::stacked(&offered)?)
    }
}

/// The file of a part, or all where the run was divided otherwise.
fn of_part(files: &[String], part: Part) -> &[String] {
    if files.len() == part.of { &files[part.at..=part.at] } else { files }
}

impl Assigned {
    /// Counts who is in the log: of a part, or all at once.
    fn count(&mut self, found: &[Share], is_part: bool) {
        let customers = found
            .iter()
            .find(|share| share.experiment == HOLDOUT)
            .map_or(0, |share| share.customers);
        self.logged = if is_part { self.logged + customers } else { customers };
    }

    fn add(&mut self, found: Vec<Share>) {
        for share in found {
            let all = self.shares.entry(share.experiment.clone()).or_insert_with(|| Share {
                customers: 0,
                moved: 0,
                share: 0.0,
                first_moved_bucket: None,
                ..share.clone()
            });
            all.customers += share.customers;
            all.moved += share.moved;
            all.share = all.share.max(share.share);
            let buckets = all.first_moved_bucket.into_iter().chain(share.first_moved_bucket);
            all.first_moved_bucket = buckets.min();
        }
    }

    /// Customers whom a larger holdout moved, and who are left out.
    pub(super) fn moved(&self) -> u64 {
        self.shares.get(HOLDOUT).map_or(0, |share| share.moved)
    }

    /// Customers in the log who are no longer in the shop's data: nobody knows what they did.
    pub(super) fn gone(&self) -> u64 {
        let here = self.shares.get(HOLDOUT).map_or(0, |share| share.customers);
        self.logged.saturating_sub(here)
    }

    /// The planned share, among those who were not moved, of control or of the test arm of an experiment.
    pub(super) fn planned(&self, experiment: &str) -> Option<f64> {
        let found = self.shares.get(experiment)?;
        Some(found.first_moved_bucket.map_or(found.share, |bucket| {
            let stayed = bucket as f64 / f64::from(BUCKETS);
            stayed / (stayed + 1.0 - found.share)
        }))
    }

    /// The segments, in order.
    pub(super) fn segments(self) -> Vec<String> {
        self.segments.into_iter().collect()
    }
}
