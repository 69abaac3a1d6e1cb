//! How do the product's own models become values of offers?

use tercet_features::{CustomerAnswers, PairBlock};
use tercet_scoring::{
    Base, Bonus, Brought, Prediction, Rates, Route, incremental, spend_per_response_minor,
    visit_index, worth,
};
use tercet_types::Result;

use super::{INCREMENTAL_MARGIN, ORDER_VALUE, Scored, Visits, routes_of};
use crate::config::Config;
use crate::pipeline::learn::Models;
use crate::pipeline::pairs::WeekPairs;
use crate::pipeline::predict::{Bringer, Predictor};
use crate::pipeline::week::Week;

/// Values of all pairs by the order-value models and the segment routes.
pub(crate) fn tercet_scores(
    week: &Week,
    config: &Config,
    pairs: &WeekPairs<'_>,
    models: Option<&Models>,
    visits: &Visits,
) -> Result<Scored> {
    Valuer::new(week, config, pairs, models, visits)?.scores(week, pairs, visits)
}

/// Turns blocks of pairs into values.
pub(in crate::pipeline) struct Valuer<'a> {
    config: &'a Config,
    predictor: Option<Predictor<'a>>,
    /// What offers bring, where earlier ones tell.
    bringer: Option<Bringer>,
    promotions: Vec<i32>,
    /// What is known of each promotion without knowing the customer, and its even share of visits.
    bases: Vec<Base>,
    shares: Vec<f64>,
    /// What beside the spend counts.
    bonus: Bonus,
}

impl<'a> Valuer<'a> {
    /// By customers who stand for all: what offers are worth to one hangs on what they are worth to others.
    pub(in crate::pipeline) fn new(
        week: &Week,
        config: &'a Config,
        pairs: &'a WeekPairs<'_>,
        models: Option<&Models>,
        visits: &Visits,
    ) -> Result<Self> {
        let offered = pairs.offered();
        let answers = models.and_then(|models| models.answers.as_ref());
        let base = |ix: &i32| week.promotions.get(ix).map(|known| known.base).unwrap_or_default();
        let mut valuer = Self {
            config,
            predictor: models.map(|models| Predictor::new(models, offered)).transpose()?,
            bringer: None,
            promotions: offered.promotion_ix.clone(),
            bases: offered.promotion_ix.iter().map(base).collect(),
            shares: visits.shares(),
            bonus: Bonus::default(),
        };
        let sample = if valuer.predictor.is_some() { pairs.sample()? } else { None };
        let predictions =
            sample.as_ref().map_or_else(|| Ok(Vec::new()), |block| valuer.predictions(block))?;
        if let (Some(answers), Some(sample)) = (answers, &sample) {
            valuer.bringer = Some(Bringer::new(answers, offered, sample)?);
        }
        valuer.bonus = valuer.bonus_of(&predictions);
        Ok(valuer)
    }

    /// The values of the customers of `pairs`, with all promotions.
    pub(in crate::pipeline) fn scores(
        &self,
        week: &Week,
        pairs: &WeekPairs<'_>,
        visits: &Visits,
    ) -> Result<Scored> {
        let Some(bringer) = &self.bringer else {
            let mut scored = Scored::new(self.promotions.clone(), ORDER_VALUE);
            scored.routes = routes_of(week, self.config);
            pairs.each(|block| self.block(block, visits, &mut scored))?;
            return Ok(scored);
        };
        let mut scored = Scored::new(self.promotions.clone(), INCREMENTAL_MARGIN);
        scored.routes = routes_of(week, self.config);
        let customers = CustomerAnswers::read(pairs.engine(), week.as_of, Some(bringer.means))?;
        pairs.each(|block| {
            let brought = bringer.block(block, &customers, pairs.customer_ids())?;
            self.incremental(block, &brought, &mut scored)
        })?;
        Ok(scored)
    }

    fn predictions(&self, block: &PairBlock) -> Result<Vec<Prediction>> {
        match &self.predictor {
            Some(predictor) => predictor.block(block),
            None => Ok(vec![Prediction::default(); block.len() * self.bases.len()]),
        }
    }

    fn bonus_of(&self, predictions: &[Prediction]) -> Bonus {
        let mut sums = vec![(0.0, 0.0); self.bases.len()];
        for customer in predictions.chunks_exact(self.bases.len().max(1)) {
            for (sum, prediction) in sums.iter_mut().zip(customer) {
                sum.0 += prediction.spend_minor;
                sum.1 += prediction.rates.response_rate;
            }
        }
        let scale = spend_per_response_minor(&sums);
        Bonus {
            response_minor: self.config.model.response_weight * scale,
            discovery_minor: self.config.model.discovery_weight * scale,
            visit_weight: self.config.routes.visit_weight,
        }
    }

    /// Adds the customers of a block, by what offers bring to them; routes do not matter to that.
    fn incremental(
        &self,
        block: &PairBlock,
        brought: &[Brought],
        scored: &mut Scored,
    ) -> Result<()> {
        let promotions = self.bases.len();
        let rates = match &self.predictor {
            Some(predictor) => predictor.rates(block)?,
            None => vec![Rates::default(); block.len() * promotions],
        };
        for (at, customer) in block.customer_ix.iter().enumerate() {
            let pairs = at * promotions..(at + 1) * promotions;
            let values = rates[pairs.clone()].iter().zip(&brought[pairs]).zip(&self.bases);
            scored.push(
                *customer,
                values
                    .map(|((rates, brought), base)| incremental(rates, brought, base, &self.bonus)),
            );
        }
        Ok(())
    }

    /// Adds the customers of a block.
    fn block(&self, block: &PairBlock, visits: &Visits, scored: &mut Scored) -> Result<()> {
        let predictions = self.predictions(block)?;
        let promotions = self.bases.len();
        for (at, customer) in block.customer_ix.iter().enumerate() {
            let route = match scored.routes.get(customer).copied().unwrap_or(Route::Popular) {
                // Without a model, routes that need one fall back to what they have left.
                Route::Model if self.predictor.is_none() => Route::Popular,
                Route::Blend if self.predictor.is_none() => Route::Browsing,
                route => route,
            };
            let (total, visited) = visits.of_customer(*customer);
            let predicted = &predictions[at * promotions..(at + 1) * promotions];
            let pairs = predicted.iter().zip(&self.bases);
            let values = pairs.zip(visited.into_iter().zip(&self.shares));
            scored.push(
                *customer,
                values.map(|((prediction, base), (visits, share))| {
                    let index = visit_index(visits, total, *share);
                    worth(route, prediction, base, index, &self.bonus)
                }),
            );
        }
        Ok(())
    }
}
