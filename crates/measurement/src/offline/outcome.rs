//! What does one customer-week add to an engine's sums?

use super::index::ProductIndex;
use super::metrics::{
    Metric, discovery_hit_rate_at_3, discovery_spend_minor, hit_rate_at_3, ndcg_at_3,
    new_product_offers, offers, precision_at_3, redemptions_caught, spend_captured_minor,
};
use super::week::{CustomerWeek, Slate, Week};

/// Everything of an engine that can be added up: all metrics but coverage are ratios of these.
pub(crate) const COLUMNS: usize = 10;

/// Column of the customer-weeks that bought.
pub(crate) const BOUGHT: usize = 8;

/// Column of the offers made.
const OFFERS: usize = 9;

/// Sums over customer-weeks: numerators in the order of [`Metric::ALL`] without coverage, then
/// the denominators [`BOUGHT`] and offers.
pub(crate) type Sums = [f64; COLUMNS];

/// The sums of one customer-week.
pub(crate) fn outcome(week: &Week, row: &CustomerWeek, slate: &Slate, ideal_minor: f64) -> Sums {
    let mut sums = [0.0; COLUMNS];
    sums[Metric::RedemptionsCaught as usize] = f64::from(redemptions_caught(row, slate));
    sums[Metric::NewProductOfferShare as usize] = f64::from(new_product_offers(week, row, slate));
    sums[OFFERS] = offers(slate).count() as f64;
    if row.purchases.is_empty() {
        return sums;
    }
    sums[BOUGHT] = 1.0;
    sums[Metric::HitRateAt3 as usize] = hit_rate_at_3(week, row, slate);
    sums[Metric::PrecisionAt3 as usize] = precision_at_3(week, row, slate);
    sums[Metric::NdcgAt3 as usize] = ndcg_at_3(week, row, slate, ideal_minor);
    sums[Metric::SpendCapturedMinor as usize] = spend_captured_minor(week, row, slate) as f64;
    sums[Metric::DiscoveryHitRateAt3 as usize] = discovery_hit_rate_at_3(week, row, slate);
    sums[Metric::DiscoverySpendMinor as usize] = discovery_spend_minor(week, row, slate) as f64;
    sums
}

/// The ideal gains of a week's customers, minor units.
pub(crate) fn ideals(week: &Week, index: &ProductIndex) -> Vec<f64> {
    week.customers.iter().map(|row| index.ideal_gain(row)).collect()
}

/// Adds `sums × weight` to `total`.
pub(crate) fn add(total: &mut Sums, sums: &Sums, weight: f64) {
    for (total, sum) in total.iter_mut().zip(sums) {
        *total += sum * weight;
    }
}

/// The value of a metric from its sums; coverage comes from elsewhere.
///
/// A ratio over nothing is `0`.
pub(crate) fn value(sums: &Sums, metric: Metric, coverage: f64) -> f64 {
    match metric {
        Metric::RedemptionsCaught => sums[metric as usize],
        Metric::NewProductOfferShare => ratio(sums[metric as usize], sums[OFFERS]),
        Metric::Coverage => coverage,
        _ => ratio(sums[metric as usize], sums[BOUGHT]),
    }
}

/// `numerator / denominator`, `0` over nothing.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 { numerator / denominator } else { 0.0 }
}
