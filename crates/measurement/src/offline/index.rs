//! Which candidates would have covered a purchased product?

use super::metrics::{Covered, DISCOUNTS};
use super::week::{CustomerWeek, SLATE_LEN, Scope, Week};

/// For each product the candidates of one scope it is eligible for (compressed sparse rows).
pub(crate) struct ProductIndex {
    products: Vec<u32>,
    starts: Vec<usize>,
    promotions: Vec<u32>,
}

impl ProductIndex {
    pub(crate) fn new(week: &Week, scope: Scope) -> Self {
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for (promotion, facts) in (0_u32..).zip(&week.promotions) {
            if scope.holds(facts.breadth) {
                pairs.extend(facts.products.iter().map(|&product| (product, promotion)));
            }
        }
        pairs.sort_unstable();
        let mut index = Self { products: Vec::new(), starts: Vec::new(), promotions: Vec::new() };
        for (product, promotion) in pairs {
            if index.products.last() != Some(&product) {
                index.products.push(product);
                index.starts.push(index.promotions.len());
            }
            index.promotions.push(promotion);
        }
        index.starts.push(index.promotions.len());
        index
    }

    /// The candidates that a product is eligible for, ascending.
    fn candidates(&self, product: u32) -> &[u32] {
        match self.products.binary_search(&product) {
            Ok(at) => &self.promotions[self.starts[at]..self.starts[at + 1]],
            Err(_) => &[],
        }
    }

    /// The discounted gain of the ideal slate of one customer-week, minor units.
    ///
    /// Greedy: thrice the candidate with the largest spend on products not covered yet, ties to the
    /// lower promotion index. The denominator of [`super::metrics::ndcg_at_3`].
    pub(crate) fn ideal_gain(&self, row: &CustomerWeek) -> f64 {
        let mut hits: Vec<(u32, usize)> = Vec::new();
        for (at, purchase) in row.purchases.iter().enumerate() {
            hits.extend(self.candidates(purchase.product).iter().map(|&p| (p, at)));
        }
        hits.sort_unstable();
        let mut covered = Covered::none(row.purchases.len());
        let mut gain = 0.0;
        for discount in DISCOUNTS.iter().take(SLATE_LEN) {
            let mut best: (i64, &[(u32, usize)]) = (0, &[]);
            for group in hits.chunk_by(|a, b| a.0 == b.0) {
                let spend_minor: i64 = group
                    .iter()
                    .filter(|(_, at)| !covered.has(*at))
                    .map(|(_, at)| row.purchases[*at].spend_minor)
                    .sum();
                if spend_minor > best.0 {
                    best = (spend_minor, group);
                }
            }
            gain += best.0 as f64 * discount;
            best.1.iter().for_each(|(_, at)| covered.add(*at));
        }
        gain
    }
}
