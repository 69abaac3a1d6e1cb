//! What do the weeks of all units add up to, arm by arm?

use std::collections::BTreeMap;

use serde::Serialize;
use tercet_engine::{Engine, Frame};
use tercet_measurement::lift::{
    Horizon, Lift, LiftAsk, Tally, UnitRow, WEEK_NUMBERS, WeekRow, lift,
};
use tercet_measurement::srm::{Diagnosis, Dimension, diagnose};
use tercet_types::tables::outcomes::OUTCOMES;
use tercet_types::{Error, Result};

use super::{Measured, Measurement};
use crate::commands::Project;
use crate::config::Lift as Settings;
use crate::pipeline::manifest::Part;

/// The arms that are told apart: treated outside an engine test, the two arms of a test, and control.
const ARMS: usize = 4;
const TREATED: [usize; 3] = [0, 1, 2];
const TEST: usize = TREATED[1];
const BASELINE: usize = TREATED[2];
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
    let engine = &project.engine;
    let mut summed = Summed {
        tally: Tally::new(ARMS, measured.segments.len(), horizon),
        groups: BTreeMap::new(),
    };
    for part in Part::all(measured.parts) {
        let load = |table: &str| -> Result<Frame> {
            let path = measurement.path(&part.file(table));
            let frame = engine.load_parts(store, &[path], table)?;
            engine.forget(table)?;
            Ok(frame)
        };
        let (units, outcomes) = (load("units")?, load("outcomes")?);
        summed.add(engine, &units, &outcomes, measured, horizon)?;
    }
    Ok(summed)
}

impl Summed {
    fn add(
        &mut self,
        engine: &Engine,
        units: &Frame,
        outcomes: &Frame,
        measured: &Measured,
        horizon: Horizon,
    ) -> Result<()> {
        let rows = unit_rows(units, &measured.segments)?;
        self.count(units, &rows)?;
        let weeks = Weeks::of(units, outcomes)?;
        let step = rows.len().div_ceil(engine.threads()).max(1);
        let parts = std::thread::scope(|scope| {
            let running: Vec<_> = rows
                .chunks(step)
                .enumerate()
                .map(|(at, chunk)| {
                    let (weeks, segments) = (&weeks, measured.segments.len());
                    scope.spawn(move || {
                        let mut tally = Tally::new(ARMS, segments, horizon);
                        let mut of_unit = Vec::new();
                        for (row, unit) in (at * step..).zip(chunk) {
                            weeks.read(row, &mut of_unit);
                            tally.add(*unit, &of_unit)?;
                        }
                        Ok(tally)
                    })
                })
                .collect();
            running.into_iter().map(crate::pipeline::learn::joined).collect::<Vec<Result<Tally>>>()
        });
        for part in parts {
            self.tally.merge(&part?)?;
        }
        Ok(())
    }

    fn count(&mut self, units: &Frame, rows: &[UnitRow]) -> Result<()> {
        let days = units.date("entered_on")?.into_iter().map(|day| Some(day.to_string())).collect();
        let dimensions = [
            ("day of assignment", days),
            ("segment", units.text_or_null("segment")?),
            ("device", units.text_or_null("device")?),
        ];
        for (dimension, groups) in dimensions {
            let counts = self.groups.entry(dimension).or_default();
            for (group, unit) in groups.into_iter().zip(rows) {
                counts.entry(group.unwrap_or_default()).or_default()[unit.arm] += 1;
            }
        }
        Ok(())
    }
}

fn unit_rows(units: &Frame, segments: &[String]) -> Result<Vec<UnitRow>> {
    let (arms, tests) = (units.text("arm")?, units.text_or_null("experiment_arm")?);
    let opted_out = units.bool_or_null("opted_out")?;
    let place: BTreeMap<&str, usize> =
        segments.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    arms.iter()
        .zip(&tests)
        .zip(units.text("segment")?)
        .zip(opted_out)
        .map(|(((arm, test), segment), opted_out)| {
            let arm = match (arm.as_str(), test.as_deref()) {
                ("control", _) => CONTROL,
                (_, Some("test")) => TEST,
                (_, Some("baseline")) => BASELINE,
                _ => TREATED[0],
            };
            let segment = *place.get(segment.as_str()).ok_or_else(|| {
                Error::internal(
                    "T1044",
                    format!("the segment '{segment}' is not among those counted"),
                )
            })?;
            Ok(UnitRow { arm, segment, opted_out: opted_out == Some(true) })
        })
        .collect()
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

/// All comparisons: offers against none, and of an engine test its arms.
pub(crate) fn compare_arms(
    summed: &Summed,
    measured: &Measured,
    settings: &Settings,
) -> Result<Vec<Comparison>> {
    let control = measured.control_rate;
    let mut pairs: Vec<(String, &[usize], &[usize], f64)> =
        vec![("offers against none".to_owned(), &TREATED, &[CONTROL], 1.0 - control)];
    if let (Some(name), Some(test)) = (&measured.experiment, measured.test_rate) {
        let against = |rate: f64| rate * (1.0 - control) / (rate * (1.0 - control) + control);
        pairs.extend([
            (format!("{name}: test against baseline"), &[TEST][..], &[BASELINE][..], test),
            (format!("{name}: test against none"), &[TEST], &[CONTROL], against(test)),
            (
                format!("{name}: baseline against none"),
                &[BASELINE],
                &[CONTROL],
                against(1.0 - test),
            ),
        ]);
    }
    pairs
        .into_iter()
        .map(|(name, treatment, control, planned_rate)| {
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
            Ok(Comparison { name, planned_rate, ratio, lift: lift(&tally, &ask) })
        })
        .collect()
}
