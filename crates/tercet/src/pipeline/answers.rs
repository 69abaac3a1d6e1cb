//! What does an offer bring, as far as the answers to earlier offers tell?
//!
//! Two models learn from offers of past weeks: of a few facts, what offers brought ([`expected`]), and of all features,
//! what the same customers bought of promotions that were not offered to them. What was bought after an offer is divided
//! between both ([`causes`]), each customer predicted by what was learnt from others. What is peculiar to single
//! promotions, and to customers and types of products, multiplies that ([`factors`]); and a line through what was so
//! expected of each offer before it was made says how much of it holds. Where chance decided often enough, the line and
//! what stands beside it are read off what chance decided ([`trial`]).

mod causes;
mod expected;
mod factors;
mod kinds;
mod learning;
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
use tercet_models::LogLinear;
use tercet_models::gbdt::{Ensemble, FeatureSchema};
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use self::causes::{EXTRA_MAX, Held};
pub(super) use self::causes::{Lacking, Line, Uses};
pub(super) use self::expected::{FACTS, Fact, pooled};
use self::factors::{Answered, types_of};
pub(super) use self::factors::{Factors, factor_of};
use self::kinds::kind_of;
use self::learning::{Learning, Learnt};
pub(super) use self::relative::{Levels, RELATIVE, relative};
use self::rows::{Rows, WeekRows};
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

/// Features of a promotion in its answers: the facts of its own, and its depth.
pub(super) const PROMOTION_ANSWERS: usize = ANSWER_PROMOTION_FACTS.len() + 1;

/// Features of a customer in the answers.
pub(super) const CUSTOMER_ANSWERS: usize = ANSWER_CUSTOMER_FACTS.len();

/// What offers bring.
pub(crate) struct Answers {
    /// Purchases that an offer is expected to bring in its week, by its facts.
    pub(super) extra: LogLinear,
    /// The same, by all features.
    pub(super) extra_trees: Ensemble,
    /// What multiplies that.
    pub(super) factors: Factors,
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
        let rows = Rows::of(&weeks, depth, shop);
        let learning = Learning::of(&rows, config, seed)?;
        let (made, held) = (&learning.made, &learning.held);
        let of: Vec<(i32, i32)> = made.iter().map(|row| rows.pair(*row)).collect();
        let answered = Answered::new(held, &of, learning.uses(), types_of(engine)?);
        let before = answered.before(rows.weeks(), made, |row| rows.pair(row));
        let (line, beside, trial) = match randomised {
            None => {
                let told: Vec<Held> =
                    made.iter().zip(held).map(|(row, offer)| offer.times(before[*row])).collect();
                match Line::through(&told) {
                    Some(line) if line.suffices() => (line, Beside::default(), None),
                    line => return Ok(Err(Lacking::Signal(line))),
                }
            }
            Some(randomised) => {
                let tried = rows.tried();
                let extra = learning.extra(&tried)?.into_iter().zip(&tried);
                let extra: Vec<f64> =
                    extra.map(|(extra, row)| (extra * before[*row]).min(EXTRA_MAX)).collect();
                let told = rows.tried_rows(&tried, &extra, &learning.unoffered(&tried)?, shop);
                let features = (&rows.matrix(&tried)?, &answer_schema());
                match trial::read_off(&told, features, randomised, seed)? {
                    Ok((line, beside, facts)) => (line, beside, Some(facts)),
                    Err(untold) => return Ok(Err(Lacking::Trial(untold))),
                }
            }
        };
        let found = answered.by(0..made.len());
        let uses = Uses::of(held, &found.shares);
        let id = |customer: i32| shop.indexes.customer_ids[customer as usize].clone();
        let factors = answered.keep(&found, id);
        let Learnt { extra, extra_trees, unoffered } = learning.everybody()?;
        let facts = AnswerFacts::read(engine, week.as_of)?;
        let promotions = week
            .promotions
            .keys()
            .map(|ix| {
                let [mechanic, rate, new] = facts.promotion(*ix);
                (*ix, [mechanic, rate, new, depth(*ix)])
            })
            .collect();
        let means = facts.customers.means;
        let answers =
            Self { extra, extra_trees, factors, unoffered, uses, line, beside, promotions, means };
        Ok(Ok((answers, trial)))
    }

    /// Purchases of a promotion's offers more than the line says.
    pub(super) fn beside(&self, promotion: i32) -> f64 {
        let [mechanic, _, _, depth] = self.promotion(promotion);
        self.beside.of_kind(kind_of(mechanic, depth))
    }

    /// What is known of a promotion.
    pub(super) fn promotion(&self, promotion: i32) -> [f32; PROMOTION_ANSWERS] {
        self.promotions.get(&promotion).copied().unwrap_or([f32::NAN; PROMOTION_ANSWERS])
    }

    /// The file of the models stage.
    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        let written = Written {
            extra: self.extra.clone(),
            extra_trees: self.extra_trees.to_json()?,
            factors: self.factors.clone(),
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
            extra: written.extra,
            extra_trees: Ensemble::from_json(&written.extra_trees)?,
            factors: written.factors,
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
    extra: LogLinear,
    extra_trees: String,
    factors: Factors,
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
fn answer_names() -> impl Iterator<Item = String> {
    PAIR_FEATURES
        .iter()
        .map(|feature| feature.name)
        .chain(ANSWER_PROMOTION_FACTS)
        .chain(["promotion_depth_rate"])
        .chain(ANSWER_CUSTOMER_FACTS)
        .map(str::to_owned)
        .chain(RELATIVE.map(|name| format!("{name}_relative")))
}

/// The schema of these features.
pub(super) fn answer_schema() -> FeatureSchema {
    FeatureSchema::numeric(answer_names())
}
