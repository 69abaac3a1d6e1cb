//! Did the arms come out in the sizes that were planned?
//!
//! Sample ratio mismatch: Pearson's chi-square against the planned shares. An alarm means that
//! assignment or logging is broken, and that no lift of the experiment may be read.

mod diagnosis;

use serde::Serialize;
use tercet_types::{Error, Result};

pub use diagnosis::{Cause, Diagnosis, Dimension, EXPECTED_MIN, GroupFinding, Split, diagnose};

use crate::chi2;

/// Below this p-value the ratio raises the alarm.
pub const ALARM_P_VALUE: f64 = 0.001;

/// The verdict on a sample ratio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Srm {
    /// `Σ (observed − expected)² / expected`.
    pub chi2: f64,
    /// Probability of at least this `chi2` under the planned shares, with arms − 1 degrees of
    /// freedom.
    pub p_value: f64,
    /// True when the p-value is below [`ALARM_P_VALUE`].
    pub alarm: bool,
}

/// Holds the counts of the arms against their planned shares, which add up to 1.
///
/// # Errors
/// `T0711` (data) when there are fewer than two arms, as many rates as counts are not given, a rate
/// is not positive, the rates do not add up to 1, or nobody was counted.
pub fn srm(observed: &[u64], expected_rates: &[f64]) -> Result<Srm> {
    let total: u64 = observed.iter().sum();
    let fault = if observed.len() < 2 || observed.len() != expected_rates.len() {
        "needs one rate for each of at least two arms"
    } else if !expected_rates.iter().all(|&rate| rate > 0.0) {
        "a planned rate is not positive"
    } else if (expected_rates.iter().sum::<f64>() - 1.0).abs() > 1e-9 {
        "the planned rates do not add up to 1"
    } else if total == 0 {
        "nobody was counted"
    } else {
        let term = |(&count, &rate): (&u64, &f64)| {
            let expected = rate * total as f64;
            (count as f64 - expected).powi(2) / expected
        };
        let chi2 = observed.iter().zip(expected_rates).map(term).sum();
        let p_value = chi2::upper_tail(chi2, observed.len() as u32 - 1);
        return Ok(Srm { chi2, p_value, alarm: p_value < ALARM_P_VALUE });
    };
    Err(Error::data("T0711", format!("sample ratio: {fault}"))
        .hint("give the count and the planned share of every arm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_judged() {
        let check = |observed: &[u64], rates: &[f64], chi2: f64, p_value: f64, alarm: bool| {
            let got = srm(observed, rates).unwrap();
            assert!(
                (got.chi2 - chi2).abs() < 5e-5 && (got.p_value - p_value).abs() < 5e-4,
                "{got:?}"
            );
            assert_eq!(got.alarm, alarm);
        };
        // Hillstrom's e-mail experiment, three equal arms.
        check(&[21_307, 21_387, 21_306], &[1.0 / 3.0; 3], 0.2025, 0.904, false);
        check(&[50, 50], &[0.5, 0.5], 0.0, 1.0, false);
        check(&[9_500, 500], &[0.9, 0.1], 277.7778, 0.0, true);
    }

    #[test]
    fn bad_plans_are_refused() {
        let check = |observed: &[u64], rates: &[f64]| {
            assert_eq!(srm(observed, rates).unwrap_err().code(), "T0711");
        };
        check(&[1], &[1.0]);
        check(&[1, 2], &[1.0]);
        check(&[1, 2], &[0.5, 0.6]);
        check(&[1, 2], &[1.0, 0.0]);
        check(&[0, 0], &[0.5, 0.5]);
    }
}
