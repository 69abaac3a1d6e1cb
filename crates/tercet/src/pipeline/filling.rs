//! How do the customers of a week, their offers and the rules become a problem, and what solves it?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tercet_allocation::solve::{Dual, Solver};
use tercet_allocation::{
    Candidate, CountedProducts, Customer, Customers, Exploration, LimitPart, NoOverlap, Overlap,
    Problem, Promotion, Reasons, RuleId, ShadowPrice, Slot, verify_all,
};
use tercet_engine::Engine;
use tercet_measurement::assignment::{self, Arm, Salt};
use tercet_types::{Error, Result};

use super::audiences::{audience, customers_where, promotion_audiences};
use super::limits::{add_budgets, add_floors, has_margin_budget, refuse_untold};
use super::pins::Pins;
use super::plan_facts::LimitPriceFacts;
use super::prices::start_from;
use super::scopes::Scopes;
use super::slates::{Circumstances, Slates, Standing, Told};
use super::slot_masks::SlotMasks;
use super::week::{KnownPromotion, Week};
use super::worth::{ORDER_VALUE, Scored};
use crate::config::{Config, ModelValue, Slot as SlotConfig};

/// The problem of a week, to which the customers of one part after the other are added.
pub(crate) struct Filling<'a> {
    terms: Arc<Terms<'a>>,
    /// Eligible products of the promotions.
    products: Vec<Vec<u32>>,
    problem: Problem<'static>,
    value_most_minor: i64,
    counts_products: bool,
    customers: Vec<i32>,
    first_of_part: Vec<usize>,
    standing: Vec<Standing>,
    /// By customer, for draws.
    keys: Vec<u64>,
    exploration: Exploration,
    /// Prices of limits to start from.
    start: Vec<ShadowPrice>,
    budget_names: Vec<String>,
    floor_names: Vec<String>,
}

/// What says which offers a customer may get: the same for all parts.
pub(crate) struct Terms<'a> {
    config: &'a Config,
    scopes: Scopes,
    excluded: BTreeSet<&'a str>,
    /// What the customers of floors meet.
    floor_groups: Vec<(String, &'a str)>,
    promotions: Vec<i32>,
    counts_margin: bool,
}

/// The customers of a part with the offers that each may get.
pub(crate) struct FilledPart {
    customers: Customers,
    places: Vec<i32>,
    standing: Vec<Standing>,
    keys: Vec<u64>,
    value_most_minor: i64,
    counts_products: bool,
    exploration: Exploration,
}

impl<'a> Filling<'a> {
    /// A problem without customers. `keep` says which promotions take part at all.
    pub(crate) fn new(week: &Week, config: &'a Config, keep: impl Fn(i32) -> bool) -> Result<Self> {
        let promotions: Vec<i32> = week.candidates().into_iter().filter(|ix| keep(*ix)).collect();
        let known = || promotions.iter().map(|ix| &week.promotions[ix]);
        let scopes = Scopes::of(week, &config.slots)?;
        let groups: BTreeMap<&str, u32> = known()
            .filter_map(|known| known.exclusivity_group.as_deref())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .zip(0..)
            .collect();
        let in_group = |known: &KnownPromotion| {
            known.exclusivity_group.as_deref().and_then(|group| groups.get(group).copied())
        };
        let problem_promotions = known().map(|known| Promotion {
            cap: known.cap.or(config.rules.cap_default),
            budget_minor: known.budget_minor,
            exclusivity_group: in_group(known),
            ..scopes.of_promotion(known)
        });
        let slot =
            |slot: &SlotConfig| Slot { name: slot.name.clone(), channel: scopes.of_slot(slot) };
        let mut problem = Problem {
            slots: config.slots.iter().map(slot).collect(),
            promotions: problem_promotions.collect(),
            total_budget_minor: config.rules.budget_minor,
            offers_max: Some(config.rules.offers_max).filter(|most| *most > 0),
            min_value_minor: config.rules.value_min_minor,
            ..Problem::default()
        };
        let at_id: BTreeMap<&str, u32> =
            known().zip(0..).map(|(known, at)| (known.id.as_str(), at)).collect();
        let budget_names = add_budgets(&mut problem, config, &at_id);
        // By order value, margins are never asked for; else some week needs them, if not this one.
        let needs_margins = has_margin_budget(&problem) && config.model.value != ModelValue::Order;
        if needs_margins && config.features.product.default_margin_rate.is_none() {
            let untold: Vec<bool> = known().map(|known| !known.margin_is_told).collect();
            let ids: Vec<&str> = known().map(|known| known.id.as_str()).collect();
            refuse_untold(&problem, &budget_names, &untold, &ids)?;
        }
        let (floor_names, floor_groups) = add_floors(&mut problem, config, &at_id)?;
        let products = known().map(|known| known.products.clone()).collect();
        let terms = Terms {
            config,
            excluded: config.rules.excluded.iter().map(String::as_str).collect(),
            floor_groups,
            counts_margin: has_margin_budget(&problem),
            scopes,
            promotions,
        };
        Ok(Self {
            terms: Arc::new(terms),
            products,
            problem,
            value_most_minor: 1,
            counts_products: false,
            customers: Vec::new(),
            first_of_part: Vec::new(),
            standing: Vec::new(),
            keys: Vec::new(),
            exploration: Exploration::default(),
            start: Vec::new(),
            budget_names,
            floor_names,
        })
    }

    /// Starts from what limits cost in the week before.
    pub(crate) fn start_from(&mut self, week: &Week, earlier: &[LimitPriceFacts]) {
        let ids = self.terms.promotions.iter().map(|ix| week.promotions[ix].id.as_str());
        let places: BTreeMap<&str, u32> = ids.zip(0..).collect();
        self.start = start_from(earlier, &places, &self.budget_names, &self.floor_names);
    }

    /// What says which offers a customer may get.
    pub(crate) fn terms(&self) -> Arc<Terms<'a>> {
        Arc::clone(&self.terms)
    }

    /// Adds the customers of the next part.
    pub(crate) fn push(&mut self, part: FilledPart) -> Result<()> {
        self.first_of_part.push(self.customers.len());
        self.exploration = part.exploration;
        self.counts_products = part.counts_products;
        self.value_most_minor = self.value_most_minor.max(part.value_most_minor);
        match self.problem.customers.is_empty() {
            true => self.problem.customers = part.customers,
            false => self.problem.customers.append(&part.customers)?,
        }
        self.keys.extend(part.keys);
        self.standing.extend(part.standing);
        self.customers.extend(part.places);
        Ok(())
    }

    /// Customers who may get offers, or could in the other arm of a test.
    pub(crate) fn competing(&self) -> u64 {
        let could = |blocked: Option<RuleId>| matches!(blocked, None | Some(RuleId::Baseline));
        self.problem.customers.iter().filter(|customer| could(customer.blocked)).count() as u64
    }

    /// Customers who may get offers.
    pub(crate) fn eligible(&self) -> u64 {
        self.problem.customers.iter().filter(|customer| customer.blocked.is_none()).count() as u64
    }

    /// Who gets what, with this part of every limit.
    pub(crate) fn solve(mut self, told: Told, limits: LimitPart) -> Result<Slates> {
        limits.take(&mut self.problem);
        // What is not said of a miss is as bad as losing the best offer.
        for floor in self.problem.floors.iter_mut().filter(|floor| floor.miss_minor == i64::MAX) {
            floor.miss_minor = self.value_most_minor;
        }
        let counted;
        let mut problem: Problem<'_> = self.problem;
        problem.overlap = if self.counts_products {
            counted = CountedProducts::new(self.products)?;
            &counted as &dyn Overlap
        } else {
            &NoOverlap
        };
        let exploration = self.exploration;
        let reserve = exploration.reserve(&problem)?;
        reserve.take_from(&mut problem);
        let solver = Dual::starting_at(&self.start);
        let (plan, certificate) = if told.with_reasons {
            let solved = solver.solve_with_certificate(&problem)?;
            (solved.plan, Some(solved.certificate))
        } else {
            (solver.solve(&problem)?, None)
        };
        verify_all(&problem, &plan)?;
        reserve.give_back(&mut problem);
        let explored = exploration.explore(&problem, plan, &self.keys)?;
        if exploration.law.is_on() {
            verify_all(&problem, &explored.plan)?;
        }
        let (mut why_not, mut why_empty) = (Vec::new(), Vec::new());
        if told.with_reasons {
            let reasons = Reasons::with_draws(&problem, &explored, &reserve);
            for customer in 0..problem.customers.len() {
                if told.of_candidates {
                    why_not.extend(reasons.of_candidates(customer));
                }
                why_empty.extend(reasons.of_slots(customer));
            }
        }
        Ok(Slates {
            customers: self.customers,
            first_of_part: self.first_of_part,
            standing: self.standing,
            problem: problem.without_overlap(),
            promotions: self.terms.promotions.clone(),
            why_empty,
            why_not,
            budget_names: self.budget_names,
            floor_names: self.floor_names,
            explored,
            certificate,
        })
    }
}

impl Terms<'_> {
    /// The customers in `scored`, who are registered in the engine, with the offers that each may get.
    pub(crate) fn part(
        &self,
        engine: &Engine,
        week: &Week,
        scored: &Scored,
        circumstances: &Circumstances,
        masks: &SlotMasks,
        standing: &dyn Fn(i32) -> Result<Standing>,
    ) -> Result<FilledPart> {
        let config = self.config;
        let audience = audience(engine, week, config)?;
        let admitted = promotion_audiences(engine, week, &self.promotions)?;
        let pins = Pins::read(engine, week, config)?;
        let groups =
            self.floor_groups.iter().map(|(place, text)| customers_where(engine, text, place));
        let floor_groups = groups.collect::<Result<Vec<_>>>()?;
        let contact_rules = config.rules.contacts();
        let place = |ix: &i32| scored.promotions.binary_search(ix);
        let places: Vec<usize> = self.promotions.iter().filter_map(|ix| place(ix).ok()).collect();
        if places.len() < self.promotions.len() {
            return Err(Error::internal("T0504", "a promotion that can be offered has no value"));
        }
        let mut part = FilledPart {
            customers: Customers::default(),
            places: scored.customers.clone(),
            standing: Vec::with_capacity(scored.customers.len()),
            keys: Vec::with_capacity(scored.customers.len()),
            value_most_minor: 1,
            counts_products: scored.value_kind == ORDER_VALUE,
            exploration: circumstances.exploration,
        };
        // What of an offer hangs on no customer.
        let offers: Vec<_> = (self.promotions.iter().zip(&places).zip(0..))
            .map(|((promotion, place), number)| {
                let id = week.promotions[promotion].id.as_str();
                let is_excluded = self.excluded.contains(id);
                (*promotion, *place, number, id, admitted.get(promotion), is_excluded)
            })
            .collect();
        let mut candidates = Vec::new();
        for (at, &ix) in scored.customers.iter().enumerate() {
            let known = &week.customers[&ix];
            let standing = standing(ix)?;
            let earlier = circumstances.history.get(&known.id);
            let redeemed = circumstances.redeemed.range((ix, i32::MIN)..=(ix, i32::MAX));
            let redeemed: Vec<i32> = redeemed.map(|(_, promotion)| *promotion).collect();
            candidates.clear();
            let mut pinned = Vec::new();
            for &(promotion, place, number, id, admitted, is_excluded) in &offers {
                let rule = if admitted.is_some_and(|who| !who.contains(&ix)) {
                    Some(RuleId::Audience)
                } else if redeemed.contains(&promotion) {
                    Some(RuleId::Redeemed)
                } else if is_excluded {
                    Some(RuleId::Exclusion)
                } else if earlier.is_some_and(|earlier| {
                    let is_repeat = |c: &super::Contact| {
                        c.promotion_id == id && contact_rules.is_repeat(week.as_of, c.as_of)
                    };
                    earlier.iter().any(is_repeat)
                }) {
                    Some(RuleId::Frequency)
                } else {
                    None
                };
                let row = at * scored.promotions.len() + place;
                let value = scored.value(row);
                let pin = pins.slot(promotion, ix);
                if pin.is_some() {
                    pinned.push(candidates.len());
                }
                candidates.push(Candidate {
                    promotion: number,
                    slots: pin.map_or_else(|| masks.of(row), |slot| 1 << slot),
                    value_minor: value.value_minor.round_ties_even() as i64,
                    expected_cost_minor: value.expected_cost_minor.ceil() as i64,
                    margin_loss_minor: match self.counts_margin {
                        true => value.margin_loss_minor.ceil() as i64,
                        false => 0,
                    },
                    excluded: rule,
                });
            }
            let most_minor = candidates.iter().map(|candidate| candidate.value_minor).max();
            part.value_most_minor = part.value_most_minor.max(most_minor.unwrap_or(0));
            let offered = || earlier.into_iter().flatten().map(|contact| contact.as_of);
            let in_group = |(at, who): (usize, &BTreeSet<i32>)| u16::from(who.contains(&ix)) << at;
            let customer = Customer {
                max_offers: contact_rules.max_offers(config.slots.len(), week.as_of, offered()),
                contact_price_minor: contact_rules.contact_price_minor(week.as_of, offered()),
                groups: floor_groups.iter().enumerate().map(in_group).sum(),
                blocked: if !known.may_be_contacted {
                    Some(RuleId::Consent)
                } else if standing.arm == Arm::Control {
                    Some(RuleId::Control)
                } else if !audience.contains(&ix) {
                    Some(RuleId::Audience)
                } else {
                    standing.is_bare.then_some(RuleId::Baseline)
                },
                order: assignment::hash(&circumstances.assignment_key, Salt::EngineAb, &known.id),
                ..self.scopes.of_customer(known)
            };
            part.customers.push(customer, &candidates, &pinned)?;
            let key = &circumstances.assignment_key;
            part.keys.push(assignment::hash(key, Salt::Exploration, &known.id));
            part.standing.push(standing);
        }
        Ok(part)
    }
}
