//! What was decided, and why did a slot stay empty?

use crate::constraints::RuleId;

/// An offer in a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// Index into the problem's candidates.
    pub candidate: usize,
    /// In which order the customer's offers were chosen, from 0.
    pub rank: u8,
    /// The marginal value it was chosen for, minor units.
    pub value_minor: f64,
    /// True when the marketer pinned it.
    pub is_pinned: bool,
}

/// A slot of a customer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// Filled.
    Placed(Placed),
    /// Empty: the rule that stands in the way of most of its candidates.
    Empty(RuleId),
}

impl Cell {
    /// The offer, when filled.
    pub fn placed(&self) -> Option<&Placed> {
        match self {
            Self::Placed(placed) => Some(placed),
            Self::Empty(_) => None,
        }
    }

    /// The reason, when empty.
    pub fn empty_reason(&self) -> Option<RuleId> {
        match self {
            Self::Placed(_) => None,
            Self::Empty(rule) => Some(*rule),
        }
    }
}

/// A pin that a rule did not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnplacedPin {
    /// The customer's index.
    pub customer: usize,
    /// The pinned candidate's index.
    pub candidate: usize,
    /// The rule in the way.
    pub rule: RuleId,
}

/// The decisions of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Slots per customer.
    pub slots: usize,
    /// `cells[customer * slots + slot]`.
    pub cells: Vec<Cell>,
    /// Pins that did not go through, by customer.
    pub unplaced_pins: Vec<UnplacedPin>,
    /// What is left of each promotion's cap.
    pub remaining_caps: Vec<Option<u64>>,
    /// What is left of each promotion's budget, minor units.
    pub remaining_budgets_minor: Vec<Option<i64>>,
    /// What is left of the total budget, minor units.
    pub remaining_total_budget_minor: Option<i64>,
    /// The sum of the marginal values, minor units.
    pub total_value_minor: f64,
}

impl Plan {
    /// The slate of a customer, slot by slot.
    pub fn slate(&self, customer: usize) -> &[Cell] {
        &self.cells[customer * self.slots..(customer + 1) * self.slots]
    }

    /// The offers of a customer with their slots, in the order they were chosen.
    pub fn chosen(&self, customer: usize) -> Vec<(usize, Placed)> {
        let cells = self.slate(customer).iter().enumerate();
        let mut chosen: Vec<(usize, Placed)> =
            cells.filter_map(|(slot, cell)| cell.placed().map(|placed| (slot, *placed))).collect();
        chosen.sort_by_key(|(_, placed)| placed.rank);
        chosen
    }

    /// Every offer as customer, slot and placement.
    pub fn offers(&self) -> impl Iterator<Item = (usize, usize, &Placed)> {
        let cells = self.cells.iter().enumerate();
        cells.filter_map(|(at, cell)| {
            cell.placed().map(|placed| (at / self.slots, at % self.slots, placed))
        })
    }
}
