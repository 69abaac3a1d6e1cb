//! Are the scores of TIFU-kNN and UP-CF those of a second implementation?

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use serde::Deserialize;
use tercet_models::{
    Attributes, Purchase, Purchases, Query, Recommender, Row, TifuKnn, Training, UpCf,
};

#[derive(Deserialize)]
struct Oracle {
    products: usize,
    orders: Vec<Vec<Vec<u32>>>,
    tifu: Vec<Case>,
    up_cf: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    settings: serde_json::Value,
    scores: Vec<Vec<f64>>,
}

fn oracle() -> (Oracle, Purchases) {
    let oracle: Oracle = serde_json::from_str(include_str!("oracle/next_basket.json")).unwrap();
    let mut lines = Vec::new();
    for (customer, orders) in (0..).zip(&oracle.orders) {
        for (order, products) in (0..).zip(orders) {
            let line =
                |product: &u32| Purchase { day: 0, order, product: *product, spend_minor: 1 };
            lines.extend(products.iter().map(|product| (customer, line(product))));
        }
    }
    let history = Purchases::new(oracle.orders.len(), oracle.products, lines).unwrap();
    (oracle, history)
}

fn check(estimator: &dyn Recommender, history: &Purchases, expect: &[Vec<f64>]) {
    let nothing = [history.products(), history.customers()].map(Attributes::none);
    let training = Training { history, as_of: 1, products: &nothing[0], customers: &nothing[1] };
    let fitted = estimator.fit(&training).unwrap();
    let mut row = Row::new(history.products());
    for (customer, expect) in (0..).zip(expect) {
        fitted.score(&Query::of(history, customer, 1), &mut row);
        for (product, expect) in (0..).zip(expect) {
            let score = row.get(product).unwrap_or(0.0);
            assert!(
                (score - expect).abs() < 1e-9,
                "{}, customer {customer}, product {product}: {score} against {expect}",
                estimator.name()
            );
        }
        row.clear();
    }
}

#[test]
fn tifu_knn_agrees() {
    let (oracle, history) = oracle();
    for case in &oracle.tifu {
        let number = |name: &str| case.settings[name].as_f64().unwrap();
        let estimator = TifuKnn {
            group_orders: number("group_orders") as usize,
            within_decay: number("within_decay"),
            group_decay: number("group_decay"),
            neighbours: number("neighbours") as usize,
            own_share: number("own_share"),
            ..TifuKnn::default()
        };
        check(&estimator, &history, &case.scores);
    }
}

#[test]
fn up_cf_agrees() {
    let (oracle, history) = oracle();
    for case in &oracle.up_cf {
        let number = |name: &str| case.settings[name].as_f64().unwrap();
        let estimator = UpCf {
            recent_orders: number("recent_orders") as usize,
            locality: number("locality"),
            asymmetry: number("asymmetry"),
            neighbours: number("neighbours") as usize,
            ..UpCf::default()
        };
        check(&estimator, &history, &case.scores);
    }
}
