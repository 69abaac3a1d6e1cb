//! Do limits leave room for draws?
//!
//! Draws must never break a cap or a budget, and must not be refused either: a refused draw would make the logged
//! probabilities wrong. So a part of every limit is kept back before the plan is made, as much as draws will ask
//! for but for one case in many millions, and promotions whose limits have no such room are left out of all
//! draws. Both hang on who may get what, and on no coin.

use rayon::prelude::*;
use tercet_types::Result;

use super::law::Exploration;
use crate::certificate::Limit;
use crate::customers::Candidate;
use crate::ledger::Ledger;
use crate::plan::{Placed, Plan};
use crate::problem::{MAX_SLOTS, Measure, Problem, Promotion};

/// Customers of one parallel task; sums are taken block by block, so that threads change nothing.
const BLOCK: usize = 4_096;

/// Draws exceed the room asked for with a probability of at most e to the power of minus this, for each limit.
const CAUTION: f64 = 12.0;

/// How often promotions are left out one limit after another, before all that share a limit are.
const PASSES: usize = 4;

/// Of more customers, only so many are asked what they might draw, evenly spread.
const SAMPLE: usize = 200_000;

/// Empty slots are drawn too, unless limits leave out more than one in so many promotions then.
const TOLERATED: usize = 10;

/// What of each limit is kept back for draws.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reserve {
    caps: Vec<u64>,
    promotion_budgets_minor: Vec<i64>,
    budgets_minor: Vec<i64>,
    total_minor: i64,
}

/// What draws may touch beside a plan.
pub(super) struct Scope {
    /// The promotions that are drawn for nobody, each with the limit that has no room for them.
    pub(super) left_out: Vec<Option<Limit>>,
    /// True when slots that the plan left empty are not drawn.
    pub(super) is_filled_only: bool,
}

impl Scope {
    fn count(&self) -> usize {
        self.left_out.iter().flatten().count()
    }
}

impl Exploration {
    /// What of each limit is kept back: as much as draws will ask for, but no more than [`Self::limit_share`] of
    /// what pins leave, and nothing of a promotion's own limits where that would not do.
    ///
    /// # Errors
    /// `T0605` (config) for rates and slots that cannot be; what [`Problem::check`] finds.
    pub fn reserve(&self, problem: &Problem<'_>) -> Result<Reserve> {
        self.check(problem.slots.len())?;
        problem.check()?;
        let mut reserve = Reserve::nothing(problem);
        if !self.law.is_on() || !is_limited(problem) {
            return Ok(reserve);
        }
        let room = Room::beside(problem, &pinned(problem));
        let demand = Demand::of(problem, self.law.share(), (None, false), &|_| false);
        let part =
            |ask: Ask, room: f64| ask.most().ceil().min((room * self.limit_share).floor()) as i64;
        // What chance alone adds may be more than all that can be kept: then it would be kept for nothing.
        let keep = |ask: Ask, room: f64| {
            let kept = part(ask, room);
            if ask.by_chance(kept as f64) <= kept as f64 { kept } else { 0 }
        };
        for (at, promotion) in problem.promotions.iter().enumerate() {
            if promotion.cap.is_some() {
                reserve.caps[at] = keep(demand.offers(at), room.offers[at]) as u64;
            }
            if promotion.budget_minor.is_some() {
                let ask = demand.minor(Measure::Cost, [at], &[at]);
                reserve.promotion_budgets_minor[at] = keep(ask, room.promotions_minor[at]);
            }
        }
        for (at, budget) in problem.budgets.iter().enumerate() {
            let spend: Vec<usize> = budget.promotions.iter().map(|at| *at as usize).collect();
            let ask = demand.minor(budget.measure, spend.iter().copied(), &spend);
            reserve.budgets_minor[at] = part(ask, room.budgets_minor[at]);
        }
        if problem.total_budget_minor.is_some() {
            let spend: Vec<usize> = (0..problem.promotions.len()).collect();
            let ask = demand.minor(Measure::Cost, spend.iter().copied(), &spend);
            reserve.total_minor = part(ask, room.total_minor);
        }
        Ok(reserve)
    }

    /// What there is room to draw beside a plan: of all slots, or where limits are too scarce for that, of those
    /// that the plan fills; what was planned for a drawn slot makes room.
    pub(super) fn scope(&self, problem: &Problem<'_>, plan: &Plan, planned: &Ledger) -> Scope {
        if !is_limited(problem) {
            return Scope { left_out: vec![None; problem.promotions.len()], is_filled_only: false };
        }
        let room = Room::beside(problem, planned);
        let tolerated = problem.promotions.len() / TOLERATED;
        match self.fit(problem, &room, plan, Some(tolerated)) {
            Some(all) => all,
            None => self.fit(problem, &room, plan, None).unwrap_or_else(|| Scope {
                left_out: (0..problem.promotions.len())
                    .map(|at| limits_of(problem, at).next())
                    .collect(),
                is_filled_only: true,
            }),
        }
    }

    /// Leaves out promotions until there is room for draws of the rest; nothing when that does not come to an end.
    ///
    /// Of all slots while no more promotions are left out than may be, else of those that the plan fills.
    fn fit(
        &self,
        problem: &Problem<'_>,
        room: &Room,
        plan: &Plan,
        out_most: Option<usize>,
    ) -> Option<Scope> {
        let is_filled_only = out_most.is_none();
        let mut left_out: Vec<Option<Limit>> = vec![None; problem.promotions.len()];
        for _ in 0..PASSES {
            let is_out = |at: u32| left_out[at as usize].is_some();
            let beside = (Some(plan), is_filled_only);
            let demand = Demand::of(problem, self.law.share(), beside, &is_out);
            // What is left out makes the rest more likely.
            let is_settled = !leave_out(problem, room, &demand, &mut left_out);
            let scope = Scope { left_out, is_filled_only };
            if out_most.is_some_and(|most| scope.count() > most) {
                return None;
            }
            if is_settled {
                return Some(scope);
            }
            left_out = scope.left_out;
        }
        None
    }
}

/// What limits have room for; without end where there is no limit.
struct Room {
    offers: Vec<f64>,
    promotions_minor: Vec<f64>,
    budgets_minor: Vec<f64>,
    total_minor: f64,
}

impl Room {
    /// What is left of every limit.
    fn beside(problem: &Problem<'_>, used: &Ledger) -> Self {
        let left = |limit: i64, used: i64| limit.saturating_sub(used).max(0) as f64;
        let promotions = || problem.promotions.iter().enumerate();
        let cap = |(at, promotion): (usize, &Promotion)| {
            promotion.cap.map_or(f64::INFINITY, |cap| cap.saturating_sub(used.offers[at]) as f64)
        };
        let own = |(at, promotion): (usize, &Promotion)| {
            promotion.budget_minor.map_or(f64::INFINITY, |minor| left(minor, used.costs_minor[at]))
        };
        let budgets = problem.budgets.iter().zip(&used.budgets_minor);
        let total = problem.total_budget_minor;
        Self {
            offers: promotions().map(cap).collect(),
            promotions_minor: promotions().map(own).collect(),
            budgets_minor: budgets.map(|(of, used)| left(of.budget_minor, *used)).collect(),
            total_minor: total.map_or(f64::INFINITY, |minor| left(minor, used.total_cost_minor)),
        }
    }
}

/// Leaves out promotions for whose draws a limit has no room; true when there were any.
fn leave_out(
    problem: &Problem<'_>,
    room: &Room,
    demand: &Demand,
    out: &mut [Option<Limit>],
) -> bool {
    let before = out.iter().flatten().count();
    for (at, limit) in out.iter_mut().enumerate().filter(|(_, limit)| limit.is_none()) {
        if demand.offers(at).most() > room.offers[at] {
            *limit = Some(Limit::Cap(at as u32));
        } else if demand.minor(Measure::Cost, [at], &[at]).most() > room.promotions_minor[at] {
            *limit = Some(Limit::PromotionBudget(at as u32));
        }
    }
    for (at, (budget, minor)) in problem.budgets.iter().zip(&room.budgets_minor).enumerate() {
        let spend: Vec<usize> = budget.promotions.iter().map(|at| *at as usize).collect();
        cut(demand, (*minor, budget.measure), &spend, Limit::Budget(at as u32), out);
    }
    let spend: Vec<usize> = (0..problem.promotions.len()).collect();
    cut(demand, (room.total_minor, Measure::Cost), &spend, Limit::TotalBudget, out);
    out.iter().flatten().count() > before
}

/// Leaves out promotions that spend a budget, those that are expected to take most first, until it has room for
/// the rest.
fn cut(
    demand: &Demand,
    (room_minor, measure): (f64, Measure),
    spend: &[usize],
    limit: Limit,
    out: &mut [Option<Limit>],
) {
    if room_minor.is_infinite() {
        return;
    }
    let mut rest: Vec<usize> = spend.iter().copied().filter(|at| out[*at].is_none()).collect();
    rest.sort_by(|one, other| {
        let minor = |at: &usize| demand.drawn[*at].of(measure).minor;
        minor(one).total_cmp(&minor(other)).then(one.cmp(other))
    });
    while demand.minor(measure, rest.iter().copied(), spend).most() > room_minor {
        let Some(dearest) = rest.pop() else { return };
        out[dearest] = Some(limit);
    }
}

/// The limits that a promotion's offers count against.
fn limits_of<'a>(problem: &'a Problem<'_>, at: usize) -> impl Iterator<Item = Limit> + 'a {
    let promotion = &problem.promotions[at];
    let cap = promotion.cap.map(|_| Limit::Cap(at as u32));
    let own = promotion.budget_minor.map(|_| Limit::PromotionBudget(at as u32));
    let shared = problem.budgets_of(at as u32).map(|of| Limit::Budget(of as u32));
    let total = problem.total_budget_minor.map(|_| Limit::TotalBudget);
    cap.into_iter().chain(own).chain(shared).chain(total)
}

fn is_limited(problem: &Problem<'_>) -> bool {
    let own = problem.promotions.iter().any(|p| p.cap.is_some() || p.budget_minor.is_some());
    own || problem.total_budget_minor.is_some() || !problem.budgets.is_empty()
}

/// What pins use when all of them are placed.
fn pinned(problem: &Problem<'_>) -> Ledger {
    let mut ledger = Ledger::new(problem);
    for customer in problem.customers.with_pins() {
        if problem.customers[customer].blocked.is_none() {
            for at in problem.customers.pinned(customer) {
                ledger.add(problem, customer, &problem.candidate(customer, at));
            }
        }
    }
    ledger
}

impl Reserve {
    fn nothing(problem: &Problem<'_>) -> Self {
        let promotions = problem.promotions.len();
        Self {
            caps: vec![0; promotions],
            promotion_budgets_minor: vec![0; promotions],
            budgets_minor: vec![0; problem.budgets.len()],
            total_minor: 0,
        }
    }

    /// Lowers the limits of the problem, so that the plan leaves what is kept back.
    pub fn take_from(&self, problem: &mut Problem<'_>) {
        self.shift(problem, |limit, kept| limit - kept);
    }

    /// Raises the limits again by what was kept back.
    pub fn give_back(&self, problem: &mut Problem<'_>) {
        self.shift(problem, |limit, kept| limit + kept);
    }

    fn shift(&self, problem: &mut Problem<'_>, with: impl Fn(i64, i64) -> i64) {
        let (caps, budgets) = (&self.caps, &self.promotion_budgets_minor);
        for ((promotion, cap), minor) in problem.promotions.iter_mut().zip(caps).zip(budgets) {
            // What is kept back is a share of the cap: nothing wraps that comes back.
            promotion.cap = promotion.cap.map(|of| with(of as i64, *cap as i64) as u64);
            promotion.budget_minor = promotion.budget_minor.map(|of| with(of, *minor));
        }
        for (budget, minor) in problem.budgets.iter_mut().zip(&self.budgets_minor) {
            budget.budget_minor = with(budget.budget_minor, *minor);
        }
        let total_minor = problem.total_budget_minor;
        problem.total_budget_minor = total_minor.map(|of| with(of, self.total_minor));
    }

    /// A ledger that counts what is kept back as used.
    pub(crate) fn on_top_of(&self, ledger: &Ledger) -> Ledger {
        let mut ledger = ledger.clone();
        let add = |sums: &mut [i64], kept: &[i64]| {
            sums.iter_mut().zip(kept).for_each(|(sum, kept)| *sum = sum.saturating_add(*kept));
        };
        ledger.offers.iter_mut().zip(&self.caps).for_each(|(sum, kept)| *sum += kept);
        add(&mut ledger.costs_minor, &self.promotion_budgets_minor);
        add(&mut ledger.budgets_minor, &self.budgets_minor);
        ledger.total_cost_minor = ledger.total_cost_minor.saturating_add(self.total_minor);
        ledger
    }
}

/// What the draws of all customers are expected to use, and what drawn slots give back.
struct Demand {
    /// By promotion.
    drawn: Vec<Sums>,
    /// Of what was planned, by promotion.
    freed: Vec<Sums>,
    slots: usize,
}

/// What offers of a promotion that are made with some probability are expected to use.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    offers: f64,
    costs: Money,
    losses: Money,
}

/// What offers take of budgets of a measure.
#[derive(Clone, Copy, Debug, Default)]
struct Money {
    minor: f64,
    /// The sum of the squared amounts, each times its probability.
    squared: f64,
    most_minor: f64,
}

impl Demand {
    /// The demand beside a plan, if there is one yet, when each slot that can be drawn is drawn with probability
    /// `share`; of the slots that the plan fills only, if so asked.
    ///
    /// Offers that stand already take from what a slot can draw, so that the rest is more likely; as much is
    /// allowed for, up to half of what there is.
    fn of(
        problem: &Problem<'_>,
        share: f64,
        (plan, is_filled_only): (Option<&Plan>, bool),
        is_left_out: &(dyn Fn(u32) -> bool + Sync),
    ) -> Self {
        let group = largest_group(problem);
        let customers = problem.customers.len();
        let stride = customers.div_ceil(SAMPLE).max(1);
        let asked: usize = customers.div_ceil(stride);
        // Who is asked speaks for the others.
        let share = share * customers as f64 / asked.max(1) as f64;
        let nothing = || {
            let none = vec![Sums::default(); problem.promotions.len()];
            Self { drawn: none.clone(), freed: none, slots: problem.slots.len() }
        };
        let of_blocks: Vec<Self> = (0..asked.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let mut sums = nothing();
                for customer in
                    (block * BLOCK..asked.min((block + 1) * BLOCK)).map(|at| at * stride)
                {
                    let slate = plan.map_or(&[] as &[_], |plan| plan.slate(customer));
                    let open_slots = match is_filled_only {
                        true => filled_slots(slate),
                        false => problem.all_slots() & !pinned_slots(slate),
                    };
                    let chances = Chances { share, group, open_slots };
                    sums.add(problem, customer, chances, slate, is_left_out);
                }
                sums
            })
            .collect();
        let mut sums = nothing();
        for of_block in &of_blocks {
            sums.drawn.iter_mut().zip(&of_block.drawn).for_each(|(sum, more)| sum.join(more));
            sums.freed.iter_mut().zip(&of_block.freed).for_each(|(sum, more)| sum.join(more));
        }
        sums
    }

    fn add(
        &mut self,
        problem: &Problem<'_>,
        customer: usize,
        chances: Chances,
        planned: &[Option<Placed>],
        is_left_out: &(dyn Fn(u32) -> bool + Sync),
    ) {
        if problem.offers_most(customer) == 0 {
            return;
        }
        let Chances { share, group, open_slots } = chances;
        let mut counts = [0_usize; MAX_SLOTS];
        let mut open = Vec::new();
        for candidate in problem.customers.row(customer).iter() {
            if candidate.excluded.is_none() && !is_left_out(candidate.promotion) {
                let slots = problem.scoped_slots(customer, &candidate) & open_slots;
                let count = counts.iter_mut().enumerate();
                count.for_each(|(slot, count)| *count += usize::from(slots >> slot & 1));
                open.push((candidate, slots));
            }
        }
        // Offers of other slots are in the way where these may hold the same promotions, or of the same group.
        let mut with = [0_u8; MAX_SLOTS];
        for (_, slots) in &open {
            let of_slots = with.iter_mut().enumerate().filter(|(slot, _)| slots >> slot & 1 == 1);
            of_slots.for_each(|(_, with)| *with |= slots);
        }
        let rest: [f64; MAX_SLOTS] = std::array::from_fn(|slot| {
            let others = if group > 1 { open_slots } else { with[slot] } & !(1 << slot);
            let in_the_way = group * others.count_ones() as usize;
            (counts[slot] - in_the_way.min(counts[slot] / 2)).max(1) as f64
        });
        for (candidate, slots) in open.iter().filter(|(_, slots)| *slots != 0) {
            let of_slots = (0..MAX_SLOTS).filter(|slot| slots >> slot & 1 == 1);
            let chance = of_slots.map(|slot| share / rest[slot]).sum();
            self.drawn[candidate.promotion as usize].add(candidate, chance);
        }
        for (slot, cell) in planned.iter().enumerate() {
            if let Some(placed) = cell.filter(|_| open_slots >> slot & 1 == 1 && counts[slot] > 0) {
                let candidate = problem.candidate(customer, placed.at());
                self.freed[candidate.promotion as usize].add(&candidate, share);
            }
        }
    }

    /// The offers that draws of a promotion ask for.
    fn offers(&self, at: usize) -> Ask {
        let (drawn, freed) = (self.drawn[at].offers, self.freed[at].offers);
        Ask { drawn, freed, squares: drawn + freed, most: 1.0 }
    }

    /// What draws of these promotions take of a budget, minor units, when what they free of all that `spend` counts.
    ///
    /// The slots of a customer may be drawn together; only customers are independent of each other.
    fn minor(
        &self,
        measure: Measure,
        promotions: impl IntoIterator<Item = usize>,
        spend: &[usize],
    ) -> Ask {
        let drawn = sum_of(&self.drawn, measure, promotions);
        let freed = sum_of(&self.freed, measure, spend.iter().copied());
        let slots = self.slots as f64;
        Ask {
            drawn: drawn.minor,
            freed: freed.minor,
            squares: slots * (drawn.squared + freed.squared),
            most: slots * drawn.most_minor,
        }
    }
}

/// What draws ask of a limit.
#[derive(Clone, Copy, Debug)]
struct Ask {
    /// The mean of what draws use.
    drawn: f64,
    /// The mean of what drawn slots give back.
    freed: f64,
    /// The sum of the means of the squared terms of both, customer by customer.
    squares: f64,
    /// The largest term.
    most: f64,
}

impl Ask {
    /// What draws do not exceed but with a probability of e^−[`CAUTION`]: Bernstein's inequality (Boucheron,
    /// Lugosi & Massart 2013, corollary 2.11).
    fn most(&self) -> f64 {
        if self.drawn <= 0.0 {
            return 0.0;
        }
        (self.drawn - self.freed + above(self.squares, self.most)).max(0.0)
    }

    /// What chance alone may add when the mean is so much smaller.
    fn by_chance(&self, mean: f64) -> f64 {
        if self.drawn <= 0.0 { 0.0 } else { above(self.squares * mean / self.drawn, self.most) }
    }
}

/// What chance may add to a mean.
fn above(squares: f64, most: f64) -> f64 {
    let step = CAUTION * most / 3.0;
    step + (step * step + 2.0 * CAUTION * squares).sqrt()
}

/// The slots that are drawn of a customer, and how likely.
#[derive(Clone, Copy, Debug)]
struct Chances {
    share: f64,
    /// Promotions of the largest exclusivity group.
    group: usize,
    open_slots: u8,
}

/// The slots with an offer that is not pinned.
fn filled_slots(slate: &[Option<Placed>]) -> u8 {
    slots_where(slate, |cell| cell.is_some_and(|placed| !placed.is_pinned()))
}

fn pinned_slots(slate: &[Option<Placed>]) -> u8 {
    slots_where(slate, |cell| cell.is_some_and(|placed| placed.is_pinned()))
}

fn slots_where(slate: &[Option<Placed>], meets: impl Fn(&Option<Placed>) -> bool) -> u8 {
    slate.iter().enumerate().map(|(slot, cell)| u8::from(meets(cell)) << slot).sum()
}

impl Sums {
    fn add(&mut self, candidate: &Candidate, chance: f64) {
        let money = |minor: i64| {
            let most_minor = minor as f64;
            let minor = chance * most_minor;
            Money { minor, squared: minor * most_minor, most_minor }
        };
        self.join(&Self {
            offers: chance,
            costs: money(candidate.expected_cost_minor),
            losses: money(candidate.margin_loss_minor),
        });
    }

    fn join(&mut self, more: &Self) {
        self.offers += more.offers;
        self.costs.join(&more.costs);
        self.losses.join(&more.losses);
    }

    /// What of it a budget of this measure counts.
    fn of(&self, measure: Measure) -> &Money {
        match measure {
            Measure::Cost => &self.costs,
            Measure::Margin => &self.losses,
        }
    }
}

impl Money {
    fn join(&mut self, more: &Self) {
        self.minor += more.minor;
        self.squared += more.squared;
        self.most_minor = self.most_minor.max(more.most_minor);
    }
}

fn sum_of(sums: &[Sums], measure: Measure, promotions: impl IntoIterator<Item = usize>) -> Money {
    let mut all = Money::default();
    promotions.into_iter().for_each(|at| all.join(sums[at].of(measure)));
    all
}

/// Promotions of the largest exclusivity group, at least 1.
fn largest_group(problem: &Problem<'_>) -> usize {
    let mut groups: Vec<u32> =
        problem.promotions.iter().filter_map(|promotion| promotion.exclusivity_group).collect();
    groups.sort_unstable();
    groups.chunk_by(|one, other| one == other).map(<[u32]>::len).max().unwrap_or(1)
}
