//! How is the judgement on a trial read on a terminal?

use tercet_measurement::Found;
use tercet_measurement::uplift::Heterogeneity;

use super::judge::{Advice, ArmJudgement, Judgement, Policy, Ranking, Said};
use crate::output::{Format, heading, marked, rows, thousands};

/// All that is said of a trial; as CSV the table of the arms alone.
pub(super) fn page(judgement: &Judgement, format: Format) -> String {
    if format == Format::Csv {
        return arms(judgement, format);
    }
    let mut text = format!(
        "{}\n{}\n{}\n",
        heading(&format!("{} by {}", judgement.outcome, judgement.treatment)),
        arms(judgement, format),
        sample_ratio(judgement)
    );
    for arm in &judgement.arms {
        text.push_str(&format!(
            "\n{}\n{}\n",
            heading(&format!("{}: whom does it change?", arm.arm)),
            verdict(arm)
        ));
        text.push_str(&format!(
            "\n{}\n",
            rows(format, &RANKING, &[line(&arm.rankings[0]), line(&arm.rankings[1])])
        ));
        text.push_str(&format!("\n{}\n", groups(arm, format)));
    }
    text.push_str(&format!("\n{}\n{}", heading("Whom to send to"), policy(judgement)));
    text
}

fn arms(judgement: &Judgement, format: Format) -> String {
    const HEADER: [&str; 5] = ["arm", "rows", "mean", "effect", "95 % interval"];
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
    rows(format, &HEADER, &lines)
}

fn sample_ratio(judgement: &Judgement) -> String {
    let found = &judgement.sample_ratio;
    let figures = format!("χ² {:.4}, p {:.3}", found.chi2, found.p_value);
    if found.alarm {
        let alarm = marked("the arms are not of the planned sizes", true);
        return format!(
            "{alarm}: {figures}; do not read the effects below before it is known why. Were other sizes planned? Say --shares"
        );
    }
    format!("the arms are of the planned sizes: {figures}")
}

const RANKING: [&str; 6] = [
    "ranked by",
    "Qini (scikit-uplift)",
    "AUUC (scikit-uplift)",
    "uplift at 30 %",
    "AUUC (causalml)",
    "Qini (causalml)",
];

fn line(ranking: &Ranking) -> Vec<String> {
    let figure = |said: &Said<f64>| match said {
        Said::Figure(figure) => format!("{figure:.4}"),
        Said::Refused { .. } => "–".to_owned(),
    };
    vec![
        ranking.by.to_owned(),
        figure(&ranking.scikit_uplift_qini_auc),
        figure(&ranking.scikit_uplift_uplift_auc),
        figure(&ranking.scikit_uplift_at_30_percent),
        figure(&ranking.causalml_auuc),
        figure(&ranking.causalml_qini),
    ]
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

/// Whether customers differ, in words.
fn verdict(arm: &ArmJudgement) -> String {
    let test = |found: &Heterogeneity| {
        let slope = &found.slope;
        format!(
            "slope {:.2} ({:.2} to {:.2}) where 1 is right and 0 is none, p {:.4}",
            slope.value, slope.low, slope.high, found.p_value
        )
    };
    match (&arm.heterogeneity, arm.usable) {
        (Said::Figure(found), true) => {
            format!("customers differ in what it does to them, as predicted: {}", test(found))
        }
        (Said::Figure(found), false) => {
            let none = marked("no usable heterogeneity: send to all or to nobody", false);
            format!("{none}; {}", test(found))
        }
        (Said::Refused { refused }, _) => {
            let none = marked("no usable heterogeneity: send to all or to nobody", false);
            format!("{none}; {refused}")
        }
    }
}

fn policy(judgement: &Judgement) -> String {
    let Policy { rows, sent, over_nobody, over_all, all_over_nobody, selected, .. } =
        &judgement.policy;
    let mut text = format!(
        "chosen by uplift, fold by fold, by what was known before: sends to {:.0} % of {} customers\n",
        100.0 * sent,
        thousands(rows)
    );
    let mut say = |what: &str, found: &Found| {
        let [value, interval] = effect(found);
        text.push_str(&format!("  {what:<58} {value}  {interval}\n"));
    };
    say("net value per customer, over sending to nobody", over_nobody);
    for (arm, over) in judgement.arms.iter().zip(over_all) {
        say(&format!("the same, over sending {} to all", arm.arm), over);
    }
    for (arm, all) in judgement.arms.iter().zip(all_over_nobody) {
        say(&format!("sending {} to all, over nobody", arm.arm), all);
    }
    if let Some(selected) = selected {
        say("net value of the customers selected (NIR)", &selected.net);
        say("difference of outcome among them (IRR)", &selected.difference);
    }
    let advice = match &judgement.advice {
        Advice::ByUplift { .. } => "choose by uplift".to_owned(),
        Advice::ToAll { arm } => {
            format!("send {} to all", judgement.arms[usize::from(*arm) - 1].arm)
        }
        Advice::ToNobody => "send to nobody".to_owned(),
    };
    format!("{text}advice: {}", heading(&advice))
}

/// An estimate and its interval, or the reason why there is none.
fn effect(found: &Found) -> [String; 2] {
    match found {
        Found::Estimate(found) => [
            format!("{}{}", if found.value < 0.0 { "" } else { "+" }, digits(found.value)),
            format!("{} to {}", digits(found.low), digits(found.high)),
        ],
        Found::Refused { refused } => ["–".to_owned(), refused.words().to_owned()],
    }
}

/// Four digits that count.
fn digits(number: f64) -> String {
    let whole = number.abs().max(1e-9).log10().floor();
    let places = (3.0 - whole).clamp(0.0, 6.0) as usize;
    thousands(format!("{number:.places$}"))
}
