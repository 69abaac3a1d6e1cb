//! What do the weeks of all units add up to?

use super::metric::{Number, WEEK_NUMBERS};
use crate::Sums;
use crate::estimate::Refusal;

/// A unit's week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekRow {
    /// Weeks since the campaign's first Monday.
    pub week: i32,
    /// By the places of [`Number`].
    pub numbers: [i64; WEEK_NUMBERS],
}

/// A unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitRow {
    /// Its arm, from 0.
    pub arm: usize,
    /// Its segment, from 0.
    pub segment: usize,
    /// True when it no longer allows offers.
    pub opted_out: bool,
}

/// Which weeks count for what, and what was settled before anybody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The first week in which anybody may have been treated, at most 0: what lies before it are covariates.
    pub known_until: i32,
    /// Weeks of the campaign.
    pub weeks: usize,
    /// Weeks after it, in which purchases may be missing that it only pulled forward.
    pub weeks_after: usize,
    /// The most revenue that a unit counts with where it is capped.
    pub revenue_cap_minor: i64,
    /// The most margin likewise.
    pub margin_cap_minor: i64,
    /// What reaching a unit once costs.
    pub contact_cost_minor: i64,
}

/// Sums of an arm's units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ArmTally {
    /// By segment, numbers of [`Number`].
    pub(super) segments: Vec<Sums>,
    /// Margin of each week of the campaign and after it, then the covariates.
    pub(super) margin: Sums,
    /// Revenue likewise.
    pub(super) revenue: Sums,
    /// Whether there was an order, likewise.
    pub(super) ordered: Sums,
}

/// Exact sums of all units, by arm: the same bits in whatever order and parts units are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub(super) horizon: Horizon,
    pub(super) arms: Vec<ArmTally>,
    /// Room for the weeks of a unit while it is added, else zeros: margin, revenue, and whether there was an order.
    weekly: [Vec<i64>; 3],
}

impl Tally {
    /// No units yet.
    pub fn new(arms: usize, segments: usize, horizon: Horizon) -> Self {
        let weekly = Sums::new(horizon.weeks + horizon.weeks_after + Number::COVARIATES.len());
        let arm = ArmTally {
            segments: vec![Sums::new(Number::COUNT); segments],
            margin: weekly.clone(),
            revenue: weekly.clone(),
            ordered: weekly,
        };
        let line = vec![0; arm.margin.width()];
        Self { horizon, arms: vec![arm; arms], weekly: [line.clone(), line.clone(), line] }
    }

    /// Adds a unit with its weeks, each of which stands once; weeks after the horizon do not count.
    ///
    /// # Errors
    /// `TooLarge` when a number does not fit into the sums.
    ///
    /// # Panics
    /// When there is no such arm or segment.
    pub fn add(&mut self, unit: UnitRow, weeks: &[WeekRow]) -> Result<(), Refusal> {
        let Horizon { weeks: campaign, weeks_after, contact_cost_minor, .. } = self.horizon;
        let all = campaign + weeks_after;
        let mut sums = [0_i64; Number::COUNT];
        for row in weeks {
            let mut numbers = row.numbers;
            numbers[Number::Margin.place()] -=
                row.numbers[Number::Contacts.place()] * contact_cost_minor;
            let of = |number: Number| numbers[number.place()];
            let (revenue, orders) = (of(Number::Revenue), of(Number::Orders));
            let Ok(week) = usize::try_from(row.week) else {
                if row.week < self.horizon.known_until {
                    sums[Number::RevenueBefore.place()] += revenue;
                    sums[Number::OrdersBefore.place()] += orders;
                }
                continue;
            };
            if week < all {
                let of_week = [of(Number::Margin), revenue, i64::from(orders > 0)];
                self.weekly.iter_mut().zip(of_week).for_each(|(line, value)| line[week] = value);
            }
            if week < campaign {
                sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
            }
        }
        let at = |number: Number| sums[number.place()];
        let settled = [
            (Number::Converted, i64::from(at(Number::Orders) > 0)),
            (Number::CappedRevenue, at(Number::Revenue).min(self.horizon.revenue_cap_minor)),
            (Number::CappedMargin, at(Number::Margin).min(self.horizon.margin_cap_minor)),
            (Number::OptedOut, i64::from(unit.opted_out)),
        ];
        for (number, value) in settled {
            sums[number.place()] = value;
        }
        let before = Number::COVARIATES.map(|number| sums[number.place()]);
        let arm = &mut self.arms[unit.arm];
        arm.segments[unit.segment].add(&sums)?;
        for (sums, line) in
            [&mut arm.margin, &mut arm.revenue, &mut arm.ordered].into_iter().zip(&mut self.weekly)
        {
            line[all..].copy_from_slice(&before);
            sums.add(line)?;
            line.fill(0);
        }
        Ok(())
    }

    /// Adds the units of another part, of the same arms, segments and horizon.
    ///
    /// # Errors
    /// `TooLarge` when the sums do not fit.
    ///
    /// # Panics
    /// When arms, segments or horizon differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), Refusal> {
        assert_eq!(self.horizon, other.horizon, "one horizon");
        assert_eq!(self.arms.len(), other.arms.len(), "the same arms");
        self.arms.iter_mut().zip(&other.arms).try_for_each(|(own, theirs)| own.merge(theirs))
    }
}

impl Tally {
    /// The same units in other arms: each new arm is all units of some of the present ones.
    ///
    /// # Errors
    /// `TooLarge` when the sums do not fit.
    ///
    /// # Panics
    /// When there is no such arm.
    pub fn joined(&self, arms: &[&[usize]]) -> Result<Self, Refusal> {
        let segments = self.arms.first().map_or(0, |arm| arm.segments.len());
        let mut joined = Self::new(arms.len(), segments, self.horizon);
        for (arm, of) in joined.arms.iter_mut().zip(arms) {
            for from in of.iter().map(|at| &self.arms[*at]) {
                arm.merge(from)?;
            }
        }
        Ok(joined)
    }

    /// Units of an arm.
    ///
    /// # Panics
    /// When there is no such arm.
    pub fn units(&self, arm: usize) -> u64 {
        self.arms[arm].margin.count()
    }
}

impl ArmTally {
    fn merge(&mut self, other: &Self) -> Result<(), Refusal> {
        assert_eq!(self.segments.len(), other.segments.len(), "the same segments");
        for (own, theirs) in self.segments.iter_mut().zip(&other.segments) {
            own.merge(theirs)?;
        }
        self.margin.merge(&other.margin)?;
        self.revenue.merge(&other.revenue)?;
        self.ordered.merge(&other.ordered)
    }
}

/// A cap that no outcome had a part in: the value that a share of all units exceeded before the campaign, both arms
/// together, for as many weeks as the campaign has.
///
/// `values` are one per unit, over `weeks_before` weeks, zero for units without purchases; their order is lost. At
/// least 1.
///
/// # Panics
/// When `share` does not lie between 0 and 1, or `weeks_before` is 0.
pub fn pooled_cap(values: &mut [i64], share: f64, weeks_before: usize, weeks: usize) -> i64 {
    assert!((0.0..=1.0).contains(&share) && weeks_before > 0, "a share of weeks before");
    if values.is_empty() {
        return 1;
    }
    let beyond = (share * values.len() as f64).floor() as usize;
    let place = values.len() - 1 - beyond.min(values.len() - 1);
    let (_, value, _) = values.select_nth_unstable(place);
    (i128::from(*value) * weeks as i128 / weeks_before as i128).clamp(1, i128::from(i64::MAX))
        as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HORIZON: Horizon = Horizon {
        known_until: -1,
        weeks: 2,
        weeks_after: 1,
        revenue_cap_minor: 500,
        margin_cap_minor: 90,
        contact_cost_minor: 3,
    };

    fn week(week: i32, orders: i64, revenue: i64, margin: i64, contacts: i64) -> WeekRow {
        let mut numbers = [0; WEEK_NUMBERS];
        numbers[Number::Orders.place()] = orders;
        numbers[Number::Revenue.place()] = revenue;
        numbers[Number::Margin.place()] = margin;
        numbers[Number::Contacts.place()] = contacts;
        WeekRow { week, numbers }
    }

    #[test]
    fn weeks_count_where_they_lie() {
        let unit = UnitRow { arm: 0, segment: 1, opted_out: true };
        let weeks = [
            week(-2, 1, 100, 20, 0),
            week(-1, 1, 50, 10, 0),
            week(0, 2, 400, 80, 1),
            week(1, 1, 200, 40, 1),
            week(2, 1, 7, 5, 0),
            week(3, 9, 9, 9, 9),
        ];
        let mut tally = Tally::new(1, 2, HORIZON);
        tally.add(unit, &weeks).unwrap();
        tally.add(UnitRow { opted_out: false, ..unit }, &[]).unwrap();
        let check = |number: Number, expect: i128| {
            assert_eq!(tally.arms[0].segments[1].total(number.place()), expect, "{number:?}");
        };
        check(Number::Converted, 1);
        check(Number::Orders, 3);
        check(Number::Revenue, 600);
        check(Number::CappedRevenue, 500);
        check(Number::Margin, 120 - 6);
        check(Number::CappedMargin, 90);
        check(Number::Contacts, 2);
        check(Number::OptedOut, 1);
        check(Number::RevenueBefore, 100);
        check(Number::OrdersBefore, 1);
        let weekly = |sums: &Sums| (0..5).map(|at| sums.total(at)).collect::<Vec<_>>();
        assert_eq!(weekly(&tally.arms[0].margin), [77, 37, 5, 100, 1]);
        assert_eq!(weekly(&tally.arms[0].ordered), [1, 1, 1, 100, 1]);
        assert_eq!(tally.arms[0].revenue.count(), 2);
        assert_eq!(tally.arms[0].segments[0].count(), 0);
    }

    #[test]
    fn caps() {
        let check = |values: &[i64], share: f64, expect: i64| {
            assert_eq!(pooled_cap(&mut values.to_vec(), share, 5, 10), expect, "{values:?}");
        };
        let hundred: Vec<i64> = (1..=100).rev().collect();
        check(&hundred, 0.01, 198);
        check(&hundred, 0.0, 200);
        check(&hundred, 1.0, 2);
        check(&[], 0.001, 1);
        check(&[0, 0, 0], 0.001, 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_order_and_parts_give_the_same_sums(
            rows in prop::collection::vec((0_usize..2, 0_usize..3, -4_i32..4, -500_i64..9_000), 0..30),
            cut in 0_usize..30,
        ) {
            let unit = |&(arm, segment, at, minor): &(usize, usize, i32, i64)| {
                let row = UnitRow { arm, segment, opted_out: minor % 7 == 0 };
                (row, [week(at, minor % 3, minor, minor / 4, 1)])
            };
            let tally = |rows: &[(usize, usize, i32, i64)], backwards: bool| {
                let mut tally = Tally::new(2, 3, HORIZON);
                let mut units: Vec<_> = rows.iter().map(unit).collect();
                if backwards {
                    units.reverse();
                }
                units.iter().for_each(|(row, weeks)| tally.add(*row, weeks).unwrap());
                tally
            };
            let cut = cut.min(rows.len());
            let mut parts = tally(&rows[cut..], true);
            parts.merge(&tally(&rows[..cut], false)).unwrap();
            prop_assert_eq!(parts, tally(&rows, false));
        }
    }
}
