//! How do ranked lists stand against the truth of a fold?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::fold::Fold;
use super::metric::{Judged, PER_CUSTOMER};
use super::scores::Scores;

/// The largest `k`.
const K_MAX: usize = 10_000;

/// Judges lists on one fold; every model is judged by the same.
#[derive(Debug)]
pub struct Referee<'a> {
    fold: &'a Fold<'a>,
    ks: Vec<usize>,
    judged: Vec<u32>,
    buyers: Vec<u32>,
    customers: u32,
}

impl<'a> Referee<'a> {
    /// A referee of those of the fold's judged customers whom `wanted` holds of.
    ///
    /// # Errors
    /// `T0733` (config) for a `k` of 0, above 10,000 or asked for twice, `T0731` (data) when nobody is wanted.
    pub fn new(fold: &'a Fold<'a>, ks: &[usize], wanted: impl Fn(u32) -> bool) -> Result<Self> {
        let is_twice = |at: usize| ks[..at].contains(&ks[at]);
        if ks.is_empty() || (0..ks.len()).any(|at| !(1..=K_MAX).contains(&ks[at]) || is_twice(at)) {
            return Err(Error::config("T0733", format!("k is {ks:?}"))
                .hint(format!("give numbers between 1 and {K_MAX}, each once, such as 10,20")));
        }
        let judged: Vec<u32> = fold.judged().into_iter().filter(|c| wanted(*c)).collect();
        if judged.is_empty() {
            return Err(Error::data("T0731", "nobody is left to judge")
                .hint("judge a larger share of the customers"));
        }
        let (buyers, customers) = fold.buyers();
        Ok(Self { fold, ks: ks.to_vec(), judged, buyers, customers })
    }

    /// The customers that lists are wanted for, ascending.
    pub fn judged(&self) -> &[u32] {
        &self.judged
    }

    /// How many products a list is looked at for.
    pub fn longest(&self) -> usize {
        self.ks.iter().max().copied().unwrap_or(0)
    }

    /// Scores without anybody, to be added to.
    pub fn scores(&self) -> Scores {
        Scores::new(&self.ks, self.fold.histories().products())
    }

    /// Judges the lists of the customers that follow those in `scores`, the best product first, and adds them.
    ///
    /// # Errors
    /// `T0732` (data) naming the customer when there are more lists than customers, or a list names a product that
    /// does not exist or one twice.
    pub fn add(&self, scores: &mut Scores, lists: &[Vec<u32>]) -> Result<()> {
        let from = scores.customers();
        let Some(customers) = self.judged.get(from..from + lists.len()) else {
            let (got, want) = (from + lists.len(), self.judged.len());
            return Err(Error::data("T0732", format!("{got} lists for {want} customers"))
                .hint("a model hands over one list per customer asked for"));
        };
        let figures: Vec<Vec<[f64; PER_CUSTOMER]>> = customers
            .par_iter()
            .zip(lists)
            .map(|(customer, list)| self.figures(*customer, list))
            .collect::<Result<_>>()?;
        for ((customer, list), figures) in customers.iter().zip(lists).zip(figures) {
            scores.add(*customer, &figures, list);
        }
        Ok(())
    }

    /// The figures of one customer, by `k`.
    fn figures(&self, customer: u32, list: &[u32]) -> Result<Vec<[f64; PER_CUSTOMER]>> {
        self.check(customer, list)?;
        let mut known: Vec<u32> = self.fold.known(customer).map(|line| line.product).collect();
        known.sort_unstable();
        known.dedup();
        let mut truth: Vec<(u32, i64)> =
            self.fold.truth(customer).map(|line| (line.product, line.spend_minor)).collect();
        truth.sort_unstable();
        truth.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1 = first.1.saturating_add(next.1);
            }
            same
        });
        let at = |k: &usize| {
            let list = &list[..list.len().min(*k)];
            let (known, truth) = (&known[..], &truth[..]);
            Judged { list, known, truth, buyers: &self.buyers, customers: self.customers }
                .figures(*k)
        };
        Ok(self.ks.iter().map(at).collect())
    }

    fn check(&self, customer: u32, list: &[u32]) -> Result<()> {
        let products = self.fold.histories().products();
        let mut sorted = list.to_vec();
        sorted.sort_unstable();
        let fault = if let Some(product) = sorted.iter().find(|p| **p as usize >= products) {
            format!("product {product} of {products}")
        } else if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            format!("product {} stands twice", pair[0])
        } else {
            return Ok(());
        };
        Err(Error::data("T0732", format!("the list of customer {customer}: {fault}"))
            .hint("a model ranks each product of the catalogue at most once"))
    }
}
