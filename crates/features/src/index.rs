//! How do ids become small integers, so that the heavy joins are cheap?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::{Error, Result};

use crate::statement::{Statement, create_all, statement};

/// What the whole shop shares, in the order in which it is needed.
const SHOP: &[Statement] = &[
    statement!("product_index", "index/product_index"),
    statement!("promotion_index", "index/promotion_index"),
    statement!("product_codes", "index/product_codes"),
    statement!("maker_types", "index/maker_types"),
    statement!("promotion_scope", "index/promotion_scope"),
];

const ORDERS: Statement = statement!("order_index", "index/order_index");

const CUSTOMERS: Statement = statement!("customer_index", "index/customer_index");

/// What some customers bought and looked at.
const DEEDS: &[Statement] = &[
    statement!("lines", "index/lines"),
    LOOKS,
    statement!("views", "index/views"),
    statement!("product_looks", "index/product_looks"),
];

/// Only a step towards the two behind it.
const LOOKS: Statement = statement!("looks", "index/looks");

/// What follows from their lines alone, and what customers and products are known by.
const DAYS: &[Statement] =
    &[statement!("orders", "index/orders"), statement!("product_days", "index/product_days")];

const CATEGORIES: Statement = statement!("category_days", "index/category_days");

/// What pairs with promotions are known by beside that, in the order in which it is needed.
const TYPES: &[Statement] = &[
    statement!("maker_type_days", "index/maker_type_days"),
    statement!("type_days", "index/type_days"),
];

/// Tables of [`index_customers`] to keep for [`index_again`].
pub const CUSTOMER_TABLES: [&str; 3] = ["customer_index", "lines", "product_looks"];

/// What is read here and by [`Masters`](crate::Masters) of the long tables by customer: a run need not load more.
pub const COLUMNS_READ: [(&str, &[&str]); 2] = [
    (
        "transactions",
        &[
            "order_id",
            "customer_id",
            "product_id",
            "occurred_at",
            "quantity",
            "amount_minor",
            "discount_minor",
            "coupon_discount_minor",
            "store_id",
            "channel",
            "kind",
        ],
    ),
    (
        "interactions",
        &[
            "customer_id",
            "product_id",
            "category",
            "event_type",
            "occurred_at",
            "device",
            "traffic_source",
        ],
    ),
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
/// integer tables that every feature reads: [`index_shop`], then [`index_customers`] of everybody.
///
/// # Errors
/// `T0302` when a canonical table is not registered; the engine's own.
pub fn index(engine: &Engine) -> Result<Indexes> {
    index_shop(engine)?;
    index_customers(engine)?;
    index_types(engine)?;
    Indexes::read(engine)
}

/// Keeps what does not hang on customers: `product_index`, `promotion_index`, `product_codes`, `maker_types`,
/// `promotion_scope`. Once per load of the canonical tables, all of which must be registered, empty ones too.
///
/// # Errors
/// `T0302` when a canonical table is not registered; the engine's own.
pub fn index_shop(engine: &Engine) -> Result<()> {
    for table in tercet_types::tables::sources::ALL {
        if !engine.has(table.name) {
            return Err(Error::internal(
                "T0302",
                format!("table '{}' is not registered in the engine", table.name),
            )
            .hint("register an empty table for a source that the project lacks"));
        }
    }
    create_all(engine, SHOP, &BTreeMap::new())?;
    number(engine, "product_number", "product_index", "product_id")?;
    let products = engine.table("product_index")?.text("product_id")?;
    let categories = engine.table("product_codes")?.i32("category_ix")?;
    engine.number_texts("category_of_product", products.into_iter().zip(categories));
    Ok(())
}

/// Numbers the customers that are registered, all of them or a part, and keeps their `customer_index`, `lines`,
/// `views` and `product_looks`, and of these `orders`, `product_days` and `category_days`. Needs [`index_shop`].
///
/// # Errors
/// The engine's own.
pub fn index_customers(engine: &Engine) -> Result<()> {
    create_all(engine, &[CUSTOMERS, ORDERS], &BTreeMap::new())?;
    number(engine, "customer_number", CUSTOMERS.table, "customer_id")?;
    number(engine, "order_number", ORDERS.table, "order_id")?;
    create_all(engine, DEEDS, &BTreeMap::new())?;
    // The numbers of orders are only a step towards `lines`.
    engine.number_texts("order_number", []);
    engine.forget(ORDERS.table)?;
    engine.forget(LOOKS.table)?;
    create_all(engine, DAYS, &BTreeMap::new())?;
    create_all(engine, &[CATEGORIES], &BTreeMap::new())
}

/// Makes the places of a table's ids a function of SQL: joins with long tables would look every row up.
fn number(engine: &Engine, function: &str, table: &str, id: &str) -> Result<()> {
    engine.number_texts(function, engine.table(table)?.text(id)?.into_iter().zip(0..));
    Ok(())
}

/// Keeps what only pairs with promotions need: `maker_type_days` and `type_days`. Needs `product_days`.
///
/// # Errors
/// The engine's own.
pub fn index_types(engine: &Engine) -> Result<()> {
    create_all(engine, TYPES, &BTreeMap::new())
}

/// Makes from [`CUSTOMER_TABLES`], which were kept and are registered again, what pairs with promotions need of
/// customers. Needs [`index_shop`].
///
/// # Errors
/// The engine's own.
pub fn index_again(engine: &Engine) -> Result<()> {
    create_all(engine, DAYS, &BTreeMap::new())?;
    index_types(engine)
}

impl Indexes {
    /// The ids behind the tables that are registered.
    ///
    /// # Errors
    /// The engine's own.
    pub fn read(engine: &Engine) -> Result<Self> {
        let ids = |table: &str, column: &str| engine.table(table)?.text(column);
        Ok(Self {
            customer_ids: ids("customer_index", "customer_id")?,
            product_ids: ids("product_index", "product_id")?,
            promotion_ids: ids("promotion_index", "promotion_id")?,
            lines: engine.table("lines")?.rows(),
        })
    }
}
