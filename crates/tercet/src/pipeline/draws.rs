//! What does the log say of draws?

use std::ops::Range;

use tercet_allocation::{Limit, Placed, RuleId};

use super::slates::Slates;
use super::week::Week;
use crate::config::Config;

/// What was drawn in a run, and all that the probabilities of its decisions follow from beside the log.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct DrawFacts {
    /// The share of slots that are drawn, each by itself.
    pub(crate) epsilon: f64,
    /// The share of customers all of whose slots are drawn.
    pub(crate) measurement_share: f64,
    /// The seed of the week's coins and draws; that of a customer takes the keyed hash of his id in.
    pub(crate) seed: u64,
    /// The most offers of a slate.
    pub(crate) offers_most: usize,
    /// True when slots that the plan left empty were not drawn, because limits are too scarce.
    pub(crate) is_filled_only: bool,
    /// The promotions in the order in which they are drawn from.
    pub(crate) promotions: Vec<DrawnPromotion>,
    /// Slots that could be drawn.
    pub(crate) open_slots: u64,
    /// Slots that were drawn.
    pub(crate) drawn_slots: u64,
    /// Customers in the measurement slice.
    pub(crate) measured_customers: u64,
    /// Customers whose draws a limit refused.
    pub(crate) refused_customers: u64,
    /// The share of the plan's value that draws are expected to cost.
    pub(crate) expected_cost: f64,
}

/// A promotion that could be drawn, or not.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct DrawnPromotion {
    /// The promotion.
    pub(crate) promotion: String,
    /// A customer gets at most one promotion of a group.
    pub(crate) exclusivity_group: Option<u32>,
    /// The limit that has no room for its draws: then it is drawn for nobody.
    pub(crate) left_out: Option<String>,
}

/// Customers whose probabilities are worked out at once.
const BLOCK: usize = 65_536;

/// The columns of the log that say how likely each decision was; row by row, customers with their slots.
pub(super) struct DrawColumns {
    pub(super) propensities: Vec<f64>,
    pub(super) joint: Vec<f64>,
    pub(super) is_explored: Vec<bool>,
    pub(super) planned: Vec<Option<String>>,
    pub(super) is_randomised: Vec<bool>,
    pub(super) is_measured: Vec<bool>,
    pub(super) is_usable: Vec<bool>,
}

impl DrawColumns {
    /// The columns of some customers' slates.
    pub(super) fn of(week: &Week, slates: &Slates, customers: Range<usize>) -> Self {
        let (explored, problem) = (&slates.explored, &slates.problem);
        let rows = customers.len() * problem.slots.len();
        let mut columns = Self {
            propensities: Vec::with_capacity(rows),
            joint: Vec::with_capacity(rows),
            is_explored: Vec::with_capacity(rows),
            planned: Vec::with_capacity(rows),
            is_randomised: Vec::with_capacity(rows),
            is_measured: Vec::with_capacity(rows),
            is_usable: Vec::with_capacity(rows),
        };
        for from in customers.clone().step_by(BLOCK) {
            let block = from..customers.end.min(from + BLOCK);
            let of_block = explored.propensities_of(problem, block.clone());
            for (customer, (propensities, open)) in block.zip(of_block) {
                let drawn = explored.drawn(customer);
                for (slot, cell) in explored.planned(customer).iter().enumerate() {
                    let promotion = |placed: &Placed| {
                        week.promotions[&slates.offered(customer, placed)].id.clone()
                    };
                    columns.propensities.push(propensities.slots[slot]);
                    columns.joint.push(propensities.slate);
                    columns.is_explored.push(drawn >> slot & 1 == 1);
                    columns.planned.push(cell.as_ref().map(promotion));
                    columns.is_randomised.push(open >> slot & 1 == 1);
                    columns.is_measured.push(explored.is_measured(customer));
                    columns.is_usable.push(!explored.is_refused(customer));
                }
            }
        }
        columns
    }
}

/// How many slots and customers were drawn.
#[derive(Clone, Default)]
pub(super) struct DrawCounts {
    open_slots: u64,
    drawn_slots: u64,
    measured_slots: u64,
}

impl DrawCounts {
    /// Of some customers.
    pub(super) fn of(columns: &DrawColumns) -> Self {
        let count = |list: &[bool]| list.iter().filter(|is| **is).count() as u64;
        Self {
            open_slots: count(&columns.is_randomised),
            drawn_slots: count(&columns.is_explored),
            measured_slots: count(&columns.is_measured),
        }
    }

    /// Adds those of others.
    pub(super) fn absorb(&mut self, other: &Self) {
        self.open_slots += other.open_slots;
        self.drawn_slots += other.drawn_slots;
        self.measured_slots += other.measured_slots;
    }

    /// What the report says of all; nothing when nothing is drawn.
    pub(super) fn facts(&self, config: &Config, week: &Week, slates: &Slates) -> Option<DrawFacts> {
        let (explored, problem) = (&slates.explored, &slates.problem);
        if !explored.law().is_on() {
            return None;
        }
        let slots = problem.slots.len();
        let promotions = slates.promotions.iter().zip(&problem.promotions);
        let promotions = promotions.zip(&explored.left_out).map(|((ix, facts), left_out)| {
            let left_out = left_out.map(|limit| limit_name(limit).to_owned());
            DrawnPromotion {
                promotion: week.promotions[ix].id.clone(),
                exclusivity_group: facts.exclusivity_group,
                left_out,
            }
        });
        let law = explored.law();
        Some(DrawFacts {
            epsilon: law.epsilon,
            measurement_share: law.measurement_share,
            seed: explored.seed(),
            offers_most: match config.rules.offers_max {
                0 => slots,
                most => slots.min(usize::from(most)),
            },
            is_filled_only: explored.is_filled_only,
            promotions: promotions.collect(),
            open_slots: self.open_slots,
            drawn_slots: self.drawn_slots,
            measured_customers: self.measured_slots / slots.max(1) as u64,
            refused_customers: explored.refused as u64,
            expected_cost: explored.expected_cost(),
        })
    }
}

/// The name of a kind of limit.
fn limit_name(limit: Limit) -> &'static str {
    let rule = match limit {
        Limit::Cap(_) => RuleId::Cap,
        Limit::PromotionBudget(_) => RuleId::PromotionBudget,
        Limit::TotalBudget => RuleId::TotalBudget,
        Limit::Budget(_) => RuleId::NamedBudget,
        Limit::Floor(_) => RuleId::Floor,
    };
    rule.name()
}
