//! How do rows leave the simulator?

/// One column of values, as narrow as it can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Integers.
    Int(Vec<i64>),
    /// Integers, where some are not known.
    IntOrNull(Vec<Option<i64>>),
    /// Doubles.
    Real(Vec<f64>),
    /// Truth values.
    Flag(Vec<bool>),
    /// Days since 1970-01-01.
    Day(Vec<i32>),
    /// Days since 1970-01-01, where some are not known.
    DayOrNull(Vec<Option<i32>>),
    /// Microseconds since 1970-01-01 00:00.
    Instant(Vec<i64>),
    /// Words of a short list, by place in it.
    Word(Vec<u8>, &'static [&'static str]),
    /// Text.
    Text(Vec<String>),
}

impl Column {
    /// Rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Int(values) | Self::Instant(values) => values.len(),
            Self::IntOrNull(values) => values.len(),
            Self::Real(values) => values.len(),
            Self::Flag(values) => values.len(),
            Self::Day(values) => values.len(),
            Self::DayOrNull(values) => values.len(),
            Self::Word(values, _) => values.len(),
            Self::Text(values) => values.len(),
        }
    }
}

/// Rows of one table: named columns of equal length.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The table's name: one of the canonical tables, or one of the truth.
    pub name: &'static str,
    /// Its columns, in order.
    pub columns: Vec<(&'static str, Column)>,
}

impl Table {
    /// Rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.rows())
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(known, _)| *known == name).map(|(_, column)| column)
    }
}
