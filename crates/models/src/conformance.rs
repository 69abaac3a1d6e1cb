//! Which laws does every estimator keep?

mod promotion_ranker;
mod recommender;

pub(crate) use promotion_ranker::check_promotion_ranker;
pub(crate) use recommender::check_recommender;

use crate::{Attributes, Purchase, Purchases, Query, Ranked, Recommender, Seen, Training, Wanted};

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

/// The list that an estimator has for somebody it does not know, learnt from `(customer, day, product)`.
pub(crate) fn list_for_a_stranger(
    estimator: &dyn Recommender,
    lines: &[(u32, i32, u32)],
    as_of: i32,
) -> Ranked {
    let most =
        |of: fn(&(u32, i32, u32)) -> u32| lines.iter().map(|line| of(line) as usize + 1).max();
    let (customers, products) =
        (most(|line| line.0).unwrap_or(0), most(|line| line.2).unwrap_or(0));
    let training = Training {
        history: &history(customers, products, lines),
        as_of,
        products: &Attributes::none(products),
        customers: &Attributes::none(customers),
    };
    let fitted = estimator.fit(&training).unwrap();
    let stranger = Query { customer: None, lines: &[], as_of };
    let wanted = Wanted { k: usize::MAX, seen: Seen::Keep, among: None };
    fitted.recommend(&[stranger], &wanted).remove(0)
}

/// The code of the error with which an estimator refuses its settings.
pub(crate) fn refusal(estimator: &dyn Recommender) -> &'static str {
    let none = Attributes::none(0);
    let past = Purchases::default();
    let training = Training { history: &past, as_of: 0, products: &none, customers: &none };
    estimator.fit(&training).map(|_| ()).unwrap_err().code()
}
