//! How are several parts worked on at a time?

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider, SchemaProvider,
};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::SessionContext;
use tercet_types::{Error, Result};

use crate::Engine;
use crate::failure::query_failure;
use crate::session::started;

/// What a thread left of a part, on its way to who takes it.
type Left<T> = Receiver<Result<T>>;

impl Engine {
    /// Does `work` for each of so many parts, as many at a time as there are threads, and hands what it leaves to
    /// `take`, in the order of the parts. What is not taken yet is no more than two parts of each thread.
    ///
    /// `work` gets an engine that stands beside this one: it begins with the same tables and functions, what it
    /// registers or forgets is its own and is still there when it comes to its next part, and it works with one
    /// thread. Memory and the clients of stores are shared. Because two threads do not work on one part, nothing
    /// hangs on how many there are, and no thread waits for another one's half of a table.
    ///
    /// # Errors
    /// The first one of `work` or `take`, in the order of the parts; `T0912` when threads cannot be started.
    pub fn each_part<T: Send>(
        &self,
        parts: usize,
        work: impl Fn(&Self, usize) -> Result<T> + Sync,
        mut take: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        let threads = self.threads().min(parts);
        let engines = (0..threads).map(|_| self.beside()).collect::<Result<Vec<_>>>()?;
        let work = &work;
        std::thread::scope(|scope| {
            let mut lefts: Vec<Left<T>> = Vec::with_capacity(threads);
            for (first, engine) in engines.into_iter().enumerate() {
                let (leave, left) = sync_channel(1);
                let of_thread = (first..parts).step_by(threads);
                let run = move || of_thread_parts(&engine, of_thread, work, &leave);
                std::thread::Builder::new()
                    .name(format!("part-{first}"))
                    .spawn_scoped(scope, run)
                    .map_err(started)?;
                lefts.push(left);
            }
            for part in 0..parts {
                let left = lefts[part % threads].recv();
                let lost = |_| Error::internal("T0918", format!("part {part} of {parts} was lost"));
                take(left.map_err(lost)??)?;
            }
            Ok(())
        })
    }

    /// An engine that begins with the tables and functions of this one, for one thread.
    fn beside(&self) -> Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(started)?;
        let state = self.context.state();
        let names = &state.config().options().catalog;
        let (catalog, schema) = (names.default_catalog.clone(), names.default_schema.clone());
        let tables = MemorySchemaProvider::new();
        if let Some(own) = state.catalog_list().catalog(&catalog).and_then(|c| c.schema(&schema)) {
            for name in own.table_names() {
                let table = self.runtime.block_on(own.table(&name));
                if let Some(table) = table.map_err(|failure| query_failure(&name, failure))? {
                    tables
                        .register_table(name.clone(), table)
                        .map_err(|f| query_failure(&name, f))?;
                }
            }
        }
        let fail = |failure| query_failure("starting an engine for parts", failure);
        let (schemas, catalogs) = (MemoryCatalogProvider::new(), MemoryCatalogProviderList::new());
        schemas.register_schema(&schema, Arc::new(tables)).map_err(fail)?;
        catalogs.register_catalog(catalog, Arc::new(schemas));
        let config = state.config().clone().with_target_partitions(1);
        let config = config.with_create_default_catalog_and_schema(false);
        let state = SessionStateBuilder::new_from_existing(state)
            .with_config(config)
            .with_catalog_list(Arc::new(catalogs))
            .build();
        let clients: BTreeMap<_, _> =
            self.clients.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut options = self.options.clone();
        options.threads = 1;
        Ok(Self {
            runtime: Arc::new(runtime),
            context: SessionContext::new_with_state(state),
            options,
            clients: Mutex::new(clients),
            lent: Mutex::default(),
        })
    }
}

/// Works through the parts of a thread until one fails or nobody takes them any more.
fn of_thread_parts<T>(
    engine: &Engine,
    parts: impl Iterator<Item = usize>,
    work: &(impl Fn(&Engine, usize) -> Result<T> + Sync),
    leave: &SyncSender<Result<T>>,
) {
    for part in parts {
        let left = work(engine, part);
        let failed = left.is_err();
        if leave.send(left).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{EngineOptions, Frame};

    fn engine(threads: usize) -> Engine {
        let engine = Engine::new(EngineOptions { threads, ..EngineOptions::default() }).unwrap();
        let shared = Frame::of(vec![("x", vec![1_i64, 2, 3].into())]).unwrap();
        engine.register("shared", &shared).unwrap();
        engine.number_texts("number", [("a".to_owned(), 7)]);
        engine
    }

    #[test]
    fn parts_come_in_order_and_tables_stay_apart() {
        for (threads, parts) in [(1, 5), (2, 5), (3, 2), (2, 0)] {
            let (engine, mut taken) = (engine(threads), Vec::new());
            engine
                .each_part(
                    parts,
                    |engine, part| {
                        assert_eq!(engine.threads(), 1);
                        let own = Frame::of(vec![("part", vec![part as i64].into())])?;
                        engine.register("own", &own)?;
                        let sql = "select part * 100 + sum(x) + number('a') as found \
                                   from own cross join shared group by part";
                        engine.query(sql, &BTreeMap::new())?.i64("found")
                    },
                    |found| {
                        taken.extend(found);
                        Ok(())
                    },
                )
                .unwrap();
            let expect: Vec<i64> = (0..parts as i64).map(|part| part * 100 + 13).collect();
            assert_eq!(taken, expect, "{threads} threads");
            assert!(engine.has("shared") && !engine.has("own"));
        }
    }

    #[test]
    fn the_first_part_that_fails_ends_it() {
        let (done, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let refuse = |part: usize| Error::data("T0905", format!("part {part}"));
        let error = engine(2)
            .each_part(
                1_000,
                |_, part| {
                    done.fetch_add(1, Ordering::Relaxed);
                    if [5, 8].contains(&part) { Err(refuse(part)) } else { Ok(part) }
                },
                |_| {
                    taken.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                },
            )
            .unwrap_err();
        assert_eq!(error.to_string(), refuse(5).to_string());
        assert_eq!(taken.into_inner(), 5);
        assert!(done.into_inner() < 20);
        let error = engine(2).each_part(9, |_, part| Ok(part), |part| Err(refuse(part)));
        assert_eq!(error.unwrap_err().to_string(), refuse(0).to_string());
    }
}
