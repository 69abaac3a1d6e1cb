//! What does the ranker see of a customer and a candidate, besides what its members say?

use std::collections::BTreeMap;

use crate::likeness::order_lines;
use crate::purchases::orders;
use crate::{Purchase, Purchases};

/// The groups of counts, beside one group per member.
pub(super) const GROUPS: [(&str, &[&str]); 3] = [
    ("customer", &["orders", "products", "lines_per_order"]),
    ("product", &["buyers", "orders_per_buyer", "repeat_share"]),
    ("pair", &["times", "share_of_orders", "orders_since", "days_since", "gap_ratio"]),
];

/// How many counts there are.
pub(super) const COUNTS: usize = 11;

/// What the whole history says of each product.
pub(super) struct ProductFacts {
    /// Customers with an order that holds it.
    buyers: Vec<u32>,
    /// Orders that hold it.
    orders: Vec<u32>,
    /// Customers with two or more such orders.
    repeaters: Vec<u32>,
}

impl ProductFacts {
    pub(super) fn new(history: &Purchases, as_of: i32) -> Self {
        let none = || vec![0; history.products()];
        let mut facts = Self { buyers: none(), orders: none(), repeaters: none() };
        for customer in 0..history.customers() as u32 {
            for (product, own) in pairs(history.before(customer, as_of)) {
                let product = product as usize;
                facts.buyers[product] += 1;
                facts.orders[product] += own.times;
                facts.repeaters[product] += u32::from(own.times > 1);
            }
        }
        facts
    }
}

/// What a customer did with one product.
#[derive(Clone, Copy)]
struct Pair {
    /// Orders that hold it.
    times: u32,
    /// The first and the last of these, counted from the customer's first order.
    first: u32,
    last: u32,
    last_day: i32,
}

fn pairs(lines: &[Purchase]) -> BTreeMap<u32, Pair> {
    let mut pairs = BTreeMap::new();
    for (number, order) in (0_u32..).zip(orders(lines)) {
        for line in order_lines(order) {
            let new = Pair { times: 0, first: number, last: number, last_day: line.day };
            let pair = pairs.entry(line.product).or_insert(new);
            *pair = Pair { times: pair.times + 1, last: number, last_day: line.day, ..*pair };
        }
    }
    pairs
}

/// What is known of one customer.
pub(super) struct CustomerFacts<'a> {
    products: &'a ProductFacts,
    as_of: i32,
    orders: f32,
    lines_per_order: f32,
    pairs: BTreeMap<u32, Pair>,
}

impl<'a> CustomerFacts<'a> {
    pub(super) fn new(products: &'a ProductFacts, lines: &[Purchase], as_of: i32) -> Self {
        let count = orders(lines).count() as f32;
        let lines_per_order = lines.len() as f32 / count.max(1.0);
        Self { products, as_of, orders: count, lines_per_order, pairs: pairs(lines) }
    }

    /// The counts of one candidate, in the order of [`GROUPS`]; what is not known is `NaN`.
    pub(super) fn of(&self, product: u32) -> [f32; COUNTS] {
        let facts = |of: &[u32]| of[product as usize] as f32;
        let buyers = facts(&self.products.buyers);
        let held = facts(&self.products.orders);
        let mut counts = [f32::NAN; COUNTS];
        counts[..6].copy_from_slice(&[
            self.orders,
            self.pairs.len() as f32,
            self.lines_per_order,
            buyers,
            held / buyers,
            facts(&self.products.repeaters) / buyers,
        ]);
        counts[6] = 0.0;
        if let Some(pair) = self.pairs.get(&product) {
            let times = pair.times as f32;
            let since = self.orders - 1.0 - pair.last as f32;
            // Orders since the last that held it, in its usual distances between two.
            let usual = (pair.last - pair.first) as f32 / (times - 1.0);
            let days = (i64::from(self.as_of) - i64::from(pair.last_day)) as f32;
            counts[6..].copy_from_slice(&[
                times,
                times / self.orders,
                since,
                days,
                (since + 1.0) / usual,
            ]);
        }
        counts.map(|count| if count.is_finite() { count } else { f32::NAN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::history;

    #[test]
    fn counts_are_of_orders_before_the_day() {
        assert_eq!(GROUPS.iter().map(|(_, names)| names.len()).sum::<usize>(), COUNTS);
        let lines = [(0, 1, 0), (0, 3, 0), (0, 3, 1), (0, 4, 1), (0, 6, 1), (1, 5, 1), (1, 99, 1)];
        let past = history(2, 3, &lines);
        let facts = ProductFacts::new(&past, 50);
        let of = |product: u32| CustomerFacts::new(&facts, past.before(0, 50), 10).of(product);
        let shown =
            |counts: [f32; COUNTS]| counts.map(|count| if count.is_nan() { -1.0 } else { count });
        assert_eq!(shown(of(0)), [4.0, 2.0, 1.25, 1.0, 2.0, 1.0, 2.0, 0.5, 2.0, 7.0, 3.0]);
        assert_eq!(shown(of(1)), [4.0, 2.0, 1.25, 2.0, 2.0, 0.5, 3.0, 0.75, 0.0, 4.0, 1.0]);
        assert_eq!(shown(of(2)), [4.0, 2.0, 1.25, 0.0, -1.0, -1.0, 0.0, -1.0, -1.0, -1.0, -1.0]);
    }
}
