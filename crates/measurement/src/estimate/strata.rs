//! How large is the difference when customers are compared with their like?

use super::arm::{self, Arm};
use super::{Estimate, Method, Refusal};
use crate::moments::Moments;

/// A part of the customers, told apart by what was known before assignment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stratum {
    /// Its treated units.
    pub treatment: Moments,
    /// Its units in control.
    pub control: Moments,
    /// Its units in the population that the estimate speaks of; only their proportions count.
    pub weight: f64,
}

/// The difference of means within strata, weighted by their share of the population (post-stratification:
/// Miratrix, Sekhon and Yu 2013, doi:10.1111/j.1467-9868.2012.01048.x).
///
/// # Errors
/// `NoWeights` without strata, or where a weight is not positive; every stratum needs enough units in both
/// groups.
pub fn stratified_difference(strata: &[Stratum], level: f64) -> Result<Estimate, Refusal> {
    let (treatment, control) = arms(strata)?;
    arm::difference(&treatment, &control, level, Method::StratifiedDifference)
}

/// The same, relative to the weighted mean of the control.
///
/// # Errors
/// As for [`stratified_difference`], and `BaseNearZero`.
pub fn relative_stratified_difference(strata: &[Stratum], level: f64) -> Result<Estimate, Refusal> {
    let (treatment, control) = arms(strata)?;
    arm::relative(&treatment, &control, level, Method::RelativeStratifiedDelta)
}

fn arms(strata: &[Stratum]) -> Result<(Arm, Arm), Refusal> {
    let total: f64 = strata.iter().map(|stratum| stratum.weight).sum();
    let weighed = strata.iter().all(|stratum| stratum.weight > 0.0) && total.is_finite();
    if strata.is_empty() || !weighed {
        return Err(Refusal::NoWeights);
    }
    let arm = |group: fn(&Stratum) -> &Moments| -> Result<Arm, Refusal> {
        let (mut value, mut variance, mut spread) = (0.0, 0.0, 0.0);
        for stratum in strata {
            let share = stratum.weight / total;
            let part = Arm::mean(group(stratum))?;
            let of_variance = share * share * part.variance;
            value += share * part.value;
            variance += of_variance;
            spread += of_variance * of_variance / part.dof;
        }
        // Satterthwaite: a variance that nothing adds to has no degrees of freedom and counts for none.
        let dof = if spread > 0.0 { variance * variance / spread } else { f64::INFINITY };
        Ok(Arm::plain(value, variance, dof))
    };
    Ok((arm(|stratum| &stratum.treatment)?, arm(|stratum| &stratum.control)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::{LEVEL, difference, relative_difference};

    fn group(units: u32, base: f64) -> Moments {
        (0..units).map(|n| base + f64::from(n % 7)).collect()
    }

    #[test]
    fn one_stratum_is_the_plain_difference() {
        let (treatment, control) = (group(90, 5.0), group(60, 4.0));
        let strata = [Stratum { treatment, control, weight: 7.0 }];
        let close = |found: Estimate, plain: Estimate| {
            let off = |a: f64, b: f64| (a - b).abs() < 1e-12;
            assert!(off(found.value, plain.value) && off(found.low, plain.low), "{found:?}");
            assert!((found.dof - plain.dof).abs() < 1e-9);
        };
        let plain = difference(&treatment, &control, LEVEL).unwrap();
        close(stratified_difference(&strata, LEVEL).unwrap(), plain);
        let plain = relative_difference(&treatment, &control, LEVEL).unwrap();
        close(relative_stratified_difference(&strata, LEVEL).unwrap(), plain);
    }

    #[test]
    fn strata_undo_an_unlucky_mix() {
        // The treated happen to be of the large spenders' stratum more often; within strata nothing differs.
        let strata = [
            Stratum { treatment: group(70, 0.0), control: group(140, 0.0), weight: 1.0 },
            Stratum { treatment: group(140, 50.0), control: group(70, 50.0), weight: 1.0 },
        ];
        let found = stratified_difference(&strata, LEVEL).unwrap();
        assert!(found.value.abs() < 1e-9 && found.low > -1.0 && found.high < 1.0, "{found:?}");
        // Weights speak of another population; what they add up to says nothing.
        let twice = strata.map(|stratum| Stratum { weight: 2.0 * stratum.weight, ..stratum });
        assert_eq!(stratified_difference(&twice, LEVEL), Ok(found));
    }

    #[test]
    fn what_cannot_be_said_is_refused_by_reason() {
        let fine = Stratum { treatment: group(90, 5.0), control: group(60, 4.0), weight: 1.0 };
        let check = |strata: &[Stratum], expect: Refusal| {
            assert_eq!(stratified_difference(strata, LEVEL).err(), Some(expect));
            assert_eq!(relative_stratified_difference(strata, LEVEL).err(), Some(expect));
        };
        check(&[], Refusal::NoWeights);
        for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            check(&[fine, Stratum { weight, ..fine }], Refusal::NoWeights);
        }
        check(&[fine, Stratum { control: Moments::default(), ..fine }], Refusal::EmptyArm);
        check(&[fine, Stratum { control: group(9, 1.0), ..fine }], Refusal::TooFewUnits);
    }
}
