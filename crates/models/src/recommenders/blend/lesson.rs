//! What was known before something that is known now was bought?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use crate::purchases::orders;
use crate::{Purchase, Purchases, Training};

/// What a lesson holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldBack {
    /// Each customer's last order: for what is in the next one, whenever that is.
    LastOrder,
    /// What everybody bought in so many days, `>= 1`: for what is bought in the days that follow.
    Days(u16),
}

/// A past that is looked at as the present will be: what came next is known, and hidden from who learns.
pub(super) struct Lesson {
    /// What is known.
    pub(super) history: Purchases,
    /// The day that members are fitted as of.
    pub(super) as_of: i32,
    /// Customers of whom something is known and something was held back, ascending.
    pub(super) pupils: Vec<Pupil>,
}

/// A customer of a lesson.
pub(super) struct Pupil {
    pub(super) customer: u32,
    /// The day that is asked for.
    pub(super) as_of: i32,
    /// The products that were held back, ascending.
    pub(super) bought: Vec<u32>,
}

impl Lesson {
    /// The lesson `back` steps before the latest: of the last order but `back`, or of the days before those.
    pub(super) fn new(training: &Training<'_>, held_back: HeldBack, back: usize) -> Result<Self> {
        let past = training.history;
        let as_of = match held_back {
            HeldBack::LastOrder => training.as_of,
            HeldBack::Days(days) => {
                let steps = i32::try_from(back).unwrap_or(i32::MAX).saturating_add(1);
                training.as_of.saturating_sub(i32::from(days).saturating_mul(steps))
            }
        };
        let (mut lines, mut pupils) = (Vec::new(), Vec::new());
        for customer in 0..past.customers() as u32 {
            let all = training.lines(customer);
            let (from, to) = match held_back {
                HeldBack::LastOrder => last_order(all, back),
                HeldBack::Days(days) => {
                    let until = as_of.saturating_add(i32::from(days));
                    let before = |day: i32| all.partition_point(|line| line.day < day);
                    (before(as_of), before(until))
                }
            };
            lines.extend(all[..from].iter().map(|line| (customer, *line)));
            if from > 0 && from < to {
                let mut bought: Vec<u32> = all[from..to].iter().map(|line| line.product).collect();
                bought.sort_unstable();
                bought.dedup();
                let day = match held_back {
                    HeldBack::LastOrder => all[from].day,
                    HeldBack::Days(_) => as_of,
                };
                pupils.push(Pupil { customer, as_of: day, bought });
            }
        }
        Ok(Self {
            history: Purchases::new(past.customers(), past.products(), lines)?,
            as_of,
            pupils,
        })
    }
}

/// Where the last order but `back` begins and ends; nothing where there are not as many.
fn last_order(lines: &[Purchase], back: usize) -> (usize, usize) {
    let after: usize = orders(lines).rev().take(back).map(<[Purchase]>::len).sum();
    let to = lines.len() - after;
    let held = orders(&lines[..to]).next_back().map_or(0, <[Purchase]>::len);
    (to - held, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attributes;
    use crate::conformance::history;

    /// Of customer 0: what is known in the lesson, the day asked for, and what was held back.
    fn check(held_back: HeldBack, back: usize, known: &[u32], asked: Option<(i32, &[u32])>) {
        let lines = [(0, 1, 0), (0, 5, 1), (0, 5, 2), (0, 9, 0), (0, 20, 3), (1, 7, 1)];
        let past = history(2, 4, &lines);
        let (products, customers) = (Attributes::none(4), Attributes::none(2));
        let training =
            Training { history: &past, as_of: 15, products: &products, customers: &customers };
        let lesson = Lesson::new(&training, held_back, back).unwrap();
        let left: Vec<u32> = lesson.history.of(0).iter().map(|line| line.product).collect();
        assert_eq!(left, known, "{held_back:?}, {back}");
        let pupil = lesson.pupils.iter().find(|pupil| pupil.customer == 0);
        assert_eq!(
            pupil.map(|pupil| (pupil.as_of, &pupil.bought[..])),
            asked,
            "{held_back:?}, {back}"
        );
        assert!(
            lesson.pupils.iter().all(|pupil| pupil.customer != 1),
            "nothing else is known of 1"
        );
    }

    #[test]
    fn what_came_next_is_held_back() {
        check(HeldBack::LastOrder, 0, &[0, 1, 2], Some((9, &[0])));
        check(HeldBack::LastOrder, 1, &[0], Some((5, &[1, 2])));
        check(HeldBack::LastOrder, 2, &[], None);
        check(HeldBack::LastOrder, 9, &[], None);
        check(HeldBack::Days(7), 0, &[0, 1, 2], Some((8, &[0])));
        check(HeldBack::Days(7), 1, &[], None);
        check(HeldBack::Days(u16::MAX), usize::MAX, &[], None);
    }
}
