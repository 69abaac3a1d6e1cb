//! What does a customer look at in a week, and what do machines?

use crate::customer::Customer;
use crate::events::{AGENTS, CART, Events, LOGIN, PURCHASE, SOURCES, VIEW};
use crate::random::{Purpose, Stream};
use crate::week::{DAY_MICROS, SECOND_MICROS, State};
use crate::world::World;

/// When browsing begins on a day, and over how long, seconds.
const FROM_SECOND: f64 = 6.0 * 3_600.0;
const OVER_SECONDS: f64 = 15.0 * 3_600.0;

/// Most views of a session.
const VIEWS_MAX: u32 = 60;

/// One event.
struct Event {
    visitor_id: i64,
    at_micros: i64,
    event: u8,
    customer_id: Option<i64>,
    product: Option<u32>,
    device: u8,
    source: u8,
    agent: u8,
}

impl Events {
    fn visit(&mut self, event: &Event) {
        let visits = &mut self.visits;
        visits.visitor_id.push(event.visitor_id);
        visits.at_micros.push(event.at_micros);
        visits.event.push(event.event);
        visits.customer_id.push(event.customer_id);
        visits.product_id.push(event.product.map(|id| i64::from(id) + 1));
        visits.device.push(event.device);
        visits.source.push(event.source);
        visits.agent.push(event.agent);
    }
}

impl World {
    /// The customer's sessions of a week, and the bot that shares the customer's number, if there is one.
    /// `bought` is what the customer buys in the week without offers.
    pub(crate) fn browse(
        &self,
        customer: &Customer,
        week: u32,
        state: &mut State,
        bought: &[u32],
        out: &mut Events,
    ) {
        self.bot(customer.index, week, out);
        let browses = &self.settings.browsing;
        let mut stream = Stream::new(
            state.chance,
            Purpose::Browsing,
            u64::from(customer.index),
            u64::from(week),
        );
        let sessions = stream.poisson(customer.sessions_per_week);
        if sessions == 0 {
            return;
        }
        let tastes = self.tastes_of(customer, week);
        let monday = i64::from(self.start_day) + i64::from(7 * week);
        // In order of time, so that who has logged in stays so.
        let mut starts: Vec<f64> = (0..sessions).map(|_| 7.0 * stream.uniform()).collect();
        starts.sort_unstable_by(f64::total_cmp);
        for start in starts {
            let second = FROM_SECOND + OVER_SECONDS * start.fract();
            let mut at = (monday + start as i64) * DAY_MICROS + second as i64 * SECOND_MICROS;
            let mut event = Event {
                visitor_id: 2 * i64::from(customer.index) + 1,
                at_micros: at,
                event: VIEW,
                customer_id: None,
                product: None,
                device: customer.device,
                source: stream.below(SOURCES.len()) as u8,
                agent: customer.device,
            };
            if customer.login_week <= week {
                event.customer_id = Some(i64::from(customer.index) + 1);
                if !state.logged_in {
                    state.logged_in = true;
                    event.event = LOGIN;
                    out.visit(&event);
                }
            }
            let mut in_cart = false;
            let views = 1 + stream.poisson(browses.views - 1.0).min(VIEWS_MAX - 1);
            for _ in 0..views {
                let intent = !bought.is_empty() && stream.chance(browses.intent);
                event.product = if intent {
                    Some(bought[stream.below(bought.len())])
                } else if !customer.interests.is_empty() && stream.chance(browses.interest) {
                    let liked = customer.interests[stream.below(customer.interests.len())];
                    self.catalogue.product_of(&mut stream, liked, week as i32)
                } else {
                    self.look(&mut stream, &tastes, customer.novelty, week)
                };
                at += (15 + stream.below(90) as i64) * SECOND_MICROS;
                (event.at_micros, event.event) = (at, VIEW);
                out.visit(&event);
                if event.product.is_some() && stream.chance(browses.cart_rate) {
                    in_cart = true;
                    at += 5 * SECOND_MICROS;
                    (event.at_micros, event.event) = (at, CART);
                    out.visit(&event);
                }
            }
            if in_cart && !bought.is_empty() && stream.chance(0.3) {
                event.product = None;
                (event.at_micros, event.event) = (at + 60 * SECOND_MICROS, PURCHASE);
                out.visit(&event);
            }
        }
    }

    /// The one day of a bot.
    fn bot(&self, index: u32, week: u32, out: &mut Events) {
        let browses = &self.settings.browsing;
        let mut stream = Stream::new(self.seed, Purpose::Bots, u64::from(index), 0);
        let there = stream.chance(browses.bot_share);
        let day = stream.below(7 * self.size.weeks as usize) as u32;
        if !there || day / 7 != week {
            return;
        }
        let midnight = (i64::from(self.start_day) + i64::from(day)) * DAY_MICROS;
        for view in 0..i64::from(browses.bot_views) {
            out.visit(&Event {
                visitor_id: 2 * i64::from(index) + 2,
                at_micros: midnight + 2 * view * SECOND_MICROS,
                event: VIEW,
                customer_id: None,
                product: Some(stream.below(self.catalogue.products.len()) as u32),
                device: 1,
                source: 0,
                agent: (AGENTS.len() - 1) as u8,
            });
        }
    }
}
