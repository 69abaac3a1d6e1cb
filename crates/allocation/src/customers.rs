//! How are customers and their candidates kept?
//!
//! Five million customers with a hundred candidates each have to fit beside everything else, so a customer's
//! candidates are a run of bytes: values, costs, losses of margin, slots, and which promotions they are. Nothing
//! is rounded: a customer takes as many bytes per number as the largest of his or her numbers asks for. A
//! candidate is usually 5 bytes where the customer has all promotions, none is excluded and no margin is
//! counted; each of the other takes two more.

use std::ops::{Index, IndexMut};

use tercet_types::{Error, Result};

use crate::constraints::RuleId;
use crate::problem::Measure;

/// Promotions that candidates may name: what fits beside the flag in two bytes.
pub const MAX_PROMOTIONS: usize = 1 << PROMOTION_BITS;

/// The most groups of customers there may be: the bits of [`Customer::groups`].
pub const MAX_GROUPS: usize = 16;

const PROMOTION_BITS: u32 = 13;

/// Customers whose candidates share an allocation.
const BLOCK: usize = 4_096;

/// A customer, apart from the candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Customer {
    /// A keyed hash of the customer: who comes first among equals, so that caps favour nobody.
    pub order: u64,
    /// The channels in which the customer shops, looks, or agreed to be reached.
    pub channels: u64,
    /// The channels in which the customer must not be reached; those never asked about are not among them.
    pub refused_channels: u64,
    /// The store where the customer shops, where known.
    pub store: Option<u32>,
    /// What each offer has to bring on top, because the customer was contacted lately, minor units; at
    /// least 0.
    pub contact_price_minor: f32,
    /// The groups the customer belongs to: bit `k` for group `k`, below [`MAX_GROUPS`].
    pub groups: u16,
    /// The most offers that contacts of earlier weeks leave for this run.
    pub max_offers: u8,
    /// The rule that keeps every offer away from the customer, the first that applies.
    pub blocked: Option<RuleId>,
}

/// One promotion that one customer could get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Index into the promotions, below [`MAX_PROMOTIONS`].
    pub promotion: u32,
    /// The slots whose predicate it meets: bit `k` for slot `k`.
    pub slots: u8,
    /// What the solver maximises, minor units.
    pub value_minor: i64,
    /// What budgets of costs consume, minor units, at least 0.
    pub expected_cost_minor: i64,
    /// What budgets of margin consume, minor units, at least 0; 0 where there is none.
    pub margin_loss_minor: i64,
    /// The rule that excludes it, the first that applies.
    pub excluded: Option<RuleId>,
}

impl Candidate {
    /// What a budget of this measure consumes, minor units.
    pub(crate) fn minor(&self, measure: Measure) -> i64 {
        match measure {
            Measure::Cost => self.expected_cost_minor,
            Measure::Margin => self.margin_loss_minor,
        }
    }
}

/// The customers of a problem with their candidates, in the order in which they were added.
///
/// Reads like a slice of [`Customer`]; the candidates of one are its [`Row`].
#[derive(Clone, Debug, Default)]
pub struct Customers {
    list: Vec<Customer>,
    rows: Rows,
    /// Customer and place in the row, customer by customer, most urgent first.
    pins: Vec<(u32, u16)>,
    promotions: usize,
    has_zeros: bool,
}

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

impl Customers {
    /// Adds a customer with the candidates to choose from, ascending by promotion.
    ///
    /// `pinned` are places in `candidates` that the marketer insists on, most urgent first. A pin goes
    /// before every value, and bows to every rule but the minimum value and the price of contacts.
    ///
    /// # Errors
    /// `T0603` (internal) naming the customer when candidates do not ascend, a promotion, a cost, a flag, a
    /// pin or the contact price is not what it may be.
    pub fn push(
        &mut self,
        customer: Customer,
        candidates: &[Candidate],
        pinned: &[usize],
    ) -> Result<()> {
        let at = self.list.len();
        if let Some(what) = wrong_with(&customer, candidates, pinned) {
            return Err(malformed("customer", at, what));
        }
        let Ok(number) = u32::try_from(at) else {
            return Err(malformed("customer", at, "there are too many"));
        };
        self.rows.next().push(candidates);
        if let Some(last) = candidates.last() {
            self.promotions = self.promotions.max(last.promotion as usize + 1);
        }
        self.has_zeros |= candidates.iter().any(|candidate| candidate.value_minor == 0);
        self.pins.extend(pinned.iter().map(|&pin| (number, pin as u16)));
        self.list.push(customer);
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The customers in the order in which they were added.
    pub fn iter(&self) -> std::slice::Iter<'_, Customer> {
        self.list.iter()
    }

    /// The candidates of a customer.
    pub fn row(&self, customer: usize) -> Row<'_> {
        self.rows.row(customer)
    }

    /// Copies of the rows of some customers, side by side.
    pub(crate) fn rows_of(&self, customers: &[u32]) -> Rows {
        let mut rows = Rows::default();
        customers.iter().for_each(|at| rows.next().copy(self.row(*at as usize)));
        rows
    }

    /// Places in the customer's row that the marketer pins, most urgent first.
    pub fn pinned(&self, customer: usize) -> impl Iterator<Item = usize> + '_ {
        let start = self.pins.partition_point(|(of, _)| (*of as usize) < customer);
        let pins = self.pins[start..].iter().take_while(move |(of, _)| *of as usize == customer);
        pins.map(|(_, at)| usize::from(*at))
    }

    /// Customers with pins, ascending, each once.
    pub(crate) fn with_pins(&self) -> impl Iterator<Item = usize> + '_ {
        self.pins.chunk_by(|one, other| one.0 == other.0).map(|of| of[0].0 as usize)
    }

    /// Candidates of all customers.
    pub fn candidates(&self) -> usize {
        let rows = self.rows.blocks.iter().flat_map(|block| &block.formats);
        rows.map(|format| usize::from(format.candidates)).sum()
    }

    /// Bytes that the candidates take.
    pub fn candidate_bytes(&self) -> usize {
        self.rows.blocks.iter().map(|block| block.bytes.len()).sum()
    }

    /// One more than the highest promotion that is named.
    pub(crate) fn promotions(&self) -> usize {
        self.promotions
    }

    /// True when a candidate is worth exactly nothing.
    pub(crate) fn has_zeros(&self) -> bool {
        self.has_zeros
    }
}

impl Index<usize> for Customers {
    type Output = Customer;

    fn index(&self, at: usize) -> &Customer {
        &self.list[at]
    }
}

impl IndexMut<usize> for Customers {
    fn index_mut(&mut self, at: usize) -> &mut Customer {
        &mut self.list[at]
    }
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
        let width = usize::from(self.format.width);
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(&self.bytes[place * width..][..width]);
        let spare = 64 - 8 * u32::from(self.format.width);
        let shifted = i64::from_le_bytes(bytes) << spare;
        if is_signed { shifted >> spare } else { (shifted as u64 >> spare) as i64 }
    }
}

/// The promotion of a code of [`Row::codes`]; none when the candidate is excluded.
pub(crate) fn promotion_of(code: [u8; 2]) -> Option<usize> {
    let code = usize::from(u16::from_le_bytes(code));
    (code < MAX_PROMOTIONS).then_some(code)
}

/// What of a customer is not as it may be.
fn wrong_with(
    customer: &Customer,
    candidates: &[Candidate],
    pinned: &[usize],
) -> Option<&'static str> {
    let is_other = |rule: RuleId| !rule.is_flag();
    let price = customer.contact_price_minor;
    if !price.is_finite() || price < 0.0 {
        return Some("the price of a contact is not an amount");
    }
    if customer.blocked.is_some_and(is_other) {
        return Some("the rule that blocks is not a flag");
    }
    if !candidates.is_sorted_by(|one, other| one.promotion < other.promotion) {
        return Some("the promotions of the candidates do not ascend");
    }
    for candidate in candidates {
        if candidate.promotion as usize >= MAX_PROMOTIONS {
            return Some("there are too many promotions");
        }
        if candidate.expected_cost_minor < 0 {
            return Some("an expected cost is negative");
        }
        if candidate.margin_loss_minor < 0 {
            return Some("a loss of margin is negative");
        }
        if candidate.excluded.is_some_and(is_other) {
            return Some("the rule that excludes a candidate is not a flag");
        }
    }
    let is_missing = |pin: &usize| *pin >= candidates.len();
    pinned.iter().any(is_missing).then_some("a pin is not among the candidates")
}

pub(crate) fn malformed(noun: &str, at: usize, what: &str) -> Error {
    Error::internal("T0603", format!("{noun} {at}: {what}"))
        .hint("report this: allocation was handed a malformed problem")
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
            let mut customers = Customers::default();
            customers.push(Customer::default(), &candidates, &[]).unwrap();
            assert_eq!(customers.row(0).iter().collect::<Vec<_>>(), candidates);
            assert_eq!(customers.candidate_bytes(), bytes);
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
