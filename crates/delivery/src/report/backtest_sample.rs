//! What could the report of a backtest look like?
//!
//! Invented figures: for tests, and to look at a page while changing it.

use tercet_types::Date;

use super::backtest::{
    BacktestReport, EngineResult, Estimate, PairedResult, Pool, Slice, WeekCount,
};
use super::metrics::METRICS;
use super::{Fact, Headline};

/// Monday, 4 September 2017.
const FIRST_WEEK: Date = Date::from_days(17_413);
/// Engines with how well each does, 1 being the reference.
const ENGINES: [(&str, f64); 5] = [
    ("tercet", 1.0),
    ("personal-decayed", 0.92),
    ("personal", 0.84),
    ("legacy", 0.71),
    ("popular", 0.42),
];
/// A figure of the reference engine for each of [`METRICS`].
const LEVELS: [f64; 9] = [0.128, 0.052, 0.171, 412_300.0, 0.061, 154_200.0, 0.183, 0.35, 0.81];

pub(crate) fn sample() -> BacktestReport {
    let fact = |name: &str, value: &str| Fact { name: name.into(), value: value.into() };
    let headline = |label: &str, value: &str, note: &str| Headline {
        label: label.into(),
        value: value.into(),
        note: note.into(),
    };
    BacktestReport {
        project: "Corner grocer".into(),
        currency: "USD".into(),
        reference: "tercet".into(),
        summary:
            "On narrow promotions of three weeks, tercet's offers capture 8.7% more spend than the \
                  next best engine, with an interval above zero."
                .into(),
        facts: vec![
            fact("Weeks", "3 Mondays, 4 to 18 September 2017"),
            fact("Intervals", "95%, paired bootstrap over customers, 1,000 resamples"),
            fact("Seed", "7"),
        ],
        headlines: vec![
            headline("Spend captured", "$4,123.00", "narrow promotions, +8.7% on the next best"),
            headline("Discovery hit rate", "6.1%", "+0.49 points on the next best"),
            headline("Hit rate", "12.8%", "of the week's buyers"),
            headline("Customers", "1,940", "active in the last eight weeks"),
        ],
        notes: vec!["Coupon values are estimated from past redeemed lines.".into()],
        weeks: (0..3_i64)
            .map(|week| WeekCount {
                week: FIRST_WEEK.plus_days(7 * week as i32),
                candidates: 207 - 3 * week,
                customers: 1_940 + 12 * week,
                buyers: 1_148 + 7 * week,
            })
            .collect(),
        pools: vec![
            pool(
                "narrow",
                "Promotions with at most 100 eligible products: what tells engines apart.",
                1.0,
            ),
            pool("broad", "Promotions with more than 100 eligible products.", 1.9),
            pool("all", "Every promotion of the week.", 1.4),
        ],
    }
}

fn pool(name: &str, description: &str, scale: f64) -> Pool {
    let estimate = |metric: &str, value: f64, half: f64| Estimate {
        metric: metric.into(),
        value,
        low: value - half,
        high: value + half,
    };
    let levels = || {
        METRICS.iter().zip(LEVELS).map(move |(metric, level)| (metric.name, level * scale.sqrt()))
    };
    let engines = ENGINES
        .map(|(engine, skill)| EngineResult {
            engine: engine.into(),
            metrics: levels().map(|(name, v)| estimate(name, v * skill, v * 0.06)).collect(),
        })
        .into();
    let paired = ENGINES
        .iter()
        .skip(1)
        .map(|(engine, skill)| PairedResult {
            against: (*engine).into(),
            differences: levels().map(|(n, v)| estimate(n, v * (1.0 - skill), v * 0.05)).collect(),
            relative: levels().map(|(n, _)| estimate(n, 1.0 / skill - 1.0, 0.05 / skill)).collect(),
        })
        .collect();
    let slices = |names: Vec<String>| -> Vec<Slice> {
        names
            .iter()
            .enumerate()
            .flat_map(|(place, slice)| {
                ENGINES.into_iter().flat_map(move |(engine, skill)| {
                    levels().map(move |(metric, level)| Slice {
                        slice: slice.clone(),
                        engine: engine.into(),
                        metric: metric.into(),
                        value: level * skill * (1.0 - 0.09 * place as f64),
                        customers: 1_148 / (place as i64 + 1),
                    })
                })
            })
            .collect()
    };
    Pool {
        name: name.into(),
        description: description.into(),
        engines,
        paired,
        by_segment: slices(vec!["transaction_only".into(), "both".into()]),
        by_week: slices((0..3).map(|week| FIRST_WEEK.plus_days(7 * week).to_string()).collect()),
    }
}
