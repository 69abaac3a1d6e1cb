//! What is checked and prepared, and what happens to rows that fail?

use std::collections::BTreeMap;

/// What happens when a check fails; also the outcome of a check, in rising order.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Nothing is said. As an outcome: the check passed.
    #[default]
    Ok,
    /// Rows stay, the report says so.
    Warn,
    /// Rows leave the table for the quarantine table.
    Quarantine,
    /// The run stops with a named error.
    Stop,
}

impl Policy {
    /// The name in the configuration and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Quarantine => "quarantine",
            Self::Stop => "stop",
        }
    }
}

/// The contract between the shop and tercet.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContractOptions {
    /// `table.check` → what happens, for example `"transactions.range" = "stop"`. The checks are the
    /// names in [`crate::CHECKS`].
    pub policies: BTreeMap<String, Policy>,
    /// The largest share of a table's rows that may go to quarantine, 0 to 1; above it the run stops.
    pub quarantine_share_max: f64,
    /// Days before the as-of date that the newest row of a table may lie back.
    pub fresh_days: i32,
    /// The longest id, bytes.
    pub id_bytes_max: u32,
}

impl Default for ContractOptions {
    fn default() -> Self {
        Self {
            policies: BTreeMap::new(),
            quarantine_share_max: 0.2,
            fresh_days: 14,
            id_bytes_max: 256,
        }
    }
}

/// Rows of a table that are no business of the run's, for example staff purchases.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseRule {
    /// A name for the report.
    pub name: String,
    /// The canonical table.
    pub table: String,
    /// A SQL predicate over the table's canonical and extra columns; rows that meet it go.
    pub predicate: String,
}

/// What is done to rows before they are used.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrepareOptions {
    /// Rules that take noise out.
    pub noise: Vec<NoiseRule>,
    /// Minutes without an event that end a session.
    pub session_gap_minutes: u32,
    /// Parts of user agents that tell bots, in lower case.
    pub bot_user_agents: Vec<String>,
    /// Events of one visitor in a clock hour above which it is a bot from that hour on.
    pub bot_events_per_hour: u32,
    /// Days without a sale after which a product counts as discontinued; never when not given.
    pub unsold_days: Option<u32>,
    /// Columns besides the ids of customers and visitors that are pseudonymised, as `table.column`.
    pub pseudonym_columns: Vec<String>,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        let bots =
            ["bot", "crawler", "spider", "slurp", "headless", "curl/", "python-requests", "wget"];
        Self {
            noise: Vec::new(),
            session_gap_minutes: 30,
            bot_user_agents: bots.map(str::to_owned).to_vec(),
            bot_events_per_hour: 500,
            unsold_days: None,
            pseudonym_columns: Vec::new(),
        }
    }
}
