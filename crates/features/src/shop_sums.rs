//! What did customers do with products and promotions, added up part by part?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame, Value};
use tercet_types::Result;

use crate::statement::Statement;

/// A statement over some customers, and the one that adds up the rows of several parts of them: nobody is in two.
struct Sum {
    of_part: Statement,
    together: &'static str,
}

macro_rules! sum {
    ($table:literal) => {
        Sum {
            of_part: Statement {
                table: $table,
                sql: include_str!(concat!("../sql/shop/", $table, ".sql")),
            },
            together: include_str!(concat!("../sql/shop/together/", $table, ".sql")),
        }
    };
}

const SUMS: [Sum; 5] = [
    sum!("product_paid"),
    sum!("product_intervals"),
    sum!("product_buyers"),
    sum!("product_redeemed"),
    sum!("promotion_buyers"),
];

/// Rows that are added up when more have come together.
const ROWS_MAX: usize = 1 << 20;

/// The sums of the parts so far.
#[derive(Default)]
pub(crate) struct ShopSums {
    parts: [Vec<Frame>; SUMS.len()],
}

impl ShopSums {
    /// Adds the customers that are registered. Needs [`index_days`](crate::index_days) and `eligible_products`.
    pub(crate) fn add(&mut self, engine: &Engine, values: &BTreeMap<String, Value>) -> Result<()> {
        for (sum, parts) in SUMS.iter().zip(&mut self.parts) {
            let found = engine.query(sum.of_part.sql, values);
            parts.push(found.map_err(|error| error.context(sum.of_part.table))?);
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
            engine.register(sum.of_part.table, &all)?;
        }
        Ok(())
    }
}

fn together(engine: &Engine, sum: &Sum, parts: &[Frame]) -> Result<Frame> {
    engine.register(sum.of_part.table, &Frame::stacked(parts)?)?;
    engine.query(sum.together, &BTreeMap::new()).map_err(|error| error.context(sum.of_part.table))
}
