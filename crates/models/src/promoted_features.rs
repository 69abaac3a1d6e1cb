//! How much of what a recommender expects a customer to buy does a promotion hold?

use rayon::prelude::*;
use tercet_types::Result;

use crate::{Eligibility, Fitted, Purchases, Query, Row, promotion_ranker};

/// Two numbers per asked customer and promotion; zero where nothing is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct PromotedFeatures {
    promotions: usize,
    values: Vec<[f32; 2]>,
}

impl PromotedFeatures {
    /// For each of `customers` (indices into `history`, which may be another than the one learnt from) with every
    /// promotion of `eligibility` the sum of the scores above zero of its eligible products, and the part of it on
    /// products that the customer never bought before `as_of`.
    ///
    /// `known` says which customer of the training history an index is, if any.
    ///
    /// # Errors
    /// `T0407` when a customer is out of range, or the products are others.
    pub fn new(
        fitted: &dyn Fitted,
        history: &Purchases,
        eligibility: &Eligibility,
        as_of: i32,
        customers: &[u32],
        known: impl Fn(u32) -> Option<u32> + Sync,
    ) -> Result<Self> {
        promotion_ranker::check(history, eligibility, customers)?;
        let promotions = eligibility.promotions();
        let mut values = vec![[0.0_f32; 2]; customers.len() * promotions];
        let fill = |(row, sums): &mut (Row, Vec<[f64; 2]>),
                    (cells, customer): (&mut [[f32; 2]], &u32)| {
            let query =
                Query { customer: known(*customer), ..Query::of(history, *customer, as_of) };
            let mut bought: Vec<u32> = query.lines.iter().map(|line| line.product).collect();
            bought.sort_unstable();
            fitted.score(&query, row);
            // By product, so that sums do not hang on the order in which an estimator touched them.
            for (product, score) in row.take() {
                if score > 0.0 {
                    let is_new = bought.binary_search(&product).is_err();
                    for promotion in eligibility.promotions_of(product) {
                        let sum = &mut sums[*promotion as usize];
                        sum[0] += score;
                        sum[1] += if is_new { score } else { 0.0 };
                    }
                }
            }
            for (cell, sum) in cells.iter_mut().zip(sums) {
                *cell = std::mem::take(sum).map(|sum| sum as f32);
            }
        };
        values
            .par_chunks_mut(promotions.max(1))
            .zip(customers)
            .for_each_init(|| (Row::new(fitted.products()), vec![[0.0; 2]; promotions]), fill);
        Ok(Self { promotions, values })
    }

    /// The sum, and what of it is new, of the customer at a position of the asked list; zeros out of range.
    pub fn get(&self, customer_position: usize, promotion: u32) -> [f32; 2] {
        let promotion = promotion as usize;
        let place = customer_position * self.promotions + promotion;
        let found = self.values.get(place).filter(|_| promotion < self.promotions);
        found.copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::history;
    use crate::{Attributes, PersonalFrequency, Popularity, Recommender, Training};

    #[test]
    fn a_promotion_holds_what_is_expected_of_its_products() {
        let lines = [(0, 90, 0), (0, 95, 0), (0, 95, 1), (1, 95, 2), (1, 96, 2)];
        let past = history(2, 4, &lines);
        let (products, customers) = (Attributes::none(4), Attributes::none(2));
        let training =
            Training { history: &past, as_of: 100, products: &products, customers: &customers };
        let own = PersonalFrequency { fill: Some(Popularity::default()), ..Default::default() };
        let fitted = Recommender::fit(&own, &training).unwrap();
        let eligibility = Eligibility::new(4, &[vec![0, 1], vec![2], vec![1, 2], vec![3]]).unwrap();
        let of = |asked: &[u32]| {
            PromotedFeatures::new(&*fitted, &past, &eligibility, 100, asked, Some).unwrap()
        };
        let found = of(&[0, 1]);
        // Each product has one buyer of at most one: half a line for everybody.
        assert_eq!(found.get(0, 0), [4.0, 0.0]);
        assert_eq!(found.get(0, 1), [0.5, 0.5]);
        assert_eq!(found.get(0, 2), [2.0, 0.5]);
        assert_eq!(found.get(0, 3), [0.0, 0.0]);
        assert_eq!(found.get(1, 0), [1.0, 1.0]);
        assert_eq!((found.get(2, 0), found.get(0, 9)), ([0.0; 2], [0.0; 2]));
        assert_eq!(of(&[1]).get(0, 0), found.get(1, 0));
    }
}
