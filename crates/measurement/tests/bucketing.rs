//! Does the assignment still put every customer where the golden vectors say, and are salts independent?

use serde_json::Value;
use tercet_measurement::assignment::{Salt, bucket, hash};
use tercet_measurement::srm::{Srm, srm};

#[test]
fn buckets_are_those_of_the_golden_vectors() {
    let text = include_str!("../../../schemas/vectors/bucketing.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 156);
    for case in cases {
        let hex = u128::from_str_radix(case["key"].as_str().unwrap(), 16).unwrap();
        let key = hex.to_be_bytes();
        let text = case["salt"].as_str().unwrap();
        let salt = match text.strip_prefix("engine_ab:") {
            Some(name) => Salt::Experiment(name),
            None => Salt::ALL.into_iter().find(|salt| salt.text() == text).unwrap(),
        };
        let id = case["customer_id"].as_str().unwrap();
        assert_eq!(salt.text(), text);
        assert_eq!(format!("{:016x}", hash(&key, salt, id)), case["hash"], "{salt:?} {id:.40}");
        assert_eq!(u64::from(bucket(&key, salt, id)), case["bucket"], "{salt:?} {id:.40}");
    }
}

const CUSTOMERS: usize = 6_000;
const SALTS: usize = 100;

/// The buckets of all customers for a hundred experiments.
fn buckets() -> Vec<Vec<u16>> {
    let ids: Vec<String> = (0..CUSTOMERS).map(|id| id.to_string()).collect();
    let of = |at: usize| {
        let name = format!("test-{at}");
        ids.iter().map(|id| bucket(&[42; 16], Salt::Experiment(&name), id)).collect()
    };
    (0..SALTS).map(of).collect()
}

/// Of so many independent tests of what is so, none has a p-value that would be rare among them, and their
/// chi-squares add up to what they should, at p > .001 by the normal limit of chi-square.
fn assert_chance(tests: &[Srm], degrees_of_freedom: usize) {
    let least = tests.iter().map(|test| test.p_value).fold(1.0, f64::min);
    assert!(least > 0.001 / tests.len() as f64, "{least}");
    let expected = (degrees_of_freedom * tests.len()) as f64;
    let sum: f64 = tests.iter().map(|test| test.chi2).sum();
    assert!(((sum - expected) / (2.0 * expected).sqrt()).abs() < 3.29, "{sum} of {expected}");
}

#[test]
fn a_hundred_salts_are_uniform() {
    let test = |buckets: &Vec<u16>| {
        let mut counts = [0_u64; 20];
        buckets.iter().for_each(|bucket| counts[usize::from(bucket * 2 / 1_000)] += 1);
        srm(&counts, &[0.05; 20]).unwrap()
    };
    assert_chance(&buckets().iter().map(test).collect::<Vec<_>>(), 19);
}

#[test]
fn a_hundred_salts_are_pairwise_independent() {
    // Of fixed halves, so that n·φ² of a pair hangs on no salt's own luck: chi-square with one degree of freedom.
    let halves: Vec<Vec<bool>> = buckets()
        .iter()
        .map(|of| {
            let mut order: Vec<usize> = (0..CUSTOMERS).collect();
            order.sort_by_key(|at| (of[*at], *at));
            let mut is_lower = vec![false; CUSTOMERS];
            order[..CUSTOMERS / 2].iter().for_each(|at| is_lower[*at] = true);
            is_lower
        })
        .collect();
    let mut tests = Vec::with_capacity(SALTS * (SALTS - 1) / 2);
    for (at, one) in halves.iter().enumerate() {
        for other in &halves[at + 1..] {
            let same = one.iter().zip(other).filter(|(a, b)| a == b).count();
            let counts = [same as u64, (CUSTOMERS - same) as u64];
            tests.push(srm(&counts, &[0.5; 2]).unwrap());
        }
    }
    assert_eq!(tests.len(), 4_950);
    assert_chance(&tests, 1);
}
