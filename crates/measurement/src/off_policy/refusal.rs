//! Why can a log not say what another policy would have brought?

use serde::{Serialize, Serializer};
use tercet_types::Error;

use crate::estimate;

/// Why there is no value of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Every decision of the log was certain: nothing was drawn.
    NoSupport,
    /// The log never did what the policy would do.
    NoOverlap,
    /// A propensity is missing, zero, negative, above 1 or no number.
    NoPropensity,
    /// A probability of the policy lies outside 0 to 1.
    NoProbability,
    /// The probabilities of the policy do not sum to one.
    PolicyNotOne,
    /// Columns of the log have different lengths.
    LengthsDiffer,
    /// Fewer independent rounds than [`UNITS_MIN`](crate::estimate::UNITS_MIN).
    TooFewRounds,
    /// Nobody bought anything: every reward is zero.
    NoReward,
    /// A reward or a prediction is no finite number.
    NotFinite,
    /// The weights do not average to 1.
    WeightsOff,
    /// The weights leave fewer effective rounds than [`UNITS_MIN`](crate::estimate::UNITS_MIN).
    FewEffective,
    /// The estimator needs predicted rewards, and some round has none.
    NoPrediction,
    /// The slots of a slate were not drawn independently.
    SlotsDepend,
    /// The moments allow no interval.
    Estimate(estimate::Refusal),
}

impl Refusal {
    /// All refusals that are about logs and policies.
    pub const ALL: [Self; 13] = [
        Self::NoSupport,
        Self::NoOverlap,
        Self::NoPropensity,
        Self::NoProbability,
        Self::PolicyNotOne,
        Self::LengthsDiffer,
        Self::TooFewRounds,
        Self::NoReward,
        Self::NotFinite,
        Self::WeightsOff,
        Self::FewEffective,
        Self::NoPrediction,
        Self::SlotsDepend,
    ];

    /// The reason in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoSupport => "the log has no support: nothing was drawn at random",
            Self::NoOverlap => "the log never did what the policy would do",
            Self::NoPropensity => "a propensity does not lie above 0 and at most at 1",
            Self::NoProbability => "a probability of the policy does not lie between 0 and 1",
            Self::PolicyNotOne => "the policy does not sum to one",
            Self::LengthsDiffer => "columns have different lengths",
            Self::TooFewRounds => "too few rounds",
            Self::NoReward => "every reward is zero",
            Self::NotFinite => "a reward or prediction is no finite number",
            Self::WeightsOff => "the weights do not average to 1",
            Self::FewEffective => "the weights leave too few effective rounds",
            Self::NoPrediction => "no reward was predicted",
            Self::SlotsDepend => "the slots were not drawn independently",
            Self::Estimate(refusal) => refusal.words(),
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NoSupport => {
                "draw a share of slots: set epsilon or measurement_share in [exploration]"
            }
            Self::NoOverlap => {
                "evaluate a policy that chooses among what the log could have chosen"
            }
            Self::NoPropensity => "log the probability of what was done, before it was drawn",
            Self::NoProbability | Self::PolicyNotOne => {
                "give every choice of the policy with its probability"
            }
            Self::LengthsDiffer => "give one value of every column for each round",
            Self::TooFewRounds => "take in more weeks",
            Self::FewEffective => {
                "take in more weeks, or evaluate a policy nearer to that of the log"
            }
            Self::NoReward => "wait for purchases, or look at another reward",
            Self::NotFinite => "look for values that are not numbers",
            Self::WeightsOff => {
                "look whether propensities are those of what was done; take in more weeks, or draw more"
            }
            Self::NoPrediction => "give predicted rewards, or take an estimator by weights alone",
            Self::SlotsDepend => {
                "take the slates' own propensities, or slots that share no promotion"
            }
            Self::Estimate(_) => "take in more weeks, or look at another reward",
        }
    }
}

impl From<estimate::Refusal> for Refusal {
    fn from(refusal: estimate::Refusal) -> Self {
        match refusal {
            estimate::Refusal::TooFewUnits => Self::TooFewRounds,
            other => Self::Estimate(other),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::data("T0720", format!("no value of the policy: {}", refusal.words()))
            .hint(refusal.remedy())
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.words())
    }
}
