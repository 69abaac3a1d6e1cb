//! What does a person read of a run, a backtest, a campaign, a trial or an evaluation?
//!
//! [`run::RunReport`], [`backtest::BacktestReport`], [`lift::LiftReport`], [`uplift::UpliftReport`] and
//! [`evaluation::EvaluationReport`] are plain data that the binary fills from tables; `html()` turns each into one file
//! without scripts or outside resources.

pub mod backtest;
mod backtest_page;
mod backtest_sample;
pub mod charts;
pub mod evaluation;
mod evaluation_page;
mod evaluation_sample;
mod figure;
pub mod lift;
mod lift_page;
mod lift_sample;
mod metrics;
mod page;
mod reading;
pub mod run;
mod run_contest;
mod run_page;
mod run_sample;
pub mod uplift;
mod uplift_page;
mod uplift_sample;

use serde::{Deserialize, Serialize};

/// A name with a value in words: run id, data file, seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// The value as it is to be read.
    pub value: String,
}

/// A number that a reader should see first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// What it counts, two or three words.
    pub label: String,
    /// The number as it is to be read, with its unit.
    pub value: String,
    /// One short line of context; may be empty.
    pub note: String,
}

/// How many of something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedCount {
    /// What is counted.
    pub name: String,
    /// How many.
    pub count: i64,
}
