//! How many pairs does the scorer value in a second on one core, next to LightGBM's C++ and lleaves?
//!
//! `bench/scorer_vs_lightgbm.py` trains the model, makes the rows, holds every score against LightGBM's and says
//! what the goals are.

use std::process::Command;

use serde_json::Value;

use super::process::{number_of, taken};
use super::record::{Goal, Record};
use super::{Bench, Failure};

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let example = bench.example("tercet-scoring", "scorer_speed")?;
    let out = bench.target().join("bench-scorer.json");
    let mut command = Command::new(bench.python()?);
    command.arg(bench.root.join("bench/scorer_vs_lightgbm.py"));
    command.arg("--example").arg(example).arg("--json").arg(&out);
    if bench.quick {
        command.arg("--quick");
    }
    taken(&mut command)?;
    let text = std::fs::read_to_string(&out).map_err(|f| format!("{}: {f}", out.display()))?;
    let found: Value =
        serde_json::from_str(&text).map_err(|cause| format!("{}: {cause}", out.display()))?;
    records(&found, bench.quick)
}

/// A record for each number of promotions, kernel and anchor.
fn records(found: &Value, quick: bool) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    for case in found["cases"].as_array().into_iter().flatten() {
        let promotions = number_of(case, "promotions")?;
        for (kernel, figures) in case["kernels"].as_object().into_iter().flatten() {
            let rates = numbers(&figures["repeats"]);
            for (anchor, theirs) in case["anchors"].as_object().into_iter().flatten() {
                let name = format!("scorer: {kernel}, {promotions} promotions, beside {anchor}");
                let record = Record::new(name, "pairs/s", &rates)
                    .beside(anchor, &numbers(&theirs["repeats"]))
                    .note(format!(
                        "one thread; scores differ by at most {:.1e}, relative",
                        number_of(case, "largest_relative_error")?
                    ));
                // Small sizes weigh what is done once more: nothing to hold against a goal.
                records.push(match figures[anchor]["goal"].as_f64() {
                    Some(least) if !quick => record.goal(Goal::RatioAtLeast(least)),
                    _ => record,
                });
            }
        }
    }
    if records.is_empty() {
        return Err(format!("no figure in {found}"));
    }
    Ok(records)
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_become_records() {
        let found = serde_json::json!({"cases": [{
            "promotions": 100,
            "largest_relative_error": 1e-7,
            "anchors": {"lightgbm": {"repeats": [50.0, 40.0, 60.0]}},
            "kernels": {"avx2": {"repeats": [5000.0, 5100.0], "lightgbm": {"goal": 45.0}}},
        }]});
        let check = |quick: bool, expect: Option<bool>| {
            let records = records(&found, quick).unwrap();
            assert_eq!(records.len(), 1);
            assert_eq!(records[0].name, "scorer: avx2, 100 promotions, beside lightgbm");
            assert_eq!(records[0].passed, expect);
        };
        check(false, Some(true));
        check(true, None);
        assert!(super::records(&serde_json::json!({"cases": []}), false).is_err());
    }
}
