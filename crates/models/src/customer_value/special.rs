//! What are ln Γ and its derivative?

/// `ln Γ(x)` and `ψ(x)` for `x > 0`: Stirling's series (DLMF 5.11.1, 5.11.2) after shifting `x` beyond 12.
pub(super) fn ln_gamma_and_digamma(x: f64) -> (f64, f64) {
    /// `B₂ₖ / (2k)`, the coefficients of ψ; those of ln Γ are divided by `2k − 1` besides.
    const SERIES: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32_760.0,
        1.0 / 12.0,
    ];
    let (mut x, mut product, mut shift) = (x, 1.0, 0.0);
    while x < 12.0 {
        product *= x;
        shift += 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let (mut ln_gamma, mut digamma) = (0.0, 0.0);
    for (k, term) in SERIES.iter().enumerate().rev() {
        ln_gamma = ln_gamma * square + term / (2 * k + 1) as f64;
        digamma = (digamma + term) * square;
    }
    let ln_x = x.ln();
    let half_ln_tau = 0.5 * std::f64::consts::TAU.ln();
    (
        (x - 0.5) * ln_x - x + half_ln_tau + ln_gamma / x - f64::ln(product),
        ln_x - 0.5 / x - digamma - shift,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values by mpmath at 30 digits.
    #[test]
    fn known_values() {
        let check = |x: f64, ln_gamma: f64, digamma: f64| {
            let found = ln_gamma_and_digamma(x);
            let near = |a: f64, b: f64| (a - b).abs() <= 2e-14 * b.abs().max(1.0);
            assert!(near(found.0, ln_gamma), "ln Γ({x}) is {}, not {ln_gamma}", found.0);
            assert!(near(found.1, digamma), "ψ({x}) is {}, not {digamma}", found.1);
        };
        check(0.001, 6.907178885383853, -1000.5755719318103);
        check(0.25, 1.2880225246980774, -4.2274535333762655);
        check(1.0, 0.0, -0.5772156649015329);
        check(1.5, -0.12078223763524522, 0.03648997397857652);
        check(2.0, 0.0, 0.42278433509846713);
        check(3.7446, 1.4804343309807273, 1.1808872026179522);
        check(11.99, 17.477885575426185, 2.441792283668335);
        check(12.0, 17.502307845873887, 2.442661679975812);
        check(100.5, 361.4355404677776, 4.605174352581845);
        check(54321.0, 537918.196708422, 10.902656966917148);
    }
}
