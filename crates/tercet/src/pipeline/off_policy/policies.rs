//! What would a policy have done with a slate, and could the log have done it?

use std::collections::{BTreeMap, BTreeSet};

use tercet_allocation::{Law, Openings};
use tercet_measurement::off_policy::check_policy;
use tercet_types::{Date, Error, Result};

use super::logged::{Log, LoggedSlate, UNKNOWN};
use crate::commands::Project;
use crate::pipeline::manifest::{Stage, chosen_run, files_of};

/// A policy to judge.
#[derive(Clone, Debug)]
pub(crate) enum Policy {
    /// The plan, without any draw.
    Planned,
    /// Every slot drawn from all that it could get, as in the measurement slice.
    Uniform,
    /// No offer at all.
    Nothing,
    /// The plan of another run, for the weeks of the same Monday.
    Run(String),
    /// A table: a name, and its rows.
    Table(String, Vec<TableRow>),
}

/// What a policy's table says of a slot.
#[derive(Clone, Debug)]
pub(crate) struct TableRow {
    /// The number of the row in its file, from 1.
    pub(crate) row: usize,
    /// The customer.
    pub(crate) customer: String,
    /// The Monday; all, where none is given. Of a table with Mondays, other weeks are not judged.
    pub(crate) as_of: Option<Date>,
    /// The slot, from 1.
    pub(crate) slot: i32,
    /// The promotion; none for nothing.
    pub(crate) promotion: Option<String>,
    /// How likely it is.
    pub(crate) probability: f64,
}

/// What a policy would do in each slot: what, and how likely.
pub(super) struct Wish {
    /// Slot by slot: promotion and probability.
    pub(super) slots: Vec<Vec<(Option<u32>, f64)>>,
    /// The probability of the slate that was logged.
    pub(super) joint: f64,
}

impl Wish {
    /// The probability that a slot gets a promotion.
    pub(super) fn of(&self, slot: usize, promotion: Option<u32>) -> f64 {
        let same = self.slots[slot].iter().filter(|(of, _)| *of == promotion);
        same.map(|(_, probability)| probability).sum()
    }

    fn certain(slots: Vec<Option<u32>>, done: &[Option<u32>]) -> Self {
        let joint = if slots == done { 1.0 } else { 0.0 };
        Self { slots: slots.into_iter().map(|cell| vec![(cell, 1.0)]).collect(), joint }
    }
}

/// A policy that can be asked about slates.
pub(super) struct Wishes {
    /// Its name.
    pub(super) name: String,
    kind: Kind,
}

/// What each slot of a customer would get: promotion and probability.
type Slots = BTreeMap<usize, Vec<(Option<String>, f64)>>;

/// What a table says of customers in a week, or in every week.
type Rows = BTreeMap<(String, Option<Date>), Slots>;

enum Kind {
    Planned,
    Uniform,
    Nothing,
    /// Rows, and the Mondays they are for; all where none are named.
    Table(Rows, BTreeSet<Date>),
}

impl Kind {
    fn table(rows: Rows) -> Self {
        let is_weekly = rows.keys().all(|(_, as_of)| as_of.is_some());
        let weeks = rows.keys().filter_map(|(_, as_of)| *as_of).filter(|_| is_weekly).collect();
        Self::Table(rows, weeks)
    }
}

impl Wishes {
    /// Reads a policy.
    pub(super) fn read(project: &Project, log: &Log, policy: &Policy) -> Result<Self> {
        let named = |name: &str, kind| Ok(Self { name: name.to_owned(), kind });
        match policy {
            Policy::Planned => named("planned", Kind::Planned),
            Policy::Uniform => named("uniform", Kind::Uniform),
            Policy::Nothing => named("nothing", Kind::Nothing),
            Policy::Run(id) => named(id, Kind::table(rows_of_run(project, log, id)?)),
            Policy::Table(name, rows) => {
                named(name, Kind::table(rows_of_table(project, name, rows)?))
            }
        }
        .and_then(|wishes: Self| wishes.checked(log))
    }

    /// True when the policy is about the slate's week.
    pub(super) fn are_of(&self, log: &Log, slate: &LoggedSlate) -> bool {
        match &self.kind {
            Kind::Table(_, weeks) => weeks.is_empty() || weeks.contains(&log.runs[slate.run].as_of),
            _ => true,
        }
    }

    /// A table that is of other customers or weeks says nothing.
    fn checked(self, log: &Log) -> Result<Self> {
        if let Kind::Table(rows, _) = &self.kind
            && !log.slates.iter().any(|slate| row_of(rows, log, slate).is_some())
        {
            return Err(Error::data(
                "T1054",
                format!("policy '{}': it names no customer of the runs that are judged", self.name),
            )
            .hint("give the ids that the shop's own tables have, and the Mondays of the runs"));
        }
        Ok(self)
    }

    /// What the policy would do with a slate.
    pub(super) fn of(&self, log: &Log, slate: &LoggedSlate) -> Wish {
        let done = slate.promotions();
        let planned = || slate.openings.planned.iter().map(|cell| cell.map(|(at, _)| at)).collect();
        match &self.kind {
            Kind::Planned => Wish::certain(planned(), &done),
            Kind::Nothing => Wish::certain(vec![None; done.len()], &done),
            Kind::Uniform => uniform(&slate.openings, &done),
            Kind::Table(rows, _) => {
                let found = row_of(rows, log, slate);
                let promotions = &log.runs[slate.run].promotions;
                let place = |id: &String| promotions.get(id).copied().unwrap_or(UNKNOWN);
                let of_slot = |slot: usize| match found.and_then(|slots| slots.get(&slot)) {
                    Some(choices) => choices
                        .iter()
                        .map(|(id, probability)| (id.as_ref().map(place), *probability))
                        .collect(),
                    None => vec![(None, 1.0)],
                };
                let slots: Vec<Vec<_>> = (0..done.len()).map(of_slot).collect();
                let mut wish = Wish { slots, joint: 1.0 };
                wish.joint = (0..done.len()).map(|slot| wish.of(slot, done[slot])).product();
                wish
            }
        }
    }

    /// True when the log could have done all that the policy would do, slot by slot and, where the policy is
    /// certain, as a slate.
    pub(super) fn is_supported(&self, slate: &LoggedSlate, wish: &Wish) -> bool {
        if matches!(self.kind, Kind::Planned | Kind::Uniform) {
            return true;
        }
        let count = wish.slots.len();
        let could = |(slot, choices): (usize, &Vec<(Option<u32>, f64)>)| {
            choices.iter().filter(|(_, probability)| *probability > 0.0).all(|(promotion, _)| {
                let all = vec![*promotion; count];
                slate.openings.propensities(&slate.law, &all).slots[slot] > 0.0
            })
        };
        if !wish.slots.iter().enumerate().all(could) {
            return false;
        }
        let is_certain = wish.slots.iter().all(|choices| choices.len() == 1);
        let whole: Vec<Option<u32>> = wish.slots.iter().map(|choices| choices[0].0).collect();
        !is_certain || slate.openings.propensities(&slate.law, &whole).slate > 0.0
    }
}

/// Every slot that can be drawn is.
fn uniform(openings: &Openings, done: &[Option<u32>]) -> Wish {
    let all = Law { epsilon: 1.0, measurement_share: 0.0 };
    let open = openings.open_slots();
    let mut slots: Vec<Vec<(Option<u32>, f64)>> = vec![Vec::new(); done.len()];
    let offers = openings.offers.iter().map(|offer| Some(offer.promotion));
    for promotion in offers.chain([None]) {
        let chances = openings.propensities(&all, &vec![promotion; done.len()]).slots;
        for (slot, choices) in slots.iter_mut().enumerate() {
            if open >> slot & 1 == 1 && chances[slot] > 0.0 {
                choices.push((promotion, chances[slot]));
            }
        }
    }
    for (slot, choices) in slots.iter_mut().enumerate() {
        if open >> slot & 1 == 0 {
            choices.push((openings.planned[slot].map(|(at, _)| at), 1.0));
        }
    }
    Wish { slots, joint: openings.propensities(&all, done).slate }
}

fn row_of<'a>(rows: &'a Rows, log: &Log, slate: &LoggedSlate) -> Option<&'a Slots> {
    let as_of = Some(log.runs[slate.run].as_of);
    let of_week = rows.get(&(slate.customer.clone(), as_of));
    of_week.or_else(|| rows.get(&(slate.customer.clone(), None)))
}

/// What another run planned.
fn rows_of_run(project: &Project, log: &Log, id: &str) -> Result<Rows> {
    let run = chosen_run(&project.store, Some(id))?;
    if !log.runs.iter().any(|logged| logged.as_of == run.as_of) {
        return Err(Error::config(
            "T1054",
            format!("run {id} is for {}, for which no run is judged", run.as_of),
        )
        .hint("name a run for the same Monday; 'tercet runs' lists them"));
    }
    let files = files_of(&project.store, id, Stage::Allocation, "decisions")?;
    let found = project.engine.load_parts(&project.store, &files, "policy_decisions")?;
    project.engine.forget("policy_decisions")?;
    let (customers, slots) = (found.text("customer_id")?, found.i32("slot")?);
    let planned = found.text_or_null("planned_promotion_id")?;
    let mut rows = Rows::new();
    for ((customer, slot), planned) in customers.into_iter().zip(slots).zip(planned) {
        let of_customer = rows.entry((customer, Some(run.as_of))).or_default();
        of_customer.entry(slot as usize - 1).or_default().push((planned, 1.0));
    }
    Ok(rows)
}

/// What a table says, under the ids by which the runs know customers.
fn rows_of_table(project: &Project, name: &str, table: &[TableRow]) -> Result<Rows> {
    let mut rows = Rows::new();
    // The first row of each slot, for whoever must find it.
    let mut firsts: BTreeMap<(String, Option<Date>, usize), &TableRow> = BTreeMap::new();
    for row in table {
        let customer = project.customer_id(&row.customer)?;
        if row.slot as usize > project.config.slots.len() {
            return Err(Error::data(
                "T1054",
                format!(
                    "{name}: row {} names slot {}, and there are {}",
                    row.row,
                    row.slot,
                    project.config.slots.len()
                ),
            )
            .hint("slots count from 1, in the order of the project's [[slots]]"));
        }
        let slot = usize::try_from(row.slot - 1).unwrap_or(usize::MAX);
        firsts.entry((customer.clone(), row.as_of, slot)).or_insert(row);
        let slots = rows.entry((customer, row.as_of)).or_default();
        slots.entry(slot).or_default().push((row.promotion.clone(), row.probability));
    }
    for ((customer, as_of, slot), first) in &firsts {
        let choices = &rows[&(customer.clone(), *as_of)][slot];
        let probabilities: Vec<f64> = choices.iter().map(|(_, probability)| *probability).collect();
        check_policy(&probabilities).map_err(|refusal| {
            let TableRow { row, customer, slot, .. } = first;
            Error::from(refusal)
                .context(format!("{name}: row {row}: customer '{customer}', slot {slot}"))
        })?;
    }
    Ok(rows)
}
