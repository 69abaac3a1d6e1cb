//! How sure are we of each difference?
//!
//! A forest plot: one row per comparison, its estimate and interval against a line at zero.

use super::Frame;
use super::axis::Axis;
use super::svg::{Anchor, Svg, fit, text_width};

/// One estimate with its interval.
#[derive(Clone, Debug)]
pub struct Interval {
    /// What is compared.
    pub label: String,
    /// The estimate.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

/// Estimates with intervals; colour *and* fill of the mark say on which side of zero the interval lies.
pub fn intervals(frame: &Frame, rows: &[Interval]) -> String {
    let mut svg = Svg::default();
    let wide = frame.is_wide();
    let texts: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{} [{}, {}]",
                frame.signed(row.value),
                frame.signed(row.low),
                frame.signed(row.high)
            )
        })
        .collect();
    let longest = rows.iter().map(|row| text_width(&row.label)).fold(0.0, f64::max);
    let text_room = texts.iter().map(|text| text_width(text)).fold(0.0, f64::max);
    let left = if wide { longest.min(frame.width_px * 0.3) + 14.0 } else { 16.0 };
    let right = if wide { frame.width_px - text_room - 14.0 } else { frame.width_px - 18.0 };
    let step = if wide { 30.0 } else { 46.0 };
    let bottom = rows.len() as f64 * step + 2.0;

    let all = rows.iter().flat_map(|row| [row.low, row.value, row.high]);
    let axis = Axis::covering(all.chain([0.0]), if wide { 5 } else { 4 });
    let mut free_from = f64::NEG_INFINITY;
    for &tick in &axis.ticks {
        let x = axis.place(tick, left, right);
        let class = if tick == 0.0 { "zero" } else { "grid" };
        if wide {
            svg.line((x, 0.0), (x, bottom), class);
        } else {
            // The text above each mark stays clear of the lines.
            for row in 0..rows.len() {
                let top = row as f64 * step + 21.0;
                svg.line((x, top), (x, top + 20.0), class);
            }
        }
        // A label that would touch the one before it stays away.
        let label = frame.short(tick);
        let half = text_width(&label) / 2.0;
        if x - half > free_from {
            svg.text((x, bottom + 12.0), "t v", Anchor::Middle, &label);
            free_from = x + half + 4.0;
        }
    }

    let mut y = 0.0;
    for (row, text) in rows.iter().zip(&texts) {
        let middle = if wide {
            svg.text(
                (left - 14.0, y + step / 2.0),
                "t",
                Anchor::End,
                &fit(&row.label, left - 13.0),
            );
            svg.text((frame.width_px, y + step / 2.0), "t v", Anchor::End, text);
            y + step / 2.0
        } else {
            let label = fit(&row.label, frame.width_px - text_width(text) - 8.0);
            svg.text((0.0, y + 11.0), "t k", Anchor::Start, &label);
            svg.text((frame.width_px, y + 11.0), "t v k", Anchor::End, text);
            y + 31.0
        };
        y += step;
        if !(row.value.is_finite() && row.low.is_finite() && row.high.is_finite()) {
            continue;
        }
        let side = match row {
            row if row.low > 0.0 => "up",
            row if row.high < 0.0 => "down",
            _ => "open",
        };
        let [low, value, high] = [row.low, row.value, row.high].map(|v| axis.place(v, left, right));
        svg.line((low, middle), (high, middle), &format!("w {side}"));
        svg.line((low, middle - 5.0), (low, middle + 5.0), &format!("w {side}"));
        svg.line((high, middle - 5.0), (high, middle + 5.0), &format!("w {side}"));
        let tooltip = format!("{}: {text}", row.label);
        svg.rect(value - 4.0, middle - 4.0, (8.0, 8.0), &format!("w {side}"), &tooltip);
    }
    svg.finish(frame, bottom + 22.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_well_formed, frame};
    use super::*;
    use crate::format::Unit;

    #[test]
    fn sides_of_zero_are_told_apart() {
        let rows = [("a < b", 0.1, 0.05, 0.15), ("b", 0.01, -0.02, 0.04), ("c", -0.1, -0.2, -0.05)]
            .map(|(label, value, low, high)| Interval { label: label.into(), value, low, high });
        for width in [680.0, 340.0] {
            let svg = intervals(&frame(width, Unit::Rate), &rows);
            assert_well_formed(&svg);
            for side in ["w up", "w open", "w down", "class=\"zero\""] {
                assert!(svg.contains(side), "{side}");
            }
            assert!(svg.contains("a &lt; b: +10.0% [+5.0%, +15.0%]"));
        }
        let unknown =
            [Interval { label: "x".into(), value: f64::NAN, low: 0.0, high: f64::INFINITY }];
        assert_well_formed(&intervals(&frame(680.0, Unit::Number), &unknown));
        assert_well_formed(&intervals(&frame(680.0, Unit::Number), &[]));
    }
}
