//! What is learnt from: offers made and not made, week below week?

use std::collections::BTreeMap;
use std::ops::Range;

use tercet_features::{ANSWER_PROMOTION_FACTS, AnsweredPairs, PAIR_FEATURES};
use tercet_models::LogLinear;
use tercet_models::gbdt::{Ensemble, Matrix, Params, TrainingSet, train};
use tercet_models::uplift::row_key;
use tercet_types::Result;

use super::expected::{self, FACTS, Fact};
use super::kinds::kind_of;
use super::relative::{Levels, RELATIVE, relative};
use super::trial::TriedRow;
use super::{CUSTOMER_ANSWERS, PROMOTION_ANSWERS, answer_schema};
use crate::pipeline::learn::joined;
use crate::pipeline::lessons::TriedPairs;
use crate::pipeline::shop::Shop;

/// Parts of the customers; each is predicted by what was learnt from the others.
pub(super) const FOLDS: u64 = 3;

/// What is learnt from of a week: what came of its offers, and of what was tried in it.
pub(super) type WeekRows<'a> = (&'a AnsweredPairs, Option<&'a TriedPairs>);

/// Offers made and not made, week below week; and below each week's those that chance made or not.
pub(super) struct Rows {
    width: usize,
    values: Vec<f32>,
    offered: Vec<bool>,
    /// The chance of the offer, of those that chance made or not.
    chance: Vec<Option<f64>>,
    pub(super) used: Vec<bool>,
    pub(super) bought: Vec<bool>,
    fold: Vec<u64>,
    customer: Vec<i32>,
    promotion: Vec<i32>,
    /// Where the rows of each week begin, the newest week first, and where they end.
    starts: Vec<usize>,
}

impl Rows {
    pub(super) fn of(weeks: &[WeekRows<'_>], depth: impl Fn(i32) -> f32, shop: &Shop) -> Self {
        let width = PAIR_FEATURES.len() + PROMOTION_ANSWERS + CUSTOMER_ANSWERS + RELATIVE.len();
        let mut rows = Self {
            width,
            values: Vec::new(),
            offered: Vec::new(),
            chance: Vec::new(),
            used: Vec::new(),
            bought: Vec::new(),
            fold: Vec::new(),
            customer: Vec::new(),
            promotion: Vec::new(),
            starts: Vec::new(),
        };
        // Offers not made are drawn evenly: they stand for the customers.
        let places = Levels::places();
        let mut levels: BTreeMap<i32, Levels> = BTreeMap::new();
        for (week, _) in weeks {
            for row in (0..week.pairs.rows()).filter(|row| !week.offered[*row]) {
                let of = levels.entry(week.pairs.promotion_ix[row]).or_default();
                of.add(week.pairs.row(row), &places);
            }
        }
        let factors: Vec<Levels> = levels.values().copied().collect();
        let factors: BTreeMap<i32, _> =
            levels.keys().copied().zip(Levels::factors(&factors)).collect();
        let mut add = |week: &AnsweredPairs, chances: Option<&[f64]>| {
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
                rows.chance.push(chances.map(|chances| chances[row]));
            }
            rows.customer.extend(&week.pairs.customer_ix);
            rows.promotion.extend(&week.pairs.promotion_ix);
            rows.offered.extend(&week.offered);
            rows.used.extend(&week.used);
            rows.bought.extend(&week.bought);
            rows.promotion.len()
        };
        let mut starts = vec![0];
        for (week, tried) in weeks {
            let of_offers = add(week, None);
            starts
                .push(tried.map_or(of_offers, |tried| add(&tried.answered, Some(&tried.chances))));
        }
        Self { starts, ..rows }
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    pub(super) fn matrix(&self, rows: &[usize]) -> Result<Matrix> {
        let values = rows.iter().flat_map(|row| self.row(*row)).copied().collect();
        Matrix::new(rows.len(), self.width, values)
    }

    /// The rows of offers made, or of those not made, chance apart.
    pub(super) fn of_kind(&self, offered: bool) -> Vec<usize> {
        let is_kind = |row: &usize| self.offered[*row] == offered && self.chance[*row].is_none();
        (0..self.offered.len()).filter(is_kind).collect()
    }

    /// The rows of offers that chance made or not.
    pub(super) fn tried(&self) -> Vec<usize> {
        (0..self.offered.len()).filter(|row| self.chance[*row].is_some()).collect()
    }

    /// What came of these rows, with what was expected of them.
    pub(super) fn tried_rows(
        &self,
        rows: &[usize],
        extra: &[f64],
        unoffered: &[f64],
        shop: &Shop,
    ) -> Vec<TriedRow> {
        let facts = PAIR_FEATURES.len();
        let row = |((&row, extra), unoffered): ((&usize, &f64), &f64)| {
            let customer = self.customer[row];
            Some(TriedRow {
                extra: *extra,
                unoffered: *unoffered,
                bought: self.bought[row],
                is_offered: self.offered[row],
                is_used: self.used[row],
                chance: self.chance[row]?,
                customer,
                key: row_key(&shop.indexes.customer_ids[customer as usize]),
                // The mechanic stands first, the depth after the facts.
                kind: kind_of(
                    self.row(row)[facts],
                    self.row(row)[facts + ANSWER_PROMOTION_FACTS.len()],
                ),
            })
        };
        rows.iter().zip(extra).zip(unoffered).filter_map(row).collect()
    }

    pub(super) fn flags(&self, rows: &[usize], of: &[bool]) -> Vec<f32> {
        rows.iter().map(|row| if of[*row] { 1.0 } else { 0.0 }).collect()
    }

    /// The facts of these rows, as [`Fact`] has them.
    pub(super) fn facts(&self, rows: &[usize]) -> Vec<f64> {
        let places = Fact::places();
        let of_row = |row: &usize| {
            let row = self.row(*row);
            FACTS.iter().zip(places).map(|(fact, place)| fact.of(row[place]))
        };
        rows.iter().flat_map(of_row).collect()
    }

    /// The customer and the promotion of a row.
    pub(super) fn pair(&self, row: usize) -> (i32, i32) {
        (self.customer[row], self.promotion[row])
    }

    /// The rows of each week, the newest first.
    pub(super) fn weeks(&self) -> impl Iterator<Item = Range<usize>> {
        self.starts.windows(2).map(|ends| ends[0]..ends[1])
    }

    /// Learns from these rows, of all customers or of those outside a fold.
    pub(super) fn learn(
        &self,
        rows: &[usize],
        labels: &[f32],
        params: &Params,
        without: Option<u64>,
    ) -> Result<Ensemble> {
        let (rows, labels): (Vec<usize>, Vec<f32>) =
            rows.iter().zip(labels).filter(|(row, _)| Some(self.fold[**row]) != without).unzip();
        let matrix = self.matrix(&rows)?;
        let set = TrainingSet { matrix: &matrix, labels: &labels, weights: None };
        Ok(train(params, &set, None, &answer_schema())?.0)
    }

    /// Learns from the facts of these rows and the share of a purchase that each brought.
    pub(super) fn learn_facts(
        &self,
        rows: &[usize],
        shares: &[f32],
        without: Option<u64>,
    ) -> Result<LogLinear> {
        let (rows, shares): (Vec<usize>, Vec<f64>) = rows
            .iter()
            .zip(shares)
            .filter(|(row, _)| Some(self.fold[**row]) != without)
            .map(|(row, share)| (*row, f64::from(*share)))
            .unzip();
        expected::learn(&self.facts(&rows), &shares)
    }

    /// What is done for each fold, in their order: side by side, for each has stretches that one thread does alone.
    pub(super) fn by_fold<T: Send>(work: impl Fn(u64) -> Result<T> + Sync) -> Result<Vec<T>> {
        let work = &work;
        std::thread::scope(|scope| {
            let folds: Vec<_> = (0..FOLDS).map(|fold| scope.spawn(move || work(fold))).collect();
            folds.into_iter().map(joined).collect()
        })
    }

    /// Predicts each of these rows by what was learnt without its fold: of each fold that, in their order.
    pub(super) fn crossed<T: Sync>(
        &self,
        rows: &[usize],
        learnt: &[T],
        predict: impl Fn(&T, &[usize]) -> Result<Vec<f64>> + Sync,
    ) -> Result<Vec<f64>> {
        let places = |fold| (0..rows.len()).filter(move |place| self.fold[rows[*place]] == fold);
        let found = Self::by_fold(|fold| {
            let of_fold: Vec<usize> = places(fold).map(|place| rows[place]).collect();
            predict(&learnt[fold as usize], &of_fold)
        })?;
        let mut predicted = vec![0.0; rows.len()];
        for (fold, found) in (0..FOLDS).zip(found) {
            places(fold).zip(found).for_each(|(place, value)| predicted[place] = value);
        }
        Ok(predicted)
    }
}
