//! How many minor units is a pair worth on its route?

use crate::Route;

/// What the models predict for a customer and a promotion over the promotion's week.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Prediction {
    /// Expected spend on eligible products, minor units.
    pub spend_minor: f64,
    /// How likely purchases are.
    pub rates: Rates,
}

/// How likely a customer buys into a promotion in its week.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Rates {
    /// Probability of buying any eligible product.
    pub response_rate: f64,
    /// Probability of buying an eligible product never bought before.
    pub discovery_rate: f64,
}

/// What is known of a promotion without knowing the customer.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Base {
    /// Share of active customers that buy into it in a week.
    pub buyer_rate: f64,
    /// Mean spend of a buyer on eligible products in a week, minor units.
    pub spend_per_buyer_minor: f64,
    /// What one redemption costs, minor units.
    pub discount_minor: f64,
    /// Margin over what its products cost, before any offer.
    pub margin_rate: f64,
}

/// The value of a pair: what allocation maximises, what it may cost, how likely it is.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Value {
    /// Order value, or what an offer brings, which may be a loss; minor units.
    pub value_minor: f64,
    /// Expected discount given, minor units.
    pub expected_cost_minor: f64,
    /// Expected loss of margin, at least 0: the discount given, less the margin on purchases that it brings;
    /// minor units.
    pub margin_loss_minor: f64,
    /// Probability of buying into the promotion in its week.
    pub response_rate: f64,
    /// Probability of buying an eligible product never bought before.
    pub discovery_rate: f64,
}

/// How much more (above 1) or less (below 1) a customer visited a promotion's categories than an even
/// spread over all categories would have it; 1 when nothing was browsed.
///
/// `visits` and `visits_total` are half-life-decayed visits of the customer to the promotion's
/// categories and to all; `share` is the even share, promotion's categories over all categories.
pub fn visit_index(visits: f64, visits_total: f64, share: f64) -> f64 {
    /// Visits it takes before browsing outweighs the even spread.
    const PRIOR_VISITS: f64 = 1.0;
    if visits_total <= 0.0 || share <= 0.0 {
        return 1.0;
    }
    ((visits + PRIOR_VISITS * share) / (visits_total + PRIOR_VISITS)) / share
}

/// What is expected of an offer, by the answers to earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Brought {
    /// Probability that the offer is used.
    pub use_rate: f64,
    /// Purchases of eligible products that would not have been made without it.
    pub extra: f64,
}

/// What is worth something beside the spend itself.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Bonus {
    /// Worth of a customer who buys into the offer at all, minor units per expected response.
    pub response_minor: f64,
    /// Worth of a product found that the customer never bought, minor units per expected discovery.
    pub discovery_minor: f64,
    /// How much recent category visits move the model's value, 0 (not) to 1 (in proportion).
    pub visit_weight: f64,
}

/// The spend behind one expected response, minor units: the median over promotions of
/// `Σ spend / Σ response`, so that a few broad promotions do not set the scale; 0 without any.
///
/// `sums` has `(Σ predicted spend, Σ predicted response)` of each promotion.
pub fn spend_per_response_minor(sums: &[(f64, f64)]) -> f64 {
    let mut ratios: Vec<f64> = sums
        .iter()
        .filter(|(_, response)| *response > 0.0)
        .map(|(spend, response)| spend / response)
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(0.0)
}

/// The value of a pair on its route.
///
/// * [`Route::Model`]: the predicted spend, plus the bonuses for response and discovery.
/// * [`Route::Popular`]: what an average customer spends.
/// * [`Route::Browsing`]: the same, moved by the visit index.
/// * [`Route::Blend`]: the model's value times `index^visit_weight`, so that a weight of 0 leaves the
///   model alone and an index of 1 (no browsing of note) does as well.
///
/// What the offer brings is not known here: all its uses count as purchases that would be made without it, and lose
/// their discount.
pub fn worth(
    route: Route,
    prediction: &Prediction,
    base: &Base,
    index: f64,
    bonus: &Bonus,
) -> Value {
    let average = base.buyer_rate * base.spend_per_buyer_minor;
    let (factor, from_model) = match route {
        Route::Model => (1.0, true),
        Route::Popular => (1.0, false),
        Route::Browsing => (index, false),
        Route::Blend => (index.powf(bonus.visit_weight), true),
    };
    let (value, response) = if from_model {
        let value = prediction.spend_minor
            + bonus.response_minor * prediction.rates.response_rate
            + bonus.discovery_minor * prediction.rates.discovery_rate;
        (value, prediction.rates.response_rate)
    } else {
        (average, base.buyer_rate)
    };
    let response_rate = (response * factor).clamp(0.0, 1.0);
    let cost_minor = response_rate * base.discount_minor.max(0.0);
    Value {
        value_minor: (value * factor).max(0.0),
        expected_cost_minor: cost_minor,
        margin_loss_minor: cost_minor,
        response_rate,
        discovery_rate: prediction.rates.discovery_rate.clamp(0.0, 1.0),
    }
}

/// The value of what an offer brings: the margin on extra purchases of what a buyer of the promotion spends, with the
/// bonuses for a response and, as often as such a purchase is of a product never bought, for a discovery; less what
/// the uses of the offer cost, those by who would have bought anyway with them. Below zero the offer loses.
///
/// The response rate is that of purchases with the offer. What it costs is what its uses cost; of margin it loses
/// what the extra purchases do not bring in again, and nothing where they bring more.
pub fn incremental(rates: &Rates, brought: &Brought, base: &Base, bonus: &Bonus) -> Value {
    let extra = brought.extra.max(0.0);
    let new_share = if rates.response_rate > 0.0 {
        (rates.discovery_rate / rates.response_rate).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let margin_minor = base.margin_rate * base.spend_per_buyer_minor.max(0.0);
    let each = margin_minor + bonus.response_minor + bonus.discovery_minor * new_share;
    let cost_minor = brought.use_rate.clamp(0.0, 1.0) * base.discount_minor.max(0.0);
    Value {
        value_minor: extra * each - cost_minor,
        expected_cost_minor: cost_minor,
        margin_loss_minor: (cost_minor - extra * margin_minor).max(0.0),
        response_rate: (rates.response_rate + extra).clamp(0.0, 1.0),
        discovery_rate: (rates.discovery_rate + extra * new_share).clamp(0.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_worth_what_it_brings() {
        let bonus = Bonus { response_minor: 10.0, discovery_minor: 50.0, visit_weight: 0.5 };
        let check = |brought: Brought, expect: (f64, f64, f64, f64, f64)| {
            let value = incremental(&RATES, &brought, &BASE, &bonus);
            let found = [
                (value.value_minor, expect.0),
                (value.expected_cost_minor, expect.1),
                (value.response_rate, expect.2),
                (value.discovery_rate, expect.3),
                (value.margin_loss_minor, expect.4),
            ];
            for (found, expect) in found {
                assert!((found - expect).abs() < 1e-9, "{brought:?}: {value:?}");
            }
        };
        // Each extra purchase: 300 spent at a margin of 0.4, 10 for the response, a fifth of them discoveries
        // at 50; and each use costs 100. The margin on the extra purchases is more than that.
        check(Brought { use_rate: 0.05, extra: 0.1 }, (9.0, 5.0, 0.6, 0.12, 0.0));
        // It is less: 20 in discounts for 12 of margin. What responses and discoveries are worth is no margin.
        check(Brought { use_rate: 0.2, extra: 0.1 }, (-6.0, 20.0, 0.6, 0.12, 8.0));
        // Used and bringing nothing: a loss.
        check(Brought { use_rate: 0.2, extra: 0.0 }, (-20.0, 20.0, 0.5, 0.1, 20.0));
        check(Brought { use_rate: 0.0, extra: -1.0 }, (0.0, 0.0, 0.5, 0.1, 0.0));
    }

    const RATES: Rates = Rates { response_rate: 0.5, discovery_rate: 0.1 };
    const PREDICTION: Prediction = Prediction { spend_minor: 200.0, rates: RATES };
    const BASE: Base = Base {
        buyer_rate: 0.2,
        spend_per_buyer_minor: 300.0,
        discount_minor: 100.0,
        margin_rate: 0.4,
    };

    #[test]
    fn values_by_route() {
        let check = |route, index, expect: (f64, f64)| {
            let bonus = Bonus { response_minor: 10.0, discovery_minor: 50.0, visit_weight: 0.5 };
            let value = worth(route, &PREDICTION, &BASE, index, &bonus);
            assert!((value.value_minor - expect.0).abs() < 1e-9, "{route:?}: {value:?}");
            assert!((value.expected_cost_minor - expect.1).abs() < 1e-9, "{route:?}: {value:?}");
            assert_eq!(value.margin_loss_minor, value.expected_cost_minor, "{route:?}");
        };
        check(Route::Model, 9.0, (210.0, 50.0));
        check(Route::Popular, 9.0, (60.0, 20.0));
        check(Route::Browsing, 2.0, (120.0, 40.0));
        check(Route::Blend, 1.0, (210.0, 50.0));
        check(Route::Blend, 4.0, (420.0, 100.0));
    }

    #[test]
    fn the_scale_is_the_median_promotion() {
        assert_eq!(
            spend_per_response_minor(&[(300.0, 1.0), (0.0, 0.0), (9000.0, 3.0), (500.0, 2.0)]),
            300.0
        );
        assert_eq!(spend_per_response_minor(&[]), 0.0);
    }

    #[test]
    fn the_visit_index_is_one_without_browsing_and_grows_with_visits() {
        assert_eq!(visit_index(0.0, 0.0, 0.1), 1.0);
        assert!(visit_index(5.0, 5.0, 0.1) > visit_index(1.0, 5.0, 0.1));
        assert!(visit_index(0.0, 5.0, 0.1) < 1.0);
        // Browsing in just the even shares says nothing.
        assert!((visit_index(0.5, 5.0, 0.1) - 1.0).abs() < 1e-12);
    }
}
