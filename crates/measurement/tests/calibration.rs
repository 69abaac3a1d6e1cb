//! Do intervals hold the truth about as often as they say, on a few trials?
//!
//! `cargo xtask calibrate` runs them all.
#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

#[path = "support/calibration.rs"]
mod calibration;

use calibration::{Size, calibrate};

#[test]
fn a_few_trials_err_about_as_often_as_they_may() {
    let size = Size { trials: 100, customers: 800, holdout: 0.3, slack_errors: 3.0 };
    for row in calibrate(size) {
        assert!(row.holds(), "{}, {}: {}", row.what, row.counted, row.share);
    }
}
