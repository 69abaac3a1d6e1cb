//! Which rows lie at or after the as-of date?

use tercet_types::tables::Column;

/// The check's name.
pub(crate) const FUTURE: &str = "future";

/// SQL that is true for rows that are not known yet on `$as_of`: the day itself has not begun.
pub(crate) fn condition(column: &Column) -> String {
    format!("\"{}\" >= $as_of", column.name)
}
