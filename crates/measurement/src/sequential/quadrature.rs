//! At which points does a sum stand for an integral?

/// Steps of Newton's method towards a node; it doubles the digits.
const STEPS: u32 = 100;

/// Nodes and weights on −1 to 1 of the rule that is exact for polynomials of degree `2 count − 1`: the roots of
/// the Legendre polynomial, by Newton's method from their asymptotic places (DLMF 3.5.15, 18.16.14).
pub(super) fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let degree = count as f64;
    let node = |at: usize| {
        let mut x = -(std::f64::consts::PI * (at as f64 + 0.75) / (degree + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..STEPS {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=count {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
            }
            slope = degree * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() <= 1e-15 {
                break;
            }
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_summed_exactly() {
        for count in [2, 5, 64, 301] {
            let nodes = gauss_legendre(count);
            for power in [0, 1, 2, 3] {
                let found: f64 = nodes.iter().map(|&(x, weight)| weight * x.powi(power)).sum();
                let expect = if power % 2 == 1 { 0.0 } else { 2.0 / (f64::from(power) + 1.0) };
                assert!((found - expect).abs() < 1e-12, "{count} {power}: {found}");
            }
        }
        let sine: f64 =
            gauss_legendre(20).iter().map(|&(x, weight)| weight * (3.0 * x).cos()).sum();
        assert!((sine - 2.0 * 3.0_f64.sin() / 3.0).abs() < 1e-14);
    }
}
