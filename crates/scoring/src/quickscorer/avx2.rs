//! How are masks made and leaves added with AVX2, eight lanes at a time?
//!
//! There is no count of zeros and no table of 32 numbers: the exponent of a float counts, and four
//! permutations of eight leaves are blended.
#![expect(
    unsafe_code,
    reason = "loads and stores by pointer; the portable twin is held equal by property tests"
)]

use std::arch::x86_64::*;

use super::compile::{PLANE_LEAVES, Test};
use super::kernel::{Add, Masks};

/// Lanes of a register.
const HALF: usize = 8;

/// See [`Masks`]; the job must have been checked.
#[target_feature(enable = "avx2")]
pub(crate) fn masks(job: &Masks<'_>, out: &mut [u32]) {
    for (row, plane) in job.planes.clone().enumerate() {
        let start = job.start[plane * job.start_stride];
        let tests = job.tests.of(plane);
        let out = &mut out[row * job.stride..(row + 1) * job.stride];
        let mut lane = 0;
        while lane + 4 * HALF <= job.lanes {
            mask_blocks::<4>(job, tests, start, lane, out);
            lane += 4 * HALF;
        }
        // Lanes come in blocks of two registers.
        if lane < job.lanes {
            mask_blocks::<2>(job, tests, start, lane, out);
        }
    }
}

/// `out` has `job.stride` lanes, of which `lane .. lane + N * HALF` are written.
#[inline]
#[target_feature(enable = "avx2")]
fn mask_blocks<const N: usize>(
    job: &Masks<'_>,
    (passed, failed): (&[Test], &[Test]),
    start: u32,
    lane: usize,
    out: &mut [u32],
) {
    let (values, stride) = (job.values.as_ptr().wrapping_add(lane), job.stride);
    let mut masks = [_mm256_set1_epi32(start.cast_signed()); N];
    for test in passed {
        let threshold = _mm256_set1_ps(test.threshold);
        let mask = _mm256_set1_epi32(test.mask.cast_signed());
        // SAFETY: a test's column is among those of its tests, the job was checked to hold `columns × stride`
        // values, and the caller asks for lanes below the stride.
        let values = unsafe { values.add((test.column as usize).wrapping_mul(stride)) };
        for (block, masks) in masks.iter_mut().enumerate() {
            // SAFETY: as above.
            let value = unsafe { _mm256_loadu_ps(values.add(block * HALF)) };
            // A missing value is not at least the threshold, and passes.
            let passes = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_NGE_UQ>(value, threshold));
            *masks = _mm256_and_si256(*masks, _mm256_or_si256(passes, mask));
        }
    }
    for test in failed {
        let threshold = _mm256_set1_ps(test.threshold);
        let mask = _mm256_set1_epi32(test.mask.cast_signed());
        // SAFETY: as above.
        let values = unsafe { values.add((test.column as usize).wrapping_mul(stride)) };
        for (block, masks) in masks.iter_mut().enumerate() {
            // SAFETY: as above.
            let value = unsafe { _mm256_loadu_ps(values.add(block * HALF)) };
            let passes = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_LT_OQ>(value, threshold));
            *masks = _mm256_and_si256(*masks, _mm256_or_si256(passes, mask));
        }
    }
    for (out, masks) in out[lane..].as_chunks_mut::<HALF>().0.iter_mut().zip(masks) {
        // SAFETY: a block has HALF words.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), masks) };
    }
}

/// See [`Add`]; the job must have been checked.
#[target_feature(enable = "avx2")]
pub(crate) fn add(job: &Add<'_>, sums: &mut [i32]) {
    for lane in (0..job.stride).step_by(2 * HALF) {
        match (job.one_tree, job.group_of) {
            (false, None) => add_blocks::<false, true>(job, &[], sums, lane),
            (false, Some(groups)) => add_blocks::<false, false>(job, groups, sums, lane),
            (true, None) => add_blocks::<true, true>(job, &[], sums, lane),
            (true, Some(groups)) => add_blocks::<true, false>(job, groups, sums, lane),
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_blocks<const ONE_TREE: bool, const OWN_GROUP: bool>(
    job: &Add<'_>,
    group_of: &[u32],
    sums: &mut [i32],
    lane: usize,
) {
    let sums = sums[lane..].as_chunks_mut::<HALF>().0;
    let mut groups = [job.groups.as_ptr(); 2];
    let mut behind = [_mm256_setzero_si256(); 2];
    let mut sum = [_mm256_setzero_si256(); 2];
    let mut closed = [_mm256_setzero_si256(); 2];
    for block in 0..2 {
        let start = lane + block * HALF;
        let mut first = start;
        if !OWN_GROUP {
            let of_block = &group_of[start..start + HALF];
            first = of_block[0] as usize;
            // SAFETY: a block has HALF words.
            let of_block = unsafe { _mm256_loadu_si256(of_block.as_ptr().cast()) };
            behind[block] = _mm256_sub_epi32(of_block, _mm256_set1_epi32(first as i32));
        }
        groups[block] = job.groups[first..].as_ptr();
        // SAFETY: a block has HALF words.
        sum[block] = unsafe { _mm256_loadu_si256(sums[block].as_ptr().cast()) };
    }
    let mut promotions = job.promotions[lane..].as_ptr();
    for leaves in job.leaves {
        for block in 0..2 {
            // SAFETY: the job was checked to hold masks of `planes × stride` promotions and groups, and more
            // than HALF groups from the first of any block on; both pointers have gone one stride per plane.
            let (of_promotions, of_groups) = unsafe {
                (
                    _mm256_loadu_si256(promotions.add(block * HALF).cast()),
                    _mm256_loadu_si256(groups[block].cast()),
                )
            };
            let of_groups = if OWN_GROUP {
                of_groups
            } else {
                _mm256_permutevar8x32_epi32(of_groups, behind[block])
            };
            let left = _mm256_and_si256(of_promotions, of_groups);
            let mut leaf = leaf(leaves, leading_zeros(left));
            if ONE_TREE {
                let none = _mm256_cmpeq_epi32(left, _mm256_setzero_si256());
                leaf = _mm256_andnot_si256(_mm256_or_si256(none, closed[block]), leaf);
                let found = _mm256_xor_si256(none, _mm256_set1_epi32(-1));
                closed[block] = _mm256_or_si256(closed[block], found);
            }
            sum[block] = _mm256_add_epi32(sum[block], leaf);
            groups[block] = groups[block].wrapping_add(job.groups_stride);
        }
        promotions = promotions.wrapping_add(job.stride);
    }
    for (sums, sum) in sums.iter_mut().zip(sum) {
        // SAFETY: a block has HALF words.
        unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), sum) };
    }
}

/// Leading zeros of each lane; of a lane without a bit, some number below 256.
#[inline]
#[target_feature(enable = "avx2")]
fn leading_zeros(words: __m256i) -> __m256i {
    // With the bit below the highest cleared, rounding to a float cannot carry into the next exponent.
    let highest = _mm256_andnot_si256(_mm256_srli_epi32::<1>(words), words);
    let exponent = _mm256_srli_epi32::<23>(_mm256_castps_si256(_mm256_cvtepi32_ps(highest)));
    // 2^k has the exponent 127 + k. A set sign bit counts as 256 more: no leading zero.
    let zeros = _mm256_sub_epi32(_mm256_set1_epi32(127 + 31), exponent);
    _mm256_max_epi32(zeros, _mm256_setzero_si256())
}

/// The leaf at the place in the lowest five bits of each lane.
#[inline]
#[target_feature(enable = "avx2")]
fn leaf(leaves: &[i32; PLANE_LEAVES], place: __m256i) -> __m256i {
    let eight = |from: usize| {
        // SAFETY: `from` is 0, 8, 16 or 24 of 32.
        let leaves = unsafe { _mm256_loadu_si256(leaves.as_ptr().add(from).cast()) };
        _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(leaves, place))
    };
    // A blend looks at the sign bit: bit 3 of the place chooses within pairs, bit 4 between them.
    let bit_3 = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(place));
    let bit_4 = _mm256_castsi256_ps(_mm256_slli_epi32::<27>(place));
    let low = _mm256_blendv_ps(eight(0), eight(8), bit_3);
    let high = _mm256_blendv_ps(eight(16), eight(24), bit_3);
    _mm256_castps_si256(_mm256_blendv_ps(low, high, bit_4))
}
