//! Who gets which three, under all rules?

use std::collections::BTreeSet;
use std::ops::Range;

use tercet_allocation::{
    Certificate, Exploration, Explored, LimitPart, Placed, Problem, RuleId, WhyNot,
};
use tercet_engine::Engine;
use tercet_measurement::assignment::{Arm, Holdout, TestArm};
use tercet_types::Result;

use super::filling::Filling;
use super::history::History;
use super::slot_masks::SlotMasks;
use super::week::Week;
use super::worth::Scored;
use crate::config::Config;

/// What the rules look at beside the week: earlier offers, redemptions, and the key of assignment.
pub(crate) struct Circumstances {
    /// Key of the keyed hash.
    pub(crate) assignment_key: [u8; 16],
    /// Offers of earlier runs.
    pub(crate) history: History,
    /// Promotions redeemed before the Monday, by customer.
    pub(crate) redeemed: BTreeSet<(i32, i32)>,
    /// True when the holdout gets nothing; a replay of the past has none.
    pub(crate) with_holdout: bool,
    /// What is drawn at random beside the plan.
    pub(crate) exploration: Exploration,
}

/// Where assignment puts a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The arm of the holdout.
    pub(crate) arm: Arm,
    /// The arm of the engine test, where the customer is in one.
    pub(crate) test_arm: Option<TestArm>,
    /// True when no engine decides for this arm of the test, so that it gets no offers.
    pub(crate) is_bare: bool,
}

impl Standing {
    /// In an arm of the holdout, and in no test.
    const fn of(arm: Arm) -> Self {
        Self { arm, test_arm: None, is_bare: false }
    }
}

/// The problem of a week and its plan.
///
/// The candidates of every customer are the promotions of the plan, in their order.
pub(crate) struct Slates {
    /// Index of each customer of the plan, in its part.
    pub(crate) customers: Vec<i32>,
    /// Where the customers of each part begin.
    pub(super) first_of_part: Vec<usize>,
    /// Where assignment puts each customer.
    pub(crate) standing: Vec<Standing>,
    /// What the solver saw, but for the overlap.
    pub(crate) problem: Problem<'static>,
    /// Index of each promotion of the plan.
    pub(crate) promotions: Vec<i32>,
    /// Why each slot is empty, customer by customer, when asked for.
    pub(crate) why_empty: Vec<Option<RuleId>>,
    /// What kept each candidate out, customer by customer, when asked for.
    pub(crate) why_not: Vec<Option<WhyNot>>,
    /// Names of the problem's budgets of several promotions.
    pub(crate) budget_names: Vec<String>,
    /// Names of the problem's floors.
    pub(crate) floor_names: Vec<String>,
    /// Who gets what, and how likely that was.
    pub(crate) explored: Explored,
    /// How good the plan is before any draw, when asked for.
    pub(crate) certificate: Option<Certificate>,
}

impl Slates {
    /// The promotion of an offer.
    pub(crate) fn offered(&self, customer: usize, placed: &Placed) -> i32 {
        let at = self.problem.candidate(customer, placed.at()).promotion;
        self.promotions[at as usize]
    }

    /// The places of the customers of a part.
    pub(crate) fn part(&self, part: usize) -> Range<usize> {
        let end = self.first_of_part.get(part + 1).copied();
        self.first_of_part[part]..end.unwrap_or(self.customers.len())
    }
}

/// What is told of a plan beside who gets what.
#[derive(Clone, Copy, Default)]
pub(crate) struct Told {
    /// How good it is, and why slots are empty.
    pub(crate) with_reasons: bool,
    /// What kept each candidate out, too: as many words as there are pairs.
    pub(crate) of_candidates: bool,
}

/// Fills the slots of the customers in `scored` and holds every rule against the result.
///
/// `keep` says which promotions take part at all.
pub(crate) fn fill_slots(
    engine: &Engine,
    week: &Week,
    config: &Config,
    scored: &Scored,
    circumstances: &Circumstances,
    masks: &SlotMasks,
    keep: impl Fn(i32) -> bool,
) -> Result<Slates> {
    let mut filling = Filling::new(week, config, keep)?;
    let holdout = Holdout::new(circumstances.assignment_key, config.rules.holdout_rate)?;
    let standing = |ix: i32| {
        Ok(Standing::of(match circumstances.with_holdout {
            true => holdout.arm(&week.customers[&ix].id),
            false => Arm::Treatment,
        }))
    };
    let part = filling.terms().part(engine, week, scored, circumstances, masks, &standing)?;
    filling.push(part)?;
    filling.solve(Told::default(), LimitPart::WHOLE)
}
