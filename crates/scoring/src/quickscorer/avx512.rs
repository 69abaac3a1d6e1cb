//! How are masks made and leaves added with AVX-512, sixteen lanes at a time?
//!
//! 32 leaves fill two registers, so a leaf is found by one permutation of them.
#![expect(
    unsafe_code,
    reason = "loads and stores by pointer; the portable twin is held equal by property tests"
)]

use std::arch::x86_64::*;

use super::compile::Test;
use super::kernel::{Add, LANES, Masks, Spread};

/// See [`Masks`]; the job must have been checked.
#[target_feature(enable = "avx512f,avx512cd")]
pub(crate) fn masks(job: &Masks<'_>, out: &mut [u32]) {
    for (row, plane) in job.planes.clone().enumerate() {
        let start = job.start[plane * job.start_stride];
        let tests = job.tests.of(plane);
        let out = &mut out[row * job.stride..(row + 1) * job.stride];
        let mut lane = 0;
        while lane + 4 * LANES <= job.lanes {
            mask_blocks::<4>(job, tests, start, lane, out);
            lane += 4 * LANES;
        }
        match (job.lanes - lane) / LANES {
            0 => {}
            1 => mask_blocks::<1>(job, tests, start, lane, out),
            2 => mask_blocks::<2>(job, tests, start, lane, out),
            _ => mask_blocks::<3>(job, tests, start, lane, out),
        }
    }
}

/// `out` has `job.stride` lanes, of which `lane .. lane + N * LANES` are written.
#[inline]
#[target_feature(enable = "avx512f,avx512cd")]
fn mask_blocks<const N: usize>(
    job: &Masks<'_>,
    (passed, failed): (&[Test], &[Test]),
    start: u32,
    lane: usize,
    out: &mut [u32],
) {
    let (values, stride) = (job.values.as_ptr().wrapping_add(lane), job.stride);
    let mut masks = [_mm512_set1_epi32(start.cast_signed()); N];
    for test in passed {
        let threshold = _mm512_set1_ps(test.threshold);
        let mask = _mm512_set1_epi32(test.mask.cast_signed());
        // SAFETY: a test's column is among those of its tests, the job was checked to hold `columns × stride`
        // values, and the caller asks for lanes below the stride.
        let values = unsafe { values.add((test.column as usize).wrapping_mul(stride)) };
        for (block, masks) in masks.iter_mut().enumerate() {
            // SAFETY: as above.
            let value = unsafe { _mm512_loadu_ps(values.add(block * LANES)) };
            // A missing value is not at least the threshold, and passes.
            let fails = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(value, threshold);
            *masks = _mm512_mask_and_epi32(*masks, fails, *masks, mask);
        }
    }
    for test in failed {
        let threshold = _mm512_set1_ps(test.threshold);
        let mask = _mm512_set1_epi32(test.mask.cast_signed());
        // SAFETY: as above.
        let values = unsafe { values.add((test.column as usize).wrapping_mul(stride)) };
        for (block, masks) in masks.iter_mut().enumerate() {
            // SAFETY: as above.
            let value = unsafe { _mm512_loadu_ps(values.add(block * LANES)) };
            let fails = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(value, threshold);
            *masks = _mm512_mask_and_epi32(*masks, fails, *masks, mask);
        }
    }
    for (out, masks) in out[lane..].as_chunks_mut::<LANES>().0.iter_mut().zip(masks) {
        // SAFETY: a block has LANES words.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), masks) };
    }
}

/// See [`Spread`]; the job must have been checked.
#[target_feature(enable = "avx512f,avx512cd")]
pub(crate) fn spread(job: &Spread<'_>, out: &mut [u32]) {
    let planes = out.chunks_exact_mut(job.stride.max(1)).zip(job.others);
    for (plane, (out, other)) in planes.enumerate() {
        let other = _mm512_set1_epi32(other.cast_signed());
        let mut masks = job.masks[plane * job.stride..].as_ptr();
        for (out, present) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(job.present) {
            // SAFETY: at most LANES masks a block were passed, blocks are within the stride, and the job was
            // checked to hold LANES masks behind the last plane's.
            let next = unsafe { _mm512_loadu_si512(masks.cast()) };
            let spread = _mm512_mask_expand_epi32(other, *present, next);
            // SAFETY: a block has LANES words.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), spread) };
            masks = masks.wrapping_add(present.count_ones() as usize);
        }
    }
}

/// See [`Add`]; the job must have been checked.
#[target_feature(enable = "avx512f,avx512cd")]
pub(crate) fn add(job: &Add<'_>, sums: &mut [i32]) {
    match (job.one_tree, job.group_of) {
        (false, None) => add_all::<false, true>(job, &[], sums),
        (false, Some(groups)) => add_all::<false, false>(job, groups, sums),
        (true, None) => add_all::<true, true>(job, &[], sums),
        (true, Some(groups)) => add_all::<true, false>(job, groups, sums),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512cd")]
fn add_all<const ONE_TREE: bool, const OWN_GROUP: bool>(
    job: &Add<'_>,
    group_of: &[u32],
    sums: &mut [i32],
) {
    let mut lane = 0;
    while lane + 4 * LANES <= job.stride {
        add_blocks::<4, ONE_TREE, OWN_GROUP>(job, group_of, sums, lane);
        lane += 4 * LANES;
    }
    match (job.stride - lane) / LANES {
        0 => {}
        1 => add_blocks::<1, ONE_TREE, OWN_GROUP>(job, group_of, sums, lane),
        2 => add_blocks::<2, ONE_TREE, OWN_GROUP>(job, group_of, sums, lane),
        _ => add_blocks::<3, ONE_TREE, OWN_GROUP>(job, group_of, sums, lane),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512cd")]
fn add_blocks<const N: usize, const ONE_TREE: bool, const OWN_GROUP: bool>(
    job: &Add<'_>,
    group_of: &[u32],
    sums: &mut [i32],
    lane: usize,
) {
    let sums = sums[lane..].as_chunks_mut::<LANES>().0;
    let mut groups = [job.groups.as_ptr(); N];
    let mut behind = [_mm512_setzero_si512(); N];
    let mut sum = [_mm512_setzero_si512(); N];
    let mut open = [u16::MAX; N];
    for block in 0..N {
        let start = lane + block * LANES;
        let mut first = start;
        if !OWN_GROUP {
            let of_block = &group_of[start..start + LANES];
            first = of_block[0] as usize;
            // SAFETY: a block has LANES words.
            let of_block = unsafe { _mm512_loadu_si512(of_block.as_ptr().cast()) };
            behind[block] = _mm512_sub_epi32(of_block, _mm512_set1_epi32(first as i32));
        }
        groups[block] = job.groups[first..].as_ptr();
        // SAFETY: a block has LANES words.
        sum[block] = unsafe { _mm512_loadu_si512(sums[block].as_ptr().cast()) };
    }
    let mut promotions = job.promotions[lane..].as_ptr();
    for leaves in job.leaves {
        // SAFETY: a plane has 32 leaves.
        let (low, high) = unsafe {
            (
                _mm512_loadu_si512(leaves.as_ptr().cast()),
                _mm512_loadu_si512(leaves.as_ptr().add(LANES).cast()),
            )
        };
        for block in 0..N {
            // SAFETY: the job was checked to hold masks of `planes × stride` promotions and groups, and LANES
            // groups from the first of any block on; both pointers have gone one stride per plane.
            let (of_promotions, of_groups) = unsafe {
                (
                    _mm512_loadu_si512(promotions.add(block * LANES).cast()),
                    _mm512_loadu_si512(groups[block].cast()),
                )
            };
            let of_groups = if OWN_GROUP {
                of_groups
            } else {
                _mm512_permutexvar_epi32(behind[block], of_groups)
            };
            let left = _mm512_and_si512(of_promotions, of_groups);
            let leaf = _mm512_permutex2var_epi32(low, _mm512_lzcnt_epi32(left), high);
            if ONE_TREE {
                let found = _mm512_mask_test_epi32_mask(open[block], left, left);
                open[block] &= !found;
                sum[block] = _mm512_mask_add_epi32(sum[block], found, sum[block], leaf);
            } else {
                sum[block] = _mm512_add_epi32(sum[block], leaf);
            }
            groups[block] = groups[block].wrapping_add(job.groups_stride);
        }
        promotions = promotions.wrapping_add(job.stride);
    }
    for (sums, sum) in sums.iter_mut().zip(sum) {
        // SAFETY: a block has LANES words.
        unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), sum) };
    }
}
