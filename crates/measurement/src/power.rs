//! How small an effect can a campaign show, and how many customers does it take to show one?
//!
//! Answered before the campaign, from what the shop's own customers spent in weeks like its weeks: the error
//! of the difference follows from the spread of spend, the customers and the holdout, before anybody is sent
//! anything (Bloom 1995, doi:10.1177/0193841X9501900504).

use serde::Serialize;

use crate::estimate::{Refusal, UNITS_MIN};
use crate::moments::PairMoments;
use crate::normal;

/// The power that campaigns are planned for unless somebody asks for another.
pub const POWER: f64 = 0.8;

/// How an experiment is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// Share of the customers in the holdout, between 0 and 1.
    pub holdout: f64,
    /// The level of the interval, two-sided.
    pub level: f64,
    /// The chance to find the effect when it is there, at least one half.
    pub power: f64,
}

/// The smallest effect that is found as often as the design's power says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Detectable {
    /// Per customer, in the outcome's unit.
    pub absolute: f64,
    /// Relative to the outcome's mean; `None` when that is not above zero.
    pub relative: Option<f64>,
}

/// What a design can show, with the plain difference and with the one that earlier spend is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Power {
    /// By the difference of means.
    pub plain: Detectable,
    /// By the difference less what earlier spend explains.
    pub adjusted: Detectable,
    /// Share of the outcome's variance that earlier spend explains.
    pub explained: f64,
}

/// The smallest effects that so many customers can show. `spend` is of the shop's own customers: what they
/// spent before, and then over as many weeks as the campaign is to run.
///
/// # Errors
/// `TooFewUnits` when the holdout or the rest has fewer than [`UNITS_MIN`] customers, or too few were
/// looked at; `NoVariance`; `NoLevel` when level or power is none.
pub fn detectable(spend: &PairMoments, customers: u64, design: &Design) -> Result<Power, Refusal> {
    let (variance, explained) = spread(spend)?;
    let [held_out, treated] = sizes(customers, design)?;
    let reach = reach(design)? * (1.0 / held_out + 1.0 / treated).sqrt();
    let of = |left: f64| {
        let absolute = reach * (variance * left).sqrt();
        let mean = spend.second().mean();
        Detectable { absolute, relative: (mean > 0.0).then(|| absolute / mean) }
    };
    Ok(Power { plain: of(1.0), adjusted: of(1.0 - explained), explained })
}

/// How many customers, treated and held out together, it takes to show an effect per customer: with the plain
/// difference, and with the one that earlier spend is taken off.
///
/// # Errors
/// As for [`detectable`]; `NotFinite` when the effect is not above zero.
pub fn customers_needed(
    spend: &PairMoments,
    effect: f64,
    design: &Design,
) -> Result<[u64; 2], Refusal> {
    let (variance, explained) = spread(spend)?;
    if !(effect > 0.0 && effect.is_finite()) {
        return Err(Refusal::NotFinite);
    }
    let errors = reach(design)? / effect;
    let per_customer = 1.0 / design.holdout + 1.0 / (1.0 - design.holdout);
    let smaller = design.holdout.min(1.0 - design.holdout);
    let least = (UNITS_MIN as f64 / smaller).ceil();
    let of =
        |left: f64| (errors * errors * variance * left * per_customer).ceil().max(least) as u64;
    Ok([of(1.0), of(1.0 - explained)])
}

/// The outcome's variance, and the share of it that earlier spend explains.
fn spread(spend: &PairMoments) -> Result<(f64, f64), Refusal> {
    let (before, during) = (spend.first(), spend.second());
    if during.count() < UNITS_MIN {
        return Err(Refusal::TooFewUnits);
    }
    let variance = during.variance().ok_or(Refusal::TooFewUnits)?;
    let variance_before = before.variance().ok_or(Refusal::TooFewUnits)?;
    let covariance = spend.covariance().ok_or(Refusal::TooFewUnits)?;
    if variance <= 0.0 {
        return Err(Refusal::NoVariance);
    }
    let shared = covariance * covariance;
    let explained =
        if variance_before > 0.0 { (shared / (variance * variance_before)).min(1.0) } else { 0.0 };
    if variance.is_finite() && explained.is_finite() {
        Ok((variance, explained))
    } else {
        Err(Refusal::NotFinite)
    }
}

/// Customers held out and treated.
fn sizes(customers: u64, design: &Design) -> Result<[f64; 2], Refusal> {
    let sizes = [design.holdout, 1.0 - design.holdout].map(|share| customers as f64 * share);
    let enough = sizes.iter().all(|&size| size >= UNITS_MIN as f64);
    if enough { Ok(sizes) } else { Err(Refusal::TooFewUnits) }
}

/// How many standard errors an effect must be for its interval to lie above zero as often as asked.
fn reach(design: &Design) -> Result<f64, Refusal> {
    let level = design.level > 0.0 && design.level < 1.0;
    let power = (0.5..1.0).contains(&design.power);
    let holdout = design.holdout > 0.0 && design.holdout < 1.0;
    if !holdout {
        return Err(Refusal::EmptyArm);
    }
    if !(level && power) {
        return Err(Refusal::NoLevel);
    }
    Ok(normal::quantile(0.5 + design.level / 2.0) + normal::quantile(design.power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::{LEVEL, adjusted, difference};
    use crate::moments::Moments;
    use crate::sums::Sums;

    const DESIGN: Design = Design { holdout: 0.05, level: LEVEL, power: POWER };

    /// Moments of spend with this mean, standard deviation and share explained.
    fn spend(mean: f64, deviation: f64, explained: f64) -> PairMoments {
        let count = 1_000_000;
        let m2 = deviation * deviation * (count - 1) as f64;
        let one = Moments::from_parts(count, mean, m2);
        PairMoments::from_parts(one, one, m2 * f64::sqrt(explained))
    }

    #[test]
    fn effects_of_a_large_shop_are_those_worked_out_by_hand() {
        // 5 million customers who spend 5.25 in ten weeks, give or take 33.6.
        let check = |holdout: f64, explained: f64, plain: f64, adjusted: f64| {
            let design = Design { holdout, ..DESIGN };
            let found = detectable(&spend(5.25, 33.6, explained), 5_000_000, &design).unwrap();
            assert!((found.plain.absolute - plain).abs() < 1e-3, "{found:?}");
            assert!((found.adjusted.absolute - adjusted).abs() < 1e-3, "{found:?}");
            let relative = found.plain.relative.unwrap();
            assert!((relative - found.plain.absolute / 5.25).abs() < 1e-12);
            // And back.
            for (at, effect) in [found.plain.absolute, found.adjusted.absolute].iter().enumerate() {
                let spend = spend(5.25, 33.6, explained);
                let needed = customers_needed(&spend, *effect, &design).unwrap()[at];
                assert!(needed.abs_diff(5_000_000) <= 1, "{needed}");
            }
        };
        check(0.02, 0.30, 0.3007, 0.2516);
        check(0.05, 0.77, 0.1931, 0.0926);
        check(0.10, 0.30, 0.1403, 0.1174);
    }

    #[test]
    fn what_cannot_be_said_is_refused_by_reason() {
        let fine = spend(5.0, 10.0, 0.5);
        let check = |spend: &PairMoments, customers: u64, design: Design, expect: Refusal| {
            assert_eq!(detectable(spend, customers, &design).err(), Some(expect));
        };
        check(&PairMoments::default(), 1_000, DESIGN, Refusal::TooFewUnits);
        check(&fine, 500, DESIGN, Refusal::TooFewUnits);
        check(&spend(5.0, 0.0, 0.0), 10_000, DESIGN, Refusal::NoVariance);
        check(&fine, 10_000, Design { level: 1.0, ..DESIGN }, Refusal::NoLevel);
        check(&fine, 10_000, Design { power: 0.4, ..DESIGN }, Refusal::NoLevel);
        for effect in [0.0, -1.0, f64::NAN] {
            assert_eq!(customers_needed(&fine, effect, &DESIGN), Err(Refusal::NotFinite));
        }
        for holdout in [0.0, 1.0, f64::NAN] {
            let design = Design { holdout, ..DESIGN };
            assert_eq!(customers_needed(&fine, 1.0, &design), Err(Refusal::EmptyArm));
        }
        assert_eq!(
            detectable(&spend(0.0, 1.0, 0.0), 10_000, &DESIGN).unwrap().plain.relative,
            None
        );
    }

    #[test]
    fn an_effect_as_large_is_found_as_often_as_the_power_says() {
        let mut state = 20_261_122_u64;
        let mut draw = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        // Half of the customers buy nothing; before and during share what a customer is like.
        let mut customer = || {
            let like = draw();
            let buys = if draw() < 0.5 { 0.0 } else { 1.0 };
            ((like * 1e4) as i64, (buys * (like + draw()) * 1e4) as i64)
        };
        let own: PairMoments =
            (0..20_000).map(|_| customer()).map(|(a, b)| (a as f64, b as f64)).collect();
        let design = Design { holdout: 0.3, ..DESIGN };
        let power = detectable(&own, 600, &design).unwrap();
        let (trials, mut plain, mut less) = (1_000, 0_u32, 0_u32);
        for _ in 0..trials {
            let mut groups = [Sums::new(3), Sums::new(3)];
            for at in 0..600 {
                let (before, during) = customer();
                let treated = usize::from(at >= 180);
                let more = [power.plain.absolute, power.adjusted.absolute]
                    .map(|effect| during + effect as i64 * treated as i64);
                groups[treated].add(&[before, more[0], more[1]]).unwrap();
            }
            let [control, treatment] = &groups;
            let found = difference(&treatment.moments(1), &control.moments(1), LEVEL).unwrap();
            plain += u32::from(found.low > 0.0);
            let found = adjusted(treatment, control, 2, &[0], LEVEL).unwrap().difference;
            less += u32::from(found.low > 0.0);
        }
        for found in [plain, less] {
            let share = f64::from(found) / f64::from(trials);
            assert!((share - POWER).abs() < 0.04, "{share}");
        }
        assert!(power.adjusted.absolute < power.plain.absolute);
    }
}
