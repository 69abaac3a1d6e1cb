//! Which well-known products does a new one resemble, by what is known of it?

use rayon::prelude::*;

use crate::{Attributes, Kind, Row, top};

/// Products that a new one takes after.
const ALIKE: usize = 20;

/// What a product lacks of its own experience that is not worth taking over.
const LACKS_MIN: f64 = 0.01;

/// A value that more products than this have says too little of any.
const VALUE_PRODUCTS_MAX: usize = 5_000;

/// What rounding may add to a sum of shares.
const ROUNDING: f64 = 1.0 + 1e-9;

/// What products that few customers had take over from those with like attributes.
///
/// Of `n` customers a product's own experience counts `n / (n + prior)`; the rest comes from the products most like
/// it, by the cosine of attribute values weighted by rarity `ln(products / with it)`.
pub(super) struct Alike {
    /// Per product whose experience counts as its own, with shares that add up to 1, by product; itself among them.
    lenders: Vec<Vec<(u32, f64)>>,
    /// What of that is not a product's own.
    lacks: Vec<f64>,
    /// Per product those that take after it, who lacks most first.
    followers: Vec<Vec<u32>>,
}

/// What is added up for one product.
struct Sums {
    /// What goes with it and with those it takes after.
    experience: Row,
    /// Whose place there was summed up already.
    known: Row,
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
                return (vec![(product, 1.0)], 0.0);
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
            let lacks = if best.is_empty() { 0.0 } else { lacks };
            let total: f64 = best.iter().map(|(_, cosine)| cosine).sum();
            best.iter_mut().for_each(|(_, share)| *share *= lacks / total);
            best.push((product, 1.0 - lacks));
            best.sort_unstable_by_key(|(lender, _)| *lender);
            (best, lacks)
        };
        let (lenders, lacks): (Vec<Vec<(u32, f64)>>, Vec<f64>) = (0..customers.len() as u32)
            .into_par_iter()
            .map_init(|| Row::new(customers.len()), take)
            .unzip();
        let mut followers = vec![Vec::new(); customers.len()];
        for (product, list) in (0_u32..).zip(&lenders) {
            for (lender, _) in list.iter().filter(|(lender, _)| *lender != product) {
                followers[*lender as usize].push(product);
            }
        }
        let most = |a: &u32, b: &u32| lacks[*b as usize].total_cmp(&lacks[*a as usize]);
        followers.iter_mut().for_each(|list| list.sort_by(most));
        Self { lenders, lacks, followers }
    }

    /// The best `neighbours` of every product, once new ones have taken over what they lack; a product is one of
    /// its own where some returned to it.
    ///
    /// The likeness of two products is the sum over those that lend to the one and to the other of share × share ×
    /// likeness in `lists`. Most pairs are not summed up: shares add up to 1, so what a product takes over is at most
    /// what it lacks of the largest likeness that a lender has.
    pub(super) fn blend(
        &self,
        lists: &[Vec<(u32, f64)>],
        neighbours: usize,
        returns: bool,
    ) -> Vec<Vec<(u32, f64)>> {
        let blended = |sums: &mut Sums, product: u32| {
            for (lender, share) in &self.lenders[product as usize] {
                let list = &lists[*lender as usize];
                list.iter().for_each(|(other, like)| sums.experience.add(*other, share * like));
            }
            let found = self.best(sums, neighbours, |other| returns || other != product);
            sums.experience.clear();
            found
        };
        let fresh = || Sums { experience: Row::new(lists.len()), known: Row::new(lists.len()) };
        (0..lists.len() as u32).into_par_iter().map_init(fresh, blended).collect()
    }

    /// The best of those that go with an experience.
    fn best(
        &self,
        sums: &mut Sums,
        neighbours: usize,
        allowed: impl Fn(u32) -> bool,
    ) -> Vec<(u32, f64)> {
        let Sums { experience, known } = sums;
        // What products count by themselves: the last of the best says what another one has to reach.
        let alone = |(other, like): (u32, f64)| (other, (1.0 - self.lacks[other as usize]) * like);
        let by_themselves =
            top(experience.iter().map(alone).filter(|(o, _)| allowed(*o)), neighbours);
        let last = neighbours.checked_sub(1).and_then(|last| by_themselves.get(last));
        let floor = last.map_or(0.0, |(_, like)| *like);
        let largest = experience.iter().fold(0.0, |largest: f64, (_, like)| largest.max(like));
        let sum = |product: u32| {
            let of = |(lender, share): &(u32, f64)| Some(share * experience.get(*lender)?);
            self.lenders[product as usize].iter().filter_map(of).sum::<f64>()
        };
        let mut consider = |product: u32, at_most: f64| {
            if at_most * ROUNDING >= floor && allowed(product) && known.get(product).is_none() {
                known.add(product, sum(product));
            }
        };
        for (place, like) in experience.iter() {
            let lacks = self.lacks[place as usize];
            consider(place, (1.0 - lacks) * like + lacks * largest);
            // Of its lenders the one with the largest likeness lets a product in, if any does.
            let reaching =
                |follower: &&u32| self.lacks[**follower as usize] * like * ROUNDING >= floor;
            for follower in self.followers[place as usize].iter().take_while(reaching) {
                consider(*follower, f64::INFINITY);
            }
        }
        let found = top(known.iter().filter(|(_, like)| *like > 0.0), neighbours);
        known.clear();
        found
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
    use proptest::prelude::*;

    use super::*;

    /// The same by the formula, every pair summed up.
    fn plainly(
        alike: &Alike,
        lists: &[Vec<(u32, f64)>],
        neighbours: usize,
        returns: bool,
    ) -> Vec<Vec<(u32, f64)>> {
        let blended = |product: usize| {
            let mut row = vec![0.0; lists.len()];
            for (lender, share) in &alike.lenders[product] {
                for (other, like) in &lists[*lender as usize] {
                    row[*other as usize] += share * like;
                }
            }
            let of = |other: usize| -> f64 {
                alike.lenders[other]
                    .iter()
                    .map(|(lender, share)| share * row[*lender as usize])
                    .sum()
            };
            let allowed = (0..lists.len()).filter(|other| returns || *other != product);
            let scores = allowed.map(|other| (other as u32, of(other)));
            top(scores.filter(|(_, like)| *like > 0.0), neighbours)
        };
        (0..lists.len()).map(blended).collect()
    }

    proptest! {
        #[test]
        fn what_is_not_summed_up_is_not_among_the_best(
            products in prop::collection::vec(
                (0_u32..4, 0_u32..12, 0_u32..5, prop::collection::vec((0_u32..30, 1_u32..9), 0..8)),
                1..30,
            ),
            prior in prop::sample::select(vec![0.2, 1.0, 10.0]),
            neighbours in 0_usize..12,
            returns in any::<bool>(),
        ) {
            let count = products.len() as u32;
            let values = |of: fn(&(u32, u32, u32, Vec<(u32, u32)>)) -> u32| {
                products.iter().map(|product| vec![of(product)]).collect::<Vec<_>>()
            };
            let attributes = Attributes::none(products.len())
                .with("brand", &values(|product| product.0)).unwrap()
                .with("type", &values(|product| product.1)).unwrap();
            // One product in five is new.
            let customers: Vec<u32> = products.iter().map(|product| product.2 * product.2).collect();
            let list = |product: &(u32, u32, u32, Vec<(u32, u32)>)| {
                let mut row = Row::new(products.len());
                for (other, like) in product.3.iter().filter(|_| product.2 > 0) {
                    row.add(other % count, f64::from(*like) / 8.0);
                }
                row.take()
            };
            let lists: Vec<_> = products.iter().map(list).collect();
            let alike = Alike::new(&attributes, &customers, prior);
            let found = alike.blend(&lists, neighbours, returns);
            prop_assert_eq!(found, plainly(&alike, &lists, neighbours, returns));
        }
    }

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
