//! Is a setting within its range?

use std::ops::RangeInclusive;

use tercet_types::{Error, Result};

/// # Errors
/// `T0405` unless `value` is finite and lies in `range`.
pub(crate) fn check_setting(
    estimator: &str,
    name: &str,
    value: f64,
    range: RangeInclusive<f64>,
) -> Result<()> {
    if value.is_finite() && range.contains(&value) {
        return Ok(());
    }
    Err(Error::config(
        "T0405",
        format!("{estimator}: {name} is {value}, expected {} to {}", range.start(), range.end()),
    ))
}
