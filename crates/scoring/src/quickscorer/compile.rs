//! How does a tree become masks?

use std::ops::Range;

use super::fixed::Scale;
use super::sides::{Place, Side};
use super::tree::{TreeView, Walked};

/// Leaves in one mask: bits of a `u32`, the first leaf in the highest.
pub(crate) const PLANE_LEAVES: usize = 32;

/// The most masks a tree may take; one with more leaves is walked.
pub(crate) const PLANES_MAX: usize = 8;

/// The trees of an ensemble as masks.
///
/// A tree of up to 32 leaves takes one plane, a larger one several, each with the next 32 leaves.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    /// Planes `0..single` are trees of one plane.
    pub(crate) single: usize,
    /// The planes of each larger tree, behind these.
    pub(crate) several: Vec<Range<usize>>,
    /// Fixed-point leaf values of each plane.
    pub(crate) leaves: Vec<[i32; PLANE_LEAVES]>,
    pub(crate) customer: Tests,
    pub(crate) promotion: Tests,
    pub(crate) cross: Tests,
    pub(crate) walked: Vec<Walked>,
}

/// A test that, when it fails, rules out the leaves whose bits are zero in `mask`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Test {
    /// The place of the feature among the columns that the side's tests look at.
    pub(crate) column: u32,
    /// It fails for a number that is not below this.
    pub(crate) threshold: f32,
    pub(crate) mask: u32,
}

/// The tests of one side, plane by plane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tests {
    columns: Vec<u32>,
    all: Vec<Test>,
    /// Per plane where its tests end that a missing value passes, and where all end; the next plane's follow.
    ends: Vec<(usize, usize)>,
}

impl Tests {
    /// The columns that tests look at, ascending.
    pub(crate) fn columns(&self) -> &[u32] {
        &self.columns
    }

    /// The tests of a plane: those that a missing value passes, and those that it fails.
    ///
    /// Every `column` is below `columns().len()`.
    pub(crate) fn of(&self, plane: usize) -> (&[Test], &[Test]) {
        let start = plane.checked_sub(1).map_or(0, |before| self.ends[before].1);
        let (split, end) = self.ends[plane];
        (&self.all[start..split], &self.all[split..end])
    }

    fn push(&mut self, mut passed: Vec<Test>, failed: Vec<Test>) {
        let split = self.all.len() + passed.len();
        passed.extend(failed);
        self.all.extend(passed);
        self.ends.push((split, self.all.len()));
    }

    /// Columns of the rows become places among those that are looked at.
    fn number_columns(&mut self) {
        self.columns = self.all.iter().map(|test| test.column).collect();
        self.columns.sort_unstable();
        self.columns.dedup();
        for test in &mut self.all {
            // Every column was collected above.
            test.column = self.columns.partition_point(|column| *column < test.column) as u32;
        }
    }
}

/// Trees that passed [`TreeView::validate`]; columns of `places` are below 2^32.
pub(crate) fn compile(trees: &[TreeView<'_>], places: &[Place], scale: Scale) -> Compiled {
    let mut compiled = Compiled {
        single: 0,
        several: Vec::new(),
        leaves: Vec::new(),
        customer: Tests::default(),
        promotion: Tests::default(),
        cross: Tests::default(),
        walked: Vec::new(),
    };
    let leaves = |tree: &TreeView<'_>| (0..tree.len()).filter(|node| tree.is_leaf(*node)).count();
    let is_walked = |tree: &TreeView<'_>| {
        leaves(tree) > PLANES_MAX * PLANE_LEAVES
            || (0..tree.len()).any(|node| !tree.is_leaf(node) && tree.level_set[node] >= 0)
    };
    let (walked, masked): (Vec<_>, Vec<_>) = trees.iter().partition(|tree| is_walked(tree));
    let (single, several): (Vec<_>, Vec<_>) =
        masked.into_iter().partition(|tree| leaves(tree) <= PLANE_LEAVES);
    compiled.single = single.len();
    single.into_iter().for_each(|tree| compiled.add(&tree, places, scale));
    for tree in several {
        let start = compiled.leaves.len();
        compiled.add(&tree, places, scale);
        compiled.several.push(start..compiled.leaves.len());
    }
    compiled.walked =
        walked.into_iter().map(|tree| Walked::new(&tree, |value| scale.units(value))).collect();
    for tests in [&mut compiled.customer, &mut compiled.promotion, &mut compiled.cross] {
        tests.number_columns();
    }
    compiled
}

impl Compiled {
    /// The number of planes.
    pub(crate) fn planes(&self) -> usize {
        self.leaves.len()
    }

    fn add(&mut self, tree: &TreeView<'_>, places: &[Place], scale: Scale) {
        let ranges = tree.leaf_ranges();
        for first in (0..ranges[0].1).step_by(PLANE_LEAVES) {
            let mut leaves = [0; PLANE_LEAVES];
            for node in (0..tree.len()).filter(|node| tree.is_leaf(*node)) {
                let at = ranges[node].0.checked_sub(first);
                if let Some(leaf) = at.and_then(|at| leaves.get_mut(at)) {
                    *leaf = scale.units(tree.value[node]);
                }
            }
            self.leaves.push(leaves);
            for (side, tests) in [
                (Side::Customer, &mut self.customer),
                (Side::Promotion, &mut self.promotion),
                (Side::Cross, &mut self.cross),
            ] {
                let mut of_plane = [Vec::new(), Vec::new()];
                for node in (0..tree.len()).filter(|node| !tree.is_leaf(*node)) {
                    let place = places[tree.feature[node] as usize];
                    let mask = !bits(ranges[tree.left[node] as usize], first);
                    if place.side == side && mask != u32::MAX {
                        of_plane[usize::from(!tree.default_left[node])].push(Test {
                            column: place.column as u32,
                            threshold: tree.threshold[node],
                            mask,
                        });
                    }
                }
                let [passed, failed] = of_plane;
                tests.push(passed, failed);
            }
        }
    }
}

/// The bits of `number` leaves from the leaf `start` on, in the plane that begins with the leaf `first`.
fn bits((start, number): (usize, usize), first: usize) -> u32 {
    let from = start.saturating_sub(first).min(PLANE_LEAVES);
    let to = (start + number).saturating_sub(first).min(PLANE_LEAVES);
    // The bits of leaf k and those behind it are `all >> k`.
    let behind = |leaf: usize| u32::MAX.checked_shr(leaf as u32).unwrap_or(0);
    behind(from) & !behind(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_leaf_ranges() {
        let check = |range, first, expect: u32| {
            assert_eq!(bits(range, first), expect, "{range:?} {first}");
        };
        check((0, 1), 0, 1 << 31);
        check((0, 32), 0, u32::MAX);
        check((31, 1), 0, 1);
        check((30, 4), 0, 0b11);
        check((30, 4), 32, 0b11 << 30);
        check((30, 40), 32, u32::MAX);
        check((0, 3), 32, 0);
        check((64, 2), 32, 0);
    }
}
