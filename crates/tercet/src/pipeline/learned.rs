//! What are offers worth to some customers of the week, by what was learned from all?

use std::sync::{Arc, PoisonError};

use tercet_engine::{Engine, FileSet, Frame, Location};
use tercet_features::Offered;
use tercet_types::{Error, Result};

use super::engine_test::Side;
use super::learn::Models;
use super::manifest::{Part, Stage};
use super::pairs::{Asked, Lenders, Made, Others, WeekPairs};
use super::parts::Opened;
use super::runner::StageContext;
use super::slot_masks::{SlotMasks, slot_masks};
use super::stages::{WeeklyRun, scored_of};
use super::week::Week;
use super::worth::{OWN_ENGINE, Scored, Valuer, Visits, baseline_scores, outside_scores};
use crate::config::Config;

/// What values hang on beside the customer: the models, and the customers who stand for all.
pub(super) struct Learned {
    pub(super) sample: Arc<Opened>,
    made: Arc<Made>,
    /// The customers of the sample.
    asked: Arc<Asked>,
    models: Option<Models>,
    visits: Visits,
    /// True when the product's own engine decides, for some at least.
    is_own: bool,
    /// The table of `[model] external_scores`.
    outside: Option<Frame>,
}

/// Some customers of the week, and what offers are worth to them.
pub(super) struct Seen {
    pub(super) opened: Arc<Opened>,
    asked: Arc<Asked>,
    lenders: Option<i32>,
    pub(super) visits: Visits,
    pub(super) scored: Scored,
}

impl WeeklyRun<'_> {
    /// Opens the sample and reads what was learned from it.
    pub(super) fn learned(&self, context: &StageContext<'_>) -> Result<Learned> {
        let sample = self.sample(context)?;
        let candidates = sample.week.candidates();
        let kept = self.pairs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (made, asked) = match kept {
            Some(kept) => kept,
            None => {
                let (shop, week) = (&sample.shop, &sample.week);
                let made = Made::new(context.engine, shop, week, context.config, &candidates)?;
                let made = (
                    Arc::new(made),
                    Arc::new(Asked::new(week.customers.keys().copied().collect())),
                );
                // Of a shop in parts other customers are asked for before these are again.
                if self.parts(context)? == 1 {
                    let mut kept = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
                    *kept = Some(made.clone());
                }
                made
            }
        };
        let location = &context.config.model.external_scores;
        let is_own = self.has_own_engine(context);
        let outside = match location.as_str() {
            location if is_own && !location.is_empty() => {
                let location = Location::new(location, &self.project.folder)?;
                let files = FileSet { location, format: None };
                context.engine.attach("external_scores", &files)?;
                Some(context.engine.table("external_scores")?)
            }
            _ => None,
        };
        let models = match self.cards(context)? {
            Some(cards) => Some(Models::read(&cards, |file| context.read(Stage::Models, file))?),
            None => None,
        };
        let visits = Visits::read(context.engine, &candidates)?;
        Ok(Learned { sample, made, asked, models, visits, is_own, outside })
    }
}

impl Learned {
    /// The ensembles.
    pub(super) fn models(&self) -> Option<&Models> {
        self.models.as_ref()
    }

    /// The promotions of the week.
    pub(super) fn offered(&self) -> &Offered {
        self.made.offered()
    }

    /// The pairs of the sample, while it is open.
    pub(super) fn pairs<'b>(&'b self, engine: &'b Engine) -> WeekPairs<'b> {
        WeekPairs::of(engine, &self.sample.shop, &self.made, &self.asked, None)
    }

    /// What customers of the sample tell of others.
    pub(super) fn others(&self) -> Result<Others<'_>> {
        self.made.others(&self.sample.shop)
    }

    /// What turns pairs into values, when the product's own models do: made while the sample is open.
    pub(super) fn valuer<'b>(
        &'b self,
        config: &'b Config,
        pairs: &'b WeekPairs<'_>,
    ) -> Result<Option<Valuer<'b>>> {
        if !self.is_own || self.outside.is_some() {
            return Ok(None);
        }
        Valuer::new(&self.sample.week, config, pairs, self.models(), &self.visits).map(Some)
    }

    /// Customers of a part: everybody is asked for only once.
    fn asked(&self, part: Part, customers: &[i32], week: &Week) -> Arc<Asked> {
        match part == Part::WHOLE && customers.len() == week.customers.len() {
            true => Arc::clone(&self.asked),
            false => Arc::new(Asked::new(customers.to_vec())),
        }
    }
}

/// What was learned, and who comes and goes to be looked at by it.
pub(super) struct Sight<'a> {
    pub(super) run: &'a WeeklyRun<'a>,
    pub(super) learned: &'a Learned,
    /// What the customers of the sample tell of others.
    pub(super) others: &'a Others<'a>,
    /// What turns pairs into values, where the product's own models do.
    pub(super) valuer: Option<&'a Valuer<'a>>,
}

impl Sight<'_> {
    /// Values all offers for some customers of a part that is open, for whom a side decides.
    pub(super) fn valued(
        &self,
        context: &StageContext<'_>,
        opened: &Arc<Opened>,
        part: Part,
        side: Side<'_>,
        customers: &[i32],
    ) -> Result<Seen> {
        let Self { learned, others, valuer, .. } = self;
        let (shop, week) = (&opened.shop, &opened.week);
        let visits = Visits::read(context.engine, &week.candidates())?;
        let asked = learned.asked(part, customers, week);
        let lenders = learned.sample.first_of(part);
        let of_part = Lenders { others, first: lenders };
        let pairs = WeekPairs::of(context.engine, shop, &learned.made, &asked, Some(of_part));
        let scored = match (valuer, &learned.outside) {
            _ if side.engine != OWN_ENGINE => {
                baseline_scores(side.engine, shop, week, context.config, customers)?
            }
            (Some(valuer), _) => valuer.scores(week, &pairs, &visits)?,
            (None, Some(table)) => outside_scores(shop, week, context.config, table, customers)?,
            (None, None) => {
                return Err(Error::internal("T0504", "values of an engine that learned nothing"));
            }
        };
        Ok(Seen { opened: Arc::clone(opened), asked, lenders, visits, scored })
    }

    /// The same, but as the scoring stage valued them in a run in one part.
    pub(super) fn seen(
        &self,
        context: &StageContext<'_>,
        opened: &Arc<Opened>,
        part: Part,
        side: Side<'_>,
        customers: &[i32],
    ) -> Result<Seen> {
        if part != Part::WHOLE {
            return self.valued(context, opened, part, side, customers);
        }
        let visits = Visits::read(context.engine, &opened.week.candidates())?;
        let asked = self.learned.asked(part, customers, &opened.week);
        let scored = scored_of(context, customers)?;
        Ok(Seen { opened: Arc::clone(opened), asked, lenders: Some(0), visits, scored })
    }

    /// The pairs of customers who were seen.
    pub(super) fn pairs<'b>(
        &'b self,
        context: &'b StageContext<'_>,
        seen: &'b Seen,
    ) -> WeekPairs<'b> {
        let lenders = Lenders { others: self.others, first: seen.lenders };
        let (shop, made) = (&seen.opened.shop, &self.learned.made);
        WeekPairs::of(context.engine, shop, made, &seen.asked, Some(lenders))
    }
}

impl Seen {
    /// Which slots each of their offers may fill.
    pub(super) fn masks(
        &self,
        context: &StageContext<'_>,
        pairs: &WeekPairs<'_>,
    ) -> Result<SlotMasks> {
        slot_masks(context.engine, &context.config.slots, &self.scored, pairs, &self.visits)
    }
}
