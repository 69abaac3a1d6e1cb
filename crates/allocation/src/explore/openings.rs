//! What could a customer's slots have got, and how likely was each?

use super::law::{Exploration, Law, Stream};
use crate::plan::{Placed, Plan};
use crate::problem::{MAX_SLOTS, Problem};

/// A promotion that slots may draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    /// The promotion.
    pub promotion: u32,
    /// Its exclusivity group.
    pub group: Option<u32>,
    /// The slots in which it may stand: bit `k` for slot `k`.
    pub slots: u8,
}

/// What draws of a customer's slots hang on: what was planned, and what may come instead.
///
/// Slots are drawn one after another. Each draws, with equal probability, one of the promotions that may stand
/// in it and that go together with the offers that stay and with those drawn before; none when nothing is left,
/// or when the slate is full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Openings {
    /// What may be drawn, ascending by promotion.
    pub offers: Vec<Opening>,
    /// The plan of each slot: promotion and exclusivity group.
    pub planned: Vec<Option<(u32, Option<u32>)>>,
    /// The slots that the marketer's pins stand in, which are never drawn: bit `k` for slot `k`.
    pub pinned: u8,
    /// True when slots that the plan left empty are not drawn.
    pub is_filled_only: bool,
    /// The most offers of the slate.
    pub offers_most: usize,
}

/// What a customer's coins and draws came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slate {
    /// The slots that were drawn: bit `k` for slot `k`.
    pub drawn: u8,
    /// True when the customer is in the measurement slice.
    pub is_measured: bool,
    /// The promotion of each slot, drawn or as planned.
    pub promotions: [Option<u32>; MAX_SLOTS],
}

/// How likely a slate was before any coin was tossed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Propensities {
    /// The probability that each slot got what it got.
    pub slots: [f64; MAX_SLOTS],
    /// The probability that they all did.
    pub slate: f64,
}

impl Openings {
    /// What may be drawn for a customer of a problem beside the plan, promotions that are left out apart.
    pub(super) fn of(
        problem: &Problem<'_>,
        customer: usize,
        planned: &[Option<Placed>],
        is_left_out: impl Fn(u32) -> bool,
    ) -> Self {
        let offers_most = problem.offers_most(customer);
        let group = |promotion: u32| problem.promotions[promotion as usize].exclusivity_group;
        let mut openings =
            Self { planned: vec![None; planned.len()], offers_most, ..Self::default() };
        for (slot, cell) in planned.iter().enumerate() {
            let Some(placed) = cell else { continue };
            let promotion = problem.candidate(customer, placed.at()).promotion;
            openings.planned[slot] = Some((promotion, group(promotion)));
            openings.pinned |= u8::from(placed.is_pinned()) << slot;
        }
        if offers_most == 0 {
            return openings;
        }
        for candidate in problem.customers.row(customer).iter() {
            if candidate.excluded.is_some() || is_left_out(candidate.promotion) {
                continue;
            }
            let slots = problem.scoped_slots(customer, &candidate) & problem.all_slots();
            if slots != 0 {
                let promotion = candidate.promotion;
                openings.offers.push(Opening { promotion, group: group(promotion), slots });
            }
        }
        openings
    }

    /// The slots that may be drawn: those without a pin that some promotion may stand in; bit `k` for slot `k`.
    pub fn open_slots(&self) -> u8 {
        if self.offers_most == 0 {
            return 0;
        }
        let planned = self.planned.iter().enumerate();
        let is_drawn = |cell: &Option<(u32, Option<u32>)>| !self.is_filled_only || cell.is_some();
        let drawn: u8 = planned.map(|(slot, cell)| u8::from(is_drawn(cell)) << slot).sum();
        self.offers.iter().fold(0, |any, offer| any | offer.slots) & drawn & !self.pinned
    }

    /// The promotions planned for the other slots.
    pub(super) fn beside(&self, slot: usize) -> Vec<u32> {
        let planned = self.planned.iter().enumerate().filter(|(other, _)| *other != slot);
        planned.filter_map(|(_, cell)| cell.map(|(promotion, _)| promotion)).collect()
    }

    /// What a slot can draw when all others stay as planned.
    pub(super) fn drawn_beside(&self, slot: usize) -> impl Iterator<Item = u32> + '_ {
        let planned = self.planned.iter().enumerate().filter(move |(other, _)| *other != slot);
        let taken: Vec<Block> =
            planned.filter_map(|(_, cell)| cell.map(|(p, group)| block(p, group))).collect();
        let is_full = taken.len() >= self.offers_most;
        let is_open = move |offer: &&Opening| {
            !is_full
                && offer.slots >> slot & 1 == 1
                && !taken.contains(&block(offer.promotion, offer.group))
        };
        self.offers.iter().filter(is_open).map(|offer| offer.promotion)
    }

    /// What the coins and draws of a customer with that key come to.
    pub fn draw(&self, exploration: &Exploration, key: u64) -> Slate {
        let stream = exploration.stream(key);
        let (tossed, is_measured) = exploration.law.toss(self.planned.len(), stream);
        self.drawn(tossed & self.open_slots(), is_measured, stream)
    }

    /// The slate when these slots are drawn.
    pub(super) fn drawn(&self, drawn: u8, is_measured: bool, stream: Stream) -> Slate {
        let mut slate = Slate { drawn, is_measured, promotions: [None; MAX_SLOTS] };
        let mut taken: Vec<Block> = Vec::with_capacity(self.planned.len());
        for (slot, planned) in self.planned.iter().enumerate() {
            if drawn >> slot & 1 == 0
                && let Some((promotion, group)) = planned
            {
                slate.promotions[slot] = Some(*promotion);
                taken.push(block(*promotion, *group));
            }
        }
        for slot in (0..self.planned.len()).filter(|slot| drawn >> slot & 1 == 1) {
            let is_open = |offer: &&Opening| {
                offer.slots >> slot & 1 == 1
                    && !taken.contains(&block(offer.promotion, offer.group))
            };
            let count = self.offers.iter().filter(is_open).count();
            if count == 0 || taken.len() >= self.offers_most {
                continue;
            }
            let found = self.offers.iter().filter(is_open).nth(stream.pick(slot, count));
            if let Some(offer) = found {
                slate.promotions[slot] = Some(offer.promotion);
                taken.push(block(offer.promotion, offer.group));
            }
        }
        slate
    }

    /// How likely a slate was, slot by slot and as a whole; exact but for rounding.
    ///
    /// Goes through all ways in which slots can be drawn, and within each through what earlier slots can have
    /// taken from later ones. Promotions that take the same from later slots are gone through together.
    ///
    /// # Panics
    /// When `slate` has fewer entries than the slate has slots.
    pub fn propensities(&self, law: &Law, slate: &[Option<u32>]) -> Propensities {
        let mut sum = Propensities { slots: [0.0; MAX_SLOTS], slate: 0.0 };
        let open = self.open_slots();
        let lots = Lots::new(self);
        for drawn in (0..=open).filter(|drawn| drawn & !open == 0) {
            let chance = law.chance(drawn, open);
            if chance == 0.0 {
                continue;
            }
            let mut way = Way::new(&lots, drawn);
            sum.slate += chance * way.slate(slate);
            for (slot, planned) in self.planned.iter().enumerate() {
                if drawn >> slot & 1 == 0 {
                    let stays = planned.map(|(promotion, _)| promotion) == slate[slot];
                    sum.slots[slot] += if stays { chance } else { 0.0 };
                }
            }
            way.add_slots(slate, chance, &mut sum.slots);
        }
        // What is certain is the sum of many chances, and may come out a bit above 1.
        sum.slots = sum.slots.map(|propensity| propensity.min(1.0));
        sum.slate = sum.slate.min(1.0);
        sum
    }

    /// How likely a promotion was to come into the slate at all, in whatever slot: it stands in one at most.
    pub fn chance_of(&self, law: &Law, promotion: u32) -> f64 {
        let everywhere = vec![Some(promotion); self.planned.len()];
        self.propensities(law, &everywhere).slots.iter().sum::<f64>().min(1.0)
    }
}

impl Plan {
    /// The slots of a customer that were drawn and got an offer: bit `k` for slot `k`.
    pub fn drawn_slots(&self, customer: usize) -> u8 {
        let cells = self.slate(customer).iter().enumerate();
        let is_drawn = |cell: &Option<Placed>| cell.is_some_and(|placed| placed.is_drawn());
        cells.map(|(slot, cell)| u8::from(is_drawn(cell)) << slot).sum()
    }
}

/// Promotions of which a slate takes one: those of an exclusivity group, or one by itself.
type Block = (bool, u32);

fn block(promotion: u32, group: Option<u32>) -> Block {
    group.map_or((false, promotion), |group| (true, group))
}

/// How many promotions of a block may stand in each slot.
type Profile = [u16; MAX_SLOTS];

/// The openings of a customer, blocks of equal profile together: they are of one kind.
struct Lots<'a> {
    openings: &'a Openings,
    /// The blocks, ascending, with their kinds.
    blocks: Vec<(Block, u16)>,
    /// Profile and number of blocks of each kind.
    kinds: Vec<(Profile, u16)>,
}

impl<'a> Lots<'a> {
    fn new(openings: &'a Openings) -> Self {
        let mut profiles: Vec<(Block, Profile)> = Vec::with_capacity(openings.offers.len());
        let mut masks: Vec<(Block, u8)> =
            openings.offers.iter().map(|o| (block(o.promotion, o.group), o.slots)).collect();
        masks.sort_unstable();
        for (block, slots) in masks {
            if profiles.last().is_none_or(|last| last.0 != block) {
                profiles.push((block, [0; MAX_SLOTS]));
            }
            if let Some((_, profile)) = profiles.last_mut() {
                let counts = profile.iter_mut().enumerate();
                counts.for_each(|(slot, count)| *count += u16::from(slots >> slot & 1));
            }
        }
        let mut kinds: Vec<(Profile, u16)> = Vec::new();
        let mut blocks = Vec::with_capacity(profiles.len());
        for (block, profile) in profiles {
            let kind = kinds.iter().position(|(known, _)| *known == profile);
            let kind = kind.unwrap_or_else(|| {
                kinds.push((profile, 0));
                kinds.len() - 1
            });
            kinds[kind].1 += 1;
            blocks.push((block, kind as u16));
        }
        Self { openings, blocks, kinds }
    }

    fn kind_of(&self, block: Block) -> Option<usize> {
        let found = self.blocks.binary_search_by_key(&block, |(block, _)| *block);
        found.ok().map(|at| usize::from(self.blocks[at].1))
    }

    fn opening(&self, promotion: u32) -> Option<&Opening> {
        let offers = &self.openings.offers;
        let at = offers.binary_search_by_key(&promotion, |offer| offer.promotion);
        at.ok().map(|at| &offers[at])
    }
}

/// Kinds of blocks that draws have taken, ascending; the rest is [`NONE`].
type Taken = [u16; MAX_SLOTS];

const NONE: u16 = u16::MAX;

/// One way in which slots can be drawn.
struct Way<'a> {
    lots: &'a Lots<'a>,
    drawn: u8,
    /// Blocks of the offers that stay.
    kept: Vec<Block>,
    /// Blocks of each kind that the offers that stay leave.
    left: Vec<u16>,
    /// Promotions that they leave for each slot.
    totals: [u32; MAX_SLOTS],
}

impl<'a> Way<'a> {
    fn new(lots: &'a Lots<'a>, drawn: u8) -> Self {
        let planned = lots.openings.planned.iter().enumerate();
        let stays = planned.filter(|(slot, _)| drawn >> slot & 1 == 0);
        let kept: Vec<Block> =
            stays.filter_map(|(_, cell)| cell.map(|(p, group)| block(p, group))).collect();
        let mut left: Vec<u16> = lots.kinds.iter().map(|(_, count)| *count).collect();
        kept.iter().filter_map(|block| lots.kind_of(*block)).for_each(|kind| left[kind] -= 1);
        let mut totals = [0; MAX_SLOTS];
        for ((profile, _), left) in lots.kinds.iter().zip(&left) {
            for (total, count) in totals.iter_mut().zip(profile) {
                *total += u32::from(*count) * u32::from(*left);
            }
        }
        Self { lots, drawn, kept, left, totals }
    }

    fn slots(&self) -> impl Iterator<Item = usize> + use<> {
        let drawn = self.drawn;
        (0..MAX_SLOTS).filter(move |slot| drawn >> slot & 1 == 1)
    }

    /// The probability of the slate.
    fn slate(&mut self, slate: &[Option<u32>]) -> f64 {
        let openings = self.lots.openings;
        for (slot, planned) in openings.planned.iter().enumerate() {
            let is_kept = self.drawn >> slot & 1 == 0;
            if is_kept && planned.map(|(promotion, _)| promotion) != slate[slot] {
                return 0.0;
            }
        }
        let (mut chance, mut totals, mut taken) = (1.0, self.totals, self.kept.clone());
        for slot in self.slots() {
            let can_draw = taken.len() < openings.offers_most && totals[slot] > 0;
            let Some(promotion) = slate[slot] else {
                if can_draw {
                    return 0.0;
                }
                continue;
            };
            let Some(offer) = self.lots.opening(promotion) else { return 0.0 };
            let block = block(promotion, offer.group);
            if !can_draw || offer.slots >> slot & 1 == 0 || taken.contains(&block) {
                return 0.0;
            }
            chance /= f64::from(totals[slot]);
            taken.push(block);
            let kind = self.lots.kind_of(block);
            let profile = kind.map_or([0; MAX_SLOTS], |kind| self.lots.kinds[kind].0);
            for (total, count) in totals.iter_mut().zip(profile) {
                *total -= u32::from(count);
            }
        }
        chance
    }

    /// Adds, for each drawn slot, the probability that it got what it got, times `chance`.
    fn add_slots(&mut self, slate: &[Option<u32>], chance: f64, sums: &mut [f64; MAX_SLOTS]) {
        let (kinds, most) = (&self.lots.kinds, self.lots.openings.offers_most);
        let last = self.slots().last();
        let mut states: Vec<(Taken, f64)> = vec![([NONE; MAX_SLOTS], chance)];
        for slot in self.slots() {
            let wanted = slate[slot].and_then(|promotion| self.wanted(promotion, slot));
            let mut next: Vec<(Taken, f64)> = Vec::new();
            for (taken, chance) in &states {
                let drawn = taken.iter().take_while(|kind| **kind != NONE).count();
                let gone = |kind: usize| {
                    taken[..drawn].iter().filter(|of| usize::from(**of) == kind).count() as u16
                };
                let lost = |kind: &u16| u32::from(kinds[usize::from(*kind)].0[slot]);
                let total = self.totals[slot] - taken[..drawn].iter().map(lost).sum::<u32>();
                if total == 0 || self.kept.len() + drawn >= most {
                    sums[slot] += if slate[slot].is_none() { *chance } else { 0.0 };
                    next.push((*taken, *chance));
                    continue;
                }
                if let Some(kind) = wanted {
                    // Blocks of a kind are alike: each of them is as likely to be still there.
                    let there =
                        f64::from(self.left[kind] - gone(kind)) / f64::from(self.left[kind]);
                    sums[slot] += chance * there / f64::from(total);
                }
                if Some(slot) == last {
                    continue;
                }
                for (kind, (profile, _)) in kinds.iter().enumerate() {
                    let ways = u32::from(profile[slot]) * u32::from(self.left[kind] - gone(kind));
                    if ways > 0 {
                        let chance = chance * f64::from(ways) / f64::from(total);
                        next.push((with(*taken, drawn, kind as u16), chance));
                    }
                }
            }
            states = merged(next);
        }
    }

    /// The kind of a promotion's block, when the slot may draw it.
    fn wanted(&self, promotion: u32, slot: usize) -> Option<usize> {
        let offer = self.lots.opening(promotion)?;
        let block = block(promotion, offer.group);
        if offer.slots >> slot & 1 == 0 || self.kept.contains(&block) {
            return None;
        }
        self.lots.kind_of(block)
    }
}

/// With one kind more.
fn with(mut taken: Taken, count: usize, kind: u16) -> Taken {
    taken[count] = kind;
    taken[..=count].sort_unstable();
    taken
}

/// Equal states together.
fn merged(mut states: Vec<(Taken, f64)>) -> Vec<(Taken, f64)> {
    states.sort_by_key(|(taken, _)| *taken);
    states.dedup_by(|other, one| {
        let is_same = other.0 == one.0;
        one.1 += if is_same { other.1 } else { 0.0 };
        is_same
    });
    states
}
