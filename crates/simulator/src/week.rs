//! What does a customer buy in a week, and what of it because of the offers?
//!
//! What is bought without offers hangs on streams of its own, and offers never move what is due: the same
//! week with and without an offer differs by exactly what the offer did.

use tercet_types::mechanic::Mechanic;

use crate::customer::{Customer, ResponseClass};
use crate::events::{Events, Line};
use crate::promotions::BUY_QUANTITY;
use crate::random::{Purpose, Stream};
use crate::world::World;

/// Microseconds of a second and of a day.
pub(crate) const SECOND_MICROS: i64 = 1_000_000;
pub(crate) const DAY_MICROS: i64 = 86_400 * SECOND_MICROS;

/// When shops open, and for how long, seconds.
const OPEN_FROM: f64 = 7.0 * 3_600.0;
const OPEN_FOR: f64 = 14.0 * 3_600.0;

/// Most lines considered for an order.
const LINES_MAX: f64 = 200.0;

/// Most orders of a customer in a week: the id of an order holds the week and a number below this.
const ORDERS_MAX: u32 = 63;

/// Most of an order that due product types may take.
const NEEDS_SHARE: f64 = 0.6;

/// What changes in a customer from week to week.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// For each need, the day from which it is due, days since the world's first.
    pub due: Vec<f64>,
    /// Contacts in memory.
    pub contacts: f64,
    /// True when the customer has logged in.
    pub logged_in: bool,
    /// The seed of what is left to chance from here on: the world's own, until somebody draws another. Who
    /// customers are, what they like and what is sold does not hang on it.
    pub chance: u64,
}

/// Whether a customer uses an offer.
struct Use {
    /// It is remembered when a line it holds for is bought anyway.
    noticed: bool,
    /// It has been used.
    done: bool,
}

/// A line that an offer brought.
struct Extra {
    offer: usize,
    product: u32,
    order: usize,
}

impl World {
    /// The chance that an offer brings an extra line of this customer in this week; 0 for who is not
    /// persuadable. This is the truth that `truth/FORMULA.md` writes down.
    pub fn uplift(&self, customer: &Customer, week: u32, contacts: f64, promotion: u32) -> f64 {
        if customer.class != ResponseClass::Persuadable {
            return 0.0;
        }
        let response = &self.settings.response;
        let offer = &self.promotions.all[promotion as usize];
        let focus = &self.catalogue.products[offer.focus as usize];
        let buys = &self.settings.purchases;
        let new = focus.is_new(week as i32, buys.novelty_weeks);
        let novelty = if new && buys.novelty > 0.0 {
            response.new_factor * customer.novelty / buys.novelty
        } else {
            1.0
        };
        let fit = self.fit(customer, promotion);
        let chance = customer.responsiveness
            * offer.appeal
            * customer.tastes[focus.department as usize]
            * fit
            * novelty
            * (-customer.fatigue * contacts).exp();
        chance.min(response.uplift_max)
    }

    /// How many times likelier than any other a promotion brings a line, for what it holds for.
    fn fit(&self, customer: &Customer, promotion: u32) -> f64 {
        let response = &self.settings.response;
        let offer = &self.promotions.all[promotion as usize];
        let focus = self.catalogue.products[offer.focus as usize].product_type;
        if offer.breadth > response.need_products_max {
            1.0
        } else if self.needed(customer, promotion).is_some() {
            response.need_factor
        } else if customer.needs.iter().any(|need| need.product_type == focus) {
            response.type_factor
        } else if customer.interests.binary_search(&focus).is_ok() {
            response.interest_factor
        } else {
            1.0
        }
    }

    /// The favourite product of the first need that a promotion is felt to be on.
    pub(crate) fn needed(&self, customer: &Customer, promotion: u32) -> Option<u32> {
        let offer = &self.promotions.all[promotion as usize];
        if offer.breadth > self.settings.response.need_products_max {
            return None;
        }
        customer
            .needs
            .iter()
            .map(|need| need.product)
            .find(|&id| offer.covers(id, &self.catalogue.products[id as usize]))
    }

    /// Chance that a line considered is bought: its own-price elasticity is the customer's.
    fn accepts(&self, stream: &mut Stream, customer: &Customer, depth: f64) -> bool {
        let chance = self.settings.purchases.accept_rate;
        let chance =
            if depth > 0.0 { chance * (1.0 - depth).powf(-customer.elasticity) } else { chance };
        stream.chance(chance)
    }

    /// A product that somebody with these tastes (running totals) looks at in a week.
    pub(crate) fn look(
        &self,
        stream: &mut Stream,
        tastes: &[f64],
        novelty: f64,
        week: u32,
    ) -> Option<u32> {
        if stream.chance(novelty)
            && let Some(product) = self.catalogue.fresh(stream, week)
        {
            return Some(product);
        }
        let department = stream.pick(tastes);
        let product_type = self.catalogue.type_of(stream, department);
        self.catalogue.product_of(stream, product_type, week as i32)
    }

    /// Running totals of a customer's tastes in a week's season.
    pub(crate) fn tastes_of(&self, customer: &Customer, week: u32) -> Vec<f64> {
        let season = &self.season[week as usize % self.season.len()];
        crate::random::cumulative(
            customer.tastes.iter().zip(season).map(|(taste, factor)| taste * factor),
        )
    }

    /// What the customer would buy in the week without any offer: for each order its day and products.
    fn natural(&self, customer: &Customer, week: u32, state: &mut State) -> Vec<(u32, Vec<u32>)> {
        let buys = &self.settings.purchases;
        let mut stream = Stream::new(
            state.chance,
            Purpose::Purchases,
            u64::from(customer.index),
            u64::from(week),
        );
        let count = stream.poisson(customer.orders_per_week).min(ORDERS_MAX - 1);
        if count == 0 {
            return Vec::new();
        }
        let mut days: Vec<u32> = (0..count).map(|_| stream.below(7) as u32).collect();
        days.sort_unstable();
        let tastes = self.tastes_of(customer, week);
        let mut orders = Vec::with_capacity(days.len());
        for day in days {
            let today = f64::from(7 * week + day);
            let size = stream.log_normal(customer.lines_median, buys.lines_spread).min(LINES_MAX);
            let considered = stream.round(size) as usize;
            let for_needs = (considered as f64 * NEEDS_SHARE).ceil() as usize;
            let mut products = Vec::with_capacity(considered);
            let mut seen = 0;
            // Begin anywhere, so that no need is always the first.
            let begin = stream.below(customer.needs.len().max(1));
            for step in 0..customer.needs.len() {
                let index = (begin + step) % customer.needs.len();
                if state.due[index] > today || seen >= for_needs {
                    continue;
                }
                seen += 1;
                let need = &customer.needs[index];
                let favourite = self.catalogue.products[need.product as usize].on_sale(week as i32)
                    && stream.chance(buys.loyalty);
                let product = if favourite {
                    Some(need.product)
                } else {
                    self.catalogue.product_of(&mut stream, need.product_type, week as i32)
                };
                let Some(product) = product else { continue };
                let depth = self.catalogue.shelf_depth(product, week);
                if self.accepts(&mut stream, customer, depth) {
                    state.due[index] = today + need.cycle_days * stream.gamma(buys.cycle_shape);
                    products.push(product);
                }
            }
            for _ in seen..considered {
                if let Some(product) = self.look(&mut stream, &tastes, customer.novelty, week) {
                    let depth = self.catalogue.shelf_depth(product, week);
                    if self.accepts(&mut stream, customer, depth) {
                        products.push(product);
                    }
                }
            }
            orders.push((day, products));
        }
        orders
    }

    /// One week of one customer under these offers (promotions, from 0): a function of world, customer,
    /// state and offers alone. Rows go to `out`; `state` becomes the next week's.
    pub fn week(
        &self,
        customer: &Customer,
        week: u32,
        state: &mut State,
        offers: &[u32],
        out: &mut Events,
    ) {
        let natural = self.purchases(customer, week, state, offers, out);
        self.browse(customer, week, state, &natural, out);
    }

    /// The same without browsing, on which nothing else hangs. Returns what is bought without offers.
    pub fn purchases(
        &self,
        customer: &Customer,
        week: u32,
        state: &mut State,
        offers: &[u32],
        out: &mut Events,
    ) -> Vec<u32> {
        let monday = self.start_day + 7 * week as i32;
        let id = i64::from(customer.index) + 1;
        for &promotion in offers {
            out.sent.customer_id.push(id);
            out.sent.promotion_id.push(i64::from(promotion) + 1);
            out.sent.day.push(monday);
        }
        let mut orders = self.natural(customer, week, state);
        let natural: Vec<u32> = orders.iter().flat_map(|(_, products)| products).copied().collect();
        let mut answers: Vec<Stream> = offers
            .iter()
            .map(|&promotion| {
                let key = u64::from(week) << 32 | u64::from(promotion);
                Stream::new(state.chance, Purpose::Response, u64::from(customer.index), key)
            })
            .collect();
        let extras = self.extras(customer, week, state.contacts, offers, &mut answers, &mut orders);
        let mut uses: Vec<Use> = answers
            .iter_mut()
            .map(|stream| Use { noticed: stream.chance(customer.redeem_rate), done: false })
            .collect();
        for (number, (day, products)) in orders.iter().enumerate() {
            let added = extras.iter().filter(|extra| extra.order == number);
            let bought = products
                .iter()
                .map(|&product| (product, None))
                .chain(added.map(|extra| (extra.product, Some(extra.offer))));
            let chance = state.chance;
            let order = Order { customer, chance, week, day: *day, number: number as u32 };
            self.order(&order, bought, offers, &mut answers, &mut uses, out);
        }
        let memory = self.settings.response.fatigue_memory;
        state.contacts = state.contacts * memory + f64::from(u8::from(!offers.is_empty()));
        natural
    }

    /// The lines that offers bring, each in an order of the week, or in one of its own.
    fn extras(
        &self,
        customer: &Customer,
        week: u32,
        contacts: f64,
        offers: &[u32],
        answers: &mut [Stream],
        orders: &mut Vec<(u32, Vec<u32>)>,
    ) -> Vec<Extra> {
        let natural = orders.len();
        let mut extras = Vec::new();
        for (offer, &promotion) in offers.iter().enumerate() {
            let stream = &mut answers[offer];
            // Somebody who never bought has no order to add to, and is not moved by offers on goods.
            let chance = self.uplift(customer, week, contacts, promotion);
            let (comes, place) = (stream.chance(chance), stream.uniform());
            if !comes || customer.orders_per_week == 0.0 {
                continue;
            }
            let focus = self.promotions.all[promotion as usize].focus;
            let product = self.needed(customer, promotion).unwrap_or(focus);
            if !self.catalogue.products[product as usize].on_sale(week as i32) {
                continue;
            }
            let order = if natural > 0 {
                (place * natural as f64) as usize
            } else {
                orders.push(((place * 7.0) as u32, Vec::new()));
                orders.len() - 1
            };
            extras.push(Extra { offer, product, order });
        }
        extras
    }

    /// Prices one order, applies offers, and writes its lines, redemptions and returns.
    fn order(
        &self,
        order: &Order<'_>,
        bought: impl Iterator<Item = (u32, Option<usize>)>,
        offers: &[u32],
        answers: &mut [Stream],
        uses: &mut [Use],
        out: &mut Events,
    ) {
        let mut stream = order.stream();
        let start = i64::from(self.start_day) + i64::from(7 * order.week + order.day);
        let second = (OPEN_FROM + OPEN_FOR * stream.uniform()) as i64;
        let at_micros = start * DAY_MICROS + second * SECOND_MICROS;
        let mut lines: Vec<(Line, Option<usize>)> = Vec::new();
        for (product, brought_by) in bought {
            let quantity = 1 + i64::from(stream.poisson(0.2));
            let of = &self.catalogue.products[product as usize];
            let promised = offers
                .iter()
                .position(|&promotion| self.promotions.all[promotion as usize].covers(product, of));
            let offer = brought_by.or(promised);
            if let (None, Some(offer)) = (brought_by, offer) {
                let customer = order.customer;
                if customer.class == ResponseClass::PutOff
                    && answers[offer].chance(-customer.responsiveness)
                {
                    continue;
                }
            }
            let full = of.price_minor * quantity;
            let discount_minor =
                (full as f64 * self.catalogue.shelf_depth(product, order.week)).round() as i64;
            let line = Line {
                order_id: order.id(),
                customer_id: i64::from(order.customer.index) + 1,
                product,
                at_micros,
                quantity,
                amount_minor: full - discount_minor,
                discount_minor,
                coupon_discount_minor: 0,
                original_order_id: None,
            };
            let wants = offer.filter(|&offer| {
                if brought_by.is_some() {
                    answers[offer].chance(self.settings.response.use_rate)
                } else {
                    uses[offer].noticed
                }
            });
            lines.push((line, wants));
        }
        let basket: i64 = lines.iter().map(|(line, _)| line.amount_minor).sum();
        for (line, wants) in &mut lines {
            let Some(offer) = wants.filter(|&offer| !uses[offer].done) else { continue };
            let promotion = &self.promotions.all[offers[offer] as usize];
            if basket < promotion.threshold_minor {
                continue;
            }
            let discount = match promotion.mechanic {
                Mechanic::Percent => (line.amount_minor as f64 * promotion.depth).round() as i64,
                Mechanic::BuyXGetY => {
                    line.take_at_least(BUY_QUANTITY + 1);
                    line.amount_minor / line.quantity
                }
                _ => promotion.value_minor.min(line.amount_minor),
            };
            line.amount_minor -= discount;
            line.coupon_discount_minor = discount;
            uses[offer].done = true;
            out.used.customer_id.push(line.customer_id);
            out.used.promotion_id.push(i64::from(offers[offer]) + 1);
            out.used.day.push(start as i32);
            out.used.order_id.push(line.order_id);
            out.used.discount_minor.push(discount);
        }
        let return_rate = self.settings.purchases.return_rate;
        for (line, _) in &lines {
            out.lines.push(line);
            if stream.chance(return_rate) {
                out.lines.push(&line.taken_back(order, stream.below(5)));
            }
        }
    }
}

/// An order of the week.
struct Order<'a> {
    customer: &'a Customer,
    chance: u64,
    week: u32,
    day: u32,
    number: u32,
}

impl Order<'_> {
    /// An id of its own: customer, week, number.
    fn id(&self) -> i64 {
        let place = i64::from(self.week * (ORDERS_MAX + 1) + self.number);
        (i64::from(self.customer.index) + 1) * 1_000_000 + place
    }

    /// Chance of prices and times: apart from what is bought, and from offers.
    fn stream(&self) -> Stream {
        let key = u64::from(self.week) << 32 | u64::from(self.number + 1);
        Stream::new(self.chance, Purpose::Purchases, u64::from(self.customer.index), key << 8)
    }
}

impl Line {
    /// Raises the units to `least` at the line's own price.
    const fn take_at_least(&mut self, least: i64) {
        if self.quantity < least {
            self.amount_minor = self.amount_minor * least / self.quantity;
            self.discount_minor = self.discount_minor * least / self.quantity;
            self.quantity = least;
        }
    }

    /// The line that takes this one back some days later, within the week.
    fn taken_back(&self, order: &Order<'_>, days: usize) -> Self {
        let days = (1 + days as i64).min(6 - i64::from(order.day));
        let later = if days > 0 { days * DAY_MICROS } else { 600 * SECOND_MICROS };
        Self {
            order_id: self.order_id + 500_000,
            at_micros: self.at_micros + later,
            quantity: -self.quantity,
            amount_minor: -self.amount_minor,
            discount_minor: 0,
            coupon_discount_minor: 0,
            original_order_id: Some(self.order_id),
            ..*self
        }
    }
}
