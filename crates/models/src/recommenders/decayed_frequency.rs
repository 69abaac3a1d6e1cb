//! Which products does this customer buy often, and lately?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use super::lenders::{Weights, known};
use crate::likeness::summed;
use crate::purchases::orders;
use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Purchase, Query, Recommender, Row, Training};

const NAME: &str = "decayed-frequency";
const MAX_HALF_LIFE_DAYS: f64 = 36_500.0;

/// What one purchase line counts before decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// Every line counts 1.
    #[default]
    Lines,
    /// A line counts what was paid, in minor units; returns count 0.
    Spend,
}

/// What a customer's sums are divided by; matters where customers are mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// Nothing.
    Raw,
    /// The decayed number of the customer's orders: purchases per order.
    #[default]
    PerOrder,
}

/// The customer's purchase lines, each worth `2^(−age / half_life)`.
///
/// Exponential forgetting in purchase frequency: Ding & Li, "Time weight collaborative filtering",
/// CIKM 2005, doi:10.1145/1099554.1099689; user-wise popularity per order: Faggioli, Polato,
/// Aiolli, "Recency aware collaborative filtering for next basket recommendation", UMAP 2020,
/// doi:10.1145/3340631.3394850.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecayedFrequency {
    /// The age in days at which a line counts half, `> 0`.
    pub half_life_days: f64,
    /// The days before the as-of day that count at all.
    pub window_days: u32,
    /// What a line counts before decay.
    pub weight: Weight,
    /// What a customer's sums are divided by.
    pub normalisation: Normalisation,
}

impl Default for DecayedFrequency {
    fn default() -> Self {
        Self {
            half_life_days: 42.0,
            window_days: 364,
            weight: Weight::default(),
            normalisation: Normalisation::default(),
        }
    }
}

impl DecayedFrequency {
    pub(crate) fn check(&self) -> Result<()> {
        let shortest = f64::MIN_POSITIVE;
        check_setting(NAME, "half_life_days", self.half_life_days, shortest..=MAX_HALF_LIFE_DAYS)
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
                let decayed: f64 = orders(lines).map(|order| self.decay(order[0].day, as_of)).sum();
                if decayed > 0.0 { 1.0 / decayed } else { 0.0 }
            }
        }
    }

    /// What each product counts, of lines before a day.
    pub(crate) fn products(&self, lines: &[Purchase], as_of: i32) -> Weights {
        let query = Query { customer: None, lines, as_of };
        let lines = query.window(self.window_days);
        let scale = self.scale(lines, as_of);
        let weigh = |line: &Purchase| (line.product, scale * self.line(line, as_of));
        let mut weights = summed(lines.iter().map(weigh).collect());
        weights.retain(|(_, weight)| *weight > 0.0);
        weights
    }
}

impl Configured for DecayedFrequency {
    const NAME: &'static str = NAME;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "half_life_days", range: Range::LogReal(1.0, 3_650.0) },
        Axis { setting: "window_days", range: Range::LogWhole(1, 3_650) },
        Axis { setting: "normalisation", range: Range::Among(&["raw", "per-order"]) },
    ];
}

impl Recommender for DecayedFrequency {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        self.check()?;
        training.check()?;
        Ok(Box::new(Own { frequency: self, products: training.history.products() }))
    }
}

/// What customers bought themselves.
struct Own<'a> {
    frequency: &'a DecayedFrequency,
    products: usize,
}

impl Fitted for Own<'_> {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        let own = known(self.frequency.products(query.lines, query.as_of), self.products);
        own.into_iter().for_each(|(product, weight)| row.add(product, weight));
    }

    fn products(&self) -> usize {
        self.products
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::{Eligibility, Promoted, PromotionRanker};

    #[test]
    fn conforms() {
        conformance::check_recommender(&DecayedFrequency::default());
        let spend = DecayedFrequency {
            weight: Weight::Spend,
            normalisation: Normalisation::Raw,
            ..DecayedFrequency::default()
        };
        conformance::check_recommender(&spend);
        conformance::check_promotion_ranker(&Promoted { recommender: spend, fill: None });
    }

    #[test]
    fn a_line_one_half_life_old_counts_half() {
        let history = conformance::history(2, 2, &[(0, 90, 0), (0, 80, 1), (0, 80, 1), (1, 95, 1)]);
        let eligibility = Eligibility::new(2, &[vec![0], vec![1], vec![0, 1]]).unwrap();
        let scores = |frequency: DecayedFrequency| {
            let ranker = Promoted { recommender: frequency, fill: None };
            ranker.score(&history, &eligibility, 100, &[0])
        };
        let raw = DecayedFrequency {
            half_life_days: 10.0,
            normalisation: Normalisation::Raw,
            ..DecayedFrequency::default()
        };
        assert_eq!(scores(raw.clone()).unwrap(), [vec![(2, 1.0), (0, 0.5), (1, 0.5)]]);
        let per_order = DecayedFrequency { normalisation: Normalisation::PerOrder, ..raw.clone() };
        let expect = [vec![(2, 1.0 / 0.75), (0, 0.5 / 0.75), (1, 0.5 / 0.75)]];
        assert_eq!(scores(per_order).unwrap(), expect);
        let wrong = DecayedFrequency { half_life_days: 0.0, ..raw };
        assert_eq!(scores(wrong).unwrap_err().code(), "T0405");
    }
}
