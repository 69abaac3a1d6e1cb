//! Who gets which three, under all rules?

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tercet_allocation::solve::{Dual, Solver};
use tercet_allocation::{
    Budget, Candidate, Certificate, CountedProducts, Customer, Exploration, Explored, Floor,
    LimitPart, MAX_GROUPS, Measure, NoOverlap, Overlap, Placed, Problem, Promotion, Reasons,
    RuleId, ShadowPrice, Slot, WhyNot, verify_all,
};
use tercet_engine::{Engine, Frame, params};
use tercet_measurement::assignment::{self, Arm, Holdout, Salt, TestArm};
use tercet_types::{Date, Error, Result};

use super::history::History;
use super::pins::Pins;
use super::plan_facts::LimitPriceFacts;
use super::prices::start_from;
use super::scopes::Scopes;
use super::week::{KnownPromotion, Week};
use super::worth::{ORDER_VALUE, Scored};
use crate::config::{Config, ModelValue, Slot as SlotConfig};

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
    /// What is drawn at random beside the plan.
    pub(crate) exploration: Exploration,
}

/// Where assignment puts a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The arm of the holdout.
    pub(crate) arm: Arm,
    /// The arm of the engine test, where the customer is in one.
    pub(crate) test_arm: Option<TestArm>,
    /// True when no engine decides for this arm of the test, so that it gets no offers.
    pub(crate) is_bare: bool,
}

impl Standing {
    /// In an arm of the holdout, and in no test.
    const fn of(arm: Arm) -> Self {
        Self { arm, test_arm: None, is_bare: false }
    }
}

/// The problem of a week and its plan.
///
/// The candidates of every customer are the promotions of the plan, in their order.
pub(crate) struct Slates {
    /// Index of each customer of the plan, in its part.
    pub(crate) customers: Vec<i32>,
    /// Where the customers of each part begin.
    first_of_part: Vec<usize>,
    /// Where assignment puts each customer.
    pub(crate) standing: Vec<Standing>,
    /// What the solver saw, but for the overlap.
    pub(crate) problem: Problem<'static>,
    /// Index of each promotion of the plan.
    pub(crate) promotions: Vec<i32>,
    /// Why each slot is empty, customer by customer, when asked for.
    pub(crate) why_empty: Vec<Option<RuleId>>,
    /// What kept each candidate out, customer by customer, when asked for.
    pub(crate) why_not: Vec<Option<WhyNot>>,
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

    /// The places of the customers of a part.
    pub(crate) fn part(&self, part: usize) -> Range<usize> {
        let end = self.first_of_part.get(part + 1).copied();
        self.first_of_part[part]..end.unwrap_or(self.customers.len())
    }
}

/// What is told of a plan beside who gets what.
#[derive(Clone, Copy, Default)]
pub(crate) struct Told {
    /// How good it is, and why slots are empty.
    pub(crate) with_reasons: bool,
    /// What kept each candidate out, too: as many words as there are pairs.
    pub(crate) of_candidates: bool,
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
    let mut filling = Filling::new(week, config, keep)?;
    let holdout = Holdout::new(circumstances.assignment_key, config.rules.holdout_rate)?;
    let standing = |ix: i32| {
        Ok(Standing::of(match circumstances.with_holdout {
            true => holdout.arm(&week.customers[&ix].id),
            false => Arm::Treatment,
        }))
    };
    filling.push(engine, week, scored, circumstances, masks, &standing)?;
    filling.solve(Told::default(), LimitPart::WHOLE)
}

/// The problem of a week, to which the customers of one part after the other are added.
pub(crate) struct Filling<'a> {
    config: &'a Config,
    scopes: Scopes,
    excluded: BTreeSet<&'a str>,
    /// Eligible products of the promotions.
    products: Vec<Vec<u32>>,
    /// What the customers of floors meet.
    floor_groups: Vec<(String, &'a str)>,
    problem: Problem<'static>,
    value_most_minor: i64,
    counts_products: bool,
    promotions: Vec<i32>,
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
        Ok(Self {
            config,
            excluded: config.rules.excluded.iter().map(String::as_str).collect(),
            products: known().map(|known| known.products.clone()).collect(),
            floor_groups,
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
            scopes,
            promotions,
        })
    }

    /// Starts from what limits cost in the week before.
    pub(crate) fn start_from(&mut self, week: &Week, earlier: &[LimitPriceFacts]) {
        let ids = self.promotions.iter().map(|ix| week.promotions[ix].id.as_str());
        let places: BTreeMap<&str, u32> = ids.zip(0..).collect();
        self.start = start_from(earlier, &places, &self.budget_names, &self.floor_names);
    }

    /// Adds the customers in `scored`, who are registered in the engine.
    pub(crate) fn push(
        &mut self,
        engine: &Engine,
        week: &Week,
        scored: &Scored,
        circumstances: &Circumstances,
        masks: &SlotMasks,
        standing: &dyn Fn(i32) -> Result<Standing>,
    ) -> Result<()> {
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
        self.first_of_part.push(self.customers.len());
        self.exploration = circumstances.exploration;
        self.counts_products = scored.value_kind == ORDER_VALUE;
        let counts_margin = has_margin_budget(&self.problem);
        let mut candidates = Vec::new();
        for (at, &ix) in scored.customers.iter().enumerate() {
            let known = &week.customers[&ix];
            let standing = standing(ix)?;
            let earlier = circumstances.history.get(&known.id);
            candidates.clear();
            let mut pinned = Vec::new();
            for ((&promotion, place), number) in self.promotions.iter().zip(&places).zip(0..) {
                let offer = &week.promotions[&promotion];
                let rule = if admitted.get(&promotion).is_some_and(|who| !who.contains(&ix)) {
                    Some(RuleId::Audience)
                } else if circumstances.redeemed.contains(&(ix, promotion)) {
                    Some(RuleId::Redeemed)
                } else if self.excluded.contains(offer.id.as_str()) {
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
                    margin_loss_minor: match counts_margin {
                        true => value.margin_loss_minor.ceil() as i64,
                        false => 0,
                    },
                    excluded: rule,
                });
            }
            let most_minor = candidates.iter().map(|candidate| candidate.value_minor).max();
            self.value_most_minor = self.value_most_minor.max(most_minor.unwrap_or(0));
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
            self.problem.customers.push(customer, &candidates, &pinned)?;
            let key = &circumstances.assignment_key;
            self.keys.push(assignment::hash(key, Salt::Exploration, &known.id));
            self.standing.push(standing);
            self.customers.push(ix);
        }
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
            promotions: self.promotions,
            why_empty,
            why_not,
            budget_names: self.budget_names,
            floor_names: self.floor_names,
            explored,
            certificate,
        })
    }
}

/// Adds the budgets of several promotions, and returns their names.
fn add_budgets(
    problem: &mut Problem<'_>,
    config: &Config,
    at_id: &BTreeMap<&str, u32>,
) -> Vec<String> {
    for shared in &config.rules.budgets {
        let named = shared.promotions.iter().filter_map(|id| at_id.get(id.as_str()).copied());
        let promotions: BTreeSet<u32> = match shared.promotions.is_empty() {
            true => at_id.values().copied().collect(),
            false => named.collect(),
        };
        let (budget_minor, measure) = (shared.budget_minor, shared.measure.into());
        let promotions = promotions.into_iter().collect();
        problem.budgets.push(Budget { budget_minor, measure, promotions });
    }
    config.rules.budgets.iter().map(|shared| shared.name.clone()).collect()
}

/// True when it counts what offers lose of the margin.
fn has_margin_budget(problem: &Problem<'_>) -> bool {
    problem.budgets.iter().any(|budget| budget.measure == Measure::Margin)
}

/// Refuses budgets in margin that a promotion spends whose margin is a guess, if only in part.
fn refuse_untold(
    problem: &Problem<'_>,
    names: &[String],
    untold: &[bool],
    ids: &[&str],
) -> Result<()> {
    for (budget, name) in problem.budgets.iter().zip(names) {
        let mut spend = budget.promotions.iter().map(|at| *at as usize);
        let found = spend.find(|at| budget.measure == Measure::Margin && untold[*at]);
        if let Some(at) = found {
            return Err(Error::config(
                "T1096",
                format!("budget '{name}' is in margin, and not every product of promotion '{}' says its margin", ids[at]),
            )
            .hint("fill margin_rate in products, say [features.product] default_margin_rate, or limit what offers cost: measure = \"cost\""));
        }
    }
    Ok(())
}

/// Names of floors, and the groups of customers that they name: where each stands in the configuration, and the
/// predicate.
type Floors<'a> = (Vec<String>, Vec<(String, &'a str)>);

/// Adds the floors.
fn add_floors<'a>(
    problem: &mut Problem<'_>,
    config: &'a Config,
    at_id: &BTreeMap<&str, u32>,
) -> Result<Floors<'a>> {
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
                groups.push((format!("floor '{}': where", floor.name), predicate));
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
