//! Does the bitmask scorer find the leaf that a walk finds, with every kernel?
#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use proptest::prelude::*;
use tercet_scoring::quickscorer::{Kernel, Place, Rows, Scorer, Side, TreeView};

/// A tree that owns its nodes.
#[derive(Clone, Debug, Default)]
struct Tree {
    feature: Vec<u32>,
    threshold: Vec<f32>,
    default_left: Vec<bool>,
    level_set: Vec<i32>,
    left: Vec<u32>,
    right: Vec<u32>,
    value: Vec<f32>,
    level_sets: Vec<Vec<u32>>,
}

/// What a split is made of: which leaf is split, feature, threshold, default, levels.
type Split = (usize, u32, f32, bool, Option<u32>);

impl Tree {
    /// Splits one leaf after the other; `value(leaf)` is asked in order of creation.
    fn grown(splits: &[Split], value: impl Fn(usize) -> f32) -> Self {
        let mut tree = Self::default();
        tree.push_leaf();
        let mut leaves = vec![0];
        for (which, feature, threshold, default_left, levels) in splits {
            let node = leaves.swap_remove(which % leaves.len());
            tree.feature[node] = *feature;
            tree.threshold[node] = *threshold;
            tree.default_left[node] = *default_left;
            if let Some(levels) = levels {
                tree.level_set[node] = tree.level_sets.len() as i32;
                tree.level_sets.push(vec![*levels]);
            }
            // The right child may stand before the left one.
            let (one, other) = (tree.push_leaf(), tree.push_leaf());
            let (left, right) = if *default_left { (one, other) } else { (other, one) };
            (tree.left[node], tree.right[node]) = (left as u32, right as u32);
            leaves.extend([left, right]);
        }
        for (number, leaf) in leaves.into_iter().enumerate() {
            tree.value[leaf] = value(number);
        }
        tree
    }

    fn push_leaf(&mut self) -> usize {
        self.feature.push(0);
        self.threshold.push(0.0);
        self.default_left.push(false);
        self.level_set.push(-1);
        self.left.push(0);
        self.right.push(0);
        self.value.push(0.0);
        self.left.len() - 1
    }

    fn view(&self) -> TreeView<'_> {
        TreeView {
            feature: &self.feature,
            threshold: &self.threshold,
            default_left: &self.default_left,
            level_set: &self.level_set,
            left: &self.left,
            right: &self.right,
            value: &self.value,
            level_sets: &self.level_sets,
        }
    }

    /// Written apart from the scorer's own walk.
    fn leaf_value(&self, row: &dyn Fn(usize) -> f32) -> f32 {
        let mut node = 0_usize;
        loop {
            if self.left[node] == 0 {
                return self.value[node];
            }
            let value = row(self.feature[node] as usize);
            let goes_left = if value.is_nan() {
                self.default_left[node]
            } else if self.level_set[node] >= 0 {
                let level = value.max(0.0).min(u32::MAX as f32) as u64;
                level < 32 && self.level_sets[self.level_set[node] as usize][0] >> level & 1 == 1
            } else {
                value < self.threshold[node]
            };
            node = if goes_left { self.left[node] as usize } else { self.right[node] as usize };
        }
    }
}

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
            .map(|(splits, seed)| Tree::grown(splits, |number| leaf(*seed, number)))
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
}

impl Shop {
    /// The column of a feature on every side is its number; a stride leaves room behind.
    const STRIDE: usize = FEATURES as usize + 2;

    fn places(&self) -> Vec<Place> {
        self.sides.iter().enumerate().map(|(column, side)| Place { side: *side, column }).collect()
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
    )
        .prop_map(|(sides, customers, group_of, numbers)| Shop {
            sides,
            customers,
            group_of,
            numbers,
        })
}

/// All kernels give the same sums, within `error_max` of the walk.
fn check(trees: &[Tree], shop: &Shop) -> Result<(), TestCaseError> {
    let views: Vec<TreeView<'_>> = trees.iter().map(Tree::view).collect();
    let scorer = Scorer::new(&views, 0.25, &shop.places()).unwrap();
    let (customers, promotions, cross) = (
        shop.rows(shop.customers, 1),
        shop.rows(shop.group_of.len(), 2),
        shop.rows(shop.customers * shop.groups(), 3),
    );
    let rows = |values| Rows { values, stride: Shop::STRIDE };
    let mut first: Option<Vec<i32>> = None;
    for kernel in Kernel::available() {
        let made = scorer.promotions(kernel, rows(&promotions), &shop.group_of).unwrap();
        let sums =
            scorer.score(kernel, &made, shop.customers, rows(&customers), rows(&cross)).unwrap();
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
            trees.iter().map(|tree| f64::from(tree.leaf_value(&row))).sum::<f64>() + 0.25;
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
        let tree = Tree::grown(&splits, |number| number as f32);
        let scorer = Scorer::new(&[tree.view()], 0.0, &shop.places()).unwrap();
        prop_assert_eq!(scorer.walked(), usize::from(splits.len() >= 256));
        // Whole numbers below 2^21 are exact at this scale.
        prop_assert_eq!(scorer.margin(0), 0.0);
        prop_assert!(scorer.error_max() < 0.5);
        check(&[tree], &shop)?;
    }
}

#[test]
fn what_cannot_be_scored_is_refused() {
    let split = |feature| Tree::grown(&[(0, feature, 0.0, true, None)], |number| number as f32);
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
}

#[test]
fn every_machine_has_a_kernel() {
    let names: Vec<&str> = Kernel::available().into_iter().map(Kernel::name).collect();
    assert_eq!(names[0], "portable");
    assert_eq!(names.last(), Some(&Kernel::best().name()));
}
