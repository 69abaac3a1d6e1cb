//! Does a finished plan keep every rule?

use tercet_types::{Error, Result};

use crate::constraints::RULES;
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::problem::Problem;

/// The most by which a recorded value may differ from the recomputed one, relative.
const VALUE_TOLERANCE: f64 = 1e-9;

/// Holds a plan against every rule and its own figures, from the problem alone.
///
/// Called where the decisions are made, whoever solved the problem, before anything is written.
///
/// # Errors
/// `T0601` (internal) naming rule, customer index and promotion index, or what of the plan is
/// inconsistent; `T0602`, `T0603` for a malformed problem.
pub fn verify_all(problem: &Problem<'_>, plan: &Plan) -> Result<()> {
    problem.check()?;
    verify_shape(problem, plan)?;
    for rule in RULES {
        rule.verify(problem, plan)?;
    }
    for customer in 0..problem.customers.len() {
        verify_slate(problem, plan, customer)?;
    }
    verify_totals(problem, plan)
}

/// Every cell exists and holds a candidate of its own customer.
fn verify_shape(problem: &Problem<'_>, plan: &Plan) -> Result<()> {
    let cells = problem.customers.len() * problem.slots.len();
    if plan.slots != problem.slots.len() || plan.cells.len() != cells {
        return Err(inconsistent("cells", "there is not one per customer and slot"));
    }
    for (customer, _, placed) in plan.offers() {
        if !problem.customers[customer].candidates.contains(&placed.candidate) {
            return Err(inconsistent(
                format!("customer {customer}"),
                "an offer is another's candidate",
            ));
        }
    }
    Ok(())
}

/// Ranks count up, values are the marginal values, and every pin is placed or accounted for.
fn verify_slate(problem: &Problem<'_>, plan: &Plan, customer: usize) -> Result<()> {
    let place = || format!("customer {customer}");
    let pinned = &problem.customers[customer].pinned;
    let chosen = plan.chosen(customer);
    let mut promotions = Vec::new();
    for (rank, (_, placed)) in chosen.iter().enumerate() {
        let candidate = &problem.candidates[placed.candidate];
        if usize::from(placed.rank) != rank {
            return Err(inconsistent(place(), "the ranks do not count up"));
        }
        let value_minor = problem.marginal_minor(customer, &promotions, candidate);
        let tolerance = VALUE_TOLERANCE * value_minor.abs().max(1.0);
        if (placed.value_minor - value_minor).abs() > tolerance {
            return Err(inconsistent(place(), "a value is not the marginal value"));
        }
        if placed.is_pinned && !pinned.contains(&placed.candidate) {
            return Err(inconsistent(place(), "an offer claims to be pinned"));
        }
        promotions.push(candidate.promotion);
    }
    for pin in pinned {
        let is_placed = chosen.iter().any(|(_, placed)| placed.candidate == *pin);
        let excused = |u: &crate::plan::UnplacedPin| u.customer == customer && u.candidate == *pin;
        if !is_placed && !plan.unplaced_pins.iter().any(excused) {
            return Err(inconsistent(place(), "a pin is neither placed nor excused"));
        }
    }
    Ok(())
}

/// What remains is what was given less what was used.
fn verify_totals(problem: &Problem<'_>, plan: &Plan) -> Result<()> {
    let mut ledger = Ledger::new(problem);
    let mut value_minor = 0.0;
    for (_, _, placed) in plan.offers() {
        ledger.add(&problem.candidates[placed.candidate]);
        value_minor += placed.value_minor;
    }
    let promotions = || problem.promotions.iter().enumerate();
    let caps = promotions().map(|(at, facts)| facts.cap.map(|cap| cap - ledger.offers[at]));
    let budgets = promotions()
        .map(|(at, facts)| facts.budget_minor.map(|minor| minor - ledger.costs_minor[at]));
    let total = problem.total_budget_minor.map(|minor| minor - ledger.total_cost_minor);
    if !caps.eq(plan.remaining_caps.iter().copied()) {
        return Err(inconsistent("remaining caps", "they do not add up"));
    }
    if !budgets.eq(plan.remaining_budgets_minor.iter().copied())
        || total != plan.remaining_total_budget_minor
    {
        return Err(inconsistent("remaining budgets", "they do not add up"));
    }
    let tolerance = VALUE_TOLERANCE * value_minor.abs().max(1.0);
    if (plan.total_value_minor - value_minor).abs() > tolerance {
        return Err(inconsistent("total value", "it does not add up"));
    }
    Ok(())
}

fn inconsistent(place: impl std::fmt::Display, what: &str) -> Error {
    Error::internal("T0601", format!("plan, {place}: {what}"))
        .hint("report this: nothing was published")
}
