//! Who is near to whom, by vectors of what they bought?

use rayon::prelude::*;

use super::nearest::nearest;
use super::scale::{Comparison, Scale};

/// Who is near to whom: scaled vectors of those who may be neighbours, turned round by key.
pub(crate) struct Neighbourhood {
    scale: Scale,
    /// Where the candidates with a key begin; one more than keys.
    starts: Vec<usize>,
    /// Positions of candidates, ascending per key.
    candidates: Vec<u32>,
    /// Their scaled vectors' entries.
    entries: Vec<f64>,
}

impl Neighbourhood {
    /// Takes one vector per candidate, keys below `keys`.
    pub(crate) fn new(keys: usize, vectors: &[Vec<(u32, f64)>], comparison: Comparison) -> Self {
        let mut starts = vec![0_usize; keys + 1];
        for (key, _) in vectors.iter().flatten() {
            starts[*key as usize + 1] += 1;
        }
        let scale = Scale::new(comparison, vectors.len(), &starts[1..]);
        for key in 0..keys {
            starts[key + 1] += starts[key];
        }
        let lookup = comparison.lengths[1];
        let scaled: Vec<_> =
            vectors.par_iter().map(|vector| scale.scaled(vector, lookup)).collect();
        let mut next = starts.clone();
        let (mut candidates, mut entries) = (vec![0; starts[keys]], vec![0.0; starts[keys]]);
        for (position, vector) in (0_u32..).zip(scaled) {
            for (key, entry) in vector {
                let at = &mut next[key as usize];
                (candidates[*at], entries[*at]) = (position, entry);
                *at += 1;
            }
        }
        Self { scale, starts, candidates, entries }
    }

    /// The keys of who asks that are compared, with what they weigh.
    pub(super) fn asked(&self, vector: &[(u32, f64)]) -> Vec<(u32, f64)> {
        self.scale.asked(vector)
    }

    /// How many keys there are.
    pub(super) fn keys(&self) -> usize {
        self.scale.keys()
    }

    /// The positions of the candidates that are compared by a key, ascending, and their entries.
    pub(super) fn holders(&self, key: u32) -> (&[u32], &[f64]) {
        let mut range = self.starts[key as usize]..self.starts[key as usize + 1];
        if range.len() > self.scale.comparison.max_per_key {
            range.end = range.start;
        }
        (&self.candidates[range.clone()], &self.entries[range])
    }

    /// Adds how near each candidate is to a vector; `similar` holds one number per candidate.
    pub(crate) fn compare(&self, vector: &[(u32, f64)], similar: &mut [f64]) {
        for (key, weight) in self.asked(vector) {
            let (holders, entries) = self.holders(key);
            for (holder, entry) in holders.iter().zip(entries) {
                similar[*holder as usize] += weight * entry;
            }
        }
    }

    /// The candidates nearest to a vector and how near, all above zero, nearest first, ties by position;
    /// never the one at `itself`. `similar` holds a zero per candidate, before and after.
    pub(crate) fn of(
        &self,
        vector: &[(u32, f64)],
        itself: Option<u32>,
        neighbours: usize,
        similar: &mut [f64],
    ) -> Vec<(u32, f64)> {
        self.compare(vector, similar);
        if let Some(itself) = itself {
            similar[itself as usize] = 0.0;
        }
        let nearest = nearest(similar, neighbours);
        similar.fill(0.0);
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_looks_at_what_weighs_most() {
        // Keys 0 and 1 are rarer than key 2, which three of four have.
        let vectors = [vec![(0, 1.0), (2, 1.0)], vec![(1, 1.0), (2, 1.0)], vec![(2, 1.0)], vec![]];
        let near = |share: f64| {
            let comparison = Comparison { max_per_key: 9, share, ..Comparison::cosine(0.5) };
            Neighbourhood::new(3, &vectors, comparison)
        };
        let of = |share: f64| {
            let found = near(share).of(&vectors[0], Some(0), 9, &mut [0.0; 4]);
            found.into_iter().map(|(place, _)| place).collect::<Vec<_>>()
        };
        assert_eq!(of(1.0), [2, 1]);
        assert_eq!(of(0.9), Vec::<u32>::new(), "nobody else has the key that weighs 0.94");
        assert_eq!(of(0.97), [2, 1]);
    }
}
