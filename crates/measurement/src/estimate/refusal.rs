//! Why is there no estimate, and what can be done about it?

use serde::Serialize;
use tercet_types::Error;

/// Why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// A group has no units.
    EmptyArm,
    /// A group has fewer units than [`super::UNITS_MIN`].
    TooFewUnits,
    /// The outcome is zero for all units of both groups.
    AllZero,
    /// All units of the groups are alike: nothing tells how sure the estimate is.
    NoVariance,
    /// The base or denominator lies below zero or too near to it.
    BaseNearZero,
    /// A covariate follows from the others.
    CollinearCovariates,
    /// The groups did not come out in the sizes that were planned: whatever broke the assignment or its log
    /// may have made the difference.
    SampleRatioMismatch,
    /// There are no strata, or their weights are no weights.
    NoWeights,
    /// Only a difference per unit can be summed up over units.
    NoTotal,
    /// The looks are no growing shares of the planned end, or none is left.
    NoLooks,
    /// A moment is no finite number.
    NotFinite,
    /// A number of a unit, or the count of units, is too large to be summed up exactly.
    TooLarge,
    /// The level does not lie strictly between 0 and 1.
    NoLevel,
}

impl Refusal {
    /// All refusals.
    pub const ALL: [Self; 13] = [
        Self::EmptyArm,
        Self::TooFewUnits,
        Self::AllZero,
        Self::NoVariance,
        Self::BaseNearZero,
        Self::CollinearCovariates,
        Self::SampleRatioMismatch,
        Self::NoWeights,
        Self::NoTotal,
        Self::NoLooks,
        Self::NotFinite,
        Self::TooLarge,
        Self::NoLevel,
    ];

    /// The reason in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::EmptyArm => "a group has no units",
            Self::TooFewUnits => "too few units in a group",
            Self::AllZero => "the outcome is zero for everybody",
            Self::NoVariance => "all units are alike",
            Self::BaseNearZero => "the base is too near zero",
            Self::CollinearCovariates => "a covariate follows from the others",
            Self::SampleRatioMismatch => {
                "the groups did not come out in the sizes that were planned"
            }
            Self::NoWeights => "the strata have no weights",
            Self::NoTotal => "only a difference per unit can be summed up",
            Self::NoLooks => "the looks are no growing shares of the planned end",
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
            Refusal::EmptyArm => "look whether both groups were assigned, and logged",
            Refusal::TooFewUnits => "wait for more customers, or compare larger groups",
            Refusal::AllZero | Refusal::NoVariance | Refusal::BaseNearZero => {
                "wait for more purchases, or look at another metric"
            }
            Refusal::CollinearCovariates => "leave out the covariate that says the same as others",
            Refusal::SampleRatioMismatch => {
                "find out what broke the assignment or its log; no lift of this experiment can be read"
            }
            Refusal::NoWeights => "give every stratum a positive number of customers",
            Refusal::NoTotal => "sum up the difference, not the ratio or the relative difference",
            Refusal::NoLooks => "give the planned number of looks, and only looks up to it",
            Refusal::NotFinite => "look for values that are not numbers in what was added",
            Refusal::TooLarge => "look for amounts that cannot be, or give them in larger units",
            Refusal::NoLevel => "give a level such as 0.95",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_become_errors_with_a_remedy() {
        for refusal in Refusal::ALL {
            let error = Error::from(refusal);
            assert_eq!(error.code(), "T0712");
            assert!(error.to_string().contains(refusal.words()) && error.hint_text().is_some());
        }
    }
}
