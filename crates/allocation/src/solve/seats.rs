//! Which offer stands in which slot?

use crate::problem::MAX_SLOTS;

/// Which chosen offer stands in which slot.
pub(super) type Seats = [Option<u8>; MAX_SLOTS];

/// Chosen offers in their slots.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seated {
    masks: [u8; MAX_SLOTS],
    count: u8,
    seats: Seats,
}

impl Seated {
    /// With one more offer that may stand in the slots of the mask, if there is a seat for it.
    pub(super) fn with(mut self, mask: u8) -> Option<Self> {
        *self.masks.get_mut(usize::from(self.count))? = mask;
        let is_seated = seat(&mut self.seats, &self.masks, self.count, &mut 0);
        self.count += 1;
        is_seated.then_some(self)
    }

    /// How many offers there are.
    pub(super) fn count(&self) -> usize {
        usize::from(self.count)
    }

    /// The seats, with the offer chosen first in the earlier slot wherever two may change places.
    pub(super) fn tidy(&self) -> Seats {
        let mut seats = self.seats;
        for _ in 0..MAX_SLOTS {
            for (early, late) in
                (0..MAX_SLOTS).flat_map(|a| (a + 1..MAX_SLOTS).map(move |b| (a, b)))
            {
                let (Some(first), Some(second)) = (seats[early], seats[late]) else { continue };
                let fits = |offer: u8, slot: usize| self.masks[usize::from(offer)] >> slot & 1 == 1;
                if first > second && fits(first, late) && fits(second, early) {
                    seats.swap(early, late);
                }
            }
        }
        seats
    }
}

/// Seats an offer, moving others along an augmenting path (Kuhn 1955, doi:10.1002/nav.3800020109).
///
/// Sets of offers that can be seated form a transversal matroid, so that greedy choice by additive
/// values is optimal (Edmonds 1971, doi:10.1007/BF01584082).
fn seat(seats: &mut Seats, masks: &[u8], offer: u8, tried: &mut u8) -> bool {
    let mask = masks[usize::from(offer)];
    let is_free = |slot: &usize| mask >> slot & 1 == 1 && seats[*slot].is_none();
    if let Some(slot) = (0..MAX_SLOTS).find(is_free) {
        seats[slot] = Some(offer);
        return true;
    }
    for slot in 0..MAX_SLOTS {
        let bit = 1 << slot;
        if mask & bit == 0 || *tried & bit != 0 {
            continue;
        }
        *tried |= bit;
        let moved = seats[slot].is_some_and(|other| seat(seats, masks, other, tried));
        if moved {
            seats[slot] = Some(offer);
            return true;
        }
    }
    false
}
