//! What did offers bring that chance made or not, and does what was expected of them hold?
//!
//! Chance decided by known probabilities, so that no customer who would have bought anyway can pass for one whom an
//! offer moved: `ψ`, the doubly robust number of what an offer brought ([`ArmValues`]), is right on average whatever the
//! models say. It is read off step by step, each taking what the step before leaves:
//!
//! 1. how much of what was expected ([`super::causes`]) holds: a line, as through all offers, by `ψ`;
//! 2. by kind of promotion (mechanic and depth) what is missing or too much, drawn to the mechanic's mean and that to
//!    nothing, as far as chance alone explains it;
//! 3. what else differs between pairs, by the R learner, if the test of heterogeneity says that something does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tercet_measurement::estimate::LEVEL;
use tercet_measurement::uplift::{ArmValues, Heterogeneity, heterogeneity};
use tercet_models::gbdt::{Ensemble, FeatureSchema, Matrix};
use tercet_models::uplift::{
    Contrast, Propensity, RLearner, Trial, UpliftLearner, UpliftSettings, cross_fit,
};
use tercet_types::{Error, Result};

use super::causes::{Line, Point};
use super::kinds::{Kind, Mean, by_kind};
use super::told::{TrialFacts, Untold};
use crate::pipeline::tried::Tries;

/// Fewest customer-weeks in which a draw took the place of what was planned.
pub(super) const RANDOMISED_MIN: usize = 2_000;

/// Fewest purchases after offers that chance made, and after those that it did not make.
pub(super) const BOUGHT_MIN: usize = 30;

/// So many standard errors more, or fewer, offers were made than the chances say: then these are not the chances.
const ERRORS_MOST: f64 = 5.0;

/// A pair whose offer chance made or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct TriedRow {
    /// What the offer was expected to bring, learnt from other customers.
    pub(super) extra: f64,
    /// The probability that an eligible product is bought without it, learnt from other customers.
    pub(super) unoffered: f64,
    /// True when one was bought.
    pub(super) bought: bool,
    /// True when the offer was made.
    pub(super) is_offered: bool,
    /// True when it was used.
    pub(super) is_used: bool,
    /// The chance that it was.
    pub(super) chance: f64,
    /// The customer.
    pub(super) customer: i32,
    /// What folds are drawn by: of the customer.
    pub(super) key: u64,
    /// The promotion's kind.
    pub(super) kind: Kind,
}

/// What is known beside the line of what an offer brings.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::pipeline) struct Beside {
    /// Purchases of an offer more than the line says, by kind of promotion.
    kinds: BTreeMap<Kind, f64>,
    /// Purchases more than that, by the features of answers, where a test says that there are such differences.
    pub(in crate::pipeline) left: Option<Ensemble>,
    /// By what that is multiplied: how much of it came true.
    pub(in crate::pipeline) left_share: f64,
}

impl Beside {
    /// Purchases of an offer more than the line says, for its kind.
    pub(super) fn of_kind(&self, kind: Kind) -> f64 {
        self.kinds.get(&kind).copied().unwrap_or(0.0)
    }
}

/// [`Beside`] as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct BesideFile {
    kinds: Vec<(Kind, f64)>,
    left: Option<String>,
    left_share: f64,
}

impl BesideFile {
    pub(super) fn of(beside: &Beside) -> Result<Self> {
        Ok(Self {
            kinds: beside.kinds.iter().map(|(kind, more)| (*kind, *more)).collect(),
            left: beside.left.as_ref().map(Ensemble::to_json).transpose()?,
            left_share: beside.left_share,
        })
    }

    pub(super) fn read(self) -> Result<Beside> {
        Ok(Beside {
            kinds: self.kinds.into_iter().collect(),
            left: self.left.map(|text| Ensemble::from_json(&text)).transpose()?,
            left_share: self.left_share,
        })
    }
}

/// In how many customer-weeks a draw took the place of what was planned, when these are enough.
pub(super) fn enough(tries: &Tries) -> Result<usize, Untold> {
    let weeks = tries.as_ref().map_err(|why| Untold::Unread(why.clone()))?;
    let found: usize = weeks.iter().map(|week| week.randomised).sum();
    if found < RANDOMISED_MIN { Err(Untold::Few(found)) } else { Ok(found) }
}

/// What offers that chance made or not say of what was expected of them. `matrix` has the features of each row.
pub(super) fn read_off(
    rows: &[TriedRow],
    (matrix, schema): (&Matrix, &FeatureSchema),
    customer_weeks: usize,
    seed: u64,
) -> Result<Result<(Line, Beside, TrialFacts), Untold>> {
    let of = |offered: bool| rows.iter().filter(move |row| row.is_offered == offered);
    let bought = [true, false].map(|offered| of(offered).filter(|row| row.bought).count());
    if bought.into_iter().any(|count| count < BOUGHT_MIN) {
        return Ok(Err(Untold::Purchases(customer_weeks, bought)));
    }
    let errors = errors_of_chances(rows);
    if errors.abs() > ERRORS_MOST {
        return Ok(Err(Untold::Chances(errors)));
    }
    let outcome: Vec<f64> = rows.iter().map(|row| f64::from(u8::from(row.bought))).collect();
    let arms = Arms::of(rows);
    let expected: Vec<f64> =
        rows.iter().flat_map(|row| [row.unoffered, (row.unoffered + row.extra).min(1.0)]).collect();
    let brought = arms.effects(&outcome, &expected)?;
    let points: Vec<Point> = rows
        .iter()
        .zip(&brought)
        .map(|(row, brought)| Point {
            extra: row.extra,
            unoffered: row.unoffered,
            brought: *brought,
            of: row.customer,
        })
        .collect();
    let Some(line) = Line::of_points(&points) else {
        return Ok(Err(Untold::Signal(customer_weeks, None)));
    };
    let line = Line { uses: rows.iter().filter(|row| row.is_used).count(), ..line };
    let said: Vec<f64> = rows.iter().map(|row| line.extra(row.extra, row.unoffered, 0.0)).collect();
    let all = Mean::of(rows.iter().map(|row| row.customer).zip(brought.iter().copied()));
    let (kinds, kind_facts) = by_kind(rows, &brought, &said);
    let mut facts = TrialFacts {
        customer_weeks,
        pairs: [true, false].map(|offered| of(offered).count()),
        brought: all.mean,
        brought_error: all.variance.sqrt(),
        line,
        left_p_value: None,
        is_left_used: false,
        kinds: kind_facts,
    };
    if !line.suffices() {
        return Ok(Err(Untold::Signal(customer_weeks, Some(Box::new(facts)))));
    }
    let mut beside = Beside { kinds, left: None, left_share: 0.0 };
    let known: Vec<f64> = rows
        .iter()
        .map(|row| line.extra(row.extra, row.unoffered, beside.of_kind(row.kind)))
        .collect();
    // What is left: purchases less those that offers made are known to bring.
    let rest: Vec<f64> = rows
        .iter()
        .zip(outcome.iter().zip(&known))
        .map(|(row, (bought, known))| if row.is_offered { bought - known } else { *bought })
        .collect();
    let left = Left { rows, arms: &arms, rest: &rest, matrix, schema };
    let settings = settings(seed);
    if let Some(test) = left.test(&settings)? {
        facts.left_p_value = Some(test.p_value);
        facts.is_left_used = test.usable();
        if test.usable() {
            beside.left = Some(left.learn(&settings)?);
            beside.left_share = test.slope.value.clamp(0.0, 1.0);
        }
    }
    Ok(Ok((line, beside, facts)))
}

/// Small trees, and few folds: pairs are many, and what is left is little.
fn settings(seed: u64) -> UpliftSettings {
    let default = UpliftSettings::default();
    UpliftSettings { effect: default.effect[..1].to_vec(), folds: 4, seed, ..default }
}

/// By how many standard errors more offers were made than their chances say. Draws of a slate exclude each other, so
/// that the sum varies less than taken here.
fn errors_of_chances(rows: &[TriedRow]) -> f64 {
    let more: f64 = rows.iter().map(|row| f64::from(u8::from(row.is_offered)) - row.chance).sum();
    let variance: f64 = rows.iter().map(|row| row.chance * (1.0 - row.chance)).sum();
    if variance > 0.0 { more / variance.sqrt() } else { 0.0 }
}

/// Who got the offer, by which chance.
struct Arms {
    arm: Vec<u16>,
    propensity: Vec<f64>,
}

impl Arms {
    fn of(rows: &[TriedRow]) -> Self {
        Self {
            arm: rows.iter().map(|row| u16::from(row.is_offered)).collect(),
            propensity: rows.iter().flat_map(|row| [1.0 - row.chance, row.chance]).collect(),
        }
    }

    /// `ψ` of each row; `expected` has the outcome without the offer and with it.
    fn effects(&self, outcome: &[f64], expected: &[f64]) -> Result<Vec<f64>> {
        ArmValues::doubly_robust(outcome, &self.arm, &self.propensity, expected)
            .map(|values| values.effects(1))
            .map_err(Error::from)
    }
}

/// What the line and the kinds leave.
struct Left<'a> {
    rows: &'a [TriedRow],
    arms: &'a Arms,
    rest: &'a [f64],
    matrix: &'a Matrix,
    schema: &'a FeatureSchema,
}

impl Left<'_> {
    fn keys(&self) -> Vec<u64> {
        self.rows.iter().map(|row| row.key).collect()
    }

    /// Whether pairs differ in what is left; nothing where predictions do not.
    fn test(&self, settings: &UpliftSettings) -> Result<Option<Heterogeneity>> {
        let keys = self.keys();
        let trial = Trial {
            matrix: self.matrix,
            outcome: self.rest,
            arm: &self.arms.arm,
            propensity: Propensity::Rows(&self.arms.propensity),
            key: &keys,
        };
        let found = cross_fit(&RLearner, &trial, &[0], self.schema, settings)?;
        let left = self.arms.effects(self.rest, &found.expected)?;
        Ok(heterogeneity(&left, &found.uplift_before, &found.fold, LEVEL).ok())
    }

    fn learn(&self, settings: &UpliftSettings) -> Result<Ensemble> {
        let contrast = Contrast {
            matrix: self.matrix.clone(),
            outcome: self.rest.to_vec(),
            treated: self.rows.iter().map(|row| row.is_offered).collect(),
            propensity: self.rows.iter().map(|row| row.chance).collect(),
            key: self.keys(),
        };
        RLearner.fit(&contrast, self.schema, settings)?.into_ensemble()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from 0 to 1 by a congruential generator.
    fn draws(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    const CHANCES: [f64; 3] = [0.2, 0.5, 0.8];
    const KINDS: [Kind; 3] = [(0, 1), (0, 3), (1, 2)];

    /// 24,000 pairs of 3,000 customers, whose offers bring what `effect` says of what is expected, the kind and a
    /// feature; offers are made by `bias` more often than their chances say.
    fn trial(
        effect: impl Fn(f64, Kind, f64) -> f64,
        bias: f64,
    ) -> Result<(Line, Beside, TrialFacts), Untold> {
        let mut draw = draws(7);
        let mut features = Vec::new();
        let row = |at: usize| {
            let (extra, unoffered) = (0.12 * draw() * draw(), 0.3 * draw() * draw());
            let (chance, kind, told) = (CHANCES[at % 3], KINDS[(at / 3) % 3], draw());
            features.extend([told as f32, draw() as f32]);
            let is_offered = draw() < chance + bias;
            let brought = if is_offered { effect(extra, kind, told) } else { 0.0 };
            let bought = draw() < unoffered + brought;
            let customer = (at / 8) as i32;
            let key = tercet_models::uplift::row_key(&customer.to_string());
            let is_used = is_offered && bought;
            TriedRow { extra, unoffered, bought, is_offered, is_used, chance, customer, key, kind }
        };
        let rows: Vec<TriedRow> = (0..24_000).map(row).collect();
        let matrix = Matrix::new(rows.len(), 2, features).unwrap();
        let schema = FeatureSchema::numeric(["told", "noise"]);
        read_off(&rows, (&matrix, &schema), 2_345, 1).unwrap()
    }

    #[test]
    fn the_line_is_what_of_the_expected_holds() {
        for times in [0.5, 1.5] {
            let (line, beside, facts) = trial(|extra, _, _| times * extra, 0.0).unwrap();
            assert!((line.per_extra - times).abs() < 4.0 * line.per_extra_error, "{line:?}");
            // The mean that is expected is a quarter of 0.12.
            assert!((facts.brought - times * 0.03).abs() < 4.0 * facts.brought_error, "{facts:?}");
            assert!(KINDS.iter().all(|kind| beside.of_kind(*kind).abs() < 0.02), "{beside:?}");
            assert_eq!(beside.of_kind((5, 5)), 0.0);
            assert!(!facts.is_left_used && beside.left.is_none(), "{facts:?}");
            assert_eq!(facts.pairs.iter().sum::<usize>(), 24_000);
            assert!(facts.words().contains("2,345 randomised customer-weeks"), "{}", facts.words());
        }
        let untold = trial(|_, _, _| 0.0, 0.0).unwrap_err();
        assert!(matches!(untold, Untold::Signal(2_345, Some(_))), "{untold:?}");
    }

    #[test]
    fn a_kind_that_brings_more_is_given_more() {
        let more = |kind: Kind| if kind == (0, 3) { 0.06 } else { 0.0 };
        let (_, beside, facts) = trial(|extra, kind, _| extra + more(kind), 0.0).unwrap();
        let found = KINDS.map(|kind| beside.of_kind(kind));
        // The line takes a share of it: what counts is what the kinds have over each other.
        assert!((found[1] - found[0] - 0.06).abs() < 0.03, "{found:?}");
        assert!(found[1] > found[2] + 0.02, "{found:?}");
        let pairs: Vec<usize> = facts.kinds.iter().map(|kind| kind.pairs).collect();
        assert_eq!(pairs, [8_001, 8_001, 7_998]);
    }

    #[test]
    fn what_is_left_is_learnt_where_it_differs() {
        let effect = |extra: f64, _: Kind, told: f64| extra + if told > 0.5 { 0.15 } else { 0.0 };
        let (_, beside, facts) = trial(effect, 0.0).unwrap();
        assert!(facts.is_left_used && facts.left_p_value.unwrap() < 1e-3, "{facts:?}");
        assert!(facts.words().contains("are learnt from them"), "{}", facts.words());
        let left = beside.left.as_ref().unwrap();
        let rows = Matrix::new(2, 2, vec![0.9, 0.5, 0.1, 0.5]).unwrap();
        let found = left.predict(&rows).unwrap();
        let apart = beside.left_share * (found[0] - found[1]);
        assert!((apart - 0.15).abs() < 0.06, "{found:?} {}", beside.left_share);
        let kept = BesideFile::of(&beside).unwrap();
        let kept = serde_json::to_string(&kept).unwrap();
        let read: BesideFile = serde_json::from_str(&kept).unwrap();
        assert_eq!(read.read().unwrap(), beside);
    }

    #[test]
    fn what_tells_nothing_is_said_in_words() {
        let found = |of: Untold, word: &str| {
            assert!(of.words().contains(word), "{}", of.words());
        };
        found(trial(|extra, _, _| extra, 0.05).unwrap_err(), "more often than the logged");
        let none = read_off(
            &[],
            (&Matrix::new(1, 1, vec![0.0]).unwrap(), &FeatureSchema::numeric(["x"])),
            2_001,
            1,
        );
        found(none.unwrap().unwrap_err(), "0 purchases came after offers made by chance");
        found(trial(|_, _, _| 0.0, 0.0).unwrap_err(), "too little to choose by");
        found(Untold::Signal(3, None), "too much alike");
        let mut week = crate::pipeline::tried::TriedWeek::new("2026-02-02".parse().unwrap());
        week.randomised = RANDOMISED_MIN - 1;
        found(enough(&Ok(vec![week.clone()])).unwrap_err(), "1,999 of 2,000 randomised");
        found(enough(&Err("no propensities".to_owned())).unwrap_err(), "no propensities");
        week.randomised += 1;
        assert_eq!(enough(&Ok(vec![week])), Ok(RANDOMISED_MIN));
    }
}
