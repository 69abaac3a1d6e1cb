//! What does a backtest report, in a form that stays stable?
//!
//! Serialises to `{"engines": {engine: {scope: {metric: {"value", "low", "high"}}}}, "paired": {"a-b":
//! {scope: {metric: {"value", "low", "high", "relative": {"value", "low", "high"}}}}}, …}`;
//! the order of all keys is fixed, so that equal results are equal bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bootstrap::Interval;
use super::metrics::Metric;
use super::week::Scope;

/// Something per metric.
pub type PerMetric<T> = BTreeMap<Metric, T>;

/// Something per scope.
pub type PerScope<T> = BTreeMap<Scope, T>;

/// The referee's verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The weeks judged, in the order given.
    pub weeks: Vec<String>,
    /// Bootstrap draws.
    pub draws: u32,
    /// Seed of the draws.
    pub seed: u64,
    /// What the values are shares of.
    pub denominators: PerScope<Denominators>,
    /// Every metric of every engine, with its interval.
    pub engines: BTreeMap<String, PerScope<PerMetric<Interval>>>,
    /// Differences `a − b` from the same draws, keyed `a-b`.
    pub paired: BTreeMap<String, PerScope<PerMetric<PairedInterval>>>,
    /// Values by segment: engine, scope, segment.
    pub by_segment: BTreeMap<String, PerScope<BTreeMap<String, Breakdown>>>,
    /// Values by week: engine, scope, week.
    pub by_week: BTreeMap<String, PerScope<BTreeMap<String, Breakdown>>>,
}

impl Summary {
    /// Counts a customer-week once where each was judged `times` times: the same weeks, with slates of other models.
    /// Values and intervals stay, and so do those by week, which bear the names given.
    pub fn count_once(&mut self, times: u64) {
        let times = times.max(1);
        for counts in self.denominators.values_mut() {
            for count in [
                &mut counts.customer_weeks,
                &mut counts.buying_customer_weeks,
                &mut counts.mailed_customer_weeks,
                &mut counts.redemptions,
                &mut counts.candidates,
            ] {
                *count /= times;
            }
        }
        let segments = self.by_segment.values_mut().flat_map(BTreeMap::values_mut);
        segments.flat_map(BTreeMap::values_mut).for_each(|part| part.customers /= times);
    }
}

/// The counts behind the values of one scope; the same for every engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denominators {
    /// Distinct customers evaluated: the clusters of the bootstrap.
    pub customers: u64,
    /// Customer-weeks evaluated.
    pub customer_weeks: u64,
    /// Customer-weeks with a purchase: the denominator of the means.
    pub buying_customer_weeks: u64,
    /// Customer-weeks of mailed households.
    pub mailed_customer_weeks: u64,
    /// Redemptions in those weeks of promotions in scope: the most that can be caught.
    pub redemptions: u64,
    /// Candidate promotions, summed over weeks: the denominator of coverage.
    pub candidates: u64,
}

/// A paired difference and the relative difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedInterval {
    /// The difference of the values.
    pub value: f64,
    /// The 2.5th percentile of the draws' differences.
    pub low: f64,
    /// The 97.5th percentile of the draws' differences.
    pub high: f64,
    /// `a / b − 1`, draw by draw; none when `b` is 0 on the data or in any draw.
    pub relative: Option<Interval>,
}

/// The values of a part of the customer-weeks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breakdown {
    /// Customer-weeks with a purchase in this part.
    pub customers: u64,
    /// The metrics' values on this part.
    #[serde(flatten)]
    pub metrics: PerMetric<f64>,
}
