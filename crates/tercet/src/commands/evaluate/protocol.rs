//! How are histories cut, ranked and judged, where nobody says otherwise?

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tercet_measurement::ranking::{Split, Stage};
use tercet_models::Seen;
use tercet_types::{Error, Result};

use super::read::Data;
use super::when::day_of;

/// How what is known is parted from what is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SplitKind {
    /// The last product of every customer is judged; of a last order of several, one drawn by a hash.
    LeaveLastOut,
    /// The last order of every customer is judged.
    LeaveLastBasket,
    /// What was taken up from a day on is judged.
    Time,
    /// Each of the last weeks is judged by what lies before it.
    Rolling,
    /// A share of every customer's products is judged, drawn by a hash.
    Random,
    /// The table itself says what is judged.
    Given,
}

/// Whether products that a customer knows are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::commands) enum SeenFlag {
    /// They are.
    Keep,
    /// They are not.
    Drop,
}

impl SeenFlag {
    /// For estimators.
    pub(in crate::commands) const fn seen(self) -> Seen {
        match self {
            Self::Keep => Seen::Keep,
            Self::Drop => Seen::Drop,
        }
    }
}

/// How histories are cut, and what is ranked.
#[derive(Debug, Args)]
pub(in crate::commands) struct ProtocolArguments {
    /// How what is known is parted from what is judged [default: given where the data say it, leave-last-basket where
    /// orders are known, else leave-last-out]
    #[arg(long, value_enum)]
    split: Option<SplitKind>,
    /// Of --split time: the first day that is judged
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Of --split time: how many days are judged [default: all that follow]
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Of --split rolling: how many weeks are judged
    #[arg(long, value_name = "N", default_value_t = 4)]
    weeks: u32,
    /// Of --split random: the shares of training, validation and test
    #[arg(long, value_name = "N:N:N", default_value = "8:1:1")]
    shares: String,
    /// Seed of the split, of redraws and of intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::commands) seed: u64,
    /// Whether products that a customer knows are ranked [default: drop for leave-last-out and random, else keep]
    #[arg(long, value_enum)]
    seen: Option<SeenFlag>,
    /// Learn without what validation judges; customers who are asked for still know it
    #[arg(long)]
    pub(super) fit_without_validation: bool,
}

impl ProtocolArguments {
    fn kind(&self, data: &Data) -> SplitKind {
        self.split.unwrap_or(match (data.has_parts, data.has_orders) {
            (true, _) => SplitKind::Given,
            (false, true) => SplitKind::LeaveLastBasket,
            (false, false) => SplitKind::LeaveLastOut,
        })
    }

    /// The split.
    ///
    /// # Errors
    /// `T1093` for a split that the data do not allow, or flags that are no shares or no day.
    pub(in crate::commands) fn split(&self, data: &Data) -> Result<Split> {
        let lacks = |what: &str, flag: &str| {
            Error::config("T1093", format!("the split needs {what}"))
                .hint(format!("name the column with --{flag}, or take another --split"))
        };
        match self.kind(data) {
            kind if data.has_test && kind != SplitKind::Given => Err(Error::config(
                "T1093",
                "what --test holds is judged, and this --split would learn from it",
            )
            .hint("leave --split out, or say --split given; or leave --test out")),
            SplitKind::LeaveLastOut => Ok(Split::LeaveLastOut),
            SplitKind::LeaveLastBasket if !data.has_orders => Err(lacks("orders", "order")),
            SplitKind::LeaveLastBasket => Ok(Split::LeaveLastBasket),
            SplitKind::Time | SplitKind::Rolling if !data.has_days => Err(lacks("days", "time")),
            SplitKind::Time => {
                let from = self.from.as_deref().and_then(day_of).ok_or_else(|| {
                    Error::config("T1093", "from which day on is judged?")
                        .hint("say it with --from, such as --from 2017-09-04")
                })?;
                Ok(Split::Time { from, days: self.days })
            }
            SplitKind::Rolling => Ok(Split::RollingWeeks { weeks: self.weeks }),
            SplitKind::Random => Ok(Split::Random { shares: self.shares()?, seed: self.seed }),
            SplitKind::Given if !data.has_parts => Err(lacks("a column that says it", "part")),
            SplitKind::Given => Ok(Split::Given),
        }
    }

    fn shares(&self) -> Result<[u32; 3]> {
        let parts: Option<Vec<u32>> =
            self.shares.split(':').map(|part| part.parse().ok()).collect();
        parts.and_then(|parts| parts.try_into().ok()).ok_or_else(|| {
            Error::config("T1093", format!("shares are '{}'", self.shares))
                .hint("give those of training, validation and test, such as 8:1:1")
        })
    }

    /// What is judged when nothing is left to choose.
    pub(in crate::commands) const fn test(&self) -> Stage {
        Stage::Test { fit_validation: !self.fit_without_validation }
    }

    /// Whether known products are ranked.
    pub(in crate::commands) fn seen(&self, data: &Data) -> Seen {
        match (self.seen, self.kind(data)) {
            (Some(flag), _) => flag.seen(),
            (None, SplitKind::LeaveLastOut | SplitKind::Random) => Seen::Drop,
            (None, _) => Seen::Keep,
        }
    }

    /// The protocol for results.
    pub(in crate::commands) fn facts(&self, data: &Data, stage: Stage) -> Result<Value> {
        let kind = self.kind(data);
        let mut split =
            json!({ "kind": kind.to_possible_value().map(|value| value.get_name().to_owned()) });
        match self.split(data)? {
            Split::Time { from, days } => {
                split["from"] = json!(self.from);
                split["from_day"] = json!(from);
                split["days"] = json!(days);
            }
            Split::RollingWeeks { weeks } => split["weeks"] = json!(weeks),
            Split::Random { shares, seed } => {
                split["shares"] = json!(shares);
                split["seed"] = json!(seed);
            }
            Split::LeaveLastOut | Split::LeaveLastBasket | Split::Given => (),
        }
        let (stage, fits) = match stage {
            Stage::Validation => ("validation", None),
            Stage::Test { fit_validation } => ("test", Some(fit_validation)),
        };
        let seen = match self.seen(data) {
            Seen::Keep => "keep",
            Seen::Drop => "drop",
        };
        Ok(
            json!({ "split": split, "judged": stage, "validation_is_learnt_from": fits, "seen": seen }),
        )
    }
}
