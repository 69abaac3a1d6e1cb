//! What does the report of a run say?

mod plan;
mod tally;

use std::collections::BTreeMap;
use std::sync::PoisonError;

use tercet_delivery::format::{self, Unit};
use tercet_delivery::report::run::{
    CalibrationBin, CheckStatus, Fact, Headline, HealthCheck, Importance, Metric, ModelQuality,
    NamedCount, PromotionCount, RunReport, SegmentCount, SlotFill, SourceHealth, Timing,
};
use tercet_sources::Policy;
use tercet_types::{Currency, Result};

use self::plan::{certificate, drawn, limits};
pub(super) use self::tally::Tally;
use super::champion::Contest;
use super::engine_test::NO_ENGINE;
use super::learn::{ModelCard, ModelCards};
use super::manifest::{Stage, parse};
use super::plan_facts::PlanFacts;
use super::publish::rule_words;
use super::ratio;
use super::runner::StageContext;
use super::stages::WeeklyRun;
use super::week::Week;
use crate::output::thousands;

impl Tally {
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
