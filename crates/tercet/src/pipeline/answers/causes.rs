//! Which purchases did offers bring, and which come anyway?
//!
//! A purchase after an offer has one of two causes, and which one nobody sees. How likely each is follows from what
//! is expected of both, and what is expected of offers is learnt from the purchases so divided: expectation and
//! maximisation in turn (Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::told::Untold;
use super::{ANSWER_WEEKS, OFFERS_MIN, USED_MIN};

/// What was found of extra purchases counts when it is so many standard errors above nothing.
const ERRORS_MIN: f64 = 3.0;

/// The most purchases that an offer is expected to bring.
pub(in crate::pipeline) const EXTRA_MAX: f64 = 0.8;

/// An offer, predicted by what was learnt from other customers.
#[derive(Clone, Copy)]
pub(super) struct Held {
    /// Probability that the offer brings a purchase.
    pub(super) extra: f64,
    /// Probability that an eligible product is bought without it.
    pub(super) unoffered: f64,
    /// True when one was bought.
    pub(super) bought: bool,
    /// True when the offer was used.
    pub(super) was_used: bool,
}

/// The share of purchases at which an offer is used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::pipeline) struct Uses {
    /// Of those that it brought.
    of_extra: f64,
    /// Of those that come anyway.
    of_anyway: f64,
}

impl Uses {
    /// As the purchases divide now.
    pub(super) fn of(offers: &[Held], shares: &[f32]) -> Self {
        let (mut extra, mut anyway) = ((0.0, 0.0), (0.0, 0.0));
        for (offer, share) in offers.iter().zip(shares).filter(|(offer, _)| offer.bought) {
            let (share, used) = (f64::from(*share), f64::from(u8::from(offer.was_used)));
            extra = (extra.0 + share, extra.1 + share * used);
            anyway = (anyway.0 + 1.0 - share, anyway.1 + (1.0 - share) * used);
        }
        let rate = |(all, used): (f64, f64)| if all > 0.0 { used / all } else { 0.0 };
        Self { of_extra: rate(extra), of_anyway: rate(anyway) }
    }

    /// The probability that an offer was what brought its purchase.
    pub(super) fn share(&self, offer: &Held) -> f32 {
        if !offer.bought {
            return 0.0;
        }
        let of = |rate: f64| if offer.was_used { rate } else { 1.0 - rate };
        let (extra, anyway) =
            (offer.extra * of(self.of_extra), offer.unoffered * of(self.of_anyway));
        if extra + anyway > 0.0 { (extra / (extra + anyway)) as f32 } else { 0.0 }
    }

    /// Probability that an offer is used.
    pub(in crate::pipeline) fn rate(&self, extra: f64, unoffered: f64) -> f64 {
        self.of_extra * extra + self.of_anyway * unoffered
    }
}

/// Shares to begin with: every offer brings as much.
pub(super) fn first_shares(offers: &[Held]) -> Vec<f32> {
    let more: f64 =
        offers.iter().map(|offer| f64::from(u8::from(offer.bought)) - offer.unoffered).sum();
    let mean = (more / offers.len().max(1) as f64).max(1e-4);
    let share = |offer: &Held| {
        if offer.bought { (mean / (mean + offer.unoffered)) as f32 } else { 0.0 }
    };
    offers.iter().map(share).collect()
}

/// What was seen of an offer, and what was expected of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    /// As in [`Held`].
    pub(super) extra: f64,
    /// As in [`Held`].
    pub(super) unoffered: f64,
    /// Purchases that it brought: right on average.
    pub(super) brought: f64,
    /// Points of the same number may err together: those of a customer.
    pub(super) of: i32,
}

/// Extra purchases of an offer: so many for each that is expected, less so many for each purchase that would have come
/// anyway.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Extra purchases for one that is expected: one, if all is well.
    pub(crate) per_extra: f64,
    /// Its standard error.
    pub(crate) per_extra_error: f64,
    /// Extra purchases for a purchase that comes anyway: at most nothing, for these bring none.
    pub(crate) per_unoffered: f64,
    /// Offers it was read off.
    pub(crate) offers: usize,
    /// Those of them that were used.
    pub(crate) uses: usize,
}

impl Line {
    /// Extra purchases expected of one offer, of what both models say, and of what is known beside them; never
    /// negative.
    pub(in crate::pipeline) fn extra(&self, extra: f64, unoffered: f64, beside: f64) -> f64 {
        (self.per_extra * extra + self.per_unoffered * unoffered + beside).max(0.0)
    }

    /// The line through offers, of which that without them is known by prediction alone.
    pub(super) fn through(rows: &[Held]) -> Option<Self> {
        let points = (0..).zip(rows).map(|(at, row)| Point {
            extra: row.extra,
            unoffered: row.unoffered,
            brought: f64::from(u8::from(row.bought)) - row.unoffered,
            of: at,
        });
        let uses = rows.iter().filter(|row| row.was_used).count();
        Some(Self { uses, ..Self::of_points(&points.collect::<Vec<_>>())? })
    }

    /// Least squares of what was brought on `extra` and `unoffered`, through nothing, weighted by the inverse
    /// of the variance that a purchase has. Points of one kind of error stand together; `uses` is left open.
    pub(super) fn of_points(rows: &[Point]) -> Option<Self> {
        /// No purchase is so certain that it counts for all others.
        const VARIANCE_MIN: f64 = 0.02;
        let weight = |row: &Point| {
            let rate = (row.unoffered + row.extra).min(0.5);
            1.0 / (rate * (1.0 - rate)).max(VARIANCE_MIN)
        };
        let (mut uu, mut un, mut nn, mut uy, mut ny) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for row in rows {
            let (w, y) = (weight(row), row.brought);
            uu += w * row.extra * row.extra;
            un += w * row.extra * row.unoffered;
            nn += w * row.unoffered * row.unoffered;
            uy += w * row.extra * y;
            ny += w * row.unoffered * y;
        }
        let determinant = uu * nn - un * un;
        if uu <= 0.0 || determinant <= 1e-9 * uu * nn {
            return None;
        }
        let both = ((uy * nn - ny * un) / determinant, (ny * uu - uy * un) / determinant);
        // Who is offered more buys more anyway: what is left of that is no effect of offers.
        let (per_extra, per_unoffered, bread) = if both.1 <= 0.0 {
            (both.0, both.1, [nn / determinant, -un / determinant])
        } else {
            (uy / uu, 0.0, [1.0 / uu, 0.0])
        };
        let mut scores: BTreeMap<i32, f64> = BTreeMap::new();
        for row in rows {
            let left = row.brought - per_extra * row.extra - per_unoffered * row.unoffered;
            let score = bread[0] * row.extra + bread[1] * row.unoffered;
            *scores.entry(row.of).or_default() += weight(row) * left * score;
        }
        let meat: f64 = scores.values().map(|score| score * score).sum();
        Some(Self {
            per_extra,
            per_extra_error: meat.sqrt(),
            per_unoffered,
            offers: rows.len(),
            uses: 0,
        })
    }

    /// What was found, in words.
    pub(crate) fn words(&self) -> String {
        format!(
            "{} offers of the last {ANSWER_WEEKS} weeks, {} of them used, tell what they brought from what is bought anyway: {:.2} ± {:.2} purchases for each that was expected",
            self.offers, self.uses, self.per_extra, self.per_extra_error
        )
    }

    /// True when purchases say something of what offers bring.
    pub(super) fn suffices(&self) -> bool {
        self.per_extra > ERRORS_MIN * self.per_extra_error
    }
}

/// Why nothing is known of what offers bring.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Lacking {
    /// So few offers are logged.
    Offers(usize),
    /// So few of them were used.
    Uses(usize),
    /// Purchases that offers brought are not told from those that come anyway.
    Signal(Option<Line>),
    /// Chance decided too little, or what it decided tells nothing.
    Trial(Untold),
}

impl Lacking {
    /// In words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Offers(found) => format!(
                "{found} offers of the last {ANSWER_WEEKS} weeks are logged, and {OFFERS_MIN} are needed to tell what offers bring"
            ),
            Self::Uses(found) => format!(
                "{found} offers of the last {ANSWER_WEEKS} weeks were used, and {USED_MIN} are needed to tell what offers bring"
            ),
            Self::Signal(Some(line)) => format!(
                "{} offers of the last {ANSWER_WEEKS} weeks do not tell what they brought from what is bought anyway: {:.2} ± {:.2} purchases for each that was expected",
                line.offers, line.per_extra, line.per_extra_error
            ),
            Self::Signal(None) => format!(
                "the offers of the last {ANSWER_WEEKS} weeks are too much alike to tell what they brought"
            ),
            Self::Trial(untold) => untold.words(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offers that bring `times` what is expected, used at a quarter of the purchases that they bring and at a
    /// twentieth of the others; and how many they brought.
    fn offers(times: f64) -> (Vec<Held>, f64) {
        let mut state = 1_u64;
        let mut chance = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut all = 0.0;
        let offer = |_| {
            let (extra, unoffered) = (0.1 * chance() * chance(), 0.3 * chance() * chance());
            let brought = chance() < extra * times;
            let bought = chance() < unoffered || brought;
            let used = bought && chance() < if brought { 0.25 } else { 0.05 };
            all += f64::from(u8::from(brought));
            Held { extra, unoffered, bought, was_used: used }
        };
        let offers = (0..60_000).map(offer).collect();
        (offers, all)
    }

    #[test]
    fn the_line_tells_extra_purchases_from_those_that_come_anyway() {
        for times in [0.5, 1.0, 2.0] {
            let line = Line::through(&offers(times).0).unwrap();
            assert!((line.per_extra - times).abs() < 4.0 * line.per_extra_error, "{line:?}");
            assert!(line.per_extra_error < 0.1 && line.suffices(), "{line:?}");
            assert!(line.words().contains("60000 offers"), "{}", line.words());
        }
        let nothing = Line::through(&offers(0.0).0).unwrap();
        assert!(!nothing.suffices(), "{nothing:?}");
        assert!(Line::through(&[]).is_none());
        let line = Line { per_extra: 1.0, per_unoffered: -0.1, ..nothing };
        assert_eq!(
            [line.extra(0.1, 0.5, 0.0), line.extra(0.0, 0.5, 0.0)].map(|x| (x * 1e9).round()),
            [5e7, 0.0]
        );
    }

    #[test]
    fn purchases_divide_by_what_is_expected_and_by_uses() {
        let (offers, brought) = offers(1.0);
        let mut shares = first_shares(&offers);
        for _ in 0..8 {
            let uses = Uses::of(&offers, &shares);
            shares = offers.iter().map(|offer| uses.share(offer)).collect();
        }
        let uses = Uses::of(&offers, &shares);
        assert!(
            (uses.of_extra - 0.25).abs() < 0.05 && (uses.of_anyway - 0.05).abs() < 0.02,
            "{uses:?}"
        );
        let found = shares.iter().map(|share| f64::from(*share)).sum::<f64>();
        assert!((found / brought - 1.0).abs() < 0.1, "{found} {brought}");
        assert!((uses.rate(0.1, 0.2) - 0.1 * uses.of_extra - 0.2 * uses.of_anyway).abs() < 1e-12);
        // Nothing was bought, or nothing is expected: no offer brought it.
        let none = Held { extra: 0.0, unoffered: 0.0, bought: true, was_used: false };
        assert_eq!([uses.share(&none), uses.share(&Held { bought: false, ..none })], [0.0, 0.0]);
    }

    #[test]
    fn what_is_lacking_is_said_in_words() {
        let line = Line::through(&offers(0.0).0);
        for (lacking, word) in [
            (Lacking::Offers(7), "7 offers"),
            (Lacking::Uses(3), "3 offers"),
            (Lacking::Signal(line), "do not tell"),
            (Lacking::Signal(None), "too much alike"),
        ] {
            assert!(lacking.words().contains(word), "{}", lacking.words());
        }
    }
}
