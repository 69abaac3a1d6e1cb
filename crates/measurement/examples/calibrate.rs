//! How often do intervals hold the truth, and how often is something found where there is nothing?
//!
//! ```text
//! cargo run --release -p tercet-measurement --example calibrate -- [--trials 10000]
//! ```
//!
//! Prints one line of JSON. The result is the same on any number of threads.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a chore talks to whoever called it, and stops at what it cannot do"
)]

#[path = "../tests/support/calibration.rs"]
mod calibration;

use calibration::{Size, calibrate};
use serde_json::json;

/// As many trials as the bands are meant for; fewer widen them by three standard errors.
const TRIALS: u32 = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let trials = match arguments.as_slice() {
        [] => TRIALS,
        [flag, trials] if flag == "--trials" => trials.parse().expect("a number of trials"),
        _ => panic!("usage: calibrate [--trials N]"),
    };
    let slack_errors = if trials < TRIALS { 3.0 } else { 0.0 };
    let size = Size { trials, customers: 10_000, holdout: 0.1, slack_errors };
    let rows: Vec<_> = calibrate(size)
        .into_iter()
        .map(|row| {
            json!({
                "what": row.what,
                "counted": row.counted,
                "share": row.share,
                "least": row.least,
                "most": row.most,
                "holds": row.holds(),
            })
        })
        .collect();
    let Size { customers, holdout, .. } = size;
    println!(
        "{}",
        json!({ "trials": trials, "customers": customers, "holdout": holdout, "rows": rows })
    );
}
