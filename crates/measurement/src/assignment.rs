//! Who is treated, who is held out, and who belongs to which experiment?
//!
//! The bucket of a customer is a pure function of key, salt and customer id, the same on every machine, in
//! SQL (`keyed_bucket`) and in JavaScript (`web/assignment`). It is fixed for good by
//! `schemas/vectors/bucketing.json`: changing it would move the holdout. What a bucket meant on the day of
//! assignment is [`Assigned`], which is kept.

mod log;

pub use log::Assigned;

use std::hash::Hasher;

use siphasher::sip::SipHasher13;
use tercet_types::{Error, Result};

/// The number of buckets; a rate is resolved to 1 / 10,000.
pub const BUCKETS: u16 = 10_000;

/// The largest share that may be held out.
pub const MAX_HOLDOUT_RATE: f64 = 0.5;

/// Stands between salt and customer id (ASCII unit separator).
const SEPARATOR: u8 = 0x1f;

/// What a customer is assigned for; different salts are independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Salt<'a> {
    /// The holdout that never gets offers.
    Holdout,
    /// The slice in which offers are drawn at random.
    Exploration,
    /// Engine against engine, in no experiment of a name: also who comes first among equals.
    EngineAb,
    /// Engine against engine in the experiment of that name; names are independent of each other, too.
    Experiment(&'a str),
}

impl Salt<'_> {
    /// All salts without a name of their own.
    pub const ALL: [Salt<'static>; 3] = [Salt::Holdout, Salt::Exploration, Salt::EngineAb];

    /// What is hashed before the customer: `holdout`, `exploration`, `engine_ab` or `engine_ab:<name>`.
    pub fn text(self) -> String {
        self.parts().concat()
    }

    const fn parts(&self) -> [&str; 3] {
        match self {
            Self::Holdout => ["holdout", "", ""],
            Self::Exploration => ["exploration", "", ""],
            Self::EngineAb => ["engine_ab", "", ""],
            Self::Experiment(name) => ["engine_ab", ":", name],
        }
    }
}

/// The two arms of the holdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arm {
    /// Gets offers.
    Treatment,
    /// Gets nothing, ever.
    Control,
}

impl Arm {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Treatment => "treatment",
            Self::Control => "control",
        }
    }
}

/// The two arms of an engine test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TestArm {
    /// Decided for by the engine under test.
    Test,
    /// Decided for by the other engine, or by none.
    Baseline,
}

impl TestArm {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Baseline => "baseline",
        }
    }
}

/// The keyed hash of a customer for a salt: SipHash-1-3 (Aumasson & Bernstein 2012,
/// doi:10.1007/978-3-642-34931-7_28) of `salt ++ 0x1f ++ customer_id` in UTF-8.
///
/// `hash / 2^64` is uniform on `[0, 1)`.
pub fn hash(key: &[u8; 16], salt: Salt<'_>, customer_id: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_key(key);
    salt.parts().iter().for_each(|part| hasher.write(part.as_bytes()));
    hasher.write(&[SEPARATOR]);
    hasher.write(customer_id.as_bytes());
    hasher.finish()
}

/// The bucket of a customer: `⌊hash / 2^64 · 10,000⌋` in integers, `0 ..= 9,999`.
///
/// ```
/// use tercet_measurement::assignment::{Salt, bucket};
/// let key = [7; 16];
/// assert_eq!(bucket(&key, Salt::Holdout, "17"), bucket(&key, Salt::Holdout, "17"));
/// ```
pub fn bucket(key: &[u8; 16], salt: Salt<'_>, customer_id: &str) -> u16 {
    ((u128::from(hash(key, salt, customer_id)) * u128::from(BUCKETS)) >> 64) as u16
}

/// A share of the customers: those in the first buckets, so that a larger share only adds to a smaller one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    buckets: u16,
}

impl Share {
    /// Nobody.
    pub const NONE: Self = Self { buckets: 0 };

    /// A share, rounded to 1 / 10,000.
    ///
    /// # Errors
    /// `T0713` (config) when it is not within `0 ..= 1`.
    pub fn new(rate: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&rate) {
            return Err(Error::config("T0713", format!("share {rate} is not within 0 to 1"))
                .hint("start with a small share, for example 0.01"));
        }
        Ok(Self::of_rate(rate))
    }

    fn of_rate(rate: f64) -> Self {
        Self { buckets: (rate * f64::from(BUCKETS)).round() as u16 }
    }

    /// True for a bucket of the share.
    pub const fn holds(self, bucket: u16) -> bool {
        bucket < self.buckets
    }

    /// The number of its buckets.
    pub const fn buckets(self) -> u16 {
        self.buckets
    }

    /// The share, after rounding.
    pub fn rate(self) -> f64 {
        f64::from(self.buckets) / f64::from(BUCKETS)
    }
}

/// The persistent holdout: the same customers are in control as long as the key stays, and a
/// larger rate only adds to them.
#[derive(Clone, Debug)]
pub struct Holdout {
    key: [u8; 16],
    share: Share,
}

impl Holdout {
    /// A holdout of `rate`, rounded to 1 / 10,000.
    ///
    /// # Errors
    /// `T0710` (config) when the rate is not within `0 ..= 0.5`.
    pub fn new(key: [u8; 16], rate: f64) -> Result<Self> {
        if !(0.0..=MAX_HOLDOUT_RATE).contains(&rate) {
            return Err(Error::config(
                "T0710",
                format!("holdout rate {rate} is not within 0 to 0.5"),
            )
            .hint("hold out a small share, for example 0.05"));
        }
        Ok(Self { key, share: Share::of_rate(rate) })
    }

    /// The arm of a customer.
    pub fn arm(&self, customer_id: &str) -> Arm {
        if self.share.holds(bucket(&self.key, Salt::Holdout, customer_id)) {
            Arm::Control
        } else {
            Arm::Treatment
        }
    }

    /// The share held out.
    pub const fn share(&self) -> Share {
        self.share
    }

    /// The share held out, after rounding.
    pub fn rate(&self) -> f64 {
        self.share.rate()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::srm::srm;

    #[test]
    fn rates_are_checked_and_rounded() {
        let check = |rate: f64, expect: Option<u16>| {
            let holdout = Holdout::new([0; 16], rate).ok();
            assert_eq!(holdout.map(|holdout| holdout.share().buckets()), expect, "{rate}");
        };
        check(0.0, Some(0));
        check(0.07, Some(700));
        check(0.29, Some(2_900));
        check(0.5, Some(5_000));
        check(0.500_1, None);
        check(-0.01, None);
        check(f64::NAN, None);
    }

    #[test]
    fn a_roll_out_only_adds_from_nobody_to_everybody() {
        let stages = [0.0, 0.01, 0.1, 0.5, 1.0].map(|rate| Share::new(rate).unwrap());
        let sizes = stages.map(|share| (0..BUCKETS).filter(|bucket| share.holds(*bucket)).count());
        assert_eq!(sizes, [0, 100, 1_000, 5_000, 10_000]);
        for pair in stages.windows(2) {
            assert!((0..BUCKETS).all(|bucket| pair[1].holds(bucket) || !pair[0].holds(bucket)));
        }
        for rate in [-0.000_1, 1.000_1, f64::NAN] {
            assert_eq!(Share::new(rate).unwrap_err().code(), "T0713", "{rate}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn buckets_are_uniform_under_any_key_and_salts_are_independent(key: [u8; 16]) {
            let mut tenths = [0_u64; 10];
            let mut both = [0_u64; 4];
            for customer in 0..4_000 {
                let id = customer.to_string();
                let holdout = bucket(&key, Salt::Holdout, &id);
                tenths[usize::from(holdout / 1_000)] += 1;
                let other = bucket(&key, Salt::EngineAb, &id);
                both[usize::from(holdout / 5_000) * 2 + usize::from(other / 5_000)] += 1;
            }
            // A fair hash falls below 1e-7 about once in 300,000 runs of this test.
            prop_assert!(srm(&tenths, &[0.1; 10]).unwrap().p_value > 1e-7);
            prop_assert!(srm(&both, &[0.25; 4]).unwrap().p_value > 1e-7);
        }

        #[test]
        fn a_larger_holdout_contains_the_smaller(key: [u8; 16], id: String, a in 0.0..0.5_f64, b in 0.0..0.5_f64) {
            let arm = |rate| Holdout::new(key, rate).unwrap().arm(&id);
            if arm(a.min(b)) == Arm::Control {
                prop_assert_eq!(arm(a.max(b)), Arm::Control);
            }
        }
    }
}
