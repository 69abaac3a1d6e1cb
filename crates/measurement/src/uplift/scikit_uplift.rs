//! How good is a ranking, in the conventions of scikit-uplift?
//!
//! Curves have a point at every different score, so that ties do not matter; areas are trapezoids over
//! counts, less that of the diagonal, divided by that of the best ranking that these outcomes allow: 0 is a
//! random ranking, 1 the best. Outcomes are 0 or 1. As `sklift.metrics` 0.5 has it; the curves are those of
//! Radcliffe 2007, "Using control groups to target on predicted lift", and of Devriendt, Guns and Verbeke
//! 2020, arXiv:2002.05897.

use super::ranked::{Ranked, Top};
use super::refusal::Refusal;

/// An area of the best ranking that is as small as this is 0 but for rounding: areas are counts.
const ROUNDING: f64 = 1e-9;

/// In whose top the outcomes are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// In the top of all units.
    Overall,
    /// In the top of each arm, ranked for itself.
    ByGroup,
}

/// `qini_auc_score` with `negative_effect=True`: the area under `Y_t − Y_c · N_t / N_c`.
///
/// # Errors
/// `NotBinary`, `NoScale`.
pub fn qini_auc(ranked: &Ranked<'_>) -> Result<f64, Refusal> {
    let best = |outcome: bool, treated: bool| match (outcome, treated) {
        (true, true) => 1.0,
        (true, false) => -1.0,
        (false, _) => 0.0,
    };
    normalised(ranked, best, Top::added)
}

/// `uplift_auc_score`: the area under `(Y_t / N_t − Y_c / N_c) · N`.
///
/// # Errors
/// `NotBinary`, `NoScale`.
pub fn uplift_auc(ranked: &Ranked<'_>) -> Result<f64, Refusal> {
    let count = |wanted: (bool, bool)| {
        let units = ranked.outcome.iter().zip(ranked.treated);
        units.filter(|(outcome, treated)| (**outcome == 1.0, **treated) == wanted).count()
    };
    let by_outcome = count((true, false)) > count((false, true));
    let best = |outcome: bool, treated: bool| {
        2.0 * f64::from(outcome == treated) + f64::from(if by_outcome { outcome } else { treated })
    };
    let height = |top: &Top| (top.mean(1).unwrap_or(0.0) - top.mean(0).unwrap_or(0.0)) * top.all();
    normalised(ranked, best, height)
}

/// `uplift_at_k`: the difference of the arms' means in the top `share` of a ranking. Counts are cut down to
/// whole units; of equal scores the later units come first.
///
/// # Errors
/// `NotBinary`, `NoShare`, `EmptyTop`.
pub fn uplift_at(ranked: &Ranked<'_>, share: f64, strategy: Strategy) -> Result<f64, Refusal> {
    check_binary(ranked)?;
    if !(share > 0.0 && share < 1.0) {
        return Err(Refusal::NoShare);
    }
    let mut order: Vec<usize> = (0..ranked.score.len()).collect();
    order.sort_by(|a, b| {
        let scores = ranked.score[*b].partial_cmp(&ranked.score[*a]);
        scores.unwrap_or(std::cmp::Ordering::Equal).then(b.cmp(a))
    });
    let top_of = |order: &[usize]| (order.len() as f64 * share) as usize;
    let mean = |arm: bool| {
        let of_arm = |units: &[usize]| -> Vec<usize> {
            units.iter().copied().filter(|unit| ranked.treated[*unit] == arm).collect()
        };
        let top = match strategy {
            Strategy::Overall => of_arm(&order[..top_of(&order)]),
            Strategy::ByGroup => {
                let mut own = of_arm(&order);
                own.truncate(top_of(&own));
                own
            }
        };
        let sum: f64 = top.iter().map(|unit| ranked.outcome[*unit]).sum();
        if top.is_empty() { Err(Refusal::EmptyTop) } else { Ok(sum / top.len() as f64) }
    };
    Ok(mean(true)? - mean(false)?)
}

fn check_binary(ranked: &Ranked<'_>) -> Result<(), Refusal> {
    let binary = ranked.outcome.iter().all(|outcome| *outcome == 0.0 || *outcome == 1.0);
    if binary { Ok(()) } else { Err(Refusal::NotBinary) }
}

/// The area of a ranking above the diagonal, against that of the ranking by `best`.
fn normalised(
    ranked: &Ranked<'_>,
    best: impl Fn(bool, bool) -> f64,
    height: impl Fn(&Top) -> f64,
) -> Result<f64, Refusal> {
    check_binary(ranked)?;
    let units = ranked.outcome.iter().zip(ranked.treated);
    let scores: Vec<f64> =
        units.map(|(outcome, treated)| best(*outcome == 1.0, *treated)).collect();
    let perfect = Ranked { score: &scores, ..*ranked };
    let area = |ranked: &Ranked<'_>| {
        let (mut area, mut before) = (0.0, (0.0, 0.0));
        for top in ranked.thresholds() {
            let here = (top.all(), height(&top));
            area += (here.0 - before.0) * (here.1 + before.1) / 2.0;
            before = here;
        }
        area - before.0 * before.1 / 2.0
    };
    let best = area(&perfect);
    if best.abs() > ROUNDING { Ok(area(ranked) / best) } else { Err(Refusal::NoScale) }
}
