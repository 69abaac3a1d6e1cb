//! How are customers' vectors made comparable?

/// How vectors are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    /// The power that entries are raised to first.
    pub(crate) power: f64,
    /// Whether entries are weighed by the rarity of their key, `ln((1 + n) / (1 + holders))`.
    pub(crate) rarity: bool,
    /// The powers of the lengths of who asks and of who is looked at, which the dot product is divided by.
    pub(crate) lengths: [f64; 2],
    /// Keys that more vectors have are skipped.
    pub(crate) max_per_key: usize,
    /// The keys of who asks that weigh least are skipped, once the others make up this share of its squared
    /// length; 1 skips none.
    pub(crate) share: f64,
}

impl Comparison {
    /// The dot product of vectors as they are.
    pub(crate) const DOT: Self =
        Self { power: 1.0, rarity: false, lengths: [0.0; 2], max_per_key: usize::MAX, share: 1.0 };

    /// The cosine of entries raised to a power and weighed by rarity.
    pub(crate) const fn cosine(power: f64) -> Self {
        Self { power, rarity: true, lengths: [1.0; 2], ..Self::DOT }
    }
}

/// A comparison with candidates of whom it is known how many have each key.
pub(super) struct Scale {
    pub(super) comparison: Comparison,
    rarity: Vec<f64>,
}

impl Scale {
    pub(super) fn new(comparison: Comparison, candidates: usize, holders: &[usize]) -> Self {
        let all = 1.0 + candidates as f64;
        let rare = |count: &usize| (all / (1.0 + *count as f64)).ln();
        let rarity = holders.iter().map(|n| if comparison.rarity { rare(n) } else { 1.0 });
        Self { comparison, rarity: rarity.collect() }
    }

    /// How many keys there are.
    pub(super) fn keys(&self) -> usize {
        self.rarity.len()
    }

    /// A vector as it is compared, over a power of its length; entries of zero where the length is zero.
    pub(super) fn scaled(&self, vector: &[(u32, f64)], length_power: f64) -> Vec<(u32, f64)> {
        let weigh = |(key, weight): &(u32, f64)| {
            (*key, weight.powf(self.comparison.power) * self.rarity[*key as usize])
        };
        let mut scaled: Vec<(u32, f64)> = vector.iter().map(weigh).collect();
        let length = scaled.iter().map(|(_, entry)| entry * entry).sum::<f64>().sqrt();
        let scale =
            if length > 0.0 && length.is_finite() { 1.0 / length.powf(length_power) } else { 0.0 };
        scaled.iter_mut().for_each(|(_, entry)| *entry *= scale);
        scaled
    }

    /// The keys of who asks that are compared, with what they weigh.
    pub(super) fn asked(&self, vector: &[(u32, f64)]) -> Vec<(u32, f64)> {
        self.telling(self.scaled(vector, self.comparison.lengths[0]))
    }

    /// The keys of a vector of length 1 that weigh most and make up the share of its squared length.
    fn telling(&self, mut unit: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
        if self.comparison.share < 1.0 {
            unit.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let mut left = self.comparison.share;
            let enough = unit.iter().position(|(_, weight)| {
                left -= weight * weight;
                left <= 0.0
            });
            unit.truncate(enough.map_or(unit.len(), |last| last + 1));
        }
        unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_weighs_most_tells() {
        let comparison = Comparison { share: 0.9, ..Comparison::cosine(0.5) };
        let scale = Scale::new(comparison, 4, &[1, 1, 3]);
        assert_eq!(
            scale.telling(vec![(0, 0.5), (1, 0.7), (2, 0.5)]),
            [(1, 0.7), (0, 0.5), (2, 0.5)]
        );
        assert_eq!(scale.telling(vec![(0, 0.1), (1, 0.99)]), [(1, 0.99)]);
        assert_eq!(scale.telling(vec![(0, 0.0)]), [(0, 0.0)]);
    }
}
