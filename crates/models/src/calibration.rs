//! Do things predicted at 20 happen at 20, and how are predictions bent until they do?

use tercet_types::{Error, Result};

use crate::quality::check;

/// One group of rows with similar predictions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationBin {
    /// The mean prediction.
    pub mean_predicted: f64,
    /// The mean observation.
    pub mean_observed: f64,
    /// The number of rows, at least 1.
    pub count: usize,
}

/// Predictions against observations in groups of equal size.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// From the lowest predictions to the highest; fewer than asked when there are fewer rows.
    pub bins: Vec<CalibrationBin>,
    /// The count-weighted mean of `|mean_predicted − mean_observed|`.
    ///
    /// Source: Naeini, Cooper, Hauskrecht, AAAI 2015, doi:10.1609/aaai.v29i1.9602.
    pub expected_calibration_error: f64,
}

/// Calibration by decile of the prediction.
///
/// # Errors
/// `T0403` for empty, unequal or non-finite input.
pub fn by_decile(predicted: &[f64], observed: &[f64]) -> Result<Calibration> {
    by_quantile(predicted, observed, 10)
}

/// Calibration in `bins` groups whose sizes differ by at most one, the larger first; rows with equal
/// predictions stay in their given order.
///
/// # Errors
/// `T0403` for empty, unequal or non-finite input, or no bins.
pub fn by_quantile(predicted: &[f64], observed: &[f64], bins: usize) -> Result<Calibration> {
    check(predicted, observed)?;
    if bins == 0 {
        return Err(Error::config("T0403", "calibration: 0 bins"));
    }
    let rows = predicted.len();
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|a, b| predicted[*a].total_cmp(&predicted[*b]));
    let mut start = 0;
    let mut groups = Vec::with_capacity(bins.min(rows));
    for bin in 0..bins.min(rows) {
        let count = rows / bins + usize::from(bin < rows % bins);
        let members = &order[start..start + count];
        let mean =
            |values: &[f64]| members.iter().map(|row| values[*row]).sum::<f64>() / count as f64;
        groups.push(CalibrationBin {
            mean_predicted: mean(predicted),
            mean_observed: mean(observed),
            count,
        });
        start += count;
    }
    let gap =
        |bin: &CalibrationBin| bin.count as f64 * (bin.mean_predicted - bin.mean_observed).abs();
    let expected_calibration_error = groups.iter().map(gap).sum::<f64>() / rows as f64;
    Ok(Calibration { bins: groups, expected_calibration_error })
}

/// The best non-decreasing curve through (prediction, observation), by pooling adjacent violators.
///
/// Source: Ayer et al. 1955, doi:10.1214/aoms/1177728423; as calibration: Zadrozny & Elkan, KDD 2002,
/// doi:10.1145/775047.775151. Between its points the curve is linear, beyond them constant.
#[derive(Clone, Debug, PartialEq)]
pub struct Isotonic {
    /// Strictly increasing predictions.
    pub points: Vec<f64>,
    /// The calibrated value at each point, non-decreasing.
    pub values: Vec<f64>,
}

impl Isotonic {
    /// Fits by weighted least squares; `weights` are positive, `None` weighs every row once.
    ///
    /// # Errors
    /// `T0403` for empty, unequal or non-finite input or weights that are not positive.
    pub fn fit(predicted: &[f64], observed: &[f64], weights: Option<&[f64]>) -> Result<Self> {
        check(predicted, observed)?;
        if let Some(weights) = weights {
            check(predicted, weights)?;
            if let Some(row) = weights.iter().position(|weight| *weight <= 0.0) {
                return Err(Error::data(
                    "T0403",
                    format!("row {row}: weight {} is not positive", weights[row]),
                ));
            }
        }
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let mut order: Vec<usize> = (0..predicted.len()).collect();
        order.sort_by(|a, b| predicted[*a].total_cmp(&predicted[*b]));
        let mut points = Vec::new();
        let mut blocks: Vec<Block> = Vec::new();
        for tied in order.chunk_by(|a, b| predicted[*a] == predicted[*b]) {
            points.push(predicted[tied[0]]);
            let total: f64 = tied.iter().map(|row| weight(*row)).sum();
            let sum: f64 = tied.iter().map(|row| weight(*row) * observed[*row]).sum();
            let mut block = Block { mean: sum / total, weight: total, points: 1 };
            while let Some(before) = blocks.pop_if(|before| before.mean >= block.mean) {
                block = before.joined(block);
            }
            blocks.push(block);
        }
        let values =
            blocks.iter().flat_map(|block| std::iter::repeat_n(block.mean, block.points)).collect();
        Ok(Self { points, values })
    }

    /// The calibrated value of each prediction; a `NaN` stays `NaN`.
    pub fn apply(&self, predicted: &[f64]) -> Vec<f64> {
        predicted.iter().map(|prediction| self.value(*prediction)).collect()
    }

    fn value(&self, at: f64) -> f64 {
        if at.is_nan() {
            return f64::NAN;
        }
        let after = self.points.partition_point(|point| *point < at);
        match (after.checked_sub(1), self.points.get(after)) {
            (None, _) => self.values.first().copied().unwrap_or(f64::NAN),
            (Some(last), None) => self.values[last],
            (Some(before), Some(point)) => {
                let share = (at - self.points[before]) / (point - self.points[before]);
                self.values[before] + share * (self.values[after] - self.values[before])
            }
        }
    }
}

/// A run of points that share one value.
#[derive(Clone, Copy)]
struct Block {
    mean: f64,
    weight: f64,
    points: usize,
}

impl Block {
    fn joined(self, other: Self) -> Self {
        let weight = self.weight + other.weight;
        Self {
            mean: (self.mean * self.weight + other.mean * other.weight) / weight,
            weight,
            points: self.points + other.points,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn isotonic_is_monotone_and_keeps_the_mean(
            rows in proptest::collection::vec((-9_i32..9, -50_i32..50), 1..60),
        ) {
            let predicted: Vec<f64> = rows.iter().map(|(p, _)| f64::from(*p)).collect();
            let observed: Vec<f64> = rows.iter().map(|(_, o)| f64::from(*o)).collect();
            let fit = Isotonic::fit(&predicted, &observed, None).unwrap();
            prop_assert!(fit.values.is_sorted() && fit.points.is_sorted());
            let sum: f64 = fit.apply(&predicted).iter().sum();
            prop_assert!((sum - observed.iter().sum::<f64>()).abs() < 1e-9);
        }

        #[test]
        fn bins_cover_every_row_once(
            rows in proptest::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 1..60), bins in 1_usize..15,
        ) {
            let (predicted, observed): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
            let calibration = by_quantile(&predicted, &observed, bins).unwrap();
            prop_assert_eq!(calibration.bins.iter().map(|bin| bin.count).sum::<usize>(), predicted.len());
            prop_assert!(calibration.bins.is_sorted_by(|a, b| a.mean_predicted <= b.mean_predicted + 1e-12));
        }
    }

    #[test]
    fn unusable_input_is_named() {
        assert_eq!(by_decile(&[], &[]).unwrap_err().code(), "T0403");
        assert_eq!(Isotonic::fit(&[1.0], &[1.0], Some(&[0.0])).unwrap_err().code(), "T0403");
        assert!(Isotonic::fit(&[1.0], &[1.0], None).unwrap().apply(&[f64::NAN])[0].is_nan());
    }
}
