//! Who gets which three, under all rules?

use std::collections::{BTreeMap, BTreeSet};

use tercet_allocation::solve::{Dual, Solver};
use tercet_allocation::{
    Budget, Candidate, Certificate, CountedProducts, Customer, Exploration, Explored, Floor,
    MAX_GROUPS, NoOverlap, Overlap, Placed, Problem, Promotion, Reasons, RuleId, Slot, WhyNot,
    verify_all,
};
use tercet_engine::{Engine, Frame, params};
use tercet_measurement::assignment::{self, Arm, Holdout, Salt};
use tercet_types::{Date, Error, Result};

use super::history::History;
use super::pins::Pins;
use super::scopes::Scopes;
use super::week::Week;
use super::worth::{ORDER_VALUE, Scored};
use crate::config::{Config, Slot as SlotConfig};

/// What the rules look at beside the week: earlier offers, redemptions, and the key of assignment.
pub(crate) struct Circumstances {
    /// Key of the keyed hash.
    pub(crate) assignment_key: [u8; 16],
    /// Offers of earlier runs.
    pub(crate) history: History,
    /// Promotions redeemed before the Monday, by customer.
    pub(crate) redeemed: BTreeSet<(i32, i32)>,
    /// True when the holdout gets nothing; a replay of the past has none.
    pub(crate) with_holdout: bool,
    /// True when it is worked out what kept each candidate out, and how good the plan is.
    pub(crate) with_reasons: bool,
    /// What is drawn at random beside the plan.
    pub(crate) exploration: Exploration,
}

/// The problem of a week and its plan.
pub(crate) struct Slates {
    /// Index of each customer of the plan.
    pub(crate) customers: Vec<i32>,
    /// Arm of each customer.
    pub(crate) arms: Vec<Arm>,
    /// What the solver saw, but for the overlap.
    pub(crate) problem: Problem<'static>,
    /// Row of [`Scored`] of each candidate, customer by customer.
    pub(crate) rows: Vec<usize>,
    /// Where each customer's candidates begin in `rows`.
    pub(crate) starts: Vec<usize>,
    /// Index of each promotion of the plan.
    pub(crate) promotions: Vec<i32>,
    /// What kept each candidate out, in the order of `rows`, when asked for.
    pub(crate) why_not: Vec<Option<WhyNot>>,
    /// Why each slot is empty, customer by customer, when asked for.
    pub(crate) why_empty: Vec<Option<RuleId>>,
    /// Names of the problem's budgets of several promotions.
    pub(crate) budget_names: Vec<String>,
    /// Names of the problem's floors.
    pub(crate) floor_names: Vec<String>,
    /// Who gets what, and how likely that was.
    pub(crate) explored: Explored,
    /// How good the plan is before any draw, when asked for.
    pub(crate) certificate: Option<Certificate>,
}

impl Slates {
    /// The promotion of an offer.
    pub(crate) fn offered(&self, customer: usize, placed: &Placed) -> i32 {
        let at = self.problem.candidate(customer, placed.at()).promotion;
        self.promotions[at as usize]
    }

    /// The row of [`Scored`] of an offer.
    pub(crate) fn row(&self, customer: usize, placed: &Placed) -> usize {
        self.rows[self.starts[customer] + placed.at()]
    }
}

/// Fills the slots of the customers in `scored` and holds every rule against the result.
///
/// `keep` says which promotions take part at all.
pub(crate) fn fill_slots(
    engine: &Engine,
    week: &Week,
    config: &Config,
    scored: &Scored,
    circumstances: &Circumstances,
    masks: &SlotMasks,
    keep: impl Fn(i32) -> bool,
) -> Result<Slates> {
    let promotions: Vec<i32> = week.candidates().into_iter().filter(|ix| keep(*ix)).collect();
    let place: BTreeMap<i32, u32> = promotions.iter().zip(0..).map(|(ix, at)| (*ix, at)).collect();
    let audience = audience(engine, week, config)?;
    let admitted = promotion_audiences(engine, week, &promotions)?;
    let pins = Pins::read(engine, week, config)?;
    let scopes = Scopes::of(week, &config.slots)?;
    let excluded: BTreeSet<&str> = config.rules.excluded.iter().map(String::as_str).collect();
    let holdout = Holdout::new(circumstances.assignment_key, config.rules.holdout_rate)?;
    let groups: BTreeMap<&str, u32> = promotions
        .iter()
        .filter_map(|ix| week.promotions[ix].exclusivity_group.as_deref())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .zip(0..)
        .collect();
    let problem_promotions = promotions.iter().map(|ix| {
        let known = &week.promotions[ix];
        Promotion {
            cap: known.cap.or(config.rules.cap_default),
            budget_minor: known.budget_minor,
            exclusivity_group: known
                .exclusivity_group
                .as_deref()
                .and_then(|group| groups.get(group).copied()),
            ..scopes.of_promotion(known)
        }
    });
    let (mut arms, mut ids, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    let mut keys = Vec::new();
    let mut rows = Vec::new();
    let mut problem = Problem {
        slots: config
            .slots
            .iter()
            .map(|slot| Slot { name: slot.name.clone(), channel: scopes.of_slot(slot) })
            .collect(),
        promotions: problem_promotions.collect(),
        total_budget_minor: config.rules.budget_minor,
        offers_max: Some(config.rules.offers_max).filter(|most| *most > 0),
        min_value_minor: config.rules.value_min_minor,
        ..Problem::default()
    };
    let contact_rules = config.rules.contacts();
    let at_id: BTreeMap<&str, u32> =
        place.iter().map(|(ix, at)| (week.promotions[ix].id.as_str(), *at)).collect();
    let budget_names = add_budgets(&mut problem, config, &at_id);
    let (floor_names, floor_groups) = add_floors(&mut problem, engine, config, &at_id)?;
    let mut value_most_minor = 1;
    let mut candidates = Vec::new();
    let mut row = 0;
    while row < scored.rows() {
        let ix = scored.customer(row);
        let known = &week.customers[&ix];
        let arm = if circumstances.with_holdout { holdout.arm(&known.id) } else { Arm::Treatment };
        let earlier = circumstances.history.get(&known.id);
        starts.push(rows.len());
        candidates.clear();
        let mut pinned = Vec::new();
        while row < scored.rows() && scored.customer(row) == ix {
            let promotion = scored.promotion(row);
            if let Some(at) = place.get(&promotion) {
                let offer = &week.promotions[&promotion];
                let rule = if admitted.get(&promotion).is_some_and(|who| !who.contains(&ix)) {
                    Some(RuleId::Audience)
                } else if circumstances.redeemed.contains(&(ix, promotion)) {
                    Some(RuleId::Redeemed)
                } else if excluded.contains(offer.id.as_str()) {
                    Some(RuleId::Exclusion)
                } else if earlier.is_some_and(|earlier| {
                    let is_repeat = |c: &super::Contact| {
                        c.promotion_id == offer.id && contact_rules.is_repeat(week.as_of, c.as_of)
                    };
                    earlier.iter().any(is_repeat)
                }) {
                    Some(RuleId::Frequency)
                } else {
                    None
                };
                let value = scored.value(row);
                let pin = pins.slot(promotion, ix);
                if pin.is_some() {
                    pinned.push(candidates.len());
                }
                let slots = pin.map_or_else(|| masks.of(row), |slot| 1 << slot);
                candidates.push(Candidate {
                    promotion: *at,
                    slots,
                    value_minor: value.value_minor.round_ties_even() as i64,
                    expected_cost_minor: value.expected_cost_minor.ceil() as i64,
                    excluded: rule,
                });
                rows.push(row);
            }
            row += 1;
        }
        let most_minor = candidates.iter().map(|candidate| candidate.value_minor).max();
        value_most_minor = value_most_minor.max(most_minor.unwrap_or(0));
        let offered = || earlier.into_iter().flatten().map(|contact| contact.as_of);
        let in_group = |(at, who): (usize, &BTreeSet<i32>)| u16::from(who.contains(&ix)) << at;
        let customer = Customer {
            max_offers: contact_rules.max_offers(config.slots.len(), week.as_of, offered()),
            contact_price_minor: contact_rules.contact_price_minor(week.as_of, offered()),
            groups: floor_groups.iter().enumerate().map(in_group).sum(),
            blocked: if !known.may_be_contacted {
                Some(RuleId::Consent)
            } else if arm == Arm::Control {
                Some(RuleId::Control)
            } else if !audience.contains(&ix) {
                Some(RuleId::Audience)
            } else {
                None
            },
            order: assignment::hash(&circumstances.assignment_key, Salt::EngineAb, &known.id),
            ..scopes.of_customer(known)
        };
        problem.customers.push(customer, &candidates, &pinned)?;
        let key = &circumstances.assignment_key;
        keys.push(assignment::hash(key, Salt::Exploration, &known.id));
        arms.push(arm);
        ids.push(ix);
    }
    // What is not said of a miss is as bad as losing the best offer.
    for floor in problem.floors.iter_mut().filter(|floor| floor.miss_minor == i64::MAX) {
        floor.miss_minor = value_most_minor;
    }
    let counted;
    problem.overlap = if scored.value_kind == ORDER_VALUE {
        counted = CountedProducts::new(
            promotions.iter().map(|ix| week.promotions[ix].products.clone()).collect(),
        )?;
        &counted as &dyn Overlap
    } else {
        &NoOverlap
    };
    let exploration = circumstances.exploration;
    let reserve = exploration.reserve(&problem)?;
    reserve.take_from(&mut problem);
    let (plan, certificate) = if circumstances.with_reasons {
        let solved = Dual::default().solve_with_certificate(&problem)?;
        (solved.plan, Some(solved.certificate))
    } else {
        (Dual::default().solve(&problem)?, None)
    };
    verify_all(&problem, &plan)?;
    reserve.give_back(&mut problem);
    let explored = exploration.explore(&problem, plan, &keys)?;
    if exploration.law.is_on() {
        verify_all(&problem, &explored.plan)?;
    }
    let (mut why_not, mut why_empty) = (Vec::new(), Vec::new());
    if circumstances.with_reasons {
        let reasons = Reasons::with_draws(&problem, &explored, &reserve);
        for customer in 0..problem.customers.len() {
            why_not.extend(reasons.of_candidates(customer));
            why_empty.extend(reasons.of_slots(customer));
        }
    }
    Ok(Slates {
        customers: ids,
        arms,
        problem: problem.without_overlap(),
        rows,
        starts,
        promotions,
        why_not,
        why_empty,
        budget_names,
        floor_names,
        explored,
        certificate,
    })
}

/// Adds the budgets of several promotions, and returns their names.
fn add_budgets(
    problem: &mut Problem<'_>,
    config: &Config,
    at_id: &BTreeMap<&str, u32>,
) -> Vec<String> {
    for shared in &config.rules.budgets {
        let promotions: BTreeSet<u32> =
            shared.promotions.iter().filter_map(|id| at_id.get(id.as_str()).copied()).collect();
        let promotions = promotions.into_iter().collect();
        problem.budgets.push(Budget { budget_minor: shared.budget_minor, promotions });
    }
    config.rules.budgets.iter().map(|shared| shared.name.clone()).collect()
}

/// Adds the floors, and returns their names and who is in each group of customers that they name.
fn add_floors(
    problem: &mut Problem<'_>,
    engine: &Engine,
    config: &Config,
    at_id: &BTreeMap<&str, u32>,
) -> Result<(Vec<String>, Vec<BTreeSet<i32>>)> {
    let (mut names, mut groups, mut known) = (Vec::new(), Vec::new(), BTreeMap::new());
    for floor in &config.rules.floors {
        let predicate = floor.predicate.trim();
        let group = match known.get(predicate) {
            _ if predicate.is_empty() => None,
            Some(group) => Some(*group),
            None if groups.len() == MAX_GROUPS => {
                return Err(Error::config(
                    "T1019",
                    format!("floor '{}': more than {MAX_GROUPS} groups of customers", floor.name),
                )
                .hint("let floors name the same groups, in the same words"));
            }
            None => {
                let place = format!("floor '{}': where", floor.name);
                groups.push(customers_where(engine, predicate, &place)?);
                known.insert(predicate, groups.len() as u8 - 1);
                Some(groups.len() as u8 - 1)
            }
        };
        let of = |promotions: Option<Vec<u32>>| Floor {
            promotions,
            group,
            offers_min: floor.offers_min,
            miss_minor: floor.miss_minor.unwrap_or(i64::MAX),
        };
        if floor.promotions.is_empty() {
            problem.floors.push(of(None));
            names.push(floor.name.clone());
        }
        for id in &floor.promotions {
            if let Some(at) = at_id.get(id.as_str()) {
                problem.floors.push(of(Some(vec![*at])));
                names.push(format!("{}: {id}", floor.name));
            }
        }
    }
    Ok((names, groups))
}

/// Which slots each row of [`Scored`] may fill: bit `k` for slot `k`.
pub(crate) struct SlotMasks(Option<Vec<u8>>, u8);

impl SlotMasks {
    fn of(&self, row: usize) -> u8 {
        self.0.as_ref().map_or(self.1, |masks| masks[row])
    }

    /// For slots before any row is evaluated.
    pub(crate) fn new(slots: &[SlotConfig]) -> Self {
        let all = ((1_u16 << slots.len().min(8)) - 1) as u8;
        let is_open = slots.iter().all(|slot| slot.predicate.trim().is_empty());
        Self((!is_open).then(Vec::new), all)
    }

    /// True when some slot has a predicate, so that rows have to be [`add`](Self::add)ed.
    pub(crate) fn has_predicates(&self) -> bool {
        self.0.is_some()
    }

    /// Evaluates the slots' predicates for the next rows, those of whole customers. `facts` says, row by row, what they
    /// may look at of the pair; promotions and customers are joined to it.
    ///
    /// # Errors
    /// `T1016` naming the slot whose predicate is not SQL over the known columns.
    pub(crate) fn add(
        &mut self,
        engine: &Engine,
        slots: &[SlotConfig],
        facts: &Frame,
    ) -> Result<()> {
        let Some(all) = &mut self.0 else { return Ok(()) };
        engine.register("offer_pairs", facts)?;
        let texts: Vec<(&SlotConfig, &str)> = slots
            .iter()
            .flat_map(|slot| [(slot, slot.predicate.trim()), (slot, slot.otherwise.trim())])
            .collect();
        let found = rows_that_meet(engine, facts.rows(), &texts)?;
        engine.forget("offer_pairs")?;
        let customers = facts.i32("customer_ix")?;
        let mut masks = vec![0_u8; facts.rows()];
        for (at, slot) in slots.iter().enumerate() {
            let (meets, otherwise) = (&found[2 * at], &found[2 * at + 1]);
            let mut row = 0;
            while row < customers.len() {
                let end =
                    row + customers[row..].iter().take_while(|ix| **ix == customers[row]).count();
                let falls_back = !slot.otherwise.trim().is_empty()
                    && !meets[row..end].iter().any(|meets| *meets);
                let chosen = if falls_back { otherwise } else { meets };
                for at_row in row..end {
                    masks[at_row] |= u8::from(chosen[at_row]) << at;
                }
                row = end;
            }
        }
        all.extend(masks);
        Ok(())
    }
}

/// For each predicate, which rows of `offer_pairs` meet it; an empty predicate takes all.
fn rows_that_meet(
    engine: &Engine,
    rows: usize,
    predicates: &[(&SlotConfig, &str)],
) -> Result<Vec<Vec<bool>>> {
    let columns: Vec<String> = predicates
        .iter()
        .enumerate()
        .map(|(at, (_, text))| {
            format!("({}) as meets_{at}", if text.is_empty() { "true" } else { text })
        })
        .collect();
    let sql = |columns: &str| {
        include_str!("../../sql/slot_predicates.sql").replace("{predicates}", columns)
    };
    let found = match engine.query(&sql(&columns.join(", ")), &params([])) {
        Ok(found) => found,
        Err(error) => {
            // One by one, to name the slot.
            for (column, (slot, _)) in columns.iter().zip(predicates) {
                engine.query(&sql(column), &params([])).map_err(|error| {
                    Error::config("T1016", format!("slot '{}': {error}", slot.name))
                        .hint("a slot's `where` is SQL over promotion, customer and pair; docs/src/concepts/slots-and-rules.md lists the columns")
                        .cause(error)
                })?;
            }
            return Err(error);
        }
    };
    let places = found.i64("row")?;
    let mut meets = Vec::with_capacity(predicates.len());
    for at in 0..predicates.len() {
        let mut of_rows = vec![false; rows];
        for (place, value) in places.iter().zip(found.bool_or_null(&format!("meets_{at}"))?) {
            of_rows[*place as usize] = value == Some(true);
        }
        meets.push(of_rows);
    }
    Ok(meets)
}

/// Customers of the run's target audience.
fn audience(engine: &Engine, week: &Week, config: &Config) -> Result<BTreeSet<i32>> {
    let mut found = match config.audience.predicate.trim() {
        "" => week.customers.keys().copied().collect(),
        predicate => customers_where(engine, predicate, "[audience] where")?,
    };
    if config.audience.limit > 0 && found.len() as u64 > config.audience.limit {
        let mut by_spend: Vec<i32> = found.into_iter().collect();
        by_spend.sort_by_key(|ix| (std::cmp::Reverse(week.customers[ix].monetary_minor), *ix));
        by_spend.truncate(config.audience.limit as usize);
        found = by_spend.into_iter().collect();
    }
    Ok(found)
}

/// Who may get each promotion that names an audience.
pub(super) fn promotion_audiences(
    engine: &Engine,
    week: &Week,
    promotions: &[i32],
) -> Result<BTreeMap<i32, BTreeSet<i32>>> {
    let mut known: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    let mut admitted = BTreeMap::new();
    for ix in promotions {
        let promotion = &week.promotions[ix];
        let Some(predicate) = promotion.audience.as_deref() else { continue };
        if !known.contains_key(predicate) {
            let place = format!("promotion '{}': audience", promotion.id);
            known.insert(predicate, customers_where(engine, predicate, &place)?);
        }
        admitted.insert(*ix, known[predicate].clone());
    }
    Ok(admitted)
}

/// Customers that meet a predicate over the customer master.
pub(super) fn customers_where(
    engine: &Engine,
    predicate: &str,
    place: &str,
) -> Result<BTreeSet<i32>> {
    let sql = include_str!("../../sql/customers_where.sql").replace("{predicate}", predicate);
    let found = engine.query(&sql, &params([])).map_err(|error| {
        Error::config("T1019", format!("{place}: {error}"))
            .hint("an audience is SQL over the customer master, for example behaviour = 'both' and orders_12w >= 3")
            .cause(error)
    })?;
    Ok(found.i32("customer_ix")?.into_iter().collect())
}

/// Promotions that customers redeemed before the Monday.
pub(crate) fn redeemed_before(engine: &Engine, as_of: Date) -> Result<BTreeSet<(i32, i32)>> {
    let values = params([("as_of", tercet_engine::Value::Date(as_of))]);
    let found = engine.query(include_str!("../../sql/redeemed_before.sql"), &values)?;
    Ok(found.i32("customer_ix")?.into_iter().zip(found.i32("promotion_ix")?).collect())
}
