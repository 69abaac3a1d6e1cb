//! How much of what a customer is about to need does a promotion hold?

use rayon::prelude::*;
use tercet_types::Result;

use crate::recommenders::{Cycles, PurchaseCycles};
use crate::{Eligibility, Purchases, promotion_ranker};

/// Names of the features, in the order in which [`DueFeatures::get`] gives them.
pub const DUE_FEATURES: [&str; 2] = ["due_products", "due_value_minor"];

/// Two numbers per asked customer and promotion; zero where nothing is due.
#[derive(Clone, Debug, PartialEq)]
pub struct DueFeatures {
    promotions: usize,
    values: Vec<[f32; 2]>,
}

impl DueFeatures {
    /// Due products of the promotion (expected purchases in a week), and what they usually cost the customer (minor
    /// units), for the customer at a position of the asked list; zeros out of range.
    pub fn get(&self, customer_position: usize, promotion: u32) -> [f32; 2] {
        let promotion = promotion as usize;
        let place = customer_position * self.promotions + promotion;
        let found = self.values.get(place).filter(|_| promotion < self.promotions);
        found.copied().unwrap_or_default()
    }
}

/// What the rhythm of past purchases says about every promotion of `eligibility`, for each of `customers`
/// (indices into `history`): [`Due`], asked once.
///
/// # Errors
/// As [`Due::new`] and [`Due::features`].
pub fn due_features(
    history: &Purchases,
    eligibility: &Eligibility,
    as_of: i32,
    customers: &[u32],
) -> Result<DueFeatures> {
    Due::new(history, eligibility, as_of)?.features(history, customers)
}

/// The rhythm of products as of a day, ready to be held against customers.
pub struct Due<'a> {
    eligibility: &'a Eligibility,
    cycles: Cycles,
}

impl<'a> Due<'a> {
    /// Learns from the customers of `history`, the whole shop's or a sample; purchases on or after `as_of` do
    /// not count.
    ///
    /// # Errors
    /// `T0407` when `eligibility` is of other products.
    pub fn new(history: &Purchases, eligibility: &'a Eligibility, as_of: i32) -> Result<Self> {
        promotion_ranker::check(history, eligibility, &[])?;
        let params = PurchaseCycles { spend_power: 0.0, ..PurchaseCycles::default() };
        Ok(Self { eligibility, cycles: Cycles::new(history, as_of, params)? })
    }

    /// For each of `customers` (indices into `history`, which may be another than the one learned from) with
    /// every promotion the sum of the due scores ([`Cycles`], without
    /// spend) of the eligible products, and the same with what the customer usually pays a day for each.
    ///
    /// # Errors
    /// `T0407` when a customer is out of range, or the products are others.
    pub fn features(&self, history: &Purchases, customers: &[u32]) -> Result<DueFeatures> {
        promotion_ranker::check(history, self.eligibility, customers)?;
        let promotions = self.eligibility.promotions();
        let mut values = vec![[0.0_f32; 2]; customers.len() * promotions];
        let fill = |sums: &mut Vec<[f64; 2]>, (row, customer): (&mut [[f32; 2]], &u32)| {
            for due in self.cycles.due(history, *customer) {
                for promotion in self.eligibility.promotions_of(due.product) {
                    let sum = &mut sums[*promotion as usize];
                    sum[0] += due.score;
                    sum[1] += due.score * due.paid_minor;
                }
            }
            for (cell, sum) in row.iter_mut().zip(sums) {
                *cell = std::mem::take(sum).map(|sum| sum as f32);
            }
        };
        values
            .par_chunks_mut(promotions.max(1))
            .zip(customers)
            .for_each_init(|| vec![[0.0; 2]; promotions], fill);
        Ok(DueFeatures { promotions, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn promotions_hold_what_is_due_of_their_products() {
        // Customer 0 buys product 0 every 10 days and product 1 once; customer 1 nothing.
        let history = conformance::history(2, 3, &[(0, 70, 0), (0, 80, 0), (0, 90, 0), (0, 90, 1)]);
        let eligibility = Eligibility::new(3, &[vec![0], vec![0, 1], vec![2]]).unwrap();
        let params = PurchaseCycles { spend_power: 0.0, ..PurchaseCycles::default() };
        let cycles = Cycles::new(&history, 100, params).unwrap();
        let due = cycles.due(&history, 0);
        let found = due_features(&history, &eligibility, 100, &[1, 0]).unwrap();
        let check = |customer: usize, promotion: u32, expect: [f64; 2]| {
            for (found, expect) in found.get(customer, promotion).into_iter().zip(expect) {
                assert!((f64::from(found) - expect).abs() < 1e-4, "{customer} {promotion}");
            }
        };
        let value = |places: &[usize]| -> f64 {
            places.iter().map(|at| due[*at].score * due[*at].paid_minor).sum()
        };
        check(1, 0, [due[0].score, value(&[0])]);
        check(1, 1, [due[0].score + due[1].score, value(&[0, 1])]);
        check(1, 2, [0.0; 2]);
        check(0, 0, [0.0; 2]);
        check(1, 3, [0.0; 2]);
        check(9, 0, [0.0; 2]);
        assert!(due[0].score > 0.0 && due[0].paid_minor > 0.0);
        assert!(due_features(&history, &eligibility, 100, &[2]).is_err());
        // Another part of the shop is asked with the rhythm of this one.
        let due = Due::new(&history, &eligibility, 100).unwrap();
        let apart = conformance::history(1, 3, &[(0, 70, 0), (0, 80, 0), (0, 90, 0), (0, 90, 1)]);
        assert_eq!(due.features(&apart, &[0]).unwrap().values, found.values[3..]);
        let others = conformance::history(1, 4, &[]);
        assert_eq!(due.features(&others, &[0]).unwrap_err().code(), "T0407");
    }
}
