//! Are neighbours' features and scores those of dense matrices in NumPy?

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use serde_json::Value;
use tercet_models::{
    CustomerKnn, DecayedFrequency, Eligibility, NeighbourFeature, NeighbourParams, Promoted,
    PromotionRanker, Purchase, Purchases, neighbour_features,
};

struct Oracle {
    json: Value,
    history: Purchases,
    eligibility: Eligibility,
    as_of: i32,
    customers: Vec<u32>,
}

fn oracle() -> Oracle {
    let json: Value = serde_json::from_str(include_str!("oracle/neighbours.json")).unwrap();
    let customers = json["customers"].as_u64().unwrap() as u32;
    let products = json["products"].as_u64().unwrap() as usize;
    let lines: Vec<(u32, i32, u32, u32)> = serde_json::from_value(json["lines"].clone()).unwrap();
    let lines = lines.into_iter().map(|(customer, day, order, product)| {
        (customer, Purchase { day, order, product, spend_minor: 100 })
    });
    let eligible: Vec<Vec<u32>> = serde_json::from_value(json["eligible"].clone()).unwrap();
    Oracle {
        history: Purchases::new(customers as usize, products, lines.collect()).unwrap(),
        eligibility: Eligibility::new(products, &eligible).unwrap(),
        as_of: json["as_of"].as_i64().unwrap() as i32,
        customers: (0..customers).collect(),
        json,
    }
}

fn whole(case: &Value, name: &str) -> u32 {
    case[name].as_u64().unwrap() as u32
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().unwrap()
}

#[test]
fn features_agree() {
    let oracle = oracle();
    let types: Vec<u32> = serde_json::from_value(oracle.json["types"].clone()).unwrap();
    for case in oracle.json["features"].as_array().unwrap() {
        let params = NeighbourParams {
            active_days: whole(case, "active_days"),
            window_days: whole(case, "window_days"),
            neighbours: whole(case, "neighbours") as usize,
            product_half_life_days: number(case, "product_half_life"),
            type_half_life_days: number(case, "type_half_life"),
            vector_power: number(case, "power"),
            min_type_cosine: number(case, "min_cosine"),
            min_type_customers: whole(case, "floor"),
            ..NeighbourParams::default()
        };
        let found = neighbour_features(
            &oracle.history,
            &oracle.eligibility,
            &types,
            oracle.as_of,
            &oracle.customers,
            &params,
        )
        .unwrap();
        let expect: Vec<Vec<Vec<f64>>> = serde_json::from_value(case["values"].clone()).unwrap();
        for (feature, expect) in NeighbourFeature::ALL.into_iter().zip(expect) {
            for (customer, expect) in expect.iter().enumerate() {
                let row = found.row(feature, customer);
                assert_eq!(row.len(), expect.len());
                for (promotion, (value, expect)) in row.iter().zip(expect).enumerate() {
                    assert!(
                        (f64::from(*value) - expect).abs() < 1e-6 * expect.max(1.0),
                        "{}, customer {customer}, promotion {promotion}: {value} against {expect}",
                        feature.name()
                    );
                }
            }
        }
    }
}

#[test]
fn the_blend_agrees() {
    let oracle = oracle();
    for case in oracle.json["personal_decayed"].as_array().unwrap() {
        let defaults = CustomerKnn::default();
        let engine = CustomerKnn {
            frequency: DecayedFrequency {
                half_life_days: number(case, "half_life"),
                ..defaults.frequency
            },
            similarity_half_life_days: number(case, "similarity_half_life"),
            vector_power: number(case, "power"),
            active_days: whole(case, "active_days"),
            neighbours: whole(case, "neighbours") as usize,
            own_share: number(case, "own_share"),
            ..defaults
        };
        let scores = Promoted { recommender: engine, fill: None }
            .score(&oracle.history, &oracle.eligibility, oracle.as_of, &oracle.customers)
            .unwrap();
        let expect: Vec<Vec<f64>> = serde_json::from_value(case["values"].clone()).unwrap();
        for (list, mut expect) in scores.iter().zip(expect) {
            for (promotion, score) in list {
                let expected = std::mem::take(&mut expect[*promotion as usize]);
                assert!((score - expected).abs() < 1e-6, "{score} against {expected}");
            }
            assert!(expect.iter().all(|left| *left < 1e-8), "nothing is left out");
        }
    }
}
