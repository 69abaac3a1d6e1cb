//! What did the trial bring, do customers differ in that, and whom is it worth sending to?

use serde::{Deserialize, Serialize};
use tercet_measurement::estimate::{self, Estimate, LEVEL, Line};
use tercet_measurement::srm::srm;
use tercet_measurement::uplift::{
    ArmValues, GROUPS, Heterogeneity, Ranked, Refusal, Selected, UpliftGroup, calibration,
    causalml, heterogeneity, qini_curve, scikit_uplift, selected, sending,
};
use tercet_measurement::{Found, Moments};
use tercet_models::uplift::{CrossFit, shrinkage};
use tercet_types::{Error, Result};

use super::fit::FitArguments;
use super::trial::Read;
use crate::output::thousands;

/// The share of a ranking whose top is looked at.
const TOP: f64 = 0.3;

/// Into how many even steps a curve is cut.
const CURVE_STEPS: usize = 10;

/// All that is said of a trial.
#[derive(Debug, Serialize)]
pub(super) struct Judgement {
    pub treatment: String,
    pub outcome: String,
    pub learner: String,
    pub margin: f64,
    pub cost: f64,
    pub rows: usize,
    /// True where every outcome is 0 or 1.
    pub is_binary: bool,
    pub features: Vec<String>,
    pub sample_ratio: SampleRatio,
    pub control: Control,
    /// How the average effects were found.
    pub effect_by: EffectBy,
    /// Why nothing that holds raw arms against each other is there, where it is not.
    pub left_out: Option<&'static str>,
    pub arms: Vec<ArmJudgement>,
    pub policy: Policy,
    pub advice: Advice,
}

/// Whether the arms came out as planned.
#[derive(Debug, Serialize)]
pub(super) struct SampleRatio {
    pub chi2: f64,
    pub p_value: f64,
    pub alarm: bool,
}

/// The arm that got nothing.
#[derive(Debug, Serialize)]
pub(super) struct Control {
    pub arm: String,
    pub rows: u64,
    pub mean: f64,
}

/// How average effects are found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EffectBy {
    /// Means held against each other, by Welch.
    Welch,
    /// Doubly robust: chances differ between rows, and so do the customers of the arms.
    DoublyRobust,
}

impl EffectBy {
    fn of(trial: &Read) -> Self {
        let (first, _) = trial.propensity.split_at(trial.arms.len());
        let rows = trial.propensity.chunks(first.len());
        let differs = |row: &[f64]| row.iter().zip(first).any(|(one, other)| one != other);
        if rows.into_iter().any(differs) { Self::DoublyRobust } else { Self::Welch }
    }

    const fn left_out(self) -> Option<&'static str> {
        match self {
            Self::Welch => None,
            Self::DoublyRobust => Some(
                "rows had different chances of treatment, so that customers differ between the arms: effects are doubly robust, and rankings and effects by decile are left out, for they hold the arms against each other as they are",
            ),
        }
    }
}

/// One treatment against control.
#[derive(Debug, Serialize)]
pub(super) struct ArmJudgement {
    pub arm: String,
    /// Its kind, where a column says it; else all arms are of one.
    pub kind: Option<String>,
    /// The share of its own effects that it keeps; the rest is its kind's.
    pub own_effect_kept: f64,
    pub rows: u64,
    pub mean: f64,
    /// The average effect: by Welch, or doubly robust where chances differ between rows.
    pub effect: Found,
    /// The average effect, doubly robust: with the features, and with the chances of the rows.
    pub robust_effect: Found,
    /// None where chances differ between rows.
    pub rankings: Vec<Ranking>,
    /// None where chances differ between rows.
    pub calibration: Vec<UpliftGroup>,
    /// Why there is no test stands in words.
    pub heterogeneity: Said<Heterogeneity>,
    pub usable: bool,
}

impl ArmJudgement {
    /// Leaves out all that holds raw arms against each other.
    fn leave_out_raw(&mut self) {
        self.effect = self.robust_effect;
        self.rankings.clear();
        self.calibration.clear();
    }
}

/// How good one ranking is; predictions come from folds that the rows are not in.
#[derive(Debug, Serialize)]
pub(super) struct Ranking {
    pub by: &'static str,
    pub scikit_uplift_qini_auc: Said<f64>,
    pub scikit_uplift_uplift_auc: Said<f64>,
    pub scikit_uplift_at_30_percent: Said<f64>,
    pub causalml_auuc: Said<f64>,
    pub causalml_qini: Said<f64>,
    /// What treating the top alone adds per treated row, at even shares from none to all.
    pub qini_curve: Vec<f64>,
}

impl Ranking {
    /// Its figures by name.
    pub(super) const fn figures(&self) -> [(&'static str, &Said<f64>); 5] {
        [
            ("Qini (scikit-uplift)", &self.scikit_uplift_qini_auc),
            ("AUUC (scikit-uplift)", &self.scikit_uplift_uplift_auc),
            ("uplift at 30 %", &self.scikit_uplift_at_30_percent),
            ("AUUC (causalml)", &self.causalml_auuc),
            ("Qini (causalml)", &self.causalml_qini),
        ]
    }
}

/// The policy that the folds choose one after the other, judged on each by what was known before it.
#[derive(Debug, Serialize)]
pub(super) struct Policy {
    /// Rows that it is judged on: all but the first fold.
    pub rows: usize,
    /// The share of them that it sends to.
    pub sent: f64,
    /// Net value per customer above sending to nobody.
    pub over_nobody: Found,
    /// Net value per customer above sending an arm to all, arm by arm.
    pub over_all: Vec<Found>,
    /// Net value per customer of sending an arm to all, above sending to nobody.
    pub all_over_nobody: Vec<Found>,
    /// Of a trial of one treatment: what the selected customers brought.
    pub selected: Option<Selected>,
    /// What each arm really adds, net, where so much is predicted, by all folds.
    pub lines: Vec<Line>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Advice {
    /// Choose by predicted net uplift, corrected by the line of each arm: the best arm, where it adds anything.
    ByUplift {
        /// The lines, one per arm but control.
        lines: Vec<Line>,
    },
    /// Send this arm to all.
    ToAll {
        /// Its number, from 1.
        arm: u16,
    },
    /// Send to nobody.
    ToNobody,
}

/// A figure, or in words why there is none.
pub(super) type Said<T> = Found<T, Refusal>;

/// Judges what was learnt on rows that it was not learnt from.
///
/// # Errors
/// `T0711`, `T0721`.
pub(super) fn judge(
    trial: &Read,
    crossed: &CrossFit,
    sample_ratio: SampleRatio,
    verb: &FitArguments,
    learner: &str,
) -> Result<Judgement> {
    let values =
        ArmValues::doubly_robust(&trial.outcome, &trial.arm, &trial.propensity, &crossed.expected)?;
    let outcomes: Vec<Moments> = (0..trial.arms.len()).map(|arm| outcomes_of(trial, arm)).collect();
    let of = |arm: &Moments| (arm.mean(), arm.mean_variance().unwrap_or(0.0));
    let means: Vec<(f64, f64)> = outcomes[1..].iter().map(of).collect();
    let kept = shrinkage(&means, &trial.kinds);
    let effect_by = EffectBy::of(trial);
    let mut arms: Vec<ArmJudgement> = (1..trial.arms.len())
        .map(|arm| of_arm(trial, crossed, &values, &outcomes, arm, kept[arm - 1].own))
        .collect::<Result<_>>()?;
    if effect_by == EffectBy::DoublyRobust {
        arms.iter_mut().for_each(ArmJudgement::leave_out_raw);
    }
    let policy = policy_of(trial, crossed, &values, verb)?;
    let advice = advice_of(&arms, &policy);
    let control = &outcomes[0];
    Ok(Judgement {
        treatment: verb.treatment.clone(),
        outcome: verb.outcome.clone(),
        learner: learner.to_owned(),
        margin: verb.margin,
        cost: verb.cost,
        rows: trial.arm.len(),
        is_binary: trial.outcome.iter().all(|outcome| [0.0, 1.0].contains(outcome)),
        features: trial.schema.names.clone(),
        sample_ratio,
        control: Control {
            arm: trial.arms[0].clone(),
            rows: control.count(),
            mean: control.mean(),
        },
        effect_by,
        left_out: effect_by.left_out(),
        arms,
        policy,
        advice,
    })
}

fn outcomes_of(trial: &Read, arm: usize) -> Moments {
    let rows = trial.outcome.iter().zip(&trial.arm);
    rows.filter(|(_, own)| usize::from(**own) == arm).map(|(outcome, _)| *outcome).collect()
}

/// Whether the arms came out as planned: in the sizes that are said, by the chances of the rows, or of one size.
///
/// # Errors
/// `T1068` for sizes that do not fit; `T1071` for an alarm, unless somebody wants to go on all the same.
pub(super) fn sample_ratio(trial: &Read, verb: &FitArguments) -> Result<SampleRatio> {
    let arms = trial.arms.len();
    let planned: Vec<f64> = match (verb.shares.is_empty(), &verb.propensity) {
        (false, _) => verb.shares.clone(),
        (true, None) => vec![1.0; arms],
        (true, Some(_)) => {
            (0..arms).map(|arm| trial.propensity.iter().skip(arm).step_by(arms).sum()).collect()
        }
    };
    let total: f64 = planned.iter().sum();
    if planned.len() != trial.arms.len() || !planned.iter().all(|share| *share > 0.0) {
        return Err(Error::config(
            "T1068",
            format!("--shares gives {} sizes for {} arms", planned.len(), trial.arms.len()),
        )
        .hint("one size above 0 per arm, control first, such as --shares 1,9"));
    }
    let shares: Vec<f64> = planned.iter().map(|share| share / total).collect();
    let counts = trial.counts();
    let found = srm(&counts, &shares)?;
    if found.alarm && !verb.despite_ratio {
        let sizes: Vec<String> = trial
            .arms
            .iter()
            .zip(&counts)
            .zip(&shares)
            .map(|((arm, count), share)| {
                format!(
                    "'{arm}' has {}, of {} planned",
                    thousands(count),
                    thousands((share * trial.arm.len() as f64).round())
                )
            })
            .collect();
        return Err(Error::data(
            "T1071",
            format!(
                "the arms are not of the planned sizes: {}; χ² {:.4}, p {:.2e}",
                sizes.join(", "), found.chi2, found.p_value
            ),
        )
        .hint("were other sizes planned? Say --shares; else find out who is missing before any effect is read, or go on with --despite-ratio"));
    }
    Ok(SampleRatio { chi2: found.chi2, p_value: found.p_value, alarm: found.alarm })
}

fn of_arm(
    trial: &Read,
    crossed: &CrossFit,
    values: &ArmValues,
    outcomes: &[Moments],
    arm: usize,
    own_effect_kept: f64,
) -> Result<ArmJudgement> {
    let others = trial.arms.len() - 1;
    let of = |row: usize| crossed.uplift[row * others + arm - 1];
    // In the order of their keys: chance, where scores tie.
    let is_in = |row: &usize| [0, arm].contains(&usize::from(trial.arm[*row]));
    let mut rows: Vec<usize> = (0..trial.arm.len()).filter(is_in).collect();
    rows.sort_by_key(|row| (trial.key[*row], *row));
    let outcome: Vec<f64> = rows.iter().map(|row| trial.outcome[*row]).collect();
    let treated: Vec<bool> = rows.iter().map(|row| trial.arm[*row] != 0).collect();
    let uplift: Vec<f64> = rows.iter().map(|row| of(*row)).collect();
    let expected: Vec<f64> = rows.iter().map(|row| crossed.outcome[*row]).collect();
    let by_uplift = Ranked::new(&outcome, &treated, &uplift)?;
    let by_outcome = Ranked::new(&outcome, &treated, &expected)?;
    let effects = values.effects(arm as u16);
    let before: Vec<Option<f64>> =
        crossed.uplift_before.iter().skip(arm - 1).step_by(others).copied().collect();
    let tested = heterogeneity(&effects, &before, &crossed.fold, LEVEL);
    let (own, control) = (&outcomes[arm], &outcomes[0]);
    Ok(ArmJudgement {
        arm: trial.arms[arm].clone(),
        kind: trial.kind_names.as_ref().map(|names| names[arm - 1].clone()),
        own_effect_kept,
        rows: own.count(),
        mean: own.mean(),
        effect: estimate::difference(own, control, LEVEL).into(),
        robust_effect: estimate::mean(&effects.iter().copied().collect(), LEVEL).into(),
        rankings: vec![ranking("uplift", &by_uplift), ranking("predicted outcome", &by_outcome)],
        calibration: calibration(&by_uplift, GROUPS, LEVEL),
        usable: tested.is_ok_and(|tested| tested.usable()),
        heterogeneity: tested.into(),
    })
}

fn ranking(by: &'static str, ranked: &Ranked<'_>) -> Ranking {
    let top = scikit_uplift::uplift_at(ranked, TOP, scikit_uplift::Strategy::Overall);
    Ranking {
        by,
        scikit_uplift_qini_auc: scikit_uplift::qini_auc(ranked).into(),
        scikit_uplift_uplift_auc: scikit_uplift::uplift_auc(ranked).into(),
        scikit_uplift_at_30_percent: top.into(),
        causalml_auuc: causalml::auuc(ranked).into(),
        causalml_qini: causalml::qini(ranked).into(),
        qini_curve: qini_curve(ranked, CURVE_STEPS),
    }
}

/// Arms are of one size when their planned shares are so near to a half.
const EVEN_WITHIN: f64 = 0.01;

fn policy_of(
    trial: &Read,
    crossed: &CrossFit,
    values: &ArmValues,
    verb: &FitArguments,
) -> Result<Policy> {
    let arms = trial.arms.len() as u16;
    let mut costs = vec![verb.cost; trial.arms.len()];
    costs[0] = 0.0;
    let net = values.clone().net(verb.margin, &costs);
    let added: Vec<Option<f64>> = crossed
        .uplift_before
        .iter()
        .map(|uplift| uplift.map(|uplift| uplift * verb.margin - verb.cost))
        .collect();
    let sending = sending(&net, &added, &crossed.fold)?;
    let rows: Vec<usize> =
        (0..trial.arm.len()).filter(|row| sending.choice[*row].is_some()).collect();
    let choice: Vec<u16> = rows.iter().filter_map(|row| sending.choice[*row]).collect();
    let judged = net.only(&rows);
    let same = |arm: u16| vec![arm; rows.len()];
    let gain = |choice: &[u16], other: &[u16]| -> Result<Found> {
        found(judged.gain(choice, other, LEVEL))
    };
    let nobody = same(0);
    let outcome: Vec<f64> = rows.iter().map(|row| trial.outcome[*row]).collect();
    let treated: Vec<bool> = rows.iter().map(|row| trial.arm[*row] != 0).collect();
    let sent: Vec<bool> = choice.iter().map(|arm| *arm != 0).collect();
    // NIR holds counts of two arms against each other, which takes arms of one size.
    let is_even = trial.propensity.iter().all(|share| (share - 0.5).abs() < EVEN_WITHIN);
    let selected = (arms == 2 && is_even)
        .then(|| selected(&outcome, &treated, &sent, (verb.margin, verb.cost), LEVEL))
        .transpose()?;
    Ok(Policy {
        rows: rows.len(),
        sent: sent.iter().filter(|sent| **sent).count() as f64 / rows.len().max(1) as f64,
        over_nobody: gain(&choice, &nobody)?,
        over_all: (1..arms).map(|arm| gain(&choice, &same(arm))).collect::<Result<_>>()?,
        all_over_nobody: (1..arms).map(|arm| gain(&same(arm), &nobody)).collect::<Result<_>>()?,
        selected,
        lines: sending.lines,
    })
}

/// Means without an estimate are said; anything else is wrong with what was handed over.
fn found(result: Result<Estimate, Refusal>) -> Result<Found> {
    match result {
        Ok(estimate) => Ok(Found::Estimate(estimate)),
        Err(Refusal::NoEstimate(refused)) => Ok(Found::Refused { refused }),
        Err(refusal) => Err(refusal.into()),
    }
}

/// By uplift where differences of effect are there and choosing pays; else the arm that pays, or nobody.
fn advice_of(arms: &[ArmJudgement], policy: &Policy) -> Advice {
    let gain = |found: &Found| found.estimate().map_or(0.0, |estimate| estimate.value);
    let all = (1_u16..).zip(policy.all_over_nobody.iter().map(gain));
    let best = all.reduce(|best, arm| if arm.1 > best.1 { arm } else { best });
    let (arm, to_all) = best.unwrap_or((0, 0.0));
    let chosen = gain(&policy.over_nobody);
    if arms.iter().any(|arm| arm.usable) && chosen > to_all.max(0.0) {
        Advice::ByUplift { lines: policy.lines.clone() }
    } else if to_all > 0.0 {
        Advice::ToAll { arm }
    } else {
        Advice::ToNobody
    }
}
