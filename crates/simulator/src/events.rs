//! What did customers do, as rows?

use crate::customer::DEVICES;
use crate::table::{Column, Table};

/// Kinds of lines.
const KINDS: &[&str] = &["sale", "return"];

/// Names of browsing events, as GA4 has them.
pub(crate) const EVENTS: &[&str] = &["view_item", "add_to_cart", "purchase", "login"];

/// Places in [`EVENTS`].
pub(crate) const VIEW: u8 = 0;
pub(crate) const CART: u8 = 1;
pub(crate) const PURCHASE: u8 = 2;
pub(crate) const LOGIN: u8 = 3;

/// Where visits come from.
pub(crate) const SOURCES: &[&str] = &["direct", "organic", "email", "paid"];

/// What browsers say of themselves: by device, and last the bot.
pub(crate) const AGENTS: &[&str] = &[
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Safari/537.36",
    "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15",
    "ExampleBot/1.0 (+https://example.com/bot)",
];

/// Order lines, a vector a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// The order.
    pub order_id: Vec<i64>,
    /// The customer, from 1.
    pub customer_id: Vec<i64>,
    /// The product, from 1.
    pub product_id: Vec<i64>,
    /// When, microseconds since 1970.
    pub at_micros: Vec<i64>,
    /// Units; negative on a return.
    pub quantity: Vec<i64>,
    /// What was paid, minor units; negative on a return.
    pub amount_minor: Vec<i64>,
    /// Reduced on the shelf, minor units.
    pub discount_minor: Vec<i64>,
    /// Reduced by an offer, minor units.
    pub coupon_discount_minor: Vec<i64>,
    /// 0 for a sale, 1 for a return.
    pub kind: Vec<u8>,
    /// On a return, the order it takes back.
    pub original_order_id: Vec<Option<i64>>,
}

/// One order line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) order_id: i64,
    pub(crate) customer_id: i64,
    pub(crate) product: u32,
    pub(crate) at_micros: i64,
    pub(crate) quantity: i64,
    pub(crate) amount_minor: i64,
    pub(crate) discount_minor: i64,
    pub(crate) coupon_discount_minor: i64,
    pub(crate) original_order_id: Option<i64>,
}

impl Lines {
    pub(crate) fn push(&mut self, line: &Line) {
        self.order_id.push(line.order_id);
        self.customer_id.push(line.customer_id);
        self.product_id.push(i64::from(line.product) + 1);
        self.at_micros.push(line.at_micros);
        self.quantity.push(line.quantity);
        self.amount_minor.push(line.amount_minor);
        self.discount_minor.push(line.discount_minor);
        self.coupon_discount_minor.push(line.coupon_discount_minor);
        self.kind.push(u8::from(line.original_order_id.is_some()));
        self.original_order_id.push(line.original_order_id);
    }
}

/// Browsing events, a vector a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Visits {
    /// The visitor.
    pub visitor_id: Vec<i64>,
    /// When, microseconds since 1970.
    pub at_micros: Vec<i64>,
    /// What happened: a place in the list of event names.
    pub event: Vec<u8>,
    /// The customer, once logged in.
    pub customer_id: Vec<Option<i64>>,
    /// The product.
    pub product_id: Vec<Option<i64>>,
    /// The device.
    pub device: Vec<u8>,
    /// Where the visit came from.
    pub source: Vec<u8>,
    /// What the browser says of itself.
    pub agent: Vec<u8>,
}

/// Offers made, a vector a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sent {
    /// The customer, from 1.
    pub customer_id: Vec<i64>,
    /// The promotion, from 1.
    pub promotion_id: Vec<i64>,
    /// The day, days since 1970.
    pub day: Vec<i32>,
}

/// Offers used, a vector a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Used {
    /// The customer, from 1.
    pub customer_id: Vec<i64>,
    /// The promotion, from 1.
    pub promotion_id: Vec<i64>,
    /// The day, days since 1970.
    pub day: Vec<i32>,
    /// The order it was used in.
    pub order_id: Vec<i64>,
    /// What it cost, minor units.
    pub discount_minor: Vec<i64>,
}

/// What customers did and were offered, in the order of customers and weeks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// Purchases and returns.
    pub lines: Lines,
    /// Browsing.
    pub visits: Visits,
    /// Offers made.
    pub sent: Sent,
    /// Offers used.
    pub used: Used,
}

impl Events {
    /// The canonical tables `transactions`, `interactions`, `exposures` and `redemptions`.
    pub fn into_tables(self) -> [Table; 4] {
        let lines = self.lines;
        let real = |values: Vec<i64>| Column::Real(values.into_iter().map(|q| q as f64).collect());
        let transactions = Table {
            name: "transactions",
            columns: vec![
                ("order_id", Column::Int(lines.order_id)),
                ("customer_id", Column::Int(lines.customer_id)),
                ("product_id", Column::Int(lines.product_id)),
                ("occurred_at", Column::Instant(lines.at_micros)),
                ("quantity", real(lines.quantity)),
                ("amount_minor", Column::Int(lines.amount_minor)),
                ("discount_minor", Column::Int(lines.discount_minor)),
                ("coupon_discount_minor", Column::Int(lines.coupon_discount_minor)),
                ("kind", Column::Word(lines.kind, KINDS)),
                ("original_order_id", Column::IntOrNull(lines.original_order_id)),
            ],
        };
        let visits = self.visits;
        let interactions = Table {
            name: "interactions",
            columns: vec![
                ("visitor_id", Column::Int(visits.visitor_id)),
                ("occurred_at", Column::Instant(visits.at_micros)),
                ("event_type", Column::Word(visits.event, EVENTS)),
                ("customer_id", Column::IntOrNull(visits.customer_id)),
                ("product_id", Column::IntOrNull(visits.product_id)),
                ("device", Column::Word(visits.device, DEVICES)),
                ("traffic_source", Column::Word(visits.source, SOURCES)),
                ("user_agent", Column::Word(visits.agent, AGENTS)),
            ],
        };
        let sent = self.sent;
        let exposures = Table {
            name: "exposures",
            columns: vec![
                ("customer_id", Column::Int(sent.customer_id)),
                ("promotion_id", Column::Int(sent.promotion_id)),
                ("exposed_on", Column::Day(sent.day)),
            ],
        };
        let used = self.used;
        let redemptions = Table {
            name: "redemptions",
            columns: vec![
                ("customer_id", Column::Int(used.customer_id)),
                ("promotion_id", Column::Int(used.promotion_id)),
                ("redeemed_on", Column::Day(used.day)),
                ("order_id", Column::Int(used.order_id)),
                ("discount_minor", Column::Int(used.discount_minor)),
            ],
        };
        [transactions, interactions, exposures, redemptions]
    }
}
