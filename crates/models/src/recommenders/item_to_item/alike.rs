//! Which well-known products does a new one resemble, by what is known of it?

use rayon::prelude::*;

use crate::{Attributes, Kind, Row, top};

/// Products that a new one takes after.
const ALIKE: usize = 20;

/// What a product lacks of its own experience that is not worth taking over.
const LACKS_MIN: f64 = 0.01;

/// A value that more products than this have says too little of any.
const VALUE_PRODUCTS_MAX: usize = 5_000;

/// What products that few customers had take over from those with like attributes.
///
/// Of `n` customers a product's own experience counts `n / (n + prior)`; the rest comes from the products most like
/// it, by the cosine of attribute values weighted by rarity `ln(products / with it)`.
pub(super) struct Alike {
    /// How much of its own experience a product has.
    own: Vec<f64>,
    /// Per product those it takes after, with shares of what it lacks.
    models: Vec<Vec<(u32, f64)>>,
    /// Per product those that take after it, with shares of what they lack.
    followers: Vec<Vec<(u32, f64)>>,
}

impl Alike {
    /// Takes the number of customers of each product.
    pub(super) fn new(attributes: &Attributes, customers: &[u32], prior: f64) -> Self {
        let rarity = rarities(attributes);
        let length = |product: u32| -> f64 {
            let values = values(attributes, product);
            values.map(|(kind, value)| rarity[kind][value as usize].powi(2)).sum::<f64>().sqrt()
        };
        let lengths: Vec<f64> = (0..customers.len() as u32).map(length).collect();
        let take = |row: &mut Row, product: u32| {
            let lacks = prior / (f64::from(customers[product as usize]) + prior);
            if lacks < LACKS_MIN {
                return Vec::new();
            }
            for (kind, value) in values(attributes, product) {
                let others = attributes.kinds()[kind].rows_with(value);
                if others.len() <= VALUE_PRODUCTS_MAX {
                    let shared = rarity[kind][value as usize].powi(2);
                    others.iter().for_each(|other| row.add(*other, shared));
                }
            }
            let length = lengths[product as usize];
            let known = |other: u32| other != product && customers[other as usize] > 0;
            let like = row.iter().filter(|(other, _)| known(*other));
            let like = like.map(|(other, dot)| (other, dot / (length * lengths[other as usize])));
            let mut best = top(like.filter(|(_, cosine)| *cosine > 0.0), ALIKE);
            row.clear();
            let total: f64 = best.iter().map(|(_, cosine)| cosine).sum();
            best.iter_mut().for_each(|(_, share)| *share *= lacks / total);
            best
        };
        let models: Vec<Vec<(u32, f64)>> = (0..customers.len() as u32)
            .into_par_iter()
            .map_init(|| Row::new(customers.len()), take)
            .collect();
        let own = models.iter().map(|list| 1.0 - list.iter().map(|(_, share)| share).sum::<f64>());
        let own = own.collect();
        let mut followers = vec![Vec::new(); customers.len()];
        for (product, list) in (0..).zip(&models) {
            for (model, share) in list {
                followers[*model as usize].push((product, *share));
            }
        }
        Self { own, models, followers }
    }

    /// The best `neighbours` of every product, once new ones have taken over what they lack; a product is one of
    /// its own where some returned to it.
    pub(super) fn blend(
        &self,
        lists: &[Vec<(u32, f64)>],
        neighbours: usize,
        returns: bool,
    ) -> Vec<Vec<(u32, f64)>> {
        let as_source = |row: &mut Row, product: usize| {
            let own = (product, self.own[product]);
            let models =
                self.models[product].iter().map(|(model, share)| (*model as usize, *share));
            for (model, share) in std::iter::once(own).chain(models) {
                lists[model].iter().for_each(|(other, like)| row.add(*other, share * like));
            }
            row.take()
        };
        let as_target = |(row, sums): &mut (Row, Row), product: usize| {
            for (other, like) in as_source(row, product) {
                sums.add(other, self.own[other as usize] * like);
                for (follower, share) in &self.followers[other as usize] {
                    sums.add(*follower, share * like);
                }
            }
            let other = |other: u32| returns || other as usize != product;
            let found = sums.iter().filter(|(place, like)| *like > 0.0 && other(*place));
            let found = top(found, neighbours);
            sums.clear();
            found
        };
        let fresh = || (Row::new(lists.len()), Row::new(lists.len()));
        (0..lists.len()).into_par_iter().map_init(fresh, as_target).collect()
    }
}

/// Every value of a product, with the place of its kind.
fn values(attributes: &Attributes, product: u32) -> impl Iterator<Item = (usize, u32)> {
    let kinds = attributes.kinds().iter().enumerate();
    kinds.flat_map(move |(at, kind)| kind.of(product).iter().map(move |value| (at, *value)))
}

/// By kind and value, the logarithm of how few products have it.
fn rarities(attributes: &Attributes) -> Vec<Vec<f64>> {
    let all = attributes.rows() as f64;
    let of_value = |kind: &Kind, value: u32| (all / kind.rows_with(value).len().max(1) as f64).ln();
    let of_kind =
        |kind: &Kind| (0..kind.values() as u32).map(|value| of_value(kind, value)).collect();
    attributes.kinds().iter().map(of_kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_product_takes_over_from_those_alike_both_ways() {
        // Products 0 and 3 are of one brand, 1 and 2 of another; nobody had product 3 yet.
        let brands = [vec![0], vec![1], vec![1], vec![0]];
        let attributes = Attributes::none(4).with("brand", &brands).unwrap();
        let lists = vec![vec![(1, 0.5)], vec![(0, 0.4), (2, 0.2)], vec![(1, 0.2)], vec![]];
        let alike = Alike::new(&attributes, &[9, 9, 9, 0], 0.01);
        let blended = alike.blend(&lists, 9, false);
        assert_eq!(
            blended,
            [&[(1, 0.5)][..], &[(0, 0.4), (3, 0.4), (2, 0.2)], &[(1, 0.2)], &[(1, 0.5)]]
        );
        // Half of what product 2 has is its own, half that of product 1; the same of what has it.
        let alike = Alike::new(&attributes, &[1000, 1000, 1, 0], 1.0);
        let blended = alike.blend(&lists, 9, false);
        assert_eq!(blended[2], [(0, 0.2), (3, 0.2), (1, 0.1)]);
        assert_eq!(blended[0], [(1, 0.5), (2, 0.25)]);
    }
}
