//! Which engine would have done best, and how sure are we?

use serde::{Deserialize, Serialize};
use tercet_types::{Currency, Date, Result};

pub use super::{Fact, Headline};

/// Everything the report of a backtest shows. Any list may be empty.
///
/// Metrics go by the names of the backtest's JSON (`hit_rate_at_3`, `spend_captured_minor`, …); a name
/// that is not known is shown as its own words, as a plain number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BacktestReport {
    /// The project's name.
    pub project: String,
    /// ISO 4217 code of every amount.
    pub currency: String,
    /// The engine that the others are held against.
    pub reference: String,
    /// What came out, one sentence.
    pub summary: String,
    /// How it was done: protocol, seed, resamples, versions.
    pub facts: Vec<Fact>,
    /// What to see first, about four.
    pub headlines: Vec<Headline>,
    /// What a reader must know before believing a number.
    pub notes: Vec<String>,
    /// The weeks replayed, in order.
    pub weeks: Vec<WeekCount>,
    /// The pools of promotions, the most telling first.
    pub pools: Vec<Pool>,
}

/// One week replayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeekCount {
    /// Its Monday.
    pub week: Date,
    /// Promotions to choose from.
    pub candidates: i64,
    /// Customers who got offers.
    pub customers: i64,
    /// Of these, customers who bought anything that week: the denominator.
    pub buyers: i64,
}

/// Results on one pool of promotions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// `narrow`, `broad` or `all`.
    pub name: String,
    /// Which promotions these are, one sentence.
    pub description: String,
    /// Each engine's own figures, in order of display.
    pub engines: Vec<EngineResult>,
    /// The reference engine less each other engine, on the same customers.
    pub paired: Vec<PairedResult>,
    /// Figures by behaviour segment.
    pub by_segment: Vec<Slice>,
    /// Figures by week; the slice is the Monday.
    pub by_week: Vec<Slice>,
}

/// One engine's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineResult {
    /// The engine.
    pub engine: String,
    /// Its figures.
    pub metrics: Vec<Estimate>,
}

/// The reference engine against another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedResult {
    /// The other engine.
    pub against: String,
    /// Reference less other, paired by customer.
    pub differences: Vec<Estimate>,
    /// The same as a share of the other engine's figure: 0.1 is ten per cent more.
    pub relative: Vec<Estimate>,
}

/// A figure with its interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The metric's name.
    pub metric: String,
    /// The estimate.
    pub value: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
}

/// One figure of one engine on a part of the customers or weeks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// The segment, or the week's Monday.
    pub slice: String,
    /// The engine.
    pub engine: String,
    /// The metric's name.
    pub metric: String,
    /// The figure.
    pub value: f64,
    /// Customers in the denominator.
    pub customers: i64,
}

impl BacktestReport {
    /// The report as one self-contained HTML file.
    ///
    /// # Errors
    /// `T0102` when `currency` is not a code; `T0807` when the template fails, which is a bug.
    pub fn html(&self) -> Result<String> {
        super::backtest_page::html(self, Currency::new(&self.currency)?)
    }

    /// A report with every section filled.
    pub fn sample() -> Self {
        super::backtest_sample::sample()
    }
}
