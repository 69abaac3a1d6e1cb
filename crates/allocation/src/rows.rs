//! How are the candidates of customers packed?
//!
//! Five million customers with a hundred candidates each have to fit beside everything else, so a customer's
//! candidates are a run of bytes: values, costs, losses of margin, slots, and which promotions they are. Nothing
//! is rounded: a customer takes as many bytes per number as the largest of his or her numbers asks for. A
//! candidate is usually 5 bytes where the customer has all promotions, none is excluded and no margin is
//! counted; each of the other takes two more.

use crate::constraints::RuleId;
use crate::customers::Candidate;

/// Promotions that candidates may name: what fits beside the flag in two bytes.
pub const MAX_PROMOTIONS: usize = 1 << PROMOTION_BITS;

const PROMOTION_BITS: u32 = 13;

/// Customers whose candidates share an allocation.
const BLOCK: usize = 4_096;

/// Rows of candidates, one a customer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    blocks: Vec<Block>,
    count: usize,
}

/// The rows of so many customers.
#[derive(Clone, Debug, Default)]
struct Block {
    formats: Vec<Format>,
    bytes: Vec<u8>,
}

/// Where a row begins and how it is written.
#[derive(Clone, Copy, Debug)]
struct Format {
    start: u32,
    candidates: u16,
    /// Bytes of a value, of a cost and of a loss: 2, 4 or 8.
    width: u8,
    /// False where no candidate loses margin: losses are not written then.
    has_losses: bool,
    /// False where the candidates are promotions 0, 1, 2 … and none is excluded: they are not written then.
    is_listed: bool,
}

impl Rows {
    /// The row at a place.
    pub(crate) fn row(&self, at: usize) -> Row<'_> {
        let block = &self.blocks[at / BLOCK];
        let format = block.formats[at % BLOCK];
        Row { bytes: &block.bytes[format.start as usize..][..format.bytes()], format }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Adds the row of one customer more.
    pub(crate) fn push(&mut self, candidates: &[Candidate]) {
        self.next().push(candidates);
    }

    /// Adds a row that is packed already.
    pub(crate) fn copy(&mut self, row: Row<'_>) {
        self.next().copy(row);
    }

    /// Candidates of all rows.
    pub(crate) fn candidates(&self) -> usize {
        let rows = self.blocks.iter().flat_map(|block| &block.formats);
        rows.map(|format| usize::from(format.candidates)).sum()
    }

    /// Bytes that all rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes.len()).sum()
    }

    /// The block for one row more.
    fn next(&mut self) -> &mut Block {
        if self.count.is_multiple_of(BLOCK) {
            if let Some(last) = self.blocks.last_mut() {
                last.formats.shrink_to_fit();
                last.bytes.shrink_to_fit();
            }
            self.blocks.push(Block::default());
        }
        let block = self.count / BLOCK;
        self.count += 1;
        &mut self.blocks[block]
    }
}

impl Block {
    fn copy(&mut self, row: Row<'_>) {
        self.formats.push(Format { start: self.bytes.len() as u32, ..row.format });
        self.bytes.extend_from_slice(row.bytes);
    }

    fn push(&mut self, candidates: &[Candidate]) {
        let widths = candidates.iter().map(|candidate| {
            let value = candidate.value_minor;
            let most = candidate.expected_cost_minor.max(candidate.margin_loss_minor);
            if i16::try_from(value).is_ok() && u16::try_from(most).is_ok() {
                2
            } else if i32::try_from(value).is_ok() && u32::try_from(most).is_ok() {
                4
            } else {
                8
            }
        });
        let width: u8 = widths.max().unwrap_or(2);
        let is_plain =
            |(at, c): (usize, &Candidate)| c.promotion as usize == at && c.excluded.is_none();
        let is_listed = !candidates.iter().enumerate().all(is_plain);
        let has_losses = candidates.iter().any(|candidate| candidate.margin_loss_minor != 0);
        let (start, count) = (self.bytes.len() as u32, candidates.len() as u16);
        let bytes = &mut self.bytes;
        let mut write = |number: i64| bytes.extend(&number.to_le_bytes()[..usize::from(width)]);
        candidates.iter().for_each(|candidate| write(candidate.value_minor));
        candidates.iter().for_each(|candidate| write(candidate.expected_cost_minor));
        if has_losses {
            candidates.iter().for_each(|candidate| write(candidate.margin_loss_minor));
        }
        bytes.extend(candidates.iter().map(|candidate| candidate.slots));
        if is_listed {
            bytes.extend(candidates.iter().flat_map(|candidate| code(candidate).to_le_bytes()));
        }
        self.formats.push(Format { start, candidates: count, width, has_losses, is_listed });
    }
}

/// Promotion and flag in two bytes.
fn code(candidate: &Candidate) -> u16 {
    let flag = candidate.excluded.map_or(0, |rule| rule as u16 + 1);
    candidate.promotion as u16 | flag << PROMOTION_BITS
}

impl Format {
    fn bytes(self) -> usize {
        let each = self.number_bytes() + 1 + 2 * usize::from(self.is_listed);
        usize::from(self.candidates) * each
    }

    /// Bytes of the numbers of a candidate.
    fn number_bytes(self) -> usize {
        usize::from(self.width) * if self.has_losses { 3 } else { 2 }
    }
}

/// The candidates of one customer, ascending by promotion.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    bytes: &'a [u8],
    format: Format,
}

impl<'a> Row<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        usize::from(self.format.candidates)
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The candidate at a place of the row.
    pub fn get(&self, at: usize) -> Candidate {
        let (promotion, excluded) = self.named(at);
        Candidate {
            promotion,
            slots: self.slots()[at],
            value_minor: self.number(at, true),
            expected_cost_minor: self.number(self.len() + at, false),
            margin_loss_minor: match self.format.has_losses {
                true => self.number(2 * self.len() + at, false),
                false => 0,
            },
            excluded,
        }
    }

    /// The candidates, place by place.
    pub fn iter(self) -> impl Iterator<Item = Candidate> + 'a {
        (0..self.len()).map(move |at| self.get(at))
    }

    /// Bytes of a value, of a cost and of a loss: 2, 4 or 8.
    pub(crate) fn width(&self) -> u8 {
        self.format.width
    }

    /// Values and costs in so many bytes each: little-endian, values signed, costs not.
    pub(crate) fn numbers<const WIDTH: usize>(&self) -> (&'a [[u8; WIDTH]], &'a [[u8; WIDTH]]) {
        self.bytes[..2 * self.len() * WIDTH].as_chunks::<WIDTH>().0.split_at(self.len())
    }

    /// Losses of margin in so many bytes each, as costs are; none where no candidate has any.
    pub(crate) fn losses<const WIDTH: usize>(&self) -> Option<&'a [[u8; WIDTH]]> {
        let numbers = || self.bytes[2 * self.len() * WIDTH..].as_chunks::<WIDTH>().0;
        self.format.has_losses.then(|| &numbers()[..self.len()])
    }

    /// The slots whose predicates the candidates meet.
    pub(crate) fn slots(&self) -> &'a [u8] {
        let start = self.len() * self.format.number_bytes();
        &self.bytes[start..start + self.len()]
    }

    /// Promotions with their flags; none when the places are the promotions. See [`promotion_of`].
    pub(crate) fn codes(&self) -> Option<&'a [[u8; 2]]> {
        let start = self.len() * (self.format.number_bytes() + 1);
        self.format.is_listed.then(|| self.bytes[start..].as_chunks::<2>().0)
    }

    fn named(&self, at: usize) -> (u32, Option<RuleId>) {
        let Some(codes) = self.codes() else { return (at as u32, None) };
        let code = u16::from_le_bytes(codes[at]);
        let flag = usize::from(code >> PROMOTION_BITS);
        let promotion = u32::from(code) & ((1 << PROMOTION_BITS) - 1);
        (promotion, flag.checked_sub(1).and_then(|flag| RuleId::all().nth(flag)))
    }

    fn number(&self, place: usize, is_signed: bool) -> i64 {
        match self.format.width {
            2 => self.number_of::<2>(place, is_signed),
            4 => self.number_of::<4>(place, is_signed),
            _ => self.number_of::<8>(place, is_signed),
        }
    }

    fn number_of<const WIDTH: usize>(&self, place: usize, is_signed: bool) -> i64 {
        let bytes = self.bytes.as_chunks::<WIDTH>().0[place];
        if is_signed { signed(bytes) } else { unsigned(bytes) }
    }
}

/// A value of so many bytes.
pub(crate) fn signed<const WIDTH: usize>(bytes: [u8; WIDTH]) -> i64 {
    let mut all = [0; 8];
    all[..WIDTH].copy_from_slice(&bytes);
    let spare = 64 - 8 * WIDTH as u32;
    i64::from_le_bytes(all) << spare >> spare
}

/// A cost or a loss of so many bytes.
pub(crate) fn unsigned<const WIDTH: usize>(bytes: [u8; WIDTH]) -> i64 {
    let mut all = [0; 8];
    all[..WIDTH].copy_from_slice(&bytes);
    i64::from_le_bytes(all)
}

/// The promotion of a code of [`Row::codes`]; none when the candidate is excluded.
pub(crate) fn promotion_of(code: [u8; 2]) -> Option<usize> {
    let code = usize::from(u16::from_le_bytes(code));
    (code < MAX_PROMOTIONS).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_back_what_was_put_in_and_is_as_narrow_as_its_numbers() {
        let check_losses = |numbers: &[(i64, i64)],
                            loss_minor: i64,
                            gaps: u32,
                            excluded: Option<RuleId>,
                            bytes: usize| {
            let candidates: Vec<Candidate> = (0..)
                .zip(numbers)
                .map(|(at, &(value_minor, expected_cost_minor))| Candidate {
                    promotion: at * (1 + gaps),
                    slots: 0b101 + at as u8,
                    value_minor,
                    expected_cost_minor,
                    margin_loss_minor: if at == 0 { loss_minor } else { 0 },
                    excluded,
                })
                .collect();
            let mut rows = Rows::default();
            rows.push(&candidates);
            assert_eq!(rows.row(0).iter().collect::<Vec<_>>(), candidates);
            assert_eq!((rows.candidates(), rows.bytes()), (candidates.len(), bytes));
        };
        let check = |numbers: &[(i64, i64)], gaps, excluded, bytes| {
            check_losses(numbers, 0, gaps, excluded, bytes);
        };
        check(&[], 0, None, 0);
        check(&[(0, 0), (-32_768, 65_535), (32_767, 1)], 0, None, 15);
        check(&[(0, 0), (-32_768, 65_535), (32_767, 1)], 4_094, None, 21);
        check(&[(5, 6)], 0, Some(RuleId::Frequency), 7);
        check(&[(5, 6)], 0, Some(RuleId::Consent), 7);
        check(&[(32_768, 0), (-1, 1)], 0, None, 18);
        check(&[(0, 65_536), (-2_147_483_648, 4_294_967_295)], 0, None, 18);
        check(&[(i64::MAX, i64::MAX), (i64::MIN, 0)], 0, None, 34);
        check_losses(&[(5, 6)], 65_535, 0, None, 7);
        check_losses(&[(5, 6), (-7, 8)], 3, 4_094, None, 18);
        check_losses(&[(5, 6), (7, 8)], 65_536, 0, Some(RuleId::Window), 30);
    }
}
