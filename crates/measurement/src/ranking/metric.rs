//! What is a good ranking, in numbers?
//!
//! Notation: a customer's truth `T` is a set of products, `K` the products known of the customer, and
//! `r₁ … rₙ`, `n ≤ k`, the first `k` of the list. `hit(i)` is 1 when `rᵢ ∈ T`, else 0.

use serde::{Deserialize, Serialize};

/// The metrics, in reporting order; all but the last two are of one customer and averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// `Σ hit(i) / |T|`.
    Recall,
    /// `Σ hit(i) / k`, also where the list is shorter.
    Precision,
    /// 1 when any hits.
    HitRate,
    /// `Σ hit(i) / log2(i + 1)` over what `min(k, |T|)` hits in the first places would give: the ideal is cut off
    /// at `k` (Järvelin and Kekäläinen 2002, doi:10.1145/582415.582418).
    Ndcg,
    /// The same over what `|T|` hits would give, however many: the ideal is not cut off.
    NdcgWholeIdeal,
    /// `1 / i` of the first hit, 0 without one.
    Mrr,
    /// Average precision, `Σ hit(i) · (hits up to i) / i / |T|`.
    Map,
    /// Recall of the truth that the customer took up before, `T ∩ K`; of customers who have any (Li et al. 2023,
    /// doi:10.1145/3587153).
    RepeatRecall,
    /// Recall of the truth that is new to the customer, `T ∖ K`; of customers who have any.
    ExploreRecall,
    /// What was paid for the hits, minor units.
    ValueMinor,
    /// Mean self-information of the list, `−log2` of the share of the training's customers who took the product
    /// up, at least one counted (Zhou et al. 2010, doi:10.1073/pnas.1000488107).
    Novelty,
    /// Mean share of the training's customers who took up what is in the list (Abdollahpouri, Burke and Mobasher
    /// 2019, arXiv:1901.07555): a list of what sells anyway has a large one.
    Popularity,
    /// Share of the catalogue that stands in anybody's list.
    Coverage,
    /// Gini coefficient of how often each product of the catalogue stands in lists: 0 where all come equally often,
    /// near 1 where few take all places.
    Gini,
}

/// How many metrics are of one customer.
pub const PER_CUSTOMER: usize = 12;

impl Metric {
    /// All metrics, in reporting order.
    pub const ALL: [Self; 14] = [
        Self::Recall,
        Self::Precision,
        Self::HitRate,
        Self::Ndcg,
        Self::NdcgWholeIdeal,
        Self::Mrr,
        Self::Map,
        Self::RepeatRecall,
        Self::ExploreRecall,
        Self::ValueMinor,
        Self::Novelty,
        Self::Popularity,
        Self::Coverage,
        Self::Gini,
    ];

    /// The name in results, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recall => "recall",
            Self::Precision => "precision",
            Self::HitRate => "hit_rate",
            Self::Ndcg => "ndcg",
            Self::NdcgWholeIdeal => "ndcg_whole_ideal",
            Self::Mrr => "mrr",
            Self::Map => "map",
            Self::RepeatRecall => "repeat_recall",
            Self::ExploreRecall => "explore_recall",
            Self::ValueMinor => "value_minor",
            Self::Novelty => "novelty",
            Self::Popularity => "popularity",
            Self::Coverage => "coverage",
            Self::Gini => "gini",
        }
    }

    /// True of metrics that every customer's list has; the others are of all lists together.
    pub const fn is_of_customers(self) -> bool {
        (self as usize) < PER_CUSTOMER
    }

    /// True of metrics of which more is better for whoever is asked for; of the others more is neither.
    pub const fn is_accuracy(self) -> bool {
        (self as usize) < Self::Novelty as usize
    }
}

/// What there is to know of one customer's list.
pub(super) struct Judged<'a> {
    /// The first places of the list, at most `k`.
    pub list: &'a [u32],
    /// Products known of the customer, ascending.
    pub known: &'a [u32],
    /// Products to be found and what was paid for each, ascending; not empty.
    pub truth: &'a [(u32, i64)],
    /// In how many training customers' lines each product stands.
    pub buyers: &'a [u32],
    /// How many customers that are.
    pub customers: u32,
}

impl Judged<'_> {
    /// The metrics of one customer at `k`, in reporting order; NaN of what is not defined.
    pub(super) fn figures(&self, k: usize) -> [f64; PER_CUSTOMER] {
        let truth = self.truth.len() as f64;
        let is_known = |product: u32| self.known.binary_search(&product).is_ok();
        let repeats = self.truth.iter().filter(|(product, _)| is_known(*product)).count() as f64;
        let (mut hits, mut repeat_hits, mut gain, mut precisions) = (0.0, 0.0, 0.0, 0.0);
        let (mut first, mut value) = (None, 0.0);
        for (rank, product) in (1..).map(f64::from).zip(self.list) {
            let Ok(at) = self.truth.binary_search_by_key(product, |(product, _)| *product) else {
                continue;
            };
            hits += 1.0;
            repeat_hits += f64::from(u8::from(is_known(*product)));
            gain += discount(rank);
            precisions += hits / rank;
            first = first.or(Some(rank));
            value += self.truth[at].1 as f64;
        }
        let length = self.list.len() as f64;
        let share = |product: &u32| {
            f64::from(self.buyers[*product as usize].max(1)) / f64::from(self.customers.max(1))
        };
        let mean = |sum: f64| if self.list.is_empty() { f64::NAN } else { sum / length };
        let part = |hits: f64, of: f64| if of > 0.0 { hits / of } else { f64::NAN };
        let bought = |product: &u32| f64::from(self.buyers[*product as usize]);
        [
            hits / truth,
            hits / k as f64,
            f64::from(u8::from(hits > 0.0)),
            gain / ideal(self.truth.len().min(k)),
            gain / ideal(self.truth.len()),
            first.map_or(0.0, |rank: f64| 1.0 / rank),
            precisions / truth,
            part(repeat_hits, repeats),
            part(hits - repeat_hits, truth - repeats),
            value,
            mean(self.list.iter().map(|product| -share(product).log2()).sum()),
            mean(self.list.iter().map(bought).sum::<f64>() / f64::from(self.customers.max(1))),
        ]
    }
}

fn discount(rank: f64) -> f64 {
    1.0 / (rank + 1.0).log2()
}

/// What hits in the first `count` places gain.
fn ideal(count: usize) -> f64 {
    (1..=count).map(|rank| discount(rank as f64)).sum()
}

/// The share of the catalogue that has any count.
pub(super) fn coverage(counts: &[u32]) -> f64 {
    counts.iter().filter(|count| **count > 0).count() as f64 / counts.len().max(1) as f64
}

/// The Gini coefficient of counts, `Σ (2 j − n − 1) cⱼ / (n Σ cⱼ)` over counts in ascending order; NaN without any.
pub(super) fn gini(counts: &[u32]) -> f64 {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let (n, mut weighted, mut total) = (sorted.len() as f64, 0.0, 0.0);
    for (place, count) in (1..).map(f64::from).zip(sorted) {
        weighted += (2.0 * place - n - 1.0) * f64::from(count);
        total += f64::from(count);
    }
    if total > 0.0 { weighted / (n * total) } else { f64::NAN }
}
