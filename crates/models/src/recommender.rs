//! What would each customer buy next, judged by what it and the others bought?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use crate::{Attributes, Purchase, Purchases, Row, top};

/// An estimator of customer × product scores.
///
/// Laws, asserted for every implementation by one conformance suite: only lines of the training history with
/// `day < as_of` count; the same bits on any number of threads, and again; a customer's scores are finite and do
/// not depend on who else is asked for; a history without lines, of one customer or of one product is fitted.
pub trait Recommender: Send + Sync {
    /// The estimator's name in reports and settings.
    fn name(&self) -> &'static str;

    /// Learns from what was bought.
    ///
    /// # Errors
    /// `T0405` when a setting is out of range, `T0407` when the training data do not fit each other.
    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>>;
}

/// What an estimator may learn from.
#[derive(Clone, Copy, Debug)]
pub struct Training<'a> {
    /// Who bought what, when.
    pub history: &'a Purchases,
    /// The day that is stood on: what is dated on it or later is not known.
    pub as_of: i32,
    /// What is known of every product of the history.
    pub products: &'a Attributes,
    /// What is known of every customer of the history.
    pub customers: &'a Attributes,
}

impl Training<'_> {
    /// The lines of a customer that may be learnt from.
    pub fn lines(&self, customer: u32) -> &[Purchase] {
        self.history.before(customer, self.as_of)
    }

    /// # Errors
    /// `T0407` when the attributes are of other products or customers than the history.
    pub fn check(&self) -> Result<()> {
        let faults = [
            ("products", self.products.rows(), self.history.products()),
            ("customers", self.customers.rows(), self.history.customers()),
        ];
        match faults.into_iter().find(|(_, rows, known)| rows != known) {
            None => Ok(()),
            Some((what, rows, known)) => Err(Error::data(
                "T0407",
                format!("attributes of {rows} {what}, a purchase history of {known}"),
            )),
        }
    }
}

/// What was learnt: scores for any customer, asked from any thread.
pub trait Fitted: Send + Sync {
    /// Adds the score of every product that the estimator has one for to a cleared row over products.
    ///
    /// Lines of products that were not trained on say nothing.
    fn score(&self, query: &Query<'_>, row: &mut Row);

    /// Adds how much alike every other product is; `false` when the estimator knows no likeness of products.
    fn similar(&self, _product: u32, _row: &mut Row) -> bool {
        false
    }

    /// The number of products.
    fn products(&self) -> usize;

    /// The best products of each customer asked for, in the order asked.
    fn recommend(&self, queries: &[Query<'_>], wanted: &Wanted<'_>) -> Vec<Ranked> {
        let answer = |row: &mut Row, query: &Query<'_>| {
            self.score(query, row);
            let found = wanted.best(query, row.iter());
            row.clear();
            found
        };
        queries.par_iter().map_init(|| Row::new(self.products()), answer).collect()
    }
}

/// `(product, score)`, best first, ties by product.
pub type Ranked = Vec<(u32, f64)>;

/// A customer that is asked for: known by its lines, and by its index where it is one of the training history.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The index in the training history; none for somebody who is not in it, such as a visitor's session.
    pub customer: Option<u32>,
    /// What is known of the customer, by day, order and product; may be more than was trained on.
    pub lines: &'a [Purchase],
    /// The day that is asked for.
    pub as_of: i32,
}

impl<'a> Query<'a> {
    /// A customer of a history with what it bought before a day.
    pub fn of(history: &'a Purchases, customer: u32, as_of: i32) -> Self {
        Self { customer: Some(customer), lines: history.before(customer, as_of), as_of }
    }

    /// The lines of so many days before the day that is asked for.
    pub fn window(&self, window_days: u32) -> &'a [Purchase] {
        let first = i64::from(self.as_of) - i64::from(window_days);
        &self.lines[self.lines.partition_point(|line| i64::from(line.day) < first)..]
    }
}

/// Whether products that the customer bought before are ranked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seen {
    /// They are: what is needed again.
    #[default]
    Keep,
    /// They are not: what is new to the customer.
    Drop,
}

/// How many products are wanted, and which may be ranked at all.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The most products of a customer.
    pub k: usize,
    /// Whether products bought before are ranked.
    pub seen: Seen,
    /// Per product whether it may be ranked: a white list, a category, what is in stock, a list to rank again.
    pub among: Option<&'a [bool]>,
}

impl Wanted<'_> {
    /// The best of a customer's scores, filtered first.
    pub fn best(&self, query: &Query<'_>, scores: impl Iterator<Item = (u32, f64)>) -> Ranked {
        let filter = self.filter(query);
        top(scores.filter(|(product, _)| filter.allows(*product)), self.k)
    }

    /// Which products may be ranked for a customer.
    pub(crate) fn filter(&self, query: &Query<'_>) -> Filter<'_> {
        let mut seen: Vec<u32> = match self.seen {
            Seen::Keep => Vec::new(),
            Seen::Drop => query.lines.iter().map(|line| line.product).collect(),
        };
        seen.sort_unstable();
        Filter { among: self.among, seen }
    }
}

/// The products that may be ranked for one customer.
pub(crate) struct Filter<'a> {
    among: Option<&'a [bool]>,
    seen: Vec<u32>,
}

impl Filter<'_> {
    /// Whether every product may be.
    pub(crate) const fn allows_all(&self) -> bool {
        self.among.is_none() && self.seen.is_empty()
    }

    pub(crate) fn allows(&self, product: u32) -> bool {
        self.among.is_none_or(|among| among.get(product as usize).is_some_and(|yes| *yes))
            && self.seen.binary_search(&product).is_err()
    }
}

/// Who is this product for: the customers with the highest scores for it, as `(position, score)`, best first.
///
/// Customers are looked at one by one: memory holds a row of scores per thread and the scores of the product.
pub fn customers_for(
    fitted: &dyn Fitted,
    queries: &[Query<'_>],
    product: u32,
    customers: usize,
) -> Ranked {
    let answer = |row: &mut Row, query: &Query<'_>| {
        fitted.score(query, row);
        let score = row.get(product);
        row.clear();
        score
    };
    let scores: Vec<Option<f64>> =
        queries.par_iter().map_init(|| Row::new(fitted.products()), answer).collect();
    top((0..).zip(scores).filter_map(|(at, score)| Some((at, score?))), customers)
}

/// The products most like each of some, filtered first; none where the estimator knows no likeness of products.
pub fn similar_products(
    fitted: &dyn Fitted,
    products: &[u32],
    wanted: &Wanted<'_>,
) -> Option<Vec<Ranked>> {
    let nobody = Query { customer: None, lines: &[], as_of: 0 };
    let answer = |row: &mut Row, product: &u32| {
        let knows = fitted.similar(*product, row);
        let found = wanted.best(&nobody, row.iter());
        row.clear();
        knows.then_some(found)
    };
    products.par_iter().map_init(|| Row::new(fitted.products()), answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PersonalFrequency;
    use crate::conformance::history;

    fn fitted_lists(wanted: &Wanted<'_>) -> Vec<Vec<u32>> {
        let lines = [(0, 1, 0), (0, 2, 0), (0, 2, 1), (1, 1, 1), (1, 2, 2), (1, 3, 2), (1, 4, 2)];
        let past = history(2, 4, &lines);
        let (products, customers) = (Attributes::none(4), Attributes::none(2));
        let training =
            Training { history: &past, as_of: 9, products: &products, customers: &customers };
        let engine =
            PersonalFrequency { window_days: 100, fill: None, ..PersonalFrequency::default() };
        let fitted = Recommender::fit(&engine, &training).unwrap();
        let queries = [Query::of(&past, 0, 9), Query::of(&past, 1, 9)];
        assert_eq!(customers_for(&*fitted, &queries, 1, 9), [(0, 1.0), (1, 1.0)]);
        assert_eq!(customers_for(&*fitted, &queries, 2, 1), [(1, 3.0)]);
        let lists = fitted.recommend(&queries, wanted);
        lists.iter().map(|list| list.iter().map(|(product, _)| *product).collect()).collect()
    }

    #[test]
    fn filters_come_before_ranking() {
        let wanted = Wanted { k: 1, seen: Seen::Keep, among: None };
        assert_eq!(fitted_lists(&wanted), [[0], [2]]);
        let among = [false, true, false, true];
        assert_eq!(fitted_lists(&Wanted { among: Some(&among), ..wanted }), [[1], [1]]);
        let none = Wanted { k: 9, seen: Seen::Drop, among: None };
        assert_eq!(fitted_lists(&none), [[0_u32; 0]; 2]);
        assert_eq!(fitted_lists(&Wanted { k: 0, ..wanted }), [[0_u32; 0]; 2]);
        assert_eq!(fitted_lists(&Wanted { among: Some(&[]), ..wanted }), [[0_u32; 0]; 2]);
    }

    #[test]
    fn attributes_are_of_the_same_products_and_customers() {
        let past = history(2, 4, &[]);
        let (right, wrong) = (Attributes::none(2), Attributes::none(3));
        let products = Attributes::none(4);
        let training =
            Training { history: &past, as_of: 9, products: &products, customers: &right };
        assert!(training.check().is_ok());
        let other = Training { customers: &wrong, ..training };
        assert_eq!(other.check().unwrap_err().code(), "T0407");
    }
}
