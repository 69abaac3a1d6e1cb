//! What does the shop look like in integers?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_features::Indexes;
use tercet_models::{Purchase, Purchases};
use tercet_types::Result;

/// The shop's purchases as arrays, for estimators and the referee. Indices are those of the features.
pub(crate) struct Shop {
    /// Ids behind the indices.
    pub(crate) indexes: Indexes,
    /// Purchases (returns netted) of all customers, over all time that was loaded.
    pub(crate) history: Purchases,
    /// Product type of each product.
    pub(crate) product_types: Vec<u32>,
    /// Brand of each product.
    pub(crate) brands: Vec<u32>,
}

impl Shop {
    /// Indexes the canonical tables that are registered in the engine.
    pub(crate) fn read(engine: &Engine) -> Result<Self> {
        tercet_features::index(engine)?;
        Self::indexed(engine)
    }

    /// Reads what is indexed and registered in the engine.
    pub(crate) fn indexed(engine: &Engine) -> Result<Self> {
        let indexes = Indexes::read(engine)?;
        let lines = engine.query(include_str!("../../sql/sale_lines.sql"), &BTreeMap::new())?;
        let (customers, products) = (lines.i32("customer_ix")?, lines.i32("product_ix")?);
        let (orders, days) = (lines.i32("order_ix")?, lines.i32("day")?);
        let amounts = lines.i64("amount_minor")?;
        let purchases = (0..lines.rows())
            .map(|row| {
                let purchase = Purchase {
                    day: days[row],
                    order: orders[row] as u32,
                    product: products[row] as u32,
                    spend_minor: amounts[row],
                };
                (customers[row] as u32, purchase)
            })
            .collect();
        let codes =
            engine.query(include_str!("../../sql/product_attributes.sql"), &BTreeMap::new())?;
        let as_u32 = |name: &str| -> Result<Vec<u32>> {
            Ok(codes.i32(name)?.into_iter().map(|code| code as u32).collect())
        };
        let history =
            Purchases::new(indexes.customer_ids.len(), indexes.product_ids.len(), purchases)?;
        Ok(Self {
            history,
            product_types: as_u32("type_ix")?,
            brands: as_u32("brand_ix")?,
            indexes,
        })
    }

    /// The index of a customer.
    pub(crate) fn customer(&self, id: &str) -> Option<i32> {
        self.indexes
            .customer_ids
            .binary_search_by(|known| known.as_str().cmp(id))
            .ok()
            .map(|at| at as i32)
    }

    /// The index of a promotion.
    pub(crate) fn promotion(&self, id: &str) -> Option<i32> {
        self.indexes
            .promotion_ids
            .binary_search_by(|known| known.as_str().cmp(id))
            .ok()
            .map(|at| at as i32)
    }
}
