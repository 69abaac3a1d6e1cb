//! Do EASE and implicit ALS come to what NumPy comes to in double precision?

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use serde_json::Value;
use tercet_models::{
    Als, Attributes, Ease, Purchase, Purchases, Query, Recommender, Row, Solver, Training,
};

fn oracle() -> (Value, Purchases) {
    let found: Value = serde_json::from_str(include_str!("oracle/factors.json")).unwrap();
    let mut lines = Vec::new();
    for triple in found["lines"].as_array().unwrap() {
        let [customer, product, count] = [0, 1, 2].map(|at| triple[at].as_u64().unwrap() as u32);
        let line = |order| (customer, Purchase { day: 1, order, product, spend_minor: 100 });
        lines.extend((0..count).map(line));
    }
    let number = |name: &str| found[name].as_u64().unwrap() as usize;
    let past = Purchases::new(number("customers"), number("products"), lines).unwrap();
    (found, past)
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn ease_has_the_weights_of_numpy() {
    let (found, past) = oracle();
    let (products, customers) =
        (Attributes::none(past.products()), Attributes::none(past.customers()));
    let training =
        Training { history: &past, as_of: 9, products: &products, customers: &customers };
    let ease = Ease {
        regularisation: found["ease"]["regularisation"].as_f64().unwrap(),
        ..Ease::default()
    };
    let fitted = ease.fit(&training).unwrap();
    let bought = numbers(&found["ease"]["products"]);
    let mut row = Row::new(past.products());
    for (product, weights) in bought.iter().zip(found["ease"]["weights"].as_array().unwrap()) {
        assert!(fitted.similar(*product as u32, &mut row));
        assert_eq!(row.iter().count(), bought.len() - 1);
        for (other, weight) in
            bought.iter().zip(numbers(weights)).filter(|(other, _)| *other != product)
        {
            let ours = row.get(*other as u32).unwrap();
            assert!((ours - weight).abs() < 1e-9, "{product} of {other}: {ours}, {weight}");
        }
        row.clear();
    }
}

#[test]
fn als_has_the_scores_of_numpy() {
    let (found, past) = oracle();
    let (products, customers) =
        (Attributes::none(past.products()), Attributes::none(past.customers()));
    let training =
        Training { history: &past, as_of: 9, products: &products, customers: &customers };
    let settings = &found["als"];
    let whole = |name: &str| settings[name].as_u64().unwrap();
    for (name, solver, power) in [
        ("cholesky", Solver::Cholesky, 1.0),
        ("conjugate gradient", Solver::ConjugateGradient, 0.0),
    ] {
        let als = Als {
            factors: whole("factors") as usize,
            iterations: whole("iterations") as usize,
            seed: whole("seed"),
            solver,
            steps: whole("steps") as usize,
            confidence: settings["confidence"].as_f64().unwrap(),
            regularisation: settings["regularisation"].as_f64().unwrap(),
            regularisation_power: power,
            ..Als::default()
        };
        let fitted = als.fit(&training).unwrap();
        let mut row = Row::new(past.products());
        for (customer, scores) in (0..).zip(settings["scores"][name].as_array().unwrap()) {
            let query = Query::of(&past, customer, 9);
            fitted.score(&query, &mut row);
            assert_eq!(row.is_empty(), query.lines.is_empty());
            for (product, score) in (0..).zip(numbers(scores)) {
                // What was never bought, or by a customer who never bought, is at the origin in NumPy.
                let ours = row.get(product).unwrap_or(0.0);
                assert!(
                    (ours - score).abs() < 1e-4,
                    "{name}: {customer}, {product}: {ours}, {score}"
                );
            }
            row.clear();
        }
    }
}
