//! What came of the offers that customers got in a past week, and what is known before a day of how offers are
//! answered?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{Engine, Frame, Value, params};
use tercet_types::{DAYS_PER_WEEK, Date, Result};

use crate::Settings;
use crate::pair_source::{LESSON_SCOPE, PairSource};
use crate::pairs::Pairs;
use crate::sorted::Sorted;
use crate::statement::{Statement, statement};
use crate::training::{Draw, Sampling, labels_in_scope};

const SENT: Statement = statement!("sent", "answer/sent");
const RUNNING: Statement = statement!("running", "answer/running");
const PROMOTIONS: Statement = statement!("answer_promotions", "answer/promotions");
const CUSTOMERS: Statement = statement!("answer_customers", "answer/customers");

/// The key of tables by customer and promotion.
const KEY: [&str; 2] = ["customer_ix", "promotion_ix"];

/// Customers whose features are in memory at a time.
const BLOCK: usize = 4096;

/// Days of purchases and answers that a customer's facts look back on.
const FACT_DAYS: i32 = 84;

/// Offers by which a promotion's own share of used ones is drawn to that of all.
const PRIOR_PROMOTION: f64 = 50.0;

/// The same for a customer.
const PRIOR_CUSTOMER: f64 = 30.0;

/// Lines by which a customer's own shares of reduced and launched lines are drawn to those of all.
const PRIOR_LINES: f64 = 20.0;

/// What is known of a promotion for its answers, by name.
pub const ANSWER_PROMOTION_FACTS: [&str; 3] =
    ["promotion_mechanic", "promotion_use_rate", "promotion_new_share"];

/// What is known of a customer for the answers, by name.
pub const ANSWER_CUSTOMER_FACTS: [&str; 3] =
    ["customer_use_rate", "customer_reduced_rate", "customer_launched_rate"];

/// What is known, before a day, of how promotions and customers are answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswerFacts {
    /// In the order of [`ANSWER_PROMOTION_FACTS`], by promotion.
    pub promotions: BTreeMap<i32, [f32; 3]>,
    /// Of customers.
    pub customers: CustomerAnswers,
}

/// What is known of customers, and what is taken for those of whom nothing is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CustomerAnswers {
    known: BTreeMap<i32, [f32; 3]>,
    /// The rates over all customers, in the order of [`ANSWER_CUSTOMER_FACTS`].
    pub means: [f64; 3],
}

impl AnswerFacts {
    /// Reads what is known before a day. Rates are drawn to the mean of all the more the fewer they are of.
    /// Needs [`index`](crate::index).
    ///
    /// # Errors
    /// The engine's own.
    pub fn read(engine: &Engine, as_of: Date) -> Result<Self> {
        let frame = engine
            .query(PROMOTIONS.sql, &params([("as_of", Value::Date(as_of))]))
            .map_err(|error| error.context(PROMOTIONS.table))?;
        let (mechanics, new) = (frame.i64("mechanic_code")?, frame.f64("new_share")?);
        let (sent, used) = (frame.f64("sent")?, frame.f64("used")?);
        let mean = ratio(used.iter().sum(), sent.iter().sum());
        let promotions = frame
            .i32("promotion_ix")?
            .into_iter()
            .enumerate()
            .map(|(row, ix)| {
                let rate = drawn(used[row], sent[row], mean, PRIOR_PROMOTION);
                (ix, [mechanics[row] as f64, rate, new[row]].map(|value| value as f32))
            })
            .collect();
        Ok(Self { promotions, customers: CustomerAnswers::read(engine, as_of, None)? })
    }

    /// Of a promotion, in the order of [`ANSWER_PROMOTION_FACTS`]; missing is NaN.
    pub fn promotion(&self, promotion_ix: i32) -> [f32; 3] {
        self.promotions.get(&promotion_ix).copied().unwrap_or([f32::NAN; 3])
    }
}

impl CustomerAnswers {
    /// Reads what is known, before a day, of the customers that are registered, all of them or a part. A customer's
    /// facts do not hang on who else is there when `means` are given; without, they are those of who is.
    ///
    /// # Errors
    /// The engine's own.
    pub fn read(engine: &Engine, as_of: Date, means: Option<[f64; 3]>) -> Result<Self> {
        let values = params([
            ("as_of", Value::Date(as_of)),
            ("since", Value::Date(as_of.plus_days(-FACT_DAYS))),
        ]);
        let frame =
            engine.query(CUSTOMERS.sql, &values).map_err(|error| error.context(CUSTOMERS.table))?;
        let column = |name: &str| frame.f64(name);
        let (sent, used, lines) = (column("sent")?, column("used")?, column("lines")?);
        let (reduced, launched) = (column("reduced")?, column("launched")?);
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        let means = means.unwrap_or_else(|| {
            [
                ratio(sum(&used), sum(&sent)),
                ratio(sum(&reduced), sum(&lines)),
                ratio(sum(&launched), sum(&lines)),
            ]
        });
        let known = frame
            .i32("customer_ix")?
            .into_iter()
            .enumerate()
            .map(|(row, ix)| {
                let facts = [
                    drawn(used[row], sent[row], means[0], PRIOR_CUSTOMER),
                    drawn(reduced[row], lines[row], means[1], PRIOR_LINES),
                    drawn(launched[row], lines[row], means[2], PRIOR_LINES),
                ];
                (ix, facts.map(|value| value as f32))
            })
            .collect();
        Ok(Self { known, means })
    }

    /// Of a customer, in the order of [`ANSWER_CUSTOMER_FACTS`].
    pub fn of(&self, customer_ix: i32) -> [f32; 3] {
        let mean = || self.means.map(|mean| mean as f32);
        self.known.get(&customer_ix).copied().unwrap_or_else(mean)
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn drawn(part: f64, whole: f64, mean: f64, prior: f64) -> f64 {
    (part + prior * mean) / (whole + prior)
}

/// Offers of one past week and what came of them, with offers that the same customers could have got instead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnsweredPairs {
    /// Features as of the Monday.
    pub pairs: Pairs,
    /// True for an offer made, false for one that ran and was not made to this customer in the week.
    pub offered: Vec<bool>,
    /// True when the offer was used in the week.
    pub used: Vec<bool>,
    /// True when an eligible product was bought in the week.
    pub bought: Vec<bool>,
    /// What was known by the Monday.
    pub facts: AnswerFacts,
}

/// The offers made in `[monday, monday + 7 days)`, and a share of those not made to the same customers, drawn by
/// a hash of seed, week and ids: a fifth; where that is more than about two for each that was made and 300 of each
/// promotion, so many. Needs [`index`](crate::index); leaves `scope_products` registered.
///
/// # Errors
/// `T0301` for settings out of range; the engine's own.
pub fn answered_pairs(
    engine: &Engine,
    monday: Date,
    settings: &Settings,
    seed: u64,
) -> Result<AnsweredPairs> {
    let sent = sent_in_week(engine, monday)?;
    let made = sent.rows();
    let mut customers = sent.i32("customer_ix")?;
    customers.dedup();
    if customers.is_empty() {
        return Ok(AnsweredPairs::default());
    }
    let running = engine
        .query(RUNNING.sql, &week_of(monday))
        .map_err(|error| error.context(RUNNING.table))?;
    let promotions: BTreeSet<i32> =
        sent.i32("promotion_ix")?.into_iter().chain(running.i32("promotion_ix")?).collect();
    let sent = Sorted::pairs(&sent, KEY, &["used"])?;
    let other_rate = kept_rate(made, customers.len(), promotions.len());
    let sampling = Sampling { seed, other_rate, ..Sampling::default() };
    let draw = Draw::new(engine, monday, &sampling)?;
    let mut sent = sent.walk();
    let told = |customer: i32, promotion: i32| match sent.at([customer, promotion]) {
        Some(row) => Some(Told { offered: true, used: row[0] > 0.0 }),
        None => draw
            .weight(customer, promotion, false, false)
            .map(|_| Told { offered: false, used: false }),
    };
    let promotions: Vec<i32> = promotions.into_iter().collect();
    told_pairs(engine, monday, settings, (&customers, &promotions), told)
}

/// Share of the offers not made that is kept.
fn kept_rate(made: usize, customers: usize, promotions: usize) -> f64 {
    /// At most.
    const RATE: f64 = 0.2;
    /// For each offer made, about: more promotions at a time are no reason to learn from more of what is bought
    /// without an offer.
    const PER_OFFER: f64 = 2.0;
    /// Of each promotion, about, however few offers were made: its mean over customers is taken from them.
    const PER_PROMOTION: f64 = 300.0;
    let enough = (PER_OFFER * made as f64).max(PER_PROMOTION * promotions as f64);
    let not_made = customers as f64 * promotions as f64 - made as f64;
    RATE.min(enough / not_made.max(1.0))
}

/// Given pairs of a past week, by customer and promotion, with whether the offer was made: what was known of them and
/// what came of them. Pairs whose promotion covers nothing on the Monday are left out. Needs [`index`](crate::index); leaves `scope_products` registered.
///
/// # Errors
/// `T0301` for settings out of range; the engine's own.
pub fn given_pairs(
    engine: &Engine,
    monday: Date,
    settings: &Settings,
    given: &BTreeMap<(i32, i32), bool>,
) -> Result<AnsweredPairs> {
    let mut customers: Vec<i32> = given.keys().map(|(customer, _)| *customer).collect();
    customers.dedup();
    if customers.is_empty() {
        return Ok(AnsweredPairs::default());
    }
    let sent = Sorted::pairs(&sent_in_week(engine, monday)?, KEY, &["used"])?;
    let mut sent = sent.walk();
    let told = |customer: i32, promotion: i32| {
        let offered = *given.get(&(customer, promotion))?;
        let used = offered && sent.at([customer, promotion]).is_some_and(|row| row[0] > 0.0);
        Some(Told { offered, used })
    };
    let promotions: BTreeSet<i32> = given.keys().map(|(_, promotion)| *promotion).collect();
    let promotions: Vec<i32> = promotions.into_iter().collect();
    told_pairs(engine, monday, settings, (&customers, &promotions), told)
}

/// The offers of a week, with whether they were used in it.
fn sent_in_week(engine: &Engine, monday: Date) -> Result<Frame> {
    engine.query(SENT.sql, &week_of(monday)).map_err(|error| error.context(SENT.table))
}

fn week_of(monday: Date) -> BTreeMap<String, Value> {
    params([
        ("as_of", Value::Date(monday)),
        ("until", Value::Date(monday.plus_days(DAYS_PER_WEEK))),
    ])
}

/// What is told of a pair that is kept.
struct Told {
    offered: bool,
    used: bool,
}

/// The pairs of these customers and promotions, both ascending, of which something is told.
fn told_pairs(
    engine: &Engine,
    monday: Date,
    settings: &Settings,
    (customers, promotions): (&[i32], &[i32]),
    mut told: impl FnMut(i32, i32) -> Option<Told>,
) -> Result<AnsweredPairs> {
    let source = PairSource::of_scope(engine, monday, settings, promotions, &LESSON_SCOPE)?;
    let part = source.part(engine, customers)?;
    let bought = Sorted::pairs(&labels_in_scope(engine, monday)?, KEY, &["products"])?;
    let facts = AnswerFacts::read(engine, monday)?;
    let mut found = AnsweredPairs { facts, ..AnsweredPairs::default() };
    let (mut bought, offered) = (bought.walk(), source.offered());
    for first in (0..customers.len()).step_by(BLOCK) {
        let block = part.block(first..(first + BLOCK).min(customers.len()), None);
        for (place, &customer) in block.customer_ix.iter().enumerate() {
            for (at, &promotion) in promotions.iter().enumerate() {
                if offered.group_products[offered.group_of[at] as usize].is_empty() {
                    continue;
                }
                let Some(told) = told(customer, promotion) else { continue };
                found.pairs.customer_ix.push(customer);
                found.pairs.promotion_ix.push(promotion);
                found.pairs.values.extend(block.row(place, offered, at));
                found.offered.push(told.offered);
                found.used.push(told.used);
                found.bought.push(bought.at([customer, promotion]).is_some());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_offers_not_made_enough_are_kept_of_each_promotion_and_not_more_than_a_fifth() {
        let check = |made: usize, customers: usize, promotions: usize, kept: f64| {
            let not_made = (customers * promotions - made) as f64;
            let found = kept_rate(made, customers, promotions) * not_made;
            assert!((found - kept).abs() < 1e-6, "{found} of {not_made}, not {kept}");
        };
        // Few promotions, or few customers: a fifth.
        check(3_000, 1_000, 6, 600.0);
        check(300, 300, 100, 5_940.0);
        // Three offers each of a hundred promotions: two for each that was made.
        check(300_000, 100_000, 100, 600_000.0);
        // Few offers of many promotions: 300 of each.
        check(1_000, 10_000, 100, 30_000.0);
    }
}
