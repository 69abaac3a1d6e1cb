//! What does a plan leave of its limits, what do they cost, and how did the arms come out?

use std::collections::BTreeMap;

use tercet_allocation::{Limit, Measure, RuleId};

use super::arms::ArmCounts;
use super::draws::DrawFacts;
use super::slates::Slates;
use super::week::Week;

/// What allocation leaves beside its tables, for the report.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct PlanFacts {
    /// By what offers are valued, and why; nothing where no model was trained.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) valued_by: String,
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
    /// The same of those in margin.
    #[serde(default)]
    pub(super) margin_budgets_minor: Vec<(String, i64, i64)>,
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
    /// The plan of an engine test's other engine, whose limits are a part of those of the run; none without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) baseline: Option<Box<PlanFacts>>,
    /// How the arms came out, by experiment.
    #[serde(default)]
    pub(super) arms: BTreeMap<String, ArmCounts>,
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

/// What a plan leaves of its limits.
pub(super) fn plan_facts(week: &Week, slates: &Slates) -> PlanFacts {
    let plan = &slates.explored.plan;
    let mut facts = PlanFacts { total_value_minor: plan.total_value_minor, ..PlanFacts::default() };
    for (at, ix) in slates.promotions.iter().enumerate() {
        let (id, limits) = (&week.promotions[ix].id, &slates.problem.promotions[at]);
        if let (Some(limit), Some(left)) = (limits.cap, plan.remaining_caps[at]) {
            facts.caps.push((id.clone(), limit, left));
        }
        let left = plan.remaining_promotion_budgets_minor[at];
        if let (Some(limit), Some(left)) = (limits.budget_minor, left) {
            facts.budgets_minor.push((id.clone(), limit, left));
        }
    }
    facts.total_budget_minor =
        slates.problem.total_budget_minor.zip(plan.remaining_total_budget_minor);
    let shared = slates.budget_names.iter().zip(&slates.problem.budgets);
    for ((name, budget), left) in shared.zip(&plan.remaining_budgets_minor) {
        let of_measure = match budget.measure {
            Measure::Cost => &mut facts.shared_budgets_minor,
            Measure::Margin => &mut facts.margin_budgets_minor,
        };
        of_measure.push((name.clone(), budget.budget_minor, *left));
    }
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

/// How good a plan is, where that was asked for.
pub(super) fn certificate_facts(week: &Week, slates: &Slates) -> Option<CertificateFacts> {
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
