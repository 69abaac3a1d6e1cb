//! Are values of policies those of Open Bandit Pipeline, unbiased, and as sure as they say?
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

use serde_json::Value;
use tercet_measurement::Moments;
use tercet_measurement::estimate::Estimate;
use tercet_measurement::off_policy::{
    Choice, Estimator, LAMBDAS, Predicted, Refusal, Round, WeighedLog,
};

const LEVEL: f64 = 0.95;

/// SplitMix64, as in the script of the oracle.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) >> 11
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn share(&mut self) -> f64 {
        self.next() as f64 / (1_u64 << 53) as f64
    }
}

/// The rounds of a log of the oracle, customer by customer, and whether rewards are zero or one.
fn drawn(seed: u64, by_customer: bool) -> (Vec<Vec<Round>>, bool) {
    let mut numbers = Numbers(seed);
    let rounds = 60 + numbers.below(140);
    let actions = 2 + numbers.below(6) as usize;
    let are_binary = numbers.below(2) == 0;
    let flat = 1 + numbers.below(30);
    let mut units: Vec<Vec<Round>> = Vec::new();
    for n in 0..rounds {
        let behaviour: Vec<u64> = (0..actions).map(|_| flat + numbers.below(20)).collect();
        let mut target: Vec<u64> = (0..actions).map(|_| numbers.below(30)).collect();
        target[0] += 1;
        let sum = |parts: &[u64]| parts.iter().sum::<u64>();
        let at = numbers.below(sum(&behaviour));
        let action = (0..actions).find(|action| at < sum(&behaviour[..=*action])).unwrap();
        let reward = if are_binary { numbers.below(2) } else { numbers.below(100) };
        let mut predict = || match are_binary {
            true => numbers.below(101) as f64 / 100.0,
            false => numbers.below(100) as f64,
        };
        let predicted: Vec<f64> = (0..actions).map(|_| predict()).collect();
        let is_new = numbers.below(3) > 0;
        let share = |parts: &[u64]| parts[action] as f64 / sum(parts) as f64;
        let target_sum: f64 = target.iter().zip(&predicted).map(|(t, q)| *t as f64 * q).sum();
        let round = Round::new(share(&behaviour), share(&target), reward as f64).unwrap();
        let round = round
            .predicted(Predicted {
                done: predicted[action],
                target: target_sum / sum(&target) as f64,
            })
            .unwrap();
        match units.last_mut() {
            Some(unit) if by_customer && n > 0 && !is_new => unit.push(round),
            _ => units.push(vec![round]),
        }
    }
    (units, are_binary)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn near(found: f64, expect: f64, scale: f64) {
    assert!((found - expect).abs() <= 1e-9 * scale.abs().max(1.0), "{found}, not {expect}");
}

fn lambda(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::INFINITY)
}

#[test]
fn values_are_those_of_open_bandit_pipeline() {
    let oracle: Value = serde_json::from_str(include_str!("oracle/off_policy.json")).unwrap();
    let logs = oracle["logs"].as_array().unwrap();
    assert_eq!(logs.len(), 1_000);
    let (mut compared, mut refused) = (0, 0);
    for (seed, expect) in logs.iter().enumerate() {
        let (units, are_binary) = drawn(seed as u64, seed % 2 == 1);
        let mut log = WeighedLog::new(&LAMBDAS, are_binary.then_some(1.0));
        units.iter().for_each(|unit| log.add_unit(unit));
        let facts = log.weights().unwrap();
        let values = expect["values"].as_array().unwrap();
        let mut check = |place: usize, found: Result<Estimate, Refusal>| match found {
            Ok(found) => {
                let expected = numbers(&values[place]);
                near(found.value, expected[0], expected[0]);
                near(found.std_error, expected[1], expected[0]);
                if !expect["ends"].is_null() {
                    let ends = numbers(&expect["ends"][place]);
                    near(found.low, ends[0], ends[1]);
                    near(found.high, ends[1], ends[1]);
                }
                compared += 1;
            }
            Err(refusal) => {
                let is_off = (facts.mean - 1.0).abs() >= 4.0 * facts.mean_error;
                let are_few = facts.effective_rounds < 30.0;
                assert!(
                    refusal == Refusal::WeightsOff && is_off
                        || refusal == Refusal::FewEffective && are_few,
                    "{seed}: {refusal:?}"
                );
                refused += 1;
            }
        };
        for (place, estimator) in Estimator::ALL.into_iter().enumerate() {
            check(place, log.value(estimator, LEVEL));
        }
        check(7, log.logged(LEVEL));
        check(8, log.over_logged(Estimator::Dr, LEVEL));
        if expect["weights"].is_null() {
            continue;
        }
        let weights = numbers(&expect["weights"]);
        let found =
            [facts.mean, facts.mean_error, facts.effective_rounds, facts.max, facts.zero_share];
        found.iter().zip(&weights).for_each(|(found, expect)| near(*found, *expect, *expect));
        for (place, estimator) in [Estimator::SwitchDr, Estimator::DrOs].into_iter().enumerate() {
            let expect = expect["lambdas"][place].as_array().unwrap();
            let shrunk = log.shrunk(estimator).unwrap();
            assert_eq!(shrunk.lambda, lambda(&expect[0]), "{seed}");
            let bound = expect[1].as_f64().unwrap();
            near(shrunk.mse_bound, bound, bound);
        }
    }
    assert!(compared > 8_900 && refused < 100, "{compared} {refused}");
}

#[test]
fn slates_are_weighed_jointly_and_slot_by_slot() {
    let oracle: Value = serde_json::from_str(include_str!("oracle/off_policy.json")).unwrap();
    let mut compared = [0; 2];
    for (seed, expect) in (1_000..).zip(oracle["slates"].as_array().unwrap()) {
        let mut source = Numbers(seed);
        let (mut joint, mut apart) = (WeighedLog::default(), WeighedLog::default());
        for _ in 0..120 {
            let slots = [(); 3].map(|()| {
                let behaviour = [(); 4].map(|()| 20 + source.below(10));
                let target = [(); 4].map(|()| 10 + source.below(20));
                let at = source.below(behaviour.iter().sum::<u64>());
                let action = (0..4).find(|a| at < behaviour[..=*a].iter().sum::<u64>()).unwrap();
                let share =
                    |parts: [u64; 4]| parts[action] as f64 / parts.iter().sum::<u64>() as f64;
                Choice { propensity: share(behaviour), target: share(target) }
            });
            let reward = source.below(50) as f64;
            let product = |of: fn(&Choice) -> f64| slots.iter().map(of).product::<f64>();
            let propensity = product(|slot| slot.propensity);
            joint.add(Round::new(propensity, product(|slot| slot.target), reward).unwrap());
            apart.add(Round::of_slots(&slots, reward).unwrap());
        }
        for (place, log) in [&joint, &apart].into_iter().enumerate() {
            let expect = numbers(&expect[place]);
            match log.value(Estimator::Ips, LEVEL) {
                Ok(found) => {
                    near(found.value, expect[0], expect[0]);
                    near(found.std_error, expect[3], expect[0]);
                    compared[place] += 1;
                }
                Err(refusal) => {
                    assert!(matches!(refusal, Refusal::WeightsOff | Refusal::FewEffective));
                }
            }
        }
    }
    assert!(compared.iter().all(|count| *count > 45), "{compared:?}");
}

/// A shop with three kinds of customers and four promotions: what sells to whom, and how it was offered.
const SELLS: [[f64; 4]; 3] = [[0.1, 0.4, 0.2, 0.3], [0.5, 0.1, 0.3, 0.2], [0.2, 0.2, 0.6, 0.1]];
const LOGGED: [[f64; 4]; 3] =
    [[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]];
const TARGET: [[f64; 4]; 3] = [[0.1, 0.7, 0.1, 0.1], [0.6, 0.1, 0.2, 0.1], [0.1, 0.1, 0.8, 0.0]];
/// Predictions that lie off by a fifth and a tenth.
const OFF: [f64; 4] = [1.2, 0.8, 1.1, 0.9];

fn truth() -> f64 {
    let of =
        |kind: usize| -> f64 { SELLS[kind].iter().zip(TARGET[kind]).map(|(s, t)| s * t).sum() };
    (0..3).map(of).sum::<f64>() / 3.0
}

/// A log of so many customers with one to three rounds each; rounds of a customer are of one kind.
fn simulated(seed: u64, customers: usize) -> WeighedLog {
    let mut source = Numbers(seed.wrapping_mul(0x1234_5678_9ABC_DEF1));
    let mut log = WeighedLog::new(&[], None);
    for _ in 0..customers {
        let kind = source.below(3) as usize;
        let rounds = 1 + source.below(3);
        let unit: Vec<Round> = (0..rounds)
            .map(|_| {
                let (at, mut action, mut sum) = (source.share(), 0, LOGGED[kind][0]);
                while action < 3 && at >= sum {
                    action += 1;
                    sum += LOGGED[kind][action];
                }
                let sells = source.share() < SELLS[kind][action];
                let q = |action: usize| OFF[action] * SELLS[kind][action];
                let target = (0..4).map(|action| TARGET[kind][action] * q(action)).sum();
                let reward = f64::from(u8::from(sells));
                Round::new(LOGGED[kind][action], TARGET[kind][action], reward)
                    .unwrap()
                    .predicted(Predicted { done: q(action), target })
                    .unwrap()
            })
            .collect();
        log.add_unit(&unit);
    }
    log
}

#[test]
fn values_are_unbiased_and_intervals_hold_the_truth() {
    const LOGS: u64 = 2_000;
    const CHECKED: [Estimator; 5] =
        [Estimator::Ips, Estimator::Snips, Estimator::Dm, Estimator::Dr, Estimator::Sndr];
    let truth = truth();
    let mut errors = [Moments::default(); CHECKED.len()];
    let mut squares = [0.0; CHECKED.len()];
    let mut held = [0_u32; CHECKED.len()];
    let mut fair = 0_u64;
    for seed in 0..LOGS {
        let log = simulated(seed, 300);
        fair += u64::from(log.weights().unwrap().are_fair);
        for (place, estimator) in CHECKED.into_iter().enumerate() {
            let found = log.value(estimator, LEVEL).unwrap();
            errors[place].add(found.value - truth);
            squares[place] += (found.value - truth).powi(2);
            held[place] += u32::from((found.low..=found.high).contains(&truth));
        }
    }
    for (place, estimator) in CHECKED.into_iter().enumerate() {
        let (mean, error) = (errors[place].mean(), errors[place].mean_variance().unwrap().sqrt());
        let coverage = f64::from(held[place]) / LOGS as f64;
        if estimator == Estimator::Dm {
            // A wrong model is a wrong value, however narrow its interval.
            assert!(mean.abs() > 10.0 * error && coverage < 0.9, "{estimator:?} {mean} {coverage}");
        } else {
            assert!(mean.abs() < 3.0 * error, "{estimator:?}: {mean} ± {error}");
            assert!((0.93..=0.97).contains(&coverage), "{estimator:?}: {coverage}");
        }
    }
    assert!(squares[3] <= squares[0], "DR is further from the truth than IPS: {squares:?}");
    assert_eq!(fair, LOGS);
}

#[test]
fn slates_are_unbiased_where_slots_are_drawn_independently() {
    // Two slots of three promotions; what they sell adds up.
    const PAYS: [[f64; 3]; 2] = [[1.0, 3.0, 5.0], [2.0, 0.0, 4.0]];
    const DRAWN: [[f64; 3]; 2] = [[0.4, 0.3, 0.3], [0.4, 0.3, 0.3]];
    const WANTED: [[f64; 3]; 2] = [[0.1, 0.1, 0.8], [0.1, 0.2, 0.7]];
    let truth: f64 =
        (0..2).map(|slot| (0..3).map(|a| PAYS[slot][a] * WANTED[slot][a]).sum::<f64>()).sum();
    let (mut joint_errors, mut apart_errors) = (Moments::default(), Moments::default());
    for seed in 0..400_u64 {
        let mut source = Numbers(seed + 77);
        let (mut joint, mut apart) = (WeighedLog::new(&[], None), WeighedLog::new(&[], None));
        for _ in 0..400 {
            let mut slots = [Choice { propensity: 1.0, target: 1.0 }; 2];
            let mut reward = source.share() - 0.5;
            for (slot, choice) in slots.iter_mut().enumerate() {
                let at = source.share();
                let action = usize::from(at >= DRAWN[slot][0])
                    + usize::from(at >= DRAWN[slot][0] + DRAWN[slot][1]);
                *choice = Choice { propensity: DRAWN[slot][action], target: WANTED[slot][action] };
                reward += PAYS[slot][action];
            }
            let [a, b] = slots;
            let weighed = Round::new(a.propensity * b.propensity, a.target * b.target, reward);
            joint.add(weighed.unwrap());
            apart.add(Round::of_slots(&slots, reward).unwrap());
        }
        joint_errors.add(joint.value(Estimator::Ips, LEVEL).unwrap().value - truth);
        apart_errors.add(apart.value(Estimator::Ips, LEVEL).unwrap().value - truth);
    }
    for errors in [joint_errors, apart_errors] {
        assert!(errors.mean().abs() < 3.0 * errors.mean_variance().unwrap().sqrt(), "{errors:?}");
    }
    // PI needs no agreement of whole slates.
    assert!(apart_errors.variance() < joint_errors.variance());
}
