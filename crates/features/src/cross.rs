//! What does a customer's past say about a promotion, through the products eligible for it?
//!
//! A product of two sparse matrices, customer × product (or type, maker …) and product × cross group, folded
//! customer by customer; as a join in SQL it would make tens of millions of rows to sum up.

use tercet_engine::Frame;
use tercet_types::Result;

use crate::pair_features::CROSS_FEATURES;

/// Shares are counted in hundred-millionths.
const SHARE: i64 = 100_000_000;

/// Millionths, as the statements count decayed sums.
const MICRO: f64 = 1e6;

/// Levels in a level key, which is `4 * number + level`.
const LEVELS: usize = 4;
const TYPE: usize = 0;
const CATEGORY: usize = 1;
const MAKER: usize = 2;
const MAKER_TYPE: usize = 3;

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
            products[product as usize] = Some((key(types[row], TYPE), of_types[row]));
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
    fn of_product(&self, product: i32, weighed: &Board<[i64; 2]>) -> i64 {
        let place = self.products.get(product as usize).copied().flatten();
        place.map_or(0, |(key, share)| shared(weighed.get(key)[0], share))
    }
}

/// What customers bought: rows by customer, of ascending customers.
pub(crate) struct Bought {
    past: Past,
    tastes: Tastes,
}

impl Bought {
    /// From `pair/past.sql`, `pair/customer_type.sql` and `pair/customer_maker_type.sql`.
    ///
    /// # Errors
    /// The engine's own, for a column that is not there.
    pub(crate) fn read(
        customers: &[i32],
        past: &Frame,
        types: &Frame,
        maker_types: &Frame,
    ) -> Result<Self> {
        Ok(Self {
            past: Past::read(customers, past)?,
            tastes: Tastes::read(customers, types, maker_types)?,
        })
    }
}

/// One thread's sums, all zero between customers.
pub(crate) struct Fold<'a> {
    reach: &'a Reach,
    bought: &'a Bought,
    owns: Board<Own>,
    sums: Board<Affinity>,
    weighed: Board<[i64; 2]>,
}

impl<'a> Fold<'a> {
    pub(crate) fn new(reach: &'a Reach, bought: &'a Bought) -> Self {
        let products = reach.products.iter().flatten().map(|(key, _)| *key as usize + 1).max();
        let keys = bought.tastes.level_keys.max(products.unwrap_or(0));
        Self {
            reach,
            bought,
            owns: Board::new(reach.groups),
            sums: Board::new(reach.groups),
            weighed: Board::new(keys),
        }
    }

    /// Hands out what the customer at a place has to say of groups, ascending; nothing of the others. The features
    /// that come from models are left NaN.
    pub(crate) fn customer(
        &mut self,
        place: usize,
        mut each: impl FnMut(u32, [f32; CROSS_FEATURES]),
    ) {
        let Self { reach, bought, owns, sums, weighed } = self;
        bought.tastes.weigh(place, weighed);
        for &key in &weighed.used {
            let [lines, due] = *weighed.get(key);
            for &(group, share) in reach.levels.of(key) {
                let sum = sums.at(group);
                sum[key as usize % LEVELS] += shared(lines, share);
                sum[DUE] += shared(due, share);
            }
        }
        let past = &bought.past;
        for line in past.starts[place]..past.starts[place + 1] {
            let owned = if past.is_first[line] == 1 {
                reach.of_product(past.product[line], weighed)
            } else {
                0
            };
            for &(group, _) in reach.scope.of(past.product[line] as u32) {
                owns.at(group).add(past, line, owned);
                // A group with something bought has a row, whatever its levels say.
                sums.at(group);
            }
        }
        weighed.drain(|_, _| ());
        sums.drain(|group, sum| {
            let own = owns.is_used[group as usize].then(|| owns.get(group));
            each(group, features(own, sum));
        });
        owns.drain(|_, _| ());
    }
}

/// The cross features of a customer with a group of whose products and levels nothing was bought.
pub(crate) fn nothing_bought() -> [f32; CROSS_FEATURES] {
    features(None, &Affinity::default())
}

/// In the order of [`PAIR_FEATURES`](crate::PAIR_FEATURES); those of models are NaN.
fn features(own: Option<&Own>, affinity: &Affinity) -> [f32; CROSS_FEATURES] {
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

fn key(number: i32, level: usize) -> u32 {
    number as u32 * LEVELS as u32 + level as u32
}

/// Where the rows of each of ascending `customers` begin in a column that ascends, and where the last one's end.
///
/// Every row is of one of them: the statements join the customers that are asked for.
fn starts(customers: &[i32], column: &[i32]) -> Vec<usize> {
    let mut starts = Vec::with_capacity(customers.len() + 1);
    let mut next = 0;
    for customer in customers {
        starts.push(next);
        next += column[next..].iter().take_while(|known| *known == customer).count();
    }
    starts.push(next);
    assert_eq!(next, column.len(), "rows of the customers asked for, in their order");
    starts
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

/// Purchases before the day, by customer, then day.
struct Past {
    /// Where the rows of each customer begin.
    starts: Vec<usize>,
    product: Vec<i32>,
    age_days: Vec<i32>,
    is_first: Vec<i32>,
    orders: Vec<i64>,
    amount_minor: Vec<i64>,
    /// `w14`, `w60`, `w180` of the day, millionths.
    weights: [Vec<i64>; 3],
}

impl Past {
    fn read(customers: &[i32], frame: &Frame) -> Result<Self> {
        Ok(Self {
            starts: starts(customers, &frame.i32("customer_ix")?),
            product: frame.i32("product_ix")?,
            age_days: frame.i32("age_days")?,
            is_first: frame.i32("is_first")?,
            orders: frame.i64("orders")?,
            amount_minor: frame.i64("amount_minor")?,
            weights: [frame.i64("w14_micro")?, frame.i64("w60_micro")?, frame.i64("w180_micro")?],
        })
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
    fn add(&mut self, past: &Past, line: usize, owned: i64) {
        let age = past.age_days[line];
        if self.days == 0 {
            self.first_age = age;
        }
        // Lines come by day: another age is another day.
        if self.days == 0 || age != self.last_age {
            self.days += 1;
            self.last_age = age;
        }
        let [w14, w60, w180] = [0, 1, 2].map(|place: usize| past.weights[place][line]);
        let (orders, amount) = (past.orders[line], past.amount_minor[line]);
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

/// How much customers buy of types, categories and makers.
struct Tastes {
    type_starts: Vec<usize>,
    type_rows: Vec<(u32, [i64; 2])>,
    maker_starts: Vec<usize>,
    maker_rows: Vec<[(u32, i64); 3]>,
    /// One more than the largest level key.
    level_keys: usize,
}

impl Tastes {
    fn read(customers: &[i32], types: &Frame, makers: &Frame) -> Result<Self> {
        let (lines, due) = (types.i64("n90_micro")?, types.i64("due_micro")?);
        let type_rows: Vec<(u32, [i64; 2])> = types
            .i32("type_ix")?
            .into_iter()
            .zip(lines.into_iter().zip(due))
            .map(|(number, (lines, due))| (key(number, TYPE), [lines, due]))
            .collect();
        let (categories, maker) = (makers.i32("category_ix")?, makers.i32("maker_ix")?);
        let maker_types = makers.i32("maker_type_ix")?;
        let (n90, n120) = (makers.i64("n90_micro")?, makers.i64("n120_micro")?);
        let maker_rows: Vec<[(u32, i64); 3]> = (0..makers.rows())
            .map(|row| {
                [
                    (key(categories[row], CATEGORY), n90[row]),
                    (key(maker[row], MAKER), n120[row]),
                    (key(maker_types[row], MAKER_TYPE), n120[row]),
                ]
            })
            .collect();
        let keys = type_rows.iter().map(|(key, _)| *key);
        let keys = keys.chain(maker_rows.iter().flatten().map(|(key, _)| *key));
        Ok(Self {
            level_keys: keys.map(|key| key as usize + 1).max().unwrap_or(0),
            type_starts: starts(customers, &types.i32("customer_ix")?),
            type_rows,
            maker_starts: starts(customers, &makers.i32("customer_ix")?),
            maker_rows,
        })
    }

    fn weigh(&self, place: usize, weighed: &mut Board<[i64; 2]>) {
        for (key, [lines, due]) in rows_of(&self.type_rows, &self.type_starts, place) {
            *weighed.at(*key) = [*lines, *due];
        }
        for row in rows_of(&self.maker_rows, &self.maker_starts, place) {
            for (key, lines) in row {
                weighed.at(*key)[0] += lines;
            }
        }
    }
}

fn rows_of<'a, T>(rows: &'a [T], starts: &[usize], place: usize) -> &'a [T] {
    &rows[starts[place]..starts[place + 1]]
}
