//! What must hold of every slate?

use serde::{Deserialize, Serialize};

/// `[audience]`: who is in the run.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Audience {
    /// A SQL predicate over the customer master; empty means everybody.
    #[serde(rename = "where")]
    pub(crate) predicate: String,
    /// The most customers, those with the highest spend first; 0 means no limit.
    pub(crate) limit: u64,
}

/// `[[rules.pins]]`: a promotion the marketer insists on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pin {
    /// The promotion.
    pub(crate) promotion_id: String,
    /// The slot's name.
    pub(crate) slot: String,
    /// Who gets it: a SQL predicate over the customer master; empty means everybody. A promotion may be pinned
    /// again for others; where audiences overlap, the first pin holds.
    #[serde(rename = "where", default)]
    pub(crate) predicate: String,
}

/// `[rules]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// Share of customers that get nothing, so that the lift can be measured; 0 to 0.5.
    pub(crate) holdout_rate: f64,
    /// Name of the environment variable with the assignment key: 32 hexadecimal digits. Without it the
    /// key of the project's name is used, which is stable but not secret.
    pub(crate) assignment_key_env: String,
    /// The most offers a customer gets in a run; 0 means one per slot.
    pub(crate) offers_max: u8,
    /// Weeks in which a customer does not get the same promotion again.
    pub(crate) repeat_gap_weeks: u32,
    /// The most runs that may reach a customer within `contact_window_weeks`; 0 means no limit.
    pub(crate) contacts_max: u32,
    /// The window of `contacts_max`, weeks.
    pub(crate) contact_window_weeks: u32,
    /// The most a run may be expected to cost, minor units; absent means no limit.
    pub(crate) budget_minor: Option<i64>,
    /// Cap of promotions that name none; absent means no limit.
    pub(crate) cap_default: Option<u64>,
    /// The least value of an offer that is worth sending, minor units; absent sends all.
    pub(crate) value_min_minor: Option<i64>,
    /// Promotions that nobody gets.
    pub(crate) excluded: Vec<String>,
    /// Promotions that somebody must get.
    pub(crate) pins: Vec<Pin>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            holdout_rate: 0.1,
            assignment_key_env: "TERCET_ASSIGNMENT_KEY".to_owned(),
            offers_max: 0,
            repeat_gap_weeks: 2,
            contacts_max: 0,
            contact_window_weeks: 4,
            budget_minor: None,
            cap_default: None,
            value_min_minor: None,
            excluded: Vec::new(),
            pins: Vec::new(),
        }
    }
}
