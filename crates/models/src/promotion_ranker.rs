//! Which promotions suit each customer, judged by purchases alone?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use crate::{Attributes, Eligibility, Popularity, Purchases, Query, Recommender, Row, Training};

/// Per asked customer: `(promotion, score)`, score `> 0`, best first, ties by promotion index.
pub type Scores = Vec<Vec<(u32, f64)>>;

/// A way to rank promotions for every customer.
///
/// Laws, asserted for every implementation by one conformance suite: only purchases with
/// `day < as_of` count; the same bits on any number of threads; a promotion without eligible
/// products gets no score; a customer's scores do not depend on who else is asked for.
pub trait PromotionRanker: Sync {
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
    add: impl Fn(u32, &mut Row) + Sync,
) -> Vec<Vec<(u32, f64)>> {
    customers
        .par_iter()
        .map_init(
            || Row::new(promotions),
            |sums, customer| {
                add(*customer, sums);
                sums.take()
            },
        )
        .collect()
}

/// A recommender as an engine: a promotion is worth the sum of its eligible products' scores above zero.
pub struct Promoted<R> {
    /// What scores products.
    pub recommender: R,
    /// What fills the list below; `None` leaves it short.
    pub fill: Option<Popularity>,
}

impl<R: Recommender> PromotionRanker for Promoted<R> {
    fn name(&self) -> &'static str {
        self.recommender.name()
    }

    fn score(
        &self,
        history: &Purchases,
        eligibility: &Eligibility,
        as_of: i32,
        customers: &[u32],
    ) -> Result<Scores> {
        check(history, eligibility, customers)?;
        let (nothing, nobody) =
            (Attributes::none(history.products()), Attributes::none(history.customers()));
        let training = Training { history, as_of, products: &nothing, customers: &nobody };
        let fitted = self.recommender.fit(&training)?;
        let fresh = || (Row::new(history.products()), Row::new(eligibility.promotions()));
        let add = |(products, promotions): &mut (Row, Row), customer: &u32| {
            fitted.score(&Query::of(history, *customer, as_of), products);
            for (product, score) in products.take().into_iter().filter(|(_, score)| *score > 0.0) {
                for promotion in eligibility.promotions_of(product) {
                    promotions.add(*promotion, score);
                }
            }
            ranked(promotions.take())
        };
        let mut scores: Scores = customers.par_iter().map_init(fresh, add).collect();
        if let Some(popularity) = &self.fill {
            fill_all(&mut scores, &popularity.buyers(history, eligibility, as_of));
        }
        Ok(scores)
    }
}
