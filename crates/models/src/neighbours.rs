//! What do the customers buy who buy what this customer buys?

use std::collections::BTreeMap;

use rayon::prelude::*;
use tercet_types::{Error, Result};

use crate::eligibility::Lists;
use crate::recommender::{self, check_setting};
use crate::{Eligibility, Purchase, Purchases};

const ENGINE: &str = "neighbours";
const MAX_HALF_LIFE_DAYS: f64 = 36_500.0;
const FEATURES: usize = NeighbourFeature::ALL.len();

/// Settings of [`neighbour_features`].
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourParams {
    /// Only customers with a line in so many days before the as-of day are neighbours.
    pub active_days: u32,
    /// The days that count for shares of a type's lines and for types bought together.
    pub window_days: u32,
    /// The most neighbours of a customer.
    pub neighbours: usize,
    /// The age at which a line of a product counts half, `> 0`: in likeness and in what is lent.
    pub product_half_life_days: f64,
    /// The age at which a line of a product type counts half, `> 0`: in likeness by types.
    pub type_half_life_days: f64,
    /// The power of decayed lines in the vectors, in `[0, 8]`; below 1 dampens the frequent.
    pub vector_power: f64,
    /// Types bought together by a lower cosine than this, in `[0, 1]`, count as unrelated.
    pub min_type_cosine: f64,
    /// The least number of customers a type's cosine is divided by.
    pub min_type_customers: u32,
}

impl Default for NeighbourParams {
    fn default() -> Self {
        Self {
            active_days: 56,
            window_days: 84,
            neighbours: 50,
            product_half_life_days: 60.0,
            type_half_life_days: 90.0,
            vector_power: 0.5,
            min_type_cosine: 0.15,
            min_type_customers: 5,
        }
    }
}

impl NeighbourParams {
    fn check(&self) -> Result<()> {
        let days = f64::MIN_POSITIVE..=MAX_HALF_LIFE_DAYS;
        let (by_product, by_type) = (self.product_half_life_days, self.type_half_life_days);
        check_setting(ENGINE, "product_half_life_days", by_product, days.clone())?;
        check_setting(ENGINE, "type_half_life_days", by_type, days)?;
        check_setting(ENGINE, "vector_power", self.vector_power, 0.0..=8.0)?;
        check_setting(ENGINE, "min_type_cosine", self.min_type_cosine, 0.0..=1.0)
    }
}

/// What a customer's likes say about a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NeighbourFeature {
    /// `Σ_t S(p, t) · Σ_u cos(u, t)` over types `u` the customer ever bought and other types `t`:
    /// the cosine of the sets of active customers who bought `u` and `t` in the window;
    /// `S` is the share of the type's lines in the window that fall on eligible products.
    TypePairs,
    /// Decayed lines of eligible products of the customers alike by products, weighted by likeness.
    Products,
    /// The part of [`Products`](Self::Products) on products the customer never bought.
    ProductsNew,
    /// As [`Products`](Self::Products), of the customers alike by product types.
    Types,
    /// The part of [`Types`](Self::Types) on products the customer never bought.
    TypesNew,
}

impl NeighbourFeature {
    /// All features, in the order they are stored.
    pub const ALL: [Self; 5] =
        [Self::TypePairs, Self::Products, Self::ProductsNew, Self::Types, Self::TypesNew];

    /// The feature's name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TypePairs => "neighbour_type_pairs",
            Self::Products => "neighbour_products",
            Self::ProductsNew => "neighbour_products_new",
            Self::Types => "neighbour_types",
            Self::TypesNew => "neighbour_types_new",
        }
    }
}

/// Five numbers per asked customer and promotion, each zero where there is nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourFeatures {
    promotions: usize,
    /// Per customer and feature one row over promotions.
    values: Vec<f32>,
}

impl NeighbourFeatures {
    /// The feature of the customer at a position of the asked list; zero out of range.
    pub fn get(&self, feature: NeighbourFeature, customer_position: usize, promotion: u32) -> f32 {
        self.row(feature, customer_position).get(promotion as usize).copied().unwrap_or(0.0)
    }

    /// The feature by promotion of the customer at a position of the asked list; empty out of range.
    pub fn row(&self, feature: NeighbourFeature, customer_position: usize) -> &[f32] {
        let from = (customer_position * FEATURES + feature as usize) * self.promotions;
        self.values.get(from..from + self.promotions).unwrap_or(&[])
    }
}

/// What likely tastes say about every promotion of `eligibility`, for each of `customers` (indices
/// into `history`, in any order, repeated at will): [`Neighbours`], asked once.
///
/// # Errors
/// As [`Neighbours::new`] and [`Neighbours::features`].
pub fn neighbour_features(
    history: &Purchases,
    eligibility: &Eligibility,
    product_types: &[u32],
    as_of: i32,
    customers: &[u32],
    params: &NeighbourParams,
) -> Result<NeighbourFeatures> {
    Neighbours::new(history, eligibility, product_types, as_of, params)?.features(customers)
}

/// The customers who may be somebody's neighbours as of a day, and what they can lend.
///
/// Customers are alike by the cosine of their vectors of decayed lines, raised to `vector_power` and
/// weighted by rarity, `ln((1 + n) / (1 + buyers))` over the `n` active customers (Spärck Jones,
/// "A statistical interpretation of term specificity", 1972, doi:10.1108/eb026526). The nearest,
/// ties by index, lend their decayed lines in proportion to their cosine: UP-CF, Faggioli, Polato,
/// Aiolli, UMAP 2020, doi:10.1145/3340631.3394850. Type pairs: item-based collaborative filtering,
/// Sarwar et al., WWW 2001, doi:10.1145/371920.372071.
///
/// A customer is never its own neighbour; one who is not active still has neighbours among those
/// who are. Lines on or after `as_of` do not count, and a product counts once per order. Time grows
/// with the sum over products, and over types, of (customers asked × active buyers).
pub struct Neighbours<'a> {
    history: &'a Purchases,
    eligibility: &'a Eligibility,
    as_of: i32,
    params: NeighbourParams,
    /// Types of products, numbered from zero.
    types: Vec<u32>,
    /// Active customers, ascending: those who lend.
    active: Vec<u32>,
    by_product: Neighbourhood,
    by_type: Neighbourhood,
    pairs: TypePairs,
    loans: Loans<'a>,
}

impl<'a> Neighbours<'a> {
    /// Looks at all customers of `history` who are active as of the day.
    ///
    /// # Errors
    /// `T0407` when `product_types` has not one type per product or `eligibility` is of other products,
    /// `T0405` when a setting is out of range.
    pub fn new(
        history: &'a Purchases,
        eligibility: &'a Eligibility,
        product_types: &[u32],
        as_of: i32,
        params: &NeighbourParams,
    ) -> Result<Self> {
        params.check()?;
        recommender::check(history, eligibility, &[])?;
        if product_types.len() != history.products() {
            let (types, products) = (product_types.len(), history.products());
            return Err(Error::data(
                "T0407",
                format!("{types} product types for {products} products"),
            ));
        }
        let (types, type_count) = numbered(product_types);
        let active = Members::new(history, as_of, params.active_days, &[]).customers;
        let vectors = |half_life_days: f64, key: &(dyn Fn(u32) -> u32 + Sync)| {
            let lines = active.par_iter().map(|customer| history.before(*customer, as_of));
            let lines = lines.map(|lines| vector(lines, as_of, half_life_days, key));
            lines.collect::<Vec<Vec<(u32, f64)>>>()
        };
        let products = vectors(params.product_half_life_days, &|product| product);
        let of_types = vectors(params.type_half_life_days, &|product| types[product as usize]);
        let everybody: Vec<u32> = (0..active.len() as u32).collect();
        let near = |keys: usize, vectors: &[Vec<(u32, f64)>]| {
            Neighbourhood::new(keys, vectors, &everybody, params.vector_power, usize::MAX)
        };
        Ok(Self {
            by_product: near(history.products(), &products),
            by_type: near(type_count, &of_types),
            pairs: TypePairs::new(history, eligibility, &types, type_count, as_of, &active, params),
            loans: Loans::new(eligibility, &products),
            history,
            eligibility,
            as_of,
            params: params.clone(),
            types,
            active,
        })
    }

    /// The features of each of `customers` (in any order, repeated at will) with every promotion of the
    /// eligibility; the same whoever else is asked for.
    ///
    /// # Errors
    /// `T0407` when a customer is out of range.
    pub fn features(&self, customers: &[u32]) -> Result<NeighbourFeatures> {
        recommender::check(self.history, self.eligibility, customers)?;
        let promotions = self.eligibility.promotions();
        let mut values = vec![0.0_f32; customers.len() * FEATURES * promotions];
        let fresh = || Scratch {
            similar: vec![0.0; self.active.len()],
            lent: vec![[0.0; 2]; self.loans.promotions.len()],
            owned: vec![false; self.history.products()],
            of_owned: vec![0.0; promotions],
            of_new: vec![0.0; promotions],
            types: vec![0.0; self.pairs.shares.len()],
        };
        values
            .par_chunks_mut((FEATURES * promotions).max(1))
            .zip(customers)
            .for_each_init(fresh, |scratch, (row, customer)| self.fill(*customer, scratch, row));
        Ok(NeighbourFeatures { promotions, values })
    }

    fn fill(&self, customer: u32, scratch: &mut Scratch, row: &mut [f32]) {
        let lines = self.history.before(customer, self.as_of);
        let params = &self.params;
        let products = vector(lines, self.as_of, params.product_half_life_days, &|product| product);
        let types = vector(lines, self.as_of, params.type_half_life_days, &|product| {
            self.types[product as usize]
        });
        let itself = self.active.binary_search(&customer).ok().map(|at| at as u32);
        let promotions = self.eligibility.promotions();
        let (type_pairs, row) = row.split_at_mut(promotions);
        let (like_by_product, like_by_type) = row.split_at_mut(2 * promotions);
        self.pairs.fill(&types, scratch, type_pairs);
        for (near, vector, row) in
            [(&self.by_product, &products, like_by_product), (&self.by_type, &types, like_by_type)]
        {
            let neighbours = near.of(vector, itself, params.neighbours, &mut scratch.similar);
            self.loans.fill(&products, &neighbours, scratch, row);
        }
    }
}

/// Types numbered from zero in the order of their ids, and how many there are.
fn numbered(product_types: &[u32]) -> (Vec<u32>, usize) {
    let mut distinct = product_types.to_vec();
    distinct.par_sort_unstable();
    distinct.dedup();
    let number = |id: &u32| distinct.partition_point(|known| known < id) as u32;
    (product_types.par_iter().map(number).collect(), distinct.len())
}

/// The customers that matter: the active and the asked.
pub(crate) struct Members {
    /// Sorted, distinct.
    pub(crate) customers: Vec<u32>,
    /// Positions in `customers` of the active, sorted.
    pub(crate) active: Vec<u32>,
}

impl Members {
    pub(crate) fn new(history: &Purchases, as_of: i32, active_days: u32, asked: &[u32]) -> Self {
        let is_active = |customer: u32| !history.window(customer, as_of, active_days).is_empty();
        let mut customers: Vec<u32> =
            history.all_customers().filter(|customer| is_active(*customer)).collect();
        customers.extend_from_slice(asked);
        customers.sort_unstable();
        customers.dedup();
        let active = (0_u32..).zip(&customers).filter(|(_, customer)| is_active(**customer));
        let active = active.map(|(position, _)| position).collect();
        Self { customers, active }
    }

    /// Where an asked or active customer stands in `customers`.
    pub(crate) fn position(&self, customer: u32) -> u32 {
        self.customers.partition_point(|member| *member < customer) as u32
    }
}

/// One line per order and product.
fn order_lines(lines: &[Purchase]) -> impl Iterator<Item = &Purchase> {
    let same =
        |a: &Purchase, b: &Purchase| (a.day, a.order, a.product) == (b.day, b.order, b.product);
    lines.chunk_by(same).filter_map(<[Purchase]>::first)
}

/// `(key, decayed lines)` by key; lines of one key are added up in the order of their days.
fn vector(
    lines: &[Purchase],
    as_of: i32,
    half_life_days: f64,
    key: &(dyn Fn(u32) -> u32 + Sync),
) -> Vec<(u32, f64)> {
    let mut weights = Vec::with_capacity(lines.len());
    for day in lines.chunk_by(|a, b| a.day == b.day) {
        let age_days = f64::from(as_of) - f64::from(day[0].day);
        let weight = (-age_days / half_life_days).exp2();
        weights.extend(order_lines(day).map(|line| (key(line.product), weight)));
    }
    weights.sort_by_key(|(key, _)| *key);
    weights.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
    weights
}

/// Who is near to whom: unit vectors of those who may be neighbours, turned round by key.
pub(crate) struct Neighbourhood {
    power: f64,
    rarity: Vec<f64>,
    /// Where the candidates with a key begin; one more than keys.
    starts: Vec<usize>,
    /// Positions of candidates, ascending per key.
    candidates: Vec<u32>,
    /// Their unit vectors' entries.
    entries: Vec<f64>,
    max_per_key: usize,
}

impl Neighbourhood {
    /// Takes one vector per member, keys below `keys`, and the positions of those who may be
    /// neighbours; keys that more than `max_per_key` of them have are skipped.
    pub(crate) fn new(
        keys: usize,
        vectors: &[Vec<(u32, f64)>],
        candidates: &[u32],
        power: f64,
        max_per_key: usize,
    ) -> Self {
        let mut starts = vec![0_usize; keys + 1];
        for position in candidates {
            for (key, _) in &vectors[*position as usize] {
                starts[*key as usize + 1] += 1;
            }
        }
        let all = 1.0 + candidates.len() as f64;
        let rarity = starts[1..].iter().map(|count| (all / (1.0 + *count as f64)).ln()).collect();
        for key in 0..keys {
            starts[key + 1] += starts[key];
        }
        let total = starts[keys];
        let mut near = Self {
            power,
            rarity,
            candidates: vec![0; total],
            entries: vec![0.0; total],
            max_per_key,
            starts,
        };
        let units: Vec<_> =
            candidates.par_iter().map(|position| near.unit(&vectors[*position as usize])).collect();
        let mut next = near.starts.clone();
        for (position, unit) in candidates.iter().zip(units) {
            for (key, entry) in unit {
                let at = &mut next[key as usize];
                near.candidates[*at] = *position;
                near.entries[*at] = entry;
                *at += 1;
            }
        }
        near
    }

    /// A vector as the cosine sees it; entries of zero where the length is zero.
    fn unit(&self, vector: &[(u32, f64)]) -> Vec<(u32, f64)> {
        let weigh = |(key, weight): &(u32, f64)| {
            (*key, weight.powf(self.power) * self.rarity[*key as usize])
        };
        let mut unit: Vec<(u32, f64)> = vector.iter().map(weigh).collect();
        let length = unit.iter().map(|(_, entry)| entry * entry).sum::<f64>().sqrt();
        let scale = if length > 0.0 && length.is_finite() { 1.0 / length } else { 0.0 };
        unit.iter_mut().for_each(|(_, entry)| *entry *= scale);
        unit
    }

    /// The candidates nearest to a vector and their cosines, all above zero, nearest first, ties by
    /// position; never the one at `itself`. `similar` holds a zero per member, before and after.
    pub(crate) fn of(
        &self,
        vector: &[(u32, f64)],
        itself: Option<u32>,
        neighbours: usize,
        similar: &mut [f64],
    ) -> Vec<(u32, f64)> {
        for (key, weight) in self.unit(vector) {
            let range = self.starts[key as usize]..self.starts[key as usize + 1];
            if weight == 0.0 || range.len() > self.max_per_key {
                continue;
            }
            for (other, entry) in self.candidates[range.clone()].iter().zip(&self.entries[range]) {
                similar[*other as usize] += weight * entry;
            }
        }
        if let Some(itself) = itself {
            similar[itself as usize] = 0.0;
        }
        let found = (0_u32..).zip(similar.iter_mut()).filter(|(_, cosine)| **cosine > 0.0);
        let mut all: Vec<(u32, f64)> =
            found.map(|(other, cosine)| (other, std::mem::take(cosine))).collect();
        let nearer = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if all.len() > neighbours && neighbours > 0 {
            all.select_nth_unstable_by(neighbours - 1, nearer);
        }
        all.truncate(neighbours);
        all.sort_unstable_by(nearer);
        all
    }
}

/// One thread's sums, all zero between customers.
struct Scratch {
    similar: Vec<f64>,
    /// Per group of products: what is lent of products never bought, and of those bought.
    lent: Vec<[f64; 2]>,
    owned: Vec<bool>,
    of_owned: Vec<f64>,
    of_new: Vec<f64>,
    types: Vec<f64>,
}

/// What a member can lend of one product.
struct Loan {
    product: u32,
    group: u32,
    lines: f64,
}

/// What each member can lend: decayed lines of the products that some promotion applies to.
struct Loans<'a> {
    by_member: Vec<Vec<Loan>>,
    /// The promotions of each group of products; products of a group have the same promotions.
    promotions: Vec<&'a [u32]>,
}

impl<'a> Loans<'a> {
    fn new(eligibility: &'a Eligibility, vectors: &[Vec<(u32, f64)>]) -> Self {
        let mut groups: BTreeMap<&[u32], u32> = BTreeMap::new();
        let mut promotions = Vec::new();
        let mut group_of = |product: u32| {
            let list = eligibility.promotions_of(product);
            *groups.entry(list).or_insert_with(|| {
                promotions.push(list);
                promotions.len() as u32 - 1
            })
        };
        let groups: Vec<u32> = (0..eligibility.products() as u32).map(&mut group_of).collect();
        let promoted = |vector: &Vec<(u32, f64)>| -> Vec<Loan> {
            let loans = vector.iter().map(|(product, lines)| {
                let group = groups[*product as usize];
                Loan { product: *product, group, lines: *lines }
            });
            loans.filter(|loan| !promotions[loan.group as usize].is_empty()).collect()
        };
        Self { by_member: vectors.par_iter().map(promoted).collect(), promotions }
    }

    /// Fills one row of all loans and, after it, one row of those on products never bought: `bought` are the
    /// others, with any number.
    fn fill(
        &self,
        bought: &[(u32, f64)],
        neighbours: &[(u32, f64)],
        scratch: &mut Scratch,
        row: &mut [f32],
    ) {
        let Scratch { lent, owned, of_owned, of_new, .. } = scratch;
        let (lent, owned) = (lent.as_mut_slice(), owned.as_mut_slice());
        bought.iter().for_each(|(product, _)| owned[*product as usize] = true);
        let total: f64 = neighbours.iter().map(|(_, cosine)| cosine).sum();
        for (neighbour, cosine) in neighbours {
            let share = cosine / total;
            for loan in &self.by_member[*neighbour as usize] {
                let place = usize::from(owned[loan.product as usize]);
                lent[loan.group as usize][place] += share * loan.lines;
            }
        }
        bought.iter().for_each(|(product, _)| owned[*product as usize] = false);
        for (lent, promotions) in lent.iter_mut().zip(&self.promotions) {
            let [new, bought] = std::mem::take(lent);
            if new + bought > 0.0 {
                for promotion in *promotions {
                    of_new[*promotion as usize] += new;
                    of_owned[*promotion as usize] += bought;
                }
            }
        }
        let (all, new) = row.split_at_mut(of_new.len());
        let sums = of_owned.iter_mut().zip(of_new);
        for ((all, new), (of_owned, of_new)) in all.iter_mut().zip(new).zip(sums) {
            let (of_owned, of_new) = (std::mem::take(of_owned), std::mem::take(of_new));
            (*all, *new) = ((of_owned + of_new) as f32, of_new as f32);
        }
    }
}

/// Which types are bought by those who buy another, and which promotions cover them.
struct TypePairs {
    /// Per type `(column, cosine)`; a column is a type with lines that a promotion covers.
    cosines: Vec<Vec<(u32, f64)>>,
    /// Per column `(promotion, share of the type's lines)`.
    shares: Vec<Vec<(u32, f64)>>,
}

impl TypePairs {
    fn new(
        history: &Purchases,
        eligibility: &Eligibility,
        types: &[u32],
        type_count: usize,
        as_of: i32,
        active: &[u32],
        params: &NeighbourParams,
    ) -> Self {
        let window = |customer| order_lines(history.window(customer, as_of, params.window_days));
        let mut lines = vec![0_u64; types.len()];
        for customer in 0..history.customers() as u32 {
            window(customer).for_each(|line| lines[line.product as usize] += 1);
        }
        let (columns, shares) = shares(eligibility, types, type_count, &lines);
        let types_of = |customer: &u32| {
            let bought = window(*customer);
            let mut bought: Vec<u32> = bought.map(|line| types[line.product as usize]).collect();
            bought.sort_unstable();
            bought.dedup();
            bought
        };
        let bought: Vec<Vec<u32>> = active.par_iter().map(types_of).collect();
        let pairs = (0_u32..).zip(&bought);
        let pairs = pairs.flat_map(|(buyer, types)| types.iter().map(move |id| (*id, buyer)));
        let buyers = Lists::new(type_count, pairs.collect());
        let mut column = vec![u32::MAX; type_count];
        for (place, id) in (0_u32..).zip(&columns) {
            column[*id as usize] = place;
        }
        let covered = |types: Vec<u32>| -> Vec<u32> {
            let columns = types.into_iter().map(|id| column[id as usize]);
            columns.filter(|column| *column != u32::MAX).collect()
        };
        let covered: Vec<Vec<u32>> = bought.into_par_iter().map(covered).collect();
        let floored =
            |id: u32| f64::from(params.min_type_customers.max(1)).max(buyers.get(id).len() as f64);
        let row = |together: &mut Vec<u32>, id: u32| -> Vec<(u32, f64)> {
            for buyer in buyers.get(id) {
                for column in &covered[*buyer as usize] {
                    together[*column as usize] += 1;
                }
            }
            let mut row = Vec::new();
            for ((place, other), together) in (0_u32..).zip(&columns).zip(together.iter_mut()) {
                let both = f64::from(std::mem::take(together));
                let cosine = both / (floored(id) * floored(*other)).sqrt();
                if both > 0.0 && *other != id && cosine >= params.min_type_cosine {
                    row.push((place, cosine));
                }
            }
            row
        };
        let ids = (0..type_count as u32).into_par_iter();
        Self { cosines: ids.map_init(|| vec![0; columns.len()], row).collect(), shares }
    }

    fn fill(&self, types: &[(u32, f64)], scratch: &mut Scratch, row: &mut [f32]) {
        let Scratch { types: sums, of_new, .. } = scratch;
        let (sums, of_new) = (sums.as_mut_slice(), of_new.as_mut_slice());
        for (id, _) in types {
            for (column, cosine) in &self.cosines[*id as usize] {
                sums[*column as usize] += cosine;
            }
        }
        for (sum, shares) in sums.iter_mut().zip(&self.shares) {
            let sum = std::mem::take(sum);
            if sum > 0.0 {
                for (promotion, share) in shares {
                    of_new[*promotion as usize] += sum * share;
                }
            }
        }
        for (value, sum) in row.iter_mut().zip(of_new) {
            *value = std::mem::take(sum) as f32;
        }
    }
}

/// The types of which promotions cover lines, sorted, and per type `(promotion, share of its lines)`.
fn shares(
    eligibility: &Eligibility,
    types: &[u32],
    type_count: usize,
    lines: &[u64],
) -> (Vec<u32>, Vec<Vec<(u32, f64)>>) {
    let mut totals = vec![0_u64; type_count];
    for (id, lines) in types.iter().zip(lines) {
        totals[*id as usize] += lines;
    }
    let mut covered: Vec<(u32, u32, u64)> = Vec::new();
    for promotion in 0..eligibility.promotions() as u32 {
        for product in eligibility.products_of(promotion) {
            let place = *product as usize;
            if lines[place] > 0 {
                covered.push((types[place], promotion, lines[place]));
            }
        }
    }
    covered.sort_unstable();
    let (mut columns, mut shares) = (Vec::new(), Vec::new());
    for of_type in covered.chunk_by(|a, b| a.0 == b.0) {
        let total = totals[of_type[0].0 as usize] as f64;
        let promotions = of_type.chunk_by(|a, b| a.1 == b.1);
        let share = |of_promotion: &[(u32, u32, u64)]| {
            let lines: u64 = of_promotion.iter().map(|(_, _, lines)| lines).sum();
            (of_promotion[0].1, lines as f64 / total)
        };
        columns.push(of_type[0].0);
        shares.push(promotions.map(share).collect());
    }
    (columns, shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{draws, history};

    const ALL: [NeighbourFeature; 5] = NeighbourFeature::ALL;

    /// Asserts one customer's features, in the order of `ALL`, of one promotion.
    fn check(found: &NeighbourFeatures, position: usize, promotion: u32, expect: [f64; 5]) {
        for (feature, expect) in ALL.into_iter().zip(expect) {
            let value = f64::from(found.get(feature, position, promotion));
            assert!(
                (value - expect).abs() < 1e-6,
                "customer {position}, promotion {promotion}, {}: {value} against {expect}",
                feature.name()
            );
        }
    }

    #[test]
    fn one_neighbour_lends_all_and_types_pair_up() {
        // Customer 0 and 1 share product 0; customer 2 buys elsewhere; customer 3 left long ago.
        let lines = [
            (0, 40, 0),
            (1, 40, 0),
            (1, 40, 1),
            (1, 40, 1), // the same order and product: one line
            (2, 40, 3),
            (3, -60, 0),
        ];
        let history = history(4, 4, &lines);
        let eligibility = Eligibility::new(4, &[vec![0, 1], vec![1], vec![], vec![2, 3]]).unwrap();
        let params = NeighbourParams {
            active_days: 60,
            min_type_customers: 1,
            ..NeighbourParams::default()
        };
        let asked = [3, 0, 1];
        let found = neighbour_features(&history, &eligibility, &[7, 9, 9, 4], 100, &asked, &params)
            .unwrap();
        // A line 60 days old lends a half; types 7 and 9 share one of two and one customers.
        let (lent, together) = (0.5, 0.5_f64.sqrt());
        check(&found, 1, 0, [together, 2.0 * lent, lent, 2.0 * lent, lent]);
        check(&found, 1, 1, [together, lent, lent, lent, lent]);
        check(&found, 1, 2, [0.0; 5]);
        check(&found, 1, 3, [0.0; 5]);
        // Customer 1 owns all that customer 0 could lend, and pairs both ways.
        check(&found, 2, 0, [2.0 * together, lent, 0.0, lent, 0.0]);
        check(&found, 2, 1, [together, 0.0, 0.0, 0.0, 0.0]);
        // Who left has neighbours, and lends to nobody: 0 is wholly like it, 1 in part.
        let rarity = |buyers: f64| (4.0 / (1.0 + buyers)).ln();
        let like = rarity(2.0) / rarity(2.0).hypot(rarity(1.0));
        let new = lent * like / (1.0 + like);
        check(&found, 0, 0, [together, lent + new, new, lent + new, new]);
        assert!(found.row(ALL[0], 3).is_empty() && found.get(ALL[1], 0, 4) == 0.0);
    }

    #[test]
    fn wrong_input_is_refused() {
        let (history, none) = (history(1, 2, &[]), Eligibility::new(2, &[vec![0]]).unwrap());
        let run = |types: &[u32], customers: &[u32], params: NeighbourParams| {
            neighbour_features(&history, &none, types, 0, customers, &params)
        };
        let params = NeighbourParams::default;
        assert!(run(&[0, 0], &[0, 0], params()).unwrap().values.iter().all(|value| *value == 0.0));
        assert_eq!(run(&[0], &[0], params()).unwrap_err().code(), "T0407");
        assert_eq!(run(&[0, 0], &[1], params()).unwrap_err().code(), "T0407");
        for wrong in [
            NeighbourParams { product_half_life_days: 0.0, ..params() },
            NeighbourParams { type_half_life_days: f64::NAN, ..params() },
            NeighbourParams { vector_power: -1.0, ..params() },
            NeighbourParams { min_type_cosine: 1.5, ..params() },
        ] {
            assert_eq!(run(&[0, 0], &[0], wrong).unwrap_err().code(), "T0405");
        }
    }

    #[test]
    fn neither_the_future_nor_threads_nor_the_others_asked_matter() {
        let mut draw = draws(31);
        let mut lines: Vec<(u32, i32, u32)> =
            (0..1500).map(|_| (draw(50), draw(200) as i32, draw(40).min(draw(40)))).collect();
        let types: Vec<u32> = (0..40).map(|product| product / 4 * 11).collect();
        let lists: Vec<Vec<u32>> = (0..9).map(|n| (0..n).map(|_| draw(40)).collect()).collect();
        let eligibility = Eligibility::new(40, &lists).unwrap();
        let everyone: Vec<u32> = (0..50).collect();
        let params = NeighbourParams { neighbours: 6, ..NeighbourParams::default() };
        let run = |lines: &[(u32, i32, u32)], customers: &[u32]| {
            let history = history(50, 40, lines);
            neighbour_features(&history, &eligibility, &types, 200, customers, &params).unwrap()
        };
        let found = run(&lines, &everyone);
        assert!(ALL.into_iter().all(|feature| found.row(feature, 1).iter().any(|v| *v > 0.0)));
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert!(pool.install(|| run(&lines, &everyone)) == found, "{threads} threads");
        }
        let few = run(&lines, &[17, 3, 17]);
        for (position, customer) in [17, 3, 17].into_iter().enumerate() {
            assert!(ALL.into_iter().all(|f| few.row(f, position) == found.row(f, customer)));
        }
        lines.extend((0..300).map(|_| (draw(50), 200 + draw(30) as i32, draw(40))));
        assert!(run(&lines, &everyone) == found, "lines on and after the as-of day do not count");
    }
}
