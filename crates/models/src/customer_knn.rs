//! Which promotions' products do customers buy who buy what this customer buys?

use rayon::prelude::*;
use tercet_types::Result;

use crate::eligibility::Lists;
use crate::recommender::{self, Recommender, Scores, Sums};
use crate::{DecayedFrequency, Eligibility, Popularity, Purchases};

const ENGINE: &str = "personal-decayed";
/// Similarities to one customer, by customer index, and which of them are above zero.
type Similarities = Sums;

/// Decayed frequency blended with that of the nearest customers by cosine.
///
/// `own_share · own + (1 − own_share) · Σ similarity^power · neighbour / Σ similarity^power`, over the
/// `neighbours` customers with the highest cosine of decayed product vectors (ties by index).
/// UP-CF: Faggioli, Polato, Aiolli, "Recency aware collaborative filtering for next basket
/// recommendation", UMAP 2020, doi:10.1145/3340631.3394850; TIFU-KNN: Hu et al., SIGIR 2020,
/// doi:10.1145/3397271.3401066.
///
/// All customers of the history are candidates: time grows with the sum over products of
/// (buyers asked for × buyers), memory with customers × promotions bought into.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerKnn {
    /// The vectors; its own `fill` is not used.
    pub frequency: DecayedFrequency,
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
            frequency: DecayedFrequency::default(),
            neighbours: 100,
            own_share: 0.75,
            similarity_power: 1.0,
            max_buyers_per_product: 5_000,
            fill: Some(Popularity::default()),
        }
    }
}

impl Recommender for CustomerKnn {
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
        self.frequency.check()?;
        recommender::check_setting(ENGINE, "own_share", self.own_share, 0.0..=1.0)?;
        recommender::check_setting(ENGINE, "similarity_power", self.similarity_power, 0.0..=8.0)?;
        recommender::check(history, eligibility, customers)?;
        let vectors: Vec<Vec<(u32, f64)>> = history
            .all_customers()
            .map(|customer| self.frequency.products(history, as_of, customer))
            .collect();
        let own = DecayedFrequency::promotions(eligibility, &vectors);
        let near = Neighbourhood::new(vectors, history.products(), self.max_buyers_per_product);
        let blend = |(similar, sums): &mut (Similarities, Sums), customer: &u32| {
            for (promotion, score) in &own[*customer as usize] {
                sums.add(*promotion, self.own_share * score);
            }
            let neighbours = near.of(*customer, self.neighbours, similar);
            let total: f64 = neighbours.iter().map(|(_, s)| s.powf(self.similarity_power)).sum();
            for (neighbour, similarity) in neighbours {
                let share = (1.0 - self.own_share) * similarity.powf(self.similarity_power) / total;
                for (promotion, score) in &own[neighbour as usize] {
                    sums.add(*promotion, share * score);
                }
            }
            recommender::ranked(sums.take())
        };
        let fresh = || (Sums::new(history.customers()), Sums::new(eligibility.promotions()));
        let mut scores: Scores = customers.par_iter().map_init(fresh, blend).collect();
        if let Some(popularity) = &self.fill {
            recommender::fill_all(&mut scores, &popularity.buyers(history, eligibility, as_of));
        }
        Ok(scores)
    }
}

/// Unit vectors by customer and, turned round, buyers by product.
struct Neighbourhood {
    units: Vec<Vec<(u32, f64)>>,
    buyers: Lists,
    /// The unit vector's entry, parallel to the members of `buyers`.
    entries: Vec<f64>,
    max_buyers: usize,
}

impl Neighbourhood {
    fn new(mut vectors: Vec<Vec<(u32, f64)>>, products: usize, max_buyers: usize) -> Self {
        vectors.par_iter_mut().for_each(|vector| {
            let length = vector.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
            if length > 0.0 && length.is_finite() {
                vector.iter_mut().for_each(|(_, weight)| *weight /= length);
            } else {
                vector.clear();
            }
        });
        let mut pairs = Vec::with_capacity(vectors.iter().map(Vec::len).sum());
        for (customer, vector) in (0_u32..).zip(&vectors) {
            pairs.extend(vector.iter().map(|(product, _)| (*product, customer)));
        }
        let buyers = Lists::new(products, pairs);
        let mut entries = vec![0.0; vectors.iter().map(Vec::len).sum()];
        let mut next = vec![0_usize; products];
        for vector in &vectors {
            for (product, weight) in vector {
                entries[buyers.range(*product).start + next[*product as usize]] = *weight;
                next[*product as usize] += 1;
            }
        }
        Self { units: vectors, buyers, entries, max_buyers }
    }

    /// The nearest customers, by cosine, ties by index; never the customer itself.
    fn of(&self, customer: u32, neighbours: usize, similar: &mut Similarities) -> Vec<(u32, f64)> {
        for (product, weight) in &self.units[customer as usize] {
            let range = self.buyers.range(*product);
            if range.len() > self.max_buyers {
                continue;
            }
            for (buyer, entry) in self.buyers.get(*product).iter().zip(&self.entries[range]) {
                similar.add(*buyer, weight * entry);
            }
        }
        let mut all = similar.take();
        all.retain(|(other, similarity)| *other != customer && *similarity > 0.0);
        let nearer = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if all.len() > neighbours && neighbours > 0 {
            all.select_nth_unstable_by(neighbours - 1, nearer);
        }
        all.truncate(neighbours);
        all.sort_unstable_by(nearer);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn conforms() {
        conformance::check(&CustomerKnn::default());
        conformance::check(&CustomerKnn {
            neighbours: 3,
            own_share: 0.0,
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
        let wrong = CustomerKnn { own_share: 1.5, ..engine };
        assert_eq!(wrong.score(&history, &eligibility, 100, &[0]).unwrap_err().code(), "T0405");
    }
}
