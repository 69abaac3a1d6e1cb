//! What could the report of a campaign look like?
//!
//! Invented figures: for tests, and to look at a page while changing it.

use tercet_types::Date;

use super::lift::{
    Attributed, LiftComparison, LiftLook, LiftMetric, LiftReport, LiftSegment, Reading,
};
use super::{Fact, Headline};

/// Monday, 4 September 2017.
const FIRST_DAY: Date = Date::from_days(17_413);

/// Figure, level of control, relative difference, and half of its interval.
const METRICS: [(&str, f64, f64, f64); 8] = [
    ("margin_minor", 2_140.0, 0.034, 0.021),
    ("capped_margin_minor", 2_060.0, 0.031, 0.017),
    ("revenue_minor", 8_350.0, 0.041, 0.019),
    ("conversion_rate", 0.412, 0.028, 0.013),
    ("orders", 2.31, 0.033, 0.016),
    ("coupons_used", 0.48, 0.61, 0.09),
    ("new_product_purchases", 0.84, 0.12, 0.08),
    ("repeat_purchases", 6.2, 0.011, 0.018),
];

fn known(value: f64, half: f64) -> Reading {
    Reading::Known { value, low: value - half, high: value + half }
}

fn refused(why: &str) -> Reading {
    Reading::Refused { refused: why.to_owned() }
}

pub(crate) fn sample() -> LiftReport {
    let fact = |name: &str, value: &str| Fact { name: name.into(), value: value.into() };
    let headline = |label: &str, value: &str, note: &str| Headline {
        label: label.into(),
        value: value.into(),
        note: note.into(),
    };
    LiftReport {
        project: "Corner grocer".into(),
        currency: "USD".into(),
        first_day: FIRST_DAY,
        weeks: 4,
        summary: "Offers brought $3,250 more margin in 4 weeks, and we are 95% sure of more than \
                  $1,240."
            .into(),
        facts: vec![
            fact("Runs", "4, of engine tercet"),
            fact("Customers", "49,880; 120 left out, whom a larger holdout moved"),
            fact("Intervals", "95%"),
        ],
        headlines: vec![
            headline("Margin brought", "+$3,250", "$1,240 to $5,260, all treated together"),
            headline("Conversion", "+2.8%", "+1.5% to +4.1%"),
            headline("Offers used", "4.8%", "of those sent"),
            headline("Verdict", "Go on", "the bound of week 4 is not reached"),
        ],
        notes: vec!["Products without a margin count with 30% of revenue.".into()],
        comparisons: vec![
            comparison("offers against none"),
            comparison("new-model: test against baseline"),
        ],
        attribution: vec![
            Attributed { rule: "code".into(), offers: 1_214, paid_minor: 812_300 },
            Attributed { rule: "purchase".into(), offers: 3_011, paid_minor: 1_544_100 },
        ],
    }
}

fn comparison(name: &str) -> LiftComparison {
    let weeks = ["4 Sep", "11 Sep", "18 Sep", "25 Sep"];
    LiftComparison {
        name: name.into(),
        treated: 44_870,
        control: 5_010,
        ratio: vec![
            "The arms came out as planned: 90.00% treated, 89.96% observed (p = .75).".into(),
        ],
        is_broken: false,
        verdict: vec![
            "After week 4 of 10 the difference is 2.3 standard errors; 4.3 would end it.".into(),
        ],
        metrics: METRICS
            .iter()
            .map(|&(metric, control, relative, half)| LiftMetric {
                metric: metric.into(),
                is_guardrail: false,
                treatment: Some(control * (1.0 + relative)),
                control: Some(control),
                difference: known(control * relative, control * half * 1.6),
                adjusted: Some(known(control * relative, control * half)),
                stratified: (metric == "margin_minor")
                    .then(|| known(control * relative, control * half * 1.5)),
                relative: Some(known(relative, half)),
                explained: Some(0.61),
            })
            .chain([
                LiftMetric {
                    metric: "hit_rate".into(),
                    is_guardrail: false,
                    treatment: Some(0.048),
                    control: None,
                    difference: known(0.048, 0.002),
                    adjusted: None,
                    stratified: None,
                    relative: None,
                    explained: None,
                },
                LiftMetric {
                    metric: "no_consent_rate".into(),
                    is_guardrail: true,
                    treatment: Some(0.000_2),
                    control: Some(0.0),
                    difference: known(0.000_2, 0.000_3),
                    adjusted: None,
                    stratified: None,
                    relative: Some(refused("the base is too near zero")),
                    explained: None,
                },
            ])
            .collect(),
        weeks: weeks
            .iter()
            .enumerate()
            .map(|(at, week)| ((*week).to_owned(), known(20.0 - 3.0 * at as f64, 24.0)))
            .collect(),
        looks: weeks
            .iter()
            .enumerate()
            .map(|(at, week)| {
                let (value, half) = (19.0 * (at + 1) as f64, 22.0 * ((at + 1) as f64).sqrt());
                LiftLook {
                    week: (*week).to_owned(),
                    margin: known(value, half),
                    anytime: Some((value - 1.7 * half, value + 1.7 * half)),
                }
            })
            .collect(),
        after: vec![
            ("4 weeks of the campaign".into(), known(73.0, 45.0)),
            ("2 weeks after it".into(), known(-9.0, 26.0)),
            ("both together".into(), known(64.0, 52.0)),
        ],
        segments: ["both", "transaction_only", "browsing_only"]
            .iter()
            .enumerate()
            .map(|(at, segment)| LiftSegment {
                segment: (*segment).to_owned(),
                treated: 15_000 - 4_000 * at as i64,
                control: 1_680 - 450 * at as i64,
                margin: known(90.0 - 40.0 * at as f64, 70.0),
                revenue: known(310.0 - 120.0 * at as f64, 240.0),
                conversion: known(0.013 - 0.004 * at as f64, 0.011),
                p_corrected: Some(0.03 + 0.2 * at as f64),
            })
            .collect(),
        methods: vec![Fact {
            name: "Adjusted difference".into(),
            value: "units were assigned by chance and do not affect each other".into(),
        }],
    }
}
