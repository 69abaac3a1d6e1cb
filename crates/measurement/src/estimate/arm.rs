//! How do two groups' values become a difference with its interval?

use super::{DENOMINATOR_ERRORS_MIN, Estimate, Method, Refusal, UNITS_MIN};
use crate::moments::Moments;
use crate::student;

/// What a group says: a value that is normal around its truth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arm {
    /// The value, adjusted or not.
    pub(super) value: f64,
    /// The squared standard error of the value.
    pub(super) variance: f64,
    /// Degrees of freedom of that variance.
    pub(super) dof: f64,
    /// What a difference is relative to when this group is the control: the value, not adjusted.
    pub(super) base: f64,
    /// The squared standard error of the base.
    pub(super) base_variance: f64,
}

impl Arm {
    /// A value that nothing was taken off.
    pub(super) const fn plain(value: f64, variance: f64, dof: f64) -> Self {
        Self { value, variance, dof, base: value, base_variance: variance }
    }

    /// A group's mean.
    pub(super) fn mean(group: &Moments) -> Result<Self, Refusal> {
        Ok(Self::plain(group.mean(), mean_variance(group)?, group.count() as f64 - 1.0))
    }
}

/// The squared standard error of a group's mean.
pub(super) fn mean_variance(group: &Moments) -> Result<f64, Refusal> {
    if group.count() == 0 {
        return Err(Refusal::EmptyArm);
    }
    if group.count() < UNITS_MIN {
        return Err(Refusal::TooFewUnits);
    }
    let variance = group.mean_variance().ok_or(Refusal::TooFewUnits)?;
    if group.mean().is_finite() && variance.is_finite() {
        Ok(variance)
    } else {
        Err(Refusal::NotFinite)
    }
}

/// The mean, when it can stand below a fraction.
pub(super) fn base_of(mean: f64, variance: f64) -> Result<f64, Refusal> {
    if mean > 0.0 && mean >= DENOMINATOR_ERRORS_MIN * variance.sqrt() {
        Ok(mean)
    } else {
        Err(Refusal::BaseNearZero)
    }
}

/// `treatment − control` by Welch's unequal-variance t (Welch 1947, doi:10.1093/biomet/34.1-2.28).
pub(super) fn difference(
    treatment: &Arm,
    control: &Arm,
    level: f64,
    method: Method,
) -> Result<Estimate, Refusal> {
    something(treatment, control)?;
    let variance = treatment.variance + control.variance;
    interval(
        treatment.value - control.value,
        variance,
        welch_dof(treatment, control),
        level,
        Some(0.0),
        method,
    )
}

/// `(treatment − control) / base of the control`, by the delta method (Deng, Knoblich and Lu 2018,
/// doi:10.1145/3219819.3219919).
pub(super) fn relative(
    treatment: &Arm,
    control: &Arm,
    level: f64,
    method: Method,
) -> Result<Estimate, Refusal> {
    something(treatment, control)?;
    let base = base_of(control.base, control.base_variance)?;
    let ratio = treatment.base / base;
    interval(
        (treatment.value - control.value) / base,
        (treatment.variance + ratio * ratio * control.variance) / (base * base),
        welch_dof(treatment, control),
        level,
        Some(0.0),
        method,
    )
}

/// An estimate from its squared standard error; `none` is its value where there is no effect.
pub(super) fn interval(
    value: f64,
    variance: f64,
    dof: f64,
    level: f64,
    none: Option<f64>,
    method: Method,
) -> Result<Estimate, Refusal> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Refusal::NoLevel);
    }
    if variance <= 0.0 {
        return Err(Refusal::NoVariance);
    }
    let std_error = variance.sqrt();
    let reach = std_error * student::quantile(0.5 + level / 2.0, dof);
    if !(value.is_finite() && reach.is_finite()) {
        return Err(Refusal::NotFinite);
    }
    let (low, high) = (value - reach, value + reach);
    let p_value = none.map(|none| student::two_sided((value - none) / std_error, dof));
    Ok(Estimate { value, low, high, std_error, dof, level, p_value, method })
}

/// Refuses where nothing happened in either group.
fn something(treatment: &Arm, control: &Arm) -> Result<(), Refusal> {
    let nothing = |arm: &Arm| arm.base == 0.0 && arm.base_variance == 0.0;
    if nothing(treatment) && nothing(control) { Err(Refusal::AllZero) } else { Ok(()) }
}

/// Welch and Satterthwaite's degrees of freedom.
fn welch_dof(treatment: &Arm, control: &Arm) -> f64 {
    let part = |arm: &Arm| arm.variance * arm.variance / arm.dof;
    (treatment.variance + control.variance).powi(2) / (part(treatment) + part(control))
}
