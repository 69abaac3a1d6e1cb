//! Who gets what, if the most valuable offer always goes first?
//!
//! Pins first, customers in the order of their hash. Then, while no cap or budget couples
//! customers, each slate by itself, in parallel: always the candidate with the largest marginal
//! value. With caps or budgets the same, but best-first over all customers: scarce offers go where
//! they are worth most, ties to the customer whose hash comes first, never to low ids. A heap of
//! each customer's next offer is refreshed lazily (Minoux 1978, doi:10.1007/BFb0006528), which is
//! exact because marginal values only fall and what a rule refused it refuses for good.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use rayon::prelude::*;
use tercet_types::Result;

use super::Solver;
use super::desk::{Desk, Next};
use crate::ledger::Ledger;
use crate::plan::{Plan, UnplacedPin};
use crate::problem::Problem;

/// Greedy by marginal value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Greedy;

impl Solver for Greedy {
    fn name(&self) -> &'static str {
        "greedy"
    }

    fn solve(&self, problem: &Problem<'_>) -> Result<Plan> {
        problem.check()?;
        let mut order: Vec<u32> = (0..problem.customers.len() as u32).collect();
        order.sort_by_key(|&at| (problem.customers[at as usize].order, at));
        Ok(complete(problem, &order, |_, _| ()))
    }
}

/// Pins, then the candidates that `choose` hands over customer by customer, then greedy with what is left.
///
/// `order` lists the customers by their hash. What a rule refuses is left out.
pub(super) fn complete(
    problem: &Problem<'_>,
    order: &[u32],
    choose: impl Fn(usize, &mut dyn FnMut(usize)),
) -> Plan {
    let mut ledger = Ledger::new(problem);
    let mut desks: Vec<Desk> =
        (0..problem.customers.len()).into_par_iter().map(|at| Desk::new(problem, at)).collect();
    let unplaced_pins = place_pins(problem, order, &mut desks, &mut ledger);
    for (customer, desk) in desks.iter_mut().enumerate() {
        choose(customer, &mut |candidate| desk.choose(problem, &mut ledger, candidate));
    }
    if problem.is_coupled() {
        fill_best_first(problem, order, &mut desks, &mut ledger);
    } else {
        fill_each(problem, &mut desks, &mut ledger);
    }
    plan(problem, &desks, &ledger, unplaced_pins)
}

fn place_pins(
    problem: &Problem<'_>,
    order: &[u32],
    desks: &mut [Desk],
    ledger: &mut Ledger,
) -> Vec<UnplacedPin> {
    let mut unplaced = Vec::new();
    for customer in order.iter().map(|&at| at as usize) {
        for &candidate in &problem.customers[customer].pinned {
            if let Err(rule) = desks[customer].pin(problem, ledger, candidate) {
                unplaced.push(UnplacedPin { customer, candidate, rule });
            }
        }
    }
    unplaced.sort_by_key(|pin| pin.customer);
    unplaced
}

/// Fills every slate by itself.
fn fill_each(problem: &Problem<'_>, desks: &mut [Desk], ledger: &mut Ledger) {
    let idle = ledger.clone();
    desks.par_iter_mut().for_each(|desk| {
        while let Some(next) = desk.next(problem, &idle) {
            desk.place(problem, next, false);
        }
    });
    for placed in desks.iter().flat_map(Desk::placed).filter(|placed| !placed.is_pinned) {
        ledger.add(&problem.candidates[placed.candidate]);
    }
}

/// Fills all slates together, the most valuable offer first.
fn fill_best_first(problem: &Problem<'_>, order: &[u32], desks: &mut [Desk], ledger: &mut Ledger) {
    let first: Vec<Option<Next>> =
        order.par_iter().map(|&at| desks[at as usize].next(problem, ledger)).collect();
    let mut heap: BinaryHeap<Turn> = (0..)
        .zip(first)
        .filter_map(|(place, next)| next.map(|next| Turn { next, place }))
        .collect();
    // Every turn places an offer, or passes over candidates that are refused for good.
    while let Some(turn) = heap.pop() {
        let desk = &mut desks[order[turn.place] as usize];
        if desk.is_open(problem, ledger, turn.next) {
            desk.place(problem, turn.next, false);
            ledger.add(&problem.candidates[turn.next.candidate]);
        }
        if let Some(next) = desk.next(problem, ledger) {
            heap.push(Turn { next, place: turn.place });
        }
    }
}

/// A customer's claim on the next offer: most valuable first, then by place in the hash order.
struct Turn {
    next: Next,
    place: usize,
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_value = self.next.value_minor.total_cmp(&other.next.value_minor);
        by_value.then(Reverse(self.place).cmp(&Reverse(other.place)))
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Turn {}

fn plan(
    problem: &Problem<'_>,
    desks: &[Desk],
    ledger: &Ledger,
    unplaced_pins: Vec<UnplacedPin>,
) -> Plan {
    let cells: Vec<_> =
        desks.par_iter().map(|desk| desk.cells(problem, ledger)).collect::<Vec<_>>().concat();
    let promotions = || problem.promotions.iter().enumerate();
    Plan {
        slots: problem.slots.len(),
        total_value_minor: desks.iter().flat_map(Desk::placed).map(|p| p.value_minor).sum(),
        cells,
        unplaced_pins,
        remaining_caps: promotions()
            .map(|(at, facts)| facts.cap.map(|cap| cap - ledger.offers[at]))
            .collect(),
        remaining_budgets_minor: promotions()
            .map(|(at, facts)| facts.budget_minor.map(|minor| minor - ledger.costs_minor[at]))
            .collect(),
        remaining_total_budget_minor: problem
            .total_budget_minor
            .map(|minor| minor - ledger.total_cost_minor),
    }
}
