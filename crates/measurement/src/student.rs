//! How far does Student's t reach at a probability, and how probable is it to reach as far?

use crate::normal;

/// From so many degrees of freedom on, the expansion around the normal quantile is exact to 1e-13.
const EXPANSION_FROM: f64 = 1_000.0;

/// The most steps of Newton's method, and terms of the fraction.
const STEPS_MAX: u32 = 60;
const TERMS_MAX: u32 = 2_000;

/// The quantile of Student's t at `probability`, which lies between 0.5 and 1, with `dof > 0` degrees of
/// freedom, which need not be whole.
pub(crate) fn quantile(probability: f64, dof: f64) -> f64 {
    let z = normal::quantile(probability);
    let start = expansion(z, dof.max(1.0));
    if dof >= EXPANSION_FROM {
        return start;
    }
    let log_scale =
        ln_gamma((dof + 1.0) / 2.0) - ln_gamma(dof / 2.0) - 0.5 * (dof * std::f64::consts::PI).ln();
    let density = |t: f64| (log_scale - 0.5 * (dof + 1.0) * (t * t / dof).ln_1p()).exp();
    // Where the tail is heavy the start lies below the root, and the tail is convex: Newton on the logarithm
    // of the tail climbs without passing it.
    let tail = 1.0 - probability;
    let mut t = start;
    for _ in 0..STEPS_MAX {
        let above = upper_tail(t, dof);
        let step = (above / tail).ln() * above / density(t);
        t += step;
        if step.abs() <= 1e-15 * t.abs() {
            break;
        }
    }
    t
}

/// `P(|T| > t)` with `dof > 0` degrees of freedom, which need not be whole; `t` may have either sign.
pub(crate) fn two_sided(t: f64, dof: f64) -> f64 {
    let t = t.abs();
    if t == 0.0 {
        1.0
    } else if dof < EXPANSION_FROM {
        2.0 * upper_tail(t, dof)
    } else {
        2.0 * normal::upper_tail(deviate(t, dof))
    }
}

/// The normal deviate as far out as `t` (Hill 1970, algorithm 395, doi:10.1145/355598.355599), to twelve
/// digits from [`EXPANSION_FROM`] degrees of freedom on.
fn deviate(t: f64, dof: f64) -> f64 {
    let a = dof - 0.5;
    let b = 48.0 * a * a;
    let w = a * (t * t / dof).ln_1p();
    let second = (((-0.4 * w - 3.3) * w - 24.0) * w - 85.5) / (0.8 * w * w + 100.0 + b);
    w.sqrt() * (1.0 + (w + 3.0 + second) / b)
}

/// Cornish and Fisher's expansion of the quantile in `1 / dof` (Abramowitz and Stegun 26.7.5).
fn expansion(z: f64, dof: f64) -> f64 {
    let s = z * z;
    let terms = [
        z * (s + 1.0) / 4.0,
        z * ((5.0 * s + 16.0) * s + 3.0) / 96.0,
        z * (((3.0 * s + 19.0) * s + 17.0) * s - 15.0) / 384.0,
        z * ((((79.0 * s + 776.0) * s + 1482.0) * s - 1920.0) * s - 945.0) / 92_160.0,
    ];
    z + terms.iter().rev().fold(0.0, |sum, term| (sum + term) / dof)
}

/// `P(T > t)` for `t > 0`: half the regularised incomplete beta `I_x(dof / 2, 1 / 2)` at
/// `x = dof / (dof + t²)`.
fn upper_tail(t: f64, dof: f64) -> f64 {
    let (a, b) = (dof / 2.0, 0.5);
    let (x, y) = (dof / (dof + t * t), t * t / (dof + t * t));
    let log_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * y.ln();
    let front = log_front.exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        0.5 * front * beta_fraction(a, b, x) / a
    } else {
        0.5 * (1.0 - front * beta_fraction(b, a, y) / b)
    }
}

/// The continued fraction of the incomplete beta (DLMF 8.17.22), by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let held = |value: f64| if value.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / held(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..TERMS_MAX {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / held(1.0 + even * d);
        c = held(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / held(1.0 + odd * d);
        c = held(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    fraction
}

/// `ln Γ(x)` for `x > 0`: Stirling's series (DLMF 5.11.1) after shifting `x` beyond 12.
fn ln_gamma(x: f64) -> f64 {
    const SERIES: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1_260.0,
        -1.0 / 1_680.0,
        1.0 / 1_188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let (mut x, mut product) = (x, 1.0);
    while x < 12.0 {
        product *= x;
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = SERIES.iter().rev().fold(0.0, |sum, term| sum * inverse + term) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - f64::ln(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles by scipy, from the script beside the oracle of the estimates.
    #[test]
    fn quantiles_are_those_of_scipy() {
        let text = include_str!("../tests/oracle/estimate.json");
        let oracle: serde_json::Value = serde_json::from_str(text).unwrap();
        let rows = oracle["quantiles"].as_array().unwrap();
        assert_eq!(rows.len(), 60);
        for row in rows {
            let at = |place: usize| row[place].as_f64().unwrap();
            let found = quantile(at(0), at(1));
            let off = (found / at(2) - 1.0).abs();
            assert!(off < 1e-10, "{row}: {found}");
        }
    }

    #[test]
    fn tails_are_those_of_scipy() {
        // 2 * scipy.stats.t.sf(t, dof), SciPy 1.17.
        let check = |t: f64, dof: f64, expect: f64| {
            for t in [t, -t] {
                let found = two_sided(t, dof);
                assert!((found / expect - 1.0).abs() < 1e-9, "{t} {dof}: {found:e}");
            }
        };
        check(0.1, 2.5, 0.9278065440624897);
        check(0.1, 28.0, 0.9210568997723267);
        check(0.1, 999.0, 0.9203643890847112);
        check(0.1, 1000.0, 0.9203643690236041);
        check(0.1, 54321.5, 0.9203446944721511);
        check(0.1, 10000000.0, 0.9203443274505524);
        check(1.0, 2.5, 0.40406102727827364);
        check(1.0, 28.0, 0.32587470687166104);
        check(1.0, 999.0, 0.31755266017641226);
        check(1.0, 1000.0, 0.31755241808467255);
        check(1.0, 54321.5, 0.31731496226146555);
        check(1.0, 10000000.0, 0.31731053205998605);
        check(1.96, 2.5, 0.16294756447281405);
        check(1.96, 28.0, 0.06001672654849705);
        check(1.96, 999.0, 0.050273462733810045);
        check(1.96, 1000.0, 0.050273184955748736);
        check(1.96, 54321.5, 0.05000089491763715);
        check(1.96, 10000000.0, 0.04999581802531423);
        check(4.0, 2.5, 0.03901297584131825);
        check(4.0, 28.0, 0.0004202068571065573);
        check(4.0, 999.0, 6.801470983803941e-05);
        check(4.0, 1000.0, 6.800991920878163e-05);
        check(4.0, 54321.5, 6.342628779334319e-05);
        check(4.0, 10000000.0, 6.334293869016885e-05);
        check(7.5, 2.5, 0.008952056574932164);
        check(7.5, 28.0, 3.60989101531287e-08);
        check(7.5, 999.0, 1.4068014471982213e-13);
        check(7.5, 1000.0, 1.4057293461211632e-13);
        check(7.5, 54321.5, 6.478653734874822e-14);
        check(7.5, 10000000.0, 6.382305983467288e-14);
        assert_eq!(two_sided(0.0, 5.0), 1.0);
    }
}
