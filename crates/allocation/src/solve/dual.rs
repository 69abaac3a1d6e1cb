//! Who gets what, if every shared limit has its price?
//!
//! Each cap and each budget gets a price, so that customers can be decided one by one: the value of an
//! offer less what it costs of the limits. A floor pays instead. Whatever the prices, the customers' best
//! surpluses and the price of all limits add up to a bound that no plan exceeds (Lagrangian relaxation:
//! Everett 1963, doi:10.1287/opre.11.3.399; Geoffrion 1974, doi:10.1007/BFb0120690); the smallest such bound
//! comes with prices at which few customers are torn. A pass in hash order turns them into offers. Pins are
//! placed first, as greedy places them; the bound is over all plans with the same pins.

mod assignment;
mod limits;
mod market;
mod prices;
mod rounding;
mod sequence;

use tercet_types::Result;

use super::pins::Pins;
use super::{Solver, assembly, greedy, hash_order};
use crate::certificate::{Certificate, Certified, ShadowPrice};
use crate::plan::Plan;
use crate::problem::Problem;
use market::{Effort, Market, Who};
use prices::Found;

/// A part of the work, for who shows progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Prices of the limits were found.
    Prices,
    /// Offers were made at the prices, within every limit.
    Offers,
    /// What greedy gives was worked out.
    Greedy,
    /// The bound was taken over all candidates.
    Bound,
}

/// What rounding may add to a sum, relative.
const ROUNDING: f64 = 1e-12;

/// The prices of limits, and greedy where they do no better.
///
/// While nothing couples customers and values overlap, the plan is greedy's.
#[derive(Clone, Debug, Default)]
pub struct Dual {
    start: Vec<ShadowPrice>,
}

impl Solver for Dual {
    fn name(&self) -> &'static str {
        "dual"
    }

    fn solve(&self, problem: &Problem<'_>) -> Result<Plan> {
        problem.check()?;
        let (order, pins) = (hash_order(problem), Pins::place(problem));
        let market = Market::new(problem, &pins, &order);
        Ok(self.decide(&market, &mut |_| ()).plan)
    }
}

/// A plan with what its certificate needs.
struct Decided {
    plan: Plan,
    found: Found,
    /// The prices at which offers were made.
    clearing: Vec<f64>,
    /// What greedy's plan is worth, where it was made.
    greedy_minor: Option<f64>,
}

impl Dual {
    /// Starts from the prices of an earlier week: fewer passes where they fit, and the same validity
    /// whatever they are. Limits they do not name start from nothing.
    pub fn starting_at(prices: &[ShadowPrice]) -> Self {
        Self { start: prices.to_vec() }
    }

    /// The plan of [`Solver::solve`] with the proof of how good it is.
    ///
    /// # Errors
    /// As [`Solver::solve`].
    pub fn solve_with_certificate(&self, problem: &Problem<'_>) -> Result<Certified> {
        self.solve_watched(problem, &mut |_| ())
    }

    /// [`Self::solve_with_certificate`], telling `done` whenever a part of the work is done.
    ///
    /// # Errors
    /// As [`Solver::solve`].
    pub fn solve_watched(
        &self,
        problem: &Problem<'_>,
        done: &mut dyn FnMut(Phase),
    ) -> Result<Certified> {
        problem.check()?;
        let (order, pins) = (hash_order(problem), Pins::place(problem));
        let market = Market::new(problem, &pins, &order);
        let Decided { plan, found, clearing, greedy_minor } = self.decide(&market, done);
        let greedy_minor = greedy_minor.unwrap_or_else(|| {
            let customers = Certificate::GREEDY_CUSTOMERS;
            let minor = greedy::sampled_minor(problem, &order, &pins, customers);
            done(Phase::Greedy);
            minor
        });
        // Any prices give a bound; those at which offers were made may be better than those of a sample. Where
        // values overlap a bound takes long: there it is taken once.
        let mut prices = found.prices;
        let mut sum_minor = bound_minor(&market, &prices);
        if problem.overlap.is_additive() && clearing != prices {
            let other_minor = bound_minor(&market, &clearing);
            if other_minor < sum_minor {
                (prices, sum_minor) = (clearing, other_minor);
            }
        }
        done(Phase::Bound);
        let certificate = Certificate {
            bound_minor: pins.value_minor + sum_minor,
            value_minor: objective_minor(problem, &plan),
            greedy_minor,
            prices: shadow_prices(&market, &prices),
            passes: found.passes,
        };
        Ok(Certified { plan, certificate })
    }

    /// The plan at the prices, or greedy's where that is worth more.
    fn decide(&self, market: &Market<'_>, done: &mut dyn FnMut(Phase)) -> Decided {
        let (problem, pins) = (market.problem, market.pins);
        let start = (!self.start.is_empty()).then(|| {
            let price = |limit| self.start.iter().find(|price| price.limit == limit);
            let most = market.limits.names.iter().zip(&market.limits.price_most);
            most.map(|(name, most)| price(*name).map_or(0.0, |p| p.price_minor.clamp(0.0, *most)))
                .collect()
        });
        let is_coupled = problem.is_coupled();
        let found = match is_coupled {
            true => prices::find(market, start),
            false => Found { prices: Vec::new(), passes: 0 },
        };
        done(Phase::Prices);
        let is_priced = is_coupled || problem.overlap.is_additive();
        let greedy =
            (!is_priced || market.order.len() <= Certificate::GREEDY_CUSTOMERS).then(|| {
                let plan = greedy::plan(problem, market.order, pins);
                done(Phase::Greedy);
                plan
            });
        let greedy_minor = greedy.as_ref().map(|plan| objective_minor(problem, plan));
        if !is_priced && let Some(plan) = greedy {
            let clearing = found.prices.clone();
            return Decided { plan, found, clearing, greedy_minor };
        }
        let (book, clearing) = rounding::round(market, &found.prices);
        let mut plan = assembly::assemble(problem, pins, |customer| book.of(customer));
        let minor = objective_minor(problem, &plan);
        if let Some(greedy) = greedy.filter(|_| greedy_minor.is_some_and(|greedy| greedy >= minor))
        {
            plan = greedy;
        }
        done(Phase::Offers);
        Decided { plan, found, clearing, greedy_minor }
    }
}

/// No offers beside the pins are worth more, minor units; true at any prices.
fn bound_minor(market: &Market<'_>, prices: &[f64]) -> f64 {
    let most_minor = market.pass(Who::All, prices, Effort::BOUND).most_minor;
    let rent_minor = market.limits.rent_minor(prices);
    most_minor + rent_minor + ROUNDING * (most_minor + rent_minor.abs())
}

/// What a plan is worth less what its floors miss, minor units.
fn objective_minor(problem: &Problem<'_>, plan: &Plan) -> f64 {
    let missed = problem.floors.iter().zip(&plan.shortfalls);
    let missed_minor: f64 = missed.map(|(floor, by)| floor.miss_minor as f64 * *by as f64).sum();
    plan.total_value_minor - missed_minor
}

fn shadow_prices(market: &Market<'_>, prices: &[f64]) -> Vec<ShadowPrice> {
    let limits = market.limits.names.iter().zip(&market.limits.left).zip(prices);
    let mut list: Vec<ShadowPrice> = limits
        .filter(|(_, price)| **price > 0.0)
        .map(|((limit, left), price)| ShadowPrice {
            limit: *limit,
            price_minor: *price,
            weight_minor: price * *left as f64,
        })
        .collect();
    list.sort_by(|a, b| {
        b.weight_minor.total_cmp(&a.weight_minor).then_with(|| a.limit.cmp(&b.limit))
    });
    list
}
