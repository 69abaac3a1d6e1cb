//! Which product types are bought together, and which promotions cover them?

use rayon::prelude::*;

use crate::eligibility::Lists;
use crate::likeness::order_lines;
use crate::neighbours::NeighbourParams;
use crate::{Eligibility, Purchases, Row};

/// What a buyer of a type is likely to take of promotions that cover other types.
pub(crate) struct TypePairs {
    /// Per type `(promotion, the cosines of other types, each times the share of its lines that is covered)`.
    covered: Vec<Vec<(u32, f64)>>,
}

impl TypePairs {
    pub(crate) fn new(
        history: &Purchases,
        eligibility: &Eligibility,
        types: &[u32],
        type_count: usize,
        as_of: i32,
        active: &[u32],
        params: &NeighbourParams,
    ) -> Self {
        let window = |customer| order_lines(history.window(customer, as_of, params.window_days));
        let count = |mut lines: Vec<u64>, customer: u32| {
            window(customer).for_each(|line| lines[line.product as usize] += 1);
            lines
        };
        let add = |mut sums: Vec<u64>, lines: Vec<u64>| {
            sums.iter_mut().zip(lines).for_each(|(sum, lines)| *sum += lines);
            sums
        };
        let zeros = || vec![0_u64; types.len()];
        let lines = history.all_customers().fold(zeros, count).reduce(zeros, add);
        let (columns, shares) = shares(eligibility, types, type_count, &lines);
        let types_of = |customer: &u32| {
            let bought = window(*customer);
            let mut bought: Vec<u32> = bought.map(|line| types[line.product as usize]).collect();
            bought.sort_unstable();
            bought.dedup();
            bought
        };
        let bought: Vec<Vec<u32>> = active.par_iter().map(types_of).collect();
        let pairs = (0_u32..).zip(&bought);
        let pairs = pairs.flat_map(|(buyer, types)| types.iter().map(move |id| (*id, buyer)));
        let buyers = Lists::new(type_count, pairs.collect());
        let mut column = vec![u32::MAX; type_count];
        for (place, id) in (0_u32..).zip(&columns) {
            column[*id as usize] = place;
        }
        let covered = |types: Vec<u32>| -> Vec<u32> {
            let columns = types.into_iter().map(|id| column[id as usize]);
            columns.filter(|column| *column != u32::MAX).collect()
        };
        let covered: Vec<Vec<u32>> = bought.into_par_iter().map(covered).collect();
        let floored =
            |id: u32| f64::from(params.min_type_customers.max(1)).max(buyers.get(id).len() as f64);
        let row = |(together, sums): &mut (Vec<u32>, Row), id: u32| {
            for buyer in buyers.get(id) {
                for column in &covered[*buyer as usize] {
                    together[*column as usize] += 1;
                }
            }
            for ((other, shares), together) in columns.iter().zip(&shares).zip(together) {
                let both = f64::from(std::mem::take(together));
                let cosine = both / (floored(id) * floored(*other)).sqrt();
                if both > 0.0 && *other != id && cosine >= params.min_type_cosine {
                    for (promotion, share) in shares {
                        sums.add(*promotion, cosine * share);
                    }
                }
            }
            sums.take()
        };
        let fresh = || (vec![0; columns.len()], Row::new(eligibility.promotions()));
        let ids = (0..type_count as u32).into_par_iter();
        Self { covered: ids.map_init(fresh, row).collect() }
    }

    /// Fills one row over promotions for a customer with the types; `of_promotions` holds zeros, before and after.
    pub(crate) fn fill(&self, types: &[(u32, f64)], of_promotions: &mut [f64], row: &mut [f32]) {
        for (id, _) in types {
            for (promotion, covered) in &self.covered[*id as usize] {
                of_promotions[*promotion as usize] += covered;
            }
        }
        for (value, sum) in row.iter_mut().zip(of_promotions) {
            *value = std::mem::take(sum) as f32;
        }
    }
}

/// The types of which promotions cover lines, sorted, and per type `(promotion, share of its lines)`.
fn shares(
    eligibility: &Eligibility,
    types: &[u32],
    type_count: usize,
    lines: &[u64],
) -> (Vec<u32>, Vec<Vec<(u32, f64)>>) {
    let mut totals = vec![0_u64; type_count];
    for (id, lines) in types.iter().zip(lines) {
        totals[*id as usize] += lines;
    }
    let mut covered: Vec<(u32, u32, u64)> = Vec::new();
    for promotion in 0..eligibility.promotions() as u32 {
        for product in eligibility.products_of(promotion) {
            let place = *product as usize;
            if lines[place] > 0 {
                covered.push((types[place], promotion, lines[place]));
            }
        }
    }
    covered.sort_unstable();
    let (mut columns, mut shares) = (Vec::new(), Vec::new());
    for of_type in covered.chunk_by(|a, b| a.0 == b.0) {
        let total = totals[of_type[0].0 as usize] as f64;
        let promotions = of_type.chunk_by(|a, b| a.1 == b.1);
        let share = |of_promotion: &[(u32, u32, u64)]| {
            let lines: u64 = of_promotion.iter().map(|(_, _, lines)| lines).sum();
            (of_promotion[0].1, lines as f64 / total)
        };
        columns.push(of_type[0].0);
        shares.push(promotions.map(share).collect());
    }
    (columns, shares)
}
