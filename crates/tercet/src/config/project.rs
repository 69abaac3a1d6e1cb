//! Which shop is this?

use serde::{Deserialize, Serialize};

/// `[project]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Project {
    /// The name on reports.
    pub(crate) name: String,
    /// ISO 4217 code of all amounts.
    pub(crate) currency: String,
    /// IANA time zone of the shop: instants with a zone are brought to it.
    pub(crate) time_zone: String,
    /// Folder or URL that runs are written to.
    pub(crate) runs: String,
    /// Name of the environment variable with the key of pseudonyms: 64 hexadecimal digits. When it is
    /// named here, customer ids are replaced by their keyed hash everywhere; empty means they stay.
    pub(crate) pseudonym_key_env: String,
    /// Facts about the data that every report repeats, for example that a table is synthetic.
    pub(crate) notes: Vec<String>,
}

impl Default for Project {
    fn default() -> Self {
        Self {
            name: "shop".to_owned(),
            currency: "USD".to_owned(),
            time_zone: "UTC".to_owned(),
            runs: "runs".to_owned(),
            pseudonym_key_env: String::new(),
            notes: Vec::new(),
        }
    }
}
