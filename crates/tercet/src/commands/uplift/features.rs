//! How do the columns of a table become the features of a model?

use std::collections::BTreeSet;

use tercet_models::gbdt::{FeatureSchema, Matrix};
use tercet_types::{Error, Result};

use super::table::{Table, number};

/// The most different texts of a column that is a feature.
const LEVELS_MAX: usize = 250;

/// Learns what the columns hold: a column whose cells are all numbers is one, any other is a category.
///
/// # Errors
/// `T1063` for a column with more different texts than a category may have.
pub(super) fn schema_of(table: &Table, columns: &[String]) -> Result<FeatureSchema> {
    let mut schema = FeatureSchema::default();
    for name in columns {
        let cells = table.cells(name)?;
        if cells.iter().flatten().all(|cell| number(cell).is_some()) {
            schema = schema.with(name, None);
            continue;
        }
        let levels: BTreeSet<String> = cells.into_iter().flatten().collect();
        if levels.len() > LEVELS_MAX {
            return Err(Error::data(
                "T1063",
                format!(
                    "column '{name}' holds {} different texts, at most {LEVELS_MAX} make a category",
                    levels.len()
                ),
            )
            .hint(format!("leave it out with --ignore {name}, or name it with --key if it is the id")));
        }
        schema = schema.with(name, Some(levels.into_iter().collect()));
    }
    Ok(schema)
}

/// The cells of a table under a schema; a category that was never seen is missing.
///
/// # Errors
/// `T1061` when a column is not there, `T1062` when one that held numbers holds something else.
pub(super) fn matrix_of(table: &Table, schema: &FeatureSchema) -> Result<Matrix> {
    let (rows, columns) = (table.rows(), schema.len());
    let mut values = vec![f32::NAN; rows * columns];
    for (column, (name, levels)) in schema.names.iter().zip(&schema.levels).enumerate() {
        for (row, cell) in table.cells(name)?.into_iter().enumerate() {
            let Some(cell) = cell else { continue };
            let value = match levels {
                Some(levels) => levels.binary_search(&cell).ok().map(|level| level as f32),
                None => Some(number(&cell).ok_or_else(|| {
                    Error::data(
                        "T1062",
                        format!("column '{name}': row {} holds {cell}, not a number", row + 1),
                    )
                    .hint("it held numbers alone in the trial; mend the table")
                })? as f32),
            };
            values[row * columns + column] = value.unwrap_or(f32::NAN);
        }
    }
    Matrix::new(rows, columns, values)
}
