//! How far do the arms of a kind really differ from each other?

use serde::{Deserialize, Serialize};

/// How an arm's effects are drawn towards those of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shrinkage {
    /// The kind of the arm.
    pub kind: u16,
    /// The share of its own effect that is kept; the rest is the kind's.
    pub own: f64,
    /// How much the arm counts in the kind's effect; sums to 1 over the kind.
    pub of_kind: f64,
}

/// Empirical Bayes by kind: arms of a kind are taken to be drawn from it, with means that spread by `τ²`
/// (DerSimonian and Laird 1986, doi:10.1016/0197-2456(86)90046-2); an arm whose mean is known to `v` keeps
/// `τ² / (τ² + v)` of what is its own. A kind of one arm keeps all.
///
/// `means` holds the mean outcome of every arm but control and its squared standard error: control is the same
/// for all and cancels in what tells arms apart.
pub fn shrinkage(means: &[(f64, f64)], kinds: &[u16]) -> Vec<Shrinkage> {
    let weighed = |kind: u16, spread: f64| {
        let arms = means.iter().zip(kinds).filter(move |(_, own)| **own == kind);
        arms.map(move |((mean, variance), _)| (*mean, 1.0 / (variance + spread)))
    };
    let spread = |kind: u16| {
        let (mut weights, mut squares, mut sum) = (0.0, 0.0, 0.0);
        for (mean, weight) in weighed(kind, 0.0) {
            weights += weight;
            squares += weight * weight;
            sum += weight * mean;
        }
        let arms = weighed(kind, 0.0).count() as f64;
        let q: f64 =
            weighed(kind, 0.0).map(|(mean, weight)| weight * (mean - sum / weights).powi(2)).sum();
        ((q - (arms - 1.0)) / (weights - squares / weights)).max(0.0)
    };
    let arm = |((_, variance), kind): (&(f64, f64), &u16)| {
        let arms = weighed(*kind, 0.0).count();
        // An arm whose mean is known exactly keeps it.
        if arms < 2 || weighed(*kind, 0.0).any(|(_, weight)| !weight.is_finite()) {
            return Shrinkage { kind: *kind, own: 1.0, of_kind: 1.0 / arms as f64 };
        }
        let spread = spread(*kind);
        let all: f64 = weighed(*kind, spread).map(|(_, weight)| weight).sum();
        let total = spread + variance;
        Shrinkage { kind: *kind, own: spread / total, of_kind: 1.0 / total / all }
    };
    means.iter().zip(kinds).map(arm).collect()
}

/// Draws the effects of one row, arm by arm, towards those of their kinds.
pub(super) fn shrink(effects: &mut [f64], shrinkage: &[Shrinkage]) {
    let of_kind = |kind: u16| -> f64 {
        let arms = effects.iter().zip(shrinkage).filter(|(_, arm)| arm.kind == kind);
        arms.map(|(effect, arm)| arm.of_kind * effect).sum()
    };
    let drawn: Vec<f64> = effects
        .iter()
        .zip(shrinkage)
        .map(|(effect, arm)| arm.own * effect + (1.0 - arm.own) * of_kind(arm.kind))
        .collect();
    effects.copy_from_slice(&drawn);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_that_differ_by_chance_alone_become_their_kind() {
        let check = |means: &[(f64, f64)], kinds: &[u16], own: &[f64]| {
            let found: Vec<f64> = shrinkage(means, kinds).iter().map(|arm| arm.own).collect();
            let near = found.iter().zip(own).all(|(a, b)| (a - b).abs() < 1e-9);
            assert!(near && found.len() == own.len(), "{found:?}, not {own:?}");
        };
        check(&[(5.0, 1.0)], &[0], &[1.0]);
        check(&[(5.0, 1.0), (5.1, 1.0), (4.9, 1.0)], &[0; 3], &[0.0; 3]);
        // Q = 50, so τ² = (50 − 1) / (2 − 1) = 49.
        check(&[(0.0, 1.0), (10.0, 1.0)], &[0; 2], &[49.0 / 50.0; 2]);
        check(&[(0.0, 1.0), (10.0, 1.0)], &[0, 1], &[1.0; 2]);
        check(&[(0.0, 0.0), (1.0, 0.0)], &[0; 2], &[1.0; 2]);
    }

    #[test]
    fn a_row_keeps_its_own_and_takes_the_rest_from_the_kind() {
        let arm = |kind, own, of_kind| Shrinkage { kind, own, of_kind };
        let mut effects = [1.0, 3.0, 7.0];
        shrink(&mut effects, &[arm(0, 0.5, 0.25), arm(0, 0.0, 0.75), arm(1, 1.0, 1.0)]);
        assert_eq!(effects, [0.5 + 0.5 * 2.5, 2.5, 7.0]);
    }
}
