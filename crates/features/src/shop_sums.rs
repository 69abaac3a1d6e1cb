//! What did customers do with products and promotions, added up part by part?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame, Value};
use tercet_types::Result;

use crate::promotion_buyers::{PromotionsOf, promotion_buyers};
use crate::statement::{Statement, create_all, statement};

/// What is counted of some customers, and the statement that adds up the rows of several parts of them: nobody is in
/// two.
struct Sum {
    table: &'static str,
    /// The statement over some customers; none for what is [folded](promotion_buyers).
    of_part: Option<&'static str>,
    together: &'static str,
}

macro_rules! sum {
    ($table:literal, $of_part:expr) => {
        Sum {
            table: $table,
            of_part: $of_part,
            together: include_str!(concat!("../sql/shop/together/", $table, ".sql")),
        }
    };
    ($table:literal) => {
        sum!($table, Some(include_str!(concat!("../sql/shop/", $table, ".sql"))))
    };
}

/// What most of them are counted of.
const CUSTOMERS: Statement = statement!("product_customers", "shop/product_customers");

const SUMS: [Sum; 5] = [
    sum!("product_paid"),
    sum!("product_intervals"),
    sum!("product_buyers"),
    sum!("product_redeemed"),
    sum!("promotion_buyers", None),
];

/// Rows that are added up when more have come together.
const ROWS_MAX: usize = 1 << 20;

/// What is counted of some customers, in the order of the sums.
pub(crate) type PartSums = Vec<Frame>;

/// Counts the customers that are registered. Needs [`index_customers`](crate::index_customers).
pub(crate) fn part_sums(
    engine: &Engine,
    values: &BTreeMap<String, Value>,
    promotions_of: &PromotionsOf,
) -> Result<PartSums> {
    create_all(engine, &[CUSTOMERS], values)?;
    let counted = SUMS.iter().map(|sum| {
        let found = match sum.of_part {
            Some(statement) => engine.query(statement, values),
            None => promotion_buyers(engine, values, promotions_of),
        };
        found.map_err(|error| error.context(sum.table))
    });
    let sums = counted.collect::<Result<PartSums>>()?;
    engine.forget(CUSTOMERS.table)?;
    Ok(sums)
}

/// The sums of the parts so far.
#[derive(Default)]
pub(crate) struct ShopSums {
    parts: [Vec<Frame>; SUMS.len()],
}

impl ShopSums {
    /// Adds what was counted of another part.
    pub(crate) fn add(&mut self, engine: &Engine, sums: PartSums) -> Result<()> {
        for ((sum, parts), of_part) in SUMS.iter().zip(&mut self.parts).zip(sums) {
            parts.push(of_part);
            if parts.iter().map(Frame::rows).sum::<usize>() > ROWS_MAX {
                *parts = vec![together(engine, sum, parts)?];
            }
        }
        Ok(())
    }

    /// Registers the sums of all parts.
    pub(crate) fn register(&self, engine: &Engine) -> Result<()> {
        for (sum, parts) in SUMS.iter().zip(&self.parts) {
            let all = match parts.as_slice() {
                [only] => only.clone(),
                parts => together(engine, sum, parts)?,
            };
            engine.register(sum.table, &all)?;
        }
        Ok(())
    }
}

fn together(engine: &Engine, sum: &Sum, parts: &[Frame]) -> Result<Frame> {
    engine.register(sum.table, &Frame::stacked(parts)?)?;
    engine.query(sum.together, &BTreeMap::new()).map_err(|error| error.context(sum.table))
}
