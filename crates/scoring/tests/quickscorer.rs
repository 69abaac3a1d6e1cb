//! Does the bitmask scorer find the leaf that a walk finds, with every kernel?
#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod support;

use proptest::prelude::*;
use support::Tree;
use tercet_scoring::quickscorer::{Cross, Kernel, Place, Rows, Scorer, Side, SomeRows};

/// Few numbers, so that values equal thresholds often, and all odd ones.
const NUMBERS: [f32; 12] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    3.0,
    1e-40,
    f32::MAX,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

fn value() -> impl Strategy<Value = f32> {
    prop_oneof![3 => prop::sample::select(&NUMBERS[..]), 2 => -2.0_f32..3.0]
}

fn threshold() -> impl Strategy<Value = f32> {
    prop_oneof![3 => prop::sample::select(&NUMBERS[..9]), 2 => -2.0_f32..3.0]
}

const FEATURES: u32 = 7;

/// Trees of up to `splits_max + 1` leaves; one in `categorical` splits has levels, 0 for none.
fn trees(count: usize, splits_max: usize, categorical: bool) -> impl Strategy<Value = Vec<Tree>> {
    let levels = if categorical {
        prop::option::weighted(0.1, any::<u32>()).boxed()
    } else {
        Just(None).boxed()
    };
    let split = (any::<usize>(), 0..FEATURES, threshold(), any::<bool>(), levels);
    let tree = (prop::collection::vec(split, 0..=splits_max), any::<u32>());
    prop::collection::vec(tree, 0..=count).prop_map(|trees| {
        let leaf = |seed: u32, number: usize| {
            let mixed = (seed ^ number as u32).wrapping_mul(0x9E37_79B9) >> 8;
            mixed as f32 / f32::from(1_u16 << 12) - 1000.0
        };
        trees
            .iter()
            .map(|(splits, seed)| Tree::grown(splits.iter().copied(), |number| leaf(*seed, number)))
            .collect()
    })
}

/// Features over sides, and what stands in them.
#[derive(Clone, Debug)]
struct Shop {
    sides: Vec<Side>,
    customers: usize,
    group_of: Vec<u32>,
    numbers: Vec<f32>,
    /// Of so many groups of a customer one has a row of its own.
    apart: usize,
}

impl Shop {
    /// The column of a feature on every side is its number; a stride leaves room behind.
    const STRIDE: usize = FEATURES as usize + 2;

    fn places(&self) -> Vec<Place> {
        self.sides.iter().enumerate().map(|(column, side)| Place { side: *side, column }).collect()
    }

    /// Cross rows of some groups, and the same written out: groups without a row get `otherwise`.
    fn some_rows(&self, otherwise: &[f32]) -> (Vec<usize>, Vec<u32>, Vec<f32>, Vec<f32>) {
        let (mut starts, mut groups, mut full) = (vec![0], Vec::new(), Vec::new());
        let mut rows = Vec::new();
        let drawn = self.rows(self.customers * self.groups(), 3);
        for customer in 0..self.customers {
            for group in 0..self.groups() {
                let at = customer * self.groups() + group;
                let row = &drawn[at * Self::STRIDE..(at + 1) * Self::STRIDE];
                if (at.wrapping_mul(2_654_435_761) >> 9).is_multiple_of(self.apart) {
                    groups.push(group as u32);
                    rows.extend_from_slice(row);
                    full.extend_from_slice(row);
                } else {
                    full.extend_from_slice(otherwise);
                }
            }
            starts.push(groups.len());
        }
        (starts, groups, rows, full)
    }

    fn groups(&self) -> usize {
        self.group_of.iter().max().map_or(0, |most| *most as usize + 1)
    }

    /// `rows` rows drawn from the numbers.
    fn rows(&self, rows: usize, salt: usize) -> Vec<f32> {
        let draw = |at: usize| (at + salt).wrapping_mul(2_654_435_761) >> 7;
        (0..rows * Self::STRIDE).map(|at| self.numbers[draw(at) % self.numbers.len()]).collect()
    }
}

fn shops(promotions_max: usize, groups_max: u32) -> impl Strategy<Value = Shop> {
    let side = prop::sample::select(vec![Side::Customer, Side::Promotion, Side::Cross]);
    let group_of = prop_oneof![
        prop::collection::vec(0..groups_max, 0..=promotions_max),
        (0..=promotions_max as u32).prop_map(|count| (0..count).rev().collect()),
    ];
    (
        prop::collection::vec(side, FEATURES as usize),
        0_usize..70,
        group_of,
        prop::collection::vec(value(), 40),
        prop::sample::select(vec![1_usize, 2, 12]),
    )
        .prop_map(|(sides, customers, group_of, numbers, apart)| Shop {
            sides,
            customers,
            group_of,
            numbers,
            apart,
        })
}

/// All kernels give the same sums, within `error_max` of the walk.
fn check(trees: &[Tree], shop: &Shop) -> Result<(), TestCaseError> {
    let views: Vec<_> = trees.iter().map(Tree::view).collect();
    let scorer = Scorer::new(&views, 0.25, &shop.places()).unwrap();
    let (customers, promotions, otherwise) =
        (shop.rows(shop.customers, 1), shop.rows(shop.group_of.len(), 2), shop.rows(1, 4));
    let (starts, groups, some, cross) = shop.some_rows(&otherwise);
    let rows = |values| Rows { values, stride: Shop::STRIDE };
    let mut first: Option<Vec<i32>> = None;
    for kernel in Kernel::available() {
        let made = scorer.promotions(kernel, rows(&promotions), &shop.group_of).unwrap();
        let some =
            SomeRows { starts: &starts, groups: &groups, rows: rows(&some), otherwise: &otherwise };
        let score = |cross: Cross<'_>| {
            scorer.score(kernel, &made, shop.customers, rows(&customers), cross).unwrap()
        };
        let sums = score(rows(&cross).into());
        prop_assert!(sums == score(some.into()), "{}: some rows and all differ", kernel.name());
        prop_assert_eq!(sums.len(), shop.customers * shop.group_of.len());
        match &first {
            None => first = Some(sums),
            Some(first) => prop_assert!(*first == sums, "{} differs", kernel.name()),
        }
    }
    let most: f64 = trees
        .iter()
        .map(|tree| f64::from(tree.value.iter().fold(0.0_f32, |most, value| most.max(value.abs()))))
        .sum();
    prop_assert!(scorer.error_max() <= 1e-6 * most + 1e-30);
    for (place, sum) in first.unwrap().into_iter().enumerate() {
        let (customer, promotion) = (place / shop.group_of.len(), place % shop.group_of.len());
        let group = shop.group_of[promotion] as usize;
        let row = |feature: usize| match shop.sides[feature] {
            Side::Customer => customers[customer * Shop::STRIDE + feature],
            Side::Promotion => promotions[promotion * Shop::STRIDE + feature],
            Side::Cross => cross[(customer * shop.groups() + group) * Shop::STRIDE + feature],
        };
        let walked: f64 =
            trees.iter().map(|tree| f64::from(tree.leaf_value(row))).sum::<f64>() + 0.25;
        let error = (scorer.margin(sum) - walked).abs();
        prop_assert!(error <= scorer.error_max() * (1.0 + 1e-9) + 1e-9 * most, "{error} {walked}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn small_trees(trees in trees(20, 31, false), shop in shops(70, 9)) {
        check(&trees, &shop)?;
    }

    #[test]
    fn trees_of_several_masks(trees in trees(5, 140, false), shop in shops(40, 40)) {
        check(&trees, &shop)?;
    }

    #[test]
    fn sets_of_levels_are_walked(trees in trees(6, 20, true), shop in shops(20, 5)) {
        check(&trees, &shop)?;
    }

    /// One tree whose leaves are numbered: the sum says which leaf it was, exactly.
    #[test]
    fn the_same_leaf(
        splits in prop::collection::vec(
            (any::<usize>(), 0..FEATURES, threshold(), any::<bool>(), Just(None)),
            0..300,
        ),
        shop in shops(30, 12),
    ) {
        let count = splits.len();
        let tree = Tree::grown(splits, |number| number as f32);
        let scorer = Scorer::new(&[tree.view()], 0.0, &shop.places()).unwrap();
        prop_assert_eq!(scorer.walked(), usize::from(count >= 256));
        // Whole numbers below 2^21 are exact at this scale.
        prop_assert_eq!(scorer.margin(0), 0.0);
        prop_assert!(scorer.error_max() < 0.5);
        check(&[tree], &shop)?;
    }
}

#[test]
fn what_cannot_be_scored_is_refused() {
    let split = |feature| Tree::grown([(0, feature, 0.0, true, None)], |number| number as f32);
    let places = [Place { side: Side::Cross, column: 4 }];
    let check = |tree: &Tree, expect: &str| {
        let error = Scorer::new(&[tree.view()], 0.0, &places).unwrap_err();
        assert_eq!(error.code(), "T0505");
        assert_eq!(error.to_string(), format!("model: tree 0: {expect}"));
    };
    check(&split(3), "node 0 tests feature 3 of 1");
    check(&Tree::default(), "its node arrays have different lengths, or none (0)");
    let mut loops = split(0);
    loops.left[0] = 0;
    check(&loops, "node 0 has the children 0 and 2 of 3");
    let mut shared = split(0);
    shared.right[0] = 1;
    check(&shared, "node 0 has the children 1 and 1 of 3");
    let mut nameless = split(0);
    nameless.level_set[0] = 0;
    check(&nameless, "node 0 names a level set that is not there");
    let mut blank = split(0);
    blank.threshold[0] = f32::NAN;
    check(&blank, "node 0 has no threshold");
    let mut endless = split(0);
    endless.value[1] = f32::INFINITY;
    check(&endless, "leaf 1 is not finite");

    let tree = split(0);
    let scorer = Scorer::new(&[tree.view()], 0.0, &places).unwrap();
    let kernel = Kernel::best();
    let none = Rows { values: &[], stride: 0 };
    let promotions = scorer.promotions(kernel, none, &[0, 1]).unwrap();
    let cross = [1.0; 9];
    let rows = Rows { values: &cross[..], stride: 5 };
    let error = scorer.score(kernel, &promotions, 1, none, rows).unwrap_err();
    assert_eq!(error.code(), "T0506");
    assert_eq!(
        error.to_string(),
        "9 values with a stride of 5 are not 2 rows of 5 columns (Cross)"
    );
    let rows = Rows { values: &cross[..], stride: 4 };
    assert_eq!(scorer.score(kernel, &promotions, 1, none, rows).unwrap().len(), 2);
    let check = |starts: &[usize], groups: &[u32], otherwise: &[f32], fits: bool| {
        let some = SomeRows { starts, groups, rows, otherwise };
        let found = scorer.score(kernel, &promotions, 1, none, some);
        assert_eq!(found.is_ok(), fits, "{starts:?} {groups:?}");
        assert!(found.is_ok() || found.is_err_and(|error| error.code() == "T0506"));
    };
    let otherwise = [0.5; 5];
    check(&[0, 2], &[0, 1], &otherwise, true);
    check(&[0, 0], &[], &otherwise, true);
    // A group without a promotion is nobody's.
    check(&[0, 2], &[0, 7], &otherwise, true);
    check(&[0, 2], &[1, 0], &otherwise, false);
    check(&[0, 2], &[0], &otherwise, false);
    check(&[0], &[], &otherwise, false);
    check(&[1, 2], &[0, 1], &otherwise, false);
    check(&[0, 2], &[0, 1], &otherwise[..4], false);
}

#[test]
fn every_machine_has_a_kernel() {
    let names: Vec<&str> = Kernel::available().into_iter().map(Kernel::name).collect();
    assert_eq!(names[0], "portable");
    assert_eq!(names.last(), Some(&Kernel::best().name()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Few leaves, so that many sums are equal.
    #[test]
    fn the_best_are_those_of_a_full_sort(
        trees in trees(3, 3, false),
        shop in shops(40, 9),
        slots in 1_usize..4,
        most in 0_usize..7,
        salt in any::<u32>(),
    ) {
        let views: Vec<_> = trees.iter().map(Tree::view).collect();
        let scorer = Scorer::new(&views, 0.0, &shop.places()).unwrap();
        let (customers, promotions) = (shop.rows(shop.customers, 1), shop.rows(shop.group_of.len(), 2));
        let cross = shop.rows(shop.customers * shop.groups(), 3);
        let rows = |values| Rows { values, stride: Shop::STRIDE };
        let open = |customer: usize, promotion: usize| {
            ((customer as u32 ^ salt).wrapping_mul(0x9E37_79B9) >> (promotion % 24)) as u8
        };
        let kernel = Kernel::best();
        let made = scorer.promotions(kernel, rows(&promotions), &shop.group_of).unwrap();
        let customer_rows = (shop.customers, rows(&customers));
        let lists =
            scorer.best(kernel, &made, customer_rows, rows(&cross), (slots, most), open).unwrap();
        let sums =
            scorer.score(kernel, &made, shop.customers, rows(&customers), rows(&cross)).unwrap();
        for customer in 0..shop.customers {
            for slot in 0..slots {
                let count = shop.group_of.len();
                let mut all: Vec<(i32, usize)> = (0..count)
                    .filter(|promotion| open(customer, *promotion) >> slot & 1 == 1)
                    .map(|promotion| (sums[customer * count + promotion], promotion))
                    .collect();
                all.sort_by_key(|(sum, promotion)| (std::cmp::Reverse(*sum), *promotion));
                all.truncate(most);
                let found = lists.of(customer, slot).iter();
                let found: Vec<_> = found.map(|e| (e.sum, e.promotion as usize)).collect();
                prop_assert_eq!(found, all);
            }
        }
        prop_assert!(scorer.best(kernel, &made, customer_rows, rows(&cross), (9, 1), open).is_err());
    }
}
