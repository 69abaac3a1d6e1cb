//! What was decided?

use std::ops::Deref;

use crate::constraints::RuleId;
use crate::ledger::Ledger;
use crate::problem::{MAX_SLOTS, Problem};

/// An offer in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Placed {
    /// The marginal value it was chosen for, minor units: [`crate::Problem::marginal_minor`] to seven digits.
    pub value_minor: f32,
    /// Place in the customer's row of candidates.
    pub candidate: u16,
    /// In which order the customer's offers were chosen, from 0.
    pub rank: u8,
    /// Who put it there.
    pub origin: Origin,
}

/// Who put an offer into its slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The solver, for its value.
    #[default]
    Value,
    /// The marketer.
    Pin,
    /// A draw of [`crate::Exploration`].
    Draw,
}

impl Placed {
    /// True when the marketer pinned it.
    pub fn is_pinned(&self) -> bool {
        self.origin == Origin::Pin
    }

    /// True when it was drawn at random.
    pub fn is_drawn(&self) -> bool {
        self.origin == Origin::Draw
    }

    /// True when it was chosen for its value, so that it has to be worth enough.
    pub(crate) fn has_to_pay(&self) -> bool {
        self.origin == Origin::Value
    }

    /// Place in the customer's row of candidates.
    pub fn at(&self) -> usize {
        usize::from(self.candidate)
    }
}

/// A pin that a rule did not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnplacedPin {
    /// The customer's index.
    pub customer: usize,
    /// The pinned candidate's place in the customer's row.
    pub candidate: usize,
    /// The rule in the way.
    pub rule: RuleId,
}

/// The decisions of a run. Why a slot stayed empty says [`crate::Reasons`].
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Slots per customer.
    pub slots: usize,
    /// `cells[customer * slots + slot]`; none is an empty slot.
    pub cells: Vec<Option<Placed>>,
    /// Pins that did not go through, by customer.
    pub unplaced_pins: Vec<UnplacedPin>,
    /// What is left of each promotion's cap.
    pub remaining_caps: Vec<Option<u64>>,
    /// What is left of each promotion's budget, minor units.
    pub remaining_promotion_budgets_minor: Vec<Option<i64>>,
    /// What is left of each budget of several promotions, minor units.
    pub remaining_budgets_minor: Vec<i64>,
    /// What is left of the total budget, minor units.
    pub remaining_total_budget_minor: Option<i64>,
    /// By how many offers each floor is missed.
    pub shortfalls: Vec<u64>,
    /// The sum of the marginal values, minor units.
    pub total_value_minor: f64,
}

impl Plan {
    /// Says what the offers leave of every limit, and by how many each floor is missed.
    pub(crate) fn settle(&mut self, problem: &Problem<'_>, ledger: &Ledger) {
        let promotions = || problem.promotions.iter().enumerate();
        let budgets = problem.budgets.iter().zip(&ledger.budgets_minor);
        let floors = problem.floors.iter().zip(&ledger.floors);
        self.remaining_caps =
            promotions().map(|(at, facts)| facts.cap.map(|cap| cap - ledger.offers[at])).collect();
        self.remaining_promotion_budgets_minor = promotions()
            .map(|(at, facts)| facts.budget_minor.map(|minor| minor - ledger.costs_minor[at]))
            .collect();
        self.remaining_budgets_minor =
            budgets.map(|(facts, used)| facts.budget_minor - used).collect();
        self.remaining_total_budget_minor =
            problem.total_budget_minor.map(|minor| minor - ledger.total_cost_minor);
        self.shortfalls =
            floors.map(|(floor, count)| floor.offers_min.saturating_sub(*count)).collect();
    }

    /// The slate of a customer, slot by slot.
    pub fn slate(&self, customer: usize) -> &[Option<Placed>] {
        &self.cells[customer * self.slots..(customer + 1) * self.slots]
    }

    /// The offers of a customer with their slots, in the order they were chosen.
    pub fn chosen(&self, customer: usize) -> Chosen {
        let mut chosen = Chosen::default();
        for (slot, cell) in self.slate(customer).iter().enumerate() {
            if let Some(placed) = cell {
                chosen.list[chosen.count] = (slot, *placed);
                chosen.count += 1;
            }
        }
        chosen.list[..chosen.count].sort_unstable_by_key(|(_, placed)| placed.rank);
        chosen
    }

    /// Every offer as customer, slot and placement.
    pub fn offers(&self) -> impl Iterator<Item = (usize, usize, &Placed)> {
        let cells = self.cells.iter().enumerate();
        cells.filter_map(|(at, cell)| {
            cell.as_ref().map(|placed| (at / self.slots, at % self.slots, placed))
        })
    }
}

/// The offers of a customer with their slots, in the order they were chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chosen {
    list: [(usize, Placed); MAX_SLOTS],
    count: usize,
}

impl Deref for Chosen {
    type Target = [(usize, Placed)];

    fn deref(&self) -> &Self::Target {
        &self.list[..self.count]
    }
}
