//! How are numbers drawn, so that they print, mail and read aloud?
//!
//! Each chart is a pure function from plain rows to one SVG string: text escaped, ticks round,
//! colours from the page's CSS variables (`--s1` … `--s7`), a title for screen readers on the chart and
//! a tooltip on every mark. A chart is drawn for a width in CSS pixels and scales by its `viewBox`; pages
//! carry a wide and a narrow drawing, so that text stays readable on a phone.

pub mod axis;
pub mod bar;
pub mod calibration;
pub mod interval;
pub mod line;
pub mod stacked;
pub mod svg;

use tercet_types::Currency;

use crate::format::{self, Unit};

/// From this width on, labels stand beside their marks; below it, above them.
const WIDE_PX: f64 = 480.0;

/// What every chart is told beside its rows.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Unique on the page; the ids of title and description are made from it.
    pub id: String,
    /// What the chart shows, one line; read aloud.
    pub title: String,
    /// What it says, one sentence; read aloud after the title.
    pub description: String,
    /// The width to draw for, CSS pixels.
    pub width_px: f64,
    /// What the values measure.
    pub unit: Unit,
    /// The currency of [`Unit::Money`] values.
    pub currency: Currency,
}

impl Frame {
    pub(crate) fn is_wide(&self) -> bool {
        self.width_px >= WIDE_PX
    }

    pub(crate) fn value(&self, value: f64) -> String {
        format::value(value, self.unit, self.currency)
    }

    pub(crate) fn signed(&self, value: f64) -> String {
        format::signed(value, self.unit, self.currency)
    }

    pub(crate) fn short(&self, value: f64) -> String {
        format::short(value, self.unit, self.currency)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn frame(width_px: f64, unit: Unit) -> Frame {
        Frame {
            id: "f".into(),
            title: "Bread & butter".into(),
            description: "What is <sold>".into(),
            width_px,
            unit,
            currency: Currency::new("USD").unwrap(),
        }
    }

    /// Every opened element is closed, nothing is NaN, and the text is escaped.
    pub(crate) fn assert_well_formed(svg: &str) {
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.contains("role=\"img\"") && svg.contains("Bread &amp; butter"));
        let mut open = Vec::new();
        for tag in svg.split('<').skip(1) {
            let (inside, _) = tag.split_once('>').expect("an unescaped '<'");
            if let Some(name) = inside.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{svg}");
            } else if !inside.ends_with('/') {
                open.push(inside.split(' ').next().unwrap());
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}
