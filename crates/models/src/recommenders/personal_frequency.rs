//! Which promotions' products does this customer buy most often?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use crate::promotion_ranker::{self, PromotionRanker, Scores};
use crate::registry::{Axis, Configured, Range};
use crate::{Eligibility, Fitted, Popularity, Purchases, Query, Recommender, Row, Training};

/// Which of two products that a customer bought equally often comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// What most buy, by what fills the list.
    #[default]
    Popular,
    /// What the customer bought first, as in the scripts of published tables.
    First,
}

/// The customer's purchase lines of eligible products in the window, filled with popular promotions.
///
/// Score = lines + buyers / (most buyers + 1): whole numbers are the customer's own lines, the
/// fraction orders ties and the filling by [`Popularity`]. With [`Ties::First`] a product of the customer's has
/// `lines + 1 / (2 + products bought before it)` instead.
/// "Personal top-n" of Hu et al., SIGIR 2020, doi:10.1145/3397271.3401066, and the strongest simple
/// baseline of Li et al., "A next basket recommendation reality check", 2023, doi:10.1145/3587153.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PersonalFrequency {
    /// The days before the as-of day that count.
    pub window_days: u32,
    /// What fills the list; `None` leaves it at the customer's own promotions.
    pub fill: Option<Popularity>,
    /// How ties of products are broken; those of promotions are by popularity.
    pub ties: Ties,
}

impl Default for PersonalFrequency {
    fn default() -> Self {
        Self { window_days: 84, fill: Some(Popularity::default()), ties: Ties::Popular }
    }
}

impl Recommender for PersonalFrequency {
    fn name(&self) -> &'static str {
        "personal"
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        training.check()?;
        let products = training.history.products();
        let each = Eligibility::each_product(products);
        let fill = self.fractions(training.history, &each, training.as_of);
        Ok(Box::new(Lines { personal: self, products, fill }))
    }
}

impl Configured for PersonalFrequency {
    const NAME: &'static str = "personal";
    const SPACE: &'static [Axis] = &[
        Axis { setting: "window_days", range: Range::LogWhole(1, 3_650) },
        Axis { setting: "fill.window_days", range: Range::LogWhole(1, 3_650) },
    ];
}

/// A customer's own lines, filled with what most buy.
struct Lines<'a> {
    personal: &'a PersonalFrequency,
    products: usize,
    fill: Vec<(u32, f64)>,
}

impl Fitted for Lines<'_> {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        let own = query.window(self.personal.window_days).iter().map(|line| line.product);
        let own = own.filter(|product| (*product as usize) < self.products);
        match self.personal.ties {
            Ties::Popular => {
                own.for_each(|product| row.add(product, 1.0));
                self.fill.iter().for_each(|(product, fraction)| row.add(*product, *fraction));
            }
            Ties::First => {
                let mut before = 0.0;
                for product in own {
                    if row.get(product).is_none() {
                        row.add(product, 1.0 / (2.0 + before));
                        before += 1.0;
                    }
                    row.add(product, 1.0);
                }
                for (product, fraction) in &self.fill {
                    if row.get(*product).is_none() {
                        row.add(*product, *fraction);
                    }
                }
            }
        }
    }

    fn products(&self) -> usize {
        self.products
    }
}

impl PersonalFrequency {
    /// Buyers per promotion over one more than the most, where there are any; nothing without `fill`.
    fn fractions(
        &self,
        history: &Purchases,
        eligibility: &Eligibility,
        as_of: i32,
    ) -> Vec<(u32, f64)> {
        let Some(popularity) = &self.fill else { return Vec::new() };
        let buyers = popularity.buyers(history, eligibility, as_of);
        let scale = 1.0 / (f64::from(buyers.iter().copied().max().unwrap_or(0)) + 1.0);
        (0..)
            .zip(&buyers)
            .filter(|(_, buyers)| **buyers > 0)
            .map(|(promotion, buyers)| (promotion, f64::from(*buyers) * scale))
            .collect()
    }
}

impl PromotionRanker for PersonalFrequency {
    fn name(&self) -> &'static str {
        "personal"
    }

    fn score(
        &self,
        history: &Purchases,
        eligibility: &Eligibility,
        as_of: i32,
        customers: &[u32],
    ) -> Result<Scores> {
        promotion_ranker::check(history, eligibility, customers)?;
        let fill = self.fractions(history, eligibility, as_of);
        let mut scores =
            promotion_ranker::rows(eligibility.promotions(), customers, |customer, sums| {
                for line in history.window(customer, as_of, self.window_days) {
                    for promotion in eligibility.promotions_of(line.product) {
                        sums.add(*promotion, 1.0);
                    }
                }
                for (promotion, fraction) in &fill {
                    sums.add(*promotion, *fraction);
                }
            });
        promotion_ranker::rank_all(&mut scores);
        Ok(scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn conforms() {
        conformance::check_promotion_ranker(&PersonalFrequency::default());
        conformance::check_promotion_ranker(&PersonalFrequency {
            window_days: 10,
            fill: None,
            ..PersonalFrequency::default()
        });
        conformance::check_recommender(&PersonalFrequency::default());
        let first = PersonalFrequency { ties: Ties::First, ..PersonalFrequency::default() };
        conformance::check_recommender(&first);
        conformance::check_recommender(&PersonalFrequency {
            window_days: 10,
            fill: None,
            ..PersonalFrequency::default()
        });
    }

    #[test]
    fn own_lines_come_before_popular_ones() {
        let history = conformance::history(
            3,
            3,
            &[(0, 95, 0), (0, 96, 0), (1, 97, 1), (2, 99, 1), (0, 1, 2)],
        );
        let eligibility = Eligibility::new(3, &[vec![1], vec![0], vec![2]]).unwrap();
        let scores =
            PersonalFrequency::default().score(&history, &eligibility, 100, &[0, 1]).unwrap();
        let order =
            |list: &[(u32, f64)]| list.iter().map(|(promotion, _)| *promotion).collect::<Vec<_>>();
        assert_eq!(order(&scores[0]), [1, 0]);
        assert_eq!(order(&scores[1]), [0, 1]);
        assert!((scores[0][0].1 - (2.0 + 1.0 / 3.0)).abs() < 1e-12);
    }

    #[test]
    fn ties_are_broken_by_what_most_buy_or_by_what_was_bought_first() {
        let lines =
            [(0, 94, 2), (0, 95, 0), (0, 96, 1), (0, 97, 1), (1, 97, 0), (2, 97, 3), (3, 97, 3)];
        let history = conformance::history(4, 4, &lines);
        let (products, customers) = (crate::Attributes::none(4), crate::Attributes::none(4));
        let training =
            Training { history: &history, as_of: 100, products: &products, customers: &customers };
        let check = |ties: Ties, fill: Option<Popularity>, expect: &[u32]| {
            let personal = PersonalFrequency { ties, fill, ..PersonalFrequency::default() };
            let fitted = Recommender::fit(&personal, &training).unwrap();
            let wanted = crate::Wanted { k: 9, seen: crate::Seen::Keep, among: None };
            let list = &fitted.recommend(&[Query::of(&history, 0, 100)], &wanted)[0];
            let order: Vec<u32> = list.iter().map(|(product, _)| *product).collect();
            assert_eq!(order, expect, "{ties:?}");
        };
        check(Ties::Popular, Some(Popularity::default()), &[1, 0, 2, 3]);
        check(Ties::First, Some(Popularity::default()), &[1, 2, 0, 3]);
        check(Ties::First, None, &[1, 2, 0]);
    }
}
