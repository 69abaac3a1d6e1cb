//! Do customers differ in what an offer does to them, as far as a prediction can tell?

use serde::Serialize;

use super::Refusal;
use crate::estimate::{Estimate, UNITS_MIN, slope};
use crate::{Moments, normal};

/// A prediction of uplift is used when chance alone gives a slope like its own at most so often: a trial is
/// looked at by several outcomes, arms and learners.
pub const SIGNIFICANT_P: f64 = 0.01;

/// Whether predicted differences of effect are there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Heterogeneity {
    /// By how much the effect rises per unit of predicted uplift: 1 is calibrated, 0 or less is useless.
    pub slope: Estimate,
    /// The chance of such slopes, or steeper ones, where the effect is the same for all.
    pub p_value: f64,
}

impl Heterogeneity {
    /// Whether it is worth choosing by the prediction; else send to all or to nobody.
    pub fn usable(&self) -> bool {
        self.p_value <= SIGNIFICANT_P
    }
}

/// What is summed up of the units of a fold, around its means.
#[derive(Clone, Copy, Debug, Default)]
struct Fold {
    predicted: Moments,
    effect: Moments,
    /// `Σ x²`, `Σ x y` and, around a slope, `Σ (x e)²`.
    spread: f64,
    along: f64,
    meat: f64,
}

/// The best linear predictor of the effect by a prediction (Chernozhukov, Demirer, Duflo and Fernández-Val
/// 2018, arXiv:1712.04802, with doubly robust effects as in Semenova and Chernozhukov 2021,
/// doi:10.1093/ectj/utaa027), tested fold by fold (Wager 2024, "Sequential validation of treatment
/// heterogeneity", arXiv:2405.05534).
///
/// `effects` is [`super::ArmValues::effects`]. `predicted` of a unit was learnt from the folds **before** its
/// own alone, `None` in the first. Predictions learnt from all other folds will not do: where there is nothing
/// to find, what two folds have in common by chance counts twice, and the test rejects too often.
///
/// The slope is that of the regression of effects on predictions with an intercept for each fold; the p-value
/// is one-sided, of the sum of the folds' own z.
///
/// # Errors
/// `Shape`, `NotFinite`, `NoRanking` when predictions differ within no fold, `NoEstimate`.
pub fn heterogeneity(
    effects: &[f64],
    predicted: &[Option<f64>],
    fold: &[u8],
    level: f64,
) -> Result<Heterogeneity, Refusal> {
    if effects.len() != predicted.len() || effects.len() != fold.len() {
        return Err(Refusal::Shape);
    }
    if effects.iter().chain(predicted.iter().flatten()).any(|number| !number.is_finite()) {
        return Err(Refusal::NotFinite);
    }
    let units = || {
        let units = effects.iter().zip(predicted).zip(fold);
        units.filter_map(|((y, x), fold)| Some((usize::from(*fold), (*x)?, *y)))
    };
    let mut folds = vec![Fold::default(); usize::from(u8::MAX) + 1];
    for (fold, x, y) in units() {
        folds[fold].predicted.add(x);
        folds[fold].effect.add(y);
    }
    let centred = |fold: &Fold, x: f64, y: f64| (x - fold.predicted.mean(), y - fold.effect.mean());
    for (fold, x, y) in units() {
        let (x, y) = centred(&folds[fold], x, y);
        folds[fold].spread += x * x;
        folds[fold].along += x * y;
    }
    let largest = units().map(|(_, x, _)| x.abs()).fold(0.0, f64::max);
    let told = |fold: &Fold| {
        let rounding = (largest * 1e-9).powi(2) * fold.predicted.count() as f64;
        fold.predicted.count() >= UNITS_MIN && fold.spread > rounding
    };
    let known: Vec<bool> = folds.iter().map(told).collect();
    if !known.contains(&true) {
        return Err(Refusal::NoRanking);
    }
    let total = |part: fn(&Fold) -> f64, folds: &[Fold]| -> f64 {
        folds.iter().zip(&known).filter(|(_, known)| **known).map(|(fold, _)| part(fold)).sum()
    };
    let spread = total(|fold| fold.spread, &folds);
    let pooled = total(|fold| fold.along, &folds) / spread;
    let mut own = vec![0.0; folds.len()];
    for (place, x, y) in units() {
        let fold = &mut folds[place];
        let (x, y) = centred(fold, x, y);
        fold.meat += (x * (y - pooled * x)).powi(2);
        own[place] += (x * (y - fold.along / fold.spread * x)).powi(2);
    }
    let count = total(|fold| fold.predicted.count() as f64, &folds);
    let used = known.iter().filter(|known| **known).count() as f64;
    let dof = count - used - 1.0;
    let variance = total(|fold| fold.meat, &folds) / (spread * spread) * count / dof;
    let slope = slope(pooled, variance, dof, level)?;
    let tested = folds.iter().zip(&own).zip(&known).filter(|(_, known)| **known);
    let z = |fold: &Fold, own: f64| {
        let count = fold.predicted.count() as f64;
        fold.along / (own * count / (count - 2.0)).sqrt()
    };
    let z: f64 = tested.map(|((fold, own), _)| z(fold, *own)).sum();
    Ok(Heterogeneity { slope, p_value: normal::upper_tail(z / used.sqrt()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::LEVEL;
    use crate::uplift::ArmValues;

    const CELLS: usize = 10;
    const FOLDS: u8 = 5;
    const TRIALS: u64 = 1_000;

    /// Numbers in [0, 1) by a congruential generator.
    fn draws(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    struct Row {
        kind: usize,
        fold: u8,
        arm: u16,
        outcome: f64,
    }

    /// Customers of ten kinds buy with a chance of their kind, the treated with `effect` of the kind on top.
    /// What is predicted for a fold is the difference of the arms, kind by kind, in the folds before it, or in
    /// all others where `all` is set.
    fn trial(
        units: usize,
        seed: u64,
        effect: impl Fn(usize) -> f64,
        all: bool,
    ) -> Result<Heterogeneity, Refusal> {
        let mut draw = draws(seed);
        let mut sums = vec![[[[0.0; 2]; 2]; CELLS]; usize::from(FOLDS)];
        let mut row = |_| {
            let kind = (draw() * CELLS as f64) as usize;
            let fold = (draw() * f64::from(FOLDS)) as u8;
            let arm = u16::from(draw() < 0.5);
            let chance = 0.05 + 0.03 * kind as f64 + effect(kind) * f64::from(arm);
            let outcome = f64::from(draw() < chance);
            let sum = &mut sums[usize::from(fold)][kind][usize::from(arm)];
            *sum = [sum[0] + 1.0, sum[1] + outcome];
            Row { kind, fold, arm, outcome }
        };
        let rows: Vec<Row> = (0..units).map(&mut row).collect();
        let learnt = |row: &Row, all: bool| {
            let used = |fold: &u8| *fold < row.fold || all && *fold != row.fold;
            [0, 1].map(|arm| {
                let of = |fold: u8| sums[usize::from(fold)][row.kind][arm];
                let add = |a: [f64; 2], b: [f64; 2]| [a[0] + b[0], a[1] + b[1]];
                let [units, outcomes] = (0..FOLDS).filter(used).map(of).fold([1.0, 0.2], add);
                outcomes / units
            })
        };
        let expected: Vec<f64> = rows.iter().flat_map(|row| learnt(row, true)).collect();
        let predict = |row: &Row| {
            let [control, treatment] = learnt(row, all);
            (row.fold > 0 || all).then_some(treatment - control)
        };
        let predicted: Vec<Option<f64>> = rows.iter().map(predict).collect();
        let arms: Vec<u16> = rows.iter().map(|row| row.arm).collect();
        let outcomes: Vec<f64> = rows.iter().map(|row| row.outcome).collect();
        let folds: Vec<u8> = rows.iter().map(|row| row.fold).collect();
        let values = ArmValues::doubly_robust(&outcomes, &arms, &vec![0.5; 2 * units], &expected)?;
        heterogeneity(&values.effects(1), &predicted, &folds, LEVEL)
    }

    #[test]
    fn where_the_effect_is_the_same_for_all_it_is_seldom_called_different() {
        let found = |effect: f64, all: bool, seeds: std::ops::Range<u64>| -> Vec<f64> {
            seeds
                .filter_map(|seed| trial(600, seed, |_| effect, all).ok())
                .map(|it| it.p_value)
                .collect()
        };
        let share = |found: &[f64], level: f64| {
            found.iter().filter(|p| **p <= level).count() as f64 / found.len() as f64
        };
        let same = [found(0.0, false, 0..TRIALS), found(0.05, false, TRIALS..2 * TRIALS)].concat();
        let shares = [share(&same, 0.05), share(&same, SIGNIFICANT_P)];
        assert!(shares[0] <= 0.06 && shares[1] <= 0.015, "{shares:?}");
        // Why the folds after a unit's own do not count.
        let all = share(&found(0.0, true, 0..TRIALS / 2), 0.05);
        assert!(all > 0.06, "{all}");
    }

    #[test]
    fn where_effects_differ_it_is_found_and_the_slope_is_one() {
        let found = trial(20_000, 3, |kind| 0.02 * kind as f64, false).unwrap();
        assert!(found.usable() && found.p_value < 1e-6, "{found:?}");
        assert!(found.slope.low < 1.0 && 1.0 < found.slope.high, "{found:?}");
        let (effects, predicted) =
            ([1.0, 0.0, 3.0].repeat(40), [2.0, 3.0, 1.0].map(Some).repeat(40));
        let mistaken = heterogeneity(&effects, &predicted, &[0; 120], LEVEL);
        assert!(mistaken.unwrap().p_value > 0.99);
    }

    #[test]
    fn what_cannot_be_tested_is_refused() {
        let check = |effects: &[f64], predicted: &[f64], expect: Refusal| {
            let (folds, predicted) =
                (vec![1; predicted.len()], predicted.iter().copied().map(Some));
            let found = heterogeneity(effects, &predicted.collect::<Vec<_>>(), &folds, LEVEL);
            assert_eq!(found, Err(expect));
        };
        let effects = [1.0, 2.0, 4.0].repeat(40);
        check(&effects, &[0.1; 119], Refusal::Shape);
        check(&effects, &[f64::NAN; 120], Refusal::NotFinite);
        check(&effects, &[0.1; 120], Refusal::NoRanking);
        check(&effects[..12], &effects[..12], Refusal::NoRanking);
        let none = heterogeneity(&effects, &[None; 120], &[0; 120], LEVEL);
        assert_eq!(none, Err(Refusal::NoRanking));
        // Folds that differ in nothing but their level.
        let folds: Vec<u8> = (0..120).map(|unit| unit % 2).collect();
        let levels: Vec<_> = folds.iter().map(|fold| Some(0.1 + f64::from(*fold))).collect();
        assert_eq!(heterogeneity(&effects, &levels, &folds, LEVEL), Err(Refusal::NoRanking));
    }
}
