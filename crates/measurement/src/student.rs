//! How far does Student's t reach at a probability?

/// From so many degrees of freedom on, the expansion around the normal quantile is exact to 1e-13.
const EXPANSION_FROM: f64 = 1_000.0;

/// The most steps of Newton's method, and terms of the fraction.
const STEPS_MAX: u32 = 60;
const TERMS_MAX: u32 = 2_000;

/// The quantile of Student's t at `probability`, which lies between 0.5 and 1, with `dof > 0` degrees of
/// freedom, which need not be whole.
pub(crate) fn quantile(probability: f64, dof: f64) -> f64 {
    let z = normal_quantile(probability);
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

/// The quantile of the standard normal at a probability of 0.5 to 1 (Wichura 1988, algorithm AS 241,
/// doi:10.2307/2347330).
fn normal_quantile(probability: f64) -> f64 {
    type Ratio = ([f64; 8], [f64; 8]);
    const CENTRE: Ratio = (
        [
            3.387_132_872_796_366_6,
            133.141_667_891_784_38,
            1_971.590_950_306_551_3,
            13_731.693_765_509_46,
            45_921.953_931_549_87,
            67_265.770_927_008_7,
            33_430.575_583_588_13,
            2_509.080_928_730_122_7,
        ],
        [
            1.0,
            42.313_330_701_600_91,
            687.187_007_492_057_9,
            5_394.196_021_424_751,
            21_213.794_301_586_597,
            39_307.895_800_092_71,
            28_729.085_735_721_943,
            5_226.495_278_852_855,
        ],
    );
    const NEAR: Ratio = (
        [
            1.423_437_110_749_683_5,
            4.630_337_846_156_546,
            5.769_497_221_460_691,
            3.647_848_324_763_204_5,
            1.270_458_252_452_368_4,
            0.241_780_725_177_450_6,
            0.022_723_844_989_269_184,
            0.000_774_545_014_278_341_4,
        ],
        [
            1.0,
            2.053_191_626_637_759,
            1.676_384_830_183_803_8,
            0.689_767_334_985_1,
            0.148_103_976_427_480_08,
            0.015_198_666_563_616_457,
            0.000_547_593_808_499_534_5,
            1.050_750_071_644_416_9e-9,
        ],
    );
    const FAR: Ratio = (
        [
            6.657_904_643_501_103,
            5.463_784_911_164_114,
            1.784_826_539_917_291_3,
            0.296_560_571_828_504_87,
            0.026_532_189_526_576_124,
            0.001_242_660_947_388_078_4,
            2.711_555_568_743_487_6e-5,
            2.010_334_399_292_288_1e-7,
        ],
        [
            1.0,
            0.599_832_206_555_888,
            0.136_929_880_922_735_8,
            0.014_875_361_290_850_615,
            0.000_786_869_131_145_613_3,
            1.846_318_317_510_054_8e-5,
            1.421_511_758_316_446e-7,
            2.044_263_103_389_939_8e-15,
        ],
    );
    let at = |(above, below): &Ratio, r: f64| {
        let sum = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * r + term);
        sum(above) / sum(below)
    };
    let q = probability - 0.5;
    if q <= 0.425 {
        return q * at(&CENTRE, 0.180_625 - q * q);
    }
    let r = (-(1.0 - probability).ln()).sqrt();
    if r <= 5.0 { at(&NEAR, r - 1.6) } else { at(&FAR, r - 5.0) }
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
}
