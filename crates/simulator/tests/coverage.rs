//! Does the interval that a shop would measure hold the true effect as often as it says?
#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

use tercet_measurement::Moments;
use tercet_measurement::assignment::{Arm, Holdout};
use tercet_measurement::estimate::{Estimate, LEVEL, difference, relative_difference};
use tercet_simulator::{Events, Memory, Outcome, Settings, Size, World};

/// Customers, in groups that are shops of their own.
const SIZE: Size = Size { customers: 4_800, products: 300, promotions: 40, weeks: 4 };
const GROUP: usize = 600;
const REPLICATIONS: usize = 400;

/// What a customer does in the weeks with three offers each, and without.
fn both(world: &World, index: u32) -> [Outcome; 2] {
    let customer = world.customer(index);
    [3, 0].map(|offers| {
        let (mut state, mut memory) = (world.begin(&customer), Memory::default());
        let mut sum = Outcome::default();
        for week in 0..SIZE.weeks {
            let mut events = Events::default();
            let running = world.running(week);
            let offers = &running[..offers.min(running.len())];
            world.week(&customer, week, &mut state, offers, &mut events);
            sum += world.outcome(week, &events, Events::default().mark(), &mut memory);
        }
        sum
    })
}

/// Share of replications whose interval holds the truth, and the mean true effect.
fn coverage(
    outcomes: &[[Outcome; 2]],
    of: fn(&Outcome) -> f64,
    estimate: impl Fn(&Moments, &Moments) -> Estimate,
    truth: impl Fn(&Moments, &Moments) -> f64,
) -> (f64, f64) {
    let (mut held, mut effects) = (0, 0.0);
    for replication in 0..REPLICATIONS {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&(replication as u64).to_le_bytes());
        let holdout = Holdout::new(key, 0.3).unwrap();
        let from = replication * GROUP % outcomes.len();
        let (mut treated, mut control, mut otherwise) = Default::default();
        for (number, [with, without]) in outcomes[from..from + GROUP].iter().enumerate() {
            let (treated, control, otherwise): (&mut Moments, &mut Moments, &mut Moments) =
                (&mut treated, &mut control, &mut otherwise);
            if holdout.arm(&number.to_string()) == Arm::Treatment {
                treated.add(of(with));
                otherwise.add(of(without));
            } else {
                control.add(of(without));
            }
        }
        let truth = truth(&treated, &otherwise);
        let found = estimate(&treated, &control);
        held += usize::from((found.low..=found.high).contains(&truth));
        effects += truth / REPLICATIONS as f64;
    }
    (held as f64 / REPLICATIONS as f64, effects)
}

#[test]
fn the_measured_interval_holds_the_true_effect_as_often_as_it_says() {
    type Metric = (&'static str, fn(&Outcome) -> f64);
    let mut settings = Settings::default();
    // Effects that show against the noise of six hundred customers.
    settings.response.uplift *= 10.0;
    let world = World::new(settings, SIZE, 21).unwrap();
    let outcomes: Vec<[Outcome; 2]> =
        (0..SIZE.customers).map(|index| both(&world, index)).collect();
    // Three standard errors of a share of 0.95 among the replications.
    let reach = 3.0 * (0.95 * 0.05 / REPLICATIONS as f64).sqrt();
    let metrics: [Metric; 3] = [
        ("conversion", |outcome| f64::from(outcome.weeks_ordered)),
        ("revenue", |outcome| outcome.revenue_minor as f64),
        ("margin", |outcome| outcome.margin_minor as f64),
    ];
    for (name, of) in metrics {
        let absolute = coverage(
            &outcomes,
            of,
            |treated, control| difference(treated, control, LEVEL).unwrap(),
            |treated, otherwise| treated.mean() - otherwise.mean(),
        );
        let relative = coverage(
            &outcomes,
            of,
            |treated, control| relative_difference(treated, control, LEVEL).unwrap(),
            |treated, otherwise| treated.mean() / otherwise.mean() - 1.0,
        );
        for (share, _) in [absolute, relative] {
            assert!((share - 0.95).abs() < reach, "{name}: {share} of intervals hold the truth");
        }
        if name == "conversion" {
            assert!(absolute.1 > 0.05, "the offers do next to nothing: {}", absolute.1);
        }
    }
}
