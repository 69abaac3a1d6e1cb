//! How is a mark written as SVG?

use std::fmt::Write as _;

use super::Frame;

/// The font size of labels, CSS pixels.
pub(crate) const FONT_PX: f64 = 13.0;
/// A generous mean width of a character at that size, CSS pixels.
const CHARACTER_PX: f64 = 7.5;

/// Where a text is anchored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing in the making.
#[derive(Debug, Default)]
pub(crate) struct Svg(String);

impl Svg {
    /// A rectangle with a tooltip; nothing when it has no width.
    pub(crate) fn rect(&mut self, x: f64, y: f64, size: (f64, f64), class: &str, tooltip: &str) {
        let (width, height) = size;
        if width <= 0.0 || height <= 0.0 {
            return;
        }
        let radius = 2.0_f64.min(width / 2.0);
        self.element(
            "rect",
            &format!(
                "class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"",
                px(x),
                px(y),
                px(width),
                px(height),
                px(radius)
            ),
            tooltip,
        );
    }

    /// A straight line.
    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let _ = write!(
            self.0,
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            px(from.0),
            px(from.1),
            px(to.0),
            px(to.1)
        );
    }

    /// A path through points.
    pub(crate) fn path(&mut self, points: &[(f64, f64)], class: &str) {
        if points.len() < 2 {
            return;
        }
        let _ = write!(self.0, "<path class=\"{class}\" d=\"");
        for (index, (x, y)) in points.iter().enumerate() {
            let step = if index == 0 { 'M' } else { 'L' };
            let _ = write!(self.0, "{step}{} {}", px(*x), px(*y));
        }
        self.0.push_str("\"/>");
    }

    /// A marker whose shape goes with the number of its series: shape tells apart what colour may not.
    pub(crate) fn marker(&mut self, at: (f64, f64), radius: f64, series: usize, tooltip: &str) {
        let (x, y) = at;
        let class = format!("m s{}", series % 7 + 1);
        let points = |corners: &[(f64, f64)]| {
            corners
                .iter()
                .map(|(dx, dy)| format!("{},{}", px(x + dx * radius), px(y + dy * radius)))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let polygon =
            |corners: &[(f64, f64)]| format!("class=\"{class}\" points=\"{}\"", points(corners));
        match series % 4 {
            0 => self.element(
                "circle",
                &format!(
                    "class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\"",
                    px(x),
                    px(y),
                    px(radius)
                ),
                tooltip,
            ),
            1 => self.element(
                "polygon",
                &polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
                tooltip,
            ),
            2 => {
                self.element("polygon", &polygon(&[(0.0, -1.2), (1.1, 0.9), (-1.1, 0.9)]), tooltip)
            }
            _ => self.element(
                "polygon",
                &polygon(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
                tooltip,
            ),
        }
    }

    /// A text, its middle at the height `y`.
    pub(crate) fn text(&mut self, at: (f64, f64), class: &str, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        // 0.35 em below the middle is the baseline of most faces; `dominant-baseline` is lost in mail.
        let _ = write!(
            self.0,
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            px(at.0),
            px(at.1 + FONT_PX * 0.35),
            escape(text)
        );
    }

    /// Colour keys in rows from (0, 0); returns the height they take.
    pub(crate) fn legend(&mut self, names: &[&str], width: f64, with_markers: bool) -> f64 {
        let (mut x, mut y) = (0.0, 9.0);
        for (series, name) in names.iter().enumerate() {
            let step = text_width(name) + 34.0;
            if x > 0.0 && x + step - 16.0 > width {
                x = 0.0;
                y += 20.0;
            }
            if with_markers {
                self.marker((x + 6.0, y), 4.5, series, "");
            } else {
                self.rect(x, y - 6.0, (12.0, 12.0), &format!("s{}", series % 7 + 1), "");
            }
            self.text((x + 18.0, y), "t", Anchor::Start, name);
            x += step;
        }
        y + 19.0
    }

    /// The drawing in its frame.
    pub(crate) fn finish(self, frame: &Frame, height: f64) -> String {
        let (id, width, height) = (escape(&frame.id), px(frame.width_px), px(height.ceil()));
        format!(
            "<svg class=\"chart\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" \
             viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\
             <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>{}</svg>",
            escape(&frame.title),
            escape(&frame.description),
            self.0
        )
    }

    fn element(&mut self, name: &str, attributes: &str, tooltip: &str) {
        let _ = if tooltip.is_empty() {
            write!(self.0, "<{name} {attributes}/>")
        } else {
            write!(self.0, "<{name} {attributes}><title>{}</title></{name}>", escape(tooltip))
        };
    }
}

/// A coordinate with at most one decimal, the same on every machine; 0 when it is not finite.
pub(crate) fn px(value: f64) -> String {
    let rounded = if value.is_finite() { (value * 10.0).round() / 10.0 } else { 0.0 };
    // `+ 0.0` makes −0 a plain 0.
    format!("{}", rounded + 0.0)
}

/// Text safe in XML content and attributes; control characters, which XML forbids, become spaces.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            control if control.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

/// About how wide a text is, CSS pixels.
pub(crate) fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER_PX
}

/// The text, shortened with an ellipsis to fit a width.
pub(crate) fn fit(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let keep = (width / CHARACTER_PX).floor().max(2.0) as usize - 1;
    let short: String = text.chars().take(keep).collect();
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_fits() {
        assert_eq!(escape("<a href=\"x\">'&\u{0}"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp; ");
        assert_eq!(fit("short", 100.0), "short");
        assert_eq!(fit("a much longer name", 53.0), "a much…");
        assert_eq!(fit("abc", 0.0), "a…");
        assert_eq!((px(1.25), px(-0.01), px(f64::NAN)), ("1.3".into(), "0".into(), "0".into()));
    }
}
