//! Where do the ticks of an axis stand?
//!
//! Source: P. Heckbert, "Nice Numbers for Graph Labels", Graphics Gems (1990): steps of 1, 2 or 5 times
//! a power of ten.

/// A linear scale between round ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The round value at the start.
    pub low: f64,
    /// The round value at the end.
    pub high: f64,
    /// The values to mark, both ends among them.
    pub ticks: Vec<f64>,
}

/// The most ticks an axis may get, whatever is asked for.
const TICKS_MAX: usize = 20;

impl Axis {
    /// An axis that covers the finite ones of `values`, with about `ticks` ticks; 0 to 1 for none.
    pub fn covering(values: impl IntoIterator<Item = f64>, ticks: usize) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if high - low <= f64::EPSILON * high.abs().max(low.abs()) {
            let half = if low == 0.0 { 0.5 } else { low.abs() * 0.1 };
            (low, high) = if low == 0.0 { (0.0, 1.0) } else { (low - half, high + half) };
        }
        let step = nice((high - low) / ticks.clamp(1, TICKS_MAX) as f64);
        let first = (low / step).floor();
        let last = (high / step).ceil();
        let marks = ((last - first) as usize).min(TICKS_MAX);
        // Multiples, not sums: no drift, and zero is exactly zero.
        let ticks: Vec<f64> = (0..=marks).map(|mark| (first + mark as f64) * step).collect();
        Self { low: first * step, high: last * step, ticks }
    }

    /// Where `value` lies between `from` and `to`, CSS pixels.
    pub fn place(&self, value: f64, from: f64, to: f64) -> f64 {
        from + (value.clamp(self.low, self.high) - self.low) / (self.high - self.low) * (to - from)
    }
}

/// The smallest of 1, 2, 5 or 10 times a power of ten that is no less than `rough`.
fn nice(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * power >= rough * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        let check = |values: &[f64], ticks, expect: &[f64]| {
            let axis = Axis::covering(values.iter().copied(), ticks);
            assert_eq!(axis.ticks.len(), expect.len(), "{axis:?}");
            for (tick, expect) in axis.ticks.iter().zip(expect) {
                assert!((tick - expect).abs() < 1e-12, "{axis:?}");
            }
        };
        check(&[0.0, 97.0], 5, &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        check(&[-0.02, 0.11], 3, &[-0.05, 0.0, 0.05, 0.1, 0.15]);
        check(&[], 2, &[0.0, 0.5, 1.0]);
        check(&[0.0], 2, &[0.0, 0.5, 1.0]);
        check(&[f64::NAN, 10.0, f64::INFINITY], 2, &[9.0, 10.0, 11.0]);
    }

    proptest! {
        #[test]
        fn an_axis_covers_its_values(a in -1e12..1e12_f64, b in -1e12..1e12_f64, ticks in 1_usize..12) {
            let axis = Axis::covering([a, b], ticks);
            let slack = 1e-9 * (axis.high - axis.low);
            prop_assert!(axis.low <= a.min(b) + slack && axis.high >= a.max(b) - slack);
            prop_assert!(axis.ticks.len() >= 2 && axis.ticks.len() <= TICKS_MAX + 1);
            let place = axis.place(a, 0.0, 100.0);
            prop_assert!((0.0..=100.0).contains(&place));
        }
    }
}
