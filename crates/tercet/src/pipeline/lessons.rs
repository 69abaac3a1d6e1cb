//! What happened in past weeks, once per week and promotion?
//!
//! A pair of a past Monday does not hang on the week that is decided: a replay of many Mondays makes
//! each only once, and gets the same rows as a run that starts from nothing.

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::Engine;
use tercet_features::{PAIR_FEATURES, Pairs, Sampling, TrainingPairs, training_pairs};
use tercet_models::Eligibility;
use tercet_types::{Date, Result};

use super::learn::fill_neighbours;
use super::shop::Shop;
use crate::config::Config;

/// Training rows of past Mondays that were made so far.
#[derive(Default)]
pub(crate) struct Lessons {
    weeks: BTreeMap<Date, Lesson>,
}

#[derive(Default)]
struct Lesson {
    promotions: BTreeSet<i32>,
    rows: TrainingPairs,
}

impl Lessons {
    /// The rows of a Monday for the given promotions, sorted by customer, then promotion. `eligibility`
    /// holds their products.
    #[expect(
        clippy::too_many_arguments,
        reason = "lessons stand between everything a week is made of"
    )]
    pub(crate) fn of(
        &mut self,
        engine: &Engine,
        shop: &Shop,
        config: &Config,
        eligibility: &Eligibility,
        monday: Date,
        promotions: &BTreeSet<i32>,
        sampling: &Sampling,
    ) -> Result<TrainingPairs> {
        let lesson = self.weeks.entry(monday).or_default();
        let missing: Vec<i32> = promotions.difference(&lesson.promotions).copied().collect();
        if !missing.is_empty() {
            let mut rows = training_pairs(engine, monday, &config.features, &missing, sampling)?;
            fill_neighbours(&mut rows.pairs, shop, eligibility, monday)?;
            let known = std::mem::take(&mut lesson.rows);
            lesson.rows = merged(&known, &rows);
            lesson.promotions.extend(missing);
        }
        let places = (0..lesson.rows.pairs.rows())
            .filter(|row| promotions.contains(&lesson.rows.pairs.promotion_ix[*row]))
            .map(|row| (0, row))
            .collect::<Vec<_>>();
        Ok(taken(&[&lesson.rows], &places))
    }

    /// Forgets Mondays before `first`: no later week learns from them.
    pub(crate) fn forget_before(&mut self, first: Date) {
        self.weeks.retain(|monday, _| *monday >= first);
    }
}

/// Both sets of rows in the order of customer and promotion.
fn merged(known: &TrainingPairs, new: &TrainingPairs) -> TrainingPairs {
    let sets = [known, new];
    let mut places: Vec<(usize, usize)> = sets
        .iter()
        .enumerate()
        .flat_map(|(set, rows)| (0..rows.pairs.rows()).map(move |row| (set, row)))
        .collect();
    places.sort_unstable_by_key(|(set, row)| {
        (sets[*set].pairs.customer_ix[*row], sets[*set].pairs.promotion_ix[*row])
    });
    taken(&sets, &places)
}

/// The rows at the given places: set, row.
fn taken(sets: &[&TrainingPairs], places: &[(usize, usize)]) -> TrainingPairs {
    let mut pairs = Pairs {
        values: Vec::with_capacity(places.len() * PAIR_FEATURES.len()),
        ..Pairs::default()
    };
    for (set, row) in places {
        let from = &sets[*set].pairs;
        pairs.customer_ix.push(from.customer_ix[*row]);
        pairs.promotion_ix.push(from.promotion_ix[*row]);
        pairs.values.extend_from_slice(from.row(*row));
    }
    TrainingPairs {
        pairs,
        spend_minor: places.iter().map(|(set, row)| sets[*set].spend_minor[*row]).collect(),
        bought: places.iter().map(|(set, row)| sets[*set].bought[*row]).collect(),
        discovered: places.iter().map(|(set, row)| sets[*set].discovered[*row]).collect(),
        weights: places.iter().map(|(set, row)| sets[*set].weights[*row]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(keys: &[(i32, i32)]) -> TrainingPairs {
        let value = |key: &(i32, i32)| (key.0 * 100 + key.1) as f32;
        TrainingPairs {
            pairs: Pairs {
                customer_ix: keys.iter().map(|key| key.0).collect(),
                promotion_ix: keys.iter().map(|key| key.1).collect(),
                values: keys.iter().flat_map(|key| vec![value(key); PAIR_FEATURES.len()]).collect(),
            },
            spend_minor: keys.iter().map(|key| i64::from(key.1)).collect(),
            bought: vec![true; keys.len()],
            discovered: vec![false; keys.len()],
            weights: vec![1.0; keys.len()],
        }
    }

    #[test]
    fn rows_made_in_two_goes_are_those_made_in_one() {
        let both = merged(&rows(&[(0, 1), (0, 5), (2, 1)]), &rows(&[(0, 3), (1, 3), (2, 0)]));
        assert_eq!(both, rows(&[(0, 1), (0, 3), (0, 5), (1, 3), (2, 0), (2, 1)]));
    }
}
