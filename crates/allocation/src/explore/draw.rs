//! What comes of a plan when the coins are tossed?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::law::{Exploration, Law};
use super::openings::{Openings, Propensities, Slate};
use crate::certificate::Limit;
use crate::customers::Candidate;
use crate::ledger::Ledger;
use crate::plan::{Origin, Placed, Plan};
use crate::problem::{MAX_SLOTS, Problem};

/// A plan with draws laid over it, and all that says how likely they were.
#[derive(Clone, Debug, PartialEq)]
pub struct Explored {
    /// What is done.
    pub plan: Plan,
    /// The promotions that were drawn for nobody, each with the limit that has no room for draws.
    pub left_out: Vec<Option<Limit>>,
    /// True when slots that the plan left empty were not drawn: limits are too scarce for that.
    pub is_filled_only: bool,
    /// What was planned for the slots that can be drawn, and what these would be worth if each alone were drawn,
    /// minor units; of up to [`Self::VALUED_CUSTOMERS`], evenly spread.
    pub open_value_minor: (f64, f64),
    /// Customers whose draws a limit refused. Not one in many millions.
    pub refused: usize,
    exploration: Exploration,
    changes: Vec<Change>,
    /// What the offers as they were planned use.
    pub(crate) planned_ledger: Ledger,
}

/// What coins and draws changed of a customer's slate.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    customer: usize,
    slate: Slate,
    planned: Vec<Option<Placed>>,
    is_refused: bool,
}

impl Exploration {
    /// Tosses the coins of all customers and draws what they say. Hard rules hold for what is drawn as they do
    /// for every offer; the least value, the price of contacts and floors do not.
    ///
    /// `problem` is the whole one: what was kept back is given back. `keys` are secret hashes of the customers,
    /// independent of [`crate::Customer::order`]. The same on any number of threads.
    ///
    /// # Errors
    /// `T0605` (config) for rates and slots that cannot be; `T0606` (internal) when there is not a key for each
    /// customer.
    pub fn explore(&self, problem: &Problem<'_>, plan: Plan, keys: &[u64]) -> Result<Explored> {
        self.check(problem.slots.len())?;
        if keys.len() != problem.customers.len() {
            return Err(Error::internal(
                "T0606",
                format!("{} keys for {} customers", keys.len(), problem.customers.len()),
            )
            .hint("report this: allocation was handed a malformed exploration"));
        }
        let planned_ledger = Ledger::of(problem, &plan);
        let mut explored = Explored {
            left_out: vec![None; problem.promotions.len()],
            open_value_minor: (0.0, 0.0),
            is_filled_only: false,
            refused: 0,
            exploration: *self,
            changes: Vec::new(),
            planned_ledger,
            plan,
        };
        if self.law.is_on() {
            let scope = self.scope(problem, &explored.plan, &explored.planned_ledger);
            (explored.left_out, explored.is_filled_only) = (scope.left_out, scope.is_filled_only);
            explored.toss(problem, keys);
            explored.place(problem);
        }
        Ok(explored)
    }
}

/// Customers of one parallel task.
const BLOCK: usize = 4_096;

impl Explored {
    /// The most customers on whom is worked out what exploring costs.
    pub const VALUED_CUSTOMERS: usize = 50_000;

    /// The probabilities with which slots were drawn.
    pub fn law(&self) -> Law {
        self.exploration.law
    }

    /// The seed of all coins and draws.
    pub fn seed(&self) -> u64 {
        self.exploration.seed
    }

    /// What a customer's slots could have got, and what was planned.
    pub fn openings(&self, problem: &Problem<'_>, customer: usize) -> Openings {
        let is_left_out = |promotion: u32| self.left_out[promotion as usize].is_some();
        let openings = Openings::of(problem, customer, self.planned(customer), is_left_out);
        Openings { is_filled_only: self.is_filled_only, ..openings }
    }

    /// What was planned for a customer before any draw.
    pub fn planned(&self, customer: usize) -> &[Option<Placed>] {
        self.change(customer).map_or_else(|| self.plan.slate(customer), |change| &change.planned)
    }

    /// The slots of a customer that were drawn, also where nothing was left to draw: bit `k` for slot `k`.
    pub fn drawn(&self, customer: usize) -> u8 {
        self.change(customer).map_or(0, |change| change.slate.drawn)
    }

    /// True when the customer is in the measurement slice and some slot could be drawn.
    pub fn is_measured(&self, customer: usize) -> bool {
        self.change(customer).is_some_and(|change| change.slate.is_measured)
    }

    /// True when a limit refused a draw, so that the propensities are not those of what was done.
    pub fn is_refused(&self, customer: usize) -> bool {
        self.change(customer).is_some_and(|change| change.is_refused)
    }

    /// How likely the customer's slate was before any coin was tossed.
    pub fn propensities(&self, problem: &Problem<'_>, customer: usize) -> Propensities {
        if !self.exploration.law.is_on() {
            return Propensities { slots: [1.0; MAX_SLOTS], slate: 1.0 };
        }
        let openings = self.openings(problem, customer);
        let of = |cell: &Option<Placed>| {
            cell.map(|placed| problem.candidate(customer, placed.at()).promotion)
        };
        let slate: Vec<Option<u32>> = self.plan.slate(customer).iter().map(of).collect();
        openings.propensities(&self.exploration.law, &slate)
    }

    /// [`Self::propensities`] of some customers, with the slots that could be drawn: bit `k` for slot `k`.
    pub fn propensities_of(
        &self,
        problem: &Problem<'_>,
        customers: std::ops::Range<usize>,
    ) -> Vec<(Propensities, u8)> {
        let of = |customer: usize| {
            let open = match self.exploration.law.is_on() {
                true => self.openings(problem, customer).open_slots(),
                false => 0,
            };
            (self.propensities(problem, customer), open)
        };
        customers.into_par_iter().map(of).collect()
    }

    /// The share of the value of the plan that exploring is expected to cost: the share of slots that are drawn
    /// times what a draw is worth less than the plan, `share · (1 − uniform / planned)`.
    pub fn expected_cost(&self) -> f64 {
        let (planned_minor, uniform_minor) = self.open_value_minor;
        if planned_minor <= 0.0 {
            return 0.0;
        }
        self.exploration.law.share() * (1.0 - uniform_minor / planned_minor).max(0.0)
    }

    fn change(&self, customer: usize) -> Option<&Change> {
        let found = self.changes.binary_search_by_key(&customer, |change| change.customer);
        found.ok().map(|at| &self.changes[at])
    }

    /// Tosses the coins and draws, each customer's for himself.
    fn toss(&mut self, problem: &Problem<'_>, keys: &[u64]) {
        let customers = keys.len();
        let stride = customers.div_ceil(Self::VALUED_CUSTOMERS).max(1);
        let of_blocks: Vec<(Vec<Change>, (f64, f64))> = (0..customers.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let (mut changes, mut sums) = (Vec::new(), (0.0, 0.0));
                for (customer, key) in (block * BLOCK..).zip(&keys[block * BLOCK..]).take(BLOCK) {
                    let is_valued = customer.is_multiple_of(stride);
                    if !is_valued && !self.exploration.draws(problem.slots.len(), *key) {
                        continue;
                    }
                    let openings = self.openings(problem, customer);
                    if is_valued {
                        let values = self.open_values(problem, customer, &openings);
                        sums = (sums.0 + values.0, sums.1 + values.1);
                    }
                    let slate = openings.draw(&self.exploration, *key);
                    if slate.drawn != 0 {
                        let planned = self.plan.slate(customer).to_vec();
                        changes.push(Change { customer, slate, planned, is_refused: false });
                    }
                }
                (changes, sums)
            })
            .collect();
        for (changes, sums) in of_blocks {
            self.changes.extend(changes);
            self.open_value_minor.0 += sums.0;
            self.open_value_minor.1 += sums.1;
        }
    }

    /// What was planned for the open slots of a customer, and what they are worth when each alone is drawn.
    fn open_values(
        &self,
        problem: &Problem<'_>,
        customer: usize,
        openings: &Openings,
    ) -> (f64, f64) {
        let planned = self.plan.slate(customer);
        let open = openings.open_slots();
        let (mut planned_minor, mut lost_minor) = (0.0, 0.0);
        for slot in (0..planned.len()).filter(|slot| open >> slot & 1 == 1) {
            let others = openings.beside(slot);
            let minor = |at: usize| {
                let candidate = problem.candidate(customer, at);
                problem.marginal_minor(customer, &others, &candidate)
            };
            let drawn: Vec<u32> = openings.drawn_beside(slot).collect();
            let row = problem.customers.row(customer);
            let places =
                (0..row.len()).filter(|at| drawn.binary_search(&row.get(*at).promotion).is_ok());
            let sum_minor: f64 = places.map(minor).sum();
            planned_minor += planned[slot].map_or(0.0, |placed| f64::from(placed.value_minor));
            lost_minor += planned[slot].map_or(0.0, |placed| minor(placed.at()));
            lost_minor -= sum_minor / drawn.len().max(1) as f64;
        }
        (planned_minor, planned_minor - lost_minor)
    }

    /// Puts what was drawn into the slots, customers in hash order, as far as limits have room.
    fn place(&mut self, problem: &Problem<'_>) {
        let mut ledger = self.planned_ledger.clone();
        for change in &self.changes {
            let planned = change.planned.iter().enumerate();
            let gone = planned.filter(|(slot, _)| change.slate.drawn >> slot & 1 == 1);
            for placed in gone.filter_map(|(_, cell)| *cell) {
                let candidate = problem.candidate(change.customer, placed.at());
                ledger.remove(problem, change.customer, &candidate);
            }
        }
        let mut order: Vec<usize> = (0..self.changes.len()).collect();
        order.sort_unstable_by_key(|&at| {
            let customer = self.changes[at].customer;
            (problem.customers[customer].order, customer)
        });
        for at in order {
            let change = &mut self.changes[at];
            let slots = problem.slots.len();
            let cells = &mut self.plan.cells[change.customer * slots..][..slots];
            let before_minor = value_minor(problem, change.customer, &change.planned);
            let minor = change.apply(problem, cells, &mut ledger);
            self.plan.total_value_minor += minor - before_minor;
            self.refused += usize::from(change.is_refused);
        }
        self.plan.settle(problem, &ledger);
    }
}

impl Change {
    /// Puts what was drawn into the slots, and returns what the slate is worth then, minor units.
    fn apply(
        &mut self,
        problem: &Problem<'_>,
        cells: &mut [Option<Placed>],
        ledger: &mut Ledger,
    ) -> f64 {
        let customer = self.customer;
        let mut list: Vec<(usize, Placed)> = Vec::with_capacity(cells.len());
        for (slot, cell) in cells.iter_mut().enumerate() {
            if self.slate.drawn >> slot & 1 == 0 {
                list.extend(cell.map(|placed| (slot, placed)));
            }
        }
        list.sort_unstable_by_key(|(_, placed)| placed.rank);
        for slot in (0..cells.len()).filter(|slot| self.slate.drawn >> slot & 1 == 1) {
            cells[slot] = None;
            let Some(promotion) = self.slate.promotions[slot] else { continue };
            let row = problem.customers.row(customer);
            let found = row.iter().enumerate().find(|(_, c)| c.promotion == promotion);
            let drawn = found.filter(|(_, candidate)| ledger.has_room(problem, candidate));
            let Some((at, candidate)) = drawn else {
                self.is_refused = true;
                continue;
            };
            ledger.add(problem, customer, &candidate);
            let placed = Placed { candidate: at as u16, origin: Origin::Draw, ..Placed::default() };
            list.push((slot, placed));
        }
        let (mut promotions, mut sum_minor) = (Vec::with_capacity(cells.len()), 0.0);
        for (rank, (slot, mut placed)) in list.into_iter().enumerate() {
            let candidate: Candidate = problem.candidate(customer, placed.at());
            let minor = problem.marginal_minor(customer, &promotions, &candidate);
            (placed.rank, placed.value_minor) = (rank as u8, minor as f32);
            cells[slot] = Some(placed);
            promotions.push(candidate.promotion);
            sum_minor += minor;
        }
        sum_minor
    }
}

/// What a slate is worth, minor units.
fn value_minor(problem: &Problem<'_>, customer: usize, slate: &[Option<Placed>]) -> f64 {
    let mut list: Vec<Placed> = slate.iter().flatten().copied().collect();
    list.sort_unstable_by_key(|placed| placed.rank);
    let mut promotions = Vec::with_capacity(list.len());
    let mut sum_minor = 0.0;
    for placed in list {
        let candidate = problem.candidate(customer, placed.at());
        sum_minor += problem.marginal_minor(customer, &promotions, &candidate);
        promotions.push(candidate.promotion);
    }
    sum_minor
}
