//! How does an engine decide a week of a simulated shop?

use std::collections::BTreeSet;

use tercet_allocation::Placed;
use tercet_types::{DAYS_PER_WEEK, Date, Result};

use super::{Campaign, VALUED};
use crate::commands::Project;
use crate::config::ModelValue;
use crate::pipeline::audiences::redeemed_before;
use crate::pipeline::history::{Contact, History};
use crate::pipeline::learn::Models;
use crate::pipeline::lessons::Lessons;
use crate::pipeline::pairs::week_pairs;
use crate::pipeline::prepare::{assignment_key, sources_of};
use crate::pipeline::shop::Shop;
use crate::pipeline::slates::{Circumstances, Slates, fill_slots};
use crate::pipeline::slot_masks::slot_masks;
use crate::pipeline::tried::{Drawn, TriedWeek, first_tried};
use crate::pipeline::week::Week;
use crate::pipeline::worth::{Visits, baseline_scores, tercet_scores};

/// What an engine carries from week to week.
pub(super) struct Deciding<'a> {
    project: &'a Project,
    engine: &'static str,
    history: History,
    lessons: Option<Lessons>,
    /// By what the offers of the week before were valued, and what was said of that.
    value_kind: String,
    pub(super) said: Vec<String>,
}

impl<'a> Deciding<'a> {
    /// Of an engine in its copy of the shop, before its first week.
    pub(super) fn new(project: &'a Project, engine: &'static str) -> Self {
        let (history, said) = (History::new(), Vec::new());
        Self { project, engine, history, lessons: None, value_kind: String::new(), said }
    }

    /// Who gets which promotions (from 0) in a week: decided as the weekly run decides, on what the shop's
    /// tables hold by its Monday.
    pub(super) fn offers(&mut self, ask: &Campaign<'_>, week: u32) -> Result<Vec<Vec<u32>>> {
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
