//! How large is an effect, and how sure are we?
//!
//! Every function takes moments or sums, never rows, and answers with an estimate that says by what method
//! and under which assumptions it was made, or with the reason why there is none. A relative difference is
//! an estimate too: there is none without its interval.

mod adjusted;
mod arm;
mod least_squares;
mod line;
mod means;
mod ratios;
mod refusal;
mod share;
mod strata;

use serde::Serialize;

pub use adjusted::{Adjusted, RatioColumns, adjusted, adjusted_by_arm, adjusted_ratio};
pub use line::Line;
pub(crate) use means::slope;
pub use means::{difference, mean, relative_difference};
pub use ratios::{
    difference_of_ratios, paired_relative_difference, ratio, relative_difference_of_ratios,
};
pub use refusal::Refusal;
pub use share::share;
pub use strata::{Stratum, relative_stratified_difference, stratified_difference};

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
    /// Probability of an estimate at least as far from zero where there is no difference, by the same t; `None`
    /// of what is no difference.
    pub p_value: Option<f64>,
    /// How it was made.
    pub method: Method,
}

impl Estimate {
    /// What a difference per unit comes to over so many treated units: the incremental total, with its
    /// interval. The units are those who were treated, so that their number is no chance.
    ///
    /// # Errors
    /// `NoTotal` of what is no difference per unit.
    pub fn total(&self, treated_units: u64) -> Result<Self, Refusal> {
        if !self.method.is_per_unit() {
            return Err(Refusal::NoTotal);
        }
        Ok(self.scaled(treated_units as f64))
    }

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
    /// Difference of two groups' ratios by the delta method.
    RatioDifference,
    /// Relative difference of two groups' ratios by the delta method.
    RelativeRatioDelta,
    /// Difference of means less what covariates explain, one slope for both groups (CUPED).
    AdjustedDifference,
    /// Relative difference of means less what covariates explain, one slope for both groups (CUPED).
    RelativeAdjustedDelta,
    /// Difference of means at the same covariates, each group with slopes of its own (Lin).
    AdjustedByArmDifference,
    /// Relative difference of means at the same covariates, each group with slopes of its own (Lin).
    RelativeAdjustedByArmDelta,
    /// Difference of two groups' ratios less what the ratio of an earlier period explains.
    AdjustedRatioDifference,
    /// Relative difference of two groups' ratios less what the ratio of an earlier period explains.
    RelativeAdjustedRatioDelta,
    /// Difference of means within strata, weighted as the strata are.
    StratifiedDifference,
    /// Relative difference of means within strata, weighted as the strata are.
    RelativeStratifiedDelta,
    /// Mean of units by Student's t.
    Mean,
    /// Slope with a variance that allows for unequal spread.
    RobustSlope,
    /// Share of units by Wilson's score interval.
    WilsonShare,
}

impl Method {
    /// True of a difference of amounts per unit, which can be summed up over units.
    const fn is_per_unit(self) -> bool {
        matches!(
            self,
            Self::WelchDifference
                | Self::AdjustedDifference
                | Self::AdjustedByArmDifference
                | Self::StratifiedDifference
        )
    }

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
            Self::PairedRelativeDelta => {
                "both numbers are of the same units, which do not affect each other; the means are normal; \
                 the base lies well above zero against its standard error"
            }
            Self::RatioDifference => {
                "units were assigned by chance and do not affect each other; the groups are large enough for \
                 both means of a ratio to be normal; the denominators lie well above zero against their \
                 standard errors"
            }
            Self::RelativeRatioDelta => {
                "as for the difference of ratios, and the control's ratio lies well above zero against its \
                 standard error"
            }
            Self::AdjustedDifference => {
                "as for the difference of means; the covariates were settled before assignment, so that the \
                 treatment cannot have moved them; the slope need not be true, only the same for both groups"
            }
            Self::RelativeAdjustedDelta => {
                "as for the adjusted difference, and the control's mean, not adjusted, lies well above zero \
                 against its standard error"
            }
            Self::AdjustedByArmDifference => {
                "as for the adjusted difference; the effect is that on the units at hand, and each group is \
                 large against the number of covariates"
            }
            Self::RelativeAdjustedByArmDelta => {
                "as for the difference adjusted by arm, and the control's adjusted mean lies well above zero \
                 against its standard error"
            }
            Self::AdjustedRatioDifference => {
                "as for the difference of ratios; the earlier period ended before assignment, and its \
                 denominators lie well above zero too"
            }
            Self::RelativeAdjustedRatioDelta => {
                "as for the adjusted difference of ratios, and the control's ratio, not adjusted, lies well \
                 above zero against its standard error"
            }
            Self::StratifiedDifference => {
                "as for the difference of means, within every stratum; the strata were settled before \
                 assignment and their weights are known"
            }
            Self::RelativeStratifiedDelta => {
                "as for the stratified difference, and the control's weighted mean lies well above zero \
                 against its standard error"
            }
            Self::Mean => {
                "units do not affect each other; they are enough for their mean to be normal"
            }
            Self::RobustSlope => {
                "units do not affect each other, and are enough for the slope to be normal; their spread may differ"
            }
            Self::WilsonShare => "units do not affect each other",
        }
    }
}
