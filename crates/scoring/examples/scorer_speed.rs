//! How many pairs of customer and promotion does one core score in a second?
//!
//! Without arguments: a random ensemble of 300 trees × 31 leaves over 50 customer, 20 promotion and 30 cross
//! features. With a folder, as `bench/scorer_vs_lightgbm.py` writes it: the model and rows in there, and the
//! scores are written beside them.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]
#![expect(clippy::unwrap_used, reason = "a folder that cannot be read ends the measurement")]

use std::path::Path;
use std::time::Instant;

use tercet_scoring::quickscorer::{Kernel, Place, Rows, Scorer, Side, TreeView};

const TREES: usize = 300;
const LEAVES: usize = 31;
/// Features of the customer, the promotion and both.
const FEATURES: [usize; 3] = [50, 20, 30];
/// Groups of promotions that share cross features.
const CATEGORIES: usize = 20;
/// The best of this many repeats counts.
const REPEATS: usize = 25;

/// Numbers that look random.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 11
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Evenly in 0 to 1.
    fn share(&mut self) -> f32 {
        (self.next() % (1 << 24)) as f32 / (1 << 24) as f32
    }

    /// One in twenty is missing.
    fn values(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| if self.below(20) == 0 { f32::NAN } else { self.share() }).collect()
    }
}

#[derive(Default)]
struct Tree {
    feature: Vec<u32>,
    threshold: Vec<f32>,
    default_left: Vec<bool>,
    level_set: Vec<i32>,
    left: Vec<u32>,
    right: Vec<u32>,
    value: Vec<f32>,
}

impl Tree {
    fn random(draws: &mut Draws, features: usize) -> Self {
        let mut tree = Self::default();
        tree.push(0.0);
        let mut leaves = vec![0];
        while leaves.len() < LEAVES {
            let node = leaves.swap_remove(draws.below(leaves.len()));
            tree.feature[node] = draws.below(features) as u32;
            tree.threshold[node] = draws.share();
            tree.default_left[node] = draws.below(2) == 0;
            tree.left[node] = tree.push(draws.share() - 0.5);
            tree.right[node] = tree.push(draws.share() - 0.5);
            leaves.extend([tree.left[node] as usize, tree.right[node] as usize]);
        }
        tree
    }

    fn push(&mut self, value: f32) -> u32 {
        self.feature.push(0);
        self.threshold.push(0.0);
        self.default_left.push(false);
        self.level_set.push(-1);
        self.left.push(0);
        self.right.push(0);
        self.value.push(value);
        self.left.len() as u32 - 1
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
            level_sets: &[],
        }
    }

    fn walk(&self, row: &[f32]) -> f32 {
        let mut node = 0;
        while self.left[node] != 0 {
            let value = row[self.feature[node] as usize];
            let left = value < self.threshold[node] || (value.is_nan() && self.default_left[node]);
            node = if left { self.left[node] } else { self.right[node] } as usize;
        }
        self.value[node]
    }
}

struct Case {
    trees: Vec<Tree>,
    base: f64,
    features: [usize; 3],
    group_of: Vec<u32>,
    groups: usize,
    customers: usize,
    customer: Vec<f32>,
    promotion: Vec<f32>,
    cross: Vec<f32>,
}

impl Case {
    fn random(customers: usize, promotions: usize, groups: usize) -> Self {
        let mut draws = Draws(7);
        let [own, of_promotion, cross] = FEATURES;
        Self {
            trees: (0..TREES).map(|_| Tree::random(&mut draws, FEATURES.iter().sum())).collect(),
            base: 0.0,
            features: FEATURES,
            group_of: (0..promotions).map(|promotion| (promotion % groups) as u32).collect(),
            groups,
            customers,
            customer: draws.values(customers * own),
            promotion: draws.values(promotions * of_promotion),
            cross: draws.values(customers * groups * cross),
        }
    }

    /// Reads `model.json`, `customers.f32`, `promotions.f32` and `cross.f32`.
    fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("model.json")).unwrap();
        let model: serde_json::Value = serde_json::from_str(&text).unwrap();
        let numbers = |value: &serde_json::Value| -> Vec<f64> {
            let number = |v: &serde_json::Value| v.as_f64().unwrap();
            value.as_array().unwrap().iter().map(number).collect()
        };
        let counts = |value| -> Vec<u32> { numbers(value).into_iter().map(|n| n as u32).collect() };
        let floats = |value| -> Vec<f32> { numbers(value).into_iter().map(|n| n as f32).collect() };
        let trees = model["trees"].as_array().unwrap().iter().map(|tree| Tree {
            feature: counts(&tree["feature"]),
            threshold: floats(&tree["threshold"]),
            default_left: counts(&tree["default_left"]).into_iter().map(|flag| flag == 1).collect(),
            level_set: vec![-1; tree["left"].as_array().unwrap().len()],
            left: counts(&tree["left"]),
            right: counts(&tree["right"]),
            value: floats(&tree["value"]),
        });
        let matrix = |name: &str| -> Vec<f32> {
            let bytes = std::fs::read(folder.join(name)).unwrap();
            bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
        };
        let features = counts(&model["features"]);
        let group_of = counts(&model["group_of"]);
        Self {
            trees: trees.collect(),
            base: model["base"].as_f64().unwrap(),
            features: [0, 1, 2].map(|side| features[side] as usize),
            groups: group_of.iter().max().map_or(0, |most| *most as usize + 1),
            group_of,
            customers: model["customers"].as_f64().unwrap() as usize,
            customer: matrix("customers.f32"),
            promotion: matrix("promotions.f32"),
            cross: matrix("cross.f32"),
        }
    }

    fn places(&self) -> Vec<Place> {
        let sides = [Side::Customer, Side::Promotion, Side::Cross];
        let columns = sides.into_iter().zip(self.features);
        columns
            .flat_map(|(side, count)| (0..count).map(move |column| Place { side, column }))
            .collect()
    }

    fn pairs(&self) -> usize {
        self.customers * self.group_of.len()
    }

    /// Node after node, the pair's row put together first.
    fn walk(&self, customers: usize) -> f64 {
        let [own, of_promotion, cross] = self.features;
        let mut row = vec![0.0; own + of_promotion + cross];
        let mut sum = 0.0;
        for customer in 0..customers {
            row[..own].copy_from_slice(&self.customer[customer * own..][..own]);
            for (promotion, group) in self.group_of.iter().enumerate() {
                let at = customer * self.groups + *group as usize;
                row[own..own + of_promotion]
                    .copy_from_slice(&self.promotion[promotion * of_promotion..][..of_promotion]);
                row[own + of_promotion..].copy_from_slice(&self.cross[at * cross..][..cross]);
                sum += self.trees.iter().map(|tree| f64::from(tree.walk(&row))).sum::<f64>();
            }
        }
        sum
    }

    /// Prints pairs a second of every kernel and returns the fastest one's margins.
    fn measure(&self, name: &str) -> Vec<f64> {
        let [own, of_promotion, cross] = self.features;
        let views: Vec<TreeView<'_>> = self.trees.iter().map(Tree::view).collect();
        let scorer = Scorer::new(&views, self.base, &self.places()).unwrap();
        let rows = |values, stride| Rows { values, stride };
        let few = (2_000 / self.group_of.len()).clamp(1, self.customers);
        let (seconds, _) = best(|| self.walk(few));
        print_rate(name, "walk", few * self.group_of.len(), seconds);
        let mut margins = Vec::new();
        for kernel in Kernel::available() {
            let (seconds, sums) = best(|| {
                let promotions = scorer
                    .promotions(kernel, rows(&self.promotion, of_promotion), &self.group_of)
                    .unwrap();
                let customers = rows(&self.customer, own);
                let cross = rows(&self.cross, cross);
                scorer.score(kernel, &promotions, self.customers, customers, cross).unwrap()
            });
            print_rate(name, kernel.name(), self.pairs(), seconds);
            margins = sums.into_iter().map(|sum| scorer.margin(sum)).collect();
        }
        margins
    }
}

/// The shortest of some repeats, in seconds.
fn best<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let mut timed = || {
        let clock = Instant::now();
        let result = work();
        (clock.elapsed().as_secs_f64(), result)
    };
    let mut shortest = timed();
    for _ in 1..REPEATS {
        let again = timed();
        if again.0 < shortest.0 {
            shortest = again;
        }
    }
    shortest
}

fn print_rate(name: &str, kernel: &str, pairs: usize, seconds: f64) {
    println!("{name}\t{kernel}\t{:.0}\tpairs/s", pairs as f64 / seconds);
}

fn main() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one.install(|| match std::env::args().nth(1) {
        Some(folder) => {
            let folder = Path::new(&folder);
            let margins = Case::read(folder).measure("model");
            let bytes: Vec<u8> = margins.iter().flat_map(|margin| margin.to_le_bytes()).collect();
            std::fs::write(folder.join("margins.f64"), bytes).unwrap();
        }
        None => {
            for (customers, promotions) in [(320, 100), (64, 500)] {
                for groups in [CATEGORIES, promotions] {
                    let name = format!("{promotions} promotions, {groups} groups");
                    Case::random(customers, promotions, groups).measure(&name);
                }
            }
        }
    });
}
