//! How is an estimate with its interval shown, and what where there is none?

use serde::{Deserialize, Serialize};
use tercet_types::Currency;

use super::charts::interval::{Interval, intervals};
use super::figure::{About, Figure, Table};
use crate::format::{self, Unit};

/// An estimate with its interval, or in words why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reading {
    /// There is one.
    Known {
        /// The estimate.
        value: f64,
        /// The lower end of its interval.
        low: f64,
        /// The upper end of its interval.
        high: f64,
    },
    /// There is none.
    Refused {
        /// Why.
        refused: String,
    },
}

/// A difference as it is to be read.
pub(crate) fn text(reading: &Reading, unit: Unit, currency: Currency) -> String {
    match reading {
        Reading::Known { value, low, high } => {
            let of = |value: f64| format::signed(value, unit, currency);
            format!("{} [{}, {}]", of(*value), of(*low), of(*high))
        }
        Reading::Refused { refused } => refused.clone(),
    }
}

/// Named differences as a forest with a table behind it; refused ones stand in the table alone. `head` names the
/// table's two columns.
pub(crate) fn forest(
    about: About<'_>,
    head: [&str; 2],
    named: &[(String, Reading)],
) -> Option<Figure> {
    let rows: Vec<Vec<String>> = named
        .iter()
        .map(|(name, reading)| vec![name.clone(), text(reading, about.unit, about.currency)])
        .collect();
    let interval = |(label, reading): &(String, Reading)| match reading {
        Reading::Known { value, low, high } => {
            Some(Interval { label: label.clone(), value: *value, low: *low, high: *high })
        }
        Reading::Refused { .. } => None,
    };
    Figure::draw(about, Table::new(about.title, 1, &head, rows), |frame| {
        intervals(frame, &named.iter().filter_map(interval).collect::<Vec<_>>())
    })
}
