//! Are estimates and intervals those of the reference libraries?
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

use serde_json::Value;
use tercet_measurement::estimate::{
    Estimate, difference, paired_relative_difference, ratio, relative_difference,
};
use tercet_measurement::{Moments, PairMoments};

fn oracle() -> Value {
    serde_json::from_str(include_str!("oracle/estimate.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn moments(value: &Value) -> Moments {
    let parts = numbers(value);
    Moments::from_parts(parts[0] as u64, parts[1], parts[2])
}

#[track_caller]
fn near(found: f64, expect: f64, scale: f64, tolerance: f64) {
    assert!((found - expect).abs() <= tolerance * scale.abs().max(1.0), "{found}, not {expect}");
}

#[track_caller]
fn same(found: &Estimate, expect: &Value, tolerance: f64) {
    let expect = numbers(expect);
    // Ends of an interval carry the digits of its reach.
    let scale = expect[0].abs().max(expect[1].abs());
    near(found.value, expect[0], scale, tolerance);
    near(found.low, expect[1], scale, tolerance);
    near(found.high, expect[2], scale, tolerance);
}

#[test]
fn intervals_are_those_of_statsmodels_and_gbstats() {
    let oracle = oracle();
    let cases = oracle["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 60);
    for case in cases {
        let level = case["level"].as_f64().unwrap();
        let (control, treatment) = (moments(&case["control"]), moments(&case["treatment"]));
        same(&difference(&treatment, &control, level).unwrap(), &case["difference"], 1e-10);
        same(&relative_difference(&treatment, &control, level).unwrap(), &case["relative"], 1e-9);
        let pairs = PairMoments::from_parts(
            moments(&case["first"]),
            moments(&case["second"]),
            case["cross"].as_f64().unwrap(),
        );
        let found = ratio(&pairs, level).unwrap();
        let expect = numbers(&case["ratio"]);
        near(found.value, expect[0], expect[0], 1e-10);
        near(found.std_error, expect[1], expect[1], 1e-9);
        // The oracle's gradient is numerical.
        same(&paired_relative_difference(&pairs, level).unwrap(), &case["paired"], 1e-8);
    }
}
