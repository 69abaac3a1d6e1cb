//! What does an offer bring, as far as the answers to earlier offers tell?
//!
//! Two ensembles learn from offers of past weeks: which of them were used, and what the same customers bought of
//! promotions that were not offered to them. What an offer brings is read off a line through held-out predictions:
//! the purchases of who was offered, less those that would have come anyway, by the uses that were expected. That is
//! an X-learner for a rare treatment (Künzel, Sekhon, Bickel, Yu, PNAS 2019, doi:10.1073/pnas.1804597116) whose
//! second stage sees two numbers, because uses are few.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tercet_engine::Engine;
use tercet_features::{
    ANSWER_CUSTOMER_FACTS, ANSWER_PROMOTION_FACTS, AnswerFacts, AnsweredPairs, PAIR_FEATURES,
};
use tercet_models::gbdt::{Ensemble, FeatureSchema, Matrix, Objective, Params, TrainingSet, train};
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use super::lessons::Lessons;
use super::shop::Shop;
use super::week::Week;
use crate::config::Config;

/// Past weeks whose offers are learnt from.
pub(super) const ANSWER_WEEKS: i32 = 16;

/// Fewest offers, and fewest of them used, that anything is learnt from.
const OFFERS_MIN: usize = 1_000;
const USED_MIN: usize = 30;

/// What uses say of extra purchases counts when it is so many standard errors above nothing.
const ERRORS_MIN: f64 = 3.0;

/// Parts of the customers; each is predicted by what was learnt from the others.
const FOLDS: u64 = 3;

/// Features of a promotion in its answers: the facts of its own, and its depth.
pub(super) const PROMOTION_ANSWERS: usize = ANSWER_PROMOTION_FACTS.len() + 1;

/// Features of a customer in the answers.
pub(super) const CUSTOMER_ANSWERS: usize = ANSWER_CUSTOMER_FACTS.len();

/// Features of a pair that grow with how much a promotion covers. What an offer brings hangs on how much the customer
/// is after such things, however little of them the promotion covers: each is learnt from a second time, relative to
/// its mean over customers.
pub(super) const RELATIVE: [&str; 7] = [
    "category_affinity",
    "type_affinity",
    "maker_affinity",
    "neighbour_products",
    "neighbour_types",
    "neighbour_types_new",
    "neighbour_type_pairs",
];

/// Sums of the features in [`RELATIVE`], and how many they are of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Levels {
    sums: [f64; RELATIVE.len()],
    rows: f64,
}

impl Levels {
    /// Where the features stand among those of a pair.
    pub(super) fn places() -> [usize; RELATIVE.len()] {
        RELATIVE.map(|name| {
            PAIR_FEATURES.iter().position(|feature| feature.name == name).unwrap_or_default()
        })
    }

    /// Adds a row that begins with the cross features.
    pub(super) fn add(&mut self, row: &[f32], places: &[usize; RELATIVE.len()]) {
        for (sum, place) in self.sums.iter_mut().zip(places) {
            *sum += f64::from(row[*place]).max(0.0);
        }
        self.rows += 1.0;
    }

    /// What the features of each promotion (or group) are to be multiplied by: the mean over all of them, over its
    /// own. Both are drawn together, so that a promotion that hardly anybody is near does not become everybody's.
    pub(super) fn factors(all: &[Self]) -> Vec<[f32; RELATIVE.len()]> {
        /// Share of the mean over all promotions that is added to each one's own.
        const DRAWN: f64 = 0.05;
        let mean = |levels: &Self, at: usize| levels.sums[at] / levels.rows.max(1.0);
        let count = all.iter().filter(|levels| levels.rows > 0.0).count().max(1) as f64;
        let over_all: [f64; RELATIVE.len()] = std::array::from_fn(|at| {
            all.iter().map(|levels| mean(levels, at)).sum::<f64>() / count
        });
        all.iter()
            .map(|levels| {
                std::array::from_fn(|at| {
                    let own = mean(levels, at) + DRAWN * over_all[at];
                    if own > 0.0 { ((1.0 + DRAWN) * over_all[at] / own) as f32 } else { 0.0 }
                })
            })
            .collect()
    }
}

/// The features in [`RELATIVE`] of a row, times the factors of its promotion.
pub(super) fn relative(
    row: &[f32],
    places: &[usize; RELATIVE.len()],
    factors: &[f32; RELATIVE.len()],
) -> [f32; RELATIVE.len()] {
    std::array::from_fn(|at| row[places[at]].max(0.0) * factors[at])
}

/// What offers bring.
pub(crate) struct Answers {
    /// Probability that an offer is used in its week.
    pub(super) used: Ensemble,
    /// Probability that an eligible product is bought in the week without the offer.
    pub(super) unoffered: Ensemble,
    /// The line.
    pub(super) line: Line,
    /// What is known of promotions, by index; their depth last.
    promotions: BTreeMap<i32, [f32; PROMOTION_ANSWERS]>,
    /// The rates over all customers.
    pub(super) means: [f64; CUSTOMER_ANSWERS],
}

/// Extra purchases of an offer: so many for each use that is expected, less so many for each purchase that would have
/// come anyway.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Extra purchases for a use.
    pub(crate) per_use: f64,
    /// Its standard error.
    pub(crate) per_use_error: f64,
    /// Extra purchases for a purchase that comes anyway: at most nothing, for uses of these bring none.
    pub(crate) per_unoffered: f64,
    /// Offers it was read off.
    pub(crate) offers: usize,
    /// Those of them that were used.
    pub(crate) uses: usize,
}

impl Line {
    /// Extra purchases expected of one offer; never negative.
    pub(super) fn extra(&self, used: f64, unoffered: f64) -> f64 {
        (self.per_use * used + self.per_unoffered * unoffered).max(0.0)
    }

    /// Least squares of `bought − unoffered` on `used` and `unoffered`, through nothing, weighted by the inverse
    /// of the variance that a purchase has.
    fn through(rows: &[Held]) -> Option<Self> {
        /// No purchase is so certain that it counts for all others.
        const VARIANCE_MIN: f64 = 0.02;
        let weight = |row: &Held| {
            let rate = (row.unoffered + row.used).min(0.5);
            1.0 / (rate * (1.0 - rate)).max(VARIANCE_MIN)
        };
        let (mut uu, mut un, mut nn, mut uy, mut ny) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for row in rows {
            let (w, y) = (weight(row), f64::from(u8::from(row.bought)) - row.unoffered);
            uu += w * row.used * row.used;
            un += w * row.used * row.unoffered;
            nn += w * row.unoffered * row.unoffered;
            uy += w * row.used * y;
            ny += w * row.unoffered * y;
        }
        let determinant = uu * nn - un * un;
        if uu <= 0.0 || determinant <= 1e-9 * uu * nn {
            return None;
        }
        let both = ((uy * nn - ny * un) / determinant, (ny * uu - uy * un) / determinant);
        // Who is offered more buys more anyway: what is left of that is no effect of offers.
        let (per_use, per_unoffered, bread) = if both.1 <= 0.0 {
            (both.0, both.1, [nn / determinant, -un / determinant])
        } else {
            (uy / uu, 0.0, [1.0 / uu, 0.0])
        };
        let meat: f64 = rows
            .iter()
            .map(|row| {
                let y = f64::from(u8::from(row.bought)) - row.unoffered;
                let left = y - per_use * row.used - per_unoffered * row.unoffered;
                let score = bread[0] * row.used + bread[1] * row.unoffered;
                (weight(row) * left * score).powi(2)
            })
            .sum();
        Some(Self {
            per_use,
            per_use_error: meat.sqrt(),
            per_unoffered,
            offers: rows.len(),
            uses: rows.iter().filter(|row| row.was_used).count(),
        })
    }

    /// True when uses say something of what offers bring.
    fn suffices(&self) -> bool {
        self.per_use > ERRORS_MIN * self.per_use_error
    }
}

/// An offer, predicted by what was learnt from other customers.
struct Held {
    used: f64,
    unoffered: f64,
    bought: bool,
    was_used: bool,
}

impl Answers {
    /// Learns from the offers of past weeks; `None` when they are too few, or say nothing of what offers bring.
    pub(super) fn fit(
        engine: &Engine,
        shop: &Shop,
        week: &Week,
        config: &Config,
        seed: u64,
        lessons: &mut Lessons,
    ) -> Result<Option<Self>> {
        let mondays: Vec<Date> =
            (1..=ANSWER_WEEKS).map(|back| week.as_of.plus_days(-back * DAYS_PER_WEEK)).collect();
        lessons.learn_answers(engine, shop, config, &mondays)?;
        let weeks: Vec<&AnsweredPairs> = lessons.answers(&mondays).collect();
        let count = |of: fn(&AnsweredPairs) -> &Vec<bool>| -> usize {
            weeks.iter().flat_map(|week| of(week)).filter(|flag| **flag).count()
        };
        if count(|week| &week.offered) < OFFERS_MIN || count(|week| &week.used) < USED_MIN {
            return Ok(None);
        }
        let depth = |promotion: i32| {
            week.promotions.get(&promotion).map_or(f32::NAN, |p| p.discount_rate as f32)
        };
        let rows = Rows::of(&weeks, depth, shop);
        let learn = |place: u64, offered: bool, fold: Option<u64>| {
            rows.learn(&params(config, seed.wrapping_add(place)), offered, fold)
        };
        let mut held = Vec::new();
        for fold in 0..FOLDS {
            let (used, unoffered) =
                (learn(fold, true, Some(fold))?, learn(fold, false, Some(fold))?);
            rows.hold(fold, &used, &unoffered, &mut held)?;
        }
        let Some(line) = Line::through(&held).filter(Line::suffices) else { return Ok(None) };
        let facts = AnswerFacts::read(engine, week.as_of)?;
        let promotions = week
            .promotions
            .keys()
            .map(|ix| {
                let [mechanic, rate, new] = facts.promotion(*ix);
                (*ix, [mechanic, rate, new, depth(*ix)])
            })
            .collect();
        Ok(Some(Self {
            used: learn(FOLDS, true, None)?,
            unoffered: learn(FOLDS, false, None)?,
            line,
            promotions,
            means: facts.customers.means,
        }))
    }

    /// What is known of a promotion.
    pub(super) fn promotion(&self, promotion: i32) -> [f32; PROMOTION_ANSWERS] {
        self.promotions.get(&promotion).copied().unwrap_or([f32::NAN; PROMOTION_ANSWERS])
    }

    /// The file of the models stage.
    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        let written = Written {
            used: self.used.to_json()?,
            unoffered: self.unoffered.to_json()?,
            line: self.line,
            promotions: self.promotions.iter().map(|(ix, facts)| (*ix, *facts)).collect(),
            means: self.means,
        };
        serde_json::to_vec(&written).map_err(|cause| {
            Error::internal("T1005", "the answers could not be written as JSON").cause(cause)
        })
    }

    /// Reads the file of the models stage.
    pub(super) fn from_json(bytes: &[u8]) -> Result<Self> {
        let written: Written = serde_json::from_slice(bytes).map_err(|cause| {
            Error::data("T0402", format!("{ANSWERS_FILE}: not a model file")).cause(cause)
        })?;
        Ok(Self {
            used: Ensemble::from_json(&written.used)?,
            unoffered: Ensemble::from_json(&written.unoffered)?,
            line: written.line,
            promotions: written.promotions.into_iter().collect(),
            means: written.means,
        })
    }
}

/// Where the models stage keeps them.
pub(super) const ANSWERS_FILE: &str = "answers.json";

/// [`Answers`] as JSON. Depths and rates are finite or null.
#[derive(Serialize, Deserialize)]
struct Written {
    used: String,
    unoffered: String,
    line: Line,
    #[serde(with = "nullable")]
    promotions: Vec<(i32, [f32; PROMOTION_ANSWERS])>,
    means: [f64; CUSTOMER_ANSWERS],
}

/// NaN stands as null: JSON has no other word for it.
mod nullable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::PROMOTION_ANSWERS;

    type Facts = Vec<(i32, [f32; PROMOTION_ANSWERS])>;

    pub(super) fn serialize<S: Serializer>(facts: &Facts, to: S) -> Result<S::Ok, S::Error> {
        let rows: Vec<_> = facts
            .iter()
            .map(|(ix, row)| (ix, row.map(|value| value.is_finite().then_some(value))))
            .collect();
        rows.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Facts, D::Error> {
        let rows = Vec::<(i32, [Option<f32>; PROMOTION_ANSWERS])>::deserialize(from)?;
        Ok(rows
            .into_iter()
            .map(|(ix, row)| (ix, row.map(|value| value.unwrap_or(f32::NAN))))
            .collect())
    }
}

/// The names of the features: those of pairs, of promotions' answers, of customers' answers.
pub(super) fn answer_schema() -> FeatureSchema {
    FeatureSchema::numeric(
        PAIR_FEATURES
            .iter()
            .map(|feature| feature.name)
            .chain(ANSWER_PROMOTION_FACTS)
            .chain(["promotion_depth_rate"])
            .chain(ANSWER_CUSTOMER_FACTS)
            .map(str::to_owned)
            .chain(RELATIVE.map(|name| format!("{name}_relative"))),
    )
}

/// Few trees of few leaves: uses are rare.
fn params(config: &Config, seed: u64) -> Params {
    Params {
        objective: Objective::Logistic,
        rounds: 60,
        leaves: Some(6),
        max_depth: None,
        learning_rate: 0.1,
        min_rows_per_leaf: 50,
        min_child_weight: 1.0,
        subsample: config.model.row_share,
        column_sample: 0.5,
        l2: 10.0,
        early_stopping_rounds: None,
        seed,
        bins: 63,
    }
}

/// Offers made and not made, week below week.
struct Rows {
    width: usize,
    values: Vec<f32>,
    offered: Vec<bool>,
    used: Vec<bool>,
    bought: Vec<bool>,
    fold: Vec<u64>,
}

impl Rows {
    fn of(weeks: &[&AnsweredPairs], depth: impl Fn(i32) -> f32, shop: &Shop) -> Self {
        let width = PAIR_FEATURES.len() + PROMOTION_ANSWERS + CUSTOMER_ANSWERS + RELATIVE.len();
        let mut rows = Self {
            width,
            values: Vec::new(),
            offered: Vec::new(),
            used: Vec::new(),
            bought: Vec::new(),
            fold: Vec::new(),
        };
        // Offers not made are drawn evenly: they stand for the customers.
        let places = Levels::places();
        let mut levels: BTreeMap<i32, Levels> = BTreeMap::new();
        for week in weeks {
            for row in (0..week.pairs.rows()).filter(|row| !week.offered[*row]) {
                let of = levels.entry(week.pairs.promotion_ix[row]).or_default();
                of.add(week.pairs.row(row), &places);
            }
        }
        let factors: Vec<Levels> = levels.values().copied().collect();
        let factors: BTreeMap<i32, _> =
            levels.keys().copied().zip(Levels::factors(&factors)).collect();
        for week in weeks {
            for row in 0..week.pairs.rows() {
                let (customer, promotion) =
                    (week.pairs.customer_ix[row], week.pairs.promotion_ix[row]);
                rows.values.extend_from_slice(week.pairs.row(row));
                rows.values.extend(week.facts.promotion(promotion));
                rows.values.push(depth(promotion));
                rows.values.extend(week.facts.customers.of(customer));
                let factors = factors.get(&promotion).unwrap_or(&[0.0; RELATIVE.len()]);
                rows.values.extend(relative(week.pairs.row(row), &places, factors));
                let id = shop.indexes.customer_ids[customer as usize].as_bytes();
                rows.fold.push(u64::from(blake3::hash(id).as_bytes()[0]) % FOLDS);
            }
            rows.offered.extend(&week.offered);
            rows.used.extend(&week.used);
            rows.bought.extend(&week.bought);
        }
        rows
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    fn matrix(&self, rows: &[usize]) -> Result<Matrix> {
        let values = rows.iter().flat_map(|row| self.row(*row)).copied().collect();
        Matrix::new(rows.len(), self.width, values)
    }

    /// Learns, of all customers or of those outside a fold, which offers were used or what was bought without.
    fn learn(&self, params: &Params, offered: bool, without: Option<u64>) -> Result<Ensemble> {
        let rows: Vec<usize> = (0..self.offered.len())
            .filter(|row| self.offered[*row] == offered && Some(self.fold[*row]) != without)
            .collect();
        let label = if offered { &self.used } else { &self.bought };
        let labels: Vec<f32> = rows.iter().map(|row| if label[*row] { 1.0 } else { 0.0 }).collect();
        let matrix = self.matrix(&rows)?;
        let set = TrainingSet { matrix: &matrix, labels: &labels, weights: None };
        Ok(train(params, &set, None, &answer_schema())?.0)
    }

    /// Predicts the offers made to the customers of a fold.
    fn hold(
        &self,
        fold: u64,
        used: &Ensemble,
        unoffered: &Ensemble,
        held: &mut Vec<Held>,
    ) -> Result<()> {
        let rows: Vec<usize> = (0..self.offered.len())
            .filter(|row| self.offered[*row] && self.fold[*row] == fold)
            .collect();
        let matrix = self.matrix(&rows)?;
        let predicted = used.predict(&matrix)?.into_iter().zip(unoffered.predict(&matrix)?);
        held.extend(rows.iter().zip(predicted).map(|(row, (used, unoffered))| Held {
            used,
            unoffered,
            bought: self.bought[*row],
            was_used: self.used[*row],
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offers of which every use brings four purchases, and a fifth of what is bought anyway is used as well.
    fn held(per_use: f64) -> Vec<Held> {
        let mut state = 1_u64;
        let mut chance = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..40_000)
            .map(|_| {
                let (extra, unoffered) = (0.1 * chance() * chance(), 0.3 * chance());
                let used = extra / 4.0 + 0.05 * unoffered;
                let brought = chance() < extra * per_use / 4.0;
                Held {
                    used,
                    unoffered,
                    bought: brought || chance() < unoffered,
                    was_used: chance() < used,
                }
            })
            .collect()
    }

    #[test]
    fn what_a_promotion_covers_is_divided_out() {
        let places = Levels::places();
        let row = |value: f32| vec![value; PAIR_FEATURES.len()];
        let levels = |values: &[f32]| {
            let mut levels = Levels::default();
            values.iter().for_each(|value| levels.add(&row(*value), &places));
            levels
        };
        // Of the second promotion's kind there is a tenth as much; of the third's nothing was ever bought.
        let factors =
            Levels::factors(&[levels(&[10.0, 30.0]), levels(&[1.0, 3.0]), levels(&[0.0])]);
        let of =
            |value: f32, promotion: usize| relative(&row(value), &places, &factors[promotion])[0];
        assert!((of(30.0, 0) / of(3.0, 1) - 1.0).abs() < 0.2, "{factors:?}");
        assert!((of(30.0, 0) / of(10.0, 0) - 3.0).abs() < 1e-6);
        assert_eq!((of(0.0, 2), of(f32::NAN, 0)), (0.0, 0.0));
        assert!(
            Levels::factors(&[Levels::default()]).iter().flatten().all(|factor| *factor == 0.0)
        );
    }

    #[test]
    fn the_line_tells_extra_purchases_from_those_that_come_anyway() {
        let line = Line::through(&held(4.0)).unwrap();
        assert!((line.per_use - 4.0).abs() < 4.0 * line.per_use_error, "{line:?}");
        assert!(line.per_use_error < 0.6 && line.per_unoffered < -0.1, "{line:?}");
        assert!(line.suffices());
        // An offer that is used for what comes anyway brings nothing.
        assert!(line.extra(0.05 * 0.3, 0.3) < 0.25 * line.extra(0.05 * 0.3, 0.0));
        assert_eq!(line.extra(0.0, 0.3), 0.0);
        let nothing = Line::through(&held(0.0)).unwrap();
        assert!(!nothing.suffices(), "{nothing:?}");
        assert!(Line::through(&[]).is_none());
    }
}
