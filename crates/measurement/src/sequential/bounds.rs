//! How far from zero must an estimate lie at each look, so that all looks together err seldom enough?

use super::quadrature::gauss_legendre;
use crate::estimate::Refusal;
use crate::normal;

/// The most looks.
pub const LOOKS_MAX: usize = 256;

/// The least share of the planned information that a look must add.
pub const STEP_MIN: f64 = 1e-4;

/// No bound lies farther out: beyond, a look spends less than 1.3·10⁻¹⁵.
const BOUND_MAX: f64 = 8.0;

/// Halvings in the search of a bound, from [`BOUND_MAX`] to 10⁻¹³.
const HALVINGS: u32 = 46;

/// Nodes of an integral: at least so many, and so many per standard deviation of what a look adds.
const NODES_MIN: usize = 64;
const NODES_PER_DEVIATION: f64 = 4.0;

/// How much of `1 − level` may be spent, both sides together, once a share of the planned information is
/// there: nearly nothing early, all of it at 1. Each side spends half of it by the function of Lan and DeMets
/// that gives bounds like O'Brien and Fleming's, `2 (1 − Φ(z / √fraction))`, with the z that is passed with
/// half of what the side has (1983, doi:10.1093/biomet/70.3.659).
pub fn spent(level: f64, fraction: f64) -> f64 {
    let side = (1.0 - level) / 2.0;
    let z = normal::quantile(1.0 - side / 2.0);
    2.0 * 2.0 * normal::upper_tail(z / fraction.sqrt())
}

/// How many standard errors from zero, on either side, an estimate must lie at each look, by the shares of
/// the planned information that are there at the looks (recursion of Armitage, McPherson and Rowe 1969,
/// doi:10.2307/2343787). A bound hangs only on its own look and those before.
///
/// ```
/// use tercet_measurement::sequential::bounds;
/// let weekly = bounds(&[0.25, 0.5, 0.75, 1.0], 0.95)?;
/// assert_eq!(format!("{weekly:.3?}"), "[4.333, 2.963, 2.359, 2.014]");
/// # Ok::<(), tercet_measurement::estimate::Refusal>(())
/// ```
///
/// # Errors
/// `NoLooks` when the shares do not grow by [`STEP_MIN`] at least, or pass 1, or are none or more than
/// [`LOOKS_MAX`]; `NoLevel`.
pub fn bounds(fractions: &[f64], level: f64) -> Result<Vec<f64>, Refusal> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Refusal::NoLevel);
    }
    let steps: Vec<f64> = (0..fractions.len())
        .map(|at| fractions[at] - if at == 0 { 0.0 } else { fractions[at - 1] })
        .collect();
    let grow = steps.iter().all(|&step| step >= STEP_MIN);
    let end = fractions.last().is_some_and(|&last| last <= 1.0);
    if !grow || !end || fractions.len() > LOOKS_MAX {
        return Err(Refusal::NoLooks);
    }
    let mut bounds = Vec::with_capacity(fractions.len());
    let mut before = 0.0;
    // The sum so far, not yet stopped: where it may be, and how probably, next to each other in pairs.
    let mut going: Vec<(f64, f64)> = vec![(0.0, 1.0)];
    for (at, &fraction) in fractions.iter().enumerate() {
        let (deviation, scale) = (steps[at].sqrt(), fraction.sqrt());
        // Half of what may be spent, on the upper side; the lower side mirrors it.
        let spend = (spent(level, fraction) - before) / 2.0;
        let past = |bound: f64| -> f64 {
            let far = |&(sum, weight): &(f64, f64)| {
                weight * normal::upper_tail((bound * scale - sum) / deviation)
            };
            going.iter().map(far).sum()
        };
        let bound = solve(past, spend);
        before = spent(level, fraction);
        bounds.push(bound);
        if let Some(next) = steps.get(at + 1) {
            going = carried(&going, deviation, bound * scale, next.sqrt());
        }
    }
    Ok(bounds)
}

/// The bound that is passed with this probability.
fn solve(past: impl Fn(f64) -> f64, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, BOUND_MAX);
    if past(high) >= probability {
        return BOUND_MAX;
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if past(middle) > probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Where the sum may be after a look that it did not stop at, within `edge` of zero on either side.
fn carried(going: &[(f64, f64)], deviation: f64, edge: f64, next: f64) -> Vec<(f64, f64)> {
    let per_deviation = NODES_PER_DEVIATION * 2.0 * edge / deviation.min(next);
    let nodes = gauss_legendre(NODES_MIN.max(per_deviation.ceil() as usize));
    let density = |to: f64| -> f64 {
        let from = |&(sum, weight): &(f64, f64)| weight * normal::density((to - sum) / deviation);
        going.iter().map(from).sum::<f64>() / deviation
    };
    nodes.iter().map(|&(x, width)| (edge * x, edge * width * density(edge * x))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_published_tables() {
        let mut compared = 0;
        for line in include_str!("../../tests/oracle/bounds.csv").lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let numbers = |cell: &str| -> Vec<f64> {
                cell.split(' ').map(|number| number.parse().unwrap()).collect()
            };
            let found = bounds(&numbers(cells[2]), numbers(cells[1])[0]).unwrap();
            // Published bounds are solved to about 1e-5; ours and SciPy's to all digits.
            let near = if cells[0] == "scipy" { 1e-8 } else { 1e-4 };
            for (found, expect) in found.iter().zip(numbers(cells[3])) {
                assert!((found - expect).abs() < near, "{line}: {found}, not {expect}");
                compared += 1;
            }
        }
        assert_eq!(compared, 42);
        assert!((bounds(&[1.0], 0.95).unwrap()[0] - 1.959_963_985).abs() < 1e-9);
    }

    #[test]
    fn many_small_looks_spend_what_they_may() {
        // Nearly a continuous look: at every one of them the interval is wider than one look's, and the
        // bounds come down.
        let fractions: Vec<f64> = (1..=60).map(|k| f64::from(k) / 60.0).collect();
        let found = bounds(&fractions, 0.95).unwrap();
        assert!(found.windows(2).all(|pair| pair[1] <= pair[0]), "{found:?}");
        assert!(found.iter().all(|bound| (1.96..=BOUND_MAX).contains(bound)));
    }

    #[test]
    fn a_bound_hangs_on_no_later_look() {
        let all = bounds(&[0.13, 0.4, 0.41, 0.9, 1.0], 0.95).unwrap();
        for looks in 1..5 {
            let some = bounds(&[0.13, 0.4, 0.41, 0.9, 1.0][..looks], 0.95).unwrap();
            let near = some.iter().zip(&all).all(|(some, all)| (some - all).abs() < 1e-9);
            assert!(near, "{some:?} {all:?}");
        }
    }
}
