//! How does a test make a shop of a few rows?
#![allow(dead_code, reason = "not every test uses every helper")]

use tercet_engine::{ColumnData, Engine, EngineOptions, Frame};
use tercet_features::{PairSource, Settings};
use tercet_types::Date;
use tercet_types::tables::{TableSchema, Type, sources};

/// The canonical tables as text cells, one row per line, columns separated by '|'; a cell that is empty
/// or left out at the end of a row is null.
#[derive(Clone, Default)]
pub(crate) struct Shop {
    pub(crate) customers: Vec<String>,
    pub(crate) products: Vec<String>,
    pub(crate) transactions: Vec<String>,
    pub(crate) interactions: Vec<String>,
    pub(crate) promotions: Vec<String>,
    pub(crate) promotion_products: Vec<String>,
    pub(crate) exposures: Vec<String>,
    pub(crate) redemptions: Vec<String>,
}

pub(crate) const CUSTOMERS: &str = "customer_id|first_seen_on|region|consent|suppressed|household";
pub(crate) const PRODUCTS: &str = "product_id|department|category|product_type|brand|manufacturer|price_minor|margin_rate|launched_on|discontinued_on";
pub(crate) const TRANSACTIONS: &str = "order_id|customer_id|product_id|occurred_at|quantity|amount_minor|coupon_discount_minor|kind|store_id|channel";
pub(crate) const INTERACTIONS: &str =
    "visitor_id|occurred_at|event_type|customer_id|product_id|category|device|promotion_id";
pub(crate) const PROMOTIONS: &str =
    "promotion_id|valid_from|valid_to|mechanic|value_rate|value_minor";
pub(crate) const PROMOTION_PRODUCTS: &str = "promotion_id|level|value";
pub(crate) const EXPOSURES: &str = "customer_id|promotion_id|exposed_on";
pub(crate) const REDEMPTIONS: &str = "customer_id|promotion_id|redeemed_on";

/// The features of all customers with all promotions, row after row; customers ascend in both.
pub(crate) fn pair_values(
    engine: &Engine,
    as_of: Date,
    customers: &[i32],
    promotions: &[i32],
) -> Vec<f32> {
    let source = PairSource::new(engine, as_of, &Settings::default(), promotions).unwrap();
    let part = source.part(engine, customers).unwrap();
    let (block, offered) = (part.block(0..part.customers().len(), None), source.offered());
    let promotions = 0..offered.promotion_ix.len();
    (0..block.len())
        .flat_map(|customer| promotions.clone().map(move |promotion| (customer, promotion)))
        .flat_map(|(customer, promotion)| block.row(customer, offered, promotion))
        .collect()
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn table(schema: &TableSchema, header: &str, rows: &[String]) -> Frame {
    let cells: Vec<Vec<Option<String>>> = rows
        .iter()
        .map(|row| row.split('|').map(|cell| (!cell.is_empty()).then(|| cell.to_owned())).collect())
        .collect();
    let columns = header
        .split('|')
        .enumerate()
        .map(|(place, name)| {
            let texts: Vec<Option<String>> =
                cells.iter().map(|row| row.get(place).cloned().flatten()).collect();
            let data = match schema.column(name).map(|column| column.ty) {
                Some(Type::Bool) => ColumnData::Bool(
                    texts.iter().map(|t| t.as_ref().map(|t| t == "true")).collect(),
                ),
                Some(Type::I64) => ColumnData::I64(
                    texts.iter().map(|t| t.as_ref().map(|t| t.parse().unwrap())).collect(),
                ),
                Some(Type::F64) => ColumnData::F64(
                    texts.iter().map(|t| t.as_ref().map(|t| t.parse().unwrap())).collect(),
                ),
                Some(Type::Date) => {
                    ColumnData::Date(texts.iter().map(|t| t.as_ref().map(|t| day(t))).collect())
                }
                // Timestamps are cast from text by `conform`.
                _ => ColumnData::Text(texts),
            };
            (name, data)
        })
        .collect();
    Frame::of(columns).unwrap().conform(schema).unwrap()
}

impl Shop {
    pub(crate) fn register(&self, engine: &Engine) {
        let tables = [
            (&sources::CUSTOMERS, CUSTOMERS, &self.customers),
            (&sources::PRODUCTS, PRODUCTS, &self.products),
            (&sources::TRANSACTIONS, TRANSACTIONS, &self.transactions),
            (&sources::INTERACTIONS, INTERACTIONS, &self.interactions),
            (&sources::PROMOTIONS, PROMOTIONS, &self.promotions),
            (&sources::PROMOTION_PRODUCTS, PROMOTION_PRODUCTS, &self.promotion_products),
            (&sources::EXPOSURES, EXPOSURES, &self.exposures),
            (&sources::REDEMPTIONS, REDEMPTIONS, &self.redemptions),
        ];
        for (schema, header, rows) in tables {
            engine.register(schema.name, &table(schema, header, rows)).unwrap();
        }
    }

    pub(crate) fn engine(&self, threads: usize) -> Engine {
        let engine = Engine::new(EngineOptions { threads, ..EngineOptions::default() }).unwrap();
        self.register(&engine);
        engine
    }
}

/// A column as text, for comparing with what a test expects.
pub(crate) fn column(frame: &Frame, name: &str) -> Vec<String> {
    let shown = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    frame.text_or_null(name).unwrap().into_iter().map(shown).collect()
}

/// Deterministic numbers for made-up shops (Lehmer, 48271).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0 * 48_271 % 0x7fff_ffff;
        self.0 % limit
    }
}
