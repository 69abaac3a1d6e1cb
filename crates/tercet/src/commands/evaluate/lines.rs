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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) customer: u32,
    /// The day and the place within it; the same for all where no time is known.
    pub(super) moment: (i32, i64),
    /// The place among what came at the same moment.
    pub(super) place: i64,
    /// The order, by its number or a hash of its name; 0 where orders are not known.
    pub(super) order: u64,
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

/// Values of rows: those after the last that is not the default take no memory.
#[derive(Default)]
struct Values<T>(Vec<T>);

impl<T: Copy + Default + PartialEq> Values<T> {
    /// Notes the value of a row, which comes after all others.
    fn set(&mut self, row: usize, value: T) {
        if value != T::default() {
            self.0.resize(row, T::default());
            self.0.push(value);
        }
    }

    fn get(&self, row: usize) -> T {
        self.0.get(row).copied().unwrap_or_default()
    }
}

/// Entries by columns, as they come: what no row says takes no memory, in tables of hundreds of millions of rows.
#[derive(Default)]
pub(super) struct Entries {
    customers: Vec<u32>,
    products: Vec<u32>,
    days: Values<i32>,
    within: Values<i64>,
    places: Values<i64>,
    orders: Values<u64>,
    spends_minor: Values<i64>,
    parts: Values<Part>,
}

impl Entries {
    pub(super) const fn len(&self) -> usize {
        self.customers.len()
    }

    pub(super) fn push(&mut self, entry: Entry) {
        let row = self.len();
        self.customers.push(entry.customer);
        self.products.push(entry.product);
        self.days.set(row, entry.moment.0);
        self.within.set(row, entry.moment.1);
        self.places.set(row, entry.place);
        self.orders.set(row, entry.order);
        self.spends_minor.set(row, entry.spend_minor);
        self.parts.set(row, entry.part);
    }

    /// Forgets places among what came at the same moment.
    pub(super) fn forget_places(&mut self) {
        self.places = Values::default();
    }

    /// Forgets what was paid.
    pub(super) fn forget_spends(&mut self) {
        self.spends_minor = Values::default();
    }

    /// Forgets where rows belong.
    pub(super) fn forget_parts(&mut self) {
        self.parts = Values::default();
    }

    /// Gives customers and products other numbers.
    pub(super) fn renumber(&mut self, customers: &[u32], products: &[u32]) {
        self.customers.iter_mut().for_each(|number| *number = customers[*number as usize]);
        self.products.iter_mut().for_each(|number| *number = products[*number as usize]);
    }

    fn entry(&self, customer: u32, row: u32) -> Entry {
        let row = row as usize;
        Entry {
            customer,
            moment: (self.days.get(row), self.within.get(row)),
            place: self.places.get(row),
            order: self.orders.get(row),
            product: self.products[row],
            spend_minor: self.spends_minor.get(row),
            part: self.parts.get(row),
        }
    }

    /// Puts the entries of every customer in order, by moment, place and row, and hands over their lines.
    ///
    /// Without days, orders are counted back from the customer's last, which is day −1: what was taken up last is
    /// equally old for everybody.
    pub(super) fn lines(
        mut self,
        customers: usize,
        has_days: bool,
        orders: Orders,
        mut found: impl FnMut(u32, Line),
    ) {
        let mut starts = vec![0_usize; customers + 1];
        self.customers.iter().for_each(|customer| starts[*customer as usize + 1] += 1);
        (0..customers).for_each(|at| starts[at + 1] += starts[at]);
        let (mut next, mut rows) = (starts.clone(), vec![0_u32; self.len()]);
        for (row, customer) in (0_u32..).zip(std::mem::take(&mut self.customers)) {
            let next = &mut next[customer as usize];
            rows[*next] = row;
            *next += 1;
        }
        drop(next);
        let mut own = Vec::new();
        for customer in 0..customers as u32 {
            let (from, to) = (starts[customer as usize], starts[customer as usize + 1]);
            own.clear();
            own.extend(rows[from..to].iter().map(|row| self.entry(customer, *row)));
            // Stable: rows of the same place stay as they came.
            own.sort_by_key(|entry| (entry.moment, entry.place));
            of_one(&own, has_days, orders, |line| found(customer, line));
        }
    }
}

/// The lines of a customer's entries.
fn of_one(own: &[Entry], has_days: bool, orders: Orders, mut found: impl FnMut(Line)) {
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
        found(Line { day, order: *order, product, spend_minor, part });
    }
}

/// Which order of its customer each entry is of, in order of their first entries.
fn order_numbers(own: &[Entry], orders: Orders) -> Vec<u32> {
    let mut known: HashMap<u64, u32> = HashMap::new();
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
    fn entry((customer, day, place, order, product): (u32, i32, i64, u64, u32)) -> Entry {
        Entry { customer, moment: (day, 0), place, order, product, ..Entry::default() }
    }

    #[test]
    fn entries_get_days_and_orders() {
        let entries =
            [(1, 5, 0, 7, 2), (0, 3, 1, 4, 1), (0, 3, 0, 4, 0), (0, 4, 0, 4, 2), (0, 9, 0, 3, 0)];
        let check = |has_days, orders, expect: &[(u32, i32, u32, u32)]| {
            let mut read = Entries::default();
            entries.map(entry).into_iter().for_each(|entry| read.push(entry));
            let mut found: Vec<(u32, i32, u32, u32)> = Vec::new();
            read.lines(2, has_days, orders, |customer, line| {
                found.push((customer, line.day, line.order, line.product));
            });
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
    fn what_rows_say_comes_back() {
        let mut entries = Entries::default();
        let all = [
            Entry { product: 3, ..Entry::default() },
            Entry { moment: (0, 9), order: u64::MAX, ..Entry::default() },
            Entry { customer: 1, spend_minor: -5, place: 2, ..Entry::default() },
            Entry { moment: (-7, 0), part: Part::Test, ..Entry::default() },
            Entry::default(),
        ];
        all.into_iter().for_each(|entry| entries.push(entry));
        for (row, entry) in (0_u32..).zip(all) {
            assert_eq!(entries.entry(entry.customer, row), entry);
        }
        entries.forget_places();
        entries.forget_spends();
        entries.forget_parts();
        assert_eq!(entries.entry(1, 2), Entry { customer: 1, ..Entry::default() });
        assert_eq!(entries.entry(0, 3), Entry { moment: (-7, 0), ..Entry::default() });
        entries.renumber(&[1, 0], &[0, 0, 0, 4]);
        assert_eq!((entries.customers[0], entries.products[0]), (1, 4));
    }

    #[test]
    fn names_are_numbered_by_their_own_order() {
        let mut names = Names::default();
        assert_eq!(["b", "a", "b", "c"].map(|name| names.number(name)), [0, 1, 0, 2]);
        assert_eq!(names.sorted(), (["a", "b", "c"].map(str::to_owned).to_vec(), vec![1, 0, 2]));
    }
}
