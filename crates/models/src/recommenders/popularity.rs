//! Which promotions' products do most customers buy?

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tercet_types::Result;

use crate::promotion_ranker::{self, PromotionRanker, Scores};
use crate::registry::{Axis, Configured, Range};
use crate::{Eligibility, Fitted, Purchase, Purchases, Query, Recommender, Row, Training};

/// What popularity counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// Distinct customers.
    #[default]
    Customers,
    /// Orders: a customer counts as often as it buys.
    Orders,
}

/// Distinct customers, or orders, with an eligible product in the window; the same list for everybody.
///
/// The reference of every accuracy study: Cremonesi, Koren, Turrin, "Performance of recommender
/// algorithms on top-n recommendation tasks", RecSys 2010, doi:10.1145/1864708.1864721.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Popularity {
    /// The days before the as-of day that count.
    pub window_days: u32,
    /// What is counted.
    pub counts: Counted,
}

impl Default for Popularity {
    fn default() -> Self {
        Self { window_days: 28, counts: Counted::Customers }
    }
}

impl Popularity {
    /// Buying customers, or orders, per promotion, over all customers of the history.
    pub fn buyers(&self, history: &Purchases, eligibility: &Eligibility, as_of: i32) -> Vec<u32> {
        let promotions = eligibility.promotions();
        let together = |a: &Purchase, b: &Purchase| {
            self.counts == Counted::Customers || (a.day, a.order) == (b.day, b.order)
        };
        let none = || (vec![0; promotions], vec![0; promotions], 0);
        let count = |(mut counts, mut seen, mut number): (Vec<u32>, Vec<u32>, u32), customer| {
            // A promotion is counted once per customer or order: `seen` holds the last one's number.
            for lines in history.window(customer, as_of, self.window_days).chunk_by(together) {
                number += 1;
                for promotion in
                    lines.iter().flat_map(|line| eligibility.promotions_of(line.product))
                {
                    let last = &mut seen[*promotion as usize];
                    if *last != number {
                        *last = number;
                        counts[*promotion as usize] += 1;
                    }
                }
            }
            (counts, seen, number)
        };
        history
            .all_customers()
            .with_min_len(256)
            .fold(none, count)
            .map(|(counts, _, _)| counts)
            .reduce(
                || vec![0; promotions],
                |a, b| a.into_iter().zip(b).map(|(a, b)| a + b).collect(),
            )
    }
}

impl Recommender for Popularity {
    fn name(&self) -> &'static str {
        "popular"
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        training.check()?;
        let each = Eligibility::each_product(training.history.products());
        Ok(Box::new(Buyers(self.buyers(training.history, &each, training.as_of))))
    }
}

impl Configured for Popularity {
    const NAME: &'static str = "popular";
    const SPACE: &'static [Axis] =
        &[Axis { setting: "window_days", range: Range::LogWhole(1, 3_650) }];
}

/// Distinct buyers per product.
struct Buyers(Vec<u32>);

impl Fitted for Buyers {
    fn score(&self, _query: &Query<'_>, row: &mut Row) {
        let bought = (0..).zip(&self.0).filter(|(_, buyers)| **buyers > 0);
        bought.for_each(|(product, buyers)| row.add(product, f64::from(*buyers)));
    }

    fn products(&self) -> usize {
        self.0.len()
    }
}

impl PromotionRanker for Popularity {
    fn name(&self) -> &'static str {
        "popular"
    }

    fn score(
        &self,
        history: &Purchases,
        eligibility: &Eligibility,
        as_of: i32,
        customers: &[u32],
    ) -> Result<Scores> {
        promotion_ranker::check(history, eligibility, customers)?;
        let buyers = self.buyers(history, eligibility, as_of);
        let list = promotion_ranker::ranked((0..).zip(buyers.into_iter().map(f64::from)).collect());
        Ok(vec![list; customers.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn conforms() {
        conformance::check_promotion_ranker(&Popularity::default());
        conformance::check_recommender(&Popularity::default());
    }

    #[test]
    fn customers_count_once_and_only_inside_the_window() {
        let history = conformance::history(
            3,
            3,
            &[(0, 95, 0), (0, 96, 0), (1, 97, 1), (2, 50, 1), (2, 99, 1)],
        );
        let eligibility = Eligibility::new(3, &[vec![0], vec![1], vec![0, 1], vec![2]]).unwrap();
        let scores = Popularity::default().score(&history, &eligibility, 100, &[2]).unwrap();
        assert_eq!(scores, [vec![(2, 3.0), (1, 2.0), (0, 1.0)]]);
        let orders = Popularity { counts: Counted::Orders, ..Popularity::default() };
        let scores = orders.score(&history, &eligibility, 100, &[2]).unwrap();
        assert_eq!(scores, [vec![(2, 4.0), (0, 2.0), (1, 2.0)]]);
    }
}
