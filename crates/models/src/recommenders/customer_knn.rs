//! Which promotions' products do customers buy who buy what this customer buys?

use rayon::prelude::*;
use tercet_types::Result;

use super::decayed_frequency::{Normalisation, Weight};
use crate::likeness::{Members, Neighbourhood};
use crate::promotion_ranker::{self, PromotionRanker, Scores};
use crate::setting::check_setting;
use crate::{DecayedFrequency, Eligibility, Popularity, Purchases, Row};

const ENGINE: &str = "personal-decayed";

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
/// Time grows with the sum over products of (buyers asked for × active buyers), memory with
/// customers × promotions bought into.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerKnn {
    /// What a customer's own frequency and that of its neighbours is; its own `fill` is not used.
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
    /// What fills the list below the blend; `None` leaves it short.
    pub fill: Option<Popularity>,
}

impl Default for CustomerKnn {
    fn default() -> Self {
        Self {
            frequency: DecayedFrequency {
                half_life_days: 150.0,
                window_days: u32::MAX,
                weight: Weight::Lines,
                normalisation: Normalisation::Raw,
                fill: None,
            },
            similarity_half_life_days: 42.0,
            vector_power: 0.5,
            active_days: 56,
            neighbours: 200,
            own_share: 0.6,
            similarity_power: 1.0,
            max_buyers_per_product: 5_000,
            fill: Some(Popularity::default()),
        }
    }
}

impl PromotionRanker for CustomerKnn {
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
        let compared = DecayedFrequency {
            half_life_days: self.similarity_half_life_days,
            ..self.frequency.clone()
        };
        self.frequency.check()?;
        compared.check()?;
        check_setting(ENGINE, "vector_power", self.vector_power, 0.0..=8.0)?;
        check_setting(ENGINE, "own_share", self.own_share, 0.0..=1.0)?;
        check_setting(ENGINE, "similarity_power", self.similarity_power, 0.0..=8.0)?;
        promotion_ranker::check(history, eligibility, customers)?;
        let members = Members::new(history, as_of, self.active_days, customers);
        let vectors = |frequency: &DecayedFrequency| -> Vec<Vec<(u32, f64)>> {
            let vector = |customer: &u32| frequency.products(history, as_of, *customer);
            members.customers.par_iter().map(vector).collect()
        };
        let own = DecayedFrequency::promotions(eligibility, &vectors(&self.frequency));
        let compared = vectors(&compared);
        let near = Neighbourhood::new(
            history.products(),
            &compared,
            &members.active,
            self.vector_power,
            self.max_buyers_per_product,
            1.0,
        );
        let blend = |(similar, sums): &mut (Vec<f64>, Row), customer: &u32| {
            let member = members.position(*customer);
            for (promotion, score) in &own[member as usize] {
                sums.add(*promotion, self.own_share * score);
            }
            let vector = &compared[member as usize];
            let neighbours = near.of(vector, Some(member), self.neighbours, similar);
            let total: f64 = neighbours.iter().map(|(_, s)| s.powf(self.similarity_power)).sum();
            for (neighbour, similarity) in neighbours {
                let share = (1.0 - self.own_share) * similarity.powf(self.similarity_power) / total;
                for (promotion, score) in &own[neighbour as usize] {
                    sums.add(*promotion, share * score);
                }
            }
            promotion_ranker::ranked(sums.take())
        };
        let fresh = || (vec![0.0; members.customers.len()], Row::new(eligibility.promotions()));
        let mut scores: Scores = customers.par_iter().map_init(fresh, blend).collect();
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
        conformance::check_promotion_ranker(&CustomerKnn::default());
        conformance::check_promotion_ranker(&CustomerKnn {
            neighbours: 3,
            own_share: 0.0,
            frequency: DecayedFrequency::default(),
            fill: None,
            ..CustomerKnn::default()
        });
    }

    #[test]
    fn a_like_customer_lends_its_products() {
        let history = conformance::history(3, 3, &[(0, 99, 0), (1, 99, 0), (1, 98, 1), (2, 99, 2)]);
        let eligibility = Eligibility::new(3, &[vec![0], vec![1], vec![2]]).unwrap();
        let engine = CustomerKnn { fill: None, ..CustomerKnn::default() };
        let scores = engine.score(&history, &eligibility, 100, &[0, 2]).unwrap();
        let order =
            |list: &[(u32, f64)]| list.iter().map(|(promotion, _)| *promotion).collect::<Vec<_>>();
        assert_eq!(order(&scores[0]), [0, 1]);
        assert_eq!(order(&scores[1]), [2]);
        let filled = CustomerKnn::default().score(&history, &eligibility, 100, &[2]).unwrap();
        assert_eq!(order(&filled[0]), [2, 0, 1]);
        for wrong in [
            CustomerKnn { own_share: 1.5, ..engine.clone() },
            CustomerKnn { similarity_half_life_days: 0.0, ..engine.clone() },
            CustomerKnn { vector_power: -1.0, ..engine },
        ] {
            assert_eq!(wrong.score(&history, &eligibility, 100, &[0]).unwrap_err().code(), "T0405");
        }
    }

    #[test]
    fn only_active_customers_lend() {
        let lines = [(0, 99, 0), (1, 20, 0), (1, 20, 1), (2, 99, 2), (3, 99, 0), (3, 99, 3)];
        let history = conformance::history(4, 4, &lines);
        let eligibility = Eligibility::new(4, &[vec![0], vec![1], vec![2], vec![3]]).unwrap();
        let lent = |active_days: u32| -> Vec<u32> {
            let engine = CustomerKnn { active_days, fill: None, ..CustomerKnn::default() };
            let scores = engine.score(&history, &eligibility, 100, &[0]).unwrap();
            scores[0].iter().map(|(promotion, _)| *promotion).collect()
        };
        assert_eq!(lent(56), [0, 3]);
        assert_eq!(lent(90), [0, 3, 1]);
    }
}
