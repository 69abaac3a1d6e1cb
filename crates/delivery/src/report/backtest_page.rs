//! Which figures and tables does a backtest's page hold?

use minijinja::value::Serde;
use minijinja::{Value, context};
use tercet_types::{Currency, Date, Result};

use super::backtest::{BacktestReport, Estimate, Pool, Slice, WeekCount};
use super::charts::interval::{Interval, intervals};
use super::charts::line::{Line, lines};
use super::charts::stacked::{Layout, Row, stacked};
use super::figure::{About, Figure, Table};
use super::metrics::{METRICS, words};
use super::page::{self, long_date, short_date, spoken};
use crate::format::{self, Unit};

pub(crate) fn html(report: &BacktestReport, currency: Currency) -> Result<String> {
    let pools: Vec<Value> =
        report.pools.iter().map(|pool| pool_view(pool, &report.reference, currency)).collect();
    let meanings: Vec<Value> = METRICS
        .iter()
        .map(|metric| context! { label => metric.label, meaning => metric.meaning })
        .collect();
    let period = match (report.weeks.first(), report.weeks.last()) {
        (Some(first), Some(last)) if first != last => {
            format!("Weeks of {} to {}", long_date(first.week), long_date(last.week))
        }
        (Some(only), _) => format!("Week of {}", long_date(only.week)),
        _ => "No weeks".to_owned(),
    };
    let context = context! {
        r => Serde(report),
        period => period,
        pools => pools,
        weeks => weeks(&report.weeks),
        meanings => meanings,
    };
    page::render("backtest.html", context, currency)
}

/// The metrics that appear, in order of display.
fn metric_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_by_key(|name| (words(name).2, *name));
    names.dedup();
    names
}

fn find<'a>(estimates: &'a [Estimate], metric: &str) -> Option<&'a Estimate> {
    estimates.iter().find(|estimate| estimate.metric == metric)
}

fn pool_view(pool: &Pool, reference: &str, currency: Currency) -> Value {
    let headline: Vec<&str> =
        METRICS.iter().filter(|metric| metric.is_headline).map(|metric| metric.name).collect();
    let per_metric = |draw: &dyn Fn(&str) -> Option<Figure>| -> Vec<Figure> {
        headline.iter().filter_map(|metric| draw(metric)).collect()
    };
    context! {
        name => spoken(&pool.name),
        id => pool.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"),
        description => pool.description.as_str(),
        engines => engines(pool, reference, currency),
        differences => differences(pool, currency),
        forests => per_metric(&|metric| forest(pool, reference, metric, currency)),
        weeks => per_metric(&|metric| by_week(pool, metric, currency)),
        segments => per_metric(&|metric| by_segment(pool, metric, currency)),
    }
}

/// Engines (columns) by metrics (rows), each figure with its interval.
fn engines(pool: &Pool, reference: &str, currency: Currency) -> Value {
    let names = metric_names(
        pool.engines.iter().flat_map(|e| e.metrics.iter().map(|metric| metric.metric.as_str())),
    );
    let rows: Vec<Value> = names
        .into_iter()
        .map(|name| {
            let (label, unit, _) = words(name);
            let best = pool
                .engines
                .iter()
                .filter_map(|engine| find(&engine.metrics, name))
                .map(|estimate| estimate.value)
                .fold(f64::NEG_INFINITY, f64::max);
            let text = |value: f64| format::value(value, unit, currency);
            let cells: Vec<Value> = pool
                .engines
                .iter()
                .map(|engine| match find(&engine.metrics, name) {
                    Some(e) => context! {
                        value => text(e.value),
                        interval => format!("{} – {}", text(e.low), text(e.high)),
                        best => e.value >= best,
                    },
                    None => context! { value => "–", interval => "", best => false },
                })
                .collect();
            context! { label, cells }
        })
        .collect();
    let engines: Vec<Value> = pool
        .engines
        .iter()
        .map(|engine| context! { name => engine.engine.as_str(), reference => engine.engine == reference })
        .collect();
    context! { engines, rows }
}

/// Every paired difference, in full.
fn differences(pool: &Pool, currency: Currency) -> Table {
    let mut rows = Vec::new();
    let names = metric_names(
        pool.paired.iter().flat_map(|p| p.differences.iter().map(|metric| metric.metric.as_str())),
    );
    for name in names {
        let (label, unit, _) = words(name);
        for paired in &pool.paired {
            let Some(difference) = find(&paired.differences, name) else { continue };
            let relative = find(&paired.relative, name);
            rows.push(vec![
                label.clone(),
                paired.against.clone(),
                interval_text(difference, of_difference(unit), currency),
                relative.map_or("–".to_owned(), |e| interval_text(e, Unit::Rate, currency)),
            ]);
        }
    }
    let head = ["Metric", "Against", "Difference", "Relative"];
    Table::new("Paired differences with intervals", 2, &head, rows)
}

/// A difference of shares is counted in points, so that it is not taken for a relative one.
fn of_difference(unit: Unit) -> Unit {
    if unit == Unit::Rate { Unit::Points } else { unit }
}

fn interval_text(estimate: &Estimate, unit: Unit, currency: Currency) -> String {
    let text = |value: f64| format::signed(value, unit, currency);
    format!("{} [{}, {}]", text(estimate.value), text(estimate.low), text(estimate.high))
}

/// Differences in one metric: relative where every comparison has it, absolute otherwise.
fn forest(pool: &Pool, reference: &str, metric: &str, currency: Currency) -> Option<Figure> {
    let (label, unit, _) = words(metric);
    let relative: Option<Vec<_>> =
        pool.paired.iter().map(|p| find(&p.relative, metric).map(|e| (&p.against, e))).collect();
    let is_relative = relative.is_some();
    let found = relative.unwrap_or_else(|| {
        let absolute = pool.paired.iter();
        absolute.filter_map(|p| find(&p.differences, metric).map(|e| (&p.against, e))).collect()
    });
    let unit = if is_relative { Unit::Rate } else { of_difference(unit) };
    let rows = found
        .iter()
        .map(|(against, estimate)| {
            let text = |value: f64| format::signed(value, unit, currency);
            vec![
                format!("{reference} − {against}"),
                text(estimate.value),
                text(estimate.low),
                text(estimate.high),
            ]
        })
        .collect();
    let about = About {
        id: &format!("forest-{}-{metric}", pool.name),
        title: &label,
        description: if is_relative {
            "How much more, relative to the other engine; right of the line is better."
        } else {
            "Paired difference to the other engine; right of the line is better."
        },
        unit,
        currency,
    };
    let table = Table::new(
        &format!("{label}, paired differences"),
        1,
        &["Comparison", "Estimate", "Low", "High"],
        rows,
    );
    Figure::draw(about, table, |frame| {
        let rows: Vec<Interval> = found
            .iter()
            .map(|(against, e)| Interval {
                label: format!("vs {against}"),
                value: e.value,
                low: e.low,
                high: e.high,
            })
            .collect();
        intervals(frame, &rows)
    })
}

/// The slices in order of first appearance, and the engines likewise.
fn axes(slices: &[Slice]) -> (Vec<&str>, Vec<&str>) {
    let (mut places, mut engines): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for slice in slices {
        if !places.contains(&slice.slice.as_str()) {
            places.push(&slice.slice);
        }
        if !engines.contains(&slice.engine.as_str()) {
            engines.push(&slice.engine);
        }
    }
    (places, engines)
}

fn at<'a>(slices: &'a [Slice], metric: &str, place: &str, engine: &str) -> Option<&'a Slice> {
    slices.iter().find(|s| s.metric == metric && s.slice == place && s.engine == engine)
}

/// Slices (rows) by engines (columns) for one metric; empty when the metric is not there.
fn slice_table(
    slices: &[Slice],
    metric: &str,
    first: &str,
    name: impl Fn(&str) -> String,
    currency: Currency,
) -> Table {
    let (places, engines) = axes(slices);
    let (label, unit, _) = words(metric);
    let rows = places
        .iter()
        .filter(|place| slices.iter().any(|s| s.metric == metric && s.slice == **place))
        .map(|place| {
            let cell = |engine: &&str| {
                at(slices, metric, place, engine)
                    .map_or("–".to_owned(), |slice| format::value(slice.value, unit, currency))
            };
            let customers = engines.iter().find_map(|engine| at(slices, metric, place, engine));
            let customers = customers.map_or("–".to_owned(), |s| format::count(s.customers));
            [name(place), customers].into_iter().chain(engines.iter().map(cell)).collect()
        })
        .collect();
    let head: Vec<&str> = [first, "Customers"].into_iter().chain(engines.iter().copied()).collect();
    Table::new(&label, 1, &head, rows)
}

fn by_week(pool: &Pool, metric: &str, currency: Currency) -> Option<Figure> {
    let name = |place: &str| place.parse::<Date>().map_or_else(|_| place.to_owned(), short_date);
    let table = slice_table(&pool.by_week, metric, "Week of", name, currency);
    let (label, unit, _) = words(metric);
    let about = About {
        id: &format!("weeks-{}-{metric}", pool.name),
        title: &format!("{label} by week"),
        description: "One line per engine.",
        unit,
        currency,
    };
    Figure::draw(about, table, |frame| {
        let (places, engines) = axes(&pool.by_week);
        let times: Vec<String> = places.iter().map(|place| name(place)).collect();
        let rows: Vec<Line> = engines
            .iter()
            .map(|engine| Line {
                name: (*engine).to_owned(),
                values: places
                    .iter()
                    .map(|place| at(&pool.by_week, metric, place, engine).map(|s| s.value))
                    .collect(),
            })
            .collect();
        lines(frame, &times, &rows)
    })
}

fn by_segment(pool: &Pool, metric: &str, currency: Currency) -> Option<Figure> {
    let table = slice_table(&pool.by_segment, metric, "Segment", spoken, currency);
    let (label, unit, _) = words(metric);
    let about = About {
        id: &format!("segments-{}-{metric}", pool.name),
        title: &format!("{label} by segment"),
        description: "One bar per engine.",
        unit,
        currency,
    };
    Figure::draw(about, table, |frame| {
        let (places, engines) = axes(&pool.by_segment);
        let series: Vec<String> = engines.iter().map(|&engine| engine.to_owned()).collect();
        let value = |place: &str, engine: &&str| {
            at(&pool.by_segment, metric, place, engine).map_or(f64::NAN, |slice| slice.value)
        };
        let rows: Vec<Row> = places
            .iter()
            .map(|place| Row {
                label: spoken(place),
                values: engines.iter().map(|engine| value(place, engine)).collect(),
                end: String::new(),
            })
            .collect();
        stacked(frame, &series, &rows, Layout::Grouped, None)
    })
}

fn weeks(weeks: &[WeekCount]) -> Table {
    let rows = weeks
        .iter()
        .map(|week| {
            vec![
                long_date(week.week),
                format::count(week.candidates),
                format::count(week.customers),
                format::count(week.buyers),
            ]
        })
        .collect();
    let head =
        ["Week of", "Promotions to choose from", "Customers with offers", "Bought that week"];
    Table::new("Weeks replayed", 1, &head, rows)
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::assert_whole;
    use super::*;

    #[test]
    fn the_sample_renders_whole_and_needs_nothing_from_outside() {
        let html = BacktestReport::sample().html().unwrap();
        assert_whole(&html);
        assert!(html.contains("Discovery hit rate") && html.contains("vs personal-decayed"));
    }

    #[test]
    fn an_empty_backtest_renders() {
        let report = BacktestReport {
            weeks: vec![],
            pools: vec![Pool {
                name: "narrow".into(),
                description: String::new(),
                engines: vec![],
                paired: vec![],
                by_segment: vec![],
                by_week: vec![],
            }],
            facts: vec![],
            headlines: vec![],
            notes: vec![],
            ..BacktestReport::sample()
        };
        assert!(report.html().unwrap().contains("No weeks"));
    }

    #[test]
    fn a_report_survives_json() {
        let report = BacktestReport::sample();
        let text = serde_json::to_string(&report).unwrap();
        // serde_json reads a double back to its last bit but one, so doubles are not compared.
        let read: BacktestReport = serde_json::from_str(&text).unwrap();
        assert_eq!((&read.weeks, read.pools.len()), (&report.weeks, report.pools.len()));
        assert_eq!(read.html().unwrap().lines().count(), report.html().unwrap().lines().count());
    }
}
