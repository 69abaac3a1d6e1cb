//! Which slots may each offer fill?

use tercet_engine::{Engine, Frame, params};
use tercet_features::PairBlock;
use tercet_types::{Error, Result};

use super::pairs::{PairView, WeekPairs};
use super::worth::{Scored, Visits};
use crate::config::Slot;

/// Which slots each row of [`Scored`] may fill: bit `k` for slot `k`.
pub(crate) struct SlotMasks(Option<Vec<u8>>, u8);

impl SlotMasks {
    pub(super) fn of(&self, row: usize) -> u8 {
        self.0.as_ref().map_or(self.1, |masks| masks[row])
    }

    /// For slots before any row is evaluated.
    pub(crate) fn new(slots: &[Slot]) -> Self {
        let all = ((1_u16 << slots.len().min(8)) - 1) as u8;
        let is_open = slots.iter().all(|slot| slot.predicate.trim().is_empty());
        Self((!is_open).then(Vec::new), all)
    }

    /// True when some slot has a predicate, so that rows have to be [`add`](Self::add)ed.
    pub(crate) fn has_predicates(&self) -> bool {
        self.0.is_some()
    }

    /// Evaluates the slots' predicates for the next rows, those of whole customers. `facts` says, row by row, what they
    /// may look at of the pair; promotions and customers are joined to it.
    ///
    /// # Errors
    /// `T1016` naming the slot whose predicate is not SQL over the known columns.
    pub(crate) fn add(&mut self, engine: &Engine, slots: &[Slot], facts: &Frame) -> Result<()> {
        let Some(all) = &mut self.0 else { return Ok(()) };
        engine.register("offer_pairs", facts)?;
        let texts: Vec<(&Slot, &str)> = slots
            .iter()
            .flat_map(|slot| [(slot, slot.predicate.trim()), (slot, slot.otherwise.trim())])
            .collect();
        let found = rows_that_meet(engine, facts.rows(), &texts)?;
        engine.forget("offer_pairs")?;
        let customers = facts.i32("customer_ix")?;
        let mut masks = vec![0_u8; facts.rows()];
        for (at, slot) in slots.iter().enumerate() {
            let (meets, otherwise) = (&found[2 * at], &found[2 * at + 1]);
            let mut row = 0;
            while row < customers.len() {
                let end =
                    row + customers[row..].iter().take_while(|ix| **ix == customers[row]).count();
                let falls_back = !slot.otherwise.trim().is_empty()
                    && !meets[row..end].iter().any(|meets| *meets);
                let chosen = if falls_back { otherwise } else { meets };
                for at_row in row..end {
                    masks[at_row] |= u8::from(chosen[at_row]) << at;
                }
                row = end;
            }
        }
        all.extend(masks);
        Ok(())
    }
}

/// For each predicate, which rows of `offer_pairs` meet it; an empty predicate takes all.
fn rows_that_meet(
    engine: &Engine,
    rows: usize,
    predicates: &[(&Slot, &str)],
) -> Result<Vec<Vec<bool>>> {
    let columns: Vec<String> = predicates
        .iter()
        .enumerate()
        .map(|(at, (_, text))| {
            format!("({}) as meets_{at}", if text.is_empty() { "true" } else { text })
        })
        .collect();
    let sql = |columns: &str| {
        include_str!("../../sql/slot_predicates.sql").replace("{predicates}", columns)
    };
    let found = match engine.query(&sql(&columns.join(", ")), &params([])) {
        Ok(found) => found,
        Err(error) => {
            // One by one, to name the slot.
            for (column, (slot, _)) in columns.iter().zip(predicates) {
                engine.query(&sql(column), &params([])).map_err(|error| {
                    Error::config("T1016", format!("slot '{}': {error}", slot.name))
                        .hint("a slot's `where` is SQL over promotion, customer and pair; docs/src/concepts/slots-and-rules.md lists the columns")
                        .cause(error)
                })?;
            }
            return Err(error);
        }
    };
    let places = found.i64("row")?;
    let mut meets = Vec::with_capacity(predicates.len());
    for at in 0..predicates.len() {
        let mut of_rows = vec![false; rows];
        for (place, value) in places.iter().zip(found.bool_or_null(&format!("meets_{at}"))?) {
            of_rows[*place as usize] = value == Some(true);
        }
        meets.push(of_rows);
    }
    Ok(meets)
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
