//! Which parameters does a world have, and between which bounds?

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use tercet_types::{Date, Error, Result};

/// A section of `world.toml`: its struct, its defaults, its bounds and its commented text, from one list.
macro_rules! section {
    ($(#[$meta:meta])* $name:ident = $section:literal {
        $(#[doc = $doc:literal] $field:ident: $ty:ty = $default:expr, $low:literal ..= $high:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(#[doc = $doc] pub $field: $ty,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $name {
            fn check(&self) -> Result<()> {
                $(if !($low as f64..=$high as f64).contains(&f64::from(self.$field)) {
                    return Err(Error::config(
                        "T1101",
                        format!("world: {}.{} is {:?}", $section, stringify!($field), self.$field),
                    )
                    .hint(format!("it must lie between {} and {}", $low, $high)));
                })*
                Ok(())
            }

            fn describe(&self, text: &mut String) {
                let _ = writeln!(text, "\n[{}]", $section);
                $(let _ = writeln!(
                    text, "#{} ({} to {})\n{} = {:?}", $doc, $low, $high, stringify!($field), self.$field
                );)*
            }
        }
    };
}

section! {
    /// Who the customers are.
    Customers = "customers" {
        /// Regions that customers live in.
        regions: u32 = 8, 1..=64;
        /// Share of customers who may be sent offers.
        consent_rate: f64 = 0.9, 0..=1;
        /// Share who buy and are never seen browsing.
        transaction_only_share: f64 = 0.45, 0..=1;
        /// Share who browse and never buy; who is left does both.
        browsing_only_share: f64 = 0.15, 0..=1;
        /// Segments of taste: each customer is a mixture of two.
        taste_segments: u32 = 8, 1..=64;
        /// Shape of a segment's tastes for departments: the smaller, the more they differ.
        taste_shape: f64 = 0.8, 0.05..=100;
        /// Shape of a segment's tastes for product types within a department: the smaller, the more they differ.
        type_taste_shape: f64 = 0.6, 0.05..=100;
        /// Share of customers whom the shop's own segment column calls by another segment's name.
        segment_noise: f64 = 0.2, 0..=1;
    }
}

section! {
    /// What the shop sells.
    Products = "products" {
        /// Departments.
        departments: u32 = 12, 1..=200;
        /// Products of one product type, on average.
        products_per_type: f64 = 20.0, 1..=1000;
        /// Brands of a department; the first is the shop's own.
        brands_per_department: u32 = 12, 1..=1000;
        /// Standard deviation of the logarithm of a product's demand: how much a few products dominate.
        demand_spread: f64 = 1.5, 0..=4;
        /// Median price, minor units.
        price_minor: f64 = 230.0, 1..=1000000;
        /// Standard deviation of the logarithm of the price.
        price_spread: f64 = 0.72, 0..=3;
        /// Share of products launched within the weeks simulated.
        launch_share: f64 = 0.02, 0..=1;
        /// Share of products discontinued within the weeks simulated.
        discontinued_share: f64 = 0.05, 0..=1;
        /// Standard deviation of the logarithm of a new product's demand, which nobody knows beforehand.
        cold_demand_spread: f64 = 1.3, 0..=4;
        /// Share of products that are reduced on the shelf, for everybody, in a week.
        shelf_rate: f64 = 0.41, 0..=1;
        /// Least reduction on the shelf, share of the price.
        shelf_depth_min: f64 = 0.1, 0..=0.9;
        /// Largest reduction on the shelf, share of the price.
        shelf_depth_max: f64 = 0.4, 0..=0.9;
        /// Mean margin over net revenue.
        margin_rate: f64 = 0.3, 0.05..=0.9;
    }
}

section! {
    /// How customers buy.
    Purchases = "purchases" {
        /// Orders of a buying customer in a week, on average.
        orders_per_week: f64 = 1.26, 0.001..=50;
        /// Shape of the gamma distribution of that rate over customers (gamma-Poisson).
        orders_shape: f64 = 1.1, 0.05..=100;
        /// Median of the lines a customer considers for an order.
        lines_median: f64 = 8.8, 1..=500;
        /// Standard deviation of the logarithm of that, from order to order.
        lines_spread: f64 = 0.98, 0..=3;
        /// The same, from customer to customer.
        lines_customer_spread: f64 = 0.4, 0..=3;
        /// Chance that a line considered is bought at its regular price.
        accept_rate: f64 = 0.5, 0.01..=1;
        /// Product types a customer buys again and again, on average.
        needs_mean: f64 = 28.0, 0..=200;
        /// Median of the days between two purchases of such a product type.
        cycle_days: f64 = 20.0, 1..=1000;
        /// Standard deviation of the logarithm of that, from product type to product type.
        cycle_spread: f64 = 0.6, 0..=3;
        /// The same factor from customer to customer.
        tempo_spread: f64 = 0.3, 0..=3;
        /// Shape of the gamma distribution of one interval: the larger, the more regular.
        cycle_shape: f64 = 4.0, 0.2..=100;
        /// Chance that a due product type is bought as the customer's favourite product.
        loyalty: f64 = 0.8, 0..=1;
        /// How far a department's share swings over a year.
        season_amplitude: f64 = 0.25, 0..=1;
        /// Mean own-price elasticity, positive: one per cent cheaper sells so many per cent more.
        elasticity: f64 = 1.2, 0..=10;
        /// Standard deviation of the logarithm of the elasticity, from customer to customer.
        elasticity_spread: f64 = 0.4, 0..=2;
        /// Mean share of lines considered that are looked for among new products.
        novelty: f64 = 0.002, 0..=0.5;
        /// Shape of the gamma distribution of that taste over customers.
        novelty_shape: f64 = 0.8, 0.05..=100;
        /// Weeks that a product is new.
        novelty_weeks: u32 = 8, 1..=52;
        /// Share of lines brought back.
        return_rate: f64 = 0.01, 0..=1;
    }
}

section! {
    /// What the shop promotes.
    Promotions = "promotions" {
        /// Weight of percentages off.
        percent: f64 = 0.4, 0..=1;
        /// Weight of amounts off.
        money_off: f64 = 0.3, 0..=1;
        /// Weight of buy two, get one.
        buy_x_get_y: f64 = 0.2, 0..=1;
        /// Weight of amounts off above a basket value.
        threshold: f64 = 0.1, 0..=1;
        /// Fewest weeks that a promotion holds.
        weeks_min: u32 = 5, 1..=52;
        /// Most weeks that a promotion holds.
        weeks_max: u32 = 8, 1..=52;
        /// Share that holds for a few products; half of the others for a product type, then brand, then department.
        narrow_share: f64 = 0.6, 0..=1;
        /// Most products of a narrow promotion.
        narrow_products_max: u32 = 12, 1..=100;
        /// Share of narrow promotions that are made for a new product.
        new_share: f64 = 0.25, 0..=1;
        /// Least depth, share of the price.
        depth_min: f64 = 0.1, 0.01..=0.9;
        /// Largest depth, share of the price.
        depth_max: f64 = 0.5, 0.01..=0.9;
        /// Shape of the gamma distribution of a promotion's appeal.
        appeal_shape: f64 = 1.0, 0.05..=100;
        /// How appeal rises with depth: to this power.
        depth_power: f64 = 2.0, 0..=4;
    }
}

section! {
    /// What an offer does: the truth that engines are to find.
    Response = "response" {
        /// Share of customers whom offers make buy what they would not have bought.
        persuadable_share: f64 = 0.65, 0..=1;
        /// Share for whom offers only make cheaper what they buy anyway; who is left is put off.
        cheaper_share: f64 = 0.29, 0..=1;
        /// Chance of an extra line by one average offer to an average persuadable customer.
        uplift: f64 = 0.01, 0..=1;
        /// Shape of the gamma distribution of responsiveness over persuadable customers.
        uplift_shape: f64 = 2.0, 0.05..=100;
        /// How many times likelier an extra line is when the offer holds for what the customer needs.
        need_factor: f64 = 4.0, 1..=100;
        /// How many times likelier an extra line is when the offer holds for another product of a type that the customer needs.
        type_factor: f64 = 1.0, 1..=100;
        /// Product types a customer does not buy and would like, on average.
        interests_mean: f64 = 25.0, 0..=200;
        /// How many times likelier an extra line is when the offer holds for a product type that the customer would like.
        interest_factor: f64 = 40.0, 1..=100;
        /// How many times likelier an extra line of a new product is for who has an average taste for what is new.
        new_factor: f64 = 6.0, 0..=100;
        /// Most products of an offer that is felt to be on what the customer needs or would like: one on half the shop is on nothing.
        need_products_max: u32 = 100, 1..=1000000;
        /// Largest chance of an extra line by one offer.
        uplift_max: f64 = 0.8, 0..=1;
        /// Chance that an extra line uses the offer that brought it; the others come for having seen it.
        use_rate: f64 = 0.25, 0..=1;
        /// Chance that who is put off leaves out an eligible line.
        put_off: f64 = 0.3, 0..=1;
        /// Mean chance that a customer remembers an offer when buying anyway what it holds for.
        redeem_rate: f64 = 0.04, 0..=1;
        /// Mean loss of response by one contact in memory: the response falls by exp(-fatigue * contacts).
        fatigue: f64 = 0.08, 0..=5;
        /// Share of contacts still in memory a week later.
        fatigue_memory: f64 = 0.7, 0..=0.99;
    }
}

section! {
    /// Whom the shop sent offers so far: more to better customers.
    Policy = "policy" {
        /// Share of average customers contacted in a week.
        contact_rate: f64 = 0.35, 0.01..=0.99;
        /// How strongly the odds of a contact rise with the customer's order rate: the confounding.
        quality_weight: f64 = 0.9, 0..=10;
        /// Offers of a contact.
        offers: u32 = 3, 1..=10;
        /// How strongly offers go to what the customer buys anyway; 0 is by chance.
        favourite_weight: f64 = 1.0, 0..=100;
    }
}

section! {
    /// How customers and machines browse.
    Browsing = "browsing" {
        /// Sessions of a browsing customer in a week, on average.
        sessions_per_week: f64 = 0.8, 0..=50;
        /// Shape of the gamma distribution of that rate over customers.
        sessions_shape: f64 = 1.0, 0.05..=100;
        /// Products viewed in a session, on average.
        views: f64 = 4.0, 1..=50;
        /// Chance that a view is of what was bought in that week, for who buys.
        intent: f64 = 0.3, 0..=1;
        /// Chance that one of the other views is of a product type that the customer would like and does not buy.
        interest: f64 = 0.25, 0..=1;
        /// Chance that a viewed product goes into the cart.
        cart_rate: f64 = 0.12, 0..=1;
        /// Share of browsing customers who log in only later: until then they are nameless visitors.
        late_login_share: f64 = 0.4, 0..=1;
        /// Share of visits on phones; half of the others are on tablets for every fifth.
        mobile_share: f64 = 0.6, 0..=1;
        /// Bots, as a share of the number of customers.
        bot_share: f64 = 0.01, 0..=1;
        /// Views of a bot on its one day.
        bot_views: u32 = 150, 1..=10000;
    }
}

/// All parameters of a world; what `world.toml` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The first day, a Monday.
    pub start_on: String,
    /// Who the customers are.
    pub customers: Customers,
    /// What the shop sells.
    pub products: Products,
    /// How customers buy.
    pub purchases: Purchases,
    /// What the shop promotes.
    pub promotions: Promotions,
    /// What an offer does.
    pub response: Response,
    /// Whom the shop sent offers so far.
    pub policy: Policy,
    /// How customers and machines browse.
    pub browsing: Browsing,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            start_on: "2025-01-06".to_owned(),
            customers: Customers::default(),
            products: Products::default(),
            purchases: Purchases::default(),
            promotions: Promotions::default(),
            response: Response::default(),
            policy: Policy::default(),
            browsing: Browsing::default(),
        }
    }
}

impl Settings {
    /// The first day.
    ///
    /// # Errors
    /// `T1101` when it is no Monday.
    pub fn start(&self) -> Result<Date> {
        self.start_on.parse::<Date>().ok().filter(|day| day.is_monday()).ok_or_else(|| {
            Error::config("T1101", format!("world: start_on is '{}'", self.start_on))
                .hint("give a Monday, for example 2025-01-06")
        })
    }

    /// Holds every parameter against its bounds.
    ///
    /// # Errors
    /// `T1101` naming the first that lies outside.
    pub fn check(&self) -> Result<()> {
        self.start()?;
        self.customers.check()?;
        self.products.check()?;
        self.purchases.check()?;
        self.promotions.check()?;
        self.response.check()?;
        self.policy.check()?;
        self.browsing.check()?;
        let ordered = [
            (
                "products.shelf_depth_min",
                self.products.shelf_depth_min,
                self.products.shelf_depth_max,
            ),
            ("promotions.depth_min", self.promotions.depth_min, self.promotions.depth_max),
            (
                "promotions.weeks_min",
                f64::from(self.promotions.weeks_min),
                f64::from(self.promotions.weeks_max),
            ),
        ];
        if let Some((name, _, _)) = ordered.iter().find(|(_, low, high)| low > high) {
            return Err(Error::config("T1101", format!("world: {name} lies above its maximum"))
                .hint("lower it, or raise the key that ends in _max"));
        }
        let (customers, response, promotions) = (&self.customers, &self.response, &self.promotions);
        let shares = [
            ("customers", customers.transaction_only_share + customers.browsing_only_share),
            ("response", response.persuadable_share + response.cheaper_share),
        ];
        if let Some((name, _)) = shares.iter().find(|(_, sum)| *sum > 1.0 + 1e-9) {
            return Err(Error::config(
                "T1101",
                format!("world: the shares of [{name}] exceed one"),
            )
            .hint("the last group gets what is left: lower one of the two shares"));
        }
        let weights = [
            promotions.percent,
            promotions.money_off,
            promotions.buy_x_get_y,
            promotions.threshold,
        ];
        if weights.iter().sum::<f64>() <= 0.0 {
            return Err(Error::config("T1101", "world: no mechanic in [promotions] has a weight")
                .hint("give percent, money_off, buy_x_get_y or threshold a weight above zero"));
        }
        Ok(())
    }

    /// The text of `world.toml`: every parameter with its meaning and its bounds.
    pub fn to_toml(&self) -> String {
        let mut text = format!(
            "# A simulated world. Every parameter, with the bounds it must keep to.\n\n\
             # The first day, a Monday.\nstart_on = \"{}\"\n",
            self.start_on
        );
        self.customers.describe(&mut text);
        self.products.describe(&mut text);
        self.purchases.describe(&mut text);
        self.promotions.describe(&mut text);
        self.response.describe(&mut text);
        self.policy.describe(&mut text);
        self.browsing.describe(&mut text);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let check = |change: fn(&mut Settings), word: &str| {
            let mut settings = Settings::default();
            settings.check().unwrap();
            change(&mut settings);
            let error = settings.check().unwrap_err();
            assert_eq!(error.code(), "T1101");
            assert!(error.to_string().contains(word) && error.hint_text().is_some(), "{error}");
        };
        check(|s| s.start_on = "2025-01-07".to_owned(), "start_on");
        check(|s| s.purchases.loyalty = 1.5, "purchases.loyalty");
        check(|s| s.purchases.cycle_days = f64::NAN, "purchases.cycle_days");
        check(|s| s.promotions.depth_min = 0.8, "promotions.depth_min");
        check(|s| s.response.cheaper_share = 0.9, "[response]");
        check(|s| s.customers.browsing_only_share = 0.9, "[customers]");
        check(
            |s| {
                let p = &mut s.promotions;
                (p.percent, p.money_off, p.buy_x_get_y, p.threshold) = (0.0, 0.0, 0.0, 0.0);
            },
            "mechanic",
        );
    }
}
