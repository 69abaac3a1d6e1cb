//! Which different values does each of many groups have?

use std::mem::size_of;

/// Values that may wait before they are put in order.
const WAITING_MIN: usize = 1 << 16;

/// The different values of each group, gathered row by row.
///
/// A value that equals its group's last one is dropped at once, which costs no look-up; of rows that stand in
/// runs that leaves one a run. What is left waits, and is put in order and freed of repetitions whenever it has
/// doubled: at most twice the different values are held, and a value is moved a logarithmic number of times.
#[derive(Debug, Default)]
pub(crate) struct UniqueValues {
    /// Each group's last value. [`i64::MIN`] also says that there is none: it is then kept more than once
    /// until the values are put in order.
    last: Vec<i64>,
    /// Values of each group, repetitions included.
    counts: Vec<usize>,
    /// Group and value; the first `ordered` are ascending by both, and all different.
    groups: Vec<u32>,
    values: Vec<i64>,
    ordered: usize,
}

impl UniqueValues {
    /// There are so many groups from now on; never fewer than before.
    ///
    /// # Panics
    /// With 2^32 groups and more: their numbers are kept in 32 bits.
    pub(crate) fn grow(&mut self, groups: usize) {
        assert!(u32::try_from(groups).is_ok(), "{groups} groups");
        self.last.resize(groups, i64::MIN);
        self.counts.resize(groups, 0);
    }

    /// Adds a value to a group, which must have been grown to.
    #[inline]
    pub(crate) fn add(&mut self, group: usize, value: i64) {
        if self.last[group] == value && value != i64::MIN {
            return;
        }
        self.last[group] = value;
        self.counts[group] += 1;
        self.groups.push(group as u32);
        self.values.push(value);
        if self.values.len() >= WAITING_MIN.max(2 * self.ordered) {
            self.order();
        }
    }

    /// Puts all values in order of group and value, each once.
    fn order(&mut self) {
        if self.ordered == self.values.len() {
            return;
        }
        // Each group's values side by side, in the order in which they came.
        let mut place = 0;
        let mut places: Vec<usize> = Vec::with_capacity(self.counts.len());
        for count in &self.counts {
            places.push(place);
            place += count;
        }
        let mut side_by_side = vec![0; self.values.len()];
        for (&group, &value) in self.groups.iter().zip(&self.values) {
            let place = &mut places[group as usize];
            side_by_side[*place] = value;
            *place += 1;
        }
        self.groups.clear();
        self.values.clear();
        let mut start = 0;
        for (group, count) in self.counts.iter_mut().enumerate() {
            let own = &mut side_by_side[start..start + *count];
            start += *count;
            own.sort_unstable();
            let before = self.values.len();
            for &value in own.iter() {
                if self.values.len() == before || self.values.last() != Some(&value) {
                    self.values.push(value);
                    self.groups.push(group as u32);
                }
            }
            *count = self.values.len() - before;
        }
        self.ordered = self.values.len();
    }

    /// Takes the first groups: how many different values each has, and the values one group after another,
    /// ascending. The groups behind them move to the front.
    pub(crate) fn take(&mut self, groups: usize) -> (Vec<usize>, Vec<i64>) {
        self.order();
        let behind = self.counts.split_off(groups);
        let counts = std::mem::replace(&mut self.counts, behind);
        self.last.drain(..groups);
        let taken = counts.iter().sum();
        let behind = self.values.split_off(taken);
        let values = std::mem::replace(&mut self.values, behind);
        self.groups.drain(..taken);
        self.groups.iter_mut().for_each(|group| *group -= groups as u32);
        self.ordered = self.values.len();
        (counts, values)
    }

    /// Groups there are.
    pub(crate) fn groups(&self) -> usize {
        self.counts.len()
    }

    /// Memory held, bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.last.capacity() * size_of::<i64>()
            + self.counts.capacity() * size_of::<usize>()
            + self.groups.capacity() * size_of::<u32>()
            + self.values.capacity() * size_of::<i64>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Numbers below a bound, scattered.
    fn scatter(key: u64, bound: u64) -> u64 {
        let mixed = (key ^ (key >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) % bound
    }

    fn check(rows: &[(usize, i64)], groups: usize, first: usize) {
        let mut sets: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
        let mut unique = UniqueValues::default();
        unique.grow(groups);
        for &(group, value) in rows {
            unique.add(group, value);
            sets.entry(group).or_default().insert(value);
        }
        let expect = |range: std::ops::Range<usize>| {
            let of = |group| sets.get(&group).cloned().unwrap_or_default();
            let counts: Vec<usize> = range.clone().map(|group| of(group).len()).collect();
            (counts, range.flat_map(of).collect::<Vec<i64>>())
        };
        assert_eq!(unique.take(first), expect(0..first));
        assert_eq!(unique.groups(), groups - first);
        // What was moved to the front goes on counting.
        for &(group, value) in rows.iter().filter(|(group, _)| *group >= first) {
            unique.add(group - first, value);
        }
        assert_eq!(unique.take(groups - first), expect(first..groups));
    }

    #[test]
    fn every_value_counts_once_whatever_its_place() {
        check(&[], 3, 1);
        check(&[(0, 5), (0, 5), (1, 5), (0, 6), (0, 5)], 2, 1);
        check(&[(0, i64::MIN), (0, i64::MIN), (1, i64::MAX), (0, i64::MIN)], 2, 0);
        let runs: Vec<(usize, i64)> =
            (0..400_000).map(|row| (row / 1_000, (row / 7) as i64)).collect();
        check(&runs, 400, 123);
        let scattered: Vec<(usize, i64)> = (0..400_000_u64)
            .map(|row| (scatter(row, 50) as usize, scatter(row + 7, 3_000) as i64 - 1_500))
            .collect();
        check(&scattered, 50, 50);
    }

    #[test]
    fn memory_follows_different_values_not_rows() {
        let (mut unique, mut set) = (UniqueValues::default(), BTreeSet::new());
        unique.grow(10);
        for row in 0..2_000_000 {
            let value = scatter(row as u64, 20_000) as i64;
            unique.add(row % 10, value);
            set.insert((row % 10, value));
        }
        assert!(set.len() > 190_000, "{}", set.len());
        assert!(unique.bytes() < set.len() * 12 * 5, "{}", unique.bytes());
        assert_eq!(unique.take(10).0.iter().sum::<usize>(), set.len());
    }
}
