//! Which p-values hold, when many are asked for at once?

/// Holm's step-down correction (Holm 1979, jstor 4615733); what has no p-value is not counted.
pub(crate) fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> =
        p_values.iter().enumerate().filter_map(|(at, p)| p.map(|p| (at, p))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut corrected = vec![None; p_values.len()];
    let mut least = 0.0_f64;
    let count = order.len();
    for (rank, (at, p)) in order.into_iter().enumerate() {
        least = least.max((p * (count - rank) as f64).min(1.0));
        corrected[at] = Some(least);
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_are_holms() {
        let check = |p: &[Option<f64>], expect: &[Option<f64>]| {
            let found = holm(p);
            for (found, expect) in found.iter().zip(expect) {
                match (found, expect) {
                    (Some(found), Some(expect)) => assert!((found - expect).abs() < 1e-12, "{p:?}"),
                    _ => assert_eq!(found, expect, "{p:?}"),
                }
            }
        };
        // statsmodels, multipletests(method="holm").
        check(
            &[Some(0.01), Some(0.04), Some(0.03), Some(0.005)],
            &[Some(0.03), Some(0.06), Some(0.06), Some(0.02)],
        );
        check(&[None, Some(0.2), Some(0.9)], &[None, Some(0.4), Some(0.9)]);
        check(&[], &[]);
    }
}
