//! Which offers are best for one customer when their values add up?
//!
//! A maximum-weight assignment of candidates to slots in which two of the same key exclude each other
//! and only so many offers are made. Each mask of slots keeps its few best candidates: one beyond them
//! could be exchanged for one of them without loss. Where no two promotions exclude each other, sets that
//! can be seated form a matroid, and taking the best that fits is the optimum (Edmonds 1971,
//! doi:10.1007/BF01584082). Else a dynamic programme over the sets of taken slots is exact.

use super::market::{Item, Pinned, Shelf, Slate};
use crate::problem::MAX_SLOTS;
use crate::solve::picks::Picks;
use crate::solve::seats::Seated;

/// Masks of slots there can be.
const MASKS: usize = 1 << MAX_SLOTS;

/// The best candidates of each mask of slots, by falling surplus, then by place.
pub(super) struct Shelves {
    /// What a candidate has to beat, by mask.
    least_minor: [f64; MASKS],
    counts: [u8; MASKS],
    lists: Vec<[Item; MAX_SLOTS]>,
    /// Masks in use.
    masks: usize,
    more: usize,
    /// True when candidates of different promotions may have the same key.
    has_groups: bool,
    kept: Vec<Item>,
}

impl Default for Shelves {
    fn default() -> Self {
        Self {
            least_minor: [0.0; MASKS],
            counts: [0; MASKS],
            lists: vec![[Item::default(); MAX_SLOTS]; MASKS],
            masks: 0,
            more: 0,
            has_groups: false,
            kept: Vec::new(),
        }
    }
}

impl Shelves {
    /// Empties them for a customer who may get so many offers more.
    pub(super) fn open(&mut self, slots: usize, more: usize, has_groups: bool) {
        self.masks = 1 << slots;
        (self.more, self.has_groups) = (more, has_groups);
        self.least_minor[..self.masks].fill(0.0);
        self.least_minor[0] = f64::INFINITY;
        self.counts[..self.masks].fill(0);
    }

    /// Candidates of a mask that may be of use: so many as have a seat in its slots. Of keys that exclude
    /// others so many as are wanted, because all others might be taken elsewhere.
    fn size(&self, mask: u8) -> usize {
        match self.has_groups {
            true => self.more,
            false => self.more.min(mask.count_ones() as usize),
        }
    }
}

impl Shelf for Shelves {
    fn least_minor(&self, mask: u8) -> f64 {
        self.least_minor[usize::from(mask)]
    }

    fn add(&mut self, item: Item) {
        let mask = usize::from(item.mask);
        if self.more == 1 || item.mask.is_power_of_two() && !self.has_groups {
            // Room for one: it is better than what is there.
            self.lists[mask][0] = item;
            self.counts[mask] = 1;
            self.least_minor[mask] = item.surplus_minor;
            return;
        }
        let (size, mut count) = (self.size(item.mask), usize::from(self.counts[mask]));
        let list = &mut self.lists[mask];
        let same = self.has_groups.then(|| list[..count].iter().position(|o| o.key == item.key));
        // Of a key only the best stays; else the last goes when the shelf is full.
        let mut hole = match same.flatten() {
            Some(place) if list[place].surplus_minor >= item.surplus_minor => return,
            Some(place) => place,
            None if count == size => size - 1,
            None => {
                count += 1;
                count - 1
            }
        };
        // Candidates come by place: of equals the one that is there stays before.
        while hole > 0 && list[hole - 1].surplus_minor < item.surplus_minor {
            list[hole] = list[hole - 1];
            hole -= 1;
        }
        list[hole] = item;
        self.counts[mask] = count as u8;
        if count == size {
            self.least_minor[mask] = list[size - 1].surplus_minor;
        }
    }
}

/// The best at most `more` offers on the shelves beside what is pinned.
pub(super) fn best(shelves: &mut Shelves, pinned: &Pinned, more: usize) -> Slate {
    let mut kept = std::mem::take(&mut shelves.kept);
    kept.clear();
    for mask in 1..shelves.masks {
        kept.extend_from_slice(&shelves.lists[mask][..usize::from(shelves.counts[mask])]);
    }
    let slate = match shelves.has_groups || !pinned.masks.is_empty() {
        true => best_of_keys(&mut kept, pinned, more),
        false => best_that_fit(&mut kept, more),
    };
    shelves.kept = kept;
    slate
}

fn best_that_fit(kept: &mut [Item], more: usize) -> Slate {
    kept.sort_unstable_by(|one, other| {
        other.surplus_minor.total_cmp(&one.surplus_minor).then(one.at.cmp(&other.at))
    });
    let (mut slate, mut seated) = (Slate::default(), Seated::default());
    for item in kept {
        let Some(with) = seated.with(item.mask) else { continue };
        seated = with;
        slate.picks.push(usize::from(item.at));
        slate.surplus_minor += item.surplus_minor;
        if seated.count() == more {
            break;
        }
    }
    slate.most_minor = slate.surplus_minor;
    slate
}

/// The best sum of surpluses per set of taken slots, and the items that make it.
#[derive(Clone, Copy)]
struct State {
    surplus_minor: f64,
    picks: Picks,
}

fn best_of_keys(kept: &mut [Item], pinned: &Pinned, more: usize) -> Slate {
    kept.sort_unstable_by_key(|item| (item.key, item.at));
    let masks = || pinned.masks.iter().copied().chain(kept.iter().map(|item| item.mask));
    let sets = 1 << (8 - masks().fold(0, |all, mask| all | mask).leading_zeros());
    let mut states: Vec<Option<State>> = vec![None; sets];
    states[0] = Some(State { surplus_minor: 0.0, picks: Picks::default() });
    for &mask in &pinned.masks {
        let mut next = vec![None; sets];
        for (taken, state) in states.iter().enumerate() {
            if let Some(state) = state {
                for slot in free_slots(mask, taken) {
                    next[taken | 1 << slot] = Some(*state);
                }
            }
        }
        states = next;
    }
    let most = pinned.masks.len() + more;
    for of_key in kept.chunk_by(|one, other| one.key == other.key) {
        // From full to empty sets: what is read has not taken any of this key yet.
        for taken in (0..sets).rev() {
            let Some(state) = states[taken] else { continue };
            if taken.count_ones() as usize >= most {
                continue;
            }
            for item in of_key {
                for slot in free_slots(item.mask, taken) {
                    let surplus_minor = state.surplus_minor + item.surplus_minor;
                    let into = &mut states[taken | 1 << slot];
                    if into.is_none_or(|into| into.surplus_minor < surplus_minor) {
                        let mut picks = state.picks;
                        picks.push(usize::from(item.at));
                        *into = Some(State { surplus_minor, picks });
                    }
                }
            }
        }
    }
    let mut best = State { surplus_minor: 0.0, picks: Picks::default() };
    for state in states.into_iter().flatten() {
        if state.surplus_minor > best.surplus_minor {
            best = state;
        }
    }
    let State { surplus_minor, picks } = best;
    Slate { picks, surplus_minor, most_minor: surplus_minor }
}

fn free_slots(mask: u8, taken: usize) -> impl Iterator<Item = usize> {
    let free = usize::from(mask) & !taken;
    (0..MAX_SLOTS).filter(move |slot| free >> slot & 1 == 1)
}
