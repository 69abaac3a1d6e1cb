//! What does an offer bring, as far as the answers to earlier offers tell?
//!
//! Two ensembles learn from offers of past weeks: what they brought, and what the same customers bought of promotions
//! that were not offered to them. What was bought after an offer is divided between both ([`causes`]), each customer
//! predicted by what was learnt from others, and a line through these predictions says how much of it holds. Where
//! chance decided often enough, the line and what stands beside it are read off what chance decided ([`trial`]).

mod causes;
mod kinds;
mod relative;
mod rows;
mod told;
mod trial;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tercet_engine::Engine;
use tercet_features::{
    ANSWER_CUSTOMER_FACTS, ANSWER_PROMOTION_FACTS, AnswerFacts, AnsweredPairs, PAIR_FEATURES,
};
use tercet_models::gbdt::{Ensemble, FeatureSchema, Objective, Params};
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use self::causes::{Held, first_shares};
pub(super) use self::causes::{Lacking, Line, Uses};
use self::kinds::kind_of;
pub(super) use self::relative::{Levels, RELATIVE, relative};
use self::rows::{FOLDS, Rows, WeekRows};
pub(super) use self::told::TrialFacts;
pub(super) use self::trial::Beside;
use self::trial::BesideFile;
use super::lessons::Lessons;
use super::shop::Shop;
use super::week::Week;
use crate::config::{Config, ModelValue};

/// Past weeks whose offers are learnt from.
pub(super) const ANSWER_WEEKS: i32 = 16;

/// Fewest offers, and fewest of them used, that anything is learnt from.
const OFFERS_MIN: usize = 1_000;
const USED_MIN: usize = 30;

/// How often purchases are divided anew.
const STEPS: usize = 3;

/// Features of a promotion in its answers: the facts of its own, its depth, and what its offers brought before.
pub(super) const PROMOTION_ANSWERS: usize = ANSWER_PROMOTION_FACTS.len() + 2;

/// Features of a customer in the answers.
pub(super) const CUSTOMER_ANSWERS: usize = ANSWER_CUSTOMER_FACTS.len();

/// What offers bring.
pub(crate) struct Answers {
    /// Probability that an offer brings a purchase in its week.
    pub(super) extra: Ensemble,
    /// Probability that an eligible product is bought in the week without the offer.
    pub(super) unoffered: Ensemble,
    /// How both are used.
    pub(super) uses: Uses,
    /// The line.
    pub(super) line: Line,
    /// What is known beside the line, where chance told.
    pub(super) beside: Beside,
    /// What is known of promotions, by index.
    promotions: BTreeMap<i32, [f32; PROMOTION_ANSWERS]>,
    /// The rates over all customers.
    pub(super) means: [f64; CUSTOMER_ANSWERS],
}

impl Answers {
    /// Learns from the offers of past weeks, or says what is lacking. Where the values hang on it, what chance decided
    /// says how much of it holds, and nothing else does; what it told comes with it.
    pub(super) fn fit(
        engine: &Engine,
        shop: &Shop,
        week: &Week,
        config: &Config,
        seed: u64,
        lessons: &mut Lessons,
    ) -> Result<Result<(Self, Option<TrialFacts>), Lacking>> {
        let randomised = match config.model.value {
            ModelValue::Auto => match trial::enough(lessons.tries()) {
                Ok(found) => Some(found),
                Err(untold) => return Ok(Err(Lacking::Trial(untold))),
            },
            _ => None,
        };
        let mondays: Vec<Date> =
            (1..=ANSWER_WEEKS).map(|back| week.as_of.plus_days(-back * DAYS_PER_WEEK)).collect();
        lessons.learn_answers(engine, shop, config, &mondays)?;
        if randomised.is_some() {
            lessons.learn_tried(engine, shop, config)?;
        }
        let weeks: Vec<WeekRows<'_>> =
            lessons.answers(&mondays).map(|(monday, week)| (week, lessons.tried(monday))).collect();
        let count = |of: fn(&AnsweredPairs) -> &Vec<bool>| -> usize {
            weeks.iter().flat_map(|(week, _)| of(week)).filter(|flag| **flag).count()
        };
        let (offers, uses) = (count(|week| &week.offered), count(|week| &week.used));
        if offers < OFFERS_MIN {
            return Ok(Err(Lacking::Offers(offers)));
        }
        if uses < USED_MIN {
            return Ok(Err(Lacking::Uses(uses)));
        }
        let depth = |promotion: i32| {
            week.promotions.get(&promotion).map_or(f32::NAN, |p| p.discount_rate as f32)
        };
        let mut rows = Rows::of(&weeks, depth, shop);
        let params = |place: u64| params(config, seed.wrapping_add(place));
        let unmade = rows.of_kind(false);
        let anyway: Vec<f32> = rows.flags(&unmade, &rows.bought);
        let made = rows.of_kind(true);
        let unoffered =
            rows.crossed(&made, |fold| rows.learn(&unmade, &anyway, &params(fold), Some(fold)))?;
        let mut held: Vec<Held> = made
            .iter()
            .zip(unoffered)
            .map(|(row, unoffered)| Held {
                extra: 0.0,
                unoffered,
                bought: rows.bought[*row] || rows.used[*row],
                was_used: rows.used[*row],
            })
            .collect();
        let mut shares = first_shares(&held);
        for _ in 0..STEPS {
            rows.tell_rates(&made, &shares);
            let extra =
                rows.crossed(&made, |fold| rows.learn(&made, &shares, &params(fold), Some(fold)))?;
            held.iter_mut().zip(extra).for_each(|(offer, extra)| offer.extra = extra);
            let uses = Uses::of(&held, &shares);
            shares = held.iter().map(|offer| uses.share(offer)).collect();
        }
        let rates = rows.tell_rates(&made, &shares);
        let (line, beside, trial) = match randomised {
            None => match Line::through(&held) {
                Some(line) if line.suffices() => (line, Beside::default(), None),
                line => return Ok(Err(Lacking::Signal(line))),
            },
            Some(randomised) => {
                let tried = rows.tried();
                let expect = |of: &[usize], labels: &[f32]| {
                    rows.crossed(&tried, |fold| rows.learn(of, labels, &params(fold), Some(fold)))
                };
                let expected = (expect(&made, &shares)?, expect(&unmade, &anyway)?);
                let told = rows.tried_rows(&tried, &expected.0, &expected.1, shop);
                let features = (&rows.matrix(&tried)?, &answer_schema());
                match trial::read_off(&told, features, randomised, seed)? {
                    Ok((line, beside, facts)) => (line, beside, Some(facts)),
                    Err(untold) => return Ok(Err(Lacking::Trial(untold))),
                }
            }
        };
        let facts = AnswerFacts::read(engine, week.as_of)?;
        let promotions = week
            .promotions
            .keys()
            .map(|ix| {
                let [mechanic, rate, new] = facts.promotion(*ix);
                (*ix, [mechanic, rate, new, depth(*ix), rates.of(*ix)])
            })
            .collect();
        let answers = Self {
            extra: rows.learn(&made, &shares, &params(FOLDS), None)?,
            unoffered: rows.learn(&unmade, &anyway, &params(FOLDS), None)?,
            uses: Uses::of(&held, &shares),
            line,
            beside,
            promotions,
            means: facts.customers.means,
        };
        Ok(Ok((answers, trial)))
    }

    /// Purchases of a promotion's offers more than the line says.
    pub(super) fn beside(&self, promotion: i32) -> f64 {
        let [mechanic, _, _, depth, _] = self.promotion(promotion);
        self.beside.of_kind(kind_of(mechanic, depth))
    }

    /// What is known of a promotion.
    pub(super) fn promotion(&self, promotion: i32) -> [f32; PROMOTION_ANSWERS] {
        self.promotions.get(&promotion).copied().unwrap_or([f32::NAN; PROMOTION_ANSWERS])
    }

    /// The file of the models stage.
    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        let written = Written {
            extra: self.extra.to_json()?,
            uses: self.uses,
            unoffered: self.unoffered.to_json()?,
            line: self.line,
            beside: BesideFile::of(&self.beside)?,
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
            extra: Ensemble::from_json(&written.extra)?,
            uses: written.uses,
            unoffered: Ensemble::from_json(&written.unoffered)?,
            line: written.line,
            beside: written.beside.read()?,
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
    extra: String,
    uses: Uses,
    unoffered: String,
    line: Line,
    beside: BesideFile,
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
            .chain(["promotion_depth_rate", "promotion_extra_rate"])
            .chain(ANSWER_CUSTOMER_FACTS)
            .map(str::to_owned)
            .chain(RELATIVE.map(|name| format!("{name}_relative"))),
    )
}

/// Few trees of few leaves: extra purchases are rare.
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
