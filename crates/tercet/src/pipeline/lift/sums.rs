//! What do the weeks of all units add up to, arm by arm?

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use tercet_engine::Frame;
use tercet_measurement::assignment::{Arm, TestArm};
use tercet_measurement::lift::{
    Horizon, Lift, LiftAsk, Tally, UnitRow, WEEK_NUMBERS, WeekRow, lift,
};
use tercet_measurement::srm::{Diagnosis, Dimension, diagnose};
use tercet_types::tables::outcomes::{OUTCOMES, UNITS};
use tercet_types::{Error, Result};

use super::{Measured, Measurement};
use crate::commands::Project;
use crate::config::Lift as Settings;
use crate::pipeline::learn::joined;
use crate::pipeline::manifest::Part;

/// The arms that are told apart: treated outside an engine test, the two arms of a test, and control.
const ARMS: usize = 4;
static TREATED: [usize; 3] = [0, 1, 2];
const TEST: usize = 1;
const BASELINE: usize = 2;
const CONTROL: usize = 3;

/// Sums of all units, by arm, and how many of each kind there are in them.
pub(crate) struct Summed {
    tally: Tally,
    /// Units by dimension, group and arm: what a broken assignment is looked for in.
    groups: BTreeMap<&'static str, BTreeMap<String, [u64; ARMS]>>,
}

/// Two arms held against each other.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparison {
    /// What is compared, in words.
    pub(crate) name: String,
    /// What the two arms are called.
    pub(crate) arms: [&'static str; 2],
    /// The share of the first arm that was planned.
    pub(crate) planned_rate: f64,
    /// Did the arms come out as planned, and where not?
    pub(crate) ratio: Diagnosis,
    /// What the treatment brought.
    pub(crate) lift: Lift,
}

impl Comparison {
    /// True when the arms did not come out as planned, and no lift may be read.
    pub(crate) fn is_broken(&self) -> bool {
        self.ratio.overall.alarm
    }
}

/// Adds up all parts.
pub(super) fn add_up(
    project: &Project,
    measurement: &Measurement,
    horizon: Horizon,
) -> Result<Summed> {
    let Measurement { measured, store, .. } = measurement;
    let nothing = || Summed {
        tally: Tally::new(ARMS, measured.segments.len(), horizon),
        groups: BTreeMap::new(),
    };
    // Sums are exact: whoever takes which part, the bits are the same.
    let next = AtomicUsize::new(0);
    let worked = std::thread::scope(|scope| {
        let work = || -> Result<Summed> {
            let mut summed = nothing();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= measured.parts {
                    return Ok(summed);
                }
                let part = Part { at, of: measured.parts };
                let path = |table: &str| measurement.path(&part.file(table));
                let units = store.columns_of(&path(UNITS.name), &UNIT_COLUMNS)?;
                let columns: Vec<&str> =
                    OUTCOMES.columns.iter().map(|column| column.name).collect();
                let outcomes = store.columns_of(&path(OUTCOMES.name), &columns)?;
                summed.add(&units, &outcomes, measured)?;
            }
        };
        let threads = project.engine.threads().min(measured.parts);
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(joined).collect::<Vec<_>>()
    });
    let mut summed = nothing();
    for part in worked {
        summed.merge(part?)?;
    }
    Ok(summed)
}

impl Summed {
    fn add(&mut self, units: &Frame, outcomes: &Frame, measured: &Measured) -> Result<()> {
        let rows = unit_rows(units, &measured.segments)?;
        self.count(units, &rows)?;
        let weeks = Weeks::of(units, outcomes)?;
        let mut of_unit = Vec::new();
        for (row, unit) in rows.into_iter().enumerate() {
            weeks.read(row, &mut of_unit);
            self.tally.add(unit, &of_unit)?;
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) -> Result<()> {
        self.tally.merge(&other.tally)?;
        for (dimension, groups) in other.groups {
            let counts = self.groups.entry(dimension).or_default();
            for (group, of_arms) in groups {
                let sums = counts.entry(group).or_default();
                sums.iter_mut().zip(of_arms).for_each(|(sum, count)| *sum += count);
            }
        }
        Ok(())
    }

    fn count(&mut self, units: &Frame, rows: &[UnitRow]) -> Result<()> {
        let days = units.date("entered_on")?.into_iter();
        let (days, mut firsts) = (days.collect::<Vec<_>>(), BTreeMap::new());
        for (day, unit) in days.iter().zip(rows) {
            firsts.entry(*day).or_insert([0; ARMS])[unit.arm] += 1;
        }
        let named = firsts.into_iter().map(|(day, counts)| (day.to_string(), counts));
        let mut dimensions = vec![("day of assignment", named.collect::<Vec<_>>())];
        for dimension in ["segment", "device"] {
            let (codes, names) = units.codes(dimension)?;
            let mut counts = vec![[0; ARMS]; names.len()];
            for (code, unit) in codes.iter().zip(rows) {
                if let Some(code) = code {
                    counts[*code as usize][unit.arm] += 1;
                }
            }
            dimensions.push((dimension, names.into_iter().zip(counts).collect()));
        }
        for (dimension, groups) in dimensions {
            let counts = self.groups.entry(dimension).or_default();
            for (group, of_arms) in groups {
                let sums = counts.entry(group).or_default();
                sums.iter_mut().zip(of_arms).for_each(|(sum, count)| *sum += count);
            }
        }
        Ok(())
    }
}

/// What is asked of a unit.
const UNIT_COLUMNS: [&str; 7] =
    ["unit", "entered_on", "arm", "experiment_arm", "segment", "device", "opted_out"];

fn unit_rows(units: &Frame, segments: &[String]) -> Result<Vec<UnitRow>> {
    let (arms, arm_names) = units.codes("arm")?;
    let (tests, test_names) = units.codes("experiment_arm")?;
    let (of_segments, segment_names) = units.codes("segment")?;
    let opted_out = units.bool_or_null("opted_out")?;
    let places = segment_names
        .iter()
        .map(|name| {
            segments.iter().position(|known| known == name).ok_or_else(|| {
                Error::internal("T1044", format!("the segment '{name}' is not among those counted"))
            })
        })
        .collect::<Result<Vec<usize>>>()?;
    let name = |code: Option<u32>, names: &[String]| -> Option<usize> {
        let name = names.get(code? as usize)?;
        [
            (Arm::Control.name(), CONTROL),
            (TestArm::Test.name(), TEST),
            (TestArm::Baseline.name(), BASELINE),
        ]
        .into_iter()
        .find_map(|(known, arm)| (name == known).then_some(arm))
    };
    let row = |at: usize| UnitRow {
        arm: match name(arms[at], &arm_names) {
            Some(CONTROL) => CONTROL,
            _ => name(tests[at], &test_names).unwrap_or(TREATED[0]),
        },
        segment: of_segments[at].map_or(0, |code| places[code as usize]),
        opted_out: opted_out[at] == Some(true),
    };
    Ok((0..units.rows()).map(row).collect())
}

/// The weeks of a part's units, found by their place in it.
struct Weeks {
    /// Where the weeks of each unit begin, and behind the last where they end.
    from: Vec<usize>,
    week: Vec<i32>,
    columns: Vec<Vec<i64>>,
}

impl Weeks {
    fn of(units: &Frame, outcomes: &Frame) -> Result<Self> {
        let (first, unit) = (units.i32("unit")?, outcomes.i32("unit")?);
        let mut from = Vec::with_capacity(first.len() + 1);
        let mut row = 0;
        for number in &first {
            from.push(row);
            row += unit[row..].iter().take_while(|of| *of == number).count();
        }
        from.push(row);
        if row != unit.len() {
            return Err(Error::data("T1044", "outcomes: a row is of no unit, or out of order")
                .hint("measure again with tercet lift --again"));
        }
        let numbers = OUTCOMES.columns.iter().skip(2);
        let columns = numbers.map(|column| outcomes.i64(column.name)).collect::<Result<_>>()?;
        Ok(Self { from, week: outcomes.i32("week")?, columns })
    }

    fn read(&self, unit: usize, weeks: &mut Vec<WeekRow>) {
        weeks.clear();
        weeks.extend((self.from[unit]..self.from[unit + 1]).map(|row| {
            let mut numbers = [0; WEEK_NUMBERS];
            numbers.iter_mut().zip(&self.columns).for_each(|(cell, column)| *cell = column[row]);
            WeekRow { week: self.week[row], numbers }
        }));
    }
}

/// Two arms that are to be held against each other.
struct Pair {
    name: String,
    arms: [&'static str; 2],
    /// The arms told apart that are the first of the two.
    treatment: &'static [usize],
    /// The one that is the second.
    control: usize,
    /// The planned share of the first.
    planned_rate: f64,
}

/// All comparisons: offers against none, and of an engine test its arms.
pub(crate) fn compare_arms(
    summed: &Summed,
    measured: &Measured,
    settings: &Settings,
) -> Result<Vec<Comparison>> {
    let among = |first: f64, second: f64| first / (first + second);
    let [control, treated] = measured.planned;
    let control = among(control, treated);
    let pair = |name: String, arms, treatment, control, planned_rate| Pair {
        name,
        arms,
        treatment,
        control,
        planned_rate,
    };
    let all = "offers against none".to_owned();
    let mut pairs = vec![pair(all, ["treated", "control"], &TREATED[..], CONTROL, 1.0 - control)];
    if let (Some(name), Some([test, baseline])) = (&measured.experiment, measured.planned_test) {
        let against = |share: f64| among(share * (1.0 - control), control);
        let said = |what: &str| format!("{name}: {what}");
        let (of_test, of_baseline) = (&TREATED[TEST..=TEST], &TREATED[BASELINE..=BASELINE]);
        pairs.extend([
            pair(
                said("test against baseline"),
                ["test", "baseline"],
                of_test,
                BASELINE,
                among(test, baseline),
            ),
            pair(said("test against none"), ["test", "control"], of_test, CONTROL, against(test)),
            pair(
                said("baseline against none"),
                ["baseline", "control"],
                of_baseline,
                CONTROL,
                against(baseline),
            ),
        ]);
    }
    // At the ends of a roll-out one of its arms is empty: there is nothing to hold the other against.
    pairs.retain(|pair| pair.planned_rate > 0.0 && pair.planned_rate < 1.0);
    pairs
        .into_iter()
        .map(|Pair { name, arms, treatment, control, planned_rate }| {
            let control = &[control][..];
            let tally = summed.tally.joined(&[treatment, control])?;
            let of_arms = |counts: &[u64; ARMS], arms: &[usize]| -> u64 {
                arms.iter().map(|arm| counts[*arm]).sum()
            };
            let dimensions: Vec<Dimension> = summed
                .groups
                .iter()
                .map(|(name, groups)| Dimension {
                    name: (*name).to_owned(),
                    groups: groups
                        .iter()
                        .map(|(group, counts)| {
                            let arms = [of_arms(counts, treatment), of_arms(counts, control)];
                            (group.clone(), arms.to_vec())
                        })
                        .collect(),
                })
                .collect();
            let counts = [tally.units(0), tally.units(1)];
            let ratio = diagnose(&counts, &[planned_rate, 1.0 - planned_rate], &dimensions)
                .map_err(|error| error.context(&name))?;
            let ask = LiftAsk {
                treatment: 0,
                control: 1,
                level: settings.level,
                is_readable: !ratio.overall.alarm,
                planned_weeks: settings.planned_weeks as usize,
                segments: measured.segments.clone(),
            };
            Ok(Comparison { name, arms, planned_rate, ratio, lift: lift(&tally, &ask) })
        })
        .collect()
}
