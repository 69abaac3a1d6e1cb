//! Which offers does the marketer insist on, and for whom?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::Engine;
use tercet_types::{Error, Result};

use super::audiences::customers_where;
use super::week::Week;
use crate::config::{Config, Pin};

/// Pins by promotion, in the order of the configuration.
pub(crate) struct Pins(BTreeMap<i32, Vec<(usize, BTreeSet<i32>)>>);

impl Pins {
    /// Reads `[[rules.pins]]`. A promotion may be pinned several times, for several audiences.
    ///
    /// # Errors
    /// `T1017` for a slot that is not there, `T1018` for a promotion that cannot be offered, `T1019` for a
    /// predicate that is not SQL over the customer master, `T1025` for a pin that an earlier one of the same
    /// promotion leaves nobody.
    pub(crate) fn read(engine: &Engine, week: &Week, config: &Config) -> Result<Self> {
        let mut found: BTreeMap<i32, Vec<(usize, BTreeSet<i32>)>> = BTreeMap::new();
        for (at, pin) in config.rules.pins.iter().enumerate() {
            let slot =
                config.slots.iter().position(|slot| slot.name == pin.slot).ok_or_else(|| {
                    Error::config(
                        "T1017",
                        format!("[[rules.pins]]: there is no slot '{}'", pin.slot),
                    )
                    .hint("name one of the [[slots]]")
                })?;
            let promotion = week.promotions.iter().find(|(_, known)| known.id == pin.promotion_id);
            let Some((ix, _)) = promotion.filter(|(_, known)| known.is_candidate) else {
                return Err(Error::config(
                    "T1018",
                    format!("[[rules.pins]]: promotion '{}' cannot be offered on {}", pin.promotion_id, week.as_of),
                )
                .hint("pin a promotion that is valid on the day and covers a product, or take the pin out"));
            };
            if let Some(earlier) = config.rules.pins[..at].iter().find(|other| hides(other, pin)) {
                return Err(twice(earlier, pin));
            }
            let who = match pin.predicate.trim() {
                "" => week.customers.keys().copied().collect(),
                predicate => customers_where(engine, predicate, "[[rules.pins]] where")?,
            };
            found.entry(*ix).or_default().push((slot, who));
        }
        Ok(Self(found))
    }

    /// The slot that a promotion is pinned to for a customer: that of the first pin whose audience the
    /// customer is in.
    pub(crate) fn slot(&self, promotion: i32, customer: i32) -> Option<usize> {
        let pins = self.0.get(&promotion)?;
        pins.iter().find(|(_, who)| who.contains(&customer)).map(|(slot, _)| *slot)
    }
}

/// True when nobody is left for the later of two pins: the earlier is for everybody, or for the same.
fn hides(earlier: &Pin, later: &Pin) -> bool {
    let (first, second) = (earlier.predicate.trim(), later.predicate.trim());
    earlier.promotion_id == later.promotion_id && (first.is_empty() || first == second)
}

fn twice(earlier: &Pin, later: &Pin) -> Error {
    let slots = match earlier.slot == later.slot {
        true => format!("slot '{}'", later.slot),
        false => format!("slots '{}' and '{}'", earlier.slot, later.slot),
    };
    let whom = match earlier.predicate.trim() {
        "" => "everybody".to_owned(),
        predicate => format!("those with {predicate}"),
    };
    Error::config(
        "T1025",
        format!(
            "[[rules.pins]]: promotion '{}' is pinned twice for {whom}, to {slots}",
            later.promotion_id
        ),
    )
    .hint("a customer gets a promotion once: take one pin out, or give each a `where` of its own; where audiences overlap, the pin that comes first holds")
}
