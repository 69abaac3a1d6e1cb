//! Who gets what, if the most valuable offer always goes first?
//!
//! Pins first, customers in the order of their hash. Then, while no limit couples customers, each slate by
//! itself, in parallel: always the candidate with the largest marginal value. With limits the same, but
//! best-first over all customers: scarce offers go where they are worth most, ties to the customer whose
//! hash comes first, never to low ids. A heap of each customer's next offer is refreshed lazily (Minoux
//! 1978, doi:10.1007/BFb0006528), which is exact because marginal values only fall and what a rule refused
//! it refuses for good. Floors are not looked at.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use rayon::prelude::*;
use tercet_types::Result;

use super::desk::{Desk, Next};
use super::picks::{Book, Picks};
use super::pins::Pins;
use super::{Solver, assembly, hash_order};
use crate::ledger::Ledger;
use crate::plan::Plan;
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
        Ok(plan(problem, &hash_order(problem), &Pins::place(problem)))
    }
}

/// Greedy's plan. `order` lists the customers by their hash.
pub(super) fn plan(problem: &Problem<'_>, order: &[u32], pins: &Pins) -> Plan {
    let desks = fill(problem, order, pins, pins.ledger.clone());
    let mut book = Book::new(problem.customers.len(), problem.slots.len());
    for (&customer, desk) in order.iter().zip(desks) {
        let mut picks = Picks::default();
        let pinned = pins.of(customer as usize).len();
        desk.picks().iter().skip(pinned).for_each(|at| picks.push(at));
        book.set(customer as usize, &picks);
    }
    assembly::assemble(problem, pins, |customer| book.of(customer))
}

/// What greedy's plan is worth when only so many customers, the first by their hash, and the same share of
/// every limit are there; as much more as there are more customers. Minor units.
pub(super) fn sampled_minor(
    problem: &Problem<'_>,
    order: &[u32],
    pins: &Pins,
    customers: usize,
) -> f64 {
    let share = customers as f64 / order.len().max(1) as f64;
    // The rest of every limit counts as used up; so do the pins, in proportion.
    let rest = |limit: i64, used: i64| {
        limit.saturating_sub((limit.max(0).saturating_sub(used).max(0) as f64 * share) as i64)
    };
    let mut ledger = pins.ledger.clone();
    for (at, promotion) in problem.promotions.iter().enumerate() {
        if let Some(cap) = promotion.cap {
            let left = cap.saturating_sub(ledger.offers[at]) as f64 * share;
            ledger.offers[at] = cap - (left as u64).min(cap);
        }
        if let Some(minor) = promotion.budget_minor {
            ledger.costs_minor[at] = rest(minor, ledger.costs_minor[at]);
        }
    }
    for (budget, used) in problem.budgets.iter().zip(&mut ledger.budgets_minor) {
        *used = rest(budget.budget_minor, *used);
    }
    if let Some(minor) = problem.total_budget_minor {
        ledger.total_cost_minor = rest(minor, ledger.total_cost_minor);
    }
    let desks = fill(problem, &order[..customers], pins, ledger);
    desks.iter().map(Desk::value_minor).sum::<f64>() / share
}

/// The slates of the customers, in their order.
fn fill(problem: &Problem<'_>, customers: &[u32], pins: &Pins, mut ledger: Ledger) -> Vec<Desk> {
    let desk = |&at: &u32| Desk::new(problem, at as usize, &pins.of(at as usize));
    let mut desks: Vec<Desk> = customers.par_iter().map(desk).collect();
    if problem.is_coupled() {
        fill_best_first(problem, &mut desks, &mut ledger);
    } else {
        desks.par_iter_mut().for_each(|desk| fill_desk(problem, desk, &ledger));
    }
    desks
}

/// Fills a slate by itself.
pub(super) fn fill_desk(problem: &Problem<'_>, desk: &mut Desk, ledger: &Ledger) {
    // Every turn places an offer, of which there are no more than slots.
    while let Some(next) = desk.next(problem, ledger) {
        desk.place(problem, next);
    }
}

/// Fills all slates together, the most valuable offer first.
fn fill_best_first(problem: &Problem<'_>, desks: &mut [Desk], ledger: &mut Ledger) {
    let first: Vec<Option<Next>> =
        desks.par_iter().map(|desk| desk.next(problem, ledger)).collect();
    let mut heap: BinaryHeap<Turn> = (0..)
        .zip(first)
        .filter_map(|(place, next)| next.map(|next| Turn { next, place }))
        .collect();
    // Every turn places an offer, or passes over candidates that are refused for good.
    while let Some(turn) = heap.pop() {
        let desk = &mut desks[turn.place];
        if desk.is_open(problem, ledger, turn.next) {
            desk.take(problem, ledger, turn.next);
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
