//! What does a filled report of an evaluation look like?

use super::evaluation::{Depth, EvaluatedModel, EvaluationReport, MetricFigure, Reading};
use super::{Fact, Headline};

/// Made-up results with every section filled.
pub(crate) fn sample() -> EvaluationReport {
    let model =
        |model: &str, estimator: &str, settings: &str, fit_seconds, rank_seconds| EvaluatedModel {
            model: model.into(),
            estimator: estimator.into(),
            settings: settings.into(),
            fit_seconds,
            rank_seconds,
        };
    let fact = |name: &str, value: &str| Fact { name: name.into(), value: value.into() };
    let headline = |label: &str, value: &str, note: &str| Headline {
        label: label.into(),
        value: value.into(),
        note: note.into(),
    };
    EvaluationReport {
        data: "interactions.csv".into(),
        against: "ease".into(),
        primary: "ndcg".into(),
        summary: "ease ranks best by NDCG at 10: 0.1912, 0.0211 above the next, last-week.".into(),
        facts: vec![
            fact("Split", "leave-last-out: the last product of every customer is judged"),
            fact("Known products", "not ranked"),
            fact("Intervals", "95 %, bootstrap of 1,000 draws over customers, seed 1"),
        ],
        headlines: vec![
            headline("Customers judged", "6,040", "of 6,040"),
            headline("Products ranked", "3,416", "all of them, for everybody"),
            headline("Best NDCG at 10", "0.1912", "ease"),
        ],
        notes: vec!["The best was chosen on the customers it is judged on.".into()],
        depths: vec![depth(10, 1.0), depth(20, 1.4)],
        models: vec![
            model("ease", "ease", "", 6.1, 1.9),
            model("last-week", "popular", "window_days 7", 0.02, 0.9),
            model("personal", "personal", "", 0.03, 1.1),
        ],
    }
}

fn depth(k: usize, scale: f64) -> Depth {
    let figure = |metric: &str, value: f64, width: f64, is_best| MetricFigure {
        metric: metric.into(),
        value: value * scale,
        interval: (width > 0.0).then_some(((value - width) * scale, (value + width) * scale)),
        is_best,
    };
    let model = |level: f64, best: bool| {
        vec![
            figure("recall", 0.31 * level, 0.011, best),
            figure("hit_rate", 0.42 * level, 0.012, best),
            figure("ndcg", 0.1912 * level, 0.006, best),
            figure("mrr", 0.151 * level, 0.005, best),
            figure("novelty", 3.1 / level, 0.02, false),
            figure("coverage", 0.4 * level, 0.0, false),
        ]
    };
    let known = |value: f64| Reading::Known { value, low: value - 0.004, high: value + 0.004 };
    Depth {
        k,
        figures: vec![model(1.0, true), model(0.89, false), model(0.6, false)],
        differences: vec![
            ("last-week".into(), known(-0.0211 * scale)),
            ("personal".into(), Reading::Refused { refused: "too few units in a group".into() }),
        ],
        chances: vec![
            ("last-week".into(), "< 0.0001".into()),
            ("personal".into(), "too few units in a group".into()),
        ],
    }
}
