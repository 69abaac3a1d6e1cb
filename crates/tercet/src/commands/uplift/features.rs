//! How do the columns of a table become the features of a model?

use std::collections::BTreeSet;

use tercet_models::gbdt::{FeatureSchema, Matrix};
use tercet_types::{Error, Result};

use super::table::{Table, number};

/// The most different texts of a column that is a feature.
const LEVELS_MAX: usize = 250;

/// Learns what the columns hold: a column whose cells are all numbers is one; one that holds none, or is named among
/// the categories, is a category.
///
/// # Errors
/// `T1062` for a column of numbers and texts, `T1063` for one with more different texts than a category may have,
/// `T1069` for a category that is no feature.
pub(super) fn schema_of(
    table: &Table,
    columns: &[String],
    categories: &[String],
) -> Result<FeatureSchema> {
    if let Some(name) = categories.iter().find(|name| !columns.contains(name)) {
        table.cells(name)?;
        return Err(Error::config("T1069", format!("--categories {name}: it is no feature"))
            .hint("name it among the features as well, or leave it out here"));
    }
    let mut schema = FeatureSchema::default();
    for name in columns {
        let cells = table.cells(name)?;
        if !categories.contains(name) && is_number(table, name, &cells)? {
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

/// True when all cells are numbers, false when none is.
fn is_number(table: &Table, name: &str, cells: &[Option<String>]) -> Result<bool> {
    let told = || cells.iter().enumerate().filter_map(|(row, cell)| Some((row, cell.as_ref()?)));
    let numbers = told().filter(|(_, cell)| number(cell).is_some()).count();
    let texts = told().count() - numbers;
    let Some((row, cell)) = told().find(|(_, cell)| number(cell).is_none()) else {
        return Ok(true);
    };
    if numbers == 0 {
        return Ok(false);
    }
    Err(Error::data(
        "T1062",
        format!(
            "column '{name}': row {} holds '{cell}', which is no number; {texts} rows hold texts and {numbers} numbers",
            table.row(row)
        ),
    )
    .hint(format!(
        "mend the cells, and leave those empty of which nothing is known; or say --categories {name}"
    )))
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
                        format!(
                            "column '{name}': row {} holds {cell}, not a number",
                            table.row(row)
                        ),
                    )
                    .hint("it held numbers alone in the trial; mend the table")
                })? as f32),
            };
            values[row * columns + column] = value.unwrap_or(f32::NAN);
        }
    }
    Matrix::new(rows, columns, values)
}
