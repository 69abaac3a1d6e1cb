//! Is a plan worth it, week after week?

#[path = "../examples/scarce/mod.rs"]
mod scarce;

use tercet_allocation::solve::{Dual, Solver};
use tercet_allocation::{
    Candidate, ContactRules, Customer, Limit, Problem, Promotion, RuleId, ShadowPrice, Slot,
    verify_all,
};
use tercet_types::{DAYS_PER_WEEK, Date};

#[test]
fn where_offers_are_scarce_a_plan_is_a_fifth_above_greedy_and_near_its_bound() {
    let problem = scarce::problem(1, 1_000, 30, false).unwrap();
    let solved = Dual::default().solve_with_certificate(&problem).unwrap();
    verify_all(&problem, &solved.plan).unwrap();
    let certificate = solved.certificate;
    assert!(certificate.value_minor >= 1.2 * certificate.greedy_minor, "{certificate:?}");
    assert!(certificate.gap() < 0.03, "{}", certificate.gap());
}

#[test]
fn last_weeks_prices_save_passes_and_the_plan_is_as_good() {
    let last_week = scarce::problem(1, 1_000, 30, false).unwrap();
    let start = Dual::default().solve_with_certificate(&last_week).unwrap().certificate.prices;
    let mut problem = last_week;
    for promotion in problem.promotions.iter_mut().step_by(3) {
        promotion.cap = promotion.cap.map(|cap| cap - cap / 20);
    }
    let cold = Dual::default().solve_with_certificate(&problem).unwrap();
    let warm = Dual::starting_at(&start).solve_with_certificate(&problem).unwrap();
    verify_all(&problem, &warm.plan).unwrap();
    let (cold, warm) = (cold.certificate, warm.certificate);
    assert!(2 * warm.passes < cold.passes, "{} against {}", warm.passes, cold.passes);
    assert!(warm.bound_minor < 1.002 * cold.bound_minor, "{warm:?} {cold:?}");
    assert!(warm.value_minor > 0.998 * cold.value_minor, "{warm:?} {cold:?}");
}

#[test]
fn prices_that_no_longer_fit_do_no_harm() {
    let mut problem = scarce::problem(1, 200, 8, false).unwrap();
    for promotion in &mut problem.promotions {
        promotion.cap = promotion.cap.map(|cap| cap * 3);
    }
    problem.total_budget_minor = None;
    let cold = Dual::default().solve_with_certificate(&problem).unwrap().certificate;
    assert!(cold.gap() < 0.01, "{}", cold.gap());
    for price_minor in [0.1, 30.0, 1e3, 1e6] {
        let price = |at: u32| ShadowPrice { limit: Limit::Cap(at), price_minor, weight_minor: 0.0 };
        let start: Vec<ShadowPrice> = (0..8).map(price).collect();
        let warm = Dual::starting_at(&start).solve_with_certificate(&problem).unwrap();
        verify_all(&problem, &warm.plan).unwrap();
        let warm = warm.certificate;
        assert!(warm.gap() < cold.gap() + 0.005, "{price_minor}: {} {}", warm.gap(), cold.gap());
    }
}

#[test]
fn in_a_year_of_weeks_nobody_is_contacted_too_often_or_offered_the_same_too_soon() {
    const CUSTOMERS: usize = 50;
    const PROMOTIONS: u32 = 9;
    let rules = ContactRules {
        contacts_max: 2,
        window_weeks: 4,
        repeat_gap_weeks: 5,
        pressure_price_minor: 20.0,
        pressure_kept: 0.7,
    };
    let scatter = |key: usize| (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) % 400;
    let mut history: Vec<Vec<(Date, u32)>> = vec![Vec::new(); CUSTOMERS];
    for week in 0..52 {
        let today = Date::from_days(20_003 + week * DAYS_PER_WEEK);
        let slot = |at: usize| Slot { name: at.to_string(), channel: None };
        let promotion = Promotion { cap: Some(10), ..Promotion::default() };
        let mut problem = Problem {
            slots: (0..3).map(slot).collect(),
            promotions: vec![promotion; PROMOTIONS as usize],
            total_budget_minor: Some(1_200),
            ..Problem::default()
        };
        for (at, earlier) in history.iter().enumerate() {
            let days = || earlier.iter().map(|(day, _)| *day);
            let customer = Customer {
                order: scatter(at + 7_000 * week as usize) as u64,
                max_offers: rules.max_offers(3, today, days()),
                contact_price_minor: rules.contact_price_minor(today, days()),
                ..Customer::default()
            };
            let candidate = |promotion: u32| {
                let is_repeat =
                    |(day, of): &(Date, u32)| *of == promotion && rules.is_repeat(today, *day);
                Candidate {
                    promotion,
                    slots: 1 << (promotion % 3),
                    value_minor: scatter(at * 31 + promotion as usize + 1) as i64,
                    expected_cost_minor: scatter(at * 57 + promotion as usize) as i64 / 10,
                    margin_loss_minor: scatter(at * 91 + promotion as usize) as i64 / 20,
                    excluded: earlier.iter().any(is_repeat).then_some(RuleId::Frequency),
                }
            };
            let row: Vec<Candidate> = (0..PROMOTIONS).map(candidate).collect();
            problem.customers.push(customer, &row, &[]).unwrap();
        }
        let plan = Dual::default().solve(&problem).unwrap();
        verify_all(&problem, &plan).unwrap();
        for (customer, _, placed) in plan.offers() {
            let promotion = problem.candidate(customer, placed.at()).promotion;
            history[customer].push((today, promotion));
        }
    }
    let offers: usize = history.iter().map(Vec::len).sum();
    assert!(offers > 52 * 6, "{offers}");
    for offered in &history {
        let mut days: Vec<i32> = offered.iter().map(|(day, _)| day.days()).collect();
        days.dedup();
        // Of three runs that reached a customer one after another, the last is outside the window of the first.
        assert!(days.windows(3).all(|three| three[2] - three[0] > 4 * DAYS_PER_WEEK), "{days:?}");
        for (at, (day, promotion)) in offered.iter().enumerate() {
            let again = offered[at + 1..].iter().find(|(_, other)| other == promotion);
            assert!(again.is_none_or(|(then, _)| then.days() - day.days() > 5 * DAYS_PER_WEEK));
        }
    }
}
