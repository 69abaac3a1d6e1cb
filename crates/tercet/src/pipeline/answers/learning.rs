//! What is expected of offers, each customer by what was learnt from others?

use tercet_models::LogLinear;
use tercet_models::gbdt::{Ensemble, Objective, Params};
use tercet_types::Result;

use super::causes::{Held, Uses, first_shares};
use super::expected::{pooled, predict};
use super::rows::{FOLDS, Rows};
use crate::config::Config;

/// How often purchases are divided anew.
const STEPS: usize = 12;

/// What was learnt from rows of offers.
pub(super) struct Learning<'a> {
    rows: &'a Rows,
    config: &'a Config,
    seed: u64,
    /// The rows of offers made, and of those not made.
    pub(super) made: Vec<usize>,
    unmade: Vec<usize>,
    /// What was bought without an offer, of those not made.
    anyway: Vec<f32>,
    /// The offers made, with what was expected of them.
    pub(super) held: Vec<Held>,
    /// The shares of their purchases that they brought.
    shares: Vec<f32>,
    /// What is bought without an offer, learnt without each fold.
    unoffered: Vec<Ensemble>,
    /// What offers bring by their facts, and by all features, learnt without each fold.
    by_facts: Vec<LogLinear>,
    by_trees: Vec<Ensemble>,
}

/// What offers bring by their facts, the same by all features, and what is bought without them.
pub(super) struct Learnt {
    pub(super) extra: LogLinear,
    pub(super) extra_trees: Ensemble,
    pub(super) unoffered: Ensemble,
}

impl<'a> Learning<'a> {
    /// Divides what was bought after offers between them and what comes anyway, by facts alone: they are sooner right
    /// than trees where answers are few. The trees learn from what is divided.
    pub(super) fn of(rows: &'a Rows, config: &'a Config, seed: u64) -> Result<Self> {
        let (made, unmade) = (rows.of_kind(true), rows.of_kind(false));
        let anyway = rows.flags(&unmade, &rows.bought);
        let mut learning = Self {
            rows,
            config,
            seed,
            made,
            unmade,
            anyway,
            held: Vec::new(),
            shares: Vec::new(),
            unoffered: Vec::new(),
            by_facts: Vec::new(),
            by_trees: Vec::new(),
        };
        learning.unoffered = learning.trees(&learning.unmade, &learning.anyway)?;
        learning.held = learning
            .made
            .iter()
            .zip(learning.unoffered(&learning.made)?)
            .map(|(row, unoffered)| Held {
                extra: 0.0,
                unoffered,
                bought: rows.bought[*row] || rows.used[*row],
                was_used: rows.used[*row],
            })
            .collect();
        learning.shares = first_shares(&learning.held);
        for _ in 0..STEPS {
            learning.by_facts = learning.facts()?;
            let extra = learning.extra_by_facts(&learning.made)?;
            learning.expect(extra);
            let uses = learning.uses();
            learning.shares = learning.held.iter().map(|offer| uses.share(offer)).collect();
        }
        learning.by_facts = learning.facts()?;
        learning.by_trees = learning.trees(&learning.made, &learning.shares)?;
        let extra = learning.extra(&learning.made)?;
        learning.expect(extra);
        Ok(learning)
    }

    fn expect(&mut self, extra: Vec<f64>) {
        self.held.iter_mut().zip(extra).for_each(|(offer, extra)| offer.extra = extra);
    }

    /// How often offers are used, by the purchases so divided.
    pub(super) fn uses(&self) -> Uses {
        Uses::of(&self.held, &self.shares)
    }

    /// What is bought of these rows without an offer.
    pub(super) fn unoffered(&self, of: &[usize]) -> Result<Vec<f64>> {
        self.predicted(of, &self.unoffered)
    }

    /// What offers of these rows are expected to bring.
    pub(super) fn extra(&self, of: &[usize]) -> Result<Vec<f64>> {
        let both = self.extra_by_facts(of)?.into_iter().zip(self.predicted(of, &self.by_trees)?);
        Ok(both.map(|(facts, trees)| pooled(facts, trees, 1.0)).collect())
    }

    fn extra_by_facts(&self, of: &[usize]) -> Result<Vec<f64>> {
        let rows = self.rows;
        rows.crossed(of, &self.by_facts, |learnt, part| Ok(predict(learnt, &rows.facts(part))))
    }

    fn predicted(&self, of: &[usize], trees: &[Ensemble]) -> Result<Vec<f64>> {
        let rows = self.rows;
        rows.crossed(of, trees, |learnt, part| learnt.predict(&rows.matrix(part)?))
    }

    fn facts(&self) -> Result<Vec<LogLinear>> {
        Rows::by_fold(|fold| self.rows.learn_facts(&self.made, &self.shares, Some(fold)))
    }

    fn trees(&self, from: &[usize], labels: &[f32]) -> Result<Vec<Ensemble>> {
        Rows::by_fold(|fold| self.rows.learn(from, labels, &self.params(fold), Some(fold)))
    }

    /// What was learnt from everybody.
    pub(super) fn everybody(&self) -> Result<Learnt> {
        let params = self.params(FOLDS);
        Ok(Learnt {
            extra: self.rows.learn_facts(&self.made, &self.shares, None)?,
            extra_trees: self.rows.learn(&self.made, &self.shares, &params, None)?,
            unoffered: self.rows.learn(&self.unmade, &self.anyway, &params, None)?,
        })
    }

    /// Few trees of few leaves: extra purchases are rare.
    fn params(&self, fold: u64) -> Params {
        Params {
            objective: Objective::Logistic,
            rounds: 60,
            leaves: Some(6),
            max_depth: None,
            learning_rate: 0.1,
            min_rows_per_leaf: 50,
            min_child_weight: 1.0,
            subsample: self.config.model.row_share,
            column_sample: 0.5,
            l2: 10.0,
            early_stopping_rounds: None,
            seed: self.seed.wrapping_add(fold),
            bins: 63,
        }
    }
}
