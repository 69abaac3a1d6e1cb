//! How do rows become the lines of customers, in order?

use std::collections::HashMap;

use tercet_measurement::ranking::{Line, Part};
use tercet_types::{Error, Result};

/// Names in the order in which they first came, each with a number.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
}

impl Names {
    /// The number of a name.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The names in their own order, and the place there of each number: another order of rows changes neither.
    pub(super) fn sorted(self) -> (Vec<String>, Vec<u32>) {
        let mut names: Vec<(String, u32)> = self.numbers.into_iter().collect();
        names.sort_unstable();
        let mut places = vec![0; names.len()];
        for (place, (_, number)) in (0..).zip(&names) {
            places[*number as usize] = place;
        }
        (names.into_iter().map(|(name, _)| name).collect(), places)
    }
}

/// One product that a customer took up, before it has its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) customer: u32,
    /// The day and the place within it; the same for all where no time is known.
    pub(super) moment: (i32, i64),
    /// The place among what came at the same moment.
    pub(super) place: i64,
    /// The order, by its number; none where orders are not known.
    pub(super) order: Option<u32>,
    pub(super) product: u32,
    pub(super) spend_minor: i64,
    pub(super) part: Part,
}

/// What is one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Orders {
    /// What has one number.
    Numbered,
    /// What came at the same moment.
    ByMoment,
    /// Each line for itself.
    Each,
}

/// Puts the entries of every customer in order: by moment, place and row.
///
/// Without days, orders are counted back from the customer's last, which is day −1: what was taken up last is equally
/// old for everybody.
pub(super) fn lines(mut entries: Vec<Entry>, has_days: bool, orders: Orders) -> Vec<(u32, Line)> {
    // Stable: rows of the same place stay as they came.
    entries.sort_by_key(|entry| (entry.customer, entry.moment, entry.place));
    let mut lines = Vec::with_capacity(entries.len());
    for own in entries.chunk_by(|a, b| a.customer == b.customer) {
        let numbers = order_numbers(own, orders);
        let count = numbers.iter().max().map_or(0, |last| last + 1);
        let mut first_day: HashMap<u32, i32> = HashMap::new();
        for (entry, order) in own.iter().zip(&numbers) {
            let day = match has_days {
                // An order that goes past midnight is of the day it began.
                true => *first_day.entry(*order).or_insert(entry.moment.0),
                false => *order as i32 - count as i32,
            };
            let Entry { product, spend_minor, part, .. } = *entry;
            lines.push((entry.customer, Line { day, order: *order, product, spend_minor, part }));
        }
    }
    lines
}

/// Which order of its customer each entry is of, in order of their first entries.
fn order_numbers(own: &[Entry], orders: Orders) -> Vec<u32> {
    let mut known: HashMap<Option<u32>, u32> = HashMap::new();
    let mut last = None;
    let mut next = 0;
    own.iter()
        .map(|entry| match orders {
            Orders::Each => {
                next += 1;
                next - 1
            }
            Orders::ByMoment => {
                if last.replace(entry.moment).is_some_and(|last| last != entry.moment) {
                    next += 1;
                }
                next
            }
            Orders::Numbered => {
                let count = known.len() as u32;
                *known.entry(entry.order).or_insert(count)
            }
        })
        .collect()
}

/// Where a line belongs, by the word of a cell.
///
/// # Errors
/// `T1092` naming the column and the row.
pub(super) fn part(cell: Option<&str>, column: &str, row: usize) -> Result<Part> {
    match cell.map(str::to_ascii_lowercase).as_deref() {
        Some("train" | "training") => Ok(Part::Train),
        Some("valid" | "validation" | "val") => Ok(Part::Validation),
        Some("test") => Ok(Part::Test),
        Some("query") => Ok(Part::Query),
        other => Err(Error::data(
            "T1092",
            format!("column '{column}': row {row} holds {}", other.unwrap_or("nothing")),
        )
        .hint("each row is of train, valid, test or query")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(customer, day, place, order, product)`
    fn entry((customer, day, place, order, product): (u32, i32, i64, u32, u32)) -> Entry {
        let order = Some(order);
        let moment = (day, 0);
        Entry { customer, moment, place, order, product, spend_minor: 0, part: Part::Train }
    }

    #[test]
    fn entries_get_days_and_orders() {
        let entries =
            [(1, 5, 0, 7, 2), (0, 3, 1, 4, 1), (0, 3, 0, 4, 0), (0, 4, 0, 4, 2), (0, 9, 0, 3, 0)];
        let check = |has_days, orders, expect: &[(u32, i32, u32, u32)]| {
            let found = lines(entries.map(entry).to_vec(), has_days, orders);
            let found: Vec<(u32, i32, u32, u32)> =
                found.iter().map(|(c, line)| (*c, line.day, line.order, line.product)).collect();
            assert_eq!(found, expect, "{has_days} {orders:?}");
        };
        check(
            true,
            Orders::Numbered,
            &[(0, 3, 0, 0), (0, 3, 0, 1), (0, 3, 0, 2), (0, 9, 1, 0), (1, 5, 0, 2)],
        );
        check(
            true,
            Orders::ByMoment,
            &[(0, 3, 0, 0), (0, 3, 0, 1), (0, 4, 1, 2), (0, 9, 2, 0), (1, 5, 0, 2)],
        );
        check(
            false,
            Orders::Each,
            &[(0, -4, 0, 0), (0, -3, 1, 1), (0, -2, 2, 2), (0, -1, 3, 0), (1, -1, 0, 2)],
        );
    }

    #[test]
    fn names_are_numbered_by_their_own_order() {
        let mut names = Names::default();
        assert_eq!(["b", "a", "b", "c"].map(|name| names.number(name)), [0, 1, 0, 2]);
        assert_eq!(names.sorted(), (["a", "b", "c"].map(str::to_owned).to_vec(), vec![1, 0, 2]));
    }
}
