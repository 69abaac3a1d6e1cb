//! Which prices of the limits make the bound smallest?
//!
//! The bound is convex and piecewise linear in the prices; its slope is what is left of each limit less
//! what customers would use. Projected subgradient steps, scaled per limit by the slopes seen so far
//! (Duchi, Hazan and Singer 2011, JMLR 12:2121), start again from the best prices with half the radius:
//! on a piecewise linear function this converges linearly (Goffin 1977, doi:10.1007/BF01584346).

use super::market::{Effort, Market, Prices};

/// Customers on whom prices are found first: the first in hash order. All, when there are fewer.
const SAMPLE: usize = 8_000;

/// Then they are corrected on so many times as many, again and again until all take part.
const GROWTH: usize = 6;

/// How often the radius is halved.
const STAGES: usize = 18;

/// Steps of a stage: as many as the work allows, within these.
const STEPS: (u64, u64) = (4, 30);

/// A stage that lowers the bound by less than this, relative, is the last one.
const TOLERANCE: f64 = 5e-6;

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

/// The best prices found.
pub(super) fn find(market: &Market<'_>) -> Prices {
    let nothing = Prices(vec![0.0; market.left.len()]);
    let customers = market.order.len();
    if market.limits().next().is_none() || customers == 0 {
        return nothing;
    }
    let candidates = market.problem.candidates.len() as u64;
    let weight = if market.problem.overlap.is_additive() { 1 } else { WORK_OF_OVERLAP };
    let steps = |sample: usize, stages: usize, (least, most): (u64, u64)| {
        let work = (candidates * sample as u64 / customers as u64).max(1) * weight * stages as u64;
        (WORK / work).clamp(least, most) as usize
    };
    let mut sample = SAMPLE.min(customers);
    let mut best = nothing.clone();
    let Some(mut descent) = Descent::new(market, &market.order[..sample], best) else {
        return nothing;
    };
    descent.run(STAGES, steps(sample, STAGES, STEPS), RADIUS, 0.0);
    best = descent.best;
    while sample < customers {
        // What is nearly all is all.
        sample *= GROWTH;
        if sample * 2 > customers {
            sample = customers;
        }
        let (stages, radius) = CORRECTION;
        let Some(mut descent) = Descent::new(market, &market.order[..sample], best) else {
            return nothing;
        };
        descent.run(stages, steps(sample, stages, CORRECTION_STEPS), radius, CORRECTION_FLOOR);
        best = descent.best;
    }
    best
}

struct Descent<'a> {
    market: &'a Market<'a>,
    customers: &'a [u32],
    /// The limits, less the share of customers that are not looked at.
    left: Vec<Option<f64>>,
    /// What a limit's use is measured by.
    sizes: Vec<f64>,
    /// What a price is measured by, minor units per unit of the limit.
    units: Vec<f64>,
    best: Prices,
    best_minor: f64,
}

impl<'a> Descent<'a> {
    /// None when customers stay within every limit of their own accord.
    fn new(market: &'a Market<'a>, customers: &'a [u32], start: Prices) -> Option<Self> {
        let share = customers.len() as f64 / market.order.len() as f64;
        let mut left = vec![None; market.left.len()];
        for (at, _, whole) in market.limits() {
            left[at] = Some(whole as f64 * share);
        }
        let free = market.pass(customers, &Prices(vec![0.0; left.len()]), Effort::GREEDY);
        let within = |(left, used): (&Option<f64>, &f64)| left.is_none_or(|left| *used <= left);
        if left.iter().zip(&free.used).all(within) {
            return None;
        }
        let sizes = left.iter().zip(&free.used);
        let sizes = sizes.map(|(left, used)| left.unwrap_or(0.0).max(*used).max(1.0)).collect();
        let promotions = market.problem.promotions.len();
        let value_minor = free.value_minor / free.offers.max(1.0);
        let cost_minor = free.used[2 * promotions] / free.offers.max(1.0);
        let unit = |at: usize| match at < promotions {
            true => value_minor,
            false => value_minor / cost_minor.max(1.0),
        };
        let units = (0..left.len()).map(unit).collect();
        let mut descent =
            Self { market, customers, left, sizes, units, best: start, best_minor: f64::INFINITY };
        let start = descent.best.clone();
        descent.look(&start);
        Some(descent)
    }

    /// The slope at the prices; remembers them when they are the best so far.
    fn look(&mut self, prices: &Prices) -> Vec<f64> {
        let outcome = self.market.pass(self.customers, prices, Effort::GREEDY);
        let rent = |(left, price): (&Option<f64>, &f64)| left.unwrap_or(0.0) * price;
        let rent_minor: f64 = self.left.iter().zip(&prices.0).map(rent).sum();
        let bound_minor = outcome.surplus_minor + rent_minor;
        if bound_minor < self.best_minor {
            (self.best, self.best_minor) = (prices.clone(), bound_minor);
        }
        let slope = |(at, left): (usize, &Option<f64>)| {
            left.map_or(0.0, |left| (left - outcome.used[at]) / self.sizes[at])
        };
        self.left.iter().enumerate().map(slope).collect()
    }

    /// Slopes below `floor` make steps in proportion to them.
    fn run(&mut self, stages: usize, steps: usize, radius: f64, floor: f64) {
        let mut radius = radius;
        for stage in 0..stages {
            let before_minor = self.best_minor;
            let mut prices = self.best.clone();
            let mut seen = vec![floor * floor; prices.0.len()];
            let mut mean = Prices(vec![0.0; prices.0.len()]);
            for _ in 0..steps {
                let slope = self.look(&prices);
                for (at, slope) in slope.into_iter().enumerate().filter(|(_, s)| *s != 0.0) {
                    seen[at] += slope * slope;
                    let step = radius * self.units[at] * slope / f64::sqrt(seen[at]);
                    prices.0[at] = (prices.0[at] - step).max(0.0);
                }
                for (mean, price) in mean.0.iter_mut().zip(&prices.0) {
                    *mean += price / steps as f64;
                }
            }
            // The mean of the steps is often better than any of them.
            self.look(&mean);
            radius /= 2.0;
            if stage >= STAGES_MIN && before_minor - self.best_minor <= TOLERANCE * before_minor {
                break;
            }
        }
    }
}
