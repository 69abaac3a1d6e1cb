//! How many customers bought into a promotion's products lately?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame, Value};
use tercet_types::Result;

use crate::statement::{Statement, statement};

const RECENT: Statement = statement!("recent_buyers", "shop/recent_buyers");

/// Days of the windows that buyers are counted in: four, eight and twelve weeks.
const WINDOWS: [i32; 3] = [28, 56, 84];

/// The promotions that each product counts for, as of a day.
#[derive(Default)]
pub(crate) struct PromotionsOf {
    starts: Vec<usize>,
    promotions: Vec<i32>,
}

impl PromotionsOf {
    /// Reads `eligible_products`.
    pub(crate) fn read(engine: &Engine) -> Result<Self> {
        let eligible = engine.table("eligible_products")?;
        let products = eligible.i32("product_ix")?;
        let mut pairs: Vec<(i32, i32)> =
            products.into_iter().zip(eligible.i32("promotion_ix")?).collect();
        pairs.sort_unstable();
        let count = pairs.last().map_or(0, |(product, _)| *product as usize + 1);
        let start =
            |product: usize| pairs.partition_point(|(known, _)| (*known as usize) < product);
        let starts = (0..=count).map(start).collect();
        Ok(Self { starts, promotions: pairs.into_iter().map(|(_, promotion)| promotion).collect() })
    }

    fn of(&self, product: i32) -> &[i32] {
        match self.starts.get(product as usize..product as usize + 2) {
            Some(&[from, to]) => &self.promotions[from..to],
            _ => &[],
        }
    }
}

/// One row per promotion with a sale in twelve weeks, of the customers that are registered: `promotion_ix`,
/// `buyers_4w`, `buyers_8w`, `buyers_12w`.
///
/// A join of purchases with the products of all promotions would have a row for each of a customer's products and
/// each of its promotions: it is folded customer by customer.
pub(crate) fn promotion_buyers(
    engine: &Engine,
    values: &BTreeMap<String, Value>,
    promotions_of: &PromotionsOf,
) -> Result<Frame> {
    let rows = engine.query(RECENT.sql, values).map_err(|error| error.context(RECENT.table))?;
    let (customers, products) = (rows.i32("customer_ix")?, rows.i32("product_ix")?);
    let ages = rows.i32("age_days")?;
    let count = promotions_of.promotions.iter().max().map_or(0, |most| *most as usize + 1);
    let mut buyers = vec![[0_i64; WINDOWS.len()]; count];
    // Of the customer at hand: the least age by promotion, and the promotions that have one.
    let (mut youngest, mut touched) = (vec![i32::MAX; count], Vec::new());
    let mut row = 0;
    for of_customer in customers.chunk_by(|one, other| one == other) {
        for (product, age) in products[row..].iter().zip(&ages[row..]).take(of_customer.len()) {
            for &promotion in promotions_of.of(*product) {
                let least = &mut youngest[promotion as usize];
                if *least == i32::MAX {
                    touched.push(promotion as usize);
                }
                *least = (*least).min(*age);
            }
        }
        row += of_customer.len();
        for promotion in touched.drain(..) {
            let age = std::mem::replace(&mut youngest[promotion], i32::MAX);
            for (count, days) in buyers[promotion].iter_mut().zip(WINDOWS) {
                *count += i64::from(age <= days);
            }
        }
    }
    let sold: Vec<usize> = (0..count).filter(|promotion| buyers[*promotion][2] > 0).collect();
    let of = |window: usize| -> Vec<i64> { sold.iter().map(|at| buyers[*at][window]).collect() };
    Frame::of(vec![
        ("promotion_ix", sold.iter().map(|at| *at as i32).collect::<Vec<_>>().into()),
        ("buyers_4w", of(0).into()),
        ("buyers_8w", of(1).into()),
        ("buyers_12w", of(2).into()),
    ])
}
