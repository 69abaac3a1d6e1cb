//! How likely is it that these slots are drawn, and which are?

use tercet_types::{Error, Result};

use crate::problem::MAX_SLOTS;

/// The most slots of a slate that is explored: the ways in which they can come about are gone through one by one.
pub const MAX_DRAWN_SLOTS: usize = 4;

/// The probabilities with which slots are drawn at random.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Law {
    /// The probability that a slot is drawn, for each by itself.
    pub epsilon: f64,
    /// The probability that all slots of a customer are drawn.
    pub measurement_share: f64,
}

/// How much is drawn at random, and from which seed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exploration {
    /// With which probabilities.
    pub law: Law,
    /// The most of every cap and budget that is kept back for draws, as a share of it.
    pub limit_share: f64,
    /// The seed of all coins and draws; with a customer's key it gives those of the customer.
    pub seed: u64,
}

impl Law {
    /// True when anything is drawn at all.
    pub fn is_on(&self) -> bool {
        self.epsilon > 0.0 || self.measurement_share > 0.0
    }

    /// The probability that a slot is drawn, by itself or with all others.
    pub fn share(&self) -> f64 {
        self.measurement_share + (1.0 - self.measurement_share) * self.epsilon
    }

    /// The probability that, of the slots of `open`, exactly those of `drawn` are drawn; bit `k` for slot `k`.
    pub(super) fn chance(&self, drawn: u8, open: u8) -> f64 {
        let kept = (open & !drawn).count_ones() as i32;
        let alone = self.epsilon.powi(drawn.count_ones() as i32) * (1.0 - self.epsilon).powi(kept);
        let together = if drawn == open { self.measurement_share } else { 0.0 };
        (1.0 - self.measurement_share) * alone + together
    }

    /// The slots that the coins of a customer say are drawn, and whether he is in the measurement slice.
    pub(super) fn toss(&self, slots: usize, stream: Stream) -> (u8, bool) {
        if stream.share(0) < self.measurement_share {
            return (((1_u16 << slots) - 1) as u8, true);
        }
        let is_drawn = |slot: &usize| stream.share(coin(*slot)) < self.epsilon;
        ((0..slots).filter(is_drawn).map(|slot| 1 << slot).sum(), false)
    }
}

impl Exploration {
    /// Checks the rates, and that there are not too many slots.
    ///
    /// # Errors
    /// `T0605` (config) naming what is not as it may be.
    pub fn check(&self, slots: usize) -> Result<()> {
        let rates = [
            ("epsilon", self.law.epsilon),
            ("measurement_share", self.law.measurement_share),
            ("limit_share", self.limit_share),
        ];
        for (name, rate) in rates {
            if !(0.0..=1.0).contains(&rate) {
                return Err(Error::config(
                    "T0605",
                    format!("exploration: {name} = {rate} is not within 0 to 1"),
                )
                .hint("draw a small share, for example 0.02"));
            }
        }
        if self.law.is_on() && slots > MAX_DRAWN_SLOTS.min(MAX_SLOTS) {
            return Err(Error::config(
                "T0605",
                format!("exploration: {slots} slots are more than {MAX_DRAWN_SLOTS}"),
            )
            .hint("configure fewer [[slots]], or set epsilon and measurement_share to 0"));
        }
        Ok(())
    }

    /// True when the coins of the customer with that key say that some slot is drawn.
    pub(super) fn draws(&self, slots: usize, key: u64) -> bool {
        self.law.toss(slots, self.stream(key)).0 != 0
    }

    /// The random numbers of a customer.
    pub(super) fn stream(&self, key: u64) -> Stream {
        Stream(scatter(key ^ scatter(self.seed)))
    }
}

/// Random numbers by place: SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195), of which any
/// number can be had without those before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream(u64);

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The place of the coin of a slot; the coin of the slice stands at 0.
fn coin(slot: usize) -> u64 {
    1 + 2 * slot as u64
}

impl Stream {
    /// Which of so many, at least one, a slot gets.
    pub(super) fn pick(self, slot: usize, count: usize) -> usize {
        let number = u128::from(self.number(coin(slot) + 1));
        ((number * count as u128) >> u64::BITS) as usize
    }

    /// A number from 0 to 1, 1 excluded.
    fn share(self, place: u64) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << f64::MANTISSA_DIGITS) as f64;
        (self.number(place) >> (u64::BITS - f64::MANTISSA_DIGITS)) as f64 * STEP
    }

    fn number(self, place: u64) -> u64 {
        scatter(self.0.wrapping_add(place.wrapping_mul(GOLDEN)))
    }
}

fn scatter(key: u64) -> u64 {
    let key = key.wrapping_add(GOLDEN);
    let key = (key ^ key >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let key = (key ^ key >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    key ^ key >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chances_of_all_ways_add_up_to_one() {
        let check = |epsilon: f64, measurement_share: f64, open: u8| {
            let law = Law { epsilon, measurement_share };
            let ways = (0..=open).filter(|drawn| drawn & !open == 0);
            let sum: f64 = ways.clone().map(|drawn| law.chance(drawn, open)).sum();
            assert!((sum - 1.0).abs() < 1e-15, "{law:?} {open:#b}: {sum}");
            for slot in (0..8).filter(|slot| open >> slot & 1 == 1) {
                let of_slot = ways.clone().filter(|drawn| drawn >> slot & 1 == 1);
                let share: f64 = of_slot.map(|drawn| law.chance(drawn, open)).sum();
                assert!((share - law.share()).abs() < 1e-15, "{law:?} {open:#b}");
            }
        };
        for open in [0, 0b1, 0b101, 0b111, 0b1111] {
            check(0.0, 0.0, open);
            check(0.02, 0.01, open);
            check(0.5, 0.0, open);
            check(0.0, 0.3, open);
            check(1.0, 1.0, open);
        }
    }

    #[test]
    fn rates_and_slots_are_checked() {
        let check = |epsilon: f64, measurement_share: f64, limit_share: f64, slots: usize| {
            let law = Law { epsilon, measurement_share };
            Exploration { law, limit_share, seed: 0 }.check(slots).is_ok()
        };
        assert!(check(0.02, 0.01, 0.03, 3));
        assert!(check(0.0, 0.0, 0.0, 8));
        assert!(!check(0.02, 0.0, 0.0, 5));
        assert!(!check(-0.01, 0.0, 0.0, 3));
        assert!(!check(0.0, 1.1, 0.0, 3));
        assert!(!check(0.0, 0.0, f64::NAN, 3));
    }

    #[test]
    fn random_numbers_do_not_change() {
        // SplitMix64 from seed 0 gives these first numbers in every implementation.
        let numbers: Vec<u64> = (0..3).map(|place| Stream(0).number(place)).collect();
        assert_eq!(numbers, [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F]);
    }
}
