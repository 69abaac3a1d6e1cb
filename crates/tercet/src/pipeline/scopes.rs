//! Where does a promotion hold, and where does a customer shop?

use std::collections::{BTreeMap, BTreeSet};

use tercet_allocation::{Candidate, Customer, MAX_CHANNELS, Problem, Promotion, Slot as PlainSlot};
use tercet_types::{Error, Result};

use super::week::{KnownCustomer, KnownPromotion, Week, listed};
use crate::config::Slot;

/// Stores and channels as allocation counts them; only those that a promotion or a slot names.
pub(crate) struct Scopes {
    stores: BTreeMap<String, u32>,
    channels: BTreeMap<String, u8>,
}

impl Scopes {
    /// The stores and channels that the week's candidates and the slots name.
    ///
    /// # Errors
    /// `T1026` for more channels than there can be.
    pub(crate) fn of(week: &Week, slots: &[Slot]) -> Result<Self> {
        let known = || week.promotions.values().filter(|promotion| promotion.is_candidate);
        let stores: BTreeSet<&String> = known().flat_map(|p| p.stores.iter().flatten()).collect();
        let mut channels: BTreeSet<String> =
            known().flat_map(|p| p.channels.iter().flatten()).cloned().collect();
        channels.extend(slots.iter().filter_map(shown_in));
        if channels.len() > MAX_CHANNELS {
            return Err(Error::data(
                "T1026",
                format!("promotions and slots name {} channels", channels.len()),
            )
            .hint(format!("map the shop's channels to {MAX_CHANNELS} or fewer")));
        }
        Ok(Self {
            stores: stores.into_iter().cloned().zip(0..).collect(),
            channels: channels.into_iter().zip(0..).collect(),
        })
    }

    /// The channel that a slot is shown in.
    pub(crate) fn of_slot(&self, slot: &Slot) -> Option<u8> {
        shown_in(slot).and_then(|channel| self.channels.get(&channel).copied())
    }

    /// A promotion with its scope; limits are left out.
    pub(crate) fn of_promotion(&self, known: &KnownPromotion) -> Promotion {
        let stores = known.stores.as_ref().map(|stores| {
            stores.iter().filter_map(|store| self.stores.get(store).copied()).collect()
        });
        let channels = known.channels.as_ref().map(|channels| self.bits(channels));
        Promotion { stores, channels, ..Promotion::default() }
    }

    /// A customer with where he or she shops; all else is left out.
    pub(crate) fn of_customer(&self, known: &KnownCustomer) -> Customer {
        let store = known.home_store.as_ref().and_then(|store| self.stores.get(store).copied());
        let channels = listed(known.channels.as_deref()).map_or(0, |list| self.bits(&list));
        let refused_channels = if known.agreed_to_channels { !channels } else { 0 };
        Customer { store, channels, refused_channels, ..Customer::default() }
    }

    /// True when scope alone keeps the promotion from the customer in no slot of the slate.
    pub(crate) fn reach(
        &self,
        slots: &[Slot],
        promotion: &KnownPromotion,
        customer: &KnownCustomer,
    ) -> bool {
        let slot = |slot: &Slot| PlainSlot { name: String::new(), channel: self.of_slot(slot) };
        let mut problem = Problem {
            slots: slots.iter().map(slot).collect(),
            promotions: vec![self.of_promotion(promotion)],
            ..Problem::default()
        };
        let candidate = Candidate {
            promotion: 0,
            slots: u8::MAX,
            value_minor: 0,
            expected_cost_minor: 0,
            margin_loss_minor: 0,
            excluded: None,
        };
        let pushed = problem.customers.push(self.of_customer(customer), &[candidate], &[]);
        pushed.is_ok() && problem.scope_refusal(0, &candidate).is_none()
    }

    fn bits(&self, channels: &BTreeSet<String>) -> u64 {
        let bit = |channel: &String| self.channels.get(channel).map_or(0, |at| 1 << at);
        channels.iter().map(bit).sum()
    }
}

fn shown_in(slot: &Slot) -> Option<String> {
    Some(slot.channel.trim().to_lowercase()).filter(|channel| !channel.is_empty())
}
