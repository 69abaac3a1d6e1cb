//! Which laws does every estimator keep?

mod promotion_ranker;
mod recommender;

pub(crate) use promotion_ranker::check_promotion_ranker;
pub(crate) use recommender::check_recommender;

use crate::{Purchase, Purchases};

/// Purchase lines from `(customer, day, product)`; one order a day, 1.00 each.
pub(crate) fn history(customers: usize, products: usize, lines: &[(u32, i32, u32)]) -> Purchases {
    let line = |(customer, day, product): &(u32, i32, u32)| {
        (
            *customer,
            Purchase { day: *day, order: day.unsigned_abs(), product: *product, spend_minor: 100 },
        )
    };
    Purchases::new(customers, products, lines.iter().map(line).collect()).unwrap()
}

/// Numbers below `bound`, by a congruential generator.
pub(crate) fn draws(seed: u64) -> impl FnMut(u32) -> u32 {
    let mut state = seed;
    move |bound| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as u32) % bound
    }
}
