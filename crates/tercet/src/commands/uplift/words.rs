//! What does the judgement on a trial say, in words?

use tercet_measurement::Found;
use tercet_measurement::estimate::Estimate;
use tercet_measurement::uplift::Heterogeneity;

use super::judge::{Advice, ArmJudgement, EffectBy, Judgement};
use crate::output::{chance, thousands};

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
pub(super) fn because(judgement: &Judgement) -> String {
    let why = match (&judgement.advice, judgement.arms.iter().any(|arm| arm.usable)) {
        (Advice::ByUplift { .. }, _) => "customers differ, and choosing among them pays most",
        (Advice::ToAll { .. }, true) => "customers differ, but choosing among them pays no more",
        (Advice::ToAll { .. }, false) => "customers do not differ in a way that can be used",
        (Advice::ToNobody, _) => "nothing that was tried is worth more than it costs",
    };
    with_doubt(why, judgement)
}

/// What is said, and after it what the trial leaves open of the advice.
pub(super) fn with_doubt(said: &str, judgement: &Judgement) -> String {
    doubt(judgement).map_or_else(|| said.to_owned(), |doubt| format!("{said}; {doubt}"))
}

/// What the trial leaves open of the advice: whether it pays, or whether it pays more than the other way of sending.
pub(super) fn doubt(judgement: &Judgement) -> Option<String> {
    const OPEN: &str = "the trial does not say that it pays";
    let policy = &judgement.policy;
    let pays = |found: &Found| found.estimate().is_some_and(|found| found.low > 0.0);
    let loses = |found: &Found| found.estimate().is_some_and(|found| found.high < 0.0);
    match &judgement.advice {
        Advice::ByUplift { .. } if !pays(&policy.over_nobody) => Some(OPEN.to_owned()),
        Advice::ByUplift { .. } => {
            let unbeaten = judgement.arms.iter().zip(&policy.over_all);
            let unbeaten: Vec<&str> =
                unbeaten.filter(|(_, over)| !pays(over)).map(|(arm, _)| arm.arm.as_str()).collect();
            (!unbeaten.is_empty())
                .then(|| format!("{OPEN} more than sending {} to all", unbeaten.join(" or ")))
        }
        Advice::ToAll { arm } => {
            let arm = usize::from(*arm) - 1;
            let is_choice = judgement.arms.iter().any(|arm| arm.usable);
            if !pays(&policy.all_over_nobody[arm]) {
                Some(OPEN.to_owned())
            } else {
                (is_choice && !loses(&policy.over_all[arm]))
                    .then(|| format!("{OPEN} more than choosing by uplift"))
            }
        }
        // What was not seen to lose may pay: nobody tried it long enough to say.
        Advice::ToNobody => {
            let all = judgement.arms.iter().zip(&policy.all_over_nobody);
            let open = all.filter(|(_, over)| !loses(over));
            let mut open: Vec<String> =
                open.map(|(arm, _)| format!("sending {} to all", arm.arm)).collect();
            let is_choice = judgement.arms.iter().any(|arm| arm.usable);
            open.extend(
                (is_choice && !loses(&policy.over_nobody)).then(|| "choosing by uplift".to_owned()),
            );
            (!open.is_empty())
                .then(|| format!("the trial leaves open whether {} would pay", open.join(" or ")))
        }
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

/// What the average effect is called.
pub(super) const fn effect_name(judgement: &Judgement) -> &'static str {
    match judgement.effect_by {
        EffectBy::Welch => "effect",
        EffectBy::DoublyRobust => "effect (doubly robust)",
    }
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

/// Four digits that count.
pub(super) fn digits(number: f64) -> String {
    let whole = number.abs().max(1e-9).log10().floor();
    let places = (3.0 - whole).clamp(0.0, 6.0) as usize;
    thousands(format!("{number:.places$}"))
}

#[cfg(test)]
mod tests {
    use tercet_measurement::estimate::{LEVEL, Method};
    use tercet_measurement::uplift::Refusal;

    use super::super::judge::{ArmJudgement, Control, Policy, SampleRatio};
    use super::super::page::page;
    use super::*;
    use crate::output::Format;

    fn known([low, high]: [f64; 2]) -> Found {
        Found::Estimate(Estimate {
            value: f64::midpoint(low, high),
            low,
            high,
            std_error: 1.0,
            dof: 100.0,
            level: LEVEL,
            p_value: None,
            method: Method::Mean,
        })
    }

    /// A trial of one treatment: intervals of choosing over nobody, of choosing over all, and of all over nobody.
    fn judgement(advice: Advice, usable: bool, intervals: [[f64; 2]; 3]) -> Judgement {
        let [over_nobody, over_all, all_over_nobody] = intervals.map(known);
        let arm = ArmJudgement {
            arm: "letter".to_owned(),
            kind: None,
            own_effect_kept: 1.0,
            rows: 500,
            mean: 0.3,
            effect: all_over_nobody,
            robust_effect: all_over_nobody,
            rankings: vec![],
            calibration: vec![],
            heterogeneity: Found::Refused { refused: Refusal::NoRanking },
            usable,
        };
        Judgement {
            treatment: "arm".to_owned(),
            outcome: "bought".to_owned(),
            learner: "dr".to_owned(),
            margin: 1.0,
            cost: 0.0,
            rows: 1_000,
            is_binary: true,
            features: vec!["place".to_owned()],
            sample_ratio: SampleRatio { chi2: 0.0, p_value: 1.0, alarm: false },
            control: Control { arm: "nothing".to_owned(), rows: 500, mean: 0.3 },
            effect_by: EffectBy::Welch,
            left_out: None,
            arms: vec![arm],
            policy: Policy {
                rows: 1_000,
                sent: 0.5,
                over_nobody,
                over_all: vec![over_all],
                all_over_nobody: vec![all_over_nobody],
                selected: None,
                lines: vec![],
            },
            advice,
        }
    }

    #[test]
    fn advice_that_may_be_chance_says_so() {
        const OPEN: &str = "the trial does not say that it pays";
        const PAYS: [f64; 2] = [0.1, 0.3];
        const LOSES: [f64; 2] = [-0.3, -0.1];
        const HOLDS_0: [f64; 2] = [-0.1, 0.3];
        let by_uplift = || Advice::ByUplift { lines: vec![] };
        let to_all = || Advice::ToAll { arm: 1 };
        let check = |advice: Advice, usable, intervals, expect: Option<&str>| {
            let judgement = judgement(advice, usable, intervals);
            assert_eq!(doubt(&judgement).as_deref(), expect, "{intervals:?}");
            let (because, page) = (because(&judgement), page(&judgement, Format::Table));
            for said in [&because, &page] {
                let is_open = said.contains(OPEN) || said.contains("leaves open");
                assert_eq!(is_open, expect.is_some(), "{said}");
                assert!(said.ends_with(expect.unwrap_or_default()), "{said}");
            }
        };
        check(to_all(), false, [HOLDS_0, HOLDS_0, HOLDS_0], Some(OPEN));
        check(to_all(), false, [HOLDS_0, HOLDS_0, PAYS], None);
        check(to_all(), true, [PAYS, LOSES, PAYS], None);
        let more = format!("{OPEN} more than choosing by uplift");
        check(to_all(), true, [PAYS, HOLDS_0, PAYS], Some(&more));
        check(by_uplift(), true, [HOLDS_0, PAYS, LOSES], Some(OPEN));
        check(by_uplift(), true, [PAYS, PAYS, HOLDS_0], None);
        let more = format!("{OPEN} more than sending letter to all");
        check(by_uplift(), true, [PAYS, HOLDS_0, PAYS], Some(&more));
        check(Advice::ToNobody, false, [HOLDS_0, HOLDS_0, LOSES], None);
        check(Advice::ToNobody, true, [LOSES, HOLDS_0, LOSES], None);
        let open = "the trial leaves open whether sending letter to all would pay";
        check(Advice::ToNobody, false, [HOLDS_0, HOLDS_0, HOLDS_0], Some(open));
        let open = "the trial leaves open whether choosing by uplift would pay";
        check(Advice::ToNobody, true, [HOLDS_0, HOLDS_0, LOSES], Some(open));
    }
}
