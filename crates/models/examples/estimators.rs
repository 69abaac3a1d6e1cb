//! Which estimators are there, with which settings, and where are good ones looked for?
//!
//! Prints the registry as JSON, for `cargo xtask codegen`.
#![expect(clippy::print_stdout, reason = "an example prints what it finds")]
#![expect(clippy::unwrap_used, reason = "settings that cannot be written end the example")]

use serde_json::{Value, json};
use tercet_models::registry::{Axis, ESTIMATORS, Range};

/// A range in words.
fn words(range: Range) -> String {
    match range {
        Range::Real(low, high) => format!("{low} to {high}"),
        Range::LogReal(low, high) => format!("{low} to {high}, by factors"),
        Range::Whole(low, high) => format!("{low} to {high}"),
        Range::LogWhole(low, high) => format!("{low} to {high}, by factors"),
        Range::Among(names) => names.join(", "),
        Range::Flag => "both".to_owned(),
    }
}

fn main() {
    let space = |axis: &Axis| (axis.setting.to_owned(), Value::from(words(axis.range)));
    let all: Vec<Value> = ESTIMATORS
        .iter()
        .map(|estimator| {
            json!({
                "name": estimator.name,
                "defaults": estimator.defaults().unwrap(),
                "searched": estimator.space.iter().map(space).collect::<serde_json::Map<_, _>>(),
            })
        })
        .collect();
    println!("{}", Value::from(all));
}
