//! Which offers are best for one customer when their values overlap?
//!
//! Marginal values only fall as a slate grows, so what candidates add now bounds what they add later.
//! A search over the orders of choice, the most promising first, leaves out what that bound shows to be
//! no better than the best found (branch and bound: Land and Doig 1960, doi:10.2307/1910129). It stops
//! at its effort; the bounds of what was not looked at hold nevertheless.

use super::market::{Effort, Item, Pinned, Slate};
use crate::problem::{MAX_SLOTS, Problem};
use crate::solve::picks::Picks;
use crate::solve::seats::Seated;

/// The best at most `more` offers beside what is pinned, found with so much effort.
pub(super) fn best(
    problem: &Problem<'_>,
    customer: usize,
    items: &mut Vec<Item>,
    pinned: &Pinned,
    more: usize,
    effort: Effort,
) -> Slate {
    if effort.breadth < items.len() {
        items.sort_unstable_by(by_surplus);
        let mut kept = [0_usize; 1 << MAX_SLOTS];
        items.retain(|item| {
            kept[usize::from(item.mask)] += 1;
            kept[usize::from(item.mask)] <= effort.breadth
        });
    }
    let mut seated = Seated::default();
    for &mask in &pinned.masks {
        seated = seated.with(mask).unwrap_or(seated);
    }
    let chosen = pinned.promotions.clone();
    let mut search = Search {
        problem,
        customer,
        least_minor: problem.least_minor(),
        effort: effort.evaluations,
        chosen,
        picks: Picks::default(),
        has_leaf: false,
        best: Slate::default(),
    };
    let most_minor = search.extend(items.clone(), seated, more, 0.0);
    let mut best = search.best;
    best.most_minor = most_minor.max(best.surplus_minor);
    best
}

/// The larger surplus first.
fn by_surplus(one: &Item, other: &Item) -> std::cmp::Ordering {
    other.surplus_minor.total_cmp(&one.surplus_minor).then(one.at.cmp(&other.at))
}

/// The most that `more` of the items, none of the key, can add if each adds its surplus. Items fall
/// in surplus.
///
/// Sets that can be seated form a matroid: taking the best that fits is the maximum.
fn most_that_fit(mut seated: Seated, items: &[Item], more: usize, but: Option<u16>) -> f64 {
    let (mut sum_minor, mut taken) = (0.0, 0);
    // A mask that finds no seat finds none later.
    let mut shut = [false; 1 << MAX_SLOTS];
    for item in items.iter().filter(|item| Some(item.key) != but) {
        if taken == more {
            break;
        }
        if shut[usize::from(item.mask)] {
            continue;
        }
        if let Some(with) = seated.with(item.mask) {
            seated = with;
            sum_minor += item.surplus_minor;
            taken += 1;
        } else {
            shut[usize::from(item.mask)] = true;
        }
    }
    sum_minor
}

struct Search<'a> {
    problem: &'a Problem<'a>,
    customer: usize,
    /// What an offer must add.
    least_minor: f64,
    /// Evaluations that are left.
    effort: usize,
    chosen: Vec<u32>,
    picks: Picks,
    /// True once a slate has been completed.
    has_leaf: bool,
    best: Slate,
}

impl Search<'_> {
    /// Looks at what may follow the chosen offers, and returns what none of it exceeds.
    ///
    /// `items` hold the most that each may add to the chosen offers less its price.
    fn extend(&mut self, mut items: Vec<Item>, seated: Seated, more: usize, minor: f64) -> f64 {
        if minor > self.best.surplus_minor {
            self.best.picks = self.picks;
            self.best.surplus_minor = minor;
        }
        items.sort_unstable_by(by_surplus);
        if more == 0 || items.is_empty() {
            self.has_leaf = true;
            return minor;
        }
        let most_minor = minor + most_that_fit(seated, &items, more, None);
        if self.has_leaf && (most_minor <= self.best.surplus_minor || self.effort == 0) {
            return most_minor;
        }
        let mut reached_minor = minor;
        for next in &items {
            let Some(with) = seated.with(next.mask) else { continue };
            let child_minor =
                minor + next.surplus_minor + most_that_fit(with, &items, more - 1, Some(next.key));
            if self.has_leaf && (child_minor <= self.best.surplus_minor || self.effort == 0) {
                reached_minor = reached_minor.max(child_minor);
                continue;
            }
            let candidate = self.problem.candidate(self.customer, usize::from(next.at));
            let adds = self.problem.marginal_minor(self.customer, &self.chosen, &candidate);
            self.effort = self.effort.saturating_sub(1);
            if adds < self.least_minor || adds <= next.price_minor {
                continue;
            }
            let sum_minor = minor + adds - next.price_minor;
            self.chosen.push(candidate.promotion);
            self.picks.push(usize::from(next.at));
            let rest = if more == 1 { Vec::new() } else { self.after(next, &items, with) };
            reached_minor = reached_minor.max(self.extend(rest, with, more - 1, sum_minor));
            self.chosen.pop();
            self.picks.pop();
        }
        reached_minor.min(most_minor)
    }

    /// What is left to choose from after one more offer, and the most that it may add then.
    ///
    /// Beside all chosen offers it adds no more than beside any one of them, which is quickly known.
    fn after(&mut self, next: &Item, items: &[Item], seated: Seated) -> Vec<Item> {
        let candidate = |item: &Item| self.problem.candidate(self.customer, usize::from(item.at));
        let chosen = [candidate(next).promotion];
        self.effort = self.effort.saturating_sub(items.len());
        let is_free = |item: &&Item| item.key != next.key && seated.with(item.mask).is_some();
        let adds = |item: &Item| {
            let adds = self.problem.marginal_minor(self.customer, &chosen, &candidate(item));
            let surplus_minor = item.surplus_minor.min(adds - item.price_minor);
            let is_worth_it = adds >= self.least_minor && surplus_minor > 0.0;
            is_worth_it.then_some(Item { surplus_minor, ..*item })
        };
        items.iter().filter(is_free).filter_map(adds).collect()
    }
}
