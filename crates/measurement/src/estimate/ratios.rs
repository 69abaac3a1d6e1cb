//! How large is a ratio of two numbers of the same units, and how much larger is it in one group?
//!
//! Revenue per order, redeemed per issued: units were assigned, not orders, so that the variance is taken
//! over units by the delta method (Deng, Knoblich and Lu 2018, doi:10.1145/3219819.3219919).

use super::arm::{self, Arm};
use super::{Estimate, Method, Refusal};
use crate::moments::PairMoments;

/// The ratio of two means of the same units, `second / first`, by the delta method.
pub fn ratio(units: &PairMoments, level: f64) -> Result<Estimate, Refusal> {
    let arm = ratio_arm(units)?;
    arm::interval(arm.value, arm.variance, arm.dof, level, None, Method::RatioDelta)
}

/// The relative difference of two means of the same units, `second / first − 1`, by the delta method.
pub fn paired_relative_difference(units: &PairMoments, level: f64) -> Result<Estimate, Refusal> {
    let arm = ratio_arm(units)?;
    let method = Method::PairedRelativeDelta;
    arm::interval(arm.value - 1.0, arm.variance, arm.dof, level, Some(0.0), method)
}

/// The difference of two groups' ratios `second / first`, `treatment − control`.
pub fn difference_of_ratios(
    treatment: &PairMoments,
    control: &PairMoments,
    level: f64,
) -> Result<Estimate, Refusal> {
    let (control, treatment) = (ratio_arm(control)?, ratio_arm(treatment)?);
    arm::difference(&treatment, &control, level, Method::RatioDifference)
}

/// The relative difference of two groups' ratios `second / first`, `treatment / control − 1`.
pub fn relative_difference_of_ratios(
    treatment: &PairMoments,
    control: &PairMoments,
    level: f64,
) -> Result<Estimate, Refusal> {
    let (control, treatment) = (ratio_arm(control)?, ratio_arm(treatment)?);
    arm::relative(&treatment, &control, level, Method::RelativeRatioDelta)
}

/// `Var(M / D) = (Var M + R² Var D − 2 R Cov) / D²`, all per unit and divided by their number.
fn ratio_arm(units: &PairMoments) -> Result<Arm, Refusal> {
    let below = arm::mean_variance(units.first())?;
    let above = arm::mean_variance(units.second())?;
    let count = units.first().count() as f64;
    let covariance = units.covariance().ok_or(Refusal::TooFewUnits)? / count;
    let base = arm::base_of(units.first().mean(), below)?;
    let ratio = units.second().mean() / base;
    let variance =
        (above + ratio * ratio * below - 2.0 * ratio * covariance).max(0.0) / (base * base);
    Ok(Arm::plain(ratio, variance, count - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::LEVEL;

    fn units(of: impl Fn(f64) -> (f64, f64)) -> PairMoments {
        (0..400).map(|n| of(f64::from(n))).collect()
    }

    #[test]
    fn what_cannot_be_said_is_refused_by_reason() {
        let fine = units(|n| (1.0 + n % 3.0, n % 7.0));
        let check = |pairs: &PairMoments, expect: Refusal| {
            assert_eq!(ratio(pairs, LEVEL).err(), Some(expect));
            assert_eq!(difference_of_ratios(pairs, &fine, LEVEL).err(), Some(expect));
            assert_eq!(relative_difference_of_ratios(&fine, pairs, LEVEL).err(), Some(expect));
        };
        check(&PairMoments::default(), Refusal::EmptyArm);
        check(&units(|n| (n % 2.0 - 0.5, 1.0)), Refusal::BaseNearZero);
        check(&units(|_| (0.0, 0.0)), Refusal::BaseNearZero);
        let same = units(|n| (1.0 + n, 1.0 + n));
        assert_eq!(paired_relative_difference(&same, LEVEL).err(), Some(Refusal::NoVariance));
        assert_eq!(difference_of_ratios(&same, &same, LEVEL).err(), Some(Refusal::NoVariance));
        let nothing = units(|n| (1.0 + n % 3.0, 0.0));
        assert_eq!(difference_of_ratios(&nothing, &nothing, LEVEL).err(), Some(Refusal::AllZero));
    }

    #[test]
    fn a_ratio_is_no_difference() {
        let (a, b) = (units(|n| (1.0 + n % 3.0, n % 7.0)), units(|n| (1.0 + n % 3.0, n % 5.0)));
        assert_eq!(ratio(&a, LEVEL).unwrap().p_value, None);
        let difference = difference_of_ratios(&a, &b, LEVEL).unwrap();
        assert!(difference.p_value.unwrap() < 0.001);
        assert_eq!(difference.total(10), Err(Refusal::NoTotal));
    }
}
