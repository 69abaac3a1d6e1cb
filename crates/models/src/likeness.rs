//! Which customers are near to which, by what they bought?

use rayon::prelude::*;

use crate::{Purchase, Purchases};

/// The customers with a line in so many days before the as-of day, ascending.
pub(crate) fn active(history: &Purchases, as_of: i32, active_days: u32) -> Vec<u32> {
    let is_active = |customer: &u32| !history.window(*customer, as_of, active_days).is_empty();
    history.all_customers().filter(is_active).collect()
}

/// A list, or `most` of it that are spaced evenly.
pub(crate) fn evenly<T>(mut list: Vec<T>, most: usize) -> Vec<T> {
    let length = list.len();
    let (mut place, mut kept) = (0, 0);
    list.retain(|_| {
        let keep = length <= most || (kept < most && place == kept * length / most);
        place += 1;
        kept += usize::from(keep);
        keep
    });
    list
}

/// One line per order and product.
pub(crate) fn order_lines(lines: &[Purchase]) -> impl Iterator<Item = &Purchase> {
    let same =
        |a: &Purchase, b: &Purchase| (a.day, a.order, a.product) == (b.day, b.order, b.product);
    lines.chunk_by(same).filter_map(<[Purchase]>::first)
}

/// `(key, decayed lines)` by key; lines of one key are added up in the order of their days.
pub(crate) fn vector(
    lines: &[Purchase],
    as_of: i32,
    half_life_days: f64,
    key: &(dyn Fn(u32) -> u32 + Sync),
) -> Vec<(u32, f64)> {
    let mut weights = Vec::with_capacity(lines.len());
    for day in lines.chunk_by(|a, b| a.day == b.day) {
        let age_days = f64::from(as_of) - f64::from(day[0].day);
        let weight = (-age_days / half_life_days).exp2();
        weights.extend(order_lines(day).map(|line| (key(line.product), weight)));
    }
    summed(weights)
}

/// The weights of each key added up in the order given, by key.
pub(crate) fn summed(mut weights: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    weights.sort_by_key(|(key, _)| *key);
    weights.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
    weights
}

/// Chunks that members are looked at in, for each neighbour asked for.
const CHUNKS_PER_NEIGHBOUR: usize = 4;

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

/// Who is near to whom: scaled vectors of those who may be neighbours, turned round by key.
pub(crate) struct Neighbourhood {
    comparison: Comparison,
    rarity: Vec<f64>,
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
        let all = 1.0 + vectors.len() as f64;
        let rare = |count: &usize| (all / (1.0 + *count as f64)).ln();
        let rarity = starts[1..].iter().map(|n| if comparison.rarity { rare(n) } else { 1.0 });
        let rarity = rarity.collect();
        for key in 0..keys {
            starts[key + 1] += starts[key];
        }
        let total = starts[keys];
        let mut near = Self {
            comparison,
            rarity,
            candidates: vec![0; total],
            entries: vec![0.0; total],
            starts,
        };
        let lookup = comparison.lengths[1];
        let scaled: Vec<_> = vectors.par_iter().map(|vector| near.scaled(vector, lookup)).collect();
        let mut next = near.starts.clone();
        for (position, vector) in (0_u32..).zip(scaled) {
            for (key, entry) in vector {
                let at = &mut next[key as usize];
                near.candidates[*at] = position;
                near.entries[*at] = entry;
                *at += 1;
            }
        }
        near
    }

    /// A vector as it is compared, over a power of its length; entries of zero where the length is zero.
    fn scaled(&self, vector: &[(u32, f64)], length_power: f64) -> Vec<(u32, f64)> {
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

    /// Adds how near each candidate is to a vector; `similar` holds one number per candidate.
    pub(crate) fn compare(&self, vector: &[(u32, f64)], similar: &mut [f64]) {
        for (key, weight) in self.telling(self.scaled(vector, self.comparison.lengths[0])) {
            let range = self.starts[key as usize]..self.starts[key as usize + 1];
            if weight == 0.0 || range.len() > self.comparison.max_per_key {
                continue;
            }
            for (other, entry) in self.candidates[range.clone()].iter().zip(&self.entries[range]) {
                similar[*other as usize] += weight * entry;
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

/// The places of the largest numbers above zero, and they, largest first, ties by place.
fn nearest(similar: &[f64], most: usize) -> Vec<(u32, f64)> {
    if most == 0 {
        return Vec::new();
    }
    // The `most` largest are no smaller than the `most`-th largest of the largest of each chunk.
    let size = (similar.len() / most.saturating_mul(CHUNKS_PER_NEIGHBOUR)).max(1);
    let largest: Vec<f64> = similar.chunks(size).map(largest).collect();
    let mut least = 0.0;
    if largest.len() > most {
        let descending = |a: &f64, b: &f64| b.total_cmp(a);
        least = *largest.clone().select_nth_unstable_by(most - 1, descending).1;
    }
    let mut found: Vec<(u32, f64)> = Vec::with_capacity(largest.len().min(similar.len()));
    for (chunk, largest) in largest.iter().enumerate() {
        if *largest < least || *largest == 0.0 {
            continue;
        }
        let first = chunk * size;
        for (place, similar) in (first as u32..).zip(similar[first..].iter().take(size)) {
            if *similar >= least && *similar > 0.0 {
                found.push((place, *similar));
            }
        }
    }
    let nearer = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if found.len() > most {
        found.select_nth_unstable_by(most - 1, nearer);
        found.truncate(most);
    }
    found.sort_unstable_by(nearer);
    found
}

/// The largest of some numbers, none below zero; zero of none.
fn largest(numbers: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if b > a { b } else { a };
    let (lanes, rest) = numbers.as_chunks::<4>();
    let mut best = [0.0; 4];
    for lane in lanes {
        for (best, number) in best.iter_mut().zip(lane) {
            *best = larger(*best, *number);
        }
    }
    let mut largest = larger(larger(best[0], best[1]), larger(best[2], best[3]));
    for number in rest {
        largest = larger(largest, *number);
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::draws;

    /// Holds the nearest against sorting everybody.
    fn check(similar: &[f64], most: usize) {
        let mut all: Vec<(u32, f64)> = (0..).zip(similar.iter().copied()).collect();
        all.retain(|(_, similar)| *similar > 0.0);
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(most);
        assert_eq!(nearest(similar, most), all, "{most} of {}", similar.len());
    }

    #[test]
    fn the_nearest_are_those_that_sorting_finds() {
        let mut draw = draws(5);
        for length in [0, 1, 3, 4, 50, 399, 1000, 1021] {
            // Few different numbers: many are zero, and many alike.
            for different in [1, 2, 30, 1_000_000] {
                let similar: Vec<f64> = (0..length).map(|_| f64::from(draw(different))).collect();
                for most in [0, 1, 2, 50, 333, usize::MAX] {
                    check(&similar, most);
                }
            }
            let rising: Vec<f64> = (0..length).map(f64::from).collect();
            check(&rising, 7);
        }
    }

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
        let near = near(0.9);
        assert_eq!(
            near.telling(vec![(0, 0.5), (1, 0.7), (2, 0.5)]),
            [(1, 0.7), (0, 0.5), (2, 0.5)]
        );
        assert_eq!(near.telling(vec![(0, 0.1), (1, 0.99)]), [(1, 0.99)]);
        assert_eq!(near.telling(vec![(0, 0.0)]), [(0, 0.0)]);
    }
}
