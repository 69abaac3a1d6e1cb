//! What does a shop look like in which offers are scarce?
//!
//! Every promotion may reach as many customers as would give each customer one offer. Customers differ in
//! how much they spend, promotions in how well they are liked, pairs in taste, and an offer that is liked
//! costs a share of what is spent that has nothing to do with it. Good customers are good for every
//! promotion, so that always giving the most valuable offer first pays the budget out on dear offers to them.
//! Where margin is counted, an offer loses some of what it costs, or nothing where it brings enough.

use tercet_allocation::{Budget, Candidate, Customer, Measure, Problem, Promotion, Slot};

/// Promotions from which a customer has [`CANDIDATES`], when there are more.
pub(crate) const CANDIDATES: u32 = 100;

/// A number within 0 and 1 that depends on seed, purpose and place alone (splitmix64: Steele, Lea and Flood
/// 2014, doi:10.1145/2660193.2660195).
fn scatter(seed: u64, purpose: u64, at: u64) -> f64 {
    let mut z = seed ^ purpose << 56 ^ at.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// So many customers and promotions: every promotion with a cap, and a budget that pays for half of what
/// the caps allow; on request one of margin for every other promotion, which pays for a quarter of theirs.
///
/// # Errors
/// None: the numbers are what they may be.
pub(crate) fn problem(
    seed: u64,
    customers: usize,
    promotions: u32,
    with_margin: bool,
) -> tercet_types::Result<Problem<'static>> {
    let cap = (customers as u64 / u64::from(promotions)).max(1);
    let promotion = Promotion { cap: Some(cap), ..Promotion::default() };
    let mut problem = Problem {
        slots: (0..3).map(|at| Slot { name: at.to_string(), channel: None }).collect(),
        promotions: vec![promotion; promotions as usize],
        min_value_minor: Some(1),
        ..Problem::default()
    };
    let likes: Vec<f64> = (0..promotions).map(|at| 0.3 + scatter(seed, 1, u64::from(at))).collect();
    let (mut row, mut costs_minor, mut losses_minor) = (Vec::new(), 0_i64, 0_i64);
    for customer in 0..customers as u64 {
        let spends = 200.0 / (0.2 + scatter(seed, 2, customer));
        row.clear();
        for promotion in 0..promotions {
            let pair = customer * 10_000 + u64::from(promotion);
            if promotions > CANDIDATES
                && scatter(seed, 3, pair) * f64::from(promotions) >= f64::from(CANDIDATES)
            {
                continue;
            }
            let taste = scatter(seed, 4, pair);
            let expected_cost_minor = 1 + (spends * 0.2 * scatter(seed, 5, pair)) as i64;
            // A third of the offers loses nothing.
            let lost = (scatter(seed, 7, pair) * 1.5 - 0.5).max(0.0);
            let margin_loss_minor =
                if with_margin { (expected_cost_minor as f64 * lost).ceil() as i64 } else { 0 };
            costs_minor += expected_cost_minor;
            losses_minor += margin_loss_minor;
            row.push(Candidate {
                promotion,
                // Every third promotion for the first slot, the next for the second …
                slots: 1 << (promotion % 3),
                value_minor: 1 + (spends * likes[promotion as usize] * taste * taste) as i64,
                expected_cost_minor,
                margin_loss_minor,
                excluded: None,
            });
        }
        let order = (scatter(seed, 6, customer) * u64::MAX as f64) as u64;
        let known = Customer { order, max_offers: 3, ..Customer::default() };
        problem.customers.push(known, &row, &[])?;
    }
    let offers = (cap * u64::from(promotions)) as f64;
    let pays_for = |minor: i64, share: f64| {
        (minor as f64 / problem.customers.candidates().max(1) as f64 * offers * share) as i64
    };
    problem.total_budget_minor = Some(pays_for(costs_minor, 0.5));
    if with_margin {
        let budget_minor = pays_for(losses_minor, 0.125);
        let promotions = (0..promotions).step_by(2).collect();
        problem.budgets.push(Budget { budget_minor, measure: Measure::Margin, promotions });
    }
    Ok(problem)
}
