//! Who gets what, if every shared limit has its price?
//!
//! Each cap and each budget gets a price, so that customers can be decided one by one: the value of an
//! offer less what it costs of the limits. Whatever the prices, the customers' best surpluses and the
//! price of all limits add up to a bound that no plan exceeds (Lagrangian relaxation: Everett 1963,
//! doi:10.1287/opre.11.3.399; Geoffrion 1974, doi:10.1007/BFb0120690); the smallest such bound comes with
//! prices at which few customers are torn. A pass in hash order turns them into offers. Pins are placed
//! first, as greedy places them; the bound is over all plans with the same pins.

mod assignment;
mod market;
mod prices;
mod rounding;
mod sequence;

use tercet_types::Result;

use super::greedy::Greedy;
use super::{Solver, greedy};
use crate::certificate::{Certificate, Certified, ShadowPrice};
use crate::plan::Plan;
use crate::problem::Problem;
use market::{Effort, Market, Prices};

/// What rounding may add to a sum, relative.
const ROUNDING: f64 = 1e-12;

/// The prices of limits, and greedy where they do no better.
///
/// While nothing couples customers the plan is greedy's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dual;

impl Solver for Dual {
    fn name(&self) -> &'static str {
        "dual"
    }

    fn solve(&self, problem: &Problem<'_>) -> Result<Plan> {
        let plan = Greedy.solve(problem)?;
        if !problem.is_coupled() {
            return Ok(plan);
        }
        let market = Market::new(problem, &plan);
        let prices = prices::find(&market);
        Ok(better(problem, &market, &prices, plan))
    }
}

impl Dual {
    /// The plan of [`Solver::solve`] with the proof of how good it is.
    ///
    /// # Errors
    /// As [`Solver::solve`].
    pub fn solve_with_certificate(&self, problem: &Problem<'_>) -> Result<Certified> {
        let greedy = Greedy.solve(problem)?;
        let greedy_minor = greedy.total_value_minor;
        let market = Market::new(problem, &greedy);
        let prices = prices::find(&market);
        let plan = match problem.is_coupled() {
            true => better(problem, &market, &prices, greedy),
            false => greedy,
        };
        let most_minor = market.pass(&market.order, &prices, Effort::BOUND).most_minor;
        let sum_minor = most_minor + market.rent_minor(&prices);
        let certificate = Certificate {
            bound_minor: market.pins_minor + sum_minor * (1.0 + ROUNDING),
            value_minor: plan.total_value_minor,
            greedy_minor,
            prices: shadow_prices(&market, &prices),
        };
        Ok(Certified { plan, certificate })
    }
}

/// The plan at the prices where it is worth more than greedy's.
fn better(problem: &Problem<'_>, market: &Market<'_>, prices: &Prices, greedy: Plan) -> Plan {
    let book = rounding::round(market, prices);
    let plan = greedy::complete(problem, &market.order, |customer, place| {
        let mut picks = book.of(market, customer).as_slice().to_vec();
        if problem.overlap.is_additive() {
            picks.sort_by_key(|&at| {
                let candidate = &problem.candidates[at];
                (std::cmp::Reverse(candidate.value_minor), candidate.promotion, at)
            });
        }
        picks.into_iter().for_each(place);
    });
    if plan.total_value_minor > greedy.total_value_minor { plan } else { greedy }
}

fn shadow_prices(market: &Market<'_>, prices: &Prices) -> Vec<ShadowPrice> {
    let mut list: Vec<ShadowPrice> = market
        .limits()
        .filter(|(at, _, _)| prices.0[*at] > 0.0)
        .map(|(at, limit, left)| {
            let price_minor = prices.0[at];
            ShadowPrice { limit, price_minor, weight_minor: price_minor * left as f64 }
        })
        .collect();
    list.sort_by(|a, b| {
        b.weight_minor.total_cmp(&a.weight_minor).then_with(|| a.limit.cmp(&b.limit))
    });
    list
}
