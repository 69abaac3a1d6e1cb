//! How does it move from week to week?

use super::Frame;
use super::axis::Axis;
use super::svg::{Anchor, Svg, text_width};

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// One value per point in time; `None` where there is none, and the line breaks.
    pub values: Vec<Option<f64>>,
}

/// Lines over named points in time, the value axis from zero or below.
pub fn lines(frame: &Frame, times: &[String], lines: &[Line]) -> String {
    let mut svg = Svg::default();
    let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    let top = svg.legend(&names, frame.width_px, true) + 6.0;
    let height = if frame.is_wide() { 230.0 } else { 190.0 };
    let bottom = top + height;

    let all = lines.iter().flat_map(|line| line.values.iter().flatten().copied());
    let axis = Axis::covering(all.chain([0.0]), 4);
    let labels: Vec<String> = axis.ticks.iter().map(|&tick| frame.short(tick)).collect();
    let left = labels.iter().map(|label| text_width(label)).fold(0.0, f64::max) + 8.0;
    for (&tick, label) in axis.ticks.iter().zip(&labels) {
        let y = axis.place(tick, bottom, top);
        svg.line((left, y), (frame.width_px, y), if tick == 0.0 { "base" } else { "grid" });
        svg.text((left - 8.0, y), "t v", Anchor::End, label);
    }

    let inner = (left + 24.0, frame.width_px - 24.0);
    let place = |index: usize| match times.len() {
        0 | 1 => (inner.0 + inner.1) / 2.0,
        n => inner.0 + (inner.1 - inner.0) * index as f64 / (n - 1) as f64,
    };
    // As many dates as fit side by side.
    let widest = times.iter().map(|time| text_width(time)).fold(1.0, f64::max) + 10.0;
    let room = (frame.width_px - left) / widest;
    let every = (times.len() as f64 / room.max(1.0)).ceil().max(1.0) as usize;
    for (index, time) in times.iter().enumerate().step_by(every) {
        svg.text((place(index), bottom + 16.0), "t v", Anchor::Middle, time);
    }

    for (series, line) in lines.iter().enumerate() {
        let class = format!("l s{}", series % 7 + 1);
        let mut run = Vec::new();
        let last = line.values.len().min(times.len());
        for (index, value) in line.values.iter().take(last).enumerate() {
            match value.filter(|value| value.is_finite()) {
                Some(value) => run.push((place(index), axis.place(value, bottom, top))),
                None => svg.path(&std::mem::take(&mut run), &class),
            }
        }
        svg.path(&run, &class);
        for (index, value) in line.values.iter().take(last).enumerate() {
            let Some(value) = value.filter(|value| value.is_finite()) else { continue };
            let time = times.get(index).map_or("", String::as_str);
            let tooltip = format!("{}, {time}: {}", line.name, frame.value(value));
            svg.marker((place(index), axis.place(value, bottom, top)), 4.5, series, &tooltip);
        }
    }
    svg.finish(frame, bottom + 28.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_well_formed, frame};
    use super::*;
    use crate::format::Unit;

    #[test]
    fn gaps_break_a_line() {
        let times: Vec<String> = (1..=6).map(|week| format!("week <{week}>")).collect();
        let values =
            |gap: usize| (0..6).map(|i| (i != gap).then_some(0.01 * i as f64)).collect::<Vec<_>>();
        let rows = [
            Line { name: "a & b".into(), values: values(3) },
            Line { name: "c".into(), values: values(9) },
        ];
        let svg = lines(&frame(680.0, Unit::Rate), &times, &rows);
        assert_well_formed(&svg);
        assert_eq!(svg.matches("<path").count(), 3);
        assert!(svg.contains("a &amp; b, week &lt;6&gt;: 5.0%"));
        assert_well_formed(&lines(&frame(340.0, Unit::Rate), &times, &rows));
        assert_well_formed(&lines(&frame(340.0, Unit::Rate), &[], &rows));
        assert_well_formed(&lines(&frame(340.0, Unit::Rate), &times[..1], &[]));
    }
}
