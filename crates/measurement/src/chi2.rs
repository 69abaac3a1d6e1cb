//! How probable is it that chi-square is at least as large?

/// The most terms of a series or fraction before it counts as converged.
const MAX_TERMS: u32 = 10_000;

/// `P(χ² ≥ x)` with `df` degrees of freedom: the regularised incomplete gamma `Q(df/2, x/2)`,
/// by series (DLMF 8.11.4) below `a + 1` and by Lentz's continued fraction (DLMF 8.9.2) above.
pub(crate) fn upper_tail(chi2: f64, df: u32) -> f64 {
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
            let got = upper_tail(chi2, df);
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
}
