//! Which offers does a customer get, and of which kind?

use serde::{Deserialize, Serialize};

/// `[[slots]]`: one offer of the slate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slot {
    /// The name on reports.
    pub(crate) name: String,
    /// A SQL predicate that a promotion must meet for a customer, over the columns of the promotion
    /// master (`mechanic`, `breadth`, `campaign_id` …), of the customer master (`behaviour`,
    /// `rfm_segment` …) and of the pair (`bought_before`, `days_since_bought` …). Empty: any.
    #[serde(rename = "where", default)]
    pub(crate) predicate: String,
    /// The predicate for customers for whom no promotion meets `where`; `"true"` takes any, and
    /// without it the slot stays empty.
    #[serde(default)]
    pub(crate) otherwise: String,
    /// The channel it is shown in, such as `web` or `mail`: a promotion with a channel scope stands in it only
    /// where the scope names the channel. Empty: wherever the customer is, so a promotion with a channel
    /// scope goes to customers who use one of its channels.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) channel: String,
    /// What the customer reads above the offer.
    #[serde(default)]
    pub(crate) title: String,
}
