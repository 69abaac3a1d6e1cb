//! What is known of every product, or of every customer, besides what was bought?

use tercet_types::{Error, Result};

use crate::eligibility::Lists;

/// Kinds of attributes (type, brand, price tier, …), each with the values of every row; a row may have none or several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    rows: usize,
    kinds: Vec<Kind>,
}

/// One kind of attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    name: String,
    /// One more than the largest value.
    values: usize,
    by_row: Lists,
    by_value: Lists,
}

impl Attributes {
    /// Nothing is known of so many rows.
    pub const fn none(rows: usize) -> Self {
        Self { rows, kinds: Vec::new() }
    }

    /// The same rows with one more kind: one list of values per row, in any order.
    ///
    /// # Errors
    /// `T0407` when there is not one list per row, or the kind is known already.
    pub fn with(mut self, name: &str, values: &[Vec<u32>]) -> Result<Self> {
        if values.len() != self.rows {
            return Err(Error::data(
                "T0407",
                format!(
                    "attribute '{name}': {} lists of values for {} rows",
                    values.len(),
                    self.rows
                ),
            ));
        }
        if self.kind(name).is_some() {
            return Err(Error::data("T0407", format!("attribute '{name}' is given twice")));
        }
        let pairs: Vec<(u32, u32)> = (0_u32..)
            .zip(values)
            .flat_map(|(row, list)| list.iter().map(move |value| (row, *value)))
            .collect();
        let count = pairs.iter().map(|(_, value)| *value as usize + 1).max().unwrap_or(0);
        let turned = pairs.iter().map(|(row, value)| (*value, *row)).collect();
        self.kinds.push(Kind {
            name: name.to_owned(),
            values: count,
            by_row: Lists::new(self.rows, pairs),
            by_value: Lists::new(count, turned),
        });
        Ok(self)
    }

    /// The number of rows: products, or customers.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// All kinds, in the order they were given.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The kind of a name.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }
}

impl Kind {
    /// The kind's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One more than the largest value.
    pub const fn values(&self) -> usize {
        self.values
    }

    /// The values of a row, sorted and distinct; none for a row out of range.
    pub fn of(&self, row: u32) -> &[u32] {
        self.by_row.get(row)
    }

    /// The rows that have a value, sorted.
    pub fn rows_with(&self, value: u32) -> &[u32] {
        self.by_value.get(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_known_by_row_and_turned_round() {
        let attributes = Attributes::none(3)
            .with("type", &[vec![2], vec![], vec![0, 2, 2]])
            .and_then(|attributes| attributes.with("brand", &[vec![], vec![], vec![]]))
            .unwrap();
        let types = attributes.kind("type").unwrap();
        assert_eq!((types.values(), types.of(2), types.of(1)), (3, &[0, 2][..], &[][..]));
        assert_eq!((types.rows_with(2), types.rows_with(9)), (&[0, 2][..], &[][..]));
        assert_eq!(attributes.kind("brand").unwrap().values(), 0);
        assert_eq!((attributes.kinds().len(), attributes.kind("colour")), (2, None));
        assert_eq!(attributes.clone().with("type", &[]).unwrap_err().code(), "T0407");
        let twice = vec![Vec::new(); 3];
        assert_eq!(attributes.with("type", &twice).unwrap_err().code(), "T0407");
    }
}
