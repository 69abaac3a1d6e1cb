//! Which fold does a row belong to?

use crate::gbdt::Fnv;

/// The key of a row that has an id: the same id has the same folds in every table.
pub fn row_key(id: &str) -> u64 {
    let mut hash = Fnv::new();
    hash.bytes(id.as_bytes());
    hash.0
}

/// The fold of a row, `0..folds`, by its key (finaliser of SplitMix64, Steele, Lea and Flood 2014,
/// doi:10.1145/2660193.2660195).
pub(super) fn fold_of(key: u64, seed: u64, folds: u8) -> u8 {
    let mut bits = key ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    // The high bits times the folds: a share of the range of each.
    ((u128::from(bits) * u128::from(folds)) >> 64) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_even_and_hang_on_nothing_but_the_key() {
        for seed in 0..3 {
            let mut counts = [0_u32; 5];
            (0..10_000).for_each(|key| counts[usize::from(fold_of(key, seed, 5))] += 1);
            assert!(counts.iter().all(|count| count.abs_diff(2_000) < 150), "{counts:?}");
        }
        assert_eq!(fold_of(row_key("a"), 1, 7), fold_of(row_key("a"), 1, 7));
        assert_ne!(row_key("a"), row_key("b"));
        assert!((0..100).any(|key| fold_of(key, 1, 5) != fold_of(key, 2, 5)));
    }
}
