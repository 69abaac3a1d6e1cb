//! Are the logged probabilities those with which offers are drawn, and does every rule hold of what is drawn?
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod instances;

use std::collections::BTreeMap;

use instances::{SLOTS, parts, slots};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use tercet_allocation::solve::{Dual, Greedy, Solver};
use tercet_allocation::{
    Budget, Candidate, Customer, Exploration, Explored, Law, Limit, Measure, NoOverlap, Opening,
    Openings, Plan, Problem, Promotion, Reasons, WhyNot, verify_all,
};

/// What the slots of a customer came to.
type Slate = Vec<Option<u32>>;

fn exploration(epsilon: f64, measurement_share: f64, seed: u64) -> Exploration {
    let law = Law { epsilon, measurement_share };
    Exploration { law, limit_share: law.share(), seed }
}

/// Keys of so many customers.
fn keys(customers: usize) -> Vec<u64> {
    (0..customers as u64).map(|at| (at + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93)).collect()
}

/// Plans with room kept back and lays draws over it.
fn explore(exploration: &Exploration, problem: &mut Problem<'_>, solver: &dyn Solver) -> Explored {
    let reserve = exploration.reserve(problem).unwrap();
    reserve.take_from(problem);
    let plan = solver.solve(problem).unwrap();
    verify_all(problem, &plan).unwrap();
    reserve.give_back(problem);
    exploration.explore(problem, plan, &keys(problem.customers.len())).unwrap()
}

fn slate_of(problem: &Problem<'_>, plan: &Plan, customer: usize) -> Slate {
    let of = |at: usize| problem.candidate(customer, at).promotion;
    plan.slate(customer).iter().map(|cell| cell.map(|placed| of(placed.at()))).collect()
}

/// All slates that can come about, each with its probability: way by way and draw by draw.
fn all_slates(openings: &Openings, law: &Law) -> BTreeMap<Slate, f64> {
    fn draw(
        openings: &Openings,
        (slot, drawn): (usize, u8),
        slate: &mut Slate,
        chance: f64,
        found: &mut BTreeMap<Slate, f64>,
    ) {
        if slot == openings.planned.len() {
            *found.entry(slate.clone()).or_insert(0.0) += chance;
            return;
        }
        if drawn >> slot & 1 == 0 {
            return draw(openings, (slot + 1, drawn), slate, chance, found);
        }
        let group_of = |promotion: u32| {
            let offer = openings.offers.iter().find(|offer| offer.promotion == promotion);
            let planned = openings.planned.iter().flatten().find(|(known, _)| *known == promotion);
            offer.map_or_else(|| planned.and_then(|(_, group)| *group), |offer| offer.group)
        };
        let stand: Vec<u32> = slate.iter().flatten().copied().collect();
        let goes_with = |offer: &&Opening| {
            offer.slots >> slot & 1 == 1
                && stand.iter().all(|&other| {
                    other != offer.promotion
                        && (offer.group.is_none() || group_of(other) != offer.group)
                })
        };
        let able: Vec<&Opening> = openings.offers.iter().filter(goes_with).collect();
        if able.is_empty() || stand.len() >= openings.offers_most {
            return draw(openings, (slot + 1, drawn), slate, chance, found);
        }
        for offer in &able {
            slate[slot] = Some(offer.promotion);
            draw(openings, (slot + 1, drawn), slate, chance / able.len() as f64, found);
            slate[slot] = None;
        }
    }
    let mut found = BTreeMap::new();
    let open = openings.open_slots();
    let slots = openings.planned.len();
    for drawn in 0..1_u8 << slots {
        if drawn & !open != 0 {
            continue;
        }
        let mut chance = 1.0 - law.measurement_share;
        for slot in (0..slots).filter(|slot| open >> slot & 1 == 1) {
            chance *= if drawn >> slot & 1 == 1 { law.epsilon } else { 1.0 - law.epsilon };
        }
        chance += if drawn == open { law.measurement_share } else { 0.0 };
        let stays = |slot: usize| openings.planned[slot].filter(|_| drawn >> slot & 1 == 0);
        let mut slate: Slate = (0..slots).map(|slot| stays(slot).map(|(p, _)| p)).collect();
        if chance > 0.0 {
            draw(openings, (0, drawn), &mut slate, chance, &mut found);
        }
    }
    found
}

/// Openings of up to four slots. The plan may stand on promotions that are not drawn.
fn openings() -> impl Strategy<Value = Openings> {
    let offers = btree_map(0..12_u32, (1..16_u8, option::weighted(0.5, 0..3_u32)), 0..7);
    let planned = vec(option::of(any::<proptest::sample::Index>()), 1..5);
    (offers, planned, any::<(u8, bool)>(), 0..5_usize, 0..3_u32).prop_map(
        |(offers, planned, (pinned, is_filled_only), offers_most, stranger)| {
            let all: Vec<Opening> = offers
                .iter()
                .map(|(&promotion, &(slots, group))| Opening { promotion, group, slots })
                .collect();
            let mut openings = Openings { offers_most, is_filled_only, ..Openings::default() };
            for (slot, pick) in planned.iter().enumerate() {
                let stand: Vec<(u32, Option<u32>)> =
                    openings.planned.iter().flatten().copied().collect();
                let found = pick.filter(|_| !all.is_empty()).map(|pick| *pick.get(&all));
                let fits = |offer: &Opening| {
                    offer.slots >> slot & 1 == 1
                        && stand.len() < offers_most
                        && stand.iter().all(|(promotion, group)| {
                            *promotion != offer.promotion
                                && (group.is_none() || *group != offer.group)
                        })
                };
                let cell = found.filter(fits).map(|offer| (offer.promotion, offer.group));
                openings.pinned |= (u8::from(cell.is_some()) & pinned >> slot & 1) << slot;
                openings.planned.push(cell);
            }
            let all_slots = (1 << openings.planned.len()) - 1;
            let drawn =
                all.iter().map(|offer| Opening { slots: offer.slots & all_slots, ..*offer });
            let keep = |offer: &Opening| offer.slots != 0 && offer.promotion % 3 != stranger;
            openings.offers = drawn.filter(keep).collect();
            openings
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn propensities_are_those_of_going_through_everything(
        openings in openings(),
        (epsilon, measurement_share) in (0.0..1.0_f64, 0.0..1.0_f64),
        law in 0..4_u8,
    ) {
        let law = match law {
            0 => Law { epsilon: 0.02, measurement_share: 0.01 },
            1 => Law { epsilon, measurement_share: 0.0 },
            2 => Law { epsilon: 0.0, measurement_share },
            _ => Law { epsilon, measurement_share },
        };
        let found = all_slates(&openings, &law);
        prop_assert!((found.values().sum::<f64>() - 1.0).abs() < 1e-12);
        let mut of_slots: Vec<BTreeMap<Option<u32>, f64>> = vec![BTreeMap::new(); openings.planned.len()];
        for (slate, chance) in &found {
            for (of_slot, promotion) in of_slots.iter_mut().zip(slate) {
                *of_slot.entry(*promotion).or_insert(0.0) += chance;
            }
        }
        for (slate, chance) in &found {
            let propensities = openings.propensities(&law, slate);
            prop_assert!((propensities.slate - chance).abs() < 1e-12, "{slate:?}");
            for (slot, promotion) in slate.iter().enumerate() {
                let of_slot = of_slots[slot][promotion];
                prop_assert!((propensities.slots[slot] - of_slot).abs() < 1e-12, "{slate:?} {slot}");
            }
        }
        // Over what may be drawn, what was planned and nothing, a slot's propensities add up to one; what cannot
        // come about has none.
        for slot in 0..openings.planned.len() {
            let mut outcomes: Vec<Option<u32>> = (0..13).map(Some).collect();
            outcomes.push(None);
            let mut sum = 0.0;
            for outcome in outcomes {
                let mut slate: Slate = vec![None; openings.planned.len()];
                slate[slot] = outcome;
                let chance = openings.propensities(&law, &slate).slots[slot];
                let expect = of_slots[slot].get(&outcome).copied().unwrap_or(0.0);
                prop_assert!((chance - expect).abs() < 1e-12, "{slot} {outcome:?}");
                sum += chance;
            }
            prop_assert!((sum - 1.0).abs() < 1e-12);
        }
        for promotion in 0..13 {
            let with = found.iter().filter(|(slate, _)| slate.contains(&Some(promotion)));
            let expect: f64 = with.map(|(_, chance)| chance).sum();
            prop_assert!((openings.chance_of(&law, promotion) - expect).abs() < 1e-12, "{promotion}");
        }
    }

    #[test]
    fn every_rule_holds_of_what_is_drawn(parts in parts(24, 8), seed: u64, uncoupled: bool, rates in 0..3_u8) {
        let parts = if uncoupled { parts.uncoupled() } else { parts };
        let mut exploration = match rates {
            0 => exploration(0.4, 0.3, seed),
            1 => exploration(0.0, 0.5, seed),
            _ => exploration(1.0, 0.0, seed),
        };
        exploration.limit_share = 0.9;
        let shared = parts.shared();
        let mut problem = parts.problem(&shared);
        let limits = (problem.promotions.clone(), problem.budgets.clone(), problem.total_budget_minor);
        let explored = explore(&exploration, &mut problem, &Greedy);
        prop_assert_eq!((problem.promotions.clone(), problem.budgets.clone(), problem.total_budget_minor), limits);
        verify_all(&problem, &explored.plan).unwrap();
        let keys = keys(problem.customers.len());
        for (customer, key) in keys.iter().enumerate() {
            let openings = explored.openings(&problem, customer);
            let slate = slate_of(&problem, &explored.plan, customer);
            let again = openings.draw(&exploration, *key);
            prop_assert_eq!(again.drawn, explored.drawn(customer));
            if !explored.is_refused(customer) {
                prop_assert_eq!(&again.promotions[..SLOTS], &slate[..]);
                let propensities = explored.propensities(&problem, customer);
                prop_assert!(propensities.slate > 0.0);
                for chance in &propensities.slots[..SLOTS] {
                    // Rounding apart, a slate is at most as likely as each of its slots.
                    prop_assert!(*chance >= propensities.slate - 1e-12 && *chance <= 1.0 + 1e-12);
                }
            }
            for (slot, cell) in explored.plan.slate(customer).iter().enumerate() {
                let is_drawn = explored.drawn(customer) >> slot & 1 == 1;
                prop_assert_eq!(cell.is_some_and(|placed| placed.is_drawn()), is_drawn && cell.is_some());
                let planned = explored.planned(customer)[slot];
                if !is_drawn {
                    prop_assert_eq!(cell.map(|placed| placed.at()), planned.map(|placed| placed.at()));
                }
                prop_assert!(!is_drawn || planned.is_none_or(|placed| !placed.is_pinned()));
            }
        }
    }

    #[test]
    fn without_rates_the_plan_stays_as_it_is(parts in parts(12, 6), seed: u64) {
        let mut problem = parts.problem(&NoOverlap);
        let plan = Dual::default().solve(&problem).unwrap();
        let explored = explore(&exploration(0.0, 0.0, seed), &mut problem, &Dual::default());
        prop_assert_eq!(&explored.plan, &plan);
        for customer in 0..problem.customers.len() {
            let propensities = explored.propensities(&problem, customer);
            prop_assert_eq!((propensities.slate, propensities.slots[0]), (1.0, 1.0));
            prop_assert_eq!(explored.drawn(customer), 0);
        }
    }
}

/// Customers alike, three slots, and promotions of which the first half stands in the first slot only.
fn shop(customers: usize, promotions: u32) -> Problem<'static> {
    shop_with(customers, promotions, |promotion| 10 + i64::from(promotion))
}

fn shop_with(
    customers: usize,
    promotions: u32,
    cost_minor: impl Fn(u32) -> i64,
) -> Problem<'static> {
    let mut problem = Problem {
        slots: slots([None; SLOTS]),
        promotions: vec![Promotion::default(); promotions as usize],
        ..Problem::default()
    };
    for at in 0..customers {
        let candidate = |promotion: u32| Candidate {
            promotion,
            slots: if promotion < promotions / 2 { 0b001 } else { 0b111 },
            value_minor: 100 + (at as i64 * 37 + i64::from(promotion) * 53) % 211,
            expected_cost_minor: cost_minor(promotion),
            margin_loss_minor: cost_minor(promotion) / 2,
            excluded: None,
        };
        let row: Vec<Candidate> = (0..promotions).map(candidate).collect();
        let order = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let customer = Customer { order, max_offers: SLOTS as u8, ..Customer::default() };
        problem.customers.push(customer, &row, &[]).unwrap();
    }
    problem
}

/// The normal quantile of a chi-squared statistic (Wilson & Hilferty 1931, doi:10.1073/pnas.17.12.684).
fn chi_squared_normal(statistic: f64, freedom: f64) -> f64 {
    let spread = 2.0 / (9.0 * freedom);
    ((statistic / freedom).cbrt() - (1.0 - spread)) / spread.sqrt()
}

#[test]
fn slates_come_as_often_as_is_logged() {
    const SEEDS: usize = 60_000;
    let check = |openings: &Openings, law: Law| {
        let expected = all_slates(openings, &law);
        let mut counts: BTreeMap<Slate, usize> = BTreeMap::new();
        for seed in 0..SEEDS as u64 {
            let exploration = Exploration { law, limit_share: 0.0, seed };
            let slate = openings.draw(&exploration, 17).promotions;
            *counts.entry(slate[..openings.planned.len()].to_vec()).or_insert(0) += 1;
        }
        assert!(counts.keys().all(|slate| expected.contains_key(slate)));
        // Slates that are rare are counted together.
        let (mut statistic, mut freedom) = (0.0, -1.0);
        let (mut rare, mut rare_count) = (0.0, 0.0);
        for (slate, chance) in &expected {
            let propensity = openings.propensities(&law, slate).slate;
            assert!((propensity - chance).abs() < 1e-12);
            let (mean, count) = (chance * SEEDS as f64, *counts.get(slate).unwrap_or(&0) as f64);
            if mean < 8.0 {
                (rare, rare_count) = (rare + mean, rare_count + count);
            } else {
                statistic += (count - mean).powi(2) / mean;
                freedom += 1.0;
            }
        }
        if rare > 0.0 {
            statistic += (rare_count - rare).powi(2) / rare;
            freedom += 1.0;
        }
        assert!(freedom > 3.0, "{freedom}");
        // The quantile of p = 0.001.
        assert!(chi_squared_normal(statistic, freedom) < 3.09, "{statistic} {freedom}");
    };
    let offer = |promotion: u32, slots: u8, group: Option<u32>| Opening { promotion, group, slots };
    let openings = Openings {
        offers: vec![
            offer(0, 0b001, None),
            offer(1, 0b011, None),
            offer(2, 0b111, Some(0)),
            offer(4, 0b110, Some(0)),
            offer(7, 0b110, None),
        ],
        planned: vec![Some((0, None)), Some((7, None)), Some((9, Some(0)))],
        pinned: 0,
        is_filled_only: false,
        offers_most: 3,
    };
    check(&openings, Law { epsilon: 0.02, measurement_share: 0.01 });
    check(&openings, Law { epsilon: 0.3, measurement_share: 0.2 });
    check(
        &Openings { offers_most: 2, pinned: 0b010, ..openings },
        Law { epsilon: 0.5, measurement_share: 0.0 },
    );
}

#[test]
fn the_share_that_is_drawn_is_the_share_asked_for() {
    const CUSTOMERS: usize = 80_000;
    let mut problem = shop(CUSTOMERS, 6);
    let exploration = exploration(0.02, 0.01, 5);
    let explored = explore(&exploration, &mut problem, &Greedy);
    let measured = (0..CUSTOMERS).filter(|at| explored.is_measured(*at)).count();
    let drawn: u32 = (0..CUSTOMERS).map(|at| explored.drawn(at).count_ones()).sum();
    let share = |count: f64, of: usize| count / of as f64;
    assert!((share(measured as f64, CUSTOMERS) - 0.01).abs() < 0.001);
    let drawn = share(f64::from(drawn), CUSTOMERS * SLOTS);
    assert!((drawn - exploration.law.share()).abs() < 0.001, "{drawn}");
    let planned = (0..CUSTOMERS).flat_map(|at| explored.planned(at)).flatten();
    let before: f64 = planned.map(|placed| f64::from(placed.value_minor)).sum();
    let cost = 1.0 - explored.plan.total_value_minor / before;
    assert!(
        (cost / explored.expected_cost() - 1.0).abs() < 0.1,
        "{cost} {}",
        explored.expected_cost()
    );
}

#[test]
fn the_same_draws_on_any_number_of_threads_and_others_for_another_seed() {
    let draw = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut problem = shop(9_000, 6);
            problem.promotions[5].cap = Some(2_000);
            explore(&exploration(0.1, 0.05, seed), &mut problem, &Greedy)
        })
    };
    let one = draw(1, 7);
    assert_eq!(one, draw(3, 7));
    assert_ne!(one.plan, draw(3, 8).plan);
}

#[test]
fn limits_keep_room_for_draws_and_what_has_none_is_drawn_for_nobody() {
    let mut problem = shop(6_000, 8);
    problem.promotions[2].cap = Some(4_000);
    problem.promotions[3].cap = Some(40);
    problem.promotions[6].budget_minor = Some(60_000);
    problem.promotions[7].budget_minor = Some(500);
    let budget = |budget_minor: i64, measure: Measure, promotions: [u32; 2]| {
        let promotions = promotions.to_vec();
        Budget { budget_minor, measure, promotions }
    };
    problem.budgets.push(budget(80_000, Measure::Cost, [4, 5]));
    problem.budgets.push(budget(40_000, Measure::Margin, [4, 5]));
    problem.total_budget_minor = Some(300_000);
    let exploration = Exploration { limit_share: 0.2, ..exploration(0.02, 0.01, 3) };
    let explored = explore(&exploration, &mut problem, &Greedy);
    verify_all(&problem, &explored.plan).unwrap();
    assert_eq!(explored.refused, 0);
    let out: Vec<Option<Limit>> = explored.left_out.clone();
    assert_eq!(out[3], Some(Limit::Cap(3)));
    assert_eq!(out[7], Some(Limit::PromotionBudget(7)));
    for at in [0, 1, 2, 4, 5, 6] {
        assert_eq!(out[at], None, "{at}");
    }
    let mut drawn = [0_usize; 8];
    for (customer, _, placed) in explored.plan.offers().filter(|(_, _, placed)| placed.is_drawn()) {
        drawn[problem.candidate(customer, placed.at()).promotion as usize] += 1;
    }
    assert_eq!((drawn[3], drawn[7]), (0, 0));
    assert!(drawn.iter().filter(|count| **count > 10).count() == 6, "{drawn:?}");
}

#[test]
fn a_budget_that_is_too_small_for_dear_draws_has_room_for_cheap_ones() {
    let check = |limit: &dyn Fn(&mut Problem<'_>), expect: Limit| {
        let cost_minor = |promotion: u32| if promotion == 23 { 2_000 } else { 10 };
        let mut problem = shop_with(1_500, 24, cost_minor);
        limit(&mut problem);
        let exploration = Exploration { limit_share: 0.2, ..exploration(0.1, 0.0, 3) };
        let explored = explore(&exploration, &mut problem, &Dual::default());
        verify_all(&problem, &explored.plan).unwrap();
        let out: Vec<usize> = (0..24).filter(|at| explored.left_out[*at].is_some()).collect();
        assert_eq!((out, explored.left_out[23]), (vec![23], Some(expect)));
        // A third of the slots is filled; to draw others, too, the budget is too small.
        assert!(explored.is_filled_only);
        let drawn = (0..1_500).filter(|at| explored.drawn(*at) != 0).count();
        assert!(drawn > 100, "{drawn}");
        assert_eq!(explored.refused, 0);
    };
    check(&|problem| problem.total_budget_minor = Some(15_000), Limit::TotalBudget);
    // Of margin each loses half as much.
    let of_margin = |problem: &mut Problem<'_>| {
        let promotions = (0..24).collect();
        let measure = Measure::Margin;
        problem.budgets.push(Budget { budget_minor: 7_500, measure, promotions });
    };
    check(&of_margin, Limit::Budget(0));
}

#[test]
fn a_draw_is_the_reason_why_what_was_planned_is_not_offered() {
    let mut problem = shop(400, 6);
    let exploration = exploration(0.3, 0.0, 11);
    let reserve = exploration.reserve(&problem).unwrap();
    let explored = explore(&exploration, &mut problem, &Greedy);
    let reasons = Reasons::with_draws(&problem, &explored, &reserve);
    let mut seen = 0;
    for customer in 0..400 {
        let planned = explored.planned(customer);
        let of = reasons.of_candidates(customer);
        for (slot, cell) in explored.plan.slate(customer).iter().enumerate() {
            let (Some(placed), Some(before)) = (cell, planned[slot]) else { continue };
            let is_gone =
                explored.plan.slate(customer).iter().flatten().all(|p| p.at() != before.at());
            if placed.is_drawn() && is_gone {
                assert!(
                    matches!(of[before.at()], Some(WhyNot::Drawn { .. })),
                    "{:?}",
                    of[before.at()]
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
}
