//! Which columns are hidden behind a keyed hash, and how?

use tercet_engine::Engine;

use crate::spec::Sources;

/// The SQL function that hides a text.
pub(crate) const FUNCTION: &str = "pseudonym";

/// Columns that name a person in any table.
const IDS: [&str; 2] = ["customer_id", "visitor_id"];

/// The pseudonym of an id: 128 bits of BLAKE3 in keyed mode, 32 hexadecimal digits.
///
/// Equal ids have equal pseudonyms in all tables and runs under one key; without the key an id can
/// neither be read back nor guessed by trying.
///
/// Source: O'Connor et al., "BLAKE3: one function, fast everywhere" (2020), keyed mode.
pub fn pseudonym(key: &[u8; 32], id: &str) -> String {
    let mut hex = blake3::keyed_hash(key, id.as_bytes()).to_hex().to_string();
    hex.truncate(32);
    hex
}

/// True when the column does not leave this crate as it came.
pub(crate) fn hides(sources: &Sources, table: &str, column: &str) -> bool {
    let listed =
        || sources.prepare.pseudonym_columns.iter().any(|c| *c == format!("{table}.{column}"));
    sources.pseudonym_key.is_some() && (IDS.contains(&column) || listed())
}

/// Makes the SQL function known.
pub(crate) fn install(engine: &Engine, sources: &Sources) {
    if let Some(key) = sources.pseudonym_key {
        engine.add_text_function(FUNCTION, move |id| pseudonym(&key, id));
    }
}
