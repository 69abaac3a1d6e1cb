//! What do a customer's purchases before a day add up to, and how does the customer buy?

use crate::as_of::{AsOf, CATEGORY, Codes, MAKER, MAKER_TYPE, TYPE, key};
use crate::bought::{Bought, Line};

/// Days of the twelve weeks and of the four that habits are taken from.
const HABIT_DAYS: i32 = 84;
const NEW_DAYS: i32 = 28;

/// A product that promotions cover, bought on a day.
pub(crate) struct Purchase {
    pub(crate) product: u32,
    pub(crate) age_days: i32,
    /// True on the first day of all.
    pub(crate) is_first: bool,
    pub(crate) orders: i64,
    pub(crate) amount_minor: i64,
    /// What the day still counts, millionths: decayed by 14, 60 and 180 days.
    pub(crate) weights: [i64; 3],
}

/// A customer's orders of late.
#[derive(Clone, Copy, Default)]
pub(crate) struct Habits {
    pub(crate) orders_12w: i64,
    pub(crate) amount_12w_minor: i64,
    /// Days since the first order that was no return.
    pub(crate) tenure_days: Option<i32>,
    pub(crate) products_4w: i64,
    pub(crate) new_products_4w: i64,
}

/// Lines of late of a maker's type, millionths: decayed by 90 and by 120 days.
type Recent = [i64; 2];

/// What was bought of a type.
#[derive(Clone, Copy, Default)]
struct TypeDays {
    lines_micro: i64,
    days: i32,
    first_day: i32,
    last_day: i32,
}

/// What one customer bought before the day; room for one after the other.
pub(crate) struct History {
    /// By day.
    pub(crate) purchases: Vec<Purchase>,
    /// Level keys with lines and, of types, purchases due in a week: millionths. Keys may come more than once.
    pub(crate) tastes: Vec<(u32, [i64; 2])>,
    /// Of a customer with an order.
    pub(crate) habits: Option<Habits>,
    bought: Stamps<()>,
    bought_of_late: Stamps<()>,
    maker_types: Stamps<(Codes, Recent)>,
    types: Stamps<TypeDays>,
    /// Day, product and amount of each line.
    sales: Vec<(i32, u32, i64)>,
}

impl History {
    pub(crate) fn new(day: &AsOf) -> Self {
        let products = day.is_covered.len();
        Self {
            purchases: Vec::new(),
            tastes: Vec::new(),
            habits: None,
            bought: Stamps::new(products),
            bought_of_late: Stamps::new(products),
            maker_types: Stamps::new(day.maker_types),
            types: Stamps::new(day.types.len()),
            sales: Vec::new(),
        }
    }

    /// Looks at the customer at a place.
    pub(crate) fn look(&mut self, day: &AsOf, bought: &Bought, place: usize) {
        let lines = bought.of(place);
        self.purchases.clear();
        self.tastes.clear();
        self.habits = (!lines.is_empty()).then(|| habits(day.as_of, lines));
        self.sold(day, lines);
        self.kinds(day);
    }

    /// Goes through products bought, day by day.
    fn sold(&mut self, day: &AsOf, lines: &[Line]) {
        self.sales.clear();
        let sales = lines.iter().filter(|line| line.is_sale);
        let sales = sales.filter_map(|line| Some((line.day, line.product?, line.amount_minor)));
        self.sales.extend(sales);
        self.sales.sort_unstable_by_key(|(day, product, _)| (*day, *product));
        for stamps in [&mut self.bought, &mut self.bought_of_late] {
            stamps.clear();
        }
        self.maker_types.clear();
        self.types.clear();
        for same in self.sales.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            let (on, product, _) = same[0];
            let (orders, age_days) = (same.len() as i64, day.as_of - on);
            let is_first = self.bought.add(product).1;
            if let Some(habits) = self.habits.as_mut().filter(|_| age_days <= NEW_DAYS) {
                habits.products_4w += i64::from(self.bought_of_late.add(product).1);
                habits.new_products_4w += i64::from(is_first);
            }
            // What was bought longer ago than weights reach counts as if it had not been.
            let Some([w14, w60, w90, w120, w180]) = day.weights.get(age_days as usize) else {
                continue;
            };
            let place = product as usize;
            if day.is_covered[place] {
                self.purchases.push(Purchase {
                    product,
                    age_days,
                    is_first,
                    orders,
                    amount_minor: same.iter().map(|(.., amount)| amount).sum(),
                    weights: [*w14, *w60, *w180],
                });
            }
            let Some(codes) = day.codes[place] else { continue };
            let recent = [orders * w90, orders * w120];
            let (lines, is_new) = self.maker_types.add(codes.maker_type);
            if is_new {
                *lines = (codes, [0; 2]);
            }
            lines.1.iter_mut().zip(recent).for_each(|(sum, more)| *sum += more);
            if day.types[codes.of_type as usize].is_some() {
                let (days, is_new) = self.types.add(codes.of_type);
                if is_new {
                    *days = TypeDays { lines_micro: 0, days: 0, first_day: on, last_day: on };
                }
                days.lines_micro += recent[0];
                days.days += i32::from(days.days == 0 || on != days.last_day);
                days.last_day = on;
            }
        }
    }

    /// Adds up what was bought by type, category and maker.
    fn kinds(&mut self, day: &AsOf) {
        for &number in self.types.used() {
            let days = *self.types.get(number);
            let known = day.types[number as usize].and_then(|known| known.interval_days);
            let due = due_micro(day.as_of, &days, known);
            self.tastes.push((key(number, TYPE), [days.lines_micro, due]));
        }
        for &number in self.maker_types.used() {
            let (codes, [of_90_days, of_120_days]) = *self.maker_types.get(number);
            self.tastes.extend([
                (key(codes.category, CATEGORY), [of_90_days, 0]),
                (key(codes.maker, MAKER), [of_120_days, 0]),
                (key(number, MAKER_TYPE), [of_120_days, 0]),
            ]);
        }
    }
}

/// The habits behind lines before the day, but for what is new.
fn habits(as_of: i32, lines: &[Line]) -> Habits {
    let mut habits = Habits::default();
    for order in lines.chunk_by(|one, other| (one.day, one.order) == (other.day, other.order)) {
        let (day, is_sale) = (order[0].day, order.iter().any(|line| line.is_sale));
        if is_sale && habits.tenure_days.is_none() {
            habits.tenure_days = Some(as_of - day);
        }
        if as_of - day <= HABIT_DAYS {
            habits.orders_12w += i64::from(is_sale);
            let counted = order.iter().filter(|line| !line.is_bulk);
            habits.amount_12w_minor += counted.map(|line| line.amount_minor).sum::<i64>();
        }
    }
    habits
}

/// Purchases of a type due in a week, millionths: a renewal rate, 7 / interval, at most 1, less when long overdue
/// (above three intervals) or just bought (below half of one). The interval is the mean gap between purchase days,
/// else what is known of the type, else 60, from 2 to 180 days.
fn due_micro(as_of: i32, days: &TypeDays, known_days: Option<f64>) -> i64 {
    let age_days = f64::from(as_of - days.last_day);
    let gaps = f64::from(days.last_day - days.first_day) / f64::from(days.days - 1);
    let interval_days = if days.days > 1 { gaps } else { known_days.unwrap_or(60.0) };
    let interval_days = interval_days.clamp(2.0, 180.0);
    let overdue = if age_days > 3.0 * interval_days { 3.0 * interval_days / age_days } else { 1.0 };
    let just_bought = if age_days < 0.5 * interval_days { 0.7 } else { 1.0 };
    (1e6 * (7.0 / interval_days).min(1.0) * overdue * just_bought).round() as i64
}

/// One entry per number, of which few are in use.
struct Stamps<T> {
    entries: Vec<(u32, T)>,
    used: Vec<u32>,
    stamp: u32,
}

impl<T: Clone> Stamps<T> {
    fn clear(&mut self) {
        self.used.clear();
        self.stamp += 1;
    }

    /// The entry, and whether it comes into use: then it holds what it held before.
    fn add(&mut self, number: u32) -> (&mut T, bool) {
        let (stamp, entry) = &mut self.entries[number as usize];
        let is_new = std::mem::replace(stamp, self.stamp) != self.stamp;
        if is_new {
            self.used.push(number);
        }
        (entry, is_new)
    }

    fn get(&self, number: u32) -> &T {
        &self.entries[number as usize].1
    }

    fn used(&self) -> &[u32] {
        &self.used
    }
}

impl<T: Clone + Default> Stamps<T> {
    fn new(size: usize) -> Self {
        Self { entries: vec![(0, T::default()); size], used: Vec::new(), stamp: 0 }
    }
}

#[cfg(test)]
mod tests {
    use tercet_engine::Frame;
    use tercet_types::Date;

    use super::*;

    fn ints(columns: &[(&str, &[i32])]) -> Frame {
        Frame::of(columns.iter().map(|(name, list)| (*name, list.to_vec().into())).collect())
            .unwrap()
    }

    /// Two products of type 0 and maker 1, one of type 1; day 100. A day that is ten days ago counts 10, and so on.
    fn day() -> AsOf {
        let ages: Vec<i32> = (1..=90).collect();
        let mut weights = ints(&[("age_days", &ages)]);
        for name in ["w14_micro", "w60_micro", "w90_micro", "w120_micro", "w180_micro"] {
            let micro: Vec<i64> = ages.iter().map(|age| i64::from(*age)).collect();
            weights = weights.with(vec![(name, micro.into())]).unwrap();
        }
        let codes = ints(&[
            ("product_ix", &[0, 1, 2]),
            ("type_ix", &[0, 0, 1]),
            ("category_ix", &[0, 0, 0]),
            ("maker_ix", &[1, 1, 0]),
            ("maker_type_ix", &[0, 0, 1]),
        ]);
        // The median is of type 0, which a promotion covers; type 1 has none.
        let medians = Frame::of(vec![
            ("type_ix", vec![0_i32].into()),
            ("interval_days", vec![20.0_f64].into()),
        ]);
        let covered = ints(&[("product_ix", &[0])]);
        let levels = ints(&[("level_key", &[0, 1])]);
        AsOf::new(Date::from_days(100), &weights, &covered, &codes, &levels, &medians.unwrap())
            .unwrap()
    }

    #[test]
    fn lines_add_up_to_purchases_tastes_and_habits() {
        // Customer 4 brings back something unnamed; customer 7 buys product 0 twice on a day, in two orders, and again
        // with fuel; the table is not in order; customer 9 is not asked for.
        let lines = ints(&[
            ("customer_ix", &[7, 7, 7, 7, 7, 9, 4]),
            ("order_ix", &[12, 10, 11, 12, 12, 13, 14]),
            ("day", &[90, 10, 10, 90, 90, 90, 95]),
            ("product_ix", &[1, 0, 0, 0, 2, 0, -1]),
        ]);
        let lines = lines
            .with(vec![
                ("is_sale", vec![1_i64, 1, 1, 1, 1, 1, 0].into()),
                ("is_bulk", vec![false, false, false, false, true, false, false].into()),
                ("amount_minor", vec![300_i64, 100, 110, 120, 5_000, 1, -70].into()),
            ])
            .unwrap();
        let (day, bought) = (day(), Bought::read(&[4, 5, 7], &lines).unwrap());
        let mut history = History::new(&day);
        history.look(&day, &bought, 2);
        let purchases: Vec<_> = history
            .purchases
            .iter()
            .map(|p| (p.product, p.age_days, p.is_first, p.orders, p.amount_minor, p.weights))
            .collect();
        assert_eq!(purchases, [(0, 90, true, 2, 210, [90; 3]), (0, 10, false, 1, 120, [10; 3])]);
        // Type 0: three lines and one of product 1, on two days, eighty apart, and the last ten ago.
        let due = 700_000 * 7 / 80;
        assert_eq!(
            history.tastes,
            [
                (key(0, TYPE), [200, due]),
                (key(0, CATEGORY), [200, 0]),
                (key(1, MAKER), [200, 0]),
                (key(0, MAKER_TYPE), [200, 0]),
                (key(0, CATEGORY), [10, 0]),
                (key(0, MAKER), [10, 0]),
                (key(1, MAKER_TYPE), [10, 0]),
            ]
        );
        let habits = history.habits.unwrap();
        assert_eq!((habits.orders_12w, habits.amount_12w_minor), (1, 420));
        assert_eq!((habits.products_4w, habits.new_products_4w), (3, 2));
        assert_eq!(habits.tenure_days, Some(90));
        history.look(&day, &bought, 1);
        assert!(history.habits.is_none() && history.tastes.is_empty());
        history.look(&day, &bought, 0);
        let habits = history.habits.unwrap();
        assert_eq!(
            (habits.orders_12w, habits.amount_12w_minor, habits.tenure_days),
            (0, -70, None)
        );
        assert!(history.purchases.is_empty());
    }

    #[test]
    fn a_type_is_due_by_its_interval() {
        let check = |days: i32, first_day: i32, last_day: i32, known: Option<f64>, expect: i64| {
            let days = TypeDays { lines_micro: 0, days, first_day, last_day };
            assert_eq!(due_micro(100, &days, known), expect);
        };
        check(2, 80, 90, None, 700_000);
        // Once: by what is known of the type, or sixty days.
        check(1, 90, 90, Some(20.0), 350_000);
        check(1, 40, 40, None, 116_667);
        // Just bought, and long overdue.
        check(1, 97, 97, Some(20.0), 245_000);
        check(2, 18, 20, None, 75_000);
    }
}
