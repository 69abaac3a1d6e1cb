//! How does data get in, checked, and nothing is lost?
//!
//! A shop's files (CSV, Parquet, JSON Lines; a file, a glob or a folder in any store) become the eight
//! canonical tables of `tercet_types::tables::sources`. Columns are mapped by name or by small SQL
//! expressions, cells are cast leniently, every row is held against its table's contract, and a row that
//! fails goes to quarantine with its reason and its place in the source.
//!
//! Amazon Personalize columns (`USER_ID`, `ITEM_ID`, `TIMESTAMP`, `EVENT_TYPE`, …) and the columns of Google
//! Merchant promotion feeds (`promotion_effective_dates`, `generic_redemption_code`, `percent_off`, …) are
//! read without a mapping.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::allow_attributes,
        reason = "a failed test should stop at once"
    )
)]

mod alias;
mod cast;
mod contract;
mod cut;
mod expression;
mod health;
mod inputs;
mod mapping;
mod options;
mod prepare;
mod pseudonym;
mod quarantine;
mod raw;
mod run;
mod spec;
mod table;
mod whole;

pub use contract::CHECKS;
pub use cut::{BY_CUSTOMER, parts_for};
pub use health::{CheckOutcome, Health, TableHealth};
pub use inputs::input_files;
pub use options::{ContractOptions, NoiseRule, Policy, PrepareOptions};
pub use pseudonym::pseudonym;
pub use run::{Loaded, PartRows, Reading, check, load};
pub use spec::{Format, InputSpec, SourceSpec, Sources};
