//! What does the ensemble say of every customer with every promotion?

use std::ops::Range;

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::best::Lists;
use super::compile::{Compiled, Tests, compile};
use super::fixed::Scale;
use super::kernel::{Add, Kernel, LANES, Masks, Spread};
use super::sides::{Cross, Place, Rows, Side};
use super::tree::TreeView;

/// Customers whose own masks are made together.
const CUSTOMERS: usize = 2 * LANES;

/// Planes that are added before the next customer's turn: their masks of promotions stay near.
const PLANES: usize = 32;

/// Cross values of customers that take turns: they stay in the first cache, in floats.
const CROSS_VALUES_MAX: usize = 1 << 12;

/// The place of a group without a promotion.
const UNUSED: u32 = u32::MAX;

/// Masks of some groups are made apart from the one of all others where that saves so many times their blocks.
const APART: usize = 2;

/// The most planes, promotions or groups; places then fit 32 bits.
const COUNT_MAX: usize = 1 << 24;

/// A tree ensemble ready to score customers × promotions.
///
/// A margin is `base + Σ leaf`; leaves are summed in fixed point, so that a score has the same bits on every
/// machine and any number of threads, and is within [`error_max`](Self::error_max) of the exact sum.
///
/// ```
/// use tercet_scoring::quickscorer::{Kernel, Place, Rows, Scorer, Side, TreeView};
/// // One tree: below 3 orders (of the customer) 1, else 2 below 10 euros (of the promotion), else 4.
/// let tree = TreeView {
///     feature: &[0, 0, 1, 0, 0],
///     threshold: &[3.0, 0.0, 10.0, 0.0, 0.0],
///     default_left: &[true; 5],
///     level_set: &[-1; 5],
///     left: &[1, 0, 3, 0, 0],
///     right: &[2, 0, 4, 0, 0],
///     value: &[0.0, 1.0, 0.0, 2.0, 4.0],
///     level_sets: &[],
/// };
/// let places = [Place { side: Side::Customer, column: 0 }, Place { side: Side::Promotion, column: 0 }];
/// let scorer = Scorer::new(&[tree], 0.5, &places)?;
/// let rows = |values| Rows { values, stride: 1 };
/// let promotions = scorer.promotions(Kernel::best(), rows(&[5.0, 20.0]), &[0, 0])?;
/// let sums = scorer.score(Kernel::best(), &promotions, 2, rows(&[1.0, 7.0]), rows(&[]))?;
/// let margins: Vec<f64> = sums.iter().map(|sum| scorer.margin(*sum)).collect();
/// assert_eq!(margins, [1.5, 1.5, 2.5, 4.5]);
/// # Ok::<(), tercet_types::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scorer {
    compiled: Compiled,
    places: Vec<Place>,
    base_margin: f64,
    scale: Scale,
}

/// The promotions of a run as masks, made once. Belongs to the scorer that made it.
#[derive(Clone, Debug)]
pub struct Promotions<'a> {
    rows: Rows<'a>,
    /// The group of each promotion, as it was given.
    group_of: Vec<u32>,
    /// The number of groups: rows of cross values per customer.
    groups: usize,
    /// Which promotion a lane is: by group, then as given.
    order: Vec<u32>,
    /// Groups with a promotion, ascending.
    used: Vec<u32>,
    /// Per group its place in `used`; [`UNUSED`] for a group without a promotion.
    place_of: Vec<u32>,
    /// Per lane the place of its group in `used`; empty when every lane is its own group.
    lane_groups: Vec<u32>,
    masks: Vec<u32>,
    stride: usize,
}

impl Promotions<'_> {
    /// The number of promotions.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no promotion.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Rows of cross values that each customer has: one more than the largest group.
    pub fn groups(&self) -> usize {
        self.groups
    }
}

impl Scorer {
    /// Compiles an ensemble whose feature `f` stands at `places[f]`.
    ///
    /// # Errors
    /// `T0505` naming the first tree and node that could not be walked, or a limit that is passed.
    pub fn new(trees: &[TreeView<'_>], base_margin: f64, places: &[Place]) -> Result<Self> {
        for (number, tree) in trees.iter().enumerate() {
            tree.validate(places.len())
                .map_err(|wrong| Error::data("T0505", format!("model: tree {number}: {wrong}")))?;
        }
        if trees.len() > COUNT_MAX || places.iter().any(|place| place.column >= COUNT_MAX) {
            return Err(Error::data(
                "T0505",
                format!("model: more than {COUNT_MAX} trees or columns"),
            ));
        }
        let most = |tree: &TreeView<'_>| {
            let leaves = (0..tree.left.len()).filter(|node| tree.is_leaf(*node));
            leaves.map(|leaf| tree.value[leaf].abs()).fold(0.0, f32::max)
        };
        let scale = Scale::new(&trees.iter().map(most).collect::<Vec<f32>>());
        let compiled = compile(trees, places, scale);
        Ok(Self { compiled, places: places.to_vec(), base_margin, scale })
    }

    /// The margin of a fixed-point sum.
    pub fn margin(&self, sum: i32) -> f64 {
        self.base_margin + self.scale.number(sum)
    }

    /// The most a sum differs from that of the unrounded leaves.
    pub fn error_max(&self) -> f64 {
        let trees = self.compiled.single + self.compiled.several.len() + self.compiled.walked.len();
        self.scale.rounding_max() * trees as f64
    }

    /// Trees that are walked for every pair: with sets of levels, or more than 256 leaves.
    pub fn walked(&self) -> usize {
        self.compiled.walked.len()
    }

    /// The masks of promotions: row `p` of `rows` is promotion `p`, which has the cross values of group
    /// `group_of[p]`.
    ///
    /// # Errors
    /// `T0506` when `rows` are fewer than promotions or lack a column, or a number passes its limit.
    pub fn promotions<'a>(
        &self,
        kernel: Kernel,
        rows: Rows<'a>,
        group_of: &[u32],
    ) -> Result<Promotions<'a>> {
        let count = group_of.len();
        let groups = group_of.iter().max().map_or(0, |most| *most as usize + 1);
        if count > COUNT_MAX || groups > COUNT_MAX {
            return Err(Error::data(
                "T0506",
                format!("more than {COUNT_MAX} promotions or groups"),
            ));
        }
        self.check(&rows, Side::Promotion, count)?;
        let mut order: Vec<u32> = (0..count as u32).collect();
        order.sort_by_key(|promotion| group_of[*promotion as usize]);
        let mut used = group_of.to_vec();
        used.sort_unstable();
        used.dedup();
        let mut place_of = vec![UNUSED; groups];
        for (place, group) in (0_u32..).zip(&used) {
            place_of[*group as usize] = place;
        }
        let stride = count.next_multiple_of(LANES);
        let mut lane_groups = Vec::new();
        if used.len() < count {
            // The group of a lane without a promotion is that of the last one.
            lane_groups.resize(stride, used.len().saturating_sub(1) as u32);
            for (lane, promotion) in lane_groups.iter_mut().zip(&order) {
                let group = group_of[*promotion as usize];
                *lane = used.partition_point(|used| *used < group) as u32;
            }
        }
        let tests = &self.compiled.promotion;
        let mut values = vec![0.0; tests.columns().len() * stride];
        if stride > 0 {
            let lanes = order.iter().map(|promotion| *promotion as usize);
            rows.transpose(lanes, tests.columns(), stride, &mut values);
        }
        let mut masks = vec![0; self.compiled.planes() * stride];
        kernel.masks(&whole(tests, 0..self.compiled.planes(), &values, stride), &mut masks);
        let group_of = group_of.to_vec();
        Ok(Promotions { rows, group_of, groups, order, used, place_of, lane_groups, masks, stride })
    }

    /// Fixed-point sums of `count` customers with all promotions, customer after customer, promotions as they
    /// were given: see [`margin`](Self::margin).
    ///
    /// Row `c` of `customers` is customer `c`; `cross` has the rows of these customers with `promotions.groups()`
    /// groups. Full rows and some rows with the same values give the same sums.
    ///
    /// # Errors
    /// `T0506` when there are fewer rows than that, or they lack a column.
    pub fn score<'a>(
        &self,
        kernel: Kernel,
        promotions: &Promotions<'_>,
        count: usize,
        customers: Rows<'a>,
        cross: impl Into<Cross<'a>>,
    ) -> Result<Vec<i32>> {
        let pass = self.pass(kernel, promotions, count, customers, cross.into())?;
        let size = count.checked_mul(promotions.len()).ok_or_else(|| {
            Error::data("T0506", format!("{count} customers × {} promotions", promotions.len()))
        })?;
        let mut sums = vec![0; size];
        if promotions.is_empty() {
            return Ok(sums);
        }
        sums.par_chunks_mut(CUSTOMERS * promotions.len()).enumerate().for_each_init(
            || Scratch::new(self, promotions),
            |scratch, (block, sums)| pass.block(block * CUSTOMERS, scratch, sums),
        );
        Ok(sums)
    }

    /// The `most` promotions with the largest sums of each customer and slot, the best first, of equal sums the one
    /// given first; the table of all sums is never made.
    ///
    /// `open(customer, promotion)` says which of the `slots` (at most 8) the pair may stand in: bit `s` for slot `s`.
    /// Rows are those of [`score`](Self::score).
    ///
    /// # Errors
    /// `T0506` as there, and for more than 8 slots.
    pub fn best<'a>(
        &self,
        kernel: Kernel,
        promotions: &Promotions<'_>,
        (count, customers): (usize, Rows<'a>),
        cross: impl Into<Cross<'a>>,
        (slots, most): (usize, usize),
        open: impl Fn(usize, usize) -> u8 + Sync,
    ) -> Result<Lists> {
        if slots > u8::BITS as usize {
            return Err(Error::data("T0506", format!("{slots} slots are more than 8")));
        }
        let pass = self.pass(kernel, promotions, count, customers, cross.into())?;
        let mut lists = Lists::empty(count, slots, most);
        if promotions.is_empty() || slots == 0 || most == 0 {
            return Ok(lists);
        }
        let fresh = || (Scratch::new(self, promotions), vec![0; CUSTOMERS * promotions.len()]);
        lists.blocks(CUSTOMERS).enumerate().for_each_init(
            fresh,
            |(scratch, sums), (at, mut lists)| {
                let first = at * CUSTOMERS;
                let sums = &mut sums[..lists.customers() * promotions.len()];
                pass.block(first, scratch, sums);
                for (place, sums) in sums.chunks_exact(promotions.len()).enumerate() {
                    for (promotion, sum) in sums.iter().enumerate() {
                        lists.offer(place, open(first + place, promotion), promotion as u32, *sum);
                    }
                }
            },
        );
        Ok(lists)
    }

    /// What all threads read, once it is checked.
    fn pass<'a>(
        &'a self,
        kernel: Kernel,
        promotions: &'a Promotions<'a>,
        count: usize,
        customers: Rows<'a>,
        cross: Cross<'a>,
    ) -> Result<Pass<'a>> {
        self.check(&customers, Side::Customer, count)?;
        let mut otherwise = Vec::new();
        match &cross {
            Cross::Full(rows) => {
                self.check(rows, Side::Cross, count.saturating_mul(promotions.groups))?;
            }
            Cross::Some(some) => {
                if !some.hold(count, self.columns(Side::Cross)) {
                    return Err(Error::data(
                        "T0506",
                        format!(
                            "{} cross rows do not belong to {count} customers, or lack a column",
                            some.groups.len()
                        ),
                    ));
                }
                otherwise = self.masks_of_row(kernel, some.otherwise);
            }
        }
        Ok(Pass { scorer: self, kernel, promotions, customers, cross, otherwise })
    }

    /// What the cross tests of every plane leave of one row.
    fn masks_of_row(&self, kernel: Kernel, row: &[f32]) -> Vec<u32> {
        let tests = &self.compiled.cross;
        let mut values = vec![0.0; tests.columns().len() * LANES];
        for (lanes, column) in values.chunks_exact_mut(LANES).zip(tests.columns()) {
            lanes.fill(row[*column as usize]);
        }
        let mut masks = vec![0; self.compiled.planes() * LANES];
        kernel.masks(&whole(tests, 0..self.compiled.planes(), &values, LANES), &mut masks);
        masks.into_iter().step_by(LANES).collect()
    }

    /// One more than the last column of a side.
    fn columns(&self, side: Side) -> usize {
        let columns = self.places.iter().filter(|place| place.side == side);
        columns.map(|place| place.column + 1).max().unwrap_or(0)
    }

    fn check(&self, rows: &Rows<'_>, side: Side, count: usize) -> Result<()> {
        let columns = self.columns(side);
        if rows.hold(count, columns) {
            return Ok(());
        }
        Err(Error::data(
            "T0506",
            format!(
                "{} values with a stride of {} are not {count} rows of {columns} columns ({side:?})",
                rows.values.len(),
                rows.stride
            ),
        ))
    }
}

/// Tests over lanes that start with all leaves.
fn whole<'a>(
    tests: &'a Tests,
    planes: Range<usize>,
    values: &'a [f32],
    stride: usize,
) -> Masks<'a> {
    Masks { tests, planes, values, stride, lanes: stride, start: &[u32::MAX], start_stride: 0 }
}

/// Buffers of one thread.
struct Scratch {
    /// Customer columns × [`CUSTOMERS`].
    customer_values: Vec<f32>,
    /// Planes × [`CUSTOMERS`].
    customer_masks: Vec<u32>,
    /// Customers of a turn × cross columns × `groups_stride`.
    cross_values: Vec<f32>,
    /// Planes of a turn × `groups_stride`.
    cross_masks: Vec<u32>,
    /// The same of a customer's own groups, side by side, with a block behind.
    some_masks: Vec<u32>,
    /// Per customer of a turn the groups that have a row, as bits of blocks, and how many; `None` when the values
    /// of all groups are written out.
    present: Vec<Option<(Vec<u16>, usize)>>,
    /// Planes of a turn: the mask of all other groups.
    others: Vec<u32>,
    /// Customers of a turn × lanes.
    sums: Vec<i32>,
    groups_stride: usize,
    /// Customers that take turns.
    turn: usize,
}

impl Scratch {
    fn new(scorer: &Scorer, promotions: &Promotions<'_>) -> Self {
        let compiled = &scorer.compiled;
        let lanes = promotions.used.len().next_multiple_of(LANES);
        // Kernels read a block of groups from any group on.
        let behind = if promotions.lane_groups.is_empty() { 0 } else { LANES };
        let groups_stride = lanes + behind;
        let cross = compiled.cross.columns().len() * groups_stride;
        let turn = (CROSS_VALUES_MAX / cross.max(1)).clamp(1, CUSTOMERS);
        let planes = compiled.several.iter().map(Range::len).fold(PLANES, usize::max);
        Self {
            customer_values: vec![0.0; compiled.customer.columns().len() * CUSTOMERS],
            customer_masks: vec![0; compiled.planes() * CUSTOMERS],
            cross_values: vec![0.0; turn * cross],
            cross_masks: vec![0; planes * groups_stride],
            some_masks: vec![0; planes * groups_stride + LANES],
            present: vec![None; turn],
            others: vec![0; planes],
            sums: vec![0; turn * promotions.stride],
            groups_stride,
            turn,
        }
    }
}

/// What all threads read.
struct Pass<'a> {
    scorer: &'a Scorer,
    kernel: Kernel,
    promotions: &'a Promotions<'a>,
    customers: Rows<'a>,
    cross: Cross<'a>,
    /// Per plane the mask of the row that groups without one share.
    otherwise: Vec<u32>,
}

impl Pass<'_> {
    /// The sums of the customers from `first` on, as many as `sums` has room for.
    fn block(&self, first: usize, scratch: &mut Scratch, sums: &mut [i32]) {
        let compiled = &self.scorer.compiled;
        let count = sums.len() / self.promotions.len();
        let tests = &compiled.customer;
        let rows = first..first + count;
        self.customers.transpose(rows, tests.columns(), CUSTOMERS, &mut scratch.customer_values);
        let job = whole(tests, 0..compiled.planes(), &scratch.customer_values, CUSTOMERS);
        self.kernel.masks(&job, &mut scratch.customer_masks);
        let turn = scratch.turn;
        for (number, sums) in sums.chunks_mut(turn * self.promotions.len()).enumerate() {
            self.turn(first, number * turn, scratch, sums);
        }
        if !compiled.walked.is_empty() {
            for (place, sum) in sums.iter_mut().enumerate() {
                let customer = first + place / self.promotions.len();
                *sum += self.walk(customer, place % self.promotions.len());
            }
        }
    }

    /// The customers from `start` on of the block that begins with `first` take turns, some planes each.
    fn turn(&self, first: usize, start: usize, scratch: &mut Scratch, sums: &mut [i32]) {
        let (compiled, promotions) = (&self.scorer.compiled, self.promotions);
        let count = sums.len() / promotions.len();
        let (tests, lanes) = (&compiled.cross, scratch.groups_stride);
        let size = tests.columns().len() * lanes;
        for at in 0..count {
            let values = &mut scratch.cross_values[at * size..(at + 1) * size];
            scratch.present[at] = self.cross_values(first + start + at, lanes, values);
        }
        scratch.sums.fill(0);
        let single = (0..compiled.single).step_by(PLANES);
        let single = single.map(|from| (from..(from + PLANES).min(compiled.single), false));
        for (planes, one_tree) in single.chain(compiled.several.iter().map(|p| (p.clone(), true))) {
            for at in 0..count {
                let (present, own) = match &scratch.present[at] {
                    Some((present, own)) => (Some(present), *own),
                    None => (None, promotions.used.len()),
                };
                let job = Masks {
                    tests,
                    planes: planes.clone(),
                    values: &scratch.cross_values[at * size..(at + 1) * size],
                    stride: lanes,
                    lanes: own.next_multiple_of(LANES),
                    start: &scratch.customer_masks[start + at..],
                    start_stride: CUSTOMERS,
                };
                let Some(present) = present else {
                    self.kernel.masks(&job, &mut scratch.cross_masks);
                    self.add(planes.clone(), one_tree, at, scratch);
                    continue;
                };
                self.kernel.masks(&job, &mut scratch.some_masks);
                let starts = scratch.customer_masks[start + at..].iter().step_by(CUSTOMERS);
                let starts = starts.skip(planes.start).zip(&self.otherwise[planes.clone()]);
                for (other, (start, otherwise)) in scratch.others.iter_mut().zip(starts) {
                    *other = start & otherwise;
                }
                let job = Spread {
                    masks: &scratch.some_masks,
                    stride: lanes,
                    present,
                    others: &scratch.others[..planes.len()],
                };
                self.kernel.spread(&job, &mut scratch.cross_masks);
                self.add(planes.clone(), one_tree, at, scratch);
            }
        }
        let lanes = scratch.sums.chunks_exact(promotions.stride);
        for (sums, lanes) in sums.chunks_exact_mut(promotions.len()).zip(lanes) {
            for (promotion, sum) in promotions.order.iter().zip(lanes) {
                sums[*promotion as usize] = *sum;
            }
        }
    }

    /// Adds the leaves of some planes to the sums of a customer of the turn.
    fn add(&self, planes: Range<usize>, one_tree: bool, at: usize, scratch: &mut Scratch) {
        let promotions = self.promotions;
        let job = Add {
            leaves: &self.scorer.compiled.leaves[planes.clone()],
            one_tree,
            promotions: &promotions.masks[planes.start * promotions.stride..],
            stride: promotions.stride,
            groups: &scratch.cross_masks,
            groups_stride: scratch.groups_stride,
            group_of: Some(&promotions.lane_groups[..]).filter(|groups| !groups.is_empty()),
        };
        self.kernel.add(&job, &mut scratch.sums[at * promotions.stride..][..promotions.stride]);
    }

    /// Writes a customer's cross values, those of a column in `lanes` numbers: of all groups, or of those that have a
    /// row, when these are few enough; then says which, as bits of blocks, and how many.
    fn cross_values(
        &self,
        customer: usize,
        lanes: usize,
        out: &mut [f32],
    ) -> Option<(Vec<u16>, usize)> {
        let (promotions, columns) = (self.promotions, self.scorer.compiled.cross.columns());
        let some = match &self.cross {
            Cross::Full(rows) => {
                let row = customer * promotions.groups;
                let rows_of = promotions.used.iter().map(|group| row + *group as usize);
                rows.transpose(rows_of, columns, lanes, out);
                return None;
            }
            Cross::Some(some) => some,
        };
        let rows = some.starts[customer]..some.starts[customer + 1];
        let places = || {
            rows.clone().filter_map(|row| {
                let place = *promotions.place_of.get(some.groups[row] as usize)?;
                (place != UNUSED).then_some((row, place as usize))
            })
        };
        let (own, all) = (places().count(), promotions.used.len());
        if own.div_ceil(LANES) * APART <= all.div_ceil(LANES) {
            some.rows.transpose(places().map(|(row, _)| row), columns, lanes, out);
            let mut present = vec![0_u16; all.div_ceil(LANES)];
            places().for_each(|(_, place)| present[place / LANES] |= 1 << (place % LANES));
            return Some((present, own));
        }
        for (out, column) in out.chunks_exact_mut(lanes).zip(columns) {
            out[..all].fill(some.otherwise[*column as usize]);
        }
        for (row, place) in places() {
            let values = some.rows.values;
            let row = &values[(row * some.rows.stride).min(values.len())..];
            for (out, column) in out.chunks_exact_mut(lanes).zip(columns) {
                out[place] = row[*column as usize];
            }
        }
        None
    }

    /// What the walked trees add to a pair.
    fn walk(&self, customer: usize, promotion: usize) -> i32 {
        let group = self.promotions.group_of[promotion];
        let value = |feature: usize| {
            let Place { side, column } = self.scorer.places[feature];
            match side {
                Side::Customer => self.customers.get(customer, column),
                Side::Promotion => self.promotions.rows.get(promotion, column),
                Side::Cross => match &self.cross {
                    Cross::Full(rows) => {
                        rows.get(customer * self.promotions.groups + group as usize, column)
                    }
                    Cross::Some(some) => some.get(customer, group, column),
                },
            }
        };
        self.scorer.compiled.walked.iter().map(|walked| walked.leaf(value)).sum()
    }
}
