//! What did customers take up, by the project's sources or by any table?

use tercet_engine::Engine;
use tercet_models::{Purchases, Query};
use tercet_types::{Date, Error, Result};

use super::ByArguments;
use crate::commands::evaluate::{DataArguments, Described, product_column, read_known};
use crate::commands::uplift::table::{Table, engine};
use crate::commands::{Project, Shared};
use crate::config::Environment;
use crate::output::{Progress, thousands};
use crate::pipeline::{Shop, sources_of};

/// The levels of a product that a shop's own table tells.
const LEVELS: [&str; 5] = ["department", "category", "product_type", "brand", "manufacturer"];

/// Histories, ready to be learnt from and asked for.
pub(super) struct Known {
    pub(super) history: Purchases,
    /// The day that is asked for.
    pub(super) as_of: i32,
    /// Ids by index, ascending.
    pub(super) customer_ids: Vec<String>,
    /// The same of products.
    pub(super) product_ids: Vec<String>,
    /// What products are called, by index, where that is known.
    product_names: Vec<Option<String>>,
    pub(super) products: Described,
    pub(super) customers: Described,
    /// Per product whether it is still sold, where that is known.
    pub(super) on_sale: Option<Vec<bool>>,
    reader: Reader,
}

/// Who reads tables.
enum Reader {
    /// A project, of whose customers is asked.
    Project(Box<Project>),
    /// An engine alone.
    Engine(Box<Engine>),
}

impl Known {
    /// Reads the table that is named, or else the project's sources.
    ///
    /// # Errors
    /// Those of the table, or of the sources.
    pub(super) fn read(
        by: &ByArguments,
        shared: &Shared,
        environment: &Environment,
    ) -> Result<Self> {
        let progress = shared.progress();
        let ((known, _), _) = progress.step("read", || {
            let known = match &by.data {
                Some(data) => Self::of_table(engine(environment)?, data, by.as_of, &progress)?,
                None => {
                    let project = Project::open(shared, environment)?;
                    Self::of_project(project, by.as_of, &progress)?
                }
            };
            let said = format!(
                "{} lines of {} customers, {} products",
                thousands(known.history.len()),
                thousands(known.customer_ids.len()),
                thousands(known.product_ids.len())
            );
            Ok(((known, ()), said))
        })?;
        Ok(known)
    }

    fn of_table(
        engine: Engine,
        ask: &DataArguments,
        as_of: Option<Date>,
        progress: &Progress,
    ) -> Result<Self> {
        let data = read_known(&engine, ask)?;
        data.remarks.iter().for_each(|line| progress.say(line));
        let after_last = data.history.last_day().map_or(0, |day| day.saturating_add(1));
        Ok(Self {
            as_of: as_of.map_or(after_last, Date::days),
            history: data.history,
            product_names: vec![None; data.product_ids.len()],
            customer_ids: data.customer_ids,
            product_ids: data.product_ids,
            products: data.products,
            customers: data.customers,
            on_sale: None,
            reader: Reader::Engine(Box::new(engine)),
        })
    }

    fn of_project(project: Project, as_of: Option<Date>, progress: &Progress) -> Result<Self> {
        let as_of = project.as_of(as_of);
        tercet_sources::load(&project.engine, &sources_of(&project)?, as_of)?;
        let shop = Shop::read(&project.engine)?;
        progress.say(&format!("what was bought before {as_of}"));
        let rows = project.engine.table("products")?;
        let ids = &shop.indexes.product_ids;
        let place: Vec<Option<usize>> =
            rows.text("product_id")?.iter().map(|id| ids.binary_search(id).ok()).collect();
        let mut products = Described::none(ids.len());
        for level in LEVELS {
            let mut lists = vec![Vec::new(); ids.len()];
            for (place, value) in place.iter().zip(rows.text_or_null(level)?) {
                if let Some(place) = place {
                    lists[*place] = value.into_iter().collect();
                }
            }
            products = products.with(level, &lists)?;
        }
        let mut product_names = vec![None; ids.len()];
        let mut on_sale = vec![true; ids.len()];
        let last_days = rows.date_or_null("discontinued_on")?;
        let names = rows.text_or_null("product_name")?;
        for ((place, last), name) in place.iter().zip(last_days).zip(names) {
            if let Some(place) = place {
                on_sale[*place] = last.is_none_or(|last| last > as_of);
                product_names[*place] = name;
            }
        }
        Ok(Self {
            history: shop.history,
            as_of: as_of.days(),
            customers: Described::none(shop.indexes.customer_ids.len()),
            customer_ids: shop.indexes.customer_ids,
            product_ids: shop.indexes.product_ids,
            product_names,
            products,
            on_sale: Some(on_sale),
            reader: Reader::Project(Box::new(project)),
        })
    }

    /// Where tables are read.
    pub(super) fn engine(&self) -> &Engine {
        match &self.reader {
            Reader::Project(project) => &project.engine,
            Reader::Engine(engine) => engine,
        }
    }

    /// Whether some products have names.
    pub(super) fn has_names(&self) -> bool {
        self.product_names.iter().any(Option::is_some)
    }

    /// The id of a product, and what it is called.
    pub(super) fn product(&self, product: u32) -> (&str, Option<&str>) {
        let product = product as usize;
        (&self.product_ids[product], self.product_names[product].as_deref())
    }

    /// What is known of a customer.
    pub(super) fn query(&self, customer: u32) -> Query<'_> {
        Query::of(&self.history, customer, self.as_of)
    }

    /// The customers of some ids; all, where there is none.
    ///
    /// # Errors
    /// `T1086` for a customer that nobody knows.
    pub(super) fn customers_named(&self, ids: &[String]) -> Result<Vec<u32>> {
        if ids.is_empty() {
            return Ok((0..self.customer_ids.len() as u32).collect());
        }
        let number = |id: &String| {
            let known = match &self.reader {
                Reader::Project(project) => project.customer_id(id)?,
                Reader::Engine(_) => id.clone(),
            };
            found(&self.customer_ids, &known).ok_or_else(|| {
                Error::not_found("T1086", format!("there is no customer '{id}'"))
                    .hint("ids are those of the data, exactly as they stand there")
            })
        };
        ids.iter().map(number).collect()
    }

    /// The product of an id.
    ///
    /// # Errors
    /// `T1086` for a product that nobody knows.
    pub(super) fn product_named(&self, id: &str) -> Result<u32> {
        found(&self.product_ids, id).ok_or_else(|| {
            Error::not_found("T1086", format!("there is no product '{id}'"))
                .hint("ids are those of the data, exactly as they stand there")
        })
    }

    /// The products of some ids; all, where there is none.
    ///
    /// # Errors
    /// As [`product_named`](Self::product_named).
    pub(super) fn products_named(&self, ids: &[String]) -> Result<Vec<u32>> {
        if ids.is_empty() {
            return Ok((0..self.product_ids.len() as u32).collect());
        }
        ids.iter().map(|id| self.product_named(id)).collect()
    }

    /// The products of a table's column that are known.
    ///
    /// # Errors
    /// Those of the table.
    pub(super) fn products_in(&self, place: &str) -> Result<Vec<u32>> {
        let table = Table::read(self.engine(), place)?;
        let ids = table.cells(&product_column(&table)?)?;
        Ok(ids.iter().flatten().filter_map(|id| found(&self.product_ids, id)).collect())
    }
}

fn found(ids: &[String], id: &str) -> Option<u32> {
    ids.binary_search_by(|known| known.as_str().cmp(id)).ok().map(|place| place as u32)
}
