//! Which products is each customer about to need again?

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tercet_types::Result;

use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Purchase, Purchases, Query, Recommender, Row, Training};

/// The days that an offer holds for: how often a product is needed is counted per week.
const WEEK_DAYS: f64 = 7.0;
const NAME: &str = "purchase-cycles";

/// When a product counts as due, and how much: an estimator of what each customer is about to need again.
///
/// How scores are made is said at [`Cycles`]. The defaults are those of
/// [`LegacyParams`](crate::legacy::LegacyParams), where it is said how they were chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PurchaseCycles {
    /// The days before the as-of day that are looked at.
    pub window_days: u32,
    /// How many intervals the product's usual interval counts for beside the customer's own, `>= 0`.
    pub prior_intervals: f64,
    /// What a product weighs that the customer bought on one day only, `[0, 1]`.
    pub single_weight: f64,
    /// How sharply dueness peaks at one interval; 0 would leave the rhythm out.
    pub sharpness: f64,
    /// Days from the as-of day to the day that dueness is judged for.
    pub ahead_days: f64,
    /// No longer due beyond this many intervals, `> 0`: the customer has stopped.
    pub lapsed_after: f64,
    /// The power with which the usual spend on a product counts: 0 does not look at it.
    pub spend_power: f64,
}

impl Default for PurchaseCycles {
    fn default() -> Self {
        Self {
            window_days: 364,
            prior_intervals: 2.0,
            single_weight: 0.15,
            sharpness: 0.5,
            ahead_days: 3.5,
            lapsed_after: 12.0,
            spend_power: 0.5,
        }
    }
}

/// One product that a customer is about to need again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DueProduct {
    /// The product's index.
    pub product: u32,
    /// Days since the customer's last purchase of it, at least 1.
    pub since_days: f64,
    /// The expected interval between purchases in days.
    pub interval_days: f64,
    /// What the customer pays for it on a day it is bought, on average; minor units.
    pub paid_minor: f64,
    /// Above zero; see [`Cycles`].
    pub score: f64,
}

/// Purchase intervals of every product as of one day.
///
/// The interval of a customer and product is the mean of the days between its purchase days, shrunk
/// towards the product's median over all customers (that of all products where nobody bought it twice):
/// `m = (Σ own + k · usual) / (number of own + k)` with `k = prior_intervals`. With
/// `r = (since + ahead_days) / m`, by default in the middle of the week that offers hold for,
///
/// `score = min(1, 7 / m) · (r · e^(1 − r))^sharpness · (paid / usual paid)^spend_power · single`
///
/// - `7 / m` is how often a week the product is needed;
/// - `r · e^(1 − r)` is 1 at one interval, small right after a purchase, and decays as the customer
///   lapses: the density of an Erlang-2 renewal process, scaled to its peak;
/// - `paid` is the customer's mean spend on the product a day it is bought, `usual paid` that of all;
/// - `single` is `single_weight` for a product bought on one day only, else 1.
///
/// Beyond `lapsed_after` intervals, and where nobody bought anything twice, nothing is due.
///
/// Sources: replenishment as a renewal process with Erlang-2 intervals, Chatfield and Goodhardt, "A
/// consumer purchasing model with Erlang inter-purchase times", Journal of the American
/// Statistical Association 68(344), 1973, 828-835; ratio of the time since the last purchase to a shrunk interval,
/// Bhagat et al., "Buy it again: modeling repeat purchase recommendations", KDD 2018,
/// doi:10.1145/3219819.3219891.
#[derive(Clone, Debug, PartialEq)]
pub struct Cycles {
    params: PurchaseCycles,
    as_of: i32,
    /// The median interval per product, in days; 0 where none was seen.
    product_days: Vec<f64>,
    /// The median interval of all products, in days; 0 where none was seen.
    usual_days: f64,
    /// The mean spend on a product a day that it is bought, minor units, at least 1.
    usual_minor: f64,
}

/// What a customer did with a product on one day.
#[derive(Clone, Copy)]
struct ProductDay {
    product: u32,
    day: i32,
    spend_minor: i64,
}

/// What is gathered of all customers.
#[derive(Default)]
struct Seen {
    /// Product and days between two purchases.
    intervals: Vec<(u32, u32)>,
    days: u64,
    spend_minor: i64,
}

impl Seen {
    fn and(mut self, mut other: Self) -> Self {
        self.intervals.append(&mut other.intervals);
        self.days += other.days;
        self.spend_minor += other.spend_minor;
        self
    }
}

impl Cycles {
    /// Learns from all purchases in the window before `as_of`.
    ///
    /// # Errors
    /// `T0405` for settings out of range.
    pub fn new(history: &Purchases, as_of: i32, params: PurchaseCycles) -> Result<Self> {
        check_setting(NAME, "prior_intervals", params.prior_intervals, 0.0..=f64::MAX)?;
        check_setting(NAME, "single_weight", params.single_weight, 0.0..=1.0)?;
        check_setting(NAME, "sharpness", params.sharpness, 0.0..=f64::MAX)?;
        check_setting(NAME, "ahead_days", params.ahead_days, 0.0..=f64::MAX)?;
        check_setting(NAME, "lapsed_after", params.lapsed_after, f64::MIN_POSITIVE..=f64::MAX)?;
        check_setting(NAME, "spend_power", params.spend_power, 0.0..=f64::MAX)?;
        let seen = history
            .all_customers()
            .map(|customer| {
                let days = by_product(history.window(customer, as_of, params.window_days));
                let intervals = days
                    .chunk_by(|a, b| a.product == b.product)
                    .flat_map(|same| intervals(same).map(|days| (same[0].product, days)));
                Seen {
                    intervals: intervals.collect(),
                    days: days.len() as u64,
                    spend_minor: days.iter().map(|day| day.spend_minor).sum(),
                }
            })
            .reduce(Seen::default, Seen::and);
        let mut intervals = seen.intervals;
        intervals.par_sort_unstable();
        let mut product_days = vec![0.0; history.products()];
        for same in intervals.chunk_by(|a, b| a.0 == b.0) {
            product_days[same[0].0 as usize] = middle(same, |(_, days)| f64::from(*days));
        }
        intervals.par_sort_unstable_by_key(|(_, days)| *days);
        let usual_days = middle(&intervals, |(_, days)| f64::from(*days));
        let usual_minor = (seen.spend_minor as f64 / seen.days.max(1) as f64).max(1.0);
        Ok(Self { params, as_of, product_days, usual_days, usual_minor })
    }

    /// The products due for one customer, by product index.
    pub fn due(&self, history: &Purchases, customer: u32) -> Vec<DueProduct> {
        self.due_for(&Query::of(history, customer, self.as_of))
    }

    fn due_for(&self, query: &Query<'_>) -> Vec<DueProduct> {
        let days = by_product(query.window(self.params.window_days));
        let same = days.chunk_by(|a, b| a.product == b.product);
        same.filter_map(|same| self.due_one(same, query.as_of)).collect()
    }

    /// The product's median interval over all customers in days, when one was seen.
    pub fn product_interval_days(&self, product: u32) -> Option<f64> {
        self.product_days.get(product as usize).copied().filter(|days| *days > 0.0)
    }

    /// `days` are the days on which a customer bought one product.
    fn due_one(&self, days: &[ProductDay], as_of: i32) -> Option<DueProduct> {
        let params = &self.params;
        let last = days.last()?;
        let usual = self.product_interval_days(last.product).unwrap_or(self.usual_days);
        let own: f64 = intervals(days).map(f64::from).sum();
        let count = (days.len() - 1) as f64 + params.prior_intervals;
        let interval_days = (own + params.prior_intervals * usual) / count;
        let since_days = f64::from(as_of) - f64::from(last.day);
        let ratio = (since_days + params.ahead_days) / interval_days;
        // Without any interval the mean is not a number, or nothing: not due.
        if !(interval_days > 0.0 && ratio <= params.lapsed_after) {
            return None;
        }
        let paid = days.iter().map(|day| day.spend_minor).sum::<i64>() as f64 / days.len() as f64;
        let score = (WEEK_DAYS / interval_days).min(1.0)
            * timing(ratio).powf(params.sharpness)
            * (paid.max(1.0) / self.usual_minor).powf(params.spend_power)
            * if days.len() == 1 { params.single_weight } else { 1.0 };
        (score > 0.0).then_some(DueProduct {
            product: last.product,
            since_days,
            interval_days,
            paid_minor: paid,
            score,
        })
    }
}

impl Configured for PurchaseCycles {
    const NAME: &'static str = NAME;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "prior_intervals", range: Range::Real(0.0, 10.0) },
        Axis { setting: "single_weight", range: Range::Real(0.0, 1.0) },
        Axis { setting: "sharpness", range: Range::Real(0.0, 3.0) },
        Axis { setting: "ahead_days", range: Range::Real(0.0, 14.0) },
        Axis { setting: "lapsed_after", range: Range::Real(1.0, 30.0) },
        Axis { setting: "spend_power", range: Range::Real(0.0, 1.0) },
    ];
}

impl Recommender for PurchaseCycles {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        training.check()?;
        Ok(Box::new(Cycles::new(training.history, training.as_of, self.clone())?))
    }
}

impl Fitted for Cycles {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        let known = |due: &DueProduct| (due.product as usize) < self.product_days.len();
        let due = self.due_for(query).into_iter().filter(known);
        due.for_each(|due| row.add(due.product, due.score));
    }

    fn products(&self) -> usize {
        self.product_days.len()
    }
}

/// How due a product is after `ratio` intervals: 1 at one, `(0, 1]`.
fn timing(ratio: f64) -> f64 {
    ratio * (1.0 - ratio).exp()
}

/// Each product and day once, by product and day; returns do not count as purchases.
fn by_product(lines: &[Purchase]) -> Vec<ProductDay> {
    let mut days: Vec<ProductDay> = lines
        .iter()
        .filter(|line| line.spend_minor >= 0)
        .map(|line| ProductDay {
            product: line.product,
            day: line.day,
            spend_minor: line.spend_minor,
        })
        .collect();
    days.sort_unstable_by_key(|day| (day.product, day.day));
    days.dedup_by(|later, kept| {
        let same = (later.product, later.day) == (kept.product, kept.day);
        if same {
            kept.spend_minor += later.spend_minor;
        }
        same
    });
    days
}

/// Days between consecutive purchase days.
fn intervals(days: &[ProductDay]) -> impl Iterator<Item = u32> {
    days.windows(2).map(|pair| pair[1].day.abs_diff(pair[0].day))
}

/// The median of sorted values, the mean of the middle two when their number is even; 0 of none.
fn middle<T>(sorted: &[T], value: impl Fn(&T) -> f64) -> f64 {
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => value(&sorted[length / 2]),
        length => f64::midpoint(value(&sorted[length / 2 - 1]), value(&sorted[length / 2])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn conforms() {
        conformance::check_recommender(&PurchaseCycles::default());
        conformance::check_recommender(&PurchaseCycles {
            window_days: 30,
            ..PurchaseCycles::default()
        });
    }

    fn cycles(history: &Purchases, as_of: i32, params: PurchaseCycles) -> Cycles {
        Cycles::new(history, as_of, params).unwrap()
    }

    #[test]
    fn an_interval_is_shrunk_towards_the_products_usual_one() {
        // Customer 0 buys product 0 every 10 days, customer 1 every 20; product 1 nobody twice.
        let lines =
            [(0, 70, 0), (0, 80, 0), (0, 90, 0), (1, 60, 0), (1, 80, 0), (2, 95, 0), (2, 95, 1)];
        let history = conformance::history(3, 2, &lines);
        let check = |prior_intervals: f64, customer: u32, expect: &[(u32, f64, f64)]| {
            let params = PurchaseCycles { prior_intervals, ..PurchaseCycles::default() };
            let due = cycles(&history, 100, params).due(&history, customer);
            let brief: Vec<_> =
                due.iter().map(|due| (due.product, due.since_days, due.interval_days)).collect();
            assert_eq!(brief, expect, "customer {customer}, prior {prior_intervals}");
        };
        check(0.0, 0, &[(0, 10.0, 10.0)]);
        check(0.0, 1, &[(0, 20.0, 20.0)]);
        check(0.0, 2, &[]); // Bought once, and nothing beside to go by.
        check(1.0, 0, &[(0, 10.0, 10.0)]);
        check(1.0, 1, &[(0, 20.0, 15.0)]);
        check(3.0, 1, &[(0, 20.0, 12.5)]);
        check(1.0, 2, &[(0, 5.0, 10.0), (1, 5.0, 10.0)]);
        let learnt = cycles(&history, 100, PurchaseCycles::default());
        assert_eq!(learnt.product_interval_days(0), Some(10.0));
        assert_eq!(learnt.product_interval_days(1), None);
    }

    #[test]
    fn dueness_peaks_at_one_interval_and_decays_until_the_customer_has_lapsed() {
        let history = conformance::history(1, 1, &[(0, 70, 0), (0, 80, 0), (0, 90, 0)]);
        let score = |as_of: i32| {
            let params =
                PurchaseCycles { sharpness: 1.0, ahead_days: 0.0, ..PurchaseCycles::default() };
            cycles(&history, as_of, params).due(&history, 0).first().map_or(0.0, |due| due.score)
        };
        // 7 / 10 a week, at `since / 10` intervals.
        for (since, expect) in [(1, 0.1 * 0.9_f64.exp()), (10, 1.0), (30, 3.0 * (-2.0_f64).exp())] {
            assert!((score(90 + since) - 0.7 * expect).abs() < 1e-12, "{since}");
        }
        let scores: Vec<f64> = (91..=210).map(score).collect();
        assert!(scores[..10].is_sorted() && scores[9..].is_sorted_by(|a, b| a > b), "{scores:?}");
        assert_eq!((score(210) > 0.0, score(211)), (true, 0.0));
    }

    #[test]
    fn often_and_dear_count_more_and_once_counts_less() {
        // Day by day the same rhythm; product 1 costs four times product 0, product 2 is bought once.
        let bought = |day: i32, product: u32, spend_minor: i64| {
            (0, Purchase { day, order: day.unsigned_abs(), product, spend_minor })
        };
        let lines = vec![
            bought(80, 0, 100),
            bought(90, 0, 100),
            bought(80, 1, 400),
            bought(90, 1, 300),
            bought(90, 1, 100),
            bought(90, 1, -100),
            bought(90, 2, 250),
        ];
        let history = Purchases::new(1, 3, lines).unwrap();
        let params = PurchaseCycles { ahead_days: 0.0, ..PurchaseCycles::default() };
        let due = cycles(&history, 100, params).due(&history, 0);
        let scores: Vec<f64> = due.iter().map(|due| due.score).collect();
        assert!((scores[1] / scores[0] - 2.0).abs() < 1e-12, "{scores:?}");
        // The mean of all product days is 250: of usual spend, and once.
        assert!((scores[2] - 0.7 * 0.15).abs() < 1e-12, "{scores:?}");
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let history = conformance::history(1, 1, &[]);
        for wrong in [
            PurchaseCycles { prior_intervals: -1.0, ..PurchaseCycles::default() },
            PurchaseCycles { single_weight: 1.5, ..PurchaseCycles::default() },
            PurchaseCycles { sharpness: f64::NAN, ..PurchaseCycles::default() },
            PurchaseCycles { ahead_days: -1.0, ..PurchaseCycles::default() },
            PurchaseCycles { lapsed_after: 0.0, ..PurchaseCycles::default() },
            PurchaseCycles { spend_power: f64::INFINITY, ..PurchaseCycles::default() },
        ] {
            assert_eq!(Cycles::new(&history, 9, wrong).unwrap_err().code(), "T0405");
        }
    }

    #[test]
    fn the_middle_of_even_and_odd() {
        let check = |sorted: &[u32], expect: f64| {
            assert_eq!(middle(sorted, |value| f64::from(*value)), expect, "{sorted:?}");
        };
        check(&[1, 2, 3], 2.0);
        check(&[1, 4], 2.5);
        check(&[], 0.0);
    }
}
