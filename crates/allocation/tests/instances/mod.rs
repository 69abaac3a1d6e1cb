//! What do problems with every kind of constraint look like?

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tercet_allocation::{
    Budget, Candidate, Customer, Floor, Measure, Overlap, Problem, Promotion, RuleId,
    SharedProducts, Slot,
};

pub(crate) const SLOTS: usize = 3;
const PRODUCTS: u32 = 30;
const STORES: u32 = 3;

/// A customer with candidates and the places of those that are pinned.
pub(crate) type Person = (Customer, Vec<Candidate>, Vec<usize>);

/// The parts of a problem, without the overlap it borrows.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) slots: Vec<Slot>,
    pub(crate) offers_max: Option<u8>,
    pub(crate) promotions: Vec<Promotion>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) floors: Vec<Floor>,
    pub(crate) people: Vec<Person>,
    pub(crate) total_budget_minor: Option<i64>,
    pub(crate) min_value_minor: Option<i64>,
    pub(crate) products: Vec<Vec<u32>>,
    pub(crate) expected: Vec<Vec<(u32, f32)>>,
}

impl Parts {
    pub(crate) fn problem<'a>(&self, overlap: &'a dyn Overlap) -> Problem<'a> {
        let mut problem = Problem {
            slots: self.slots.clone(),
            promotions: self.promotions.clone(),
            budgets: self.budgets.clone(),
            floors: self.floors.clone(),
            total_budget_minor: self.total_budget_minor,
            offers_max: self.offers_max,
            min_value_minor: self.min_value_minor,
            overlap,
            ..Problem::default()
        };
        for (customer, candidates, pinned) in &self.people {
            problem.customers.push(*customer, candidates, pinned).unwrap();
        }
        problem
    }

    pub(crate) fn shared(&self) -> SharedProducts {
        let promotions = self.products.len();
        let shares = (0..promotions * promotions).map(|at| (at % 7) as f32 / 10.0).collect();
        SharedProducts::new(self.products.clone(), &self.expected, Some(shares)).unwrap()
    }

    /// No caps, budgets, groups, pins or flags: each slate stands alone.
    pub(crate) fn uncoupled(mut self) -> Self {
        self.promotions.iter_mut().for_each(|promotion| *promotion = Promotion::default());
        for (customer, candidates, pinned) in &mut self.people {
            let order = customer.order;
            *customer = Customer { order, max_offers: SLOTS as u8, ..Customer::default() };
            candidates.iter_mut().for_each(|candidate| candidate.excluded = None);
            pinned.clear();
        }
        self.budgets.clear();
        self.floors.clear();
        (self.total_budget_minor, self.min_value_minor) = (None, Some(1));
        (self.offers_max, self.slots) = (None, slots([None; SLOTS]));
        self
    }
}

pub(crate) fn slots(channels: [Option<u8>; SLOTS]) -> Vec<Slot> {
    let slot = |(at, channel): (usize, Option<u8>)| Slot { name: format!("slot {at}"), channel };
    channels.into_iter().enumerate().map(slot).collect()
}

fn sorted_products(most: usize) -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::btree_set(0..PRODUCTS, 0..most).prop_map(|set| set.into_iter().collect())
}

fn flag() -> impl Strategy<Value = Option<RuleId>> {
    let flags: Vec<RuleId> = RuleId::all().filter(|rule| rule.is_flag()).collect();
    option::weighted(0.15, proptest::sample::select(flags))
}

fn promotion() -> impl Strategy<Value = Promotion> {
    let limits = (option::of(0..15_u64), option::of(0..3_000_i64), option::weighted(0.4, 0..3_u32));
    let stores = option::weighted(0.2, proptest::collection::btree_set(0..STORES, 0..3));
    (limits, stores, option::weighted(0.2, 0..8_u64)).prop_map(|(limits, stores, channels)| {
        let (cap, budget_minor, exclusivity_group) = limits;
        let stores = stores.map(|stores| stores.into_iter().collect());
        Promotion { cap, budget_minor, exclusivity_group, stores, channels }
    })
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let money = (-50..1_000_i64, 0..400_i64, option::weighted(0.7, 0..400_i64));
    (money, 0..8_u8, flag()).prop_map(
        |((value_minor, expected_cost_minor, loss), slots, excluded)| {
            let margin_loss_minor = loss.unwrap_or(0);
            Candidate {
                promotion: 0,
                slots,
                value_minor,
                expected_cost_minor,
                margin_loss_minor,
                excluded,
            }
        },
    )
}

/// Some promotions of so many, ascending.
fn some_of(promotions: usize) -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::btree_set(0..promotions as u32, 0..=promotions)
        .prop_map(|set| set.into_iter().collect())
}

fn floor(promotions: usize) -> impl Strategy<Value = Floor> {
    (option::of(some_of(promotions)), option::of(0..3_u8), 0..12_u64, 0..3_000_i64).prop_map(
        |(promotions, group, offers_min, miss_minor)| Floor {
            promotions,
            group,
            offers_min,
            miss_minor,
        },
    )
}

fn budget(promotions: usize) -> impl Strategy<Value = Budget> {
    let measure = proptest::sample::select(vec![Measure::Cost, Measure::Margin]);
    (0..5_000_i64, measure, some_of(promotions)).prop_map(|(budget_minor, measure, promotions)| {
        Budget { budget_minor, measure, promotions }
    })
}

pub(crate) fn parts(most_customers: usize, most_promotions: usize) -> impl Strategy<Value = Parts> {
    (1..=most_promotions, 0..=most_customers).prop_flat_map(|(promotions, customers)| {
        let of_customer = (
            vec(option::weighted(0.8, candidate()), promotions),
            (0..=4_u8, flag(), any::<u64>(), 0..8_u16, option::weighted(0.3, 0..200_u8)),
            (option::weighted(0.8, 0..STORES), 0..8_u64, option::weighted(0.3, 0..8_u64)),
            vec(any::<proptest::sample::Index>(), 0..3),
            proptest::collection::btree_map(0..PRODUCTS, 1..200_u16, 0..12),
        );
        let shared = (vec(budget(promotions), 0..3), vec(floor(promotions), 0..3));
        (
            vec(promotion(), promotions),
            vec(sorted_products(12), promotions),
            vec(of_customer, customers),
            (option::of(0..20_000_i64), option::of(-10..100_i64), option::weighted(0.2, 0..4_u8)),
            proptest::array::uniform3(option::weighted(0.3, 0..3_u8)),
            shared,
        )
            .prop_map(
                |(promotions, products, rows, limits, channels, (budgets, floors))| {
                    let (total_budget_minor, min_value_minor, offers_max) = limits;
                    let (mut people, mut expected) = (vec![], vec![]);
                    for (
                        offered,
                        (max_offers, blocked, order, groups, price),
                        reach,
                        pins,
                        spends,
                    ) in rows
                    {
                        let (store, channels, refused) = reach;
                        let offered = (0..).zip(offered).filter_map(|(promotion, candidate)| {
                            candidate.map(|candidate| Candidate { promotion, ..candidate })
                        });
                        let candidates: Vec<Candidate> = offered.collect();
                        let pin = |pin: &proptest::sample::Index| pin.index(candidates.len());
                        let pinned = if candidates.is_empty() {
                            vec![]
                        } else {
                            pins.iter().map(pin).collect()
                        };
                        let customer = Customer {
                            max_offers,
                            blocked,
                            order,
                            store,
                            channels,
                            refused_channels: refused.map_or(0, |refused| refused & !channels),
                            groups,
                            contact_price_minor: price.map_or(0.0, f32::from),
                        };
                        people.push((customer, candidates, pinned));
                        expected.push(spends.into_iter().map(|(p, e)| (p, f32::from(e))).collect());
                    }
                    Parts {
                        slots: slots(channels),
                        offers_max,
                        promotions,
                        budgets,
                        floors,
                        people,
                        total_budget_minor,
                        min_value_minor,
                        products,
                        expected,
                    }
                },
            )
    })
}
