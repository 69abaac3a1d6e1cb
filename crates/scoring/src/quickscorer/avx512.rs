//! How are masks made and leaves added with AVX-512, sixteen lanes at a time?
//!
//! 32 leaves fill two registers, so a leaf is found by one permutation of them.
#![expect(unsafe_code, reason = "loads and stores by pointer; the portable twin is held equal by property tests")]

use std::arch::x86_64::*;

use super::compile::Test;
use super::kernel::{Add, LANES, Masks};

/// See [`Masks`]; the job must have been checked.
#[target_feature(enable = "avx512f,avx512cd")]
pub(crate) fn masks(job: &Masks<'_>, out: &mut [u32]) {
    for (row, plane) in job.planes.clone().enumerate() {
        let start = job.start[plane * job.start_stride];
        let tests = job.tests.of(plane);
        let out = &mut out[row * job.stride..(row + 1) * job.stride];
        let mut lane = 0;
        while lane + 4 * LANES <= job.stride {
            mask_blocks::<4>(job, tests, start, lane, out);
            lane += 4 * LANES;
        }
        while lane + 2 * LANES <= job.stride {
            mask_blocks::<2>(job, tests, start, lane, out);
            lane += 2 * LANES;
        }
        if lane < job.stride {
            mask_blocks::<1>(job, tests, start, lane, out);
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
    let mut masks = [_mm512_set1_epi32(start.cast_signed()); N];
    for test in passed {
        let threshold = _mm512_set1_ps(test.threshold);
        let mask = _mm512_set1_epi32(test.mask.cast_signed());
        for (block, masks) in masks.iter_mut().enumerate() {
            let value = value(job, test, lane + block * LANES);
            // A missing value is not at least the threshold, and passes.
            let fails = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(value, threshold);
            *masks = _mm512_mask_and_epi32(*masks, fails, *masks, mask);
        }
    }
    for test in failed {
        let threshold = _mm512_set1_ps(test.threshold);
        let mask = _mm512_set1_epi32(test.mask.cast_signed());
        for (block, masks) in masks.iter_mut().enumerate() {
            let value = value(job, test, lane + block * LANES);
            let fails = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(value, threshold);
            *masks = _mm512_mask_and_epi32(*masks, fails, *masks, mask);
        }
    }
    for (block, masks) in masks.into_iter().enumerate() {
        // SAFETY: the caller asks for lanes below the stride, which is the length of `out`.
        unsafe {
            _mm512_storeu_si512(out.as_mut_ptr().add(lane + block * LANES).cast(), masks);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn value(job: &Masks<'_>, test: &Test, lane: usize) -> __m512 {
    // SAFETY: a test's column is among those of its tests, lanes are below the stride, and the job was checked
    // to hold `columns × stride` values.
    unsafe { _mm512_loadu_ps(job.values.as_ptr().add(test.column as usize * job.stride + lane)) }
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
    while lane < job.stride {
        add_blocks::<1, ONE_TREE, OWN_GROUP>(job, group_of, sums, lane);
        lane += LANES;
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
    let at = |block: usize| lane + block * LANES;
    let mut first = [0_usize; N];
    let mut behind = [_mm512_setzero_si512(); N];
    let mut sum = [_mm512_setzero_si512(); N];
    let mut open = [u16::MAX; N];
    for block in 0..N {
        first[block] = at(block);
        if !OWN_GROUP {
            let groups = &group_of[at(block)..at(block) + LANES];
            first[block] = groups[0] as usize;
            // SAFETY: `groups` has LANES words.
            let groups = unsafe { _mm512_loadu_si512(groups.as_ptr().cast()) };
            let start = _mm512_set1_epi32(first[block] as i32);
            behind[block] = _mm512_sub_epi32(groups, start);
        }
        // SAFETY: there is a sum for every lane, and lanes are below the stride.
        sum[block] = unsafe { _mm512_loadu_si512(sums.as_ptr().add(at(block)).cast()) };
    }
    for (plane, leaves) in job.leaves.iter().enumerate() {
        // SAFETY: a plane has 32 leaves.
        let (low, high) = unsafe {
            (
                _mm512_loadu_si512(leaves.as_ptr().cast()),
                _mm512_loadu_si512(leaves.as_ptr().add(LANES).cast()),
            )
        };
        for block in 0..N {
            // SAFETY: masks were checked to stand for every plane and lane, and LANES groups from the first of
            // any block on.
            let (promotions, groups) = unsafe {
                let promotions = job.promotions.as_ptr().add(plane * job.stride + at(block));
                let groups = job.groups.as_ptr().add(plane * job.groups_stride + first[block]);
                (_mm512_loadu_si512(promotions.cast()), _mm512_loadu_si512(groups.cast()))
            };
            let groups = if OWN_GROUP {
                groups
            } else {
                _mm512_permutexvar_epi32(behind[block], groups)
            };
            let left = _mm512_and_si512(promotions, groups);
            let leaf = _mm512_permutex2var_epi32(low, _mm512_lzcnt_epi32(left), high);
            if ONE_TREE {
                let found = _mm512_mask_test_epi32_mask(open[block], left, left);
                open[block] &= !found;
                sum[block] = _mm512_mask_add_epi32(sum[block], found, sum[block], leaf);
            } else {
                sum[block] = _mm512_add_epi32(sum[block], leaf);
            }
        }
    }
    for (block, sum) in sum.into_iter().enumerate() {
        // SAFETY: as for the load of the sums.
        unsafe { _mm512_storeu_si512(sums.as_mut_ptr().add(at(block)).cast(), sum) };
    }
}
