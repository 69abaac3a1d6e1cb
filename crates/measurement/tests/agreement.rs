//! Are estimates from exact sums those of gbstats, on a thousand pairs of groups?
#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

use tercet_measurement::Sums;
use tercet_measurement::estimate::{
    Estimate, LEVEL, RatioColumns, adjusted, adjusted_by_arm, adjusted_ratio, difference,
    difference_of_ratios, relative_difference, relative_difference_of_ratios,
};
use tercet_measurement::sequential::anytime;

const CASES: u64 = 1_000;

const SPEND: usize = 0;
const ORDERS: usize = 1;
const BEFORE: usize = 2;
const ORDERS_BEFORE: usize = 3;

/// Relative to the estimate or its interval, whichever reaches farther.
const TOLERANCE: f64 = 1e-9;

/// Numbers that hang on their place alone, as in the script of the oracle.
fn below(case: u64, arm: u64, unit: u64, column: u64, bound: u64) -> i64 {
    let place = ((case * 2 + arm) * 1024 + unit) * 8 + column;
    let z = place.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) % bound) as i64
}

fn units(case: u64, arm: u64) -> Sums {
    let mut sums = Sums::new(4);
    for unit in 0..100 + below(case, arm, 1023, 0, 300) as u64 {
        let draw = |column: u64, bound: u64| below(case, arm, unit, column, bound);
        let buys = i64::from(draw(0, 100) < 70);
        let large = if draw(1, 8) == 0 { 5 } else { 1 };
        let spend = buys * (draw(2, 5_000) + 1) * large * (100 + (arm * (case % 30)) as i64) / 100;
        let orders = buys * (1 + draw(3, 6));
        let before = spend * draw(4, 100) / 100 + draw(5, 2_000);
        sums.add(&[spend, orders, before, orders / 2 + draw(6, 4)]).unwrap();
    }
    sums
}

#[test]
fn estimates_are_those_of_gbstats() {
    let lines: Vec<&str> = include_str!("oracle/agreement.csv").lines().collect();
    assert_eq!(lines.len() as u64, CASES);
    for (case, line) in (0..CASES).zip(lines) {
        let expect: Vec<f64> = line.split(',').map(|number| number.parse().unwrap()).collect();
        let (control, treatment) = (units(case, 0), units(case, 1));
        let mean = [&treatment, &control].map(|group| group.moments(SPEND));
        let ratio = [&treatment, &control].map(|group| group.pair(ORDERS, SPEND));
        let less = adjusted(&treatment, &control, SPEND, &[BEFORE], LEVEL).unwrap();
        let columns = RatioColumns {
            numerator: SPEND,
            denominator: ORDERS,
            numerator_before: BEFORE,
            denominator_before: ORDERS_BEFORE,
        };
        let less_ratio = adjusted_ratio(&treatment, &control, columns, LEVEL).unwrap();
        let plain = difference(&mean[0], &mean[1], LEVEL).unwrap();
        let found = [
            (plain, true),
            (relative_difference(&mean[0], &mean[1], LEVEL).unwrap(), false),
            (less.difference, true),
            (less.relative.unwrap(), false),
            (difference_of_ratios(&ratio[0], &ratio[1], LEVEL).unwrap(), true),
            (relative_difference_of_ratios(&ratio[0], &ratio[1], LEVEL).unwrap(), false),
            (less_ratio.difference, true),
        ];
        let mut expect = expect.into_iter();
        let mut near = |what: &str, found: f64, scale: f64| {
            let expect = expect.next().unwrap();
            let off = (found - expect).abs();
            assert!(off <= TOLERANCE * scale, "case {case}, {what}: {found}, not {expect}");
        };
        for (Estimate { value, low, high, p_value, method, .. }, tested) in found {
            let name = format!("{method:?}");
            let scale = value.abs().max(high - low);
            near(&name, value, scale);
            near(&name, low, scale);
            if tested {
                near(&name, p_value.unwrap(), 1.0);
            }
        }
        let sequence = anytime(&plain, 0.5).unwrap();
        let scale = plain.value.abs().max(sequence.high - sequence.low);
        near("sequence", plain.value, scale);
        near("sequence", sequence.low, scale);
        near("sequence", sequence.p_value, 1.0);
        assert_eq!(expect.next(), None);
    }
}

/// By statsmodels from rows: slopes of all units together, and of each arm's own.
#[test]
fn several_covariates_are_those_of_least_squares() {
    for line in include_str!("oracle/covariates.csv").lines().skip(1) {
        let expect: Vec<f64> = line.split(',').map(|number| number.parse().unwrap()).collect();
        let case = expect[0] as u64;
        let (control, treatment) = (units(case, 0), units(case, 1));
        let covariates = [BEFORE, ORDERS_BEFORE];
        let pooled = adjusted(&treatment, &control, SPEND, &covariates, LEVEL).unwrap();
        let by_arm = adjusted_by_arm(&treatment, &control, SPEND, &covariates, LEVEL).unwrap();
        let found = [
            pooled.difference.value,
            pooled.difference.std_error,
            pooled.explained,
            by_arm.difference.value,
            by_arm.difference.std_error,
        ];
        for (found, expect) in found.iter().zip(&expect[1..]) {
            let off = (found - expect).abs();
            assert!(off <= TOLERANCE * pooled.difference.std_error.max(1.0), "{line}: {found}");
        }
    }
}
