//! How are limits divided between customers whose offers must not take from each other?

use crate::problem::Problem;

/// The part of every limit that some of the customers may use up: those at the places `from .. to` of `of`.
///
/// What neighbouring parts get adds up to the limit, unit for unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitPart {
    /// Customers before these.
    pub from: u64,
    /// Customers before the next ones.
    pub to: u64,
    /// All customers.
    pub of: u64,
}

impl LimitPart {
    /// Everything.
    pub const WHOLE: Self = Self { from: 0, to: 1, of: 1 };

    /// Leaves of each limit and floor of a problem this part.
    pub fn take(self, problem: &mut Problem<'_>) {
        let minor = |limit: &mut i64| *limit = self.of_minor(*limit);
        let count = |limit: &mut u64| *limit = self.of_count(*limit);
        problem.total_budget_minor.iter_mut().for_each(minor);
        problem.budgets.iter_mut().for_each(|budget| minor(&mut budget.budget_minor));
        problem.floors.iter_mut().for_each(|floor| count(&mut floor.offers_min));
        for promotion in &mut problem.promotions {
            promotion.cap.iter_mut().for_each(count);
            promotion.budget_minor.iter_mut().for_each(minor);
        }
    }

    fn of_minor(self, limit: i64) -> i64 {
        let up_to = |place: u64| {
            (i128::from(limit) * i128::from(place)).div_euclid(i128::from(self.of.max(1)))
        };
        if self.of == 0 { limit } else { (up_to(self.to) - up_to(self.from)) as i64 }
    }

    fn of_count(self, limit: u64) -> u64 {
        let up_to = |place: u64| u128::from(limit) * u128::from(place) / u128::from(self.of.max(1));
        if self.of == 0 { limit } else { (up_to(self.to) - up_to(self.from)) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Budget, Floor, Promotion};

    #[test]
    fn every_limit_is_divided() {
        let limited = || Problem {
            promotions: vec![
                Promotion { cap: Some(7), budget_minor: Some(900), ..Promotion::default() },
                Promotion::default(),
            ],
            budgets: vec![Budget { budget_minor: 501, promotions: vec![0], ..Budget::default() }],
            floors: vec![Floor { offers_min: 4, ..Floor::default() }],
            total_budget_minor: Some(1_001),
            ..Problem::default()
        };
        let check = |part: LimitPart, expect: (u64, i64, i64, u64, i64)| {
            let mut problem = limited();
            part.take(&mut problem);
            let (one, other) = (&problem.promotions[0], &problem.promotions[1]);
            let got = (one.cap, one.budget_minor, problem.total_budget_minor);
            assert_eq!(got, (Some(expect.0), Some(expect.1), Some(expect.4)), "{part:?}");
            assert_eq!((other.cap, other.budget_minor), (None, None));
            assert_eq!(problem.budgets[0].budget_minor, expect.2);
            assert_eq!(problem.floors[0].offers_min, expect.3);
        };
        check(LimitPart::WHOLE, (7, 900, 501, 4, 1_001));
        check(LimitPart { from: 0, to: 10, of: 100 }, (0, 90, 50, 0, 100));
        check(LimitPart { from: 10, to: 100, of: 100 }, (7, 810, 451, 4, 901));
        check(LimitPart { from: 0, to: 0, of: 0 }, (7, 900, 501, 4, 1_001));
    }

    proptest! {
        #[test]
        fn parts_add_up(limit in 0..=u64::MAX, budget: i64, cut in 0..1_000_u64, more in 0..1_000_u64) {
            let of = cut + more;
            prop_assume!(of > 0);
            let (one, other) = (LimitPart { from: 0, to: cut, of }, LimitPart { from: cut, to: of, of });
            prop_assert_eq!(one.of_count(limit) + other.of_count(limit), limit);
            prop_assert_eq!(one.of_minor(budget) + other.of_minor(budget), budget);
            let exact = limit as f64 * cut as f64 / of as f64;
            prop_assert!((one.of_count(limit) as f64 - exact).abs() <= 1.0 + exact * 1e-12);
        }
    }
}
