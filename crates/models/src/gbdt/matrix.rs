//! Which rows of features go into a model?

use std::sync::{Arc, OnceLock};

use hessboost::data::DMatrix;
use hessboost::error::HessboostError;
use tercet_types::{Error, Result};

/// Feature rows: `rows × columns` values, row-major, `NaN` = missing.
///
/// A categorical cell holds the index of its level in the schema (0, 1, 2 …); a level that the
/// schema does not list is missing.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Arc<Vec<f32>>,
    /// The library's view of the values: models that are trained on the same rows share their bins.
    shared: OnceLock<DMatrix>,
}

impl PartialEq for Matrix {
    fn eq(&self, other: &Self) -> bool {
        (self.rows, self.columns, &self.values) == (other.rows, other.columns, &other.values)
    }
}

impl Matrix {
    /// Wraps `values` (length `rows * columns`, row-major).
    ///
    /// # Errors
    /// `T0403` when the length differs or a value is infinite (named by row and column).
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Result<Self> {
        if rows.checked_mul(columns) != Some(values.len()) {
            return Err(Error::data(
                "T0403",
                format!(
                    "feature matrix: {} values for {rows} rows x {columns} columns",
                    values.len()
                ),
            ));
        }
        if let Some(at) = values.iter().position(|value| value.is_infinite()) {
            return Err(Error::data(
                "T0403",
                format!(
                    "feature matrix: infinite value in row {}, column {}",
                    at / columns,
                    at % columns
                ),
            )
            .hint("write a missing value as NaN and bound ratios before they reach the model"));
        }
        Ok(Self::of(rows, columns, values))
    }

    fn of(rows: usize, columns: usize, values: Vec<f32>) -> Self {
        Self { rows, columns, values: Arc::new(values), shared: OnceLock::new() }
    }

    /// The library's matrix of these values, which are not copied.
    pub(super) fn shared(&self) -> std::result::Result<DMatrix, HessboostError> {
        if let Some(shared) = self.shared.get() {
            return Ok(shared.clone());
        }
        let values: Arc<dyn AsRef<[f32]> + Send + Sync> = Arc::<Vec<f32>>::clone(&self.values);
        let shared = DMatrix::from_dense_shared(values, self.rows, self.columns, f32::NAN)?;
        Ok(self.shared.get_or_init(|| shared).clone())
    }

    /// The number of rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The number of features.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Some rows, in the order asked for. Panics when there is no such row, as a slice does.
    pub fn only(&self, rows: &[usize]) -> Self {
        let mut values = Vec::with_capacity(rows.len() * self.columns);
        rows.iter().for_each(|row| values.extend_from_slice(self.row(*row)));
        Self::of(rows.len(), self.columns, values)
    }

    /// The same with one more column behind the others; its values are finite or `NaN`.
    pub(crate) fn with(&self, value: impl Fn(usize) -> f32) -> Self {
        let mut values = Vec::with_capacity(self.rows * (self.columns + 1));
        for row in 0..self.rows {
            values.extend_from_slice(self.row(row));
            values.push(value(row));
        }
        Self::of(self.rows, self.columns + 1, values)
    }

    /// One row, `columns` long. Panics when `row >= rows`, as a slice does.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_names_what_is_wrong_with_it() {
        let check = |rows, columns, values: Vec<f32>, expect: &str| {
            assert_eq!(Matrix::new(rows, columns, values).unwrap_err().to_string(), expect);
        };
        check(2, 2, vec![0.0; 3], "feature matrix: 3 values for 2 rows x 2 columns");
        check(
            2,
            2,
            vec![0.0, 1.0, f32::NAN, f32::INFINITY],
            "feature matrix: infinite value in row 1, column 1",
        );
        let matrix = Matrix::new(2, 1, vec![1.0, 2.0]).unwrap();
        assert_eq!(matrix.row(1), [2.0]);
        assert_eq!(matrix.only(&[1, 0, 1]).values(), [2.0, 1.0, 2.0]);
        assert_eq!(matrix.with(|row| row as f32).values(), [1.0, 0.0, 2.0, 1.0]);
    }
}
