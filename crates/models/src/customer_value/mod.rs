//! What will a customer still buy, and what is that worth?
//!
//! - [`CustomerHistory`]: repeat purchases, recency, age and mean value; [`histories`] makes them of [`Purchases`](crate::Purchases).
//! - [`BgNbd`]: how often a customer buys, and whether a customer who was silent for so long is still one.
//! - [`GammaGamma`]: what a purchase of a customer is worth.
//! - [`LifetimeValue`]: both together, discounted.
//!
//! Fits are by maximum likelihood and refuse what they cannot be made of, each reason by a code of its own.

mod bg_nbd;
mod gamma_gamma;
mod history;
mod lifetime;
mod maximum;
mod special;

pub use bg_nbd::BgNbd;
pub use gamma_gamma::GammaGamma;
pub use history::{CustomerHistory, histories, likeness_of_frequency_and_value};
pub use lifetime::LifetimeValue;
pub use maximum::{Fit, Parameter};
