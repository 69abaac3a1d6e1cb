//! What was decided?

use std::ops::Deref;

use crate::constraints::RuleId;
use crate::problem::MAX_SLOTS;

/// An offer in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Placed {
    /// The marginal value it was chosen for, minor units: [`crate::Problem::marginal_minor`] to seven digits.
    pub value_minor: f32,
    /// Place in the customer's row of candidates.
    pub candidate: u16,
    /// In which order the customer's offers were chosen, from 0.
    pub rank: u8,
    /// True when the marketer pinned it.
    pub is_pinned: bool,
}

impl Placed {
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
