//! Which products have the highest products of factors with a customer's?

use super::factors::{Block, Factors, LANES};
use crate::dense::{Instructions, Lanes, ROWS, Work, run, tile};
use crate::recommender::Filter;
use crate::row::Best;
use crate::{Query, Ranked, Wanted};

/// Groups of [`ROWS`] customers that share a panel while it is near.
const GROUPS: usize = 8;

/// The products that have factors, those with the longest first, as panels of [`LANES`].
pub(super) struct Catalogue {
    factors: usize,
    /// Per panel and factor the numbers of its products.
    panels: Vec<Block>,
    /// The products, panel by panel.
    order: Vec<u32>,
    /// Per panel the length of the longest factors in it and in all that follow.
    lengths: Vec<f32>,
}

impl Catalogue {
    pub(super) fn new(products: &Factors, known: &[bool]) -> Self {
        let length = |product: u32| {
            let row = products.row(product as usize).as_flattened();
            row.iter().map(|number| f64::from(*number) * f64::from(*number)).sum::<f64>().sqrt()
        };
        let mut sorted: Vec<(f64, u32)> = (0..)
            .zip(known)
            .filter(|(_, known)| **known)
            .map(|(product, _)| (length(product), product))
            .collect();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let factors = products.factors();
        let mut panels = vec![[0.0; LANES]; sorted.len().div_ceil(LANES) * factors];
        for (panel, members) in panels.chunks_exact_mut(factors).zip(sorted.chunks(LANES)) {
            for (lane, (_, product)) in members.iter().enumerate() {
                let row = products.row(*product as usize).as_flattened();
                panel.iter_mut().zip(row).for_each(|(panel, number)| panel[lane] = *number);
            }
        }
        let lengths = sorted.iter().step_by(LANES).map(|(length, _)| *length as f32).collect();
        Self {
            factors,
            panels,
            order: sorted.into_iter().map(|(_, product)| product).collect(),
            lengths,
        }
    }

    /// The products that have factors, in the order of the catalogue.
    pub(super) fn products(&self) -> &[u32] {
        &self.order
    }

    /// The best products of some customers, given their factors where they have any.
    ///
    /// A panel is skipped once the length of its factors times the customer's is below the worst of the `k` best:
    /// no product of two rows is larger than that of their lengths.
    pub(super) fn best(
        &self,
        queries: &[Query<'_>],
        rows: &[Option<&[Block]>],
        wanted: &Wanted<'_>,
    ) -> Vec<Ranked> {
        let mut customers: Vec<Customer<'_>> = Vec::new();
        for (at, row) in rows.iter().enumerate().filter_map(|(at, row)| Some((at, (*row)?))) {
            let length =
                row.as_flattened().iter().map(|number| f64::from(*number) * f64::from(*number));
            customers.push(Customer {
                at,
                row: &row.as_flattened()[..self.factors],
                // Rounding may lift a product above the bound by less than this.
                length: (length.sum::<f64>().sqrt() * 1.001) as f32,
                allowed: wanted.filter(&queries[at]),
                best: Best::new(wanted.k),
            });
        }
        let mut found = vec![Ranked::new(); queries.len()];
        if wanted.k > 0 {
            for group in customers.chunks_mut(GROUPS * ROWS) {
                run(Ranking { catalogue: self, customers: group });
            }
        }
        for customer in customers {
            found[customer.at] = customer.best.sorted();
        }
        found
    }
}

/// A customer that is ranked for.
struct Customer<'a> {
    at: usize,
    row: &'a [f32],
    length: f32,
    allowed: Filter<'a>,
    best: Best,
}

/// The catalogue, panel by panel, for a few customers.
struct Ranking<'a, 'b> {
    catalogue: &'a Catalogue,
    customers: &'a mut [Customer<'b>],
}

impl Work for Ranking<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self) {
        let factors = self.catalogue.factors;
        // Per group and factor the numbers of its customers.
        let mut packed = vec![[0.0_f32; ROWS]; self.customers.len().div_ceil(ROWS) * factors];
        for (group, members) in packed.chunks_exact_mut(factors).zip(self.customers.chunks(ROWS)) {
            for (lane, customer) in members.iter().enumerate() {
                group
                    .iter_mut()
                    .zip(customer.row)
                    .for_each(|(group, number)| group[lane] = *number);
            }
        }
        let mut waiting: Vec<usize> = (0..packed.len() / factors.max(1)).collect();
        let panels =
            self.catalogue.panels.chunks_exact(factors).zip(self.catalogue.order.chunks(LANES));
        for ((panel, products), longest) in panels.zip(&self.catalogue.lengths) {
            let mut left = 0;
            for at in 0..waiting.len() {
                let group = waiting[at];
                let from = group * ROWS;
                let upto = (from + ROWS).min(self.customers.len());
                let members = &mut self.customers[from..upto];
                if members.iter().all(|one| f64::from(one.length * longest) < one.best.floor()) {
                    continue;
                }
                waiting[left] = group;
                left += 1;
                let rows = packed[group * factors..(group + 1) * factors].iter();
                let sums: [I::Singles; ROWS] = tile::<I, _, _, LANES>(rows.zip(panel), 0.0);
                for (customer, sums) in members.iter_mut().zip(sums) {
                    let mut scores = [0.0; LANES];
                    sums.to(&mut scores);
                    customer.take(products, &scores);
                }
            }
            waiting.truncate(left);
            if waiting.is_empty() {
                break;
            }
        }
    }
}

impl Customer<'_> {
    #[inline(always)]
    fn take(&mut self, products: &[u32], scores: &Block) {
        let floor = self.best.floor() as f32;
        // All lanes are looked at, at once.
        let mut any = false;
        for score in scores {
            any |= *score >= floor;
        }
        if !any {
            return;
        }
        for (product, score) in products.iter().zip(scores) {
            let score = f64::from(*score);
            if score >= self.best.floor() && self.allowed.allows(*product) {
                self.best.push(*product, score);
            }
        }
    }
}
