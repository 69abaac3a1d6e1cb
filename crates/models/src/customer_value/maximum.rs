//! Where is the likelihood of a few positive parameters largest, and how sharply?

use rayon::prelude::*;
use tercet_types::{Error, Result};

/// The most steps of a search.
const STEPS_MAX: usize = 500;

/// The most halvings of a step.
const HALVINGS_MAX: usize = 60;

/// A search ends where no slope of the mean log-likelihood, by the logarithm of a parameter, is steeper.
const SLOPE_MAX: f64 = 1e-8;

/// Parameters are looked for between `e^−LOG_MAX` and `e^LOG_MAX`.
const LOG_MAX: f64 = 16.0;

/// By how much logarithms are moved to see how slopes change.
const NUDGE: f64 = 1e-4;

/// Rows that are summed together; sums of such parts are added in order, whatever the threads.
const PART_ROWS: usize = 4_096;

/// The 97.5 % quantile of the normal distribution.
const NORMAL_975: f64 = 1.959_963_984_540_054;

/// A parameter as it was fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// What the paper calls it.
    pub name: &'static str,
    /// Where the likelihood is largest.
    pub value: f64,
    /// The lower end of its 95 % interval, by the curvature of the likelihood on the logarithmic scale (Wald).
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A model with what is known of its fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit<M> {
    /// The model with its likeliest parameters.
    pub model: M,
    /// The parameters with their intervals, in the order of the paper.
    pub parameters: Vec<Parameter>,
    /// The natural logarithm of the likelihood, summed over customers.
    pub log_likelihood: f64,
    /// The customers that the model was fitted on.
    pub customers: usize,
}

/// A log-likelihood and its slopes by `N` parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Likelihood<const N: usize> {
    pub(super) value: f64,
    pub(super) slopes: [f64; N],
}

impl<const N: usize> Likelihood<N> {
    pub(super) const ZERO: Self = Self { value: 0.0, slopes: [0.0; N] };

    pub(super) fn add(&mut self, times: f64, other: &Self) {
        self.value += times * other.value;
        for (sum, slope) in self.slopes.iter_mut().zip(other.slopes) {
            *sum += times * slope;
        }
    }
}

/// The sum over rows, the same bits on any number of threads.
pub(super) fn summed<T: Sync, const N: usize>(
    rows: &[T],
    of: impl Fn(&T) -> (f64, Likelihood<N>) + Sync,
) -> Likelihood<N> {
    let part = |rows: &[T]| {
        let mut sum = Likelihood::ZERO;
        for row in rows {
            let (times, likelihood) = of(row);
            sum.add(times, &likelihood);
        }
        sum
    };
    let parts: Vec<Likelihood<N>> = rows.par_chunks(PART_ROWS).map(part).collect();
    let mut sum = Likelihood::ZERO;
    parts.iter().for_each(|part| sum.add(1.0, part));
    sum
}

/// What a search found.
pub(super) struct Found<const N: usize> {
    pub(super) at: [f64; N],
    pub(super) log_likelihood: f64,
    pub(super) parameters: Vec<Parameter>,
}

/// Looks for the maximum by BFGS on the logarithms of the parameters (Nocedal and Wright 2006, algorithm 6.1).
///
/// `likelihood` gives the sum over `customers`, and its slopes by the parameters themselves.
///
/// # Errors
/// `T0427` when there is no maximum within bounds, or the likelihood is flat there.
pub(super) fn maximum<const N: usize>(
    names: [&'static str; N],
    start: [f64; N],
    customers: usize,
    likelihood: impl Fn(&[f64; N]) -> Likelihood<N>,
) -> Result<Found<N>> {
    let count = customers as f64;
    // Downhill, per customer, by logarithms: parameters stay positive and steps are of one size.
    let down = |logs: &[f64; N]| {
        let at = logs.map(f64::exp);
        let found = likelihood(&at);
        let slopes = std::array::from_fn(|i| -found.slopes[i] * at[i] / count);
        Likelihood { value: -found.value / count, slopes }
    };
    let none = |what: &str, logs: &[f64; N]| {
        let at: Vec<String> =
            names.iter().zip(logs).map(|(name, log)| format!("{name} {:.4}", log.exp())).collect();
        Error::data("T0427", format!("the likelihood {what} ({})", at.join(", ")))
            .hint("customers differ too little, or there are too few of them, for this model")
    };
    let mut at = start.map(f64::ln);
    let mut here = down(&at);
    let mut inverse = identity::<N>();
    for _ in 0..STEPS_MAX {
        if here.slopes.iter().all(|slope| slope.abs() <= SLOPE_MAX) {
            let parameters = intervals(names, &at, count, &down)
                .ok_or_else(|| none("is flat where it is largest", &at))?;
            return Ok(Found {
                at: at.map(f64::exp),
                log_likelihood: -here.value * count,
                parameters,
            });
        }
        let mut direction = times(&inverse, &here.slopes).map(|part| -part);
        if dot(&direction, &here.slopes) >= 0.0 {
            inverse = identity();
            direction = here.slopes.map(|slope| -slope);
        }
        let Some((next, there)) = step(&at, &here, &direction, &down) else { break };
        if next.iter().any(|log| log.abs() > LOG_MAX) {
            return Err(none("grows without end", &next));
        }
        let moved = std::array::from_fn(|i| next[i] - at[i]);
        let bent = std::array::from_fn(|i| there.slopes[i] - here.slopes[i]);
        update(&mut inverse, &moved, &bent);
        (at, here) = (next, there);
    }
    Err(none("has no maximum that can be found", &at))
}

/// A step along `direction` that brings enough; halved until it does.
fn step<const N: usize>(
    at: &[f64; N],
    here: &Likelihood<N>,
    direction: &[f64; N],
    down: &impl Fn(&[f64; N]) -> Likelihood<N>,
) -> Option<([f64; N], Likelihood<N>)> {
    let slope = dot(direction, &here.slopes);
    let longest = direction.iter().fold(0.0_f64, |longest, part| longest.max(part.abs()));
    // No parameter changes by more than a factor of e² at once.
    let mut length = (2.0 / longest).min(1.0);
    for _ in 0..HALVINGS_MAX {
        let next = std::array::from_fn(|i| at[i] + length * direction[i]);
        let there = down(&next);
        // Near the maximum values differ by less than they are rounded by: slopes decide.
        let is_near = (there.value - here.value).abs() <= 1e-13 * here.value.abs();
        let is_lower = there.value <= here.value + 1e-4 * length * slope;
        let is_flatter = dot(&there.slopes, &there.slopes) < dot(&here.slopes, &here.slopes);
        if is_lower || (is_near && is_flatter) {
            return Some((next, there));
        }
        length /= 2.0;
    }
    None
}

/// The update of the inverse curvature (equation 6.17); left out where the curve bends the other way.
fn update<const N: usize>(inverse: &mut [[f64; N]; N], moved: &[f64; N], bent: &[f64; N]) {
    let curvature = dot(moved, bent);
    if curvature <= 0.0 {
        return;
    }
    let turned = times(inverse, bent);
    let scale = (1.0 + dot(bent, &turned) / curvature) / curvature;
    for i in 0..N {
        for j in 0..N {
            inverse[i][j] += scale * moved[i] * moved[j]
                - (turned[i] * moved[j] + moved[i] * turned[j]) / curvature;
        }
    }
}

/// Intervals by the curvature at the maximum; `None` where it does not bend down in every direction.
fn intervals<const N: usize>(
    names: [&'static str; N],
    at: &[f64; N],
    count: f64,
    down: &impl Fn(&[f64; N]) -> Likelihood<N>,
) -> Option<Vec<Parameter>> {
    let mut curvature = [[0.0; N]; N];
    for i in 0..N {
        let nudged = |by: f64| {
            let mut logs = *at;
            logs[i] += by;
            down(&logs).slopes
        };
        let (above, below) = (nudged(NUDGE), nudged(-NUDGE));
        curvature[i] = std::array::from_fn(|j| (above[j] - below[j]) / (2.0 * NUDGE) * count);
    }
    let variances = inverse_diagonal(curvature)?;
    let parameter = |i: usize| {
        let half = NORMAL_975 * variances[i].sqrt();
        Parameter {
            name: names[i],
            value: at[i].exp(),
            low: (at[i] - half).exp(),
            high: (at[i] + half).exp(),
        }
    };
    Some((0..N).map(parameter).collect())
}

/// The diagonal of the inverse of a symmetric matrix by Cholesky; `None` unless it is positive definite.
fn inverse_diagonal<const N: usize>(matrix: [[f64; N]; N]) -> Option<[f64; N]> {
    let mut lower = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = 0.5 * (matrix[i][j] + matrix[j][i]) - known;
            if i != j {
                lower[i][j] = rest / lower[j][j];
            } else if rest > 1e-12 * matrix[i][i].abs() {
                lower[i][i] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    let mut diagonal = [0.0; N];
    for (unit, entry) in diagonal.iter_mut().enumerate() {
        // A column of the inverse of the lower factor: its squares add up to an entry of the diagonal.
        let mut column = [0.0; N];
        for i in unit..N {
            let known: f64 = (unit..i).map(|k| lower[i][k] * column[k]).sum();
            column[i] = (f64::from(u8::from(i == unit)) - known) / lower[i][i];
        }
        *entry = dot(&column, &column);
    }
    Some(diagonal)
}

fn identity<const N: usize>() -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))))
}

fn times<const N: usize>(matrix: &[[f64; N]; N], vector: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|i| dot(&matrix[i], vector))
}

fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exponential distribution: the rate is one over the mean, its log has variance 1/n.
    #[test]
    fn a_known_maximum_with_its_interval() {
        let (count, sum) = (400.0_f64, 1_000.0);
        let likelihood = |at: &[f64; 1]| Likelihood {
            value: count * at[0].ln() - at[0] * sum,
            slopes: [count / at[0] - sum],
        };
        let found = maximum(["rate"], [7.0], 400, likelihood).unwrap();
        assert!((found.at[0] - 0.4).abs() < 1e-8);
        let half = NORMAL_975 / count.sqrt();
        assert!((found.parameters[0].high - 0.4 * half.exp()).abs() < 1e-6);
        assert!((found.parameters[0].low - 0.4 * (-half).exp()).abs() < 1e-6);
    }

    #[test]
    fn what_grows_without_end_or_is_flat_is_refused() {
        let check = |likelihood: &dyn Fn(&[f64; 2]) -> Likelihood<2>, expect: &str| {
            let error =
                maximum(["one", "two"], [1.0, 1.0], 10, likelihood).map(|_| ()).unwrap_err();
            assert_eq!(error.code(), "T0427");
            assert!(error.to_string().contains(expect), "{error}");
        };
        check(&|at| Likelihood { value: at[0].ln(), slopes: [1.0 / at[0], 0.0] }, "without end");
        check(&|_| Likelihood::ZERO, "is flat");
        check(&|_| Likelihood { value: f64::NAN, slopes: [f64::NAN; 2] }, "no maximum");
    }
}
