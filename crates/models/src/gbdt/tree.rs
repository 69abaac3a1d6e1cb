//! How is one regression tree stored, checked and walked?

use serde::{Deserialize, Serialize};

/// Marks a node that splits on a number, not on a set of levels.
const NO_SET: i32 = -1;

/// One tree as parallel arrays, one entry per node; node 0 is the root.
///
/// Children follow their parent and stand side by side (`right = left + 1`), so that a tree read
/// from a file is known to end. A leaf has `left = 0`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// The column tested; 0 for a leaf.
    pub feature: Vec<u32>,
    /// A number goes left when it is below this; 0 for leaves and categorical nodes.
    pub threshold: Vec<f32>,
    /// Where a missing value goes.
    pub default_left: Vec<bool>,
    /// For a categorical node the index into `level_sets`, else −1.
    pub level_set: Vec<i32>,
    /// The left child; 0 for a leaf.
    pub left: Vec<u32>,
    /// The right child; 0 for a leaf.
    pub right: Vec<u32>,
    /// The leaf's addition to the margin, learning rate included; 0 for inner nodes.
    pub value: Vec<f32>,
    /// The sum of second derivatives of the training rows that reached the node.
    pub cover: Vec<f32>,
    /// The loss reduction of the split; 0 for a leaf.
    pub gain: Vec<f32>,
    /// Bit sets of the levels that go left (bit `l % 32` of word `l / 32`).
    pub level_sets: Vec<Vec<u32>>,
}

impl Tree {
    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The number of leaves.
    pub fn leaves(&self) -> usize {
        self.left.iter().filter(|left| **left == 0).count()
    }

    /// Copies the trainer's tree, renumbered breadth first.
    pub(crate) fn from_hessboost(source: &hessboost::tree::RegTree, weight: f32) -> Self {
        let mut tree = Self::default();
        let mut queue = std::collections::VecDeque::from([0_usize]);
        let mut numbered = 1_u32;
        while let Some(id) = queue.pop_front() {
            let node = source.node(id);
            let leaf = node.is_leaf();
            let mut set = NO_SET;
            if !leaf && node.is_categorical {
                set = i32::try_from(tree.level_sets.len()).unwrap_or(NO_SET);
                tree.level_sets.push(bits(source.split_categories(id)));
            }
            tree.feature.push(if leaf { 0 } else { node.split_feature });
            tree.threshold.push(if leaf || node.is_categorical { 0.0 } else { node.split_cond });
            tree.default_left.push(!leaf && node.default_left);
            tree.level_set.push(set);
            tree.left.push(if leaf { 0 } else { numbered });
            tree.right.push(if leaf { 0 } else { numbered + 1 });
            tree.value.push(if leaf { node.leaf_value * weight } else { 0.0 });
            tree.cover.push(node.sum_hess);
            tree.gain.push(if leaf { 0.0 } else { node.split_gain });
            if !leaf {
                // Child links of an inner node are never negative.
                queue.extend([
                    node.left.unsigned_abs() as usize,
                    node.right.unsigned_abs() as usize,
                ]);
                numbered += 2;
            }
        }
        tree
    }

    /// Whether every walk over `columns` features ends inside the arrays; says what is wrong.
    pub(crate) fn validate(&self, columns: usize) -> Result<(), String> {
        let nodes = self.len();
        let lengths = [
            self.feature.len(),
            self.threshold.len(),
            self.default_left.len(),
            self.level_set.len(),
            self.right.len(),
            self.value.len(),
            self.cover.len(),
            self.gain.len(),
        ];
        if nodes == 0 || lengths.iter().any(|length| *length != nodes) {
            return Err(format!("its node arrays have different lengths, or none ({nodes})"));
        }
        for node in 0..nodes {
            let (left, right) = (self.left[node] as usize, self.right[node] as usize);
            let numbers =
                [self.threshold[node], self.value[node], self.cover[node], self.gain[node]];
            if numbers.iter().any(|number| !number.is_finite()) {
                return Err(format!("node {node} holds a number that is not finite"));
            }
            if left == 0 && right == 0 {
                continue;
            }
            if left <= node || right != left + 1 || right >= nodes {
                return Err(format!("node {node} has the children {left} and {right} of {nodes}"));
            }
            if self.feature[node] as usize >= columns {
                return Err(format!(
                    "node {node} tests column {} of {columns}",
                    self.feature[node]
                ));
            }
            if self.level_set[node] >= i32::try_from(self.level_sets.len()).unwrap_or(i32::MAX) {
                return Err(format!("node {node} names a level set that is not there"));
            }
        }
        Ok(())
    }
}

fn bits(levels: &[u32]) -> Vec<u32> {
    let words = levels.iter().max().map_or(0, |most| *most as usize / 32 + 1);
    let mut set = vec![0_u32; words];
    for level in levels {
        set[*level as usize / 32] |= 1 << (level % 32);
    }
    set
}

const DEFAULT_LEFT: u32 = 1;
const CATEGORICAL: u32 = 2;

/// The walking form: 16 bytes a node, so that a tree of 31 leaves stays in the first-level cache.
#[derive(Clone, Copy, Debug)]
struct Step {
    feature: u32,
    /// The threshold, or the value of a leaf.
    number: f32,
    /// The left child; 0 for a leaf.
    left: u32,
    /// `DEFAULT_LEFT`, `CATEGORICAL` and, above two bits, the level set.
    flags: u32,
}

/// Rows that descend one tree side by side, so that the loads of one hide those of the others.
const LANES: usize = 8;

/// A checked tree, ready to be walked.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    steps: Vec<Step>,
    level_sets: Vec<Vec<u32>>,
    /// The steps from the root to the deepest leaf.
    depth: usize,
}

impl Walk {
    /// `tree` must have passed [`Tree::validate`].
    pub(crate) fn new(tree: &Tree) -> Self {
        let step = |node: usize| {
            let leaf = tree.left[node] == 0;
            let set = u32::try_from(tree.level_set[node]).ok();
            Step {
                feature: tree.feature[node],
                number: if leaf { tree.value[node] } else { tree.threshold[node] },
                left: tree.left[node],
                flags: u32::from(tree.default_left[node]) * DEFAULT_LEFT
                    + set.map_or(0, |set| CATEGORICAL + (set << 2)),
            }
        };
        let mut depths = vec![0_usize; tree.len()];
        for node in (0..tree.len()).filter(|node| tree.left[*node] != 0) {
            depths[tree.left[node] as usize] = depths[node] + 1;
            depths[tree.right[node] as usize] = depths[node] + 1;
        }
        Self {
            steps: (0..tree.len()).map(step).collect(),
            level_sets: tree.level_sets.clone(),
            depth: depths.into_iter().max().unwrap_or(0),
        }
    }

    /// Adds the leaf's value of each row of `columns` values to its margin.
    pub(crate) fn add(&self, margins: &mut [f64], values: &[f32], columns: usize) {
        if self.level_sets.is_empty() {
            let (lanes, margins_left) = margins.as_chunks_mut::<LANES>();
            let (blocks, rows_left) = values.split_at(lanes.len() * LANES * columns);
            for (lane, block) in lanes.iter_mut().zip(blocks.chunks_exact(LANES * columns)) {
                self.add_lanes(lane, block, columns);
            }
            self.add_each(margins_left, rows_left, columns);
        } else {
            self.add_each(margins, values, columns);
        }
    }

    fn add_each(&self, margins: &mut [f64], values: &[f32], columns: usize) {
        for (margin, row) in margins.iter_mut().zip(values.chunks_exact(columns)) {
            *margin += f64::from(self.value(row));
        }
    }

    /// A row that has reached its leaf waits there for the others. Numeric trees only.
    #[inline]
    fn add_lanes(&self, margins: &mut [f64; LANES], block: &[f32], columns: usize) {
        let mut at = [0_usize; LANES];
        for _ in 0..self.depth {
            for (lane, at) in at.iter_mut().enumerate() {
                let step = self.steps[*at];
                let value = block[lane * columns + step.feature as usize];
                let left =
                    (value < step.number) | (value.is_nan() & (step.flags & DEFAULT_LEFT != 0));
                let next = step.left as usize + usize::from(!left);
                *at = if step.left == 0 { *at } else { next };
            }
        }
        for (margin, at) in margins.iter_mut().zip(at) {
            *margin += f64::from(self.steps[at].number);
        }
    }

    /// The leaf's value for `row`.
    #[inline]
    pub(crate) fn value(&self, row: &[f32]) -> f32 {
        let mut step = self.steps[0];
        while step.left != 0 {
            step = self.steps[self.next(step, row)];
        }
        step.number
    }

    /// Whether `row` goes left at an inner node.
    pub(crate) fn goes_left(&self, node: usize, row: &[f32]) -> bool {
        self.next(self.steps[node], row) == self.steps[node].left as usize
    }

    #[inline]
    fn next(&self, step: Step, row: &[f32]) -> usize {
        let value = row[step.feature as usize];
        let left = if step.flags & CATEGORICAL == 0 {
            (value < step.number) | (value.is_nan() & (step.flags & DEFAULT_LEFT != 0))
        } else if value.is_nan() {
            step.flags & DEFAULT_LEFT != 0
        } else {
            // A negative or fractional level saturates or truncates, as in training.
            let level = value as u32 as usize;
            let set = &self.level_sets[(step.flags >> 2) as usize];
            set.get(level / 32).is_some_and(|word| word & (1 << (level % 32)) != 0)
        };
        step.left as usize + usize::from(!left)
    }
}
