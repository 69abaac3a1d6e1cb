//! How often does the interval that a shop reports hold the true effect?
//!
//! A campaign that was decided for everybody happens again and again: what is left to chance is drawn anew, and
//! who is held out or gets which engine's offers; the offers stay. Every customer is seen in all arms, so that the
//! true effect is known, and reported from one, as a shop would see it.

use std::ops::Range;

use serde::Serialize;
use tercet_measurement::assignment::{Arm, BUCKETS, Holdout, Salt, bucket};
use tercet_measurement::estimate::{
    Estimate, LEVEL, Refusal, adjusted, difference, relative_difference, share,
};
use tercet_measurement::{Found, Moments, Sums};
use tercet_simulator::{Customer, State, World};
use tercet_types::Result;

use super::campaign::{Campaign, Campaigned, Frozen};
use super::effects::Effect;
use super::learn::joined;
use crate::output::{Meter, Progress};

/// The most redraws.
pub(crate) const REDRAWS_MAX: u32 = 100_000;

/// The effects that are differences between arms.
const EFFECTS: [Effect; 7] = [
    Effect::Conversion,
    Effect::RepeatPurchases,
    Effect::NewProductPurchases,
    Effect::FirstPurchases,
    Effect::LaunchPurchases,
    Effect::RevenueMinor,
    Effect::MarginMinor,
];

/// What a unit has: its effects, and last what it had spent before.
const NUMBERS: usize = EFFECTS.len() + 1;
const SPENT_BEFORE: usize = EFFECTS.len();

/// How an interval is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// Difference of means.
    Difference,
    /// The same less what was spent before explains (CUPED).
    Adjusted,
    /// The difference relative to the mean of the arm that is held against.
    Relative,
}

impl Way {
    const ALL: [Self; 3] = [Self::Difference, Self::Adjusted, Self::Relative];

    /// The name in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Difference => "difference",
            Self::Adjusted => "adjusted",
            Self::Relative => "relative",
        }
    }

    fn estimate(self, effect: usize, treated: &Sums, base: &Sums) -> Result<Estimate, Refusal> {
        let of = |arm: &Sums| arm.moments(effect);
        match self {
            Self::Difference => difference(&of(treated), &of(base), LEVEL),
            Self::Adjusted => {
                adjusted(treated, base, effect, &[SPENT_BEFORE], LEVEL).map(|one| one.difference)
            }
            Self::Relative => relative_difference(&of(treated), &of(base), LEVEL),
        }
    }

    /// The true effect, of the true means of two arms; nothing is relative to nothing.
    fn truth(self, treated: f64, base: f64) -> Option<f64> {
        match self {
            Self::Difference | Self::Adjusted => Some(treated - base),
            Self::Relative => (base > 0.0).then(|| treated / base - 1.0),
        }
    }
}

/// How an interval did over all redraws. Amounts are those of a customer and week.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Coverage {
    /// The engine.
    pub(crate) engine: &'static str,
    /// What it is held against: another engine, or nobody's offers.
    pub(crate) over: Option<&'static str>,
    /// What is measured.
    pub(crate) effect: Effect,
    /// How the interval is made.
    pub(crate) way: Way,
    /// The true effect: expected over chance, of all customers who may be sent offers.
    pub(crate) truth: f64,
    /// Its standard error, for it is a mean over as many draws.
    pub(crate) truth_error: f64,
    /// The mean of the estimates.
    pub(crate) mean_estimate: f64,
    /// The standard error that the estimates have: their standard deviation over redraws.
    pub(crate) error: f64,
    /// The standard error that they say they have, on average.
    pub(crate) stated_error: f64,
    /// Redraws in which there was no estimate.
    pub(crate) refused: u64,
    /// Share of the intervals that hold the truth, with its interval.
    pub(crate) covered: Found,
}

/// One redraw.
struct Drawn {
    /// By arm, the mean over all customers.
    means: Vec<[f64; EFFECTS.len()]>,
    /// By contrast, effect and way.
    estimates: Vec<Result<Estimate, Refusal>>,
}

/// What is drawn again.
struct Redraws<'a> {
    world: &'a World,
    frozen: &'a Frozen,
    engines: &'a [&'static str],
    weeks: Range<u32>,
    holdout_rate: f64,
    customers: Vec<Customer>,
}

/// Lets a campaign happen again so many times, and says how the intervals did; nothing of a campaign that was not
/// decided for everybody.
pub(crate) fn redraw(
    ask: &Campaign<'_>,
    found: &Campaigned,
    draws: u32,
    progress: &Progress,
) -> Result<Vec<Coverage>> {
    let Some(frozen) = &found.frozen else { return Ok(Vec::new()) };
    let redraws = Redraws {
        world: ask.world,
        frozen,
        engines: &ask.engines,
        weeks: ask.history_weeks..ask.world.size().weeks,
        holdout_rate: ask.config.rules.holdout_rate,
        customers: frozen.customers.iter().map(|&index| ask.world.customer(index)).collect(),
    };
    let meter = progress.meter("redraws", "draws", u64::from(draws));
    Ok(redraws.coverage(&redraws.all(draws, ask.threads.max(1), &meter)?))
}

impl Redraws<'_> {
    /// All redraws in the order of their numbers, whichever thread makes them.
    fn all(&self, draws: u32, threads: usize, meter: &Meter) -> Result<Vec<Drawn>> {
        let work = &|first: u32| -> Result<Vec<Drawn>> {
            let mut drawn = Vec::new();
            for number in (first..draws).step_by(threads) {
                drawn.push(self.draw(number)?);
                meter.advance(1);
            }
            Ok(drawn)
        };
        let parts = std::thread::scope(|scope| -> Result<Vec<Vec<Drawn>>> {
            let running: Vec<_> =
                (0..threads as u32).map(|first| scope.spawn(move || work(first))).collect();
            running.into_iter().map(joined).collect()
        })?;
        let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
        Ok((0..draws as usize).filter_map(|number| parts[number % threads].next()).collect())
    }

    /// The campaign once more.
    fn draw(&self, number: u32) -> Result<Drawn> {
        let mut hasher =
            blake3::Hasher::new_derive_key("tercet 2026 redraws of a simulated campaign");
        hasher.update(&self.world.seed().to_le_bytes()).update(&number.to_le_bytes());
        let (mut key, mut chance) = ([0; 16], [0; 8]);
        let mut bytes = hasher.finalize_xof();
        bytes.fill(&mut key);
        bytes.fill(&mut chance);
        let chance = u64::from_le_bytes(chance);
        let holdout = Holdout::new(key, self.holdout_rate)?;
        let arms = 1 + self.engines.len();
        let (mut seen, mut sums) =
            (vec![Sums::new(NUMBERS); arms], vec![[0_i64; EFFECTS.len()]; arms]);
        for (place, customer) in self.customers.iter().enumerate() {
            let own = self.arm(&key, &holdout, customer);
            for arm in 0..arms {
                let numbers = self.numbers(place, customer, arm, chance);
                sums[arm].iter_mut().zip(&numbers).for_each(|(sum, number)| *sum += number);
                if arm == own {
                    seen[arm].add(&numbers)?;
                }
            }
        }
        let count = self.customers.len().max(1) as f64;
        let estimates = self
            .each()
            .map(|((arm, base), effect, way)| way.estimate(effect, &seen[arm], &seen[base]));
        Ok(Drawn {
            estimates: estimates.collect(),
            means: sums.into_iter().map(|sums| sums.map(|sum| sum as f64 / count)).collect(),
        })
    }

    /// Who is held out gets nothing; the others are spread evenly over the engines.
    fn arm(&self, key: &[u8; 16], holdout: &Holdout, customer: &Customer) -> usize {
        let id = (customer.index + 1).to_string();
        match holdout.arm(&id) {
            Arm::Control => 0,
            Arm::Treatment => {
                let bucket = usize::from(bucket(key, Salt::EngineAb, &id));
                1 + bucket * self.engines.len() / usize::from(BUCKETS)
            }
        }
    }

    /// What a customer does in an arm, and had spent before.
    fn numbers(
        &self,
        place: usize,
        customer: &Customer,
        arm: usize,
        chance: u64,
    ) -> [i64; NUMBERS] {
        let mut life = self.frozen.lives[place].clone();
        life.state = State { chance, ..life.state };
        let outcome = life.over(self.world, customer, self.weeks.clone(), |at| {
            if arm == 0 { &[] } else { &self.frozen.offers[arm - 1][at][place] }
        });
        let before = self.frozen.before[place].revenue_minor;
        std::array::from_fn(|at| {
            EFFECTS.get(at).map_or(before, |effect| effect.of(&outcome).unwrap_or_default())
        })
    }

    /// All that is estimated, in order: arms (0 is nobody's offers), effect and way. Engines are held against
    /// nobody's offers, and against the first engine.
    fn each(&self) -> impl Iterator<Item = ((usize, usize), usize, Way)> {
        let arms = self.engines.len();
        let contrasts = (1..=arms).map(|arm| (arm, 0)).chain((2..=arms).map(|arm| (arm, 1)));
        contrasts.flat_map(|contrast| {
            (0..EFFECTS.len()).flat_map(move |effect| Way::ALL.map(|way| (contrast, effect, way)))
        })
    }

    fn coverage(&self, drawn: &[Drawn]) -> Vec<Coverage> {
        self.each()
            .enumerate()
            .filter_map(|(place, ((arm, base), effect, way))| {
                let means = |arm: usize| drawn.iter().map(move |one| one.means[arm][effect]);
                let truths: Moments = means(arm).zip(means(base)).map(|(a, b)| a - b).collect();
                let base_mean = means(base).collect::<Moments>().mean();
                let truth = way.truth(base_mean + truths.mean(), base_mean)?;
                let per_week = match way {
                    Way::Difference | Way::Adjusted => f64::from(self.weeks.len() as u32),
                    Way::Relative => 1.0,
                };
                let given: Vec<Estimate> =
                    drawn.iter().filter_map(|one| one.estimates[place].ok()).collect();
                let held =
                    given.iter().filter(|one| (one.low..=one.high).contains(&truth)).count() as u64;
                let values: Moments = given.iter().map(|one| one.value).collect();
                let stated: Moments = given.iter().map(|one| one.std_error).collect();
                let truth_error = truths.mean_variance().unwrap_or_default().sqrt();
                let relative_to = if way == Way::Relative { base_mean } else { per_week };
                Some(Coverage {
                    engine: self.engines[arm - 1],
                    over: base.checked_sub(1).map(|base| self.engines[base]),
                    effect: EFFECTS[effect],
                    way,
                    truth: truth / per_week,
                    truth_error: truth_error / relative_to,
                    mean_estimate: values.mean() / per_week,
                    error: values.variance().unwrap_or_default().sqrt() / per_week,
                    stated_error: stated.mean() / per_week,
                    refused: drawn.len() as u64 - values.count(),
                    covered: share(held, values.count(), LEVEL).into(),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use tercet_simulator::{Events, Memory, Outcome, Settings, Size};

    use super::super::campaign::Life;
    use super::*;

    const SIZE: Size = Size { customers: 120, products: 300, promotions: 40, weeks: 5 };
    const PAST: u32 = 2;
    const DRAWS: u32 = 160;

    /// The best offers and no offers at all, for everybody.
    fn frozen(world: &World) -> Frozen {
        let customers: Vec<u32> = (0..SIZE.customers).collect();
        let (mut lives, mut before) = (Vec::new(), Vec::new());
        for &index in &customers {
            let customer = world.customer(index);
            let mut life = Life { state: world.begin(&customer), memory: Memory::default() };
            let (mut events, mut sum) = (Events::default(), Outcome::default());
            for week in 0..PAST {
                let from = events.mark();
                world.week(&customer, week, &mut life.state, &[], &mut events);
                sum += world.outcome(week, &events, from, &mut life.memory);
            }
            lives.push(life);
            before.push(sum);
        }
        let best = |week| {
            let offers = |&index| world.oracle_offers(&world.customer(index), week, 0.0, 3);
            customers.iter().map(offers).collect()
        };
        let nothing = vec![vec![Vec::new(); customers.len()]; (SIZE.weeks - PAST) as usize];
        Frozen {
            offers: vec![(PAST..SIZE.weeks).map(best).collect(), nothing],
            customers,
            lives,
            before,
        }
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say_on_any_number_of_threads() {
        let world = World::new(Settings::default(), SIZE, 3).unwrap();
        let frozen = frozen(&world);
        let redraws = Redraws {
            world: &world,
            frozen: &frozen,
            engines: &["best", "nothing"],
            weeks: PAST..SIZE.weeks,
            holdout_rate: 0.3,
            customers: (0..SIZE.customers).map(|index| world.customer(index)).collect(),
        };
        let meter = Progress::new(true).meter("", "", 0);
        let found = redraws.coverage(&redraws.all(DRAWS, 3, &meter).unwrap());
        assert_eq!(found, redraws.coverage(&redraws.all(DRAWS, 1, &meter).unwrap()));
        // Without offers nothing is bought with one: there is nothing that more of it could be relative to.
        assert_eq!(found.len(), 3 * EFFECTS.len() * Way::ALL.len() - 2);
        let of = |engine: &str, effect: Effect| {
            let is = |one: &&Coverage| {
                (one.engine, one.over, one.effect, one.way)
                    == (engine, None, effect, Way::Difference)
            };
            found.iter().find(is).unwrap()
        };
        for engine in ["best", "nothing"] {
            for effect in [Effect::Conversion, Effect::RevenueMinor, Effect::MarginMinor] {
                let one = of(engine, effect);
                let Found::Estimate(covered) = one.covered else { panic!("{one:?}") };
                assert!((0.88..=0.995).contains(&covered.value), "{one:?}");
                // Unbiased within four standard errors, and as uncertain as it says.
                let off = (one.mean_estimate - one.truth) / (one.error / f64::from(DRAWS).sqrt());
                assert!(off.abs() < 4.0, "{off}: {one:?}");
                assert!((one.stated_error / one.error - 1.0).abs() < 0.2, "{one:?}");
            }
        }
        let (best, nothing) = (of("best", Effect::Conversion), of("nothing", Effect::Conversion));
        assert!(best.truth > 10.0 * best.truth_error && best.truth > 0.0, "{best:?}");
        assert_eq!((nothing.truth, nothing.truth_error), (0.0, 0.0));
    }
}
