//! How do ids become small integers, so that the heavy joins are cheap?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::{Error, Result};

use crate::statement::{Statement, create, create_all, statement};

const CUSTOMERS: Statement = statement!("customer_index", "index/customer_index");
const PRODUCTS: Statement = statement!("product_index", "index/product_index");
const PROMOTIONS: Statement = statement!("promotion_index", "index/promotion_index");
const ORDERS: Statement = statement!("order_index", "index/order_index");
const LINES: Statement = statement!("lines", "index/lines");

/// The rest, in the order in which they need each other.
const STATEMENTS: &[Statement] = &[
    statement!("product_codes", "index/product_codes"),
    statement!("orders", "index/orders"),
    statement!("product_days", "index/product_days"),
    statement!("category_days", "index/category_days"),
    statement!("maker_types", "index/maker_types"),
    statement!("maker_type_days", "index/maker_type_days"),
    statement!("type_days", "index/type_days"),
    statement!("views", "index/views"),
    statement!("promotion_scope", "index/promotion_scope"),
];

/// The ids behind the integers: the id of customer 5 is `customer_ids[5]`.
#[derive(Clone, Debug)]
pub struct Indexes {
    /// Ids of customers, ascending.
    pub customer_ids: Vec<String>,
    /// Ids of products, ascending.
    pub product_ids: Vec<String>,
    /// Ids of promotions, ascending.
    pub promotion_ids: Vec<String>,
    /// Rows of `lines`: one per customer, order, product and day.
    pub lines: usize,
}

/// Numbers customers, products, promotions and orders in the order of their ids, and keeps the
/// integer tables that every feature reads: `customer_index`, `product_index`, `promotion_index`,
/// `product_codes`, `lines`, `orders`, `product_days`, `category_days`, `views`, `promotion_scope`.
/// Once per load of the canonical tables, all of which must be registered, empty ones too.
///
/// # Errors
/// `T0302` when a canonical table is not registered; the engine's own.
pub fn index(engine: &Engine) -> Result<Indexes> {
    for table in tercet_types::tables::sources::ALL {
        if !engine.has(table.name) {
            return Err(Error::internal(
                "T0302",
                format!("table '{}' is not registered in the engine", table.name),
            )
            .hint("register an empty table for a source that the project lacks"));
        }
    }
    let none = BTreeMap::new();
    let customers = create(engine, &CUSTOMERS, &none)?;
    let products = create(engine, &PRODUCTS, &none)?;
    let promotions = create(engine, &PROMOTIONS, &none)?;
    create_all(engine, &[ORDERS], &none)?;
    let lines = engine.create(LINES.table, LINES.sql, &none)?;
    // The order index is only a step towards `lines`.
    engine.forget(ORDERS.table)?;
    create_all(engine, STATEMENTS, &none)?;
    Ok(Indexes {
        customer_ids: customers.text("customer_id")?,
        product_ids: products.text("product_id")?,
        promotion_ids: promotions.text("promotion_id")?,
        lines,
    })
}
