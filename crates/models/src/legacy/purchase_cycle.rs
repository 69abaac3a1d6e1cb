//! Which products is each customer about to need again?

use rayon::prelude::*;

use crate::{Purchase, Purchases};

/// When a product counts as due.
#[derive(Clone, Debug, PartialEq)]
pub struct CycleParams {
    /// The days before the as-of day that are looked at.
    pub window_days: u32,
    /// The fewest purchase days of a customer and product for an interval of their own, at least 2.
    pub min_purchases: usize,
    /// Due from this share of the interval on.
    pub due_from: f64,
    /// No longer due beyond this many intervals: the customer has stopped.
    pub lapsed_after: f64,
}

impl Default for CycleParams {
    fn default() -> Self {
        Self { window_days: 364, min_purchases: 3, due_from: 0.75, lapsed_after: 3.0 }
    }
}

/// One product that a customer is about to need again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DueProduct {
    /// The product's index.
    pub product: u32,
    /// Days since the customer's last purchase of it, at least 1.
    pub since_days: f64,
    /// The expected interval between purchases in days.
    pub interval_days: f64,
    /// The share of observed intervals, in units of their median, that were over by now: `(0, 1)`.
    pub score: f64,
}

/// Purchase intervals of every product as of one day.
///
/// The interval of a customer and product is the median of the days between its purchase days when
/// there are at least `min_purchases` of them, else the product's median over all customers; without
/// either the product is never due. The due score is the empirical distribution function of
/// `interval / own median`, pooled over all customer-product pairs with an interval of their own, at
/// `since / interval`, with one pseudo-observation on either side; with no such pair it is the exponential distribution with median 1.
/// Source: replenishment timing as renewal process, Ehrenberg, "Repeat-buying", 1988; median interval
/// and ratio to the last purchase as in Bhagat et al., "Buy it again: modeling repeat purchase
/// recommendations", KDD 2018, doi:10.1145/3219819.3219891.
#[derive(Clone, Debug, PartialEq)]
pub struct PurchaseCycles {
    params: CycleParams,
    as_of: i32,
    /// The median interval per product, in days; 0 where none was seen.
    product_days: Vec<f64>,
    /// Sorted ratios of an interval to its own median.
    ratios: Vec<f64>,
}

impl PurchaseCycles {
    /// Learns from all purchases in the window before `as_of`.
    pub fn new(history: &Purchases, as_of: i32, params: CycleParams) -> Self {
        let fewest = params.min_purchases.max(2);
        let (mut intervals, mut ratios) = history
            .all_customers()
            .map(|customer| {
                let (mut intervals, mut ratios) = (Vec::new(), Vec::new());
                let lines = by_product(history.window(customer, as_of, params.window_days));
                for days in lines.chunk_by(|a, b| a.0 == b.0) {
                    let own = intervals_of(days);
                    intervals.extend(own.iter().map(|interval| (days[0].0, *interval)));
                    if days.len() >= fewest {
                        let median = median(own.clone());
                        ratios.extend(own.iter().map(|interval| f64::from(*interval) / median));
                    }
                }
                (intervals, ratios)
            })
            .reduce(Default::default, |mut a, mut b| {
                a.0.append(&mut b.0);
                a.1.append(&mut b.1);
                a
            });
        intervals.par_sort_unstable();
        ratios.par_sort_unstable_by(f64::total_cmp);
        let mut product_days = vec![0.0; history.products()];
        for same in intervals.chunk_by(|a, b| a.0 == b.0) {
            product_days[same[0].0 as usize] = middle(same, |(_, interval)| f64::from(*interval));
        }
        Self { params, as_of, product_days, ratios }
    }

    /// The products due for one customer, by product index.
    pub fn due(&self, history: &Purchases, customer: u32) -> Vec<DueProduct> {
        let lines = by_product(history.window(customer, self.as_of, self.params.window_days));
        let due = |days: &[(u32, i32)]| {
            let (product, last) = *days.last()?;
            let interval_days = if days.len() >= self.params.min_purchases.max(2) {
                median(intervals_of(days))
            } else {
                *self.product_days.get(product as usize)?
            };
            let since_days = f64::from(self.as_of) - f64::from(last);
            let ratio = since_days / interval_days;
            let due = interval_days > 0.0
                && (self.params.due_from..=self.params.lapsed_after).contains(&ratio);
            due.then(|| DueProduct {
                product,
                since_days,
                interval_days,
                score: self.distribution(ratio),
            })
        };
        lines.chunk_by(|a, b| a.0 == b.0).filter_map(due).collect()
    }

    /// The product's median interval over all customers in days, when one was seen.
    pub fn product_interval_days(&self, product: u32) -> Option<f64> {
        self.product_days.get(product as usize).copied().filter(|days| *days > 0.0)
    }

    /// The share of intervals over by `ratio` times their median.
    fn distribution(&self, ratio: f64) -> f64 {
        if self.ratios.is_empty() {
            return 1.0 - (-ratio).exp2();
        }
        let over = self.ratios.partition_point(|seen| *seen <= ratio) as f64;
        (over + 1.0) / (self.ratios.len() as f64 + 2.0)
    }
}

/// Distinct `(product, day)`, sorted; returns do not count as purchases.
fn by_product(lines: &[Purchase]) -> Vec<(u32, i32)> {
    let mut days: Vec<(u32, i32)> = lines
        .iter()
        .filter(|line| line.spend_minor >= 0)
        .map(|line| (line.product, line.day))
        .collect();
    days.sort_unstable();
    days.dedup();
    days
}

/// Days between consecutive purchase days.
fn intervals_of(days: &[(u32, i32)]) -> Vec<u32> {
    days.windows(2).map(|pair| pair[1].1.abs_diff(pair[0].1)).collect()
}

fn median(mut intervals: Vec<u32>) -> f64 {
    intervals.sort_unstable();
    middle(&intervals, |interval| f64::from(*interval))
}

/// The median of sorted values, the mean of the middle two when their number is even; 0 of none.
fn middle<T>(sorted: &[T], value: impl Fn(&T) -> f64) -> f64 {
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => value(&sorted[length / 2]),
        length => f64::midpoint(value(&sorted[length / 2 - 1]), value(&sorted[length / 2])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn a_product_is_due_near_the_end_of_its_interval() {
        // Customer 0 buys product 0 every 10 days; customer 1 bought it once; nobody bought 1 twice.
        let history = conformance::history(
            2,
            2,
            &[(0, 60, 0), (0, 70, 0), (0, 80, 0), (0, 92, 0), (1, 85, 0), (1, 80, 1), (0, 20, 1)],
        );
        let cycles = |as_of| PurchaseCycles::new(&history, as_of, CycleParams::default());
        let check = |as_of, customer, expect: &[(u32, f64, f64)]| {
            let due = cycles(as_of).due(&history, customer);
            let brief: Vec<_> =
                due.iter().map(|due| (due.product, due.since_days, due.interval_days)).collect();
            assert_eq!(brief, expect, "as of {as_of}, customer {customer}");
        };
        check(93, 0, &[]);
        check(100, 0, &[(0, 8.0, 10.0)]);
        check(130, 0, &[]);
        check(95, 1, &[(0, 10.0, 10.0)]);
        assert_eq!(cycles(100).product_interval_days(0), Some(10.0));
        assert_eq!(cycles(100).product_interval_days(1), None);
        // Ratios 1, 1 and 1.2: two of three intervals are over after one median, pseudo-observations aside.
        let due = cycles(102).due(&history, 0);
        assert!((due[0].score - 3.0 / 5.0).abs() < 1e-12);
    }

    #[test]
    fn without_own_intervals_the_exponential_stands_in() {
        let history = conformance::history(2, 1, &[(0, 70, 0), (0, 80, 0), (1, 90, 0)]);
        let cycles = PurchaseCycles::new(&history, 100, CycleParams::default());
        assert_eq!(cycles.due(&history, 1)[0].score, 0.5);
    }

    #[test]
    fn the_middle_of_even_and_odd() {
        assert_eq!((median(vec![3, 1, 2]), median(vec![4, 1]), median(vec![])), (2.0, 2.5, 0.0));
    }
}
