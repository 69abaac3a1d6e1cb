//! Does every plan keep every rule, and is greedy as good as it can be?
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod instances;

use instances::{Parts, SLOTS, parts, slots};
use proptest::prelude::*;
use tercet_allocation::solve::{Dual, Greedy, Solver};
use tercet_allocation::{
    Budget, Candidate, Customer, Floor, Limit, Measure, NoOverlap, Origin, Overlap, Placed, Plan,
    Problem, Promotion, Reasons, RuleId, ShadowPrice, SharedProducts, WhyNot, verify_all,
};

/// The largest value of a customer's slate, over all ways to fill the slots.
fn brute_force(problem: &Problem<'_>, customer: usize) -> i64 {
    fn fill(problem: &Problem<'_>, customer: usize, slot: usize, taken: &mut Vec<usize>) -> i64 {
        if slot == SLOTS {
            return 0;
        }
        let mut best = fill(problem, customer, slot + 1, taken);
        for (at, candidate) in problem.customers.row(customer).iter().enumerate() {
            if candidate.slots >> slot & 1 == 1 && candidate.value_minor > 0 && !taken.contains(&at)
            {
                taken.push(at);
                let rest = fill(problem, customer, slot + 1, taken);
                best = best.max(candidate.value_minor + rest);
                taken.pop();
            }
        }
        best
    }
    fill(problem, customer, 0, &mut Vec::new())
}

/// The largest value of a customer's slate, over all orders in which candidates may be chosen.
fn best_sequence(problem: &Problem<'_>, customer: usize, chosen: &mut Vec<usize>) -> f64 {
    let row = problem.customers.row(customer);
    let promotions: Vec<u32> = chosen.iter().map(|&at| row.get(at).promotion).collect();
    let mut best_minor = 0.0_f64;
    for (at, candidate) in row.iter().enumerate() {
        let adds_minor = problem.marginal_minor(customer, &promotions, &candidate);
        let is_worth_it = adds_minor >= problem.min_value_minor.map_or(0.0, |minor| minor as f64);
        if chosen.len() == SLOTS || chosen.contains(&at) || !is_worth_it {
            continue;
        }
        chosen.push(at);
        let masks: Vec<u8> = chosen.iter().map(|&at| row.get(at).slots).collect();
        if can_be_seated(&masks, 0) {
            best_minor = best_minor.max(adds_minor + best_sequence(problem, customer, chosen));
        }
        chosen.pop();
    }
    best_minor
}

/// True when each mask finds a slot of its own.
fn can_be_seated(masks: &[u8], taken: u8) -> bool {
    let Some((mask, rest)) = masks.split_first() else { return true };
    let free = |slot: &u8| mask & !taken & 1 << slot != 0;
    (0..SLOTS as u8).filter(free).any(|slot| can_be_seated(rest, taken | 1 << slot))
}

fn value_minor(plan: &Plan, customer: usize) -> f64 {
    plan.chosen(customer).iter().map(|(_, placed)| f64::from(placed.value_minor)).sum()
}

fn solve(problem: &Problem<'_>) -> Plan {
    let plan = Greedy.solve(problem).unwrap();
    verify_all(problem, &plan).unwrap();
    plan
}

/// Holds what is said of a candidate against the problem and the plan.
fn is_true(
    problem: &Problem<'_>,
    plan: &Plan,
    customer: usize,
    at: usize,
    reason: Option<WhyNot>,
) -> Result<(), &'static str> {
    let demand = |holds: bool, words: &'static str| if holds { Ok(()) } else { Err(words) };
    let (known, candidate) = (&problem.customers[customer], problem.candidate(customer, at));
    let of = |placed: &Placed| problem.candidate(customer, placed.at());
    let chosen = plan.chosen(customer);
    let offered = chosen.iter().any(|(_, placed)| placed.at() == at);
    let Some(reason) = reason else { return demand(offered, "nothing is said") };
    demand(!offered, "it was offered")?;
    let promotion = &problem.promotions[candidate.promotion as usize];
    let beside: Vec<u32> = chosen.iter().map(|(_, placed)| of(placed).promotion).collect();
    let adds_minor = problem.marginal_minor(customer, &beside, &candidate);
    let alone_minor = problem.marginal_minor(customer, &[], &candidate);
    let rival = reason.slot().map(|slot| plan.slate(customer)[slot].unwrap());
    if let Some(rival) = rival {
        let is_free = known.blocked.is_none() && candidate.excluded.is_none();
        demand(is_free, "a rule had spoken before the offers")?;
        let open = problem.open_slots(customer, &candidate);
        let of = of(&rival);
        return match reason {
            WhyNot::SameGroup { .. } => {
                let group = problem.promotions[of.promotion as usize].exclusivity_group;
                demand(group.is_some() && group == promotion.exclusivity_group, "another group")
            }
            WhyNot::Pinned { slot } => demand(rival.is_pinned() && open >> slot & 1 == 1, "no pin"),
            WhyNot::Drawn { slot } => demand(rival.is_drawn() && open >> slot & 1 == 1, "no draw"),
            WhyNot::Better { slot } => {
                demand(open >> slot & 1 == 1, "another slot")?;
                demand(rival.origin == Origin::Value, "a pin or a draw")?;
                demand(f64::from(rival.value_minor) >= alone_minor, "worth less")
            }
            WhyNot::SameProducts { .. } => {
                let one = [of.promotion];
                demand(
                    problem.overlap.covered_share(customer, &one, &candidate) > 0.0,
                    "no overlap",
                )?;
                demand(adds_minor < alone_minor, "it adds as much")
            }
            WhyNot::Rule(_) => Err("a rule has no slot"),
        };
    }
    let WhyNot::Rule(rule) = reason else { return Err("an offer without a slot") };
    let at_promotion = candidate.promotion as usize;
    let cost_minor = candidate.expected_cost_minor;
    let holds = match rule {
        RuleId::Store => promotion.stores.is_some(),
        RuleId::Channel => promotion.channels.is_some() || known.refused_channels != 0,
        RuleId::SlotKind => candidate.slots & 0b111 == 0,
        RuleId::Contacts => chosen.len() == usize::from(known.max_offers),
        RuleId::OffersMax => Some(chosen.len()) == problem.offers_max.map(usize::from),
        RuleId::Cap => plan.remaining_caps[at_promotion] == Some(0),
        RuleId::PromotionBudget => plan.remaining_promotion_budgets_minor[at_promotion]
            .is_some_and(|left| left < cost_minor),
        RuleId::TotalBudget => {
            plan.remaining_total_budget_minor.is_some_and(|left| left < cost_minor)
        }
        RuleId::NamedBudget => {
            problem.budgets.iter().zip(&plan.remaining_budgets_minor).any(|(budget, left)| {
                let minor = match budget.measure {
                    Measure::Cost => cost_minor,
                    Measure::Margin => candidate.margin_loss_minor,
                };
                budget.promotions.contains(&candidate.promotion) && *left < minor
            })
        }
        RuleId::MinValue => {
            let worth_minor = adds_minor + f64::from(known.contact_price_minor);
            worth_minor < problem.min_value_minor.unwrap_or(0) as f64 + 1e-6
        }
        RuleId::Fatigue => {
            let least_minor = problem.min_value_minor.unwrap_or(0) as f64;
            known.contact_price_minor > 0.0 && adds_minor < least_minor
        }
        flag => known.blocked == Some(flag) || candidate.excluded == Some(flag),
    };
    demand(holds, "the rule does not refuse it")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_rule_is_ever_broken_and_every_empty_slot_has_its_reason(parts in parts(60, 20)) {
        let shared = parts.shared();
        for overlap in [&NoOverlap as &dyn Overlap, &shared] {
            let problem = parts.problem(overlap);
            let plan = solve(&problem);
            let reasons = Reasons::new(&problem, &plan);
            for (at, customer) in problem.customers.iter().enumerate() {
                let of_slots = reasons.of_slots(at);
                for (cell, reason) in plan.slate(at).iter().zip(of_slots) {
                    prop_assert_eq!(cell.is_none(), reason.is_some());
                    if let Some(rule) = customer.blocked {
                        prop_assert_eq!(reason, Some(rule));
                    }
                }
            }
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
            prop_assert_eq!(&pool.install(|| solve(&problem)), &plan);
        }
    }

    #[test]
    fn scoped_promotions_reach_only_whom_they_may(parts in parts(40, 12)) {
        let problem = parts.problem(&NoOverlap);
        let plan = Dual::default().solve(&problem).unwrap();
        for (at, slot, placed) in plan.offers() {
            let customer = &problem.customers[at];
            let promotion = &problem.promotions[problem.candidate(at, placed.at()).promotion as usize];
            if let Some(stores) = &promotion.stores {
                prop_assert!(customer.store.is_some_and(|store| stores.contains(&store)));
            }
            let shown = problem.slots[slot].channel;
            prop_assert!(shown.is_none_or(|shown| customer.refused_channels >> shown & 1 == 0));
            if let Some(channels) = promotion.channels {
                let met_in = shown.map_or(customer.channels, |shown| 1 << shown);
                prop_assert!(channels & met_in != 0);
            }
        }
    }

    #[test]
    fn what_is_said_of_candidates_that_were_not_offered_is_true(parts in parts(30, 15)) {
        let shared = parts.shared();
        for overlap in [&NoOverlap as &dyn Overlap, &shared] {
            let problem = parts.problem(overlap);
            let plan = solve(&problem);
            let reasons = Reasons::new(&problem, &plan);
            for customer in 0..problem.customers.len() {
                for (at, reason) in reasons.of_candidates(customer).into_iter().enumerate() {
                    if let Err(wrong) = is_true(&problem, &plan, customer, at, reason) {
                        prop_assert!(false, "customer {customer}, candidate {at}, {reason:?}: {wrong}");
                    }
                }
            }
        }
    }

    #[test]
    fn pins_are_placed_or_excused(parts in parts(20, 8)) {
        let problem = parts.problem(&NoOverlap);
        for plan in [solve(&problem), Dual::default().solve(&problem).unwrap()] {
            for at in 0..problem.customers.len() {
                let chosen = plan.chosen(at);
                for pin in problem.customers.pinned(at) {
                    let placed = chosen.iter().any(|(_, p)| p.at() == pin && p.is_pinned());
                    let excused = plan.unplaced_pins.iter().any(|u| u.customer == at && u.candidate == pin);
                    prop_assert!(placed || excused);
                }
            }
        }
    }

    #[test]
    fn prices_break_no_rule_beat_greedy_and_stay_within_the_bound(parts in parts(40, 12)) {
        let shared = parts.shared();
        for overlap in [&NoOverlap as &dyn Overlap, &shared] {
            let problem = parts.problem(overlap);
            let solved = Dual::default().solve_with_certificate(&problem).unwrap();
            verify_all(&problem, &solved.plan).unwrap();
            let greedy = solve(&problem);
            let certificate = &solved.certificate;
            let value_minor = solved.plan.total_value_minor - missed_minor(&problem, &solved.plan);
            prop_assert_eq!(certificate.greedy_minor, greedy.total_value_minor - missed_minor(&problem, &greedy));
            prop_assert_eq!(certificate.value_minor, value_minor);
            prop_assert!(value_minor >= certificate.greedy_minor);
            let bound_minor = certificate.bound_minor;
            prop_assert!(value_minor <= bound_minor + 1e-9 * bound_minor.abs() + 1e-6);
            prop_assert_eq!(&solved.plan.unplaced_pins, &greedy.unplaced_pins);
            let reasons = Reasons::new(&problem, &solved.plan);
            for customer in 0..problem.customers.len() {
                let of_candidates = reasons.of_candidates(customer).into_iter().enumerate();
                for (at, reason) in of_candidates.filter(|(_, reason)| reason.is_some()) {
                    let said = is_true(&problem, &solved.plan, customer, at, reason);
                    prop_assert!(said.is_ok(), "candidate {at}, {reason:?}: {said:?}");
                }
            }
            let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
            prop_assert_eq!(&pool.install(|| Dual::default().solve(&problem).unwrap()), &solved.plan);
        }
    }

    #[test]
    fn whatever_prices_it_starts_from_a_plan_is_valid(
        parts in parts(30, 10),
        prices in proptest::collection::vec((0..5_u8, 0..10_u32, 0.0..2_000.0_f64), 0..8),
    ) {
        let limit = |kind: u8, at: u32| match kind {
            0 => Limit::TotalBudget,
            1 => Limit::Budget(at),
            2 => Limit::PromotionBudget(at),
            3 => Limit::Cap(at),
            _ => Limit::Floor(at),
        };
        let start: Vec<ShadowPrice> = prices
            .into_iter()
            .map(|(kind, at, price_minor)| ShadowPrice { limit: limit(kind, at), price_minor, weight_minor: 0.0 })
            .collect();
        let problem = parts.problem(&NoOverlap);
        let solved = Dual::starting_at(&start).solve_with_certificate(&problem).unwrap();
        verify_all(&problem, &solved.plan).unwrap();
        let certificate = solved.certificate;
        prop_assert!(certificate.value_minor >= certificate.greedy_minor);
        let bound_minor = certificate.bound_minor;
        prop_assert!(certificate.value_minor <= bound_minor + 1e-9 * bound_minor.abs() + 1e-6);
    }

    #[test]
    fn no_slate_is_worth_more_than_its_bound(parts in parts(4, 5)) {
        let parts = parts.uncoupled();
        let shared = parts.shared();
        for overlap in [&NoOverlap as &dyn Overlap, &shared] {
            let problem = parts.problem(overlap);
            let solved = Dual::default().solve_with_certificate(&problem).unwrap();
            prop_assert_eq!(solved.plan.total_value_minor, solve(&problem).total_value_minor);
            let best = (0..problem.customers.len()).map(|at| best_sequence(&problem, at, &mut Vec::new()));
            let best_minor: f64 = best.sum();
            // Few candidates: the search ends by itself, so that the bound is the optimum.
            prop_assert!((solved.certificate.bound_minor - best_minor).abs() <= 1e-6 * best_minor.max(1.0));
        }
    }

    #[test]
    fn without_coupling_and_overlap_both_solvers_find_the_optimum(parts in parts(6, 6)) {
        let parts = parts.uncoupled();
        let problem = parts.problem(&NoOverlap);
        for plan in [solve(&problem), Dual::default().solve(&problem).unwrap()] {
            for customer in 0..problem.customers.len() {
                prop_assert_eq!(value_minor(&plan, customer), brute_force(&problem, customer) as f64);
            }
        }
    }

    #[test]
    fn marginal_values_of_shared_products_add_up_to_the_union(parts in parts(12, 10)) {
        let mut parts = parts.uncoupled();
        let shared = parts.shared();
        for (at, (_, candidates, _)) in parts.people.iter_mut().enumerate() {
            for candidate in candidates {
                candidate.value_minor = shared.union_minor(at, &[candidate.promotion]) as i64;
            }
        }
        let problem = parts.problem(&shared);
        let plan = solve(&problem);
        for customer in 0..problem.customers.len() {
            let chosen = plan.chosen(customer);
            let promotions: Vec<u32> =
                chosen.iter().map(|(_, p)| problem.candidate(customer, p.at()).promotion).collect();
            let union = shared.union_minor(customer, &promotions);
            prop_assert!((value_minor(&plan, customer) - union).abs() < 1e-6 * union.max(1.0));
        }
    }

    #[test]
    fn ample_limits_change_nothing(parts in parts(20, 10)) {
        let parts = parts.uncoupled();
        let shared = parts.shared();
        let free = solve(&parts.problem(&shared));
        let mut capped = parts.problem(&shared);
        capped.promotions.iter_mut().for_each(|promotion| promotion.cap = Some(1_000));
        let all: Vec<u32> = (0..capped.promotions.len() as u32).collect();
        let budget = |measure| Budget { budget_minor: 1_000_000, measure, promotions: all.clone() };
        capped.budgets = [Measure::Cost, Measure::Margin].map(budget).to_vec();
        prop_assert_eq!(solve(&capped).cells, free.cells);
    }
}

/// What floors miss counts as lost.
fn missed_minor(problem: &Problem<'_>, plan: &Plan) -> f64 {
    let missed = problem.floors.iter().zip(&plan.shortfalls);
    missed.map(|(floor, by)| (floor.miss_minor * *by as i64) as f64).sum()
}

fn one(promotion: u32, slots: u8, value_minor: i64) -> Candidate {
    Candidate {
        promotion,
        slots,
        value_minor,
        expected_cost_minor: 10,
        margin_loss_minor: 4,
        excluded: None,
    }
}

/// One customer per list of candidates, three promotions, no limits.
fn simple(lists: &[&[Candidate]]) -> Parts {
    let customer =
        |at: usize| Customer { max_offers: 3, order: 100 - at as u64, ..Customer::default() };
    let people = lists.iter().enumerate();
    Parts {
        slots: slots([None; SLOTS]),
        offers_max: None,
        promotions: vec![Promotion::default(); 3],
        budgets: vec![],
        floors: vec![],
        people: people.map(|(at, list)| (customer(at), list.to_vec(), vec![])).collect(),
        total_budget_minor: None,
        min_value_minor: None,
        products: vec![],
        expected: vec![],
    }
}

/// The promotion or the reason of each slot of the first customer.
fn words(problem: &Problem<'_>) -> Vec<String> {
    let plan = solve(problem);
    let reasons = Reasons::new(problem, &plan).of_slots(0);
    let word = |(cell, reason): (&Option<Placed>, Option<RuleId>)| match cell {
        Some(placed) => problem.candidate(0, placed.at()).promotion.to_string(),
        None => reason.unwrap().name().to_owned(),
    };
    plan.slate(0).iter().zip(reasons).map(word).collect()
}

#[test]
fn slots_and_reasons() {
    let check = |spoil: &dyn Fn(&mut Parts), expect: [&str; 3]| {
        let list = [one(0, 0b111, 90), one(1, 0b111, 50), one(2, 0b001, 20)];
        let mut parts = simple(&[&list]);
        spoil(&mut parts);
        assert_eq!(words(&parts.problem(&NoOverlap)), expect);
    };
    // The third offer fits the first slot alone: the others move over for it.
    check(&|_| (), ["2", "0", "1"]);
    check(&|p| p.people[0].1[2].slots = 0, ["0", "1", "distinctness"]);
    check(
        &|p| p.people[0].1.iter_mut().for_each(|c| c.slots = 0b001),
        ["0", "slot_kind", "slot_kind"],
    );
    check(&|p| p.people[0].1.clear(), ["slot_kind"; 3]);
    check(&|p| p.people[0].0.blocked = Some(RuleId::Control), ["control"; 3]);
    check(&|p| p.people[0].0.max_offers = 1, ["0", "contacts", "contacts"]);
    check(&|p| p.offers_max = Some(1), ["0", "offers_max", "offers_max"]);
    check(&|p| p.offers_max = Some(3), ["2", "0", "1"]);
    // Contacts of earlier weeks leave nothing, whatever a run may make.
    let both = |p: &mut Parts| {
        (p.offers_max, p.people[0].0.max_offers) = (Some(2), 0);
    };
    check(&both, ["contacts"; 3]);
    check(&|p| p.promotions[0].stores = Some(vec![4]), ["2", "1", "store"]);
    let at_home = |p: &mut Parts| {
        p.promotions[0].stores = Some(vec![2, 4]);
        p.people[0].0.store = Some(4);
    };
    check(&at_home, ["2", "0", "1"]);
    check(&|p| p.promotions[0].channels = Some(0b10), ["2", "1", "channel"]);
    let online = |p: &mut Parts| {
        p.promotions[0].channels = Some(0b10);
        p.people[0].0.channels = 0b11;
    };
    check(&online, ["2", "0", "1"]);
    // Who sees the slot is in its channel.
    let shown = |p: &mut Parts| {
        p.promotions[0].channels = Some(0b10);
        p.slots[2].channel = Some(1);
    };
    check(&shown, ["2", "1", "0"]);
    let refused = |p: &mut Parts| {
        p.slots[2].channel = Some(1);
        p.people[0].0.refused_channels = 0b10;
    };
    check(&refused, ["0", "1", "channel"]);
    check(&|p| p.min_value_minor = Some(60), ["0", "min_value", "min_value"]);
    // What is expected to lose is not sent; what adds nothing is.
    check(&|p| p.people[0].1[1].value_minor = -1, ["2", "0", "min_value"]);
    check(&|p| p.people[0].1[1].value_minor = 0, ["2", "0", "1"]);
    check(&|p| p.people[0].0.contact_price_minor = 60.0, ["0", "fatigue", "fatigue"]);
    check(&|p| p.people[0].0.contact_price_minor = 90.5, ["fatigue"; 3]);
    check(&|p| p.total_budget_minor = Some(15), ["0", "total_budget", "total_budget"]);
    check(&|p| p.promotions[1].budget_minor = Some(9), ["2", "0", "promotion_budget"]);
    let budget = |p: &mut Parts| {
        p.budgets = vec![
            Budget { budget_minor: 100, promotions: vec![0, 1, 2], ..Budget::default() },
            Budget { budget_minor: 9, promotions: vec![1], ..Budget::default() },
        ];
    };
    check(&budget, ["2", "0", "budget"]);
    // In margin each of them takes 4: two fit into 9, and 3 are not enough for one.
    let of_margin = |budget_minor: i64, promotions: Vec<u32>| Budget {
        budget_minor,
        measure: Measure::Margin,
        promotions,
    };
    check(&|p| p.budgets = vec![of_margin(9, vec![0, 1, 2])], ["0", "1", "distinctness"]);
    check(&|p| p.budgets = vec![of_margin(12, vec![0, 1, 2])], ["2", "0", "1"]);
    check(&|p| p.budgets = vec![of_margin(3, vec![1])], ["2", "0", "budget"]);
    check(&|p| p.promotions[0].cap = Some(0), ["2", "1", "cap"]);
    check(&|p| p.people[0].1[0].excluded = Some(RuleId::Window), ["2", "1", "window"]);
    check(&|p| p.people[0].2 = vec![2], ["2", "0", "1"]);
    let grouped = |p: &mut Parts| {
        p.promotions.iter_mut().for_each(|p| p.exclusivity_group = Some(7));
        p.people[0].1[2].value_minor = 95;
    };
    check(&grouped, ["2", "exclusivity", "exclusivity"]);
}

#[test]
fn a_scarce_offer_goes_where_it_is_worth_most_and_among_equals_by_hash() {
    let check = |values: [i64; 2], expect: usize| {
        let mut parts = simple(&[&[one(0, 1, values[0])], &[one(0, 1, values[1])]]);
        parts.promotions[0].cap = Some(1);
        let problem = parts.problem(&NoOverlap);
        for plan in [solve(&problem), Dual::default().solve(&problem).unwrap()] {
            let winner = plan.offers().map(|(customer, ..)| customer).next();
            assert_eq!(winner, Some(expect));
        }
    };
    check([10, 20], 1);
    check([20, 10], 0);
    check([20, 20], 1);
}

#[test]
fn floors_are_met_where_that_is_worth_it_and_missed_with_a_number_where_not() {
    let check = |spoil: &dyn Fn(&mut Parts), promotions: [&[u32]; 2], shortfall: u64| {
        // Promotion 1 is worth less to both, and to the second customer least less.
        let lists: [&[Candidate]; 2] =
            [&[one(0, 1, 90), one(1, 1, 20)], &[one(0, 1, 90), one(1, 1, 60)]];
        let mut parts = simple(&lists);
        parts.people[1].0.groups = 0b10;
        let floor =
            Floor { promotions: Some(vec![1]), group: None, offers_min: 1, miss_minor: 100 };
        parts.floors = vec![floor];
        spoil(&mut parts);
        let problem = parts.problem(&NoOverlap);
        let solved = Dual::default().solve_with_certificate(&problem).unwrap();
        verify_all(&problem, &solved.plan).unwrap();
        for (customer, promotions) in promotions.into_iter().enumerate() {
            let chosen = solved.plan.chosen(customer);
            let chosen = chosen.iter().map(|(_, p)| problem.candidate(customer, p.at()).promotion);
            assert_eq!(chosen.collect::<Vec<_>>(), promotions, "customer {customer}");
        }
        assert_eq!(solved.plan.shortfalls, [shortfall]);
        let price = solved.certificate.prices.iter().any(|price| price.limit == Limit::Floor(0));
        assert!(price || solved.certificate.gap() < 1e-9);
    };
    check(&|_| (), [&[0], &[1]], 0);
    check(&|p| p.floors[0].offers_min = 2, [&[1], &[1]], 0);
    // Not worth it: the second customer would lose 30, the first 70.
    check(&|p| (p.floors[0].offers_min, p.floors[0].miss_minor) = (2, 50), [&[0], &[1]], 1);
    check(&|p| p.floors[0].miss_minor = 20, [&[0], &[0]], 1);
    // Infeasible: there are two customers.
    check(&|p| p.floors[0].offers_min = 7, [&[1], &[1]], 5);
    check(&|p| p.floors[0].group = Some(1), [&[0], &[1]], 0);
    check(&|p| p.floors[0].group = Some(0), [&[0], &[0]], 1);
    // A limit is a limit.
    check(&|p| p.promotions[1].cap = Some(0), [&[0], &[0]], 1);
    // All promotions count for a floor that names none.
    check(&|p| p.floors[0].promotions = None, [&[0], &[0]], 0);
}

#[test]
fn a_broken_plan_is_told_with_rule_customer_and_promotion() {
    let check = |spoil: &dyn Fn(&mut Parts, &mut Plan), words: &str| {
        let list = [one(0, 0b111, 90), one(1, 0b111, 50), one(2, 0b111, 20)];
        let mut parts = simple(&[&list, &list]);
        let mut plan = Greedy.solve(&parts.problem(&NoOverlap)).unwrap();
        spoil(&mut parts, &mut plan);
        let error = verify_all(&parts.problem(&NoOverlap), &plan).unwrap_err();
        assert_eq!(error.code(), "T0601");
        assert!(error.to_string().contains(words), "{error}");
    };
    check(
        &|p, _| p.people[1].0.blocked = Some(RuleId::Control),
        "rule control, customer 1, promotion 0",
    );
    check(
        &|p, _| p.people[1].1[1].excluded = Some(RuleId::Consent),
        "rule consent, customer 1, promotion 1",
    );
    check(&|p, _| p.people[0].1[0].slots = 0b110, "rule slot_kind, customer 0, promotion 0");
    check(&|p, _| p.promotions[1].stores = Some(vec![]), "rule store, customer 0, promotion 1");
    check(&|p, _| p.promotions[1].channels = Some(1), "rule channel, customer 0, promotion 1");
    let refused = |p: &mut Parts, _: &mut Plan| {
        (p.slots[1].channel, p.people[1].0.refused_channels) = (Some(3), 0b1000);
    };
    check(&refused, "rule channel, customer 1, promotion 1");
    check(&|p, _| p.offers_max = Some(2), "rule offers_max, customer 0, promotion 2");
    check(&|p, _| p.people[0].0.max_offers = 2, "rule contacts, customer 0, promotion 2");
    check(&|p, _| p.promotions[1].cap = Some(1), "rule cap, customer 1, promotion 1");
    check(
        &|p, _| p.promotions[2].budget_minor = Some(19),
        "rule promotion_budget, customer 1, promotion 2",
    );
    let budget = |p: &mut Parts, _: &mut Plan| {
        let promotions = vec![1, 2];
        p.budgets = vec![Budget { budget_minor: 39, promotions, ..Budget::default() }];
    };
    check(&budget, "rule budget, customer 1, promotion 2");
    let margin = |p: &mut Parts, _: &mut Plan| {
        let (measure, promotions) = (Measure::Margin, vec![1, 2]);
        p.budgets = vec![Budget { budget_minor: 15, measure, promotions }];
    };
    check(&margin, "rule budget, customer 1, promotion 2");
    check(&|p, _| p.total_budget_minor = Some(20), "rule total_budget, customer 0, promotion 2");
    check(&|p, _| p.min_value_minor = Some(50), "rule min_value, customer 0, promotion 2");
    check(
        &|p, _| p.people[1].0.contact_price_minor = 21.0,
        "rule fatigue, customer 1, promotion 2",
    );
    let floor = |p: &mut Parts, _: &mut Plan| {
        p.floors = vec![Floor { offers_min: 7, ..Floor::default() }];
    };
    check(&floor, "rule floor, floor 0");
    let twice = |_: &mut Parts, plan: &mut Plan| {
        let first = plan.cells[0].unwrap().candidate;
        plan.cells[1].as_mut().unwrap().candidate = first;
    };
    check(&twice, "rule distinctness, customer 0, promotion 0");
    let group = |p: &mut Parts, _: &mut Plan| {
        p.promotions.iter_mut().for_each(|promotion| promotion.exclusivity_group = Some(1));
    };
    check(&group, "rule exclusivity, customer 0, promotion 1");
    check(&|_, plan| plan.cells[0].as_mut().unwrap().candidate = 3, "not among the candidates");
    check(&|_, plan| plan.total_value_minor += 1.0, "total value");
    check(&|p, _| p.people[0].1[0].value_minor = 91, "marginal value");
    check(&|_, plan| plan.cells[0].as_mut().unwrap().origin = Origin::Pin, "claims to be pinned");
}

#[test]
fn malformed_problems_are_refused() {
    let check = |spoil: &dyn Fn(&mut Problem<'_>), code: &str| {
        let parts = simple(&[&[one(2, 1, 5)]]);
        let mut problem = parts.problem(&NoOverlap);
        spoil(&mut problem);
        assert_eq!(Greedy.solve(&problem).unwrap_err().code(), code);
        assert_eq!(Dual::default().solve(&problem).unwrap_err().code(), code);
    };
    check(&|p| p.slots.clear(), "T0602");
    check(&|p| p.slots = vec![p.slots[0].clone(); 9], "T0602");
    check(&|p| p.promotions.truncate(2), "T0603");
    check(&|p| p.slots[0].channel = Some(64), "T0603");
    check(&|p| p.promotions[0].stores = Some(vec![2, 1]), "T0603");
    let budget = |promotions: &[u32]| {
        let promotions = promotions.to_vec();
        move |p: &mut Problem<'_>| {
            p.budgets = vec![Budget { promotions: promotions.clone(), ..Budget::default() }];
        }
    };
    check(&budget(&[1, 1]), "T0603");
    check(&budget(&[3]), "T0603");
    let floor = |floor: Floor| move |p: &mut Problem<'_>| p.floors = vec![floor.clone()];
    check(&floor(Floor { promotions: Some(vec![2, 1]), ..Floor::default() }), "T0603");
    check(&floor(Floor { group: Some(16), ..Floor::default() }), "T0603");
    check(&floor(Floor { miss_minor: -1, ..Floor::default() }), "T0603");
    let push = |customer: Customer, candidates: &[Candidate], pinned: &[usize]| {
        let mut problem = simple(&[]).problem(&NoOverlap);
        let error = problem.customers.push(customer, candidates, pinned).unwrap_err();
        assert_eq!(error.code(), "T0603");
    };
    let known = Customer::default();
    push(known, &[Candidate { expected_cost_minor: -1, ..one(0, 1, 5) }], &[]);
    push(known, &[Candidate { margin_loss_minor: -1, ..one(0, 1, 5) }], &[]);
    push(known, &[Candidate { excluded: Some(RuleId::Cap), ..one(0, 1, 5) }], &[]);
    push(known, &[one(8_192, 1, 5)], &[]);
    push(known, &[one(1, 1, 5), one(1, 1, 5)], &[]);
    push(known, &[one(0, 1, 5)], &[1]);
    push(Customer { blocked: Some(RuleId::MinValue), ..known }, &[], &[]);
    push(Customer { contact_price_minor: -1.0, ..known }, &[], &[]);
    assert_eq!(SharedProducts::new(vec![vec![2, 1]], &[], None).unwrap_err().code(), "T0604");
    let zero = vec![vec![(1, 0.0)]];
    assert_eq!(SharedProducts::new(vec![], &zero, None).unwrap_err().code(), "T0604");
    let shares = Some(vec![1.5]);
    assert_eq!(SharedProducts::new(vec![vec![]], &[], shares).unwrap_err().code(), "T0604");
}
