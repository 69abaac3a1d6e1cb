//! What did a customer buy and bring back?
//!
//! Lines are sorted to customers once; what they add up to is found customer by customer, when it is asked for
//! (`history.rs`): as statements, it took groups, joins and sorts of millions of rows.

use tercet_engine::Frame;
use tercet_types::Result;

use crate::by_customer::rows_of;

/// A line of an order, or one brought back.
pub(crate) struct Line {
    pub(crate) day: i32,
    pub(crate) order: i32,
    /// What is brought back may name none.
    pub(crate) product: Option<u32>,
    pub(crate) is_sale: bool,
    /// So much of it that its amount says nothing about a basket.
    pub(crate) is_bulk: bool,
    pub(crate) amount_minor: i64,
}

/// What some customers bought: the lines of each, by day, then order.
pub(crate) struct Bought {
    starts: Vec<usize>,
    lines: Vec<Line>,
}

impl Bought {
    /// Of ascending `customers`, from `pair/lines.sql`.
    ///
    /// # Errors
    /// The engine's own, for a column that is not there.
    pub(crate) fn read(customers: &[i32], lines: &Frame) -> Result<Self> {
        let (starts, rows) = rows_of(customers, &lines.i32("customer_ix")?);
        let (days, orders) = (lines.i32("day")?, lines.i32("order_ix")?);
        let (products, sales) = (lines.i32("product_ix")?, lines.i64("is_sale")?);
        let (amounts, bulk) = (lines.i64("amount_minor")?, lines.bool_or_null("is_bulk")?);
        let line = |row: &u32| {
            let row = *row as usize;
            Line {
                day: days[row],
                order: orders[row],
                product: u32::try_from(products[row]).ok(),
                is_sale: sales[row] == 1,
                is_bulk: bulk[row] == Some(true),
                amount_minor: amounts[row],
            }
        };
        let mut lines: Vec<Line> = rows.iter().map(line).collect();
        // The table has this order; pieces of it read side by side may not.
        for bounds in starts.windows(2) {
            let own = &mut lines[bounds[0]..bounds[1]];
            if !own.is_sorted_by_key(|line| (line.day, line.order)) {
                own.sort_by_key(|line| (line.day, line.order));
            }
        }
        Ok(Self { starts, lines })
    }
    /// Of the customer at a place.
    pub(crate) fn of(&self, place: usize) -> &[Line] {
        &self.lines[self.starts[place]..self.starts[place + 1]]
    }
}
