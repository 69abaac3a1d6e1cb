//! What would other policies have brought, by the logs of the runs?
//!
//! Rounds come from the logs (`logged`), what each policy would have done from the log, another run or a table
//! (`policies`), what came of it from the shop's data (`rewards`). `rounds` weighs one by the other; the statistics are
//! `tercet_measurement::off_policy`.

mod logged;
mod policies;
mod rewards;
mod rounds;
mod tried;

use serde::Serialize;
use tercet_measurement::Found;
use tercet_measurement::estimate::Estimate;
use tercet_measurement::off_policy::{Estimator, Refusal, WeighedLog, WeightFacts};
use tercet_types::{Date, Result};

use self::logged::Log;
pub(crate) use self::policies::{Policy, TableRow};
pub(crate) use self::rewards::Reward;
use self::rewards::Rewards;
pub(super) use self::tried::{runs_that_drew, tries};
use crate::commands::Project;
use crate::output::{Progress, thousands};

/// What a person asks of the logs.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The first Monday; else that of the oldest run.
    pub(crate) from: Option<Date>,
    /// The last Monday; else that of the newest run whose week is over.
    pub(crate) to: Option<Date>,
    /// What counts.
    pub(crate) reward: Reward,
    /// The level of intervals.
    pub(crate) level: f64,
}

/// What was judged.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Evaluation {
    /// The runs whose logs were read.
    pub(crate) runs: Vec<String>,
    /// What counts.
    pub(crate) reward: Reward,
    /// Rounds: slates of treated customers, one of whose slots could be drawn.
    pub(crate) rounds: usize,
    /// Slates that were left out, by the reason.
    pub(crate) left_out: LeftOut,
    /// The policies.
    pub(crate) policies: Vec<Evaluated>,
}

/// Slates that are no rounds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct LeftOut {
    /// The customer is in the control group: what was done there hangs on no policy.
    pub(crate) control: usize,
    /// No slot could be drawn.
    pub(crate) certain: usize,
    /// A limit refused a draw, so that propensities are not those of what was done.
    pub(crate) unusable: usize,
}

impl std::iter::Sum for LeftOut {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            control: sum.control + part.control,
            certain: sum.certain + part.certain,
            unusable: sum.unusable + part.unusable,
        })
    }
}

/// What a policy would have brought.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Evaluated {
    /// Its name.
    pub(crate) policy: String,
    /// Rounds that count: the log could have done all that the policy would do.
    pub(crate) rounds: usize,
    /// Rounds that were left out, since the log could not have done what the policy would do.
    pub(crate) unsupported: usize,
    /// What was weighed, and how.
    pub(crate) views: Vec<View>,
}

/// One way of looking at the same slates.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct View {
    /// `offers`, `slates` or `slots`; `rounds` of a table.
    pub(crate) of: &'static str,
    /// The mean of what was done; why not, where it cannot be told.
    pub(crate) logged: Judged<Estimate>,
    /// The weights.
    pub(crate) weights: Judged<WeightFacts>,
    /// The policy's value, by estimator.
    pub(crate) values: Vec<ValueFacts>,
}

/// A policy's value by one estimator.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ValueFacts {
    /// The estimator's name.
    pub(crate) estimator: &'static str,
    /// The value.
    pub(crate) value: Judged<Estimate>,
    /// How much more it is than what was done brought, of the same slates.
    pub(crate) over_logged: Judged<Estimate>,
    /// The λ, of estimators that have one; infinity is none.
    pub(crate) lambda: Option<f64>,
    /// What must hold.
    pub(crate) assumptions: &'static str,
}

/// A number, or in words why there is none.
pub(crate) type Judged<T> = Found<T, Refusal>;

impl View {
    /// What a log says by these estimators, under the names that they have there.
    pub(crate) fn of(
        of: &'static str,
        log: &WeighedLog,
        estimators: &[(Estimator, &'static str)],
        level: f64,
    ) -> Self {
        let value = |(estimator, name): &(Estimator, &'static str)| ValueFacts {
            estimator: name,
            value: log.value(*estimator, level).into(),
            over_logged: log.over_logged(*estimator, level).into(),
            lambda: log.shrunk(*estimator).map(|shrunk| shrunk.lambda),
            assumptions: estimator.assumptions(),
        };
        Self {
            of,
            logged: log.logged(level).into(),
            weights: log.weights().into(),
            values: estimators.iter().map(value).collect(),
        }
    }

    /// A view that there is not, and why.
    pub(crate) fn refused(of: &'static str, estimator: &'static str, refused: Refusal) -> Self {
        let value = ValueFacts {
            estimator,
            value: Judged::Refused { refused },
            over_logged: Judged::Refused { refused },
            lambda: None,
            assumptions: Estimator::Ips.assumptions(),
        };
        let (logged, weights) = (Judged::Refused { refused }, Judged::Refused { refused });
        Self { of, logged, weights, values: vec![value] }
    }
}

/// Judges policies by the logs of the configured engine's runs, one a Monday.
///
/// # Errors
/// `T1050` without runs, `T1051` for a log without propensities, `T1052` when no window is over, `T1053` for runs in
/// parts, `T1054` for a policy that fits no run; `T0720` when nothing was drawn.
pub(crate) fn evaluate(
    project: &Project,
    asked: &Asked,
    policies: &[Policy],
    progress: &Progress,
) -> Result<Evaluation> {
    let ((log, rewards), _) = progress.step("outcomes", || {
        let mut log = Log::read(project, asked, progress)?;
        let rewards = Rewards::read(project, &mut log, asked.reward)?;
        let said =
            format!("{} slates of {} runs", thousands(log.slates.len()), log.judged_runs().len());
        Ok(((log, rewards), said))
    })?;
    if log.slates.is_empty() {
        return Err(match log.runs.iter().all(|run| run.left_out.unusable == 0) {
            true => Refusal::NoSupport.into(),
            false => Refusal::TooFewRounds.into(),
        });
    }
    let (policies, _) = progress.step("policies", || {
        let judged = rounds::judge(project, &log, &rewards, policies, asked)?;
        let said = format!("{} policies", judged.len());
        Ok((judged, said))
    })?;
    Ok(Evaluation {
        runs: log.judged_runs().into_iter().map(|run| run.run_id.clone()).collect(),
        reward: asked.reward,
        rounds: log.slates.len(),
        left_out: log.judged_runs().into_iter().map(|run| run.left_out).sum(),
        policies,
    })
}
