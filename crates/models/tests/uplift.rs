//! Do learners of uplift keep the laws: no leak, the same bits, known effects found?
#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

use tercet_models::gbdt::{FeatureSchema, Matrix, Params};
use tercet_models::uplift::{
    CrossFit, LEARNERS, Propensity, Trial, UpliftLearner, UpliftModel, UpliftSettings, cross_fit,
    fit, row_key,
};

/// Numbers in [0, 1) by a congruential generator.
fn draws(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A trial whose effects are known.
struct World {
    matrix: Matrix,
    outcome: Vec<f64>,
    arm: Vec<u16>,
    propensity: Vec<f64>,
    key: Vec<u64>,
    effect: Vec<f64>,
}

/// Set-up A of Nie and Wager 2021: features uniform, treatment likelier where the outcome is high anyway,
/// effect `(x₁ + x₂) / 2`; or, with `binary`, a coin and a purchase that the treated make likelier by
/// `0.3 · x₁`.
fn world(rows: usize, seed: u64, binary: bool) -> World {
    let mut draw = draws(seed);
    let mut world = World {
        matrix: Matrix::default(),
        outcome: Vec::new(),
        arm: Vec::new(),
        propensity: Vec::new(),
        key: (0..rows).map(|row| row_key(&row.to_string())).collect(),
        effect: Vec::new(),
    };
    let mut values = Vec::new();
    for _ in 0..rows {
        let x: [f64; 5] = std::array::from_fn(|_| draw());
        let wave = (std::f64::consts::PI * x[0] * x[1]).sin();
        let noise = (0..12).map(|_| draw()).sum::<f64>() - 6.0;
        let chance = if binary { 0.5 } else { wave.clamp(0.1, 0.9) };
        let treated = draw() < chance;
        let (effect, outcome) = if binary {
            let effect = 0.3 * x[0];
            let likely = 0.1 + 0.4 * x[2] + if treated { effect } else { 0.0 };
            (effect, f64::from(u8::from(draw() < likely)))
        } else {
            let effect = (x[0] + x[1]) / 2.0;
            let base = wave + 2.0 * (x[2] - 0.5).powi(2) + x[3] + 0.5 * x[4];
            (effect, base + (f64::from(u8::from(treated)) - 0.5) * effect + 0.5 * noise)
        };
        values.extend(x.map(|x| x as f32));
        world.outcome.push(outcome);
        world.arm.push(u16::from(treated));
        world.propensity.extend([1.0 - chance, chance]);
        world.effect.push(effect);
    }
    world.matrix = Matrix::new(rows, 5, values).unwrap();
    world
}

impl World {
    fn trial(&self) -> Trial<'_> {
        Trial {
            matrix: &self.matrix,
            outcome: &self.outcome,
            arm: &self.arm,
            propensity: Propensity::Rows(&self.propensity),
            key: &self.key,
        }
    }

    fn cross_fit(&self, learner: &dyn UpliftLearner) -> CrossFit {
        cross_fit(learner, &self.trial(), &[0], &schema(), &quick()).unwrap()
    }
}

fn schema() -> FeatureSchema {
    FeatureSchema::numeric(["a", "b", "c", "d", "e"])
}

fn settings() -> UpliftSettings {
    let params = |leaves, rounds| Params {
        rounds,
        leaves: Some(leaves),
        learning_rate: 0.1,
        column_sample: 1.0,
        early_stopping_rounds: None,
        ..Params::default()
    };
    UpliftSettings {
        outcome: params(8, 40),
        effect: vec![params(4, 30), params(8, 30)],
        stage_folds: 4,
        folds: 4,
        seed: 3,
    }
}

/// Settings by which laws show that hold under any.
fn quick() -> UpliftSettings {
    let few = |params: &Params| Params { rounds: 5, ..params.clone() };
    let UpliftSettings { outcome, effect, .. } = settings();
    UpliftSettings {
        outcome: few(&outcome),
        effect: effect.iter().map(few).collect(),
        stage_folds: 2,
        folds: 3,
        ..settings()
    }
}

fn rmse(found: &[f64], truth: &[f64]) -> f64 {
    let squares: f64 = found.iter().zip(truth).map(|(a, b)| (a - b).powi(2)).sum();
    (squares / truth.len() as f64).sqrt()
}

/// How far a learner misses the effects of fresh rows.
fn error_of(learner: &dyn UpliftLearner, binary: bool) -> f64 {
    let (world, fresh) = (world(3_000, 5, binary), world(1_000, 6, binary));
    let settings = UpliftSettings { effect: settings().effect[..1].to_vec(), ..settings() };
    let model = fit(learner, &world.trial(), &[0], &schema(), &settings).unwrap();
    rmse(&model.predict(&fresh.matrix).unwrap(), &fresh.effect)
}

#[test]
fn effects_are_found_as_well_as_econml_finds_them() {
    let oracle: serde_json::Value =
        serde_json::from_str(include_str!("oracle/uplift.json")).unwrap();
    let fresh = world(1_000, 6, false);
    let mean = fresh.effect.iter().sum::<f64>() / fresh.effect.len() as f64;
    let same_for_all = rmse(&vec![mean; fresh.effect.len()], &fresh.effect);
    let expect = oracle["same for all"].as_f64().unwrap();
    assert!((same_for_all - expect).abs() < 1e-6, "the same rows: {same_for_all}");
    for learner in LEARNERS {
        let expect = oracle[learner.name()].as_f64().unwrap();
        let found = error_of(learner, false);
        // EconML's X weighs each row by its chance of treatment, ours all by the share.
        let bound = if learner.name() == "x" { 1.1 } else { 1.05 };
        assert!(found <= bound * expect, "{}: {found}, EconML {expect}", learner.name());
    }
}

#[test]
fn what_makes_customers_buy_is_found() {
    // Effects are even from 0 to 0.3: their standard deviation is 0.087.
    for learner in LEARNERS.into_iter().filter(|learner| learner.name() != "t") {
        let found = error_of(learner, true);
        assert!(found < 0.075, "{}: {found}", learner.name());
    }
}

#[test]
fn a_fold_has_no_say_in_what_is_predicted_of_it() {
    let plain = world(400, 7, true);
    for learner in LEARNERS {
        let before = plain.cross_fit(learner);
        for fold in [0, 2] {
            let mut other = world(400, 7, true);
            for row in (0..400).filter(|row| before.fold[*row] == fold) {
                other.outcome[row] = 1.0 - other.outcome[row];
                other.arm[row] = 1 - other.arm[row];
            }
            let after = other.cross_fit(learner);
            assert_eq!(after.fold, before.fold);
            for row in 0..400 {
                let own = before.fold[row];
                let both = 2 * row..2 * row + 2;
                let same = after.uplift[row] == before.uplift[row]
                    && after.outcome[row] == before.outcome[row]
                    && after.expected[both.clone()] == before.expected[both];
                assert!(own != fold || same, "{}", learner.name());
                let earlier = after.uplift_before[row] == before.uplift_before[row];
                assert!(own > fold || earlier, "{}", learner.name());
                assert_eq!(before.uplift_before[row].is_some(), own > 0);
            }
            let moved = (0..400).any(|row| after.uplift[row] != before.uplift[row]);
            assert!(moved, "{}: what is learnt from a fold counts elsewhere", learner.name());
        }
    }
}

#[test]
fn models_are_the_same_on_any_number_of_threads_and_read_back_bit_by_bit() {
    let world = world(300, 8, false);
    for learner in LEARNERS {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let model = fit(learner, &world.trial(), &[0], &schema(), &quick()).unwrap();
                (world.cross_fit(learner), model)
            })
        };
        let (one, three) = (on(1), on(3));
        assert!(one == three, "{}", learner.name());
        let text = one.1.to_json().unwrap().to_string();
        let read = UpliftModel::from_json(serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(read, one.1);
        assert_eq!(read.predict(&world.matrix).unwrap(), one.1.predict(&world.matrix).unwrap());
        let other = text.replacen("tercet-uplift", "tercet-other", 1);
        let refused = UpliftModel::from_json(serde_json::from_str(&other).unwrap());
        assert_eq!(refused.unwrap_err().code(), "T0402");
    }
}

#[test]
fn arms_are_learnt_each_against_control_and_drawn_together_by_kind() {
    let mut world = world(3_000, 11, true);
    // A third of the treated, by the key, become an arm of their own: the same in all but name.
    for row in 0..3_000 {
        world.arm[row] += u16::from(world.arm[row] == 1 && world.key[row].is_multiple_of(3));
    }
    let shares = [0.5, 1.0 / 3.0, 1.0 / 6.0];
    let trial = Trial { propensity: Propensity::Shares(&shares), ..world.trial() };
    let of = |kinds: &[u16]| fit(LEARNERS[0], &trial, kinds, &schema(), &settings()).unwrap();
    let (apart, together) = (of(&[0, 1]), of(&[0, 0]));
    assert!(apart.shrinkage().iter().all(|arm| arm.own == 1.0));
    assert!(together.shrinkage().iter().all(|arm| arm.own < 0.9), "{:?}", together.shrinkage());
    let spread = |model: &UpliftModel| {
        let effects = model.predict(&world.matrix).unwrap();
        let apart: f64 = effects.chunks(2).map(|pair| (pair[0] - pair[1]).abs()).sum();
        apart / world.outcome.len() as f64
    };
    assert!(spread(&together) < 0.9 * spread(&apart));
}

#[test]
fn a_trial_that_cannot_be_learnt_from_is_refused() {
    let world = world(100, 10, true);
    let check = |trial: Trial<'_>, kinds: &[u16], code: &str| {
        let error = fit(LEARNERS[0], &trial, kinds, &schema(), &settings()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    };
    let fine = world.trial();
    check(fine, &[], "T0411");
    check(Trial { key: &world.key[1..], ..fine }, &[0], "T0411");
    check(Trial { arm: &[0; 100], ..fine }, &[0], "T0412");
    check(Trial { arm: &[2; 100], ..fine }, &[0], "T0411");
    check(Trial { outcome: &[f64::NAN; 100], ..fine }, &[0], "T0411");
    check(Trial { propensity: Propensity::Shares(&[0.5, 0.6]), ..fine }, &[0], "T0411");
    check(Trial { propensity: Propensity::Shares(&[1.0]), ..fine }, &[], "T0411");
    check(Trial { propensity: Propensity::Rows(&world.propensity[1..]), ..fine }, &[0], "T0411");
}
