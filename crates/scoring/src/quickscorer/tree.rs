//! What is a tree to the scorer, and in which leaf does a row end?

/// One regression tree as parallel arrays, one entry per node; node 0 is the root.
///
/// Children stand after their parent. A leaf has `left = 0`.
#[derive(Clone, Copy, Debug)]
pub struct TreeView<'a> {
    /// The feature tested: a place in the list given to the scorer. Not read for leaves.
    pub feature: &'a [u32],
    /// A number goes left when it is below this. Not read for leaves and categorical nodes.
    pub threshold: &'a [f32],
    /// Where a missing value (NaN) goes.
    pub default_left: &'a [bool],
    /// For a categorical node the index into `level_sets`, else negative.
    pub level_set: &'a [i32],
    /// The left child; 0 for a leaf.
    pub left: &'a [u32],
    /// The right child; 0 for a leaf.
    pub right: &'a [u32],
    /// The leaf's addition to the margin. Not read for inner nodes.
    pub value: &'a [f32],
    /// Bit sets of the levels that go left (bit `l % 32` of word `l / 32`).
    pub level_sets: &'a [Vec<u32>],
}

impl TreeView<'_> {
    /// The number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.left.len()
    }

    pub(crate) fn is_leaf(&self, node: usize) -> bool {
        self.left[node] == 0
    }

    /// Whether every walk ends in a leaf of its own; says what is wrong.
    pub(crate) fn validate(&self, features: usize) -> Result<(), String> {
        let nodes = self.len();
        let lengths = [
            self.feature.len(),
            self.threshold.len(),
            self.default_left.len(),
            self.level_set.len(),
            self.right.len(),
            self.value.len(),
        ];
        if nodes == 0 || lengths.iter().any(|length| *length != nodes) {
            return Err(format!("its node arrays have different lengths, or none ({nodes})"));
        }
        let mut has_parent = vec![false; nodes];
        for node in 0..nodes {
            let (left, right) = (self.left[node] as usize, self.right[node] as usize);
            if left == 0 && right == 0 {
                if !self.value[node].is_finite() {
                    return Err(format!("leaf {node} is not finite"));
                }
                continue;
            }
            if left <= node || right <= node || left == right || left.max(right) >= nodes {
                return Err(format!("node {node} has the children {left} and {right} of {nodes}"));
            }
            if self.feature[node] as usize >= features {
                return Err(format!(
                    "node {node} tests feature {} of {features}",
                    self.feature[node]
                ));
            }
            if self.threshold[node].is_nan() {
                return Err(format!("node {node} has no threshold"));
            }
            if usize::try_from(self.level_set[node]).is_ok_and(|set| set >= self.level_sets.len()) {
                return Err(format!("node {node} names a level set that is not there"));
            }
            for child in [left, right] {
                if std::mem::replace(&mut has_parent[child], true) {
                    return Err(format!("node {child} has two parents"));
                }
            }
        }
        Ok(())
    }

    /// Per node the leaves below it, as `(first, number)` in order from left to right.
    pub(crate) fn leaf_ranges(&self) -> Vec<(usize, usize)> {
        let mut ranges = vec![(0, 1); self.len()];
        // Children stand after their parent: counts go up from the last node, places down from the first.
        for node in (0..self.len()).rev().filter(|node| !self.is_leaf(*node)) {
            ranges[node].1 =
                ranges[self.left[node] as usize].1 + ranges[self.right[node] as usize].1;
        }
        for node in (0..self.len()).filter(|node| !self.is_leaf(*node)) {
            let (left, right) = (self.left[node] as usize, self.right[node] as usize);
            ranges[left].0 = ranges[node].0;
            ranges[right].0 = ranges[node].0 + ranges[left].1;
        }
        ranges
    }

    /// The leaf of a row whose features `value` gives: node after node.
    pub(crate) fn walk(&self, value: impl Fn(usize) -> f32) -> usize {
        let mut node = 0;
        while !self.is_leaf(node) {
            let value = value(self.feature[node] as usize);
            let left = match usize::try_from(self.level_set[node]) {
                _ if value.is_nan() => self.default_left[node],
                Err(_) => value < self.threshold[node],
                Ok(set) => {
                    // A negative or fractional level saturates or truncates, as in training.
                    let level = value as u32 as usize;
                    let word = self.level_sets[set].get(level / 32);
                    word.is_some_and(|word| word & (1 << (level % 32)) != 0)
                }
            };
            node = if left { self.left[node] } else { self.right[node] } as usize;
        }
        node
    }
}

/// A tree that is walked for every pair: it splits on a set of levels, or has too many leaves for masks.
#[derive(Clone, Debug)]
pub(crate) struct Walked {
    feature: Vec<u32>,
    threshold: Vec<f32>,
    default_left: Vec<bool>,
    level_set: Vec<i32>,
    left: Vec<u32>,
    right: Vec<u32>,
    level_sets: Vec<Vec<u32>>,
    /// Fixed-point value of each leaf.
    leaves: Vec<i32>,
}

impl Walked {
    pub(crate) fn new(tree: &TreeView<'_>, fixed: impl Fn(f32) -> i32) -> Self {
        let leaf = |node: usize| if tree.is_leaf(node) { fixed(tree.value[node]) } else { 0 };
        Self {
            feature: tree.feature.to_vec(),
            threshold: tree.threshold.to_vec(),
            default_left: tree.default_left.to_vec(),
            level_set: tree.level_set.to_vec(),
            left: tree.left.to_vec(),
            right: tree.right.to_vec(),
            level_sets: tree.level_sets.to_vec(),
            leaves: (0..tree.len()).map(leaf).collect(),
        }
    }

    /// The fixed-point value of the leaf of a row.
    pub(crate) fn leaf(&self, value: impl Fn(usize) -> f32) -> i32 {
        let view = TreeView {
            feature: &self.feature,
            threshold: &self.threshold,
            default_left: &self.default_left,
            level_set: &self.level_set,
            left: &self.left,
            right: &self.right,
            value: &[],
            level_sets: &self.level_sets,
        };
        self.leaves[view.walk(value)]
    }
}
