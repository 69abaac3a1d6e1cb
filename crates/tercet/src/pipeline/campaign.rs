//! How do engines do against each other in a simulated shop, week by week?
//!
//! Every engine gets its own copy of the same world after the same past, and in it decides each week with the
//! code of the weekly run, on what its own copy has seen. Customers draw the same chances in every copy, so
//! that copies differ by their offers alone; one more copy gets no offers: held against it, an engine's effect
//! is known and not estimated.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use tercet_allocation::Placed;
use tercet_engine::{Engine, EngineOptions, Location, Store, TableWriter};
use tercet_measurement::assignment::{Arm, Holdout};
use tercet_simulator::{Customer, Events, Memory, Outcome, State, Table, World};
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use super::audiences::redeemed_before;
use super::history::{Contact, History};
use super::learn::{Models, joined};
use super::lessons::Lessons;
use super::pairs::week_pairs;
use super::prepare::{assignment_key, sources_of};
use super::shop::Shop;
use super::slates::{Circumstances, Slates, fill_slots};
use super::slot_masks::slot_masks;
use super::tried::{Drawn, TriedWeek, first_tried};
use super::week::Week;
use super::worth::{Visits, baseline_scores, known_engine, tercet_scores};
use crate::commands::{Project, raw};
use crate::config::{Config, Environment, ModelValue};
use crate::output::{Progress, thousands};

/// The name under which the world's own policy takes part: it decides by the truth's own past, not by data.
const POLICY: &str = "policy";

/// The name under which somebody takes part who knows the truth: the bound of what offers can bring.
const ORACLE: &str = "oracle";

/// Names under which the engine `tercet` takes part with one way to value offers, whatever the settings say.
const VALUED: [(&str, ModelValue); 3] = [
    ("tercet-order", ModelValue::Order),
    ("tercet-incremental", ModelValue::Incremental),
    ("tercet-auto", ModelValue::Auto),
];

/// Checks the name of who takes part.
///
/// # Errors
/// `T1015` for a name that is not one.
pub(crate) fn participant(name: &str) -> Result<&'static str> {
    let more = || VALUED.map(|(name, _)| name).into_iter().chain([POLICY, ORACLE]);
    more().find(|known| *known == name).map_or_else(|| known_engine(name), Ok).map_err(|error| {
        let hint = error.hint_text().unwrap_or_default().to_owned();
        error.hint(format!("{hint}; and {}", more().collect::<Vec<_>>().join(", ")))
    })
}

/// What a campaign is.
pub(crate) struct Campaign<'a> {
    /// The world; its weeks are those of the past and of the campaign.
    pub(crate) world: &'a World,
    /// Weeks before the campaign, under the world's own policy.
    pub(crate) history_weeks: u32,
    /// The engines, the one to hold the others against first.
    pub(crate) engines: Vec<&'static str>,
    /// Slots, rules, routes and models; what it says of sources is the simulated shop's.
    pub(crate) config: Config,
    /// True to decide for everybody and to say what was decided, so that who is held out can be drawn again: the
    /// copies then have no holdout, and who is held out did what was done without offers.
    pub(crate) for_everybody: bool,
    /// Threads.
    pub(crate) threads: usize,
}

/// What came of a campaign.
pub(crate) struct Campaigned {
    /// Weeks of the campaign.
    pub(crate) weeks: u32,
    /// Of each customer who may be sent offers, true when held out.
    pub(crate) held_out: Vec<bool>,
    /// What these customers did without offers, added up over the weeks.
    pub(crate) without: Vec<Outcome>,
    /// What they did under each engine.
    pub(crate) arms: Vec<(&'static str, Vec<Outcome>)>,
    /// What it takes to let the campaign happen again, when it was decided for everybody.
    pub(crate) frozen: Option<Frozen>,
}

/// A campaign as it was decided, for the customers who may be sent offers.
pub(crate) struct Frozen {
    /// Their places in the world.
    pub(super) customers: Vec<u32>,
    /// What they were like when it began.
    pub(super) lives: Vec<Life>,
    /// What they had done until then, added up over the weeks.
    pub(super) before: Vec<Outcome>,
    /// By engine and week, the offers (promotions, from 0) of each.
    pub(super) offers: Vec<Vec<Vec<Vec<u32>>>>,
}

/// A customer's copy of the world: what changes from week to week.
#[derive(Clone)]
pub(super) struct Life {
    pub(super) state: State,
    pub(super) memory: Memory,
}

impl Life {
    /// What comes of some weeks under these offers of each.
    pub(super) fn over<'a>(
        mut self,
        world: &World,
        customer: &Customer,
        weeks: Range<u32>,
        offers: impl Fn(usize) -> &'a [u32],
    ) -> Outcome {
        let (mut sum, mut events) = (Outcome::default(), Events::default());
        for (at, week) in weeks.enumerate() {
            let from = events.mark();
            world.purchases(customer, week, &mut self.state, offers(at), &mut events);
            sum += world.outcome(week, &events, from, &mut self.memory);
        }
        sum
    }
}

/// Tables that lie in folders of their own, as the project of a simulated shop names them.
const FOLDERS: [&str; 5] =
    ["customers", "transactions", "interactions", "exposures", "redemptions"];

/// Runs all engines over the weeks of the campaign.
pub(crate) fn campaign(ask: &Campaign<'_>, progress: &Progress) -> Result<Campaigned> {
    let folder = tempfile::tempdir().map_err(|cause| {
        Error::unavailable("T1031", "no folder for the simulated shop can be made").cause(cause)
    })?;
    let world = ask.world;
    let everyone = 0..world.size().customers;
    let past = folder.path().join("past");
    let meter = progress.meter("the past", "weeks", u64::from(ask.history_weeks));
    let begin =
        |index| Life { state: world.begin(&world.customer(index)), memory: Memory::default() };
    let mut lives: Vec<Life> = everyone.clone().map(begin).collect();
    let files = Files::new(&past)?;
    for table in world.fixed_tables() {
        files.write_whole(table)?;
    }
    files.write_whole(world.customers_table(everyone.clone()))?;
    let mut before = vec![Outcome::default(); lives.len()];
    for week in 0..ask.history_weeks {
        let policy = |customer: &Customer, _: &State| world.legacy_offers(customer, week);
        let weeks = step(ask, &files, week, &mut lives, policy)?;
        before.iter_mut().zip(weeks).for_each(|(sum, (outcome, _))| *sum += outcome);
        meter.advance(1);
    }
    drop(meter);

    let key = assignment_key(&Simulated::new(ask, &past)?.0)?;
    let holdout = Holdout::new(key, ask.config.rules.holdout_rate)?;
    let customers: Vec<u32> =
        everyone.clone().filter(|&index| world.customer(index).consent).collect();
    let held_out: Vec<bool> =
        everyone.map(|index| holdout.arm(&(index + 1).to_string()) == Arm::Control).collect();
    let of_customers = |all: &[Outcome]| -> Vec<Outcome> {
        customers.iter().map(|&index| all[index as usize]).collect()
    };
    let without = without_offers(ask, lives.clone());
    let nobody = vec![false; held_out.len()];
    let silent = if ask.for_everybody { &nobody } else { &held_out };
    let mut arms = Vec::with_capacity(ask.engines.len());
    let mut offers = Vec::with_capacity(ask.engines.len());
    for engine in &ask.engines {
        let (Decided { mut outcomes, offers: decided, said }, took) = {
            let meter = progress.meter(engine, "weeks", u64::from(weeks_of(ask)));
            let started = crate::output::now();
            let mut shop = Simulated::new(ask, &folder.path().join(engine))?;
            if let Some((_, value)) = VALUED.iter().find(|(name, _)| name == engine) {
                shop.0.config.model.value = *value;
            }
            shop.begin_with(&past)?;
            let decided = decide_weeks(ask, engine, &shop.0, silent, lives.clone(), &meter)?;
            (decided, started.elapsed())
        };
        for (at, _) in held_out.iter().enumerate().filter(|(_, held_out)| **held_out) {
            outcomes[at] = without[at];
        }
        said.iter().for_each(|said| progress.say(&format!("{engine}, {said}")));
        let made: u64 = outcomes.iter().map(|outcome| u64::from(outcome.offers)).sum();
        progress.say(&format!(
            "{engine}: {} offers in {} weeks  {:.1} s",
            thousands(made),
            weeks_of(ask),
            took.as_secs_f64()
        ));
        arms.push((*engine, of_customers(&outcomes)));
        if ask.for_everybody {
            let of_week = |mut week: Vec<Vec<u32>>| -> Vec<Vec<u32>> {
                customers.iter().map(|&index| std::mem::take(&mut week[index as usize])).collect()
            };
            offers.push(decided.into_iter().map(of_week).collect());
        }
    }
    let frozen = ask.for_everybody.then(|| Frozen {
        lives: customers.iter().map(|&index| lives[index as usize].clone()).collect(),
        before: of_customers(&before),
        offers,
        customers: customers.clone(),
    });
    let held_out = customers.iter().map(|&index| held_out[index as usize]).collect();
    let without = of_customers(&without);
    Ok(Campaigned { weeks: weeks_of(ask), held_out, without, arms, frozen })
}

fn weeks_of(ask: &Campaign<'_>) -> u32 {
    ask.world.size().weeks - ask.history_weeks
}

/// The project that an engine's copy of the shop is.
struct Simulated(Project);

impl Simulated {
    fn new(ask: &Campaign<'_>, folder: &Path) -> Result<Self> {
        let engine =
            Engine::new(EngineOptions { threads: ask.threads, ..EngineOptions::default() })?;
        std::fs::create_dir_all(folder).map_err(|cause| {
            Error::unavailable("T1031", format!("{}: cannot be made", folder.display()))
                .cause(cause)
        })?;
        let store = engine.store(&Location::new("runs", folder)?)?;
        let mut config = ask.config.clone();
        config.project.name = format!("Simulated shop {}", ask.world.seed());
        // What the environment holds belongs to a real shop.
        let environment = Environment::default();
        Ok(Self(Project { config, folder: folder.to_owned(), engine, store, environment }))
    }

    /// Gives the copy the past that all copies share.
    fn begin_with(&self, past: &Path) -> Result<()> {
        let failed =
            |cause| Error::unavailable("T1031", "the simulated past cannot be copied").cause(cause);
        let copy = |from: &Path, to: &Path| -> std::io::Result<()> {
            // Files are written once and never changed: copies may share them.
            std::fs::hard_link(from, to).or_else(|_| std::fs::copy(from, to).map(|_| ()))
        };
        let (from, to) = (past.join("data"), self.0.folder.join("data"));
        for folder in [from.clone()].into_iter().chain(FOLDERS.map(|table| from.join(table))) {
            let target = folder.strip_prefix(&from).map_or(to.clone(), |below| to.join(below));
            std::fs::create_dir_all(&target).map_err(failed)?;
            for entry in std::fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                if entry.path().is_file() {
                    copy(&entry.path(), &target.join(entry.file_name())).map_err(failed)?;
                }
            }
        }
        Ok(())
    }
}

/// The files of a simulated shop.
struct Files(Store);

impl Files {
    fn new(folder: &Path) -> Result<Self> {
        let engine = Engine::new(EngineOptions { threads: 1, ..EngineOptions::default() })?;
        Ok(Self(engine.store(&Location::new("data", folder)?)?))
    }

    fn write_whole(&self, table: Table) -> Result<()> {
        let path = match table.name {
            "customers" => "customers/all.parquet".to_owned(),
            name => format!("{name}.parquet"),
        };
        let mut writer = self.0.table_writer(&path);
        writer.write(raw(table))?;
        writer.finish().map(|_| ())
    }

    /// Writes what happened in a week to a range of customers.
    fn write(&self, week: u32, first: u32, events: Events) -> Result<()> {
        for table in events.into_tables() {
            let path = format!("{}/week-{week:03}-{first:09}.parquet", table.name);
            let mut writer: TableWriter = self.0.table_writer(&path);
            writer.write(raw(table))?;
            writer.finish()?;
        }
        Ok(())
    }
}

/// One week of all customers: writes what they do, and says what came of it and of which offers.
fn step(
    ask: &Campaign<'_>,
    files: &Files,
    week: u32,
    lives: &mut [Life],
    offers: impl Fn(&Customer, &State) -> Vec<u32> + Sync,
) -> Result<Vec<(Outcome, Vec<u32>)>> {
    let parts = live(ask, lives, |customer, life, events| {
        let from = events.mark();
        let offers = offers(customer, &life.state);
        ask.world.week(customer, week, &mut life.state, &offers, events);
        (ask.world.outcome(week, events, from, &mut life.memory), offers)
    });
    let mut all = Vec::with_capacity(lives.len());
    for (first, events, part) in parts {
        files.write(week, first, events)?;
        all.extend(part);
    }
    Ok(all)
}

/// What the customers of a range did: its first customer, the rows, and what became of each.
type Lived<T> = (u32, Events, Vec<T>);

/// Lets all customers live, each part of them on a thread of its own.
fn live<T: Send>(
    ask: &Campaign<'_>,
    lives: &mut [Life],
    week: impl Fn(&Customer, &mut Life, &mut Events) -> T + Sync,
) -> Vec<Lived<T>> {
    let step = lives.len().div_ceil(ask.threads.max(1)).max(1);
    let week = &week;
    std::thread::scope(|scope| {
        let running: Vec<_> = (0_u32..)
            .step_by(step)
            .zip(lives.chunks_mut(step))
            .map(|(first, part)| {
                scope.spawn(move || {
                    let mut events = Events::default();
                    let outcomes = (first..)
                        .zip(part)
                        .map(|(index, life)| week(&ask.world.customer(index), life, &mut events))
                        .collect();
                    (first, events, outcomes)
                })
            })
            .collect();
        running.into_iter().map(joined).collect()
    })
}

/// What customers do in the weeks of the campaign when nobody gets an offer.
fn without_offers(ask: &Campaign<'_>, mut lives: Vec<Life>) -> Vec<Outcome> {
    let weeks = ask.history_weeks..ask.world.size().weeks;
    let parts = live(ask, &mut lives, |customer, life, _| {
        life.clone().over(ask.world, customer, weeks.clone(), |_| &[])
    });
    parts.into_iter().flat_map(|(_, _, outcomes)| outcomes).collect()
}

/// What an engine decided, and what came of it.
struct Decided {
    /// What came of all customers over the weeks.
    outcomes: Vec<Outcome>,
    /// By week, the offers of each, where they are kept.
    offers: Vec<Vec<Vec<u32>>>,
    /// The weeks from which on offers were valued otherwise, and why.
    said: Vec<String>,
}

/// An engine's campaign in its copy of the shop, where some get nothing.
fn decide_weeks(
    ask: &Campaign<'_>,
    engine: &'static str,
    project: &Project,
    silent: &[bool],
    mut lives: Vec<Life>,
    meter: &crate::output::Meter,
) -> Result<Decided> {
    let world = ask.world;
    let files = Files::new(&project.folder)?;
    let mut deciding = Deciding {
        project,
        engine,
        history: History::new(),
        lessons: None,
        value_kind: String::new(),
        said: Vec::new(),
    };
    let (mut sums, mut offers) = (vec![Outcome::default(); lives.len()], Vec::new());
    let slots = ask.config.slots.len();
    for week in ask.history_weeks..world.size().weeks {
        let decided = match engine {
            POLICY | ORACLE => Vec::new(),
            _ => deciding.offers(ask, week)?,
        };
        let done = step(ask, &files, week, &mut lives, |customer, state| {
            let index = customer.index as usize;
            match engine {
                _ if silent[index] => Vec::new(),
                POLICY => world.legacy_offers(customer, week),
                ORACLE => world.oracle_offers(customer, week, state.contacts, slots),
                _ => decided[index].clone(),
            }
        })?;
        let (outcomes, made): (Vec<Outcome>, Vec<Vec<u32>>) = done.into_iter().unzip();
        sums.iter_mut().zip(outcomes).for_each(|(sum, outcome)| *sum += outcome);
        if ask.for_everybody {
            offers.push(made);
        }
        meter.advance(1);
    }
    Ok(Decided { outcomes: sums, offers, said: deciding.said })
}

/// What an engine carries from week to week.
struct Deciding<'a> {
    project: &'a Project,
    engine: &'static str,
    history: History,
    lessons: Option<Lessons>,
    /// By what the offers of the week before were valued, and what was said of that.
    value_kind: String,
    said: Vec<String>,
}

impl Deciding<'_> {
    /// Who gets which promotions (from 0) in a week: decided as the weekly run decides, on what the shop's
    /// tables hold by its Monday.
    fn offers(&mut self, ask: &Campaign<'_>, week: u32) -> Result<Vec<Vec<u32>>> {
        let (engine, config) = (&self.project.engine, &self.project.config);
        let seed = ask.world.seed();
        let first_day = Date::from_days(ask.world.as_of_day())
            .plus_days(-DAYS_PER_WEEK * ask.world.size().weeks as i32);
        let monday = |week: u32| first_day.plus_days(DAYS_PER_WEEK * week as i32);
        let as_of = monday(week);
        tercet_sources::load(engine, &sources_of(self.project)?, as_of)?;
        let shop = Shop::read(engine)?;
        let known = Week::build(engine, &shop, config, as_of)?;
        let customers: Vec<i32> = known.customers.keys().copied().collect();
        let candidates = known.candidates();
        let pairs = week_pairs(engine, &shop, &known, config, &customers, &candidates)?;
        let visits = Visits::read(engine, &candidates)?;
        let valued = VALUED.iter().any(|(name, _)| *name == self.engine);
        let scored = if valued || self.engine == "tercet" {
            if self.lessons.is_none() {
                let last = monday(ask.world.size().weeks - 1);
                let mut lessons = Lessons::new(engine, &shop, as_of, last, seed)?;
                lessons.look_at(Ok(Vec::new()));
                self.lessons = Some(lessons);
            }
            let fitted = match &mut self.lessons {
                Some(lessons) => Models::fit(engine, &shop, &known, config, seed, lessons, &[])?,
                None => None,
            };
            if let Some((_, cards)) = &fitted
                && config.model.value != ModelValue::Order
                && cards.value_kind != self.value_kind
            {
                self.value_kind.clone_from(&cards.value_kind);
                self.said.push(format!("from {as_of} on: {}", cards.valued_by()));
            }
            tercet_scores(&known, config, &pairs, fitted.as_ref().map(|(m, _)| m), &visits)?
        } else {
            baseline_scores(self.engine, &shop, &known, config, &customers)?
        };
        let masks = slot_masks(engine, &config.slots, &scored, &pairs, &visits)?;
        let circumstances = Circumstances {
            assignment_key: assignment_key(self.project)?,
            history: std::mem::take(&mut self.history),
            redeemed: redeemed_before(engine, as_of)?,
            with_holdout: !ask.for_everybody,
            exploration: config.exploration.draws(seed, as_of),
        };
        let slates = fill_slots(engine, &known, config, &scored, &circumstances, &masks, |_| true)?;
        self.history = circumstances.history;
        if let Some(lessons) = &mut self.lessons {
            lessons.add_tried(tried_of(&known, &slates), first_tried(as_of));
        }
        let mut offers = vec![Vec::new(); ask.world.size().customers as usize];
        for (at, ix) in slates.customers.iter().enumerate() {
            let id = &known.customers[ix].id;
            for (_, placed) in slates.explored.plan.chosen(at).iter() {
                let promotion = slates.offered(at, placed);
                let promotion_id = known.promotions[&promotion].id.clone();
                // Only customers with a number of the world may be sent offers: visitors have no consent.
                let of = number(id).and_then(|index| offers.get_mut(index as usize));
                let (Some(of), Some(number)) = (of, number(&promotion_id)) else { continue };
                of.push(number);
                let contacts: &mut BTreeSet<Contact> = self.history.entry(id.clone()).or_default();
                contacts.insert(Contact { as_of, promotion_id });
            }
        }
        Ok(offers)
    }
}

/// What the draws of a week tried.
fn tried_of(week: &Week, slates: &Slates) -> TriedWeek {
    let mut tried = TriedWeek::new(week.as_of);
    let (explored, problem) = (&slates.explored, &slates.problem);
    if !explored.law().is_on() {
        return tried;
    }
    let id = |at: u32| {
        let ix = slates.promotions.get(at as usize)?;
        week.promotions.get(ix).map(|known| known.id.as_str())
    };
    for (at, ix) in slates.customers.iter().enumerate() {
        let (id_of, openings) = (&week.customers[ix].id, explored.openings(problem, at));
        // Visitors get nothing in the end, and only customers of the world keep their index.
        if number(id_of).is_none() || openings.open_slots() == 0 || explored.is_refused(at) {
            continue;
        }
        let place =
            |cell: &Option<Placed>| cell.map(|placed| problem.candidate(at, placed.at()).promotion);
        let done: Vec<Option<u32>> = explored.plan.slate(at).iter().map(place).collect();
        let drawn = Drawn { openings: &openings, law: explored.law(), done: &done };
        tried.count(&drawn);
        tried.add(id_of, &drawn, id);
    }
    tried
}

/// The place in the world of what the tables number from one.
fn number(id: &str) -> Option<u32> {
    id.parse::<u32>().ok()?.checked_sub(1)
}
