//! What is a whole made of, and how do parts compare between rows?

use super::Frame;
use super::svg::{Anchor, Svg, fit, text_width};

/// How the parts of a row stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// End to end, all rows on one scale.
    Stacked,
    /// End to end, every row filling the width.
    Share,
    /// One below the other, all rows on one scale.
    Grouped,
}

/// One row of parts, as many as there are series.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub label: String,
    /// Its parts, at least 0 each.
    pub values: Vec<f64>,
    /// What stands at its end, for example its total; may be empty.
    pub end: String,
}

/// Horizontal bars of several parts, with a legend above.
///
/// A series named in `track` is drawn as an empty track: the room that is left under a limit.
pub fn stacked(
    frame: &Frame,
    series: &[String],
    rows: &[Row],
    layout: Layout,
    track: Option<&str>,
) -> String {
    let mut svg = Svg::default();
    let class = |index: usize| match series.get(index) {
        Some(name) if Some(name.as_str()) == track => "track".to_owned(),
        _ => format!("s{}", index % 7 + 1),
    };
    let coloured: Vec<&str> =
        series.iter().map(String::as_str).filter(|name| Some(*name) != track).collect();
    let mut y = if coloured.len() > 1 { svg.legend(&coloured, frame.width_px, false) } else { 0.0 };

    let wide = frame.is_wide();
    let longest = rows.iter().map(|row| text_width(&row.label)).fold(0.0, f64::max);
    let ends = rows.iter().map(|row| text_width(&row.end)).fold(0.0, f64::max);
    let left = if wide { longest.min(frame.width_px * 0.34) + 10.0 } else { 0.0 };
    let in_line = wide || layout == Layout::Grouped;
    let right = match layout {
        Layout::Grouped => {
            let parts = rows.iter().flat_map(|row| &row.values);
            parts.map(|&part| text_width(&frame.value(part))).fold(0.0, f64::max) + 8.0
        }
        _ if in_line && ends > 0.0 => ends + 8.0,
        _ => 0.0,
    };
    let room = (frame.width_px - left - right).max(20.0);
    let most = rows.iter().map(|row| extent(row, layout)).fold(0.0, f64::max);

    for row in rows {
        if !wide {
            let label_room = if in_line { frame.width_px } else { frame.width_px - ends - 8.0 };
            svg.text((0.0, y + 10.0), "t", Anchor::Start, &fit(&row.label, label_room));
            if !in_line {
                svg.text((frame.width_px, y + 10.0), "t v", Anchor::End, &row.end);
            }
            y += 20.0;
        }
        let whole = if layout == Layout::Share { extent(row, layout) } else { most };
        let height = if layout == Layout::Grouped { 14.0 } else { 16.0 };
        let top = y;
        let mut x = left;
        for (index, &part) in row.values.iter().enumerate() {
            let part = if part.is_finite() { part.max(0.0) } else { 0.0 };
            let length = if whole > 0.0 { part / whole * room } else { 0.0 };
            let name = series.get(index).map_or("", String::as_str);
            let text = frame.value(part);
            let tooltip = format!("{}, {name}: {text}", row.label);
            if layout == Layout::Grouped {
                svg.rect(left, y, (length, height), &class(index), &tooltip);
                svg.text((left + length + 6.0, y + height / 2.0), "t v", Anchor::Start, &text);
                y += height + 2.0;
            } else {
                // A hairline of paper between parts keeps them apart without colour.
                let gap = if length > 3.0 { 1.0 } else { 0.0 };
                svg.rect(x, y, (length - gap, height), &class(index), &tooltip);
                x += length;
            }
        }
        let bottom = if layout == Layout::Grouped { y } else { y + height };
        if wide {
            let middle = (top + bottom) / 2.0;
            svg.text((left - 10.0, middle), "t", Anchor::End, &fit(&row.label, left - 9.0));
        }
        if in_line && layout != Layout::Grouped {
            svg.text((x + 6.0, y + height / 2.0), "t v", Anchor::Start, &row.end);
        }
        y = bottom + 10.0;
    }
    svg.finish(frame, y)
}

fn extent(row: &Row, layout: Layout) -> f64 {
    let parts = row.values.iter().copied().filter(|v| v.is_finite() && *v > 0.0);
    if layout == Layout::Grouped { parts.fold(0.0, f64::max) } else { parts.sum() }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_well_formed, frame};
    use super::*;
    use crate::format::Unit;

    #[test]
    fn every_layout_is_well_formed() {
        let series = ["treatment".to_owned(), "control".to_owned()];
        let rows = [("both <x>", vec![90.0, 10.0]), ("none", vec![0.0, f64::NAN])]
            .map(|(label, values)| Row { label: label.into(), values, end: "100 & all".into() });
        for layout in [Layout::Stacked, Layout::Share, Layout::Grouped] {
            for width in [680.0, 340.0] {
                let svg = stacked(&frame(width, Unit::Count), &series, &rows, layout, None);
                assert_well_formed(&svg);
                assert!(svg.contains("both &lt;x&gt;, treatment: 90"));
                let track =
                    stacked(&frame(width, Unit::Count), &series, &rows, layout, Some("control"));
                assert!(track.contains("class=\"track\""));
            }
        }
        assert_well_formed(&stacked(&frame(680.0, Unit::Count), &[], &[], Layout::Stacked, None));
    }
}
