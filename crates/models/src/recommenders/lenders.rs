//! What do the nearest customers lend?

use rayon::prelude::*;

use crate::likeness::{Comparison, Neighbourhood, active, evenly};
use crate::pool::Pool;
use crate::{Purchase, Purchases, Row, Training, top};

/// A weight per product, by product.
pub(crate) type Weights = Vec<(u32, f64)>;

/// Customers who may be neighbours: how near they are, and what they lend.
pub(crate) struct Lenders {
    /// Ascending.
    customers: Vec<u32>,
    lent: Vec<Weights>,
    near: Neighbourhood,
    /// A zero per customer.
    zeros: Pool<Vec<f64>>,
}

impl Lenders {
    /// Compares the vectors of `customers`, ascending, and lends others of theirs.
    pub(crate) fn new(
        training: &Training<'_>,
        customers: Vec<u32>,
        comparison: Comparison,
        compared: impl Fn(&[Purchase]) -> Weights + Sync,
        lent: impl Fn(&[Purchase]) -> Weights + Sync,
    ) -> Self {
        let vectors = |vector: &(dyn Fn(&[Purchase]) -> Weights + Sync)| -> Vec<Weights> {
            customers.par_iter().map(|customer| vector(training.lines(*customer))).collect()
        };
        let near = Neighbourhood::new(training.history.products(), &vectors(&compared), comparison);
        let lent = vectors(&lent);
        Self { near, lent, zeros: Pool::new(), customers }
    }

    /// The customers of a history with a line before a day: all, or `most` that are spaced evenly.
    pub(crate) fn among(history: &Purchases, as_of: i32, most: usize) -> Vec<u32> {
        evenly(active(history, as_of, u32::MAX), most)
    }

    /// Where a customer stands among those who lend.
    fn position(&self, customer: Option<u32>) -> Option<u32> {
        self.customers.binary_search(&customer?).ok().map(|position| position as u32)
    }

    /// Those nearest to a vector, and how near, all above zero; never `customer` itself.
    pub(crate) fn nearest(
        &self,
        vector: &[(u32, f64)],
        customer: Option<u32>,
        most: usize,
    ) -> Weights {
        let itself = self.position(customer);
        self.with_zeros(|similar| self.near.of(vector, itself, most, similar))
    }

    /// Those at the least Euclidean distance from a vector; never `customer` itself. Vectors must be compared by
    /// their dot product, and `squares` be their squared lengths.
    pub(crate) fn closest(
        &self,
        vector: &[(u32, f64)],
        customer: Option<u32>,
        most: usize,
        squares: &[f64],
    ) -> Weights {
        let itself = self.position(customer);
        self.with_zeros(|dots| {
            self.near.compare(vector, dots);
            // The squared distance is the asker's squared length less this.
            let close =
                (0..).zip(dots.iter().zip(squares)).map(|(at, (dot, s))| (at, 2.0 * dot - s));
            let found = top(close.filter(|(at, _)| Some(*at) != itself), most);
            dots.fill(0.0);
            found
        })
    }

    fn with_zeros<T>(&self, work: impl FnOnce(&mut [f64]) -> T) -> T {
        self.zeros.with(|| vec![0.0; self.customers.len()], |zeros| work(zeros))
    }

    /// What each lends, in the order of the customers.
    pub(crate) fn lent(&self) -> &[Weights] {
        &self.lent
    }

    /// Adds a share of what a neighbour lends.
    pub(crate) fn lend(&self, neighbour: u32, share: f64, row: &mut Row) {
        for (product, weight) in &self.lent[neighbour as usize] {
            row.add(*product, share * weight);
        }
    }
}

/// Leaves the products that are known.
pub(crate) fn known(mut weights: Weights, products: usize) -> Weights {
    weights.truncate(weights.partition_point(|(product, _)| (*product as usize) < products));
    weights
}
