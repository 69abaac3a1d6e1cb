//! What may be sold to whom, and what does it cost at given prices?

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::assignment;
use super::sequence;
use crate::certificate::Limit;
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::problem::{Candidate, MAX_SLOTS, Problem};

/// Customers of one parallel task. Sums are taken task by task, so that no number of threads changes them.
const BLOCK: usize = 1_024;

/// Shadow prices, one per limit: caps, then promotion budgets, then the total budget.
///
/// Zero for limits that are not set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Prices(pub(super) Vec<f64>);

/// Prices as an offer of each promotion meets them: of the offer, and per minor unit of its cost.
pub(super) struct Tariff(Vec<[f64; 2]>);

impl Tariff {
    pub(super) fn new(prices: &Prices) -> Self {
        let (caps, budgets) = prices.0.split_at(prices.0.len() / 2);
        let total = budgets[caps.len()];
        Self(caps.iter().zip(budgets).map(|(cap, budget)| [*cap, budget + total]).collect())
    }

    /// What the candidate's use of the limits costs, minor units.
    pub(super) fn of(&self, candidate: &Candidate) -> f64 {
        let [offer, cost] = self.0[candidate.promotion as usize];
        offer + cost * candidate.expected_cost_minor as f64
    }
}

/// A customer's offers beside the pins, in the order in which they are chosen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Picks {
    /// Indices into the problem's candidates.
    list: [usize; MAX_SLOTS],
    count: usize,
}

impl Picks {
    pub(super) fn push(&mut self, at: usize) {
        self.list[self.count] = at;
        self.count += 1;
    }

    pub(super) fn pop(&mut self) {
        self.count -= 1;
    }

    pub(super) fn as_slice(&self) -> &[usize] {
        &self.list[..self.count]
    }
}

/// A customer's best offers at given prices.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slate {
    /// The offers.
    pub(super) picks: Picks,
    /// Their value less their prices, minor units.
    pub(super) surplus_minor: f64,
    /// No offers have more.
    pub(super) most_minor: f64,
}

/// A candidate that may be offered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) at: usize,
    /// The slots it may stand in.
    pub(super) mask: u8,
    /// Two of the same key exclude each other: the exclusivity group, or else the promotion.
    pub(super) key: u64,
    /// What it adds to the pins less its price, minor units.
    pub(super) surplus_minor: f64,
    pub(super) price_minor: f64,
}

/// How hard the best offers of a customer are looked for where values overlap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Evaluations of marginal values, about.
    pub(super) evaluations: usize,
    /// Candidates per mask of slots, the best by themselves; [`Slate::most_minor`] is over these.
    pub(super) breadth: usize,
}

impl Effort {
    /// Always what adds most.
    pub(super) const GREEDY: Self = Self { evaluations: 0, breadth: 8 };

    /// A few exchanges of it.
    pub(super) const SOME: Self = Self { evaluations: 100, breadth: 12 };

    /// All candidates: a bound.
    pub(super) const BOUND: Self = Self { evaluations: 5_000, breadth: usize::MAX };
}

/// What is already in the slate.
#[derive(Clone, Debug, Default)]
pub(super) struct Pinned {
    pub(super) promotions: Vec<u32>,
    pub(super) masks: Vec<u8>,
    pub(super) keys: Vec<u64>,
}

/// The outcome of a pass over customers.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The sum of the customers' surpluses.
    pub(super) surplus_minor: f64,
    /// No choice has more.
    pub(super) most_minor: f64,
    /// What was used of each limit.
    pub(super) used: Vec<f64>,
    /// Offers chosen.
    pub(super) offers: f64,
    /// Sum of the prices paid and of the surplus: the offers' value.
    pub(super) value_minor: f64,
}

/// A problem with its pins placed.
pub(super) struct Market<'a> {
    pub(super) problem: &'a Problem<'a>,
    /// The slots each candidate may stand in; 0 when a rule keeps it out whatever else is offered.
    open: Vec<u8>,
    /// Placed pins of customers that have any.
    pins: BTreeMap<usize, Pinned>,
    /// What pins leave of each limit, in the order of [`Prices`].
    pub(super) left: Vec<Option<i64>>,
    /// What the pins are worth, minor units.
    pub(super) pins_minor: f64,
    /// Customers in the order of their hash.
    pub(super) order: Vec<u32>,
    is_additive: bool,
}

impl<'a> Market<'a> {
    /// The market after the pins of a plan.
    pub(super) fn new(problem: &'a Problem<'a>, plan: &Plan) -> Self {
        let (mut ledger, mut pins_minor) = (Ledger::new(problem), 0.0);
        let mut pins: BTreeMap<usize, Pinned> = BTreeMap::new();
        let has_pins = |customer: &usize| !problem.customers[*customer].pinned.is_empty();
        for customer in (0..problem.customers.len()).filter(has_pins) {
            for (_, placed) in plan.chosen(customer).iter().filter(|(_, placed)| placed.is_pinned) {
                let candidate = &problem.candidates[placed.candidate];
                ledger.add(candidate);
                pins_minor += placed.value_minor;
                let pinned = pins.entry(customer).or_default();
                pinned.promotions.push(candidate.promotion);
                pinned.masks.push(problem.open_slots(customer, candidate) & problem.all_slots());
                pinned.keys.push(key(problem, candidate));
            }
        }
        let cap = |at: usize| {
            let left = |cap: u64| i64::try_from(cap).unwrap_or(i64::MAX);
            problem.promotions[at].cap.map(|cap| left(cap.saturating_sub(ledger.offers[at])))
        };
        let left = |minor: i64, used: i64| minor.max(0).saturating_sub(used).max(0);
        let budget = |at: usize| {
            problem.promotions[at].budget_minor.map(|minor| left(minor, ledger.costs_minor[at]))
        };
        let total = problem.total_budget_minor.map(|minor| left(minor, ledger.total_cost_minor));
        let promotions = problem.promotions.len();
        let limits = (0..promotions).map(cap).chain((0..promotions).map(budget)).chain([total]);
        let left: Vec<Option<i64>> = limits.collect();
        let mut order: Vec<u32> = (0..problem.customers.len() as u32).collect();
        order.par_sort_unstable_by_key(|&at| (problem.customers[at as usize].order, at));
        let is_additive = problem.overlap.is_additive();
        let open = Vec::new();
        let mut market = Self { problem, open, pins, left, pins_minor, order, is_additive };
        let of_blocks: Vec<Vec<(usize, u8)>> = (0..problem.customers.len().div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let customers = block * BLOCK..problem.customers.len().min((block + 1) * BLOCK);
                let of_customer = |customer: usize| {
                    let market = &market;
                    let range = problem.customers[customer].candidates.clone();
                    range.map(move |at| (at, market.open_mask(customer, at)))
                };
                customers.flat_map(of_customer).filter(|(_, mask)| *mask != 0).collect()
            })
            .collect();
        let mut open = vec![0; problem.candidates.len()];
        for (at, mask) in of_blocks.into_iter().flatten() {
            open[at] = mask;
        }
        market.open = open;
        market
    }

    /// The slots a candidate may stand in, when no rule of its own keeps it out.
    fn open_mask(&self, customer: usize, at: usize) -> u8 {
        let (problem, candidate) = (self.problem, &self.problem.candidates[at]);
        let is_worth_little =
            problem.min_value_minor.is_some_and(|least| candidate.value_minor < least);
        let is_out = problem.customers[customer].blocked.is_some()
            || candidate.excluded.is_some()
            || candidate.value_minor <= 0
            || is_worth_little
            || self.offers_most(customer) == 0
            || !self.is_within(&self.left, candidate);
        if is_out { 0 } else { problem.scoped_slots(customer, candidate) & problem.all_slots() }
    }

    /// The most offers of a customer, pins included.
    pub(super) fn offers_most(&self, customer: usize) -> usize {
        let most = self.problem.offers_max.unwrap_or(MAX_SLOTS as u8);
        let most = most.min(self.problem.customers[customer].max_offers);
        usize::from(most).min(self.problem.slots.len())
    }

    pub(super) fn pins(&self, customer: usize) -> Option<&Pinned> {
        // Most customers have none: asked first, because it needs no search.
        match self.problem.customers[customer].pinned.is_empty() {
            true => None,
            false => self.pins.get(&customer),
        }
    }

    /// True when what is left of the limits is enough for the candidate.
    pub(super) fn is_within(&self, left: &[Option<i64>], candidate: &Candidate) -> bool {
        let (promotion, count) = (candidate.promotion as usize, self.problem.promotions.len());
        let cost = candidate.expected_cost_minor;
        let has = |at: usize, need: i64| left[at].is_none_or(|left| left >= need);
        has(promotion, 1) && has(count + promotion, cost) && has(2 * count, cost)
    }

    /// Takes a candidate from what is left of the limits, or gives it back.
    pub(super) fn take(&self, left: &mut [Option<i64>], candidate: &Candidate, sign: i64) {
        let (promotion, count) = (candidate.promotion as usize, self.problem.promotions.len());
        let cost = candidate.expected_cost_minor;
        for (at, need) in [(promotion, 1), (count + promotion, cost), (2 * count, cost)] {
            if let Some(left) = &mut left[at] {
                *left -= sign * need;
            }
        }
    }

    /// The limits that are set, by their place in [`Prices`].
    pub(super) fn limits(&self) -> impl Iterator<Item = (usize, Limit, i64)> {
        let count = self.problem.promotions.len();
        self.left.iter().enumerate().filter_map(move |(at, left)| {
            let limit = match at {
                at if at < count => Limit::Cap(at as u32),
                at if at < 2 * count => Limit::PromotionBudget((at - count) as u32),
                _ => Limit::TotalBudget,
            };
            left.map(|left| (at, limit, left))
        })
    }

    /// The best offers of a customer at the prices, among the candidates that `admit` lets through.
    ///
    pub(super) fn best(
        &self,
        customer: usize,
        tariff: &Tariff,
        effort: Effort,
        admit: impl Fn(&Candidate) -> bool,
    ) -> Slate {
        let nothing = Pinned::default();
        let pinned = self.pins(customer).unwrap_or(&nothing);
        let more = self.offers_most(customer).saturating_sub(pinned.masks.len());
        if more == 0 {
            return Slate::default();
        }
        let problem = self.problem;
        let range = problem.customers[customer].candidates.clone();
        let candidates = problem.candidates[range.clone()].iter().zip(&self.open[range.clone()]);
        let mut items = Vec::new();
        for (at, (candidate, &mask)) in range.zip(candidates) {
            let price_minor = tariff.of(candidate);
            let surplus_minor = candidate.value_minor as f64 - price_minor;
            if surplus_minor <= 0.0 || mask == 0 || !admit(candidate) {
                continue;
            }
            let key = key(problem, candidate);
            let mut item = Item { at, mask, key, surplus_minor, price_minor };
            if !pinned.masks.is_empty() {
                let adds = problem.marginal_minor(customer, &pinned.promotions, candidate);
                item.surplus_minor = adds - price_minor;
                let is_worth_little =
                    problem.min_value_minor.is_some_and(|least| adds < least as f64);
                if item.surplus_minor <= 0.0 || is_worth_little || pinned.keys.contains(&key) {
                    continue;
                }
            }
            items.push(item);
        }
        if items.is_empty() {
            Slate::default()
        } else if self.is_additive {
            assignment::best(&items, pinned, more)
        } else {
            sequence::best(problem, customer, items, pinned, more, effort)
        }
    }

    /// The best offers of customers at the prices.
    pub(super) fn pass(&self, customers: &[u32], prices: &Prices, effort: Effort) -> Outcome {
        let limits = self.left.len();
        let blank = || Outcome {
            surplus_minor: 0.0,
            most_minor: 0.0,
            used: vec![0.0; limits],
            offers: 0.0,
            value_minor: 0.0,
        };
        let tariff = &Tariff::new(prices);
        let blocks: Vec<Outcome> = customers
            .par_chunks(BLOCK)
            .map(|block| {
                let mut sum = blank();
                for &customer in block {
                    let slate = self.best(customer as usize, tariff, effort, |_| true);
                    sum.surplus_minor += slate.surplus_minor;
                    sum.most_minor += slate.most_minor;
                    sum.value_minor += slate.surplus_minor;
                    for &at in slate.picks.as_slice() {
                        let candidate = &self.problem.candidates[at];
                        let cost = candidate.expected_cost_minor as f64;
                        let promotion = candidate.promotion as usize;
                        sum.used[promotion] += 1.0;
                        sum.used[limits / 2 + promotion] += cost;
                        sum.used[limits - 1] += cost;
                        sum.offers += 1.0;
                        sum.value_minor += tariff.of(candidate);
                    }
                }
                sum
            })
            .collect();
        blocks.into_iter().fold(blank(), |mut sum, block| {
            sum.surplus_minor += block.surplus_minor;
            sum.most_minor += block.most_minor;
            sum.offers += block.offers;
            sum.value_minor += block.value_minor;
            for (sum, used) in sum.used.iter_mut().zip(block.used) {
                *sum += used;
            }
            sum
        })
    }

    /// What the limits cost at the prices, minor units.
    pub(super) fn rent_minor(&self, prices: &Prices) -> f64 {
        self.limits().map(|(at, _, left)| left as f64 * prices.0[at]).sum()
    }
}

/// What excludes what inside a slate: the exclusivity group, or else the promotion itself.
fn key(problem: &Problem<'_>, candidate: &Candidate) -> u64 {
    let group = problem.promotions[candidate.promotion as usize].exclusivity_group;
    group.map_or(u64::from(candidate.promotion), |group| 1 << 32 | u64::from(group))
}
