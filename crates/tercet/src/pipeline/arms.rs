//! In which arms is each customer, by the log of earlier runs and, for who is new, by the key?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::Frame;
use tercet_measurement::assignment::{Arm, Assigned, Salt, Share, TestArm, bucket};
use tercet_types::tables::assignments::{ASSIGNMENTS, HOLDOUT};
use tercet_types::{Date, Error, Result};

use super::engine_test::{EngineTest, Side};
use super::history::EarlierLog;
use super::manifest::{Part, RunManifest, Stage, complete_runs};
use super::runner::StageContext;
use super::slates::Standing;
use super::stages::WeeklyRun;

/// The run whose log of assignment the run of a day takes over: the newest before it that has one, if several are of
/// one day that of the same engine.
pub(crate) fn run_taken_over(
    store: &tercet_engine::Store,
    as_of: Date,
    engine: &str,
) -> Result<Option<String>> {
    let has_log = |run: &RunManifest| {
        let begin = format!("{}/{}/{}", run.run_id, Stage::Allocation.name(), ASSIGNMENTS.name);
        run.stages.iter().flat_map(|stage| &stage.files).any(|file| file.path.starts_with(&begin))
    };
    let before = complete_runs(store)?.into_iter().filter(|run| run.as_of < as_of && has_log(run));
    Ok(before.max_by_key(|run| (run.as_of, run.engine == engine)).map(|run| run.run_id))
}

/// The arms of the customers of a part.
pub(super) struct Arms {
    /// By customer, ascending.
    standing: Vec<(i32, Standing)>,
    /// Their rows of the log.
    pub(super) table: Frame,
    /// What the rows count to, by experiment of this run.
    pub(super) counts: BTreeMap<String, ArmCounts>,
}

impl Arms {
    /// Where assignment puts a customer of the part.
    pub(super) fn standing(&self, customer: i32) -> Result<Standing> {
        let place = self.standing.binary_search_by_key(&customer, |(ix, _)| *ix);
        place
            .map(|place| self.standing[place].1)
            .map_err(|_| Error::internal("T1037", "a customer of the week was not assigned"))
    }

    /// The customers that a side decides for, ascending.
    pub(super) fn customers_of(&self, side: Side<'_>, test: Option<&EngineTest>) -> Vec<i32> {
        let of_side = |standing: &Standing| side.decides_for(standing.test_arm, test);
        self.standing.iter().filter(|(_, of)| of_side(of)).map(|(ix, _)| *ix).collect()
    }
}

/// The most groups of a dimension that are told apart; what is left is one more.
const GROUPS_MAX: usize = 200;

/// How an experiment's arms came out, of all customers logged.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct ArmCounts {
    /// Customers in the arm that grows: control, or test.
    pub(crate) inside: u64,
    /// Customers in the other one.
    pub(crate) outside: u64,
    /// The planned share of the arm that grows, in ten-thousandths, added up over all customers.
    pub(crate) planned: u64,
    /// Customers who were assigned in this run.
    pub(crate) new: u64,
    /// Customers who were moved by another share in this run.
    pub(crate) moved: u64,
    /// Customers whose arm today's key or share would not say.
    pub(crate) kept: u64,
    /// The planned shares that there are, in ten-thousandths: several where a smaller one let nobody go.
    pub(crate) shares: BTreeSet<u16>,
    /// Customers in the arm that grows and in the other, by what was known of them on the day of assignment.
    pub(crate) groups: BTreeMap<String, BTreeMap<String, [u64; 2]>>,
}

impl ArmCounts {
    fn add(&mut self, row: &Row, day: Date) {
        let Assigned { share, assigned_on, arm_since, .. } = row.assigned;
        let counts = if row.assigned.is_in() { [1, 0] } else { [0, 1] };
        self.inside += counts[0];
        self.outside += counts[1];
        self.shares.insert(share.buckets());
        self.add_to("day", assigned_on.to_string(), counts);
        self.add_to("segment", row.traits.behaviour.clone(), counts);
        if let Some(device) = &row.traits.device {
            self.add_to("device", device.clone(), counts);
        }
        self.planned += u64::from(share.buckets());
        self.new += u64::from(assigned_on == day);
        self.moved += u64::from(assigned_on < day && arm_since == day);
        self.kept += u64::from(row.is_kept);
    }

    fn add_to(&mut self, dimension: &str, group: String, counts: [u64; 2]) {
        let groups = self.groups.entry(dimension.to_owned()).or_default();
        let is_new = groups.len() >= GROUPS_MAX && !groups.contains_key(&group);
        let sum = groups.entry(if is_new { "other".to_owned() } else { group }).or_default();
        sum[0] += counts[0];
        sum[1] += counts[1];
    }

    /// Adds those of another part.
    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, count) in [
            (&mut self.inside, other.inside),
            (&mut self.outside, other.outside),
            (&mut self.planned, other.planned),
            (&mut self.new, other.new),
            (&mut self.moved, other.moved),
            (&mut self.kept, other.kept),
        ] {
            *sum += count;
        }
        self.shares.extend(&other.shares);
        for (dimension, groups) in &other.groups {
            for (group, counts) in groups {
                self.add_to(dimension, group.clone(), *counts);
            }
        }
    }
}

/// One row of the log.
#[derive(Clone, Debug)]
struct Row {
    experiment: String,
    assigned: Assigned,
    traits: Traits,
    is_kept: bool,
}

impl Row {
    fn arm(&self) -> &'static str {
        match (self.experiment == HOLDOUT, self.assigned.is_in()) {
            (true, true) => Arm::Control.name(),
            (true, false) => Arm::Treatment.name(),
            (false, true) => TestArm::Test.name(),
            (false, false) => TestArm::Baseline.name(),
        }
    }
}

/// What is known of a customer on the day of assignment: by it the sizes of arms are looked at.
#[derive(Clone, Debug)]
struct Traits {
    behaviour: String,
    device: Option<String>,
    first_order_on: Option<Date>,
}

impl WeeklyRun<'_> {
    /// The arms of a part's customers, whose master is registered.
    pub(super) fn arms(&self, context: &StageContext<'_>, part: Part) -> Result<Arms> {
        let sql = include_str!("../../sql/customers_to_assign.sql");
        let found = context.engine.query(sql, &BTreeMap::new())?;
        let (customers, ids) = (found.i32("customer_ix")?, found.text("customer_id")?);
        let (behaviours, devices) = (found.text("behaviour")?, found.text_or_null("device")?);
        let tenures = found.i64_or_null("tenure_days")?;
        let day = context.identity.as_of;
        let mut earlier = earlier_rows(context, part, customers.len())?.into_iter().peekable();
        let (mut standing, mut counts) = (Vec::new(), BTreeMap::<String, ArmCounts>::new());
        let mut log = LogColumns::default();
        for (at, (customer, id)) in customers.into_iter().zip(&ids).enumerate() {
            let mut rows: BTreeMap<String, Row> = BTreeMap::new();
            while let Some((_, row)) = earlier.next_if(|(of, _)| *of == customer) {
                rows.insert(row.experiment.clone(), row);
            }
            let traits = Traits {
                behaviour: behaviours[at].clone(),
                device: devices[at].clone(),
                first_order_on: tenures[at].map(|days| day.plus_days(-days as i32)),
            };
            let mut assign = |experiment: &str, salt: Salt<'_>, share: Share| {
                let own = bucket(&self.key, salt, id);
                let before = rows.remove(experiment);
                let assigned =
                    Assigned::as_of(before.as_ref().map(|row| &row.assigned), own, share, day);
                let traits = before.map_or_else(|| traits.clone(), |row| row.traits);
                let is_kept = assigned.is_kept(own, share);
                let row = Row { experiment: experiment.to_owned(), assigned, traits, is_kept };
                counts.entry(experiment.to_owned()).or_default().add(&row, day);
                rows.insert(experiment.to_owned(), row);
                assigned.is_in()
            };
            let is_control = assign(HOLDOUT, Salt::Holdout, self.holdout.share());
            let arm = if is_control { Arm::Control } else { Arm::Treatment };
            // Who is held out is in no test, but who was in one before stays in its log.
            let test = self.test.as_ref().filter(|_| !is_control);
            let test_arm = test.map(|test| {
                match assign(&test.name, Salt::Experiment(&test.name), test.share) {
                    true => TestArm::Test,
                    false => TestArm::Baseline,
                }
            });
            let is_without = test.is_some_and(|test| test.baseline.is_none());
            let is_bare = is_without && test_arm == Some(TestArm::Baseline);
            standing.push((customer, Standing { arm, test_arm, is_bare }));
            rows.values().for_each(|row| log.push(id, row));
        }
        Ok(Arms { standing, table: log.table()?, counts })
    }
}

/// The log of an earlier run's assignments.
fn assignments_of(run_id: &str) -> EarlierLog<'_> {
    const COLUMNS: [&str; 10] = [
        "customer_id",
        "experiment",
        "arm",
        "bucket",
        "share",
        "assigned_on",
        "arm_since",
        "behaviour",
        "device",
        "first_order_on",
    ];
    EarlierLog { run_id, table: ASSIGNMENTS.name, columns: &COLUMNS }
}

/// Makes known who came from another part, of the log that arms are taken over from: once, before any part is asked for.
pub(super) fn find_moved_assignments(context: &StageContext<'_>, parts: usize) -> Result<()> {
    let mut runs = context.identity.assignments.iter();
    runs.try_for_each(|run_id| assignments_of(run_id).find_moved(context, parts))
}

/// What the log of the run before says of so many customers, by customer.
fn earlier_rows(
    context: &StageContext<'_>,
    part: Part,
    customers: usize,
) -> Result<Vec<(i32, Row)>> {
    const TABLE: &str = "earlier_assignments";
    let (mut earlier, mut met) = (Vec::new(), 0);
    let Some(run_id) = &context.identity.assignments else { return Ok(earlier) };
    for frame in assignments_of(run_id).of_part(context, part)? {
        if met == customers {
            break;
        }
        context.engine.register(TABLE, &frame?)?;
        let sql = include_str!("../../sql/assigned_before.sql");
        let found = context.engine.query(sql, &BTreeMap::new())?;
        context.engine.forget(TABLE)?;
        let (experiments, buckets) = (found.text("experiment")?, found.i32("bucket")?);
        let (shares, behaviours) = (found.f64("share")?, found.text("behaviour")?);
        let (firsts, sinces) = (found.date("assigned_on")?, found.date("arm_since")?);
        let devices = found.text_or_null("device")?;
        let (orders, logged) = (found.date_or_null("first_order_on")?, found.text("arm")?);
        for (at, customer) in found.i32("customer_ix")?.into_iter().enumerate() {
            let row = Row {
                experiment: experiments[at].clone(),
                assigned: Assigned {
                    bucket: buckets[at] as u16,
                    share: Share::new(shares[at])?,
                    assigned_on: firsts[at],
                    arm_since: sinces[at],
                },
                traits: Traits {
                    behaviour: behaviours[at].clone(),
                    device: devices[at].clone(),
                    first_order_on: orders[at],
                },
                is_kept: false,
            };
            if row.arm() != logged[at] {
                let text = format!(
                    "assignments of run {run_id}: an arm is not that of its bucket and share"
                );
                return Err(Error::data("T1038", text)
                    .hint("the log was changed by hand: put the run back as it was"));
            }
            met += usize::from(row.experiment == HOLDOUT);
            earlier.push((customer, row));
        }
    }
    earlier.sort_by_key(|(customer, _)| *customer);
    Ok(earlier)
}

/// The columns of the log.
#[derive(Default)]
struct LogColumns {
    customers: Vec<String>,
    experiments: Vec<String>,
    arms: Vec<String>,
    buckets: Vec<i32>,
    shares: Vec<f64>,
    assigned_on: Vec<Date>,
    arm_since: Vec<Date>,
    behaviours: Vec<String>,
    devices: Vec<Option<String>>,
    first_order_on: Vec<Option<Date>>,
    is_kept: Vec<bool>,
}

impl LogColumns {
    fn push(&mut self, customer_id: &str, row: &Row) {
        self.customers.push(customer_id.to_owned());
        self.experiments.push(row.experiment.clone());
        self.arms.push(row.arm().to_owned());
        self.buckets.push(i32::from(row.assigned.bucket));
        self.shares.push(row.assigned.share.rate());
        self.assigned_on.push(row.assigned.assigned_on);
        self.arm_since.push(row.assigned.arm_since);
        self.behaviours.push(row.traits.behaviour.clone());
        self.devices.push(row.traits.device.clone());
        self.first_order_on.push(row.traits.first_order_on);
        self.is_kept.push(row.is_kept);
    }

    fn table(self) -> Result<Frame> {
        Frame::of_table(
            &ASSIGNMENTS,
            vec![
                self.customers.into(),
                self.experiments.into(),
                self.arms.into(),
                self.buckets.into(),
                self.shares.into(),
                self.assigned_on.into(),
                self.arm_since.into(),
                self.behaviours.into(),
                self.devices.into(),
                self.first_order_on.into(),
                self.is_kept.into(),
            ],
        )
    }
}
