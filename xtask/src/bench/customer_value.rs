//! How long is BG/NBD fitted on a million customers, next to lifetimes?
//!
//! Customers are drawn by the anchor from the model itself. The fit alone is timed, by one thread and by all; the
//! parameters must be the same.

use std::process::Command;

use serde_json::Value;

use super::process::{number_of, printed, said};
use super::record::{Goal, Record};
use super::shop::cores;
use super::{Bench, Failure};

/// What our CPU seconds may be of lifetimes'.
const RATIO_MAX: f64 = 0.3;

/// How far parameters may be apart, relative: lifetimes stops where the likelihood changes little.
const APART_MAX: f64 = 1e-3;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let customers = bench.size(1_000_000, 100_000);
    let example = bench.example("tercet-models", "customer_value_speed")?;
    let histories = bench.target().join(format!("bench-customer-value-{customers}.f64"));
    let anchor = |verb: &str| -> Result<Command, Failure> {
        let mut python = Command::new(bench.python()?);
        python.arg(bench.root.join("bench/customer_value_anchor.py")).arg(verb).arg(&histories);
        Ok(python)
    };
    if !histories.exists() {
        bench.prepared(|| said(anchor("make")?.arg(customers.to_string())))?;
    }
    let (mut one, mut all, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.size(5, 3) {
        let other = printed(&mut anchor("fit")?)?;
        theirs.push(number_of(&other, "cpu_seconds")?);
        for (threads, seconds) in [(1, &mut one), (cores(), &mut all)] {
            let found = printed(Command::new(&example).arg(&histories).arg(threads.to_string()))?;
            same(&found, &other)?;
            seconds.push(number_of(&found, "cpu_seconds")?);
        }
    }
    let record = |threads: String, seconds: &[f64]| {
        Record::new(format!("customer value: CPU time of a fit, {threads}"), "s", seconds)
            .beside("lifetimes", &theirs)
            .goal(Goal::RatioAtMost(RATIO_MAX))
            .note(format!("BG/NBD on {customers} customers; the same parameters"))
    };
    Ok(vec![record("1 thread".to_owned(), &one), record(format!("{} threads", cores()), &all)])
}

/// Both came to the same parameters.
fn same(found: &Value, theirs: &Value) -> Result<(), Failure> {
    let parameters = |value: &Value| -> Vec<f64> {
        value["parameters"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
    };
    let (ours, others) = (parameters(found), parameters(theirs));
    let near = |(a, b): (&f64, &f64)| (a / b - 1.0).abs() <= APART_MAX;
    if ours.len() == 4 && others.len() == 4 && ours.iter().zip(&others).all(near) {
        return Ok(());
    }
    Err(format!("customer value: parameters {ours:?}, of lifetimes {others:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_parameters_are_a_failure() {
        let found = |r: f64| serde_json::json!({ "parameters": [r, 4.4, 0.8, 2.4] });
        assert!(same(&found(0.243), &found(0.243_01)).is_ok());
        assert!(same(&found(0.243), &found(0.25)).is_err());
        assert!(same(&found(0.243), &serde_json::json!({})).is_err());
    }
}
