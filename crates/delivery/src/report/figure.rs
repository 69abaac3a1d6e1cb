//! What stands around a chart: its title, its two drawings and the table behind it?

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;
use tercet_types::Currency;

use super::charts::Frame;
use crate::format::Unit;

/// The width of the drawing for desks and paper, CSS pixels.
const WIDE_PX: f64 = 520.0;
/// The width of the drawing for phones, CSS pixels.
const NARROW_PX: f64 = 328.0;

/// Cells under heads.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Table {
    /// What it lists, for screen readers.
    pub(crate) caption: String,
    /// Names of the columns.
    pub(crate) head: Vec<String>,
    /// Leading columns that hold words; the rest hold numbers.
    pub(crate) words: usize,
    /// The cells, as they are to be read.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(caption: &str, words: usize, head: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self {
            caption: caption.to_owned(),
            head: head.iter().map(|&name| name.to_owned()).collect(),
            words,
            rows,
        }
    }
}

/// A chart with the table behind it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    id: String,
    title: String,
    description: String,
    wide: Value,
    narrow: Value,
    table: Table,
}

impl From<Table> for Value {
    fn from(table: Table) -> Self {
        Serde(table).into()
    }
}

impl From<Figure> for Value {
    fn from(figure: Figure) -> Self {
        Serde(figure).into()
    }
}

/// What a figure is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// Unique on the page.
    pub(crate) id: &'a str,
    /// One line.
    pub(crate) title: &'a str,
    /// One sentence: what to see.
    pub(crate) description: &'a str,
    /// What the values measure.
    pub(crate) unit: Unit,
    /// The currency of amounts.
    pub(crate) currency: Currency,
}

impl Figure {
    /// Draws a chart for both widths; `None` when there is nothing to draw.
    pub(crate) fn draw(
        about: About<'_>,
        table: Table,
        draw: impl Fn(&Frame) -> String,
    ) -> Option<Self> {
        if table.rows.is_empty() {
            return None;
        }
        let drawing = |suffix: &str, width_px: f64| {
            // Chart functions escape all text themselves.
            Value::from_safe_string(draw(&Frame {
                id: format!("{}-{suffix}", about.id),
                title: about.title.to_owned(),
                description: about.description.to_owned(),
                width_px,
                unit: about.unit,
                currency: about.currency,
            }))
        };
        Some(Self {
            id: about.id.to_owned(),
            title: about.title.to_owned(),
            description: about.description.to_owned(),
            wide: drawing("w", WIDE_PX),
            narrow: drawing("n", NARROW_PX),
            table,
        })
    }
}
