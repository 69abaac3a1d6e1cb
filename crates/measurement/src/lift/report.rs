//! Which figures follow from the sums of two arms?

use serde::Serialize;

use super::metric::{Kind, METRICS, Metric, Number, Role};
use super::tally::{ArmTally, Horizon, Tally};
use crate::Sums;
use crate::estimate::{
    Estimate, Refusal, Stratum, UNITS_MIN, adjusted, difference, difference_of_ratios, ratio,
    relative_difference, relative_difference_of_ratios, stratified_difference,
};
use crate::found::Found;
use crate::holm::holm;
use crate::sequential::{Anytime, Look, anytime, looks};

/// The weeks for which intervals that hold at any look are narrowest where nobody planned an end.
const TUNED_WEEKS: usize = 10;

/// What is asked of a tally.
#[derive(Clone, Debug)]
pub struct LiftAsk {
    /// The arm whose effect is asked for.
    pub treatment: usize,
    /// The arm it is held against.
    pub control: usize,
    /// Share of intervals that are to hold the truth.
    pub level: f64,
    /// False when the arms did not come out as planned: then no lift is read.
    pub is_readable: bool,
    /// Weeks that the campaign was planned to run before it began: each adds the same share to what is known. 0
    /// where nobody planned.
    pub planned_weeks: usize,
    /// Names of the segments, as they were numbered.
    pub segments: Vec<String>,
}

/// What the offers brought.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lift {
    /// Units in treatment.
    pub treated: u64,
    /// Units in control.
    pub control: u64,
    /// Every figure of [`METRICS`], over the whole campaign.
    pub metrics: Vec<MetricLift>,
    /// Margin that the offers brought, all treated units together, minor units.
    pub total_margin: Found,
    /// Revenue likewise.
    pub total_revenue: Found,
    /// Each week of the campaign by itself.
    pub weeks: Vec<WeekLift>,
    /// The campaign up to each of its weeks, margin per unit.
    pub looks: Vec<WeekLook>,
    /// The weeks after the campaign: below zero where purchases were only pulled forward. Nothing where none
    /// have passed.
    pub after: Option<WeekLift>,
    /// Campaign and the weeks after it together.
    pub with_after: Option<WeekLift>,
    /// By segment, as they were numbered.
    pub segments: Vec<SegmentLift>,
}

/// A figure of both arms, and how they differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricLift {
    /// The figure's name.
    pub metric: &'static str,
    /// What it is for.
    pub role: Role,
    /// The treated.
    pub treatment: Option<f64>,
    /// The control; none where only the treated can have it.
    pub control: Option<f64>,
    /// Treatment less control; of what only the treated can have, its level.
    pub difference: Found,
    /// The difference relative to control.
    pub relative: Option<Found>,
    /// The difference less what the weeks before explain (CUPED); none where nothing was known of them.
    pub adjusted: Option<Found>,
    /// The same, relative to control.
    pub adjusted_relative: Option<Found>,
    /// Share of the variance of the difference that the weeks before explain.
    pub explained: Option<f64>,
    /// The difference within segments, weighted by their size.
    pub stratified: Option<Found>,
}

impl MetricLift {
    /// The difference to read first: adjusted where there is one.
    pub fn best(&self) -> &Found {
        self.adjusted
            .as_ref()
            .filter(|found| found.estimate().is_some())
            .unwrap_or(&self.difference)
    }

    /// The relative difference that goes with [`Self::best`].
    pub fn best_relative(&self) -> Option<&Found> {
        let adjusted = self.adjusted.as_ref().is_some_and(|found| found.estimate().is_some());
        if adjusted { self.adjusted_relative.as_ref() } else { self.relative.as_ref() }
    }
}

/// Some weeks, per unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WeekLift {
    /// The first of them, from 0.
    pub week: usize,
    /// Margin, minor units.
    pub margin: Found,
    /// Revenue, minor units.
    pub revenue: Found,
    /// Weeks with an order.
    pub weeks_with_order: Found,
}

/// What was known at the end of a week.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WeekLook {
    /// The week, from 0.
    pub week: usize,
    /// Margin per unit up to then, minor units.
    pub margin: Found,
    /// What the plan of weekly looks says; none without a plan, past its end, or where there is no estimate.
    pub planned: Option<Look>,
    /// What holds however often one looks; none where there is no estimate.
    pub anytime: Option<Anytime>,
}

/// A segment's part. With so many segments, one is soon far off by chance: `p_holm` allows for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentLift {
    /// Its name.
    pub segment: String,
    /// Units in treatment.
    pub treated: u64,
    /// Units in control.
    pub control: u64,
    /// Margin per unit, minor units.
    pub margin: Found,
    /// Revenue per unit, minor units.
    pub revenue: Found,
    /// Share of units that ordered.
    pub conversion: Found,
    /// The p-value of the margin after Holm's correction for all segments (Holm 1979, jstor 4615733).
    pub p_holm: Option<f64>,
}

/// All figures of two arms.
///
/// # Panics
/// When there is no such arm.
pub fn lift(tally: &Tally, ask: &LiftAsk) -> Lift {
    let (treatment, control) = (&tally.arms[ask.treatment], &tally.arms[ask.control]);
    let pair = Pair { treatment, control, ask, horizon: tally.horizon };
    let (of_treatment, of_control) = (whole(treatment), whole(control));
    let metrics: Vec<MetricLift> =
        METRICS.iter().map(|metric| pair.metric(*metric, &of_treatment, &of_control)).collect();
    let treated = of_treatment.as_ref().map_or(0, Sums::count);
    let total = |name: &str| -> Found {
        let found = metrics.iter().find(|metric| metric.metric == name).map(MetricLift::best);
        match found {
            Some(Found::Estimate(estimate)) => estimate.total(treated).into(),
            Some(refused) => *refused,
            None => Found::Refused { refused: Refusal::EmptyArm },
        }
    };
    let Horizon { weeks, weeks_after, .. } = tally.horizon;
    Lift {
        treated,
        control: of_control.as_ref().map_or(0, Sums::count),
        total_margin: total("margin_minor"),
        total_revenue: total("revenue_minor"),
        weeks: (0..weeks).map(|week| pair.weeks(week..week + 1)).collect(),
        looks: pair.looks(),
        after: (weeks_after > 0).then(|| pair.weeks(weeks..weeks + weeks_after)),
        with_after: (weeks_after > 0).then(|| pair.weeks(0..weeks + weeks_after)),
        segments: pair.segments(),
        metrics,
    }
}

/// All units of an arm.
fn whole(arm: &ArmTally) -> Result<Sums, Refusal> {
    let mut sums = Sums::new(Number::COUNT);
    arm.segments.iter().try_for_each(|segment| sums.merge(segment))?;
    Ok(sums)
}

/// Two arms that are held against each other.
struct Pair<'a> {
    treatment: &'a ArmTally,
    control: &'a ArmTally,
    ask: &'a LiftAsk,
    horizon: Horizon,
}

impl Pair<'_> {
    /// A lift, unless none may be read.
    fn read(&self, estimate: impl FnOnce() -> Result<Estimate, Refusal>) -> Found {
        match self.ask.is_readable {
            true => estimate().into(),
            false => Found::Refused { refused: Refusal::SampleRatioMismatch },
        }
    }

    fn metric(
        &self,
        metric: Metric,
        treatment: &Result<Sums, Refusal>,
        control: &Result<Sums, Refusal>,
    ) -> MetricLift {
        let Metric { name, kind, role } = metric;
        let level = self.ask.level;
        let mut lift = MetricLift {
            metric: name,
            role,
            treatment: None,
            control: None,
            difference: Found::Refused { refused: Refusal::EmptyArm },
            relative: None,
            adjusted: None,
            adjusted_relative: None,
            explained: None,
            stratified: None,
        };
        let (treatment, control) = match (treatment, control) {
            (Ok(treatment), Ok(control)) => (treatment, control),
            (Err(refused), _) | (_, Err(refused)) => {
                lift.difference = Found::Refused { refused: *refused };
                return lift;
            }
        };
        match kind {
            Kind::Mean(number) => {
                let at = number.place();
                let (a, b) = (treatment.moments(at), control.moments(at));
                lift.treatment = (a.count() > 0).then(|| a.mean());
                lift.control = (b.count() > 0).then(|| b.mean());
                lift.difference = self.read(|| difference(&a, &b, level));
                lift.relative = Some(self.read(|| relative_difference(&a, &b, level)));
                if role == Role::Goal {
                    lift.stratified = Some(self.read(|| self.stratified(number)));
                }
                if role != Role::Guardrail {
                    let places = Number::COVARIATES.map(Number::place);
                    match less_covariates(treatment, control, at, &places, level) {
                        Ok(found) => {
                            lift.adjusted = Some(self.read(|| Ok(found.difference)));
                            lift.adjusted_relative = Some(self.read(|| found.relative));
                            lift.explained = Some(found.explained);
                        }
                        Err(Refusal::CollinearCovariates) => {}
                        Err(refused) => lift.adjusted = Some(Found::Refused { refused }),
                    }
                }
            }
            Kind::Ratio { of, per } => {
                let arm = |sums: &Sums| sums.pair(per.place(), of.place());
                let (a, b) = (arm(treatment), arm(control));
                lift.treatment = level_of(treatment, of, per);
                lift.control = level_of(control, of, per);
                lift.difference = self.read(|| difference_of_ratios(&a, &b, level));
                lift.relative = Some(self.read(|| relative_difference_of_ratios(&a, &b, level)));
            }
            Kind::OfOffers { of, per } => {
                lift.treatment = level_of(treatment, of, per);
                lift.difference = ratio(&treatment.pair(per.place(), of.place()), level).into();
            }
        }
        lift
    }

    /// Some weeks together, less what the weeks before explain.
    fn weeks(&self, weeks: std::ops::Range<usize>) -> WeekLift {
        WeekLift {
            week: weeks.start,
            margin: self.summed(|arm| &arm.margin, weeks.clone()),
            revenue: self.summed(|arm| &arm.revenue, weeks.clone()),
            weeks_with_order: self.summed(|arm| &arm.ordered, weeks),
        }
    }

    fn summed(&self, of: fn(&ArmTally) -> &Sums, weeks: std::ops::Range<usize>) -> Found {
        let all = self.horizon.weeks + self.horizon.weeks_after;
        let width = all + Number::COVARIATES.len();
        let mut weights = vec![vec![0_i64; width]; 1 + Number::COVARIATES.len()];
        weights[0][weeks].fill(1);
        for covariate in 0..Number::COVARIATES.len() {
            weights[1 + covariate][all + covariate] = 1;
        }
        let weights: Vec<&[i64]> = weights.iter().map(Vec::as_slice).collect();
        self.read(|| {
            let arm = |arm: &ArmTally| of(arm).combined(&weights);
            let (a, b) = (arm(self.treatment)?, arm(self.control)?);
            let places: [usize; Number::COVARIATES.len()] = std::array::from_fn(|at| at + 1);
            match less_covariates(&a, &b, 0, &places, self.ask.level) {
                Ok(found) => Ok(found.difference),
                Err(_) => difference(&a.moments(0), &b.moments(0), self.ask.level),
            }
        })
    }

    /// The campaign up to each of its weeks. Without a planned end there is no weekly verdict, and past it no more.
    fn looks(&self) -> Vec<WeekLook> {
        let planned_weeks = self.ask.planned_weeks;
        let tuned_for = if planned_weeks > 0 { planned_weeks } else { TUNED_WEEKS };
        let mut found: Vec<WeekLook> = (0..self.horizon.weeks)
            .map(|week| {
                let margin = self.summed(|arm| &arm.margin, 0..week + 1);
                let fraction = (week + 1) as f64 / tuned_for as f64;
                let anytime =
                    margin.estimate().and_then(|estimate| anytime(estimate, fraction).ok());
                WeekLook { week, margin, planned: None, anytime }
            })
            .collect();
        // A week without an estimate is a look left out.
        let is_planned =
            |look: &WeekLook| look.week < planned_weeks && look.margin.estimate().is_some();
        let seen: Vec<(f64, Estimate)> = found
            .iter()
            .filter(|look| is_planned(look))
            .filter_map(|look| {
                let fraction = (look.week + 1) as f64 / planned_weeks as f64;
                Some((fraction, *look.margin.estimate()?))
            })
            .collect();
        let planned = looks(&seen).unwrap_or_default();
        let known = found.iter_mut().filter(|look| is_planned(look));
        known.zip(planned).for_each(|(look, planned)| look.planned = Some(planned));
        found
    }

    /// Within segments; those with too few units on a side stand together.
    fn stratified(&self, number: Number) -> Result<Estimate, Refusal> {
        let both = self.treatment.segments.iter().zip(&self.control.segments);
        let (mut strata, mut small): (Vec<[Sums; 2]>, [Sums; 2]) =
            (Vec::new(), [Sums::new(Number::COUNT), Sums::new(Number::COUNT)]);
        for (a, b) in both {
            if a.count().min(b.count()) >= UNITS_MIN {
                strata.push([a.clone(), b.clone()]);
            } else {
                small[0].merge(a)?;
                small[1].merge(b)?;
            }
        }
        // Too few even together: they go to the first stratum there is.
        match strata.first_mut() {
            Some(first) if small[0].count().min(small[1].count()) < UNITS_MIN => {
                first[0].merge(&small[0])?;
                first[1].merge(&small[1])?;
            }
            _ => strata.push(small),
        }
        let at = number.place();
        let strata: Vec<Stratum> = strata
            .iter()
            .map(|[a, b]| Stratum {
                treatment: a.moments(at),
                control: b.moments(at),
                weight: (a.count() + b.count()) as f64,
            })
            .collect();
        stratified_difference(&strata, self.ask.level)
    }

    fn segments(&self) -> Vec<SegmentLift> {
        let mut segments: Vec<SegmentLift> = self
            .ask
            .segments
            .iter()
            .zip(self.treatment.segments.iter().zip(&self.control.segments))
            .map(|(name, (a, b))| {
                let at = |number: Number| {
                    let (a, b) = (a.moments(number.place()), b.moments(number.place()));
                    self.read(|| difference(&a, &b, self.ask.level))
                };
                let places = Number::COVARIATES.map(Number::place);
                let adjusted_at = |number: Number| match less_covariates(
                    a,
                    b,
                    number.place(),
                    &places,
                    self.ask.level,
                ) {
                    Ok(found) => self.read(|| Ok(found.difference)),
                    Err(_) => at(number),
                };
                SegmentLift {
                    segment: name.clone(),
                    treated: a.count(),
                    control: b.count(),
                    margin: adjusted_at(Number::Margin),
                    revenue: adjusted_at(Number::Revenue),
                    conversion: at(Number::Converted),
                    p_holm: None,
                }
            })
            .collect();
        let p_values: Vec<Option<f64>> = segments
            .iter()
            .map(|segment| segment.margin.estimate().and_then(|estimate| estimate.p_value))
            .collect();
        for (segment, p_value) in segments.iter_mut().zip(holm(&p_values)) {
            segment.p_holm = p_value;
        }
        segments
    }
}

/// The adjusted difference; one covariate where two say the same.
fn less_covariates(
    treatment: &Sums,
    control: &Sums,
    outcome: usize,
    places: &[usize],
    level: f64,
) -> Result<crate::estimate::Adjusted, Refusal> {
    match adjusted(treatment, control, outcome, places, level) {
        Err(Refusal::CollinearCovariates) => {
            adjusted(treatment, control, outcome, &places[..1], level)
        }
        found => found,
    }
}

fn level_of(sums: &Sums, of: Number, per: Number) -> Option<f64> {
    let below = sums.total(per.place());
    (below > 0).then(|| sums.total(of.place()) as f64 / below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lift::{UnitRow, WEEK_NUMBERS, WeekRow};
    use crate::sequential::Verdict;

    /// 400 treated and 200 control units in two segments. What a unit spends hangs on what it spent before, and
    /// the treated spend `more` in each week of the campaign, and `after` in the week after.
    fn tally(more: i64, after: i64) -> Tally {
        let horizon = Horizon {
            known_until: 0,
            weeks: 3,
            weeks_after: 1,
            revenue_cap_minor: 900,
            margin_cap_minor: 450,
            contact_cost_minor: 0,
        };
        let mut tally = Tally::new(2, 2, horizon);
        for unit in 0..600_i64 {
            let treated = unit % 3 > 0;
            let level = 100 + 37 * (unit / 3 % 7);
            let noise = |week: i64| (unit * 31 + week * 17) % 23;
            let weeks: Vec<WeekRow> = (-2..4)
                .map(|week| {
                    let extra = match week {
                        _ if !treated => 0,
                        0..3 => more,
                        3 => after,
                        _ => 0,
                    };
                    let revenue = level + noise(week) + extra;
                    let mut numbers = [0; WEEK_NUMBERS];
                    numbers[Number::Orders.place()] = 1 + (unit + week).rem_euclid(2);
                    numbers[Number::Revenue.place()] = revenue;
                    numbers[Number::Margin.place()] = revenue / 2;
                    if treated && week >= 0 {
                        numbers[Number::OffersSent.place()] = 3;
                        numbers[Number::OffersUsed.place()] = i64::from(unit % 4 == 0);
                    }
                    WeekRow { week: week as i32, numbers }
                })
                .collect();
            let row = UnitRow {
                arm: usize::from(!treated),
                segment: usize::from(unit % 5 == 0),
                opted_out: unit % 50 == 0,
            };
            tally.add(row, &weeks).unwrap();
        }
        tally
    }

    fn ask() -> LiftAsk {
        LiftAsk {
            treatment: 0,
            control: 1,
            level: 0.95,
            is_readable: true,
            planned_weeks: 4,
            segments: vec!["both".to_owned(), "browsing_only".to_owned()],
        }
    }

    fn value(found: &Found) -> f64 {
        found.estimate().expect("an estimate").value
    }

    fn metric<'a>(lift: &'a Lift, name: &str) -> &'a MetricLift {
        lift.metrics.iter().find(|metric| metric.metric == name).expect("a metric")
    }

    #[test]
    fn what_offers_added_is_found_and_what_was_pulled_forward_is_told() {
        let found = lift(&tally(20, -30), &ask());
        assert_eq!((found.treated, found.control), (400, 200));
        let revenue = metric(&found, "revenue_minor");
        let within = |found: &Found, truth: f64| {
            let estimate = found.estimate().expect("an estimate");
            assert!(estimate.low < truth && truth < estimate.high, "{truth}: {estimate:?}");
        };
        within(&revenue.difference, 60.0);
        within(revenue.adjusted.as_ref().unwrap(), 60.0);
        within(revenue.stratified.as_ref().unwrap(), 60.0);
        assert!(revenue.explained.unwrap() > 0.9);
        let reach = |found: &Found| found.estimate().map(|e| e.high - e.low).unwrap();
        assert!(reach(revenue.best()) < 0.4 * reach(&revenue.difference));
        within(&found.total_revenue, 400.0 * 60.0);
        let relative = value(revenue.best_relative().unwrap());
        assert!((relative - 60.0 / revenue.control.unwrap()).abs() < 0.02);
        // Capping changes what is estimated, not how.
        assert!(value(&metric(&found, "capped_revenue_minor").difference) < 60.0);
        for week in &found.weeks {
            within(&week.revenue, 20.0);
        }
        assert!(
            (value(&found.looks[2].margin) - value(metric(&found, "margin_minor").best())).abs()
                < 1e-9
        );
        // Three weeks of four: the difference is far past every bound, and narrower looks come later.
        for look in &found.looks {
            let (planned, anytime) = (look.planned.unwrap(), look.anytime.unwrap());
            assert_eq!(planned.verdict, Verdict::Wins);
            assert!(anytime.low > 0.0 && planned.low > 0.0 && planned.high > anytime.high * 0.5);
        }
        assert!((found.looks[2].planned.unwrap().fraction - 0.75).abs() < 1e-12);
        within(&found.after.unwrap().revenue, -30.0);
        within(&found.with_after.unwrap().revenue, 30.0);
        assert_eq!(found.after.unwrap().week, 3);
        for segment in &found.segments {
            within(&segment.revenue, 60.0);
            assert!(segment.p_holm.unwrap() >= segment.margin.estimate().unwrap().p_value.unwrap());
        }
        let hits = metric(&found, "hit_rate");
        assert_eq!((hits.control, &hits.relative), (None, &None));
        assert!((value(&hits.difference) - 1.0 / 12.0).abs() < 1e-9);
        // Everybody ordered: there is nothing to compare, and no lift is made of it.
        let conversion = metric(&found, "conversion_rate");
        assert_eq!(conversion.difference, Found::Refused { refused: Refusal::NoVariance });
    }

    #[test]
    fn there_is_no_verdict_without_a_plan_and_none_past_it() {
        let check = |planned_weeks: usize, expect: [bool; 3]| {
            let found = lift(&tally(20, 0), &LiftAsk { planned_weeks, ..ask() });
            let planned: Vec<bool> =
                found.looks.iter().map(|look| look.planned.is_some()).collect();
            assert_eq!(planned, expect, "{planned_weeks}");
            assert!(found.looks.iter().all(|look| look.anytime.is_some()));
        };
        check(0, [false; 3]);
        check(2, [true, true, false]);
        check(3, [true; 3]);
        check(9, [true; 3]);
    }

    #[test]
    fn broken_arms_give_levels_and_no_lift() {
        let found = lift(&tally(20, 0), &LiftAsk { is_readable: false, ..ask() });
        let refused = Found::Refused { refused: Refusal::SampleRatioMismatch };
        for metric in &found.metrics {
            let of_offers = metric.control.is_none();
            assert_eq!(metric.difference == refused, !of_offers, "{}", metric.metric);
            assert!(metric.treatment.is_some() || of_offers);
        }
        assert!(found.weeks.iter().all(|week| week.margin == refused));
        assert_eq!((found.total_margin, found.segments[0].margin), (refused, refused));
    }

    #[test]
    fn nobody_is_refused() {
        let horizon = tally(0, 0).horizon;
        let found = lift(&Tally::new(2, 1, horizon), &ask());
        assert_eq!(found.total_margin, Found::Refused { refused: Refusal::EmptyArm });
        assert!(found.metrics.iter().all(|metric| metric.treatment.is_none()));
    }
}
