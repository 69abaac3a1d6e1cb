//! How does a plan become the decision log?

use std::collections::BTreeMap;
use std::ops::Range;

use tercet_allocation::{Placed, WhyNot};
use tercet_engine::{ColumnData, Frame};
use tercet_types::tables::decisions::DECISIONS;
use tercet_types::{DAYS_PER_WEEK, Result};

use super::aside::Responses;
use super::draws::DrawColumns;
use super::engine_test::{EngineTest, NO_ENGINE};
use super::manifest::to_json;
use super::plan_facts::certificate_facts;
use super::reasons::Reasons;
use super::runner::StageContext;
use super::slates::{Slates, Standing};
use super::week::Week;

/// Everything a row of the decision log is made of.
pub(super) struct DecisionLog<'a> {
    pub(super) context: &'a StageContext<'a>,
    pub(super) week: &'a Week,
    pub(super) responses: &'a Responses,
    pub(super) slates: &'a Slates,
    /// The places of the customers in the plan.
    pub(super) part: Range<usize>,
    /// By customer of the part and slot.
    pub(super) reasons: Reasons,
    /// Who decided.
    pub(super) engine: &'a str,
    pub(super) model_version: &'a str,
    /// The engine test, where one runs.
    pub(super) test: Option<&'a EngineTest>,
}

impl DecisionLog<'_> {
    /// One row per customer and slot, also for control customers and empty slots.
    pub(super) fn decisions(&self, draws: DrawColumns) -> Result<Frame> {
        let config = self.context.config;
        let (slots, week) = (&config.slots, self.week);
        let rows = self.part.len() * slots.len();
        let policy = blake3::hash(&to_json(&(
            &config.slots,
            &config.rules,
            &config.routes,
            &config.audience,
            &config.exploration,
        ))?)
        .to_hex()
        .as_str()[..12]
            .to_owned();
        // Of nothing while no limit has a price.
        let prices = certificate_facts(week, self.slates).map_or_else(Vec::new, |f| f.prices);
        let priced = if prices.is_empty() { Vec::new() } else { to_json(&prices)? };
        let dual = blake3::hash(&priced).to_hex().as_str()[..12].to_owned();
        // Customer, slot name, id, arm, engine.
        let mut text: [Vec<String>; 5] = std::array::from_fn(|_| Vec::with_capacity(rows));
        let (mut slot_numbers, mut promotions, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let (mut costs, mut responses, mut eligible) = (Vec::new(), Vec::new(), Vec::new());
        let (mut hashes, mut forced, mut depths) = (Vec::new(), Vec::new(), Vec::new());
        let (mut empties, mut reasons) = (Vec::new(), Vec::new());
        let (mut tests, mut test_arms) = (Vec::new(), Vec::new());
        for customer in self.part.clone() {
            let known = &week.customers[&self.slates.customers[customer]];
            let Standing { arm, test_arm, is_bare } = self.slates.standing[customer];
            let all_eligible = self.eligible(customer);
            for ((slot, configured), (count, hash)) in slots.iter().enumerate().zip(all_eligible) {
                let number = slot as i32 + 1;
                text[0].push(known.id.clone());
                text[1].push(configured.name.clone());
                text[2].push(self.decision_id(&known.id, number));
                text[3].push(arm.name().to_owned());
                text[4].push(if is_bare { NO_ENGINE } else { self.engine }.to_owned());
                tests.push(test_arm.and(self.test).map(|test| test.name.clone()));
                test_arms.push(test_arm.map(|arm| arm.name().to_owned()));
                slot_numbers.push(number);
                eligible.push(count);
                hashes.push(hash);
                let placed = self.slates.explored.plan.slate(customer)[slot].as_ref();
                let offered = placed.map(|placed| self.offered(customer, placed));
                promotions.push(offered.map(|(ix, _)| week.promotions[&ix].id.clone()));
                depths.push(offered.map(|(ix, _)| week.promotions[&ix].discount_rate));
                values
                    .push(placed.map_or(0, |placed| {
                        f64::from(placed.value_minor).round_ties_even() as i64
                    }));
                costs.push(placed.map_or(0, |placed| {
                    self.slates.problem.candidate(customer, placed.at()).expected_cost_minor
                }));
                responses
                    .push(offered.map_or(0.0, |(_, row)| f64::from(self.responses.rates[row])));
                forced.push(placed.is_some_and(|placed| placed.is_pinned()));
                let empty = self.slates.why_empty[customer * slots.len() + slot];
                empties.push(empty.map(|rule| rule.name().to_owned()));
                reasons.push(self.reasons[customer - self.part.start][slot].clone());
            }
        }
        let same = |value: &str| ColumnData::from(vec![value.to_owned(); rows]);
        let [ids, names, decision_ids, arms, engines] = text;
        let identity = self.context.identity;
        Frame::of_table(
            &DECISIONS,
            vec![
                ids.into(),
                slot_numbers.into(),
                names.into(),
                decision_ids.into(),
                same(self.context.run_id),
                vec![week.as_of; rows].into(),
                engines.into(),
                same(self.model_version),
                same(&policy),
                arms.into(),
                promotions.into(),
                values.into(),
                same(self.responses.value_kind),
                costs.into(),
                responses.into(),
                draws.propensities.into(),
                draws.joint.into(),
                eligible.into(),
                hashes.into(),
                same(&dual),
                vec![identity.seed as i64; rows].into(),
                draws.is_explored.into(),
                forced.into(),
                vec![false; rows].into(),
                depths.into(),
                vec![week.as_of; rows].into(),
                vec![week.as_of.plus_days(DAYS_PER_WEEK - 1); rows].into(),
                empties.into(),
                reasons.into(),
                draws.planned.into(),
                draws.is_randomised.into(),
                draws.is_measured.into(),
                draws.is_usable.into(),
                tests.into(),
                test_arms.into(),
            ],
        )
    }

    fn decision_id(&self, customer_id: &str, slot: i32) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.context.run_id.as_bytes()).update(b"\x1f");
        hasher.update(customer_id.as_bytes()).update(b"\x1f").update(&slot.to_le_bytes());
        hasher.finalize().to_hex().as_str()[..16].to_owned()
    }

    /// Promotion and row of the responses of an offer.
    fn offered(&self, customer: usize, placed: &Placed) -> (i32, usize) {
        let first = (customer - self.part.start) * self.responses.promotions;
        (self.slates.offered(customer, placed), first + placed.at())
    }

    /// By slot, number and hash of the promotions that the customer could have got in it.
    fn eligible(&self, customer: usize) -> Vec<(i32, String)> {
        let problem = &self.slates.problem;
        let mut slots = vec![(0, blake3::Hasher::new()); problem.slots.len()];
        if problem.customers[customer].blocked.is_none() {
            for candidate in problem.customers.row(customer).iter() {
                if candidate.excluded.is_some() {
                    continue;
                }
                let open = problem.scoped_slots(customer, &candidate);
                let promotion = self.slates.promotions[candidate.promotion as usize].to_le_bytes();
                let is_open = |(slot, _): &(usize, _)| open >> slot & 1 == 1;
                for (_, (count, hasher)) in slots.iter_mut().enumerate().filter(is_open) {
                    hasher.update(&promotion);
                    *count += 1;
                }
            }
        }
        let named = |(count, hasher): (i32, blake3::Hasher)| {
            (count, hasher.finalize().to_hex().as_str()[..12].to_owned())
        };
        slots.into_iter().map(named).collect()
    }

    /// All candidates with what kept them out: what `tercet explain` reads.
    pub(super) fn candidates(&self) -> Result<Frame> {
        let slates = self.slates;
        let width = slates.promotions.len();
        let chosen: BTreeMap<usize, i32> = slates
            .explored
            .plan
            .offers()
            .map(|(customer, slot, placed)| (customer * width + placed.at(), slot as i32 + 1))
            .collect();
        let (mut ids, mut promotions, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        let (mut values, mut rules, mut taken) = (Vec::new(), Vec::new(), Vec::new());
        let (mut rivals, mut of_customer) = (Vec::new(), Vec::new());
        let problem = &slates.problem;
        for (customer, ix) in slates.customers.iter().enumerate() {
            let row = problem.customers.row(customer).iter();
            for (at, candidate) in (customer * width..).zip(row) {
                ids.push(self.week.customers[ix].id.clone());
                promotions.push(
                    self.week.promotions[&slates.promotions[candidate.promotion as usize]]
                        .id
                        .clone(),
                );
                slots.push(i32::from(problem.scoped_slots(customer, &candidate)));
                values.push(candidate.value_minor);
                let why = slates.why_not[at];
                rules.push(why.map(|why| why.name().to_owned()));
                rivals.push(why.and_then(WhyNot::slot).map(|slot| slot as i32 + 1));
                of_customer.push(problem.customers[customer].blocked.is_some());
                taken.push(chosen.get(&at).copied());
            }
        }
        Frame::of(vec![
            ("customer_id", ids.into()),
            ("promotion_id", promotions.into()),
            ("slots", slots.into()),
            ("value_minor", values.into()),
            ("rule", rules.into()),
            ("rule_is_of_customer", of_customer.into()),
            ("rival_slot", rivals.into()),
            ("slot", taken.into()),
        ])
    }
}
