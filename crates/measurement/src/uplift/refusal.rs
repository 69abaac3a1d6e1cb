//! Why is there no figure of uplift?

use serde::{Serialize, Serializer};
use tercet_types::Error;

use crate::estimate;

/// Why there is no figure of uplift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The arrays are not of one length, or an arm is named that there is none of.
    Shape,
    /// A number is not finite.
    NotFinite,
    /// An arm has no unit.
    EmptyArm,
    /// The figure is defined for outcomes 0 and 1 alone.
    NotBinary,
    /// The curve has nothing to be measured by: no effect in all, or none that a better ranking could find.
    NoScale,
    /// The share does not lie strictly between 0 and 1.
    NoShare,
    /// The top of the ranking holds nobody of an arm.
    EmptyTop,
    /// All scores are alike: nobody is told from anybody.
    NoRanking,
    /// A propensity does not lie strictly between 0 and 1, or those of a unit do not add up to 1.
    NoPropensity,
    /// There is no estimate of a mean behind it.
    NoEstimate(estimate::Refusal),
}

impl Refusal {
    /// The reason in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Shape => "outcomes, arms and scores do not fit each other",
            Self::NotFinite => "an outcome or a score is no finite number",
            Self::EmptyArm => "an arm has nobody",
            Self::NotBinary => "the figure is for outcomes 0 and 1 alone",
            Self::NoScale => "there is no effect that the curve could be measured by",
            Self::NoShare => "the share does not lie between 0 and 1",
            Self::EmptyTop => "the top of the ranking holds nobody of an arm",
            Self::NoRanking => "all scores are alike",
            Self::NoPropensity => {
                "a propensity does not lie between 0 and 1, or they do not add up"
            }
            Self::NoEstimate(refusal) => refusal.words(),
        }
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.words())
    }
}

impl From<estimate::Refusal> for Refusal {
    fn from(refusal: estimate::Refusal) -> Self {
        Self::NoEstimate(refusal)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::NoEstimate(refusal) = refusal {
            return refusal.into();
        }
        Error::data("T0721", format!("no figure of uplift: {}", refusal.words())).hint(
            match refusal {
                Refusal::EmptyArm | Refusal::EmptyTop => "wait until both arms have customers",
                Refusal::NotBinary => {
                    "take a figure for any outcome, or an outcome that is yes or no"
                }
                Refusal::NoScale | Refusal::NoRanking => {
                    "wait for more outcomes, or send to all or to nobody"
                }
                Refusal::NoShare => "give a share such as 0.3",
                _ => "look at the table for numbers that cannot be",
            },
        )
    }
}
