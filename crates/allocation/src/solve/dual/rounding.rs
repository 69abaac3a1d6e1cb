//! How do prices become offers that keep every limit?
//!
//! Customers in hash order, each with the best offers at prices that rise while a limit is used faster
//! than customers pass and fall while it is used slower; what is left of each limit is checked before
//! every offer. Then what is still left is sold at falling prices.

use rayon::prelude::*;

use super::market::{Effort, Market, Picks, Prices, Tariff};
use crate::problem::Candidate;

/// Customers who see the same prices, and whose offers are looked for at the same time.
const BLOCK: usize = 512;

/// How far a price moves, in its unit, when the limit is used up twice as fast as customers pass.
const GAIN: f64 = 0.5;

/// What is left is sold at these shares of the prices, one pass each.
const SALES: [f64; 5] = [1.0, 0.6, 0.3, 0.0, 0.0];

/// The offers of all customers beside the pins.
pub(super) struct Book {
    picks: Vec<u32>,
    width: usize,
}

/// An empty place in a [`Book`].
const NONE: u32 = u32::MAX;

impl Book {
    /// The customer's offers in the order in which they were chosen.
    pub(super) fn of(&self, market: &Market<'_>, customer: usize) -> Picks {
        let start = market.problem.customers[customer].candidates.start;
        let mut picks = Picks::default();
        for &pick in &self.picks[customer * self.width..(customer + 1) * self.width] {
            if pick != NONE {
                picks.push(start + pick as usize);
            }
        }
        picks
    }

    fn set(&mut self, market: &Market<'_>, customer: usize, picks: &Picks) {
        let start = market.problem.customers[customer].candidates.start;
        let mut places = self.picks[customer * self.width..(customer + 1) * self.width].iter_mut();
        let picks = picks.as_slice().iter().map(|at| (at - start) as u32);
        for (place, pick) in places.by_ref().zip(picks.chain(std::iter::repeat(NONE))) {
            *place = pick;
        }
    }
}

/// Offers near the prices within every limit.
pub(super) fn round(market: &Market<'_>, prices: &Prices) -> Book {
    let problem = market.problem;
    let width = problem.slots.len();
    let mut book = Book { picks: vec![NONE; problem.customers.len() * width], width };
    let mut left = market.left.clone();
    first_pass(market, prices, &mut left, &mut book);
    let is_free = prices.0.iter().all(|price| *price == 0.0);
    for share in SALES {
        let prices = Prices(prices.0.iter().map(|price| price * share).collect());
        if !sale(market, &Tariff::new(&prices), &mut left, &mut book) && (is_free || share == 0.0) {
            break;
        }
    }
    book
}

fn first_pass(market: &Market<'_>, start: &Prices, left: &mut [Option<i64>], book: &mut Book) {
    let whole = left.to_vec();
    let mut prices = start.clone();
    let customers = market.order.len() as f64;
    for (number, block) in market.order.chunks(BLOCK).enumerate() {
        let tariff = Tariff::new(&prices);
        let wished: Vec<Picks> = {
            let left = &*left;
            let admit = |candidate: &Candidate| market.is_within(left, candidate);
            let wish = |&customer: &u32| {
                market.best(customer as usize, &tariff, Effort::SOME, admit).picks
            };
            block.par_iter().map(wish).collect()
        };
        for (&customer, wished) in block.iter().zip(wished) {
            let mut picks = taken(market, left, &wished);
            if picks.as_slice().len() < wished.as_slice().len() {
                give_back(market, left, &picks);
                let admit = |candidate: &Candidate| market.is_within(left, candidate);
                let wished = market.best(customer as usize, &tariff, Effort::SOME, admit).picks;
                picks = taken(market, left, &wished);
            }
            book.set(market, customer as usize, &picks);
        }
        let passed = ((number * BLOCK + block.len()) as f64 / customers).min(1.0);
        for (at, _, _) in market.limits() {
            if let (Some(whole), Some(left)) = (whole[at], left[at]) {
                let (whole, left) = (whole as f64, left as f64);
                let fair = whole * (1.0 - passed);
                let ahead = ((fair - left) / (fair + whole.sqrt() + 1.0)).clamp(-1.0, 1.0);
                prices.0[at] = start.0[at] * (1.0 + GAIN * ahead);
            }
        }
    }
}

/// Sells what is left: customers change their offers where that is worth it at the prices.
///
/// False when nobody did.
fn sale(market: &Market<'_>, tariff: &Tariff, left: &mut [Option<i64>], book: &mut Book) -> bool {
    let mut is_changed = false;
    for block in market.order.chunks(BLOCK) {
        // Who would like to change at all, as long as nothing more is used: looked for side by side.
        let wishes: Vec<bool> = {
            let (left, book) = (&*left, &*book);
            block
                .par_iter()
                .map(|&customer| change(market, customer as usize, tariff, left, book).is_some())
                .collect()
        };
        for (&customer, _) in block.iter().zip(wishes).filter(|(_, wish)| *wish) {
            let customer = customer as usize;
            let Some(new) = change(market, customer, tariff, left, book) else { continue };
            let old = book.of(market, customer);
            give_back(market, left, &old);
            let picks = taken(market, left, &new);
            if picks.as_slice().len() == new.as_slice().len() {
                book.set(market, customer, &picks);
                is_changed = true;
            } else {
                give_back(market, left, &picks);
                let old = taken(market, left, &old);
                book.set(market, customer, &old);
            }
        }
    }
    is_changed
}

/// Better offers for a customer within what is left and what the customer has.
fn change(
    market: &Market<'_>,
    customer: usize,
    tariff: &Tariff,
    left: &[Option<i64>],
    book: &Book,
) -> Option<Picks> {
    let old = book.of(market, customer);
    let mut with_own = left.to_vec();
    give_back(market, &mut with_own, &old);
    let admit = |candidate: &Candidate| market.is_within(&with_own, candidate);
    let slate = market.best(customer, tariff, Effort::SOME, admit);
    let old_minor = surplus_minor(market, customer, tariff, &old);
    let is_better = slate.surplus_minor > old_minor + 1e-9 * old_minor.abs().max(1.0);
    is_better.then_some(slate.picks)
}

/// What offers bring beside the pins, less their prices.
fn surplus_minor(market: &Market<'_>, customer: usize, tariff: &Tariff, picks: &Picks) -> f64 {
    let mut chosen = market.pins(customer).map_or_else(Vec::new, |pins| pins.promotions.clone());
    let mut sum_minor = 0.0;
    for &at in picks.as_slice() {
        let candidate = &market.problem.candidates[at];
        sum_minor += market.problem.marginal_minor(customer, &chosen, candidate);
        sum_minor -= tariff.of(candidate);
        chosen.push(candidate.promotion);
    }
    sum_minor
}

/// Takes from what is left, offer by offer, and returns those it was enough for.
fn taken(market: &Market<'_>, left: &mut [Option<i64>], wished: &Picks) -> Picks {
    let mut picks = Picks::default();
    for &at in wished.as_slice() {
        let candidate = &market.problem.candidates[at];
        if market.is_within(left, candidate) {
            market.take(left, candidate, 1);
            picks.push(at);
        }
    }
    picks
}

fn give_back(market: &Market<'_>, left: &mut [Option<i64>], picks: &Picks) {
    for &at in picks.as_slice() {
        market.take(left, &market.problem.candidates[at], -1);
    }
}
