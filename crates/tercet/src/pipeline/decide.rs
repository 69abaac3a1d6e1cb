//! How does a week become slates and a decision log, and the log become offers?

use std::collections::{BTreeMap, BTreeSet};

use tercet_allocation::{LimitPart, RuleId};
use tercet_delivery::codes::CodePools;
use tercet_delivery::offers::{Decision, Offer, Promotion as OfferedPromotion};
use tercet_delivery::{csv, json_lines, offers};
use tercet_engine::{Engine, Frame, Location};
use tercet_features::PairBlock;
use tercet_types::tables::assignments::ASSIGNMENTS;
use tercet_types::tables::decisions::{DECISIONS, OFFERS};
use tercet_types::{Currency, Error, Result};

use super::arms::ArmCounts;
use super::decision_log::DecisionLog;
use super::draws::{DrawColumns, DrawCounts};
use super::engine_test::Side;
use super::history::recent_contacts;
use super::learned::{Seen, Sight};
use super::manifest::{Part, Stage, to_json};
use super::pairs::{PairView, WeekPairs};
use super::plan_facts::{PlanFacts, plan_facts};
use super::prices::earlier_prices;
use super::ratio;
use super::reasons::reasons;
use super::report::Tally;
use super::runner::StageContext;
use super::slates::{Circumstances, Filling, Slates, SlotMasks, Told, redeemed_before};
use super::stages::WeeklyRun;
use super::week::{Week, known_customers};
use super::worth::{OWN_ENGINE, Scored, Visits};
use crate::config::Slot;
use crate::output::{Meter, thousands};

/// The model's name in the log when there was none.
const NO_MODEL: &str = "none";

/// Solves the week and writes `assignments`, `decisions`, `plan.json` and, where one table holds them, `candidates`.
pub(super) fn decide(run: &WeeklyRun<'_>, context: &mut StageContext<'_>) -> Result<String> {
    let parts = run.parts(context)?;
    if parts > 1 && context.config.audience.limit > 0 {
        return Err(Error::config("T1034", "[audience] limit: this shop is read in parts")
            .hint("who spends most is not known part by part: say it in [audience] where, for example monetary_minor > 10000, or set [run] parts = 1 where memory allows it"));
    }
    let learned = run.learned(context)?;
    let (of_sample, others) = (learned.pairs(context.engine), learned.others()?);
    let valuer = if parts == 1 { None } else { learned.valuer(context.config, &of_sample)? };
    let sight = Sight { run, learned: &learned, others: &others, valuer: valuer.as_ref() };
    let sample = &learned.sample.week;
    let mut fillings = Vec::new();
    for (side, prices) in run.sides(context).into_iter().zip(earlier_prices(context)?) {
        let mut filling = Filling::new(sample, context.config, |_| true)?;
        filling.start_from(sample, &prices);
        fillings.push((side, filling));
    }
    // Each part is seen twice, before and after all offers compete.
    let meter = context.progress.count("parts", 2 * parts as u64);
    let (kept, arms) = gather(&sight, context, parts, &mut fillings, &meter)?;
    let mut decided = solved(fillings, Told { with_reasons: true, of_candidates: parts == 1 })?;
    write_log(&sight, context, parts, &mut decided, kept, &meter)?;
    drop(meter);
    let alarm = ratio::alarm(&arms)?;
    let valued_by = run.cards(context)?.map_or_else(String::new, |cards| cards.valued_by());
    let facts = PlanFacts { valued_by, ..facts(context, sample, &decided, arms) };
    context.write("plan.json", to_json(&facts)?)?;
    Ok(summary(&decided) + &alarm)
}

/// Goes through the parts: logs the arms of their customers, and adds what each could be offered to the problem of the
/// side that decides. Returns who was seen, where one part is all, and how the arms came out.
fn gather(
    sight: &Sight<'_>,
    context: &mut StageContext<'_>,
    parts: usize,
    fillings: &mut [(Side<'_>, Filling<'_>)],
    meter: &Meter,
) -> Result<(Vec<Seen>, BTreeMap<String, ArmCounts>)> {
    let run = sight.run;
    let (mut kept, mut counts) = (Vec::new(), BTreeMap::<String, ArmCounts>::new());
    for part in Part::all(parts) {
        let opened = run.open(context, part)?;
        let (week, arms) = (&opened.week, run.arms(context, part)?);
        for (experiment, of_part) in &arms.counts {
            counts.entry(experiment.clone()).or_default().merge(of_part);
        }
        context.write_part(ASSIGNMENTS.name, part, &arms.table)?;
        let circumstances = Circumstances {
            assignment_key: run.key,
            history: recent_contacts(context, part, week)?,
            redeemed: redeemed_before(context.engine, week.as_of)?,
            with_holdout: true,
            exploration: context.config.exploration.draws(context.identity.seed, week.as_of),
        };
        let standing = |customer: i32| arms.standing(customer);
        for (side, filling) in fillings.iter_mut() {
            let asked = arms.customers_of(*side, run.test.as_ref());
            let seen = sight.seen(context, part, *side, &asked)?;
            let masks = seen.masks(context, &sight.pairs(context, &seen))?;
            let (engine, scored) = (context.engine, &seen.scored);
            filling.push(engine, week, scored, &circumstances, &masks, &standing)?;
            if parts == 1 {
                kept.push(seen);
            }
        }
        meter.advance(1);
    }
    Ok((kept, counts))
}

/// Goes through the parts again and writes what was decided for their customers.
fn write_log(
    sight: &Sight<'_>,
    context: &mut StageContext<'_>,
    parts: usize,
    decided: &mut [Decided<'_>],
    kept: Vec<Seen>,
    meter: &Meter,
) -> Result<()> {
    let cards = sight.run.cards(context)?;
    let mut kept = kept.into_iter();
    for part in Part::all(parts) {
        let (mut decisions, mut candidates) = (Vec::new(), Vec::new());
        for Decided { side, slates, draws } in decided.iter_mut() {
            let own = slates.part(part.at);
            let seen = match kept.next() {
                Some(seen) => seen,
                None => sight.seen(context, part, *side, &slates.customers[own.clone()])?,
            };
            let is_own = side.engine == OWN_ENGINE;
            let models = sight.learned.models().filter(|_| is_own);
            let version = cards.as_ref().filter(|_| is_own).map(|cards| cards.version.as_str());
            let pairs = sight.pairs(context, &seen);
            let log = DecisionLog {
                context,
                week: &seen.opened.week,
                scored: &seen.scored,
                slates,
                part: own,
                reasons: reasons(context, models, slates, part, &seen, &pairs)?,
                engine: side.engine,
                model_version: version.unwrap_or(NO_MODEL),
                test: sight.run.test.as_ref(),
            };
            let drawn = DrawColumns::of(log.week, slates, log.part.clone());
            draws.add(&drawn);
            decisions.push(log.decisions(drawn)?);
            if parts == 1 {
                candidates.push(log.candidates()?);
            }
        }
        let sql = include_str!("../../sql/decisions_by_customer.sql");
        let decisions = by_customer(context, decisions, sql)?.conform(&DECISIONS)?;
        context.write_part(DECISIONS.name, part, &decisions)?;
        if parts == 1 {
            let sql = include_str!("../../sql/candidates_by_customer.sql");
            context.write_table("candidates", &by_customer(context, candidates, sql)?)?;
        }
        meter.advance(1);
    }
    Ok(())
}

/// What a side decided.
struct Decided<'a> {
    side: Side<'a>,
    slates: Slates,
    draws: DrawCounts,
}

/// Solves each side by itself. The engines' values are in units of their own, and no side may take from the other
/// what it would not have if it decided for everybody: so each has of every limit the share that it has of the
/// customers who could get offers.
fn solved<'a>(fillings: Vec<(Side<'a>, Filling<'_>)>, told: Told) -> Result<Vec<Decided<'a>>> {
    let of = fillings.iter().map(|(_, filling)| filling.competing()).sum();
    let mut from = 0;
    let mut decided = Vec::with_capacity(fillings.len());
    for (side, filling) in fillings {
        let to = from + filling.eligible();
        let slates = filling.solve(told, LimitPart { from, to, of })?;
        decided.push(Decided { side, slates, draws: DrawCounts::default() });
        from = to;
    }
    Ok(decided)
}

/// The rows of all sides, customer by customer.
fn by_customer(context: &StageContext<'_>, mut frames: Vec<Frame>, sql: &str) -> Result<Frame> {
    const TABLE: &str = "rows_of_sides";
    if frames.len() == 1 {
        return Ok(frames.swap_remove(0));
    }
    context.engine.register(TABLE, &Frame::stacked(&frames)?)?;
    let found = context.engine.query(sql, &BTreeMap::new())?;
    context.engine.forget(TABLE)?;
    Ok(found)
}

/// What was decided, one line.
fn summary(decided: &[Decided<'_>]) -> String {
    let (mut offers, mut reached, mut customers) = (0, 0, 0);
    for Decided { slates, .. } in decided {
        let with_offers: BTreeSet<usize> =
            slates.explored.plan.offers().map(|(customer, ..)| customer).collect();
        offers += slates.explored.plan.offers().count();
        reached += with_offers.len();
        customers += slates.customers.len();
    }
    let gaps: Vec<String> = decided
        .iter()
        .filter_map(|decided| decided.slates.certificate.as_ref())
        .map(|certificate| format!("{:.2} %", 100.0 * certificate.gap()))
        .collect();
    let missing = match gaps.is_empty() {
        true => String::new(),
        false => format!(", at most {} below the best possible", gaps.join(" and ")),
    };
    format!(
        "{} offers to {} of {} customers{missing}",
        thousands(offers),
        thousands(reached),
        thousands(customers)
    )
}

/// What the report is told of the plans.
fn facts(
    context: &StageContext<'_>,
    week: &Week,
    decided: &[Decided<'_>],
    arms: BTreeMap<String, ArmCounts>,
) -> PlanFacts {
    let mut plans = decided.iter().map(|Decided { slates, draws, .. }| PlanFacts {
        draws: draws.facts(context.config, week, slates),
        ..plan_facts(week, slates)
    });
    let own = plans.next().unwrap_or_default();
    PlanFacts { baseline: plans.next().map(Box::new), arms, ..own }
}

/// Which slots each row of `scored` may fill; its customers are those of `pairs`, its promotions some of them.
pub(super) fn slot_masks(
    engine: &Engine,
    slots: &[Slot],
    scored: &Scored,
    pairs: &WeekPairs<'_>,
    visits: &Visits,
) -> Result<SlotMasks> {
    let mut masks = SlotMasks::new(slots);
    if !masks.has_predicates() || scored.promotions.is_empty() {
        return Ok(masks);
    }
    let strangers = || Error::internal("T0504", "scores of pairs that were not asked for");
    let offered = pairs.offered();
    let places = scored.promotions.iter().map(|ix| offered.place(*ix).ok_or_else(strangers));
    let places = places.collect::<Result<Vec<usize>>>()?;
    let mut first = 0;
    pairs.each(|block| {
        if scored.customers.get(first..first + block.len()) != Some(&block.customer_ix[..]) {
            return Err(strangers());
        }
        let view = PairView::new(block, offered)?;
        masks.add(engine, slots, &offer_facts(scored, first, block, &places, &view, visits)?)?;
        first += block.len();
        Ok(())
    })?;
    Ok(masks)
}

/// What slot predicates may look at of the pairs of a block, whose first customer stands at `first` in `scored`.
fn offer_facts(
    scored: &Scored,
    first: usize,
    block: &PairBlock,
    places: &[usize],
    view: &PairView<'_>,
    visits: &Visits,
) -> Result<Frame> {
    let count = block.len() * places.len();
    let (mut customers, mut promotions) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (mut bought, mut days) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (mut since, mut category) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (mut visited, mut values) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (mut responses, mut discoveries) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let on_visits: Vec<Option<usize>> =
        scored.promotions.iter().map(|promotion| visits.place(*promotion)).collect();
    for (at, customer) in block.customer_ix.iter().enumerate() {
        let (_, of_promotions) = visits.of_customer(*customer);
        for (column, (place, promotion)) in places.iter().zip(&scored.promotions).enumerate() {
            let pair = view.pair(at, *place);
            let value = scored.value((first + at) * places.len() + column);
            customers.push(*customer);
            promotions.push(*promotion);
            bought.push(pair.own_days() > 0);
            days.push(pair.own_days());
            since.push(pair.age_days());
            category.push(pair.buys_category());
            visited.push(on_visits[column].map_or(0.0, |place| of_promotions[place]));
            values.push(value.value_minor);
            responses.push(value.response_rate);
            discoveries.push(value.discovery_rate);
        }
    }
    Frame::of(vec![
        ("row", (0..count as i64).collect::<Vec<i64>>().into()),
        ("customer_ix", customers.into()),
        ("promotion_ix", promotions.into()),
        ("bought_before", bought.into()),
        ("days_bought", days.into()),
        ("days_since_bought", since.into()),
        ("buys_category", category.into()),
        ("visits", visited.into()),
        ("offer_value_minor", values.into()),
        ("response_rate", responses.into()),
        ("discovery_rate", discoveries.into()),
    ])
}

/// Writes the offers, publishes them where configured, and writes the report.
pub(super) fn publish(run: &WeeklyRun<'_>, context: &mut StageContext<'_>) -> Result<String> {
    let parts = run.parts(context)?;
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
    let (mut handed_out, mut tally, mut offers) = (HandedOut::new(), Tally::default(), 0);
    let meter = context.progress.count("parts", parts as u64);
    for part in Part::all(parts) {
        let log = context.load(Stage::Allocation, DECISIONS.name, part)?;
        let published = offers::publish(&decisions_of(&log)?, &promotions, &pools, currency)?;
        let table = offers_frame(&published.offers)?;
        context.write_part(OFFERS.name, part, &table)?;
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        if context.config.delivery.csv {
            files.push((part.named(OFFERS.name, "csv"), csv::write(&published.offers)));
        }
        if context.config.delivery.json_lines {
            let lines = json_lines::write(&published.offers)?;
            files.push((part.named(OFFERS.name, "jsonl"), lines));
        }
        // Under the run's own name first, the pointer to it last: a reader of the pointer sees all of it.
        if let Some(store) = &target {
            let path = |file: &str| format!("{}/{file}", context.run_id);
            for (name, bytes) in &files {
                store.put(&path(name), bytes.clone())?;
            }
            store.put_table(&path(&part.file(OFFERS.name)), &table)?;
        }
        for (name, bytes) in files {
            context.write(&name, bytes)?;
        }
        for (pool, count) in published.codes_used {
            let used = pools.get_mut(&pool).map(|codes| codes.drain(..count).collect::<Vec<_>>());
            handed_out.entry(pool).or_default().extend(used.into_iter().flatten());
        }
        if parts == 1 {
            tally.add(context, &log, &published.offers, &week.customers, &week.promotions)?;
        } else {
            context.mount(Stage::Features, "customer_master", part)?;
            let customers = known_customers(context.engine)?;
            tally.add(context, &log, &published.offers, &customers, &week.promotions)?;
        }
        offers += published.offers.len();
        meter.advance(1);
    }
    drop(meter);
    context.engine.forget(DECISIONS.name)?;
    context.write(CODES_FILE, to_json(&handed_out)?)?;
    if let Some(store) = &target {
        let pointer =
            serde_json::json!({ "run_id": context.run_id, "as_of": week.as_of, "offers": offers });
        store.put("latest.json", to_json(&pointer)?)?;
    }
    let report = tally.report(run, context, week)?;
    context.write_page("report.html", report.html()?.into_bytes())?;
    Ok(report.summary)
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

/// Codes that a run handed out, by pool.
type HandedOut = BTreeMap<String, BTreeSet<String>>;

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
    let mut pools = CodePools::new();
    if named.is_empty() || context.config.delivery.code_pools.is_empty() {
        return Ok(pools);
    }
    let store = context
        .engine
        .store(&Location::new(&context.config.delivery.code_pools, &run.project.folder)?)?;
    // Also of runs that were broken off or deleted: what was handed out once is somebody's.
    let mut taken = HandedOut::new();
    let runs = context.store.folders("")?.into_iter().filter(|run| run != context.run_id);
    let mut records: Vec<String> = runs.map(|run| codes_path(&run)).collect();
    records.extend(context.store.list(DELETED_RUNS_CODES)?);
    for path in records {
        if let Some(bytes) = context.store.get_if_there(&path)? {
            for (pool, codes) in super::manifest::parse::<HandedOut>(&bytes, &path)? {
                taken.entry(pool).or_default().extend(codes);
            }
        }
    }
    for pool in named {
        let bytes = store.get(&format!("{pool}.txt"))?;
        let codes = String::from_utf8_lossy(&bytes);
        let codes = codes.lines().map(|line| line.trim().to_owned());
        let free = codes.filter(|code| !taken.get(pool).is_some_and(|taken| taken.contains(code)));
        pools.insert(pool.to_owned(), free.collect());
    }
    Ok(pools)
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
