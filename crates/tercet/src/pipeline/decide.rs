//! How does a plan become the decision log, and the log become offers?

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tercet_allocation::{Limit, Placed, RuleId, WhyNot};
use tercet_delivery::codes::CodePools;
use tercet_delivery::offers::{Decision, Offer, Promotion as OfferedPromotion};
use tercet_delivery::{csv, json_lines, offers};
use tercet_engine::{ColumnData, Engine, Frame, Location};
use tercet_features::PairBlock;
use tercet_types::tables::decisions::{DECISIONS, OFFERS};
use tercet_types::{Currency, DAYS_PER_WEEK, Error, Result};

use super::draws::{DrawColumns, DrawCounts, DrawFacts};
use super::history::recent_contacts;
use super::manifest::{Part, Stage, to_json};
use super::pairs::{PairView, WeekPairs};
use super::prices::earlier_prices;
use super::reasons::reasons;
use super::report::Tally;
use super::runner::StageContext;
use super::slates::{Circumstances, Filling, Slates, SlotMasks, Told, redeemed_before};
use super::stages::WeeklyRun;
use super::week::{Week, known_customers};
use super::worth::{Scored, Visits};
use crate::config::Slot;
use crate::output::thousands;

/// The model's name in the log when there was none.
const NO_MODEL: &str = "none";

/// What allocation leaves beside its tables, for the report.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct PlanFacts {
    /// Value of all offers, minor units.
    pub(super) total_value_minor: f64,
    /// What is left of each promotion's cap: promotion, limit, remaining.
    pub(super) caps: Vec<(String, u64, u64)>,
    /// What is left of each promotion's budget, minor units: promotion, limit, remaining.
    pub(super) budgets_minor: Vec<(String, i64, i64)>,
    /// The run's budget and what is left of it, minor units.
    pub(super) total_budget_minor: Option<(i64, i64)>,
    /// What is left of each budget of several promotions, minor units: name, limit, remaining.
    #[serde(default)]
    pub(super) shared_budgets_minor: Vec<(String, i64, i64)>,
    /// Least numbers of offers: name, number, how many are missing.
    #[serde(default)]
    pub(super) floors: Vec<(String, u64, u64)>,
    /// Pins that a rule did not let through: promotion, customers, rule.
    pub(super) unplaced_pins: Vec<(String, usize, String)>,
    /// How good the plan is before any draw; none in a run of an earlier version.
    #[serde(default)]
    pub(super) certificate: Option<CertificateFacts>,
    /// What was drawn at random; none where nothing is.
    #[serde(default)]
    pub(super) draws: Option<DrawFacts>,
}

/// How far from the best possible a plan is. Values are minor units, or millionths of a score for an engine
/// that only ranks.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct CertificateFacts {
    /// What the offers are worth.
    pub(super) value_minor: f64,
    /// No plan under the same rules, limits and pins is worth more.
    pub(super) bound_minor: f64,
    /// What greedy's plan is worth.
    pub(super) greedy_minor: f64,
    /// The share of the bound that may be missing.
    pub(super) gap: f64,
    /// Limits with a price, the heaviest first. The run of the week after starts from them.
    pub(super) prices: Vec<LimitPriceFacts>,
    /// How often a sample of the customers was gone through to find them.
    #[serde(default)]
    pub(super) passes: usize,
}

/// What one more unit of a limit would bring.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct LimitPriceFacts {
    /// `cap`, `promotion_budget`, `budget`, `total_budget` or `floor`.
    pub(super) limit: String,
    /// The promotion, or the name of the budget or floor; none for the run's budget.
    pub(super) promotion: Option<String>,
    /// Per offer of a cap, or per minor unit of a budget.
    pub(super) price_minor: f64,
    /// The price times the limit.
    pub(super) weight_minor: f64,
}

/// Solves the week and writes `decisions`, `plan.json` and, where one table holds them, `candidates`.
pub(super) fn decide(run: &WeeklyRun<'_>, context: &mut StageContext<'_>) -> Result<String> {
    let parts = run.parts(context)?;
    if parts > 1 && context.config.audience.limit > 0 {
        return Err(Error::config("T1034", "[audience] limit: this shop is read in parts")
            .hint("who spends most is not known part by part: say it in [audience] where, for example monetary_minor > 10000, or set [run] parts = 1 where memory allows it"));
    }
    let learned = run.learned(context)?;
    let (of_sample, others) = (learned.pairs(context.engine), learned.others()?);
    let valuer = if parts == 1 { None } else { learned.valuer(context.config, &of_sample)? };
    let see = |context: &StageContext<'_>, part: Part| match part {
        Part::WHOLE => learned.seen(run, context),
        part => learned.see(run, context, part, &others, valuer.as_ref()),
    };
    let mut filling = Filling::new(&learned.sample.week, context.config, |_| true)?;
    filling.start_from(&learned.sample.week, &earlier_prices(context)?);
    // Each part is seen twice, before and after all offers compete; one that is all is kept.
    let meter = context.progress.count("parts", 2 * parts as u64);
    let mut kept = None;
    for part in Part::all(parts) {
        let seen = see(context, part)?;
        let week = &seen.opened.week;
        let circumstances = Circumstances {
            assignment_key: run.key,
            history: recent_contacts(context, part, week)?,
            redeemed: redeemed_before(context.engine, week.as_of)?,
            with_holdout: true,
            exploration: context.config.exploration.draws(context.identity.seed, week.as_of),
        };
        let masks = seen.masks(context, &seen.pairs(context, &learned, &others))?;
        filling.push(context.engine, week, &seen.scored, &circumstances, &masks)?;
        kept = (parts == 1).then_some(seen);
        meter.advance(1);
    }
    let slates = filling.solve(Told { with_reasons: true, of_candidates: parts == 1 })?;
    let model_version =
        run.cards(context)?.map_or_else(|| NO_MODEL.to_owned(), |cards| cards.version);
    let mut draws = DrawCounts::default();
    for part in Part::all(parts) {
        let seen = match kept.take() {
            Some(seen) => seen,
            None => see(context, part)?,
        };
        let pairs = seen.pairs(context, &learned, &others);
        let log = DecisionLog {
            context,
            week: &seen.opened.week,
            scored: &seen.scored,
            slates: &slates,
            part: slates.part(part.at),
            reasons: reasons(context, learned.models(), &slates, part, &seen, &pairs)?,
            model_version: &model_version,
        };
        let drawn = DrawColumns::of(log.week, &slates, log.part.clone());
        draws.add(&drawn);
        let decisions = log.decisions(drawn)?;
        let candidates = if parts == 1 { Some(log.candidates()?) } else { None };
        context.write_part(DECISIONS.name, part, &decisions)?;
        if let Some(candidates) = candidates {
            context.write_table("candidates", &candidates)?;
        }
        meter.advance(1);
    }
    drop(meter);
    let week = &learned.sample.week;
    let mut facts = plan_facts(context, week, &slates);
    facts.draws = draws.facts(context.config, week, &slates);
    context.write("plan.json", to_json(&facts)?)?;
    let treated: BTreeSet<usize> =
        slates.explored.plan.offers().map(|(customer, ..)| customer).collect();
    let missing = slates.certificate.as_ref().map_or_else(String::new, |certificate| {
        format!(", at most {:.2} % below the best possible", 100.0 * certificate.gap())
    });
    Ok(format!(
        "{} offers to {} of {} customers{missing}",
        thousands(slates.explored.plan.offers().count()),
        thousands(treated.len()),
        thousands(slates.customers.len())
    ))
}

/// Which slots each row of `scored` may fill; its customers are those of `pairs`, its promotions some of them.
pub(super) fn slot_masks(
    engine: &Engine,
    slots: &[Slot],
    scored: &Scored,
    pairs: &WeekPairs<'_>,
    visits: &Visits,
) -> Result<SlotMasks> {
    let mut masks = SlotMasks::new(slots);
    if !masks.has_predicates() || scored.promotions.is_empty() {
        return Ok(masks);
    }
    let strangers = || Error::internal("T0504", "scores of pairs that were not asked for");
    let offered = pairs.offered();
    let places = scored.promotions.iter().map(|ix| offered.place(*ix).ok_or_else(strangers));
    let places = places.collect::<Result<Vec<usize>>>()?;
    let mut first = 0;
    pairs.each(|block| {
        if scored.customers.get(first..first + block.len()) != Some(&block.customer_ix[..]) {
            return Err(strangers());
        }
        let view = PairView::new(block, offered)?;
        masks.add(engine, slots, &offer_facts(scored, first, block, &places, &view, visits)?)?;
        first += block.len();
        Ok(())
    })?;
    Ok(masks)
}

/// What slot predicates may look at of the pairs of a block, whose first customer stands at `first` in `scored`.
fn offer_facts(
    scored: &Scored,
    first: usize,
    block: &PairBlock,
    places: &[usize],
    view: &PairView<'_>,
    visits: &Visits,
) -> Result<Frame> {
    let count = block.len() * places.len();
    let (mut customers, mut promotions) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (mut bought, mut days) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (mut since, mut category) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (mut visited, mut values) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (mut responses, mut discoveries) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let on_visits: Vec<Option<usize>> =
        scored.promotions.iter().map(|promotion| visits.place(*promotion)).collect();
    for (at, customer) in block.customer_ix.iter().enumerate() {
        let (_, of_promotions) = visits.of_customer(*customer);
        for (column, (place, promotion)) in places.iter().zip(&scored.promotions).enumerate() {
            let pair = view.pair(at, *place);
            let value = scored.value((first + at) * places.len() + column);
            customers.push(*customer);
            promotions.push(*promotion);
            bought.push(pair.own_days() > 0);
            days.push(pair.own_days());
            since.push(pair.age_days());
            category.push(pair.buys_category());
            visited.push(on_visits[column].map_or(0.0, |place| of_promotions[place]));
            values.push(value.value_minor);
            responses.push(value.response_rate);
            discoveries.push(value.discovery_rate);
        }
    }
    Frame::of(vec![
        ("row", (0..count as i64).collect::<Vec<i64>>().into()),
        ("customer_ix", customers.into()),
        ("promotion_ix", promotions.into()),
        ("bought_before", bought.into()),
        ("days_bought", days.into()),
        ("days_since_bought", since.into()),
        ("buys_category", category.into()),
        ("visits", visited.into()),
        ("offer_value_minor", values.into()),
        ("response_rate", responses.into()),
        ("discovery_rate", discoveries.into()),
    ])
}

fn plan_facts(context: &StageContext<'_>, week: &Week, slates: &Slates) -> PlanFacts {
    let plan = &slates.explored.plan;
    let mut facts = PlanFacts { total_value_minor: plan.total_value_minor, ..PlanFacts::default() };
    for (at, ix) in slates.promotions.iter().enumerate() {
        let known = &week.promotions[ix];
        if let (Some(limit), Some(left)) =
            (known.cap.or(context.config.rules.cap_default), plan.remaining_caps[at])
        {
            facts.caps.push((known.id.clone(), limit, left));
        }
        if let (Some(limit), Some(left)) =
            (known.budget_minor, plan.remaining_promotion_budgets_minor[at])
        {
            facts.budgets_minor.push((known.id.clone(), limit, left));
        }
    }
    facts.total_budget_minor =
        context.config.rules.budget_minor.zip(plan.remaining_total_budget_minor);
    let shared = slates.budget_names.iter().zip(&slates.problem.budgets);
    let shared = shared.zip(&plan.remaining_budgets_minor);
    facts.shared_budgets_minor =
        shared.map(|((name, budget), left)| (name.clone(), budget.budget_minor, *left)).collect();
    let floors = slates.floor_names.iter().zip(&slates.problem.floors).zip(&plan.shortfalls);
    facts.floors =
        floors.map(|((name, floor), missing)| (name.clone(), floor.offers_min, *missing)).collect();
    let mut pins: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for pin in &plan.unplaced_pins {
        let at = slates.problem.candidate(pin.customer, pin.candidate).promotion;
        let promotion = slates.promotions[at as usize];
        *pins.entry((week.promotions[&promotion].id.clone(), pin.rule.name())).or_insert(0) += 1;
    }
    facts.certificate = certificate_facts(week, slates);
    facts.unplaced_pins =
        pins.into_iter().map(|((id, rule), count)| (id, count, rule.to_owned())).collect();
    facts
}

fn certificate_facts(week: &Week, slates: &Slates) -> Option<CertificateFacts> {
    let certificate = slates.certificate.as_ref()?;
    let promotion = |at: u32| week.promotions[&slates.promotions[at as usize]].id.clone();
    let (budgets, floors) = (&slates.budget_names, &slates.floor_names);
    let prices = certificate.prices.iter().map(|price| {
        let (rule, promotion) = match price.limit {
            Limit::Cap(at) => (RuleId::Cap, Some(promotion(at))),
            Limit::PromotionBudget(at) => (RuleId::PromotionBudget, Some(promotion(at))),
            Limit::TotalBudget => (RuleId::TotalBudget, None),
            Limit::Budget(at) => (RuleId::NamedBudget, Some(budgets[at as usize].clone())),
            Limit::Floor(at) => (RuleId::Floor, Some(floors[at as usize].clone())),
        };
        LimitPriceFacts {
            limit: rule.name().to_owned(),
            promotion,
            price_minor: price.price_minor,
            weight_minor: price.weight_minor,
        }
    });
    Some(CertificateFacts {
        value_minor: certificate.value_minor,
        bound_minor: certificate.bound_minor,
        greedy_minor: certificate.greedy_minor,
        gap: certificate.gap(),
        prices: prices.collect(),
        passes: certificate.passes,
    })
}

/// Everything a row of the decision log is made of.
struct DecisionLog<'a> {
    context: &'a StageContext<'a>,
    week: &'a Week,
    scored: &'a Scored,
    slates: &'a Slates,
    /// The places of the customers in the plan.
    part: Range<usize>,
    /// By customer of the part and slot.
    reasons: Vec<Vec<Option<String>>>,
    model_version: &'a str,
}

impl DecisionLog<'_> {
    /// One row per customer and slot, also for control customers and empty slots.
    fn decisions(&self, draws: DrawColumns) -> Result<Frame> {
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
        // Customer, slot name, id, arm.
        let mut text: [Vec<String>; 4] = std::array::from_fn(|_| Vec::with_capacity(rows));
        let (mut slot_numbers, mut promotions, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let (mut costs, mut responses, mut eligible) = (Vec::new(), Vec::new(), Vec::new());
        let (mut hashes, mut forced, mut depths) = (Vec::new(), Vec::new(), Vec::new());
        let (mut empties, mut reasons) = (Vec::new(), Vec::new());
        for customer in self.part.clone() {
            let known = &week.customers[&self.slates.customers[customer]];
            for (slot, configured) in slots.iter().enumerate() {
                let number = slot as i32 + 1;
                text[0].push(known.id.clone());
                text[1].push(configured.name.clone());
                text[2].push(self.decision_id(&known.id, number));
                text[3].push(self.slates.arms[customer].name().to_owned());
                slot_numbers.push(number);
                let (count, hash) = self.eligible(customer, slot);
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
                    .push(offered.map_or(0.0, |(_, row)| self.scored.value(row).response_rate));
                forced.push(placed.is_some_and(|placed| placed.is_pinned()));
                let empty = self.slates.why_empty[customer * slots.len() + slot];
                empties.push(empty.map(|rule| rule.name().to_owned()));
                reasons.push(self.reasons[customer - self.part.start][slot].clone());
            }
        }
        let same = |value: &str| ColumnData::from(vec![value.to_owned(); rows]);
        let [ids, names, decision_ids, arms] = text;
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
                same(&identity.engine),
                same(self.model_version),
                same(&policy),
                arms.into(),
                promotions.into(),
                values.into(),
                same(self.scored.value_kind),
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
            ],
        )
    }

    fn decision_id(&self, customer_id: &str, slot: i32) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.context.run_id.as_bytes()).update(b"\x1f");
        hasher.update(customer_id.as_bytes()).update(b"\x1f").update(&slot.to_le_bytes());
        hasher.finalize().to_hex().as_str()[..16].to_owned()
    }

    /// Promotion and row of the scores of an offer.
    fn offered(&self, customer: usize, placed: &Placed) -> (i32, usize) {
        let first = (customer - self.part.start) * self.scored.promotions.len();
        (self.slates.offered(customer, placed), first + placed.at())
    }

    /// Number and hash of the promotions that a slot of a customer could have got.
    fn eligible(&self, customer: usize, slot: usize) -> (i32, String) {
        let mut hasher = blake3::Hasher::new();
        let mut count = 0;
        let problem = &self.slates.problem;
        if problem.customers[customer].blocked.is_none() {
            for candidate in problem.customers.row(customer).iter() {
                let open = problem.scoped_slots(customer, &candidate);
                if candidate.excluded.is_none() && open >> slot & 1 == 1 {
                    hasher.update(
                        &self.slates.promotions[candidate.promotion as usize].to_le_bytes(),
                    );
                    count += 1;
                }
            }
        }
        (count, hasher.finalize().to_hex().as_str()[..12].to_owned())
    }

    /// All candidates with what kept them out: what `tercet explain` reads.
    fn candidates(&self) -> Result<Frame> {
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

/// Writes the offers, publishes them where configured, and writes the report.
pub(super) fn publish(run: &WeeklyRun<'_>, context: &mut StageContext<'_>) -> Result<String> {
    let parts = run.parts(context)?;
    let opened = run.open(context, Part { at: 0, of: parts })?;
    let week = &opened.week;
    let currency = Currency::new(&context.config.project.currency)?;
    let promotions = offered_promotions(context)?;
    let mut pools = code_pools(run, context, &promotions)?;
    let target = context.config.delivery.publish_to.as_str();
    let target = match target.is_empty() {
        true => None,
        false => Some(context.engine.store(&Location::new(target, &run.project.folder)?)?),
    };
    let (mut handed_out, mut tally, mut offers) = (HandedOut::new(), Tally::default(), 0);
    let meter = context.progress.count("parts", parts as u64);
    for part in Part::all(parts) {
        let log = context.load(Stage::Allocation, DECISIONS.name, part)?;
        let published = offers::publish(&decisions_of(&log)?, &promotions, &pools, currency)?;
        let table = offers_frame(&published.offers)?;
        context.write_part(OFFERS.name, part, &table)?;
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        if context.config.delivery.csv {
            files.push((part.named(OFFERS.name, "csv"), csv::write(&published.offers)));
        }
        if context.config.delivery.json_lines {
            let lines = json_lines::write(&published.offers)?;
            files.push((part.named(OFFERS.name, "jsonl"), lines));
        }
        // Under the run's own name first, the pointer to it last: a reader of the pointer sees all of it.
        if let Some(store) = &target {
            let path = |file: &str| format!("{}/{file}", context.run_id);
            for (name, bytes) in &files {
                store.put(&path(name), bytes.clone())?;
            }
            store.put_table(&path(&part.file(OFFERS.name)), &table)?;
        }
        for (name, bytes) in files {
            context.write(&name, bytes)?;
        }
        for (pool, count) in published.codes_used {
            let used = pools.get_mut(&pool).map(|codes| codes.drain(..count).collect::<Vec<_>>());
            handed_out.entry(pool).or_default().extend(used.into_iter().flatten());
        }
        if parts == 1 {
            tally.add(context, &log, &published.offers, &week.customers, &week.promotions)?;
        } else {
            context.mount(Stage::Features, "customer_master", part)?;
            let customers = known_customers(context.engine)?;
            tally.add(context, &log, &published.offers, &customers, &week.promotions)?;
        }
        offers += published.offers.len();
        meter.advance(1);
    }
    drop(meter);
    context.engine.forget(DECISIONS.name)?;
    context.write(CODES_FILE, to_json(&handed_out)?)?;
    if let Some(store) = &target {
        let pointer =
            serde_json::json!({ "run_id": context.run_id, "as_of": week.as_of, "offers": offers });
        store.put("latest.json", to_json(&pointer)?)?;
    }
    let report = tally.report(run, context, week)?;
    context.write_page("report.html", report.html()?.into_bytes())?;
    Ok(report.summary)
}

fn decisions_of(log: &Frame) -> Result<Vec<Decision>> {
    let text = |name: &str| log.text(name);
    let (customers, slots, ids) = (text("customer_id")?, log.i32("slot")?, text("decision_id")?);
    let (arms, promotions, values) =
        (text("arm")?, log.text_or_null("promotion_id")?, log.i64("value_minor")?);
    let (engines, models, runs) = (text("engine")?, text("model_version")?, text("run_id")?);
    let reasons = log.text_or_null("reason_codes")?;
    Ok((0..log.rows())
        .map(|row| Decision {
            customer_id: customers[row].clone(),
            slot: slots[row],
            decision_id: ids[row].clone(),
            arm: arms[row].clone(),
            promotion_id: promotions[row].clone(),
            value_minor: values[row],
            engine: engines[row].clone(),
            model_version: models[row].clone(),
            run_id: runs[row].clone(),
            reason_codes: reasons[row].clone(),
        })
        .collect())
}

fn offered_promotions(context: &StageContext<'_>) -> Result<BTreeMap<String, OfferedPromotion>> {
    context.need(Stage::Sources, "promotions")?;
    let frame = context.engine.table("promotions")?;
    let (ids, names) = (frame.text("promotion_id")?, frame.text_or_null("promotion_name")?);
    let (codes, pools) = (frame.text_or_null("code")?, frame.text_or_null("code_pool")?);
    let (from, to) = (frame.date("valid_from")?, frame.date("valid_to")?);
    Ok(ids
        .into_iter()
        .enumerate()
        .map(|(row, id)| {
            let promotion = OfferedPromotion {
                name: names[row].clone(),
                code: codes[row].clone(),
                code_pool: pools[row].clone(),
                valid_from: from[row],
                valid_to: to[row],
            };
            (id, promotion)
        })
        .collect())
}

/// Codes that a run handed out, by pool.
type HandedOut = BTreeMap<String, BTreeSet<String>>;

/// The file of a run with the codes it handed out.
const CODES_FILE: &str = "codes_used.json";

/// The folder beside the runs with the codes of runs that are deleted, one file a run.
pub(super) const DELETED_RUNS_CODES: &str = "codes_of_deleted_runs";

/// The path of the codes that a run handed out.
pub(super) fn codes_path(run_id: &str) -> String {
    super::stage_path(run_id, Stage::Delivery, CODES_FILE)
}

/// The unused codes of the pools that promotions name: files `<pool>.txt`, less what other runs took.
fn code_pools(
    run: &WeeklyRun<'_>,
    context: &StageContext<'_>,
    promotions: &BTreeMap<String, OfferedPromotion>,
) -> Result<CodePools> {
    let named: BTreeSet<&str> =
        promotions.values().filter_map(|promotion| promotion.code_pool.as_deref()).collect();
    let mut pools = CodePools::new();
    if named.is_empty() || context.config.delivery.code_pools.is_empty() {
        return Ok(pools);
    }
    let store = context
        .engine
        .store(&Location::new(&context.config.delivery.code_pools, &run.project.folder)?)?;
    // Also of runs that were broken off or deleted: what was handed out once is somebody's.
    let mut taken = HandedOut::new();
    let runs = context.store.folders("")?.into_iter().filter(|run| run != context.run_id);
    let mut records: Vec<String> = runs.map(|run| codes_path(&run)).collect();
    records.extend(context.store.list(DELETED_RUNS_CODES)?);
    for path in records {
        if let Some(bytes) = context.store.get_if_there(&path)? {
            for (pool, codes) in super::manifest::parse::<HandedOut>(&bytes, &path)? {
                taken.entry(pool).or_default().extend(codes);
            }
        }
    }
    for pool in named {
        let bytes = store.get(&format!("{pool}.txt"))?;
        let codes = String::from_utf8_lossy(&bytes);
        let codes = codes.lines().map(|line| line.trim().to_owned());
        let free = codes.filter(|code| !taken.get(pool).is_some_and(|taken| taken.contains(code)));
        pools.insert(pool.to_owned(), free.collect());
    }
    Ok(pools)
}

fn offers_frame(offers: &[Offer]) -> Result<Frame> {
    let text = |value: fn(&Offer) -> &str| -> Vec<String> {
        offers.iter().map(|offer| value(offer).to_owned()).collect()
    };
    Frame::of_table(
        &OFFERS,
        vec![
            text(|offer| &offer.customer_id).into(),
            offers.iter().map(|offer| offer.slot).collect::<Vec<_>>().into(),
            text(|offer| &offer.promotion_id).into(),
            text(|offer| &offer.decision_id).into(),
            offers.iter().map(|offer| offer.code.clone()).collect::<Vec<_>>().into(),
            offers.iter().map(|offer| offer.valid_from).collect::<Vec<_>>().into(),
            offers.iter().map(|offer| offer.valid_to).collect::<Vec<_>>().into(),
            text(|offer| &offer.reasons).into(),
            text(|offer| &offer.engine).into(),
            text(|offer| &offer.arm).into(),
            text(|offer| &offer.model_version).into(),
            offers.iter().map(|offer| offer.value_minor).collect::<Vec<_>>().into(),
            text(|offer| &offer.run_id).into(),
        ],
    )
}

/// Why a slot is empty, by the name of the rule, in words.
pub(crate) fn rule_words(name: &str) -> String {
    RuleId::from_name(name).map_or_else(|| name.replace('_', " "), |rule| rule.words().to_owned())
}
