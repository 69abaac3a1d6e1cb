//! What could the report of a trial look like?
//!
//! Invented figures: for tests, and to look at a page while changing it.

use super::uplift::{Reading, UpliftArm, UpliftDecile, UpliftRanking, UpliftReport};
use super::{Fact, Headline};

/// Steps of a curve.
const STEPS: usize = 10;

fn known(value: f64, half: f64) -> Reading {
    Reading::Known { value, low: value - half, high: value + half }
}

/// A curve to `effect` that bulges by `bulge`.
fn curve(effect: f64, bulge: f64) -> Vec<f64> {
    let height = |step: usize| {
        let share = step as f64 / STEPS as f64;
        effect * share + bulge * share * (1.0 - share)
    };
    (0..=STEPS).map(height).collect()
}

fn arm(name: &str, kind: &str, effect: f64, spread: f64, verdict: &str) -> UpliftArm {
    let ranking = |by: &str, bulge: f64| UpliftRanking {
        by: by.to_owned(),
        curve: curve(effect, bulge),
        figures: vec![
            ("Qini (scikit-uplift)".to_owned(), Some(bulge)),
            ("uplift at 30 %".to_owned(), Some(effect + bulge / 2.0)),
            ("AUUC (causalml)".to_owned(), None),
        ],
    };
    let decile = |at: usize| {
        let predicted = effect + spread * (4.5 - at as f64) / 4.5;
        let missed = if at.is_multiple_of(2) { 0.006 } else { -0.005 };
        UpliftDecile { rows: 4_260, predicted, observed: known(predicted + missed, 0.021) }
    };
    UpliftArm {
        arm: name.to_owned(),
        kind: Some((kind.to_owned(), 0.74)),
        rows: 21_300,
        mean: 0.106 + effect,
        effect: known(effect, 0.006),
        robust_effect: known(effect + 0.0004, 0.0055),
        verdict: vec![
            verdict.to_owned(),
            "Effects rise by 0.84 [0.31, 1.37] for each 1 that was predicted.".to_owned(),
        ],
        rankings: vec![ranking("uplift", spread), ranking("predicted outcome", spread / 3.0)],
        groups: (0..10).map(decile).collect(),
    }
}

pub(crate) fn sample() -> UpliftReport {
    let fact = |name: &str, value: &str| Fact { name: name.into(), value: value.into() };
    let headline = |label: &str, value: &str, note: &str| Headline {
        label: label.into(),
        value: value.into(),
        note: note.into(),
    };
    UpliftReport {
        treatment: "mailing".into(),
        outcome: "visit".into(),
        are_shares: true,
        summary: "Choose by uplift: sending to 62% of customers is worth 0.0312 per customer."
            .into(),
        facts: vec![
            fact("Learner", "dr, 5 folds"),
            fact("Features", "recency, history, zip_code, channel"),
        ],
        headlines: vec![
            headline("Advice", "Choose by uplift", "customers differ in what letter does"),
            headline("Sent to", "62%", "of 51,200 customers"),
            headline("Worth", "+0.0312", "0.0191 to 0.0433 per customer, over sending to nobody"),
            headline("Effect of letter", "+4.20 pp", "3.60 pp to 4.80 pp"),
        ],
        notes: vec!["The trial ran in one week; another season may be another story.".into()],
        ratio: "The arms are of the planned sizes: χ² 0.0203, p 0.990.".into(),
        is_broken: false,
        are_arms_alike: true,
        control: ("nothing".into(), 21_306, 0.106),
        arms: vec![
            arm("letter", "postal", 0.042, 0.03, "Customers differ in what it does to them."),
            arm(
                "card",
                "postal",
                0.031,
                0.008,
                "No usable heterogeneity: send to all or to nobody.",
            ),
        ],
        policy: vec![
            ("by uplift vs nobody".into(), known(0.0312, 0.0121)),
            ("by uplift vs all letter".into(), known(0.0044, 0.0039)),
            ("all letter vs nobody".into(), known(0.0268, 0.0120)),
            ("all card vs nobody".into(), known(-0.0051, 0.0118)),
        ],
        policy_said: vec!["Chosen fold by fold, by what was known before.".into()],
    }
}
