//! Which features moved the predictions, and this one?

use tercet_types::Result;

use super::{Ensemble, Tree};

impl Ensemble {
    /// Each feature's share of the total loss reduction of all splits, in schema order; sums to 1,
    /// or all 0 when no tree splits.
    pub fn importances(&self) -> Vec<(String, f64)> {
        let mut gains = vec![0.0_f64; self.schema.len()];
        for tree in &self.trees {
            for node in (0..tree.len()).filter(|node| tree.left[*node] != 0) {
                gains[tree.feature[node] as usize] += f64::from(tree.gain[node]);
            }
        }
        let total: f64 = gains.iter().sum();
        let share = |gain: f64| if total > 0.0 { gain / total } else { 0.0 };
        self.schema.names.iter().cloned().zip(gains.into_iter().map(share)).collect()
    }

    /// What each feature added to the margin of one row, in schema order.
    ///
    /// Every step of the path from root to leaf credits the change of the mean margin to the
    /// feature tested: the sum equals `margin − expected_margin()`. Cheap and good for reasons;
    /// it favours features near the leaves, unlike Shapley values.
    /// Source: Saabas, "Interpreting random forests", 2014; Palczewska et al., "Interpreting random
    /// forest classification models using a feature contribution method", 2014,
    /// doi:10.1007/978-3-319-04717-1_9.
    ///
    /// # Errors
    /// `T0401` when `row` has another length than the schema.
    pub fn contributions(&self, row: &[f32]) -> Result<Vec<f64>> {
        self.check_columns(row.len())?;
        let mut features = vec![0.0; self.schema.len()];
        for (walk, means) in self.walks.iter().zip(&self.node_means) {
            walk.path(row, |feature, parent, child| {
                features[feature] += means[child] - means[parent]
            });
        }
        Ok(features)
    }

    /// The mean margin of the training rows: the base that contributions add to.
    pub fn expected_margin(&self) -> f64 {
        self.base_margin() + self.node_means.iter().map(|means| means[0]).sum::<f64>()
    }
}

/// The cover-weighted mean leaf value below each node; children stand after their parent.
pub(crate) fn node_means(tree: &Tree) -> Vec<f64> {
    let mut means = vec![0.0; tree.len()];
    for node in (0..tree.len()).rev() {
        let (left, right) = (tree.left[node] as usize, tree.right[node] as usize);
        means[node] = if left == 0 {
            f64::from(tree.value[node])
        } else {
            let (a, b) =
                (f64::from(tree.cover[left]).max(0.0), f64::from(tree.cover[right]).max(0.0));
            let share = if a + b > 0.0 { a / (a + b) } else { 0.5 };
            share * means[left] + (1.0 - share) * means[right]
        };
    }
    means
}
