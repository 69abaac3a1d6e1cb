//! What does an estimator answer that says the same to everybody?

use rayon::prelude::*;

use crate::{Fitted, Query, Row, Training};

/// A score per product, or none, whoever asks.
pub(super) struct Everybody(pub(super) Vec<Option<f64>>);

impl Fitted for Everybody {
    fn score(&self, _query: &Query<'_>, row: &mut Row) {
        let scored = (0..).zip(&self.0).filter_map(|(product, score)| Some((product, (*score)?)));
        scored.for_each(|(product, score)| row.add(product, score));
    }

    fn products(&self) -> usize {
        self.0.len()
    }
}

/// Customers a thread takes at once: a fold holds a sum per product.
const CUSTOMERS_AT_ONCE: usize = 1_024;

/// Per product the sum over its customers of `weight(day of the customer's last line of it)`; lines of days for which
/// that is none do not count. Sums of integers: the same in any order.
pub(super) fn buyers(
    training: &Training<'_>,
    weight: impl Fn(i32) -> Option<u64> + Sync,
) -> Vec<u64> {
    let products = training.history.products();
    let fresh = || (vec![0_u64; products], vec![0_u32; products]);
    let count = |(mut sums, mut seen): (Vec<u64>, Vec<u32>), customer: u32| {
        // A product is counted once per customer: `seen` holds the last customer, plus one.
        for line in training.lines(customer).iter().rev() {
            let product = line.product as usize;
            let Some(amount) = weight(line.day) else { continue };
            if seen[product] != customer + 1 {
                seen[product] = customer + 1;
                sums[product] += amount;
            }
        }
        (sums, seen)
    };
    let add = |a: Vec<u64>, b: Vec<u64>| a.into_iter().zip(b).map(|(a, b)| a + b).collect();
    let customers = training.history.all_customers().with_min_len(CUSTOMERS_AT_ONCE);
    let sums = customers.fold(fresh, count).map(|(sums, _)| sums);
    sums.reduce(|| vec![0; products], add)
}
