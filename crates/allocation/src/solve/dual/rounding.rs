//! How do prices become offers that keep every limit?
//!
//! Customers in hash order, each with the best offers at prices that rise while a limit is used faster
//! than customers pass and fall while it is used slower; what is left of each limit is checked before
//! every offer. Then, where it is worth it, what is still left is sold at falling prices, and floors that
//! are missed pay more and more. What adds exactly nothing fills slots last.

use rayon::prelude::*;

use super::limits::{Tariff, fit};
use super::market::{Effort, Market, Scratch};
use crate::customers::Candidate;
use crate::ledger::Ledger;
use crate::problem::{MAX_SLOTS, Problem};
use crate::solve::desk::Desk;
use crate::solve::greedy::fill_desk;
use crate::solve::picks::{Book, Picks};

/// Prices move when this share of the customers who are left has passed: often near the end, where little that is
/// left has to last for few.
const ROUND_SHARE: usize = 200;

/// Customers who see the same prices, and whose offers are looked for at the same time: within these.
const ROUND: (usize, usize) = (64, 4_096);

/// How far a price moves, in its unit, when the limit is used up twice as fast as customers pass.
const GAIN: f64 = 0.5;

/// Between these shares of the customers prices have settled, and few limits are near their end.
const SETTLED: (f64, f64) = (0.1, 0.9);

/// What is left is sold at these shares of the prices, one pass each; and so much of the way to what a floor
/// pays at most is added to what it pays.
const SALES: [(f64, f64); 7] =
    [(1.0, 0.0), (0.9, 0.0), (0.8, 0.0), (0.6, 0.05), (0.3, 0.25), (0.0, 1.0), (0.0, 1.0)];

/// Sales are held while what is left is worth more than this share of the offers, at the prices.
const WORTH_A_SALE: f64 = 8e-4;

/// Up to so many customers sales are held in any case.
const FEW_CUSTOMERS: usize = 200_000;

/// Offers near the prices within every limit, and the prices at which limits lasted just as long as customers.
pub(super) fn round(market: &Market<'_>, prices: &[f64]) -> (Book, Vec<f64>) {
    let mut rounding = Rounding::new(market);
    let clearing = rounding.first_pass(prices);
    let is_free = prices.iter().all(|price| *price == 0.0);
    for (share, raise) in SALES {
        if !rounding.is_worth_a_sale(prices) {
            break;
        }
        let price = |at: usize| match market.limits.is_floor(at) {
            true => prices[at] + raise * (market.limits.price_most[at] - prices[at]),
            false => prices[at] * share,
        };
        let prices: Vec<f64> = (0..prices.len()).map(price).collect();
        let before = (rounding.left.clone(), rounding.book.clone());
        let sold = rounding.sale(&prices);
        if sold.gained_minor < 0.0 {
            (rounding.left, rounding.book) = before;
        }
        if !sold.is_any && (is_free || share == 0.0) {
            break;
        }
    }
    rounding.fill();
    (rounding.book, clearing)
}

/// The outcome of a sale.
#[derive(Default)]
struct Sold {
    /// True when somebody changed offers.
    is_any: bool,
    /// What the offers are worth more than before, minor units.
    gained_minor: f64,
}

/// The offers that a customer would have, beside where they stand in the row: looked up where customers are asked side
/// by side, so that taking them, one customer after the other, looks at no row.
struct Wish {
    picks: Picks,
    /// As many as are picked.
    candidates: [Candidate; MAX_SLOTS],
    /// The groups of the customer.
    groups: u16,
}

impl Wish {
    fn of(problem: &Problem<'_>, customer: usize, picks: Picks) -> Self {
        let mut candidates = [Candidate::default(); MAX_SLOTS];
        let row = problem.customers.row(customer);
        candidates.iter_mut().zip(picks.iter()).for_each(|(place, at)| *place = row.get(at));
        Self { picks, candidates, groups: problem.customers[customer].groups }
    }

    fn offers(&self) -> &[Candidate] {
        &self.candidates[..self.picks.len()]
    }
}

/// What is left while offers are made.
struct Rounding<'a> {
    market: &'a Market<'a>,
    left: Vec<i64>,
    book: Book,
    /// What the offers of the first pass are worth, each by itself, minor units.
    value_minor: f64,
}

impl<'a> Rounding<'a> {
    fn new(market: &'a Market<'a>) -> Self {
        Self {
            market,
            left: market.limits.left.clone(),
            book: Book::new(market.order.len(), market.problem.slots.len()),
            value_minor: 0.0,
        }
    }

    /// Returns the mean of the prices, but for those of the first and the last customers.
    fn first_pass(&mut self, start: &[f64]) -> Vec<f64> {
        let (market, limits) = (self.market, &self.market.limits);
        let customers = market.order.len();
        let mut prices = start.to_vec();
        let (mut sums, mut passing) = (vec![0.0; start.len()], 0.0);
        let mut spare = Scratch::default();
        let mut rest = market.order;
        while !rest.is_empty() {
            let size = (rest.len() / ROUND_SHARE).clamp(ROUND.0, ROUND.1).min(rest.len());
            let round;
            (round, rest) = rest.split_at(size);
            let tariff = limits.tariff(&prices, &self.left);
            let room = limits.room(&self.left);
            let wished = side_by_side(round, |customer, scratch| {
                let admit = |promotion: usize, needs| fit(needs, room[promotion]);
                let slate = market.best(customer, &tariff, Effort::SOME, scratch, admit);
                Wish::of(market.problem, customer, slate.picks)
            });
            for (customer, mut wish) in round.iter().map(|at| *at as usize).zip(wished) {
                if !self.take_all(&wish) {
                    // Somebody in this round was first: now with what is left exactly.
                    let room = limits.room(&self.left);
                    let admit = |promotion: usize, needs| fit(needs, room[promotion]);
                    let slate = market.best(customer, &tariff, Effort::SOME, &mut spare, admit);
                    wish = Wish::of(market.problem, customer, slate.picks);
                    wish = Wish::of(market.problem, customer, self.take_some(&wish));
                }
                let values_minor = wish.offers().iter().map(|offer| offer.value_minor as f64);
                self.value_minor += values_minor.sum::<f64>();
                self.book.set(customer, &wish.picks);
            }
            let passed = 1.0 - rest.len() as f64 / customers as f64;
            if (SETTLED.0..SETTLED.1).contains(&passed) {
                let weight = round.len() as f64;
                sums.iter_mut().zip(&prices).for_each(|(sum, price)| *sum += weight * price);
                passing += weight;
            }
            for at in 0..limits.len() {
                let (whole, left) = (limits.left[at] as f64, self.left[at] as f64);
                let fair = whole * (1.0 - passed);
                let ahead = ((fair - left) / (fair + fair.sqrt() + 1.0)).clamp(-1.0, 1.0);
                let price = start[at] * (1.0 + GAIN * limits.sign(at) * ahead);
                prices[at] = price.min(limits.price_most[at]);
            }
        }
        if passing > 0.0 { sums.iter().map(|sum| sum / passing).collect() } else { start.to_vec() }
    }

    /// Takes all the offers, or none where the limits are not enough.
    fn take_all(&mut self, wish: &Wish) -> bool {
        let offers = wish.offers();
        let taken = offers.iter().take_while(|offer| self.take(wish.groups, offer)).count();
        let is_all = taken == offers.len();
        if !is_all {
            self.give_back(wish.groups, &offers[..taken]);
        }
        is_all
    }

    /// Takes offer by offer, and returns those the limits were enough for.
    fn take_some(&mut self, wish: &Wish) -> Picks {
        let mut picks = Picks::default();
        for (at, offer) in wish.picks.iter().zip(wish.offers()) {
            if self.take(wish.groups, offer) {
                picks.push(at);
            }
        }
        picks
    }

    /// Takes an offer if the limits are enough for it.
    fn take(&mut self, groups: u16, offer: &Candidate) -> bool {
        let is_within = self.market.is_within(groups, &self.left, offer);
        if is_within {
            self.market.take(groups, &mut self.left, offer, 1);
        }
        is_within
    }

    fn give_back(&mut self, groups: u16, offers: &[Candidate]) {
        offers.iter().for_each(|offer| self.market.take(groups, &mut self.left, offer, -1));
    }

    /// True when what is left, or missed, is worth more than a little.
    fn is_worth_a_sale(&self, prices: &[f64]) -> bool {
        let limits = &self.market.limits;
        let worth = |at: usize| match limits.is_floor(at) {
            true => limits.price_most[at] * self.left[at].max(0) as f64,
            false => prices[at] * self.left[at] as f64,
        };
        let left_minor: f64 = (0..limits.len()).map(worth).sum();
        self.market.order.len() <= FEW_CUSTOMERS || left_minor > WORTH_A_SALE * self.value_minor
    }

    /// Sells what is left: customers change their offers where that is worth it at the prices.
    ///
    /// What is gained may be less than nothing: who is paid by a floor, or buys at a price.
    fn sale(&mut self, prices: &[f64]) -> Sold {
        let (market, mut sold) = (self.market, Sold::default());
        let worth = self.worth_of_misses();
        // What a floor pays hangs on what is missing: looked up for every customer.
        let has_floors = (0..prices.len()).any(|at| market.limits.is_floor(at));
        let mut spare = Scratch::default();
        for round in market.order.chunks(ROUND.1) {
            // Who would like to change at all, as long as nothing more is used: looked for side by side.
            let this = &*self;
            let tariff = market.limits.tariff(prices, &self.left);
            let wishes = side_by_side(round, |customer, scratch| {
                this.change(customer, prices, &tariff, scratch).is_some()
            });
            for (&customer, _) in round.iter().zip(wishes).filter(|(_, wish)| *wish) {
                let customer = customer as usize;
                let exact = has_floors.then(|| market.limits.tariff(prices, &self.left));
                let tariff = exact.as_ref().unwrap_or(&tariff);
                let Some(new) = self.change(customer, prices, tariff, &mut spare) else { continue };
                let old = Wish::of(market.problem, customer, self.book.of(customer));
                self.give_back(old.groups, old.offers());
                let left = |place: usize| self.left[place];
                let gain_minor = self.surplus_minor(customer, &worth, &new, &left)
                    - self.surplus_minor(customer, &worth, &old.picks, &left);
                if self.take_all(&Wish::of(market.problem, customer, new)) {
                    self.book.set(customer, &new);
                    sold.is_any = true;
                    sold.gained_minor += gain_minor;
                } else {
                    self.take_some(&old);
                }
            }
        }
        sold
    }

    /// Prices that count what offers are worth, and what floors miss.
    fn worth_of_misses(&self) -> Vec<f64> {
        let limits = &self.market.limits;
        let price = |at: usize| if limits.is_floor(at) { limits.price_most[at] } else { 0.0 };
        (0..limits.len()).map(price).collect()
    }

    /// Better offers for a customer within what is left and what the customer has.
    fn change(
        &self,
        customer: usize,
        prices: &[f64],
        tariff: &Tariff,
        scratch: &mut Scratch,
    ) -> Option<Picks> {
        let (market, limits) = (self.market, &self.market.limits);
        let old = self.book.of(customer);
        let groups = market.problem.customers[customer].groups;
        // What the customer's own offers would give back.
        let mut own: Vec<(usize, i64)> = Vec::new();
        for at in old.iter() {
            let candidate = market.problem.candidate(customer, at);
            limits.uses(groups, &candidate, |place, need| own.push((place, need)));
        }
        let left = |place: usize| {
            let back = own.iter().filter(|(of, _)| *of == place).map(|(_, need)| need);
            self.left[place] + back.sum::<i64>()
        };
        let admit = |promotion: usize, needs| limits.has_room(promotion, needs, left);
        let slate = market.best(customer, tariff, Effort::SOME, scratch, admit);
        if slate.picks == old {
            return None;
        }
        let old_minor = self.surplus_minor(customer, prices, &old, &left);
        let new_minor = self.surplus_minor(customer, prices, &slate.picks, &left);
        let is_better = new_minor > old_minor + 1e-9 * old_minor.abs().max(1.0);
        is_better.then_some(slate.picks)
    }

    /// What offers bring beside the pins, less their prices; a floor pays for as many as it misses.
    fn surplus_minor(
        &self,
        customer: usize,
        prices: &[f64],
        picks: &Picks,
        left: &impl Fn(usize) -> i64,
    ) -> f64 {
        let (problem, limits) = (self.market.problem, &self.market.limits);
        let pinned = self.market.pinned(customer).map(|pinned| &pinned.promotions);
        let mut chosen = pinned.cloned().unwrap_or_default();
        let groups = problem.customers[customer].groups;
        let mut sum_minor = 0.0;
        let mut floors: Vec<usize> = Vec::new();
        for at in picks.iter() {
            let candidate = problem.candidate(customer, at);
            sum_minor += problem.marginal_minor(customer, &chosen, &candidate);
            limits.uses(groups, &candidate, |place, need| {
                if !limits.is_floor(place) {
                    sum_minor -= prices[place] * need as f64;
                } else if (floors.iter().filter(|of| **of == place).count() as i64) < left(place) {
                    sum_minor += prices[place];
                    floors.push(place);
                }
            });
            chosen.push(candidate.promotion);
        }
        sum_minor
    }

    /// Offers that add exactly nothing, where they are not too little and slots are free: greedily, and as
    /// long as limits last.
    fn fill(&mut self) {
        let (market, problem) = (self.market, self.market.problem);
        let is_of_use = problem.customers.has_zeros() || !problem.overlap.is_additive();
        if problem.least_minor() > 0.0 || !is_of_use {
            return;
        }
        for round in market.order.chunks(ROUND.1) {
            let ledger = self.ledger();
            let book = &self.book;
            let more = side_by_side(round, |customer, _| {
                more(problem, customer, &market.pins.of(customer), &book.of(customer), &ledger)
            });
            for (customer, more) in round.iter().map(|at| *at as usize).zip(more) {
                if more.len() > 0 {
                    let taken = self.take_some(&Wish::of(problem, customer, more));
                    let mut picks = self.book.of(customer);
                    taken.iter().for_each(|at| picks.push(at));
                    self.book.set(customer, &picks);
                }
            }
        }
    }

    /// What is used up, as rules count it.
    fn ledger(&self) -> Ledger {
        let mut ledger = self.market.pins.ledger.clone();
        self.market.limits.settle(&self.left, &mut ledger);
        ledger
    }
}

/// What greedy adds to a customer's offers.
fn more(
    problem: &Problem<'_>,
    customer: usize,
    pinned: &Picks,
    picks: &Picks,
    ledger: &Ledger,
) -> Picks {
    let (mut stand, mut more) = (*pinned, Picks::default());
    let is_full = pinned.len() + picks.len() >= problem.offers_most(customer);
    let row = problem.customers.row(customer);
    let is_of_use =
        || !problem.overlap.is_additive() || row.iter().any(|candidate| candidate.value_minor == 0);
    if is_full || !is_of_use() {
        return more;
    }
    picks.iter().for_each(|at| stand.push(at));
    let mut desk = Desk::new(problem, customer, &stand);
    fill_desk(problem, &mut desk, ledger);
    desk.picks().iter().skip(stand.len()).for_each(|at| more.push(at));
    more
}

/// Asks customers side by side, and answers in their order.
fn side_by_side<T: Send>(
    customers: &[u32],
    ask: impl Fn(usize, &mut Scratch) -> T + Sync,
) -> Vec<T> {
    customers
        .par_iter()
        .with_min_len(16)
        .map_init(Scratch::default, |scratch, &customer| ask(customer as usize, scratch))
        .collect()
}
