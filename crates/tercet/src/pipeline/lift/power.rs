//! How small an effect could a campaign show, going by what the shop's customers spent before it?

use serde::Serialize;
use tercet_engine::Location;
use tercet_features::{outcomes, register_everybody};
use tercet_measurement::power::{Design, Power, detectable};
use tercet_measurement::{Found, Sums};
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use super::weeks;
use crate::commands::Project;
use crate::output::{Progress, thousands};
use crate::pipeline::manifest::Part;
use crate::pipeline::parts_of;
use crate::pipeline::prepare::sources_of;

/// What a campaign of so many weeks, with so many held out, could show.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Planned {
    /// Weeks of the campaign.
    pub(crate) weeks: u32,
    /// Share of the customers held out.
    pub(crate) holdout: f64,
    /// Customers, treated and held out together.
    pub(crate) customers: u64,
    /// What a customer spends in so many weeks, minor units.
    pub(crate) mean_minor: f64,
    /// The smallest effect, or why there is none to tell.
    #[serde(flatten)]
    pub(crate) answer: Answer,
}

/// The smallest effect with and without what was spent before, or why none can be told.
pub(crate) type Answer = Found<Power>;

/// What is asked of the shop's past.
#[derive(Clone, Debug)]
pub(crate) struct PowerAsk {
    /// The first day of the campaign: what lies before it is looked at.
    pub(crate) as_of: Date,
    /// Weeks that it may run.
    pub(crate) weeks: Vec<u32>,
    /// Shares that may be held out.
    pub(crate) holdouts: Vec<f64>,
    /// The column of the outcome: revenue or margin.
    pub(crate) outcome: &'static str,
    /// The chance to find the effect when it is there.
    pub(crate) power: f64,
}

/// Reads the shop's past and says what each plan could show.
///
/// # Errors
/// Those of the sources; `T1041` when the past is shorter than the shortest campaign and the weeks before it.
pub(crate) fn plan(project: &Project, ask: &PowerAsk, progress: &Progress) -> Result<Vec<Planned>> {
    const FOLDER: &str = "power";
    let settings = &project.config.lift;
    let store = project.engine.store(&Location::new(&settings.folder, &project.folder)?)?;
    store.delete_all(FOLDER)?;
    let before = settings.covariate_weeks;
    let longest = ask.weeks.iter().max().copied().unwrap_or_default();
    let looked = progress.step("past", || {
        let mut look = weeks::ask(settings, ask.as_of, ask.as_of);
        look.weeks_before = i64::from(longest + before);
        let inputs = tercet_sources::input_files(&project.engine, &sources_of(project)?)?;
        let parts = parts_of(project, &inputs);
        let read = weeks::read(project, &store, FOLDER, &look, parts)?;
        if read.last_day.plus_days(DAYS_PER_WEEK) < ask.as_of {
            return Err(Error::data(
                "T1041",
                format!("the data end on {}, long before {}", read.last_day, ask.as_of),
            )
            .hint("say with --as-of when the campaign would begin, within a week of the newest data"));
        }
        let known = (ask.as_of.days() - read.first_day.days()) / DAYS_PER_WEEK;
        if ask.weeks.iter().all(|weeks| i64::from(known) < i64::from(weeks + before)) {
            return Err(Error::data(
                "T1041",
                format!("the data begin on {}: {known} weeks before {}", read.first_day, ask.as_of),
            )
            .hint(format!(
                "a campaign and {before} weeks before it are looked at: ask for fewer --weeks, or set [lift] covariate_weeks"
            )));
        }
        let mut sums = Sums::new(2 * ask.weeks.len());
        let meter = progress.count("parts", parts as u64);
        for part in Part::all(parts) {
            read.open(part)?;
            let units = register_everybody(&project.engine, ask.as_of)?;
            let rows = outcomes(&project.engine, &look)?.weeks;
            let (of_unit, week) = (rows.i32("unit")?, rows.i32("week")?);
            let minor = rows.i64(ask.outcome)?;
            let mut unit_sums = vec![0_i64; units * 2 * ask.weeks.len()];
            for (row, amount) in minor.into_iter().enumerate() {
                let of = of_unit[row] as usize * 2 * ask.weeks.len();
                let ago = week[row].unsigned_abs();
                for (at, weeks) in ask.weeks.iter().enumerate() {
                    // The covariate first, then the outcome.
                    if ago <= *weeks {
                        unit_sums[of + 2 * at + 1] += amount;
                    } else if ago <= weeks + before {
                        unit_sums[of + 2 * at] += amount;
                    }
                }
            }
            unit_sums.chunks(2 * ask.weeks.len()).try_for_each(|unit| sums.add(unit))?;
            meter.advance(1);
        }
        let said = format!("{} customers, {known} weeks", thousands(sums.count()));
        Ok(((sums, known), said))
    });
    store.delete_all(FOLDER)?;
    let ((sums, known), _) = looked?;
    let mut planned = Vec::new();
    for (at, weeks) in ask.weeks.iter().enumerate() {
        if i64::from(known) < i64::from(weeks + before) {
            continue;
        }
        let spend = sums.pair(2 * at, 2 * at + 1);
        for holdout in &ask.holdouts {
            let design = Design { holdout: *holdout, level: settings.level, power: ask.power };
            planned.push(Planned {
                weeks: *weeks,
                holdout: *holdout,
                customers: sums.count(),
                mean_minor: sums.mean(2 * at + 1),
                answer: detectable(&spend, sums.count(), &design).into(),
            });
        }
    }
    Ok(planned)
}
