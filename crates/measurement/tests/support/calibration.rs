//! Do intervals hold the truth as often as they say, on what real households spent?
//!
//! Customers are drawn from the households of `tests/data` with replacement, and assigned by the keyed hash of
//! the product, with another key each time. Half of the checks give the treated nothing, and count how often
//! something is found; the other half raise what the treated spend by a known share, and count how often the
//! interval holds what that comes to.

use rayon::prelude::*;
use tercet_measurement::Sums;
use tercet_measurement::assignment::{Arm, Holdout};
use tercet_measurement::estimate::{
    Adjusted, Estimate, LEVEL, RatioColumns, Refusal, Stratum, adjusted, adjusted_by_arm,
    adjusted_ratio, difference, difference_of_ratios, relative_difference,
    relative_difference_of_ratios, relative_stratified_difference, stratified_difference,
};
use tercet_measurement::sequential::{Verdict, anytime, bounds, judge};

const WEEKS: usize = 10;
const STRATA: usize = 4;

/// The treated spend so much more, in percent.
const EFFECT_PERCENT: i64 = 8;

/// Amounts are capped at what this share of the households stayed below in the weeks before.
const CAP_SHARE: f64 = 0.999;

/// Places in the sums of a group; from [`CUMULATIVE`] on the spend until each week's end.
const BEFORE: usize = 0;
const ORDERS_BEFORE: usize = 1;
const ORDERS: usize = 2;
const CAPPED: usize = 3;
const CUMULATIVE: usize = 4;
const SPEND: usize = CUMULATIVE + WEEKS - 1;
const WIDTH: usize = CUMULATIVE + WEEKS;

const RATIO: RatioColumns = RatioColumns {
    numerator: SPEND,
    denominator: ORDERS,
    numerator_before: BEFORE,
    denominator_before: ORDERS_BEFORE,
};

/// How large the trials are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Trials.
    pub(crate) trials: u32,
    /// Customers in each.
    pub(crate) customers: usize,
    /// Share of them held out.
    pub(crate) holdout: f64,
    /// The band of a share is wider by so many of its standard errors: 0 where the trials are enough.
    pub(crate) slack_errors: f64,
}

/// One share that was counted, and where it has to lie.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What was estimated.
    pub(crate) what: &'static str,
    /// What was counted.
    pub(crate) counted: &'static str,
    /// Trials in which it happened, over all trials.
    pub(crate) share: f64,
    /// The least share.
    pub(crate) least: f64,
    /// The largest share.
    pub(crate) most: f64,
}

impl Row {
    /// True when the share lies where it has to.
    pub(crate) fn holds(&self) -> bool {
        (self.least..=self.most).contains(&self.share)
    }
}

/// The estimates at the planned end.
const ESTIMATES: [&str; 11] = [
    "mean",
    "mean, relative",
    "ratio",
    "ratio, relative",
    "adjusted mean (CUPED)",
    "adjusted mean, relative",
    "adjusted mean, slopes by arm",
    "adjusted ratio",
    "capped mean",
    "stratified mean",
    "stratified mean, relative",
];

/// The ways to look every week.
const LOOKS: [&str; 4] = [
    "group-sequential bounds, mean",
    "group-sequential bounds, adjusted mean",
    "confidence sequence, mean",
    "confidence sequence, adjusted mean",
];

/// One household, and what it would do as a treated one.
struct Household {
    stratum: usize,
    /// `BEFORE` to `CAPPED`, then spend week by week.
    plain: [i64; WIDTH],
    raised: [i64; WIDTH],
}

/// The groups of one trial, summed up.
struct Groups {
    control: [Sums; STRATA],
    treated: [Sums; STRATA],
    raised: [Sums; STRATA],
}

/// All checks, in this order: what is found where there is nothing, what is found at any look where there is
/// nothing, and what intervals hold where there is something.
pub(crate) fn calibrate(size: Size) -> Vec<Row> {
    let households = households();
    let truths = truths(&households);
    let ids: Vec<String> = (0..size.customers).map(|customer| customer.to_string()).collect();
    let weeks: Vec<f64> = (1..=WEEKS).map(|week| week as f64 / WEEKS as f64).collect();
    let bounds = bounds(&weeks, LEVEL).unwrap();
    let weights: [f64; STRATA] = std::array::from_fn(|stratum| {
        households.iter().filter(|household| household.stratum == stratum).count() as f64
    });
    let trial = |number: u32| -> Vec<u32> {
        let groups = draw(&households, &ids, size.holdout, number);
        let [control, treated, raised] =
            [&groups.control, &groups.treated, &groups.raised].map(whole);
        let none = estimates([&treated, &control], [&groups.treated, &groups.control], &weights);
        let some = estimates([&raised, &control], [&groups.raised, &groups.control], &weights);
        let found = none.iter().map(|one| one.p_value.unwrap() < 1.0 - LEVEL);
        let at_looks = any_look(&treated, &control, &weeks, &bounds);
        let held =
            some.iter().zip(&truths).map(|(one, truth)| one.low <= *truth && *truth <= one.high);
        found.chain(at_looks).chain(held).map(u32::from).collect()
    };
    let add = |mut sums: Vec<u32>, one: Vec<u32>| {
        sums.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
        sums
    };
    let none = vec![0; 2 * ESTIMATES.len() + LOOKS.len()];
    let counts = (0..size.trials).into_par_iter().map(trial).reduce(|| none.clone(), add);
    let label = |names: &'static [&'static str], counted: &'static str, least: f64, most: f64| {
        names.iter().map(move |&what| (what, counted, least, most))
    };
    label(&ESTIMATES, "found where there is nothing", 0.045, 0.055)
        .chain(label(&LOOKS, "found at any look where there is nothing", 0.0, 0.055))
        .chain(label(&ESTIMATES, "interval holds the effect", 0.943, 0.957))
        .zip(counts)
        .map(|((what, counted, least, most), count)| {
            let share = f64::from(count) / f64::from(size.trials);
            let error = (0.05 * 0.95 / f64::from(size.trials)).sqrt();
            let slack = size.slack_errors * error;
            Row { what, counted, share, least: (least - slack).max(0.0), most: most + slack }
        })
        .collect()
}

/// Draws the customers of a trial and sums them up by group and stratum.
fn draw(households: &[Household], ids: &[String], holdout: f64, trial: u32) -> Groups {
    let mut key = [7; 16];
    key[..4].copy_from_slice(&trial.to_le_bytes());
    let holdout = Holdout::new(key, holdout).unwrap();
    let none = || std::array::from_fn(|_| Sums::new(WIDTH));
    let mut groups = Groups { control: none(), treated: none(), raised: none() };
    for (place, id) in ids.iter().enumerate() {
        let chance = scatter(u64::from(trial) << 32 | place as u64);
        let at = (u128::from(chance) * households.len() as u128) >> 64;
        let Household { stratum, plain, raised } = &households[at as usize];
        match holdout.arm(id) {
            Arm::Control => groups.control[*stratum].add(plain).unwrap(),
            Arm::Treatment => {
                groups.treated[*stratum].add(plain).unwrap();
                groups.raised[*stratum].add(raised).unwrap();
            }
        }
    }
    groups
}

/// A group's strata together, its weeks summed up from the first.
fn whole(strata: &[Sums; STRATA]) -> Sums {
    let mut all = Sums::new(WIDTH);
    strata.iter().for_each(|stratum| all.merge(stratum).unwrap());
    cumulative(&all)
}

fn cumulative(sums: &Sums) -> Sums {
    let weights: Vec<[i64; WIDTH]> = (0..WIDTH)
        .map(|to| {
            std::array::from_fn(|from| i64::from(from == to || (CUMULATIVE..to).contains(&from)))
        })
        .collect();
    let rows: Vec<&[i64]> = weights.iter().map(<[i64; WIDTH]>::as_slice).collect();
    sums.combined(&rows).unwrap()
}

/// In the order of [`ESTIMATES`], of treatment and control, whole and by strata.
fn estimates(
    [treatment, control]: [&Sums; 2],
    strata: [&[Sums; STRATA]; 2],
    weights: &[f64; STRATA],
) -> [Estimate; ESTIMATES.len()] {
    let mean = [treatment, control].map(|group| group.moments(SPEND));
    let capped = [treatment, control].map(|group| group.moments(CAPPED));
    let ratio = [treatment, control].map(|group| group.pair(ORDERS, SPEND));
    let less = adjusted(treatment, control, SPEND, &[BEFORE, ORDERS_BEFORE], LEVEL).unwrap();
    let by_arm = adjusted_by_arm(treatment, control, SPEND, &[BEFORE], LEVEL).unwrap();
    let less_ratio: Adjusted = adjusted_ratio(treatment, control, RATIO, LEVEL).unwrap();
    let stratum = |at: usize| {
        let [treatment, control] = strata.map(|group| cumulative(&group[at]).moments(SPEND));
        Stratum { treatment, control, weight: weights[at] }
    };
    let strata: Vec<Stratum> = (0..STRATA).map(stratum).collect();
    let found: [Result<Estimate, Refusal>; ESTIMATES.len()] = [
        difference(&mean[0], &mean[1], LEVEL),
        relative_difference(&mean[0], &mean[1], LEVEL),
        difference_of_ratios(&ratio[0], &ratio[1], LEVEL),
        relative_difference_of_ratios(&ratio[0], &ratio[1], LEVEL),
        Ok(less.difference),
        less.relative,
        Ok(by_arm.difference),
        Ok(less_ratio.difference),
        difference(&capped[0], &capped[1], LEVEL),
        stratified_difference(&strata, LEVEL),
        relative_stratified_difference(&strata, LEVEL),
    ];
    found.map(Result::unwrap)
}

/// In the order of [`LOOKS`].
fn any_look(
    treatment: &Sums,
    control: &Sums,
    weeks: &[f64],
    bounds: &[f64],
) -> [bool; LOOKS.len()] {
    let mut plain = Vec::with_capacity(WEEKS);
    let mut less = Vec::with_capacity(WEEKS);
    for (week, &fraction) in weeks.iter().enumerate() {
        let at = CUMULATIVE + week;
        let [a, b] = [treatment, control].map(|group| group.moments(at));
        plain.push((fraction, difference(&a, &b, LEVEL).unwrap()));
        let found = adjusted(treatment, control, at, &[BEFORE], LEVEL).unwrap();
        less.push((fraction, found.difference));
    }
    let stopped = |seen: &[(f64, Estimate)]| {
        let last = judge(seen, bounds).pop().unwrap();
        matches!(last.verdict, Verdict::Wins | Verdict::Loses)
    };
    let left = |seen: &[(f64, Estimate)]| {
        seen.iter().any(|(fraction, estimate)| {
            let found = anytime(estimate, *fraction).unwrap();
            found.low > 0.0 || found.high < 0.0
        })
    };
    [stopped(&plain), stopped(&less), left(&plain), left(&less)]
}

/// What each of [`ESTIMATES`] is an estimate of, over all households, when the treated spend more.
fn truths(households: &[Household]) -> [f64; ESTIMATES.len()] {
    let mean = |of: fn(&Household) -> i64| {
        households.iter().map(of).sum::<i64>() as f64 / households.len() as f64
    };
    let spend = mean(|household| household.plain[CUMULATIVE..].iter().sum());
    let raised = mean(|household| household.raised[CUMULATIVE..].iter().sum());
    let orders = mean(|household| household.plain[ORDERS]);
    let capped = mean(|household| household.raised[CAPPED] - household.plain[CAPPED]);
    let (more, relative) = (raised - spend, raised / spend - 1.0);
    let per_order = more / orders;
    [more, relative, per_order, relative, more, relative, more, per_order, capped, more, relative]
}

fn households() -> Vec<Household> {
    let rows: Vec<Vec<i64>> = include_str!("../data/household_weeks.csv")
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let mut before: Vec<i64> = rows.iter().map(|row| row[BEFORE]).collect();
    before.sort_unstable();
    let below = |share: f64| before[(before.len() as f64 * share) as usize];
    let cap = below(CAP_SHARE);
    let household = |row: &Vec<i64>| {
        let of = |percent: i64| -> [i64; WIDTH] {
            let week = |at: usize| (row[at - 1] * (100 + percent) + 50) / 100;
            let spend: i64 = (CUMULATIVE..WIDTH).map(week).sum();
            std::array::from_fn(|at| match at {
                CAPPED => spend.min(cap),
                at if at < CAPPED => row[at],
                at => week(at),
            })
        };
        let stratum = (1..STRATA)
            .filter(|&quartile| row[BEFORE] >= below(quartile as f64 / STRATA as f64))
            .count();
        Household { stratum, plain: of(0), raised: of(EFFECT_PERCENT) }
    };
    rows.iter().map(household).collect()
}

/// Numbers that hang on their place alone (splitmix64, doi:10.1145/2660193.2660195).
fn scatter(place: u64) -> u64 {
    let z = place.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
