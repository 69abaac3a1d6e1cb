//! Does anything on or after the as-of day change any feature?

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

mod support;

use std::collections::BTreeMap;

use support::{Numbers, Shop, day, pair_values};
use tercet_engine::{Engine, Frame};
use tercet_features::{
    PairSource, Sampling, Settings, build_master, index, labels, training_pairs,
};
use tercet_types::Date;

const AS_OF: &str = "2017-06-05";

/// Every table that is left registered, and the columns that sort it.
const TABLES: &[(&str, &str)] = &[
    ("customer_master", "customer_ix"),
    ("customer_rfm", "customer_id"),
    ("customer_rhythm", "customer_ix"),
    ("customer_shopping", "customer_ix"),
    ("product_master", "product_ix"),
    ("product_price", "product_ix"),
    ("product_repurchase", "product_ix"),
    ("promotion_master", "promotion_ix"),
    ("promotion_candidates", "promotion_ix"),
    ("eligible_products", "promotion_ix, product_ix"),
    ("product_paid", "product_ix, unit_minor"),
    ("product_intervals", "product_ix, interval_days"),
    ("product_buyers", "product_ix"),
    ("product_redeemed", "product_ix"),
    ("promotion_buyers", "promotion_ix"),
    ("customer_category", "customer_ix, category_ix"),
    ("type_medians", "type_ix"),
    ("promotion_levels", "promotion_ix, level_key"),
    ("product_sales", "product_ix"),
];

/// A shop of 30 weeks: 40 customers, 60 products in 12 types, 9 promotions, some browsing.
fn shop() -> Shop {
    let mut numbers = Numbers(7);
    let mut shop = Shop::default();
    for customer in 0..40 {
        let region = ["north", "south", ""][customer % 3];
        shop.customers.push(format!("c{customer:02}||{region}|||size{}", customer % 4));
    }
    for product in 0..60 {
        let kind = product % 12;
        let price = if product % 5 == 0 { "250" } else { "" };
        shop.products.push(format!(
            "p{product:02}|d{}|k{}|t{kind}|b{}|m{}|{price}|||",
            kind / 6,
            kind / 3,
            product % 3,
            product % 4
        ));
    }
    let start = day("2017-01-02");
    for order in 0..900 {
        let customer = numbers.below(40);
        let on = start.plus_days(numbers.below(210) as i32);
        let hour = numbers.below(24);
        for line in 0..1 + numbers.below(4) {
            let product = (customer * 7 + numbers.below(9) * numbers.below(7)) % 60;
            let amount = 100 + numbers.below(900);
            let coupon = if numbers.below(9) == 0 { "40" } else { "" };
            shop.transactions.push(format!(
                "o{order:04}|c{customer:02}|p{product:02}|{on}T{hour:02}:0{line}:00|1|{amount}|{coupon}||s{}|{}",
                order % 4,
                ["web", "", "Store"][order % 3]
            ));
        }
    }
    for event in 0..300 {
        let on = start.plus_days(numbers.below(210) as i32);
        let (visitor, product) = (numbers.below(50), numbers.below(60));
        let device = ["mobile", "desktop", ""][event % 3];
        let who = if visitor < 40 { format!("c{visitor:02}") } else { String::new() };
        shop.interactions
            .push(format!("v{visitor}|{on}T12:00:00|view_item|{who}|p{product:02}||{device}"));
    }
    for promotion in 0..9 {
        let from = start.plus_days(promotion * 25);
        let to = from.plus_days(45);
        shop.promotions.push(format!("r{promotion}|{from}|{to}|percent||"));
        shop.promotion_products.push(format!("r{promotion}|product_type|t{promotion}"));
        shop.promotion_products.push(format!("r{promotion}|product|p{:02}", promotion * 5));
    }
    shop
}

/// The day of a row: the first cell that reads as one.
fn dated(row: &str) -> Option<Date> {
    row.split('|').find_map(|cell| cell.get(..10)?.parse().ok())
}

impl Shop {
    fn keep_before(mut self, end: Date) -> Self {
        let early = |row: &String| dated(row).is_none_or(|on| on < end);
        self.transactions.retain(early);
        self.interactions.retain(early);
        // Promotions are known from their first day.
        self.promotions.retain(|row| dated(row).is_none_or(|on| on <= end));
        self
    }

    fn altered_from(mut self, end: Date) -> Self {
        let late = |row: &str| dated(row).is_some_and(|on| on >= end);
        for (place, row) in self.transactions.iter_mut().enumerate() {
            if late(row) {
                let cells: Vec<&str> = row.split('|').collect();
                let (order, customer) = (cells[0], place % 40);
                let (product, at) = (place * 13 % 60, cells[3]);
                *row = format!(
                    "{order}|c{customer:02}|p{product:02}|{at}|3|{}|77||s9|fax",
                    9_000 + place
                );
            }
        }
        for row in &mut self.interactions {
            if late(row) {
                *row = row.replace("view_item", "purchase").replace("|p0", "|p5");
            }
        }
        self
    }

    /// Rows of known and unknown customers and products; the unknown ids sort last, so that numbers of known
    /// ones stay, or first.
    fn invented_from(mut self, end: Date, prefix: &str) -> Self {
        for place in 0..200 {
            let on = end.plus_days(place % 30);
            let (customer, product) = (place % 40, place * 7 % 60);
            self.transactions.push(format!(
                "{prefix}{place}|c{customer:02}|p{product:02}|{on}T00:00:00|1|5000|500||s9|fax"
            ));
            self.transactions.push(format!(
                "{prefix}n{place}|{prefix}c{place}|{prefix}p|{on}T00:00:00|1|5000||"
            ));
            self.transactions.push(format!(
                "{prefix}b{place}|c{customer:02}|p{product:02}|{on}T01:00:00|1|-900||return"
            ));
            self.interactions.push(format!(
                "{prefix}v|{on}T00:00:00|view_item|c{customer:02}|p{product:02}||watch"
            ));
        }
        let from = end.plus_days(1);
        self.promotions.push(format!("{prefix}r|{from}|{from}|percent||"));
        self.promotion_products.push(format!("{prefix}r|department|d0"));
        self.customers.push(format!("{prefix}x|{from}|east|||size1"));
        self
    }
}

fn all(engine: &Engine, sql: &str) -> Frame {
    engine.query(sql, &BTreeMap::new()).unwrap()
}

/// Everything known as of a day, by name.
fn everything(shop: &Shop, as_of: Date, threads: usize) -> (Engine, Vec<(String, Frame)>) {
    let engine = shop.engine(threads);
    index(&engine).unwrap();
    let settings = Settings::default();
    build_master(&engine, as_of, &settings).unwrap();
    let known = all(&engine, "select * from customer_master order by customer_ix");
    let (customers, promotions) = (known.i32("customer_ix").unwrap(), promotions(&engine));
    let made = pair_values(&engine, as_of, &customers, &promotions);
    let mut frames: Vec<(String, Frame)> = TABLES
        .iter()
        .map(|(table, order)| {
            ((*table).to_owned(), all(&engine, &format!("select * from {table} order by {order}")))
        })
        .collect();
    let bits: Vec<i32> = made.iter().map(|value| value.to_bits() as i32).collect();
    frames.push(("pairs".to_owned(), Frame::of(vec![("bits", bits.into())]).unwrap()));
    (engine, frames)
}

fn promotions(engine: &Engine) -> Vec<i32> {
    all(engine, "select promotion_ix from promotion_master order by promotion_ix")
        .i32("promotion_ix")
        .unwrap()
}

fn same(found: &[(String, Frame)], expect: &[(String, Frame)], what: &str) {
    for ((name, a), (_, b)) in found.iter().zip(expect) {
        assert!(b.rows() > 0, "{name} is empty and proves nothing");
        assert_eq!(a.rows(), b.rows(), "{name}: {what}");
        assert!(a.same_as(b), "{name}: {what}");
    }
}

#[test]
fn the_future_changes_no_feature() {
    let as_of = day(AS_OF);
    let (_, expect) = everything(&shop(), as_of, 2);
    let check = |shop: Shop, what: &str| same(&everything(&shop, as_of, 2).1, &expect, what);
    check(shop().keep_before(as_of), "deleted");
    check(shop().altered_from(as_of), "altered");
    check(shop().invented_from(as_of, "zz"), "invented");
}

#[test]
fn the_past_does_change_features() {
    let as_of = day(AS_OF);
    let (_, expect) = everything(&shop(), as_of, 2);
    let (_, found) = everything(&shop().altered_from(as_of.plus_days(-20)), as_of, 2);
    let changed = found.iter().zip(&expect).filter(|(a, b)| !a.1.same_as(&b.1)).count();
    assert!(changed >= found.len() - 4, "{changed} of {}", found.len());
}

#[test]
fn invented_ids_that_sort_first_only_renumber() {
    let as_of = day(AS_OF);
    let by_id = |shop: &Shop| {
        let (engine, _) = everything(shop, as_of, 2);
        ["customer", "product", "promotion"].map(|entity| {
            let table = format!("{entity}_master");
            let plain: Vec<String> = engine
                .columns(&table)
                .unwrap()
                .into_iter()
                .map(|column| column.name)
                .filter(|name| !name.ends_with("_ix"))
                .collect();
            let list = plain.join(", ");
            all(&engine, &format!("select {list} from {table} order by {entity}_id"))
        })
    };
    let (found, expect) = (by_id(&shop().invented_from(as_of, "aa")), by_id(&shop()));
    for (a, b) in found.iter().zip(&expect) {
        assert!(a.same_as(b), "{:?}", b.columns());
    }
}

#[test]
fn threads_change_no_bit() {
    let as_of = day(AS_OF);
    same(&everything(&shop(), as_of, 1).1, &everything(&shop(), as_of, 4).1, "threads");
}

#[test]
fn blocks_do_not_hang_on_how_customers_are_cut() {
    let as_of = day(AS_OF);
    let mut shop = shop();
    // The same products as r2, in another order.
    shop.promotions.push("s2|2017-02-21|2017-07-01|percent||".to_owned());
    shop.promotion_products.push("s2|product|p10".to_owned());
    shop.promotion_products.push("s2|product_type|t2".to_owned());
    // A product that is like no other, and that nobody bought.
    shop.products.push("px|dx|cx|tx|bx|mx|100|||".to_owned());
    shop.promotions.push("x|2017-02-21|2017-07-01|percent||".to_owned());
    shop.promotion_products.push("x|product|px".to_owned());
    let (engine, _) = everything(&shop, as_of, 2);
    let known = all(&engine, "select customer_ix from customer_master order by customer_ix");
    let (customers, promotions) = (known.i32("customer_ix").unwrap(), promotions(&engine));
    let source = PairSource::new(&engine, as_of, &Settings::default(), &promotions).unwrap();
    let offered = source.offered();
    assert_eq!(offered.groups(), promotions.len() - 1, "two promotions share a group");
    let [r2, s2] = ["r2", "s2"].map(|id| {
        let sql = format!("select promotion_ix from promotion_index where promotion_id = '{id}'");
        offered.place(all(&engine, &sql).i32("promotion_ix").unwrap()[0]).unwrap()
    });
    assert_eq!(offered.group_of[r2], offered.group_of[s2]);
    // The models speak of every third group, also where nothing was bought.
    let said = |customer: i32, group: u32| {
        [if group.is_multiple_of(3) { customer as f32 } else { 0.0 }; 7]
    };
    let whole = source.part(&engine, &customers).unwrap();
    let whole = whole.block(0..customers.len(), Some(&|at, group| said(customers[at], group)));
    assert!(whole.otherwise.iter().all(|value| *value == 0.0 || value.is_nan()));
    assert!(whole.groups.len() < customers.len() * offered.groups(), "a shared row");
    let mut at = 0;
    for customers in customers.chunks(17) {
        // Another day was asked for in between.
        let monday = day("2017-05-22");
        training_pairs(&engine, monday, &Settings::default(), &promotions, &Sampling::default())
            .unwrap();
        let part = source.part(&engine, customers).unwrap();
        for from in (0..customers.len()).step_by(5) {
            let to = (from + 5).min(customers.len());
            let some = |place: usize, group: u32| said(customers[from + place], group);
            let block = part.block(from..to, Some(&some));
            assert_eq!(block.customer_ix, customers[from..to]);
            for place in 0..block.len() {
                for promotion in 0..promotions.len() {
                    let bits =
                        |row: Vec<f32>| row.into_iter().map(f32::to_bits).collect::<Vec<_>>();
                    let (found, expect) =
                        (block.row(place, offered, promotion), whole.row(at, offered, promotion));
                    assert_eq!(bits(found), bits(expect), "{at} {promotion}");
                }
                at += 1;
            }
        }
    }
    assert_eq!(at, customers.len());
}

#[test]
fn labels_see_their_week_only() {
    let (as_of, monday) = (day(AS_OF), day("2017-05-22"));
    let sampling = Sampling { seed: 3, affine_rate: 0.5, other_rate: 0.2, ..Sampling::default() };
    let learn = |shop: &Shop| {
        let (engine, _) = everything(shop, as_of, 2);
        let promotions = promotions(&engine);
        let week = labels(&engine, monday, &promotions).unwrap();
        let settings = Settings::default();
        (week, training_pairs(&engine, monday, &settings, &promotions, &sampling).unwrap())
    };
    let (week, training) = learn(&shop());
    assert!(week.rows() > 10 && training.pairs.rows() > 50);
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    for changed in
        [shop().altered_from(monday.plus_days(7)), shop().invented_from(monday.plus_days(14), "zz")]
    {
        let (found, learnt) = learn(&changed);
        assert!(found.same_as(&week));
        assert_eq!(bits(&learnt.pairs.values), bits(&training.pairs.values));
        assert_eq!(learnt.weights, training.weights);
        assert_eq!(learnt.spend_minor, training.spend_minor);
    }
    // What happens in the week changes labels, and no feature of the rows that are kept for other reasons.
    let (found, _) = learn(&shop().altered_from(monday));
    assert!(!found.same_as(&week));
    let positives = training.bought.iter().filter(|&&bought| bought).count();
    let spend: i64 = training.spend_minor.iter().sum();
    let shoppers: std::collections::BTreeSet<i32> =
        training.pairs.customer_ix.iter().copied().collect();
    let of_shoppers = |column: &str| -> i64 {
        let values = week.i64(column).unwrap();
        let customers = week.i32("customer_ix").unwrap();
        let ours = values.iter().zip(&customers).filter(|(_, c)| shoppers.contains(c));
        ours.map(|(value, _)| value).sum()
    };
    assert_eq!(spend, of_shoppers("spend_minor"));
    assert_eq!(positives, week.rows());
}
