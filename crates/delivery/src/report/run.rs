//! What happened in a run?

use serde::{Deserialize, Serialize};
use tercet_types::{Currency, Date, Result};

pub use super::{Fact, Headline, NamedCount};
use crate::format::Unit;

/// Everything the report of one weekly run shows. Any list may be empty: its section says so or stays away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The project's name.
    pub project: String,
    /// The run.
    pub run_id: String,
    /// The Monday decided for.
    pub as_of: Date,
    /// ISO 4217 code of every amount.
    pub currency: String,
    /// What happened, one sentence.
    pub summary: String,
    /// What the run was made from: sources, seed, engine, versions.
    pub facts: Vec<Fact>,
    /// What to see first, about four.
    pub headlines: Vec<Headline>,
    /// What a reader must know before believing a number: estimated values, synthetic data.
    pub notes: Vec<String>,
    /// Customers by behaviour segment, RFM segment and arm.
    pub customers: Vec<SegmentCount>,
    /// Offers per promotion, any order.
    pub promotions: Vec<PromotionCount>,
    /// Caps and budgets.
    pub limits: Vec<Limit>,
    /// How good the plan is; `None` when it was not worked out.
    pub certificate: Option<Certificate>,
    /// Slots and what emptied them.
    pub slots: Vec<SlotFill>,
    /// How the engine was chosen, where engines competed.
    #[serde(default)]
    pub contest: Option<Contest>,
    /// The models.
    pub models: Vec<ModelQuality>,
    /// Customers (or scores) per segment route.
    pub routes: Vec<NamedCount>,
    /// The state of every source.
    pub health: Vec<SourceHealth>,
    /// Some customers with their offers.
    pub examples: Vec<ExampleCustomer>,
    /// How long each stage took, in order.
    pub timings: Vec<Timing>,
}

/// How the engine was chosen that decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contest {
    /// The engine that did best.
    pub champion: String,
    /// What engines were judged by: a name of the backtest's metrics.
    pub metric: String,
    /// On which promotions: `narrow` or `all`.
    pub scope: String,
    /// The Mondays that were replayed.
    pub weeks: Vec<Date>,
    /// The engines that competed, the one that the others are held against first.
    pub engines: Vec<Standing>,
    /// The first once more, each time without a group of features.
    pub ablation: Vec<Standing>,
}

/// How one engine did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The engine, and what was kept from it.
    pub name: String,
    /// Its figure.
    pub value: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
    /// The first engine's figure less this one's, on the same customers, with both ends of the interval.
    pub behind_first: Option<[f64; 3]>,
}

/// Customers of one behaviour segment, RFM segment and arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentCount {
    /// Behaviour segment: `transaction_only`, `browsing_only`, `both` or `neither`.
    pub behaviour: String,
    /// The named RFM segment; may be empty where there is none.
    pub rfm: String,
    /// `treatment` or `control`.
    pub arm: String,
    /// How many.
    pub customers: i64,
}

/// What one promotion got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromotionCount {
    /// The promotion.
    pub promotion_id: String,
    /// The name a customer reads; the id stands in when empty.
    pub name: String,
    /// Offers made.
    pub offers: i64,
    /// Value of these offers, minor units.
    pub value_minor: i64,
    /// Their expected cost, minor units.
    pub expected_cost_minor: i64,
}

/// A cap or budget and how far it was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// The promotion, or `all promotions`.
    pub name: String,
    /// What is limited: [`Unit::Count`] for a cap, [`Unit::Money`] for a budget.
    pub unit: Unit,
    /// Used, offers or minor units.
    pub used: i64,
    /// Allowed, offers or minor units.
    pub limit: i64,
}

/// How far from the best possible the plan is, and which limit costs how much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// What the values below measure: [`Unit::Money`], or [`Unit::Number`] for an engine that only ranks.
    pub unit: Unit,
    /// What the offers are worth.
    pub value: f64,
    /// No plan under the same rules, limits and pins is worth more.
    pub bound: f64,
    /// What the plan would be worth if the most valuable offer always went first.
    pub greedy: f64,
    /// The share of the bound that may be missing, 0 to 1.
    pub gap: f64,
    /// Limits with a price, in order of importance.
    pub prices: Vec<LimitPrice>,
}

/// What a cap or budget costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitPrice {
    /// The promotion, or `all promotions`.
    pub name: String,
    /// What is limited: [`Unit::Count`] for a cap, [`Unit::Money`] for a budget.
    pub limits: Unit,
    /// What one more offer, or one more minor unit, would bring.
    pub price: f64,
    /// The price times the limit.
    pub weight: f64,
}

/// How a slot was filled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlotFill {
    /// The slot, from 1.
    pub slot: i32,
    /// Its configured name.
    pub name: String,
    /// Treated customers with an offer in it.
    pub filled: i64,
    /// Treated customers without one.
    pub empty: i64,
    /// The rules that emptied it.
    pub empty_reasons: Vec<NamedCount>,
}

/// How good a model is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelQuality {
    /// What it predicts: `order value`, `response`.
    pub name: String,
    /// Its fingerprint.
    pub version: String,
    /// What the labels are, one sentence.
    pub labels: String,
    /// True when labels stand in for responses that were not observed.
    pub labels_are_estimated: bool,
    /// What the predictions measure.
    pub unit: Unit,
    /// Metrics on the weeks held out.
    pub metrics: Vec<Metric>,
    /// Predicted and observed by decile of the prediction.
    pub calibration: Vec<CalibrationBin>,
    /// The features that matter, any order.
    pub importances: Vec<Importance>,
}

/// One metric of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// What the value measures.
    pub unit: Unit,
    /// How to read it, a few words; may be empty.
    pub note: String,
}

/// Customers of like prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// The decile, 1 the lowest.
    pub decile: i32,
    /// Mean prediction, in the model's unit.
    pub predicted: f64,
    /// Mean outcome, in the model's unit.
    pub observed: f64,
    /// How many.
    pub rows: i64,
}

/// How much a model leans on a feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The feature.
    pub feature: String,
    /// Its share of the total gain, 0 to 1.
    pub share: f64,
}

/// The state of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceHealth {
    /// The canonical table.
    pub table: String,
    /// Where it came from.
    pub location: String,
    /// Rows kept.
    pub rows: i64,
    /// Rows set aside.
    pub quarantined: i64,
    /// Columns seen for the first time.
    pub new_columns: Vec<String>,
    /// What was checked.
    pub checks: Vec<HealthCheck>,
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// What was checked, in words.
    pub check: String,
    /// How it ended.
    pub status: CheckStatus,
    /// Rows it concerns.
    pub rows: i64,
    /// One line more; may be empty.
    pub detail: String,
    /// The first rows it concerns, with their places.
    pub examples: Vec<String>,
}

/// How a check ended, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// Worth a look.
    Warn,
    /// Rows were set aside.
    Quarantine,
    /// The run had to stop.
    Stop,
}

/// A customer shown as an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExampleCustomer {
    /// The customer.
    pub customer_id: String,
    /// Behaviour segment.
    pub behaviour: String,
    /// Named RFM segment; may be empty.
    pub rfm: String,
    /// `treatment` or `control`.
    pub arm: String,
    /// A line of history; may be empty.
    pub about: String,
    /// The slots in order; empty in control.
    pub offers: Vec<ExampleOffer>,
}

/// One slot of an example customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExampleOffer {
    /// The slot's configured name.
    pub slot: String,
    /// The promotion's name; empty when the slot is.
    pub promotion: String,
    /// The code; may be empty.
    pub code: String,
    /// The first day it can be redeemed; `None` when the slot is empty.
    pub valid_from: Option<Date>,
    /// The last day it can be redeemed; `None` when the slot is empty.
    pub valid_to: Option<Date>,
    /// The value it was chosen for, minor units.
    pub value_minor: i64,
    /// Why, as sentences of [`crate::reasons::sentences`]; or the one rule that emptied the slot.
    pub reasons: Vec<String>,
}

/// How long a stage took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The stage.
    pub stage: String,
    /// Wall time, seconds.
    pub seconds: f64,
}

impl RunReport {
    /// The report as one self-contained HTML file.
    ///
    /// # Errors
    /// `T0102` when `currency` is not a code; `T0807` when the template fails, which is a bug.
    pub fn html(&self) -> Result<String> {
        super::run_page::html(self, Currency::new(&self.currency)?)
    }

    /// A report with every section filled: what a healthy run of a small grocer could look like.
    pub fn sample() -> Self {
        super::run_sample::sample()
    }
}
