//! Which customers are near to which, by what they bought?

use rayon::prelude::*;

use crate::{Purchase, Purchases};

/// The customers that matter: the active and the asked.
pub(crate) struct Members {
    /// Sorted, distinct.
    pub(crate) customers: Vec<u32>,
    /// Positions in `customers` of the active, sorted.
    pub(crate) active: Vec<u32>,
}

impl Members {
    pub(crate) fn new(history: &Purchases, as_of: i32, active_days: u32, asked: &[u32]) -> Self {
        let is_active = |customer: u32| !history.window(customer, as_of, active_days).is_empty();
        let mut customers: Vec<u32> =
            history.all_customers().filter(|customer| is_active(*customer)).collect();
        customers.extend_from_slice(asked);
        customers.sort_unstable();
        customers.dedup();
        let active = (0_u32..).zip(&customers).filter(|(_, customer)| is_active(**customer));
        let active = active.map(|(position, _)| position).collect();
        Self { customers, active }
    }

    /// Where an asked or active customer stands in `customers`.
    pub(crate) fn position(&self, customer: u32) -> u32 {
        self.customers.partition_point(|member| *member < customer) as u32
    }
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

/// Who is near to whom: unit vectors of those who may be neighbours, turned round by key.
pub(crate) struct Neighbourhood {
    power: f64,
    rarity: Vec<f64>,
    /// Where the candidates with a key begin; one more than keys.
    starts: Vec<usize>,
    /// Positions of candidates, ascending per key.
    candidates: Vec<u32>,
    /// Their unit vectors' entries.
    entries: Vec<f64>,
    max_per_key: usize,
    /// How much of the squared length of a vector is looked at.
    share: f64,
}

impl Neighbourhood {
    /// Takes one vector per member, keys below `keys`, and the positions of those who may be
    /// neighbours; keys that more than `max_per_key` of them have are skipped, and so are the keys of who
    /// asks that weigh least, once the others make up `share` of the squared length: 1 skips none.
    pub(crate) fn new(
        keys: usize,
        vectors: &[Vec<(u32, f64)>],
        candidates: &[u32],
        power: f64,
        max_per_key: usize,
        share: f64,
    ) -> Self {
        let mut starts = vec![0_usize; keys + 1];
        for position in candidates {
            for (key, _) in &vectors[*position as usize] {
                starts[*key as usize + 1] += 1;
            }
        }
        let all = 1.0 + candidates.len() as f64;
        let rarity = starts[1..].iter().map(|count| (all / (1.0 + *count as f64)).ln()).collect();
        for key in 0..keys {
            starts[key + 1] += starts[key];
        }
        let total = starts[keys];
        let mut near = Self {
            power,
            rarity,
            candidates: vec![0; total],
            entries: vec![0.0; total],
            max_per_key,
            share,
            starts,
        };
        let units: Vec<_> =
            candidates.par_iter().map(|position| near.unit(&vectors[*position as usize])).collect();
        let mut next = near.starts.clone();
        for (position, unit) in candidates.iter().zip(units) {
            for (key, entry) in unit {
                let at = &mut next[key as usize];
                near.candidates[*at] = *position;
                near.entries[*at] = entry;
                *at += 1;
            }
        }
        near
    }

    /// A vector as the cosine sees it; entries of zero where the length is zero.
    fn unit(&self, vector: &[(u32, f64)]) -> Vec<(u32, f64)> {
        let weigh = |(key, weight): &(u32, f64)| {
            (*key, weight.powf(self.power) * self.rarity[*key as usize])
        };
        let mut unit: Vec<(u32, f64)> = vector.iter().map(weigh).collect();
        let length = unit.iter().map(|(_, entry)| entry * entry).sum::<f64>().sqrt();
        let scale = if length > 0.0 && length.is_finite() { 1.0 / length } else { 0.0 };
        unit.iter_mut().for_each(|(_, entry)| *entry *= scale);
        unit
    }

    /// The keys of a unit vector that weigh most and make up the share of its squared length.
    fn telling(&self, mut unit: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
        if self.share < 1.0 {
            unit.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let mut left = self.share;
            let enough = unit.iter().position(|(_, weight)| {
                left -= weight * weight;
                left <= 0.0
            });
            unit.truncate(enough.map_or(unit.len(), |last| last + 1));
        }
        unit
    }

    /// The candidates nearest to a vector and their cosines, all above zero, nearest first, ties by
    /// position; never the one at `itself`. `similar` holds a zero per member, before and after.
    pub(crate) fn of(
        &self,
        vector: &[(u32, f64)],
        itself: Option<u32>,
        neighbours: usize,
        similar: &mut [f64],
    ) -> Vec<(u32, f64)> {
        for (key, weight) in self.telling(self.unit(vector)) {
            let range = self.starts[key as usize]..self.starts[key as usize + 1];
            if weight == 0.0 || range.len() > self.max_per_key {
                continue;
            }
            for (other, entry) in self.candidates[range.clone()].iter().zip(&self.entries[range]) {
                similar[*other as usize] += weight * entry;
            }
        }
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
        let near = |share: f64| Neighbourhood::new(3, &vectors, &[0, 1, 2, 3], 0.5, 9, share);
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
