//! What do the members find for a customer, and what do they say of it?

use super::features::{COUNTS, CustomerFacts, ProductFacts};
use crate::pool::Pool;
use crate::recommender::Filter;
use crate::{Fitted, Query, Row, top};

/// What each member says of a candidate: its score, that over the best one's, and its rank.
pub(super) const SAID: [&str; 3] = ["score", "relative", "rank"];

/// Fitted members, and what is counted of each product.
pub(super) struct Panel<'a> {
    pub(super) members: Vec<Box<dyn Fitted + 'a>>,
    pub(super) facts: ProductFacts,
    pub(super) counts: [bool; COUNTS],
    pub(super) candidates: usize,
    pub(super) products: usize,
    pub(super) rows: Pool<Vec<Row>>,
}

impl Panel<'_> {
    /// The candidates of a customer, ascending, and a row of features for each: the best of each member's that may be
    /// ranked. Ranks are those among all, as they were learnt from.
    pub(super) fn look(
        &self,
        query: &Query<'_>,
        filter: Option<&Filter<'_>>,
    ) -> (Vec<u32>, Vec<f32>) {
        let fresh = || self.members.iter().map(|_| Row::new(self.products)).collect();
        self.rows.with(fresh, |rows: &mut Vec<Row>| {
            for (member, row) in self.members.iter().zip(rows.iter_mut()) {
                member.score(query, row);
            }
            let lists: Vec<_> = rows.iter().map(|row| top(row.iter(), self.candidates)).collect();
            let mut found: Vec<u32> = match filter {
                None => lists.iter().flatten().map(|(product, _)| *product).collect(),
                Some(filter) => {
                    let allowed = |row: &Row| {
                        let scores = row.iter().filter(|(product, _)| filter.allows(*product));
                        top(scores, self.candidates)
                    };
                    rows.iter().flat_map(allowed).map(|(product, _)| product).collect()
                }
            };
            found.sort_unstable();
            found.dedup();
            let customer = CustomerFacts::new(&self.facts, query.lines, query.as_of);
            let mut values = Vec::new();
            let mut ranks = vec![f32::NAN; found.len() * lists.len()];
            for (member, list) in lists.iter().enumerate() {
                for (rank, (product, _)) in (1_u16..).zip(list) {
                    if let Ok(at) = found.binary_search(product) {
                        ranks[at * lists.len() + member] = f32::from(rank);
                    }
                }
            }
            for (product, ranks) in found.iter().zip(ranks.chunks(lists.len().max(1))) {
                for ((row, list), rank) in rows.iter().zip(&lists).zip(ranks) {
                    let score = row.get(*product).map_or(f32::NAN, |score| score as f32);
                    let best = list.first().map_or(f32::NAN, |(_, best)| *best as f32);
                    values.extend([score, score / best, *rank].map(finite));
                }
                let counts = customer.of(*product).into_iter().zip(self.counts);
                values.extend(counts.filter(|(_, used)| *used).map(|(count, _)| count));
            }
            rows.iter_mut().for_each(Row::clear);
            (found, values)
        })
    }
}

fn finite(value: f32) -> f32 {
    if value.is_finite() { value } else { f32::NAN }
}
