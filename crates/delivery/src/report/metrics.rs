//! What does a metric's name mean to a reader?

use crate::format::Unit;

/// A metric of the backtest, for people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MetricWords {
    /// The name in tables and JSON.
    pub(crate) name: &'static str,
    /// The name on the page.
    pub(crate) label: &'static str,
    /// What it measures.
    pub(crate) unit: Unit,
    /// What it counts, one sentence.
    pub(crate) meaning: &'static str,
    /// True when differences in it are drawn, not only listed.
    pub(crate) is_headline: bool,
}

const fn metric(
    name: &'static str,
    label: &'static str,
    unit: Unit,
    is_headline: bool,
    meaning: &'static str,
) -> MetricWords {
    MetricWords { name, label, unit, meaning, is_headline }
}

/// The metrics of `measurement::offline`, in order of display.
pub(crate) const METRICS: &[MetricWords] = &[
    metric(
        "hit_rate_at_3",
        "Hit rate",
        Unit::Rate,
        true,
        "Share of the week's buyers who bought a product of one of their three offers.",
    ),
    metric(
        "precision_at_3",
        "Precision",
        Unit::Rate,
        false,
        "Share of offers whose products were bought in the week.",
    ),
    metric(
        "ndcg_at_3",
        "NDCG by spend",
        Unit::Number,
        false,
        "Whether the offers with the most spend stand first; 1 is the best possible order.",
    ),
    metric(
        "spend_captured_minor",
        "Spend captured",
        Unit::Money,
        true,
        "Spend on offered products, each product counted once.",
    ),
    metric(
        "discovery_hit_rate_at_3",
        "Discovery hit rate",
        Unit::Rate,
        true,
        "Share of the week's buyers who bought an offered product that they had never bought before.",
    ),
    metric(
        "discovery_spend_minor",
        "Discovery spend",
        Unit::Money,
        false,
        "Spend on offered products that the customer had never bought before.",
    ),
    metric(
        "redemptions_caught",
        "Redemptions caught",
        Unit::Rate,
        false,
        "Share of coupon redemptions of mailed customers that were among their offers.",
    ),
    metric(
        "new_product_offer_share",
        "Offers on new products",
        Unit::Rate,
        false,
        "Share of offers on products that the customer had never bought; easily raised, so never a goal.",
    ),
    metric(
        "coverage",
        "Coverage",
        Unit::Rate,
        false,
        "Share of the promotions to choose from that went to somebody.",
    ),
];

/// Label, unit and rank of a metric by name; unknown ones come last, in their own words.
pub(crate) fn words(name: &str) -> (String, Unit, usize) {
    METRICS
        .iter()
        .position(|metric| metric.name == name)
        .and_then(|rank| METRICS.get(rank).map(|m| (m.label.to_owned(), m.unit, rank)))
        .unwrap_or_else(|| {
            let unit = if name.ends_with("_minor") {
                Unit::Money
            } else if name.ends_with("_rate") || name.ends_with("_share") {
                Unit::Rate
            } else {
                Unit::Number
            };
            (super::page::spoken(name), unit, METRICS.len())
        })
}
