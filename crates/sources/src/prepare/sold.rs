//! Which products were sold, and until when?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame};
use tercet_types::{Date, Result};

/// The table of sold products while sources are read.
const TABLE: &str = "_sold";

/// The products of all transactions read so far, each with the day of its last sale, if it has one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sold(BTreeMap<String, Option<Date>>);

impl Sold {
    /// Adds the transactions that are read and prepared.
    pub(crate) fn add(&mut self, engine: &Engine) -> Result<()> {
        let found = engine.query(include_str!("../../sql/sold.sql"), &BTreeMap::new())?;
        let days = found.date_or_null("last_sold_on")?;
        self.absorb(Self(found.text("product_id")?.into_iter().zip(days).collect()));
        Ok(())
    }

    /// Adds those of another part.
    pub(crate) fn absorb(&mut self, other: Self) {
        for (product, day) in other.0 {
            let last = self.0.entry(product).or_default();
            *last = (*last).max(day);
        }
    }

    /// Makes them known to the statements of the whole shop.
    pub(crate) fn register(&self, engine: &Engine) -> Result<()> {
        let (ids, days): (Vec<String>, Vec<Option<Date>>) = self.0.clone().into_iter().unzip();
        let table = Frame::of(vec![("product_id", ids.into()), ("last_sold_on", days.into())])?;
        engine.register(TABLE, &table)
    }

    /// Takes them back.
    pub(crate) fn forget(&self, engine: &Engine) -> Result<()> {
        engine.forget(TABLE)
    }
}
