//! How large is an effect, and how sure are we?
//!
//! Every function takes moments, never rows, and answers with an estimate that says by what method and
//! under which assumptions it was made, or with the reason why there is none.

use serde::Serialize;
use tercet_types::Error;

use crate::moments::{Moments, PairMoments};
use crate::student;

/// The level of intervals unless somebody asks for another.
pub const LEVEL: f64 = 0.95;

/// Fewer units in a group than this say nothing.
pub const UNITS_MIN: u64 = 30;

/// A ratio is refused when its denominator lies within so many of its standard errors of zero: the
/// linearisation behind its interval does not hold there (Franz 2007, arXiv:0710.2024).
pub const DENOMINATOR_ERRORS_MIN: f64 = 4.0;

/// An estimate with its interval, and what both rest on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
    /// Its standard error.
    pub std_error: f64,
    /// Degrees of freedom of the interval.
    pub dof: f64,
    /// Share of intervals made this way that hold the truth.
    pub level: f64,
    /// How it was made.
    pub method: Method,
}

impl Estimate {
    /// The same of so many units together.
    #[must_use]
    pub fn scaled(self, units: f64) -> Self {
        let Self { value, low, high, std_error, .. } = self;
        let [value, low, high, std_error] = [value, low, high, std_error].map(|one| one * units);
        Self { value, low, high, std_error, ..self }
    }
}

/// How an estimate was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Difference of means by Welch's t.
    WelchDifference,
    /// Relative difference of means by the delta method, with Welch's degrees of freedom.
    RelativeDelta,
    /// Ratio of two means of the same units by the delta method.
    RatioDelta,
    /// Relative difference of two means of the same units by the delta method.
    PairedRelativeDelta,
    /// Share of units by Wilson's score interval.
    WilsonShare,
}

impl Method {
    /// What must hold for the interval to mean what it says.
    pub const fn assumptions(self) -> &'static str {
        match self {
            Self::WelchDifference => {
                "units were assigned by chance and do not affect each other; the groups are large enough for \
                 their means to be normal; their variances may differ"
            }
            Self::RelativeDelta => {
                "as for the difference of means, and the base lies well above zero against its standard error"
            }
            Self::RatioDelta => {
                "units do not affect each other; the means are normal; the denominator lies well above zero \
                 against its standard error"
            }
            Self::Mean => {
                "units do not affect each other; they are enough for their mean to be normal"
            }
            Self::RobustSlope => {
                "units do not affect each other, and are enough for the slope to be normal; their spread may differ"
            }
            Self::PairedRelativeDelta => {
                "both numbers are of the same units, which do not affect each other; the means are normal; \
                 the base lies well above zero against its standard error"
            }
            Self::WilsonShare => "units do not affect each other",
        }
    }
}

/// Why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// A group has fewer units than [`UNITS_MIN`].
    TooFewUnits,
    /// All units of the groups are alike: nothing tells how sure the estimate is.
    NoVariance,
    /// The base or denominator lies below zero or too near to it.
    BaseNearZero,
    /// A moment is no finite number.
    NotFinite,
    /// A number of a unit, or the count of units, is too large to be summed up exactly.
    TooLarge,
    /// The level does not lie strictly between 0 and 1.
    NoLevel,
}

impl Refusal {
    /// All refusals.
    pub const ALL: [Self; 6] = [
        Self::TooFewUnits,
        Self::NoVariance,
        Self::BaseNearZero,
        Self::NotFinite,
        Self::TooLarge,
        Self::NoLevel,
    ];

    /// The reason in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::TooFewUnits => "too few units in a group",
            Self::NoVariance => "all units are alike",
            Self::BaseNearZero => "the base is too near zero",
            Self::NotFinite => "a moment is no finite number",
            Self::TooLarge => "a number is too large to be summed up exactly",
            Self::NoLevel => "the level does not lie between 0 and 1",
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let error = Error::data("T0712", format!("no estimate: {}", refusal.words()));
        error.hint(match refusal {
            Refusal::TooFewUnits => "wait for more customers, or compare larger groups",
            Refusal::NoVariance | Refusal::BaseNearZero => {
                "wait for more purchases, or look at another metric"
            }
            Refusal::NotFinite => "look for values that are not numbers in what was added",
            Refusal::TooLarge => "look for amounts that cannot be, or give them in larger units",
            Refusal::NoLevel => "give a level such as 0.95",
        })
    }
}

/// The difference of two groups' means, `treatment − control`, by Welch's unequal-variance t
/// (Welch 1947, doi:10.1093/biomet/34.1-2.28).
pub fn difference(treatment: &Moments, control: &Moments, level: f64) -> Result<Estimate, Refusal> {
    let (a, b) = (side(control)?, side(treatment)?);
    interval(
        treatment.mean() - control.mean(),
        a + b,
        welch_dof((a, control), (b, treatment)),
        level,
        Method::WelchDifference,
    )
}

/// The relative difference of two groups' means, `treatment / control − 1`, by the delta method
/// (Deng, Knoblich and Lu 2018, doi:10.1145/3219819.3219919).
pub fn relative_difference(
    treatment: &Moments,
    control: &Moments,
    level: f64,
) -> Result<Estimate, Refusal> {
    let (a, b) = (side(control)?, side(treatment)?);
    let base = base_of(control.mean(), a)?;
    let ratio = treatment.mean() / base;
    interval(
        ratio - 1.0,
        (b + ratio * ratio * a) / (base * base),
        welch_dof((a, control), (b, treatment)),
        level,
        Method::RelativeDelta,
    )
}

/// The mean of the units (Student 1908, doi:10.1093/biomet/6.1.1).
pub fn mean(units: &Moments, level: f64) -> Result<Estimate, Refusal> {
    interval(units.mean(), side(units)?, units.count() as f64 - 1.0, level, Method::Mean)
}

/// A slope whose variance was worked out from rows (MacKinnon and White 1985,
/// doi:10.1016/0304-4076(85)90158-7).
pub(crate) fn slope(value: f64, variance: f64, dof: f64, level: f64) -> Result<Estimate, Refusal> {
    if dof < UNITS_MIN as f64 - 1.0 {
        return Err(Refusal::TooFewUnits);
    }
    interval(value, variance, dof, level, Method::RobustSlope)
}

/// The ratio of two means of the same units, `second / first`, by the delta method.
pub fn ratio(units: &PairMoments, level: f64) -> Result<Estimate, Refusal> {
    let (value, variance, dof) = ratio_parts(units)?;
    interval(value, variance, dof, level, Method::RatioDelta)
}

/// The relative difference of two means of the same units, `second / first − 1`, by the delta method.
pub fn paired_relative_difference(units: &PairMoments, level: f64) -> Result<Estimate, Refusal> {
    let (value, variance, dof) = ratio_parts(units)?;
    interval(value - 1.0, variance, dof, level, Method::PairedRelativeDelta)
}

/// The share of `hits` among `units`, by the score interval (Wilson 1927,
/// doi:10.1080/01621459.1927.10502953), which stays within 0 to 1 and does not shrink to nothing there.
pub fn share(hits: u64, units: u64, level: f64) -> Result<Estimate, Refusal> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Refusal::NoLevel);
    }
    if units < UNITS_MIN || hits > units {
        return Err(Refusal::TooFewUnits);
    }
    let (count, value) = (units as f64, hits as f64 / units as f64);
    let dof = f64::INFINITY;
    let z = student::quantile(0.5 + level / 2.0, dof);
    let widened = 1.0 + z * z / count;
    let centre = (value + z * z / (2.0 * count)) / widened;
    let variance = value * (1.0 - value) / count;
    let reach = z * (variance + (z / (2.0 * count)).powi(2)).sqrt() / widened;
    let (low, high) = ((centre - reach).max(0.0), (centre + reach).min(1.0));
    let std_error = variance.sqrt();
    Ok(Estimate { value, low, high, std_error, dof, level, method: Method::WilsonShare })
}

/// `Var(M / D) = (Var M + R² Var D − 2 R Cov) / D²`, all per unit and divided by their number.
fn ratio_parts(units: &PairMoments) -> Result<(f64, f64, f64), Refusal> {
    let (below, above) = (side(units.first())?, side(units.second())?);
    let count = units.first().count() as f64;
    let covariance = units.covariance().ok_or(Refusal::TooFewUnits)? / count;
    let base = base_of(units.first().mean(), below)?;
    let ratio = units.second().mean() / base;
    let variance =
        (above + ratio * ratio * below - 2.0 * ratio * covariance).max(0.0) / (base * base);
    Ok((ratio, variance, count - 1.0))
}

/// The squared standard error of a group's mean.
fn side(group: &Moments) -> Result<f64, Refusal> {
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

fn base_of(mean: f64, variance: f64) -> Result<f64, Refusal> {
    if mean > 0.0 && mean >= DENOMINATOR_ERRORS_MIN * variance.sqrt() {
        Ok(mean)
    } else {
        Err(Refusal::BaseNearZero)
    }
}

/// Welch and Satterthwaite's degrees of freedom.
fn welch_dof(a: (f64, &Moments), b: (f64, &Moments)) -> f64 {
    let part =
        |(variance, group): (f64, &Moments)| variance * variance / (group.count() - 1) as f64;
    (a.0 + b.0).powi(2) / (part(a) + part(b))
}

fn interval(
    value: f64,
    variance: f64,
    dof: f64,
    level: f64,
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
    Ok(Estimate { value, low, high, std_error, dof, level, method })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let few = Moments::of(&[1.0; 29]);
        check(&few, &fine, LEVEL, [Some(Refusal::TooFewUnits); 2]);
        check(&fine, &few, LEVEL, [Some(Refusal::TooFewUnits); 2]);
        let alike = group(&[3.0]);
        check(&alike, &alike, LEVEL, [Some(Refusal::NoVariance); 2]);
        check(&fine, &alike, LEVEL, [None, None]);
        let zero = group(&[-1.0, 1.0]);
        check(&fine, &zero, LEVEL, [None, Some(Refusal::BaseNearZero)]);
        check(&fine, &group(&[-3.0, -2.0]), LEVEL, [None, Some(Refusal::BaseNearZero)]);
        check(&group(&[f64::INFINITY, 1.0]), &fine, LEVEL, [Some(Refusal::NotFinite); 2]);
        for level in [0.0, 1.0, f64::NAN] {
            check(&fine, &fine, level, [Some(Refusal::NoLevel); 2]);
        }
        let pairs: PairMoments = (0..40).map(|n| (f64::from(n % 2) - 0.5, 1.0)).collect();
        assert_eq!(ratio(&pairs, LEVEL).err(), Some(Refusal::BaseNearZero));
        let same: PairMoments = (0..40).map(|n| (f64::from(n), f64::from(n))).collect();
        assert_eq!(paired_relative_difference(&same, LEVEL).err(), Some(Refusal::NoVariance));
    }

    /// Intervals by scipy, from the script beside them.
    #[test]
    fn shares_are_those_of_scipy() {
        for line in include_str!("../tests/oracle/share.csv").lines().skip(1) {
            let row: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let found = share(row[0] as u64, row[1] as u64, row[2]).unwrap();
            let off = (found.low - row[3]).abs().max((found.high - row[4]).abs());
            assert!(off < 1e-12, "{line}: {found:?}");
        }
        assert_eq!(share(1, 29, LEVEL).err(), Some(Refusal::TooFewUnits));
        assert_eq!(share(31, 30, LEVEL).err(), Some(Refusal::TooFewUnits));
        assert_eq!(share(1, 30, 1.0).err(), Some(Refusal::NoLevel));
    }

    #[test]
    fn refusals_become_errors_with_a_remedy() {
        for refusal in Refusal::ALL {
            let error = Error::from(refusal);
            assert_eq!(error.code(), "T0712");
            assert!(error.to_string().contains(refusal.words()) && error.hint_text().is_some());
        }
    }

    #[test]
    fn a_level_widens_the_interval() {
        let (a, b) = (group(&[1.0, 2.0, 4.0]), group(&[1.0, 2.0, 3.0]));
        let of = |level| difference(&a, &b, level).unwrap();
        let (narrow, wide) = (of(0.8), of(0.99));
        assert!(wide.low < narrow.low && narrow.high < wide.high);
        assert_eq!(narrow.value, wide.value);
    }
}
