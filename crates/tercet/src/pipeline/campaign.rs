//! How do engines do against each other in a simulated shop, week by week?
//!
//! Every engine gets its own copy of the same world after the same past, and in it decides each week with the
//! code of the weekly run, on what its own copy has seen. Customers draw the same chances in every copy, so
//! that copies differ by their offers alone; one more copy gets no offers: held against it, an engine's effect
//! is known and not estimated.

mod copies;
mod deciding;

use std::ops::Range;

use tercet_measurement::assignment::{Arm, Holdout};
use tercet_simulator::{Customer, Events, Memory, Outcome, State, World};
use tercet_types::{Error, Result};

use self::copies::{Files, Simulated};
use self::deciding::Deciding;
use super::learn::joined;
use super::prepare::assignment_key;
use super::worth::known_engine;
use crate::commands::Project;
use crate::config::{Config, ModelValue};
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
    let mut deciding = Deciding::new(project, engine);
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
