//! What does the ensemble predict?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::{FeatureSchema, Matrix, Objective, Tree};
use crate::gbdt::tree::Walk;

/// Rows walked through one tree before the next tree is read.
const ROWS_PER_BLOCK: usize = 128;

/// A trained ensemble in our own neutral form: prediction = link(base + sum of one leaf per tree).
///
/// Margins are summed in `f64` in tree order; the same bits on any number of threads.
#[derive(Clone, Debug)]
pub struct Ensemble {
    pub(crate) schema: FeatureSchema,
    pub(crate) objective: Objective,
    /// The margin before the first tree.
    pub(crate) base_margin: f32,
    pub(crate) trees: Vec<Tree>,
    pub(crate) walks: Vec<Walk>,
}

impl PartialEq for Ensemble {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.objective == other.objective
            && self.base_margin.to_bits() == other.base_margin.to_bits()
            && self.trees == other.trees
    }
}

impl Ensemble {
    /// Puts checked parts together.
    ///
    /// # Errors
    /// `T0402` naming the first tree and node that could not be walked.
    pub fn new(
        schema: FeatureSchema,
        objective: Objective,
        base_margin: f32,
        trees: Vec<Tree>,
    ) -> Result<Self> {
        schema.validate()?;
        if !base_margin.is_finite() {
            return Err(Error::data("T0402", "model: the base margin is not finite"));
        }
        for (number, tree) in trees.iter().enumerate() {
            tree.validate(schema.len())
                .map_err(|wrong| Error::data("T0402", format!("model: tree {number}: {wrong}")))?;
        }
        let walks = trees.iter().map(Walk::new).collect();
        Ok(Self { schema, objective, base_margin, trees, walks })
    }

    /// Predictions, one per row, on the scale of the labels (after the link).
    ///
    /// # Errors
    /// `T0401` when the number of columns differs from the schema's.
    pub fn predict(&self, matrix: &Matrix) -> Result<Vec<f64>> {
        let mut margins = self.predict_margin(matrix)?;
        margins.iter_mut().for_each(|margin| *margin = self.objective.link(*margin));
        Ok(margins)
    }

    /// Predictions for a matrix whose schema is known, refused when it is not the trained one.
    ///
    /// # Errors
    /// `T0401` naming the first difference.
    pub fn predict_with_schema(&self, matrix: &Matrix, schema: &FeatureSchema) -> Result<Vec<f64>> {
        self.schema.check_same(schema)?;
        self.predict(matrix)
    }

    /// Margins (before the link), one per row.
    ///
    /// # Errors
    /// `T0401` when the number of columns differs from the schema's.
    pub fn predict_margin(&self, matrix: &Matrix) -> Result<Vec<f64>> {
        self.check_columns(matrix.columns())?;
        let columns = matrix.columns();
        let mut margins = vec![f64::from(self.base_margin); matrix.rows()];
        if columns == 0 {
            let constant: f64 = self.walks.iter().map(|walk| f64::from(walk.value(&[]))).sum();
            margins.iter_mut().for_each(|margin| *margin += constant);
            return Ok(margins);
        }
        margins
            .par_chunks_mut(ROWS_PER_BLOCK)
            .zip(matrix.values().par_chunks(ROWS_PER_BLOCK * columns))
            .for_each(|(margins, values)| {
                self.walks.iter().for_each(|walk| walk.add(margins, values, columns));
            });
        Ok(margins)
    }

    /// The features the ensemble was trained on.
    pub const fn schema(&self) -> &FeatureSchema {
        &self.schema
    }

    /// The loss it was trained with, which names the link.
    pub const fn objective(&self) -> Objective {
        self.objective
    }

    /// The margin before the first tree.
    pub fn base_margin(&self) -> f64 {
        f64::from(self.base_margin)
    }

    /// The trees, one per kept round.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The number of rounds that were kept.
    pub fn rounds(&self) -> usize {
        self.trees.len()
    }

    pub(crate) fn check_columns(&self, columns: usize) -> Result<()> {
        if columns == self.schema.len() {
            return Ok(());
        }
        Err(Error::data(
            "T0401",
            format!(
                "feature matrix has {columns} columns, the model expects {}",
                self.schema.len()
            ),
        )
        .hint("train the model again, or score with the features it was trained on"))
    }
}
