//! What would a retailer look like of whom the truth is known?
//!
//! A [`World`] answers, as a pure function of settings, size and seed, what its customers buy, look at and
//! do with offers: all at once ([`World::block`]), or week by week under the offers of somebody else
//! ([`World::begin`], [`World::week`]). It reads nothing, writes nothing and holds no state; rows leave as
//! [`Table`]s of columns.
//!
//! ```
//! use tercet_simulator::{Events, Settings, Size, World};
//! let size = Size { customers: 10, products: 200, promotions: 8, weeks: 4 };
//! let world = World::new(Settings::default(), size, 7).unwrap();
//! let customer = world.customer(3);
//! let mut state = world.begin(&customer);
//! let mut seen = Events::default();
//! for week in 0..size.weeks {
//!     let offers = &world.running(week)[..1];
//!     world.week(&customer, week, &mut state, offers, &mut seen);
//! }
//! assert_eq!(seen.sent.customer_id, [4, 4, 4, 4]);
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::allow_attributes,
        reason = "a failed test should stop at once"
    )
)]

mod browse;
mod catalogue;
mod customer;
mod events;
mod margins;
mod outcome;
mod policy;
mod promotions;
mod random;
mod settings;
mod table;
mod truth;
mod week;
mod world;

pub use customer::{Customer, Need, ResponseClass};
pub use events::{Events, Lines, Sent, Used, Visits};
pub use margins::{Margins, REFERENCE, REFERENCE_WEEKS};
pub use outcome::{Mark, Memory, Outcome};
pub use settings::Settings;
pub use table::{Column, Table};
pub use truth::FORMULA;
pub use week::State;
pub use world::{Block, Size, World};
