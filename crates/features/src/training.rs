//! Which pairs of past weeks does a model learn from, and what came of them?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame, Value, params};
use tercet_types::{Date, Error, Result};

use crate::Settings;
use crate::pair_features::column;
use crate::pair_source::{LESSON_SCOPE, PairSource};
use crate::pairs::{Pairs, ascending, scope};
use crate::sorted::Sorted;
use crate::statement::{Statement, create, statement};

const LABELS: Statement = statement!("labels", "pair/labels");
const ACTIVE: Statement = statement!("active", "pair/active");
const SHOPPERS: Statement = statement!("shoppers", "pair/shoppers");
/// Customers whose features are in memory at a time.
const BLOCK: usize = 4096;

/// Where a row says how much the customer buys of the promotion's product types.
const TYPE_AFFINITY: &str = "type_affinity";

const CUSTOMERS: Statement = statement!("customer_index", "index/customer_ids");
const PROMOTIONS: Statement = statement!("promotion_index", "index/promotion_ids");

/// Which pairs without a purchase are kept, so that training fits the time there is.
///
/// Each pair is drawn by a hash of seed, week, customer id and promotion id; rows weigh the inverse of their
/// chance to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// The seed.
    pub seed: u64,
    /// Chance of a pair whose customer bought the promotion's product types before; 0.1.
    pub affine_rate: f64,
    /// Chance of all other pairs without a purchase; 0.03.
    pub other_rate: f64,
    /// Promotions whose rows are thinned, purchases too: those that are not to be offered now.
    pub thinned: Vec<i32>,
    /// Chance that a row of a thinned promotion is kept; 0.3.
    pub thinned_rate: f64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { seed: 0, affine_rate: 0.1, other_rate: 0.03, thinned: Vec::new(), thinned_rate: 0.3 }
    }
}

/// Pairs of one past week, what came of them and how much each counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingPairs {
    /// Features as of the Monday.
    pub pairs: Pairs,
    /// Spend on eligible products in the week, minor units.
    pub spend_minor: Vec<i64>,
    /// True when an eligible product was bought in the week.
    pub bought: Vec<bool>,
    /// True when an eligible product was bought that the customer never bought before.
    pub discovered: Vec<bool>,
    /// The inverse of the chance to be kept, at least 1.
    pub weights: Vec<f64>,
}

/// What customers bought of the given promotions' products in `[monday, monday + 7 days)`: one row per customer
/// and promotion with a purchase, sorted by both. Pairs without a row bought nothing. Needs [`index`](crate::index).
///
/// Columns: `customer_ix`, `promotion_ix`, `spend_minor`, `products` (eligible products bought),
/// `discovered_minor`, `discovered` (eligible products bought that the customer never bought before).
///
/// # Errors
/// The engine's own.
pub fn labels(engine: &Engine, monday: Date, promotions: &[i32]) -> Result<Frame> {
    scope(engine, "pair_scope", "promotion_ix", &ascending(promotions))?;
    create(engine, &LESSON_SCOPE, &params([("as_of", Value::Date(monday))]))?;
    labels_in_scope(engine, monday)
}

pub(crate) fn labels_in_scope(engine: &Engine, monday: Date) -> Result<Frame> {
    engine
        .query(LABELS.sql, &params([("as_of", Value::Date(monday))]))
        .map_err(|error| error.context(LABELS.table))
}

/// Pairs of one past week to learn from: customers active at its Monday who shopped in the week, with the given
/// promotions; all pairs with a purchase and a sample of the others.
///
/// A promotion may be one that did not run in that week: what is learnt is how its products sell. A row hangs on
/// nothing but its customer, promotion and Monday. Needs [`index`](crate::index); leaves `scope_products` registered,
/// the products of the promotions that were sold on the Monday.
///
/// # Errors
/// `T0301` for settings out of range; the engine's own.
pub fn training_pairs(
    engine: &Engine,
    monday: Date,
    settings: &Settings,
    promotions: &[i32],
    sampling: &Sampling,
) -> Result<TrainingPairs> {
    let values = params([("as_of", Value::Date(monday))]);
    create(engine, &ACTIVE, &values)?;
    let customers = create(engine, &SHOPPERS, &values)?.i32("customer_ix")?;
    let promotions = ascending(promotions);
    let source = PairSource::of_scope(engine, monday, settings, &promotions, &LESSON_SCOPE)?;
    let part = source.part(engine, &customers)?;
    let bought = Sorted::pairs(
        &labels_in_scope(engine, monday)?,
        ["customer_ix", "promotion_ix"],
        &["spend_minor", "discovered"],
    )?;
    let draw = Draw::new(engine, monday, sampling)?;
    let affinity = column(TYPE_AFFINITY).ok_or_else(|| {
        Error::internal("T0305", format!("there is no pair feature '{TYPE_AFFINITY}'"))
    })?;

    let mut kept = TrainingPairs::default();
    let (mut bought, offered) = (bought.walk(), source.offered());
    for first in (0..customers.len()).step_by(BLOCK) {
        let block = part.block(first..(first + BLOCK).min(customers.len()), None);
        for (place, &customer) in block.customer_ix.iter().enumerate() {
            for (at, (&promotion, &group)) in promotions.iter().zip(&offered.group_of).enumerate() {
                let label = bought.at([customer, promotion]);
                let is_affine = block.cross_row(place, group)[affinity] > 0.0;
                let weight = draw.weight(customer, promotion, label.is_some(), is_affine);
                let Some(weight) = weight else { continue };
                kept.pairs.customer_ix.push(customer);
                kept.pairs.promotion_ix.push(promotion);
                kept.pairs.values.extend(block.row(place, offered, at));
                // Sums of minor units stay far below 2^53, where f64 is exact.
                kept.spend_minor.push(label.map_or(0, |row| row[0] as i64));
                kept.bought.push(label.is_some());
                kept.discovered.push(label.is_some_and(|row| row[1] > 0.0));
                kept.weights.push(weight);
            }
        }
    }
    Ok(kept)
}

/// Chance from hashes of ids, so that it does not hang on how ids are numbered.
pub(crate) struct Draw<'a> {
    sampling: &'a Sampling,
    week: u64,
    customers: BTreeMap<i32, u64>,
    promotions: BTreeMap<i32, (u64, bool)>,
}

impl<'a> Draw<'a> {
    pub(crate) fn new(engine: &Engine, monday: Date, sampling: &'a Sampling) -> Result<Self> {
        let hashes = |statement: &Statement, ix: &str, id: &str| -> Result<Vec<(i32, u64)>> {
            let frame = engine.query(statement.sql, &BTreeMap::new())?;
            let ids = frame.text(id)?;
            Ok(frame.i32(ix)?.into_iter().zip(ids.iter().map(|id| hash(id.as_bytes()))).collect())
        };
        let thinned = |promotion: i32| sampling.thinned.contains(&promotion);
        Ok(Self {
            sampling,
            week: mixed(sampling.seed ^ mixed(monday.days() as u64)),
            customers: hashes(&CUSTOMERS, "customer_ix", "customer_id")?.into_iter().collect(),
            promotions: hashes(&PROMOTIONS, "promotion_ix", "promotion_id")?
                .into_iter()
                .map(|(promotion, hash)| (promotion, (hash, thinned(promotion))))
                .collect(),
        })
    }

    /// The weight of a pair that is kept.
    pub(crate) fn weight(
        &self,
        customer: i32,
        promotion: i32,
        bought: bool,
        is_affine: bool,
    ) -> Option<f64> {
        let sampling = self.sampling;
        let (hash, is_thinned) = self.promotions.get(&promotion).copied().unwrap_or_default();
        let customer = self.customers.get(&customer).copied().unwrap_or_default();
        let rate = match (bought, is_affine) {
            (true, _) => 1.0,
            (false, true) => sampling.affine_rate,
            (false, false) => sampling.other_rate,
        } * if is_thinned { sampling.thinned_rate } else { 1.0 };
        let drawn = mixed(self.week ^ mixed(customer ^ mixed(hash)));
        // The top 53 bits, as a number in [0, 1).
        let chance = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
        (chance < rate).then(|| 1.0 / rate)
    }
}

/// FNV-1a, 64 bits: Fowler, Noll, Vo, draft-eastlake-fnv.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The finaliser of SplitMix64: Steele, Lea, Flood, OOPSLA 2014, doi:10.1145/2660193.2660195.
fn mixed(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
