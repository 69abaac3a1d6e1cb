//! Which figures and tables does the page of a campaign hold?

use minijinja::value::Serde;
use minijinja::{Value, context};
use tercet_types::{Currency, Result};

use super::charts::line::{Line, lines};
use super::figure::{About, Figure, Table};
use super::lift::{LiftComparison, LiftMetric, LiftReport, LiftSegment};
use super::page::{self, long_date, spoken};
use super::reading::{Reading, forest, text};
use crate::format::{self, Unit};

/// What the column of differences is called.
const AGAINST: &str = "Difference to control";

pub(crate) fn html(report: &LiftReport, currency: Currency) -> Result<String> {
    let comparisons: Vec<Value> = report
        .comparisons
        .iter()
        .enumerate()
        .map(|(at, comparison)| view(at, comparison, currency))
        .collect();
    let period = match report.weeks {
        1 => format!("Week of {}", long_date(report.first_day)),
        weeks => format!("{weeks} weeks from {}", long_date(report.first_day)),
    };
    let context = context! {
        r => Serde(report),
        period => period,
        comparisons => comparisons,
        attribution => attribution(report, currency),
    };
    page::render("lift.html", context, currency)
}

/// What a figure's name says of its unit, and the unit of differences in it.
fn units(metric: &str) -> (Unit, Unit) {
    if metric.ends_with("_minor") {
        (Unit::Money, Unit::Money)
    } else if metric.ends_with("_rate") {
        (Unit::Rate, Unit::Points)
    } else {
        (Unit::Number, Unit::Number)
    }
}

fn label(metric: &str) -> String {
    spoken(metric.trim_end_matches("_minor"))
}

fn view(at: usize, comparison: &LiftComparison, currency: Currency) -> Value {
    let id = format!("c{at}");
    context! {
        id => id.as_str(),
        name => spoken(&comparison.name),
        treated => comparison.treated,
        control => comparison.control,
        ratio => &comparison.ratio,
        is_broken => comparison.is_broken,
        verdict => &comparison.verdict,
        relative => relative(&id, comparison, currency),
        totals => forest(
            About {
                id: &format!("{id}-after"),
                title: "Was it only pulled forward?",
                description: "Margin per customer; what the weeks after the campaign take away came early.",
                unit: Unit::Money,
                currency,
            },
            ["Period", AGAINST],
            &comparison.after,
        ),
        weeks => forest(
            About {
                id: &format!("{id}-weeks"),
                title: "Week by week",
                description: "Margin per customer of each week by itself.",
                unit: Unit::Money,
                currency,
            },
            ["Week of", AGAINST],
            &comparison.weeks,
        ),
        looks => looks(&id, comparison, currency),
        metrics => metrics(comparison, currency),
        methods_beside => other_methods(comparison, currency),
        segments => segments(&id, comparison, currency),
        by_segment => segment_table(&comparison.segments, currency),
        methods => Serde(&comparison.methods),
    }
}

/// Relative differences of all figures that have one.
fn relative(id: &str, comparison: &LiftComparison, currency: Currency) -> Option<Figure> {
    let named: Vec<(String, Reading)> = comparison
        .metrics
        .iter()
        .filter(|metric| !metric.is_guardrail)
        .filter_map(|metric| {
            metric.relative.as_ref().map(|reading| (label(&metric.metric), reading.clone()))
        })
        .filter(|(_, reading)| matches!(reading, Reading::Known { .. }))
        .collect();
    forest(
        About {
            id: &format!("{id}-relative"),
            title: "How much more than control",
            description: "Relative to customers who got nothing; right of the line is more.",
            unit: Unit::Rate,
            currency,
        },
        ["Figure", AGAINST],
        &named,
    )
}

/// The campaign up to each week: the estimate, and the band that holds at every look together.
fn looks(id: &str, comparison: &LiftComparison, currency: Currency) -> Option<Figure> {
    let rows: Vec<Vec<String>> = comparison
        .looks
        .iter()
        .map(|look| {
            let of = |value: f64| format::signed(value, Unit::Money, currency);
            let anytime = look
                .anytime
                .map_or("–".to_owned(), |(low, high)| format!("{} to {}", of(low), of(high)));
            vec![look.week.clone(), text(&look.margin, Unit::Money, currency), anytime]
        })
        .collect();
    let about = About {
        id: &format!("{id}-looks"),
        title: "The campaign so far",
        description: "Margin per customer up to each week. The outer lines hold however often one looks.",
        unit: Unit::Money,
        currency,
    };
    let head = ["Up to the week of", "Difference to control", "At any look"];
    Figure::draw(about, Table::new("The campaign so far", 1, &head, rows), |frame| {
        let times: Vec<String> = comparison.looks.iter().map(|look| look.week.clone()).collect();
        let line = |name: &str, of: &dyn Fn(&super::lift::LiftLook) -> Option<f64>| Line {
            name: name.to_owned(),
            values: comparison.looks.iter().map(of).collect(),
        };
        let series = [
            line("estimate", &|look| match look.margin {
                Reading::Known { value, .. } => Some(value),
                Reading::Refused { .. } => None,
            }),
            line("at least, at any look", &|look| look.anytime.map(|(low, _)| low)),
            line("at most, at any look", &|look| look.anytime.map(|(_, high)| high)),
        ];
        lines(frame, &times, &series)
    })
}

/// Every figure of both arms.
fn metrics(comparison: &LiftComparison, currency: Currency) -> Table {
    let row = |metric: &LiftMetric| {
        let (unit, of_difference) = units(&metric.metric);
        let level = |value: Option<f64>| {
            value.map_or("–".to_owned(), |value| format::value(value, unit, currency))
        };
        let optional = |reading: Option<&Reading>, unit: Unit| {
            reading.map_or("–".to_owned(), |reading| text(reading, unit, currency))
        };
        // What only the treated can have is a level and no difference.
        let difference = match (metric.control, &metric.difference) {
            (None, Reading::Known { low, high, .. }) if metric.relative.is_none() => format!(
                "[{}, {}]",
                format::value(*low, unit, currency),
                format::value(*high, unit, currency)
            ),
            (_, reading) => text(reading, of_difference, currency),
        };
        let name = label(&metric.metric);
        vec![
            if metric.is_guardrail { format!("{name} (guardrail)") } else { name },
            level(metric.treatment),
            level(metric.control),
            difference,
            optional(metric.adjusted.as_ref(), of_difference),
            optional(metric.relative.as_ref(), Unit::Rate),
            metric.explained.map_or("–".to_owned(), |share| {
                format::value(share.max(0.0), Unit::Rate, currency)
            }),
        ]
    };
    let head = [
        "A customer",
        "Treated",
        "Control",
        "Difference",
        "Less what was known before",
        "Relative",
        "Known before",
    ];
    Table::new("All figures", 1, &head, comparison.metrics.iter().map(row).collect())
}

/// Goals by each method: they should tell the same story.
fn other_methods(comparison: &LiftComparison, currency: Currency) -> Table {
    let goals = comparison.metrics.iter().filter(|metric| metric.stratified.is_some());
    let rows = goals
        .map(|metric| {
            let (_, unit) = units(&metric.metric);
            let shown = |reading: Option<&Reading>| {
                reading.map_or("–".to_owned(), |reading| text(reading, unit, currency))
            };
            vec![
                label(&metric.metric),
                shown(Some(&metric.difference)),
                shown(metric.adjusted.as_ref()),
                shown(metric.stratified.as_ref()),
            ]
        })
        .collect();
    let head = ["Goal", "Plain", "Less what was known before", "Within segments"];
    Table::new("The same by other methods", 1, &head, rows)
}

fn segments(id: &str, comparison: &LiftComparison, currency: Currency) -> Option<Figure> {
    let named: Vec<(String, Reading)> = comparison
        .segments
        .iter()
        .map(|segment| (spoken(&segment.segment), segment.margin.clone()))
        .collect();
    forest(
        About {
            id: &format!("{id}-segments"),
            title: "By segment",
            description: "Margin per customer. The more segments, the likelier one is far off by chance.",
            unit: Unit::Money,
            currency,
        },
        ["Segment", AGAINST],
        &named,
    )
}

fn segment_table(segments: &[LiftSegment], currency: Currency) -> Table {
    let rows = segments
        .iter()
        .map(|segment| {
            vec![
                spoken(&segment.segment),
                format::count(segment.treated),
                format::count(segment.control),
                text(&segment.margin, Unit::Money, currency),
                text(&segment.revenue, Unit::Money, currency),
                text(&segment.conversion, Unit::Points, currency),
                segment
                    .p_corrected
                    .map_or("–".to_owned(), |p| format::value(p, Unit::Number, currency)),
            ]
        })
        .collect();
    let head = [
        "Segment",
        "Treated",
        "Control",
        "Margin",
        "Revenue",
        "Conversion",
        "p of margin, corrected",
    ];
    Table::new("By segment", 1, &head, rows)
}

fn attribution(report: &LiftReport, currency: Currency) -> Table {
    let rows = report
        .attribution
        .iter()
        .map(|by| {
            vec![spoken(&by.rule), format::count(by.offers), format::money(by.paid_minor, currency)]
        })
        .collect();
    Table::new("Offers used", 1, &["By", "Offers", "Paid for their products"], rows)
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::assert_whole;
    use super::*;

    #[test]
    fn the_sample_renders_whole_and_needs_nothing_from_outside() {
        let html = LiftReport::sample().html().unwrap();
        assert_whole(&html);
        for said in ["Margin", "the base is too near zero", "Offers against none", "guardrail"] {
            assert!(html.contains(said), "{said}");
        }
    }

    #[test]
    fn an_empty_campaign_renders() {
        let sample = LiftReport::sample();
        let bare = LiftComparison {
            ratio: vec![],
            verdict: vec![],
            metrics: vec![],
            weeks: vec![],
            looks: vec![],
            after: vec![],
            segments: vec![],
            methods: vec![],
            ..sample.comparisons[0].clone()
        };
        let report = LiftReport {
            comparisons: vec![bare],
            attribution: vec![],
            facts: vec![],
            headlines: vec![],
            notes: vec![],
            ..sample
        };
        assert!(report.html().unwrap().contains("No figures"));
    }
}
