//! What did chance tell of what offers bring, or why does it tell nothing?

use serde::{Deserialize, Serialize};

use super::ANSWER_WEEKS;
use super::causes::Line;
use super::kinds::KindFacts;
use super::trial::{BOUGHT_MIN, RANDOMISED_MIN};
use crate::output::{chance, thousands};

/// What was read off what chance decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrialFacts {
    /// Customer-weeks in which a draw took the place of what was planned.
    pub(crate) customer_weeks: usize,
    /// Pairs whose offer chance made, and those whose offer it did not make, of those that are kept.
    pub(crate) pairs: [usize; 2],
    /// Purchases that an offer brought, the mean over these pairs.
    pub(crate) brought: f64,
    /// Its standard error.
    pub(crate) brought_error: f64,
    /// How much of what was expected holds.
    pub(crate) line: Line,
    /// The chance of differences beyond that, as large as those found, where there are none; none without a test.
    pub(crate) left_p_value: Option<f64>,
    /// True when what is learnt of them is used.
    pub(crate) is_left_used: bool,
    /// By kind of promotion.
    pub(crate) kinds: Vec<KindFacts>,
}

impl TrialFacts {
    /// What was found, in words.
    pub(crate) fn words(&self) -> String {
        let left = match (self.is_left_used, self.left_p_value) {
            (true, Some(p)) => {
                format!("differences beyond that are learnt from them ({})", chance(p))
            }
            (false, Some(p)) => format!("differences beyond that are not told (p = {p:.2})"),
            _ => "differences beyond that cannot be told".to_owned(),
        };
        format!("{}; {left}", self.found())
    }

    fn found(&self) -> String {
        format!(
            "in {} randomised customer-weeks of the last {ANSWER_WEEKS} weeks an offer brought {:.2} ± {:.2} purchases in a hundred, and {:.2} ± {:.2} for each that was expected",
            thousands(self.customer_weeks),
            100.0 * self.brought,
            100.0 * self.brought_error,
            self.line.per_extra,
            self.line.per_extra_error
        )
    }
}

/// Why what chance decided says nothing of what offers bring.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Untold {
    /// The logs of earlier runs cannot be used, for this reason.
    Unread(String),
    /// Chance decided in so few customer-weeks.
    Few(usize),
    /// So few purchases came after offers that chance made, and after those that it did not make.
    Purchases(usize, [usize; 2]),
    /// Offers were made more or less often than their chances say, by so many standard errors.
    Chances(f64),
    /// What was expected of offers does not show in what they brought.
    Signal(usize, Option<Box<TrialFacts>>),
}

impl Untold {
    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Unread(why) => why.clone(),
            Self::Few(found) => format!(
                "{} of {} randomised customer-weeks needed are in the logs of the last {ANSWER_WEEKS} weeks",
                thousands(*found),
                thousands(RANDOMISED_MIN)
            ),
            Self::Purchases(weeks, [made, not_made]) => format!(
                "in {} randomised customer-weeks {made} purchases came after offers made by chance and {not_made} after those not made, and {BOUGHT_MIN} of each are needed",
                thousands(*weeks)
            ),
            Self::Chances(errors) => format!(
                "offers were made {errors:+.1} standard errors more often than the logged propensities say"
            ),
            Self::Signal(_, Some(facts)) => {
                format!("{}: too little to choose by", facts.found())
            }
            Self::Signal(weeks, None) => format!(
                "in {} randomised customer-weeks offers are too much alike to tell what they brought",
                thousands(*weeks)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_p_value_is_nought() {
        let line =
            Line { per_extra: 1.0, per_extra_error: 0.1, per_unoffered: 0.0, offers: 9, uses: 3 };
        let check = |p: f64, expect: &str| {
            let facts = TrialFacts {
                customer_weeks: 2_000,
                pairs: [500, 500],
                brought: 0.01,
                brought_error: 0.002,
                line,
                left_p_value: Some(p),
                is_left_used: true,
                kinds: vec![],
            };
            let said = facts.words();
            assert!(said.ends_with(&format!("are learnt from them ({expect})")), "{said}");
        };
        check(0.000_4, "p 0.0004");
        check(0.000_04, "p < 0.0001");
        check(0.0, "p < 0.0001");
        check(0.012_3, "p 0.0123");
    }
}
