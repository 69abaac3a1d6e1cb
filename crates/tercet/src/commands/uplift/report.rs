//! How does the judgement on a trial become a page?

use tercet_delivery::report::uplift::{
    Fact, Headline, Reading, UpliftArm, UpliftDecile, UpliftRanking, UpliftReport,
};
use tercet_measurement::Found;

use super::fit::FitArguments;
use super::judge::{ArmJudgement, Judgement, Ranking};
use super::words::{
    advice, because, chosen, doubt, effect, effect_name, ratio, selected, values, verdict,
};
use crate::output::thousands;

/// The page of a trial.
pub(super) fn report(judgement: &Judgement, verb: &FitArguments) -> UpliftReport {
    UpliftReport {
        treatment: judgement.treatment.clone(),
        outcome: judgement.outcome.clone(),
        are_shares: judgement.is_binary,
        summary: sentence(&format!("{}: {}", advice(judgement), because(judgement))),
        facts: facts(judgement, verb),
        headlines: headlines(judgement),
        notes: notes(judgement),
        ratio: sentence(&ratio(judgement)),
        is_broken: judgement.sample_ratio.alarm,
        are_arms_alike: judgement.left_out.is_none(),
        control: (
            judgement.control.arm.clone(),
            judgement.control.rows as i64,
            judgement.control.mean,
        ),
        arms: judgement.arms.iter().map(arm).collect(),
        policy: values(judgement)
            .into_iter()
            .map(|(what, found)| (capital(&what), reading(&found)))
            .collect(),
        policy_said: policy_said(judgement),
    }
}

/// A text that begins with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

fn sentence(text: &str) -> String {
    format!("{}.", capital(text))
}

fn reading(found: &Found) -> Reading {
    match found {
        Found::Estimate(found) => {
            Reading::Known { value: found.value, low: found.low, high: found.high }
        }
        Found::Refused { refused } => Reading::Refused { refused: refused.words().to_owned() },
    }
}

fn arm(arm: &ArmJudgement) -> UpliftArm {
    UpliftArm {
        arm: arm.arm.clone(),
        kind: arm.kind.clone().map(|kind| (kind, arm.own_effect_kept)),
        rows: arm.rows as i64,
        mean: arm.mean,
        effect: reading(&arm.effect),
        robust_effect: reading(&arm.robust_effect),
        verdict: verdict(arm).iter().map(|said| sentence(said)).collect(),
        rankings: arm.rankings.iter().map(ranking).collect(),
        groups: arm
            .calibration
            .iter()
            .map(|group| UpliftDecile {
                rows: group.units.iter().sum::<u64>() as i64,
                predicted: group.predicted,
                observed: reading(&group.observed),
            })
            .collect(),
    }
}

fn ranking(ranking: &Ranking) -> UpliftRanking {
    let figure =
        |(name, found): (&str, &Found<f64, _>)| (name.to_owned(), found.estimate().copied());
    UpliftRanking {
        by: ranking.by.to_owned(),
        curve: ranking.qini_curve.clone(),
        figures: ranking.figures().into_iter().map(figure).collect(),
    }
}

fn headlines(judgement: &Judgement) -> Vec<Headline> {
    let tile =
        |label: &str, [value, note]: [String; 2]| Headline { label: label.to_owned(), value, note };
    let policy = &judgement.policy;
    let mut tiles = vec![
        tile(
            "Advice",
            [
                capital(&advice(judgement)),
                doubt(judgement).map(|doubt| capital(&doubt)).unwrap_or_default(),
            ],
        ),
        tile(
            "Choosing by uplift is worth",
            with_note(effect(&policy.over_nobody), "per customer, over nobody"),
        ),
        tile(
            "It sends to",
            [
                format!("{:.0} %", 100.0 * policy.sent),
                format!("of {} customers", thousands(policy.rows)),
            ],
        ),
    ];
    if let [arm] = judgement.arms.as_slice() {
        let label = format!("Average {}", effect_name(judgement));
        tiles.push(tile(&label, effect(&arm.effect)));
    }
    tiles
}

fn with_note([value, interval]: [String; 2], note: &str) -> [String; 2] {
    [value, format!("{interval} {note}")]
}

fn notes(judgement: &Judgement) -> Vec<String> {
    let mut notes =
        vec!["Predictions are of folds of customers that they were not learnt from.".to_owned()];
    notes.extend(judgement.left_out.map(sentence));
    if judgement.sample_ratio.alarm {
        notes.insert(0, sentence(&ratio(judgement)));
    }
    notes
}

fn policy_said(judgement: &Judgement) -> Vec<String> {
    let mut said = vec![sentence(&chosen(judgement))];
    for (what, found) in selected(judgement) {
        let [value, interval] = effect(&found);
        said.push(sentence(&format!("{what}: {value} ({interval})")));
    }
    said.push(sentence(&format!("advice: {}; {}", advice(judgement), because(judgement))));
    said
}

fn facts(judgement: &Judgement, verb: &FitArguments) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value };
    vec![
        fact("Data", verb.data.clone()),
        fact("Rows", thousands(judgement.rows)),
        fact(
            "Learner",
            format!("{}, {} folds, seed {}", judgement.learner, verb.splits, verb.seed),
        ),
        fact("Features", judgement.features.join(", ")),
        fact(
            "Worth",
            format!(
                "{} per unit of outcome, less {} per customer sent to",
                judgement.margin, judgement.cost
            ),
        ),
        fact("Version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}
