//! What does a customer's past say about a promotion, through the products eligible for it?
//!
//! A product of two sparse matrices, customer × product (or type, maker …) and product × cross group, folded
//! customer by customer; as a join in SQL it would make tens of millions of rows to sum up.

use tercet_engine::Frame;
use tercet_types::Result;

use crate::as_of::{AsOf, LEVELS, TYPE, key};
use crate::bought::Bought;
use crate::history::{Habits, History, Purchase};
use crate::looked::Looked;
use crate::pair_features::CROSS_FEATURES;

/// Shares are counted in hundred-millionths.
const SHARE: i64 = 100_000_000;

/// Millionths, as the statements count decayed sums.
const MICRO: f64 = 1e6;

/// Lines the customer would buy of a group's products, by level, and [`DUE`]: millionths.
type Affinity = [i64; LEVELS + 1];
const DUE: usize = LEVELS;

/// What products and levels say about cross groups: the same for all customers.
pub(crate) struct Reach {
    scope: Links,
    levels: Links,
    groups: usize,
    /// Level key of the type, and share of its lines, by product.
    products: Vec<Option<(u32, i64)>>,
}

impl Reach {
    /// From `pair/scope_products.sql`, `pair/promotion_levels.sql` and `pair/product_sales.sql`; `group` says for
    /// which group a promotion stands.
    ///
    /// # Errors
    /// The engine's own, for a column that is not there.
    pub(crate) fn new(
        scope: &Frame,
        levels: &Frame,
        sales: &Frame,
        groups: usize,
        group: impl Fn(i32) -> Option<u32>,
    ) -> Result<Self> {
        let shares = levels.i64("share_e8")?;
        let (sold, types) = (sales.i32("product_ix")?, sales.i32("type_ix")?);
        let of_types = sales.i64("type_share_e8")?;
        let mut products = vec![None; sold.iter().max().map_or(0, |&last| last as usize + 1)];
        for (row, product) in sold.into_iter().enumerate() {
            products[product as usize] = Some((key(types[row] as u32, TYPE), of_types[row]));
        }
        let (by_product, by_level) = (scope.i32("promotion_ix")?, levels.i32("promotion_ix")?);
        Ok(Self {
            scope: Links::new(&scope.i32("product_ix")?, |row| Some((group(by_product[row])?, 0))),
            levels: Links::new(&levels.i32("level_key")?, |row| {
                Some((group(by_level[row])?, shares[row]))
            }),
            groups,
            products,
        })
    }

    /// The part of a customer's lines of a type that falls on one product.
    fn of_product(&self, product: u32, weighed: &Board<[i64; 2]>) -> i64 {
        let place = self.products.get(product as usize).copied().flatten();
        place.map_or(0, |(key, share)| shared(weighed.get(key)[0], share))
    }
}

/// What some customers did before the day.
pub(crate) struct Past {
    pub(crate) bought: Bought,
    pub(crate) looked: Looked,
}

/// One thread's sums, all zero between customers.
pub(crate) struct Fold<'a> {
    reach: &'a Reach,
    day: &'a AsOf,
    past: &'a Past,
    /// The place of the customer looked at.
    place: usize,
    history: History,
    owns: Board<Own>,
    looks: Board<Looks>,
    sums: Board<Affinity>,
    weighed: Board<[i64; 2]>,
    /// By level key of the type: millionths of looks.
    looked: Board<i64>,
}

impl<'a> Fold<'a> {
    pub(crate) fn new(reach: &'a Reach, day: &'a AsOf, past: &'a Past) -> Self {
        Self {
            reach,
            day,
            past,
            place: 0,
            history: History::new(day),
            owns: Board::new(reach.groups),
            looks: Board::new(reach.groups),
            sums: Board::new(reach.groups),
            weighed: Board::new(day.level_keys()),
            looked: Board::new(day.level_keys()),
        }
    }

    /// Goes on to the customer at a place, and says the habits of one with an order.
    pub(crate) fn look(&mut self, place: usize) -> Option<Habits> {
        self.place = place;
        self.history.look(self.day, &self.past.bought, place);
        self.history.habits
    }

    /// Hands out what the customer looked at has to say of groups, ascending; nothing of the others. The features
    /// that come from models are left NaN.
    pub(crate) fn customer(&mut self, mut each: impl FnMut(u32, [f32; CROSS_FEATURES])) {
        self.add_looks();
        let Self { reach, history, owns, looks, sums, weighed, .. } = self;
        for (key, amounts) in &history.tastes {
            weighed.at(*key).iter_mut().zip(amounts).for_each(|(sum, more)| *sum += more);
        }
        for &key in &weighed.used {
            let [lines, due] = *weighed.get(key);
            for &(group, share) in reach.levels.of(key) {
                let sum = sums.at(group);
                sum[key as usize % LEVELS] += shared(lines, share);
                sum[DUE] += shared(due, share);
            }
        }
        for purchase in &history.purchases {
            let owned =
                if purchase.is_first { reach.of_product(purchase.product, weighed) } else { 0 };
            for &(group, _) in reach.scope.of(purchase.product) {
                owns.at(group).add(purchase, owned);
                // A group with something bought has a row, whatever its levels say.
                sums.at(group);
            }
        }
        weighed.drain(|_, _| ());
        sums.drain(|group, sum| {
            each(group, features(owns.in_use(group), looks.get(group), sum));
        });
        owns.drain(|_, _| ());
        looks.drain(|_, _| ());
    }

    /// Adds what the customer looked at, to groups and by type.
    fn add_looks(&mut self) {
        let Self { reach, day, looks, sums, looked, .. } = self;
        for look in self.past.looked.of(self.place) {
            let age_days = day.as_of - look.day;
            let Some([w14, w60, ..]) = day.weights.get(age_days as usize) else { continue };
            for &(group, _) in reach.scope.of(look.product) {
                looks.at(group).add(age_days, [*w14, *w60]);
                sums.at(group);
            }
            if let Some(codes) = day.codes.get(look.product as usize).copied().flatten() {
                *looked.at(key(codes.of_type, TYPE)) += w60;
            }
        }
        looked.drain(|of_type, micro| {
            for &(group, share) in reach.levels.of(of_type) {
                looks.at(group).of_type += shared(*micro, share);
                sums.at(group);
            }
        });
    }
}

/// The cross features of a customer with a group of whose products and levels nothing was bought or looked at.
pub(crate) fn nothing_known() -> [f32; CROSS_FEATURES] {
    features(None, &Looks::default(), &Affinity::default())
}

/// In the order of [`PAIR_FEATURES`](crate::PAIR_FEATURES); those of models are NaN.
fn features(own: Option<&Own>, looks: &Looks, affinity: &Affinity) -> [f32; CROSS_FEATURES] {
    let none = Own::default();
    let [n14, n60, n180, v60, v180] = own.unwrap_or(&none).sums.map(|micro| micro as f64 / MICRO);
    let age_days = own.map_or(f64::NAN, |own| f64::from(own.last_age));
    let interval_days = own.map_or(f64::NAN, Own::interval_days);
    let owned = own.map_or(0.0, |own| own.owned as f64 / MICRO);
    let [of_type, category, maker, maker_type, due] = affinity.map(|micro| micro as f64 / MICRO);
    let unknown = f64::NAN;
    [
        own.map_or(0.0, |own| f64::from(own.days)),
        v180,
        v60,
        n60,
        n180,
        n14,
        age_days,
        // f64::max would turn a missing interval into one day.
        if interval_days.is_nan() { f64::NAN } else { age_days / interval_days.max(1.0) },
        interval_days,
        unknown,
        unknown,
        unknown,
        unknown,
        unknown,
        unknown,
        maker_type,
        maker,
        of_type,
        due,
        of_type - owned,
        category,
        unknown,
        looks.sums[0] as f64 / MICRO,
        looks.sums[1] as f64 / MICRO,
        looks.last_age.map_or(f64::NAN, f64::from),
        looks.of_type as f64 / MICRO,
    ]
    .map(|value| value as f32)
}

/// Millionths of lines, times a share; truncated.
fn shared(micro: i64, share_e8: i64) -> i64 {
    match micro.checked_mul(share_e8) {
        Some(product) => product / SHARE,
        None => (i128::from(micro) * i128::from(share_e8) / i128::from(SHARE)) as i64,
    }
}

/// Which groups does a product (or a level) lead to, and with which share?
struct Links {
    starts: Vec<u32>,
    to: Vec<(u32, i64)>,
}

impl Links {
    /// `to(row)` is the group of a row and its share, if it counts.
    fn new(keys: &[i32], to: impl Fn(usize) -> Option<(u32, i64)>) -> Self {
        let rows = || (0..keys.len()).filter_map(|row| Some((keys[row] as usize, to(row)?)));
        let count = rows().map(|(key, _)| key + 1).max().unwrap_or(0);
        let mut starts = vec![0_u32; count + 1];
        rows().for_each(|(key, _)| starts[key + 1] += 1);
        for key in 0..count {
            starts[key + 1] += starts[key];
        }
        let (mut next, mut to) = (starts.clone(), vec![(0, 0); starts[count] as usize]);
        for (key, target) in rows() {
            let place = &mut next[key];
            to[*place as usize] = target;
            *place += 1;
        }
        Self { starts, to }
    }

    fn of(&self, key: u32) -> &[(u32, i64)] {
        let bounds = self.starts.get(key as usize..key as usize + 2);
        bounds.map_or(&[], |bounds| &self.to[bounds[0] as usize..bounds[1] as usize])
    }
}

/// One entry per group (or level key), of which few are in use.
struct Board<T> {
    entries: Vec<T>,
    is_used: Vec<bool>,
    used: Vec<u32>,
}

impl<T: Clone + Default> Board<T> {
    fn new(size: usize) -> Self {
        Self { entries: vec![T::default(); size], is_used: vec![false; size], used: Vec::new() }
    }

    fn at(&mut self, place: u32) -> &mut T {
        if !std::mem::replace(&mut self.is_used[place as usize], true) {
            self.used.push(place);
        }
        &mut self.entries[place as usize]
    }

    /// The entry, if it is in use.
    fn in_use(&self, place: u32) -> Option<&T> {
        self.is_used[place as usize].then(|| self.get(place))
    }

    /// The entry, whether in use or not.
    fn get(&self, place: u32) -> &T {
        &self.entries[place as usize]
    }

    /// Hands out the entries in use, ascending, and forgets them.
    fn drain(&mut self, mut each: impl FnMut(u32, &T)) {
        self.used.sort_unstable();
        for &place in &self.used {
            each(place, &self.entries[place as usize]);
            self.entries[place as usize] = T::default();
            self.is_used[place as usize] = false;
        }
        self.used.clear();
    }
}

/// What a customer bought of a group's products.
#[derive(Clone, Default)]
struct Own {
    sums: [i64; 5],
    owned: i64,
    days: i32,
    first_age: i32,
    last_age: i32,
}

impl Own {
    fn add(&mut self, purchase: &Purchase, owned: i64) {
        let age = purchase.age_days;
        if self.days == 0 {
            self.first_age = age;
        }
        // Purchases come by day: another age is another day.
        if self.days == 0 || age != self.last_age {
            self.days += 1;
            self.last_age = age;
        }
        let [w14, w60, w180] = purchase.weights;
        let (orders, amount) = (purchase.orders, purchase.amount_minor);
        let added = [orders * w14, orders * w60, orders * w180, amount * w60, amount * w180];
        self.sums.iter_mut().zip(added).for_each(|(sum, more)| *sum += more);
        self.owned += owned;
    }

    /// The mean interval between purchase days; NaN with one day.
    fn interval_days(&self) -> f64 {
        let span = f64::from(self.first_age - self.last_age);
        if self.days > 1 { span / f64::from(self.days - 1) } else { f64::NAN }
    }
}

/// What a customer looked at of a group's products.
#[derive(Clone, Default)]
struct Looks {
    sums: [i64; 2],
    last_age: Option<i32>,
    /// Looks at the products' types, as far as the group covers them.
    of_type: i64,
}

impl Looks {
    fn add(&mut self, age_days: i32, weights: [i64; 2]) {
        self.sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
        self.last_age = Some(self.last_age.map_or(age_days, |last| last.min(age_days)));
    }
}
