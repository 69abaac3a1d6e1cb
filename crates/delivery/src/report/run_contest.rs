//! Which engine decides, and what are its features worth?

use minijinja::{Value, context};
use tercet_types::Currency;

use super::figure::Table;
use super::metrics;
use super::page::long_date;
use super::run::{Contest, Standing};
use crate::format;

/// The tables of a contest of engines.
pub(super) fn contest(known: &Contest, currency: Currency) -> Value {
    let (label, unit, _) = metrics::words(&known.metric);
    let value = |number: f64| format::value(number, unit, currency);
    let between = |low: f64, high: f64| format!("{} to {}", value(low), value(high));
    let row = |standing: &Standing| {
        let (difference, interval) = match &standing.behind_first {
            Some([lost, low, high]) => (value(*lost), between(*low, *high)),
            None => ("–".to_owned(), "–".to_owned()),
        };
        let own = between(standing.low, standing.high);
        vec![standing.name.clone(), value(standing.value), own, difference, interval]
    };
    let rows = |standings: &[Standing]| standings.iter().map(row).collect();
    let first = known.engines.first().map_or("", |standing| standing.name.as_str());
    let less = format!("{first} less this");
    let head = ["Engine", &label, "95 %", &less, "95 %"];
    let weeks: Vec<String> = known.weeks.iter().map(|week| long_date(*week)).collect();
    context! {
        sentence => format!(
            "{} decides: of these engines it did best by {} on {} promotions in the weeks of {}, each replayed with only what was known then.",
            known.champion, label.to_lowercase(), known.scope, weeks.join(", ")
        ),
        engines => Table::new("Engines on the weeks just past", 1, &head, rows(&known.engines)),
        ablation => Table::new("Without a group of features", 1, &head, rows(&known.ablation)),
    }
}
