//! How much is a customer after what a promotion covers, however little of it the promotion covers?

use tercet_features::PAIR_FEATURES;

/// Features of a pair that grow with how much a promotion covers. What an offer brings hangs on how much the customer
/// is after such things, however little of them the promotion covers: each is learnt from a second time, relative to
/// its mean over customers.
pub(in crate::pipeline) const RELATIVE: [&str; 8] = [
    "category_affinity",
    "type_affinity",
    "maker_affinity",
    "neighbour_products",
    "neighbour_types",
    "neighbour_types_new",
    "neighbour_type_pairs",
    "looked_type_60d",
];

/// Sums of the features in [`RELATIVE`], and how many they are of.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::pipeline) struct Levels {
    sums: [f64; RELATIVE.len()],
    rows: f64,
}

impl Levels {
    /// Where the features stand among those of a pair.
    pub(in crate::pipeline) fn places() -> [usize; RELATIVE.len()] {
        RELATIVE.map(|name| {
            PAIR_FEATURES.iter().position(|feature| feature.name == name).unwrap_or_default()
        })
    }

    /// Adds a row that begins with the cross features.
    pub(in crate::pipeline) fn add(&mut self, row: &[f32], places: &[usize; RELATIVE.len()]) {
        for (sum, place) in self.sums.iter_mut().zip(places) {
            *sum += f64::from(row[*place]).max(0.0);
        }
        self.rows += 1.0;
    }

    /// What the features of each promotion (or group) are to be multiplied by: the mean over all of them, over its
    /// own. Both are drawn together, so that a promotion that hardly anybody is near does not become everybody's.
    pub(in crate::pipeline) fn factors(all: &[Self]) -> Vec<[f32; RELATIVE.len()]> {
        /// Share of the mean over all promotions that is added to each one's own.
        const DRAWN: f64 = 0.05;
        let mean = |levels: &Self, at: usize| levels.sums[at] / levels.rows.max(1.0);
        let count = all.iter().filter(|levels| levels.rows > 0.0).count().max(1) as f64;
        let over_all: [f64; RELATIVE.len()] = std::array::from_fn(|at| {
            all.iter().map(|levels| mean(levels, at)).sum::<f64>() / count
        });
        all.iter()
            .map(|levels| {
                std::array::from_fn(|at| {
                    let own = mean(levels, at) + DRAWN * over_all[at];
                    if own > 0.0 { ((1.0 + DRAWN) * over_all[at] / own) as f32 } else { 0.0 }
                })
            })
            .collect()
    }
}

/// The features in [`RELATIVE`] of a row, times the factors of its promotion.
pub(in crate::pipeline) fn relative(
    row: &[f32],
    places: &[usize; RELATIVE.len()],
    factors: &[f32; RELATIVE.len()],
) -> [f32; RELATIVE.len()] {
    std::array::from_fn(|at| row[places[at]].max(0.0) * factors[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_promotion_covers_is_divided_out() {
        let places = Levels::places();
        let row = |value: f32| vec![value; PAIR_FEATURES.len()];
        let levels = |values: &[f32]| {
            let mut levels = Levels::default();
            values.iter().for_each(|value| levels.add(&row(*value), &places));
            levels
        };
        // Of the second promotion's kind there is a tenth as much; of the third's nothing was ever bought.
        let factors =
            Levels::factors(&[levels(&[10.0, 30.0]), levels(&[1.0, 3.0]), levels(&[0.0])]);
        let of =
            |value: f32, promotion: usize| relative(&row(value), &places, &factors[promotion])[0];
        assert!((of(30.0, 0) / of(3.0, 1) - 1.0).abs() < 0.2, "{factors:?}");
        assert!((of(30.0, 0) / of(10.0, 0) - 3.0).abs() < 1e-6);
        assert_eq!((of(0.0, 2), of(f32::NAN, 0)), (0.0, 0.0));
        assert!(
            Levels::factors(&[Levels::default()]).iter().flatten().all(|factor| *factor == 0.0)
        );
    }
}
