//! What is known of a week's customers with its promotions, some customers at a time?

use std::sync::{Arc, OnceLock};

use tercet_engine::Engine;
use tercet_features::{
    CROSS_FEATURES, MODEL_FEATURES, Offered, PAIR_FEATURES, PairBlock, PairPart, PairSource,
};
use tercet_models::{
    DUE_FEATURES, Due, Eligibility, NeighbourFeature, NeighbourParams, Neighbours,
};
use tercet_types::{Date, Error, Result};

use super::shop::Shop;
use super::week::Week;
use crate::config::Config;

/// Customers of a block.
pub(super) const BLOCK: usize = 4096;

/// Customers whose purchases are read at a time: some blocks.
const PART: usize = 32 * BLOCK;

/// Blocks are kept for the stages that ask again when they hold no more cross features than this: half a gigabyte.
/// Those of a larger shop are made again.
const KEPT_MAX: usize = 1 << 27;

/// The features of customers with promotions as of a Monday, those of models with them.
///
/// Every pass hands out the same blocks in the same order. Memory is that of one part and one block, beside
/// what is kept.
pub(crate) struct WeekPairs<'a> {
    engine: &'a Engine,
    shop: &'a Shop,
    made: Arc<Made>,
    asked: Arc<Asked>,
    lenders: Option<Lenders<'a>>,
}

/// What a week's passes share: what hangs on the promotions.
pub(crate) struct Made {
    as_of: Date,
    source: PairSource,
    /// The products of each cross group.
    eligibility: Eligibility,
}

/// The customers of the passes, and what is kept of them.
pub(crate) struct Asked {
    customers: Vec<i32>,
    kept: OnceLock<Vec<PairBlock>>,
}

/// What some customers tell of others: what those alike buy, and the rhythm of products.
pub(super) struct Others<'a> {
    neighbours: Neighbours<'a>,
    due: Due<'a>,
}

/// Those who tell, when they are not all of the shop.
#[derive(Clone, Copy)]
pub(super) struct Lenders<'a> {
    /// What they tell.
    pub(super) others: &'a Others<'a>,
    /// The number of the shop's first customer among them, when its customers are there.
    pub(super) first: Option<i32>,
}

impl Made {
    /// For promotions, by what is registered of customers.
    pub(super) fn new(
        engine: &Engine,
        shop: &Shop,
        week: &Week,
        config: &Config,
        promotions: &[i32],
    ) -> Result<Self> {
        let source = PairSource::new(engine, week.as_of, &config.features, promotions)?;
        let products = &source.offered().group_products;
        let eligibility = Eligibility::new(shop.indexes.product_ids.len(), products)?;
        Ok(Self { as_of: week.as_of, source, eligibility })
    }

    /// The promotions and what hangs on them alone.
    pub(super) fn offered(&self) -> &Offered {
        self.source.offered()
    }

    /// What the customers of a shop tell of others.
    pub(super) fn others<'b>(&'b self, shop: &'b Shop) -> Result<Others<'b>> {
        let (history, types, day) = (&shop.history, &shop.product_types, self.as_of.days());
        let (eligibility, params) = (&self.eligibility, NeighbourParams::default());
        Ok(Others {
            neighbours: Neighbours::new(history, eligibility, types, day, &params)?,
            due: Due::new(history, eligibility, day)?,
        })
    }
}

impl Asked {
    /// The given customers.
    pub(super) fn new(mut customers: Vec<i32>) -> Self {
        customers.sort_unstable();
        customers.dedup();
        Self { customers, kept: OnceLock::new() }
    }
}

/// The pairs of the given customers with the given promotions, as of the week's Monday.
pub(crate) fn week_pairs<'a>(
    engine: &'a Engine,
    shop: &'a Shop,
    week: &Week,
    config: &Config,
    customers: &[i32],
    promotions: &[i32],
) -> Result<WeekPairs<'a>> {
    let made = Arc::new(Made::new(engine, shop, week, config, promotions)?);
    let asked = Arc::new(Asked::new(customers.to_vec()));
    Ok(WeekPairs { engine, shop, made, asked, lenders: None })
}

impl<'a> WeekPairs<'a> {
    /// The pairs of customers of a shop, who are registered, with what was made before.
    pub(super) fn of(
        engine: &'a Engine,
        shop: &'a Shop,
        made: &Arc<Made>,
        asked: &Arc<Asked>,
        lenders: Option<Lenders<'a>>,
    ) -> Self {
        Self { engine, shop, made: Arc::clone(made), asked: Arc::clone(asked), lenders }
    }

    /// Where the customers are registered.
    pub(super) const fn engine(&self) -> &Engine {
        self.engine
    }

    /// The customers, ascending.
    pub(crate) fn customers(&self) -> &[i32] {
        &self.asked.customers
    }

    /// The ids of the shop's customers.
    pub(super) fn customer_ids(&self) -> &[String] {
        &self.shop.indexes.customer_ids
    }

    /// The promotions and what hangs on them alone.
    pub(crate) fn offered(&self) -> &Offered {
        self.made.offered()
    }

    /// Hands out all customers, block by block, ascending.
    pub(crate) fn each(&self, each: impl FnMut(&PairBlock) -> Result<()>) -> Result<()> {
        let size = self.customers().len().saturating_mul(self.offered().groups() * CROSS_FEATURES);
        if size > KEPT_MAX {
            return self.made_anew(self.customers(), each);
        }
        if self.asked.kept.get().is_none() {
            let mut blocks = Vec::new();
            self.made_anew(self.customers(), |block| {
                blocks.push(block.clone());
                Ok(())
            })?;
            self.asked.kept.get_or_init(|| blocks);
        }
        self.asked.kept.get().into_iter().flatten().try_for_each(each)
    }

    /// A block of customers evenly spaced among all; none without customers.
    pub(super) fn sample(&self) -> Result<Option<PairBlock>> {
        let (all, mut sample) = (self.customers(), None);
        let keep = |block: &PairBlock| {
            sample = Some(block.clone());
            Ok(())
        };
        if all.len() <= BLOCK {
            self.each(keep)?;
        } else {
            let some: Vec<i32> = (0..BLOCK).map(|at| all[at * all.len() / BLOCK]).collect();
            self.made_anew(&some, keep)?;
        }
        Ok(sample)
    }

    fn made_anew(
        &self,
        customers: &[i32],
        mut each: impl FnMut(&PairBlock) -> Result<()>,
    ) -> Result<()> {
        let own;
        let lenders = match self.lenders {
            Some(lenders) => lenders,
            None => {
                own = self.made.others(self.shop)?;
                Lenders { others: &own, first: Some(0) }
            }
        };
        let models = Columns::new(self.shop, lenders)?;
        for customers in customers.chunks(PART) {
            let part = self.made.source.part(self.engine, customers)?;
            for first in (0..customers.len()).step_by(BLOCK) {
                each(&models.block(&part, first, (first + BLOCK).min(customers.len()))?)?;
            }
        }
        Ok(())
    }
}

/// Which model says a feature.
#[derive(Clone, Copy)]
enum Column {
    Due(usize),
    Neighbour(NeighbourFeature),
}

/// The models behind some features, as of a day.
struct Columns<'a> {
    columns: [Column; MODEL_FEATURES.len()],
    shop: &'a Shop,
    lenders: Lenders<'a>,
}

impl<'a> Columns<'a> {
    fn new(shop: &'a Shop, lenders: Lenders<'a>) -> Result<Self> {
        let column = |name: &str| {
            let due = DUE_FEATURES.iter().position(|known| *known == name).map(Column::Due);
            let neighbour = NeighbourFeature::ALL.into_iter().find(|known| known.name() == name);
            due.or(neighbour.map(Column::Neighbour)).ok_or_else(|| {
                Error::internal("T0504", format!("no model says the pair feature '{name}'"))
            })
        };
        let mut columns = [Column::Due(0); MODEL_FEATURES.len()];
        for (place, name) in columns.iter_mut().zip(MODEL_FEATURES) {
            *place = column(name)?;
        }
        Ok(Self { columns, shop, lenders })
    }

    fn block(&self, part: &PairPart<'_>, from: usize, to: usize) -> Result<PairBlock> {
        let customers: Vec<u32> = part.customers()[from..to].iter().map(|ix| *ix as u32).collect();
        let lender = |customer: u32| self.lenders.first.map(|first| first as u32 + customer);
        let (history, Others { neighbours, due }) = (&self.shop.history, self.lenders.others);
        let neighbours = neighbours.features(history, &customers, lender)?;
        let due = due.features(history, &customers)?;
        let said = |customer: usize, group: u32| {
            self.columns.map(|column| match column {
                Column::Due(at) => due.get(customer, group)[at],
                Column::Neighbour(feature) => neighbours.get(feature, customer, group),
            })
        };
        Ok(part.block(from..to, Some(&said)))
    }
}

/// Where the cross features stand that reasons and slot predicates read: days on which an eligible product was bought,
/// days since the last and between them, lines of the categories, lines of customers alike.
///
/// # Errors
/// `T0504` when one is not among the cross features.
pub(super) fn told_places() -> Result<[usize; 5]> {
    let mut places = [0; 5];
    let names = [
        "own_days",
        "own_age_days",
        "own_interval_days",
        "category_affinity",
        "neighbour_products",
    ];
    for (place, name) in places.iter_mut().zip(names) {
        let features = &PAIR_FEATURES[..CROSS_FEATURES];
        let found = features.iter().position(|feature| feature.name == name);
        *place = found.ok_or_else(|| {
            Error::internal("T0504", format!("there is no pair feature '{name}' for reasons"))
        })?;
    }
    Ok(places)
}

/// What reasons and slot predicates read of the pairs of a block.
pub(crate) struct PairView<'a> {
    block: &'a PairBlock,
    offered: &'a Offered,
    days: usize,
    age: usize,
    interval: usize,
    category: usize,
    neighbours: usize,
}

impl<'a> PairView<'a> {
    /// A view of a block.
    ///
    /// # Errors
    /// As [`told_places`].
    pub(crate) fn new(block: &'a PairBlock, offered: &'a Offered) -> Result<Self> {
        let [days, age, interval, category, neighbours] = told_places()?;
        Ok(Self { block, offered, days, age, interval, category, neighbours })
    }

    /// The customer at a place of the block with the promotion at a place of those offered.
    pub(crate) fn pair(&self, customer: usize, promotion: usize) -> PairFeatures<'_> {
        let row = self.block.cross_row(customer, self.offered.group_of[promotion]);
        PairFeatures { view: self, row }
    }
}

/// What reasons and slot predicates read of one pair.
#[derive(Clone, Copy)]
pub(crate) struct PairFeatures<'a> {
    view: &'a PairView<'a>,
    row: &'a [f32],
}

impl PairFeatures<'_> {
    fn value(&self, place: usize) -> Option<f64> {
        Some(f64::from(self.row[place])).filter(|value| value.is_finite())
    }

    /// Days on which the customer bought an eligible product.
    pub(crate) fn own_days(&self) -> i64 {
        self.value(self.view.days).unwrap_or(0.0) as i64
    }

    /// Days since the last of them.
    pub(crate) fn age_days(&self) -> Option<f64> {
        self.value(self.view.age)
    }

    /// Days between them.
    pub(crate) fn interval_days(&self) -> Option<f64> {
        self.value(self.view.interval)
    }

    /// True when the customer buys in the promotion's categories.
    pub(crate) fn buys_category(&self) -> bool {
        self.value(self.view.category).is_some_and(|lines| lines > 0.0)
    }

    /// True when customers alike buy eligible products.
    pub(crate) fn similar_buy(&self) -> bool {
        self.value(self.view.neighbours).is_some_and(|lines| lines >= 0.05)
    }
}
