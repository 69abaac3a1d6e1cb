//! Is there anything in the table?

/// Why the table counts as empty, when it does.
pub(crate) fn empty(rows_in: u64, rows_left: u64) -> Option<String> {
    match (rows_in, rows_left) {
        (0, _) => Some("the table is empty".to_owned()),
        (read, 0) => Some(format!("none of {read} rows is left")),
        _ => None,
    }
}
