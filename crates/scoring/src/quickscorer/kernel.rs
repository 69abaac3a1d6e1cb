//! Which instructions does this machine have for masks, and what are they asked to do?

use std::ops::Range;

use super::compile::{PLANE_LEAVES, Tests};
use super::portable;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};

/// Lanes are handled in blocks of this many; every stride is a multiple of it.
pub(crate) const LANES: usize = 16;

/// The instructions that masks are computed with. All give the same sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kernel(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// The kernels that this machine can run, the fastest last.
    pub fn available() -> Vec<Self> {
        let mut kernels = vec![Self(Kind::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                kernels.push(Self(Kind::Avx2));
            }
            if std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512cd")
            {
                kernels.push(Self(Kind::Avx512));
            }
        }
        kernels
    }

    /// The fastest kernel of this machine.
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self(Kind::Portable))
    }

    /// `portable`, `avx2` or `avx512`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    pub(crate) fn masks(self, job: &Masks<'_>, out: &mut [u32]) {
        job.check(out.len());
        if job.lanes == 0 {
            return;
        }
        match self.0 {
            Kind::Portable => portable::masks(job, out),
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "the kernel exists only where its instructions do")]
            // SAFETY: `available` is the only maker of this kind and saw AVX2; the job was checked.
            Kind::Avx2 => unsafe { avx2::masks(job, out) },
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "the kernel exists only where its instructions do")]
            // SAFETY: `available` is the only maker of this kind and saw AVX-512F and CD; the job was checked.
            Kind::Avx512 => unsafe { avx512::masks(job, out) },
        }
    }

    pub(crate) fn spread(self, job: &Spread<'_>, out: &mut [u32]) {
        job.check(out.len());
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "the kernel exists only where its instructions do")]
            // SAFETY: `available` is the only maker of this kind and saw AVX-512F and CD; the job was checked.
            Kind::Avx512 => unsafe { avx512::spread(job, out) },
            // AVX2 has no instruction for it.
            _ => portable::spread(job, out),
        }
    }

    pub(crate) fn add(self, job: &Add<'_>, sums: &mut [i32]) {
        job.check(sums.len());
        match self.0 {
            Kind::Portable => portable::add(job, sums),
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "the kernel exists only where its instructions do")]
            // SAFETY: `available` is the only maker of this kind and saw AVX2; the job was checked.
            Kind::Avx2 => unsafe { avx2::add(job, sums) },
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "the kernel exists only where its instructions do")]
            // SAFETY: `available` is the only maker of this kind and saw AVX-512F and CD; the job was checked.
            Kind::Avx512 => unsafe { avx512::add(job, sums) },
        }
    }
}

/// Puts masks of some lanes where they belong, and one mask a plane everywhere else.
///
/// Out come `others.len() × stride` masks.
pub(crate) struct Spread<'a> {
    /// The masks side by side, `others.len() × stride`, with room for a block behind.
    pub(crate) masks: &'a [u32],
    pub(crate) stride: usize,
    /// For each block of lanes which of them have a mask: bit `l` for lane `l`.
    pub(crate) present: &'a [u16],
    /// The mask of all other lanes, by plane.
    pub(crate) others: &'a [u32],
}

impl Spread<'_> {
    /// Every place that a kernel reads or writes is inside its slice.
    fn check(&self, out: usize) {
        let planes = self.others.len();
        assert!(self.present.len() * LANES <= self.stride, "lanes within a plane");
        assert!(self.masks.len() >= planes * self.stride + LANES, "a block behind the masks");
        assert!(out >= planes * self.stride, "room for all masks");
    }
}

/// The masks of some planes over lanes (customers, promotions or groups).
///
/// Out come `planes × stride` masks, those of a plane side by side.
pub(crate) struct Masks<'a> {
    pub(crate) tests: &'a Tests,
    pub(crate) planes: Range<usize>,
    /// `tests.columns().len() × stride` values, those of a column side by side.
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
    /// The lanes that are computed, from the first on.
    pub(crate) lanes: usize,
    /// What every lane of a plane starts with: the word at `plane * start_stride`.
    pub(crate) start: &'a [u32],
    pub(crate) start_stride: usize,
}

impl Masks<'_> {
    /// Every place that a kernel reads or writes is inside its slice.
    fn check(&self, out: usize) {
        let planes = self.planes.len();
        assert!(self.lanes.is_multiple_of(LANES), "lanes come in blocks");
        assert!(self.lanes <= self.stride, "lanes within a column");
        assert!(
            self.values.len() >= self.tests.columns().len() * self.stride,
            "values of all lanes"
        );
        assert!(out >= planes * self.stride, "room for all masks");
        assert!(
            planes == 0 || self.start.len() > (self.planes.end - 1) * self.start_stride,
            "a start for every plane"
        );
    }
}

/// Adds the leaf of some planes to the sums of one customer with all promotions.
pub(crate) struct Add<'a> {
    /// Leaves of the planes that are added.
    pub(crate) leaves: &'a [[i32; PLANE_LEAVES]],
    /// Whether the planes are of one tree, which adds only the first leaf left, or each of a tree of its own.
    pub(crate) one_tree: bool,
    /// Masks of promotions: `leaves.len() × stride`.
    pub(crate) promotions: &'a [u32],
    pub(crate) stride: usize,
    /// Masks of groups with the customer's in them: `leaves.len() × groups_stride`.
    pub(crate) groups: &'a [u32],
    pub(crate) groups_stride: usize,
    /// The group of each promotion lane: from 0 on, each as the one before or one more; none when a lane is its
    /// own group.
    pub(crate) group_of: Option<&'a [u32]>,
}

impl Add<'_> {
    /// Every place that a kernel reads or writes is inside its slice.
    fn check(&self, sums: usize) {
        let planes = self.leaves.len();
        assert!(self.stride.is_multiple_of(LANES), "lanes come in blocks");
        assert!(self.promotions.len() >= planes * self.stride, "masks of all promotions");
        assert!(self.groups.len() >= planes * self.groups_stride, "masks of all groups");
        assert!(sums >= self.stride, "a sum for every lane");
        match self.group_of {
            None => assert!(self.groups_stride >= self.stride, "a group for every lane"),
            Some(groups) => {
                // A kernel reads LANES groups from the first of a block on.
                let last = groups[..self.stride].last().map_or(0, |group| *group as usize);
                assert!(last + LANES <= self.groups_stride, "groups behind the last");
            }
        }
    }
}
