//! How do chosen offers become a plan?

use std::cmp::Reverse;

use rayon::prelude::*;

use super::picks::Picks;
use super::pins::Pins;
use super::seats::Seated;
use crate::ledger::Ledger;
use crate::plan::{Origin, Placed, Plan};
use crate::problem::Problem;

/// Customers of one parallel task; their values are added up first, so that threads change nothing.
const BLOCK: usize = 4_096;

/// The plan of pins and of the offers chosen beside them.
pub(super) fn assemble(
    problem: &Problem<'_>,
    pins: &Pins,
    chosen: impl Fn(usize) -> Picks + Sync,
) -> Plan {
    let slots = problem.slots.len();
    let mut cells: Vec<Option<Placed>> = vec![None; problem.customers.len() * slots];
    let of_blocks: Vec<(Ledger, f64)> = cells
        .par_chunks_mut(BLOCK * slots)
        .enumerate()
        .map(|(block, cells)| {
            let (mut ledger, mut value_minor) = (Ledger::new(problem), 0.0);
            for (customer, cells) in (block * BLOCK..).zip(cells.chunks_mut(slots)) {
                let (pinned, mut picks) = (pins.of(customer), chosen(customer));
                if problem.overlap.is_additive() {
                    // Which of them came first is not to be seen: the best one.
                    let row = problem.customers.row(customer);
                    picks.sort_by_key(|at| (Reverse(row.get(at).value_minor), at));
                }
                value_minor += seat_all(problem, customer, &pinned, &picks, cells, &mut ledger);
            }
            (ledger, value_minor)
        })
        .collect();
    let (mut ledger, mut total_value_minor) = (Ledger::new(problem), 0.0);
    for (used, value_minor) in of_blocks {
        ledger.join(&used);
        total_value_minor += value_minor;
    }
    let mut plan = Plan {
        slots,
        cells,
        unplaced_pins: pins.unplaced.clone(),
        remaining_caps: Vec::new(),
        remaining_promotion_budgets_minor: Vec::new(),
        remaining_budgets_minor: Vec::new(),
        remaining_total_budget_minor: None,
        shortfalls: Vec::new(),
        total_value_minor,
    };
    plan.settle(problem, &ledger);
    plan
}

/// Puts a customer's offers into their slots, and returns the sum of their marginal values.
fn seat_all(
    problem: &Problem<'_>,
    customer: usize,
    pinned: &Picks,
    picks: &Picks,
    cells: &mut [Option<Placed>],
    ledger: &mut Ledger,
) -> f64 {
    if pinned.len() + picks.len() == 0 {
        return 0.0;
    }
    let (mut seated, mut promotions) = (Seated::default(), Vec::with_capacity(cells.len()));
    let mut list = [Placed::default(); crate::problem::MAX_SLOTS];
    let mut sum_minor = 0.0;
    for (rank, at) in pinned.iter().chain(picks.iter()).enumerate() {
        let candidate = problem.candidate(customer, at);
        let with = seated.with(problem.open_slots(customer, &candidate) & problem.all_slots());
        assert!(with.is_some(), "offers are chosen only where a slot is free for them");
        seated = with.unwrap_or(seated);
        let value_minor = problem.marginal_minor(customer, &promotions, &candidate);
        list[rank] = Placed {
            value_minor: value_minor as f32,
            candidate: at as u16,
            rank: rank as u8,
            origin: if rank < pinned.len() { Origin::Pin } else { Origin::Value },
        };
        promotions.push(candidate.promotion);
        ledger.add(problem, customer, &candidate);
        sum_minor += value_minor;
    }
    for (cell, rank) in cells.iter_mut().zip(seated.tidy()) {
        *cell = rank.map(|rank| list[usize::from(rank)]);
    }
    sum_minor
}
