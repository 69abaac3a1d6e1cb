//! How is the judgement on a trial read on a terminal?

use tercet_measurement::Found;

use super::judge::{ArmJudgement, Judgement, Ranking};
use super::words::{
    advice, chosen, digits, effect, effect_name, ratio, selected, values, verdict, with_doubt,
};
use crate::output::{Format, heading, marked, rows, thousands};

/// All that is said of a trial; as CSV the table of the arms alone.
pub(super) fn page(judgement: &Judgement, format: Format) -> String {
    if format == Format::Csv {
        return arms(judgement, format);
    }
    let ratio = ratio(judgement);
    let mut text = format!(
        "{}\n{}\n{}\n",
        heading(&format!("{} by {}", judgement.outcome, judgement.treatment)),
        arms(judgement, format),
        if judgement.sample_ratio.alarm { marked(&ratio, true) } else { ratio }
    );
    if let Some(why) = judgement.left_out {
        text.push_str(&format!("{}\n", marked(why, false)));
    }
    for arm in &judgement.arms {
        let [verdict, told_by] = verdict(arm);
        let verdict = if arm.usable { verdict } else { marked(&verdict, false) };
        text.push_str(&format!(
            "\n{}\n{verdict}; {told_by}\n",
            heading(&format!("{}: whom does it change?", arm.arm)),
        ));
        if judgement.left_out.is_none() {
            text.push_str(&format!("\n{}\n", rankings(arm, format)));
            text.push_str(&format!("\n{}\n", groups(arm, format)));
        }
    }
    text.push_str(&format!("\n{}\n{}", heading("Whom to send to"), policy(judgement)));
    text
}

fn arms(judgement: &Judgement, format: Format) -> String {
    let has_kinds = judgement.arms.iter().any(|arm| arm.kind.is_some());
    let mut header = vec!["arm", "rows", "mean", effect_name(judgement), "95 % interval"];
    let control = &judgement.control;
    let mut lines = vec![vec![
        control.arm.clone(),
        thousands(control.rows),
        digits(control.mean),
        String::new(),
        String::new(),
    ]];
    for arm in &judgement.arms {
        let [effect, interval] = effect(&arm.effect);
        lines.push(vec![arm.arm.clone(), thousands(arm.rows), digits(arm.mean), effect, interval]);
    }
    if has_kinds {
        header.extend(["kind", "own effect kept"]);
        lines[0].extend(<[String; 2]>::default());
        for (line, arm) in lines[1..].iter_mut().zip(&judgement.arms) {
            let kind = arm.kind.clone().unwrap_or_default();
            line.extend([kind, format!("{:.0} %", 100.0 * arm.own_effect_kept)]);
        }
    }
    rows(format, &header, &lines)
}

fn rankings(arm: &ArmJudgement, format: Format) -> String {
    let mut header = vec!["ranked by"];
    header.extend(arm.rankings.iter().take(1).flat_map(Ranking::figures).map(|(name, _)| name));
    let line = |ranking: &Ranking| {
        let mut line = vec![ranking.by.to_owned()];
        line.extend(ranking.figures().into_iter().map(|(_, said)| match said {
            Found::Estimate(figure) => format!("{figure:.4}"),
            Found::Refused { .. } => "–".to_owned(),
        }));
        line
    };
    let lines: Vec<Vec<String>> = arm.rankings.iter().map(line).collect();
    rows(format, &header, &lines)
}

fn groups(arm: &ArmJudgement, format: Format) -> String {
    const HEADER: [&str; 5] = ["group", "rows", "predicted", "observed", "95 % interval"];
    let lines: Vec<Vec<String>> = (1..)
        .zip(&arm.calibration)
        .map(|(group, one)| {
            let [observed, interval] = effect(&one.observed);
            let rows = thousands(one.units.iter().sum::<u64>());
            vec![group.to_string(), rows, digits(one.predicted), observed, interval]
        })
        .collect();
    rows(format, &HEADER, &lines)
}

fn policy(judgement: &Judgement) -> String {
    let mut text = format!("{}\nnet value per customer:\n", chosen(judgement));
    let selected = selected(judgement).into_iter().map(|(what, found)| (what.to_owned(), found));
    for (what, found) in values(judgement).into_iter().chain(selected) {
        let [value, interval] = effect(&found);
        text.push_str(&format!("  {what:<42} {value}  {interval}\n"));
    }
    format!("{text}advice: {}", with_doubt(&heading(&advice(judgement)), judgement))
}
