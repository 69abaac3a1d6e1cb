//! What do the ensembles say of every pair?

use tercet_features::{PAIR_FEATURES, Pairs};
use tercet_models::gbdt::{Ensemble, FeatureSchema, Matrix, Tree};
use tercet_scoring::quickscorer::{Dense, Kernel, Place, Scorer, TreeView};
use tercet_types::Result;

/// Pairs whose columns have been told apart: once for all ensembles.
pub(super) enum Rows<'a> {
    /// All customers with all promotions: scored by masks.
    Full(Dense<'a>, Vec<Place>),
    /// Any other pairs: walked row by row.
    Loose(Matrix),
}

impl<'a> Rows<'a> {
    /// The rows of `pairs`.
    pub(super) fn of(pairs: &'a Pairs) -> Result<Self> {
        let columns = PAIR_FEATURES.len();
        match Dense::of(&pairs.customer_ix, &pairs.promotion_ix, &pairs.values, columns) {
            Some(dense) => Ok(Self::Full(dense, dense.places())),
            None => Ok(Self::Loose(Matrix::new(pairs.rows(), columns, pairs.values.clone())?)),
        }
    }

    /// Predictions of all rows, refused when the ensemble was trained on other features than `schema`.
    pub(super) fn predict(&self, ensemble: &Ensemble, schema: &FeatureSchema) -> Result<Vec<f64>> {
        match self {
            Self::Loose(matrix) => ensemble.predict_with_schema(matrix, schema),
            Self::Full(dense, places) => {
                ensemble.schema().check_same(schema)?;
                let trees: Vec<TreeView<'_>> = ensemble.trees().iter().map(view).collect();
                let scorer = Scorer::new(&trees, ensemble.base_margin(), places)?;
                let mut margins = dense.margins(Kernel::best(), &scorer)?;
                let objective = ensemble.objective();
                margins.iter_mut().for_each(|margin| *margin = objective.link(*margin));
                Ok(margins)
            }
        }
    }
}

fn view(tree: &Tree) -> TreeView<'_> {
    TreeView {
        feature: &tree.feature,
        threshold: &tree.threshold,
        default_left: &tree.default_left,
        level_set: &tree.level_set,
        left: &tree.left,
        right: &tree.right,
        value: &tree.value,
        level_sets: &tree.level_sets,
    }
}

#[cfg(test)]
mod tests {
    use tercet_models::gbdt::Objective;

    use super::*;

    /// A tree that splits `depth` times on column after column, and its rightmost leaf again.
    fn tree(seed: usize, depth: usize) -> Tree {
        let mut tree = Tree::default();
        for node in 0..=2 * depth {
            let inner = node.is_multiple_of(2) && node < 2 * depth;
            tree.feature.push(if inner { ((seed + node) % PAIR_FEATURES.len()) as u32 } else { 0 });
            tree.threshold.push(if inner { (seed % 5) as f32 } else { 0.0 });
            tree.default_left.push(inner && (seed + node).is_multiple_of(3));
            tree.level_set.push(-1);
            tree.left.push(if inner { node as u32 + 1 } else { 0 });
            tree.right.push(if inner { node as u32 + 2 } else { 0 });
            tree.value.push(if inner { 0.0 } else { 0.01 * (seed + node) as f32 - 0.2 });
            tree.cover.push(1.0);
            tree.gain.push(0.0);
        }
        tree
    }

    #[test]
    fn masks_and_walk_agree() {
        let names = PAIR_FEATURES.iter().map(|feature| feature.name);
        let schema = FeatureSchema::numeric(names);
        let trees = (0..40).map(|seed| tree(seed, 1 + seed)).collect();
        let ensemble = Ensemble::new(schema.clone(), Objective::Logistic, -1.0, trees).unwrap();
        let (customers, promotions) = (37, 19);
        let mut pairs = Pairs::default();
        for customer in 0..customers {
            for promotion in 0..promotions {
                pairs.customer_ix.push(customer);
                pairs.promotion_ix.push(promotion);
                pairs.values.extend((0..PAIR_FEATURES.len() as i32).map(|column| {
                    let key = match column % 3 {
                        0 => customer,
                        1 => promotion,
                        _ => customer * promotions + promotion,
                    };
                    let draw = (key * 7 + column * 5) % 11;
                    if draw == 3 { f32::NAN } else { draw as f32 * 0.5 }
                }));
            }
        }
        let full = Rows::of(&pairs).unwrap();
        assert!(matches!(full, Rows::Full(..)));
        let matrix = Matrix::new(pairs.rows(), PAIR_FEATURES.len(), pairs.values.clone()).unwrap();
        let walked = ensemble.predict(&matrix).unwrap();
        let masked = full.predict(&ensemble, &schema).unwrap();
        assert_eq!(masked.len(), walked.len());
        for (masked, walked) in masked.iter().zip(&walked) {
            assert!((masked - walked).abs() <= 1e-6 * walked, "{masked} {walked}");
        }
        assert!(full.predict(&ensemble, &FeatureSchema::numeric(["other"])).is_err());
        // Without its last row the matrix is not full, and is walked.
        pairs.customer_ix.pop();
        pairs.promotion_ix.pop();
        pairs.values.truncate(pairs.customer_ix.len() * PAIR_FEATURES.len());
        let loose = Rows::of(&pairs).unwrap();
        assert!(matches!(loose, Rows::Loose(_)));
        assert_eq!(loose.predict(&ensemble, &schema).unwrap(), walked[..walked.len() - 1]);
    }
}
