//! How much of what a treatment adds do the units at the top of a ranking bring?

use super::ranked::Ranked;

/// The Qini curve at even shares of all units, from none to all: `steps + 1` heights.
///
/// A height is `Y_t − Y_c · N_t / N_c` in the top, over the number of all treated units (Radcliffe 2007, "Using
/// control groups to target on predicted lift"): what treating the top alone adds per treated unit. The last
/// is the difference of the arms' means, and a random ranking is the straight line to it. Equal scores
/// are straight too.
pub fn qini_curve(ranked: &Ranked<'_>, steps: usize) -> Vec<f64> {
    let tops = ranked.thresholds();
    let treated = tops.last().map_or(1.0, |all| all.units[1]);
    let mut points = vec![(0.0, 0.0)];
    points.extend(tops.iter().map(|top| (top.all(), top.added() / treated)));
    let all = points[points.len() - 1].0;
    let height = |step: usize| {
        let place = all * step as f64 / steps.max(1) as f64;
        let after = points.partition_point(|(units, _)| *units < place);
        let (to, high) = points[after.min(points.len() - 1)];
        let (from, low) = points[after.saturating_sub(1)];
        if to > from { low + (high - low) * (place - from) / (to - from) } else { high }
    };
    (0..=steps).map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_ends_at_the_effect_and_is_straight_where_scores_tie() {
        let outcome = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let treated = [true, false, true, false, true, false, true, false];
        let check = |score: [f64; 8], steps: usize, expect: &[f64]| {
            let found = qini_curve(&Ranked::new(&outcome, &treated, &score).unwrap(), steps);
            let near = found.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-12);
            assert!(near && found.len() == expect.len(), "{found:?}, not {expect:?}");
        };
        let falling = [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
        // Tops of two, four, six and eight: 1 − 0, 2 − 1, 2 − 1, 2 − 2, over four treated.
        check(falling, 4, &[0.0, 0.25, 0.25, 0.25, 0.0]);
        // After the first unit nobody of control is there; after the third twice as many are treated.
        check(falling, 8, &[0.0, 0.25, 0.25, 0.5, 0.25, 0.125, 0.25, 1.0 / 6.0, 0.0]);
        let tied = [2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0];
        check(tied, 4, &[0.0, 0.125, 0.25, 0.125, 0.0]);
        check([0.0; 8], 2, &[0.0, 0.0, 0.0]);
    }
}
