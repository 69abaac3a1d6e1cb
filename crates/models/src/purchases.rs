//! What did each customer buy, and when?

use rayon::prelude::*;
use tercet_types::{Error, Result};

/// One line of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purchase {
    /// The day, counted as in [`tercet_types::Date`] or any other even count of days.
    pub day: i32,
    /// The order; unique within the customer.
    pub order: u32,
    /// The product's index.
    pub product: u32,
    /// What was paid, in minor units; negative for a return.
    pub spend_minor: i64,
}

/// The orders that lines make up, in order.
pub(crate) fn orders(lines: &[Purchase]) -> impl DoubleEndedIterator<Item = &[Purchase]> {
    lines.chunk_by(|a, b| (a.day, a.order) == (b.day, b.order))
}

/// Purchase lines of customers `0..customers()`, per customer by day, order and product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purchases {
    starts: Vec<usize>,
    lines: Vec<Purchase>,
    products: usize,
}

impl Purchases {
    /// Groups `(customer, line)` pairs, given in any order.
    ///
    /// # Errors
    /// `T0407` for a customer or product index out of range.
    pub fn new(customers: usize, products: usize, lines: Vec<(u32, Purchase)>) -> Result<Self> {
        let mut starts = vec![0_usize; customers + 1];
        for (at, (customer, line)) in lines.iter().enumerate() {
            let customer = *customer as usize;
            if customer >= customers || line.product as usize >= products {
                return Err(outside(at, [customer, customers], [line.product as usize, products]));
            }
            starts[customer + 1] += 1;
        }
        for customer in 0..customers {
            starts[customer + 1] += starts[customer];
        }
        let mut next = starts.clone();
        let mut grouped =
            vec![Purchase { day: 0, order: 0, product: 0, spend_minor: 0 }; lines.len()];
        for (customer, line) in lines {
            let at = &mut next[customer as usize];
            grouped[*at] = line;
            *at += 1;
        }
        sort_each(&starts, &mut grouped);
        Ok(Self { starts, lines: grouped, products })
    }

    /// The number of customers.
    pub fn customers(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The number of products.
    pub const fn products(&self) -> usize {
        self.products
    }

    /// The number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nobody bought anything.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The day of the last line; none without a line.
    pub fn last_day(&self) -> Option<i32> {
        self.lines.par_iter().map(|line| line.day).max()
    }

    /// All lines of a customer, by day; empty for an index out of range.
    pub fn of(&self, customer: u32) -> &[Purchase] {
        let customer = customer as usize;
        match (self.starts.get(customer), self.starts.get(customer + 1)) {
            (Some(from), Some(to)) => &self.lines[*from..*to],
            _ => &[],
        }
    }

    /// The lines of a customer with `day < as_of`.
    pub fn before(&self, customer: u32, as_of: i32) -> &[Purchase] {
        let lines = self.of(customer);
        &lines[..lines.partition_point(|line| line.day < as_of)]
    }

    /// The lines of a customer with `as_of − window_days <= day < as_of`.
    pub fn window(&self, customer: u32, as_of: i32, window_days: u32) -> &[Purchase] {
        let lines = self.before(customer, as_of);
        let first = i64::from(as_of) - i64::from(window_days);
        &lines[lines.partition_point(|line| i64::from(line.day) < first)..]
    }

    pub(crate) fn all_customers(&self) -> impl IndexedParallelIterator<Item = u32> {
        // Customers are named by u32 throughout; a matrix of more would not be addressable.
        (0..u32::try_from(self.customers()).unwrap_or(u32::MAX)).into_par_iter()
    }
}

fn outside(at: usize, customer: [usize; 2], product: [usize; 2]) -> Error {
    let ([customer, customers], [product, products]) = (customer, product);
    Error::data(
        "T0407",
        format!(
            "purchase line {at}: customer {customer} of {customers}, product {product} of {products}"
        ),
    )
}

/// Puts the lines of each customer in order.
fn sort_each(starts: &[usize], lines: &mut [Purchase]) {
    let mut rest = lines;
    let mut parts = Vec::with_capacity(starts.len());
    for bounds in starts.windows(2) {
        let (part, after) = rest.split_at_mut(bounds[1] - bounds[0]);
        parts.push(part);
        rest = after;
    }
    parts.into_par_iter().for_each(|part| part.sort_unstable());
}

/// Purchases that come customer by customer: no line is held twice.
#[derive(Debug)]
pub struct PurchasesBuilder {
    customers: usize,
    /// Where each customer so far begins.
    starts: Vec<usize>,
    lines: Vec<Purchase>,
    products: usize,
}

impl PurchasesBuilder {
    /// Room for so many lines.
    pub fn new(customers: usize, products: usize, lines: usize) -> Self {
        let starts = Vec::with_capacity(customers + 1);
        Self { customers, starts, lines: Vec::with_capacity(lines), products }
    }

    /// Adds a line of a customer, behind all lines of customers with smaller indices.
    ///
    /// # Errors
    /// `T0407` for a customer or product index out of range, or a customer before the last one.
    pub fn push(&mut self, customer: u32, line: Purchase) -> Result<()> {
        let (customer, product) = (customer as usize, line.product as usize);
        if customer >= self.customers
            || product >= self.products
            || customer + 1 < self.starts.len()
        {
            let [customer, product] = [[customer, self.customers], [product, self.products]];
            return Err(outside(self.lines.len(), customer, product));
        }
        if self.starts.len() <= customer {
            self.starts.resize(customer + 1, self.lines.len());
        }
        self.lines.push(line);
        Ok(())
    }

    /// The purchases; customers without a line are among them.
    pub fn finish(self) -> Purchases {
        let Self { customers, mut starts, mut lines, products } = self;
        starts.resize(customers + 1, lines.len());
        sort_each(&starts, &mut lines);
        Purchases { starts, lines, products }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_before_the_as_of_day() {
        let line = |day, product| Purchase { day, order: 1, product, spend_minor: 100 };
        let lines = vec![
            (1, line(9, 0)),
            (0, line(3, 1)),
            (1, line(5, 2)),
            (1, line(10, 1)),
            (1, line(7, 1)),
        ];
        let purchases = Purchases::new(3, 3, lines).unwrap();
        let days = |lines: &[Purchase]| lines.iter().map(|line| line.day).collect::<Vec<_>>();
        assert_eq!(days(purchases.of(1)), [5, 7, 9, 10]);
        assert_eq!(days(purchases.before(1, 10)), [5, 7, 9]);
        assert_eq!(days(purchases.window(1, 10, 3)), [7, 9]);
        assert_eq!(days(purchases.window(1, i32::MIN, u32::MAX)), Vec::<i32>::new());
        assert_eq!(purchases.last_day(), Some(10));
        assert!(purchases.of(2).is_empty() && purchases.of(99).is_empty());
        assert_eq!(Purchases::new(1, 1, vec![(0, line(1, 4))]).unwrap_err().code(), "T0407");
    }

    #[test]
    fn built_customer_by_customer_they_are_the_same() {
        let line = |day, product| Purchase { day, order: 1, product, spend_minor: 100 };
        let lines = vec![(1, line(9, 0)), (1, line(5, 2)), (3, line(5, 2)), (3, line(5, 1))];
        let mut builder = PurchasesBuilder::new(5, 3, 0);
        lines.iter().for_each(|(customer, line)| builder.push(*customer, *line).unwrap());
        let refused = |builder: &mut PurchasesBuilder, customer, product| {
            let error = builder.push(customer, line(1, product)).unwrap_err();
            assert_eq!(error.code(), "T0407");
        };
        refused(&mut builder, 2, 0);
        refused(&mut builder, 5, 0);
        refused(&mut builder, 3, 3);
        assert_eq!(builder.finish(), Purchases::new(5, 3, lines).unwrap());
        let none = PurchasesBuilder::new(2, 1, 0).finish();
        assert_eq!(none, Purchases::new(2, 1, vec![]).unwrap());
    }
}
