//! Which few promotions are the best of a customer for a slot?

use rayon::prelude::*;

/// A promotion on a list, by its place among those given, and its fixed-point sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The promotion.
    pub promotion: u32,
    /// Its sum; see [`Scorer::margin`](super::Scorer::margin).
    pub sum: i32,
}

/// The best promotions of every customer and slot, the best first; of equal sums the promotion given first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists {
    slots: usize,
    most: usize,
    /// Per customer and slot `most` entries, of which the first `lengths` count.
    entries: Vec<Entry>,
    lengths: Vec<u32>,
}

impl Lists {
    pub(crate) fn empty(customers: usize, slots: usize, most: usize) -> Self {
        let lists = customers * slots;
        Self { slots, most, entries: vec![Entry::default(); lists * most], lengths: vec![0; lists] }
    }

    /// The list of a customer and slot.
    pub fn of(&self, customer: usize, slot: usize) -> &[Entry] {
        let list = customer * self.slots + slot;
        &self.entries[list * self.most..][..self.lengths[list] as usize]
    }

    /// The lists of `customers` customers each, to be filled side by side.
    pub(crate) fn blocks(
        &mut self,
        customers: usize,
    ) -> impl IndexedParallelIterator<Item = Block<'_>> {
        let (slots, most) = (self.slots, self.most);
        let lists = customers * slots;
        self.entries
            .par_chunks_mut((lists * most).max(1))
            .zip(self.lengths.par_chunks_mut(lists.max(1)))
            .map(move |(entries, lengths)| Block { slots, most, entries, lengths })
    }
}

/// The lists of some customers.
pub(crate) struct Block<'a> {
    slots: usize,
    most: usize,
    entries: &'a mut [Entry],
    lengths: &'a mut [u32],
}

impl Block<'_> {
    pub(crate) fn customers(&self) -> usize {
        self.lengths.len() / self.slots
    }

    /// Holds a promotion against the lists of a customer for the slots in `open`. Promotions come in their order.
    #[inline]
    pub(crate) fn offer(&mut self, customer: usize, open: u8, promotion: u32, sum: i32) {
        for slot in (0..self.slots).filter(|slot| open >> slot & 1 == 1) {
            let list = customer * self.slots + slot;
            let length = &mut self.lengths[list];
            let entries = &mut self.entries[list * self.most..][..self.most];
            let full = *length as usize == self.most;
            // Of equal sums the one that came before stays.
            if full && entries.last().is_none_or(|worst| worst.sum >= sum) {
                continue;
            }
            *length += u32::from(!full);
            let mut place = *length as usize - 1;
            while place > 0 && entries[place - 1].sum < sum {
                entries[place] = entries[place - 1];
                place -= 1;
            }
            entries[place] = Entry { promotion, sum };
        }
    }
}
