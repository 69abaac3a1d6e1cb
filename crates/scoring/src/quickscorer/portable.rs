//! How are masks made and leaves added on any machine?

use super::compile::Test;
use super::kernel::{Add, LANES, Masks, Spread};

/// See [`Masks`]. The other kernels are held to this one.
pub(crate) fn masks(job: &Masks<'_>, out: &mut [u32]) {
    for (out, plane) in out.chunks_exact_mut(job.stride).zip(job.planes.clone()) {
        let (passed, failed) = job.tests.of(plane);
        let start = job.start[plane * job.start_stride];
        let blocks = out[..job.lanes].as_chunks_mut::<LANES>().0;
        for (block, out) in blocks.iter_mut().enumerate() {
            let lane = block * LANES;
            *out = [start; LANES];
            // A missing value is not at least the threshold, and passes.
            clear(job, passed, lane, out, |value, threshold| {
                u32::from(value >= threshold).wrapping_sub(1)
            });
            clear(job, failed, lane, out, |value, threshold| {
                u32::from(value < threshold).wrapping_neg()
            });
        }
    }
}

/// `kept(value, threshold)` is all bits when the value passes, else none.
///
/// Four lanes at a time, for which compilers have instructions on most machines.
#[inline]
fn clear(
    job: &Masks<'_>,
    tests: &[Test],
    lane: usize,
    out: &mut [u32; LANES],
    kept: impl Fn(f32, f32) -> u32,
) {
    for test in tests {
        let values = &job.values[test.column as usize * job.stride + lane..][..LANES];
        let (values, (threshold, mask)) = (values.as_chunks::<4>().0, (test.threshold, test.mask));
        for (out, values) in out.as_chunks_mut::<4>().0.iter_mut().zip(values) {
            let kept = values.map(|value| kept(value, threshold));
            *out = [0, 1, 2, 3].map(|at| out[at] & (mask | kept[at]));
        }
    }
}

/// See [`Spread`].
pub(crate) fn spread(job: &Spread<'_>, out: &mut [u32]) {
    let planes = out.chunks_exact_mut(job.stride.max(1)).zip(job.masks.chunks(job.stride.max(1)));
    for ((out, masks), other) in planes.zip(job.others) {
        let (blocks, mut masks) = (out.as_chunks_mut::<LANES>().0, masks.iter());
        for (out, present) in blocks.iter_mut().zip(job.present) {
            *out = [*other; LANES];
            let mut left = *present;
            while left != 0 {
                if let Some(mask) = masks.next() {
                    out[left.trailing_zeros() as usize] = *mask;
                }
                left &= left - 1;
            }
        }
    }
}

/// See [`Add`].
pub(crate) fn add(job: &Add<'_>, sums: &mut [i32]) {
    for (lane, sum) in sums[..job.stride].iter_mut().enumerate() {
        let group = job.group_of.map_or(lane, |groups| groups[lane] as usize);
        for (plane, leaves) in job.leaves.iter().enumerate() {
            let left = job.promotions[plane * job.stride + lane]
                & job.groups[plane * job.groups_stride + group];
            if job.one_tree && left == 0 {
                continue;
            }
            // A tree of one plane always has a leaf left.
            *sum = sum.wrapping_add(leaves[left.leading_zeros() as usize % leaves.len()]);
            if job.one_tree {
                break;
            }
        }
    }
}
