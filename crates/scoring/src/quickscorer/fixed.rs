//! How do leaf values become integers whose sums never overflow?

/// The power of two at which leaf values become integers.
///
/// The finest for which no choice of one leaf per tree leaves `i32`. Sums are then the same in any order, and
/// differ from the exact sum by at most half a unit per tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    exponent: i32,
}

/// Beyond these every `f32` is an integer far below one unit, or exact.
const EXPONENT_MIN: i32 = -160;
const EXPONENT_MAX: i32 = 160;

impl Scale {
    /// The scale for trees whose leaves are at most `most[tree]` from zero.
    pub(crate) fn new(most: &[f32]) -> Self {
        let sum: f64 = most.iter().map(|most| f64::from(*most)).sum();
        // Half a unit of rounding per tree is room that sums may take.
        let room = f64::from(i32::MAX) - 0.5 * most.len() as f64 - 1.0;
        let mut exponent = EXPONENT_MAX;
        while exponent > EXPONENT_MIN && sum * power(exponent) > room {
            exponent -= 1;
        }
        Self { exponent }
    }

    /// A leaf value in units, the half away from zero.
    pub(crate) fn units(self, value: f32) -> i32 {
        // The scale was chosen so that it fits; a cast would saturate.
        (f64::from(value) * power(self.exponent)).round() as i32
    }

    /// A sum of units as a number.
    pub(crate) fn number(self, units: i32) -> f64 {
        f64::from(units) * power(-self.exponent)
    }

    /// Half a unit.
    pub(crate) fn rounding_max(self) -> f64 {
        0.5 * power(-self.exponent)
    }
}

fn power(exponent: i32) -> f64 {
    2.0_f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finest_scale_that_fits() {
        let check = |most: &[f32], exponent: i32| {
            let scale = Scale::new(most);
            assert_eq!(scale.exponent, exponent, "{most:?}");
            let units: i64 = most.iter().map(|most| i64::from(scale.units(*most))).sum();
            assert!(units <= i64::from(i32::MAX), "{units}");
        };
        check(&[1.0], 30);
        check(&[1.0, 1.0], 29);
        check(&[0.75; 300], 23);
        check(&[3e9], -1);
        check(&[f32::MAX], -97);
        check(&[0.0], EXPONENT_MAX);
        check(&[], EXPONENT_MAX);
    }

    #[test]
    fn numbers_come_back_within_half_a_unit() {
        let scale = Scale::new(&[1.0; 100]);
        for value in [0.0, 0.1, -0.1, 1.0, -1.0, 1.0 / 3.0, 1e-9] {
            let back = scale.number(scale.units(value));
            assert!((back - f64::from(value)).abs() <= scale.rounding_max(), "{value} {back}");
        }
    }
}
