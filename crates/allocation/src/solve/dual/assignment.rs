//! Which offers are best for one customer when their values add up?
//!
//! A maximum-weight assignment of candidates to slots in which two of the same key exclude each other
//! and only so many offers are made. Each mask of slots keeps its few best keys: an offer beyond them
//! could be exchanged for one of them without loss. Over what is kept, a dynamic programme over the
//! sets of taken slots is exact.

use super::market::{Item, Picks, Pinned, Slate};
use crate::problem::MAX_SLOTS;

/// The best candidates of one mask of slots, by falling surplus, of different keys.
struct Shelf {
    mask: u8,
    items: [Option<Item>; MAX_SLOTS],
}

impl Shelf {
    fn add(&mut self, item: Item, most: usize) {
        let beats = |other: &Option<Item>| {
            other.is_none_or(|other| {
                item.surplus_minor > other.surplus_minor
                    || (item.surplus_minor == other.surplus_minor && item.at < other.at)
            })
        };
        if !beats(&self.items[most - 1]) {
            return;
        }
        // Of a key only the best stays.
        let same = |other: &Option<Item>| other.is_some_and(|other| other.key == item.key);
        let mut hole = match self.items[..most].iter().position(same) {
            Some(place) if !beats(&self.items[place]) => return,
            Some(place) => place,
            None => most - 1,
        };
        while hole > 0 && beats(&self.items[hole - 1]) {
            self.items[hole] = self.items[hole - 1];
            hole -= 1;
        }
        self.items[hole] = Some(item);
    }
}

/// The best sum of surpluses per set of taken slots, and the items that make it.
#[derive(Clone, Copy)]
struct State {
    surplus_minor: f64,
    picks: Picks,
}

/// The best at most `more` offers beside what is pinned.
pub(super) fn best(items: &[Item], pinned: &Pinned, more: usize) -> Slate {
    let mut shelves: Vec<Shelf> = Vec::with_capacity(MAX_SLOTS);
    for &item in items {
        let shelf = match shelves.iter().position(|shelf| shelf.mask == item.mask) {
            Some(place) => &mut shelves[place],
            None => {
                shelves.push(Shelf { mask: item.mask, items: [None; MAX_SLOTS] });
                let last = shelves.len() - 1;
                &mut shelves[last]
            }
        };
        shelf.add(item, more);
    }
    let mut kept: Vec<Item> = shelves.iter().flat_map(|shelf| shelf.items).flatten().collect();
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
                        picks.push(item.at);
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
