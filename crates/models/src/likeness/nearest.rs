//! Which numbers are the largest?

/// Groups that numbers are looked at in, for each one asked for.
const GROUPS_PER_NUMBER: usize = 4;

/// The places of the largest numbers above zero, and they, largest first, ties by place.
pub(super) fn nearest<T: Number>(similar: &[T], most: usize) -> Vec<(u32, f64)> {
    if most == 0 {
        return Vec::new();
    }
    // The `most` largest are no smaller than the `most`-th largest of the largest of each group.
    let groups = most.saturating_mul(GROUPS_PER_NUMBER).min(similar.len());
    let largest = largest(similar, groups);
    let mut least = T::default();
    if groups > most {
        let descending = |a: &T, b: &T| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal);
        least = *largest.clone().select_nth_unstable_by(most - 1, descending).1;
    }
    let mut found: Vec<(u32, f64)> = Vec::with_capacity(groups);
    for (group, largest) in largest.into_iter().enumerate() {
        if largest < least || largest == T::default() {
            continue;
        }
        let mut place = group;
        while let Some(similar) = similar.get(place) {
            if *similar >= least && *similar > T::default() {
                found.push((place as u32, (*similar).into()));
            }
            place += groups;
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

/// A number that is no less than zero.
pub(super) trait Number: Copy + Default + PartialOrd + Into<f64> {}

impl Number for f32 {}
impl Number for f64 {}

/// The largest number of each group: every so manieth is of the same.
fn largest<T: Number>(numbers: &[T], groups: usize) -> Vec<T> {
    let (first, others) = numbers.split_at(groups);
    let mut largest = first.to_vec();
    for numbers in others.chunks(groups.max(1)) {
        for (largest, number) in largest.iter_mut().zip(numbers) {
            *largest = if *number > *largest { *number } else { *largest };
        }
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
        let singles: Vec<f32> = similar.iter().map(|number| *number as f32).collect();
        assert_eq!(nearest(&singles, most), all, "{most} of {}", similar.len());
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
}
