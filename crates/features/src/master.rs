//! What do we know about every customer, product and promotion, as of a day?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame, Value};
use tercet_types::segment::Behaviour;
use tercet_types::{Date, Result};

use crate::Settings;
use crate::profile::profile_columns;
use crate::promotion_buyers::PromotionsOf;
use crate::quintiles::with_quintiles;
use crate::shop_sums::{PartSums, ShopSums, part_sums};
use crate::statement::{Statement, create, create_all, quoted, statement};

/// Of customers by themselves.
const CUSTOMER: &[Statement] = &[
    statement!("customer_known", "customer/known"),
    statement!("customer_rhythm", "customer/rhythm"),
    statement!("customer_lifecycle", "customer/lifecycle"),
    statement!("customer_behaviour", "customer/behaviour"),
    statement!("customer_profile", "customer/profile"),
    statement!("customer_shopping", "customer/shopping"),
    CATEGORY_SUMS,
    statement!("customer_category", "pair/customer_category"),
];

const CATEGORY_SUMS: Statement = statement!("category_sums", "pair/category_sums");

const CUSTOMER_FACTS: Statement = statement!("customer_facts", "customer/facts");
const RFM_FACTS: Statement = statement!("customer_rfm_facts", "customer/rfm_facts");
const RFM: Statement = statement!("customer_rfm", "customer/rfm");
const CUSTOMER_MASTER: Statement = statement!("customer_master", "customer/master");

/// Which products promotions cover, and how much a day counts.
const SCOPE: &[Statement] = &[
    statement!("day_weights", "pair/day_weights"),
    statement!("eligible_products", "promotion/eligible_products"),
    statement!("promotion_candidates", "promotion/candidates"),
];

const PRODUCT: &[Statement] = &[
    statement!("product_repurchase", "product/repurchase"),
    statement!("product_price", "product/price"),
    statement!("product_momentum", "product/momentum"),
];

const PRODUCT_MASTER: Statement = statement!("product_master", "product/master");

const PROMOTION: &[Statement] = &[
    statement!("promotion_demand", "promotion/demand"),
    statement!("promotion_main_product", "promotion/main_product"),
    statement!("promotion_price", "promotion/price"),
    statement!("promotion_depth", "promotion/depth"),
];

const PROMOTION_MASTER: Statement = statement!("promotion_master", "promotion/master");

/// Tables of the whole shop that [`Masters::shop`] leaves, for those who keep them.
pub const SHOP_TABLES: [&str; 3] = ["product_master", "promotion_master", "eligible_products"];

/// What [`build_master`] counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MasterFacts {
    /// Customers known by the day.
    pub customers: usize,
    /// Customers in each behaviour segment, in the order of [`Behaviour::ALL`]; they sum to `customers`.
    pub behaviours: Vec<(Behaviour, usize)>,
    /// Customers in each lifecycle stage, by name.
    pub lifecycles: BTreeMap<String, usize>,
    /// Customers in each RFM segment, by name; customers without an order are in none.
    pub rfm_segments: BTreeMap<String, usize>,
    /// Profile columns in use.
    pub profile_columns: Vec<String>,
    /// Products.
    pub products: usize,
    /// Products flagged fast-growing.
    pub fast_growing: usize,
    /// Products flagged newly launched.
    pub newly_launched: usize,
    /// Promotions known by the day.
    pub promotions: usize,
    /// Promotions that run on the day and cover a product still sold.
    pub candidates: usize,
    /// Promotions known that cover no product still sold.
    pub promotions_without_products: usize,
    /// Promotions whose depth is estimated.
    pub values_estimated: usize,
}

/// Makes, as of a day, `customer_master`, `product_master`, `promotion_master`,
/// `eligible_products`, `promotion_candidates`, `customer_category` and the tables of
/// their parts (`customer_rhythm`, `product_price` …), and leaves them registered: [`Masters`] of one part, which is
/// everybody. Needs [`index`](crate::index()).
///
/// # Errors
/// `T0301` for settings out of range, `T0303` for a personal or nearly unique profile column,
/// `T0304` for a profile column that is not there; the engine's own.
pub fn build_master(engine: &Engine, as_of: Date, settings: &Settings) -> Result<MasterFacts> {
    let plan = MasterPlan::new(engine, as_of, settings)?;
    let mut masters = Masters::new(&plan);
    masters.add(engine, plan.part(engine, 0)?)?;
    masters.shop(engine)?;
    let customers = masters.customers(engine, 0)?;
    masters.count(&MasterCounts::of(&customers)?);
    Ok(masters.facts)
}

/// How customers are looked at as of a day, part by part, on any thread.
pub struct MasterPlan {
    values: BTreeMap<String, Value>,
    profile: Vec<String>,
    promotions_of: PromotionsOf,
}

/// What a part of the customers adds to the [`Masters`].
pub struct MasterPart {
    customers: usize,
    rfm_facts: Frame,
    sums: PartSums,
}

impl MasterPlan {
    /// As of a day. Needs [`index_shop`](crate::index_shop), and the customers of a part registered: theirs are the
    /// profile columns.
    ///
    /// # Errors
    /// `T0301` for settings out of range, `T0303` for a personal or nearly unique profile column,
    /// `T0304` for a profile column that is not there; the engine's own.
    pub fn new(engine: &Engine, as_of: Date, settings: &Settings) -> Result<Self> {
        settings.validate()?;
        let values = settings.params(as_of);
        create_all(engine, SCOPE, &values)?;
        let profile = profile_columns(engine, &settings.profile)?;
        Ok(Self { values, profile, promotions_of: PromotionsOf::read(engine)? })
    }

    /// Looks at the customers that are indexed, who are part number `part`, and leaves their `customer_facts` and
    /// `customer_category` registered.
    ///
    /// # Errors
    /// The engine's own.
    pub fn part(&self, engine: &Engine, part: usize) -> Result<MasterPart> {
        create_all(engine, CUSTOMER, &self.values)?;
        engine.forget(CATEGORY_SUMS.table)?;
        let list = self.profile.iter().map(|name| {
            let (own, text) = (quoted(name), quoted(&format!("profile_{name}")));
            format!(",\n  cast(c.{own} as varchar) as {text}")
        });
        let sql = CUSTOMER_FACTS.sql.replace("{profile_columns}", &list.collect::<String>());
        let customers = engine.create(CUSTOMER_FACTS.table, &sql, &self.values)?;
        let mut values = self.values.clone();
        values.insert("part".to_owned(), Value::I64(part as i64));
        let rfm_facts = engine.query(RFM_FACTS.sql, &values)?;
        let sums = part_sums(engine, &self.values, &self.promotions_of)?;
        Ok(MasterPart { customers, rfm_facts, sums })
    }
}

/// The masters of a shop whose customers come in parts: [`add`](Self::add) what each tells, in order, then make those
/// of the [`shop`](Self::shop), then the [`customers`](Self::customers) of each part, who are scored against everybody.
///
/// In memory are the sums of the shop, and three numbers of each customer with an order.
pub struct Masters<'a> {
    plan: &'a MasterPlan,
    sums: ShopSums,
    /// Of each part.
    rfm_facts: Vec<Frame>,
    rfm: Option<Frame>,
    facts: MasterFacts,
}

impl<'a> Masters<'a> {
    /// Masters of nobody yet.
    pub fn new(plan: &'a MasterPlan) -> Self {
        let facts = MasterFacts { profile_columns: plan.profile.clone(), ..MasterFacts::default() };
        Self { plan, sums: ShopSums::default(), rfm_facts: Vec::new(), rfm: None, facts }
    }

    /// Adds the next part.
    ///
    /// # Errors
    /// The engine's own.
    pub fn add(&mut self, engine: &Engine, part: MasterPart) -> Result<()> {
        self.facts.customers += part.customers;
        self.rfm_facts.push(part.rfm_facts);
        self.sums.add(engine, part.sums)
    }

    /// Makes the masters of products and promotions from what was added, and leaves them registered; compares the
    /// customers with each other.
    ///
    /// # Errors
    /// The engine's own.
    pub fn shop(&mut self, engine: &Engine) -> Result<()> {
        self.sums.register(engine)?;
        let values = &self.plan.values;
        create_all(engine, PRODUCT, values)?;
        let products = create(engine, &PRODUCT_MASTER, values)?;
        create_all(engine, PROMOTION, values)?;
        let promotions = create(engine, &PROMOTION_MASTER, values)?;
        let facts = with_quintiles(&Frame::stacked(&self.rfm_facts)?)?;
        engine.register(RFM_FACTS.table, &facts)?;
        let rfm = engine.query(RFM.sql, values).map_err(|error| error.context(RFM.table))?;
        engine.forget(RFM_FACTS.table)?;
        let facts = &mut self.facts;
        facts.products = products.rows();
        facts.fast_growing = trues(&products, "is_fast_growing")?;
        facts.newly_launched = trues(&products, "is_newly_launched")?;
        facts.promotions = promotions.rows();
        facts.candidates = trues(&promotions, "is_candidate")?;
        facts.promotions_without_products =
            promotions.i32("breadth")?.iter().filter(|&&products| products == 0).count();
        facts.values_estimated = trues(&promotions, "value_is_estimated")?;
        facts.behaviours = Behaviour::ALL.into_iter().map(|segment| (segment, 0)).collect();
        self.rfm = Some(rfm);
        Ok(())
    }

    /// Makes `customer_master` of a part, whose `customer_facts` are registered, and leaves it registered.
    ///
    /// # Errors
    /// The engine's own.
    pub fn customers(&self, engine: &Engine, part: usize) -> Result<Frame> {
        let first: usize = self.rfm_facts[..part].iter().map(Frame::rows).sum();
        if let Some(rfm) = &self.rfm {
            engine.register(RFM.table, &rfm.slice(first..first + self.rfm_facts[part].rows()))?;
        }
        let profile = self.plan.profile.iter();
        let list = profile.map(|name| format!(",\n  c.{}", quoted(&format!("profile_{name}"))));
        let sql = CUSTOMER_MASTER.sql.replace("{profile_columns}", &list.collect::<String>());
        let customers = engine
            .query(&sql, &self.plan.values)
            .map_err(|error| error.context(CUSTOMER_MASTER.table))?;
        engine.register(CUSTOMER_MASTER.table, &customers)?;
        Ok(customers)
    }

    /// Counts the customers of a part.
    pub fn count(&mut self, counts: &MasterCounts) {
        for (segment, count) in &mut self.facts.behaviours {
            *count += counts.behaviours.get(segment.name()).copied().unwrap_or(0);
        }
        for (counts, all) in [
            (&counts.lifecycles, &mut self.facts.lifecycles),
            (&counts.rfm_segments, &mut self.facts.rfm_segments),
        ] {
            for (name, count) in counts {
                *all.entry(name.clone()).or_insert(0) += count;
            }
        }
    }

    /// What was counted so far.
    pub fn facts(&self) -> &MasterFacts {
        &self.facts
    }
}

/// How many customers of a part are in each segment.
pub struct MasterCounts {
    behaviours: BTreeMap<String, usize>,
    lifecycles: BTreeMap<String, usize>,
    rfm_segments: BTreeMap<String, usize>,
}

impl MasterCounts {
    /// Of a part's `customer_master`.
    ///
    /// # Errors
    /// `T0910` when a column is missing.
    pub fn of(customers: &Frame) -> Result<Self> {
        Ok(Self {
            behaviours: counts(customers, "behaviour")?,
            lifecycles: counts(customers, "lifecycle")?,
            rfm_segments: counts(customers, "rfm_segment")?,
        })
    }
}

fn counts(frame: &Frame, column: &str) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for value in frame.text_or_null(column)?.into_iter().flatten() {
        *counts.entry(value).or_insert(0) += 1;
    }
    Ok(counts)
}

fn trues(frame: &Frame, column: &str) -> Result<usize> {
    Ok(frame.bool_or_null(column)?.into_iter().filter(|&flag| flag == Some(true)).count())
}
