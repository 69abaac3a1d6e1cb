//! Do features come to an end, and to the same rows, when they do not fit into the memory they may hold?

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

mod support;

use support::{Numbers, Shop, day};
use tercet_engine::{ColumnData, Engine, EngineOptions, Frame};
use tercet_features::{Settings, build_master, index};
use tercet_types::tables::sources;

const CUSTOMERS: u64 = 2_000;
const PRODUCTS: u64 = 300;
const ORDERS: u64 = 60_000;
const LINES_PER_ORDER: u64 = 5;
const AS_OF: &str = "2017-06-05";

/// Tables that a run writes or that everything else is made of.
const TABLES: &[&str] =
    &["lines", "orders", "category_days", "customer_master", "product_master", "customer_category"];

/// A shop with enough lines to be too many.
fn register(engine: &Engine) {
    let product = |p| format!("p{p}|D{}|C{}|T{}|own|m1|100|||", p % 3, p % 30, p % 90);
    let shop = Shop {
        products: (0..PRODUCTS).map(product).collect(),
        promotions: vec!["r|2017-06-01|2017-06-20|percent|0.1|".to_owned()],
        promotion_products: vec!["r|category|C7".to_owned()],
        ..Shop::default()
    };
    shop.register(engine);
    let mut numbers = Numbers(11);
    let (mut order, mut customer, mut product) = (Vec::new(), Vec::new(), Vec::new());
    let (mut at, mut quantity, mut amount) = (Vec::new(), Vec::new(), Vec::new());
    let first = i64::from(day("2017-01-01").days());
    for number in 0..ORDERS {
        let buyer = numbers.below(CUSTOMERS);
        let micros = (first + numbers.below(155) as i64) * 86_400_000_000;
        for _ in 0..LINES_PER_ORDER {
            // Numbers that do not stand in the order of time, as a shop's do not.
            order.push(format!("order-{:08}", number * 7_919 % ORDERS));
            customer.push(format!("customer-{buyer}"));
            product.push(format!("p{}", numbers.below(PRODUCTS)));
            at.push(micros);
            quantity.push(1.0 + numbers.below(3) as f64);
            amount.push(numbers.below(2_000) as i64 - 100);
        }
    }
    let columns: Vec<(&str, ColumnData)> = vec![
        ("order_id", order.into()),
        ("customer_id", customer.into()),
        ("product_id", product.into()),
        ("occurred_at", at.into()),
        ("quantity", quantity.into()),
        ("amount_minor", amount.into()),
    ];
    let lines = Frame::of(columns).unwrap().conform(&sources::TRANSACTIONS).unwrap();
    engine.register("transactions", &lines).unwrap();
}

/// Less than one of the large statements wants to hold, though the least that its joins need.
const LITTLE_BYTES: usize = 24 << 20;

/// A statement that sorts and groups all lines.
const PRODUCT_DAYS: &str = include_str!("../sql/index/product_days.sql");

/// All tables, made with so much memory, and whether a query over all lines spills.
fn made(memory_bytes: usize) -> (Vec<Frame>, bool) {
    // One thread: with several, who gets the last memory is a matter of luck.
    let options = EngineOptions { threads: 1, memory_bytes, ..EngineOptions::default() };
    let engine = Engine::new(options).unwrap();
    register(&engine);
    let indexes = index(&engine).unwrap();
    assert!(indexes.lines > 250_000, "{}", indexes.lines);
    build_master(&engine, day(AS_OF), &Settings::default()).unwrap();
    let plan = engine.query(&format!("explain analyze {PRODUCT_DAYS}"), &Default::default());
    let plan = plan.unwrap().text("plan").unwrap().join("\n");
    let spills = plan.split("spill_count=").skip(1).any(|rest| !rest.starts_with('0'));
    (TABLES.iter().map(|table| engine.table(table).unwrap()).collect(), spills)
}

#[test]
fn little_memory_gives_the_same_rows() {
    let ((plenty, never_spills), (little, spills)) = (made(1 << 30), made(LITTLE_BYTES));
    assert!(!never_spills && spills, "{never_spills} {spills}");
    for ((table, wide), narrow) in TABLES.iter().zip(&plenty).zip(&little) {
        assert!(wide.same_as(narrow), "{table}");
    }
}
