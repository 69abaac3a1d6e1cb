//! Which sizes of the arms were planned, and whose plan was that?
//!
//! A share may grow while a campaign runs, or differ between customers of early and late runs. Units have to be of one
//! plan: where the odds of control differ, so may the customers. So those of the plan that most customers have are
//! measured; who those are was settled when they were assigned.

use std::collections::BTreeMap;

use tercet_engine::Frame;
use tercet_measurement::assignment::BUCKETS;
use tercet_types::tables::assignments::HOLDOUT;
use tercet_types::{Date, Result};

/// Columns of the log of assignment that say the plan.
pub(super) const COLUMNS: [&str; 5] = ["experiment", "bucket", "share", "assigned_on", "arm_since"];

/// Two arms as planned: the one whose share may grow, control or test, and the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ArmPlan {
    /// The share that is logged of the units.
    pub(super) share: f64,
    /// The day on which a larger share moved customers in the campaign: units are those assigned before it whom it
    /// did not move.
    pub(super) raised_on: Option<Date>,
    /// The planned shares of the two arms; less than 1 together where customers were moved.
    pub(super) arms: [f64; 2],
    /// Units in the first of them.
    pub(super) in_first: u64,
    /// Customers left out because they were moved.
    pub(super) moved: u64,
    /// Customers left out because another share was planned for them.
    pub(super) others: u64,
}

/// What the log says of one experiment, row by row.
#[derive(Debug, Default)]
struct Logged {
    /// By the bits of the share, which are in the order of the shares.
    shares: BTreeMap<u64, OfShare>,
}

#[derive(Debug, Default)]
struct OfShare {
    customers: u64,
    moved: u64,
    raised_on: Option<Date>,
    first_moved_bucket: Option<i32>,
    assigned: BTreeMap<Date, u64>,
    /// Those of them who were in the arm that grows from the start.
    in_first: BTreeMap<Date, u64>,
}

/// The log of assignment, as far as plans go.
#[derive(Debug, Default)]
pub(super) struct Plans {
    experiments: BTreeMap<String, Logged>,
}

impl Plans {
    /// Adds rows of the log: [`COLUMNS`] of customers assigned before `until`, in a campaign from `first_day` on.
    pub(super) fn add(&mut self, rows: &Frame, first_day: Date, until: Date) -> Result<()> {
        let (experiments, names) = rows.codes("experiment")?;
        let (buckets, shares) = (rows.i32("bucket")?, rows.f64("share")?);
        let (assigned, since) = (rows.date("assigned_on")?, rows.date("arm_since")?);
        for row in (0..rows.rows()).filter(|row| assigned[*row] < until) {
            let Some(name) = experiments[row].and_then(|code| names.get(code as usize)) else {
                continue;
            };
            if !self.experiments.contains_key(name) {
                self.experiments.insert(name.clone(), Logged::default());
            }
            let Some(logged) = self.experiments.get_mut(name) else { continue };
            let of_share = logged.shares.entry(shares[row].to_bits()).or_default();
            of_share.customers += 1;
            *of_share.assigned.entry(assigned[row]).or_default() += 1;
            if since[row] > assigned[row] && since[row] > first_day {
                of_share.moved += 1;
                let raised_on = of_share.raised_on.unwrap_or(since[row]).min(since[row]);
                of_share.raised_on = Some(raised_on);
                let first = of_share.first_moved_bucket.unwrap_or(buckets[row]).min(buckets[row]);
                of_share.first_moved_bucket = Some(first);
            } else if buckets[row] < (shares[row] * f64::from(BUCKETS)).round() as i32 {
                *of_share.in_first.entry(assigned[row]).or_default() += 1;
            }
        }
        Ok(())
    }

    /// The plan of most customers; none where nobody was assigned.
    pub(super) fn plan(&self, experiment: &str) -> Option<ArmPlan> {
        let shares = &self.experiments.get(experiment)?.shares;
        let (bits, found) = shares.iter().max_by_key(|(_, of_share)| of_share.customers)?;
        let share = f64::from_bits(*bits);
        let is_late = |day: &Date| found.raised_on.is_some_and(|raised_on| *day >= raised_on);
        let count = |of: &BTreeMap<Date, u64>, late: bool| -> u64 {
            of.iter().filter(|(day, _)| is_late(day) == late).map(|(_, count)| count).sum()
        };
        let all: u64 = shares.values().map(|of_share| of_share.customers).sum();
        let inside =
            found.first_moved_bucket.map_or(share, |bucket| f64::from(bucket) / f64::from(BUCKETS));
        Some(ArmPlan {
            share,
            raised_on: found.raised_on,
            arms: [inside, 1.0 - share],
            in_first: count(&found.in_first, false),
            moved: found.moved,
            others: all - found.customers + count(&found.assigned, true),
        })
    }

    /// The day since which anybody may have been treated.
    pub(super) fn since(&self) -> Option<Date> {
        let holdout = self.experiments.get(HOLDOUT)?;
        holdout
            .shares
            .values()
            .filter_map(|of_share| of_share.assigned.keys().next().copied())
            .min()
    }

    /// Customers in the log.
    pub(super) fn customers(&self) -> u64 {
        let holdout = self.experiments.get(HOLDOUT);
        holdout.map_or(0, |of| of.shares.values().map(|of_share| of_share.customers).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// Customers of a bucket each, with their share, day of assignment and day since which their arm holds.
    fn plans(rows: &[(i32, f64, &str, &str)]) -> Plans {
        let frame = Frame::of(vec![
            ("experiment", vec![HOLDOUT.to_owned(); rows.len()].into()),
            ("bucket", rows.iter().map(|row| row.0).collect::<Vec<_>>().into()),
            ("share", rows.iter().map(|row| row.1).collect::<Vec<_>>().into()),
            ("assigned_on", rows.iter().map(|row| day(row.2)).collect::<Vec<_>>().into()),
            ("arm_since", rows.iter().map(|row| day(row.3)).collect::<Vec<_>>().into()),
        ])
        .unwrap();
        let mut plans = Plans::default();
        plans.add(&frame, day("2025-02-03"), day("2025-03-03")).unwrap();
        plans
    }

    #[test]
    fn units_are_of_one_plan() {
        const OLD: &str = "2025-01-06";
        const NEW: &str = "2025-02-10";
        let check = |rows: &[(i32, f64, &str, &str)], arms: [f64; 2], moved: u64, others: u64| {
            let found = plans(rows).plan(HOLDOUT).unwrap();
            assert_eq!((found.moved, found.others), (moved, others), "{rows:?}");
            for (found, expect) in found.arms.iter().zip(arms) {
                assert!((found - expect).abs() < 1e-12, "{rows:?}: {found}");
            }
        };
        // One share for all, the later ones too.
        check(&[(10, 0.1, OLD, OLD), (5_000, 0.1, NEW, NEW)], [0.1, 0.9], 0, 0);
        // A larger share in the campaign: who was moved, and who came later, is of another plan.
        check(
            &[
                (10, 0.5, OLD, OLD),
                (1_000, 0.5, OLD, NEW),
                (9_000, 0.5, OLD, OLD),
                (3, 0.5, NEW, NEW),
            ],
            [0.1, 0.5],
            1,
            1,
        );
        // A larger share before the campaign is the plan of it.
        check(&[(10, 0.5, OLD, OLD), (1_000, 0.5, OLD, "2025-01-20")], [0.5, 0.5], 0, 0);
        // A smaller share for newcomers: the plan of most.
        check(
            &[(10, 0.1, OLD, OLD), (5_000, 0.1, OLD, OLD), (7_000, 0.05, NEW, NEW)],
            [0.1, 0.9],
            0,
            1,
        );
        // Nobody was held out before the share grew.
        let in_first =
            |rows: &[(i32, f64, &str, &str)]| plans(rows).plan(HOLDOUT).unwrap().in_first;
        assert_eq!(in_first(&[(10, 0.5, OLD, NEW), (9_000, 0.5, OLD, OLD), (3, 0.5, NEW, NEW)]), 0);
        assert_eq!(
            in_first(&[(10, 0.5, OLD, OLD), (4_999, 0.5, OLD, OLD), (5_000, 0.5, OLD, OLD)]),
            2
        );
        assert_eq!(plans(&[]).plan(HOLDOUT), None);
        let since = plans(&[(1, 0.1, NEW, NEW), (2, 0.1, OLD, OLD)]);
        assert_eq!((since.since(), since.customers()), (Some(day(OLD)), 2));
    }
}
