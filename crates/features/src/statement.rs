//! Which statement makes which table?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame, Value};
use tercet_types::Result;

/// A statement that stands in a file, and the table its result is kept as.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement {
    /// The table.
    pub(crate) table: &'static str,
    /// The text.
    pub(crate) sql: &'static str,
}

/// The statement of `sql/<path>.sql`, kept as `table`.
macro_rules! statement {
    ($table:literal, $path:literal) => {
        $crate::statement::Statement {
            table: $table,
            sql: include_str!(concat!("../sql/", $path, ".sql")),
        }
    };
}
pub(crate) use statement;

/// Runs one statement, keeps its result and returns it.
pub(crate) fn create(
    engine: &Engine,
    statement: &Statement,
    values: &BTreeMap<String, Value>,
) -> Result<Frame> {
    let frame =
        engine.query(statement.sql, values).map_err(|error| error.context(statement.table))?;
    engine.register(statement.table, &frame)?;
    Ok(frame)
}

/// Runs statements in order and keeps their results.
pub(crate) fn create_all(
    engine: &Engine,
    statements: &[Statement],
    values: &BTreeMap<String, Value>,
) -> Result<()> {
    for statement in statements {
        engine.create(statement.table, statement.sql, values)?;
    }
    Ok(())
}

/// A name as SQL quotes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
