//! How does a customer stand to a promotion, as of a day?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame, Value};
use tercet_types::{Date, Error, Result};

use crate::Settings;
use crate::cross::{Cross, Inputs, affinity, own};
use crate::pair_features::{PAIR_FEATURES, column};
use crate::sorted::Sorted;
use crate::statement::{Statement, create, create_all, statement};

const WEIGHTS: Statement = statement!("day_weights", "pair/day_weights");
const ACTIVE: Statement = statement!("active", "pair/active");
/// Eligible products of the week to decide.
const SCOPE: Statement = statement!("scope_products", "pair/scope_products");
/// Products of promotions on a past Monday.
pub(crate) const LESSON_SCOPE: Statement = statement!("scope_products", "pair/lesson_products");

/// What the pair features are made from, after [`WEIGHTS`], [`ACTIVE`] and [`SCOPE`]: sales first.
const SALES: Statement = statement!("product_sales", "pair/product_sales");
const LEVELS: Statement = statement!("promotion_levels", "pair/promotion_levels");
const MAKER_TYPES: Statement = statement!("customer_maker_type", "pair/customer_maker_type");
const TYPES: Statement = statement!("customer_type", "pair/customer_type");
const PAST: Statement = statement!("pair_past", "pair/past");
const DEMAND: Statement = statement!("pair_demand", "pair/promotion_demand");
const HABITS: Statement = statement!("pair_habits", "pair/customers");
const CATEGORY: Statement = statement!("pair_category", "pair/category_scope");

/// Millionths, as the statements count decayed sums.
const MICRO: f64 = 1e6;

/// The most pairs one call makes: 2^27 rows of features are 16 GB.
const PAIRS_MAX: usize = 1 << 27;

/// Pairs of customer and promotion with their features, sorted by customer, then promotion.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    /// The customer of each row.
    pub customer_ix: Vec<i32>,
    /// The promotion of each row.
    pub promotion_ix: Vec<i32>,
    /// Features, row after row: `rows × PAIR_FEATURES.len()`; missing is NaN.
    pub values: Vec<f32>,
}

impl Pairs {
    /// Number of pairs.
    pub fn rows(&self) -> usize {
        self.customer_ix.len()
    }

    /// The features of one row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * PAIR_FEATURES.len()..(row + 1) * PAIR_FEATURES.len()]
    }

    /// Sets a feature of every row from its customer and promotion; NaN says unknown.
    ///
    /// # Errors
    /// `T0305` when there is no feature of that name.
    pub fn fill(&mut self, name: &str, value: impl Fn(i32, i32) -> f32) -> Result<()> {
        let place = column(name).ok_or_else(|| {
            Error::internal("T0305", format!("there is no pair feature '{name}'"))
        })?;
        let rows = self.values.chunks_exact_mut(PAIR_FEATURES.len());
        for ((row, &customer), &promotion) in rows.zip(&self.customer_ix).zip(&self.promotion_ix) {
            row[place] = value(customer, promotion);
        }
        Ok(())
    }
}

/// The features of every given customer with every given promotion, as of a day. Eligible products are those
/// that [`build_master`](crate::build_master) left registered; the as-of day may be an earlier one.
///
/// # Errors
/// `T0301` for settings out of range; `T0306` for more than 2^27 pairs; the engine's own.
pub fn pairs(
    engine: &Engine,
    as_of: Date,
    settings: &Settings,
    customers: &[i32],
    promotions: &[i32],
) -> Result<Pairs> {
    let (customers, promotions) = (ascending(customers), ascending(promotions));
    let rows = customers.len() * promotions.len();
    if rows > PAIRS_MAX {
        return Err(Error::config("T0306", format!("{rows} pairs are more than {PAIRS_MAX}"))
            .hint("score customers in smaller parts, or offer fewer promotions"));
    }
    let parts = Parts::new(engine, as_of, settings, &customers, &promotions, &SCOPE)?;
    let all = customers.iter().flat_map(|&c| promotions.iter().map(move |&p| (c, p)));
    Ok(parts.gather(all))
}

/// How close customers are to promotions' categories, by buying and by browsing: one row per customer and
/// promotion with any, sorted. Needs [`build_master`](crate::build_master) as of the same day.
///
/// Columns: `customer_ix`, `promotion_ix`, `propensity_micro` (millionths, 0 to 1), `events_micro` and
/// `product_events_micro` (views, decayed, millionths), `last_order_days`, `last_event_days`, `last_visit_days`
/// (null where there is none).
///
/// # Errors
/// The engine's own.
pub fn category_pairs(
    engine: &Engine,
    as_of: Date,
    settings: &Settings,
    promotions: &[i32],
) -> Result<Frame> {
    settings.validate()?;
    let values = settings.params(as_of);
    scope(engine, "pair_scope", "promotion_ix", &ascending(promotions))?;
    create_all(engine, &[WEIGHTS, SCOPE], &values)?;
    engine.query(CATEGORY.sql, &values).map_err(|error| error.context(CATEGORY.table))
}

pub(crate) fn ascending(numbers: &[i32]) -> Vec<i32> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

pub(crate) fn scope(engine: &Engine, table: &str, column: &str, numbers: &[i32]) -> Result<()> {
    engine.register(table, &Frame::of(vec![(column, numbers.to_vec().into())])?)
}

/// The tables of a day that a pair's features are gathered from.
pub(crate) struct Parts {
    active: f64,
    cross: Cross,
    demand: Sorted,
    habits: Sorted,
}

impl Parts {
    pub(crate) fn new(
        engine: &Engine,
        as_of: Date,
        settings: &Settings,
        customers: &[i32],
        promotions: &[i32],
        products: &Statement,
    ) -> Result<Self> {
        settings.validate()?;
        let values: BTreeMap<String, Value> = settings.params(as_of);
        scope(engine, "pair_customers", "customer_ix", customers)?;
        scope(engine, "pair_scope", "promotion_ix", promotions)?;
        create(engine, &WEIGHTS, &values)?;
        let active = create(engine, &ACTIVE, &values)?;
        let scope = create(engine, products, &values)?;
        let sales = create(engine, &SALES, &values)?;
        let levels = create(engine, &LEVELS, &values)?;
        let maker_types = create(engine, &MAKER_TYPES, &values)?;
        let run = |statement: &Statement| {
            engine.query(statement.sql, &values).map_err(|error| error.context(statement.table))
        };
        let types = create(engine, &TYPES, &values)?;
        let past = run(&PAST)?;
        let inputs = Inputs {
            past: &past,
            types: &types,
            maker_types: &maker_types,
            sales: &sales,
            levels: &levels,
            scope: &scope,
        };
        Ok(Self {
            active: active.rows() as f64,
            cross: Cross::new(customers, &inputs)?,
            demand: Sorted::single(
                &run(&DEMAND)?,
                "promotion_ix",
                &[
                    "breadth",
                    "buyers_4w",
                    "buyers_12w",
                    "new_buyers_4w",
                    "lines_12w",
                    "amount_12w_minor",
                ],
            )?,
            habits: Sorted::single(
                &run(&HABITS)?,
                "customer_ix",
                &[
                    "orders_12w",
                    "amount_12w_minor",
                    "tenure_days",
                    "products_4w",
                    "new_products_4w",
                ],
            )?,
        })
    }

    /// The rows of ascending (customer, promotion) pairs.
    pub(crate) fn gather(&self, pairs: impl Iterator<Item = (i32, i32)>) -> Pairs {
        let mut found = Pairs::default();
        let (mut own, mut affinity) = (self.cross.own.walk(), self.cross.affinity.walk());
        let (mut demand, mut habits) = (self.demand.walk(), self.habits.walk());
        for (customer, promotion) in pairs {
            let key = [customer, promotion];
            found.customer_ix.push(customer);
            found.promotion_ix.push(promotion);
            let row = Row {
                own: own.at(key),
                affinity: affinity.at(key),
                demand: demand.at([promotion, 0]),
                habits: habits.at([customer, 0]),
                active: self.active,
            };
            found.values.extend(row.features().map(|value| value as f32));
        }
        found
    }

    /// True when the customer bought of the promotion's product types before.
    pub(crate) fn is_affine(row: Option<&[f64]>) -> bool {
        row.is_some_and(|row| row[affinity::TYPE_MICRO] > 0.0)
    }

    pub(crate) fn affinity(&self) -> &Sorted {
        &self.cross.affinity
    }
}

/// What the tables say about one pair, in the order of the columns read; `None` where they have no row.
struct Row<'a> {
    own: Option<&'a [f64]>,
    affinity: Option<&'a [f64]>,
    demand: Option<&'a [f64]>,
    habits: Option<&'a [f64]>,
    active: f64,
}

impl Row<'_> {
    /// In the order of [`PAIR_FEATURES`].
    fn features(&self) -> [f64; PAIR_FEATURES.len()] {
        let own = |place: usize| self.own.map_or(0.0, |row| row[place]);
        let own_or_nan = |place: usize| self.own.map_or(f64::NAN, |row| row[place]);
        let affinity = |place: usize| self.affinity.map_or(0.0, |row| row[place] / MICRO);
        let demand = |place: usize| self.demand.map_or(0.0, |row| row[place]);
        let habits = |place: usize| self.habits.map_or(f64::NAN, |row| row[place]);
        let (age_days, interval_days) = (own_or_nan(own::AGE_DAYS), own_or_nan(own::INTERVAL_DAYS));
        let active = self.active.max(1.0);
        [
            own(own::DAYS),
            own(own::V180_MICRO) / MICRO,
            own(own::V60_MICRO) / MICRO,
            own(own::N60_MICRO) / MICRO,
            own(own::N180_MICRO) / MICRO,
            own(own::N14_MICRO) / MICRO,
            age_days,
            // f64::max would turn a missing interval into one day.
            if interval_days.is_nan() { f64::NAN } else { age_days / interval_days.max(1.0) },
            interval_days,
            f64::NAN,
            f64::NAN,
            f64::NAN,
            f64::NAN,
            f64::NAN,
            f64::NAN,
            affinity(affinity::MAKER_TYPE_MICRO),
            affinity(affinity::MAKER_MICRO),
            affinity(affinity::TYPE_MICRO),
            affinity(affinity::DUE_MICRO),
            affinity(affinity::TYPE_MICRO) - own(own::OWNED_MICRO) / MICRO,
            affinity(affinity::CATEGORY_MICRO),
            f64::NAN,
            demand(5) / demand(4).max(1.0),
            demand(4) / demand(2).max(1.0),
            demand(0),
            demand(2) / active,
            demand(1) / active,
            demand(3) / active,
            ratio(habits(1), habits(0)),
            habits(0),
            habits(4) / habits(3).max(1.0),
            habits(2),
        ]
    }
}

/// NaN over nothing.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { f64::NAN }
}
