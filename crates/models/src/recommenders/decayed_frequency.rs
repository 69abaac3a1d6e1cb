//! Which promotions' products does this customer buy often, and lately?

use rayon::prelude::*;
use tercet_types::Result;

use crate::promotion_ranker::{self, PromotionRanker, Scores};
use crate::setting::check_setting;
use crate::{Eligibility, Popularity, Purchase, Purchases, Row};

const ENGINE: &str = "decayed-frequency";
const MAX_HALF_LIFE_DAYS: f64 = 36_500.0;

/// What one purchase line counts before decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    /// Every line counts 1.
    #[default]
    Lines,
    /// A line counts what was paid, in minor units; returns count 0.
    Spend,
}

/// What a customer's sums are divided by; matters where customers are mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalisation {
    /// Nothing.
    Raw,
    /// The decayed number of the customer's orders: purchases per order.
    #[default]
    PerOrder,
}

/// Purchase lines of eligible products, each worth `2^(−age / half_life)`.
///
/// Exponential forgetting in purchase frequency: Ding & Li, "Time weight collaborative filtering",
/// CIKM 2005, doi:10.1145/1099554.1099689; user-wise popularity per order: Faggioli, Polato,
/// Aiolli, "Recency aware collaborative filtering for next basket recommendation", UMAP 2020,
/// doi:10.1145/3340631.3394850.
#[derive(Clone, Debug, PartialEq)]
pub struct DecayedFrequency {
    /// The age in days at which a line counts half, `> 0`.
    pub half_life_days: f64,
    /// The days before the as-of day that count at all.
    pub window_days: u32,
    /// What a line counts before decay.
    pub weight: Weight,
    /// What a customer's sums are divided by.
    pub normalisation: Normalisation,
    /// What fills the list below the customer's own promotions; `None` leaves it short.
    pub fill: Option<Popularity>,
}

impl Default for DecayedFrequency {
    fn default() -> Self {
        Self {
            half_life_days: 42.0,
            window_days: 364,
            weight: Weight::default(),
            normalisation: Normalisation::default(),
            fill: Some(Popularity::default()),
        }
    }
}

impl DecayedFrequency {
    pub(crate) fn check(&self) -> Result<()> {
        let shortest = f64::MIN_POSITIVE;
        check_setting(ENGINE, "half_life_days", self.half_life_days, shortest..=MAX_HALF_LIFE_DAYS)
    }

    /// The decayed weight of one line.
    fn line(&self, line: &Purchase, as_of: i32) -> f64 {
        let amount = match self.weight {
            Weight::Lines => 1.0,
            Weight::Spend => line.spend_minor.max(0) as f64,
        };
        amount * self.decay(line.day, as_of)
    }

    fn decay(&self, day: i32, as_of: i32) -> f64 {
        (-(f64::from(as_of) - f64::from(day)) / self.half_life_days).exp2()
    }

    /// 1 / the decayed number of orders, or 1.
    fn scale(&self, lines: &[Purchase], as_of: i32) -> f64 {
        match self.normalisation {
            Normalisation::Raw => 1.0,
            Normalisation::PerOrder => {
                let orders = lines.chunk_by(|a, b| (a.day, a.order) == (b.day, b.order));
                let decayed: f64 = orders.map(|order| self.decay(order[0].day, as_of)).sum();
                if decayed > 0.0 { 1.0 / decayed } else { 0.0 }
            }
        }
    }

    /// `(product, weight)` of one customer, by product.
    pub(crate) fn products(
        &self,
        history: &Purchases,
        as_of: i32,
        customer: u32,
    ) -> Vec<(u32, f64)> {
        let lines = history.window(customer, as_of, self.window_days);
        let scale = self.scale(lines, as_of);
        let mut weights: Vec<(u32, f64)> =
            lines.iter().map(|line| (line.product, scale * self.line(line, as_of))).collect();
        // Stable: lines of one product are added up in the order of their days.
        weights.sort_by_key(|(product, _)| *product);
        weights.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 += later.1;
            }
            same
        });
        weights.retain(|(_, weight)| *weight > 0.0);
        weights
    }

    /// `(promotion, sum over eligible products)` of given product weights, by promotion.
    pub(crate) fn promotions(eligibility: &Eligibility, weights: &[Vec<(u32, f64)>]) -> Scores {
        let row = |sums: &mut Row, weights: &Vec<(u32, f64)>| {
            for (product, weight) in weights {
                for promotion in eligibility.promotions_of(*product) {
                    sums.add(*promotion, *weight);
                }
            }
            sums.take()
        };
        weights.par_iter().map_init(|| Row::new(eligibility.promotions()), row).collect()
    }
}

impl PromotionRanker for DecayedFrequency {
    fn name(&self) -> &'static str {
        ENGINE
    }

    fn score(
        &self,
        history: &Purchases,
        eligibility: &Eligibility,
        as_of: i32,
        customers: &[u32],
    ) -> Result<Scores> {
        self.check()?;
        promotion_ranker::check(history, eligibility, customers)?;
        let weights: Vec<_> =
            customers.par_iter().map(|customer| self.products(history, as_of, *customer)).collect();
        let mut scores = Self::promotions(eligibility, &weights);
        promotion_ranker::rank_all(&mut scores);
        if let Some(popularity) = &self.fill {
            promotion_ranker::fill_all(
                &mut scores,
                &popularity.buyers(history, eligibility, as_of),
            );
        }
        Ok(scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn conforms() {
        conformance::check_promotion_ranker(&DecayedFrequency::default());
        conformance::check_promotion_ranker(&DecayedFrequency {
            weight: Weight::Spend,
            normalisation: Normalisation::Raw,
            fill: None,
            ..DecayedFrequency::default()
        });
    }

    #[test]
    fn a_line_one_half_life_old_counts_half() {
        let history = conformance::history(2, 2, &[(0, 90, 0), (0, 80, 1), (0, 80, 1), (1, 95, 1)]);
        let eligibility = Eligibility::new(2, &[vec![0], vec![1], vec![0, 1]]).unwrap();
        let engine = DecayedFrequency {
            half_life_days: 10.0,
            normalisation: Normalisation::Raw,
            fill: None,
            ..DecayedFrequency::default()
        };
        let scores = engine.score(&history, &eligibility, 100, &[0]).unwrap();
        assert_eq!(scores, [vec![(2, 1.0), (0, 0.5), (1, 0.5)]]);
        let per_order = DecayedFrequency { normalisation: Normalisation::PerOrder, ..engine };
        let scores = per_order.score(&history, &eligibility, 100, &[0]).unwrap();
        assert_eq!(scores, [vec![(2, 1.0 / 0.75), (0, 0.5 / 0.75), (1, 0.5 / 0.75)]]);
        let wrong = DecayedFrequency { half_life_days: 0.0, ..per_order };
        assert_eq!(wrong.score(&history, &eligibility, 100, &[0]).unwrap_err().code(), "T0405");
    }
}
