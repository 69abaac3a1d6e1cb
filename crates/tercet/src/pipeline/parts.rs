//! Which customers is a run looking at, when all of them are more than memory holds?

use std::sync::{Arc, MutexGuard, PoisonError};

use tercet_engine::{Engine, Frame};
use tercet_features::{
    COLUMNS_READ, CUSTOMER_TABLES, MasterCounts, MasterFacts, MasterPlan, Masters, SHOP_TABLES,
};
use tercet_sources::BY_CUSTOMER;
use tercet_types::Result;
use tercet_types::tables::sources as tables;

use super::manifest::{Part, Stage, files_of, parse, to_json};
use super::runner::StageContext;
use super::shop::Shop;
use super::stages::WeeklyRun;
use super::week::{Week, known_customers};
use crate::output::{Meter, thousands};

/// Canonical tables of customers that decisions look at beside what the features keep.
const REACTIONS: [&str; 2] = ["exposures", "redemptions"];

/// What the features keep of customers.
const KEPT: [&str; 2] = ["customer_master", "customer_category"];

/// `customer_facts` stand here until all customers are compared.
const SCRATCH: &str = "customer_facts";

/// Lines of the sample that models learn from, when a shop comes in parts.
const SAMPLE_LINES: usize = 500_000;

/// The file of what was counted.
const COUNTED: &str = "features.json";

/// What the features stage counted.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Counted {
    masters: MasterFacts,
    /// Customers who shopped in the last eight weeks.
    active: usize,
}

/// Some customers of the shop, ready to be looked at: what they bought, and the week. Everything a query reads of
/// them is registered in the engine.
pub(super) struct Opened {
    /// The customers' purchases.
    pub(super) shop: Shop,
    /// The customers and all promotions.
    pub(super) week: Week,
    which: Which,
    /// The number of the first customer of each part that is here.
    first_of_part: Vec<i32>,
}

/// Which customers are registered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Part(usize),
    Sample,
}

impl Opened {
    /// The number here of the first customer of a part; none when the part is not here.
    pub(super) fn first_of(&self, part: Part) -> Option<i32> {
        self.first_of_part.get(part.at).copied()
    }
}

impl WeeklyRun<'_> {
    /// The parts of the run's customers, as the sources stage left them.
    pub(super) fn parts(&self, context: &StageContext<'_>) -> Result<usize> {
        let files = files_of(context.store, context.run_id, Stage::Sources, "transactions")?;
        Ok(files.len())
    }

    /// Makes what is known of customers, products and promotions.
    pub(super) fn make_features(&self, context: &mut StageContext<'_>) -> Result<String> {
        let parts = self.parts(context)?;
        let engine = context.engine;
        match parts {
            1 => {
                BY_CUSTOMER.into_iter().try_for_each(|table| context.need(Stage::Sources, table))?
            }
            // Which columns they have.
            of => context.mount(Stage::Sources, "customers", Part { at: 0, of })?,
        }
        register_shop(context)?;
        tercet_features::index_shop(engine)?;
        let (as_of, settings) = (context.identity.as_of, &context.config.features);
        let plan = MasterPlan::new(engine, as_of, settings)?;
        let mut masters = Masters::new(&plan);
        // Each part is gone through twice, before and after all customers are compared.
        let meter = context.progress.count("parts", 2 * parts as u64);
        let index = |own: &mut StageContext<'_>, part: Part| {
            if parts > 1 {
                own.mount(Stage::Sources, "customers", part)?;
                for (table, columns) in COLUMNS_READ {
                    own.mount_columns(Stage::Sources, table, part, columns)?;
                }
            }
            tercet_features::index_customers(own.engine)?;
            let found = plan.part(own.engine, part.at)?;
            for table in CUSTOMER_TABLES.into_iter().chain(["customer_category"]) {
                own.write_part(table, part, &own.engine.table(table)?)?;
            }
            if parts > 1 {
                own.put_aside(SCRATCH, part, &own.engine.table(SCRATCH)?)?;
            }
            Ok(found)
        };
        each_part(context, parts, &meter, index, |found| masters.add(engine, found))?;
        masters.shop(engine)?;
        for table in SHOP_TABLES {
            context.write_part(table, Part::WHOLE, &engine.table(table)?)?;
        }
        let compared = &masters;
        let compare = |own: &mut StageContext<'_>, part: Part| {
            if parts > 1 {
                own.take_back(SCRATCH, part)?;
            }
            let customers = compared.customers(own.engine, part.at)?;
            own.write_part("customer_master", part, &customers)?;
            let recency = customers.i64_or_null("recency_days")?;
            let active = recency.iter().flatten().filter(|days| **days <= super::week::ACTIVE_DAYS);
            Ok((MasterCounts::of(&customers)?, active.count()))
        };
        let (mut counts, mut active) = (Vec::new(), 0);
        each_part(context, parts, &meter, compare, |(counted, here)| {
            counts.push(counted);
            active += here;
            Ok(())
        })?;
        counts.iter().for_each(|counted| masters.count(counted));
        let counted = Counted { masters: masters.facts().clone(), active };
        context.write(COUNTED, to_json(&counted)?)?;
        let (facts, as_of) = (counted.masters, context.identity.as_of);
        if parts == 1 {
            tercet_features::index_types(engine)?;
            self.keep_open(Arc::new(self.read(context, Which::Part(0), vec![0])?));
        }
        Ok(format!(
            "{} customers × {} promotions as of {as_of}",
            thousands(facts.customers),
            thousands(facts.candidates),
        ))
    }

    /// The customers of a part, in place of others that the engine of `context` knows. Everybody is kept.
    pub(super) fn open(&self, context: &StageContext<'_>, part: Part) -> Result<Arc<Opened>> {
        if part == Part::WHOLE
            && let Some(opened) = self.opened(Which::Part(part.at))
        {
            return Ok(opened);
        }
        register_shop(context)?;
        register_indexes(context)?;
        for table in REACTIONS {
            context.mount(Stage::Sources, table, part)?;
        }
        for table in CUSTOMER_TABLES.into_iter().chain(KEPT) {
            context.mount(Stage::Features, table, part)?;
        }
        if part != Part::WHOLE {
            tercet_features::forget_days(context.engine)?;
            // Of a part only the sample says who is in it.
            return Ok(Arc::new(self.read(context, Which::Part(part.at), Vec::new())?));
        }
        // Models learn from everybody, and each has its own number.
        tercet_features::index_again(context.engine)?;
        let opened = Arc::new(self.read(context, Which::Part(part.at), vec![0])?);
        self.keep_open(Arc::clone(&opened));
        Ok(opened)
    }

    /// The week with the customers of a part, in place of others that the engine knows: their masters and what they
    /// browsed are registered, and nothing of what they bought.
    pub(super) fn open_masters(
        &self,
        context: &StageContext<'_>,
        part: Part,
        week: &Week,
    ) -> Result<Week> {
        KEPT.into_iter().try_for_each(|table| context.mount(Stage::Features, table, part))?;
        let customers = known_customers(context.engine)?;
        let (facts, promotions) = (week.facts.clone(), week.promotions.clone());
        Ok(Week { as_of: week.as_of, facts, customers, promotions })
    }

    /// Customers of whom enough is known to learn from all that they did: everybody, or of a shop in parts the first
    /// ones, who are drawn by chance.
    pub(super) fn sample(&self, context: &StageContext<'_>) -> Result<Arc<Opened>> {
        let parts = self.parts(context)?;
        if parts == 1 {
            return self.open(context, Part::WHOLE);
        }
        if let Some(opened) = self.opened(Which::Sample) {
            return Ok(opened);
        }
        self.close();
        register_shop(context)?;
        register_indexes(context)?;
        let mut found = vec![Vec::new(); CUSTOMER_TABLES.len() + KEPT.len() + REACTIONS.len()];
        let (mut first_of_part, mut orders, mut lines) = (vec![0], 0, 0);
        for part in Part::all(parts) {
            let first = *first_of_part.last().unwrap_or(&0);
            let shifted = |frame: &Frame, column: &str, by: i32| -> Result<Frame> {
                let moved: Vec<i32> = frame.i32(column)?.iter().map(|ix| ix + by).collect();
                frame.with(vec![(column, moved.into())])
            };
            let mut next_order = orders;
            let tables = CUSTOMER_TABLES.into_iter().chain(KEPT);
            for (stack, table) in found.iter_mut().zip(tables.clone()) {
                let mut frame = context.load(Stage::Features, table, part)?;
                if table == "customer_index" {
                    first_of_part.push(first + frame.rows() as i32);
                }
                if table == "lines" {
                    lines += frame.rows();
                    frame = shifted(&frame, "order_ix", orders)?;
                    next_order = frame.i32("order_ix")?.iter().max().map_or(orders, |ix| ix + 1);
                }
                stack.push(shifted(&frame, "customer_ix", first)?);
            }
            for (stack, table) in found.iter_mut().skip(tables.count()).zip(REACTIONS) {
                stack.push(context.load(Stage::Sources, table, part)?);
            }
            orders = next_order;
            if lines >= SAMPLE_LINES {
                break;
            }
        }
        for (stack, table) in
            found.iter().zip(CUSTOMER_TABLES.into_iter().chain(KEPT).chain(REACTIONS))
        {
            context.engine.register(table, &Frame::stacked(stack)?)?;
        }
        first_of_part.pop();
        tercet_features::index_again(context.engine)?;
        let opened = Arc::new(self.read(context, Which::Sample, first_of_part)?);
        self.keep_open(Arc::clone(&opened));
        Ok(opened)
    }

    fn read(
        &self,
        context: &StageContext<'_>,
        which: Which,
        first_of_part: Vec<i32>,
    ) -> Result<Opened> {
        let counted: Counted = parse(&context.read(Stage::Features, COUNTED)?, COUNTED)?;
        let shop = Shop::indexed(context.engine)?;
        let week = Week::read(
            context.engine,
            &shop,
            context.identity.as_of,
            counted.masters,
            Some(counted.active),
        )?;
        Ok(Opened { shop, week, which, first_of_part })
    }

    fn opened(&self, which: Which) -> Option<Arc<Opened>> {
        self.kept_open().as_ref().filter(|opened| opened.which == which).map(Arc::clone)
    }

    fn keep_open(&self, opened: Arc<Opened>) {
        *self.kept_open() = Some(opened);
    }

    /// Lets go of the customers, before others come.
    pub(super) fn close(&self) {
        *self.kept_open() = None;
    }

    fn kept_open(&self) -> MutexGuard<'_, Option<Arc<Opened>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does `work` for each part, as many at a time as there are threads, and hands what it gives to `take`, in order
/// ([`Engine::each_part`]). A shop that is one part has all threads, and its tables stay. `meter` counts the parts.
pub(super) fn each_part<T: Send>(
    context: &mut StageContext<'_>,
    parts: usize,
    meter: &Meter,
    work: impl Fn(&mut StageContext<'_>, Part) -> Result<T> + Sync,
    mut take: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    if parts == 1 {
        let given = work(context, Part::WHOLE)?;
        meter.advance(1);
        return take(given);
    }
    let (stage, mut written) = (&*context, Vec::new());
    let on_thread = |engine: &Engine, at: usize| {
        let (mut own, part) = (stage.beside(engine), Part { at, of: parts });
        let given = work(&mut own, part)?;
        Ok((given, own.written()))
    };
    context.engine.each_part(parts, on_thread, |(given, files)| {
        written.extend(files);
        meter.advance(1);
        take(given)
    })?;
    context.book(written);
    Ok(())
}

/// Registers the canonical tables that are not of customers, and those of customers empty where none are registered.
fn register_shop(context: &StageContext<'_>) -> Result<()> {
    for table in tables::ALL {
        if !BY_CUSTOMER.contains(&table.name) {
            context.need(Stage::Sources, table.name)?;
        } else if !context.engine.has(table.name) {
            context.engine.register_empty(table)?;
        }
    }
    Ok(())
}

/// Registers what the features stage made of the whole shop.
fn register_indexes(context: &StageContext<'_>) -> Result<()> {
    if !context.engine.has("product_index") {
        tercet_features::index_shop(context.engine)?;
    }
    SHOP_TABLES.into_iter().try_for_each(|table| context.need(Stage::Features, table))
}
