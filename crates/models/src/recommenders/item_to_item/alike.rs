//! Which well-known products does a new one resemble, by what is known of it?

use std::collections::HashMap;

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

/// What is small beside what has to be reached, at most a half.
const SMALL: f64 = 0.5;

/// What products that few customers had take over from those with like attributes.
///
/// Of `n` customers a product's own experience counts `n / (n + prior)`; the rest comes from the products most like
/// it, by the cosine of attribute values weighted by rarity `ln(products / with it)`.
///
/// Products that nobody had yet and that take after the same others are one class: what goes with one of them goes
/// with all. Every other product is a class of its own.
pub(super) struct Alike {
    classes: Vec<Class>,
    class_of: Vec<u32>,
    /// What a class has not of its own experience.
    lacks: Vec<f64>,
    /// Per product the classes that take after it, who lacks most first, and its share in them.
    followers: Vec<Vec<(u32, f64)>>,
}

/// Products that take after the same others.
struct Class {
    members: Vec<u32>,
    /// Whose experience counts as theirs, with shares that add up to 1, by product.
    lenders: Vec<(u32, f64)>,
}

/// What is added up for one class.
struct Sums {
    /// By product, what goes with it and with those it takes after.
    experience: Row,
    /// By class, what the larger part of that comes to in its place.
    places: Row,
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
            best.extend((lacks < 1.0).then_some((product, 1.0 - lacks)));
            best.sort_unstable_by_key(|(lender, _)| *lender);
            (best, lacks)
        };
        let taken: Vec<(Vec<(u32, f64)>, f64)> = (0..customers.len() as u32)
            .into_par_iter()
            .map_init(|| Row::new(customers.len()), take)
            .collect();
        Self::of(taken)
    }

    /// Puts together who takes after the same others, by the lenders of each product and what it lacks.
    fn of(taken: Vec<(Vec<(u32, f64)>, f64)>) -> Self {
        let mut followers = vec![Vec::new(); taken.len()];
        let (mut classes, mut class_of, mut lacks) = (Vec::new(), Vec::new(), Vec::new());
        let mut known: HashMap<Vec<(u32, u64)>, u32> = HashMap::new();
        for (product, (lenders, lack)) in (0_u32..).zip(taken) {
            let next = classes.len() as u32;
            let class = if lack < 1.0 {
                next
            } else {
                let key = lenders.iter().map(|(lender, share)| (*lender, share.to_bits()));
                *known.entry(key.collect()).or_insert(next)
            };
            class_of.push(class);
            if class < next {
                let class: &mut Class = &mut classes[class as usize];
                class.members.push(product);
                continue;
            }
            for (lender, share) in lenders.iter().filter(|(lender, _)| *lender != product) {
                followers[*lender as usize].push((class, *share));
            }
            classes.push(Class { members: vec![product], lenders });
            lacks.push(lack);
        }
        let most =
            |a: &(u32, f64), b: &(u32, f64)| lacks[b.0 as usize].total_cmp(&lacks[a.0 as usize]);
        followers.iter_mut().for_each(|list| list.sort_by(most));
        Self { classes, class_of, lacks, followers }
    }

    /// The best `neighbours` of every product, once new ones have taken over what they lack; a product is one of
    /// its own where some returned to it.
    ///
    /// The likeness of two products is the sum over those that lend to the one and to the other of share × share ×
    /// likeness in `lists`. Most pairs are not summed up: what is large tells who can be among the best.
    pub(super) fn blend(
        &self,
        lists: &[Vec<(u32, f64)>],
        neighbours: usize,
        returns: bool,
    ) -> Vec<Vec<(u32, f64)>> {
        let blended = |sums: &mut Sums, class: &Class| {
            for (lender, share) in &class.lenders {
                let list = &lists[*lender as usize];
                list.iter().for_each(|(other, like)| sums.experience.add(*other, share * like));
            }
            let itself = class.members.first().filter(|_| !returns && class.members.len() == 1);
            let found = self.best(sums, neighbours, itself.copied());
            sums.experience.clear();
            found
        };
        let fresh =
            || Sums { experience: Row::new(lists.len()), places: Row::new(self.classes.len()) };
        let found: Vec<Vec<(u32, f64)>> =
            self.classes.par_iter().map_init(fresh, blended).collect();
        let of_product = |(product, class): (u32, &u32)| {
            let others = found[*class as usize].iter().copied();
            others.filter(|(other, _)| returns || *other != product).take(neighbours).collect()
        };
        (0..).zip(&self.class_of).map(of_product).collect()
    }

    /// The best of those that go with an experience, and one more: members of a class are in each other's lists, and
    /// not in their own. `itself` is in none.
    fn best(&self, sums: &mut Sums, neighbours: usize, itself: Option<u32>) -> Vec<(u32, f64)> {
        let Sums { experience, places } = sums;
        let of = |product: u32| (self.class_of[product as usize], self.own(product));
        // What products count by themselves: the last of the best says what another one has to reach.
        let others = experience.iter().filter(|(other, _)| Some(*other) != itself);
        let alone = top(others.map(|(other, like)| (other, of(other).1 * like)), neighbours);
        let last = neighbours.checked_sub(1).and_then(|last| alone.get(last));
        let floor = last.map_or(0.0, |(_, like)| *like);
        let largest = experience.iter().fold(0.0, |largest: f64, (_, like)| largest.max(like));
        // Shares add up to 1: what is below `small` comes to less than that in all, and who is to reach the floor has
        // the rest of what is above. It is its own, or so much that it must lack more than `small`.
        let small = SMALL * floor;
        let reaches = |class: u32| self.lacks[class as usize] * largest * ROUNDING >= small;
        for (place, like) in experience.iter().filter(|(_, like)| *like >= small) {
            let (class, own) = of(place);
            places.add(class, own * like);
            let followers = self.followers[place as usize].iter();
            for (follower, share) in followers.take_while(|(follower, _)| reaches(*follower)) {
                places.add(*follower, share * like);
            }
        }
        let may_reach = places.iter().filter(|(_, like)| like * ROUNDING >= floor - small);
        let whole = |(class, _): (u32, f64)| {
            let of = |(lender, share): &(u32, f64)| Some(share * experience.get(*lender)?);
            let class = &self.classes[class as usize];
            let like = class.lenders.iter().filter_map(of).sum::<f64>();
            let members = if like * ROUNDING >= floor { &class.members[..] } else { &[] };
            members.iter().map(move |member| (*member, like))
        };
        let found = may_reach.flat_map(whole).filter(|(_, like)| *like > 0.0);
        let best = top(found, neighbours.saturating_add(1));
        places.clear();
        best
    }

    /// How much of its own experience a product has.
    fn own(&self, product: u32) -> f64 {
        1.0 - self.lacks[self.class_of[product as usize] as usize]
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
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A product's brand and type, what its number of customers is made of, and what goes with it.
    type Drawn = (u32, u32, u32, Vec<(u32, u32)>);

    /// The same by the formula, every pair summed up.
    fn plainly(
        alike: &Alike,
        lists: &[Vec<(u32, f64)>],
        neighbours: usize,
        returns: bool,
    ) -> Vec<Vec<(u32, f64)>> {
        let lenders = |product: usize| &alike.classes[alike.class_of[product] as usize].lenders;
        let blended = |product: usize| {
            let mut row = vec![0.0; lists.len()];
            for (lender, share) in lenders(product) {
                for (other, like) in &lists[*lender as usize] {
                    row[*other as usize] += share * like;
                }
            }
            let of = |other: usize| -> f64 {
                lenders(other).iter().map(|(lender, share)| share * row[*lender as usize]).sum()
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
                (0_u32..3, 0_u32..5, 0_u32..5, prop::collection::vec((0_u32..30, 1_u32..9), 0..8)),
                1..40,
            ),
            prior in prop::sample::select(vec![0.2, 1.0, 10.0]),
            neighbours in 0_usize..12,
            returns in any::<bool>(),
        ) {
            let count = products.len() as u32;
            let values = |of: fn(&Drawn) -> u32| {
                products.iter().map(|product| vec![of(product)]).collect::<Vec<_>>()
            };
            let attributes = Attributes::none(products.len())
                .with("brand", &values(|product| product.0)).unwrap()
                .with("type", &values(|product| product.1)).unwrap();
            // One product in five is new.
            let customers: Vec<u32> = products.iter().map(|product| product.2 * product.2).collect();
            let list = |product: &Drawn| {
                let mut row = Row::new(products.len());
                for (other, like) in product.3.iter().filter(|_| product.2 > 0) {
                    row.add(other % count, f64::from(*like) / 8.0);
                }
                row.take()
            };
            let lists: Vec<_> = products.iter().map(list).collect();
            let alike = Alike::new(&attributes, &customers, prior);
            let found = alike.blend(&lists, neighbours, returns);
            for (found, plain) in found.iter().zip(plainly(&alike, &lists, neighbours, returns)) {
                prop_assert_eq!(found.len(), plain.len());
                // Sums in another order: who is alike to the last digits may change places.
                for (one, other) in found.iter().zip(&plain) {
                    prop_assert!((one.1 - other.1).abs() <= 1e-12 * other.1, "{one:?} {other:?}");
                }
                let different: BTreeSet<u32> = found.iter().map(|(other, _)| *other).collect();
                prop_assert_eq!(different.len(), found.len());
            }
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
