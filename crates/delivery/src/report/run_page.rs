//! Which figures and tables does a run's page hold?

use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use tercet_types::segment::Behaviour;
use tercet_types::{Currency, Result};

use super::charts::bar::{Bar, bars};
use super::charts::calibration::{Bin, calibration};
use super::charts::stacked::{Layout, Row, stacked};
use super::figure::{About, Figure, Table};
use super::page::{self, spoken};
use super::run::{
    Certificate, CheckStatus, Limit, ModelQuality, NamedCount, PromotionCount, RunReport,
    SegmentCount, SlotFill, SourceHealth, Timing,
};
use super::run_contest::contest;
use crate::format::{self, Unit};
use crate::offers::{CONTROL, TREATMENT};

/// Bars in a chart of many; the table behind it holds all.
const BARS_MAX: usize = 20;

pub(crate) fn html(report: &RunReport, currency: Currency) -> Result<String> {
    let models: Vec<Value> =
        report.models.iter().enumerate().map(|(i, model)| model_view(i, model, currency)).collect();
    let health: Vec<Value> = report.health.iter().map(health_view).collect();
    let context = context! {
        r => Serde(report),
        date => page::long_date(report.as_of),
        customers => customers(&report.customers, currency),
        matrix => matrix(&report.customers),
        promotions => promotions(&report.promotions, currency),
        limits => limits(&report.limits, currency),
        certificate => report.certificate.as_ref().map(|known| certificate(known, currency)),
        slots => slots(&report.slots, currency),
        empty_slots => empty_slots(&report.slots),
        routes => routes(&report.routes, currency),
        contest => report.contest.as_ref().map(|known| contest(known, currency)),
        models => models,
        health => health,
        timings => timings(&report.timings, currency),
    };
    page::render("run.html", context, currency)
}

fn share(part: i64, whole: i64) -> f64 {
    if whole > 0 { part as f64 / whole as f64 } else { 0.0 }
}

fn percent(part: i64, whole: i64, currency: Currency) -> String {
    format::value(share(part, whole), Unit::Rate, currency)
}

/// Behaviour segments in canonical order, then others by name.
fn behaviours(counts: &[SegmentCount]) -> Vec<&str> {
    let mut names: Vec<&str> = counts.iter().map(|count| count.behaviour.as_str()).collect();
    let rank = |name: &str| {
        let known = Behaviour::ALL.iter().position(|behaviour| behaviour.name() == name);
        known.unwrap_or(Behaviour::ALL.len())
    };
    names.sort_by_key(|name| (rank(name), *name));
    names.dedup();
    names
}

fn customers(counts: &[SegmentCount], currency: Currency) -> Option<Figure> {
    let sum = |behaviour: &str, arm: &str| -> i64 {
        let of = |count: &&SegmentCount| count.behaviour == behaviour && count.arm == arm;
        counts.iter().filter(of).map(|count| count.customers).sum()
    };
    let parts: Vec<(String, i64, i64)> = behaviours(counts)
        .into_iter()
        .map(|name| (spoken(name), sum(name, TREATMENT), sum(name, CONTROL)))
        .collect();
    let rows = parts
        .iter()
        .map(|(name, treated, control)| {
            let total = treated + control;
            vec![
                name.clone(),
                format::count(*treated),
                format::count(*control),
                format::count(total),
                percent(*control, total, currency),
            ]
        })
        .collect();
    let head = ["Behaviour", "Treatment", "Control", "Customers", "Control share"];
    let about = About {
        id: "customers",
        title: "Customers by what we have seen of them",
        description: "Treatment gets offers; control gets none, so that the effect can be measured.",
        unit: Unit::Count,
        currency,
    };
    Figure::draw(about, Table::new("Customers by behaviour and arm", 1, &head, rows), |frame| {
        let series = ["Treatment".to_owned(), "Control".to_owned()];
        let rows: Vec<Row> = parts
            .iter()
            .map(|(name, treated, control)| Row {
                label: name.clone(),
                values: vec![*treated as f64, *control as f64],
                end: format::count(treated + control),
            })
            .collect();
        stacked(frame, &series, &rows, Layout::Stacked, None)
    })
}

/// A cell of the segment matrix.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Cell {
    treatment: i64,
    control: i64,
    /// Of all customers, percent of the fullest cell: how strongly it is tinted.
    tint: i64,
}

/// RFM segments (rows) by behaviour (columns); `None` without customers.
fn matrix(counts: &[SegmentCount]) -> Option<Value> {
    let columns = behaviours(counts);
    let mut cells: BTreeMap<(&str, &str), Cell> = BTreeMap::new();
    let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
    for count in counts {
        let cell = cells.entry((&count.rfm, &count.behaviour)).or_default();
        let arm = if count.arm == CONTROL { &mut cell.control } else { &mut cell.treatment };
        *arm += count.customers;
        *totals.entry(&count.rfm).or_default() += count.customers;
    }
    let fullest = cells.values().map(|cell| cell.treatment + cell.control).max().unwrap_or(0);
    let mut names: Vec<(&str, i64)> = totals.into_iter().collect();
    names.sort_by_key(|(name, total)| (std::cmp::Reverse(*total), *name));
    let rows: Vec<Value> = names
        .into_iter()
        .map(|(name, total)| {
            let cells: Vec<Cell> = columns
                .iter()
                .map(|column| {
                    let mut cell = cells.get(&(name, *column)).copied().unwrap_or_default();
                    let count = cell.treatment + cell.control;
                    cell.tint = (share(count, fullest) * 100.0).round() as i64;
                    cell
                })
                .collect();
            let name = if name.is_empty() { "No purchases".to_owned() } else { spoken(name) };
            context! { name, total, cells => Serde(cells) }
        })
        .collect();
    let columns: Vec<String> = columns.into_iter().map(spoken).collect();
    (!rows.is_empty()).then(|| context! { columns, rows })
}

fn promotions(counts: &[PromotionCount], currency: Currency) -> Option<Figure> {
    let mut sorted: Vec<&PromotionCount> = counts.iter().collect();
    sorted.sort_by_key(|count| (std::cmp::Reverse(count.offers), &count.promotion_id));
    let total: i64 = sorted.iter().map(|count| count.offers).sum();
    let name = |count: &PromotionCount| {
        let name = if count.name.is_empty() { &count.promotion_id } else { &count.name };
        name.clone()
    };
    let rows = sorted
        .iter()
        .map(|count| {
            vec![
                name(count),
                count.promotion_id.clone(),
                format::count(count.offers),
                percent(count.offers, total, currency),
                format::money(count.value_minor, currency),
                format::money(count.expected_cost_minor, currency),
            ]
        })
        .collect();
    let head = ["Promotion", "Id", "Offers", "Share", "Value", "Expected cost"];
    let title = if sorted.len() > BARS_MAX {
        format!("Offers per promotion, the {BARS_MAX} most given of {}", sorted.len())
    } else {
        "Offers per promotion".to_owned()
    };
    let about = About {
        id: "promotions",
        title: &title,
        description: "How many customers get each promotion.",
        unit: Unit::Count,
        currency,
    };
    Figure::draw(about, Table::new("Offers per promotion", 2, &head, rows), |frame| {
        let rows: Vec<Bar> = sorted
            .iter()
            .take(BARS_MAX)
            .map(|count| Bar {
                label: name(count),
                value: count.offers as f64,
                note: percent(count.offers, total, currency),
            })
            .collect();
        bars(frame, &rows)
    })
}

fn limits(limits: &[Limit], currency: Currency) -> Option<Figure> {
    let mut sorted: Vec<&Limit> = limits.iter().collect();
    sorted.sort_by(|a, b| {
        let used = |limit: &Limit| share(limit.used, limit.limit);
        used(b).total_cmp(&used(a)).then_with(|| a.name.cmp(&b.name))
    });
    let amount = |limit: &Limit, value: i64| format::value(value as f64, limit.unit, currency);
    let kind = |limit: &Limit| if limit.unit == Unit::Money { "budget" } else { "cap" };
    let rows = sorted
        .iter()
        .map(|limit| {
            vec![
                limit.name.clone(),
                spoken(kind(limit)),
                amount(limit, limit.used),
                amount(limit, limit.limit),
                amount(limit, limit.limit - limit.used),
                percent(limit.used, limit.limit, currency),
            ]
        })
        .collect();
    let head = ["Promotion", "Kind", "Used", "Limit", "Left", "Used share"];
    let about = About {
        id: "limits",
        title: "Caps and budgets",
        description: "Used so far, and in grey what is left.",
        unit: Unit::Rate,
        currency,
    };
    Figure::draw(about, Table::new("Caps and budgets", 2, &head, rows), |frame| {
        let rows: Vec<Row> = sorted
            .iter()
            .take(BARS_MAX)
            .map(|limit| {
                let used = share(limit.used, limit.limit).clamp(0.0, 1.0);
                let (used_text, limit_text) =
                    (amount(limit, limit.used), amount(limit, limit.limit));
                Row {
                    label: limit.name.clone(),
                    values: vec![used, 1.0 - used],
                    end: if limit.used >= limit.limit {
                        format!("{limit_text}, used up")
                    } else {
                        format!("{used_text} of {limit_text}")
                    },
                }
            })
            .collect();
        stacked(frame, &["Used".to_owned(), "Left".to_owned()], &rows, Layout::Share, Some("Left"))
    })
}

/// How good the plan is, in sentences, and the prices of its limits.
fn certificate(known: &Certificate, currency: Currency) -> Value {
    let amount = |value: f64| format::value(value, known.unit, currency);
    let mut sentences = vec![format!(
        "The offers are worth {}. No plan under the same rules, limits and pins can be worth more than {}: \
         at most {} is missing.",
        amount(known.value),
        amount(known.bound),
        format::value(known.gap, Unit::Rate, currency)
    )];
    if known.value > known.greedy {
        sentences.push(format!(
            "Always giving the most valuable offer first would have brought {}.",
            amount(known.greedy)
        ));
    }
    let major = currency.minor_per_major();
    let rows = known
        .prices
        .iter()
        .map(|price| {
            let (kind, more, units) = match price.limits {
                Unit::Money => ("Budget", format::money(major, currency), major as f64),
                _ => ("Cap", "one customer".to_owned(), 1.0),
            };
            vec![
                price.name.clone(),
                kind.to_owned(),
                more,
                amount(price.price * units),
                amount(price.weight),
            ]
        })
        .collect();
    let head = ["Limit", "Kind", "With so much more", "Gain", "All of it at that price"];
    let table = Table::new("Which limit costs how much", 3, &head, rows);
    context! { sentences, table }
}

fn slots(slots: &[SlotFill], currency: Currency) -> Option<Figure> {
    let rows = slots
        .iter()
        .map(|slot| {
            vec![
                format!("{}. {}", slot.slot, spoken(&slot.name)),
                format::count(slot.filled),
                format::count(slot.empty),
                percent(slot.filled, slot.filled + slot.empty, currency),
            ]
        })
        .collect();
    let about = About {
        id: "slots",
        title: "Slots filled",
        description: "Treated customers with an offer in the slot; in grey, without one.",
        unit: Unit::Count,
        currency,
    };
    let table = Table::new("Slots filled", 1, &["Slot", "Filled", "Empty", "Filled share"], rows);
    Figure::draw(about, table, |frame| {
        let rows: Vec<Row> = slots
            .iter()
            .map(|slot| Row {
                label: format!("{}. {}", slot.slot, spoken(&slot.name)),
                values: vec![slot.filled as f64, slot.empty as f64],
                end: percent(slot.filled, slot.filled + slot.empty, currency),
            })
            .collect();
        let series = ["Filled".to_owned(), "Empty".to_owned()];
        stacked(frame, &series, &rows, Layout::Share, Some("Empty"))
    })
}

fn empty_slots(slots: &[SlotFill]) -> Table {
    let rows = slots
        .iter()
        .flat_map(|slot| slot.empty_reasons.iter().map(move |reason| (slot, reason)))
        .map(|(slot, reason)| {
            vec![spoken(&slot.name), spoken(&reason.name), format::count(reason.count)]
        })
        .collect();
    Table::new("Why slots stayed empty", 2, &["Slot", "Rule that emptied it", "Customers"], rows)
}

fn routes(counts: &[NamedCount], currency: Currency) -> Option<Figure> {
    let rows = counts.iter().map(|c| vec![spoken(&c.name), format::count(c.count)]).collect();
    let about = About {
        id: "routes",
        title: "Routes",
        description: "Which way each customer's values were made.",
        unit: Unit::Count,
        currency,
    };
    Figure::draw(
        about,
        Table::new("Customers per route", 1, &["Route", "Customers"], rows),
        |frame| {
            let rows: Vec<Bar> = counts
                .iter()
                .map(|count| Bar {
                    label: spoken(&count.name),
                    value: count.count as f64,
                    note: String::new(),
                })
                .collect();
            bars(frame, &rows)
        },
    )
}

fn model_view(index: usize, model: &ModelQuality, currency: Currency) -> Value {
    let metrics = model
        .metrics
        .iter()
        .map(|metric| {
            let value = format::value(metric.value, metric.unit, currency);
            vec![metric.name.clone(), metric.note.clone(), value]
        })
        .collect();
    context! {
        m => Serde(model),
        id => format!("model-{index}"),
        metrics => Table::new("Metrics on held-out weeks", 2, &["Metric", "Reading", "Value"], metrics),
        calibration => model_calibration(index, model, currency),
        importances => model_importances(index, model, currency),
    }
}

fn model_calibration(index: usize, model: &ModelQuality, currency: Currency) -> Option<Figure> {
    let value = |number: f64| format::value(number, model.unit, currency);
    let rows = model
        .calibration
        .iter()
        .map(|bin| {
            let decile = format!("Decile {}", bin.decile);
            vec![decile, value(bin.predicted), value(bin.observed), format::count(bin.rows)]
        })
        .collect();
    let head = ["Decile of prediction", "Predicted", "Observed", "Rows"];
    let about = About {
        id: &format!("calibration-{index}"),
        title: "Calibration by decile",
        description: "On the dashed line, what was predicted came true.",
        unit: model.unit,
        currency,
    };
    Figure::draw(about, Table::new("Calibration by decile", 1, &head, rows), |frame| {
        let bins: Vec<Bin> = model
            .calibration
            .iter()
            .map(|bin| Bin {
                label: format!("Decile {}", bin.decile),
                predicted: bin.predicted,
                observed: bin.observed,
                interval: None,
                rows: bin.rows,
            })
            .collect();
        calibration(frame, &bins)
    })
}

fn model_importances(index: usize, model: &ModelQuality, currency: Currency) -> Option<Figure> {
    let mut sorted: Vec<_> = model.importances.iter().collect();
    sorted.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.feature.cmp(&b.feature)));
    let rows = sorted
        .iter()
        .map(|i| vec![i.feature.clone(), format::value(i.share, Unit::Rate, currency)])
        .collect();
    let about = About {
        id: &format!("importances-{index}"),
        title: "What the model leans on",
        description: "Share of the gain that each feature brought in training.",
        unit: Unit::Rate,
        currency,
    };
    let table = Table::new("Feature importances", 1, &["Feature", "Share of gain"], rows);
    Figure::draw(about, table, |frame| {
        let rows: Vec<Bar> = sorted
            .iter()
            .take(12)
            .map(|i| Bar { label: spoken(&i.feature), value: i.share, note: i.feature.clone() })
            .collect();
        bars(frame, &rows)
    })
}

fn health_view(source: &SourceHealth) -> Value {
    let worst = source.checks.iter().map(|check| check.status).max().unwrap_or(CheckStatus::Ok);
    let passed = source.checks.iter().filter(|check| check.status == CheckStatus::Ok).count();
    let mut checks: Vec<_> = source.checks.iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.status));
    context! { s => Serde(source), worst => Serde(worst), passed, checks => Serde(checks) }
}

fn timings(timings: &[Timing], currency: Currency) -> Option<Figure> {
    let total: f64 = timings.iter().map(|timing| timing.seconds).sum();
    let share = |seconds: f64| {
        format::value(if total > 0.0 { seconds / total } else { 0.0 }, Unit::Rate, currency)
    };
    let rows = timings
        .iter()
        .map(|t| vec![spoken(&t.stage), format::seconds(t.seconds), share(t.seconds)])
        .collect();
    let description = format!("{} in all.", format::seconds(total));
    let about = About {
        id: "timings",
        title: "Time per stage",
        description: &description,
        unit: Unit::Seconds,
        currency,
    };
    Figure::draw(
        about,
        Table::new("Time per stage", 1, &["Stage", "Time", "Share"], rows),
        |frame| {
            let rows: Vec<Bar> = timings
                .iter()
                .map(|t| Bar { label: spoken(&t.stage), value: t.seconds, note: share(t.seconds) })
                .collect();
            bars(frame, &rows)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::assert_whole;
    use super::*;

    #[test]
    fn the_sample_renders_whole_and_needs_nothing_from_outside() {
        let report = RunReport::sample();
        let html = report.html().unwrap();
        assert_whole(&html);
        for section in ["customers", "offers", "models", "health", "examples", "timings"] {
            assert!(html.contains(&format!("id=\"{section}\"")), "{section}");
        }
        for words in ["at most 0.19% is missing", "Which limit costs how much", "one customer"] {
            assert!(html.contains(words), "{words}");
        }
        assert_eq!(html, report.html().unwrap(), "the same report is the same page");
    }

    #[test]
    fn an_empty_report_and_hostile_names_render() {
        let mut report = RunReport {
            customers: vec![],
            promotions: vec![],
            limits: vec![],
            certificate: None,
            slots: vec![],
            contest: None,
            models: vec![],
            routes: vec![],
            health: vec![],
            examples: vec![],
            timings: vec![],
            notes: vec![],
            facts: vec![],
            headlines: vec![],
            ..RunReport::sample()
        };
        report.project = "<script>alert(1)</script>".into();
        report.promotions.push(PromotionCount {
            promotion_id: "1".into(),
            name: "\"><script>".into(),
            offers: 3,
            value_minor: -1,
            expected_cost_minor: 0,
        });
        let html = report.html().unwrap();
        assert!(!html.contains("<script"));
        report.currency = "dollars".into();
        assert_eq!(report.html().unwrap_err().code(), "T0102");
    }

    #[test]
    fn a_report_survives_json() {
        let report = RunReport::sample();
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<RunReport>(&text).unwrap(), report);
    }
}
