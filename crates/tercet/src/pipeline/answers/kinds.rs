//! What do offers of a kind of promotion bring more, or less, than was expected?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tercet_models::uplift::shrinkage;

use super::trial::TriedRow;

/// A kind of promotion: the code of its mechanic, and its depth in tenths of the price; −1 where that is not known.
pub(super) type Kind = (i32, i32);

/// The kind of a promotion.
pub(super) fn kind_of(mechanic: f32, depth: f32) -> Kind {
    let whole = |value: f32| if value.is_finite() { value.floor() as i32 } else { -1 };
    // A depth of three tenths may be stored as a little less.
    (whole(mechanic), whole(depth * 10.0 + 1e-3))
}

/// What offers of a kind brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KindFacts {
    /// The code of its mechanic, and its depth in tenths of the price.
    pub(crate) kind: Kind,
    /// Pairs.
    pub(crate) pairs: usize,
    /// Purchases that an offer brought.
    pub(crate) brought: f64,
    /// What the line says that it brings.
    pub(crate) expected: f64,
    /// What is added to that.
    pub(crate) more: f64,
}

/// By kind, what offers bring more than `said`: drawn to the mean of the mechanic as far as its kinds differ by chance
/// alone, and that mean to nothing as far as it is chance itself.
pub(super) fn by_kind(
    rows: &[TriedRow],
    brought: &[f64],
    said: &[f64],
) -> (BTreeMap<Kind, f64>, Vec<KindFacts>) {
    let mut places: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
    (0..rows.len()).for_each(|at| places.entry(rows[at].kind).or_default().push(at));
    let more = |at: &usize| (rows[*at].customer, brought[*at] - said[*at]);
    let all = (0..rows.len()).map(|at| more(&at).1);
    let spread = all.map(|more| more * more).sum::<f64>() / rows.len().max(1) as f64;
    // Few rows may be alike by chance: no mean is known better than one of as many rows of all kinds.
    let mean = |at: &Vec<usize>| {
        let mean = Mean::of(at.iter().map(more));
        (mean.mean, mean.variance.max(spread / at.len() as f64))
    };
    let means: Vec<(f64, f64)> = places.values().map(mean).collect();
    let mut mechanics: Vec<i32> = places.keys().map(|kind| kind.0).collect();
    mechanics.dedup();
    let place = |kind: &Kind| mechanics.binary_search(&kind.0).unwrap_or(0);
    let types: Vec<u16> = places.keys().map(|kind| place(kind) as u16).collect();
    let drawn = shrinkage(&means, &types);
    let mut of_types = vec![(0.0, 0.0); mechanics.len()];
    for ((mean, variance), arm) in means.iter().zip(&drawn) {
        let sum: &mut (f64, f64) = &mut of_types[usize::from(arm.kind)];
        *sum = (sum.0 + arm.of_kind * mean, sum.1 + arm.of_kind.powi(2) * variance);
    }
    let (mut kinds, mut facts) = (BTreeMap::new(), Vec::new());
    for (((kind, at), (mean, _)), arm) in places.iter().zip(&means).zip(&drawn) {
        let (of_type, variance) = of_types[usize::from(arm.kind)];
        let kept = if of_type == 0.0 { 0.0 } else { (1.0 - variance / of_type.powi(2)).max(0.0) };
        let more = arm.own * (mean - of_type) + kept * of_type;
        kinds.insert(*kind, more);
        let count = at.len() as f64;
        facts.push(KindFacts {
            kind: *kind,
            pairs: at.len(),
            brought: at.iter().map(|at| brought[*at]).sum::<f64>() / count,
            expected: at.iter().map(|at| said[*at]).sum::<f64>() / count,
            more,
        });
    }
    (kinds, facts)
}

/// A mean over rows of customers, who count as one each in what chance can do to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mean {
    pub(super) mean: f64,
    /// Its squared standard error.
    pub(super) variance: f64,
}

impl Mean {
    pub(super) fn of(values: impl Iterator<Item = (i32, f64)>) -> Self {
        let mut sums: BTreeMap<i32, (f64, f64)> = BTreeMap::new();
        for (customer, value) in values {
            let sum = sums.entry(customer).or_default();
            *sum = (sum.0 + 1.0, sum.1 + value);
        }
        let rows: f64 = sums.values().map(|sum| sum.0).sum();
        let mean = sums.values().map(|sum| sum.1).sum::<f64>() / rows.max(1.0);
        let squares: f64 = sums.values().map(|(rows, sum)| (sum - rows * mean).powi(2)).sum();
        Self { mean, variance: squares / rows.max(1.0).powi(2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_mechanics_by_tenths_of_the_price() {
        let kinds = [kind_of(0.0, 0.3), kind_of(1.0, 0.299), kind_of(2.0, f32::NAN)];
        assert_eq!(kinds, [(0, 3), (1, 2), (2, -1)]);
    }

    #[test]
    fn rows_of_a_customer_err_together() {
        let check = |values: &[(i32, f64)], mean: f64, variance: f64| {
            let found = Mean::of(values.iter().copied());
            assert!((found.mean - mean).abs() < 1e-12, "{found:?}");
            assert!((found.variance - variance).abs() < 1e-12, "{found:?}");
        };
        check(&[(1, 1.0), (2, 3.0)], 2.0, 2.0 / 4.0);
        // Two rows each, alike: as much is known as of one each.
        check(&[(1, 1.0), (1, 1.0), (2, 3.0), (2, 3.0)], 2.0, 8.0 / 16.0);
        check(&[], 0.0, 0.0);
    }
}
