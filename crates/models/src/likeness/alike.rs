//! Who is near to whom, for millions who ask?

use super::Neighbourhood;
use super::nearest::nearest;
use crate::dense::{Instructions, Work, run};

/// Keys that one in so many candidates has, or more, are added up in a row of all candidates.
const CANDIDATES_PER_HOLDER: usize = 8;

/// A [`Neighbourhood`] in single precision, laid out for those who ask one after the other.
///
/// A key that many candidates have is a row of all of them, which a few instructions add up; one that few have is a
/// list. Both multiply and add apart, so that sums are the same bits on every machine. Those found are the ones that
/// the neighbourhood finds: it is asked where the last of them and the next are nearer to each other than rounding. Only
/// likeness below 1e-37, nothing in single precision, is none here.
pub(crate) struct Alike {
    near: Neighbourhood,
    candidates: usize,
    columns: Vec<Column>,
    /// Entries of keys that many have, by candidate; zero where there is none.
    rows: Vec<f32>,
    /// Candidates with a key that few have, and their entries.
    lists: Vec<(u32, f32)>,
}

/// How near candidates are, zero between questions.
pub(crate) struct Similar {
    single: Vec<f32>,
    double: Vec<f64>,
}

/// Where the entries of a key are.
#[derive(Clone, Copy)]
enum Column {
    Row { first: usize },
    List { first: usize, end: usize },
}

impl Alike {
    /// Lays out a neighbourhood of so many candidates.
    pub(crate) fn new(near: Neighbourhood, candidates: usize) -> Self {
        let (mut columns, mut rows, mut lists) = (Vec::new(), Vec::new(), Vec::new());
        for key in 0..near.keys() as u32 {
            let (holders, entries) = near.holders(key);
            let single = entries.iter().map(|entry| *entry as f32);
            if holders.len() * CANDIDATES_PER_HOLDER < candidates || holders.is_empty() {
                let first = lists.len();
                lists.extend(holders.iter().copied().zip(single));
                columns.push(Column::List { first, end: lists.len() });
            } else {
                let first = rows.len();
                rows.resize(first + candidates, 0.0);
                let places = holders.iter().map(|holder| first + *holder as usize);
                places.zip(single).for_each(|(place, entry)| rows[place] = entry);
                columns.push(Column::Row { first });
            }
        }
        Self { near, candidates, columns, rows, lists }
    }

    /// For one thread.
    pub(crate) fn similar(&self) -> Similar {
        Similar { single: vec![0.0; self.candidates], double: vec![0.0; self.candidates] }
    }

    /// As [`Neighbourhood::of`]: how near, and the order in which they come, is rounded to seven digits.
    pub(crate) fn of(
        &self,
        vector: &[(u32, f64)],
        itself: Option<u32>,
        neighbours: usize,
        similar: &mut Similar,
    ) -> Vec<(u32, f64)> {
        let Similar { single, double } = similar;
        let asked = self.near.asked(vector);
        let terms = asked.len();
        let mut rows = Vec::new();
        for (key, weight) in asked {
            let weight = weight as f32;
            match self.columns[key as usize] {
                Column::Row { first } => {
                    rows.push((&self.rows[first..][..self.candidates], weight))
                }
                Column::List { first, end } => {
                    for (candidate, entry) in &self.lists[first..end] {
                        single[*candidate as usize] += weight * entry;
                    }
                }
            }
        }
        run(AddRows { similar: single, rows: &rows });
        if let Some(itself) = itself {
            single[itself as usize] = 0.0;
        }
        let mut found = nearest(single, neighbours.saturating_add(1));
        single.fill(0.0);
        if let Some((_, next)) = found.get(neighbours) {
            // Each sum may be off by half of this: three roundings a term, and one for each term that is added.
            let rounded = (terms + 3) as f64 * f64::from(f32::EPSILON) * next;
            if neighbours > 0 && found[neighbours - 1].1 - next <= 2.0 * rounded {
                return self.near.of(vector, itself, neighbours, double);
            }
            found.truncate(neighbours);
        }
        found
    }
}

/// Candidates that all rows are added up for, before others.
const TILE: usize = 1_024;

/// `similar += Σ weight · row`.
struct AddRows<'a> {
    similar: &'a mut [f32],
    rows: &'a [(&'a [f32], f32)],
}

impl Work for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self) {
        for (tile, similar) in self.similar.chunks_mut(TILE).enumerate() {
            let from = tile * TILE;
            for (row, weight) in self.rows {
                let row = &row[from..from + similar.len()];
                for (similar, entry) in similar.iter_mut().zip(row) {
                    *similar += weight * entry;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::Comparison;
    use super::*;
    use crate::dense::with_each;

    const KEYS: u32 = 361;

    /// Vectors by key, of which small keys are common and large ones rare, and some vectors are alike.
    fn vectors() -> impl Strategy<Value = Vec<Vec<(u32, f64)>>> {
        let weight = prop_oneof![Just(1.0), Just(0.5), 1e-9..4.0];
        let entry = (0_u32..19, 0_u32..19, weight).prop_map(|(a, b, weight)| (a * b, weight));
        let vector = proptest::collection::vec(entry, 0..14).prop_map(|entries| {
            let by_key: BTreeMap<u32, f64> = entries.into_iter().collect();
            by_key.into_iter().collect::<Vec<(u32, f64)>>()
        });
        proptest::collection::vec(vector, 1..120)
    }

    /// How near everybody is, one by one, each key looked for.
    fn naive(near: &Neighbourhood, candidates: usize, vector: &[(u32, f64)]) -> Vec<f64> {
        let mut similar = vec![0.0; candidates];
        for (key, weight) in near.asked(vector) {
            let (holders, entries) = near.holders(key);
            for (member, similar) in (0_u32..).zip(&mut similar) {
                let entry = holders.iter().position(|holder| *holder == member);
                *similar += weight * entry.map_or(0.0, |place| entries[place]);
            }
        }
        similar
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn those_found_are_the_nearest_of_all(
            vectors in vectors(),
            most in 1_usize..12,
            share in prop_oneof![Just(1.0), 0.3..1.0],
            power in prop_oneof![Just(0.5), 0.0..2.0],
        ) {
            let comparison = Comparison { share, ..Comparison::cosine(power) };
            let near = || Neighbourhood::new(KEYS as usize, &vectors, comparison);
            let (plain, alike) = (near(), Alike::new(near(), vectors.len()));
            let mut similar = alike.similar();
            for (asked, vector) in (0_u32..).zip(&vectors) {
                let mut expect: Vec<(u32, f64)> =
                    (0_u32..).zip(naive(&plain, vectors.len(), vector)).collect();
                expect.retain(|(member, cosine)| *member != asked && *cosine > 0.0);
                expect.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                expect.truncate(most);
                let found = alike.of(vector, Some(asked), most, &mut similar);
                prop_assert!(found.is_sorted_by(|a, b| a.1 > b.1 || (a.1 == b.1 && a.0 < b.0)));
                let (found, expect): (BTreeMap<u32, f64>, BTreeMap<u32, f64>) =
                    (found.into_iter().collect(), expect.into_iter().collect());
                prop_assert!(found.keys().eq(expect.keys()), "{:?} {:?}", found, expect);
                for (cosine, expect) in found.values().zip(expect.values()) {
                    prop_assert!((cosine - expect).abs() < 1e-6 * expect, "{} {}", cosine, expect);
                }
            }
            prop_assert!(similar.single.iter().all(|similar| *similar == 0.0));
            prop_assert!(similar.double.iter().all(|similar| *similar == 0.0));
        }

        #[test]
        fn rows_are_added_alike_with_every_set_of_instructions(
            entries in proptest::collection::vec((0.0_f32..1.0, 0.0_f32..1.0), 0..3000),
        ) {
            let found = with_each(&Added(entries));
            prop_assert!(found.iter().all(|other| *other == found[0]));
        }
    }

    /// Two rows, added to what is there.
    #[derive(Clone)]
    struct Added(Vec<(f32, f32)>);

    impl Work for Added {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<I: Instructions>(self) -> Vec<f32> {
            let (one, other): (Vec<f32>, Vec<f32>) = self.0.into_iter().unzip();
            let mut similar = other.clone();
            let rows: [(&[f32], f32); 2] = [(&one, 0.3), (&other, 0.7)];
            AddRows { similar: &mut similar, rows: &rows }.run::<I>();
            similar
        }
    }
}
