//! How long do recommenders take to learn from millions of interactions, next to implicit?
//!
//! Interactions are drawn by the anchor. The fit alone is timed, or the lists of all customers, by one thread and by
//! two; both must have learnt the same.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::process::{number_of, printed, said};
use super::record::{Goal, Record};
use super::{Bench, Failure};

/// A model that both have.
struct Model {
    name: &'static str,
    /// What both say of what they learnt, and how far these may be apart, relative to the larger.
    same: (&'static str, f64),
    /// What our CPU seconds may be of implicit's.
    ratio_max: f64,
}

// Factors start from numbers that each draws itself: their lists are as good, and not the same.
const MODELS: &[Model] = &[
    Model { name: "item-knn", same: ("likeness", 1e-9), ratio_max: 0.8 },
    Model { name: "als-cg", same: ("score", 0.05), ratio_max: 1.0 },
    Model { name: "als-cholesky", same: ("score", 0.05), ratio_max: 0.5 },
    Model { name: "als-top-3", same: ("score", 0.05), ratio_max: 1.0 / 3.0 },
];

/// What EASE may take of 3,400 products, CPU seconds.
const EASE_MAX: f64 = 10.0;

const THREADS: [usize; 2] = [1, 2];

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let example = bench.example("tercet-models", "recommender_speed")?;
    let mut records = Vec::new();
    for (size, repeats) in bench.size(&[(1_000_000, 5), (20_000_000, 2)][..], &[(1_000_000, 1)][..])
    {
        let interactions = bench.target().join(format!("bench-interactions-{size}.u32"));
        if !interactions.exists() {
            let size = size.to_string();
            bench.prepared(|| said(anchor(bench, "make", &interactions)?.arg(&size)))?;
        }
        if records.is_empty() {
            records.push(ease(bench, &example, &interactions)?);
        }
        for model in MODELS {
            for threads in THREADS {
                let ours = || {
                    let mut ours = Command::new(&example);
                    ours.arg(model.name).arg(&interactions).arg(threads.to_string());
                    printed(&mut ours)
                };
                let theirs = || {
                    let mut theirs = anchor(bench, model.name, &interactions)?;
                    printed(theirs.arg(threads.to_string()))
                };
                let seconds = turns(*repeats, model, &ours, &theirs)?;
                let name = format!(
                    "recommenders: CPU time of {}, {} M interactions, {threads} of 2 threads",
                    model.name,
                    size / 1_000_000
                );
                records.push(
                    Record::new(name, "s", &seconds[0])
                        .beside("implicit", &seconds[1])
                        .goal(Goal::RatioAtMost(model.ratio_max))
                        .note("20,000 products with a long tail; learnt the same"),
                );
            }
        }
    }
    Ok(records)
}

/// The inverse of the products' matrix, which implicit has not.
fn ease(bench: &Bench, example: &Path, interactions: &Path) -> Result<Record, Failure> {
    let mut seconds = Vec::new();
    for _ in 0..bench.size(5, 1) {
        let mut ours = Command::new(example);
        let found = printed(ours.arg("ease").arg(interactions).arg("1"))?;
        seconds.push(number_of(&found, "cpu_seconds")?);
    }
    let record = Record::new("recommenders: CPU time of ease, 1 M interactions", "s", &seconds);
    Ok(record
        .goal(Goal::AtMost(EASE_MAX))
        .note("the 3,400 most bought of 20,000 products, 1 thread"))
}

fn anchor(bench: &Bench, verb: &str, interactions: &Path) -> Result<Command, Failure> {
    let mut python = Command::new(bench.python()?);
    python.arg(bench.root.join("bench/implicit_anchor.py")).arg(verb).arg(interactions);
    Ok(python)
}

/// CPU seconds of both, taking turns.
fn turns(
    repeats: usize,
    model: &Model,
    ours: &dyn Fn() -> Result<Value, Failure>,
    theirs: &dyn Fn() -> Result<Value, Failure>,
) -> Result<[Vec<f64>; 2], Failure> {
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..repeats {
        let found = [ours()?, theirs()?];
        same(model, &found)?;
        for (seconds, found) in seconds.iter_mut().zip(&found) {
            seconds.push(number_of(found, "cpu_seconds")?);
        }
    }
    Ok(seconds)
}

/// Both learnt the same.
fn same(model: &Model, [ours, theirs]: &[Value; 2]) -> Result<(), Failure> {
    let (key, apart_max) = model.same;
    let (ours, theirs) = (number_of(ours, key)?, number_of(theirs, key)?);
    if (ours - theirs).abs() <= apart_max * ours.abs().max(theirs.abs()) {
        return Ok(());
    }
    Err(format!("{}: {key} is {ours}, implicit's {theirs}", model.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_likeness_is_a_failure() {
        let found = |likeness: f64| serde_json::json!({ "likeness": likeness, "cpu_seconds": 1.5 });
        let check = |ours: f64, theirs: f64| {
            let (ours, theirs) = (|| Ok(found(ours)), || Ok(found(theirs)));
            turns(2, &MODELS[0], &ours, &theirs)
        };
        assert_eq!(check(7.0, 7.0 + 1e-12).unwrap(), [[1.5, 1.5], [1.5, 1.5]]);
        assert!(check(7.0, 7.1).is_err());
    }
}
