//! Are figures of rankings those of ranx, pytrec_eval and scikit-learn?
#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

use std::sync::LazyLock;

use serde_json::Value;
use tercet_measurement::ranking::{Histories, Line, Metric, Part, Referee, Scores, Split, Stage};

const TEST: Stage = Stage::Test { fit_validation: true };

static ORACLE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("oracle/ranking.json")).unwrap());

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|one| one.as_u64().unwrap() as u32).collect()
}

/// Each customer's known products and those to be found.
fn judged(products: usize, customers: &[(Vec<u32>, Vec<u32>)], lists: &[Vec<u32>]) -> Scores {
    let mut lines = Vec::new();
    for (customer, (known, truth)) in (0..).zip(customers) {
        let parts =
            known.iter().map(|p| (p, Part::Train)).chain(truth.iter().map(|p| (p, Part::Test)));
        for (order, (product, part)) in (0..).zip(parts) {
            let line = Line { day: 0, order, product: *product, spend_minor: 100, part };
            lines.push((customer, line));
        }
    }
    let keys = |count: usize| (0..count as u64).collect::<Vec<u64>>();
    let histories = Histories::new(keys(customers.len()), keys(products), lines).unwrap();
    let folds = Split::Given.folds(&histories, TEST).unwrap();
    let ks: Vec<usize> = numbers(&ORACLE["ks"]).into_iter().map(|k| k as usize).collect();
    let referee = Referee::new(&folds[0], &ks, |_| true).unwrap();
    let mut scores = referee.scores();
    referee.add(&mut scores, lists).unwrap();
    scores
}

fn hold(scores: &Scores, expect: &Value, metrics: &[Metric], case: &Value) {
    for (k, row) in numbers(&ORACLE["ks"]).into_iter().zip(expect.as_array().unwrap()) {
        for (metric, expect) in metrics.iter().zip(row.as_array().unwrap()) {
            let found = scores.mean(*metric, k as usize).unwrap();
            let expect = expect.as_f64().unwrap();
            assert!((found - expect).abs() < 1e-9, "{metric:?}@{k}: {found}, not {expect}: {case}");
        }
    }
}

#[test]
fn figures_of_a_customer_are_those_of_the_libraries() {
    let cases = ORACLE["customers"].as_array().unwrap();
    assert_eq!(cases.len(), 300);
    for case in cases {
        let products = case["products"].as_u64().unwrap() as usize;
        let customer = (numbers(&case["known"]), numbers(&case["truth"]));
        let scores = judged(products, &[customer], &[numbers(&case["list"])]);
        hold(&scores, &case["expect"], &Metric::ALL[..7], case);
    }
}

#[test]
fn figures_of_all_lists_are_those_of_numpy() {
    for case in ORACLE["together"].as_array().unwrap() {
        let products = case["products"].as_u64().unwrap() as usize;
        let lists: Vec<Vec<u32>> = case["lists"].as_array().unwrap().iter().map(numbers).collect();
        let customers: Vec<(Vec<u32>, Vec<u32>)> = case["histories"]
            .as_array()
            .unwrap()
            .iter()
            .map(|history| (numbers(history), vec![0]))
            .collect();
        let scores = judged(products, &customers, &lists);
        let metrics = [Metric::Novelty, Metric::Popularity, Metric::Coverage, Metric::Gini];
        hold(&scores, &case["expect"], &metrics, case);
    }
}
