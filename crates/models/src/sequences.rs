//! Which lines of each customer count, and who had each product?

use std::ops::Range;

use crate::{Purchase, Training};

/// When a line was: its day, and how many orders of the customer came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) order: u32,
    pub(crate) day: i32,
}

/// The products of every customer, by time, one per order and product, or sorted, each once; and turned round.
pub(crate) struct Sequences {
    starts: Vec<usize>,
    products: Vec<u32>,
    /// One per product of a customer; none where they are sorted.
    moments: Vec<Moment>,
    holder_starts: Vec<usize>,
    holders: Vec<u32>,
}

impl Sequences {
    /// The last `lines_max` lines of these customers, in this order, with their moments or without.
    pub(crate) fn new(
        training: &Training<'_>,
        customers: impl Iterator<Item = u32>,
        lines_max: usize,
        timed: bool,
    ) -> Self {
        let mut starts = Vec::with_capacity(training.history.customers() + 1);
        starts.push(0);
        let mut products = Vec::with_capacity(training.history.len());
        let mut moments = Vec::with_capacity(if timed { training.history.len() } else { 0 });
        for customer in customers {
            let lines = training.lines(customer);
            let lines = &lines[lines.len().saturating_sub(lines_max)..];
            if timed {
                let same_order = |a: &Purchase, b: &Purchase| (a.day, a.order) == (b.day, b.order);
                for (order, lines) in (0_u32..).zip(lines.chunk_by(same_order)) {
                    for line in lines.chunk_by(|a, b| a.product == b.product) {
                        products.push(line[0].product);
                        moments.push(Moment { order, day: line[0].day });
                    }
                }
            } else {
                let first = products.len();
                products.extend(lines.iter().map(|line| line.product));
                products[first..].sort_unstable();
                let distinct = distinct(&mut products[first..]);
                products.truncate(first + distinct);
            }
            starts.push(products.len());
        }
        let mut past = Self {
            starts,
            products,
            moments,
            holder_starts: vec![0; training.history.products() + 1],
            holders: Vec::new(),
        };
        past.turn();
        past
    }

    /// Notes who had each product, once each, in order.
    fn turn(&mut self) {
        let products = self.products();
        let mut starts = vec![0_usize; products + 1];
        self.each_holder(|product, _| starts[product + 1] += 1);
        for product in 0..products {
            starts[product + 1] += starts[product];
        }
        let mut next = starts.clone();
        let mut holders = vec![0_u32; starts[products]];
        self.each_holder(|product, customer| {
            holders[next[product]] = customer;
            next[product] += 1;
        });
        (self.holder_starts, self.holders) = (starts, holders);
    }

    /// Every pair of a product and a customer who had it, once, by customer.
    fn each_holder(&self, mut found: impl FnMut(usize, u32)) {
        let mut last = vec![u32::MAX; self.products()];
        for customer in 0..self.customers() as u32 {
            for product in self.of(customer) {
                let last = &mut last[*product as usize];
                if *last != customer {
                    *last = customer;
                    found(*product as usize, customer);
                }
            }
        }
    }

    pub(crate) fn customers(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn products(&self) -> usize {
        self.holder_starts.len() - 1
    }

    fn range(&self, customer: u32) -> Range<usize> {
        self.starts[customer as usize]..self.starts[customer as usize + 1]
    }

    /// A customer's products.
    pub(crate) fn of(&self, customer: u32) -> &[u32] {
        &self.products[self.range(customer)]
    }

    /// When they were, where that was asked for.
    pub(crate) fn moments(&self, customer: u32) -> &[Moment] {
        &self.moments[self.range(customer)]
    }

    /// The customers who had a product, ascending.
    pub(crate) fn holders(&self, product: u32) -> &[u32] {
        &self.holders
            [self.holder_starts[product as usize]..self.holder_starts[product as usize + 1]]
    }
}

/// Moves each of sorted values to the front once; how many there are.
fn distinct(sorted: &mut [u32]) -> usize {
    let mut kept = 0;
    for at in 0..sorted.len() {
        if kept == 0 || sorted[at] != sorted[kept - 1] {
            sorted[kept] = sorted[at];
            kept += 1;
        }
    }
    kept
}
