//! Which promotions suit each customer, judged by purchases alone?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use crate::{Eligibility, Purchases};

/// Per asked customer: `(promotion, score)`, score `> 0`, best first, ties by promotion index.
pub type Scores = Vec<Vec<(u32, f64)>>;

/// An estimator of customer × promotion scores.
///
/// Laws, asserted for every implementation by one conformance suite: only purchases with
/// `day < as_of` count; the same bits on any number of threads; a promotion without eligible
/// products gets no score; a customer's scores do not depend on who else is asked for.
pub trait Recommender: Sync {
    /// The engine's name in reports.
    fn name(&self) -> &'static str;

    /// Scores `customers` (indices into `history`, in any order, repeated at will).
    ///
    /// # Errors
    /// `T0407` when an index is out of range, `T0405` when a setting is.
    fn score(
        &self,
        history: &Purchases,
        eligibility: &Eligibility,
        as_of: i32,
        customers: &[u32],
    ) -> Result<Scores>;
}

/// # Errors
/// `T0407` when customers or products are not those of the history.
pub(crate) fn check(
    history: &Purchases,
    eligibility: &Eligibility,
    customers: &[u32],
) -> Result<()> {
    if let Some(customer) =
        customers.iter().find(|customer| **customer as usize >= history.customers())
    {
        return Err(Error::data(
            "T0407",
            format!("customer {customer} of {}", history.customers()),
        ));
    }
    if eligibility.products() != history.products() {
        return Err(Error::data(
            "T0407",
            format!(
                "eligibility knows {} products, the purchase history {}",
                eligibility.products(),
                history.products()
            ),
        ));
    }
    Ok(())
}

/// # Errors
/// `T0405` unless `value` is finite and lies in `range`.
pub(crate) fn check_setting(
    engine: &str,
    name: &str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
) -> Result<()> {
    if value.is_finite() && range.contains(&value) {
        return Ok(());
    }
    Err(Error::config(
        "T0405",
        format!("{engine}: {name} is {value}, expected {} to {}", range.start(), range.end()),
    ))
}

/// Best first, ties by promotion index; drops what is not above zero.
pub(crate) fn ranked(mut scores: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    scores.retain(|(_, score)| *score > 0.0);
    scores.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scores
}

/// [`ranked`] for every customer.
pub(crate) fn rank_all(scores: &mut Scores) {
    scores.par_iter_mut().for_each(|list| *list = ranked(std::mem::take(list)));
}

/// Appends popular promotions below the last own score, by buyers, to ranked lists.
pub(crate) fn fill_all(scores: &mut Scores, buyers: &[u32]) {
    let scale = 1.0 / (f64::from(buyers.iter().copied().max().unwrap_or(0)) + 1.0);
    let popular =
        ranked((0..).zip(buyers.iter().map(|buyers| f64::from(*buyers) * scale)).collect());
    scores.par_iter_mut().for_each_init(
        || vec![false; buyers.len()],
        |own, list| {
            list.iter().for_each(|(promotion, _)| own[*promotion as usize] = true);
            let floor = list.last().map_or(1.0, |(_, score)| *score);
            let known = list.len();
            let missing = popular.iter().filter(|(promotion, _)| !own[*promotion as usize]);
            list.extend(missing.map(|(promotion, fraction)| (*promotion, fraction * floor)));
            list[..known].iter().for_each(|(promotion, _)| own[*promotion as usize] = false);
        },
    );
}

/// One row of sums per customer, in the order asked; `add` fills a zeroed row over promotions.
pub(crate) fn rows(
    promotions: usize,
    customers: &[u32],
    add: impl Fn(u32, &mut Sums) + Sync,
) -> Vec<Vec<(u32, f64)>> {
    customers
        .par_iter()
        .map_init(
            || Sums::new(promotions),
            |sums, customer| {
                add(*customer, sums);
                sums.take()
            },
        )
        .collect()
}

/// Sums over promotions that are zeroed in the time of what was touched.
pub(crate) struct Sums {
    sums: Vec<f64>,
    touched: Vec<u32>,
}

impl Sums {
    pub(crate) fn new(length: usize) -> Self {
        Self { sums: vec![0.0; length], touched: Vec::new() }
    }

    /// Adds a positive amount.
    #[inline]
    pub(crate) fn add(&mut self, at: u32, amount: f64) {
        let sum = &mut self.sums[at as usize];
        if *sum == 0.0 {
            self.touched.push(at);
        }
        *sum += amount;
    }

    /// The non-zero sums by index, leaving all zero.
    pub(crate) fn take(&mut self) -> Vec<(u32, f64)> {
        self.touched.sort_unstable();
        self.touched.dedup();
        let taken = self
            .touched
            .iter()
            .map(|at| (*at, std::mem::take(&mut self.sums[*at as usize])))
            .collect();
        self.touched.clear();
        taken
    }
}
