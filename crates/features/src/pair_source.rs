//! How are the features of customers with promotions made, some customers at a time?

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;
use tercet_engine::{Engine, Frame, Value};
use tercet_types::{Date, Result};

use crate::Settings;
use crate::as_of::AsOf;
use crate::bought::Bought;
use crate::cross::{Fold, Past, Reach, nothing_known};
use crate::history::Habits;
use crate::looked::Looked;
use crate::pair_block::{ModelColumns, Offered, PairBlock};
use crate::pair_features::{CROSS_FEATURES, CUSTOMER_FEATURES, MODEL_PLACES, PROMOTION_FEATURES};
use crate::pairs::{ascending, scope};
use crate::sorted::Sorted;
use crate::statement::{Statement, create, statement};

const WEIGHTS: Statement = statement!("day_weights", "pair/day_weights");
const ACTIVE: Statement = statement!("active", "pair/active");
/// Eligible products of the week to decide.
const SCOPE: Statement = statement!("scope_products", "pair/scope_products");
/// Products of promotions on a past Monday.
pub(crate) const LESSON_SCOPE: Statement = statement!("scope_products", "pair/lesson_products");

/// What is made once a day, after [`WEIGHTS`], [`ACTIVE`] and a scope.
const SALES: Statement = statement!("product_sales", "pair/product_sales");
const LEVELS: Statement = statement!("promotion_levels", "pair/promotion_levels");
const MEDIANS: Statement = statement!("type_medians", "pair/type_medians");
const DEMAND: Statement = statement!("pair_demand", "pair/promotion_demand");

const DEMAND_COLUMNS: [&str; 6] =
    ["breadth", "buyers_4w", "buyers_12w", "new_buyers_4w", "lines_12w", "amount_12w_minor"];
const CODES: &str = "product_codes";

/// What is read of some customers.
const LINES: Statement = statement!("pair_lines", "pair/lines");
const LOOKS: Statement = statement!("pair_looks", "pair/looks");

/// Customers that a thread folds at a time.
const FOLDED: usize = 64;

/// What the features of a day's pairs are made from: what hangs on promotions alone is made once, then customers
/// are asked for in parts.
pub struct PairSource {
    values: BTreeMap<String, Value>,
    offered: Offered,
    reach: Reach,
    day: AsOf,
}

impl PairSource {
    /// For the given promotions, as of a day. Eligible products are those that
    /// [`build_master`](crate::build_master) left registered; the as-of day may be an earlier one.
    ///
    /// # Errors
    /// `T0301` for settings out of range; the engine's own.
    pub fn new(
        engine: &Engine,
        as_of: Date,
        settings: &Settings,
        promotions: &[i32],
    ) -> Result<Self> {
        Self::of_scope(engine, as_of, settings, promotions, &SCOPE)
    }

    /// For the promotions' products as the statement `products` has them.
    pub(crate) fn of_scope(
        engine: &Engine,
        as_of: Date,
        settings: &Settings,
        promotions: &[i32],
        products: &Statement,
    ) -> Result<Self> {
        settings.validate()?;
        let values: BTreeMap<String, Value> = settings.params(as_of);
        let promotions = ascending(promotions);
        scope(engine, "pair_scope", "promotion_ix", &promotions)?;
        let weights = create(engine, &WEIGHTS, &values)?;
        let active = create(engine, &ACTIVE, &values)?;
        let products = create(engine, products, &values)?;
        let sales = create(engine, &SALES, &values)?;
        let levels = create(engine, &LEVELS, &values)?;
        let medians = create(engine, &MEDIANS, &values)?;
        let demand = Sorted::single(
            &engine.query(DEMAND.sql, &values).map_err(|error| error.context(DEMAND.table))?,
            "promotion_ix",
            &DEMAND_COLUMNS,
        )?;
        let offered = offered(promotions, &products, &demand, active.rows())?;
        // Of promotions of a group the first stands for all.
        let mut stand_in = vec![None; offered.groups()];
        for (promotion, group) in offered.promotion_ix.iter().zip(&offered.group_of).rev() {
            stand_in[*group as usize] = Some(*promotion);
        }
        let reach = Reach::new(&products, &levels, &sales, offered.groups(), |promotion| {
            let group = offered.group_of[offered.place(promotion)?];
            (stand_in[group as usize] == Some(promotion)).then_some(group)
        })?;
        let codes = engine.table(CODES)?;
        let day = AsOf::new(as_of, &weights, &products, &codes, &levels, &medians)?;
        Ok(Self { values, offered, reach, day })
    }

    /// The promotions and what hangs on them alone.
    pub fn offered(&self) -> &Offered {
        &self.offered
    }

    /// Reads what the given customers bought and looked at: in memory until the part is dropped, in proportion to both;
    /// while it is read, the lines and looks of all customers that are registered.
    ///
    /// # Errors
    /// The engine's own.
    pub fn part(&self, engine: &Engine, customers: &[i32]) -> Result<PairPart<'_>> {
        let customers = ascending(customers);
        let rows = |of: &Statement| {
            engine.query(of.sql, &self.values).map_err(|error| error.context(of.table))
        };
        let bought = Bought::read(&customers, &rows(&LINES)?)?;
        let looked = Looked::read(&customers, &rows(&LOOKS)?)?;
        Ok(PairPart { source: self, customers, past: Past { bought, looked } })
    }
}

/// Lets go of the tables of customers that only [`PairSource::new`] reads, when these customers are no longer those
/// that are registered: its parts read lines and looks alone.
///
/// # Errors
/// The engine's own.
pub fn forget_days(engine: &Engine) -> Result<()> {
    let tables = ["orders", "product_days", "maker_type_days", "type_days"];
    tables.into_iter().try_for_each(|table| engine.forget(table))
}

fn offered(
    promotion_ix: Vec<i32>,
    products: &Frame,
    demand: &Sorted,
    active: usize,
) -> Result<Offered> {
    let mut covered: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
    for (promotion, product) in
        products.i32("promotion_ix")?.into_iter().zip(products.i32("product_ix")?)
    {
        covered.entry(promotion).or_default().push(product as u32);
    }
    let mut groups: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
    let mut found = Offered::default();
    let mut demand = demand.walk();
    for &promotion in &promotion_ix {
        let mut list = covered.remove(&promotion).unwrap_or_default();
        list.sort_unstable();
        list.dedup();
        let next = groups.len() as u32;
        let group = *groups.entry(list.clone()).or_insert(next);
        if group == next {
            found.group_products.push(list);
        }
        found.group_of.push(group);
        found.values.extend(of_promotion(demand.at([promotion, 0]), active as f64));
    }
    found.promotion_ix = promotion_ix;
    Ok(found)
}

/// In the order of [`PAIR_FEATURES`](crate::PAIR_FEATURES); `row` has [`DEMAND_COLUMNS`].
fn of_promotion(row: Option<&[f64]>, active: f64) -> [f32; PROMOTION_FEATURES] {
    let demand = |place: usize| row.map_or(0.0, |row| row[place]);
    let active = active.max(1.0);
    [
        demand(5) / demand(4).max(1.0),
        demand(4) / demand(2).max(1.0),
        demand(0),
        demand(2) / active,
        demand(1) / active,
        demand(3) / active,
    ]
    .map(|value| value as f32)
}

/// In the order of [`PAIR_FEATURES`](crate::PAIR_FEATURES).
fn of_customer(habits: Option<Habits>) -> [f32; CUSTOMER_FEATURES] {
    let Some(habits) = habits else { return [f32::NAN; CUSTOMER_FEATURES] };
    let orders = habits.orders_12w as f64;
    [
        if orders > 0.0 { habits.amount_12w_minor as f64 / orders } else { f64::NAN },
        orders,
        habits.new_products_4w as f64 / (habits.products_4w as f64).max(1.0),
        habits.tenure_days.map_or(f64::NAN, f64::from),
    ]
    .map(|value| value as f32)
}

/// What some customers bought and looked at, ready to be folded.
pub struct PairPart<'a> {
    source: &'a PairSource,
    customers: Vec<i32>,
    past: Past,
}

impl PairPart<'_> {
    /// The customers, ascending.
    pub fn customers(&self) -> &[i32] {
        &self.customers
    }

    /// The features of the customers at some places, on all threads; the same bits on any number of them.
    ///
    /// `models` says what models add, by the place in the block; without it these features are NaN.
    pub fn block(&self, places: Range<usize>, models: Option<ModelColumns<'_>>) -> PairBlock {
        let mut otherwise = nothing_known();
        if models.is_some() {
            MODEL_PLACES.iter().for_each(|place| otherwise[*place] = 0.0);
        }
        let pieces: Vec<PairBlock> = places
            .clone()
            .step_by(FOLDED)
            .collect::<Vec<usize>>()
            .into_par_iter()
            .map_init(
                || Fold::new(&self.source.reach, &self.source.day, &self.past),
                |fold, first| {
                    let mut piece = PairBlock::empty(otherwise);
                    let end = (first + FOLDED).min(places.end);
                    (first..end).for_each(|place| {
                        let models = models.map(|models| (models, place - places.start));
                        self.customer(fold, place, models, &mut piece);
                    });
                    piece
                },
            )
            .collect();
        let mut block = PairBlock::empty(otherwise);
        pieces.iter().for_each(|piece| block.append(piece));
        block
    }

    fn customer(
        &self,
        fold: &mut Fold<'_>,
        place: usize,
        models: Option<(ModelColumns<'_>, usize)>,
        piece: &mut PairBlock,
    ) {
        let customer = self.customers[place];
        piece.customer_ix.push(customer);
        piece.customers.extend(of_customer(fold.look(place)));
        let PairBlock { groups, cross, otherwise, .. } = piece;
        let mut push = |group: u32, row: &[f32; CROSS_FEATURES]| {
            groups.push(group);
            cross.extend_from_slice(row);
        };
        let Some((models, in_block)) = models else {
            fold.customer(|group, row| push(group, &row));
            piece.starts.push(piece.groups.len());
            return;
        };
        // Groups of which only the models have something to say stand between those of the fold.
        let mut next = 0;
        let said = |row: &mut [f32; CROSS_FEATURES], group: u32| -> bool {
            let columns = models(in_block, group);
            MODEL_PLACES.iter().zip(columns).for_each(|(place, value)| row[*place] = value);
            columns.iter().any(|value| *value != 0.0)
        };
        let between = |from: u32, to: u32, push: &mut dyn FnMut(u32, &[f32; CROSS_FEATURES])| {
            for group in from..to {
                let mut row = *otherwise;
                if said(&mut row, group) {
                    push(group, &row);
                }
            }
        };
        fold.customer(|group, mut row| {
            between(next, group, &mut push);
            said(&mut row, group);
            push(group, &row);
            next = group + 1;
        });
        between(next, self.source.offered.groups() as u32, &mut push);
        piece.starts.push(piece.groups.len());
    }
}
