//! How does a customer behave, in one word?

use std::fmt;

/// The behaviour segment: what tercet has seen of a customer. Every customer is in exactly one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Bought, and was never seen browsing.
    TransactionOnly,
    /// Browsed, and never bought.
    BrowsingOnly,
    /// Bought and browsed.
    Both,
    /// Neither: known by name only.
    Neither,
}

impl Behaviour {
    /// All segments.
    pub const ALL: [Self; 4] =
        [Self::TransactionOnly, Self::BrowsingOnly, Self::Both, Self::Neither];

    /// The segment of a customer who did or did not buy and browse.
    pub const fn of(bought: bool, browsed: bool) -> Self {
        match (bought, browsed) {
            (true, false) => Self::TransactionOnly,
            (false, true) => Self::BrowsingOnly,
            (true, true) => Self::Both,
            (false, false) => Self::Neither,
        }
    }

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TransactionOnly => "transaction_only",
            Self::BrowsingOnly => "browsing_only",
            Self::Both => "both",
            Self::Neither => "neither",
        }
    }

    /// The segment of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|segment| segment.name() == name)
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
