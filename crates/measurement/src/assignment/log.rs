//! In which arm does a customer stay, whatever becomes of key and shares?

use tercet_types::Date;

use super::Share;

/// What is kept of a customer in an experiment: all that says the arm. Of two arms one grows with the share:
/// control of the holdout, and the engine under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The bucket on the day of assignment. It is not asked for again, so another key moves nobody.
    pub bucket: u16,
    /// The largest share since then, so that a smaller one moves nobody.
    pub share: Share,
    /// When the customer was first assigned.
    pub assigned_on: Date,
    /// Since when the arm holds; later than `assigned_on` for whom another share moved.
    pub arm_since: Date,
}

impl Assigned {
    /// The customer as of a day: as earlier, unless a larger share takes him or her in.
    ///
    /// `bucket` is that of today's key. A share of nobody ends the arm: all leave it, and the next share
    /// begins anew.
    pub fn as_of(earlier: Option<&Self>, bucket: u16, share: Share, day: Date) -> Self {
        let Some(earlier) = earlier else {
            return Self { bucket, share, assigned_on: day, arm_since: day };
        };
        let share = if share == Share::NONE { share } else { share.max(earlier.share) };
        let is_moved = share.holds(earlier.bucket) != earlier.is_in();
        let arm_since = if is_moved { day } else { earlier.arm_since };
        Self { share, arm_since, ..*earlier }
    }

    /// True in the arm that grows.
    pub const fn is_in(&self) -> bool {
        self.share.holds(self.bucket)
    }

    /// True where today's bucket and share would say another arm.
    pub const fn is_kept(&self, bucket: u16, share: Share) -> bool {
        share.holds(bucket) != self.is_in()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Salt, bucket};
    use super::*;

    fn day(week: usize) -> Date {
        Date::from_days(20_000 + 7 * week as i32)
    }

    fn share(rate: f64) -> Share {
        Share::new(rate).unwrap()
    }

    /// Goes through weeks of bucket and share; returns whether in, assigned and since which week, and if kept.
    fn check(weeks: &[(u16, f64)], expect: (bool, usize, usize, bool)) {
        let mut log: Option<Assigned> = None;
        for (week, (bucket, rate)) in weeks.iter().enumerate() {
            log = Some(Assigned::as_of(log.as_ref(), *bucket, share(*rate), day(week)));
        }
        let (bucket, rate) = weeks[weeks.len() - 1];
        let log = log.unwrap();
        let got = (log.is_in(), log.assigned_on, log.arm_since, log.is_kept(bucket, share(rate)));
        assert_eq!(got, (expect.0, day(expect.1), day(expect.2), expect.3), "{weeks:?}");
    }

    #[test]
    fn who_is_in_stays_in_and_larger_shares_take_in_more() {
        check(&[(50, 0.01)], (true, 0, 0, false));
        check(&[(500, 0.01)], (false, 0, 0, false));
        check(&[(500, 0.01), (500, 0.01), (500, 0.1), (500, 0.5)], (true, 0, 2, false));
        // A smaller share lets nobody go.
        check(&[(500, 0.1), (500, 0.01)], (true, 0, 0, true));
        // Nor does another key, which moves nobody in either.
        check(&[(50, 0.1), (7_000, 0.1)], (true, 0, 0, true));
        check(&[(7_000, 0.1), (50, 0.1)], (false, 0, 0, true));
        check(&[(7_000, 0.1), (50, 0.1), (50, 0.8)], (true, 0, 2, false));
        // A share of nobody ends the arm; what comes after begins anew.
        check(&[(50, 0.1), (50, 0.0)], (false, 0, 1, false));
        check(&[(500, 0.1), (500, 0.0), (500, 0.01)], (false, 0, 1, false));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_staged_roll_out_only_adds(key: [u8; 16], ids in prop::collection::vec("[a-z0-9]{1,8}", 1..40)) {
            for id in ids {
                let own = bucket(&key, Salt::Experiment("roll-out"), &id);
                let mut log: Option<Assigned> = None;
                for (week, rate) in [0.01, 0.1, 0.1, 0.5, 0.05, 1.0].into_iter().enumerate() {
                    let next = Assigned::as_of(log.as_ref(), own, share(rate), day(week));
                    if let Some(before) = log {
                        prop_assert!(next.is_in() || !before.is_in());
                        prop_assert_eq!(next.assigned_on, before.assigned_on);
                        prop_assert_eq!(next.arm_since != before.arm_since, next.is_in() != before.is_in());
                    }
                    log = Some(next);
                }
                prop_assert!(log.is_some_and(|log| log.is_in()));
            }
        }
    }
}
