//! Which settings should be tried next?
//!
//! The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kégl 2011, "Algorithms for hyper-parameter
//! optimization", NIPS): what was tried is parted into good and other trials, each side is smoothed into a density per
//! setting, and of some values drawn from the good density the one is taken that is likeliest good. The settings that
//! an estimator comes with are tried first, then some at random.

use serde_json::{Number, Value};

use crate::registry::{Axis, Range};

/// Trials at random, after the defaults, before densities are trusted.
const RANDOM_TRIALS: usize = 10;

/// Values drawn from the good density, of which one is taken.
const CANDIDATES: usize = 24;

/// The share of trials that are good, and the most of them.
const GOOD_SHARE: f64 = 0.1;
const GOOD_MAX: usize = 25;

/// The narrowest kernel, in shares of the axis.
const WIDTH_MIN: f64 = 0.02;

/// Settings that were tried, and what they came to: more is better.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The settings, an object.
    pub settings: Value,
    /// What they came to; none where they could not be judged.
    pub value: Option<f64>,
}

/// The settings to try after these: the same for the same trials and seed.
///
/// `defaults` holds every setting of `space`; what stands in no axis is kept as it is there.
pub fn propose(space: &[Axis], defaults: &Value, tried: &[Tried], seed: u64) -> Value {
    if tried.is_empty() {
        return defaults.clone();
    }
    let mut draw = Draws(mix(seed ^ mix(tried.len() as u64)));
    let mut order: Vec<&Tried> = tried.iter().collect();
    // What could not be judged is worst; ties by which came first.
    order.sort_by(|a, b| {
        let of = |one: &Tried| one.value.filter(|value| value.is_finite());
        of(b).unwrap_or(f64::NEG_INFINITY).total_cmp(&of(a).unwrap_or(f64::NEG_INFINITY))
    });
    let good = ((tried.len() as f64 * GOOD_SHARE).ceil() as usize).clamp(1, GOOD_MAX);
    let (good, others) = order.split_at(good.min(order.len()));
    let mut settings = defaults.clone();
    for axis in space {
        let places = |trials: &[&Tried]| -> Vec<f64> {
            trials.iter().filter_map(|trial| axis.place_in(&trial.settings)).collect()
        };
        let place = if tried.len() <= RANDOM_TRIALS {
            draw.share()
        } else {
            let [good, others] = [places(good), places(others)].map(|at| Density::new(at, axis));
            likeliest_good(&good, &others, &mut draw)
        };
        axis.set(&mut settings, place);
    }
    settings
}

/// Of some values drawn from the good density, the one that the others make least likely.
fn likeliest_good(good: &Density, others: &Density, draw: &mut Draws) -> f64 {
    let mut best = (0.5, f64::NEG_INFINITY);
    for _ in 0..CANDIDATES {
        let place = good.draw(draw);
        let gain = good.at(place).ln() - others.at(place).ln();
        if gain > best.1 {
            best = (place, gain);
        }
    }
    best.0
}

impl Axis {
    fn path(&self) -> String {
        format!("/{}", self.setting.replace('.', "/"))
    }

    /// How many values it has, where they have no order.
    const fn choices(&self) -> Option<usize> {
        match self.range {
            Range::Among(names) => Some(names.len()),
            Range::Flag => Some(2),
            Range::Real(..) | Range::LogReal(..) | Range::Whole(..) | Range::LogWhole(..) => None,
        }
    }

    /// Where a value lies on the axis, 0 to 1; the middle of its share where values have no order.
    fn place_in(&self, settings: &Value) -> Option<f64> {
        let value = settings.pointer(&self.path())?;
        let between =
            |value: f64, low: f64, high: f64| ((value - low) / (high - low)).clamp(0.0, 1.0);
        let choice = |at: usize, count: usize| (at as f64 + 0.5) / count as f64;
        match self.range {
            Range::Real(low, high) => Some(between(value.as_f64()?, low, high)),
            Range::LogReal(low, high) => Some(between(value.as_f64()?.ln(), low.ln(), high.ln())),
            Range::Whole(low, high) => Some(between(value.as_f64()?, low as f64, high as f64)),
            Range::LogWhole(low, high) => {
                Some(between(value.as_f64()?.ln(), (low as f64).ln(), (high as f64).ln()))
            }
            Range::Among(names) => {
                let at = names.iter().position(|name| Some(*name) == value.as_str())?;
                Some(choice(at, names.len()))
            }
            Range::Flag => Some(choice(usize::from(value.as_bool()?), 2)),
        }
    }

    /// Sets the value at a place of the axis.
    fn set(&self, settings: &mut Value, place: f64) {
        let at = |low: f64, high: f64| low + (high - low) * place;
        let real = |value: f64| Number::from_f64(value).map_or(Value::Null, Value::Number);
        let whole =
            |value: f64, low: i64, high: i64| Value::from((value.round() as i64).clamp(low, high));
        let choice = |count: usize| ((place * count as f64) as usize).min(count - 1);
        let value = match self.range {
            Range::Real(low, high) => real(at(low, high)),
            Range::LogReal(low, high) => real(at(low.ln(), high.ln()).exp().clamp(low, high)),
            Range::Whole(low, high) => whole(at(low as f64, high as f64), low, high),
            Range::LogWhole(low, high) => {
                whole(at((low as f64).ln(), (high as f64).ln()).exp(), low, high)
            }
            Range::Among(names) => Value::from(names[choice(names.len())]),
            Range::Flag => Value::from(choice(2) == 1),
        };
        if let Some(target) = settings.pointer_mut(&self.path()) {
            *target = value;
        }
    }
}

/// A density over places 0 to 1: a kernel on each place seen, cut off at the ends, and an even one besides.
struct Density {
    centres: Vec<f64>,
    width: f64,
    choices: Option<usize>,
}

impl Density {
    fn new(centres: Vec<f64>, axis: &Axis) -> Self {
        // Scott's rule on the unit interval: the more trials, the finer.
        let width = (centres.len().max(1) as f64).powf(-0.2) * 0.1;
        Self { width: width.max(WIDTH_MIN), choices: axis.choices(), centres }
    }

    fn at(&self, place: f64) -> f64 {
        let even = 1.0;
        let seen: f64 = match self.choices {
            Some(count) => {
                let choice = |place: f64| (place * count as f64) as usize;
                let same = self.centres.iter().filter(|centre| choice(**centre) == choice(place));
                same.count() as f64 * count as f64
            }
            None => self.centres.iter().map(|centre| self.kernel(*centre, place)).sum(),
        };
        (even + seen) / (1.0 + self.centres.len() as f64)
    }

    /// A triangle of half-width two widths around the centre, what lies beyond an end folded back.
    fn kernel(&self, centre: f64, place: f64) -> f64 {
        let reach = 2.0 * self.width;
        let height = |distance: f64| (1.0 - distance.abs() / reach).max(0.0) / reach;
        height(place - centre) + height(place + centre) + height(2.0 - place - centre)
    }

    fn draw(&self, draws: &mut Draws) -> f64 {
        let which = (draws.share() * (self.centres.len() + 1) as f64) as usize;
        match (self.centres.get(which), self.choices) {
            (None, _) => draws.share(),
            (Some(centre), Some(_)) => *centre,
            (Some(centre), None) => {
                let place = centre + 2.0 * self.width * (draws.share() - draws.share());
                let folded = if place < 0.0 { -place } else { place };
                if folded > 1.0 { (2.0 - folded).max(0.0) } else { folded }
            }
        }
    }
}

/// Shares drawn one after the other.
struct Draws(u64);

impl Draws {
    /// A share of at least 0 and below 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        (mix(self.0) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SPACE: &[Axis] = &[
        Axis { setting: "shrinkage", range: Range::LogReal(0.01, 1_000.0) },
        Axis { setting: "neighbours", range: Range::LogWhole(1, 1_000) },
        Axis { setting: "own.share", range: Range::Real(0.0, 1.0) },
        Axis { setting: "steps", range: Range::Whole(-3, 3) },
        Axis { setting: "kind", range: Range::Among(&["cosine", "lift", "counts"]) },
        Axis { setting: "decay", range: Range::Flag },
    ];

    fn defaults() -> Value {
        json!({ "shrinkage": 1.0, "neighbours": 10, "own": { "share": 0.5 }, "steps": 0, "kind": "lift",
            "decay": false, "kept": "as it is" })
    }

    /// Best, at 0, where shrinkage is 50, 300 neighbours, a share of 0.2, two steps, counts and decay.
    fn value(settings: &Value) -> f64 {
        let number = |path: &str| settings.pointer(path).unwrap().as_f64().unwrap();
        let off = (number("/shrinkage") / 50.0).ln().powi(2) / 20.0
            + (number("/neighbours") / 300.0).ln().powi(2) / 20.0
            + (number("/own/share") - 0.2).powi(2)
            + (number("/steps") - 2.0).powi(2) / 20.0;
        let wrong = f64::from(u8::from(settings["kind"] != "counts"));
        -off - 0.3 * wrong - 0.2 * f64::from(u8::from(settings["decay"] != true))
    }

    fn search(seed: u64, trials: usize) -> Vec<Tried> {
        let mut tried = Vec::new();
        for _ in 0..trials {
            let settings = propose(SPACE, &defaults(), &tried, seed);
            let value = Some(value(&settings));
            tried.push(Tried { settings, value });
        }
        tried
    }

    fn best(tried: &[Tried]) -> f64 {
        tried.iter().filter_map(|trial| trial.value).fold(f64::NEG_INFINITY, f64::max)
    }

    #[test]
    fn the_defaults_are_tried_first_and_nothing_leaves_its_range() {
        let tried = search(3, 60);
        assert_eq!(tried[0].settings, defaults());
        for trial in &tried {
            let settings = &trial.settings;
            assert_eq!(settings["kept"], "as it is");
            assert!((0.01..=1_000.0).contains(&settings["shrinkage"].as_f64().unwrap()));
            assert!((1..=1_000).contains(&settings["neighbours"].as_i64().unwrap()));
            assert!((-3..=3).contains(&settings["steps"].as_i64().unwrap()));
            assert!((0.0..=1.0).contains(&settings["own"]["share"].as_f64().unwrap()));
        }
        assert_eq!(search(3, 60), tried, "the same trials lead to the same proposals");
        assert_eq!(search(3, 20)[..], tried[..20], "a search can be resumed");
        assert_ne!(search(4, 3)[1], tried[1]);
    }

    #[test]
    fn good_settings_are_found_sooner_than_at_random() {
        let mut sooner = 0;
        for seed in 0..20 {
            // Without a value all trials are alike, and densities say nothing.
            let mut blind = Vec::new();
            for _ in 0..60 {
                let settings = propose(
                    SPACE,
                    &defaults(),
                    &blind[..blind.len().min(1)],
                    seed + blind.len() as u64,
                );
                let value = Some(value(&settings));
                blind.push(Tried { settings, value });
            }
            sooner += usize::from(best(&search(seed, 60)) > best(&blind));
        }
        assert!(sooner >= 16, "{sooner} of 20");
    }

    #[test]
    fn trials_that_failed_are_the_worst() {
        let mut tried = search(1, 30);
        tried.iter_mut().take(15).for_each(|trial| trial.value = None);
        tried[20].value = Some(f64::NAN);
        let next = propose(SPACE, &defaults(), &tried, 1);
        assert!(value(&next).is_finite());
    }
}
