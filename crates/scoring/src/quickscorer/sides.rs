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
