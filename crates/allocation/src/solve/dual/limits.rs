//! Which limits do customers share, and what does an offer use of each?

use crate::certificate::Limit;
use crate::customers::{Candidate, MAX_GROUPS};
use crate::ledger::Ledger;
use crate::problem::{Measure, Problem};

/// The limits that are set, in one row: their places are those of prices.
pub(super) struct Limits {
    /// What each limit is.
    pub(super) names: Vec<Limit>,
    /// What pins leave of each; of a floor, what they leave to be done.
    pub(super) left: Vec<i64>,
    /// The highest price each may have: of a floor what a miss counts, minor units.
    pub(super) price_most: Vec<f64>,
    /// The place of each promotion's cap.
    cap_of: Vec<Option<u32>>,
    /// Places of the budgets that each promotion spends.
    budgets_of: Spans,
    /// What each budget counts, by place.
    measure_of: Vec<Measure>,
    /// Places of the floors for which each promotion's offers count.
    floors_of: Spans,
    /// The group a floor is for, by place; none for all customers.
    group_of: Vec<Option<u8>>,
    /// Distinct sets of groups, as far as floors look at them.
    segments: Vec<u16>,
    /// The segment of each set of groups.
    segment_of: Vec<u16>,
    /// The groups that floors look at.
    groups: u16,
}

/// What an offer takes of budgets, minor units: its cost, and its loss of margin.
pub(super) type Needs = [i64; 2];

/// True when there is room for the needs of an offer.
pub(super) fn fit(needs: Needs, room: Needs) -> bool {
    needs[0] <= room[0] && needs[1] <= room[1]
}

/// A list of places per promotion.
struct Spans {
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl Spans {
    fn new(lists: impl Iterator<Item = Vec<u32>>) -> Self {
        let (mut starts, mut places) = (vec![0], Vec::new());
        for list in lists {
            places.extend(list);
            starts.push(places.len() as u32);
        }
        Self { starts, places }
    }

    fn of(&self, promotion: usize) -> &[u32] {
        &self.places[self.starts[promotion] as usize..self.starts[promotion + 1] as usize]
    }
}

impl Limits {
    /// The limits after what is used already.
    pub(super) fn new(problem: &Problem<'_>, used: &Ledger) -> Self {
        let (mut names, mut left, mut price_most) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |name: Limit, rest: i64, most: f64| {
            names.push(name);
            left.push(rest);
            price_most.push(most);
            names.len() as u32 - 1
        };
        let rest = |minor: i64, used: i64| minor.max(0).saturating_sub(used).max(0);
        let mut cap_of = vec![None; problem.promotions.len()];
        let mut own_of = vec![None; problem.promotions.len()];
        for (at, promotion) in problem.promotions.iter().enumerate() {
            let cap = promotion.cap.map(|cap| cap.saturating_sub(used.offers[at]));
            let cap = cap.map(|cap| i64::try_from(cap).unwrap_or(i64::MAX));
            cap_of[at] = cap.map(|cap| add(Limit::Cap(at as u32), cap, f64::INFINITY));
        }
        for (at, promotion) in problem.promotions.iter().enumerate() {
            let own = promotion.budget_minor.map(|minor| rest(minor, used.costs_minor[at]));
            own_of[at] = own.map(|own| add(Limit::PromotionBudget(at as u32), own, f64::INFINITY));
        }
        let named = problem.budgets.iter().zip(&used.budgets_minor).enumerate();
        let named: Vec<u32> = named
            .map(|(at, (budget, used))| {
                add(Limit::Budget(at as u32), rest(budget.budget_minor, *used), f64::INFINITY)
            })
            .collect();
        let total = problem.total_budget_minor.map(|minor| {
            add(Limit::TotalBudget, rest(minor, used.total_cost_minor), f64::INFINITY)
        });
        let mut floors = Vec::new();
        for (at, (floor, used)) in problem.floors.iter().zip(&used.floors).enumerate() {
            let missing = floor.offers_min.saturating_sub(*used);
            if missing > 0 {
                let missing = i64::try_from(missing).unwrap_or(i64::MAX);
                floors
                    .push((add(Limit::Floor(at as u32), missing, floor.miss_minor as f64), floor));
            }
        }
        let promotions = 0..problem.promotions.len();
        let budgets_of = Spans::new(promotions.clone().map(|at| {
            let shared = problem.budgets_of(at as u32).map(|budget| named[budget]);
            own_of[at].into_iter().chain(shared).chain(total).collect()
        }));
        let floors_of = Spans::new(promotions.map(|at| {
            let naming = floors.iter().filter(|(_, floor)| floor.names(at as u32));
            naming.map(|(place, _)| *place).collect()
        }));
        let mut measure_of = vec![Measure::Cost; names.len()];
        for (place, budget) in named.iter().zip(&problem.budgets) {
            measure_of[*place as usize] = budget.measure;
        }
        let mut group_of = vec![None; names.len()];
        let mut groups = 0_u16;
        for (place, floor) in &floors {
            group_of[*place as usize] = floor.group;
            groups |= floor.group.map_or(0, |group| 1 << group);
        }
        let (mut segments, mut segment_of) = (vec![0], Vec::new());
        if groups != 0 {
            let mut is_there = vec![false; 1 << MAX_GROUPS];
            let sets = problem.customers.iter().map(|customer| customer.groups & groups);
            sets.for_each(|set| is_there[usize::from(set)] = true);
            segments = (0..=u16::MAX).filter(|set| is_there[usize::from(*set)]).collect();
            segment_of = vec![0; 1 << MAX_GROUPS];
            for (segment, set) in segments.iter().enumerate() {
                segment_of[usize::from(*set)] = segment as u16;
            }
        }
        Self {
            names,
            left,
            price_most,
            cap_of,
            budgets_of,
            measure_of,
            floors_of,
            group_of,
            segments,
            segment_of,
            groups,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// True of a floor: as much or more, and a price that is paid to who helps.
    pub(super) fn is_floor(&self, place: usize) -> bool {
        matches!(self.names[place], Limit::Floor(_))
    }

    /// The segment of a customer of these groups.
    pub(super) fn segment(&self, groups: u16) -> usize {
        self.segment_of.get(usize::from(groups & self.groups)).map_or(0, |at| usize::from(*at))
    }

    /// Calls `each` with the place of every limit that the candidate uses, and how much of it.
    pub(super) fn uses(
        &self,
        groups: u16,
        candidate: &Candidate,
        mut each: impl FnMut(usize, i64),
    ) {
        let promotion = candidate.promotion as usize;
        if let Some(cap) = self.cap_of[promotion] {
            each(cap as usize, 1);
        }
        for budget in self.budgets_of.of(promotion).iter().map(|at| *at as usize) {
            each(budget, candidate.minor(self.measure_of[budget]));
        }
        for floor in self.floors_of.of(promotion) {
            if self.group_of[*floor as usize].is_none_or(|group| groups >> group & 1 == 1) {
                each(*floor as usize, 1);
            }
        }
    }

    /// What of a measure a budget counts, if it is a budget.
    pub(super) fn measure(&self, place: usize) -> Option<Measure> {
        let is_budget = !matches!(self.names[place], Limit::Cap(_) | Limit::Floor(_));
        is_budget.then(|| self.measure_of[place])
    }

    /// The most that an offer of each promotion may need when so much is left; -1 when its cap is used up.
    pub(super) fn room(&self, left: &[i64]) -> Vec<Needs> {
        let of = |(promotion, cap): (usize, &Option<u32>)| {
            if cap.is_some_and(|cap| left[cap as usize] <= 0) {
                return [-1; 2];
            }
            let mut room = [i64::MAX; 2];
            for budget in self.budgets_of.of(promotion).iter().map(|at| *at as usize) {
                let of_measure = &mut room[self.measure_of[budget] as usize];
                *of_measure = left[budget].min(*of_measure);
            }
            room
        };
        self.cap_of.iter().enumerate().map(of).collect()
    }

    /// True when what is left is enough for an offer of the promotion with these needs.
    pub(super) fn has_room(
        &self,
        promotion: usize,
        needs: Needs,
        left: impl Fn(usize) -> i64,
    ) -> bool {
        let mut budgets = self.budgets_of.of(promotion).iter().map(|at| *at as usize);
        self.cap_of[promotion].is_none_or(|cap| left(cap as usize) > 0)
            && budgets.all(|budget| left(budget) >= needs[self.measure_of[budget] as usize])
    }

    /// Writes what is used up into a ledger that counts the pins, for the limits that are set.
    pub(super) fn settle(&self, left: &[i64], ledger: &mut Ledger) {
        for (place, name) in self.names.iter().enumerate() {
            let used = self.left[place] - left[place];
            match *name {
                Limit::Cap(at) => ledger.offers[at as usize] += used as u64,
                Limit::PromotionBudget(at) => ledger.costs_minor[at as usize] += used,
                Limit::Budget(at) => ledger.budgets_minor[at as usize] += used,
                Limit::TotalBudget => ledger.total_cost_minor += used,
                Limit::Floor(at) => ledger.floors[at as usize] += used as u64,
            }
        }
    }

    /// Prices as offers meet them; a floor that is met is worth nothing more.
    pub(super) fn tariff(&self, prices: &[f64], left: &[i64]) -> Tariff {
        let promotions = self.cap_of.len();
        let mut list = Vec::with_capacity(promotions * self.segments.len());
        let of_measure = |promotion: usize, measure: Measure| {
            let budgets = self.budgets_of.of(promotion).iter().map(|at| *at as usize);
            budgets.filter(|at| self.measure_of[*at] == measure).map(|at| prices[at]).sum::<f64>()
        };
        for &groups in &self.segments {
            for promotion in 0..promotions {
                let mut offer = self.cap_of[promotion].map_or(0.0, |cap| prices[cap as usize]);
                for floor in self.floors_of.of(promotion).iter().map(|at| *at as usize) {
                    let is_for = self.group_of[floor].is_none_or(|group| groups >> group & 1 == 1);
                    if is_for && left[floor] > 0 {
                        offer -= prices[floor];
                    }
                }
                list.push([offer, of_measure(promotion, Measure::Cost)]);
            }
        }
        let losses = (0..promotions).map(|at| of_measure(at, Measure::Margin)).collect();
        Tariff { list, losses, promotions }
    }

    /// What the limits cost at the prices, less what floors pay, minor units.
    pub(super) fn rent_minor(&self, prices: &[f64]) -> f64 {
        let of = |place: usize| self.sign(place) * self.left[place] as f64 * prices[place];
        (0..self.len()).map(of).sum()
    }

    /// -1 for a floor, else 1.
    pub(super) fn sign(&self, place: usize) -> f64 {
        if self.is_floor(place) { -1.0 } else { 1.0 }
    }
}

/// Prices as an offer of each promotion meets them.
pub(super) struct Tariff {
    /// Segment by segment: of the offer, and per minor unit of its cost.
    list: Vec<[f64; 2]>,
    /// Per minor unit of margin that it loses: the same for all segments, and looked at where there are losses.
    losses: Vec<f64>,
    promotions: usize,
}

/// The prices of all promotions for a segment.
#[derive(Clone, Copy)]
pub(super) struct Prices<'a> {
    /// Of the offer, and per minor unit of its cost.
    pub(super) list: &'a [[f64; 2]],
    /// Per minor unit of margin that it loses.
    pub(super) losses: &'a [f64],
}

impl Tariff {
    /// The prices of all promotions for a segment.
    pub(super) fn of(&self, segment: usize) -> Prices<'_> {
        let list = &self.list[segment * self.promotions..(segment + 1) * self.promotions];
        Prices { list, losses: &self.losses }
    }
}

impl Prices<'_> {
    /// What the candidate's use of the limits costs, minor units.
    pub(super) fn of(&self, candidate: &Candidate) -> f64 {
        let promotion = candidate.promotion as usize;
        let [offer, cost] = self.list[promotion];
        let loss_minor = self.losses[promotion] * candidate.margin_loss_minor as f64;
        offer + cost * candidate.expected_cost_minor as f64 + loss_minor
    }
}
