//! What did each engine of a campaign bring, in truth and as a shop would measure it?

use serde::Serialize;
use tercet_measurement::estimate::{
    LEVEL, difference, paired_relative_difference, ratio, relative_difference,
};
use tercet_measurement::{Found, Moments, PairMoments};
use tercet_simulator::Outcome;

use super::campaign::Campaigned;

/// What is compared, per customer and week; usage per offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// Share of customers who order in a week.
    Conversion,
    /// Share of offers that are used.
    CouponUsage,
    /// Products bought again.
    RepeatPurchases,
    /// Products never bought before, bought with an offer.
    NewProductPurchases,
    /// Products never bought before, with an offer or without.
    FirstPurchases,
    /// Products bought for the first time while they were new in the shop.
    LaunchPurchases,
    /// What is paid, less returns; minor units.
    RevenueMinor,
    /// Margin, less what offers cost; minor units.
    MarginMinor,
}

impl Effect {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Conversion,
        Self::CouponUsage,
        Self::RepeatPurchases,
        Self::NewProductPurchases,
        Self::FirstPurchases,
        Self::LaunchPurchases,
        Self::RevenueMinor,
        Self::MarginMinor,
    ];

    /// The name in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Conversion => "conversion",
            Self::CouponUsage => "coupon usage",
            Self::RepeatPurchases => "repeat purchases",
            Self::NewProductPurchases => "new-product purchases",
            Self::FirstPurchases => "first purchases",
            Self::LaunchPurchases => "launch purchases",
            Self::RevenueMinor => "revenue",
            Self::MarginMinor => "margin",
        }
    }

    /// True when it is money.
    pub(crate) const fn is_amount(self) -> bool {
        matches!(self, Self::RevenueMinor | Self::MarginMinor)
    }

    /// The number over the weeks; `None` for usage, which is one per offer.
    pub(super) fn of(self, outcome: &Outcome) -> Option<i64> {
        match self {
            Self::Conversion => Some(i64::from(outcome.weeks_ordered)),
            Self::CouponUsage => None,
            Self::RepeatPurchases => Some(i64::from(outcome.repeats)),
            Self::NewProductPurchases => Some(i64::from(outcome.new_products)),
            Self::FirstPurchases => Some(i64::from(outcome.first_purchases)),
            Self::LaunchPurchases => Some(i64::from(outcome.launches)),
            Self::RevenueMinor => Some(outcome.revenue_minor),
            Self::MarginMinor => Some(outcome.margin_minor),
        }
    }
}

/// One effect of one engine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EffectFacts {
    /// What is measured.
    pub(crate) effect: Effect,
    /// The mean of the treated.
    pub(crate) treated: f64,
    /// The mean of the same customers in the same weeks without offers; known because the world is simulated.
    pub(crate) without_offers: Option<f64>,
    /// The difference of the two: the true effect.
    pub(crate) true_effect: Option<f64>,
    /// The same, relative to the mean without offers.
    pub(crate) true_relative: Option<f64>,
    /// What a shop would measure: treated against holdout; of usage, its level.
    pub(crate) measured: Found,
    /// The same, relative to the holdout's mean.
    pub(crate) measured_relative: Option<Found>,
    /// True when the interval of `measured` holds the true effect.
    pub(crate) interval_holds_truth: Option<bool>,
    /// How much more than under the first engine, in the copies of the same world: relative, over the
    /// customers treated in both.
    pub(crate) over_first: Option<Found>,
}

/// The effects of one engine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EngineFacts {
    /// The engine.
    pub(crate) engine: &'static str,
    /// Offers made.
    pub(crate) offers: u64,
    /// Customers who may be sent offers and are not held out.
    pub(crate) treated: usize,
    /// Customers held out.
    pub(crate) held_out: usize,
    /// What it brought.
    pub(crate) effects: Vec<EffectFacts>,
}

/// The effects of all engines.
pub(crate) fn effects(found: &Campaigned) -> Vec<EngineFacts> {
    let Some((_, first)) = found.arms.first() else { return Vec::new() };
    let held_out = found.held_out.iter().filter(|held_out| **held_out).count();
    let engine = |place: usize, (engine, outcomes): &(&'static str, Vec<Outcome>)| EngineFacts {
        engine,
        offers: outcomes.iter().map(|outcome| u64::from(outcome.offers)).sum(),
        treated: found.held_out.len() - held_out,
        held_out,
        effects: Effect::ALL
            .into_iter()
            .map(|effect| {
                let over = (place > 0).then_some(first.as_slice());
                facts(found, effect, outcomes, over)
            })
            .collect(),
    };
    found.arms.iter().enumerate().map(|(place, arm)| engine(place, arm)).collect()
}

fn facts(
    found: &Campaigned,
    effect: Effect,
    outcomes: &[Outcome],
    first: Option<&[Outcome]>,
) -> EffectFacts {
    let weeks = f64::from(found.weeks);
    let treated = || found.held_out.iter().enumerate().filter(|(_, out)| !**out).map(|(at, _)| at);
    let per_week = |outcome: &Outcome| effect.of(outcome).map(|sum| sum as f64 / weeks);
    if effect == Effect::CouponUsage {
        let own: PairMoments = treated().map(|at| offers_and_used(&outcomes[at])).collect();
        let over_first = first.map(|first| {
            let firsts: PairMoments = treated().map(|at| offers_and_used(&first[at])).collect();
            let pairs: PairMoments = treated()
                .map(|at| (linear(&firsts, &first[at]), linear(&own, &outcomes[at])))
                .collect();
            Found::from(paired_relative_difference(&pairs, LEVEL))
        });
        return EffectFacts {
            effect,
            treated: own.second().mean() / own.first().mean().max(f64::MIN_POSITIVE),
            without_offers: None,
            true_effect: None,
            true_relative: None,
            measured: ratio(&own, LEVEL).into(),
            measured_relative: None,
            interval_holds_truth: None,
            over_first,
        };
    }
    let moments = |places: &mut dyn Iterator<Item = usize>, of: &[Outcome]| -> Moments {
        places.filter_map(|at| per_week(&of[at])).collect()
    };
    let arm = moments(&mut treated(), outcomes);
    let without = moments(&mut treated(), &found.without);
    let mut control = (0..outcomes.len()).filter(|at| found.held_out[*at]);
    let control = moments(&mut control, outcomes);
    let true_effect = arm.mean() - without.mean();
    let measured = difference(&arm, &control, LEVEL);
    EffectFacts {
        effect,
        treated: arm.mean(),
        without_offers: Some(without.mean()),
        true_effect: Some(true_effect),
        true_relative: (without.mean() > 0.0).then(|| true_effect / without.mean()),
        measured: measured.into(),
        measured_relative: Some(relative_difference(&arm, &control, LEVEL).into()),
        interval_holds_truth: measured
            .ok()
            .map(|measured| (measured.low..=measured.high).contains(&true_effect)),
        over_first: first.map(|first| {
            let pairs: PairMoments = treated()
                .filter_map(|at| Some((per_week(&first[at])?, per_week(&outcomes[at])?)))
                .collect();
            paired_relative_difference(&pairs, LEVEL).into()
        }),
    }
}

fn offers_and_used(outcome: &Outcome) -> (f64, f64) {
    (f64::from(outcome.offers), f64::from(outcome.redeemed))
}

/// A customer's share in a ratio of means, linear in the customer: the mean over customers is the ratio, and
/// the variance of that mean is the ratio's (the delta method, customer by customer).
fn linear(all: &PairMoments, outcome: &Outcome) -> f64 {
    let (offers, used) = offers_and_used(outcome);
    let mean = all.first().mean().max(f64::MIN_POSITIVE);
    let ratio = all.second().mean() / mean;
    ratio + (used - ratio * offers) / mean
}

#[cfg(test)]
mod tests {
    use tercet_measurement::estimate::Refusal;

    use super::*;

    /// Customers who order every other week, and under an engine with so many offers and orders more.
    fn campaigned() -> Campaigned {
        let without: Vec<Outcome> = (0..400)
            .map(|n| Outcome {
                weeks_ordered: 3 + n % 4,
                revenue_minor: 1_000 + i64::from(n % 7) * 100,
                margin_minor: 300 + i64::from(n % 7) * 30,
                ..Outcome::default()
            })
            .collect();
        let held_out: Vec<bool> = (0..400).map(|n| n % 5 == 0).collect();
        let arm = |more: u32| {
            let moved = without.iter().zip(&held_out).enumerate().map(|(n, (outcome, out))| {
                let reached = u32::from(!*out);
                Outcome {
                    offers: 30 * reached,
                    redeemed: (more + (n % 3) as u32) * reached,
                    weeks_ordered: outcome.weeks_ordered + more * reached,
                    ..*outcome
                }
            });
            moved.collect::<Vec<_>>()
        };
        Campaigned {
            weeks: 10,
            arms: vec![("legacy", arm(1)), ("tercet", arm(2))],
            held_out,
            without,
            frozen: None,
        }
    }

    #[test]
    fn truth_measure_and_lift_are_what_was_put_in() {
        let found = effects(&campaigned());
        assert_eq!((found.len(), found[0].treated, found[0].held_out), (2, 320, 80));
        let of = |engine: usize, effect: Effect| {
            found[engine].effects.iter().find(|facts| facts.effect == effect).unwrap()
        };
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        for (engine, more) in [(0, 0.1), (1, 0.2)] {
            let conversion = of(engine, Effect::Conversion);
            near(conversion.true_effect.unwrap(), more);
            assert_eq!(conversion.interval_holds_truth, Some(true));
            let Found::Estimate(measured) = conversion.measured else { panic!("{conversion:?}") };
            assert!((measured.value - more).abs() < 0.02 && measured.low < more);
            near(of(engine, Effect::RevenueMinor).true_effect.unwrap(), 0.0);
        }
        let conversion = of(1, Effect::Conversion);
        let Some(Found::Estimate(lift)) = conversion.over_first else { panic!("{conversion:?}") };
        near(
            lift.value,
            of(1, Effect::Conversion).treated / of(0, Effect::Conversion).treated - 1.0,
        );
        let usage = of(1, Effect::CouponUsage);
        near(usage.treated, usage_of(2));
        let Some(Found::Estimate(lift)) = usage.over_first else { panic!("{usage:?}") };
        near(lift.value, usage_of(2) / usage_of(1) - 1.0);
        // The same customers in both: what they share is no noise.
        assert!(lift.std_error < 0.1);
        assert!(of(0, Effect::CouponUsage).over_first.is_none());
        // Nobody buys anything new: that is said, not divided by.
        let new = of(1, Effect::NewProductPurchases);
        assert_eq!(new.measured, Found::Refused { refused: Refusal::AllZero });
        assert_eq!(new.over_first, Some(Found::Refused { refused: Refusal::BaseNearZero }));
    }

    /// Usage of the treated, whose places leave out every fifth.
    fn usage_of(more: u32) -> f64 {
        let used = (0..400).filter(|n| n % 5 != 0).map(|n| f64::from(more + n % 3));
        used.sum::<f64>() / (30.0 * 320.0)
    }
}
