//! How large is the difference, less what was known of the units before?
//!
//! What a customer spent before the first offer explains much of what the customer spends after, and offers
//! cannot have moved it: taken off, the same difference is known more surely.

use super::arm::{self, Arm};
use super::least_squares::Spread;
use super::{Estimate, Method, Refusal};
use crate::sums::Sums;

/// A difference less what covariates explain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adjusted {
    /// The difference.
    pub difference: Estimate,
    /// The difference relative to the control, or why there is none.
    pub relative: Result<Estimate, Refusal>,
    /// Share of the variance of the plain difference that the covariates explain: at 0.75 a quarter of the
    /// units would do. Below zero when they explain nothing and cost a little.
    pub explained: f64,
}

/// Where the four numbers of a ratio and of the same ratio in an earlier period stand in [`Sums`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatioColumns {
    /// What is divided, such as revenue.
    pub numerator: usize,
    /// What it is divided by, such as orders.
    pub denominator: usize,
    /// The numerator in the earlier period.
    pub numerator_before: usize,
    /// The denominator in the earlier period.
    pub denominator_before: usize,
}

/// The difference of means less covariates, with the slopes of all units together (CUPED: Deng, Xu, Kohavi
/// and Walker 2013, doi:10.1145/2433396.2433413); several covariates by least squares.
///
/// `outcome` and `covariates` are places in the sums.
///
/// # Errors
/// As for the difference, and `CollinearCovariates`.
pub fn adjusted(
    treatment: &Sums,
    control: &Sums,
    outcome: usize,
    covariates: &[usize],
    level: f64,
) -> Result<Adjusted, Refusal> {
    let plain = [treatment, control].map(|units| Arm::mean(&units.moments(outcome)));
    let [plain_treatment, plain_control] = [plain[0]?, plain[1]?];
    let slopes = Spread::of(&together(treatment, control)?, outcome, covariates)?.slopes()?;
    let arm = |units: &Sums, plain: Arm| -> Result<Arm, Refusal> {
        let off: f64 = slopes.iter().zip(covariates).map(|(slope, &k)| slope * units.mean(k)).sum();
        let left = Spread::of(units, outcome, covariates)?.left(&slopes);
        Ok(Arm { value: plain.value - off, variance: left / units.count() as f64, ..plain })
    };
    let arms = (arm(treatment, plain_treatment)?, arm(control, plain_control)?);
    let methods = (Method::AdjustedDifference, Method::RelativeAdjustedDelta);
    finish(arms, (plain_treatment, plain_control), level, methods)
}

/// The difference of means at the covariates' means over all units, with slopes of each group's own, which
/// never costs precision in large groups, however unequal they are (Lin 2013, doi:10.1214/12-AOAS583).
///
/// # Errors
/// As for [`adjusted`].
pub fn adjusted_by_arm(
    treatment: &Sums,
    control: &Sums,
    outcome: usize,
    covariates: &[usize],
    level: f64,
) -> Result<Adjusted, Refusal> {
    let plain = [treatment, control].map(|units| Arm::mean(&units.moments(outcome)));
    let all = together(treatment, control)?;
    let arm = |units: &Sums, plain: Arm| -> Result<Arm, Refusal> {
        let spread = Spread::of(units, outcome, covariates)?;
        let slopes = spread.slopes()?;
        let off = |(slope, &k): (&f64, &usize)| slope * (units.mean(k) - all.mean(k));
        let off: f64 = slopes.iter().zip(covariates).map(off).sum();
        // The slopes were chosen to leave little: they cost a degree of freedom each.
        let dof = plain.dof - covariates.len() as f64;
        if dof < 1.0 {
            return Err(Refusal::TooFewUnits);
        }
        let left = spread.left(&slopes) * plain.dof / dof;
        Ok(Arm::plain(plain.value - off, left / units.count() as f64, dof))
    };
    let arms = (arm(treatment, plain[0]?)?, arm(control, plain[1]?)?);
    let methods = (Method::AdjustedByArmDifference, Method::RelativeAdjustedByArmDelta);
    finish(arms, (plain[0]?, plain[1]?), level, methods)
}

/// The difference of ratios less what the ratio of an earlier period explains, its variance by the delta
/// method over the four numbers.
///
/// # Errors
/// As for the difference of ratios.
pub fn adjusted_ratio(
    treatment: &Sums,
    control: &Sums,
    columns: RatioColumns,
    level: f64,
) -> Result<Adjusted, Refusal> {
    let (of_treatment, of_control) =
        (Linear::of(treatment, columns)?, Linear::of(control, columns)?);
    // Each group counts by its units: the slope of a small holdout alone is too noisy, and what it
    // happens to fit is taken off the variance too.
    let of_all = |of: fn(&Linear) -> f64| {
        of(&of_treatment) * of_treatment.count + of(&of_control) * of_control.count
    };
    let before = of_all(|group| group.variance_before);
    let slope = if before > 0.0 { of_all(|group| group.covariance) / before } else { 0.0 };
    let arms = (of_treatment.arm(slope), of_control.arm(slope));
    let plain = (of_treatment.arm(0.0), of_control.arm(0.0));
    let methods = (Method::AdjustedRatioDifference, Method::RelativeAdjustedRatioDelta);
    finish(arms, plain, level, methods)
}

/// A ratio and the same ratio before, as linear as they are near their means.
struct Linear {
    count: f64,
    ratio: f64,
    ratio_before: f64,
    /// Variances and covariance of what a unit adds to each.
    variance: f64,
    variance_before: f64,
    covariance: f64,
}

impl Linear {
    fn of(units: &Sums, columns: RatioColumns) -> Result<Self, Refusal> {
        let parts = |above: usize, below: usize| -> Result<(f64, f64), Refusal> {
            arm::mean_variance(&units.moments(above))?;
            let variance = arm::mean_variance(&units.moments(below))?;
            let base = arm::base_of(units.mean(below), variance)?;
            Ok((units.mean(above) / base, base))
        };
        let RatioColumns { numerator, denominator, numerator_before, denominator_before } = columns;
        let (ratio, base) = parts(numerator, denominator)?;
        let (ratio_before, base_before) = parts(numerator_before, denominator_before)?;
        // What a unit adds to a ratio R = M / D is (m − R d) / D.
        let now = [(numerator, 1.0 / base), (denominator, -ratio / base)];
        let before = [
            (numerator_before, 1.0 / base_before),
            (denominator_before, -ratio_before / base_before),
        ];
        let covariance = |one: [(usize, f64); 2], other: [(usize, f64); 2]| {
            let mut sum = 0.0;
            for (i, a) in one {
                for (j, b) in other {
                    sum += a * b * units.pair(i, j).covariance().ok_or(Refusal::TooFewUnits)?;
                }
            }
            Ok(sum)
        };
        Ok(Self {
            count: units.count() as f64,
            ratio,
            ratio_before,
            variance: covariance(now, now)?.max(0.0),
            variance_before: covariance(before, before)?.max(0.0),
            covariance: covariance(now, before)?,
        })
    }

    fn arm(&self, slope: f64) -> Arm {
        let left = self.variance + slope * (slope * self.variance_before - 2.0 * self.covariance);
        Arm {
            value: self.ratio - slope * self.ratio_before,
            variance: left.max(0.0) / self.count,
            dof: self.count - 1.0,
            base: self.ratio,
            base_variance: self.variance / self.count,
        }
    }
}

/// All units of both groups.
fn together(treatment: &Sums, control: &Sums) -> Result<Sums, Refusal> {
    let mut all = treatment.clone();
    all.merge(control)?;
    Ok(all)
}

fn finish(
    (treatment, control): (Arm, Arm),
    plain: (Arm, Arm),
    level: f64,
    (difference, relative): (Method, Method),
) -> Result<Adjusted, Refusal> {
    Ok(Adjusted {
        difference: arm::difference(&treatment, &control, level, difference)?,
        relative: arm::relative(&treatment, &control, level, relative),
        explained: 1.0
            - (treatment.variance + control.variance) / (plain.0.variance + plain.1.variance),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::{LEVEL, difference};

    /// Outcome, its covariate, the same times two, nothing, orders, orders before.
    fn group(units: i64, more: i64) -> Sums {
        let mut sums = Sums::new(6);
        for n in 0..units {
            let before = n * n % 101;
            let outcome = before + n % 7 + more;
            sums.add(&[outcome, before, 2 * before, 0, 1 + n % 3, 1 + n % 2]).unwrap();
        }
        sums
    }

    const RATIO: RatioColumns =
        RatioColumns { numerator: 0, denominator: 4, numerator_before: 1, denominator_before: 5 };

    #[test]
    fn what_explains_much_narrows_the_interval() {
        let (treatment, control) = (group(400, 3), group(300, 0));
        let plain = difference(&treatment.moments(0), &control.moments(0), LEVEL).unwrap();
        for found in [
            adjusted(&treatment, &control, 0, &[1], LEVEL).unwrap(),
            adjusted_by_arm(&treatment, &control, 0, &[1], LEVEL).unwrap(),
        ] {
            assert!(found.explained > 0.95 && (found.difference.value - 3.0).abs() < 0.3);
            let narrower = found.difference.std_error / plain.std_error;
            assert!((narrower * narrower - (1.0 - found.explained)).abs() < 1e-12);
        }
        // What is the same for everybody explains nothing, alone or beside others.
        let none = adjusted(&treatment, &control, 0, &[3], LEVEL).unwrap();
        assert_eq!((none.explained, none.difference.value), (0.0, plain.value));
        let beside = adjusted(&treatment, &control, 0, &[3, 1], LEVEL).unwrap();
        assert_eq!(beside, adjusted(&treatment, &control, 0, &[1], LEVEL).unwrap());
    }

    #[test]
    fn what_cannot_be_said_is_refused_by_reason() {
        let fine = group(400, 3);
        let check = |treatment: &Sums, control: &Sums, covariates: &[usize], expect: Refusal| {
            let found = adjusted(treatment, control, 0, covariates, LEVEL);
            assert_eq!(found.err(), Some(expect));
            let found = adjusted_by_arm(treatment, control, 0, covariates, LEVEL);
            assert_eq!(found.err(), Some(expect));
        };
        check(&fine, &fine, &[1, 2], Refusal::CollinearCovariates);
        check(&fine, &Sums::new(6), &[1], Refusal::EmptyArm);
        check(&Sums::new(6), &fine, &[1], Refusal::EmptyArm);
        check(&fine, &group(29, 0), &[1], Refusal::TooFewUnits);
        let mut nothing = Sums::new(6);
        nothing.add_zeros(100).unwrap();
        check(&nothing, &nothing, &[1], Refusal::AllZero);
        assert_eq!(adjusted_ratio(&fine, &nothing, RATIO, LEVEL), Err(Refusal::BaseNearZero));
        assert_eq!(adjusted_ratio(&fine, &Sums::new(6), RATIO, LEVEL), Err(Refusal::EmptyArm));
        assert!(adjusted_ratio(&fine, &fine, RATIO, LEVEL).is_ok());
        // Losses: a difference can be said, a relative one cannot.
        let loss = group(400, -60);
        let found = adjusted(&fine, &loss, 0, &[1], LEVEL).unwrap();
        assert_eq!(found.relative, Err(Refusal::BaseNearZero));
    }
}
