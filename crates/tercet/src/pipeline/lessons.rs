//! What happened in past weeks, once per week and promotion?
//!
//! A pair of a past Monday does not hang on the week that is decided: a replay of many Mondays makes
//! each only once, and a week gets the same rows as in a run that starts from nothing.

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{Engine, Value, params};
use tercet_features::{
    AnsweredPairs, PAIR_FEATURES, Pairs, Sampling, TrainingPairs, answered_pairs, given_pairs,
    training_pairs,
};
use tercet_models::Eligibility;
use tercet_types::{Date, Result};

use super::learn::{fill_from_models, joined};
use super::shop::Shop;
use super::tried::{TriedWeek, Tries, share_of};
use crate::config::Config;

/// Of promotions that are not to be offered now, one in so many is learnt from.
const LENDERS: u8 = 3;

/// True for a third of all promotions, by a hash of the id: what sold in ended promotions says how the
/// products of a new one will.
pub(super) fn lends(promotion_id: &str) -> bool {
    blake3::hash(promotion_id.as_bytes()).as_bytes()[0].is_multiple_of(LENDERS)
}

/// Training rows of past Mondays, made when they are first asked for.
pub(crate) struct Lessons {
    promotions: Vec<i32>,
    sampling: Sampling,
    weeks: BTreeMap<Date, TrainingPairs>,
    answers: BTreeMap<Date, AnsweredPairs>,
    tries: Tries,
    tried: BTreeMap<Date, TriedPairs>,
}

/// What was tried in a past week, and what came of it.
pub(super) struct TriedPairs {
    /// The pairs, with whether the offer was made.
    pub(super) answered: AnsweredPairs,
    /// By what chance it was.
    pub(super) chances: Vec<f64>,
}

/// The most pairs of a week that are tried; of more, so many are drawn.
const TRIED_MAX: usize = 20_000;

impl Lessons {
    /// For deciding the weeks from `first` to `last`: rows are made of all promotions that one of these weeks
    /// may ask for. Which of them it may know is for the week to say, in [`of`](Self::of).
    pub(crate) fn new(
        engine: &Engine,
        shop: &Shop,
        first: Date,
        last: Date,
        seed: u64,
    ) -> Result<Self> {
        let days = params([("first", Value::Date(first)), ("last", Value::Date(last))]);
        let found = engine.query(include_str!("../../sql/lesson_promotions.sql"), &days)?;
        let may_run = found.bool_or_null("may_run")?;
        let promotions = found
            .i32("promotion_ix")?
            .into_iter()
            .zip(may_run)
            .filter(|(ix, may_run)| {
                may_run.unwrap_or(true) || lends(&shop.indexes.promotion_ids[*ix as usize])
            })
            .map(|(ix, _)| ix)
            .collect();
        let sampling = Sampling { seed, ..Sampling::default() };
        let (weeks, answers, tried) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let tries = Err("no log of earlier runs is looked at".to_owned());
        Ok(Self { promotions, sampling, weeks, answers, tries, tried })
    }

    /// The rows of each Monday for the given promotions, sorted by customer, then promotion.
    pub(crate) fn of(
        &mut self,
        engine: &Engine,
        shop: &Shop,
        config: &Config,
        mondays: &[Date],
        promotions: &BTreeSet<i32>,
    ) -> Result<Vec<TrainingPairs>> {
        let missing = mondays.iter().copied().filter(|monday| !self.weeks.contains_key(monday));
        let made = filled_beside(
            missing,
            |monday| self.make(engine, shop, config, monday),
            |monday, (rows, eligibility)| {
                fill_from_models(&mut rows.pairs, shop, eligibility, monday)
            },
        )?;
        let made = made.into_iter().map(|(monday, (rows, _))| (monday, rows));
        self.weeks.extend(made);
        Ok(mondays.iter().map(|monday| taken(&self.weeks[monday], promotions)).collect())
    }

    fn make(
        &self,
        engine: &Engine,
        shop: &Shop,
        config: &Config,
        monday: Date,
    ) -> Result<(TrainingPairs, Eligibility)> {
        let rows =
            training_pairs(engine, monday, &config.features, &self.promotions, &self.sampling)?;
        Ok((rows, registered_scope(engine, shop)?))
    }

    /// Makes the answers to the offers of each Monday's week that are not there yet, and forgets all other weeks'.
    pub(super) fn learn_answers(
        &mut self,
        engine: &Engine,
        shop: &Shop,
        config: &Config,
        mondays: &[Date],
    ) -> Result<()> {
        self.answers.retain(|monday, _| mondays.contains(monday));
        let missing = mondays.iter().copied().filter(|monday| !self.answers.contains_key(monday));
        let made = filled_beside(
            missing,
            |monday| {
                let rows = answered_pairs(engine, monday, &config.features, self.sampling.seed)?;
                let scope = match rows.pairs.rows() {
                    0 => None,
                    _ => Some(registered_scope(engine, shop)?),
                };
                Ok((rows, scope))
            },
            |monday, (rows, scope)| match scope {
                Some(scope) => fill_from_models(&mut rows.pairs, shop, scope, monday),
                None => Ok(()),
            },
        )?;
        self.answers.extend(made.into_iter().map(|(monday, (rows, _))| (monday, rows)));
        Ok(())
    }

    /// The answers of weeks that were learnt.
    pub(super) fn answers(&self, mondays: &[Date]) -> impl Iterator<Item = (Date, &AnsweredPairs)> {
        mondays.iter().filter_map(|monday| Some((*monday, self.answers.get(monday)?)))
    }

    /// What the draws of earlier runs tried, from now on.
    pub(super) fn look_at(&mut self, tries: Tries) {
        self.tries = tries;
    }

    /// Adds what was tried in a week, and forgets what was before `first`.
    pub(super) fn add_tried(&mut self, week: TriedWeek, first: Date) {
        if let Ok(weeks) = &mut self.tries {
            weeks.retain(|week| week.monday >= first);
            weeks.push(week);
        }
    }

    /// What the draws of earlier runs tried.
    pub(super) const fn tries(&self) -> &Tries {
        &self.tries
    }

    /// Makes what came of what was tried in weeks that are not there yet, and forgets all other weeks'.
    pub(super) fn learn_tried(
        &mut self,
        engine: &Engine,
        shop: &Shop,
        config: &Config,
    ) -> Result<()> {
        let weeks = self.tries.as_deref().unwrap_or_default();
        self.tried.retain(|monday, _| weeks.iter().any(|week| week.monday == *monday));
        for week in weeks.iter().filter(|week| !week.offers.is_empty()) {
            let monday = week.monday;
            if self.tried.contains_key(&monday) {
                continue;
            }
            let share = TRIED_MAX as f64 / week.offers.len() as f64;
            let (mut given, mut chances) = (BTreeMap::new(), BTreeMap::new());
            for tried in &week.offers {
                let ix = shop.customer(&tried.customer).zip(shop.promotion(&tried.promotion));
                let Some(pair) = ix else { continue };
                if share_of(&[&tried.customer, &tried.promotion, "kept"], monday) < share {
                    given.insert(pair, tried.is_offered);
                    chances.insert(pair, tried.chance);
                }
            }
            let mut answered = given_pairs(engine, monday, &config.features, &given)?;
            if answered.pairs.rows() > 0 {
                let eligibility = registered_scope(engine, shop)?;
                fill_from_models(&mut answered.pairs, shop, &eligibility, monday)?;
            }
            let pairs = answered.pairs.customer_ix.iter().zip(&answered.pairs.promotion_ix);
            let chances = pairs.map(|(customer, promotion)| chances[&(*customer, *promotion)]);
            let chances = chances.collect();
            self.tried.insert(monday, TriedPairs { answered, chances });
        }
        Ok(())
    }

    /// What was tried in a week, once it was learnt.
    pub(super) fn tried(&self, monday: Date) -> Option<&TriedPairs> {
        self.tried.get(&monday)
    }

    /// Forgets Mondays before `first`: no later week learns from them.
    pub(crate) fn forget_before(&mut self, first: Date) {
        self.weeks.retain(|monday, _| *monday >= first);
    }
}

/// Makes rows of each Monday, and fills those of one while those of the next are made.
fn filled_beside<T: Send>(
    mondays: impl Iterator<Item = Date>,
    make: impl Fn(Date) -> Result<T>,
    fill: impl Fn(Date, &mut T) -> Result<()> + Sync,
) -> Result<Vec<(Date, T)>> {
    let fill = &fill;
    std::thread::scope(|scope| {
        let (mut filled, mut filling) = (Vec::new(), None);
        for monday in mondays {
            let mut made = make(monday)?;
            // One at a time: what is at work is held in memory.
            filled.extend(filling.take().map(joined).transpose()?);
            filling = Some(scope.spawn(move || fill(monday, &mut made).map(|()| (monday, made))));
        }
        filled.extend(filling.map(joined).transpose()?);
        Ok(filled)
    })
}

/// The products of each promotion, as the rows that were made last left them registered.
fn registered_scope(engine: &Engine, shop: &Shop) -> Result<Eligibility> {
    let scope = engine.query(include_str!("../../sql/lesson_products.sql"), &BTreeMap::new())?;
    let mut products = vec![Vec::new(); shop.indexes.promotion_ids.len()];
    for (promotion, product) in scope.i32("promotion_ix")?.into_iter().zip(scope.i32("product_ix")?)
    {
        products[promotion as usize].push(product as u32);
    }
    Eligibility::new(shop.indexes.product_ids.len(), &products)
}

/// The rows of the given promotions.
fn taken(from: &TrainingPairs, promotions: &BTreeSet<i32>) -> TrainingPairs {
    let places: Vec<usize> = (0..from.pairs.rows())
        .filter(|row| promotions.contains(&from.pairs.promotion_ix[*row]))
        .collect();
    let mut pairs = Pairs {
        values: Vec::with_capacity(places.len() * PAIR_FEATURES.len()),
        ..Pairs::default()
    };
    for &row in &places {
        pairs.customer_ix.push(from.pairs.customer_ix[row]);
        pairs.promotion_ix.push(from.pairs.promotion_ix[row]);
        pairs.values.extend_from_slice(from.pairs.row(row));
    }
    TrainingPairs {
        pairs,
        spend_minor: places.iter().map(|row| from.spend_minor[*row]).collect(),
        bought: places.iter().map(|row| from.bought[*row]).collect(),
        discovered: places.iter().map(|row| from.discovered[*row]).collect(),
        weights: places.iter().map(|row| from.weights[*row]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_gets_the_rows_of_its_promotions() {
        let rows = |keys: &[(i32, i32)]| TrainingPairs {
            pairs: Pairs {
                customer_ix: keys.iter().map(|key| key.0).collect(),
                promotion_ix: keys.iter().map(|key| key.1).collect(),
                values: keys
                    .iter()
                    .flat_map(|key| vec![(key.0 * 100 + key.1) as f32; PAIR_FEATURES.len()])
                    .collect(),
            },
            spend_minor: keys.iter().map(|key| i64::from(key.1)).collect(),
            bought: vec![true; keys.len()],
            discovered: vec![false; keys.len()],
            weights: vec![1.0; keys.len()],
        };
        let all = rows(&[(0, 1), (0, 3), (0, 5), (1, 3), (2, 0), (2, 1)]);
        assert_eq!(taken(&all, &BTreeSet::from([1, 5])), rows(&[(0, 1), (0, 5), (2, 1)]));
    }
}
