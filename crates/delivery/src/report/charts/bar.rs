//! Which is the largest, and by how much?

use super::Frame;
use super::svg::{Anchor, Svg, fit, text_width};

/// One bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its length, at least 0.
    pub value: f64,
    /// What the tooltip says beyond name and value; may be empty.
    pub note: String,
}

/// Horizontal bars, in the order given, each with its value at the end.
pub fn bars(frame: &Frame, bars: &[Bar]) -> String {
    let mut svg = Svg::default();
    let longest = bars.iter().map(|bar| text_width(&bar.label)).fold(0.0, f64::max);
    let values: Vec<String> = bars.iter().map(|bar| frame.value(bar.value)).collect();
    let value_width = values.iter().map(|text| text_width(text)).fold(0.0, f64::max) + 8.0;
    let (left, step) = if frame.is_wide() {
        (longest.min(frame.width_px * 0.4) + 10.0, 25.0)
    } else {
        (0.0, 40.0)
    };
    let room = (frame.width_px - left - value_width).max(20.0);
    let most = bars.iter().map(|bar| bar.value).filter(|v| v.is_finite()).fold(0.0, f64::max);

    let mut y = 0.0;
    for (bar, text) in bars.iter().zip(&values) {
        let label_width = if frame.is_wide() { left - 10.0 } else { frame.width_px };
        let label = fit(&bar.label, label_width + 1.0);
        let middle = if frame.is_wide() {
            let middle = y + step / 2.0;
            svg.text((left - 10.0, middle), "t", Anchor::End, &label);
            middle
        } else {
            svg.text((0.0, y + 10.0), "t", Anchor::Start, &label);
            y + 26.0
        };
        let share =
            if most > 0.0 && bar.value.is_finite() { (bar.value / most).max(0.0) } else { 0.0 };
        let length = share * room;
        let note = if bar.note.is_empty() { String::new() } else { format!(" ({})", bar.note) };
        let tooltip = format!("{}: {text}{note}", bar.label);
        svg.rect(left, middle - 8.0, (length, 16.0), "s1", &tooltip);
        svg.text((left + length + 6.0, middle), "t v", Anchor::Start, text);
        y += step;
    }
    if frame.is_wide() {
        svg.line((left, 0.0), (left, y), "base");
    }
    svg.finish(frame, y)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_well_formed, frame};
    use super::*;
    use crate::format::Unit;

    #[test]
    fn bars_are_drawn_to_scale() {
        let rows = [("a <b>", 10.0), ("b", 5.0), ("none", 0.0), ("bad", f64::NAN)]
            .map(|(label, value)| Bar { label: label.into(), value, note: "of 10 & more".into() });
        for width in [680.0, 340.0] {
            let svg = bars(&frame(width, Unit::Count), &rows);
            assert_well_formed(&svg);
            let widths: Vec<f64> = svg
                .split("<rect ")
                .skip(1)
                .map(|r| {
                    r.split(" width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
                })
                .collect();
            assert_eq!(widths.len(), 2);
            assert!((widths[0] / widths[1] - 2.0).abs() < 0.01);
            assert!(svg.contains("a &lt;b&gt;: 10 (of 10 &amp; more)"));
        }
        assert_well_formed(&bars(&frame(680.0, Unit::Count), &[]));
    }
}
