//! What leaves the house, and where to?

use serde::{Deserialize, Serialize};

/// `[delivery]`: `offers.parquet` is always written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Delivery {
    /// Also write `offers.csv`.
    pub(crate) csv: bool,
    /// Also write `offers.jsonl`.
    pub(crate) json_lines: bool,
    /// Folder or URL that the offers are copied to for the coupon system; empty means nowhere.
    pub(crate) publish_to: String,
    /// Folder of code pools: `<pool>.txt`, one unused code a line.
    pub(crate) code_pools: String,
}
