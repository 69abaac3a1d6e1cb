//! Which browsing events are people's, in which session, and whose?
//!
//! One pass over the events of each visitor in order of time:
//!
//! 1. **Bots.** Events whose user agent names a bot go, and those of a visitor from its first hour with more
//!    events than a person makes: earlier events were not known to be a bot's. They are counted, not
//!    quarantined: there may be more of them than of rows.
//! 2. **Sessions.** A session that the source names stays. A derived one ends with a pause, and is named by its
//!    first event, so that later events never change it.
//! 3. **Log-ins.** An event is of its own log-in, else of the visitor's nearest earlier one, else of the
//!    visitor's first one. In the last case the customer is known only from that log-in's day on
//!    (`stitched_on`). Without any log-in the visitor is a customer of its own.

use std::fmt::{self, Display};

use tercet_engine::{ColumnData, Engine, Frame};
use tercet_types::{Date, Result};

use crate::options::PrepareOptions;
use crate::spec::Sources;
use crate::table::Table;

const MICROS_PER_MINUTE: i64 = 60_000_000;
const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// Takes bots out, names sessions, and gives every event a customer. Adds the extra columns `stitched_on` and
/// `_anonymous` (true for visitors without any log-in).
pub(super) fn prepare(engine: &Engine, sources: &Sources, table: &mut Table) -> Result<()> {
    let frame = engine.table(&table.working)?;
    let options = &sources.prepare;
    let told = told_of(&Events::of(&frame, options)?, options);
    if told.bots > 0 {
        let detail = "events of bots dropped, by user agent or by events an hour".to_owned();
        table.tell("bots", told.bots, detail);
    }
    if told.unnamed > 0 {
        let gap = options.session_gap_minutes;
        let detail = format!("events put into sessions that end after {gap} minutes");
        table.tell("sessions", told.unnamed, detail);
    }
    if told.stitched > 0 {
        let detail = "events before or after a log-in given to its customer".to_owned();
        table.tell("stitched", told.stitched, detail);
    }
    const NAMED: [&str; 2] = ["session_id", "customer_id"];
    let columns = frame.columns();
    let others = columns.iter().map(String::as_str).filter(|name| !NAMED.contains(name));
    let keep = &told.keep;
    let prepared = frame.only(&others.collect::<Vec<_>>())?.filter(keep)?.with(vec![
        ("session_id", ColumnData::Codes(kept(told.session, keep), told.sessions)),
        ("customer_id", ColumnData::Codes(kept(told.customer, keep), told.customers)),
        ("stitched_on", ColumnData::Date(kept(told.stitched_on, keep))),
        ("_anonymous", kept(told.anonymous, keep).into()),
    ])?;
    engine.lend(&table.working, &prepared)
}

/// The values of the rows that stay.
fn kept<T>(values: Vec<T>, keep: &[bool]) -> Vec<T> {
    values.into_iter().zip(keep).filter(|(_, keep)| **keep).map(|(value, _)| value).collect()
}

/// Events as arrays, row by row; texts are places in lists.
struct Events {
    visitor: Vec<Option<u32>>,
    visitors: Vec<String>,
    customer: Vec<Option<u32>>,
    customers: Vec<String>,
    session: Vec<Option<u32>>,
    sessions: Vec<String>,
    is_bot_agent: Vec<bool>,
    /// Microseconds since 1970-01-01.
    at: Vec<i64>,
}

impl Events {
    fn of(frame: &Frame, options: &PrepareOptions) -> Result<Self> {
        let (visitor, visitors) = frame.codes("visitor_id")?;
        let (customer, customers) = frame.codes("customer_id")?;
        let (session, sessions) = frame.codes("session_id")?;
        let (agent, agents) = frame.codes("user_agent")?;
        let names: Vec<String> =
            options.bot_user_agents.iter().map(|name| name.to_lowercase()).collect();
        let is_bot = |agent: &String| {
            let agent = agent.to_lowercase();
            names.iter().any(|name| agent.contains(name.as_str()))
        };
        let bots: Vec<bool> = agents.iter().map(is_bot).collect();
        let is_bot_agent =
            agent.into_iter().map(|agent| agent.is_some_and(|agent| bots[agent as usize]));
        let at = frame.micros_or_null("occurred_at")?;
        Ok(Self {
            visitor,
            visitors,
            customer,
            customers,
            session,
            sessions,
            is_bot_agent: is_bot_agent.collect(),
            at: at.into_iter().map(|at| at.unwrap_or(i64::MIN)).collect(),
        })
    }
}

/// What is known of events after the pass, row by row.
#[derive(Debug, Default, PartialEq)]
struct Told {
    keep: Vec<bool>,
    session: Vec<Option<u32>>,
    sessions: Vec<String>,
    customer: Vec<Option<u32>>,
    customers: Vec<String>,
    stitched_on: Vec<Option<Date>>,
    anonymous: Vec<bool>,
    /// Events of bots.
    bots: u64,
    /// Events without a session of the source's.
    unnamed: u64,
    /// Events that got the customer of another event.
    stitched: u64,
}

fn told_of(events: &Events, options: &PrepareOptions) -> Told {
    let rows = events.at.len();
    let mut told = Told {
        keep: vec![false; rows],
        session: events.session.clone(),
        sessions: events.sessions.clone(),
        customer: events.customer.clone(),
        customers: events.customers.clone(),
        stitched_on: vec![None; rows],
        anonymous: vec![false; rows],
        ..Told::default()
    };
    // Stable: rows of one instant stay in their order.
    let mut order: Vec<u32> = (0..rows as u32).collect();
    order.sort_by_key(|&row| (events.visitor[row as usize], events.at[row as usize]));
    let mut kept = Vec::new();
    for visit in order.chunk_by(|a, b| events.visitor[*a as usize] == events.visitor[*b as usize]) {
        kept.clear();
        kept.extend(people(events, options, visit));
        for &row in &kept {
            told.keep[row as usize] = true;
        }
        told.bots += (visit.len() - kept.len()) as u64;
        name_sessions(events, options, &kept, &mut told);
        find_customers(events, &kept, &mut told);
    }
    told
}

/// The rows of a visitor that are not a bot's.
fn people<'a>(
    events: &'a Events,
    options: &PrepareOptions,
    visit: &'a [u32],
) -> impl Iterator<Item = u32> + use<'a> {
    let limit = u64::from(options.bot_events_per_hour);
    let (mut hour, mut events_in_hour, mut busy_from) = (i64::MIN, 0_u64, i64::MAX);
    for &row in visit {
        let at = events.at[row as usize];
        let own_hour = at.div_euclid(MICROS_PER_HOUR);
        if own_hour != hour {
            (hour, events_in_hour) = (own_hour, 0);
        }
        events_in_hour += 1;
        if events_in_hour > limit {
            busy_from = hour * MICROS_PER_HOUR;
            break;
        }
    }
    let is_person = move |row: &u32| {
        !events.is_bot_agent[*row as usize] && events.at[*row as usize] < busy_from
    };
    visit.iter().copied().filter(is_person)
}

fn name_sessions(events: &Events, options: &PrepareOptions, kept: &[u32], told: &mut Told) {
    let gap = i64::from(options.session_gap_minutes) * MICROS_PER_MINUTE;
    let mut before = None;
    // When the session began, and its place in the list of names once an event asks for it.
    let mut session: (i64, Option<u32>) = (i64::MIN, None);
    for &row in kept {
        let row = row as usize;
        let at = events.at[row];
        if before.is_none_or(|before| at - before > gap) {
            session = (at, None);
        }
        before = Some(at);
        if events.session[row].is_some() {
            continue;
        }
        let (start, place) = session;
        let place = place.unwrap_or_else(|| {
            let visitor = events.visitor[row].map_or("", |at| &events.visitors[at as usize]);
            told.sessions.push(format!("{visitor}-{}", stamp(start)));
            told.sessions.len() as u32 - 1
        });
        session.1 = Some(place);
        told.session[row] = Some(place);
        told.unnamed += 1;
    }
}

fn find_customers(events: &Events, kept: &[u32], told: &mut Told) {
    let customer = |row: u32| events.customer[row as usize];
    let first = kept.iter().position(|&row| customer(row).is_some());
    let mut known = None;
    for &row in kept {
        let at = row as usize;
        if let Some(own) = customer(row) {
            known = Some(own);
            continue;
        }
        if known.is_some() {
            told.customer[at] = known;
            told.stitched += 1;
        } else if let Some(first) = first {
            told.customer[at] = customer(kept[first]);
            let day = events.at[kept[first] as usize].div_euclid(MICROS_PER_DAY);
            told.stitched_on[at] = Some(Date::from_days(day as i32));
            told.stitched += 1;
        } else {
            told.anonymous[at] = true;
        }
    }
    // Without any log-in no event of the visitor has a customer.
    if first.is_none()
        && let Some(&row) = kept.first()
        && let Some(visitor) = events.visitor[row as usize]
    {
        told.customers.push(events.visitors[visitor as usize].clone());
        let place = told.customers.len() as u32 - 1;
        for &row in kept {
            told.customer[row as usize] = Some(place);
        }
    }
}

/// An instant as `20170120T100000.000000`.
fn stamp(at: i64) -> impl Display {
    let (year, month, day) = Date::from_days(at.div_euclid(MICROS_PER_DAY) as i32).civil();
    let micros = at.rem_euclid(MICROS_PER_DAY);
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    fmt::from_fn(move |text| {
        write!(text, "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{micros:06}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_names() {
        let check = |at: i64, expect: &str| assert_eq!(stamp(at).to_string(), expect);
        check(0, "19700101T000000.000000");
        check(-1, "19691231T235959.999999");
        check(
            17_186 * MICROS_PER_DAY + 10 * MICROS_PER_HOUR + 61_000_007,
            "20170120T100101.000007",
        );
    }
}
