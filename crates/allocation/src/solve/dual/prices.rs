//! Which prices of the limits make the bound smallest?
//!
//! The bound is convex and piecewise linear in the prices; its slope is what is left of each limit less
//! what customers would use. Projected subgradient steps, scaled per limit by the slopes seen so far
//! (Duchi, Hazan and Singer 2011, JMLR 12:2121), start again from the best prices with half the radius:
//! on a piecewise linear function this converges linearly (Goffin 1977, doi:10.1007/BF01584346).
//!
//! Few limits are shared by many customers, so prices are found on a sample and corrected on larger ones.

use super::market::{Effort, Market, Who};
use crate::rows::Rows;

/// Customers on whom prices are found first: the first in hash order. All, when there are fewer.
const SAMPLE: usize = 8_000;

/// Then they are corrected on so many times as many, again and again.
const GROWTH: usize = 6;

/// Larger samples make no better prices: what they miss is less than what moves while offers are made.
const SAMPLE_MOST: usize = SAMPLE * GROWTH * GROWTH;

/// How often the radius is halved.
const STAGES: usize = 14;

/// How often the search starts again with the whole radius, prices then being measured by themselves. Where
/// values overlap a pass costs many times as much, and what the bound misses lies elsewhere.
const CYCLES: usize = 3;
const CYCLES_OF_OVERLAP: usize = 1;

/// Steps of a stage: as many as the work allows, within these.
const STEPS: (u64, u64) = (4, 30);

/// A stage that lowers the bound by less than this, relative, was in vain.
const TOLERANCE: f64 = 5e-6;

/// So many stages in vain, one after another, are the last ones.
const IN_VAIN: usize = 6;

/// Stages that are made in any case: the first ones may overshoot.
const STAGES_MIN: usize = 6;

/// Candidates looked at on each sample.
const WORK: u64 = 400_000_000;

/// How much longer a candidate takes where values overlap.
const WORK_OF_OVERLAP: u64 = 30;

/// The first radius, in mean values of an offer.
const RADIUS: f64 = 0.5;

/// Stages of a correction, and its first radius.
const CORRECTION: (usize, f64) = (3, 0.05);

/// In a correction, a limit that is missed by less than this share is nearly met: its price moves little.
const CORRECTION_FLOOR: f64 = 0.1;

/// Steps of a stage of a correction, as the work allows.
const CORRECTION_STEPS: (u64, u64) = (3, 40);

/// A budget's price is measured by the mean value per cost, times how much more than it would be spent; up to
/// this.
const SCARCITY_MOST: f64 = 50.0;

/// What a price is measured by falls by no more than this, see [`CYCLES`].
const LEAST_UNIT: f64 = 0.05;

/// Prices of an earlier week are kept to when neither correcting them nor large steps lower the bound by more
/// than this, relative; else the search starts from nothing.
const WARM_TOLERANCE: f64 = 0.005;

/// So many large steps are tried: far from good prices, small ones gain little.
const WARM_STEPS: usize = 8;

/// Prices, and what it took to find them.
pub(super) struct Found {
    /// One per limit.
    pub(super) prices: Vec<f64>,
    /// How often the customers of a sample were gone through.
    pub(super) passes: usize,
}

/// The best prices found, looking from `start` where there is one.
pub(super) fn find(market: &Market<'_>, start: Option<Vec<f64>>) -> Found {
    let nothing = vec![0.0; market.limits.len()];
    let customers = market.order.len();
    if market.limits.len() == 0 || customers == 0 {
        return Found { prices: nothing, passes: 0 };
    }
    let candidates = market.problem.customers.candidates() as u64;
    let weight = if market.problem.overlap.is_additive() { 1 } else { WORK_OF_OVERLAP };
    let steps = |sample: usize, stages: usize, (least, most): (u64, u64)| {
        let each = (candidates as f64 * sample as f64 / customers as f64) as u64;
        // The last word is worth more.
        let work = if sample == customers { 2 * WORK } else { WORK };
        (work / (each.max(1) * weight * stages as u64)).clamp(least, most) as usize
    };
    let correction = |sample: usize| steps(sample, CORRECTION.0, CORRECTION_STEPS);
    let mut sample = SAMPLE.min(customers);
    let is_warm = start.is_some();
    let start = start.unwrap_or_else(|| nothing.clone());
    let mut descent = Descent::new(market, sample, start);
    if descent.is_free {
        return Found { prices: nothing, passes: descent.passes };
    }
    let mut is_cold = !is_warm;
    if is_warm {
        let before_minor = descent.best_minor;
        descent.look(&nothing);
        // Far from good prices steps gain little, but no prices are better then.
        is_cold = descent.best_minor < before_minor;
        if !is_cold {
            descent.run(CORRECTION.0, correction(sample), CORRECTION.1, CORRECTION_FLOOR);
            descent.run(1, WARM_STEPS, RADIUS, 0.0);
            let gained_minor = before_minor - descent.best_minor;
            is_cold = gained_minor > WARM_TOLERANCE * descent.best_minor.abs();
        }
        if is_cold {
            descent.start_at(&nothing);
        }
    }
    if is_cold {
        let is_additive = market.problem.overlap.is_additive();
        let cycles = if is_additive { CYCLES } else { CYCLES_OF_OVERLAP };
        let steps = steps(sample, cycles * STAGES, STEPS);
        for cycle in 0..cycles {
            if cycle > 0 {
                descent.measure_by_prices();
            }
            descent.run(STAGES, steps, RADIUS, 0.0);
        }
    }
    let (mut best, mut passes) = (descent.best, descent.passes);
    while sample < customers.min(SAMPLE_MOST) {
        // What is nearly all is all.
        sample *= GROWTH;
        if sample * 2 > customers && customers <= SAMPLE_MOST * 2 {
            sample = customers;
        }
        let mut descent = Descent::new(market, sample, best);
        if descent.is_free {
            return Found { prices: nothing, passes: passes + descent.passes };
        }
        descent.run(CORRECTION.0, correction(sample), CORRECTION.1, CORRECTION_FLOOR);
        (best, passes) = (descent.best, passes + descent.passes);
    }
    Found { prices: best, passes }
}

struct Descent<'a> {
    market: &'a Market<'a>,
    /// The rows of the customers that are looked at.
    rows: Rows,
    /// The limits, less the share of customers that are not looked at.
    left: Vec<f64>,
    /// What a limit's use is measured by.
    sizes: Vec<f64>,
    /// What a price is measured by, minor units per unit of the limit.
    units: Vec<f64>,
    best: Vec<f64>,
    best_minor: f64,
    passes: usize,
    /// True when customers keep every limit of their own accord: no price is needed.
    is_free: bool,
}

impl<'a> Descent<'a> {
    fn new(market: &'a Market<'a>, customers: usize, start: Vec<f64>) -> Self {
        let share = customers as f64 / market.order.len() as f64;
        let limits = &market.limits;
        let left: Vec<f64> = limits.left.iter().map(|left| *left as f64 * share).collect();
        let rows = market.problem.customers.rows_of(&market.order[..customers]);
        let free = market.pass(Who::First(&rows), &vec![0.0; left.len()], Effort::GREEDY);
        let is_kept = |at: usize| limits.sign(at) * (left[at] - free.used[at]) >= 0.0;
        let is_free = (0..left.len()).all(is_kept);
        let sizes = left.iter().zip(&free.used).map(|(left, used)| left.max(*used).max(1.0));
        let sizes = sizes.collect();
        let value_minor = free.value_minor / free.offers.max(1.0);
        let needs_minor = free.needs_minor.map(|minor| minor / free.offers.max(1.0));
        // A budget that pays for few offers goes to those that cost next to nothing: its price is far higher.
        let scarcity = |at: usize| (free.used[at] / left[at].max(1.0)).clamp(1.0, SCARCITY_MOST);
        let unit = |at: usize| match limits.measure(at) {
            None => value_minor,
            Some(measure) => value_minor / needs_minor[measure as usize].max(1.0) * scarcity(at),
        };
        let units = (0..left.len()).map(unit).collect();
        let mut descent = Self {
            market,
            rows,
            left,
            sizes,
            units,
            best: start.clone(),
            best_minor: f64::INFINITY,
            passes: 1,
            is_free,
        };
        if !is_free {
            descent.look(&start);
        }
        descent
    }

    /// Forgets what was found so far.
    fn start_at(&mut self, prices: &[f64]) {
        self.best_minor = f64::INFINITY;
        self.look(prices);
    }

    /// The slope at the prices; remembers them when they are the best so far.
    fn look(&mut self, prices: &[f64]) -> Vec<f64> {
        self.passes += 1;
        let outcome = self.market.pass(Who::First(&self.rows), prices, Effort::GREEDY);
        let limits = &self.market.limits;
        let rent = |at: usize| limits.sign(at) * self.left[at] * prices[at];
        let bound_minor = outcome.surplus_minor + (0..prices.len()).map(rent).sum::<f64>();
        if bound_minor < self.best_minor {
            (self.best, self.best_minor) = (prices.to_vec(), bound_minor);
        }
        let slope =
            |at: usize| limits.sign(at) * (self.left[at] - outcome.used[at]) / self.sizes[at];
        (0..prices.len()).map(slope).collect()
    }

    /// From here on a price is measured by itself, if it is not next to nothing.
    fn measure_by_prices(&mut self) {
        for (unit, price) in self.units.iter_mut().zip(&self.best) {
            *unit = price.max(LEAST_UNIT * *unit);
        }
    }

    /// Slopes below `floor` make steps in proportion to them.
    fn run(&mut self, stages: usize, steps: usize, radius: f64, floor: f64) {
        let (mut radius, mut in_vain) = (radius, 0);
        for stage in 0..stages {
            let before_minor = self.best_minor;
            let mut prices = self.best.clone();
            let mut seen = vec![floor * floor; prices.len()];
            let mut mean = vec![0.0; prices.len()];
            for _ in 0..steps {
                let slope = self.look(&prices);
                for (at, slope) in slope.into_iter().enumerate().filter(|(_, s)| *s != 0.0) {
                    seen[at] += slope * slope;
                    let step = radius * self.units[at] * slope / f64::sqrt(seen[at]);
                    let most = self.market.limits.price_most[at];
                    prices[at] = (prices[at] - step).clamp(0.0, most);
                }
                for (mean, price) in mean.iter_mut().zip(&prices) {
                    *mean += price / steps as f64;
                }
            }
            // The mean of the steps is often better than any of them.
            self.look(&mean);
            radius /= 2.0;
            let gained_minor = before_minor - self.best_minor;
            let is_little = gained_minor <= TOLERANCE * before_minor.abs();
            in_vain = if is_little { in_vain + 1 } else { 0 };
            if stage >= STAGES_MIN && in_vain == IN_VAIN {
                break;
            }
        }
    }
}
