//! Who is measured, in which arm, and what were they offered: what do the logs of the runs say?

use std::collections::BTreeSet;

use tercet_engine::Frame;
use tercet_features::{
    PlanOf, UnitsAsk, keep_assigned_here, register_offers, register_units, sent_in_run,
};
use tercet_measurement::assignment::Arm;
use tercet_types::tables::assignments::HOLDOUT;
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use super::Asked;
use super::plan::{ArmPlan, COLUMNS, Plans};
use crate::commands::Project;
use crate::output::{Progress, thousands};
use crate::pipeline::manifest::{Part, Stage, complete_runs, files_of, runs_by_week};

/// The tables that runs leave to measure by.
const ASSIGNMENTS: &str = "assignments";
const DECISIONS: &str = "run_decisions";

/// The runs of a campaign.
pub(super) struct Logs<'a> {
    pub(super) project: &'a Project,
    /// Run ids, one a week, oldest first.
    pub(super) runs: Vec<String>,
    /// The first run's Monday.
    pub(super) first_day: Date,
    /// The last run's Monday.
    pub(super) last_day: Date,
    /// The Monday of the first run behind them: from there on customers are under offers again.
    next_run: Option<Date>,
    /// Whose plan of the holdout is measured.
    pub(super) holdout: ArmPlan,
    /// The engine test that was asked for, and whose plan of it is measured.
    pub(super) test: Option<(String, ArmPlan)>,
    /// The day since which anybody may have been treated.
    pub(super) treated_since: Date,
    /// Customers in the log.
    pub(super) logged: u64,
}

/// What is found of the customers while parts come.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Customers of the log who are in the shop's data.
    pub(super) here: u64,
    /// The segments, in order.
    pub(super) segments: BTreeSet<String>,
}

pub(super) fn no_assignments(runs: &[String]) -> Error {
    Error::data(
        "T1042",
        format!("{}: nobody is in its log of assignment", runs.last().map_or("-", String::as_str)),
    )
    .hint("run the week again with this version, and hold out some customers: [rules] holdout_rate")
}

/// Nobody of so many customers was held out by this plan.
fn nobody_held_out(plan: &ArmPlan, customers: u64) -> Error {
    let hint = match (plan.raised_on, plan.share > 0.0) {
        (Some(day), _) => format!(
            "customers are held out since {day}: measure the weeks from there, --from {day}"
        ),
        (None, true) => format!(
            "[rules] holdout_rate was {}, and by chance that is nobody of {} customers: set a larger one, up to 0.5, and run the coming weeks with it",
            plan.share,
            thousands(customers)
        ),
        (None, false) => {
            "set [rules] holdout_rate, for example to 0.05, and run the coming weeks with it"
                .to_owned()
        }
    };
    Error::data("T1045", "in these runs nobody was held out: there is nothing to compare with")
        .hint(hint)
}

impl<'a> Logs<'a> {
    /// The runs of the configured engine in the weeks asked for, one for each Monday.
    pub(super) fn find(project: &'a Project, asked: &Asked, progress: &Progress) -> Result<Self> {
        let engine = &project.config.run.engine;
        let all = complete_runs(&project.store)?;
        let runs = runs_by_week(&all, engine, (asked.from, asked.to), progress)?;
        let (Some(first), Some(last)) = (runs.keys().next(), runs.keys().next_back()) else {
            return Err(Error::not_found(
                "T1040",
                format!("there is no complete run of engine '{engine}' in these weeks"),
            )
            .hint("'tercet runs' lists the runs that are there"));
        };
        let (first_day, last_day) = (*first, *last);
        let runs: Vec<String> = runs.into_values().map(|run| run.run_id.clone()).collect();
        let next_run = all.iter().map(|run| run.as_of).filter(|as_of| *as_of > last_day).min();
        let newest = runs.last().ok_or_else(|| no_assignments(&runs))?;
        let files = files_of(&project.store, newest, Stage::Allocation, ASSIGNMENTS)
            .map_err(|cause| no_assignments(&runs).cause(cause))?;
        let mut plans = Plans::default();
        for file in &files {
            let rows = project.store.columns_of(file, &COLUMNS)?;
            plans.add(&rows, first_day, last_day.plus_days(DAYS_PER_WEEK))?;
        }
        let (Some(holdout), Some(treated_since)) = (plans.plan(HOLDOUT), plans.since()) else {
            return Err(no_assignments(&runs));
        };
        if holdout.in_first == 0 {
            return Err(nobody_held_out(&holdout, plans.customers()));
        }
        let test = match &asked.experiment {
            None => None,
            Some(name) => Some((name.clone(), plans.plan(name).ok_or_else(|| {
                Error::not_found("T1045", format!("in these runs nobody was in an engine test '{name}'"))
                    .hint("[experiment] name says which test runs; leave --experiment out to compare offers with none")
            })?)),
        };
        let logged = plans.customers();
        Ok(Self {
            project,
            first_day,
            last_day,
            next_run,
            runs,
            holdout,
            test,
            treated_since,
            logged,
        })
    }

    /// The day from which on nothing counts: after the last run's week and those that are looked at after it, or before
    /// the next run.
    pub(super) fn until(&self) -> Date {
        let weeks = 1 + self.project.config.lift.after_weeks;
        let until = self.last_day.plus_days(DAYS_PER_WEEK * weeks as i32);
        self.next_run.map_or(until, |next| until.min(next))
    }

    /// Weeks before the campaign in which customers may have been treated already.
    pub(super) fn weeks_treated_before(&self) -> i32 {
        let days = self.first_day.days() - self.treated_since.days();
        days.max(0).div_euclid(DAYS_PER_WEEK) + i32::from(days.max(0) % DAYS_PER_WEEK > 0)
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
        found: &mut Found,
    ) -> Result<Frame> {
        let engine = &self.project.engine;
        let ask = UnitsAsk {
            first_day: self.first_day,
            campaign_until: self.first_day.plus_days(DAYS_PER_WEEK * weeks as i32),
            holdout: plan_of(&self.holdout),
            test: self.test.as_ref().map(|(name, plan)| (name.clone(), plan_of(plan))),
            first_unit: first_unit as i64,
        };
        self.mount_assignments(part)?;
        found.here += keep_assigned_here(engine, HOLDOUT)?;
        let units = register_units(engine, &ask)?;
        let customers = units.text("customer_id")?;
        if let Some(twice) = customers.windows(2).position(|pair| pair[0] == pair[1]) {
            return Err(Error::data(
                "T1042",
                format!("row {twice} of the log of assignment: a customer stands in it twice"),
            )
            .hint("the log of a run was changed: no lift of this campaign can be read"));
        }
        found.segments.extend(units.codes("segment")?.1);
        engine.forget(ASSIGNMENTS)?;
        self.mount_decisions(part)?;
        let offers = register_offers(engine, &ask)?;
        engine.forget(DECISIONS)?;
        if offers.text("arm")?.iter().any(|arm| arm != Arm::Treatment.name()) {
            return Err(Error::data(
                "T1042",
                format!("customers in control were sent offers by a run from {} on", self.first_day),
            )
            .hint("the log of a run was changed, or its arms were: no lift of this campaign can be read"));
        }
        Ok(units)
    }

    /// The newest log of assignment, which runs take over from each other: the rows of the part, or all where the run
    /// was divided otherwise.
    fn mount_assignments(&self, part: Part) -> Result<()> {
        let Project { engine, store, .. } = self.project;
        let run = self.runs.last().ok_or_else(|| no_assignments(&self.runs))?;
        let files = files_of(store, run, Stage::Allocation, ASSIGNMENTS)?;
        engine.mount_parts(store, of_part(&files, part), ASSIGNMENTS)?;
        Ok(())
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

fn plan_of(plan: &ArmPlan) -> PlanOf {
    PlanOf { share: plan.share, raised_on: plan.raised_on }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holdout_that_is_set_and_empty_is_not_told_to_be_set() {
        let check = |share: f64, raised_on: Option<Date>, expect: &str| {
            let arms = [share, 1.0 - share];
            let plan = ArmPlan { share, raised_on, arms, in_first: 0, moved: 0, others: 0 };
            let error = nobody_held_out(&plan, 40);
            let hint = error.hint_text().unwrap();
            assert!(hint.starts_with(expect), "{share}: {hint}");
        };
        check(0.0, None, "set [rules] holdout_rate");
        check(0.01, None, "[rules] holdout_rate was 0.01, and by chance that is nobody of 40");
        check(0.2, Some("2025-02-10".parse().unwrap()), "customers are held out since 2025-02-10");
    }
}
