//! Which slots may each offer fill?

use std::collections::BTreeMap;

use tercet_allocation::check_slots;
use tercet_engine::{Engine, Frame};
use tercet_features::PairBlock;
use tercet_types::{Error, Result};

use super::pairs::{PairFeatures, PairView, WeekPairs};
use super::worth::{Scored, Visits};
use crate::config::Slot;

/// Which slots each row of [`Scored`] may fill: bit `k` for slot `k`. Without a list all rows may fill the same.
pub(crate) struct SlotMasks(Option<Vec<u8>>, u8);

impl SlotMasks {
    pub(super) fn of(&self, row: usize) -> u8 {
        self.0.as_ref().map_or(self.1, |masks| masks[row])
    }
}

/// Which slots each row of `scored` may fill; its customers are those of `pairs`, its promotions some of them.
///
/// # Errors
/// `T0602` for too many slots; `T1016` naming the slot whose predicate is not SQL over the known columns.
pub(super) fn slot_masks(
    engine: &Engine,
    slots: &[Slot],
    scored: &Scored,
    pairs: &WeekPairs<'_>,
    visits: &Visits,
) -> Result<SlotMasks> {
    check_slots(slots.len())?;
    let all = ((1_u16 << slots.len()) - 1) as u8;
    if slots.iter().all(|slot| slot.predicate.trim().is_empty()) {
        return Ok(SlotMasks(None, all));
    }
    let mut masks = Vec::with_capacity(scored.rows());
    if scored.promotions.is_empty() {
        return Ok(SlotMasks(Some(masks), all));
    }
    let strangers = || Error::internal("T0504", "scores of pairs that were not asked for");
    let offered = pairs.offered();
    let places = scored.promotions.iter().map(|ix| offered.place(*ix).ok_or_else(strangers));
    let places = places.collect::<Result<Vec<usize>>>()?;
    let promotions = include_str!("../../sql/slot_promotions.sql");
    engine.register(PROMOTIONS, &engine.query(promotions, &BTreeMap::new())?)?;
    let by_kind = by_kind(engine, slots, &scored.promotions)?;
    let mut first = 0;
    pairs.each(|block| {
        if scored.customers.get(first..first + block.len()) != Some(&block.customer_ix[..]) {
            return Err(strangers());
        }
        let view = PairView::new(block, offered)?;
        match &by_kind {
            Some(by_kind) => {
                let mut met = vec![Met::default(); places.len()];
                for customer in 0..block.len() {
                    for ((met, place), of) in met.iter_mut().zip(&places).zip(by_kind) {
                        *met = of[kind_of(&view.pair(customer, *place))];
                    }
                    open(slots, &met, &mut masks);
                }
            }
            None => {
                let facts = offer_facts(scored, first, block, &places, &view, visits)?;
                let met = rows_that_meet(engine, slots, &facts)?;
                met.chunks_exact(places.len()).for_each(|met| open(slots, met, &mut masks));
            }
        }
        first += block.len();
        Ok(())
    })?;
    engine.forget(PROMOTIONS)?;
    Ok(SlotMasks(Some(masks), all))
}

/// The promotions with the columns that predicates may look at.
const PROMOTIONS: &str = "slot_promotions";

/// The pairs that predicates are asked of.
const PAIRS: &str = "offer_pairs";

/// What a row meets: bit `2k` for the predicate of slot `k`, the bit above it for what the slot takes otherwise.
type Met = u16;

/// Adds the masks of a customer's rows.
fn open(slots: &[Slot], met: &[Met], masks: &mut Vec<u8>) {
    let from = masks.len();
    masks.resize(from + met.len(), 0);
    for (at, slot) in slots.iter().enumerate() {
        let falls_back =
            !slot.otherwise.trim().is_empty() && !met.iter().any(|met| met >> (2 * at) & 1 == 1);
        let bit = 2 * at + usize::from(falls_back);
        for (mask, met) in masks[from..].iter_mut().zip(met) {
            *mask |= ((met >> bit & 1) as u8) << at;
        }
    }
}

/// Kinds of pairs of a promotion.
const KINDS: usize = 4;

/// The kind of a pair: whether it was bought before, and whether the customer buys the category.
fn kind_of(pair: &PairFeatures<'_>) -> usize {
    2 * usize::from(pair.own_days() > 0) + usize::from(pair.buys_category())
}

/// What pairs of each kind meet, by promotion; nothing where a predicate looks at more of a pair than its kind, or at
/// the customer.
fn by_kind(
    engine: &Engine,
    slots: &[Slot],
    promotions: &[i32],
) -> Result<Option<Vec<[Met; KINDS]>>> {
    let kinds = |of: fn(usize) -> bool| -> Vec<bool> {
        promotions.iter().flat_map(|_| (0..KINDS).map(of)).collect()
    };
    let rows = promotions.len() * KINDS;
    let facts = Frame::of(vec![
        ("row", (0..rows as i64).collect::<Vec<i64>>().into()),
        ("promotion_ix", promotions.iter().flat_map(|ix| [*ix; KINDS]).collect::<Vec<_>>().into()),
        ("bought_before", kinds(|kind| kind >= 2).into()),
        ("buys_category", kinds(|kind| kind % 2 == 1).into()),
    ])?;
    engine.register(PAIRS, &facts)?;
    let sql = include_str!("../../sql/slot_predicates_by_kind.sql");
    let columns: Vec<String> = conditions(slots).map(|(_, column)| column).collect();
    let found = engine.query(&sql.replace("{predicates}", &columns.join(", ")), &BTreeMap::new());
    engine.forget(PAIRS)?;
    // What is wrong with a predicate is said where all that it may look at is there.
    let Ok(found) = found else { return Ok(None) };
    let met = met(&found, slots, rows)?;
    Ok(Some(met.as_chunks::<KINDS>().0.to_vec()))
}

/// The predicates with their slots, as columns: one that is empty is met by all.
fn conditions(slots: &[Slot]) -> impl Iterator<Item = (&Slot, String)> {
    let texts = slots.iter().flat_map(|slot| [(slot, &slot.predicate), (slot, &slot.otherwise)]);
    texts.enumerate().map(|(at, (slot, text))| {
        let text = if text.trim().is_empty() { "true" } else { text.trim() };
        (slot, format!("({text}) as meets_{at}"))
    })
}

/// What each row of `facts` meets.
fn rows_that_meet(engine: &Engine, slots: &[Slot], facts: &Frame) -> Result<Vec<Met>> {
    engine.register(PAIRS, facts)?;
    let sql = |columns: &str| {
        include_str!("../../sql/slot_predicates.sql").replace("{predicates}", columns)
    };
    let columns: Vec<(&Slot, String)> = conditions(slots).collect();
    let all: Vec<&str> = columns.iter().map(|(_, column)| column.as_str()).collect();
    let found = match engine.query(&sql(&all.join(", ")), &BTreeMap::new()) {
        Ok(found) => found,
        Err(error) => {
            // One by one, to name the slot.
            for (slot, column) in columns {
                engine.query(&sql(&column), &BTreeMap::new()).map_err(|error| {
                    Error::config("T1016", format!("slot '{}': {error}", slot.name))
                        .hint("a slot's `where` is SQL over promotion, customer and pair; docs/src/concepts/slots-and-rules.md lists the columns")
                        .cause(error)
                })?;
            }
            return Err(error);
        }
    };
    engine.forget(PAIRS)?;
    met(&found, slots, facts.rows())
}

/// What is met by rows, of which `found` has those that were joined.
fn met(found: &Frame, slots: &[Slot], rows: usize) -> Result<Vec<Met>> {
    let places = found.i64("row")?;
    let mut all = vec![Met::default(); rows];
    for at in 0..2 * slots.len() {
        for (place, value) in places.iter().zip(found.bool_or_null(&format!("meets_{at}"))?) {
            all[*place as usize] |= Met::from(value == Some(true)) << at;
        }
    }
    Ok(all)
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
