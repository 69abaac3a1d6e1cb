//! What do the customers buy who buy what this customer buys?

mod features;
mod loans;
mod settings;

use rayon::prelude::*;
use tercet_types::{Error, Result};

use self::features::FEATURES;
pub use self::features::{NeighbourFeature, NeighbourFeatures};
use self::loans::{Lending, Loans};
pub use self::settings::NeighbourParams;
use crate::likeness::{Alike, Comparison, Neighbourhood, Similar, active, evenly, vector};
use crate::promotion_ranker;
use crate::type_pairs::TypePairs;
use crate::{Eligibility, Purchase, Purchases};

/// What likely tastes say about every promotion of `eligibility`, for each of `customers` (indices
/// into `history`, in any order, repeated at will): [`Neighbours`], asked once.
///
/// # Errors
/// As [`Neighbours::new`] and [`Neighbours::features`].
pub fn neighbour_features(
    history: &Purchases,
    eligibility: &Eligibility,
    product_types: &[u32],
    as_of: i32,
    customers: &[u32],
    params: &NeighbourParams,
) -> Result<NeighbourFeatures> {
    Neighbours::new(history, eligibility, product_types, as_of, params)?
        .features(history, customers, Some)
}

/// The customers who may be somebody's neighbours as of a day, and what they can lend.
///
/// Customers are alike by the cosine of their vectors of decayed lines, raised to `vector_power` and
/// weighted by rarity, `ln((1 + n) / (1 + buyers))` over the `n` active customers (Spärck Jones,
/// "A statistical interpretation of term specificity", 1972, doi:10.1108/eb026526). The nearest,
/// ties by index, lend their decayed lines in proportion to their cosine: UP-CF, Faggioli, Polato,
/// Aiolli, UMAP 2020, doi:10.1145/3340631.3394850. Type pairs: item-based collaborative filtering,
/// Sarwar et al., WWW 2001, doi:10.1145/371920.372071.
///
/// A customer is never its own neighbour; one who is not active still has neighbours among those
/// who are. Lines on or after `as_of` do not count, and a product counts once per order.
///
/// Of more than `lenders_max` active customers some stand for all: in likeness, in its rarity, in what is
/// lent and in the types bought together. Time grows with the sum over products, and over types, of
/// (customers asked × buyers among these), so with the customers asked alone once a shop is large.
pub struct Neighbours<'a> {
    eligibility: &'a Eligibility,
    as_of: i32,
    params: NeighbourParams,
    /// Types of products, numbered from zero.
    types: Vec<u32>,
    /// Those who lend, ascending.
    lenders: Vec<u32>,
    by_product: Alike,
    by_type: Alike,
    pairs: TypePairs,
    loans: Loans<'a>,
}

impl<'a> Neighbours<'a> {
    /// Chooses among the customers of `history`, the whole shop's or a sample, who are active as of the day.
    ///
    /// # Errors
    /// `T0407` when `product_types` has not one type per product or `eligibility` is of other products,
    /// `T0405` when a setting is out of range.
    pub fn new(
        history: &'a Purchases,
        eligibility: &'a Eligibility,
        product_types: &[u32],
        as_of: i32,
        params: &NeighbourParams,
    ) -> Result<Self> {
        params.check()?;
        promotion_ranker::check(history, eligibility, &[])?;
        if product_types.len() != history.products() {
            let (types, products) = (product_types.len(), history.products());
            return Err(Error::data(
                "T0407",
                format!("{types} product types for {products} products"),
            ));
        }
        let (types, type_count) = numbered(product_types);
        let lenders = evenly(active(history, as_of, params.active_days), params.lenders_max);
        let type_share = if lenders.len() < params.lenders_max { 1.0 } else { params.type_share };
        let vectors = |half_life_days: f64, key: &(dyn Fn(u32) -> u32 + Sync)| {
            let lines = lenders.par_iter().map(|customer| history.before(*customer, as_of));
            let lines = lines.map(|lines| vector(lines, as_of, half_life_days, key));
            lines.collect::<Vec<Vec<(u32, f64)>>>()
        };
        let products = vectors(params.product_half_life_days, &|product| product);
        let of_types = vectors(params.type_half_life_days, &|product| types[product as usize]);
        let near = |keys: usize, vectors: &[Vec<(u32, f64)>], share: f64| {
            let comparison = Comparison { share, ..Comparison::cosine(params.vector_power) };
            Alike::new(Neighbourhood::new(keys, vectors, comparison), vectors.len())
        };
        Ok(Self {
            by_product: near(history.products(), &products, 1.0),
            by_type: near(type_count, &of_types, type_share),
            pairs: TypePairs::new(
                history,
                eligibility,
                &types,
                type_count,
                as_of,
                &lenders,
                params,
            ),
            loans: Loans::new(eligibility, &products),
            eligibility,
            as_of,
            params: params.clone(),
            types,
            lenders,
        })
    }

    /// The features of each of `customers` (indices into `history`, in any order, repeated at will) with
    /// every promotion of the eligibility; the same whoever else is asked for.
    ///
    /// `history` may be another than the one looked at first: `lender` says which customer of that one an
    /// asked customer is, if any, so that nobody is its own neighbour. It is `Some` where they are the same.
    ///
    /// # Errors
    /// `T0407` when a customer is out of range, or the products are others.
    pub fn features(
        &self,
        history: &Purchases,
        customers: &[u32],
        lender: impl Fn(u32) -> Option<u32> + Sync,
    ) -> Result<NeighbourFeatures> {
        promotion_ranker::check(history, self.eligibility, customers)?;
        let promotions = self.eligibility.promotions();
        let mut values = vec![0.0_f32; customers.len() * FEATURES * promotions];
        let fresh = || Scratch {
            similar: self.by_product.similar(),
            lending: self.loans.lending(promotions),
            of_promotions: vec![0.0; promotions],
        };
        values.par_chunks_mut((FEATURES * promotions).max(1)).zip(customers).for_each_init(
            fresh,
            |scratch, (row, customer)| {
                let itself = lender(*customer);
                self.fill(history.before(*customer, self.as_of), itself, scratch, row);
            },
        );
        Ok(NeighbourFeatures { promotions, values })
    }

    fn fill(
        &self,
        lines: &[Purchase],
        itself: Option<u32>,
        scratch: &mut Scratch,
        row: &mut [f32],
    ) {
        let params = &self.params;
        let products = vector(lines, self.as_of, params.product_half_life_days, &|product| product);
        let types = vector(lines, self.as_of, params.type_half_life_days, &|product| {
            self.types[product as usize]
        });
        let place = |lender: u32| self.lenders.binary_search(&lender).ok();
        let itself = itself.and_then(place).map(|place| place as u32);
        let (type_pairs, row) = row.split_at_mut(self.eligibility.promotions());
        let Scratch { similar, lending, of_promotions } = scratch;
        self.pairs.fill(&types, of_promotions, type_pairs);
        let by_product = self.by_product.of(&products, itself, params.neighbours, similar);
        let by_type = self.by_type.of(&types, itself, params.neighbours, similar);
        self.loans.fill(&products, [&by_product, &by_type], lending, row);
    }
}

/// Types numbered from zero in the order of their ids, and how many there are.
fn numbered(product_types: &[u32]) -> (Vec<u32>, usize) {
    let mut distinct = product_types.to_vec();
    distinct.par_sort_unstable();
    distinct.dedup();
    let number = |id: &u32| distinct.partition_point(|known| known < id) as u32;
    (product_types.par_iter().map(number).collect(), distinct.len())
}

/// What one thread works with, all zero between customers.
struct Scratch {
    similar: Similar,
    lending: Lending,
    of_promotions: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{draws, history};

    const ALL: [NeighbourFeature; 5] = NeighbourFeature::ALL;

    /// Asserts one customer's features, in the order of `ALL`, of one promotion.
    fn check(found: &NeighbourFeatures, position: usize, promotion: u32, expect: [f64; 5]) {
        for (feature, expect) in ALL.into_iter().zip(expect) {
            let value = f64::from(found.get(feature, position, promotion));
            assert!(
                (value - expect).abs() < 1e-6,
                "customer {position}, promotion {promotion}, {}: {value} against {expect}",
                feature.name()
            );
        }
    }

    #[test]
    fn one_neighbour_lends_all_and_types_pair_up() {
        // Customer 0 and 1 share product 0; customer 2 buys elsewhere; customer 3 left long ago.
        let lines = [
            (0, 40, 0),
            (1, 40, 0),
            (1, 40, 1),
            (1, 40, 1), // the same order and product: one line
            (2, 40, 3),
            (3, -60, 0),
        ];
        let history = history(4, 4, &lines);
        let eligibility = Eligibility::new(4, &[vec![0, 1], vec![1], vec![], vec![2, 3]]).unwrap();
        let params = NeighbourParams {
            active_days: 60,
            min_type_customers: 1,
            ..NeighbourParams::default()
        };
        let asked = [3, 0, 1];
        let found = neighbour_features(&history, &eligibility, &[7, 9, 9, 4], 100, &asked, &params)
            .unwrap();
        // A line 60 days old lends a half; types 7 and 9 share one of two and one customers.
        let (lent, together) = (0.5, 0.5_f64.sqrt());
        check(&found, 1, 0, [together, 2.0 * lent, lent, 2.0 * lent, lent]);
        check(&found, 1, 1, [together, lent, lent, lent, lent]);
        check(&found, 1, 2, [0.0; 5]);
        check(&found, 1, 3, [0.0; 5]);
        // Customer 1 owns all that customer 0 could lend, and pairs both ways.
        check(&found, 2, 0, [2.0 * together, lent, 0.0, lent, 0.0]);
        check(&found, 2, 1, [together, 0.0, 0.0, 0.0, 0.0]);
        // Who left has neighbours, and lends to nobody: 0 is wholly like it, 1 in part.
        let rarity = |buyers: f64| (4.0 / (1.0 + buyers)).ln();
        let like = rarity(2.0) / rarity(2.0).hypot(rarity(1.0));
        let new = lent * like / (1.0 + like);
        check(&found, 0, 0, [together, lent + new, new, lent + new, new]);
        assert!(found.row(ALL[0], 3).is_empty() && found.get(ALL[1], 0, 4) == 0.0);
    }

    #[test]
    fn wrong_input_is_refused() {
        let (history, none) = (history(1, 2, &[]), Eligibility::new(2, &[vec![0]]).unwrap());
        let run = |types: &[u32], customers: &[u32], params: NeighbourParams| {
            neighbour_features(&history, &none, types, 0, customers, &params)
        };
        let params = NeighbourParams::default;
        assert!(run(&[0, 0], &[0, 0], params()).unwrap().values.iter().all(|value| *value == 0.0));
        assert_eq!(run(&[0], &[0], params()).unwrap_err().code(), "T0407");
        assert_eq!(run(&[0, 0], &[1], params()).unwrap_err().code(), "T0407");
        for wrong in [
            NeighbourParams { product_half_life_days: 0.0, ..params() },
            NeighbourParams { type_half_life_days: f64::NAN, ..params() },
            NeighbourParams { vector_power: -1.0, ..params() },
            NeighbourParams { min_type_cosine: 1.5, ..params() },
            NeighbourParams { lenders_max: 0, ..params() },
            NeighbourParams { type_share: 0.0, ..params() },
        ] {
            assert_eq!(run(&[0, 0], &[0], wrong).unwrap_err().code(), "T0405");
        }
    }

    #[test]
    fn of_many_some_lend_and_nobody_to_itself() {
        let mut draw = draws(7);
        let lines: Vec<(u32, i32, u32)> =
            (0..3000).map(|_| (draw(90), 150 + draw(50) as i32, draw(40))).collect();
        let types: Vec<u32> = (0..40).map(|product| product / 4).collect();
        let lists: Vec<Vec<u32>> = (0..9).map(|n| (0..n).map(|_| draw(40)).collect()).collect();
        let eligibility = Eligibility::new(40, &lists).unwrap();
        let whole = history(90, 40, &lines);
        let everyone: Vec<u32> = (0..90).collect();
        let params = NeighbourParams { neighbours: 6, ..NeighbourParams::default() };
        let found = |history: &Purchases, params: &NeighbourParams| {
            neighbour_features(history, &eligibility, &types, 200, &everyone, params).unwrap()
        };
        let all = found(&whole, &params);
        // Whoever is asked alone, or is somebody else, is the same customer.
        let apart: Vec<(u32, i32, u32)> = lines
            .iter()
            .filter(|line| line.0 % 3 == 1)
            .map(|line| (line.0 / 3, line.1, line.2))
            .collect();
        let apart = history(30, 40, &apart);
        let near = Neighbours::new(&whole, &eligibility, &types, 200, &params).unwrap();
        let known = near.features(&apart, &[4, 0], |customer| Some(3 * customer + 1)).unwrap();
        let strange = near.features(&apart, &[4, 0], |_| None).unwrap();
        for (position, customer) in [(0, 13), (1, 1)] {
            assert!(ALL.into_iter().all(|f| known.row(f, position) == all.row(f, customer)));
            assert!(ALL[1..].iter().any(|f| strange.row(*f, position) != all.row(*f, customer)));
        }
        // A bound that nobody is beyond changes nothing.
        let bound = |lenders_max: usize, type_share: f64| {
            found(&whole, &NeighbourParams { lenders_max, type_share, ..params.clone() })
        };
        assert!(bound(91, 0.5) == all && bound(90, 1.0) == all);
        assert!(bound(90, 0.5) != all);
        // Thirty of ninety are every third: what the others bought is not lent.
        let third: Vec<(u32, i32, u32)> = lines
            .iter()
            .filter(|line| line.0.is_multiple_of(3))
            .map(|line| (line.0 / 3, line.1, line.2))
            .collect();
        let third = history(30, 40, &third);
        let near = Neighbours::new(&third, &eligibility, &types, 200, &params).unwrap();
        let itself = |customer: u32| customer.is_multiple_of(3).then_some(customer / 3);
        let expect = near.features(&whole, &everyone, itself).unwrap();
        let sampled = bound(30, 1.0);
        for feature in &ALL[1..] {
            assert!((0..90).all(|at| sampled.row(*feature, at) == expect.row(*feature, at)));
        }
        assert!(sampled != all);
        let other = history(1, 41, &[]);
        assert_eq!(near.features(&other, &[0], Some).unwrap_err().code(), "T0407");
    }

    #[test]
    fn neither_the_future_nor_threads_nor_the_others_asked_matter() {
        let mut draw = draws(31);
        let mut lines: Vec<(u32, i32, u32)> =
            (0..1500).map(|_| (draw(50), draw(200) as i32, draw(40).min(draw(40)))).collect();
        let types: Vec<u32> = (0..40).map(|product| product / 4 * 11).collect();
        let lists: Vec<Vec<u32>> = (0..9).map(|n| (0..n).map(|_| draw(40)).collect()).collect();
        let eligibility = Eligibility::new(40, &lists).unwrap();
        let everyone: Vec<u32> = (0..50).collect();
        let params = NeighbourParams { neighbours: 6, ..NeighbourParams::default() };
        let run = |lines: &[(u32, i32, u32)], customers: &[u32]| {
            let history = history(50, 40, lines);
            neighbour_features(&history, &eligibility, &types, 200, customers, &params).unwrap()
        };
        let found = run(&lines, &everyone);
        assert!(ALL.into_iter().all(|feature| found.row(feature, 1).iter().any(|v| *v > 0.0)));
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert!(pool.install(|| run(&lines, &everyone)) == found, "{threads} threads");
        }
        let few = run(&lines, &[17, 3, 17]);
        for (position, customer) in [17, 3, 17].into_iter().enumerate() {
            assert!(ALL.into_iter().all(|f| few.row(f, position) == found.row(f, customer)));
        }
        lines.extend((0..300).map(|_| (draw(50), 200 + draw(30) as i32, draw(40))));
        assert!(run(&lines, &everyone) == found, "lines on and after the as-of day do not count");
    }
}
