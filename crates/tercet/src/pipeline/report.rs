//! What does the report of a run say?

use std::collections::BTreeMap;
use std::sync::PoisonError;

use tercet_allocation::RuleId;
use tercet_delivery::format::{self, Unit};
use tercet_delivery::offers::Offer;
use tercet_delivery::reasons;
use tercet_delivery::report::run::{
    CalibrationBin, Certificate, CheckStatus, ExampleCustomer, ExampleOffer, Fact, Headline,
    HealthCheck, Importance, Limit, LimitPrice, Metric, ModelQuality, NamedCount, PromotionCount,
    RunReport, SegmentCount, SlotFill, SourceHealth, Timing,
};
use tercet_engine::Frame;
use tercet_sources::Policy;
use tercet_types::{Currency, Result};

use super::champion::Contest;
use super::draws::DrawFacts;
use super::engine_test::NO_ENGINE;
use super::learn::{ModelCard, ModelCards};
use super::manifest::{Stage, parse};
use super::plan_facts::{LimitPriceFacts, PlanFacts};
use super::publish::rule_words;
use super::ratio;
use super::runner::StageContext;
use super::stages::WeeklyRun;
use super::week::{KnownCustomer, KnownPromotion, Week};
use super::worth::{RANK_SCORE, route_of};
use crate::output::thousands;

/// The name of the run's own budget among those of promotions.
const ALL_PROMOTIONS: &str = "all promotions";

/// Customers shown as examples, per behaviour segment.
const EXAMPLES_PER_SEGMENT: usize = 2;

/// What the report counts of the decisions, part by part.
#[derive(Default)]
pub(super) struct Tally {
    offers: usize,
    treated: usize,
    control: usize,
    reached: usize,
    value_minor: i64,
    cost_minor: i64,
    ranked: bool,
    /// By behaviour, RFM segment and arm.
    segments: BTreeMap<(String, String, String), i64>,
    /// By promotion: offers, value and expected cost, minor units.
    promotions: BTreeMap<String, (i64, i64, i64)>,
    /// By slot: filled, empty, and empty by reason.
    slots: BTreeMap<i32, (i64, i64, BTreeMap<String, i64>)>,
    routes: BTreeMap<&'static str, i64>,
    examples: Examples,
}

impl Tally {
    /// Adds the decisions for some customers, and the offers that came of them.
    pub(super) fn add(
        &mut self,
        context: &StageContext<'_>,
        log: &Frame,
        offers: &[Offer],
        customers: &BTreeMap<i32, KnownCustomer>,
        promotions: &BTreeMap<i32, KnownPromotion>,
    ) -> Result<()> {
        let currency = Currency::new(&context.config.project.currency)?;
        let log = Log::read(log)?;
        self.offers += offers.len();
        self.treated += log.customers(|row| log.arms[row] == "treatment");
        self.control += log.customers(|row| log.arms[row] == "control");
        self.reached += log.customers(|row| log.promotions[row].is_some());
        let (own, is_rank) = (&context.identity.decider, |row: usize| log.kinds[row] == RANK_SCORE);
        let rows = 0..log.customers.len();
        self.ranked |= rows.clone().any(|row| log.engines[row] == *own && is_rank(row));
        // Amounts and the scores of another engine do not add up.
        let counts = |row: &usize| self.ranked || !is_rank(*row);
        self.value_minor += rows.clone().filter(counts).map(|row| log.values[row]).sum::<i64>();
        self.cost_minor += rows.clone().filter(counts).map(|row| log.costs[row]).sum::<i64>();
        let by_id: BTreeMap<&str, &KnownCustomer> =
            customers.values().map(|customer| (customer.id.as_str(), customer)).collect();
        for row in rows.clone() {
            let (slot, arm) = (log.slots[row], &log.arms[row]);
            if slot == 1
                && let Some(known) = by_id.get(log.customers[row].as_str())
            {
                let key = (known.behaviour.clone(), known.rfm_segment.clone(), arm.clone());
                *self.segments.entry(key).or_insert(0) += 1;
            }
            if let Some(id) = &log.promotions[row] {
                let count = self.promotions.entry(id.clone()).or_default();
                count.0 += 1;
                count.1 += if counts(&row) { log.values[row] } else { 0 };
                count.2 += log.costs[row];
            }
            if arm == "treatment" {
                let (filled, empty, reasons) = self.slots.entry(slot).or_default();
                match &log.promotions[row] {
                    Some(_) => *filled += 1,
                    None => *empty += 1,
                }
                if let Some(reason) = &log.empties[row] {
                    *reasons.entry(reason.clone()).or_insert(0) += 1;
                }
            }
        }
        for customer in customers.values() {
            *self.routes.entry(route_of(customer, context.config).name()).or_insert(0) += 1;
        }
        self.examples.add(&log, &by_id, promotions, offers, currency);
        Ok(())
    }

    /// The report of the run, whose decisions were added.
    pub(super) fn report(
        self,
        run: &WeeklyRun<'_>,
        context: &StageContext<'_>,
        week: &Week,
    ) -> Result<RunReport> {
        let config = context.config;
        let currency = Currency::new(&config.project.currency)?;
        let cards = run.cards(context)?;
        let plan: PlanFacts = parse(&context.read(Stage::Allocation, "plan.json")?, "plan.json")?;
        let Self { offers, treated, control, reached, ranked, .. } = self;
        let (value, cost) = (self.value_minor, self.cost_minor);
        let money = |minor: i64| format::money(minor, currency);
        let summary = format!(
            "{} offers for {} customers, valid from {}; {} customers in control get none{}",
            thousands(offers),
            thousands(reached),
            week.as_of,
            thousands(control),
            ratio::alarm(&plan.arms)?
        );
        let mut headlines = vec![
            headline(
                "Offers",
                thousands(offers),
                &format!("{} per customer reached", per(offers, reached)),
            ),
            headline(
                "Customers reached",
                thousands(reached),
                &format!("of {} treated", thousands(treated)),
            ),
            headline(
                "In control",
                thousands(control),
                "get nothing, so that the lift can be measured",
            ),
        ];
        if !ranked {
            headlines.push(headline(
                "Expected order value",
                money(value),
                &format!("at an expected discount of {}", money(cost)),
            ));
        }
        Ok(RunReport {
            project: config.project.name.clone(),
            run_id: context.run_id.to_owned(),
            as_of: week.as_of,
            currency: config.project.currency.clone(),
            summary,
            facts: facts(run, context, week),
            headlines,
            notes: notes(context, week, cards.as_ref(), &plan)?,
            customers: segments(self.segments),
            promotions: promotions(self.promotions, week),
            limits: limits(&plan),
            certificate: certificate(&plan, ranked),
            slots: slots(self.slots, config),
            contest: run.contest.as_ref().map(Contest::said),
            models: cards.as_ref().map_or_else(Vec::new, models),
            routes: routes(self.routes),
            health: health(run, context)?,
            examples: self.examples.shown,
            timings: run
                .timings
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .map(|(stage, seconds)| Timing {
                    stage: stage.name().to_owned(),
                    seconds: *seconds,
                })
                .collect(),
        })
    }
}

/// The columns of the decision log that the report reads.
struct Log {
    customers: Vec<String>,
    slots: Vec<i32>,
    slot_names: Vec<String>,
    arms: Vec<String>,
    engines: Vec<String>,
    promotions: Vec<Option<String>>,
    values: Vec<i64>,
    kinds: Vec<String>,
    costs: Vec<i64>,
    empties: Vec<Option<String>>,
    reasons: Vec<Option<String>>,
}

impl Log {
    fn read(frame: &Frame) -> Result<Self> {
        Ok(Self {
            customers: frame.text("customer_id")?,
            slots: frame.i32("slot")?,
            slot_names: frame.text("slot_name")?,
            arms: frame.text("arm")?,
            engines: frame.text("engine")?,
            promotions: frame.text_or_null("promotion_id")?,
            values: frame.i64("value_minor")?,
            kinds: frame.text("value_kind")?,
            costs: frame.i64("expected_cost_minor")?,
            empties: frame.text_or_null("empty_reason")?,
            reasons: frame.text_or_null("reason_codes")?,
        })
    }

    /// Customers with a row that meets a condition; rows of a customer stand together.
    fn customers(&self, meets: impl Fn(usize) -> bool) -> usize {
        let mut last: Option<&str> = None;
        let mut count = 0;
        for row in (0..self.customers.len()).filter(|row| meets(*row)) {
            if last != Some(self.customers[row].as_str()) {
                last = Some(&self.customers[row]);
                count += 1;
            }
        }
        count
    }
}

fn headline(label: &str, value: String, note: &str) -> Headline {
    Headline { label: label.to_owned(), value, note: note.to_owned() }
}

fn fact(label: &str, value: impl ToString) -> Fact {
    Fact { name: label.to_owned(), value: value.to_string() }
}

fn per(part: usize, whole: usize) -> String {
    format!("{:.2}", part as f64 / whole.max(1) as f64)
}

fn facts(run: &WeeklyRun<'_>, context: &StageContext<'_>, week: &Week) -> Vec<Fact> {
    let identity = context.identity;
    let bytes: u64 = identity.inputs.iter().map(|file| file.bytes).sum();
    let engine = match &run.test {
        None => identity.decider.clone(),
        Some(test) => format!(
            "{} for {:.2} % of treated customers, else {} (engine test '{}')",
            identity.decider,
            100.0 * test.share.rate(),
            test.baseline.unwrap_or(NO_ENGINE),
            test.name
        ),
    };
    vec![
        fact("engine", engine),
        fact("seed", identity.seed),
        fact("tercet", identity.tercet_version),
        fact("input files", format!("{}, {} kB", identity.inputs.len(), thousands(bytes / 1000))),
        fact("configuration", &identity.config_blake3[..12]),
        fact("customers known", thousands(week.facts.customers)),
        fact("promotions to choose from", thousands(week.candidates().len())),
        fact(
            "products",
            format!(
                "{} ({} fast-growing, {} newly launched)",
                thousands(week.facts.products),
                thousands(week.facts.fast_growing),
                thousands(week.facts.newly_launched)
            ),
        ),
        fact("earlier runs looked at", identity.history.len()),
    ]
}

fn notes(
    context: &StageContext<'_>,
    week: &Week,
    cards: Option<&ModelCards>,
    plan: &PlanFacts,
) -> Result<Vec<String>> {
    let mut notes = context.config.project.notes.clone();
    match cards {
        Some(cards) => notes.extend([
            format!(
                "The order value is a prediction, not a lift: labels are {}. It was trained on {} Mondays up to {}; {} was held out, and the quality below is of that week.",
                cards.labels,
                cards.trained_on.len(),
                cards.trained_on.first().map_or_else(String::new, ToString::to_string),
                cards.held_out
            ),
            format!("What values are: {}.", cards.valued_by()),
        ]),
        None if context.identity.decider == "tercet" => notes.push(super::learn::TOO_SHORT.to_owned()),
        None => notes.push(format!(
            "The engine '{}' ranks by a score, not by money: values are its score in millionths.",
            context.identity.decider
        )),
    }
    if week.facts.values_estimated > 0 {
        notes.push(format!(
            "The depth of {} of {} promotions is estimated from past lines that redeemed a coupon.",
            thousands(week.facts.values_estimated),
            thousands(week.facts.promotions)
        ));
    }
    notes.extend(ratio::notes(&plan.arms)?);
    for plan in plans(plan) {
        notes.extend(plan.draws.as_ref().map(drawn));
        for (promotion, customers, rule) in &plan.unplaced_pins {
            notes.push(format!(
                "Pinned promotion {promotion} did not reach {customers} customers: {}.",
                rule_words(rule)
            ));
        }
    }
    Ok(notes)
}

/// The plan of the run's engine, and that of the baseline of its engine test.
fn plans(plan: &PlanFacts) -> impl Iterator<Item = &PlanFacts> {
    std::iter::once(plan).chain(plan.baseline.as_deref())
}

/// What was drawn at random, and what that is expected to cost.
fn drawn(draws: &DrawFacts) -> String {
    let (drawn, open) = (draws.drawn_slots, draws.open_slots);
    let left_out = draws.promotions.iter().filter(|of| of.left_out.is_some()).count();
    let mut note = format!(
        "To learn what other offers bring, {} of {} slots ({:.1} %) were drawn at random, {} customers with all their slots. That is expected to cost {:.1} % of the plan's value.",
        thousands(drawn as usize),
        thousands(open as usize),
        100.0 * drawn as f64 / open.max(1) as f64,
        thousands(draws.measured_customers as usize),
        100.0 * draws.expected_cost
    );
    if left_out > 0 {
        note.push_str(&format!(
            " {} of {} promotions were left out: their caps or budgets have no room for draws ([exploration] limit_share).",
            thousands(left_out),
            thousands(draws.promotions.len())
        ));
    }
    if draws.is_filled_only {
        note.push_str(" For the same reason only slots with a planned offer were drawn.");
    }
    if draws.refused_customers > 0 {
        note.push_str(&format!(
            " A limit refused draws of {} customers: their decisions are marked as not usable for evaluation.",
            thousands(draws.refused_customers as usize)
        ));
    }
    note
}

fn segments(counts: BTreeMap<(String, String, String), i64>) -> Vec<SegmentCount> {
    let counts = counts.into_iter();
    counts
        .map(|((behaviour, rfm, arm), customers)| SegmentCount { behaviour, rfm, arm, customers })
        .collect()
}

fn promotions(counts: BTreeMap<String, (i64, i64, i64)>, week: &Week) -> Vec<PromotionCount> {
    let names: BTreeMap<&str, &str> = week
        .promotions
        .values()
        .map(|promotion| (promotion.id.as_str(), promotion.name.as_str()))
        .collect();
    counts
        .into_iter()
        .map(|(id, (offers, value_minor, expected_cost_minor))| PromotionCount {
            name: names.get(id.as_str()).map_or_else(String::new, |name| (*name).to_owned()),
            promotion_id: id,
            offers,
            value_minor,
            expected_cost_minor,
        })
        .collect()
}

/// The limits of the run: those of both plans together, each of which had a part.
fn limits(plan: &PlanFacts) -> Vec<Limit> {
    let mut limits = limits_of(plan);
    let others = plan.baseline.as_deref().map(limits_of);
    for (own, other) in limits.iter_mut().zip(others.into_iter().flatten()) {
        own.used += other.used;
        own.limit += other.limit;
    }
    limits
}

fn limits_of(plan: &PlanFacts) -> Vec<Limit> {
    let caps = plan.caps.iter().map(|(name, limit, left)| Limit {
        name: name.clone(),
        unit: Unit::Count,
        used: (limit - left) as i64,
        limit: *limit as i64,
    });
    let budgets = plan.budgets_minor.iter().map(|(name, limit, left)| Limit {
        name: name.clone(),
        unit: Unit::Money,
        used: limit - left,
        limit: *limit,
    });
    let total = plan.total_budget_minor.map(|(limit, left)| Limit {
        name: ALL_PROMOTIONS.to_owned(),
        unit: Unit::Money,
        used: limit - left,
        limit,
    });
    let shared = plan.shared_budgets_minor.iter().map(|(name, limit, left)| Limit {
        name: name.clone(),
        unit: Unit::Money,
        used: limit - left,
        limit: *limit,
    });
    let margin = plan.margin_budgets_minor.iter().map(|(name, limit, left)| Limit {
        name: in_margin(name),
        unit: Unit::Money,
        used: limit - left,
        limit: *limit,
    });
    let floors = plan.floors.iter().map(|(name, least, missing)| Limit {
        name: format!("at least, {name}"),
        unit: Unit::Count,
        used: (least - missing) as i64,
        limit: *least as i64,
    });
    let of_run = total.into_iter().chain(shared).chain(margin);
    of_run.chain(budgets).chain(caps).chain(floors).collect()
}

/// What the report calls a budget in margin.
fn in_margin(name: &str) -> String {
    format!("{name} (margin)")
}

/// How good the plan is; scores of an engine that only ranks are shown as scores.
fn certificate(plan: &PlanFacts, ranked: bool) -> Option<Certificate> {
    let facts = plan.certificate.as_ref()?;
    let scale = if ranked { 1.0 / super::worth::SCORE_SCALE } else { 1.0 };
    let name = |price: &LimitPriceFacts| match &price.promotion {
        Some(name)
            if price.limit == RuleId::NamedBudget.name()
                && plan.margin_budgets_minor.iter().any(|(of, ..)| of == name) =>
        {
            in_margin(name)
        }
        Some(name) => name.clone(),
        None => ALL_PROMOTIONS.to_owned(),
    };
    let prices = facts.prices.iter().map(|price| LimitPrice {
        name: name(price),
        limits: match RuleId::from_name(&price.limit) {
            Some(RuleId::Cap | RuleId::Floor) => Unit::Count,
            _ => Unit::Money,
        },
        price: price.price_minor * scale,
        weight: price.weight_minor * scale,
    });
    Some(Certificate {
        unit: if ranked { Unit::Number } else { Unit::Money },
        value: facts.value_minor * scale,
        bound: facts.bound_minor * scale,
        greedy: facts.greedy_minor * scale,
        gap: facts.gap,
        prices: prices.collect(),
    })
}

fn slots(
    mut counts: BTreeMap<i32, (i64, i64, BTreeMap<String, i64>)>,
    config: &crate::config::Config,
) -> Vec<SlotFill> {
    (1..)
        .zip(&config.slots)
        .map(|(number, slot)| {
            let (filled, empty, reasons) = counts.remove(&number).unwrap_or_default();
            let named =
                |(name, count): (String, i64)| NamedCount { name: rule_words(&name), count };
            SlotFill {
                slot: number,
                name: slot.name.clone(),
                filled,
                empty,
                empty_reasons: reasons.into_iter().map(named).collect(),
            }
        })
        .collect()
}

fn models(cards: &ModelCards) -> Vec<ModelQuality> {
    cards.cards.iter().map(|card| model(card, cards)).collect()
}

fn model(card: &ModelCard, cards: &ModelCards) -> ModelQuality {
    let is_money = card.name == "order value";
    let unit = if is_money { Unit::Money } else { Unit::Rate };
    let mut metrics = vec![
        Metric {
            name: "trees".into(),
            value: card.trees as f64,
            unit: Unit::Count,
            note: String::new(),
        },
        Metric {
            name: "rows trained on".into(),
            value: card.rows[0] as f64,
            unit: Unit::Count,
            note: "sampled".into(),
        },
    ];
    metrics.extend(card.metrics.iter().map(|(name, value)| {
        let (unit, note) = match name.as_str() {
            "rows predicted" => (Unit::Count, "of the held-out week"),
            "mean predicted" | "mean observed" | "RMSE" | "MAE" => (unit, ""),
            "AUC" => (Unit::Number, "0.5 is chance, 1 is perfect"),
            "Spearman" => (Unit::Number, "rank correlation of predicted and observed"),
            _ => (Unit::Number, ""),
        };
        Metric { name: name.clone(), value: *value, unit, note: note.into() }
    }));
    ModelQuality {
        name: card.name.clone(),
        version: cards.version.clone(),
        labels: cards.labels.clone(),
        labels_are_estimated: true,
        unit,
        metrics,
        calibration: (1..)
            .zip(&card.calibration)
            .map(|(decile, (predicted, observed, rows))| CalibrationBin {
                decile,
                predicted: *predicted,
                observed: *observed,
                rows: *rows as i64,
            })
            .collect(),
        importances: card
            .importances
            .iter()
            .map(|(feature, share)| Importance { feature: feature.clone(), share: *share })
            .collect(),
    }
}

fn routes(counts: BTreeMap<&'static str, i64>) -> Vec<NamedCount> {
    counts.into_iter().map(|(name, count)| NamedCount { name: name.to_owned(), count }).collect()
}

fn health(run: &WeeklyRun<'_>, context: &StageContext<'_>) -> Result<Vec<SourceHealth>> {
    let status = |policy: Policy| match policy {
        Policy::Ok => CheckStatus::Ok,
        Policy::Warn => CheckStatus::Warn,
        Policy::Quarantine => CheckStatus::Quarantine,
        Policy::Stop => CheckStatus::Stop,
    };
    let tables = run.health(context)?.tables;
    Ok(tables
        .into_iter()
        .map(|table| SourceHealth {
            location: table.sources.join(", "),
            rows: table.rows_out as i64,
            quarantined: table.quarantined as i64,
            new_columns: table.new_columns,
            checks: table
                .checks
                .into_iter()
                .map(|check| HealthCheck {
                    check: check.check.replace('_', " "),
                    status: status(check.status),
                    rows: check.rows as i64,
                    detail: check.detail,
                    examples: check.examples,
                })
                .collect(),
            table: table.table,
        })
        .collect())
}

/// The first customers of each behaviour segment with a full slate, and one of control.
#[derive(Default)]
struct Examples {
    counts: BTreeMap<String, usize>,
    shown: Vec<ExampleCustomer>,
}

impl Examples {
    fn add(
        &mut self,
        log: &Log,
        known: &BTreeMap<&str, &KnownCustomer>,
        promotions: &BTreeMap<i32, KnownPromotion>,
        offers: &[Offer],
        currency: Currency,
    ) {
        let by_decision: BTreeMap<(&str, i32), &Offer> =
            offers.iter().map(|offer| ((offer.customer_id.as_str(), offer.slot), offer)).collect();
        let names: BTreeMap<&str, &str> = promotions
            .values()
            .map(|promotion| (promotion.id.as_str(), promotion.on.as_str()))
            .collect();
        let mut row = 0;
        while row < log.customers.len() {
            let id = log.customers[row].as_str();
            let end =
                row + log.customers[row..].iter().take_while(|customer| *customer == id).count();
            let rows = row..end;
            row = end;
            let Some(customer) = known.get(id) else { continue };
            let arm = log.arms[rows.start].as_str();
            let is_control = arm == "control";
            let filled = rows.clone().filter(|row| log.promotions[*row].is_some()).count();
            let key = if is_control { "control" } else { customer.behaviour.as_str() };
            let most = if is_control { 1 } else { EXAMPLES_PER_SEGMENT };
            let count = self.counts.entry(key.to_owned()).or_insert(0);
            if *count >= most || (!is_control && filled < 3) {
                continue;
            }
            *count += 1;
            self.shown.push(ExampleCustomer {
                customer_id: id.to_owned(),
                behaviour: customer.behaviour.clone(),
                rfm: customer.rfm_segment.clone(),
                arm: arm.to_owned(),
                about: match customer.recency_days {
                    Some(days) => {
                        format!("{} orders, the last {days} days ago", thousands(customer.orders))
                    }
                    None => "no orders yet".to_owned(),
                },
                offers: if is_control {
                    Vec::new()
                } else {
                    // A slot that is not meant for the customer is not shown empty.
                    rows.filter(|row| log.empties[*row].as_deref() != Some(RuleId::Audience.name()))
                        .map(|row| example_offer(log, row, &by_decision, &names, currency))
                        .collect()
                },
            });
        }
    }
}

fn example_offer(
    log: &Log,
    row: usize,
    offers: &BTreeMap<(&str, i32), &Offer>,
    names: &BTreeMap<&str, &str>,
    currency: Currency,
) -> ExampleOffer {
    let offer = offers.get(&(log.customers[row].as_str(), log.slots[row]));
    ExampleOffer {
        slot: log.slot_names[row].clone(),
        promotion: offer.map_or_else(String::new, |offer| {
            let on = names.get(offer.promotion_id.as_str()).copied().unwrap_or_default();
            format!("{} ({})", reasons::titled(on), offer.promotion_id)
        }),
        code: offer.and_then(|offer| offer.code.clone()).unwrap_or_default(),
        value_minor: log.values[row],
        valid_from: offer.map(|offer| offer.valid_from),
        valid_to: offer.map(|offer| offer.valid_to),
        reasons: match (&log.reasons[row], &log.empties[row]) {
            (Some(codes), _) => reasons::sentences(Some(codes), currency),
            (None, Some(rule)) => vec![rule_words(rule)],
            (None, None) => Vec::new(),
        },
    }
}
