//! How good is a ranking, in the conventions of causalml?
//!
//! Curves have a point at every unit, 0 included, and are divided by the size of their last; a figure is the
//! mean over points. Any outcome will do. Equal scores come in the order of the units (causalml leaves it to
//! an unstable sort), so units should come in an order that chance made. As `causalml.metrics` 0.18 has it;
//! Gutierrez and Gérardy 2016, "Causal inference and uplift modelling", section 4.1.

use super::ranked::{Ranked, Top};
use super::refusal::Refusal;

/// `auuc_score` with `normalize=True`: the mean of the cumulative gain. A random ranking has about ½, with
/// the sign of the average effect.
///
/// # Errors
/// `NoScale` when the average effect is 0.
pub fn auuc(ranked: &Ranked<'_>) -> Result<f64, Refusal> {
    let lift = curve(ranked, |top| Some(top.mean(1)? - top.mean(0)?));
    let gain: Vec<f64> = lift.iter().enumerate().map(|(units, lift)| lift * units as f64).collect();
    Ok(normalised(&gain)?.iter().sum::<f64>() / gain.len() as f64)
}

/// `qini_score` with `normalize=True`: the mean of the Qini curve above that of the straight line. A random
/// ranking has about 0.
///
/// # Errors
/// `NoScale` when the average effect is 0.
pub fn qini(ranked: &Ranked<'_>) -> Result<f64, Refusal> {
    let curve = curve(ranked, |top| {
        let control = top.outcomes[0] * top.units[1] / top.units[0];
        (top.units[0] > 0.0).then(|| top.outcomes[1] - control)
    });
    let curve = normalised(&curve)?;
    let points = curve.len() as f64;
    let last = curve.last().copied().unwrap_or(0.0);
    Ok((curve.iter().sum::<f64>() - last * points / 2.0) / points)
}

/// A value at every top, after 0; what is not defined yet lies on the straight line to the first that is.
fn curve(ranked: &Ranked<'_>, value: impl Fn(&Top) -> Option<f64>) -> Vec<f64> {
    let tops = ranked.tops(&ranked.order());
    let values: Vec<Option<f64>> = tops.iter().map(value).collect();
    // Both arms have units at the end, and keep them from where they first do.
    let first = values.iter().position(Option::is_some).unwrap_or(0);
    let reached = values.get(first).copied().flatten().unwrap_or(0.0);
    let line = (0..=first).map(|at| reached * at as f64 / (first + 1) as f64);
    line.chain(values[first..].iter().map(|value| value.unwrap_or(0.0))).collect()
}

fn normalised(curve: &[f64]) -> Result<Vec<f64>, Refusal> {
    match curve.last() {
        Some(last) if *last != 0.0 => Ok(curve.iter().map(|value| value / last.abs()).collect()),
        _ => Err(Refusal::NoScale),
    }
}
