//! How do slates become rounds that are weighed for a policy?

use std::collections::BTreeMap;

use tercet_allocation::{Law, Openings};
use tercet_measurement::estimate::Line;
use tercet_measurement::off_policy::{
    Choice, Estimator, FoldedLine, Predicted, Refusal, Round, WeighedLog,
};
use tercet_types::Result;

use super::logged::{Log, LoggedSlate};
use super::policies::{Policy, Wish, Wishes};
use super::rewards::Rewards;
use super::{Asked, Evaluated, View};
use crate::commands::Project;

/// Folds of customers: what predicts a customer's rewards is learnt from the others'.
const FOLDS: usize = 5;

/// Estimators of offers, each with its reward and what it was valued at.
const OF_OFFERS: [(Estimator, &str); 7] = [
    (Estimator::Ips, Estimator::Ips.name()),
    (Estimator::Snips, Estimator::Snips.name()),
    (Estimator::Dm, Estimator::Dm.name()),
    (Estimator::Dr, Estimator::Dr.name()),
    (Estimator::Sndr, Estimator::Sndr.name()),
    (Estimator::SwitchDr, Estimator::SwitchDr.name()),
    (Estimator::DrOs, Estimator::DrOs.name()),
];

/// Estimators of whole slates.
const OF_SLATES: [(Estimator, &str); 2] = [(Estimator::Ips, "SIPS"), (Estimator::Snips, "SNSIPS")];

/// The estimator of slates whose slots were drawn independently.
const OF_SLOTS: [(Estimator, &str); 1] = [(Estimator::Ips, PI)];
const PI: &str = "PI";

/// Judges policies.
pub(super) fn judge(
    project: &Project,
    log: &Log,
    rewards: &Rewards,
    policies: &[Policy],
    asked: &Asked,
) -> Result<Vec<Evaluated>> {
    let lines = Lines::learn(&log.slates, |at, slot| rewards.of_offer(at, slot));
    let mut judged = Vec::with_capacity(policies.len());
    for policy in policies {
        let wishes = Wishes::read(project, log, policy)?;
        judged.push(one(log, rewards, &lines, &wishes, asked.level)?);
    }
    Ok(judged)
}

/// The reward of an offer to expect of its value, by what values mean and by the fold of the customer.
///
/// The value that an offer was chosen for is what the shop's models know of it; the line gives it the units and
/// the level of the reward in question.
struct Lines<'a>(BTreeMap<&'a str, Vec<Line>>);

impl<'a> Lines<'a> {
    /// `reward` says what came of a slot of a slate.
    fn learn(slates: &'a [LoggedSlate], reward: impl Fn(usize, usize) -> f64) -> Self {
        let mut folds: BTreeMap<&str, FoldedLine> = BTreeMap::new();
        for (at, slate) in slates.iter().enumerate() {
            let kind = slate.value_kind.as_str();
            let of_kind = folds.entry(kind).or_insert_with(|| FoldedLine::new(FOLDS));
            for (slot, promotion) in slate.promotions().into_iter().enumerate() {
                if let Some(promotion) = promotion {
                    let value = slate.value_of(promotion);
                    of_kind.add(fold_of(slate), value, reward(at, slot));
                }
            }
        }
        Self(folds.into_iter().map(|(kind, folds)| (kind, folds.lines())).collect())
    }

    fn of(&self, slate: &LoggedSlate) -> Line {
        self.0[slate.value_kind.as_str()][fold_of(slate)]
    }
}

fn fold_of(slate: &LoggedSlate) -> usize {
    usize::from(blake3::hash(slate.customer.as_bytes()).as_bytes()[0]) % FOLDS
}

/// What slates of one customer, who may have several weeks, come to.
#[derive(Default)]
struct Unit {
    offers: Vec<Round>,
    slates: Vec<Round>,
    slots: Vec<Round>,
}

fn one(
    log: &Log,
    rewards: &Rewards,
    lines: &Lines<'_>,
    wishes: &Wishes,
    level: f64,
) -> Result<Evaluated> {
    let (mut offers, mut slates) = (WeighedLog::default(), WeighedLog::default());
    let mut slots = Ok(WeighedLog::default());
    let (mut supported, mut unsupported) = (0, 0);
    let mut first = 0;
    // Slates lie by customer.
    while first < log.slates.len() {
        let customer = &log.slates[first].customer;
        let same = |slate: &&LoggedSlate| slate.customer == *customer;
        let end = first + log.slates[first..].iter().take_while(same).count();
        let mut unit = Unit::default();
        for (at, slate) in (first..end).zip(&log.slates[first..end]) {
            if !wishes.are_of(log, slate) {
                continue;
            }
            let wish = wishes.of(log, slate);
            if !wishes.is_supported(slate, &wish) {
                unsupported += 1;
                continue;
            }
            supported += 1;
            if rewards.are_of_offers {
                let line = lines.of(slate);
                unit.offers.extend(offer_rounds(at, slate, &wish, rewards, line)?);
            }
            let reward = rewards.of_slate(at);
            unit.slates.push(Round::new(slate.joint, wish.joint, reward)?);
            if !are_independent(&slate.openings) {
                slots = Err(Refusal::SlotsDepend);
            } else if let Some(round) = slot_round(slate, &wish, reward)? {
                unit.slots.push(round);
            }
        }
        offers.add_unit(&unit.offers);
        slates.add_unit(&unit.slates);
        if let Ok(slots) = &mut slots {
            slots.add_unit(&unit.slots);
        }
        first = end;
    }
    let (policy, rounds) = (wishes.name.clone(), supported);
    if supported == 0 {
        let none = View::refused("slates", OF_SLATES[0].1, Refusal::NoOverlap);
        return Ok(Evaluated { policy, rounds, unsupported, views: vec![none] });
    }
    let mut views = Vec::new();
    if rewards.are_of_offers {
        views.push(View::of("offers", &offers, &OF_OFFERS, level));
    }
    views.push(View::of("slates", &slates, &OF_SLATES, level));
    views.push(match slots {
        Ok(slots) => View::of("slots", &slots, &OF_SLOTS, level),
        Err(refusal) => View::refused("slots", PI, refusal),
    });
    Ok(Evaluated { policy, rounds, unsupported, views })
}

/// A round a slot. Rewards count as often as a slate has slots, so that the mean round is what a slate brings.
fn offer_rounds(
    at: usize,
    slate: &LoggedSlate,
    wish: &Wish,
    rewards: &Rewards,
    line: Line,
) -> Result<Vec<Round>> {
    let count = slate.done.len() as f64;
    // Of nothing nothing comes.
    let expected = |promotion: Option<u32>| promotion.map_or(0.0, |of| line.at(slate.value_of(of)));
    let mut rounds = Vec::with_capacity(slate.done.len());
    for (slot, done) in slate.promotions().into_iter().enumerate() {
        let reward = count * rewards.of_offer(at, slot);
        let target: f64 = wish.slots[slot].iter().map(|(of, chance)| chance * expected(*of)).sum();
        let round = Round::new(slate.propensities[slot], wish.of(slot, done).min(1.0), reward)?;
        let predicted = Predicted { done: count * expected(done), target: count * target };
        rounds.push(round.predicted(predicted)?);
    }
    Ok(rounds)
}

/// A slate weighed slot by slot. The measurement slice draws all slots at once, the rest each by itself: within each,
/// slots are independent, so that propensities are taken there. Where nothing is drawn outside of the slice, only the
/// slice counts.
fn slot_round(slate: &LoggedSlate, wish: &Wish, reward: f64) -> Result<Option<Round>> {
    let law = match slate.is_measured {
        true => Law { epsilon: 1.0, measurement_share: 0.0 },
        false if slate.law.epsilon == 0.0 => return Ok(None),
        false => Law { measurement_share: 0.0, ..slate.law },
    };
    let done = slate.promotions();
    let propensities = slate.openings.propensities(&law, &done).slots;
    let choice = |(slot, of): (usize, &Option<u32>)| Choice {
        propensity: propensities[slot],
        target: wish.of(slot, *of).min(1.0),
    };
    let choices: Vec<Choice> = done.iter().enumerate().map(choice).collect();
    Ok(Some(Round::of_slots(&choices, reward)?))
}

/// True when no slot's draw can take from another: none has a promotion or group in common with another, and the
/// slate is never full.
fn are_independent(openings: &Openings) -> bool {
    let open = openings.open_slots();
    let block =
        |promotion: u32, group: Option<u32>| group.map_or((false, promotion), |of| (true, of));
    let mut slots = BTreeMap::new();
    for offer in &openings.offers {
        *slots.entry(block(offer.promotion, offer.group)).or_insert(0) |= offer.slots & open;
    }
    for (slot, planned) in openings.planned.iter().enumerate() {
        if let Some((promotion, group)) = planned
            && let Some(of) = slots.get_mut(&block(*promotion, *group))
        {
            *of |= 1 << slot;
        }
    }
    openings.offers_most >= openings.planned.len()
        && slots.values().all(|of: &u8| of.count_ones() <= 1)
}

#[cfg(test)]
mod tests {
    use tercet_allocation::Opening;

    use super::*;

    fn openings(offers: &[(u32, Option<u32>, u8)], planned: &[Option<u32>]) -> Openings {
        Openings {
            offers: offers
                .iter()
                .map(|(promotion, group, slots)| Opening {
                    promotion: *promotion,
                    group: *group,
                    slots: *slots,
                })
                .collect(),
            planned: planned.iter().map(|cell| cell.map(|promotion| (promotion, None))).collect(),
            offers_most: planned.len(),
            ..Openings::default()
        }
    }

    #[test]
    fn values_of_two_kinds_have_a_line_each() {
        let day = "2026-02-02".parse().unwrap();
        let slate = |at: usize| LoggedSlate {
            customer: format!("c{at}"),
            run: 0,
            window: (day, day),
            law: Law { epsilon: 0.5, measurement_share: 0.0 },
            done: vec![Some((7, "p".to_owned())), None],
            propensities: vec![0.5, 0.5],
            joint: 0.25,
            is_measured: false,
            openings: Openings::default(),
            value_kind: ["margin", "score"][at % 2].to_owned(),
            values: vec![(7, at as i64)],
        };
        let slates: Vec<LoggedSlate> = (0..60).map(slate).collect();
        // A margin comes as it was valued; a score is worth a third of it, and ten.
        let reward = |at: usize, _: usize| match at % 2 {
            0 => at as f64,
            _ => 10.0 + at as f64 / 3.0,
        };
        let lines = Lines::learn(&slates, reward);
        for (at, slate) in slates.iter().enumerate() {
            let line = lines.of(slate);
            assert!((line.at(slate.value_of(7)) - reward(at, 0)).abs() < 1e-9, "{at}: {line:?}");
        }
    }

    #[test]
    fn slots_that_share_something_depend() {
        let check = |offers: &[(u32, Option<u32>, u8)], planned: &[Option<u32>], expect: bool| {
            assert_eq!(are_independent(&openings(offers, planned)), expect);
        };
        check(&[(0, None, 1), (1, None, 1), (2, None, 2)], &[Some(0), None], true);
        check(&[(0, None, 3), (2, None, 2)], &[Some(0), None], false);
        check(&[(0, Some(7), 1), (2, Some(7), 2)], &[None, None], false);
        // What is planned for one slot can be drawn by another.
        check(&[(0, None, 1), (2, None, 2)], &[Some(2), None], false);
        let full =
            Openings { offers_most: 1, ..openings(&[(0, None, 1), (2, None, 2)], &[None; 2]) };
        assert!(!are_independent(&full));
    }

    #[test]
    fn independent_slots_are_as_likely_together_as_apart() {
        let openings = openings(
            &[(0, None, 1), (1, None, 1), (2, None, 2), (3, None, 2)],
            &[Some(0), Some(2)],
        );
        let law = Law { epsilon: 0.3, measurement_share: 0.0 };
        for slate in [[Some(0), Some(2)], [Some(1), Some(2)], [Some(1), Some(3)]] {
            let found = openings.propensities(&law, &slate);
            assert!((found.slate - found.slots[0] * found.slots[1]).abs() < 1e-15);
        }
    }
}
