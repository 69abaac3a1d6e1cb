//! Which slots are drawn at random instead, and how likely was what they got?
//!
//! A plan that always does what it thinks best says nothing of what else would have happened. So each slot is,
//! with a small probability of its own, drawn uniformly from the promotions that the customer may get in it; and
//! of a small share of customers, the measurement slice, all slots are.
//!
//! The plan is made first, for everybody, with a part of every limit kept back ([`Exploration::reserve`]); it
//! hangs on no coin. Then coins and draws are laid over it ([`Exploration::explore`]), each customer's for
//! himself: so the probability of every slate follows exactly from the plan, the rates and what may be drawn
//! ([`Openings::propensities`]), although the customers share caps and budgets. A promotion for whose draws a
//! limit has no room is drawn for nobody, which is decided before any coin is tossed.

mod draw;
mod law;
mod openings;
mod room;

pub use draw::Explored;
pub use law::{Exploration, Law, MAX_DRAWN_SLOTS};
pub use openings::{Opening, Openings, Propensities, Slate};
pub use room::Reserve;
