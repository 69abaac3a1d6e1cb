//! Does a finished plan keep every rule?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use crate::constraints::RULES;
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::problem::Problem;

/// The most by which a recorded value may differ from the recomputed one, relative: it has seven digits.
const VALUE_TOLERANCE: f64 = 1e-6;

/// The most by which the recorded sum may differ from the recomputed one, relative.
const SUM_TOLERANCE: f64 = 1e-9;

/// Customers of one parallel task.
const BLOCK: usize = 4_096;

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
    // The first error in the order of the rules, however many threads look.
    let of_rules: Vec<Result<()>> =
        RULES.par_iter().map(|rule| rule.verify(problem, plan)).collect();
    of_rules.into_iter().collect::<Result<()>>()?;
    let customers = problem.customers.len();
    let of_blocks: Vec<Result<(Ledger, f64)>> = (0..customers.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            let (mut ledger, mut value_minor) = (Ledger::new(problem), 0.0);
            for customer in block * BLOCK..customers.min((block + 1) * BLOCK) {
                value_minor += verify_slate(problem, plan, customer, &mut ledger)?;
            }
            Ok((ledger, value_minor))
        })
        .collect();
    let (mut ledger, mut value_minor) = (Ledger::new(problem), 0.0);
    for of_block in of_blocks {
        let (used, sum_minor) = of_block?;
        ledger.join(&used);
        value_minor += sum_minor;
    }
    verify_totals(problem, plan, &ledger, value_minor)
}

/// Every cell exists and holds a candidate of its own customer.
fn verify_shape(problem: &Problem<'_>, plan: &Plan) -> Result<()> {
    let cells = problem.customers.len() * problem.slots.len();
    if plan.slots != problem.slots.len() || plan.cells.len() != cells {
        return Err(inconsistent("cells", "there is not one per customer and slot"));
    }
    for (customer, _, placed) in plan.offers() {
        if placed.at() >= problem.customers.row(customer).len() {
            return Err(inconsistent(
                format!("customer {customer}"),
                "an offer is not among the candidates",
            ));
        }
    }
    Ok(())
}

/// Ranks count up, values are the marginal values, and every pin is placed or accounted for.
///
/// Returns the sum of the marginal values.
fn verify_slate(
    problem: &Problem<'_>,
    plan: &Plan,
    customer: usize,
    ledger: &mut Ledger,
) -> Result<f64> {
    let place = || format!("customer {customer}");
    let chosen = plan.chosen(customer);
    let (mut promotions, mut sum_minor) = (Vec::new(), 0.0);
    for (rank, (_, placed)) in chosen.iter().enumerate() {
        let candidate = problem.candidate(customer, placed.at());
        if usize::from(placed.rank) != rank {
            return Err(inconsistent(place(), "the ranks do not count up"));
        }
        let value_minor = problem.marginal_minor(customer, &promotions, &candidate);
        let tolerance = VALUE_TOLERANCE * value_minor.abs().max(1.0);
        if (f64::from(placed.value_minor) - value_minor).abs() > tolerance {
            return Err(inconsistent(place(), "a value is not the marginal value"));
        }
        if placed.is_pinned() && !problem.customers.pinned(customer).any(|pin| pin == placed.at()) {
            return Err(inconsistent(place(), "an offer claims to be pinned"));
        }
        ledger.add(problem, customer, &candidate);
        promotions.push(candidate.promotion);
        sum_minor += value_minor;
    }
    for pin in problem.customers.pinned(customer) {
        let is_placed = chosen.iter().any(|(_, placed)| placed.at() == pin);
        let excused = |u: &crate::plan::UnplacedPin| u.customer == customer && u.candidate == pin;
        if !is_placed && !plan.unplaced_pins.iter().any(excused) {
            return Err(inconsistent(place(), "a pin is neither placed nor excused"));
        }
    }
    Ok(sum_minor)
}

/// What remains is what was given less what was used.
fn verify_totals(
    problem: &Problem<'_>,
    plan: &Plan,
    ledger: &Ledger,
    value_minor: f64,
) -> Result<()> {
    let promotions = || problem.promotions.iter().enumerate();
    let caps = promotions().map(|(at, facts)| facts.cap.map(|cap| cap - ledger.offers[at]));
    let of_promotions = promotions()
        .map(|(at, facts)| facts.budget_minor.map(|minor| minor - ledger.costs_minor[at]));
    let budgets = problem.budgets.iter().zip(&ledger.budgets_minor);
    let budgets = budgets.map(|(budget, used)| budget.budget_minor - used);
    let total = problem.total_budget_minor.map(|minor| minor - ledger.total_cost_minor);
    if !caps.eq(plan.remaining_caps.iter().copied()) {
        return Err(inconsistent("remaining caps", "they do not add up"));
    }
    if !of_promotions.eq(plan.remaining_promotion_budgets_minor.iter().copied())
        || !budgets.eq(plan.remaining_budgets_minor.iter().copied())
        || total != plan.remaining_total_budget_minor
    {
        return Err(inconsistent("remaining budgets", "they do not add up"));
    }
    let tolerance = SUM_TOLERANCE * value_minor.abs().max(1.0);
    if (plan.total_value_minor - value_minor).abs() > tolerance {
        return Err(inconsistent("total value", "it does not add up"));
    }
    Ok(())
}

fn inconsistent(place: impl std::fmt::Display, what: &str) -> Error {
    Error::internal("T0601", format!("plan, {place}: {what}"))
        .hint("report this: nothing was published")
}
