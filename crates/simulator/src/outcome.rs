//! What came of a customer's week, in numbers that add up?

use std::ops::AddAssign;

use crate::events::Events;
use crate::world::World;

/// What a customer did in one week, or in several added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Weeks with an order.
    pub weeks_ordered: u32,
    /// Offers made.
    pub offers: u32,
    /// Offers used.
    pub redeemed: u32,
    /// Products bought again: those that the customer had bought in an earlier week.
    pub repeats: u32,
    /// Products never bought before that were bought with an offer.
    pub new_products: u32,
    /// Products never bought before.
    pub first_purchases: u32,
    /// Products bought for the first time while they were new in the shop.
    pub launches: u32,
    /// What was paid, less what was brought back, minor units.
    pub revenue_minor: i64,
    /// Margin on that, less what offers cost, minor units.
    pub margin_minor: i64,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.weeks_ordered += other.weeks_ordered;
        self.offers += other.offers;
        self.redeemed += other.redeemed;
        self.repeats += other.repeats;
        self.new_products += other.new_products;
        self.first_purchases += other.first_purchases;
        self.launches += other.launches;
        self.revenue_minor += other.revenue_minor;
        self.margin_minor += other.margin_minor;
    }
}

/// What a customer has bought so far: products, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(Vec<u32>);

/// A place between the rows of [`Events`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub(crate) lines: usize,
    pub(crate) sent: usize,
    pub(crate) used: usize,
}

impl Events {
    /// The place behind all rows so far.
    pub fn mark(&self) -> Mark {
        Mark {
            lines: self.lines.order_id.len(),
            sent: self.sent.customer_id.len(),
            used: self.used.customer_id.len(),
        }
    }
}

impl World {
    /// What the rows from `from` on, one customer's of one week, come to. `memory` is what the customer had
    /// bought before, and learns what was bought now.
    ///
    /// The margin of a line is the product's `margin_rate` of what it costs before the offer, less what the
    /// offer takes off.
    pub fn outcome(&self, week: u32, events: &Events, from: Mark, memory: &mut Memory) -> Outcome {
        let lines = &events.lines;
        let mut bought: Vec<u32> = Vec::new();
        let mut with_offer: Vec<u32> = Vec::new();
        let mut outcome = Outcome {
            offers: (events.sent.customer_id.len() - from.sent) as u32,
            redeemed: (events.used.customer_id.len() - from.used) as u32,
            ..Outcome::default()
        };
        for line in from.lines..lines.order_id.len() {
            let product = (lines.product_id[line] - 1) as u32;
            let (paid, coupon) = (lines.amount_minor[line], lines.coupon_discount_minor[line]);
            let rate = self.catalogue.products[product as usize].margin_rate;
            outcome.revenue_minor += paid;
            outcome.margin_minor += ((paid + coupon) as f64 * rate).round() as i64 - coupon;
            if lines.kind[line] == 0 {
                bought.push(product);
                if coupon > 0 {
                    with_offer.push(product);
                }
            }
        }
        bought.sort_unstable();
        bought.dedup();
        outcome.weeks_ordered = u32::from(!bought.is_empty());
        for product in &bought {
            match memory.0.binary_search(product) {
                Ok(_) => outcome.repeats += 1,
                Err(_) => {
                    outcome.first_purchases += 1;
                    outcome.new_products += u32::from(with_offer.contains(product));
                    let novelty_weeks = self.settings.purchases.novelty_weeks;
                    let of = &self.catalogue.products[*product as usize];
                    outcome.launches += u32::from(of.is_new(week as i32, novelty_weeks));
                }
            }
        }
        memory.0.extend(bought);
        memory.0.sort_unstable();
        memory.0.dedup();
        outcome
    }
}
