//! Whom does a treatment change, and is it worth choosing by that?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

pub use super::reading::Reading;
pub use super::{Fact, Headline};

/// Everything the report of a trial shows. Any list may be empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpliftReport {
    /// The column of arms.
    pub treatment: String,
    /// The column of outcomes.
    pub outcome: String,
    /// True where every outcome is 0 or 1, so that means are shares.
    pub are_shares: bool,
    /// The advice, and what it rests on: one sentence.
    pub summary: String,
    /// From what: data, learner, folds, versions.
    pub facts: Vec<Fact>,
    /// What to see first, about four.
    pub headlines: Vec<Headline>,
    /// What a reader must know before believing a number.
    pub notes: Vec<String>,
    /// Whether the arms are of the planned sizes: a sentence.
    pub ratio: String,
    /// True when they are not.
    pub is_broken: bool,
    /// False where chances of treatment differ between rows: raw arms then are not compared, and `effect` of each arm
    /// is the doubly robust one.
    pub are_arms_alike: bool,
    /// Name, rows and mean outcome of the arm that got nothing.
    pub control: (String, i64, f64),
    /// The treatments.
    pub arms: Vec<UpliftArm>,
    /// What ways of sending are worth per customer against each other, in what `--margin` and `--cost` are given in.
    pub policy: Vec<(String, Reading)>,
    /// The same in sentences, and what the selected customers brought.
    pub policy_said: Vec<String>,
}

/// A treatment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpliftArm {
    /// Its name.
    pub arm: String,
    /// Of which kind it is, and the share of its own effects that it keeps: where kinds were told apart.
    pub kind: Option<(String, f64)>,
    /// Rows.
    pub rows: i64,
    /// Mean outcome.
    pub mean: f64,
    /// The average effect, by Welch; doubly robust where arms are not alike.
    pub effect: Reading,
    /// The average effect, doubly robust.
    pub robust_effect: Reading,
    /// Whether customers differ in what it does to them: sentences, the verdict first.
    pub verdict: Vec<String>,
    /// Rankings, the one by uplift first.
    pub rankings: Vec<UpliftRanking>,
    /// Customers of about the same predicted uplift, the highest first.
    pub groups: Vec<UpliftDecile>,
}

/// How good a ranking is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpliftRanking {
    /// By what it ranks.
    pub by: String,
    /// What treating the top alone adds per treated customer, at even shares of all customers from none to all.
    pub curve: Vec<f64>,
    /// Figures by name, none where it cannot be told.
    pub figures: Vec<(String, Option<f64>)>,
}

/// Customers of about the same predicted uplift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpliftDecile {
    /// Rows.
    pub rows: i64,
    /// The mean prediction.
    pub predicted: f64,
    /// The difference to control that came of it.
    pub observed: Reading,
}

impl UpliftReport {
    /// The report as one self-contained HTML file.
    ///
    /// # Errors
    /// `T0807` when the template fails, which is a bug.
    pub fn html(&self) -> Result<String> {
        super::uplift_page::html(self)
    }

    /// A report with every section filled.
    pub fn sample() -> Self {
        super::uplift_sample::sample()
    }
}
