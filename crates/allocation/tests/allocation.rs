//! Does every plan keep every rule, and is greedy as good as it can be?
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tercet_allocation::solve::{Dual, Greedy, Solver};
use tercet_allocation::{
    Candidate, Cell, Customer, NoOverlap, Overlap, Plan, Problem, Promotion, RuleId,
    SharedProducts, Slot, WhyNot, verify_all, why_not,
};

const SLOTS: usize = 3;
const PRODUCTS: u32 = 30;
const STORES: u32 = 3;

/// The parts of a problem, without the overlap it borrows.
#[derive(Clone, Debug)]
struct Parts {
    slot_channels: [Option<u8>; SLOTS],
    offers_max: Option<u8>,
    promotions: Vec<Promotion>,
    customers: Vec<Customer>,
    candidates: Vec<Candidate>,
    total_budget_minor: Option<i64>,
    min_value_minor: Option<i64>,
    products: Vec<Vec<u32>>,
    expected: Vec<Vec<(u32, f32)>>,
}

impl Parts {
    fn problem<'a>(&self, overlap: &'a dyn Overlap) -> Problem<'a> {
        let slot = |at: usize| Slot { name: format!("slot {at}"), channel: self.slot_channels[at] };
        Problem {
            slots: (0..SLOTS).map(slot).collect(),
            promotions: self.promotions.clone(),
            customers: self.customers.clone(),
            candidates: self.candidates.clone(),
            total_budget_minor: self.total_budget_minor,
            offers_max: self.offers_max,
            min_value_minor: self.min_value_minor,
            overlap,
        }
    }

    fn shared(&self) -> SharedProducts {
        let promotions = self.products.len();
        let shares = (0..promotions * promotions).map(|at| (at % 7) as f32 / 10.0).collect();
        SharedProducts::new(self.products.clone(), &self.expected, Some(shares)).unwrap()
    }

    /// No caps, budgets, groups, pins or flags: each slate stands alone.
    fn uncoupled(mut self) -> Self {
        self.promotions.iter_mut().for_each(|promotion| *promotion = Promotion::default());
        self.customers.iter_mut().for_each(|customer| {
            (customer.blocked, customer.max_offers) = (None, SLOTS as u8);
            customer.refused_channels = 0;
            customer.pinned.clear();
        });
        self.candidates.iter_mut().for_each(|candidate| candidate.excluded = None);
        (self.total_budget_minor, self.min_value_minor) = (None, Some(1));
        (self.offers_max, self.slot_channels) = (None, [None; SLOTS]);
        self
    }
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
    let money = (-50..1_000_i64, 0..400_i64);
    (money, 0..8_u8, flag()).prop_map(|((value_minor, expected_cost_minor), slots, excluded)| {
        let response_rate = 0.1;
        Candidate { promotion: 0, slots, value_minor, expected_cost_minor, response_rate, excluded }
    })
}

fn parts(most_customers: usize, most_promotions: usize) -> impl Strategy<Value = Parts> {
    (1..=most_promotions, 0..=most_customers).prop_flat_map(|(promotions, customers)| {
        let of_customer = (
            vec(option::weighted(0.8, candidate()), promotions),
            (0..=4_u8, flag(), any::<u64>()),
            (option::weighted(0.8, 0..STORES), 0..8_u64, option::weighted(0.3, 0..8_u64)),
            vec(any::<proptest::sample::Index>(), 0..3),
            proptest::collection::btree_map(0..PRODUCTS, 1..200_u16, 0..12),
        );
        (
            vec(promotion(), promotions),
            vec(sorted_products(12), promotions),
            vec(of_customer, customers),
            (option::of(0..20_000_i64), option::of(-10..100_i64), option::weighted(0.2, 0..4_u8)),
            proptest::array::uniform3(option::weighted(0.3, 0..3_u8)),
        )
            .prop_map(|(promotions, products, rows, limits, slot_channels)| {
                let (total_budget_minor, min_value_minor, offers_max) = limits;
                let (mut customers, mut candidates, mut expected) = (vec![], vec![], vec![]);
                for (offered, (max_offers, blocked, order), reach, pins, spends) in rows {
                    let (store, channels, refused) = reach;
                    let start = candidates.len();
                    let offered = (0..).zip(offered).filter_map(|(promotion, candidate)| {
                        candidate.map(|candidate| Candidate { promotion, ..candidate })
                    });
                    candidates.extend(offered);
                    let range = start..candidates.len();
                    let pin = |pin: &proptest::sample::Index| start + pin.index(range.len());
                    let pinned =
                        if range.is_empty() { vec![] } else { pins.iter().map(pin).collect() };
                    customers.push(Customer {
                        max_offers,
                        candidates: range,
                        pinned,
                        blocked,
                        order,
                        store,
                        channels,
                        refused_channels: refused.map_or(0, |refused| refused & !channels),
                    });
                    expected.push(spends.into_iter().map(|(p, e)| (p, f32::from(e))).collect());
                }
                Parts {
                    slot_channels,
                    offers_max,
                    promotions,
                    customers,
                    candidates,
                    total_budget_minor,
                    min_value_minor,
                    products,
                    expected,
                }
            })
    })
}

/// The largest value of a customer's slate, over all ways to fill the slots.
fn brute_force(problem: &Problem<'_>, customer: usize) -> i64 {
    fn fill(problem: &Problem<'_>, customer: usize, slot: usize, taken: &mut Vec<usize>) -> i64 {
        if slot == SLOTS {
            return 0;
        }
        let mut best = fill(problem, customer, slot + 1, taken);
        for at in problem.customers[customer].candidates.clone() {
            let candidate = &problem.candidates[at];
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
    let promotions: Vec<u32> = chosen.iter().map(|&at| problem.candidates[at].promotion).collect();
    let mut best_minor = 0.0_f64;
    for at in problem.customers[customer].candidates.clone() {
        let candidate = &problem.candidates[at];
        let adds_minor = problem.marginal_minor(customer, &promotions, candidate);
        let is_worth_it = adds_minor >= problem.min_value_minor.map_or(0.0, |minor| minor as f64);
        if chosen.len() == SLOTS || chosen.contains(&at) || !is_worth_it {
            continue;
        }
        chosen.push(at);
        let masks: Vec<u8> = chosen.iter().map(|&at| problem.candidates[at].slots).collect();
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
    plan.chosen(customer).iter().map(|(_, placed)| placed.value_minor).sum()
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
    let (known, candidate) = (&problem.customers[customer], &problem.candidates[at]);
    let chosen = plan.chosen(customer);
    let offered = chosen.iter().any(|(_, placed)| placed.candidate == at);
    let Some(reason) = reason else { return demand(offered, "nothing is said") };
    demand(!offered, "it was offered")?;
    let promotion = &problem.promotions[candidate.promotion as usize];
    let beside: Vec<u32> =
        chosen.iter().map(|(_, p)| problem.candidates[p.candidate].promotion).collect();
    let adds_minor = problem.marginal_minor(customer, &beside, candidate);
    let rival = reason.slot().map(|slot| *plan.slate(customer)[slot].placed().unwrap());
    if let Some(rival) = rival {
        let is_free = known.blocked.is_none() && candidate.excluded.is_none();
        demand(is_free, "a rule had spoken before the offers")?;
        let open = problem.open_slots(customer, candidate);
        let of = &problem.candidates[rival.candidate];
        return match reason {
            WhyNot::SameGroup { .. } => {
                let group = problem.promotions[of.promotion as usize].exclusivity_group;
                demand(group.is_some() && group == promotion.exclusivity_group, "another group")
            }
            WhyNot::Pinned { slot } => demand(rival.is_pinned && open >> slot & 1 == 1, "no pin"),
            WhyNot::Better { slot } => {
                demand(open >> slot & 1 == 1, "another slot")?;
                demand(!rival.is_pinned, "a pin")?;
                demand(rival.value_minor >= candidate.value_minor as f64, "worth less")
            }
            WhyNot::SameProducts { .. } => {
                let one = [of.promotion];
                demand(
                    problem.overlap.covered_share(customer, &one, candidate) > 0.0,
                    "no overlap",
                )?;
                demand(adds_minor < candidate.value_minor as f64, "it adds as much")
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
        RuleId::PromotionBudget => {
            plan.remaining_budgets_minor[at_promotion].is_some_and(|left| left < cost_minor)
        }
        RuleId::TotalBudget => {
            plan.remaining_total_budget_minor.is_some_and(|left| left < cost_minor)
        }
        RuleId::MinValue => adds_minor < problem.min_value_minor.unwrap() as f64,
        flag => known.blocked == Some(flag) || candidate.excluded == Some(flag),
    };
    demand(holds, "the rule does not refuse it")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_rule_is_ever_broken_and_every_empty_slot_has_its_reason(parts in parts(60, 20)) {
        let shared = parts.shared();
        for overlap in [&NoOverlap as &dyn Overlap, &shared] {
            let problem = parts.problem(overlap);
            let plan = solve(&problem);
            for (at, customer) in problem.customers.iter().enumerate() {
                if let Some(rule) = customer.blocked {
                    prop_assert!(plan.slate(at).iter().all(|cell| *cell == Cell::Empty(rule)));
                }
            }
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
            prop_assert_eq!(&pool.install(|| solve(&problem)), &plan);
        }
    }

    #[test]
    fn scoped_promotions_reach_only_whom_they_may(parts in parts(40, 12)) {
        let problem = parts.problem(&NoOverlap);
        let plan = solve(&problem);
        for (at, slot, placed) in plan.offers() {
            let customer = &problem.customers[at];
            let promotion = &problem.promotions[problem.candidates[placed.candidate].promotion as usize];
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
            let reasons = why_not(&problem, &plan);
            prop_assert_eq!(reasons.len(), problem.candidates.len());
            for (customer, known) in problem.customers.iter().enumerate() {
                for at in known.candidates.clone() {
                    if let Err(wrong) = is_true(&problem, &plan, customer, at, reasons[at]) {
                        prop_assert!(false, "customer {customer}, candidate {at}, {:?}: {wrong}", reasons[at]);
                    }
                }
            }
        }
    }

    #[test]
    fn pins_are_placed_or_excused(parts in parts(20, 8)) {
        let problem = parts.problem(&NoOverlap);
        let plan = solve(&problem);
        for (at, customer) in problem.customers.iter().enumerate() {
            let chosen = plan.chosen(at);
            for pin in &customer.pinned {
                let placed = chosen.iter().any(|(_, p)| p.candidate == *pin && p.is_pinned);
                let excused = plan.unplaced_pins.iter().any(|u| u.customer == at && u.candidate == *pin);
                prop_assert!(placed || excused);
            }
        }
    }

    #[test]
    fn prices_break_no_rule_beat_greedy_and_stay_within_the_bound(parts in parts(40, 12)) {
        let shared = parts.shared();
        for overlap in [&NoOverlap as &dyn Overlap, &shared] {
            let problem = parts.problem(overlap);
            let solved = Dual.solve_with_certificate(&problem).unwrap();
            verify_all(&problem, &solved.plan).unwrap();
            let greedy = solve(&problem);
            let certificate = &solved.certificate;
            prop_assert_eq!(certificate.greedy_minor, greedy.total_value_minor);
            prop_assert_eq!(certificate.value_minor, solved.plan.total_value_minor);
            prop_assert!(certificate.value_minor >= greedy.total_value_minor);
            prop_assert!(certificate.value_minor <= certificate.bound_minor * (1.0 + 1e-9) + 1e-6);
            prop_assert_eq!(&solved.plan.unplaced_pins, &greedy.unplaced_pins);
            prop_assert_eq!(&Dual.solve(&problem).unwrap(), &solved.plan);
            let reasons = why_not(&problem, &solved.plan);
            for (customer, known) in problem.customers.iter().enumerate() {
                for at in known.candidates.clone().filter(|at| reasons[*at].is_some()) {
                    let said = is_true(&problem, &solved.plan, customer, at, reasons[at]);
                    prop_assert!(said.is_ok(), "candidate {at}, {:?}: {said:?}", reasons[at]);
                }
            }
            let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
            let again = pool.install(|| Dual.solve_with_certificate(&problem).unwrap());
            prop_assert_eq!(&again, &solved);
        }
    }

    #[test]
    fn no_slate_is_worth_more_than_its_bound(parts in parts(4, 5)) {
        let parts = parts.uncoupled();
        let shared = parts.shared();
        for overlap in [&NoOverlap as &dyn Overlap, &shared] {
            let problem = parts.problem(overlap);
            let solved = Dual.solve_with_certificate(&problem).unwrap();
            prop_assert_eq!(&solved.plan, &solve(&problem));
            let best = (0..problem.customers.len()).map(|at| best_sequence(&problem, at, &mut Vec::new()));
            let best_minor: f64 = best.sum();
            // Few candidates: the search ends by itself, so that the bound is the optimum.
            prop_assert!((solved.certificate.bound_minor - best_minor).abs() <= 1e-6 * best_minor.max(1.0));
        }
    }

    #[test]
    fn without_coupling_and_overlap_greedy_is_the_optimum(parts in parts(6, 6)) {
        let parts = parts.uncoupled();
        let problem = parts.problem(&NoOverlap);
        let plan = solve(&problem);
        for customer in 0..problem.customers.len() {
            prop_assert_eq!(value_minor(&plan, customer), brute_force(&problem, customer) as f64);
        }
    }

    #[test]
    fn marginal_values_of_shared_products_add_up_to_the_union(parts in parts(12, 10)) {
        let mut parts = parts.uncoupled();
        let shared = parts.shared();
        for (at, customer) in parts.customers.iter().enumerate() {
            for candidate in &mut parts.candidates[customer.candidates.clone()] {
                candidate.value_minor = shared.union_minor(at, &[candidate.promotion]) as i64;
            }
        }
        let problem = parts.problem(&shared);
        let plan = solve(&problem);
        for customer in 0..problem.customers.len() {
            let chosen = plan.chosen(customer);
            let promotions: Vec<u32> =
                chosen.iter().map(|(_, p)| problem.candidates[p.candidate].promotion).collect();
            let union = shared.union_minor(customer, &promotions);
            prop_assert!((value_minor(&plan, customer) - union).abs() < 1e-6);
        }
    }

    #[test]
    fn ample_caps_change_nothing(parts in parts(20, 10)) {
        let parts = parts.uncoupled();
        let shared = parts.shared();
        let free = solve(&parts.problem(&shared));
        let mut capped = parts.problem(&shared);
        capped.promotions.iter_mut().for_each(|promotion| promotion.cap = Some(1_000));
        prop_assert_eq!(solve(&capped).cells, free.cells);
    }
}

fn one(promotion: u32, slots: u8, value_minor: i64) -> Candidate {
    let (expected_cost_minor, response_rate, excluded) = (10, 0.5, None);
    Candidate { promotion, slots, value_minor, expected_cost_minor, response_rate, excluded }
}

/// One customer per list of candidates, three promotions, no limits.
fn simple(lists: &[&[Candidate]]) -> Problem<'static> {
    let mut problem = Problem {
        slots: (0..SLOTS).map(|at| Slot { name: at.to_string(), channel: None }).collect(),
        promotions: vec![Promotion::default(); 3],
        customers: vec![],
        candidates: vec![],
        total_budget_minor: None,
        offers_max: None,
        min_value_minor: None,
        overlap: &NoOverlap,
    };
    for list in lists {
        let start = problem.candidates.len();
        problem.candidates.extend_from_slice(list);
        problem.customers.push(Customer {
            max_offers: 3,
            candidates: start..problem.candidates.len(),
            order: 100 - start as u64,
            ..Customer::default()
        });
    }
    problem
}

/// The promotion or the reason of each slot of the first customer.
fn words(problem: &Problem<'_>) -> Vec<String> {
    let word = |cell: &Cell| match cell {
        Cell::Placed(placed) => problem.candidates[placed.candidate].promotion.to_string(),
        Cell::Empty(rule) => rule.name().to_owned(),
    };
    solve(problem).slate(0).iter().map(word).collect()
}

#[test]
fn slots_and_reasons() {
    let check = |spoil: &dyn Fn(&mut Problem<'_>), expect: [&str; 3]| {
        let list = [one(0, 0b111, 90), one(1, 0b111, 50), one(2, 0b001, 20)];
        let mut problem = simple(&[&list]);
        spoil(&mut problem);
        assert_eq!(words(&problem), expect);
    };
    // The third offer fits the first slot alone: the others move over for it.
    check(&|_| (), ["2", "0", "1"]);
    check(&|p| p.candidates[2].slots = 0, ["0", "1", "distinctness"]);
    check(
        &|p| p.candidates.iter_mut().for_each(|c| c.slots = 0b001),
        ["0", "slot_kind", "slot_kind"],
    );
    check(&|p| p.customers[0].candidates = 0..0, ["slot_kind"; 3]);
    check(&|p| p.customers[0].blocked = Some(RuleId::Control), ["control"; 3]);
    check(&|p| p.customers[0].max_offers = 1, ["0", "contacts", "contacts"]);
    check(&|p| p.offers_max = Some(1), ["0", "offers_max", "offers_max"]);
    check(&|p| p.offers_max = Some(3), ["2", "0", "1"]);
    // Contacts of earlier weeks leave nothing, whatever a run may make.
    let both = |p: &mut Problem<'_>| {
        (p.offers_max, p.customers[0].max_offers) = (Some(2), 0);
    };
    check(&both, ["contacts"; 3]);
    check(&|p| p.promotions[0].stores = Some(vec![4]), ["2", "1", "store"]);
    let at_home = |p: &mut Problem<'_>| {
        p.promotions[0].stores = Some(vec![2, 4]);
        p.customers[0].store = Some(4);
    };
    check(&at_home, ["2", "0", "1"]);
    check(&|p| p.promotions[0].channels = Some(0b10), ["2", "1", "channel"]);
    let online = |p: &mut Problem<'_>| {
        p.promotions[0].channels = Some(0b10);
        p.customers[0].channels = 0b11;
    };
    check(&online, ["2", "0", "1"]);
    // Who sees the slot is in its channel.
    let shown = |p: &mut Problem<'_>| {
        p.promotions[0].channels = Some(0b10);
        p.slots[2].channel = Some(1);
    };
    check(&shown, ["2", "1", "0"]);
    let refused = |p: &mut Problem<'_>| {
        p.slots[2].channel = Some(1);
        p.customers[0].refused_channels = 0b10;
    };
    check(&refused, ["0", "1", "channel"]);
    check(&|p| p.min_value_minor = Some(60), ["0", "min_value", "min_value"]);
    check(&|p| p.total_budget_minor = Some(15), ["0", "total_budget", "total_budget"]);
    check(&|p| p.promotions[1].budget_minor = Some(9), ["2", "0", "promotion_budget"]);
    check(&|p| p.promotions[0].cap = Some(0), ["2", "1", "cap"]);
    check(&|p| p.candidates[0].excluded = Some(RuleId::Window), ["2", "1", "window"]);
    check(&|p| p.customers[0].pinned = vec![2], ["2", "0", "1"]);
    let grouped = |p: &mut Problem<'_>| {
        p.promotions.iter_mut().for_each(|p| p.exclusivity_group = Some(7));
        p.candidates[2].value_minor = 95;
    };
    check(&grouped, ["2", "exclusivity", "exclusivity"]);
}

#[test]
fn a_scarce_offer_goes_where_it_is_worth_most_and_among_equals_by_hash() {
    let check = |values: [i64; 2], expect: usize| {
        let mut problem = simple(&[&[one(0, 1, values[0])], &[one(0, 1, values[1])]]);
        problem.promotions[0].cap = Some(1);
        let winner = solve(&problem).offers().map(|(customer, ..)| customer).next();
        assert_eq!(winner, Some(expect));
    };
    check([10, 20], 1);
    check([20, 10], 0);
    check([20, 20], 1);
}

#[test]
fn a_broken_plan_is_told_with_rule_customer_and_promotion() {
    let check = |spoil: &dyn Fn(&mut Problem<'_>, &mut Plan), words: &str| {
        let list = [one(0, 0b111, 90), one(1, 0b111, 50), one(2, 0b111, 20)];
        let mut problem = simple(&[&list, &list]);
        let mut plan = Greedy.solve(&problem).unwrap();
        spoil(&mut problem, &mut plan);
        let error = verify_all(&problem, &plan).unwrap_err();
        assert_eq!(error.code(), "T0601");
        assert!(error.to_string().contains(words), "{error}");
    };
    check(
        &|p, _| p.customers[1].blocked = Some(RuleId::Control),
        "rule control, customer 1, promotion 0",
    );
    check(
        &|p, _| p.candidates[4].excluded = Some(RuleId::Consent),
        "rule consent, customer 1, promotion 1",
    );
    check(&|p, _| p.candidates[0].slots = 0b110, "rule slot_kind, customer 0, promotion 0");
    check(&|p, _| p.promotions[1].stores = Some(vec![]), "rule store, customer 0, promotion 1");
    check(&|p, _| p.promotions[1].channels = Some(1), "rule channel, customer 0, promotion 1");
    let refused = |p: &mut Problem<'_>, _: &mut Plan| {
        (p.slots[1].channel, p.customers[1].refused_channels) = (Some(3), 0b1000);
    };
    check(&refused, "rule channel, customer 1, promotion 1");
    check(&|p, _| p.offers_max = Some(2), "rule offers_max, customer 0, promotion 2");
    check(&|p, _| p.customers[0].max_offers = 2, "rule contacts, customer 0, promotion 2");
    check(&|p, _| p.promotions[1].cap = Some(1), "rule cap, customer 1, promotion 1");
    check(
        &|p, _| p.promotions[2].budget_minor = Some(19),
        "rule promotion_budget, customer 1, promotion 2",
    );
    check(&|p, _| p.total_budget_minor = Some(20), "rule total_budget, customer 0, promotion 2");
    check(&|p, _| p.min_value_minor = Some(50), "rule min_value, customer 0, promotion 2");
    check(&|p, _| p.candidates[1].promotion = 0, "rule distinctness, customer 0, promotion 0");
    let group = |p: &mut Problem<'_>, _: &mut Plan| {
        p.promotions.iter_mut().for_each(|promotion| promotion.exclusivity_group = Some(1));
    };
    check(&group, "rule exclusivity, customer 0, promotion 1");
    check(&|_, plan| plan.cells.swap(0, 3), "another's candidate");
    check(&|_, plan| plan.total_value_minor += 1.0, "total value");
    check(&|p, _| p.candidates[0].value_minor = 91, "marginal value");
    let claim = |_: &mut Problem<'_>, plan: &mut Plan| {
        if let Cell::Placed(placed) = &mut plan.cells[0] {
            placed.is_pinned = true;
        }
    };
    check(&claim, "claims to be pinned");
}

#[test]
fn malformed_problems_are_refused() {
    let check = |spoil: &dyn Fn(&mut Problem<'_>), code: &str| {
        let mut problem = simple(&[&[one(0, 1, 5)]]);
        spoil(&mut problem);
        assert_eq!(Greedy.solve(&problem).unwrap_err().code(), code);
    };
    check(&|p| p.slots.clear(), "T0602");
    check(&|p| p.slots = vec![p.slots[0].clone(); 9], "T0602");
    check(&|p| p.candidates[0].promotion = 3, "T0603");
    check(&|p| p.slots[0].channel = Some(64), "T0603");
    check(&|p| p.promotions[0].stores = Some(vec![2, 1]), "T0603");
    check(&|p| p.candidates[0].expected_cost_minor = -1, "T0603");
    check(&|p| p.candidates[0].excluded = Some(RuleId::Cap), "T0603");
    check(&|p| p.customers[0].candidates = 0..2, "T0603");
    check(&|p| p.customers[0].pinned = vec![1], "T0603");
    check(&|p| p.customers[0].blocked = Some(RuleId::MinValue), "T0603");
    assert_eq!(SharedProducts::new(vec![vec![2, 1]], &[], None).unwrap_err().code(), "T0604");
    let zero = vec![vec![(1, 0.0)]];
    assert_eq!(SharedProducts::new(vec![], &zero, None).unwrap_err().code(), "T0604");
    let shares = Some(vec![1.5]);
    assert_eq!(SharedProducts::new(vec![vec![]], &[], shares).unwrap_err().code(), "T0604");
}
