//! Who is measured, and what were they offered?
//!
//! Arms are read from the log of assignment and never computed again, and offers from the decision logs of the runs.

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame, Value, params};
use tercet_types::{Date, Result};

const SENT: &str = include_str!("../sql/outcome/sent.sql");
const HERE: &str = include_str!("../sql/outcome/here.sql");
const SHARES: &str = include_str!("../sql/outcome/shares.sql");
const UNITS: &str = include_str!("../sql/outcome/units.sql");
const EVERYBODY: &str = include_str!("../sql/outcome/everybody.sql");
const OFFERED: &str = include_str!("../sql/outcome/offered.sql");

/// Which campaign is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitsAsk {
    /// Its first Monday.
    pub first_day: Date,
    /// The first day behind it.
    pub campaign_until: Date,
    /// The engine test whose arms are read as well; none is empty.
    pub experiment: String,
    /// The number of the first unit.
    pub first_unit: i64,
}

/// The share of the arm that grows, control or test.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// `holdout`, or the engine test.
    pub experiment: String,
    /// Customers assigned.
    pub customers: u64,
    /// Customers whom a larger share moved in the campaign.
    pub moved: u64,
    /// The largest share planned.
    pub share: f64,
    /// The first bucket that was moved.
    pub first_moved_bucket: Option<i64>,
}

/// The decisions of a run that sent something, from the `run_decisions` that are registered.
///
/// # Errors
/// The engine's own.
pub fn sent_in_run(engine: &Engine) -> Result<Frame> {
    engine.query(SENT, &BTreeMap::new())
}

/// Keeps the rows of the registered `assignments` that are of customers of the registered canonical tables: of a part
/// of the shop, and not of visitors who have become customers since, or of customers who were erased.
///
/// # Errors
/// The engine's own.
pub fn keep_assigned_here(engine: &Engine) -> Result<()> {
    let here = engine.query(HERE, &BTreeMap::new())?;
    engine.register("assignments", &here)
}

/// The planned shares of the registered `assignments`.
///
/// # Errors
/// The engine's own.
pub fn planned_shares(engine: &Engine, ask: &UnitsAsk) -> Result<Vec<Share>> {
    let found = engine.query(SHARES, &ask.params())?;
    let (customers, moved) = (found.i64("customers")?, found.i64("moved")?);
    let share = found.f64("share")?;
    let buckets = found.i64_or_null("first_moved_bucket")?;
    let rows = found.text("experiment")?.into_iter().enumerate();
    Ok(rows
        .map(|(row, experiment)| Share {
            experiment,
            customers: customers[row] as u64,
            moved: moved[row] as u64,
            share: share[row],
            first_moved_bucket: buckets[row],
        })
        .collect())
}

/// Registers `units` from the registered `assignments` and `customers`, and returns them: the columns of the table
/// `units`, then `entered_day` and `first_order_on`.
///
/// # Errors
/// The engine's own.
pub fn register_units(engine: &Engine, ask: &UnitsAsk) -> Result<Frame> {
    let units = engine.query(UNITS, &ask.params())?;
    engine.register("units", &units)?;
    Ok(units)
}

/// Registers `outcome_offers` from the registered `run_decisions` and `units`, and returns them with the `arm` of
/// their unit.
///
/// # Errors
/// The engine's own.
pub fn register_offers(engine: &Engine, ask: &UnitsAsk) -> Result<Frame> {
    let offers = engine.query(OFFERED, &ask.params())?;
    engine.register("outcome_offers", &offers)?;
    Ok(offers)
}

/// Registers everybody as `units`, without offers, to see what customers do by themselves before `until`. Returns how
/// many they are.
///
/// # Errors
/// The engine's own.
pub fn register_everybody(engine: &Engine, until: Date) -> Result<usize> {
    let values = params([("until_day", Value::I64(i64::from(until.days())))]);
    let everybody = engine.query(EVERYBODY, &values)?;
    engine.register("units", &everybody)?;
    let (no_units, no_days): (Vec<i32>, Vec<i64>) = (Vec::new(), Vec::new());
    let none = Frame::of(vec![
        ("unit", no_units.clone().into()),
        ("week", no_units.into()),
        ("promotion_id", Vec::<String>::new().into()),
        ("from_day", no_days.clone().into()),
        ("to_day", no_days.into()),
    ])?;
    engine.register("outcome_offers", &none)?;
    Ok(everybody.rows())
}

impl UnitsAsk {
    fn params(&self) -> BTreeMap<String, Value> {
        params([
            ("first_day", Value::I64(i64::from(self.first_day.days()))),
            ("campaign_from", Value::Date(self.first_day)),
            ("campaign_until_day", Value::I64(i64::from(self.campaign_until.days()))),
            ("experiment", Value::Text(self.experiment.clone())),
            ("first_unit", Value::I64(self.first_unit)),
        ])
    }
}
