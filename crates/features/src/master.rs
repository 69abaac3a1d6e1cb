//! What do we know about every customer, product and promotion, as of a day?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame};
use tercet_types::segment::Behaviour;
use tercet_types::{Date, Result};

use crate::Settings;
use crate::profile::profile_columns;
use crate::statement::{Statement, create, create_all, quoted, statement};

const CUSTOMER: &[Statement] = &[
    statement!("customer_known", "customer/known"),
    statement!("customer_rfm", "customer/rfm"),
    statement!("customer_rhythm", "customer/rhythm"),
    statement!("customer_lifecycle", "customer/lifecycle"),
    statement!("customer_behaviour", "customer/behaviour"),
    statement!("customer_profile", "customer/profile"),
    statement!("customer_shopping", "customer/shopping"),
];

const CUSTOMER_MASTER: Statement = statement!("customer_master", "customer/master");

/// Which products promotions cover.
const SCOPE: &[Statement] = &[
    statement!("eligible_products", "promotion/eligible_products"),
    statement!("promotion_candidates", "promotion/candidates"),
];

/// What customers did with products and promotions, added up: of each part of the customers by itself, since
/// nobody is in two of them.
const SHOP: &[Statement] = &[
    statement!("product_paid", "shop/product_paid"),
    statement!("product_intervals", "shop/product_intervals"),
    statement!("product_buyers", "shop/product_buyers"),
    statement!("product_redeemed", "shop/product_redeemed"),
    statement!("promotion_buyers", "shop/promotion_buyers"),
];

const PRODUCT: &[Statement] = &[
    statement!("product_repurchase", "product/repurchase"),
    statement!("product_price", "product/price"),
    statement!("product_momentum", "product/momentum"),
];

const PRODUCT_MASTER: Statement = statement!("product_master", "product/master");

const PROMOTION: &[Statement] = &[
    statement!("promotion_demand", "promotion/demand"),
    statement!("promotion_main_product", "promotion/main_product"),
    statement!("promotion_price", "promotion/price"),
    statement!("promotion_depth", "promotion/depth"),
];

const PROMOTION_MASTER: Statement = statement!("promotion_master", "promotion/master");

const PAIR: &[Statement] = &[
    statement!("day_weights", "pair/day_weights"),
    statement!("customer_category", "pair/customer_category"),
];

/// What [`build_master`] counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MasterFacts {
    /// Customers known by the day.
    pub customers: usize,
    /// Customers in each behaviour segment, in the order of [`Behaviour::ALL`]; they sum to `customers`.
    pub behaviours: Vec<(Behaviour, usize)>,
    /// Customers in each lifecycle stage, by name.
    pub lifecycles: BTreeMap<String, usize>,
    /// Customers in each RFM segment, by name; customers without an order are in none.
    pub rfm_segments: BTreeMap<String, usize>,
    /// Profile columns in use.
    pub profile_columns: Vec<String>,
    /// Products.
    pub products: usize,
    /// Products flagged fast-growing.
    pub fast_growing: usize,
    /// Products flagged newly launched.
    pub newly_launched: usize,
    /// Promotions known by the day.
    pub promotions: usize,
    /// Promotions that run on the day and cover a product still sold.
    pub candidates: usize,
    /// Promotions known that cover no product still sold.
    pub promotions_without_products: usize,
    /// Promotions whose depth is estimated.
    pub values_estimated: usize,
}

/// Makes, as of a day, `customer_master`, `product_master`, `promotion_master`,
/// `eligible_products`, `promotion_candidates`, `customer_category` and the tables of
/// their parts (`customer_rfm`, `product_price` …), and leaves them registered. Needs
/// [`index`](crate::index()).
///
/// # Errors
/// `T0301` for settings out of range, `T0303` for a personal or nearly unique profile column,
/// `T0304` for a profile column that is not there; the engine's own.
pub fn build_master(engine: &Engine, as_of: Date, settings: &Settings) -> Result<MasterFacts> {
    settings.validate()?;
    let values = settings.params(as_of);
    let extras = profile_columns(engine, &settings.profile)?;
    create_all(engine, CUSTOMER, &values)?;
    let list: String = extras
        .iter()
        .map(|name| {
            format!(
                ",\n  cast(c.{} as varchar) as {}",
                quoted(name),
                quoted(&format!("profile_{name}"))
            )
        })
        .collect();
    let customers = engine
        .query(&CUSTOMER_MASTER.sql.replace("{profile_columns}", &list), &values)
        .map_err(|error| error.context(CUSTOMER_MASTER.table))?;
    engine.register(CUSTOMER_MASTER.table, &customers)?;
    create_all(engine, SCOPE, &values)?;
    create_all(engine, SHOP, &values)?;
    create_all(engine, PRODUCT, &values)?;
    let products = create(engine, &PRODUCT_MASTER, &values)?;
    create_all(engine, PROMOTION, &values)?;
    let promotions = create(engine, &PROMOTION_MASTER, &values)?;
    create_all(engine, PAIR, &values)?;

    let behaviours = counts(&customers, "behaviour")?;
    let breadth = promotions.i32("breadth")?;
    Ok(MasterFacts {
        customers: customers.rows(),
        behaviours: Behaviour::ALL
            .into_iter()
            .map(|segment| (segment, behaviours.get(segment.name()).copied().unwrap_or(0)))
            .collect(),
        lifecycles: counts(&customers, "lifecycle")?,
        rfm_segments: counts(&customers, "rfm_segment")?,
        profile_columns: extras,
        products: products.rows(),
        fast_growing: trues(&products, "is_fast_growing")?,
        newly_launched: trues(&products, "is_newly_launched")?,
        promotions: promotions.rows(),
        candidates: trues(&promotions, "is_candidate")?,
        promotions_without_products: breadth.iter().filter(|&&products| products == 0).count(),
        values_estimated: trues(&promotions, "value_is_estimated")?,
    })
}

fn counts(frame: &Frame, column: &str) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for value in frame.text_or_null(column)?.into_iter().flatten() {
        *counts.entry(value).or_insert(0) += 1;
    }
    Ok(counts)
}

fn trues(frame: &Frame, column: &str) -> Result<usize> {
    Ok(frame.bool_or_null(column)?.into_iter().filter(|&flag| flag == Some(true)).count())
}
