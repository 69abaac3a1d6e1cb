//! What does a customer's past say about a promotion, through the products eligible for it?
//!
//! A product of two sparse matrices, customer × product (or type, maker …) and product × promotion, folded
//! customer by customer; as a join in SQL it would make tens of millions of rows to sum up.

use tercet_engine::Frame;
use tercet_types::Result;

use crate::sorted::Sorted;

/// Shares are counted in hundred-millionths.
const SHARE: i128 = 100_000_000;

/// Levels in a level key, which is `4 * number + level`.
const LEVELS: usize = 4;
const TYPE: usize = 0;
const CATEGORY: usize = 1;
const MAKER: usize = 2;
const MAKER_TYPE: usize = 3;

/// Columns of [`Cross::own`].
pub(crate) mod own {
    pub(crate) const DAYS: usize = 0;
    pub(crate) const N14_MICRO: usize = 1;
    pub(crate) const N60_MICRO: usize = 2;
    pub(crate) const N180_MICRO: usize = 3;
    pub(crate) const V60_MICRO: usize = 4;
    pub(crate) const V180_MICRO: usize = 5;
    pub(crate) const AGE_DAYS: usize = 6;
    pub(crate) const INTERVAL_DAYS: usize = 7;
    pub(crate) const OWNED_MICRO: usize = 8;
    pub(crate) const WIDTH: usize = 9;
}

/// Columns of [`Cross::affinity`]: lines the customer would buy of the promotion's products, millionths.
pub(crate) mod affinity {
    pub(crate) const TYPE_MICRO: usize = 0;
    pub(crate) const CATEGORY_MICRO: usize = 1;
    pub(crate) const MAKER_MICRO: usize = 2;
    pub(crate) const MAKER_TYPE_MICRO: usize = 3;
    pub(crate) const DUE_MICRO: usize = 4;
    pub(crate) const WIDTH: usize = 5;
}

/// The statements' results that the fold reads; customers ascend in each of the first three.
pub(crate) struct Inputs<'a> {
    /// `pair/past.sql`.
    pub(crate) past: &'a Frame,
    /// `pair/customer_type.sql`.
    pub(crate) types: &'a Frame,
    /// `pair/customer_maker_type.sql`.
    pub(crate) maker_types: &'a Frame,
    /// `pair/product_sales.sql`.
    pub(crate) sales: &'a Frame,
    /// `pair/promotion_levels.sql`.
    pub(crate) levels: &'a Frame,
    /// `pair/scope_products.sql`.
    pub(crate) scope: &'a Frame,
}

/// By customer and promotion, rows where there is something to say.
pub(crate) struct Cross {
    /// Past purchases of the promotion's own products: counts and amounts decayed, in millionths; the part of
    /// the type affinity that falls on products already bought.
    pub(crate) own: Sorted,
    /// The sum over the promotion's types (categories …) of the customer's decayed lines times the
    /// promotion's share in the lines of the type; due is the same with the renewal rate.
    pub(crate) affinity: Sorted,
}

impl Cross {
    /// Folds the past of ascending `customers`.
    ///
    /// # Errors
    /// The engine's own, for a column that is not there.
    pub(crate) fn new(customers: &[i32], inputs: &Inputs<'_>) -> Result<Self> {
        let scope =
            Links::new(&inputs.scope.i32("product_ix")?, &inputs.scope.i32("promotion_ix")?, |_| 0);
        let shares = inputs.levels.i64("share_e8")?;
        let levels = Links::new(
            &inputs.levels.i32("level_key")?,
            &inputs.levels.i32("promotion_ix")?,
            |row| shares[row],
        );
        let past = Past::read(inputs.past)?;
        let tastes = Tastes::read(inputs)?;
        let promotions = scope.targets().max(levels.targets());
        let mut owns: Board<Own> = Board::new(promotions);
        let mut sums: Board<[i64; affinity::WIDTH]> = Board::new(promotions);
        let mut weighed: Board<[i64; 2]> = Board::new(tastes.level_keys);
        let mut found =
            Self { own: Sorted::empty(own::WIDTH), affinity: Sorted::empty(affinity::WIDTH) };
        let (mut past_walk, mut type_walk, mut maker_walk) = (0, 0, 0);
        for &customer in customers {
            tastes.weigh(customer, &mut type_walk, &mut maker_walk, &mut weighed);
            for &key in &weighed.used {
                let [lines, due] = *weighed.get(key);
                for &(promotion, share) in levels.of(key) {
                    let sum = sums.at(promotion);
                    sum[key as usize % LEVELS] += shared(lines, share);
                    sum[affinity::DUE_MICRO] += shared(due, share);
                }
            }
            for line in rows_of(&past.customer, &mut past_walk, customer) {
                let owned = if past.is_first[line] == 1 {
                    tastes.of_product(past.product[line], &weighed)
                } else {
                    0
                };
                for &(promotion, _) in scope.of(past.product[line] as u32) {
                    owns.at(promotion).add(&past, line, owned);
                }
            }
            weighed.drain(|_, _| ());
            owns.drain(|promotion, own: &Own| {
                found.own.push([customer, promotion], &own.columns());
            });
            sums.drain(|promotion, sum: &[i64; affinity::WIDTH]| {
                found.affinity.push([customer, promotion], &sum.map(|micro| micro as f64));
            });
        }
        Ok(found)
    }
}

/// Millionths of lines, times a share; truncated.
fn shared(micro: i64, share_e8: i64) -> i64 {
    (i128::from(micro) * i128::from(share_e8) / SHARE) as i64
}

/// The rows of a customer in a column that ascends; `next` is where the customer before ended.
fn rows_of(column: &[i32], next: &mut usize, customer: i32) -> std::ops::Range<usize> {
    *next += column[*next..].partition_point(|&known| known < customer);
    let start = *next;
    while column.get(*next) == Some(&customer) {
        *next += 1;
    }
    start..*next
}

/// Which promotions does a product (or a level) lead to, and with which share?
struct Links {
    starts: Vec<u32>,
    to: Vec<(u32, i64)>,
}

impl Links {
    fn new(keys: &[i32], promotions: &[i32], share: impl Fn(usize) -> i64) -> Self {
        let count = keys.iter().max().map_or(0, |&largest| largest as usize + 1);
        let mut starts = vec![0_u32; count + 1];
        keys.iter().for_each(|&key| starts[key as usize + 1] += 1);
        for key in 0..count {
            starts[key + 1] += starts[key];
        }
        let (mut next, mut to) = (starts.clone(), vec![(0, 0); keys.len()]);
        for (row, (&key, &promotion)) in keys.iter().zip(promotions).enumerate() {
            let place = &mut next[key as usize];
            to[*place as usize] = (promotion as u32, share(row));
            *place += 1;
        }
        Self { starts, to }
    }

    fn of(&self, key: u32) -> &[(u32, i64)] {
        let bounds = self.starts.get(key as usize..key as usize + 2);
        bounds.map_or(&[], |bounds| &self.to[bounds[0] as usize..bounds[1] as usize])
    }

    fn targets(&self) -> usize {
        self.to.iter().map(|(promotion, _)| *promotion as usize + 1).max().unwrap_or(0)
    }
}

/// One entry per promotion (or level key), of which few are in use.
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
    fn drain(&mut self, mut each: impl FnMut(i32, &T)) {
        self.used.sort_unstable();
        for &place in &self.used {
            each(place as i32, &self.entries[place as usize]);
            self.entries[place as usize] = T::default();
            self.is_used[place as usize] = false;
        }
        self.used.clear();
    }
}

/// Purchases before the day, by customer, then day.
struct Past {
    customer: Vec<i32>,
    product: Vec<i32>,
    age_days: Vec<i32>,
    is_first: Vec<i32>,
    orders: Vec<i64>,
    amount_minor: Vec<i64>,
    /// `w14`, `w60`, `w180` of the day, millionths.
    weights: [Vec<i64>; 3],
}

impl Past {
    fn read(frame: &Frame) -> Result<Self> {
        Ok(Self {
            customer: frame.i32("customer_ix")?,
            product: frame.i32("product_ix")?,
            age_days: frame.i32("age_days")?,
            is_first: frame.i32("is_first")?,
            orders: frame.i64("orders")?,
            amount_minor: frame.i64("amount_minor")?,
            weights: [frame.i64("w14_micro")?, frame.i64("w60_micro")?, frame.i64("w180_micro")?],
        })
    }
}

/// What a customer bought of a promotion's products.
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

    fn columns(&self) -> [f64; own::WIDTH] {
        let span = f64::from(self.first_age - self.last_age);
        let mut columns = [0.0; own::WIDTH];
        columns[own::DAYS] = f64::from(self.days);
        for (place, sum) in
            [own::N14_MICRO, own::N60_MICRO, own::N180_MICRO, own::V60_MICRO, own::V180_MICRO]
                .into_iter()
                .zip(self.sums)
        {
            columns[place] = sum as f64;
        }
        columns[own::AGE_DAYS] = f64::from(self.last_age);
        columns[own::INTERVAL_DAYS] =
            if self.days > 1 { span / f64::from(self.days - 1) } else { f64::NAN };
        columns[own::OWNED_MICRO] = self.owned as f64;
        columns
    }
}

/// How much customers buy of types, categories and makers, and where products stand among these.
struct Tastes {
    type_customer: Vec<i32>,
    type_rows: Vec<(u32, [i64; 2])>,
    maker_customer: Vec<i32>,
    maker_rows: Vec<[(u32, i64); 3]>,
    /// Level key of the type, and share of its lines, by product.
    products: Vec<Option<(u32, i64)>>,
    /// One more than the largest level key.
    level_keys: usize,
}

impl Tastes {
    fn read(inputs: &Inputs<'_>) -> Result<Self> {
        let key = |number: i32, level: usize| number as u32 * LEVELS as u32 + level as u32;
        let types = inputs.types;
        let (lines, due) = (types.i64("n90_micro")?, types.i64("due_micro")?);
        let type_rows: Vec<(u32, [i64; 2])> = types
            .i32("type_ix")?
            .into_iter()
            .zip(lines.into_iter().zip(due))
            .map(|(number, (lines, due))| (key(number, TYPE), [lines, due]))
            .collect();
        let makers = inputs.maker_types;
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
        let sold = inputs.sales.i32("product_ix")?;
        let (sold_types, shares) =
            (inputs.sales.i32("type_ix")?, inputs.sales.i64("type_share_e8")?);
        let mut products = vec![None; sold.iter().max().map_or(0, |&last| last as usize + 1)];
        for (row, product) in sold.into_iter().enumerate() {
            products[product as usize] = Some((key(sold_types[row], TYPE), shares[row]));
        }
        let keys = type_rows.iter().map(|(key, _)| *key);
        let keys = keys.chain(maker_rows.iter().flatten().map(|(key, _)| *key));
        let keys = keys.chain(products.iter().flatten().map(|(key, _)| *key));
        let level_keys = keys.map(|key| key as usize + 1).max().unwrap_or(0);
        Ok(Self {
            type_customer: types.i32("customer_ix")?,
            type_rows,
            maker_customer: makers.i32("customer_ix")?,
            maker_rows,
            products,
            level_keys,
        })
    }

    fn weigh(
        &self,
        customer: i32,
        type_walk: &mut usize,
        maker_walk: &mut usize,
        weighed: &mut Board<[i64; 2]>,
    ) {
        for row in rows_of(&self.type_customer, type_walk, customer) {
            let (key, [lines, due]) = self.type_rows[row];
            *weighed.at(key) = [lines, due];
        }
        for row in rows_of(&self.maker_customer, maker_walk, customer) {
            for (key, lines) in self.maker_rows[row] {
                weighed.at(key)[0] += lines;
            }
        }
    }

    /// The part of a customer's lines of a type that falls on one product.
    fn of_product(&self, product: i32, weighed: &Board<[i64; 2]>) -> i64 {
        let place = self.products.get(product as usize).copied().flatten();
        place.map_or(0, |(key, share)| shared(weighed.get(key)[0], share))
    }
}
