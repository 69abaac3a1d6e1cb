//! What did a customer look at before a day?

use tercet_engine::Frame;
use tercet_types::Result;

use crate::by_customer::rows_of;

/// A product looked at on a day.
pub(crate) struct Look {
    pub(crate) product: u32,
    pub(crate) day: i32,
}

/// What some customers looked at: by customer, in no order.
pub(crate) struct Looked {
    starts: Vec<usize>,
    looks: Vec<Look>,
}

impl Looked {
    /// Of ascending `customers`, from `pair/looks.sql`.
    ///
    /// # Errors
    /// The engine's own, for a column that is not there.
    pub(crate) fn read(customers: &[i32], looks: &Frame) -> Result<Self> {
        let (starts, rows) = rows_of(customers, &looks.i32("customer_ix")?);
        let (products, days) = (looks.i32("product_ix")?, looks.i32("day")?);
        let look = |row: &u32| Look {
            product: products[*row as usize].cast_unsigned(),
            day: days[*row as usize],
        };
        Ok(Self { starts, looks: rows.iter().map(look).collect() })
    }

    /// Of the customer at a place.
    pub(crate) fn of(&self, place: usize) -> &[Look] {
        &self.looks[self.starts[place]..self.starts[place + 1]]
    }
}
