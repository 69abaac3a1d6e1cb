//! To whom does a feature belong, and where does its value stand?

/// Whose feature it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The same for all promotions.
    Customer,
    /// The same for all customers.
    Promotion,
    /// Of a customer and a group of promotions (a category, or each promotion by itself).
    Cross,
}

/// Where the values of a feature stand: a column in the rows of its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose feature it is.
    pub side: Side,
    /// The column in the rows of that side.
    pub column: usize,
}

/// Cross values of customers with groups.
#[derive(Clone, Copy, Debug)]
pub enum Cross<'a> {
    /// A row for each: row `c * groups + g` is customer `c` with group `g`.
    Full(Rows<'a>),
    /// Rows of some groups of each customer; the other groups share one row.
    Some(SomeRows<'a>),
}

impl<'a> From<Rows<'a>> for Cross<'a> {
    fn from(rows: Rows<'a>) -> Self {
        Self::Full(rows)
    }
}

impl<'a> From<SomeRows<'a>> for Cross<'a> {
    fn from(rows: SomeRows<'a>) -> Self {
        Self::Some(rows)
    }
}

/// Cross rows of the groups about which there is something to say.
#[derive(Clone, Copy, Debug)]
pub struct SomeRows<'a> {
    /// Where the rows of each customer begin; one more than customers.
    pub starts: &'a [usize],
    /// The group of each row, ascending within a customer.
    pub groups: &'a [u32],
    /// The rows.
    pub rows: Rows<'a>,
    /// The row of every customer and group that has none.
    pub otherwise: &'a [f32],
}

impl SomeRows<'_> {
    /// Whether there are rows of `customers` customers with `columns` columns, and groups ascend.
    pub(crate) fn hold(&self, customers: usize, columns: usize) -> bool {
        let Some(starts) = self.starts.get(..=customers) else { return false };
        starts[0] == 0
            && starts.is_sorted()
            && starts[customers] <= self.groups.len()
            && self.rows.hold(starts[customers], columns)
            && self.otherwise.len() >= columns
            && starts.windows(2).all(|bounds| {
                self.groups[bounds[0]..bounds[1]].is_sorted_by(|one, other| one < other)
            })
    }

    pub(crate) fn get(&self, customer: usize, group: u32, column: usize) -> f32 {
        let rows = self.starts[customer]..self.starts[customer + 1];
        match self.groups[rows.clone()].binary_search(&group) {
            Ok(at) => self.rows.get(rows.start + at, column),
            Err(_) => self.otherwise[column],
        }
    }
}

/// Values of one side, row after row; missing is NaN.
///
/// Row `r` begins at `r * stride`: a larger stride reads rows out of a wider matrix, without a copy.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The values.
    pub values: &'a [f32],
    /// From the start of one row to the start of the next.
    pub stride: usize,
}

impl Rows<'_> {
    /// Whether `rows` rows with `columns` columns stand in the values.
    pub(crate) fn hold(&self, rows: usize, columns: usize) -> bool {
        rows == 0
            || columns == 0
            || (rows - 1)
                .checked_mul(self.stride)
                .and_then(|start| start.checked_add(columns))
                .is_some_and(|end| end <= self.values.len())
    }

    pub(crate) fn get(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.stride + column]
    }

    /// Puts `columns` of the given rows below each other, one column in `lanes` numbers of `out`.
    pub(crate) fn transpose(
        &self,
        rows: impl Iterator<Item = usize>,
        columns: &[u32],
        lanes: usize,
        out: &mut [f32],
    ) {
        for (lane, row) in rows.enumerate() {
            let row = &self.values[(row * self.stride).min(self.values.len())..];
            for (out, column) in out.chunks_exact_mut(lanes).zip(columns) {
                out[lane] = row[*column as usize];
            }
        }
    }
}
