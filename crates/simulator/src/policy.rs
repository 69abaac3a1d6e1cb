//! Whom did the shop send which offers so far?
//!
//! More to better customers, and rather what they buy anyway: what they buy afterwards says little about
//! what the offers did. That is the confounding that a method must see through.

use crate::customer::Customer;
use crate::random::{Purpose, Stream};
use crate::world::World;

impl World {
    /// The offers (promotions, from 0) of the shop's policy for a customer in a week.
    pub fn legacy_offers(&self, customer: &Customer, week: u32) -> Vec<u32> {
        let policy = &self.settings.policy;
        let running = self.promotions.running(week);
        if !customer.consent || customer.orders_per_week <= 0.0 || running.is_empty() {
            return Vec::new();
        }
        let mut stream =
            Stream::new(self.seed, Purpose::Policy, u64::from(customer.index), u64::from(week));
        let quality = (customer.orders_per_week / self.settings.purchases.orders_per_week).ln();
        let odds = (policy.contact_rate / (1.0 - policy.contact_rate)).ln();
        let odds = odds + policy.quality_weight * quality;
        if !stream.chance(1.0 / (1.0 + (-odds).exp())) {
            return Vec::new();
        }
        // The largest of scores plus Gumbel noise: a draw without replacement in proportion to exp(score).
        let mut scored: Vec<(f64, u32)> = running
            .iter()
            .map(|&promotion| {
                let noise = -(-(1.0 - stream.uniform()).ln()).ln();
                let favourite =
                    policy.favourite_weight > 0.0 && self.needed(customer, promotion).is_some();
                let score = if favourite { policy.favourite_weight } else { 0.0 };
                (score + noise, promotion)
            })
            .collect();
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.truncate(policy.offers as usize);
        scored.into_iter().map(|(_, promotion)| promotion).collect()
    }

    /// The offers (promotions, from 0) that somebody would make who knows the truth: those with the largest
    /// true effect in this week. No engine can expect more of so many offers, but for what they tire.
    pub fn oracle_offers(
        &self,
        customer: &Customer,
        week: u32,
        contacts: f64,
        offers: usize,
    ) -> Vec<u32> {
        if !customer.consent {
            return Vec::new();
        }
        let running = self.promotions.running(week);
        let mut scored: Vec<(f64, u32)> = running
            .iter()
            .map(|&promotion| (self.uplift(customer, week, contacts, promotion), promotion))
            .collect();
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.truncate(offers);
        scored.into_iter().map(|(_, promotion)| promotion).collect()
    }
}
