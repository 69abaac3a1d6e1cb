//! Which products are near to each, and how near?

use rayon::prelude::*;

use crate::top;

/// Lists of neighbours laid end to end.
pub(super) struct Neighbours {
    starts: Vec<usize>,
    likenesses: Vec<(u32, f64)>,
}

impl Neighbours {
    pub(super) fn new(lists: &[Vec<(u32, f64)>]) -> Self {
        let mut starts = vec![0];
        let mut end = 0;
        starts.extend(lists.iter().map(|list| {
            end += list.len();
            end
        }));
        Self { starts, likenesses: lists.concat() }
    }

    pub(super) fn products(&self) -> usize {
        self.starts.len() - 1
    }

    /// Best first; empty for a product out of range.
    pub(super) fn of(&self, product: u32) -> &[(u32, f64)] {
        let product = product as usize;
        match (self.starts.get(product), self.starts.get(product + 1)) {
            (Some(from), Some(to)) => &self.likenesses[*from..*to],
            _ => &[],
        }
    }
}

/// The lists of those that lead to each product as lists of those that follow it, best first.
pub(super) fn turned(lists: &[Vec<(u32, f64)>]) -> Vec<Vec<(u32, f64)>> {
    let mut followers = vec![Vec::new(); lists.len()];
    for (product, list) in (0_u32..).zip(lists) {
        for (leader, likeness) in list {
            followers[*leader as usize].push((product, *likeness));
        }
    }
    followers.into_par_iter().map(|list| top(list.into_iter(), usize::MAX)).collect()
}
