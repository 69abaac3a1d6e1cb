//! Where are the data, and what are their columns called?

use clap::{Args, ValueEnum};
use tercet_types::{Error, Result};

use crate::commands::uplift::table::Table;

/// What a row of the table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DataFormat {
    /// A product that a customer took up.
    Interactions,
    /// A customer with the list of its products, in order.
    Sequences,
    /// A customer with the list of its baskets, in order; or a product of an order.
    Baskets,
}

/// Where the data are, and what their columns are called.
#[derive(Debug, Args)]
pub(in crate::commands) struct DataArguments {
    /// The table: CSV, JSON Lines or Parquet; a file, a folder, a glob or a URL
    #[arg(long, value_name = "PLACE")]
    pub(super) data: String,
    /// What a row of the table is [default: told by its columns]
    #[arg(long, value_enum)]
    pub(super) format: Option<DataFormat>,
    /// The column with the customer [default: customer_id, user_id, household_id, session_id, or the like]
    #[arg(long, value_name = "COLUMN")]
    pub(super) customer: Option<String>,
    /// The column with the product, or with a list of products or baskets [default: product_id, item_id, items,
    /// or the like]
    #[arg(long, value_name = "COLUMN")]
    pub(super) product: Option<String>,
    /// The column with the time: a date, a timestamp, seconds since 1970, or the number of a day [default: time,
    /// timestamp, date, or the like]
    #[arg(long, value_name = "COLUMN")]
    pub(super) time: Option<String>,
    /// The column with the place in the customer's sequence [default: position, pos; else as the rows come]
    #[arg(long, value_name = "COLUMN")]
    pub(super) position: Option<String>,
    /// The column with the order or basket [default: order_id, basket_id, or the like]
    #[arg(long, value_name = "COLUMN")]
    pub(super) order: Option<String>,
    /// The column with what was paid [default: value, spend, sales_value, amount]
    #[arg(long, value_name = "COLUMN")]
    pub(super) value: Option<String>,
    /// The column that says train, valid, test or query, for --split given [default: part, split]
    #[arg(long, value_name = "COLUMN")]
    pub(super) part: Option<String>,
    /// Of lists: the column with what came last, a product or a list [default: target, future]
    #[arg(long, value_name = "COLUMN")]
    pub(super) target: Option<String>,
    /// A table of lists and targets that are judged and never learnt from; each row is somebody unknown
    #[arg(long, value_name = "PLACE")]
    pub(super) test: Option<String>,
    /// A table of products with their attributes: type, brand and the like
    #[arg(long, value_name = "PLACE")]
    pub(in crate::commands) attributes: Option<String>,
    /// A table of customers with their attributes
    #[arg(long, value_name = "PLACE")]
    pub(in crate::commands) customer_attributes: Option<String>,
}

/// What a column may hold.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    Customer,
    Product,
    Time,
    Position,
    Order,
    Value,
    Part,
    Target,
}

impl Holds {
    /// The flag that names it.
    pub(super) const fn flag(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Product => "product",
            Self::Time => "time",
            Self::Position => "position",
            Self::Order => "order",
            Self::Value => "value",
            Self::Part => "part",
            Self::Target => "target",
        }
    }

    /// What it is usually called, the likeliest first, in small letters.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Customer => &[
                "customer_id",
                "customer",
                "user_id",
                "user",
                "household_id",
                "session_id",
                "session",
                "visitor_id",
            ],
            Self::Product => &[
                "product_id",
                "product",
                "item_id",
                "item",
                "products",
                "items",
                "product_ids",
                "item_ids",
                "sequence",
                "prefix",
                "baskets",
                "history",
            ],
            Self::Time => &[
                "time",
                "timestamp",
                "date",
                "day",
                "event_time",
                "transaction_timestamp",
                "order_date",
            ],
            Self::Position => &["position", "pos"],
            Self::Order => &["order_id", "order", "basket_id", "basket", "invoice_id", "invoice"],
            Self::Value => &["value", "spend", "sales_value", "amount"],
            Self::Part => &["part", "split"],
            Self::Target => &["target", "future"],
        }
    }
}

impl DataArguments {
    /// The column that a flag named.
    pub(super) const fn named(&self, holds: Holds) -> Option<&String> {
        match holds {
            Holds::Customer => self.customer.as_ref(),
            Holds::Product => self.product.as_ref(),
            Holds::Time => self.time.as_ref(),
            Holds::Position => self.position.as_ref(),
            Holds::Order => self.order.as_ref(),
            Holds::Value => self.value.as_ref(),
            Holds::Part => self.part.as_ref(),
            Holds::Target => self.target.as_ref(),
        }
    }

    /// The column that holds something: as it was named, else by its usual names; none where there is none of these.
    ///
    /// # Errors
    /// `T1061` when a column that was named is not there.
    pub(super) fn column(&self, table: &Table, holds: Holds) -> Result<Option<String>> {
        match self.named(holds) {
            Some(name) => table.cells(name).map(|_| Some(name.clone())),
            None => Ok(guessed(table, holds)),
        }
    }

    /// The same of a table beside the data, whose column may have another name.
    pub(super) fn column_beside(&self, table: &Table, holds: Holds) -> Option<String> {
        let named = self.named(holds).filter(|name| table.columns().contains(name));
        named.cloned().or_else(|| guessed(table, holds))
    }
}

/// The column that must be there.
///
/// # Errors
/// `T1091` when none was found.
pub(super) fn required(column: Option<String>, table: &Table, holds: Holds) -> Result<String> {
    column.ok_or_else(|| {
        let flag = holds.flag();
        Error::data("T1091", format!("which column holds the {flag}?"))
            .hint(format!("say it with --{flag}; there are {}", table.columns().join(", ")))
    })
}

/// The column of a table that holds products, by its usual names.
///
/// # Errors
/// `T1091` when there is none.
pub(in crate::commands) fn product_column(table: &Table) -> Result<String> {
    required(guessed(table, Holds::Product), table, Holds::Product)
}

fn guessed(table: &Table, holds: Holds) -> Option<String> {
    let called =
        |name: &&str| table.columns().iter().find(|c| c.eq_ignore_ascii_case(name)).cloned();
    holds.names().iter().find_map(called)
}
