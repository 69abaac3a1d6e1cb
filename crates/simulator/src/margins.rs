//! How near do the margins of a simulated shop come to those of a real one?
//!
//! The real one is The Complete Journey over 26 weeks; `calibration/measure.py` measured it with the same
//! definitions and wrote `calibration/complete_journey.json`, which a test holds [`REFERENCE`] against.

use crate::events::Events;
use crate::outcome::Mark;
use crate::week::DAY_MICROS;

/// Larger orders and longer gaps are counted as this.
const HISTOGRAM_MAX: usize = 255;

/// Weeks over which the reference was measured.
pub const REFERENCE_WEEKS: u32 = 26;

/// Margins of The Complete Journey, by name.
pub const REFERENCE: [(&str, f64); 10] = [
    ("lines_per_order", 9.31735),
    ("lines_per_order_median", 5.0),
    ("orders_per_week", 1.25134),
    ("repeat_share", 0.33532),
    ("spend_variation", 1.09877),
    ("gap_days_mean", 5.79575),
    ("gap_days_median", 3.0),
    ("line_amount", 3.1367),
    ("shelf_discount_share", 0.4978),
    ("redemption_rate", 0.0061),
];

/// Counts and sums that margins are made of; whole numbers, so that the order of adding is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    customers: u64,
    orders: u64,
    lines: u64,
    shelf_lines: u64,
    repeats: u64,
    amount_minor: i128,
    squared_spend: i128,
    exposures: u64,
    redemptions: u64,
    order_lines: Vec<u64>,
    gap_days: Vec<u64>,
}

fn count(histogram: &mut Vec<u64>, value: usize) {
    histogram.resize(HISTOGRAM_MAX + 1, 0);
    histogram[value.min(HISTOGRAM_MAX)] += 1;
}

fn median(histogram: &[u64]) -> f64 {
    let total: u64 = histogram.iter().sum();
    let mut upto = 0;
    let place = histogram.iter().position(|count| {
        upto += count;
        2 * upto >= total
    });
    place.unwrap_or(0) as f64
}

fn mean(histogram: &[u64]) -> f64 {
    let total: u64 = histogram.iter().sum();
    let sum: u64 = (0..).zip(histogram).map(|(value, count)| value * count).sum();
    ratio(sum as f64, total as f64)
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

impl Margins {
    /// Adds the rows of one customer: those from these lines, exposures and redemptions on.
    pub(crate) fn add(&mut self, events: &Events, begin: Mark) {
        self.exposures += (events.sent.customer_id.len() - begin.sent) as u64;
        self.redemptions += (events.used.customer_id.len() - begin.used) as u64;
        let lines = &events.lines;
        let sales = (begin.lines..lines.order_id.len()).filter(|&line| lines.kind[line] == 0);
        let day_of = |line: usize| lines.at_micros[line].div_euclid(DAY_MICROS);
        let (mut order, mut size, mut day, mut spend) = (None, 0, None, 0_i128);
        let mut products: Vec<(i64, i64)> = Vec::new();
        for line in sales {
            if order != Some(lines.order_id[line]) {
                if size > 0 {
                    count(&mut self.order_lines, size);
                }
                (order, size) = (Some(lines.order_id[line]), 0);
                self.orders += 1;
                let today = day_of(line);
                // Orders that only an offer brought stand at the end of their week.
                if let Some(gap) = day.map(|day| today - day)
                    && gap > 0
                {
                    count(&mut self.gap_days, gap as usize);
                }
                day = day.max(Some(today));
            }
            size += 1;
            self.lines += 1;
            self.shelf_lines += u64::from(lines.discount_minor[line] > 0);
            spend += i128::from(lines.amount_minor[line]);
            products.push((lines.product_id[line], day_of(line)));
        }
        if size == 0 {
            return;
        }
        count(&mut self.order_lines, size);
        self.customers += 1;
        self.amount_minor += spend;
        self.squared_spend += spend * spend;
        products.sort_unstable();
        let mut first = (0, 0);
        for (product, day) in products {
            if product != first.0 {
                first = (product, day);
            }
            self.repeats += u64::from(day > first.1);
        }
    }

    /// Adds those of other customers.
    pub fn merge(&mut self, other: &Self) {
        self.customers += other.customers;
        self.orders += other.orders;
        self.lines += other.lines;
        self.shelf_lines += other.shelf_lines;
        self.repeats += other.repeats;
        self.amount_minor += other.amount_minor;
        self.squared_spend += other.squared_spend;
        self.exposures += other.exposures;
        self.redemptions += other.redemptions;
        for (own, theirs) in
            [(&mut self.order_lines, &other.order_lines), (&mut self.gap_days, &other.gap_days)]
        {
            own.resize(HISTOGRAM_MAX + 1, 0);
            own.iter_mut().zip(theirs).for_each(|(count, more)| *count += more);
        }
    }

    /// The margins by name, in the order of [`REFERENCE`], over so many weeks.
    pub fn values(&self, weeks: u32) -> [(&'static str, f64); 10] {
        let lines = self.lines as f64;
        let customers = self.customers as f64;
        let mean_spend = ratio(self.amount_minor as f64, customers);
        let variance =
            (ratio(self.squared_spend as f64, customers) - mean_spend * mean_spend).max(0.0);
        [
            ("lines_per_order", ratio(lines, self.orders as f64)),
            ("lines_per_order_median", median(&self.order_lines)),
            ("orders_per_week", ratio(self.orders as f64, customers * f64::from(weeks))),
            ("repeat_share", ratio(self.repeats as f64, lines)),
            ("spend_variation", ratio(variance.sqrt(), mean_spend)),
            ("gap_days_mean", mean(&self.gap_days)),
            ("gap_days_median", median(&self.gap_days)),
            ("line_amount", ratio(self.amount_minor as f64, lines) / 100.0),
            ("shelf_discount_share", ratio(self.shelf_lines as f64, lines)),
            ("redemption_rate", ratio(self.redemptions as f64, self.exposures as f64)),
        ]
    }
}
