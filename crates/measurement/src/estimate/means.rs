//! How much larger is the mean of one group than that of the other?

use super::arm::{self, Arm};
use super::{Estimate, Method, Refusal, UNITS_MIN};
use crate::moments::Moments;

/// The difference of two groups' means, `treatment − control`, by Welch's unequal-variance t
/// (Welch 1947, doi:10.1093/biomet/34.1-2.28).
///
/// ```
/// use tercet_measurement::{Moments, estimate};
/// let spend = |more: f64| (0..100).map(|n| more + f64::from(n % 7)).collect::<Moments>();
/// let lift = estimate::difference(&spend(1.0), &spend(0.0), estimate::LEVEL)?;
/// assert_eq!(lift.value, 1.0);
/// assert!(lift.low > 0.0 && lift.p_value < Some(0.001));
/// # Ok::<(), tercet_measurement::estimate::Refusal>(())
/// ```
pub fn difference(treatment: &Moments, control: &Moments, level: f64) -> Result<Estimate, Refusal> {
    let (control, treatment) = (Arm::mean(control)?, Arm::mean(treatment)?);
    arm::difference(&treatment, &control, level, Method::WelchDifference)
}

/// The relative difference of two groups' means, `treatment / control − 1`, by the delta method
/// (Deng, Knoblich and Lu 2018, doi:10.1145/3219819.3219919).
pub fn relative_difference(
    treatment: &Moments,
    control: &Moments,
    level: f64,
) -> Result<Estimate, Refusal> {
    let (control, treatment) = (Arm::mean(control)?, Arm::mean(treatment)?);
    arm::relative(&treatment, &control, level, Method::RelativeDelta)
}

/// The mean of the units (Student 1908, doi:10.1093/biomet/6.1.1).
pub fn mean(units: &Moments, level: f64) -> Result<Estimate, Refusal> {
    let Arm { value, variance, dof, .. } = Arm::mean(units)?;
    arm::interval(value, variance, dof, level, Some(0.0), Method::Mean)
}

/// A slope whose variance was worked out from rows (MacKinnon and White 1985,
/// doi:10.1016/0304-4076(85)90158-7).
pub(crate) fn slope(value: f64, variance: f64, dof: f64, level: f64) -> Result<Estimate, Refusal> {
    if dof < UNITS_MIN as f64 - 1.0 {
        return Err(Refusal::TooFewUnits);
    }
    arm::interval(value, variance, dof, level, Some(0.0), Method::RobustSlope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::LEVEL;

    fn group(values: &[f64]) -> Moments {
        values.iter().copied().cycle().take(40 * values.len()).collect()
    }

    #[test]
    fn what_cannot_be_said_is_refused_by_reason() {
        let fine = group(&[1.0, 2.0, 4.0]);
        let check = |a: &Moments, b: &Moments, level: f64, expect: [Option<Refusal>; 2]| {
            assert_eq!(difference(a, b, level).err(), expect[0]);
            assert_eq!(relative_difference(a, b, level).err(), expect[1]);
        };
        check(&fine, &fine, LEVEL, [None, None]);
        check(&fine, &Moments::default(), LEVEL, [Some(Refusal::EmptyArm); 2]);
        check(&Moments::default(), &fine, LEVEL, [Some(Refusal::EmptyArm); 2]);
        let few = Moments::of(&[1.0; 29]);
        check(&few, &fine, LEVEL, [Some(Refusal::TooFewUnits); 2]);
        check(&fine, &few, LEVEL, [Some(Refusal::TooFewUnits); 2]);
        let alike = group(&[3.0]);
        check(&alike, &alike, LEVEL, [Some(Refusal::NoVariance); 2]);
        check(&fine, &alike, LEVEL, [None, None]);
        let nothing = group(&[0.0]);
        check(&nothing, &nothing, LEVEL, [Some(Refusal::AllZero); 2]);
        check(&fine, &nothing, LEVEL, [None, Some(Refusal::BaseNearZero)]);
        let zero = group(&[-1.0, 1.0]);
        check(&fine, &zero, LEVEL, [None, Some(Refusal::BaseNearZero)]);
        check(&fine, &group(&[-3.0, -2.0]), LEVEL, [None, Some(Refusal::BaseNearZero)]);
        check(&group(&[f64::INFINITY, 1.0]), &fine, LEVEL, [Some(Refusal::NotFinite); 2]);
        for level in [0.0, 1.0, f64::NAN] {
            check(&fine, &fine, level, [Some(Refusal::NoLevel); 2]);
        }
    }

    #[test]
    fn a_level_widens_the_interval() {
        let (a, b) = (group(&[1.0, 2.0, 4.0]), group(&[1.0, 2.0, 3.0]));
        let of = |level| difference(&a, &b, level).unwrap();
        let (narrow, wide) = (of(0.8), of(0.99));
        assert!(wide.low < narrow.low && narrow.high < wide.high);
        assert_eq!((narrow.value, narrow.p_value), (wide.value, wide.p_value));
        // The interval at the level of the p-value ends at zero.
        let edge = of(1.0 - narrow.p_value.unwrap());
        assert!(edge.low.abs() < 1e-9);
    }

    #[test]
    fn a_total_is_the_difference_over_the_treated() {
        let (a, b) = (group(&[1.0, 2.0, 4.0]), group(&[1.0, 2.0, 3.0]));
        let each = difference(&a, &b, LEVEL).unwrap();
        let all = each.total(1_000).unwrap();
        assert_eq!(
            (all.value, all.low, all.high),
            (each.value * 1e3, each.low * 1e3, each.high * 1e3)
        );
        assert_eq!((all.p_value, all.dof), (each.p_value, each.dof));
        let relative = relative_difference(&a, &b, LEVEL).unwrap();
        assert_eq!(relative.total(1_000), Err(Refusal::NoTotal));
    }
}
