//! What does a day say of everybody's purchases: how much those before still count, and which products matter?

use tercet_engine::Frame;
use tercet_types::{Date, Result};

/// A product's place in the hierarchy.
#[derive(Clone, Copy, Default)]
pub(crate) struct Codes {
    pub(crate) of_type: u32,
    pub(crate) category: u32,
    pub(crate) maker: u32,
    pub(crate) maker_type: u32,
}

/// A type that promotions cover some of.
#[derive(Clone, Copy)]
pub(crate) struct KnownType {
    /// Days after which customers usually buy it again, where any did.
    pub(crate) interval_days: Option<f64>,
}

/// What a day says of all customers' purchases: how much those before still count, and which products matter.
pub(crate) struct AsOf {
    pub(crate) as_of: i32,
    /// Millionths by age in days: decayed by 14, 60, 90, 120 and 180 days.
    pub(crate) weights: Vec<[i64; 5]>,
    /// By product: whether a promotion covers it.
    pub(crate) is_covered: Vec<bool>,
    pub(crate) codes: Vec<Option<Codes>>,
    /// By type: those that promotions cover some of.
    pub(crate) types: Vec<Option<KnownType>>,
    pub(crate) maker_types: usize,
}

impl AsOf {
    /// From `pair/day_weights.sql`, `pair/scope_products.sql`, `index/product_codes.sql`, `pair/promotion_levels.sql`
    /// and `pair/type_medians.sql`.
    ///
    /// # Errors
    /// The engine's own, for a column that is not there.
    pub(crate) fn new(
        as_of: Date,
        weights: &Frame,
        covered: &Frame,
        codes: &Frame,
        levels: &Frame,
        medians: &Frame,
    ) -> Result<Self> {
        let ages = weights.i32("age_days")?;
        let micro = ["w14_micro", "w60_micro", "w90_micro", "w120_micro", "w180_micro"];
        let mut by_age = vec![[0; 5]; ages.iter().max().map_or(0, |last| *last as usize + 1)];
        for (place, column) in micro.into_iter().enumerate() {
            for (age, weight) in ages.iter().zip(weights.i64(column)?) {
                by_age[*age as usize][place] = weight;
            }
        }
        let products = codes.i32("product_ix")?;
        let count = products.iter().max().map_or(0, |last| *last as usize + 1);
        let mut is_covered = vec![false; count];
        for product in covered.i32("product_ix")? {
            is_covered[product as usize] = true;
        }
        let (types, categories) = (codes.i32("type_ix")?, codes.i32("category_ix")?);
        let (makers, maker_types) = (codes.i32("maker_ix")?, codes.i32("maker_type_ix")?);
        let mut by_product = vec![None; count];
        for (row, product) in products.into_iter().enumerate() {
            by_product[product as usize] = Some(Codes {
                of_type: types[row] as u32,
                category: categories[row] as u32,
                maker: makers[row] as u32,
                maker_type: maker_types[row] as u32,
            });
        }
        let most = |list: &[i32]| list.iter().max().map_or(0, |last| *last as usize + 1);
        let mut known = vec![None; most(&types)];
        for key in levels.i32("level_key")? {
            if let (number, TYPE) = (key as usize / LEVELS, key as usize % LEVELS) {
                known[number] = Some(KnownType { interval_days: None });
            }
        }
        for (number, days) in medians.i32("type_ix")?.into_iter().zip(medians.f64("interval_days")?)
        {
            known[number as usize] = Some(KnownType { interval_days: Some(days) });
        }
        Ok(Self {
            as_of: as_of.days(),
            weights: by_age,
            is_covered,
            codes: by_product,
            types: known,
            maker_types: most(&maker_types),
        })
    }

    /// The keys of levels are below this.
    pub(crate) fn level_keys(&self) -> usize {
        let of = |codes: &Codes| {
            codes.of_type.max(codes.category).max(codes.maker).max(codes.maker_type)
        };
        self.codes.iter().flatten().map(of).max().map_or(0, |most| (most as usize + 1) * LEVELS)
    }
}

/// Levels in a level key, which is `4 * number + level`.
pub(crate) const LEVELS: usize = 4;
pub(crate) const TYPE: usize = 0;
pub(crate) const CATEGORY: usize = 1;
pub(crate) const MAKER: usize = 2;
pub(crate) const MAKER_TYPE: usize = 3;

/// The key of a level.
pub(crate) fn key(number: u32, level: usize) -> u32 {
    number * LEVELS as u32 + level as u32
}
