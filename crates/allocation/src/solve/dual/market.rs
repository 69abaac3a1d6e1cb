//! What may be offered to whom, and which offers are a customer's best at given prices?

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::assignment::{self, Shelves};
use super::limits::{Limits, Needs, Prices, Tariff, fit};
use super::sequence;
use crate::customers::Candidate;
use crate::problem::Problem;
use crate::rows::{Row, Rows, promotion_of, signed, unsigned};
use crate::solve::picks::Picks;
use crate::solve::pins::Pins;

/// Customers of one parallel task. Sums are taken task by task, so that no number of threads changes them.
const BLOCK: usize = 1_024;

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
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Item {
    /// What it adds to the pins less its price, minor units.
    pub(super) surplus_minor: f64,
    pub(super) price_minor: f64,
    /// Place in the customer's row.
    pub(super) at: u16,
    /// Two of the same key exclude each other: the lowest promotion of its exclusivity group.
    pub(super) key: u16,
    /// The slots it may stand in.
    pub(super) mask: u8,
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
    pub(super) keys: Vec<u16>,
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
    /// What they need of budgets, by measure, minor units.
    pub(super) needs_minor: [f64; 2],
    /// Sum of the prices paid and of the surplus: the offers' value.
    pub(super) value_minor: f64,
}

/// Whom a pass looks at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who<'a> {
    /// Everybody.
    All,
    /// The first by their hash, as many as there are copies of their rows.
    First(&'a Rows),
}

/// A problem with its pins placed.
pub(super) struct Market<'a> {
    pub(super) problem: &'a Problem<'a>,
    pub(super) pins: &'a Pins,
    /// Placed pins of customers that have any.
    pinned: BTreeMap<usize, Pinned>,
    pub(super) limits: Limits,
    /// The room that the pins leave, see [`Limits::room`].
    room: Vec<Needs>,
    /// Customers in the order of their hash.
    pub(super) order: &'a [u32],
    /// The key of each promotion.
    keys: Vec<u16>,
    /// True when a key is that of several promotions.
    has_groups: bool,
    /// True when store or channel may keep a promotion from a customer or a slot.
    is_scoped: bool,
    is_additive: bool,
}

/// Room to look for a customer's best offers in, used again and again.
#[derive(Default)]
pub(super) struct Scratch {
    shelves: Shelves,
    items: Vec<Item>,
}

impl<'a> Market<'a> {
    /// The market after the pins. `order` lists the customers by their hash.
    pub(super) fn new(problem: &'a Problem<'a>, pins: &'a Pins, order: &'a [u32]) -> Self {
        let limits = Limits::new(problem, &pins.ledger);
        let mut first_of: BTreeMap<u32, u16> = BTreeMap::new();
        let key = |(at, group): (u16, Option<u32>)| {
            group.map_or(at, |group| *first_of.entry(group).or_insert(at))
        };
        let groups = problem.promotions.iter().map(|promotion| promotion.exclusivity_group);
        let keys: Vec<u16> = (0..).zip(groups).map(key).collect();
        let pinned = pins.iter().map(|(customer, picks)| {
            let mut pinned = Pinned::default();
            for at in picks.iter() {
                let candidate = problem.candidate(customer, at);
                pinned.promotions.push(candidate.promotion);
                pinned.masks.push(problem.open_slots(customer, &candidate) & problem.all_slots());
                pinned.keys.push(keys[candidate.promotion as usize]);
            }
            (customer, pinned)
        });
        let of_promotion = |p: &crate::Promotion| p.stores.is_some() || p.channels.is_some();
        Self {
            problem,
            pins,
            pinned: pinned.collect(),
            room: limits.room(&limits.left),
            limits,
            order,
            has_groups: keys.iter().enumerate().any(|(at, key)| usize::from(*key) != at),
            keys,
            is_scoped: problem.promotions.iter().any(of_promotion)
                || problem.slots.iter().any(|slot| slot.channel.is_some()),
            is_additive: problem.overlap.is_additive(),
        }
    }

    pub(super) fn pinned(&self, customer: usize) -> Option<&Pinned> {
        // Most shops have none: asked first, because it needs no search.
        if self.pinned.is_empty() { None } else { self.pinned.get(&customer) }
    }

    /// True when what is left of the limits is enough for the candidate of a customer of these groups.
    pub(super) fn is_within(&self, groups: u16, left: &[i64], candidate: &Candidate) -> bool {
        let mut is_within = true;
        self.limits.uses(groups, candidate, |place, need| {
            is_within &= self.limits.is_floor(place) || left[place] >= need;
        });
        is_within
    }

    /// Takes a candidate of a customer of these groups from what is left of the limits, or gives it back.
    pub(super) fn take(&self, groups: u16, left: &mut [i64], candidate: &Candidate, sign: i64) {
        self.limits.uses(groups, candidate, |place, need| left[place] -= sign * need);
    }

    /// The best offers of a customer at the prices, among the candidates that `admit` lets through by
    /// promotion and needs.
    pub(super) fn best(
        &self,
        customer: usize,
        tariff: &Tariff,
        effort: Effort,
        scratch: &mut Scratch,
        admit: impl Fn(usize, Needs) -> bool,
    ) -> Slate {
        let row = self.problem.customers.row(customer);
        self.best_of(customer, row, tariff, effort, scratch, admit)
    }

    /// [`Self::best`] of the customer whose row this is.
    fn best_of(
        &self,
        customer: usize,
        row: Row<'_>,
        tariff: &Tariff,
        effort: Effort,
        scratch: &mut Scratch,
        admit: impl Fn(usize, Needs) -> bool,
    ) -> Slate {
        let nothing = Pinned::default();
        let pinned = self.pinned(customer).unwrap_or(&nothing);
        let more = self.problem.offers_most(customer).saturating_sub(pinned.masks.len());
        if more == 0 || row.is_empty() {
            return Slate::default();
        }
        let prices = tariff.of(self.limits.segment(self.problem.customers[customer].groups));
        if self.is_additive {
            let shelves = &mut scratch.shelves;
            shelves.open(self.problem.slots.len(), more, self.has_groups);
            self.gather(customer, row, prices, &admit, pinned, shelves);
            return assignment::best(shelves, pinned, more);
        }
        let items = &mut scratch.items;
        items.clear();
        self.gather(customer, row, prices, &admit, pinned, items);
        match items.is_empty() {
            true => Slate::default(),
            false => sequence::best(self.problem, customer, items, pinned, more, effort),
        }
    }

    /// Puts candidates with a surplus on the shelf.
    fn gather<S: Shelf>(
        &self,
        customer: usize,
        row: Row<'_>,
        prices: Prices<'_>,
        admit: &impl Fn(usize, Needs) -> bool,
        pinned: &Pinned,
        shelf: &mut S,
    ) {
        let least_minor = self.problem.least_minor();
        let stall = Stall { market: self, customer, pinned, admit, least_minor };
        match row.width() {
            2 => stall.gather::<2, S>(row, prices, shelf),
            4 => stall.gather::<4, S>(row, prices, shelf),
            _ => stall.gather::<8, S>(row, prices, shelf),
        }
    }

    /// The best offers of customers at the prices.
    pub(super) fn pass(&self, who: Who<'_>, prices: &[f64], effort: Effort) -> Outcome {
        let tariff = &self.limits.tariff(prices, &self.limits.left);
        let customers = match who {
            Who::All => self.order.len(),
            Who::First(rows) => rows.len(),
        };
        let blocks: Vec<Outcome> = (0..customers.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let mut sum = Outcome::nothing(self.limits.len());
                let mut scratch = Scratch::default();
                for place in block * BLOCK..customers.min((block + 1) * BLOCK) {
                    // In the order in which rows lie in memory.
                    let (customer, row) = match who {
                        Who::All => (place, self.problem.customers.row(place)),
                        Who::First(rows) => (self.order[place] as usize, rows.row(place)),
                    };
                    let admit = |promotion: usize, needs| fit(needs, self.room[promotion]);
                    let slate = self.best_of(customer, row, tariff, effort, &mut scratch, admit);
                    self.count(customer, row, &slate, tariff, &mut sum);
                }
                sum
            })
            .collect();
        blocks.into_iter().fold(Outcome::nothing(self.limits.len()), |mut sum, block| {
            sum.surplus_minor += block.surplus_minor;
            sum.most_minor += block.most_minor;
            sum.offers += block.offers;
            for (sum, minor) in sum.needs_minor.iter_mut().zip(block.needs_minor) {
                *sum += minor;
            }
            sum.value_minor += block.value_minor;
            for (sum, used) in sum.used.iter_mut().zip(block.used) {
                *sum += used;
            }
            sum
        })
    }

    fn count(
        &self,
        customer: usize,
        row: Row<'_>,
        slate: &Slate,
        tariff: &Tariff,
        sum: &mut Outcome,
    ) {
        sum.surplus_minor += slate.surplus_minor;
        sum.most_minor += slate.most_minor;
        sum.value_minor += slate.surplus_minor;
        let groups = self.problem.customers[customer].groups;
        let prices = tariff.of(self.limits.segment(groups));
        for at in slate.picks.iter() {
            let candidate = row.get(at);
            self.limits.uses(groups, &candidate, |place, need| sum.used[place] += need as f64);
            sum.offers += 1.0;
            sum.needs_minor[0] += candidate.expected_cost_minor as f64;
            sum.needs_minor[1] += candidate.margin_loss_minor as f64;
            sum.value_minor += prices.of(&candidate);
        }
    }
}

impl Outcome {
    fn nothing(limits: usize) -> Self {
        Self {
            surplus_minor: 0.0,
            most_minor: 0.0,
            used: vec![0.0; limits],
            offers: 0.0,
            needs_minor: [0.0; 2],
            value_minor: 0.0,
        }
    }
}

/// Where candidates with a surplus are put.
pub(super) trait Shelf {
    /// What a candidate for these slots must bring more than, minor units.
    fn least_minor(&self, mask: u8) -> f64;

    /// Takes a candidate that brings more.
    fn add(&mut self, item: Item);
}

/// All of them.
impl Shelf for Vec<Item> {
    fn least_minor(&self, _: u8) -> f64 {
        0.0
    }

    fn add(&mut self, item: Item) {
        self.push(item);
    }
}

/// A customer who looks at candidates.
struct Stall<'a, A> {
    market: &'a Market<'a>,
    customer: usize,
    pinned: &'a Pinned,
    admit: &'a A,
    /// What an offer must add.
    least_minor: f64,
}

impl<A: Fn(usize, Needs) -> bool> Stall<'_, A> {
    /// Looks at every candidate of the row.
    fn gather<const WIDTH: usize, S: Shelf>(
        &self,
        row: Row<'_>,
        tariff: Prices<'_>,
        shelf: &mut S,
    ) {
        match row.losses::<WIDTH>() {
            None => self.look::<WIDTH, false, S>(row, &[], tariff, shelf),
            Some(losses) => self.look::<WIDTH, true, S>(row, losses, tariff, shelf),
        }
    }

    /// The place where nearly all of the time goes: losses are only asked about where there are some.
    fn look<const WIDTH: usize, const LOSSES: bool, S: Shelf>(
        &self,
        row: Row<'_>,
        losses: &[[u8; WIDTH]],
        tariff: Prices<'_>,
        shelf: &mut S,
    ) {
        let (values, costs) = row.numbers::<WIDTH>();
        let slots = row.slots();
        let contact_minor =
            f64::from(self.market.problem.customers[self.customer].contact_price_minor);
        let all = self.market.problem.all_slots();
        // Where scope takes slots away it is not yet known which shelf a candidate is for.
        let is_scoped = self.market.is_scoped;
        let mut look = |at: usize, promotion: usize, prices: [f64; 2], (value, cost, slots)| {
            let mut needs = [unsigned::<WIDTH>(cost), 0];
            let adds_minor = signed::<WIDTH>(value) as f64 - contact_minor;
            let mut price_minor = prices[0] + prices[1] * needs[0] as f64;
            if LOSSES {
                needs[1] = unsigned::<WIDTH>(losses[at]);
                price_minor += tariff.losses[promotion] * needs[1] as f64;
            }
            let surplus_minor = adds_minor - price_minor;
            let mask: u8 = slots & all;
            let least_minor = if is_scoped { 0.0 } else { shelf.least_minor(mask) };
            if surplus_minor > least_minor {
                let key = self.market.keys[promotion];
                let item = Item { surplus_minor, price_minor, at: at as u16, key, mask };
                self.consider(item, adds_minor, (promotion, needs), row, shelf);
            }
        };
        let each = values.iter().zip(costs).zip(slots).enumerate();
        let each = each.map(|(at, ((value, cost), slots))| (at, (*value, *cost, *slots)));
        match row.codes() {
            None => {
                for ((at, numbers), prices) in each.zip(tariff.list) {
                    look(at, at, *prices, numbers);
                }
            }
            Some(codes) => {
                for ((at, numbers), code) in each.zip(codes) {
                    if let Some(promotion) = promotion_of(*code) {
                        look(at, promotion, tariff.list[promotion], numbers);
                    }
                }
            }
        }
    }

    /// A candidate that is good enough for its shelf: now the rules.
    fn consider<S: Shelf>(
        &self,
        mut item: Item,
        mut adds_minor: f64,
        (promotion, needs): (usize, Needs),
        row: Row<'_>,
        shelf: &mut S,
    ) {
        let (market, problem) = (self.market, self.market.problem);
        if !self.pinned.masks.is_empty() {
            if self.pinned.keys.contains(&item.key) {
                return;
            }
            let beside = &self.pinned.promotions;
            let candidate = row.get(usize::from(item.at));
            adds_minor = problem.marginal_minor(self.customer, beside, &candidate);
            item.surplus_minor = adds_minor - item.price_minor;
        }
        if market.is_scoped {
            let candidate = row.get(usize::from(item.at));
            item.mask = problem.scoped_slots(self.customer, &candidate) & problem.all_slots();
        }
        let is_open = item.mask != 0
            && adds_minor >= self.least_minor
            && item.surplus_minor > shelf.least_minor(item.mask)
            && (self.admit)(promotion, needs);
        if is_open {
            shelf.add(item);
        }
    }
}
