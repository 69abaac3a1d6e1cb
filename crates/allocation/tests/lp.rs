//! Is the bound that of the linear relaxation, and the plan close to it?
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use tercet_allocation::solve::Dual;
use tercet_allocation::{
    Budget, Candidate, Customer, Floor, Measure, Problem, Promotion, RuleId, Slot, verify_all,
};

const SLOTS: usize = 3;

/// splitmix64, as in `oracle/lp.py`.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    fn hits(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn maybe(&mut self, percent: u64, bound: u64) -> Option<u64> {
        let (is_hit, number) = (self.hits(percent), self.below(bound));
        is_hit.then_some(number)
    }
}

/// The problem of a seed, draw by draw as in `oracle/lp.py`.
fn problem(seed: u64) -> Problem<'static> {
    let mut draw = Numbers(seed);
    let (n, m) = (40 + draw.below(160), 5 + draw.below(12));
    let slots = (0..SLOTS).map(|at| Slot {
        name: at.to_string(),
        channel: draw.maybe(30, 3).map(|channel| channel as u8),
    });
    let slots = slots.collect();
    let total_budget_minor = draw.maybe(50, n * 80).map(|minor| minor as i64);
    let offers_max = draw.maybe(30, 3).map(|most| most as u8 + 1);
    let min_value_minor = draw.maybe(30, 200).map(|minor| minor as i64);
    let named = |bits: u64| (0..m as u32).filter(|at| bits >> at & 1 == 1).collect::<Vec<u32>>();
    let budgets = (0..draw.below(3)).map(|_| {
        let budget_minor = draw.below(n * 30) as i64;
        let measure = if draw.hits(50) { Measure::Margin } else { Measure::Cost };
        Budget { budget_minor, measure, promotions: named(draw.below(1 << m)) }
    });
    let budgets = budgets.collect();
    let floors = (0..draw.below(4)).map(|_| {
        let promotions = draw.maybe(70, 1 << m).map(named);
        let group = draw.maybe(60, 3).map(|group| group as u8);
        let (offers_min, miss_minor) = (draw.below(n / 3), draw.below(900) as i64);
        Floor { promotions, group, offers_min, miss_minor }
    });
    let floors = floors.collect();
    let promotion = |_| {
        let cap = draw.maybe(60, n / 3);
        let budget_minor = draw.maybe(40, n * 20).map(|minor| minor as i64);
        let exclusivity_group = draw.maybe(40, 3).map(|group| group as u32);
        let stores = draw.maybe(20, 8);
        let stores = stores.map(|bits| (0..3).filter(|store| bits >> store & 1 == 1).collect());
        Promotion { cap, budget_minor, exclusivity_group, stores, channels: draw.maybe(20, 8) }
    };
    let promotions = (0..m).map(promotion).collect();
    let mut problem = Problem {
        slots,
        promotions,
        budgets,
        floors,
        total_budget_minor,
        offers_max,
        min_value_minor,
        ..Problem::default()
    };
    for order in 0..n {
        let max_offers = draw.below(4) as u8;
        let blocked = draw.hits(5).then_some(RuleId::Consent);
        let store = Some(draw.below(3) as u32);
        let (channels, refused_channels) = (draw.below(8), draw.maybe(20, 8).unwrap_or(0));
        let (groups, contact) = (draw.below(8) as u16, draw.maybe(40, 120));
        let contact_price_minor = contact.map_or(0.0, |minor| minor as f32);
        let mut candidates = Vec::new();
        for promotion in 0..m as u32 {
            let is_there = draw.hits(80);
            let (slots, value_minor) = (draw.below(8) as u8, draw.below(1000) as i64);
            let expected_cost_minor = draw.below(400) as i64;
            let margin_loss_minor = draw.maybe(70, 400).map_or(0, |minor| minor as i64);
            let excluded = draw.hits(5).then_some(RuleId::Window);
            if is_there {
                candidates.push(Candidate {
                    promotion,
                    slots,
                    value_minor,
                    expected_cost_minor,
                    margin_loss_minor,
                    excluded,
                });
            }
        }
        let customer = Customer {
            order,
            channels,
            refused_channels,
            store,
            contact_price_minor,
            groups,
            max_offers,
            blocked,
        };
        problem.customers.push(customer, &candidates, &[]).unwrap();
    }
    problem
}

#[test]
fn the_bound_is_that_of_the_linear_relaxation() {
    let (mut instances, mut binding) = (0, [0; 6]);
    for line in include_str!("oracle/lp.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (seed, lp_minor) = (fields[0].parse().unwrap(), fields[3].parse::<f64>().unwrap());
        let problem = problem(seed);
        let rows = (0..problem.customers.len()).map(|at| problem.customers.row(at));
        let sum_minor: i64 = rows.flat_map(|row| row.iter()).map(|c| c.value_minor).sum();
        assert_eq!(
            (problem.customers.candidates().to_string(), sum_minor.to_string()),
            (fields[1].to_owned(), fields[2].to_owned()),
            "seed {seed}: not the same problem"
        );
        let solved = Dual::default().solve_with_certificate(&problem).unwrap();
        verify_all(&problem, &solved.plan).unwrap();
        let certificate = solved.certificate;
        let bound_minor = certificate.bound_minor;
        let above = (bound_minor - lp_minor) / lp_minor.abs().max(1.0);
        assert!(bound_minor >= lp_minor - 1e-6, "seed {seed}: {bound_minor} < {lp_minor}");
        assert!(above <= 1e-4, "seed {seed}: {bound_minor} is {above:.2e} above {lp_minor}");
        assert!(certificate.value_minor >= certificate.greedy_minor, "seed {seed}");
        assert!(certificate.value_minor <= bound_minor + 1e-6, "seed {seed}");
        for (sum, count) in binding.iter_mut().zip(&fields[4..]) {
            *sum += usize::from(*count != "0");
        }
        instances += 1;
    }
    assert_eq!(instances, 50);
    // Every kind of limit has a price in several of them.
    assert!(binding.iter().all(|instances| *instances >= 5), "{binding:?}");
}
