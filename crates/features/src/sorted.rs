//! Which row of a sorted table belongs to a key, when keys come in order?

use tercet_engine::Frame;
use tercet_types::{Error, Result};

/// Numbers by ascending key, read from a frame that is sorted by it.
pub(crate) struct Sorted {
    keys: Vec<[i32; 2]>,
    width: usize,
    values: Vec<f64>,
}

impl Sorted {
    /// A table with a key of two columns.
    pub(crate) fn pairs(frame: &Frame, key: [&str; 2], columns: &[&str]) -> Result<Self> {
        let keys = frame.i32(key[0])?.into_iter().zip(frame.i32(key[1])?);
        Self::new(frame, keys.map(|(a, b)| [a, b]).collect(), columns)
    }

    /// A table with a key of one column.
    pub(crate) fn single(frame: &Frame, key: &str, columns: &[&str]) -> Result<Self> {
        Self::new(frame, frame.i32(key)?.into_iter().map(|a| [a, 0]).collect(), columns)
    }

    fn new(frame: &Frame, keys: Vec<[i32; 2]>, columns: &[&str]) -> Result<Self> {
        if !keys.is_sorted_by(|a, b| a < b) {
            return Err(Error::internal("T0307", "a feature table is not sorted by its key"));
        }
        let mut values = vec![f64::NAN; keys.len() * columns.len()];
        for (place, column) in columns.iter().enumerate() {
            let cells = values.iter_mut().skip(place).step_by(columns.len());
            for (cell, value) in cells.zip(frame.f64(column)?) {
                *cell = value;
            }
        }
        Ok(Self { keys, width: columns.len(), values })
    }

    /// Walks the table along keys.
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk { table: self, next: 0 }
    }
}

/// A place in a [`Sorted`] table.
pub(crate) struct Walk<'a> {
    table: &'a Sorted,
    next: usize,
}

impl<'a> Walk<'a> {
    /// The row of a key. Quick when keys ascend; any order is right.
    pub(crate) fn at(&mut self, key: [i32; 2]) -> Option<&'a [f64]> {
        let keys = &self.table.keys;
        if self.next > 0 && keys[self.next - 1] >= key {
            self.next = keys.partition_point(|known| *known < key);
        }
        while keys.get(self.next).is_some_and(|known| *known < key) {
            self.next += 1;
        }
        let found = keys.get(self.next).is_some_and(|known| *known == key);
        let start = self.next * self.table.width;
        found.then(|| &self.table.values[start..start + self.table.width])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_any_order() {
        let frame = Frame::of(vec![
            ("a", vec![1_i32, 1, 4].into()),
            ("b", vec![2_i32, 7, 0].into()),
            ("x", vec![10_i64, 20, 30].into()),
        ])
        .unwrap();
        let table = Sorted::pairs(&frame, ["a", "b"], &["x"]).unwrap();
        let mut walk = table.walk();
        let mut check = |key: [i32; 2], expect: Option<f64>| {
            assert_eq!(walk.at(key).map(|row| row[0]), expect, "{key:?}");
        };
        check([0, 0], None);
        check([1, 2], Some(10.0));
        check([1, 3], None);
        check([4, 0], Some(30.0));
        check([9, 9], None);
        check([1, 7], Some(20.0));
        check([1, 2], Some(10.0));
        assert!(Sorted::single(&frame, "a", &["x"]).is_err());
    }
}
