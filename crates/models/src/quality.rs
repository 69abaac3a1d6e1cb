//! How good are predictions against what then happened?
//!
//! Every measure takes `predicted` and `observed` of equal length `>= 1`, finite values, and fails
//! with `T0403` otherwise, or with `T0406` where the measure has no value.

use tercet_types::{Error, Result};

/// Probabilities are kept this far from 0 and 1 in the log-loss (the spacing of `f64` at 1).
const LOG_LOSS_MARGIN: f64 = f64::EPSILON;

/// Root mean squared error, in the unit of the observations.
///
/// # Errors
/// `T0403`.
pub fn rmse(predicted: &[f64], observed: &[f64]) -> Result<f64> {
    check(predicted, observed)?;
    let squares: f64 = predicted.iter().zip(observed).map(|(p, o)| (p - o).powi(2)).sum();
    Ok((squares / predicted.len() as f64).sqrt())
}

/// Mean absolute error, in the unit of the observations.
///
/// # Errors
/// `T0403`.
pub fn mae(predicted: &[f64], observed: &[f64]) -> Result<f64> {
    check(predicted, observed)?;
    let sum: f64 = predicted.iter().zip(observed).map(|(p, o)| (p - o).abs()).sum();
    Ok(sum / predicted.len() as f64)
}

/// Coefficient of determination, `1 − SS_residual / SS_total`; at most 1, negative when worse than
/// the mean.
///
/// # Errors
/// `T0403`; `T0406` when all observations are equal.
pub fn r_squared(predicted: &[f64], observed: &[f64]) -> Result<f64> {
    check(predicted, observed)?;
    let mean = observed.iter().sum::<f64>() / observed.len() as f64;
    let total: f64 = observed.iter().map(|o| (o - mean).powi(2)).sum();
    if total == 0.0 {
        return Err(undefined("r-squared", "all observations are equal"));
    }
    let residual: f64 = predicted.iter().zip(observed).map(|(p, o)| (p - o).powi(2)).sum();
    Ok(1.0 - residual / total)
}

/// Mean negative log-likelihood (nats) of responses 0 or 1 under predicted probabilities.
///
/// # Errors
/// `T0403`, also for probabilities outside `[0, 1]` and responses other than 0 and 1.
pub fn log_loss(predicted: &[f64], observed: &[f64]) -> Result<f64> {
    check(predicted, observed)?;
    check_binary(observed)?;
    if let Some(row) = predicted.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(Error::data(
            "T0403",
            format!("row {row}: {} is not a probability", predicted[row]),
        ));
    }
    let term = |(p, o): (&f64, &f64)| {
        let p = p.clamp(LOG_LOSS_MARGIN, 1.0 - LOG_LOSS_MARGIN);
        if *o == 1.0 { -p.ln() } else { -(-p).ln_1p() }
    };
    Ok(predicted.iter().zip(observed).map(term).sum::<f64>() / predicted.len() as f64)
}

/// Area under the ROC curve: the chance that a response scores above a non-response, ties half.
///
/// By ranks (Mann & Whitney 1947, doi:10.1214/aoms/1177730491).
///
/// # Errors
/// `T0403`, also for responses other than 0 and 1; `T0406` when only one class was observed.
pub fn auc(predicted: &[f64], observed: &[f64]) -> Result<f64> {
    check(predicted, observed)?;
    check_binary(observed)?;
    let positives = observed.iter().filter(|o| **o == 1.0).count() as f64;
    let negatives = observed.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return Err(undefined("auc", "only one class was observed"));
    }
    let ranks = average_ranks(predicted);
    let sum: f64 =
        ranks.iter().zip(observed).filter(|(_, o)| **o == 1.0).map(|(rank, _)| rank).sum();
    Ok((sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// Spearman's rank correlation, ties at their average rank, in `[−1, 1]`.
///
/// Source: Spearman 1904, doi:10.2307/1412159.
///
/// # Errors
/// `T0403`; `T0406` when either side is constant.
pub fn spearman(predicted: &[f64], observed: &[f64]) -> Result<f64> {
    check(predicted, observed)?;
    let (a, b) = (average_ranks(predicted), average_ranks(observed));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let moment = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    let scale = (moment(&a, &a) * moment(&b, &b)).sqrt();
    if scale == 0.0 {
        return Err(undefined("spearman", "one side is constant"));
    }
    Ok(moment(&a, &b) / scale)
}

/// Ranks from 1, ties at the mean of the ranks they cover.
pub(crate) fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = from as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|row| ranks[*row] = rank);
        from += tied.len();
    }
    ranks
}

pub(crate) fn check(predicted: &[f64], observed: &[f64]) -> Result<()> {
    if predicted.len() != observed.len() || predicted.is_empty() {
        return Err(Error::data(
            "T0403",
            format!("{} predictions for {} observations", predicted.len(), observed.len()),
        ));
    }
    match predicted.iter().zip(observed).position(|(p, o)| !p.is_finite() || !o.is_finite()) {
        Some(row) => {
            Err(Error::data("T0403", format!("row {row}: prediction or observation is not finite")))
        }
        None => Ok(()),
    }
}

fn check_binary(observed: &[f64]) -> Result<()> {
    match observed.iter().position(|o| *o != 0.0 && *o != 1.0) {
        Some(row) => Err(Error::data(
            "T0403",
            format!("row {row}: response {} is not 0 or 1", observed[row]),
        )),
        None => Ok(()),
    }
}

fn undefined(measure: &str, why: &str) -> Error {
    Error::data("T0406", format!("{measure} has no value: {why}")).hint("evaluate on more rows")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_value_is_refused() {
        assert_eq!(auc(&[0.1, 0.2], &[1.0, 1.0]).unwrap_err().code(), "T0406");
        assert_eq!(r_squared(&[0.1, 0.2], &[1.0, 1.0]).unwrap_err().code(), "T0406");
        assert_eq!(spearman(&[0.1, 0.1], &[1.0, 2.0]).unwrap_err().code(), "T0406");
        assert_eq!(rmse(&[], &[]).unwrap_err().code(), "T0403");
        assert_eq!(mae(&[1.0], &[f64::NAN]).unwrap_err().code(), "T0403");
        assert_eq!(log_loss(&[1.5], &[1.0]).unwrap_err().code(), "T0403");
        assert_eq!(auc(&[0.5, 0.6], &[0.5, 1.0]).unwrap_err().code(), "T0403");
    }

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(average_ranks(&[2.0, 1.0, 2.0, 3.0]), [2.5, 1.0, 2.5, 4.0]);
        assert_eq!(auc(&[0.5, 0.5], &[0.0, 1.0]).unwrap(), 0.5);
    }
}
