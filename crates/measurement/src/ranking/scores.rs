//! What did a model's lists come to, customer by customer?

use super::metric::{Metric, PER_CUSTOMER, coverage, gini};

/// The figures of one model: a value per judged customer and metric, and how often each product was listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    pub(super) ks: Vec<usize>,
    /// The judged customers, ascending.
    pub(super) customers: Vec<u32>,
    /// `columns[place of k * PER_CUSTOMER + metric][customer]`; NaN of what is not defined.
    pub(super) columns: Vec<Vec<f64>>,
    /// `counts[place of k][product]`.
    counts: Vec<Vec<u32>>,
    /// Lists that name fewer products than the largest `k`.
    pub(super) short_lists: usize,
}

impl Scores {
    pub(super) fn new(ks: &[usize], products: usize) -> Self {
        Self {
            ks: ks.to_vec(),
            customers: Vec::new(),
            columns: vec![Vec::new(); ks.len() * PER_CUSTOMER],
            counts: vec![vec![0; products]; ks.len()],
            short_lists: 0,
        }
    }

    /// Adds one customer's figures, by `k`, and the list they are of.
    pub(super) fn add(&mut self, customer: u32, figures: &[[f64; PER_CUSTOMER]], list: &[u32]) {
        self.customers.push(customer);
        for (column, figure) in self.columns.iter_mut().zip(figures.iter().flatten()) {
            column.push(*figure);
        }
        for (k, counts) in self.ks.iter().zip(&mut self.counts) {
            list.iter().take(*k).for_each(|product| counts[*product as usize] += 1);
        }
        let most = self.ks.iter().max().copied().unwrap_or(0);
        self.short_lists += usize::from(list.len() < most);
    }

    fn add_counts(&mut self, other: &Self) {
        let counts = self.counts.iter_mut().flatten().zip(other.counts.iter().flatten());
        counts.for_each(|(own, new)| *own += new);
        self.short_lists += other.short_lists;
    }

    /// The figures over several folds: a customer judged in more than one counts once, with the mean of what is
    /// defined. `None` without a fold.
    pub fn pooled(folds: Vec<Self>) -> Option<Self> {
        let mut folds = folds.into_iter();
        let mut pooled = folds.next()?;
        let Some(second) = folds.next() else { return Some(pooled) };
        let mut all: Vec<Self> = [second].into_iter().chain(folds).collect();
        for fold in &all {
            pooled.add_counts(fold);
        }
        let first = (std::mem::take(&mut pooled.customers), std::mem::take(&mut pooled.columns));
        all.insert(0, Self { customers: first.0, columns: first.1, ..Self::new(&pooled.ks, 0) });
        let mut customers: Vec<u32> = all.iter().flat_map(|fold| fold.customers.clone()).collect();
        customers.sort_unstable();
        customers.dedup();
        pooled.columns = (0..pooled.ks.len() * PER_CUSTOMER)
            .map(|column| {
                let mut sums = vec![(0.0, 0_u32); customers.len()];
                for fold in &all {
                    for (customer, value) in fold.customers.iter().zip(&fold.columns[column]) {
                        if let (Ok(at), false) = (customers.binary_search(customer), value.is_nan())
                        {
                            sums[at] = (sums[at].0 + value, sums[at].1 + 1);
                        }
                    }
                }
                sums.into_iter().map(|(sum, count)| sum / f64::from(count)).collect()
            })
            .collect();
        pooled.customers = customers;
        Some(pooled)
    }

    /// How many customers were judged.
    pub fn customers(&self) -> usize {
        self.customers.len()
    }

    /// The mean of a metric over the customers of whom it is defined; `None` where it is of none, or `k` was not
    /// asked for.
    pub fn mean(&self, metric: Metric, k: usize) -> Option<f64> {
        let place = self.ks.iter().position(|asked| *asked == k)?;
        let value = match metric {
            Metric::Coverage => coverage(&self.counts[place]),
            Metric::Gini => gini(&self.counts[place]),
            metric => mean_where(self.column(metric, place), |_| true),
        };
        (!value.is_nan()).then_some(value)
    }

    /// The values of a metric at the `place`-th `k`.
    pub(super) fn column(&self, metric: Metric, place: usize) -> &[f64] {
        &self.columns[place * PER_CUSTOMER + metric as usize]
    }
}

/// The mean over places that are wanted and defined; NaN without any.
pub(super) fn mean_where(values: &[f64], wanted: impl Fn(usize) -> bool) -> f64 {
    let (mut sum, mut count) = (0.0, 0_u64);
    for (at, value) in values.iter().enumerate() {
        if !value.is_nan() && wanted(at) {
            sum += value;
            count += 1;
        }
    }
    sum / count as f64
}
