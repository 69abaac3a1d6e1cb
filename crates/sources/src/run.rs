//! In which order are tables read, checked and prepared?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame, InputFile};
use tercet_types::{Date, Error, Result};

use crate::{Health, Sources};

/// The names of the checks, as the configuration and the report use them.
pub const CHECKS: &[&str] = &[
    "type", "not_null", "id_length", "range", "zero_quantity", "key", "reference", "eligible",
    "future", "freshness", "empty",
];

/// What [`load`] leaves behind, beside the eight canonical tables in the engine.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The health of the input.
    pub health: Health,
    /// Rows that failed: `table, check, reason, source_file, source_row, raw` (all text but the row).
    pub quarantine: Frame,
    /// The files that were read, sorted by path.
    pub input_files: Vec<InputFile>,
    /// Columns per source label, to be handed in as [`Sources::previous_columns`] next time.
    pub columns_seen: BTreeMap<String, Vec<String>>,
}

/// Checks all sources and says how healthy they are; stops are told in the health, not as an error.
pub fn check(_engine: &Engine, _sources: &Sources, _as_of: Date) -> Result<Health> {
    Err(Error::internal("T0200", "not built yet"))
}

/// Reads, checks and prepares all sources and registers the eight canonical tables.
pub fn load(_engine: &Engine, _sources: &Sources, _as_of: Date) -> Result<Loaded> {
    Err(Error::internal("T0200", "not built yet"))
}
