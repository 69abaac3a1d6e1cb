//! What of shops with hardly any data?

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

mod support;

use std::collections::BTreeMap;

use support::{Shop, day, lines, pair_values};
use tercet_engine::Engine;
use tercet_features::{
    MasterFacts, PAIR_FEATURES, Sampling, Settings, build_master, index, training_pairs,
};

const AS_OF: &str = "2017-02-06";

fn shop() -> Shop {
    Shop {
        products: lines("milk|FOOD|DAIRY|MILK|own|m1|100|||"),
        promotions: lines("r|2017-02-01|2017-02-20|percent|0.1|"),
        promotion_products: lines("r|product|milk"),
        ..Shop::default()
    }
}

/// Runs every stage; the facts, and the number of pairs of all known customers with all candidates.
fn check(shop: &Shop) -> (MasterFacts, usize) {
    let (engine, as_of, settings) = (shop.engine(2), day(AS_OF), Settings::default());
    index(&engine).unwrap();
    let facts = build_master(&engine, as_of, &settings).unwrap();
    let numbers = |engine: &Engine, sql: &str| -> Vec<i32> {
        engine.query(sql, &BTreeMap::new()).unwrap().i32("ix").unwrap()
    };
    let customers = numbers(&engine, "select customer_ix as ix from customer_master order by ix");
    let candidates =
        numbers(&engine, "select promotion_ix as ix from promotion_candidates order by ix");
    let made = pair_values(&engine, as_of, &customers, &candidates).len() / PAIR_FEATURES.len();
    let sampling = Sampling::default();
    let past =
        training_pairs(&engine, as_of.plus_days(-7), &settings, &candidates, &sampling).unwrap();
    assert_eq!(past.weights.len(), past.pairs.rows());
    assert_eq!(facts.behaviours.iter().map(|(_, count)| count).sum::<usize>(), facts.customers);
    (facts, made)
}

#[test]
fn no_customer() {
    let (facts, rows) = check(&shop());
    assert_eq!((facts.customers, facts.candidates, rows), (0, 1, 0));
}

#[test]
fn nothing_at_all() {
    let (facts, rows) = check(&Shop::default());
    assert_eq!((facts.customers, facts.products, facts.promotions, rows), (0, 0, 0, 0));
}

#[test]
fn one_customer() {
    let mut shop = shop();
    shop.transactions = lines("o1|ann|milk|2017-02-01T10:00:00|1|100||");
    let (facts, rows) = check(&shop);
    assert_eq!((facts.customers, rows), (1, 1));
    assert_eq!(facts.rfm_segments.values().sum::<usize>(), 1);
}

#[test]
fn four_weeks_of_history() {
    let mut shop = shop();
    for on in 9..37 {
        let on = day("2017-01-01").plus_days(on);
        for customer in 0..6 {
            shop.transactions
                .push(format!("o{on}{customer}|c{customer}|milk|{on}T10:00:00|1|100||"));
        }
    }
    let (facts, rows) = check(&shop);
    // Everything's first sale falls into the burn-in: nothing is newly launched.
    assert_eq!((facts.customers, facts.newly_launched, rows), (6, 0, 6));
    assert_eq!(facts.lifecycles, BTreeMap::from([("new".to_owned(), 6)]));
}

#[test]
fn a_promotion_without_products() {
    let mut shop = shop();
    shop.promotion_products = lines("r|product|unheard-of\nr|category|NONE");
    shop.products[0] = "milk|FOOD|DAIRY|MILK|own|m1|100|||2017-01-01".to_owned();
    shop.promotion_products = lines("r|product|milk\nr|category|NONE");
    let (facts, rows) = check(&shop);
    assert_eq!((facts.promotions, facts.candidates, rows), (1, 0, 0));
    assert_eq!(facts.promotions_without_products, 1);
}

#[test]
fn browsing_only() {
    let mut shop = shop();
    shop.customers = lines("ann|||||");
    shop.interactions = lines("v|2017-02-01T10:00:00|view_item|ann|milk||mobile");
    let (facts, rows) = check(&shop);
    assert_eq!(facts.behaviours[1].1, 1);
    assert_eq!((facts.customers, rows), (1, 1));
    assert!(facts.rfm_segments.is_empty());
}
