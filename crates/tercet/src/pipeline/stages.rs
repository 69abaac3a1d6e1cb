//! What does each stage of a weekly run read, call and write?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tercet_allocation::check_slots;
use tercet_engine::{Engine, Frame};
use tercet_measurement::assignment::Holdout;
use tercet_sources::{BY_CUSTOMER, Health, Loaded, PartRows, Reading, Sources};
use tercet_types::tables::sources as tables;
use tercet_types::{Date, Error, Result};

use super::champion::{CHAMPION, Contest, contest};
use super::decide::decide;
use super::engine_test::{EngineTest, Side};
use super::learn::{ModelCards, Models, TOO_SHORT};
use super::learned::Sight;
use super::lessons::Lessons;
use super::manifest::{Part, Selection, Stage, parse, stage_path, to_json};
use super::off_policy::tries;
use super::pairs::{Asked, Made};
use super::parts::Opened;
use super::prepare::{assignment_key, identity_of, parts_of, sources_of};
use super::publish::publish;
use super::runner::{Outcome, StageContext, StageWork, run_stages};
use super::worth::{ORDER_VALUE, OWN_ENGINE, Scored, VALUE_KINDS, known_engine};
use crate::commands::Project;
use crate::config::ModelValue;
use crate::output::{Progress, thousands};

/// Runs one week of a project, or resumes it.
pub(crate) fn weekly_run(
    project: &Project,
    as_of: Date,
    engine: &str,
    seed: u64,
    select: Option<Selection>,
    progress: &Progress,
) -> Result<Outcome> {
    if engine != CHAMPION {
        known_engine(engine)?;
    }
    if project.config.slots.is_empty() {
        return Err(Error::config("T1020", "the project has no slots")
            .hint("add at least one [[slots]] section with a name to tercet.toml"));
    }
    check_slots(project.config.slots.len())?;
    let mut identity = identity_of(project, as_of, engine, seed)?;
    let contest = match engine {
        CHAMPION => Some(contest(project, &identity, progress)?),
        _ => None,
    };
    if let Some(contest) = &contest {
        identity.decider.clone_from(&contest.champion);
    }
    let sources = sources_of(project)?;
    let key = assignment_key(project)?;
    let run = WeeklyRun {
        project,
        sources,
        key,
        holdout: Holdout::new(key, project.config.rules.holdout_rate)?,
        test: EngineTest::of(&project.config.experiment, &identity.decider)?,
        contest,
        open: Mutex::default(),
        pairs: Mutex::default(),
        timings: Mutex::default(),
    };
    let mut work: BTreeMap<Stage, Box<StageWork<'_>>> = BTreeMap::new();
    work.insert(Stage::Sources, Box::new(|context| run.sources(context)));
    work.insert(Stage::Features, Box::new(|context| run.features(context)));
    work.insert(Stage::Models, Box::new(|context| run.models(context)));
    work.insert(Stage::Scoring, Box::new(|context| run.scoring(context)));
    work.insert(Stage::Allocation, Box::new(|context| run.allocation(context)));
    work.insert(Stage::Delivery, Box::new(|context| run.delivery(context)));
    run_stages(
        &project.engine,
        &project.store,
        &project.config,
        &identity,
        select,
        progress,
        &run.timings,
        &work,
    )
}

/// What the stages of one run share: the project, and what they would otherwise compute twice.
pub(super) struct WeeklyRun<'a> {
    pub(super) project: &'a Project,
    sources: Sources,
    pub(super) key: [u8; 16],
    pub(super) holdout: Holdout,
    pub(super) test: Option<EngineTest>,
    /// How the engine was chosen, where the best of the weeks just past decides.
    pub(super) contest: Option<Contest>,
    pub(super) open: Mutex<Option<Arc<Opened>>>,
    /// Of a run in one part: what its stages would otherwise make twice.
    pub(super) pairs: Mutex<Option<(Arc<Made>, Arc<Asked>)>>,
    pub(super) timings: Mutex<Vec<(Stage, f64)>>,
}

impl WeeklyRun<'_> {
    /// Reads, checks and prepares the shop's data.
    fn sources(&self, context: &mut StageContext<'_>) -> Result<String> {
        let mut sources = self.sources.clone();
        sources.previous_columns = columns_seen_before(context)?;
        let parts = parts_of(self.project, &context.identity.inputs);
        let loaded = match parts {
            1 => read_whole(context, &sources)?,
            parts => read_in_parts(context, &sources, parts)?,
        };
        context.write("health.json", to_json(&loaded.health)?)?;
        context.write("columns.json", to_json(&loaded.columns_seen)?)?;
        let rows: u64 = loaded.health.tables.iter().map(|table| table.rows_out).sum();
        let quarantined: u64 = loaded.health.tables.iter().map(|table| table.quarantined).sum();
        Ok(format!("{} rows kept, {} in quarantine", thousands(rows), thousands(quarantined)))
    }

    /// What is known of customers, products, promotions and pairs.
    fn features(&self, context: &mut StageContext<'_>) -> Result<String> {
        self.make_features(context)
    }

    /// Learns from past weeks.
    fn models(&self, context: &mut StageContext<'_>) -> Result<String> {
        if let Some(contest) = &self.contest {
            context.write("champion.json", to_json(contest)?)?;
        }
        if !self.has_own_engine(context) || !context.config.model.external_scores.is_empty() {
            context.write("models.json", to_json(&None::<ModelCards>)?)?;
            return Ok("none needed".to_owned());
        }
        let opened = self.sample(context)?;
        let (shop, week) = (&opened.shop, &opened.week);
        let seed = context.identity.seed;
        let mut lessons = Lessons::new(context.engine, shop, week.as_of, week.as_of, seed)?;
        let tried = &context.identity.tried;
        lessons.look_at(tries(self.project, tried, week.as_of, context.progress)?);
        let fitted =
            Models::fit(context.engine, shop, week, context.config, seed, &mut lessons, &[])?;
        let Some((models, cards)) = fitted else {
            context.write("models.json", to_json(&None::<ModelCards>)?)?;
            return Ok(TOO_SHORT.to_owned());
        };
        for (file, bytes) in models.files()? {
            context.write(file, bytes)?;
        }
        let trees: usize = cards.cards.iter().map(|card| card.trees).sum();
        let rows = cards.cards.first().map_or(0, |card| card.rows[0]);
        context.write("models.json", to_json(&Some(&cards))?)?;
        // What was asked for and is there need not be said here; the report says it.
        let valued = match context.config.model.value {
            ModelValue::Order => String::new(),
            ModelValue::Auto | ModelValue::Incremental => format!("; {}", cards.valued_by()),
        };
        Ok(format!(
            "{trees} trees from {} rows of {} past weeks{valued}",
            thousands(rows),
            cards.trained_on.len()
        ))
    }

    /// The engines that decide, each for its customers.
    pub(super) fn sides<'c>(&self, context: &StageContext<'c>) -> Vec<Side<'c>> {
        Side::all(&context.identity.decider, self.test.as_ref())
    }

    /// True when the product's own engine decides for some customers.
    pub(super) fn has_own_engine(&self, context: &StageContext<'_>) -> bool {
        self.sides(context).iter().any(|side| side.engine == OWN_ENGINE)
    }

    /// The cards of the models, when there are models.
    pub(super) fn cards(&self, context: &StageContext<'_>) -> Result<Option<ModelCards>> {
        parse(&context.read(Stage::Models, "models.json")?, "models.json")
    }

    /// What each offer is worth to each customer.
    fn scoring(&self, context: &mut StageContext<'_>) -> Result<String> {
        if self.parts(context)? > 1 {
            return Ok("part by part, when slates are filled".to_owned());
        }
        let learned = self.learned(context)?;
        let (pairs, others) = (learned.pairs(context.engine), learned.others()?);
        let valuer = learned.valuer(context.config, &pairs)?;
        let opened = self.open(context, Part::WHOLE)?;
        let arms = self.arms(context, Part::WHOLE)?;
        let (mut frames, mut valued) = (Vec::new(), Vec::new());
        let (learned, others, valuer) = (&learned, &others, valuer.as_ref());
        let sight = Sight { run: self, learned, others, valuer };
        for side in self.sides(context) {
            let asked = arms.customers_of(side, self.test.as_ref());
            let seen = sight.valued(context, &opened, Part::WHOLE, side, &asked)?;
            frames.push(scored_frame(&seen.scored)?);
            let of = if side.is_baseline { "" } else { " offers valued" };
            valued.push(format!("{}{of} by {}", thousands(seen.scored.rows()), side.engine));
        }
        context.engine.register("scored_pairs", &Frame::stacked(&frames)?)?;
        let frame = context.engine.query(include_str!("../../sql/scores.sql"), &BTreeMap::new())?;
        context.engine.forget("scored_pairs")?;
        context.write_table("scores", &frame)?;
        Ok(valued.join(", "))
    }

    /// Who gets which.
    fn allocation(&self, context: &mut StageContext<'_>) -> Result<String> {
        decide(self, context)
    }

    /// What leaves the house.
    fn delivery(&self, context: &mut StageContext<'_>) -> Result<String> {
        publish(self, context)
    }

    /// The health of the input.
    pub(super) fn health(&self, context: &StageContext<'_>) -> Result<Health> {
        parse(&context.read(Stage::Sources, "health.json")?, "health.json")
    }
}

/// Reads a shop that fits into memory.
fn read_whole(context: &mut StageContext<'_>, sources: &Sources) -> Result<Loaded> {
    let loaded = tercet_sources::load(context.engine, sources, context.identity.as_of)?;
    for table in tables::ALL {
        let frame = context.engine.table(table.name)?;
        context.write_table(table.name, &frame)?;
    }
    context.write_table("quarantine", &loaded.quarantine)?;
    Ok(loaded)
}

/// Reads a shop part by part, each of which leaves memory before its thread comes to the next one.
fn read_in_parts(
    context: &mut StageContext<'_>,
    sources: &Sources,
    parts: usize,
) -> Result<Loaded> {
    let mut reading = Reading::open(context.engine, sources, context.identity.as_of, parts)?;
    let meter = context.progress.count("parts", parts as u64);
    let (stage, mut written) = (&*context, Vec::new());
    let leave = |engine: &Engine, at: usize, read: PartRows| {
        let (mut own, part) = (stage.beside(engine), Part { at, of: parts });
        own.write_part("quarantine", part, &read.quarantine)?;
        for (table, rows) in read.tables {
            own.write_part(table, part, &rows)?;
        }
        Ok(own.written())
    };
    reading.each_part(leave, |files| {
        written.extend(files);
        meter.advance(1);
        Ok(())
    })?;
    context.book(written);
    let loaded = reading.finish()?;
    let last = Part { at: parts, of: parts + 1 };
    context.write_part("quarantine", last, &loaded.quarantine)?;
    for table in tables::ALL.iter().filter(|table| !BY_CUSTOMER.contains(&table.name)) {
        let frame = context.engine.table(table.name)?;
        context.write_table(table.name, &frame)?;
    }
    Ok(loaded)
}

/// Columns of the sources when the run before this one read them; nothing without one.
fn columns_seen_before(context: &StageContext<'_>) -> Result<BTreeMap<String, Vec<String>>> {
    let Some(before) = context.identity.history.last() else { return Ok(BTreeMap::new()) };
    let path = stage_path(before, Stage::Sources, "columns.json");
    let found = context.store.get_if_there(&path)?;
    found.map_or_else(|| Ok(BTreeMap::new()), |bytes| parse(&bytes, &path))
}

fn scored_frame(scored: &Scored) -> Result<Frame> {
    let rows = 0..scored.rows();
    let of = |value: fn(&tercet_scoring::Value) -> f64| -> Vec<f64> {
        rows.clone().map(|row| value(&scored.value(row))).collect()
    };
    let whole = |value: fn(&tercet_scoring::Value) -> f64| -> Vec<i64> {
        rows.clone().map(|row| value(&scored.value(row)) as i64).collect()
    };
    let route = |row: usize| scored.routes.get(&scored.customer(row)).map_or("", |r| r.name());
    let routes: Vec<String> = rows.clone().map(|row| route(row).to_owned()).collect();
    let customers: Vec<i32> = rows.clone().map(|row| scored.customer(row)).collect();
    let promotions: Vec<i32> = rows.clone().map(|row| scored.promotion(row)).collect();
    Frame::of(vec![
        ("customer_ix", customers.into()),
        ("promotion_ix", promotions.into()),
        ("value_minor", whole(|value| value.value_minor).into()),
        ("value_kind", vec![scored.value_kind.to_owned(); scored.rows()].into()),
        ("expected_cost_minor", whole(|value| value.expected_cost_minor).into()),
        ("margin_loss_minor", whole(|value| value.margin_loss_minor).into()),
        ("response_rate", of(|value| value.response_rate).into()),
        ("discovery_rate", of(|value| value.discovery_rate).into()),
        ("route", routes.into()),
    ])
}

/// The scores of the scoring stage for some customers, ascending, in integers, with their routes.
pub(super) fn scored_of(context: &StageContext<'_>, asked: &[i32]) -> Result<Scored> {
    context.need(Stage::Scoring, "scores")?;
    let frame =
        context.engine.query(include_str!("../../sql/scores_in_integers.sql"), &BTreeMap::new())?;
    let (everybody, all) = (frame.i32("customer_ix")?, frame.i32("promotion_ix")?);
    let width = everybody.iter().take_while(|ix| **ix == everybody[0]).count();
    let promotions: Vec<i32> = all.into_iter().take(width).collect();
    let width = width.max(1);
    let is_asked = |customer: &i32| asked.binary_search(customer).is_ok();
    let keep: Vec<bool> = everybody.iter().map(is_asked).collect();
    let frame = if keep.contains(&false) { frame.filter(&keep)? } else { frame };
    let (values, costs) = (frame.i64("value_minor")?, frame.i64("expected_cost_minor")?);
    let losses = frame.i64("margin_loss_minor")?;
    let (responses, discoveries) = (frame.f64("response_rate")?, frame.f64("discovery_rate")?);
    let kinds = frame.text("value_kind")?;
    let (customers, promotion_ix) = (frame.i32("customer_ix")?, frame.i32("promotion_ix")?);
    let mut routes = BTreeMap::new();
    for (ix, name) in customers.iter().zip(frame.text("route")?) {
        if let Some(route) =
            tercet_scoring::Route::ALL.into_iter().find(|route| route.name() == name)
        {
            routes.insert(*ix, route);
        }
    }
    let known = |kind: &&&str| kinds.first().is_some_and(|first| first == **kind);
    let value_kind = VALUE_KINDS.iter().find(known).unwrap_or(&ORDER_VALUE);
    let mut scored = Scored::new(promotions, value_kind);
    for (at, (of_customer, promotions)) in
        customers.chunks(width).zip(promotion_ix.chunks(width)).enumerate()
    {
        if promotions != scored.promotions || of_customer.iter().any(|ix| *ix != of_customer[0]) {
            return Err(Error::data("T1033", "scores: not every customer with every promotion")
                .hint("score the week again with tercet run --select scoring"));
        }
        scored.push(
            of_customer[0],
            (at * width..(at + 1) * width).map(|row| tercet_scoring::Value {
                value_minor: values[row] as f64,
                expected_cost_minor: costs[row] as f64,
                margin_loss_minor: losses[row] as f64,
                response_rate: responses[row],
                discovery_rate: discoveries[row],
            }),
        );
    }
    scored.routes = routes;
    Ok(scored)
}
