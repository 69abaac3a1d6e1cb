//! What is known of answers to offers, and only of those before a day?

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

mod support;

use support::{Shop, day, lines};
use tercet_features::{AnswerFacts, CustomerAnswers, Settings, answered_pairs, index};

const MONDAY: &str = "2017-02-06";

/// Two promotions; ann is offered `r` in the week of the Monday and uses it, bob is offered `r` and does not, and cid
/// nothing. What lies behind the week is there to be found by mistake.
fn shop() -> Shop {
    Shop {
        products: lines(
            "milk|FOOD|DAIRY|MILK|own|m1|100|||
            tea|FOOD|DRINKS|TEA|own|m2|100||2017-01-20|",
        ),
        promotions: lines(
            "r|2017-02-01|2017-02-20|percent|0.1|
            s|2017-02-01|2017-02-20|money_off||20",
        ),
        promotion_products: lines("r|product|milk\ns|product|tea"),
        transactions: lines(
            "o1|ann|tea|2017-02-01T10:00:00|1|100||
            o2|ann|milk|2017-02-08T10:00:00|1|90|10|
            o3|bob|tea|2017-02-09T10:00:00|1|100||
            o4|bob|milk|2017-02-14T10:00:00|1|100||
            o5|cid|milk|2017-02-02T10:00:00|1|100||",
        ),
        exposures: lines(
            "ann|r|2017-01-30
            ann|r|2017-02-06
            bob|r|2017-02-06
            bob|s|2017-02-13",
        ),
        redemptions: lines("ann|r|2017-02-08\nbob|r|2017-02-14"),
        ..Shop::default()
    }
}

#[test]
fn offers_of_a_week_and_what_came_of_them() {
    let engine = shop().engine(2);
    index(&engine).unwrap();
    let found = answered_pairs(&engine, day(MONDAY), &Settings::default(), 3).unwrap();
    let rows = found.pairs.customer_ix.iter().zip(&found.pairs.promotion_ix).enumerate();
    let offered: Vec<_> = rows
        .filter(|(row, _)| found.offered[*row])
        .map(|(row, (customer, promotion))| {
            (*customer, *promotion, found.used[row], found.bought[row])
        })
        .collect();
    assert_eq!(offered, [(0, 0, true, true), (1, 0, false, false)]);
    // Who was offered nothing says nothing of what the offered would have done.
    assert!(!found.pairs.customer_ix.contains(&2));
    let others = |row: &usize| !found.offered[*row];
    for row in (0..found.pairs.rows()).filter(others) {
        assert_eq!((found.pairs.promotion_ix[row], found.used[row]), (1, false));
        assert_eq!(found.bought[row], found.pairs.customer_ix[row] == 1);
    }
    let none = answered_pairs(&engine, day("2017-01-02"), &Settings::default(), 3).unwrap();
    assert_eq!(none.pairs.rows(), 0);
}

#[test]
fn however_many_promotions_run_some_that_were_not_made_are_kept_of_each() {
    let kept = |customers: usize, promotions: usize| {
        let many = |count: usize, line: &dyn Fn(usize) -> String| -> Vec<String> {
            (0..count).map(line).collect()
        };
        let shop = Shop {
            products: many(promotions, &|at| format!("p{at}|FOOD|DAIRY|T{at}|own|m|100|||")),
            promotions: many(promotions, &|at| format!("r{at}|2017-02-01|2017-02-20|percent|0.1|")),
            promotion_products: many(promotions, &|at| format!("r{at}|product|p{at}")),
            transactions: many(customers, &|at| {
                format!("o{at}|c{at}|p0|2017-02-01T10:00:00|1|100||")
            }),
            exposures: many(customers, &|at| format!("c{at}|r0|2017-02-06")),
            ..Shop::default()
        };
        let engine = shop.engine(2);
        index(&engine).unwrap();
        let found = answered_pairs(&engine, day(MONDAY), &Settings::default(), 3).unwrap();
        let made = found.offered.iter().filter(|offered| **offered).count();
        assert_eq!(made, customers);
        found.pairs.rows() - made
    };
    // Of 600 a fifth; of 80,000 less: 300 for each of 41 promotions.
    let (few, many) = (kept(200, 4), kept(2_000, 41));
    assert!((80..160).contains(&few), "{few}");
    assert!((11_800..12_800).contains(&many), "{many}");
}

#[test]
fn facts_know_nothing_of_the_day_and_after() {
    let engine = shop().engine(2);
    index(&engine).unwrap();
    let facts = AnswerFacts::read(&engine, day(MONDAY)).unwrap();
    // Sent once before the day, and not used before it.
    let [mechanic, use_rate, new_share] = facts.promotion(0);
    assert_eq!((mechanic, use_rate, new_share), (0.0, 0.0, 0.0));
    assert_eq!(facts.promotion(1)[0], 1.0);
    assert_eq!(facts.promotion(1)[2], 1.0, "tea is new");
    // Ann's one line of two known ones is of a new product; bob is not known yet.
    assert_eq!(facts.customers.means, [0.0, 0.0, 0.5]);
    let drawn = (1.0 + 20.0 * 0.5) / 21.0;
    assert!((f64::from(facts.customers.of(0)[2]) - drawn).abs() < 1e-6);
    assert_eq!(facts.customers.of(1)[2], 0.5);
    let later = AnswerFacts::read(&engine, day("2017-02-20")).unwrap();
    assert!(later.promotion(0)[1] > later.promotion(1)[1], "two of three used");
    // With means given, a customer's facts do not hang on who else is there.
    let given = CustomerAnswers::read(&engine, day(MONDAY), Some([0.1, 0.2, 0.0])).unwrap();
    assert!((f64::from(given.of(0)[2]) - 1.0 / 21.0).abs() < 1e-6);
    assert_eq!(given.of(7), [0.1, 0.2, 0.0]);
}
