//! Does what was predicted come true?

use super::Frame;
use super::axis::Axis;
use super::svg::{Anchor, Svg, text_width};

/// Customers of like prediction, and what they did.
#[derive(Clone, Debug)]
pub struct Bin {
    /// What the bin is called, for example its decile.
    pub label: String,
    /// The mean prediction.
    pub predicted: f64,
    /// The mean outcome.
    pub observed: f64,
    /// The interval of what was observed, where there is one.
    pub interval: Option<(f64, f64)>,
    /// How many.
    pub rows: i64,
}

/// Predicted against observed, one point per bin; on the dashed line, what was predicted came true.
pub fn calibration(frame: &Frame, bins: &[Bin]) -> String {
    let mut svg = Svg::default();
    let all = bins.iter().flat_map(|bin| [bin.predicted, bin.observed]);
    let ends = bins.iter().filter_map(|bin| bin.interval).flat_map(|(low, high)| [low, high]);
    let axis = Axis::covering(all.chain(ends).chain([0.0]), 4);
    let labels: Vec<String> = axis.ticks.iter().map(|&tick| frame.short(tick)).collect();
    let left = labels.iter().map(|label| text_width(label)).fold(0.0, f64::max) + 8.0;
    let right = frame.width_px - 12.0;
    let top = 26.0;
    let bottom = top + ((right - left) * 0.72).min(300.0);

    for (&tick, label) in axis.ticks.iter().zip(&labels) {
        let (x, y) = (axis.place(tick, left, right), axis.place(tick, bottom, top));
        let class = if tick == 0.0 { "base" } else { "grid" };
        svg.line((left, y), (right, y), class);
        svg.line((x, top), (x, bottom), class);
        svg.text((left - 8.0, y), "t v", Anchor::End, label);
        svg.text((x, bottom + 14.0), "t v", Anchor::Middle, label);
    }
    svg.text((0.0, 8.0), "t k", Anchor::Start, "Observed");
    svg.text((right, bottom + 33.0), "t k", Anchor::End, "Predicted");
    svg.path(&[(left, bottom), (right, top)], "ideal");

    let known = |bin: &&Bin| bin.predicted.is_finite() && bin.observed.is_finite();
    let place =
        |bin: &Bin| (axis.place(bin.predicted, left, right), axis.place(bin.observed, bottom, top));
    let points: Vec<(f64, f64)> = bins.iter().filter(known).map(place).collect();
    svg.path(&points, "l s1");
    for bin in bins.iter().filter(known) {
        if let Some((low, high)) = bin.interval {
            let x = place(bin).0;
            let ends = [low, high].map(|end| (x, axis.place(end, bottom, top)));
            svg.line(ends[0], ends[1], "l s1 thin");
        }
        let tooltip = format!(
            "{}: predicted {}, observed {}, {} rows",
            bin.label,
            frame.value(bin.predicted),
            frame.value(bin.observed),
            crate::format::count(bin.rows)
        );
        svg.marker(place(bin), 5.0, 0, &tooltip);
    }
    svg.finish(frame, bottom + 44.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_well_formed, frame};
    use super::*;
    use crate::format::Unit;

    #[test]
    fn every_known_bin_is_a_point() {
        let bins: Vec<Bin> = [(0.01, 0.012), (0.05, 0.04), (f64::NAN, 0.1)]
            .into_iter()
            .map(|(predicted, observed)| Bin {
                label: "bin <1>".into(),
                predicted,
                observed,
                interval: Some((observed - 0.01, observed + 0.02)),
                rows: 1000,
            })
            .collect();
        for width in [680.0, 340.0] {
            let svg = calibration(&frame(width, Unit::Rate), &bins);
            assert_well_formed(&svg);
            assert_eq!(svg.matches("<circle").count(), 2);
            assert_eq!(svg.matches("thin").count(), 2);
            assert!(svg.contains("bin &lt;1&gt;: predicted 5.0%, observed 4.0%, 1,000 rows"));
        }
        assert_well_formed(&calibration(&frame(340.0, Unit::Rate), &[]));
    }
}
