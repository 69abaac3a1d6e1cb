//! What do customers buy who buy what this customer buys?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use super::decayed_frequency::{Normalisation, Weight};
use super::lenders::{Lenders, known};
use crate::likeness::{Comparison, active};
use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{DecayedFrequency, Fitted, Purchase, Query, Recommender, Row, Training};

const NAME: &str = "personal-decayed";

/// Decayed frequency blended with that of the nearest customers.
///
/// `own_share · own + (1 − own_share) · Σ similarity^power · neighbour / Σ similarity^power`, over the
/// `neighbours` active customers with the highest cosine (ties by index) of decayed product vectors,
/// raised to `vector_power` and weighted by rarity, `ln((1 + n) / (1 + buyers))` over `n` active
/// customers.
/// UP-CF: Faggioli, Polato, Aiolli, "Recency aware collaborative filtering for next basket
/// recommendation", UMAP 2020, doi:10.1145/3340631.3394850; TIFU-KNN: Hu et al., SIGIR 2020,
/// doi:10.1145/3397271.3401066; rarity: Spärck Jones 1972, doi:10.1108/eb026526.
///
/// Time grows with the sum over products of (buyers asked for × active buyers), memory with what the active bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomerKnn {
    /// What a customer's own frequency and that of its neighbours is.
    pub frequency: DecayedFrequency,
    /// The half-life of the vectors that are compared, in days, `> 0`; in all else they are `frequency`'s.
    pub similarity_half_life_days: f64,
    /// The power of the vectors' entries, in `[0, 8]`; below 1 dampens the frequent.
    pub vector_power: f64,
    /// Only customers with a line in so many days before the as-of day are neighbours.
    pub active_days: u32,
    /// The most neighbours of a customer.
    pub neighbours: usize,
    /// The share of the customer's own frequency in the blend, in `[0, 1]`.
    pub own_share: f64,
    /// The power of a neighbour's similarity, in `[0, 8]`; 0 counts all neighbours alike.
    pub similarity_power: f64,
    /// Products bought by more customers than this say nothing about likeness, and are skipped in it.
    pub max_buyers_per_product: usize,
}

impl Default for CustomerKnn {
    fn default() -> Self {
        Self {
            frequency: DecayedFrequency {
                half_life_days: 150.0,
                window_days: u32::MAX,
                weight: Weight::Lines,
                normalisation: Normalisation::Raw,
            },
            similarity_half_life_days: 42.0,
            vector_power: 0.5,
            active_days: 56,
            neighbours: 200,
            own_share: 0.6,
            similarity_power: 1.0,
            max_buyers_per_product: 5_000,
        }
    }
}

impl Configured for CustomerKnn {
    const NAME: &'static str = NAME;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "frequency.half_life_days", range: Range::LogReal(1.0, 3_650.0) },
        Axis { setting: "similarity_half_life_days", range: Range::LogReal(1.0, 3_650.0) },
        Axis { setting: "vector_power", range: Range::Real(0.0, 2.0) },
        Axis { setting: "neighbours", range: Range::LogWhole(10, 1_000) },
        Axis { setting: "own_share", range: Range::Real(0.0, 1.0) },
        Axis { setting: "similarity_power", range: Range::Real(0.0, 4.0) },
    ];
}

impl Recommender for CustomerKnn {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        let compared = DecayedFrequency {
            half_life_days: self.similarity_half_life_days,
            ..self.frequency.clone()
        };
        self.frequency.check()?;
        compared.check()?;
        check_setting(NAME, "vector_power", self.vector_power, 0.0..=8.0)?;
        check_setting(NAME, "own_share", self.own_share, 0.0..=1.0)?;
        check_setting(NAME, "similarity_power", self.similarity_power, 0.0..=8.0)?;
        training.check()?;
        let as_of = training.as_of;
        let lenders = Lenders::new(
            training,
            active(training.history, as_of, self.active_days),
            Comparison {
                max_per_key: self.max_buyers_per_product,
                ..Comparison::cosine(self.vector_power)
            },
            |lines: &[Purchase]| compared.products(lines, as_of),
            |lines: &[Purchase]| self.frequency.products(lines, as_of),
        );
        let products = training.history.products();
        Ok(Box::new(Blend { knn: self, compared, lenders, products }))
    }
}

/// Own frequency with that of neighbours.
struct Blend<'a> {
    knn: &'a CustomerKnn,
    compared: DecayedFrequency,
    lenders: Lenders,
    products: usize,
}

impl Fitted for Blend<'_> {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        let knn = self.knn;
        let vector = |frequency: &DecayedFrequency| {
            known(frequency.products(query.lines, query.as_of), self.products)
        };
        for (product, weight) in vector(&knn.frequency) {
            row.add(product, knn.own_share * weight);
        }
        let near = self.lenders.nearest(&vector(&self.compared), query.customer, knn.neighbours);
        let total: f64 = near.iter().map(|(_, s)| s.powf(knn.similarity_power)).sum();
        for (neighbour, similarity) in near {
            let share = (1.0 - knn.own_share) * similarity.powf(knn.similarity_power) / total;
            self.lenders.lend(neighbour, share, row);
        }
    }

    fn products(&self) -> usize {
        self.products
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::{Eligibility, Popularity, Promoted, PromotionRanker};

    /// Ranks products as promotions of their own.
    fn order(knn: CustomerKnn, lines: &[(u32, i32, u32)], fill: bool, customer: u32) -> Vec<u32> {
        let history = conformance::history(4, 4, lines);
        let fill = fill.then(Popularity::default);
        let ranker = Promoted { recommender: knn, fill };
        let each = Eligibility::each_product(4);
        let scores = ranker.score(&history, &each, 100, &[customer]).unwrap();
        scores[0].iter().map(|(promotion, _)| *promotion).collect()
    }

    #[test]
    fn conforms() {
        conformance::check_recommender(&CustomerKnn::default());
        let few = CustomerKnn {
            neighbours: 3,
            own_share: 0.0,
            frequency: DecayedFrequency::default(),
            ..CustomerKnn::default()
        };
        conformance::check_recommender(&few);
        let fill = Some(Popularity::default());
        conformance::check_promotion_ranker(&Promoted { recommender: few, fill });
    }

    #[test]
    fn a_like_customer_lends_its_products() {
        let lines = [(0, 99, 0), (1, 99, 0), (1, 98, 1), (2, 99, 2)];
        assert_eq!(order(CustomerKnn::default(), &lines, false, 0), [0, 1]);
        assert_eq!(order(CustomerKnn::default(), &lines, false, 2), [2]);
        assert_eq!(order(CustomerKnn::default(), &lines, true, 2), [2, 0, 1]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let history = conformance::history(1, 1, &[]);
        let none = crate::Attributes::none(1);
        let training = Training { history: &history, as_of: 9, products: &none, customers: &none };
        for wrong in [
            CustomerKnn { own_share: 1.5, ..CustomerKnn::default() },
            CustomerKnn { similarity_half_life_days: 0.0, ..CustomerKnn::default() },
            CustomerKnn { vector_power: -1.0, ..CustomerKnn::default() },
        ] {
            assert_eq!(wrong.fit(&training).map(|_| ()).unwrap_err().code(), "T0405");
        }
    }

    #[test]
    fn only_active_customers_lend() {
        let lines = [(0, 99, 0), (1, 20, 0), (1, 20, 1), (2, 99, 2), (3, 99, 0), (3, 99, 3)];
        let lent = |active_days: u32| {
            order(CustomerKnn { active_days, ..CustomerKnn::default() }, &lines, false, 0)
        };
        assert_eq!(lent(56), [0, 3]);
        assert_eq!(lent(90), [0, 3, 1]);
    }
}
