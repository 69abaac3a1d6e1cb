//! What did chance decide in past weeks, and how likely was each offer?
//!
//! A pair of customer and promotion that a week's draws could bring together is a trial of one offer: it was made or
//! not, by a chance that is known ([`Openings::chance_of`]). Most such pairs say next to nothing, since what they got
//! was nearly certain. So of the certain side of each pair only a part is kept, by a hash that knows nothing of the
//! draws: what is left was drawn by chances from a fifth to four fifths.

use tercet_allocation::{Law, Openings};
use tercet_types::{DAYS_PER_WEEK, Date};

use super::answers::ANSWER_WEEKS;

/// What was tried in the weeks of earlier runs, or in words why nobody can say.
pub(crate) type Tries = Result<Vec<TriedWeek>, String>;

/// The first Monday whose draws a run of that day learns from.
pub(super) fn first_tried(as_of: Date) -> Date {
    as_of.plus_days(-ANSWER_WEEKS * DAYS_PER_WEEK)
}

/// At most so many pairs that got the likely side are kept for each that got the other.
const LIKELY_MOST: f64 = 4.0;

/// What was tried in a week.
#[derive(Clone, Debug)]
pub(crate) struct TriedWeek {
    /// Its Monday.
    pub(crate) monday: Date,
    /// Customers of whom a draw took the place of what was planned.
    pub(crate) randomised: usize,
    /// Offers that were made or not, by chance.
    pub(crate) offers: Vec<Tried>,
}

/// An offer that was made or not, by chance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tried {
    /// The customer.
    pub(crate) customer: String,
    /// The promotion.
    pub(crate) promotion: String,
    /// True when it was made.
    pub(crate) is_offered: bool,
    /// The chance that it was, of pairs that are kept.
    pub(crate) chance: f64,
}

/// What could come of a customer's draws, and what did.
pub(super) struct Drawn<'a> {
    /// What could.
    pub(super) openings: &'a Openings,
    /// The rates.
    pub(super) law: Law,
    /// What each slot got.
    pub(super) done: &'a [Option<u32>],
}

impl TriedWeek {
    /// A week in which nothing was tried yet.
    pub(super) const fn new(monday: Date) -> Self {
        Self { monday, randomised: 0, offers: Vec::new() }
    }

    /// Counts a customer whose draws are known.
    pub(super) fn count(&mut self, drawn: &Drawn<'_>) {
        let planned =
            drawn.openings.planned.iter().map(|cell| cell.map(|(promotion, _)| promotion));
        self.randomised += usize::from(!planned.eq(drawn.done.iter().copied()));
    }

    /// Adds what was tried of a customer. `id` names a promotion.
    pub(super) fn add<'a>(
        &mut self,
        customer: &str,
        drawn: &Drawn<'_>,
        id: impl Fn(u32) -> Option<&'a str>,
    ) {
        let planned = drawn.openings.planned.iter().flatten().map(|(promotion, _)| *promotion);
        let mut promotions: Vec<u32> =
            drawn.openings.offers.iter().map(|offer| offer.promotion).chain(planned).collect();
        promotions.sort_unstable();
        promotions.dedup();
        for promotion in promotions {
            let Some(id) = id(promotion) else { continue };
            let chance = drawn.openings.chance_of(&drawn.law, promotion);
            let is_offered = drawn.done.contains(&Some(promotion));
            let lot = share_of(&[customer, id, "tried"], self.monday);
            if let Some(chance) = kept(chance, is_offered, lot) {
                let (customer, promotion) = (customer.to_owned(), id.to_owned());
                self.offers.push(Tried { customer, promotion, is_offered, chance });
            }
        }
    }
}

/// The chance of an offer among the pairs that are kept, when this one is: `lot` is drawn evenly from 0 to 1.
fn kept(chance: f64, is_offered: bool, lot: f64) -> Option<f64> {
    if !(chance > 0.0 && chance < 1.0) {
        return None;
    }
    let odds = chance / (1.0 - chance);
    let (made, not_made) = ((LIKELY_MOST / odds).min(1.0), (LIKELY_MOST * odds).min(1.0));
    let share = if is_offered { made } else { not_made };
    (lot < share).then(|| chance * made / (chance * made + (1.0 - chance) * not_made))
}

/// A number from 0 to 1 that hangs on words and a week alone.
pub(super) fn share_of(words: &[&str], monday: Date) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&monday.days().to_le_bytes());
    for word in words {
        hasher.update(word.as_bytes()).update(b"\x1f");
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    (u64::from_le_bytes(first) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use tercet_allocation::{Exploration, Opening};

    use super::*;

    fn monday() -> Date {
        "2026-02-02".parse().unwrap()
    }

    #[test]
    fn what_is_kept_was_drawn_by_the_chance_it_says() {
        // A third of the customers are in the slice; three slots, twelve promotions, one of them planned thrice over.
        let law = Law { epsilon: 0.05, measurement_share: 0.1 };
        let exploration = Exploration { law, limit_share: 1.0, seed: 5 };
        let opening = |promotion: u32| Opening { promotion, group: None, slots: 0b111 };
        let openings = Openings {
            offers: (0..12).map(opening).collect(),
            planned: vec![Some((3, None)), Some((4, None)), None],
            offers_most: 3,
            ..Openings::default()
        };
        let names: Vec<String> = (0..12).map(|promotion| format!("P{promotion}")).collect();
        let mut week = TriedWeek::new(monday());
        for customer in 0..20_000_u64 {
            let done = openings.draw(&exploration, customer).promotions;
            let drawn = Drawn { openings: &openings, law, done: &done[..3] };
            week.count(&drawn);
            week.add(&customer.to_string(), &drawn, |at| {
                names.get(at as usize).map(String::as_str)
            });
        }
        // 1 − 0.9 · 0.95³, less draws of what was planned.
        assert!((4_000..4_700).contains(&week.randomised), "{}", week.randomised);
        for name in ["P3", "P4", "P7"] {
            let rows: Vec<&Tried> =
                week.offers.iter().filter(|row| row.promotion == name).collect();
            let (chance, count) = (rows[0].chance, rows.len() as f64);
            assert!(rows.iter().all(|row| row.chance == chance) && (0.2..=0.8).contains(&chance));
            let made = rows.iter().filter(|row| row.is_offered).count() as f64;
            let error = (chance * (1.0 - chance) / count).sqrt();
            assert!(
                (made / count - chance).abs() < 4.0 * error,
                "{name}: {made} of {count}, {chance}"
            );
            assert!(count > 2_000.0, "{name}: {count}");
        }
    }

    #[test]
    fn certain_offers_are_no_trials() {
        assert_eq!(kept(0.0, false, 0.0), None);
        assert_eq!(kept(1.0, true, 0.0), None);
        assert_eq!(kept(0.5, true, 0.999), Some(0.5));
        // One in a hundred: all that were made, and 4 for each of them that were not.
        assert!((kept(0.01, true, 0.999).unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(kept(0.01, false, 0.05), None);
        assert!((kept(0.99, false, 0.999).unwrap() - 0.8).abs() < 1e-12);
        assert_eq!(kept(0.99, true, 0.05), None);
    }

    #[test]
    fn lots_hang_on_words_and_weeks() {
        let lots: Vec<f64> = (0..1_000).map(|at| share_of(&[&at.to_string()], monday())).collect();
        let mean = lots.iter().sum::<f64>() / 1_000.0;
        assert!((mean - 0.5).abs() < 0.04 && lots.iter().all(|lot| (0.0..1.0).contains(lot)));
        assert_ne!(share_of(&["a", "b"], monday()), share_of(&["ab"], monday()));
        assert_ne!(share_of(&["a"], monday()), share_of(&["a"], monday().plus_days(7)));
    }
}
