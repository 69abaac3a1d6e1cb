//! What does each table between stages look like?
//!
//! One constant per table. `engine` turns them into Arrow schemas, `sources` holds input against
//! them, and the reference pages are written from them.

pub mod assignments;
pub mod decisions;
pub mod outcomes;
pub mod scores;
pub mod sources;

/// The type of a column, as wide as the stages need and no wider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// True or false.
    Bool,
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer; money is minor units.
    I64,
    /// A double.
    F64,
    /// UTF-8 text.
    Text,
    /// A calendar day (Arrow `Date32`).
    Date,
    /// An instant without zone, in the project's time zone, microseconds (Arrow `Timestamp(µs)`).
    Timestamp,
}

impl Type {
    /// The name in error messages and reference pages; also the SQL type to cast to.
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::I32 => "integer",
            Self::I64 => "bigint",
            Self::F64 => "double",
            Self::Text => "varchar",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
        }
    }
}

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The name, unit last.
    pub name: &'static str,
    /// The type.
    pub ty: Type,
    /// True when every row must carry a value (and a source must map it).
    pub required: bool,
    /// What it holds, one sentence.
    pub doc: &'static str,
}

/// A table: its name, its columns in order and its key.
#[derive(Clone, Copy, Debug)]
pub struct TableSchema {
    /// The name of the table and of its Parquet file.
    pub name: &'static str,
    /// One sentence: what one row is.
    pub grain: &'static str,
    /// The columns, in file order.
    pub columns: &'static [Column],
    /// The columns that identify a row and sort the file; empty when rows may repeat.
    pub key: &'static [&'static str],
}

impl TableSchema {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A column that every row must carry.
pub(crate) const fn required(name: &'static str, ty: Type, doc: &'static str) -> Column {
    Column { name, ty, required: true, doc }
}

/// A column that may be null, and that a source need not map.
pub(crate) const fn optional(name: &'static str, ty: Type, doc: &'static str) -> Column {
    Column { name, ty, required: false, doc }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_well_formed() {
        let tables: Vec<&TableSchema> = sources::ALL
            .iter()
            .copied()
            .chain([&scores::SCORES, &decisions::DECISIONS, &decisions::OFFERS])
            .chain([&assignments::ASSIGNMENTS])
            .chain([&outcomes::UNITS, &outcomes::OUTCOMES])
            .collect();
        for table in tables {
            let mut names: Vec<_> = table.columns.iter().map(|c| c.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.columns.len(), "{}: a column twice", table.name);
            for key in table.key {
                assert!(table.column(key).is_some_and(|c| c.required), "{}.{key}", table.name);
            }
            for column in table.columns {
                assert!(column.doc.ends_with('.'), "{}.{}: doc", table.name, column.name);
            }
        }
    }
}
