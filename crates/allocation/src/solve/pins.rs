//! Which pins can be placed?

use std::collections::BTreeMap;

use super::desk::Desk;
use super::picks::Picks;
use crate::ledger::Ledger;
use crate::plan::UnplacedPin;
use crate::problem::Problem;

/// The pins that went through, and those that did not.
pub(super) struct Pins {
    placed: BTreeMap<usize, Picks>,
    /// Pins that a rule did not let through, by customer.
    pub(super) unplaced: Vec<UnplacedPin>,
    /// What the placed ones use.
    pub(super) ledger: Ledger,
    /// What they are worth, minor units.
    pub(super) value_minor: f64,
}

impl Pins {
    /// Places pins, customer by customer in the order of their hash.
    pub(super) fn place(problem: &Problem<'_>) -> Self {
        let mut order: Vec<usize> = problem.customers.with_pins().collect();
        order.sort_unstable_by_key(|&at| (problem.customers[at].order, at));
        let ledger = Ledger::new(problem);
        let mut pins =
            Self { placed: BTreeMap::new(), unplaced: Vec::new(), ledger, value_minor: 0.0 };
        for customer in order {
            let mut desk = Desk::new(problem, customer, &Picks::default());
            for candidate in problem.customers.pinned(customer) {
                if let Err(rule) = desk.pin(problem, &mut pins.ledger, candidate) {
                    pins.unplaced.push(UnplacedPin { customer, candidate, rule });
                }
            }
            if desk.picks().len() > 0 {
                pins.value_minor += desk.value_minor();
                pins.placed.insert(customer, *desk.picks());
            }
        }
        pins.unplaced.sort_by_key(|pin| pin.customer);
        pins
    }

    /// The customer's placed pins in the order in which they were placed.
    pub(super) fn of(&self, customer: usize) -> Picks {
        match self.placed.is_empty() {
            true => Picks::default(),
            false => self.placed.get(&customer).copied().unwrap_or_default(),
        }
    }

    /// Customers with placed pins, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Picks)> {
        self.placed.iter().map(|(customer, picks)| (*customer, picks))
    }
}
