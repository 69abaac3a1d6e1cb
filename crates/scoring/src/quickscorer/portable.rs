//! How are masks made and leaves added on any machine?

use super::kernel::{Add, LANES, Masks};

/// See [`Masks`]. The other kernels are held to this one.
pub(crate) fn masks(job: &Masks<'_>, out: &mut [u32]) {
    for (out, plane) in out.chunks_exact_mut(job.stride).zip(job.planes.clone()) {
        let (passed, failed) = job.tests.of(plane);
        let blocks = out[..job.lanes].as_chunks_mut::<LANES>().0;
        for (block, out) in blocks.iter_mut().enumerate() {
            *out = [job.start[plane * job.start_stride]; LANES];
            let values =
                |column: u32| &job.values[column as usize * job.stride + block * LANES..][..LANES];
            for test in passed {
                for (out, value) in out.iter_mut().zip(values(test.column)) {
                    // A missing value is not at least the threshold, and passes.
                    let fails = *value >= test.threshold;
                    *out &= test.mask | u32::from(fails).wrapping_sub(1);
                }
            }
            for test in failed {
                for (out, value) in out.iter_mut().zip(values(test.column)) {
                    let passes = *value < test.threshold;
                    *out &= test.mask | 0_u32.wrapping_sub(u32::from(passes));
                }
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
