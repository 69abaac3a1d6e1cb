//! How does a week become slates and a decision log?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tercet_allocation::LimitPart;
use tercet_engine::Frame;
use tercet_types::tables::assignments::ASSIGNMENTS;
use tercet_types::tables::decisions::DECISIONS;
use tercet_types::{Error, Result};

use super::arms::{ArmCounts, find_moved_assignments};
use super::aside::Responses;
use super::audiences::redeemed_before;
use super::decision_log::DecisionLog;
use super::draws::{DrawColumns, DrawCounts};
use super::engine_test::Side;
use super::filling::{FilledPart, Filling, Terms};
use super::history::{find_moved_contacts, recent_contacts};
use super::learn::{ModelCards, Models};
use super::learned::{Seen, Sight};
use super::manifest::{Part, to_json};
use super::pairs::BLOCK;
use super::parts::each_part;
use super::plan_facts::{PlanFacts, plan_facts};
use super::prices::earlier_prices;
use super::ratio;
use super::reasons::{Why, are_explained};
use super::runner::StageContext;
use super::slates::{Circumstances, Slates, Told};
use super::stages::WeeklyRun;
use super::week::Week;
use super::worth::{OWN_ENGINE, Visits};
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
    // Each part is gone through twice, before and after all offers compete.
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

/// What was gathered of a part.
struct Gathered {
    /// By side.
    filled: Vec<FilledPart>,
    /// By side, who was seen, where one part is all.
    kept: Vec<Seen>,
    counts: BTreeMap<String, ArmCounts>,
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
    find_moved_contacts(context, parts)?;
    find_moved_assignments(context, parts)?;
    let (mut kept, mut counts) = (Vec::new(), BTreeMap::<String, ArmCounts>::new());
    let sides: Vec<_> = fillings.iter().map(|(side, filling)| (*side, filling.terms())).collect();
    let look = |own: &mut StageContext<'_>, part: Part| gather_part(sight, own, part, &sides);
    each_part(context, parts, meter, look, |gathered| {
        for (experiment, of_part) in &gathered.counts {
            counts.entry(experiment.clone()).or_default().merge(of_part);
        }
        kept.extend(gathered.kept);
        let mut filled = fillings.iter_mut().zip(gathered.filled);
        filled.try_for_each(|((_, filling), part)| filling.push(part))
    })?;
    Ok((kept, counts))
}

fn gather_part(
    sight: &Sight<'_>,
    context: &mut StageContext<'_>,
    part: Part,
    sides: &[(Side<'_>, Arc<Terms<'_>>)],
) -> Result<Gathered> {
    let run = sight.run;
    let opened = run.open(context, part)?;
    let (week, arms) = (&opened.week, run.arms(context, part)?);
    context.write_part(ASSIGNMENTS.name, part, &arms.table)?;
    let circumstances = Circumstances {
        assignment_key: run.key,
        history: recent_contacts(context, part, week)?,
        redeemed: redeemed_before(context.engine, week.as_of)?,
        with_holdout: true,
        exploration: context.config.exploration.draws(context.identity.seed, week.as_of),
    };
    let standing = |customer: i32| arms.standing(customer);
    let (mut filled, mut kept) = (Vec::new(), Vec::new());
    for (side, terms) in sides {
        let asked = arms.customers_of(*side, run.test.as_ref());
        let seen = sight.seen(context, &opened, part, *side, &asked)?;
        let masks = seen.masks(context, &sight.pairs(context, &seen))?;
        let (engine, scored) = (context.engine, &seen.scored);
        filled.push(terms.part(engine, week, scored, &circumstances, &masks, &standing)?);
        if part == Part::WHOLE {
            kept.push(seen);
        } else {
            let is_explained = explaining(sight, context, *side).is_some();
            drop(masks);
            put_aside(sight, context, part, *side, seen, is_explained)?;
        }
    }
    Ok(Gathered { filled, kept, counts: arms.counts })
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
    let (kept, mut counts) = (Mutex::new(kept), vec![DrawCounts::default(); decided.len()]);
    let of_sides = &*decided;
    let write = |own: &mut StageContext<'_>, part: Part| {
        let kept = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
        write_part(sight, own, part, of_sides, cards.as_ref(), kept)
    };
    each_part(context, parts, meter, write, |drawn: Vec<DrawCounts>| {
        counts.iter_mut().zip(&drawn).for_each(|(sum, drawn)| sum.absorb(drawn));
        Ok(())
    })?;
    decided.iter_mut().zip(counts).for_each(|(decided, counts)| decided.draws = counts);
    Ok(())
}

/// Writes what was decided for the customers of a part; `kept` is who was seen, where one part is all. Returns what was
/// drawn, by side.
fn write_part(
    sight: &Sight<'_>,
    context: &mut StageContext<'_>,
    part: Part,
    decided: &[Decided<'_>],
    cards: Option<&ModelCards>,
    kept: Vec<Seen>,
) -> Result<Vec<DrawCounts>> {
    let (mut decisions, mut candidates, mut draws) = (Vec::new(), Vec::new(), Vec::new());
    let (whole, of_part);
    let week = if part == Part::WHOLE {
        whole = sight.run.open(context, part)?;
        &whole.week
    } else {
        of_part = sight.run.open_masters(context, part, &sight.learned.sample.week)?;
        &of_part
    };
    let (offered, mut kept) = (sight.learned.offered(), kept.into_iter());
    for Decided { side, slates, .. } in decided {
        let is_own = side.engine == OWN_ENGINE;
        let version = cards.filter(|_| is_own).map(|cards| cards.version.as_str());
        let (config, models) = (context.config, explaining(sight, context, *side));
        let why = Why { config, models, slates, part, week, offered };
        let (responses, reasons) = match kept.next() {
            Some(seen) => {
                let pairs = sight.pairs(context, &seen);
                let reasons = why.reasons(&seen.visits, |each| pairs.each(each))?;
                (seen.scored.into_responses(), reasons)
            }
            None => {
                let visits = Visits::read(context.engine, &week.candidates())?;
                let blocks = slates.part(part.at).len().div_ceil(BLOCK);
                let mut responses = Responses::default();
                let reasons = why.reasons(&visits, |each| {
                    (0..blocks).try_for_each(|at| {
                        let bytes = context.take_back_bytes(&aside_of(*side, part, at))?;
                        each(&responses.take_back(&bytes)?)
                    })
                })?;
                (responses, reasons)
            }
        };
        let log = DecisionLog {
            context,
            week,
            responses: &responses,
            slates,
            part: slates.part(part.at),
            reasons,
            engine: side.engine,
            model_version: version.unwrap_or(NO_MODEL),
            test: sight.run.test.as_ref(),
        };
        let drawn = DrawColumns::of(log.week, slates, log.part.clone());
        draws.push(DrawCounts::of(&drawn));
        decisions.push(log.decisions(drawn)?);
        if part == Part::WHOLE {
            candidates.push(log.candidates()?);
        }
    }
    let sql = include_str!("../../sql/decisions_by_customer.sql");
    let decisions = by_customer(context, decisions, sql)?.conform(&DECISIONS)?;
    context.write_part(DECISIONS.name, part, &decisions)?;
    if part == Part::WHOLE {
        let sql = include_str!("../../sql/candidates_by_customer.sql");
        context.write_table("candidates", &by_customer(context, candidates, sql)?)?;
    }
    Ok(draws)
}

/// The ensembles, where a side's reasons are explained by them.
fn explaining<'a>(
    sight: &'a Sight<'_>,
    context: &StageContext<'_>,
    side: Side<'_>,
) -> Option<&'a Models> {
    let (customers, slots) = (sight.learned.sample.week.facts.customers, &context.config.slots);
    let is_explained = side.engine == OWN_ENGINE && are_explained(customers, slots.len());
    sight.learned.models().filter(|_| is_explained)
}

/// Puts aside what the log will ask of the offers that are made.
fn put_aside(
    sight: &Sight<'_>,
    context: &StageContext<'_>,
    part: Part,
    side: Side<'_>,
    mut seen: Seen,
    is_explained: bool,
) -> Result<()> {
    let responses = std::mem::take(&mut seen.scored).into_responses();
    let (mut first, mut at) = (0, 0);
    sight.pairs(context, &seen).each(|block| {
        let bytes = responses.put_aside(first, block, is_explained)?;
        context.put_bytes_aside(&aside_of(side, part, at), bytes)?;
        (first, at) = (first + block.len(), at + 1);
        Ok(())
    })
}

/// Where what the log will ask of a block of a side's customers waits.
fn aside_of(side: Side<'_>, part: Part, block: usize) -> String {
    let side = if side.is_baseline { "baseline" } else { "own" };
    part.named("offers_aside", &format!("{side}-{block:03}.bin"))
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
