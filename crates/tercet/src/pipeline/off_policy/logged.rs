//! What do the logs of the runs say was done, how likely was it, and what else could have been?

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tercet_allocation::{Law, Opening, Openings, RuleId};
use tercet_engine::Frame;
use tercet_measurement::assignment::{Arm, TestArm};
use tercet_types::{Date, Error, Result};

use super::{Asked, LeftOut};
use crate::commands::Project;
use crate::output::Progress;
use crate::pipeline::draws::DrawFacts;
use crate::pipeline::manifest::{
    RunManifest, Stage, complete_runs, files_of, parse, runs_by_week, stage_path,
};

/// The arm that no policy has a part in.
const CONTROL: &str = Arm::Control.name();

/// The arm of an engine test whose slots the other plan's draws fill.
const BASELINE: &str = TestArm::Baseline.name();

/// How far a propensity that is made again may lie from the log's.
const LIKELY_SLACK: f64 = 1e-9;

/// A promotion that the run did not know: nothing is as it.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// What the runs did.
pub(super) struct Log {
    /// The runs, oldest first.
    pub(super) runs: Vec<LoggedRun>,
    /// What was done to treated customers of whom something could be drawn, by customer and week.
    pub(super) slates: Vec<LoggedSlate>,
}

/// A run.
pub(super) struct LoggedRun {
    /// Its id.
    pub(super) run_id: String,
    /// Its Monday.
    pub(super) as_of: Date,
    /// Promotions, by their places.
    pub(super) promotions: BTreeMap<String, u32>,
    /// Slates that are no rounds.
    pub(super) left_out: LeftOut,
}

/// The slots of a customer in a week.
pub(super) struct LoggedSlate {
    /// The customer.
    pub(super) customer: String,
    /// The place of the run.
    pub(super) run: usize,
    /// The first and the last day on which outcomes count.
    pub(super) window: (Date, Date),
    /// The rates of draws.
    pub(super) law: Law,
    /// What each slot got: the promotion's place, and its id.
    pub(super) done: Vec<Option<(u32, String)>>,
    /// How likely that was, slot by slot.
    pub(super) propensities: Vec<f64>,
    /// How likely the whole slate was.
    pub(super) joint: f64,
    /// True in the measurement slice.
    pub(super) is_measured: bool,
    /// What was planned, and what could be drawn instead.
    pub(super) openings: Openings,
    /// What its values mean: those of an engine test are of two engines.
    pub(super) value_kind: String,
    /// What each promotion was valued at, ascending by promotion.
    pub(super) values: Vec<(u32, i64)>,
}

impl LoggedSlate {
    /// The promotions that the slots got.
    pub(super) fn promotions(&self) -> Vec<Option<u32>> {
        self.done.iter().map(|cell| cell.as_ref().map(|(promotion, _)| *promotion)).collect()
    }

    /// True when what could be drawn says the same as the log; a missing propensity is found out later.
    fn is_as_likely_as_logged(&self) -> bool {
        let found = self.openings.propensities(&self.law, &self.promotions());
        let differs = |a: f64, b: f64| (a - b).abs() > LIKELY_SLACK;
        let slots = found.slots.iter().zip(&self.propensities);
        !differs(found.slate, self.joint) && !slots.into_iter().any(|(a, b)| differs(*a, *b))
    }

    /// What a promotion was valued at; 0 when it was none of the customer's candidates.
    pub(super) fn value_of(&self, promotion: u32) -> f64 {
        let found = self.values.binary_search_by_key(&promotion, |(promotion, _)| *promotion);
        found.map_or(0.0, |at| self.values[at].1 as f64)
    }
}

/// What `plan.json` says of draws.
#[derive(Deserialize)]
struct PlanDraws {
    #[serde(default)]
    draws: Option<DrawFacts>,
    #[serde(default)]
    baseline: Option<Box<PlanDraws>>,
}

/// A customer's candidates: promotion, slots, value, and whether a rule or a limit keeps it from being drawn.
type Candidates = BTreeMap<String, Vec<(String, u8, i64, bool)>>;

impl Log {
    /// Reads the logs of the runs that are asked for.
    pub(super) fn read(project: &Project, asked: &Asked, progress: &Progress) -> Result<Self> {
        Self::read_of(project, asked, |_| true, progress)
    }

    /// The same of those of them whose ids are wanted; no file of another is looked at.
    pub(super) fn read_of(
        project: &Project,
        asked: &Asked,
        is_wanted: impl Fn(&str) -> bool,
        progress: &Progress,
    ) -> Result<Self> {
        let engine = &project.config.run.engine;
        let all = complete_runs(&project.store)?;
        let mut runs = runs_by_week(&all, engine, (asked.from, asked.to), progress)?;
        runs.retain(|_, run| is_wanted(&run.run_id));
        if runs.is_empty() {
            return Err(Error::not_found(
                "T1050",
                format!("there is no complete run of engine '{engine}' in these weeks"),
            )
            .hint("'tercet runs' lists the runs that are there"));
        }
        let mut log = Self { runs: Vec::new(), slates: Vec::new() };
        for run in runs.into_values() {
            log.add(project, run)?;
        }
        log.slates.sort_by(|a, b| (&a.customer, a.run).cmp(&(&b.customer, b.run)));
        Ok(log)
    }

    /// The runs that slates are of.
    pub(super) fn judged_runs(&self) -> Vec<&LoggedRun> {
        let places: BTreeSet<usize> = self.slates.iter().map(|slate| slate.run).collect();
        places.into_iter().map(|at| &self.runs[at]).collect()
    }

    /// Leaves out runs whose windows are not over on this day.
    pub(super) fn retain_over(&mut self, last_day: Date) {
        self.slates.retain(|slate| slate.window.1 <= last_day);
    }

    fn add(&mut self, project: &Project, run: &RunManifest) -> Result<()> {
        let Project { engine, store, .. } = project;
        let files = files_of(store, &run.run_id, Stage::Allocation, "decisions")?;
        let [file] = files.as_slice() else {
            return Err(Error::config(
                "T1053",
                format!("run {}: its customers are in {} parts", run.run_id, files.len()),
            )
            .hint("runs in parts do not keep what else could have been; run the week with [run] parts = 1 where memory allows it"));
        };
        let decisions = engine.load(store, file, "logged_decisions")?;
        engine.forget("logged_decisions")?;
        const NEEDED: [&str; 4] =
            ["propensity", "joint_propensity", "planned_promotion_id", "is_randomised"];
        if let Some(missing) = NEEDED.into_iter().find(|column| !decisions.has(column)) {
            return Err(Error::data(
                "T1051",
                format!("run {}: its log has no propensities: there is no '{missing}'", run.run_id),
            )
            .hint(
                "evaluate runs of this version, with [exploration] epsilon or measurement_share",
            ));
        }
        let path = stage_path(&run.run_id, Stage::Allocation, "plan.json");
        let plan: PlanDraws = parse(&store.get(&path)?, &path)?;
        let candidates = if plan.draws.is_some() {
            let path = stage_path(&run.run_id, Stage::Allocation, "candidates.parquet");
            let frame = engine.load(store, &path, "logged_candidates")?;
            engine.forget("logged_candidates")?;
            candidates_of(&frame)?
        } else {
            Candidates::new()
        };
        let known = plan.draws.iter().flat_map(|draws| &draws.promotions);
        let promotions: BTreeMap<String, u32> =
            known.zip(0..).map(|(known, at)| (known.promotion.clone(), at)).collect();
        let mut logged = LoggedRun {
            run_id: run.run_id.clone(),
            as_of: run.as_of,
            promotions,
            left_out: LeftOut::default(),
        };
        let reader = Reader { run: self.runs.len(), logged: &logged, plan: &plan, candidates };
        let (slates, left_out) = reader.read(&decisions)?;
        if !slates.iter().all(LoggedSlate::is_as_likely_as_logged) {
            return Err(Error::data(
                "T1057",
                format!("run {}: propensities do not follow from plan.json and candidates", run.run_id),
            )
            .hint("files of the run were changed; run the week again, or leave it out with --from and --to"));
        }
        logged.left_out = left_out;
        self.slates.extend(slates);
        self.runs.push(logged);
        Ok(())
    }
}

fn candidates_of(frame: &Frame) -> Result<Candidates> {
    let (customers, promotions) = (frame.text("customer_id")?, frame.text("promotion_id")?);
    let (slots, values) = (frame.i32("slots")?, frame.i64("value_minor")?);
    let rules = frame.text_or_null("rule")?;
    let mut candidates = Candidates::new();
    let rows = customers.into_iter().zip(promotions).zip(slots).zip(values).zip(rules);
    for ((((customer, promotion), slots), value), rule) in rows {
        let rule = rule.as_deref().and_then(RuleId::from_name);
        let is_open = slots != 0 && !rule.is_some_and(RuleId::is_flag);
        candidates.entry(customer).or_default().push((promotion, slots as u8, value, is_open));
    }
    Ok(candidates)
}

/// Reads the rows of a run's log, customer by customer.
struct Reader<'a> {
    run: usize,
    logged: &'a LoggedRun,
    plan: &'a PlanDraws,
    candidates: Candidates,
}

impl Reader<'_> {
    fn read(&self, decisions: &Frame) -> Result<(Vec<LoggedSlate>, LeftOut)> {
        let customers = decisions.text("customer_id")?;
        let columns = Columns::of(decisions)?;
        let (mut slates, mut left_out) = (Vec::new(), LeftOut::default());
        let mut first = 0;
        while first < customers.len() {
            let same = |row: &&String| **row == customers[first];
            let end = first + customers[first..].iter().take_while(same).count();
            slates.extend(self.slate(&customers[first], &columns, first..end, &mut left_out));
            first = end;
        }
        Ok((slates, left_out))
    }

    fn slate(
        &self,
        customer: &str,
        columns: &Columns,
        rows: std::ops::Range<usize>,
        left_out: &mut LeftOut,
    ) -> Option<LoggedSlate> {
        if columns.arms[rows.start] == CONTROL {
            left_out.control += 1;
            return None;
        }
        let is_baseline = columns.tests[rows.start].as_deref() == Some(BASELINE);
        let draws = match (is_baseline, &self.plan.baseline) {
            (true, Some(baseline)) => &baseline.draws,
            _ => &self.plan.draws,
        };
        let is = |flags: &[Option<bool>], row: usize| flags[row] == Some(true);
        let can_be_drawn = rows.clone().any(|row| is(&columns.randomised, row));
        let Some(draws) = draws.as_ref().filter(|_| can_be_drawn) else {
            left_out.certain += 1;
            return None;
        };
        if !rows.clone().all(|row| is(&columns.usable, row)) {
            left_out.unusable += 1;
            return None;
        }
        let place = |id: &str| self.logged.promotions.get(id).copied();
        let group = |at: u32| draws.promotions.get(at as usize).and_then(|of| of.exclusivity_group);
        let mut openings = Openings {
            is_filled_only: draws.is_filled_only,
            offers_most: draws.offers_most,
            ..Openings::default()
        };
        for (slot, row) in rows.clone().enumerate() {
            let planned = columns.planned[row].as_deref().and_then(place);
            openings.planned.push(planned.map(|at| (at, group(at))));
            openings.pinned |= u8::from(is(&columns.forced, row)) << slot;
        }
        let mut values = Vec::new();
        for (id, slots, value, is_open) in self.candidates.get(customer).into_iter().flatten() {
            let Some(promotion) = place(id) else { continue };
            values.push((promotion, *value));
            let drawn = draws.promotions.get(promotion as usize);
            let is_left_out = drawn.is_none_or(|of| of.left_out.is_some());
            if *is_open && !is_left_out {
                let group = group(promotion);
                openings.offers.push(Opening { promotion, group, slots: *slots });
            }
        }
        values.sort_unstable();
        openings.offers.sort_unstable();
        let done = rows.clone().map(|row| {
            let id = columns.promotions[row].as_deref();
            id.map(|id| (place(id).unwrap_or(UNKNOWN), id.to_owned()))
        });
        Some(LoggedSlate {
            customer: customer.to_owned(),
            run: self.run,
            window: (columns.from[rows.start], columns.to[rows.start]),
            law: Law { epsilon: draws.epsilon, measurement_share: draws.measurement_share },
            done: done.collect(),
            propensities: columns.propensities[rows.clone()].to_vec(),
            joint: columns.joint[rows.start],
            is_measured: is(&columns.measured, rows.start),
            openings,
            value_kind: columns.value_kinds[rows.start].clone(),
            values,
        })
    }
}

/// The columns of a log that are needed.
struct Columns {
    arms: Vec<String>,
    tests: Vec<Option<String>>,
    promotions: Vec<Option<String>>,
    planned: Vec<Option<String>>,
    propensities: Vec<f64>,
    joint: Vec<f64>,
    randomised: Vec<Option<bool>>,
    measured: Vec<Option<bool>>,
    usable: Vec<Option<bool>>,
    forced: Vec<Option<bool>>,
    value_kinds: Vec<String>,
    from: Vec<Date>,
    to: Vec<Date>,
}

impl Columns {
    fn of(log: &Frame) -> Result<Self> {
        let tests = match log.has("experiment_arm") {
            true => log.text_or_null("experiment_arm")?,
            false => vec![None; log.rows()],
        };
        Ok(Self {
            arms: log.text("arm")?,
            tests,
            promotions: log.text_or_null("promotion_id")?,
            planned: log.text_or_null("planned_promotion_id")?,
            propensities: log.f64("propensity")?,
            joint: log.f64("joint_propensity")?,
            randomised: log.bool_or_null("is_randomised")?,
            measured: log.bool_or_null("is_measured")?,
            usable: log.bool_or_null("is_usable")?,
            forced: log.bool_or_null("is_forced")?,
            value_kinds: log.text("value_kind")?,
            from: log.date("window_from")?,
            to: log.date("window_to")?,
        })
    }
}
