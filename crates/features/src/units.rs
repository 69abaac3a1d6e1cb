//! Who is measured, and what were they offered?
//!
//! Arms are read from the log of assignment and never computed again, and offers from the decision logs of the runs.

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame, Value, params};
use tercet_types::{Date, Result};

const SENT: &str = include_str!("../sql/outcome/sent.sql");
const HERE: &str = include_str!("../sql/outcome/here.sql");
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
    /// The plan of the holdout.
    pub holdout: PlanOf,
    /// The engine test whose arms are read as well, and its plan.
    pub test: Option<(String, PlanOf)>,
    /// The number of the first unit.
    pub first_unit: i64,
}

/// Whose plan is measured: customers with this share who were assigned before a larger one came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanOf {
    /// The share that is logged of them.
    pub share: f64,
    /// The day of the larger share; none where there was none in the campaign.
    pub raised_on: Option<Date>,
}

/// What a run sent to the registered `units`, from the `run_decisions` that are registered.
///
/// # Errors
/// The engine's own.
pub fn sent_in_run(engine: &Engine) -> Result<Frame> {
    engine.query(SENT, &BTreeMap::new())
}

/// Keeps the rows of the registered `assignments` that are of customers of the registered canonical tables: of a part
/// of the shop, and not of visitors who have become customers since, or of customers who were erased. Returns how many
/// of an experiment they are.
///
/// # Errors
/// The engine's own.
pub fn keep_assigned_here(engine: &Engine, experiment: &str) -> Result<u64> {
    let here = engine.query(HERE, &BTreeMap::new())?;
    engine.register("assignments", &here)?;
    let (rows, names) = here.codes("experiment")?;
    let place = names.iter().position(|name| name == experiment).map(|place| place as u32);
    Ok(rows.iter().filter(|row| row.is_some() && **row == place).count() as u64)
}

/// Registers `units` from the registered `assignments` and `customers`, and returns them: the columns of the table
/// `units`, then `entered_day`.
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

/// A day that no run reaches.
const NEVER: Date = Date::from_days(i32::MAX / 400);

impl UnitsAsk {
    fn params(&self) -> BTreeMap<String, Value> {
        // No experiment has no name.
        let none = PlanOf { share: 0.0, raised_on: None };
        let (name, test) =
            self.test.as_ref().map_or(("", none), |(name, plan)| (name.as_str(), *plan));
        params([
            ("first_day", Value::I64(i64::from(self.first_day.days()))),
            ("campaign_from", Value::Date(self.first_day)),
            ("campaign_until_day", Value::I64(i64::from(self.campaign_until.days()))),
            ("holdout_share", Value::F64(self.holdout.share)),
            ("holdout_raised_on", Value::Date(self.holdout.raised_on.unwrap_or(NEVER))),
            ("experiment", Value::Text(name.to_owned())),
            ("test_share", Value::F64(test.share)),
            ("test_raised_on", Value::Date(test.raised_on.unwrap_or(NEVER))),
            ("first_unit", Value::I64(self.first_unit)),
        ])
    }
}
