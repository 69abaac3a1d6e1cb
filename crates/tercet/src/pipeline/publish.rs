//! How does the log become offers that leave the house?

use std::collections::{BTreeMap, BTreeSet};

use tercet_allocation::RuleId;
use tercet_delivery::codes::CodePools;
use tercet_delivery::offers::{Decision, Offer, Promotion as OfferedPromotion};
use tercet_delivery::{csv, json_lines, offers};
use tercet_engine::{Engine, Frame, Location};
use tercet_types::tables::decisions::{DECISIONS, OFFERS};
use tercet_types::{Currency, Result};

use super::manifest::{Part, Stage, to_json};
use super::report::Tally;
use super::runner::StageContext;
use super::stages::WeeklyRun;
use super::week::{KnownCustomer, known_customers};

/// Writes the offers, publishes them where configured, and writes the report.
pub(super) fn publish(run: &WeeklyRun<'_>, context: &mut StageContext<'_>) -> Result<String> {
    let parts = run.parts(context)?;
    if parts > 1 {
        // Others come in place of the sample.
        run.close();
    }
    let opened = run.open(context, Part { at: 0, of: parts })?;
    let week = &opened.week;
    let currency = Currency::new(&context.config.project.currency)?;
    let promotions = offered_promotions(context)?;
    let mut pools = code_pools(run, context, &promotions)?;
    let target = context.config.delivery.publish_to.as_str();
    let target = match target.is_empty() {
        true => None,
        false => Some(context.engine.store(&Location::new(target, &run.project.folder)?)?),
    };
    let (mut tally, mut count, mut parts_published) = (Tally::default(), 0, 0);
    let meter = context.progress.count("parts", parts as u64);
    let stage = &*context;
    let mut own = stage.beside(stage.engine);
    // Parts are read side by side and published one after the other: codes are handed out in their order.
    let publish_part = |read: PartRead| -> Result<()> {
        let part = Part { at: parts_published, of: parts };
        let offers = offers::publish(&read.decisions, &promotions, &mut pools, currency)?;
        let table = offers_frame(&offers)?;
        own.write_part(OFFERS.name, part, &table)?;
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        if stage.config.delivery.csv {
            files.push((part.named(OFFERS.name, "csv"), csv::write(&offers)));
        }
        if stage.config.delivery.json_lines {
            let lines = json_lines::write(&offers)?;
            files.push((part.named(OFFERS.name, "jsonl"), lines));
        }
        // Under the run's own name first, the pointer to it last: a reader of the pointer sees all of it.
        if let Some(store) = &target {
            let path = |file: &str| format!("{}/{file}", stage.run_id);
            for (name, bytes) in &files {
                store.put(&path(name), bytes.clone())?;
            }
            store.put_table(&path(&part.file(OFFERS.name)), &table)?;
        }
        for (name, bytes) in files {
            own.write(&name, bytes)?;
        }
        let customers = read.customers.as_ref().unwrap_or(&week.customers);
        tally.add(stage, &read.log, &offers, customers, &week.promotions)?;
        count += offers.len();
        parts_published += 1;
        meter.advance(1);
        Ok(())
    };
    let read = |engine: &Engine, at: usize| read_part(stage, engine, Part { at, of: parts });
    match parts {
        1 => read(stage.engine, 0).and_then(publish_part)?,
        parts => stage.engine.each_part(parts, read, publish_part)?,
    }
    let written = own.written();
    context.book(written);
    drop(meter);
    let handed_out = pools.handed_out().map(|(pool, codes)| (pool.to_owned(), sorted(codes)));
    context.write(CODES_FILE, to_json(&handed_out.collect::<HandedOut<&str>>())?)?;
    if let Some(store) = &target {
        let pointer =
            serde_json::json!({ "run_id": context.run_id, "as_of": week.as_of, "offers": count });
        store.put("latest.json", to_json(&pointer)?)?;
    }
    let report = tally.report(run, context, week)?;
    context.write_page("report.html", report.html()?.into_bytes())?;
    Ok(report.summary)
}

/// What is read of a part before it is published.
struct PartRead {
    log: Frame,
    decisions: Vec<Decision>,
    /// The part's customers, where one part is not all.
    customers: Option<BTreeMap<i32, KnownCustomer>>,
}

fn read_part(stage: &StageContext<'_>, engine: &Engine, part: Part) -> Result<PartRead> {
    let own = stage.beside(engine);
    let log = own.load(Stage::Allocation, DECISIONS.name, part)?;
    engine.forget(DECISIONS.name)?;
    let decisions = decisions_of(&log)?;
    let customers = if part == Part::WHOLE {
        None
    } else {
        own.mount(Stage::Features, "customer_master", part)?;
        Some(known_customers(engine)?)
    };
    Ok(PartRead { log, decisions, customers })
}

fn decisions_of(log: &Frame) -> Result<Vec<Decision>> {
    let text = |name: &str| log.text(name);
    let (customers, slots, ids) = (text("customer_id")?, log.i32("slot")?, text("decision_id")?);
    let (arms, promotions, values) =
        (text("arm")?, log.text_or_null("promotion_id")?, log.i64("value_minor")?);
    let (engines, models, runs) = (text("engine")?, text("model_version")?, text("run_id")?);
    let reasons = log.text_or_null("reason_codes")?;
    Ok((0..log.rows())
        .map(|row| Decision {
            customer_id: customers[row].clone(),
            slot: slots[row],
            decision_id: ids[row].clone(),
            arm: arms[row].clone(),
            promotion_id: promotions[row].clone(),
            value_minor: values[row],
            engine: engines[row].clone(),
            model_version: models[row].clone(),
            run_id: runs[row].clone(),
            reason_codes: reasons[row].clone(),
        })
        .collect())
}

fn offered_promotions(context: &StageContext<'_>) -> Result<BTreeMap<String, OfferedPromotion>> {
    context.need(Stage::Sources, "promotions")?;
    let frame = context.engine.table("promotions")?;
    let (ids, names) = (frame.text("promotion_id")?, frame.text_or_null("promotion_name")?);
    let (codes, pools) = (frame.text_or_null("code")?, frame.text_or_null("code_pool")?);
    let (from, to) = (frame.date("valid_from")?, frame.date("valid_to")?);
    Ok(ids
        .into_iter()
        .enumerate()
        .map(|(row, id)| {
            let promotion = OfferedPromotion {
                name: names[row].clone(),
                code: codes[row].clone(),
                code_pool: pools[row].clone(),
                valid_from: from[row],
                valid_to: to[row],
            };
            (id, promotion)
        })
        .collect())
}

/// Codes that a run handed out, by pool, ascending.
type HandedOut<Code> = BTreeMap<String, Vec<Code>>;

fn sorted(codes: &[String]) -> Vec<&str> {
    let mut sorted: Vec<&str> = codes.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted
}

/// The file of a run with the codes it handed out.
const CODES_FILE: &str = "codes_used.json";

/// The folder beside the runs with the codes of runs that are deleted, one file a run.
pub(super) const DELETED_RUNS_CODES: &str = "codes_of_deleted_runs";

/// The path of the codes that a run handed out.
pub(super) fn codes_path(run_id: &str) -> String {
    super::stage_path(run_id, Stage::Delivery, CODES_FILE)
}

/// The unused codes of the pools that promotions name: files `<pool>.txt`, less what other runs took.
fn code_pools(
    run: &WeeklyRun<'_>,
    context: &StageContext<'_>,
    promotions: &BTreeMap<String, OfferedPromotion>,
) -> Result<CodePools> {
    let named: BTreeSet<&str> =
        promotions.values().filter_map(|promotion| promotion.code_pool.as_deref()).collect();
    if named.is_empty() || context.config.delivery.code_pools.is_empty() {
        return Ok(CodePools::default());
    }
    let store = context
        .engine
        .store(&Location::new(&context.config.delivery.code_pools, &run.project.folder)?)?;
    let mut pools = BTreeMap::new();
    for pool in named {
        let bytes = store.get(&format!("{pool}.txt"))?;
        let codes = String::from_utf8_lossy(&bytes);
        let codes: Vec<String> = codes.lines().map(|line| line.trim().to_owned()).collect();
        pools.insert(pool.to_owned(), codes);
    }
    // Also of runs that were broken off or deleted: what was handed out once is somebody's.
    let runs = context.store.folders("")?.into_iter().filter(|run| run != context.run_id);
    let mut records: Vec<String> = runs.map(|run| codes_path(&run)).collect();
    records.extend(context.store.list(DELETED_RUNS_CODES)?);
    for path in records {
        if let Some(bytes) = context.store.get_if_there(&path)? {
            for (pool, mut taken) in super::manifest::parse::<HandedOut<String>>(&bytes, &path)? {
                if let Some(codes) = pools.get_mut(&pool) {
                    taken.sort_unstable();
                    codes.retain(|code| taken.binary_search(code).is_err());
                }
            }
        }
    }
    CodePools::new(pools)
}

fn offers_frame(offers: &[Offer]) -> Result<Frame> {
    let text = |value: fn(&Offer) -> &str| -> Vec<String> {
        offers.iter().map(|offer| value(offer).to_owned()).collect()
    };
    Frame::of_table(
        &OFFERS,
        vec![
            text(|offer| &offer.customer_id).into(),
            offers.iter().map(|offer| offer.slot).collect::<Vec<_>>().into(),
            text(|offer| &offer.promotion_id).into(),
            text(|offer| &offer.decision_id).into(),
            offers.iter().map(|offer| offer.code.clone()).collect::<Vec<_>>().into(),
            offers.iter().map(|offer| offer.valid_from).collect::<Vec<_>>().into(),
            offers.iter().map(|offer| offer.valid_to).collect::<Vec<_>>().into(),
            text(|offer| &offer.reasons).into(),
            text(|offer| &offer.engine).into(),
            text(|offer| &offer.arm).into(),
            text(|offer| &offer.model_version).into(),
            offers.iter().map(|offer| offer.value_minor).collect::<Vec<_>>().into(),
            text(|offer| &offer.run_id).into(),
        ],
    )
}

/// Why a slot is empty, by the name of the rule, in words.
pub(crate) fn rule_words(name: &str) -> String {
    RuleId::from_name(name).map_or_else(|| name.replace('_', " "), |rule| rule.words().to_owned())
}
