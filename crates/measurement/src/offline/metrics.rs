//! What is a good slate, in numbers?
//!
//! Notation: a customer-week has purchases `B` with spend `s(p) ≥ 0` per product `p`, products `H`
//! bought before, and a slate `o₁…oₙ`, `n ≤ 3`, with eligible products `E(o)`;
//! `U = E(o₁) ∪ … ∪ E(oₙ)`. The union counts each product's spend once, however many offers
//! cover it.

use serde::{Deserialize, Serialize};

use super::week::{CustomerWeek, SLATE_LEN, Slate, Week};

/// `1 / log2(rank + 1)` for ranks 1, 2, 3 (Järvelin & Kekäläinen 2002, doi:10.1145/582415.582418,
/// in the form with `log2(rank + 1)`).
pub(crate) const DISCOUNTS: [f64; SLATE_LEN] = [1.0, 0.630_929_753_571_457_4, 0.5];

/// The metrics, in reporting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean of [`hit_rate_at_3`] over customer-weeks that bought.
    #[serde(rename = "hit_rate_at_3")]
    HitRateAt3,
    /// Mean of [`precision_at_3`] over customer-weeks that bought.
    #[serde(rename = "precision_at_3")]
    PrecisionAt3,
    /// Mean of [`ndcg_at_3`] over customer-weeks that bought.
    #[serde(rename = "ndcg_at_3")]
    NdcgAt3,
    /// Mean of [`spend_captured_minor`] over customer-weeks that bought.
    SpendCapturedMinor,
    /// Mean of [`discovery_hit_rate_at_3`] over customer-weeks that bought.
    #[serde(rename = "discovery_hit_rate_at_3")]
    DiscoveryHitRateAt3,
    /// Mean of [`discovery_spend_minor`] over customer-weeks that bought.
    DiscoverySpendMinor,
    /// Sum of [`redemptions_caught`] over customer-weeks of mailed households.
    RedemptionsCaught,
    /// Sum of [`new_product_offers`] over all offers, divided by all offers.
    NewProductOfferShare,
    /// Distinct promotions offered, divided by candidates; summed over weeks on both sides.
    Coverage,
}

impl Metric {
    /// All metrics, in reporting order.
    pub const ALL: [Self; 9] = [
        Self::HitRateAt3,
        Self::PrecisionAt3,
        Self::NdcgAt3,
        Self::SpendCapturedMinor,
        Self::DiscoveryHitRateAt3,
        Self::DiscoverySpendMinor,
        Self::RedemptionsCaught,
        Self::NewProductOfferShare,
        Self::Coverage,
    ];

    /// The key in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HitRateAt3 => "hit_rate_at_3",
            Self::PrecisionAt3 => "precision_at_3",
            Self::NdcgAt3 => "ndcg_at_3",
            Self::SpendCapturedMinor => "spend_captured_minor",
            Self::DiscoveryHitRateAt3 => "discovery_hit_rate_at_3",
            Self::DiscoverySpendMinor => "discovery_spend_minor",
            Self::RedemptionsCaught => "redemptions_caught",
            Self::NewProductOfferShare => "new_product_offer_share",
            Self::Coverage => "coverage",
        }
    }
}

/// Which of a customer-week's purchases are covered already.
#[derive(Clone)]
pub(crate) struct Covered(Vec<bool>);

impl Covered {
    pub(crate) fn none(purchases: usize) -> Self {
        Self(vec![false; purchases])
    }

    pub(crate) fn has(&self, purchase: usize) -> bool {
        self.0[purchase]
    }

    pub(crate) fn add(&mut self, purchase: usize) {
        self.0[purchase] = true;
    }
}

/// `1` when any offered product was bought: `[B ∩ U ≠ ∅]`.
pub fn hit_rate_at_3(week: &Week, row: &CustomerWeek, slate: &Slate) -> f64 {
    f64::from(offers(slate).any(|offer| is_hit(week, row, offer)))
}

/// The share of three places that hit: `|{k : B ∩ E(oₖ) ≠ ∅}| / 3`; an empty place is a miss.
pub fn precision_at_3(week: &Week, row: &CustomerWeek, slate: &Slate) -> f64 {
    let hits = offers(slate).filter(|&offer| is_hit(week, row, offer)).count();
    hits as f64 / SLATE_LEN as f64
}

/// Discounted gain by spend over the ideal's: `min(1, Σₖ gₖ / log2(k + 1) ÷ ideal)`.
///
/// `gₖ = Σ s(p)` over `p ∈ B ∩ E(oₖ)` that no earlier offer of the slate covers. The ideal is the
/// same sum for the slate that takes, three times, the scope's candidate with the largest such
/// gain (ties: lowest index). Greedy is not always the optimum of overlapping sets, hence the
/// `min`. `0` when nothing eligible was bought.
///
/// `ideal_minor` is that ideal, minor units.
pub fn ndcg_at_3(week: &Week, row: &CustomerWeek, slate: &Slate, ideal_minor: f64) -> f64 {
    if ideal_minor <= 0.0 {
        return 0.0;
    }
    let mut covered = Covered::none(row.purchases.len());
    let mut gain = 0.0;
    for (offer, discount) in offers(slate).zip(DISCOUNTS) {
        gain += newly_covered_minor(week, row, offer, &mut covered) as f64 * discount;
    }
    (gain / ideal_minor).min(1.0)
}

/// Spend on offered products, each once: `Σ s(p)` over `p ∈ B ∩ U`, minor units.
pub fn spend_captured_minor(week: &Week, row: &CustomerWeek, slate: &Slate) -> i64 {
    let mut covered = Covered::none(row.purchases.len());
    offers(slate).map(|offer| newly_covered_minor(week, row, offer, &mut covered)).sum()
}

/// `1` when an offered product was bought for the first time: `[(B ∩ U) ∖ H ≠ ∅]`.
pub fn discovery_hit_rate_at_3(week: &Week, row: &CustomerWeek, slate: &Slate) -> f64 {
    f64::from(
        row.purchases.iter().any(|purchase| {
            is_new(row, purchase.product) && is_offered(week, slate, purchase.product)
        }),
    )
}

/// Spend on offered products bought for the first time: `Σ s(p)` over `p ∈ (B ∩ U) ∖ H`, minor
/// units.
pub fn discovery_spend_minor(week: &Week, row: &CustomerWeek, slate: &Slate) -> i64 {
    row.purchases
        .iter()
        .filter(|purchase| is_new(row, purchase.product))
        .filter(|purchase| is_offered(week, slate, purchase.product))
        .map(|purchase| purchase.spend_minor)
        .sum()
}

/// Promotions of the slate that a mailed household redeemed in the week; `0` when not mailed.
pub fn redemptions_caught(row: &CustomerWeek, slate: &Slate) -> u32 {
    row.redeemed
        .as_ref()
        .map_or(0, |redeemed| offers(slate).map(|offer| u32::from(redeemed.contains(&offer))).sum())
}

/// Offers that are new to the customer: `|{k : E(oₖ) ∩ H = ∅}|`.
pub fn new_product_offers(week: &Week, row: &CustomerWeek, slate: &Slate) -> u32 {
    offers(slate).map(|offer| u32::from(disjoint(eligible(week, offer), &row.bought_before))).sum()
}

/// The filled places of a slate, best first.
pub(crate) fn offers(slate: &Slate) -> impl Iterator<Item = u32> + '_ {
    slate.iter().copied().flatten()
}

fn eligible(week: &Week, promotion: u32) -> &[u32] {
    &week.promotions[promotion as usize].products
}

fn is_hit(week: &Week, row: &CustomerWeek, promotion: u32) -> bool {
    let products = eligible(week, promotion);
    row.purchases.iter().any(|purchase| products.binary_search(&purchase.product).is_ok())
}

fn is_offered(week: &Week, slate: &Slate, product: u32) -> bool {
    offers(slate).any(|offer| eligible(week, offer).binary_search(&product).is_ok())
}

fn is_new(row: &CustomerWeek, product: u32) -> bool {
    row.bought_before.binary_search(&product).is_err()
}

fn newly_covered_minor(
    week: &Week,
    row: &CustomerWeek,
    promotion: u32,
    covered: &mut Covered,
) -> i64 {
    let products = eligible(week, promotion);
    let mut spend_minor = 0;
    for (at, purchase) in row.purchases.iter().enumerate() {
        if !covered.has(at) && products.binary_search(&purchase.product).is_ok() {
            covered.add(at);
            spend_minor += purchase.spend_minor;
        }
    }
    spend_minor
}

fn disjoint(a: &[u32], b: &[u32]) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    short.iter().all(|product| long.binary_search(product).is_err())
}
