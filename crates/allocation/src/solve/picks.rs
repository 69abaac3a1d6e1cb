//! Which offers has each customer?

use crate::problem::MAX_SLOTS;

/// Offers of one customer, as places in the row, in the order in which they are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Picks {
    list: [u16; MAX_SLOTS],
    count: u8,
}

impl Picks {
    pub(super) fn push(&mut self, at: usize) {
        self.list[usize::from(self.count)] = at as u16;
        self.count += 1;
    }

    pub(super) fn pop(&mut self) {
        self.count -= 1;
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.count)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.list[..self.len()].iter().map(|at| usize::from(*at))
    }

    /// Orders them by a key.
    pub(super) fn sort_by_key<K: Ord>(&mut self, key: impl Fn(usize) -> K) {
        let count = self.len();
        self.list[..count].sort_by_key(|at| key(usize::from(*at)));
    }
}

/// The offers of all customers beside the pins.
#[derive(Clone)]
pub(super) struct Book {
    list: Vec<u16>,
    width: usize,
}

/// An empty place in a [`Book`]; no row is so long.
const NONE: u16 = u16::MAX;

impl Book {
    pub(super) fn new(customers: usize, width: usize) -> Self {
        Self { list: vec![NONE; customers * width], width }
    }

    /// The customer's offers in the order in which they were chosen.
    pub(super) fn of(&self, customer: usize) -> Picks {
        let mut picks = Picks::default();
        let list = &self.list[customer * self.width..(customer + 1) * self.width];
        list.iter().filter(|at| **at != NONE).for_each(|at| picks.push(usize::from(*at)));
        picks
    }

    pub(super) fn set(&mut self, customer: usize, picks: &Picks) {
        let list = &mut self.list[customer * self.width..(customer + 1) * self.width];
        let picks = picks.iter().map(|at| at as u16).chain(std::iter::repeat(NONE));
        list.iter_mut().zip(picks).for_each(|(place, at)| *place = at);
    }
}
