//! What kind of promotion is it?

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// The mechanic of a promotion: how it changes what the customer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mechanic {
    /// A share of the price off.
    Percent,
    /// A fixed amount off.
    MoneyOff,
    /// A product given free.
    FreeItem,
    /// Buy some, get some.
    BuyXGetY,
    /// Delivery without charge.
    FreeShipping,
    /// An amount off above a basket value.
    Threshold,
}

impl Mechanic {
    /// All mechanics, in order of name in the canonical table.
    pub const ALL: [Self; 6] = [
        Self::Percent,
        Self::MoneyOff,
        Self::FreeItem,
        Self::BuyXGetY,
        Self::FreeShipping,
        Self::Threshold,
    ];

    /// The name in the canonical table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::MoneyOff => "money_off",
            Self::FreeItem => "free_item",
            Self::BuyXGetY => "buy_x_get_y",
            Self::FreeShipping => "free_shipping",
            Self::Threshold => "threshold",
        }
    }
}

impl fmt::Display for Mechanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mechanic {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|mechanic| mechanic.name() == text).ok_or_else(|| {
            Error::data("T0103", format!("'{text}' is not a promotion mechanic"))
                .hint("use percent, money_off, free_item, buy_x_get_y, free_shipping or threshold")
        })
    }
}
