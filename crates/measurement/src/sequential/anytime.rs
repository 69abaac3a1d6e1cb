//! What can be said of an experiment at any time, whoever looks and however often?

use serde::Serialize;

use crate::estimate::{Estimate, Refusal};

/// An interval that holds the truth at all times together, and a p-value that may be looked at any time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Anytime {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The chance that the estimate ever lies as far from zero where there is no difference.
    pub p_value: f64,
}

/// The asymptotic confidence sequence around an estimate of a difference, narrowest for its level once
/// `fraction` of the planned information is 1 (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024,
/// doi:10.1214/24-AOS2408, propositions 2.1 and 2.2 as in arXiv:2103.06476v7, equations 9, 155 and 161).
///
/// `fraction` is what is there over what was planned, in units or in customer-weeks; it may pass 1.
///
/// # Errors
/// `NoLooks` when the fraction is not positive; `NoVariance`; `NoLevel`.
pub fn anytime(estimate: &Estimate, fraction: f64) -> Result<Anytime, Refusal> {
    let alpha = 1.0 - estimate.level;
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(Refusal::NoLevel);
    }
    if !(fraction > 0.0 && fraction.is_finite()) {
        return Err(Refusal::NoLooks);
    }
    if estimate.std_error <= 0.0 {
        return Err(Refusal::NoVariance);
    }
    // n ρ², with ρ chosen for the planned n.
    let log = -2.0 * alpha.ln();
    let grown = (log + (log + 1.0).ln()) * fraction;
    let wider = (grown + 1.0) / grown;
    let reach = estimate.std_error * (2.0 * wider * ((grown + 1.0).sqrt() / alpha).ln()).sqrt();
    let z = estimate.value / estimate.std_error;
    let evidence = (z * z / (2.0 * wider)).exp() / (grown + 1.0).sqrt();
    Ok(Anytime {
        low: estimate.value - reach,
        high: estimate.value + reach,
        p_value: (1.0 / evidence).min(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::{LEVEL, Method};

    fn estimate(value: f64) -> Estimate {
        let (std_error, dof, method) = (1.0, 1e6, Method::WelchDifference);
        let (low, high) = (value - 1.96, value + 1.96);
        Estimate { value, low, high, std_error, dof, level: LEVEL, p_value: None, method }
    }

    #[test]
    fn interval_and_p_value_agree_on_zero() {
        for fraction in [0.01, 0.3, 1.0, 2.5] {
            for step in -80..=80 {
                let found = anytime(&estimate(f64::from(step) / 10.0), fraction).unwrap();
                let outside = found.low > 0.0 || found.high < 0.0;
                assert_eq!(outside, found.p_value < 1.0 - LEVEL, "{fraction} {step} {found:?}");
            }
        }
    }

    #[test]
    fn it_is_narrowest_where_planned() {
        let width = |fraction: f64| {
            let found = anytime(&estimate(0.0), fraction).unwrap();
            found.high - found.low
        };
        let planned = width(1.0);
        for fraction in [0.1, 0.5, 0.8, 1.25, 2.0, 10.0] {
            assert!(width(fraction) > planned, "{fraction}");
        }
        assert!(planned > 2.0 * 1.96);
    }

    #[test]
    fn what_cannot_be_said_is_refused_by_reason() {
        let fine = estimate(1.0);
        let check = |estimate: Estimate, fraction: f64, expect: Refusal| {
            assert_eq!(anytime(&estimate, fraction).err(), Some(expect));
        };
        for fraction in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            check(fine, fraction, Refusal::NoLooks);
        }
        check(Estimate { std_error: 0.0, ..fine }, 0.5, Refusal::NoVariance);
        check(Estimate { level: 1.0, ..fine }, 0.5, Refusal::NoLevel);
    }
}
