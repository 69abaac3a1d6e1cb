//! What does the report say of a plan: its limits, what they cost, how good it is, and what was drawn?

use tercet_allocation::RuleId;
use tercet_delivery::format::Unit;
use tercet_delivery::report::run::{Certificate, Limit, LimitPrice};

use crate::output::thousands;
use crate::pipeline::draws::DrawFacts;
use crate::pipeline::plan_facts::{LimitPriceFacts, PlanFacts};
use crate::pipeline::worth::SCORE_SCALE;

/// The name of the run's own budget among those of promotions.
const ALL_PROMOTIONS: &str = "all promotions";

/// What was drawn at random, and what that is expected to cost.
pub(super) fn drawn(draws: &DrawFacts) -> String {
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

/// The limits of the run: those of both plans together, each of which had a part.
pub(super) fn limits(plan: &PlanFacts) -> Vec<Limit> {
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
pub(super) fn certificate(plan: &PlanFacts, ranked: bool) -> Option<Certificate> {
    let facts = plan.certificate.as_ref()?;
    let scale = if ranked { 1.0 / SCORE_SCALE } else { 1.0 };
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
