//! Did the arms come out in the sizes that were planned?
//!
//! Sample ratio mismatch: Pearson's chi-square against the planned shares. An alarm means that
//! assignment or logging is broken, and that no lift of the experiment may be read.

use tercet_types::{Error, Result};

/// Below this p-value the ratio raises the alarm.
pub const ALARM_P_VALUE: f64 = 0.001;

/// The most terms of a series or fraction before it counts as converged.
const MAX_TERMS: u32 = 10_000;

/// The verdict on a sample ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
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
        let p_value = chi2_tail(chi2, observed.len() as u32 - 1);
        return Ok(Srm { chi2, p_value, alarm: p_value < ALARM_P_VALUE });
    };
    Err(Error::data("T0711", format!("sample ratio: {fault}"))
        .hint("give the count and the planned share of every arm"))
}

/// `P(χ² ≥ x)` with `df` degrees of freedom: the regularised incomplete gamma `Q(df/2, x/2)`,
/// by series (DLMF 8.11.4) below `a + 1` and by Lentz's continued fraction (DLMF 8.9.2) above.
fn chi2_tail(chi2: f64, df: u32) -> f64 {
    let (a, x) = (f64::from(df) / 2.0, chi2 / 2.0);
    if x <= 0.0 {
        return 1.0;
    }
    let scale = (a * x.ln() - x - ln_gamma_half(df)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..MAX_TERMS {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return (1.0 - sum * scale).clamp(0.0, 1.0);
    }
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / f64::MIN_POSITIVE;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for n in 1..MAX_TERMS {
        let n = f64::from(n);
        let an = -n * (n - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    (scale * fraction).clamp(0.0, 1.0)
}

/// `ln Γ(df / 2)` by `Γ(z + 1) = z Γ(z)` from `Γ(1/2) = √π` or `Γ(1) = 1`.
fn ln_gamma_half(df: u32) -> f64 {
    let (start, mut sum) =
        if df % 2 == 1 { (1, std::f64::consts::PI.ln() / 2.0) } else { (2, 0.0) };
    for twice in (start..df).step_by(2) {
        sum += (f64::from(twice) / 2.0).ln();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_agree_with_scipy() {
        // scipy.stats.chi2.sf(x, df), SciPy 1.17.
        let check = |chi2: f64, df: u32, expect: f64| {
            let got = chi2_tail(chi2, df);
            assert!((got - expect).abs() <= 1e-12 + 1e-10 * expect, "{chi2} {df}: {got}");
        };
        check(0.5, 1, 0.47950012218695337);
        check(3.841458820694124, 1, 0.04999999999999989);
        check(25.0, 1, 5.733031437583875e-07);
        check(0.2, 2, 0.9048374180359595);
        check(9.21, 2, 0.01000170200470548);
        check(2.5, 3, 0.4752910833430205);
        check(16.0, 9, 0.06688158777412662);
        check(4.0, 9, 0.9114125268316792);
        check(60.0, 9, 1.3406780483959625e-09);
    }

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
