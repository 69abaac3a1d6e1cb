//! What did the offers of a campaign bring?
//!
//! Three steps: who is measured, and what they were offered, from the logs of the runs (`logs`); what they did,
//! week by week, from the shop's data (`weeks`), kept as tables; what these add up to (`sums`). The statistics are
//! `tercet_measurement::lift`.

mod logs;
mod plan;
mod power;
mod sums;
mod weeks;

use serde::{Deserialize, Serialize};
use tercet_engine::{Location, Store};
use tercet_measurement::lift::{Horizon, pooled_cap};
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use self::logs::Logs;
pub(crate) use self::power::{Answer, Planned, PowerAsk, plan};
pub(crate) use self::sums::Comparison;
use super::manifest::{parse, to_json};
use super::prepare::sources_of;
use crate::commands::Project;
use crate::config::Lift as Settings;
use crate::output::{Progress, thousands};

/// The file that makes a measurement visible, written last.
const MANIFEST: &str = "measurement.json";

/// One unit in so many lies beyond the cap.
const CAPPED_SHARE: f64 = 0.001;

/// What a person asks to be measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// The first Monday; else that of the oldest run.
    pub(crate) from: Option<Date>,
    /// The last Monday; else that of the newest run.
    pub(crate) to: Option<Date>,
    /// The engine test to read the arms of.
    pub(crate) experiment: Option<String>,
    /// True to read the shop's data again.
    pub(crate) again: bool,
    /// A measurement that was made before: nothing else is asked then.
    pub(crate) measurement: Option<String>,
}

/// What was measured, and from what: the manifest of a measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// The version that measured.
    pub(crate) tercet_version: String,
    /// The first Monday of the campaign.
    pub(crate) first_day: Date,
    /// The day from which on nothing counts.
    pub(crate) until: Date,
    /// Weeks of the campaign that are over.
    pub(crate) weeks: usize,
    /// Weeks after it that are over.
    pub(crate) weeks_after: usize,
    /// Weeks that are known from before anybody may have been treated.
    pub(crate) weeks_before: usize,
    /// The first week in which somebody may have been treated, at most 0.
    pub(crate) known_until: i32,
    /// The runs whose logs were read.
    pub(crate) runs: Vec<String>,
    /// The engine test, when one was read.
    pub(crate) experiment: Option<String>,
    /// In how many parts units and outcomes lie.
    pub(crate) parts: usize,
    /// Units.
    pub(crate) units: u64,
    /// Customers left out, whom a larger holdout moved to the other arm.
    pub(crate) moved: u64,
    /// Customers left out, for whom another share was planned.
    pub(crate) others: u64,
    /// Customers left out who are no longer in the shop's data: erased, or visitors who have logged in since.
    pub(crate) gone: u64,
    /// Planned shares of control and treatment.
    pub(crate) planned: [f64; 2],
    /// Planned shares of the test arm and of the baseline, among the treated of an engine test.
    pub(crate) planned_test: Option<[f64; 2]>,
    /// Segments, as they are numbered.
    pub(crate) segments: Vec<String>,
    /// What a unit counts with at most, minor units: revenue and margin.
    pub(crate) caps_minor: [i64; 2],
    /// True where a cap was configured, and not taken from the weeks before.
    pub(crate) caps_are_configured: [bool; 2],
    /// Margin over revenue of products that say none.
    pub(crate) margin_rate: f64,
    /// What said that an offer was used, the most trusted sign first.
    pub(crate) attribution: Vec<tercet_features::Attribution>,
    /// Offers used, and what was paid with them in minor units, by the rule that said so.
    pub(crate) attributed: std::collections::BTreeMap<String, (u64, i64)>,
    /// Rows of the shop's data that failed their contract.
    pub(crate) quarantined: u64,
}

/// A measurement, and where it lies.
pub(crate) struct Measurement {
    /// Its folder in the store.
    pub(crate) id: String,
    /// What it is.
    pub(crate) measured: Measured,
    /// Where measurements are kept.
    pub(crate) store: Store,
}

impl Measurement {
    /// The place of one of its files in its store.
    pub(crate) fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.id)
    }
}

/// Measures a campaign, or finds what was measured before from the same data.
///
/// # Errors
/// `T1040` without runs; `T1041` when no week is over; `T1042` for logs that cannot be measured by.
pub(crate) fn measure(
    project: &Project,
    asked: &Asked,
    progress: &Progress,
) -> Result<Measurement> {
    let settings = &project.config.lift;
    checked(settings)?;
    let store = project.engine.store(&Location::new(&settings.folder, &project.folder)?)?;
    if let Some(id) = &asked.measurement {
        return kept(&store, id)?.ok_or_else(|| {
            Error::not_found("T1040", format!("there is no measurement '{id}'"))
                .hint(format!("they lie in {}; tercet lift makes them", store.place()))
        });
    }
    let logs = Logs::find(project, asked, progress)?;
    let until = logs.until();
    let sources = sources_of(project)?;
    let inputs = tercet_sources::input_files(&project.engine, &sources)?;
    let hangs_on = (
        env!("CARGO_PKG_VERSION"),
        (logs.first_day, until),
        &logs.runs,
        &asked.experiment,
        (&inputs, blake3::hash(&to_json(&project.config)?).to_hex().to_string()),
    );
    let digest = blake3::hash(&to_json(&hangs_on)?).to_hex().to_string();
    let id = format!("{}-{}-{}", logs.first_day, until, &digest[..8]);
    if !asked.again
        && let Some(measurement) = kept(&store, &id)?
    {
        progress.say(&format!("{:<11} done before", "outcomes"));
        return Ok(measurement);
    }
    // From here on the measurement is not there for readers, until it is whole again.
    let manifest = format!("{id}/{MANIFEST}");
    store.delete(&manifest)?;
    store.delete_all(&id)?;
    let (measured, _) = progress.step("outcomes", || {
        let parts = super::parts_of(project, &inputs);
        let gathered = gather(&logs, &store, &id, parts, progress);
        // The shop's data are not left lying about, whatever came of them.
        store.delete_all(&format!("{id}/{}", weeks::READING))?;
        let measured = gathered?;
        let said = format!("{} customers, {} weeks", thousands(measured.units), measured.weeks);
        Ok((measured, said))
    })?;
    store.create(&manifest, to_json(&measured)?)?;
    Ok(Measurement { id, measured, store })
}

/// A measurement that was made before.
fn kept(store: &Store, id: &str) -> Result<Option<Measurement>> {
    let manifest = format!("{id}/{MANIFEST}");
    let Some(bytes) = store.get_if_there(&manifest)? else { return Ok(None) };
    let measured = parse(&bytes, &manifest)?;
    Ok(Some(Measurement { id: id.to_owned(), measured, store: store.clone() }))
}

/// Reads the shop's data and keeps what units did.
fn gather(
    logs: &Logs<'_>,
    store: &Store,
    id: &str,
    parts: usize,
    progress: &Progress,
) -> Result<Measured> {
    let (project, until) = (logs.project, logs.until());
    let settings = &project.config.lift;
    let treated_before = logs.weeks_treated_before();
    let mut ask = weeks::ask(settings, logs.first_day, until);
    ask.weeks_before += i64::from(treated_before);
    let read = weeks::read(project, store, id, &ask, parts)?;
    // Of a week that is not over, nobody knows what it brings.
    let whole = |from: Date, day: Date| (day.days() - from.days()).max(0) / DAYS_PER_WEEK;
    let over = whole(logs.first_day, read.last_day.plus_days(1).min(until)) as usize;
    let planned = whole(logs.first_day, logs.last_day) as usize + 1;
    if over == 0 {
        return Err(Error::data(
            "T1041",
            format!("the data end on {}: no week since {} is over", read.last_day, logs.first_day),
        )
        .hint("measure when the first week's transactions are there"));
    }
    // What customers did under offers is no covariate: only what they did before there were any.
    let known_until = logs.first_day.plus_days(-DAYS_PER_WEEK * treated_before);
    let weeks_before =
        (settings.covariate_weeks as usize).min(whole(read.first_day, known_until) as usize);
    let mut measured = Measured {
        tercet_version: env!("CARGO_PKG_VERSION").to_owned(),
        first_day: logs.first_day,
        until,
        weeks: over.min(planned),
        weeks_after: over.saturating_sub(planned),
        weeks_before,
        known_until: -treated_before,
        runs: logs.runs.clone(),
        experiment: logs.test.as_ref().map(|(name, _)| name.clone()),
        parts,
        units: 0,
        moved: logs.holdout.moved,
        others: logs.holdout.others,
        gone: 0,
        planned: logs.holdout.arms,
        planned_test: logs.test.as_ref().map(|(_, plan)| plan.arms),
        segments: Vec::new(),
        caps_minor: [0; 2],
        caps_are_configured: [settings.revenue_cap_minor, settings.margin_cap_minor]
            .map(|cap| cap.is_some()),
        margin_rate: settings.margin_rate,
        attribution: settings.attribution.clone(),
        attributed: std::collections::BTreeMap::new(),
        quarantined: read.quarantined,
    };
    let mut before = [Vec::new(), Vec::new()];
    let mut customers = logs::Found::default();
    let meter = progress.count("parts", parts as u64);
    for part in super::manifest::Part::all(parts) {
        read.open(part)?;
        let units = logs.register(part, measured.units, measured.weeks, &mut customers)?;
        let found = weeks::write(project, store, id, &ask, part, &units, measured.known_until)?;
        measured.units += units.rows() as u64;
        for (rule, (offers, minor)) in found.attributed {
            let (all, paid) = measured.attributed.entry(rule).or_default();
            (*all, *paid) = (*all + offers, *paid + minor);
        }
        for (values, new) in before.iter_mut().zip(found.before) {
            values.extend(new);
        }
        meter.advance(1);
    }
    if measured.units == 0 {
        return Err(logs::no_assignments(&logs.runs));
    }
    measured.gone = logs.logged.saturating_sub(customers.here);
    measured.segments = customers.segments.into_iter().collect();
    let configured = [settings.revenue_cap_minor, settings.margin_cap_minor];
    for ((cap, values), configured) in
        measured.caps_minor.iter_mut().zip(&mut before).zip(configured)
    {
        values.resize(measured.units as usize, 0);
        *cap = match (configured, weeks_before) {
            (Some(cap), _) => cap,
            (None, 0) => i64::MAX,
            (None, weeks) => pooled_cap(values, CAPPED_SHARE, weeks, measured.weeks),
        };
    }
    Ok(measured)
}

/// Refuses settings that say nothing.
fn checked(settings: &Settings) -> Result<()> {
    let fault = if !(settings.level > 0.0 && settings.level < 1.0) {
        "level does not lie between 0 and 1"
    } else if !(0.0..=1.0).contains(&settings.margin_rate) {
        "margin_rate does not lie between 0 and 1"
    } else if settings.attribution.is_empty() {
        "attribution names no rule"
    } else {
        return Ok(());
    };
    Err(Error::config("T1043", format!("[lift] {fault}"))
        .hint("every key is described in docs/src/reference/configuration.md"))
}

/// All comparisons of a measurement.
///
/// # Errors
/// `T0711` when an arm was planned and nobody is in either; those of the store.
pub(crate) fn compare(project: &Project, measurement: &Measurement) -> Result<Vec<Comparison>> {
    let Measurement { measured, .. } = measurement;
    let settings = &project.config.lift;
    let horizon = Horizon {
        known_until: measured.known_until,
        weeks: measured.weeks,
        weeks_after: measured.weeks_after,
        revenue_cap_minor: measured.caps_minor[0],
        margin_cap_minor: measured.caps_minor[1],
        contact_cost_minor: settings.contact_cost_minor,
    };
    let summed = sums::add_up(project, measurement, horizon)?;
    sums::compare_arms(&summed, measured, settings)
}
