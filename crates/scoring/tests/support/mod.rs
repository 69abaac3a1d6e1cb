//! How does a test make a tree?

use tercet_scoring::quickscorer::TreeView;

/// A tree that owns its nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) feature: Vec<u32>,
    pub(crate) threshold: Vec<f32>,
    pub(crate) default_left: Vec<bool>,
    pub(crate) level_set: Vec<i32>,
    pub(crate) left: Vec<u32>,
    pub(crate) right: Vec<u32>,
    pub(crate) value: Vec<f32>,
    pub(crate) level_sets: Vec<Vec<u32>>,
}

/// What a split is made of: which leaf is split, feature, threshold, default, levels.
pub(crate) type Split = (usize, u32, f32, bool, Option<u32>);

impl Tree {
    /// Splits one leaf after the other; `value(leaf)` is asked in order of creation.
    pub(crate) fn grown(
        splits: impl IntoIterator<Item = Split>,
        mut value: impl FnMut(usize) -> f32,
    ) -> Self {
        let mut tree = Self::default();
        tree.push_leaf();
        let mut leaves = vec![0];
        for (which, feature, threshold, default_left, levels) in splits {
            let node = leaves.swap_remove(which % leaves.len());
            tree.feature[node] = feature;
            tree.threshold[node] = threshold;
            tree.default_left[node] = default_left;
            if let Some(levels) = levels {
                tree.level_set[node] = tree.level_sets.len() as i32;
                tree.level_sets.push(vec![levels]);
            }
            // The right child may stand before the left one.
            let (one, other) = (tree.push_leaf(), tree.push_leaf());
            let (left, right) = if default_left { (one, other) } else { (other, one) };
            (tree.left[node], tree.right[node]) = (left as u32, right as u32);
            leaves.extend([left, right]);
        }
        for (number, leaf) in leaves.into_iter().enumerate() {
            tree.value[leaf] = value(number);
        }
        tree
    }

    fn push_leaf(&mut self) -> usize {
        self.feature.push(0);
        self.threshold.push(0.0);
        self.default_left.push(false);
        self.level_set.push(-1);
        self.left.push(0);
        self.right.push(0);
        self.value.push(0.0);
        self.left.len() - 1
    }

    pub(crate) fn view(&self) -> TreeView<'_> {
        TreeView {
            feature: &self.feature,
            threshold: &self.threshold,
            default_left: &self.default_left,
            level_set: &self.level_set,
            left: &self.left,
            right: &self.right,
            value: &self.value,
            level_sets: &self.level_sets,
        }
    }

    /// The leaf's value of a row; written apart from the scorer's own walk.
    pub(crate) fn leaf_value(&self, row: impl Fn(usize) -> f32) -> f32 {
        let mut node = 0_usize;
        loop {
            if self.left[node] == 0 {
                return self.value[node];
            }
            let value = row(self.feature[node] as usize);
            let goes_left = if value.is_nan() {
                self.default_left[node]
            } else if self.level_set[node] >= 0 {
                let level = value.max(0.0).min(u32::MAX as f32) as u64;
                level < 32 && self.level_sets[self.level_set[node] as usize][0] >> level & 1 == 1
            } else {
                value < self.threshold[node]
            };
            node = if goes_left { self.left[node] as usize } else { self.right[node] as usize };
        }
    }
}
