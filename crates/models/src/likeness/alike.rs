//! Who is near to whom, for millions who ask?

use super::Neighbourhood;
use super::nearest::nearest;
use super::scale::Scale;
use crate::dense::{Instructions, Work, run};

/// Keys that one in so many candidates has, or more, are added up in a row of all candidates.
const CANDIDATES_PER_HOLDER: usize = 8;

/// A [`Neighbourhood`] in single precision, laid out for those who ask one after the other.
///
/// A key that many candidates have is a row of all of them, which a few instructions add up; one that few have is a
/// list. Both multiply and add apart, so that sums are the same bits on every machine. They are those of
/// [`Neighbourhood::of`] but for rounding: who is as near to within a ten-millionth may change places.
pub(crate) struct Alike {
    scale: Scale,
    candidates: usize,
    columns: Vec<Column>,
    /// Entries of keys that many have, by candidate; zero where there is none.
    rows: Vec<f32>,
    /// Candidates with a key that few have, and their entries.
    lists: Vec<(u32, f32)>,
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
        Self { scale: near.into_scale(), candidates, columns, rows, lists }
    }

    /// As [`Neighbourhood::of`].
    pub(crate) fn of(
        &self,
        vector: &[(u32, f64)],
        itself: Option<u32>,
        neighbours: usize,
        similar: &mut [f32],
    ) -> Vec<(u32, f64)> {
        let mut rows = Vec::new();
        for (key, weight) in self.scale.asked(vector) {
            let weight = weight as f32;
            match self.columns[key as usize] {
                Column::Row { first } => {
                    rows.push((&self.rows[first..][..self.candidates], weight))
                }
                Column::List { first, end } => {
                    for (candidate, entry) in &self.lists[first..end] {
                        similar[*candidate as usize] += weight * entry;
                    }
                }
            }
        }
        run(AddRows { similar, rows: &rows });
        if let Some(itself) = itself {
            similar[itself as usize] = 0.0;
        }
        let nearest = nearest(similar, neighbours);
        similar.fill(0.0);
        nearest
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
    fn naive(near: &Neighbourhood, scale: &Scale, vector: &[(u32, f64)]) -> Vec<f64> {
        let mut similar = vec![0.0; 120];
        for (key, weight) in scale.asked(vector) {
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
            let (plain, scale) = (near(), near().into_scale());
            let alike = Alike::new(near(), vectors.len());
            let mut similar = vec![0.0; vectors.len()];
            for (asked, vector) in (0_u32..).zip(&vectors) {
                let mut expect = naive(&plain, &scale, vector);
                expect[asked as usize] = 0.0;
                let found = alike.of(vector, Some(asked), most, &mut similar);
                prop_assert!(similar.iter().all(|similar| *similar == 0.0));
                prop_assert!(found.len() <= most);
                prop_assert!(found.is_sorted_by(|a, b| a.1 > b.1 || (a.1 == b.1 && a.0 < b.0)));
                for (member, cosine) in &found {
                    let expect = expect[*member as usize];
                    prop_assert!((cosine - expect).abs() < 1e-6, "{} {}", cosine, expect);
                }
                // Nobody who is left out is nearer than the last, but for rounding.
                let last = if found.len() < most { 0.0 } else { found[most - 1].1 };
                for (member, expect) in (0_u32..).zip(expect) {
                    let is_found = found.iter().any(|(found, _)| *found == member);
                    prop_assert!(is_found || expect <= last + 1e-6, "{} {}", expect, last);
                }
            }
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
