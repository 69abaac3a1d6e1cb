//! How many pairs of customer and promotion does one core score in a second?
//!
//! Without arguments: a random ensemble of 300 trees × 31 leaves over 50 customer, 20 promotion and 30 cross
//! features, with a row per customer and group, and with rows of one group in ten. With a folder, as
//! `bench/scorer_vs_lightgbm.py` writes it: the model and rows in there, and the scores are written beside them.
//! A line says the case, the kernel, the pairs and the seconds of every repeat.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]
#![expect(clippy::unwrap_used, reason = "a folder that cannot be read ends the measurement")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::time::Instant;

use support::{Split, Tree};
use tercet_scoring::quickscorer::{Cross, Kernel, Place, Rows, Scorer, Side, SomeRows};

const TREES: usize = 300;
const LEAVES: usize = 31;
/// Features of the customer, the promotion and both.
const FEATURES: [usize; 3] = [50, 20, 30];
/// Groups of promotions that share cross features.
const CATEGORIES: usize = 20;
/// Every measurement is repeated so often.
const REPEATS: usize = 25;
/// Of so many groups one has a row, where not all have.
const APART: usize = 10;

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

/// A tree that splits a leaf drawn at random until it has enough.
fn random(draws: &mut Draws, features: usize) -> Tree {
    let splits: Vec<Split> = (1..LEAVES)
        .map(|leaves| {
            let (which, feature) = (draws.below(leaves), draws.below(features) as u32);
            (which, feature, draws.share(), draws.below(2) == 0, None)
        })
        .collect();
    Tree::grown(splits, |_| draws.share() - 0.5)
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
            trees: (0..TREES).map(|_| random(&mut draws, FEATURES.iter().sum())).collect(),
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
            level_sets: Vec::new(),
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
                let leaves = self.trees.iter().map(|tree| tree.leaf_value(|feature| row[feature]));
                sum += leaves.map(f64::from).sum::<f64>();
            }
        }
        sum
    }

    /// Measures every kernel and returns the fastest one's margins.
    fn measure(&self, name: &str, cross: Cross<'_>) -> Vec<f64> {
        let [own, of_promotion, _] = self.features;
        let views: Vec<_> = self.trees.iter().map(Tree::view).collect();
        let scorer = Scorer::new(&views, self.base, &self.places()).unwrap();
        let rows = |values, stride| Rows { values, stride };
        let mut margins = Vec::new();
        for kernel in Kernel::available() {
            let sums = repeated(name, kernel.name(), self.pairs(), || {
                let promotions = scorer
                    .promotions(kernel, rows(&self.promotion, of_promotion), &self.group_of)
                    .unwrap();
                let customers = rows(&self.customer, own);
                scorer.score(kernel, &promotions, self.customers, customers, cross).unwrap()
            });
            margins = sums.into_iter().map(|sum| scorer.margin(sum)).collect();
        }
        margins
    }

    /// All cross rows.
    fn full(&self) -> Cross<'_> {
        Rows { values: &self.cross, stride: self.features[2] }.into()
    }

    /// A customer's rows of one group in ten, the first of which all others share.
    fn measure_some(&self, name: &str) {
        let per = self.groups.div_ceil(APART);
        let starts: Vec<usize> = (0..=self.customers).map(|customer| customer * per).collect();
        let groups: Vec<u32> =
            (0..self.customers).flat_map(|_| (0..self.groups as u32).step_by(APART)).collect();
        let some = SomeRows {
            starts: &starts,
            groups: &groups,
            rows: Rows { values: &self.cross, stride: self.features[2] },
            otherwise: &self.cross,
        };
        self.measure(name, some.into());
    }
}

/// Does the work some times, says how long each took and returns what came out last.
fn repeated<T>(name: &str, kernel: &str, pairs: usize, mut work: impl FnMut() -> T) -> T {
    let mut timed = || {
        let clock = Instant::now();
        let result = work();
        (clock.elapsed().as_secs_f64(), result)
    };
    let (first, mut result) = timed();
    let mut seconds = vec![first];
    while seconds.len() < REPEATS {
        let again = timed();
        seconds.push(again.0);
        result = again.1;
    }
    let best = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    let all: Vec<String> = seconds.iter().map(f64::to_string).collect();
    println!("{name}\t{kernel}\t{pairs}\t{:.0}\t{}", pairs as f64 / best, all.join(","));
    result
}

fn main() {
    println!("case\tkernel\tpairs\tpairs/s of the best repeat\tseconds of every repeat");
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one.install(|| match std::env::args().nth(1) {
        Some(folder) => {
            let folder = Path::new(&folder);
            let case = Case::read(folder);
            let margins = case.measure("model", case.full());
            let bytes: Vec<u8> = margins.iter().flat_map(|margin| margin.to_le_bytes()).collect();
            std::fs::write(folder.join("margins.f64"), bytes).unwrap();
        }
        None => {
            for (customers, promotions) in [(320, 100), (64, 500)] {
                for groups in [CATEGORIES, promotions] {
                    let name = format!("{promotions} promotions, {groups} groups");
                    let case = Case::random(customers, promotions, groups);
                    let few = (2_000 / promotions).clamp(1, customers);
                    repeated(&name, "walk", few * promotions, || case.walk(few));
                    case.measure(&name, case.full());
                    if groups > CATEGORIES {
                        case.measure_some(&format!("{name}, rows of one in {APART}"));
                    }
                }
            }
        }
    });
}
