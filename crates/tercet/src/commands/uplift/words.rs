//! What does the judgement on a trial say, in words?

use tercet_measurement::Found;
use tercet_measurement::estimate::Estimate;
use tercet_measurement::uplift::Heterogeneity;

use super::judge::{Advice, ArmJudgement, Judgement};
use crate::output::thousands;

/// Whether the arms came out as planned.
pub(super) fn ratio(judgement: &Judgement) -> String {
    let found = &judgement.sample_ratio;
    let figures = format!("χ² {:.4}, {}", found.chi2, chance(found.p_value));
    if found.alarm {
        return format!(
            "the arms are not of the planned sizes: {figures}; do not read the effects below before it is known why"
        );
    }
    format!("the arms are of the planned sizes: {figures}")
}

/// Whether customers differ in what an arm does to them, and by what that is told.
pub(super) fn verdict(arm: &ArmJudgement) -> [String; 2] {
    let test = |found: &Heterogeneity| {
        let slope = &found.slope;
        format!(
            "slope {:.2} ({:.2} to {:.2}) where 1 is right and 0 is none, {}",
            slope.value,
            slope.low,
            slope.high,
            chance(found.p_value)
        )
    };
    let verdict = match arm.usable {
        true => "customers differ in what it does to them, as predicted",
        false => "no usable heterogeneity: send to all or to nobody",
    };
    let told_by = match &arm.heterogeneity {
        Found::Estimate(found) => test(found),
        Found::Refused { refused } => refused.words().to_owned(),
    };
    [verdict.to_owned(), told_by]
}

/// What to do.
pub(super) fn advice(judgement: &Judgement) -> String {
    match &judgement.advice {
        Advice::ByUplift { .. } => "choose by uplift".to_owned(),
        Advice::ToAll { arm } => {
            format!("send {} to all", judgement.arms[usize::from(*arm) - 1].arm)
        }
        Advice::ToNobody => "send to nobody".to_owned(),
    }
}

/// Why that is the advice.
pub(super) fn because(judgement: &Judgement) -> &'static str {
    match (&judgement.advice, judgement.arms.iter().any(|arm| arm.usable)) {
        (Advice::ByUplift { .. }, _) => "customers differ, and choosing among them pays most",
        (Advice::ToAll { .. }, true) => "customers differ, but choosing among them pays no more",
        (Advice::ToAll { .. }, false) => "customers do not differ in a way that can be used",
        (Advice::ToNobody, _) => "nothing that was tried is worth more than it costs",
    }
}

/// Which customers the policy that was judged sends to.
pub(super) fn chosen(judgement: &Judgement) -> String {
    let policy = &judgement.policy;
    format!(
        "chosen by uplift, fold by fold, by what was known before: sends to {:.0} % of {} customers",
        100.0 * policy.sent,
        thousands(policy.rows)
    )
}

/// Ways of sending held against each other, `all` for an arm that all get: net value per customer.
pub(super) fn values(judgement: &Judgement) -> Vec<(String, Found)> {
    let policy = &judgement.policy;
    let mut values = vec![("by uplift vs nobody".to_owned(), policy.over_nobody)];
    for (arm, over) in judgement.arms.iter().zip(&policy.over_all) {
        values.push((format!("by uplift vs all {}", arm.arm), *over));
    }
    for (arm, all) in judgement.arms.iter().zip(&policy.all_over_nobody) {
        values.push((format!("all {} vs nobody", arm.arm), *all));
    }
    values
}

/// What the selected customers of a trial with one treatment brought.
pub(super) fn selected(judgement: &Judgement) -> Vec<(&'static str, Found)> {
    judgement.policy.selected.as_ref().map_or_else(Vec::new, |selected| {
        vec![
            ("net value of the customers selected (NIR)", selected.net),
            ("difference of outcome among them (IRR)", selected.difference),
        ]
    })
}

/// An estimate with its interval, or the reason why there is none.
pub(super) fn effect(found: &Found) -> [String; 2] {
    match found {
        Found::Estimate(Estimate { value, low, high, .. }) => [
            format!("{}{}", if *value < 0.0 { "" } else { "+" }, digits(*value)),
            format!("{} to {}", digits(*low), digits(*high)),
        ],
        Found::Refused { refused } => ["–".to_owned(), refused.words().to_owned()],
    }
}

/// A p-value: none is 0.
fn chance(p_value: f64) -> String {
    if p_value < 0.000_1 { "p < 0.0001".to_owned() } else { format!("p {p_value:.4}") }
}

/// Four digits that count.
pub(super) fn digits(number: f64) -> String {
    let whole = number.abs().max(1e-9).log10().floor();
    let places = (3.0 - whole).clamp(0.0, 6.0) as usize;
    thousands(format!("{number:.places$}"))
}
