//! What of some customers' offers waits in a file until it is known which of them are made?
//!
//! A shop in parts values the offers of all its parts before any is made. Of those that are made the log then asks how
//! likely they are answered and what their reasons are: little of what valuing took, and not worth valuing again.

use tercet_features::{CROSS_FEATURES, PairBlock};
use tercet_types::{Error, Result};

use super::pairs::told_places;
use super::worth::VALUE_KINDS;

/// How likely offers are answered: those of all customers with the same promotions, customer after customer.
#[derive(Default)]
pub(super) struct Responses {
    /// What the offers' values are.
    pub(super) value_kind: &'static str,
    /// The number of promotions.
    pub(super) promotions: usize,
    /// Probabilities, row by row.
    pub(super) rates: Vec<f32>,
}

impl Responses {
    /// What waits of a block whose first customer stands at `first`: the customers' responses, and of the block all when
    /// `is_whole`, else the features that facts are told by, of the groups that differ in them from those without a row.
    ///
    /// # Errors
    /// As [`told_places`].
    pub(super) fn put_aside(
        &self,
        first: usize,
        block: &PairBlock,
        is_whole: bool,
    ) -> Result<Vec<u8>> {
        let columns =
            if is_whole { (0..CROSS_FEATURES).collect() } else { told_places()?.to_vec() };
        let row = |at: usize| &block.cross[at * CROSS_FEATURES..(at + 1) * CROSS_FEATURES];
        let tells = |at: &usize| {
            let differs =
                |place: &usize| row(*at)[*place].to_bits() != block.otherwise[*place].to_bits();
            is_whole || columns.iter().any(differs)
        };
        let (mut starts, mut rows) = (vec![0], Vec::new());
        for bounds in block.starts.windows(2) {
            rows.extend((bounds[0]..bounds[1]).filter(tells));
            starts.push(rows.len() as u32);
        }
        let rates = first * self.promotions..(first + block.len()) * self.promotions;
        let rates = &self.rates[rates];
        let own: &[f32] = if is_whole { &block.customers } else { &[] };
        let kind = VALUE_KINDS.iter().position(|kind| *kind == self.value_kind);
        let count = rates.len() + own.len() + rows.len() * (columns.len() + 1);
        let mut lists = Lists(Vec::with_capacity(4 * (count + 2 * starts.len() + 64)));
        lists.add([kind.unwrap_or(VALUE_KINDS.len()) as u32, self.promotions as u32]);
        lists.add(rates.iter().map(|rate| rate.to_bits()));
        lists.add(block.customer_ix.iter().map(|ix| ix.cast_unsigned()));
        lists.add(own.iter().map(|value| value.to_bits()));
        lists.add(block.otherwise.map(f32::to_bits));
        lists.add(starts);
        lists.add(rows.iter().map(|at| block.groups[*at]));
        let values = rows.iter().flat_map(|at| columns.iter().map(|place| row(*at)[*place]));
        lists.add(values.map(f32::to_bits));
        Ok(lists.0)
    }

    /// Reads what waited: adds the responses, and returns the block, in which other features are NaN.
    ///
    /// # Errors
    /// `T0504` for bytes that were not put aside.
    pub(super) fn take_back(&mut self, bytes: &[u8]) -> Result<PairBlock> {
        let told = told_places()?;
        let (all, _) = bytes.as_chunks();
        self.read(Reader(all), &told)
            .ok_or_else(|| Error::internal("T0504", "what was put aside does not read back"))
    }

    fn read(&mut self, mut lists: Reader<'_>, told: &[usize]) -> Option<PairBlock> {
        let head: Vec<u32> = lists.next()?.collect();
        let [kind, promotions] = head[..] else { return None };
        self.value_kind = VALUE_KINDS.get(kind as usize)?;
        self.promotions = promotions as usize;
        self.rates.extend(lists.next()?.map(f32::from_bits));
        let customer_ix: Vec<i32> = lists.next()?.map(u32::cast_signed).collect();
        let customers = lists.next()?.map(f32::from_bits).collect();
        let otherwise: Vec<f32> = lists.next()?.map(f32::from_bits).collect();
        let starts = lists.next()?.map(|start| start as usize).collect();
        let groups: Vec<u32> = lists.next()?.collect();
        let mut values = lists.next()?.map(f32::from_bits);
        let all: Vec<usize> = (0..CROSS_FEATURES).collect();
        let is_whole = values.len() == groups.len() * CROSS_FEATURES;
        let columns = if is_whole { &all } else { told };
        let mut cross = vec![f32::NAN; groups.len() * CROSS_FEATURES];
        for row in cross.chunks_exact_mut(CROSS_FEATURES) {
            for place in columns {
                row[*place] = values.next()?;
            }
        }
        let otherwise = otherwise.try_into().ok()?;
        Some(PairBlock { customer_ix, customers, starts, groups, cross, otherwise })
    }
}

/// Numbers of four bytes, one list after the other, each behind its length.
struct Lists(Vec<u8>);

impl Lists {
    fn add(&mut self, list: impl IntoIterator<Item = u32>) {
        let place = self.0.len();
        self.0.extend([0; 4]);
        list.into_iter().for_each(|number| self.0.extend(number.to_le_bytes()));
        let count = ((self.0.len() - place) / 4 - 1) as u32;
        self.0[place..place + 4].copy_from_slice(&count.to_le_bytes());
    }
}

/// What is left to read.
struct Reader<'a>(&'a [[u8; 4]]);

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<impl ExactSizeIterator<Item = u32> + use<'a>> {
        let (count, rest) = self.0.split_first()?;
        let (list, rest) = rest.split_at_checked(u32::from_le_bytes(*count) as usize)?;
        self.0 = rest;
        Some(list.iter().map(|bytes| u32::from_le_bytes(*bytes)))
    }
}

#[cfg(test)]
mod tests {
    use tercet_features::CUSTOMER_FEATURES;

    use super::*;

    /// Two customers: one with a row of groups 1 and 4, of which the first tells nothing, one with none.
    fn block() -> PairBlock {
        let otherwise = [0.5; CROSS_FEATURES];
        let mut cross = [otherwise, otherwise].concat();
        cross[CROSS_FEATURES + told_places().unwrap()[1]] = 7.0;
        // A feature that no fact is told by.
        let other = (0..CROSS_FEATURES).find(|place| !told_places().unwrap().contains(place));
        cross[other.unwrap()] = 3.0;
        PairBlock {
            customer_ix: vec![3, 9],
            customers: vec![f32::NAN; 2 * CUSTOMER_FEATURES],
            starts: vec![0, 2, 2],
            groups: vec![1, 4],
            cross,
            otherwise,
        }
    }

    /// Of the second of two blocks.
    fn there_and_back(is_whole: bool) -> PairBlock {
        let rates = vec![0.0, 0.5, 0.25, 1.0, 0.25, f32::MIN_POSITIVE, 1.0, 0.0];
        let responses = Responses { value_kind: VALUE_KINDS[1], promotions: 2, rates };
        let put = |first: usize| responses.put_aside(first, &block(), is_whole).unwrap();
        let mut found = Responses::default();
        assert!(found.take_back(&put(0)[4..]).is_err());
        let mut found = Responses::default();
        found.take_back(&put(0)).unwrap();
        let taken = found.take_back(&put(2)).unwrap();
        assert_eq!((found.value_kind, found.promotions), (VALUE_KINDS[1], 2));
        assert_eq!(found.rates, responses.rates);
        taken
    }

    #[test]
    fn what_is_put_aside_reads_back() {
        let (found, thin, given) = (there_and_back(true), there_and_back(false), block());
        assert_eq!((&found.cross, &found.groups), (&given.cross, &given.groups));
        assert_eq!((&found.starts, found.customers.len()), (&given.starts, 2 * CUSTOMER_FEATURES));
        assert_eq!((&thin.groups[..], &thin.starts[..]), (&[4][..], &[0, 1, 1][..]));
        assert_eq!(thin.customer_ix, given.customer_ix);
        for group in 0..5 {
            let facts = |block: &PairBlock| {
                told_places().unwrap().map(|place| block.cross_row(0, group)[place])
            };
            assert_eq!(facts(&thin), facts(&given), "{group}");
        }
    }
}
