//! Which figures and tables does the page of a trial hold?

use minijinja::value::Serde;
use minijinja::{Value, context};
use tercet_types::{Currency, Result};

use super::charts::calibration::{Bin, calibration};
use super::charts::line::{Line, lines};
use super::figure::{About, Figure, Table};
use super::page;
use super::reading::{Reading, forest, text};
use super::uplift::{UpliftArm, UpliftDecile, UpliftRanking, UpliftReport};
use crate::format::{self, Unit};

/// What the values of a trial are: of levels, and of differences.
#[derive(Clone, Copy)]
struct Units {
    level: Unit,
    difference: Unit,
    currency: Currency,
}

impl Units {
    fn about<'a>(self, id: &'a str, title: &'a str, description: &'a str) -> About<'a> {
        About { id, title, description, unit: self.difference, currency: self.currency }
    }

    fn level(self, value: f64) -> String {
        format::value(value, self.level, self.currency)
    }

    fn signed(self, value: f64) -> String {
        format::signed(value, self.difference, self.currency)
    }

    fn text(self, reading: &Reading) -> String {
        text(reading, self.difference, self.currency)
    }
}

pub(crate) fn html(report: &UpliftReport) -> Result<String> {
    let currency = Currency::new(page::NO_CURRENCY)?;
    let (level, difference) = match report.are_shares {
        true => (Unit::Rate, Unit::Points),
        false => (Unit::Number, Unit::Number),
    };
    let units = Units { level, difference, currency };
    let arms: Vec<Value> =
        report.arms.iter().enumerate().map(|(at, arm)| view(at, arm, units)).collect();
    let worth = Units { difference: Unit::Number, ..units };
    let context = context! {
        r => Serde(report),
        effects => effects(report, units),
        sizes => sizes(report, units),
        arms => arms,
        policy => forest(
            worth.about(
                "policy",
                "What ways of sending are worth",
                "Net value per customer; right of the line, the first way is the better one.",
            ),
            ["Way of sending", "Net value per customer"],
            &report.policy,
        ),
    };
    page::render("uplift.html", context, currency)
}

/// The average effect of every arm.
fn effects(report: &UpliftReport, units: Units) -> Option<Figure> {
    let named: Vec<(String, Reading)> =
        report.arms.iter().map(|arm| (arm.arm.clone(), arm.effect.clone())).collect();
    let description = match report.are_arms_alike {
        true => "The mean outcome above that of control, whoever the customer is.",
        false => "What it adds to the mean outcome, doubly robust: arms hold different customers.",
    };
    let about = units.about("effects", "What each arm adds on average", description);
    forest(about, ["Arm", "Difference to control"], &named)
}

fn sizes(report: &UpliftReport, units: Units) -> Table {
    let (name, rows, mean) = &report.control;
    let nothing = || "–".to_owned();
    let has_kinds = report.arms.iter().any(|arm| arm.kind.is_some());
    let mut control =
        vec![format!("{name} (control)"), format::count(*rows), units.level(*mean), nothing()];
    if report.are_arms_alike {
        control.push(nothing());
    }
    if has_kinds {
        control.extend([nothing(), nothing()]);
    }
    let row = |arm: &UpliftArm| {
        let mut row = vec![arm.arm.clone(), format::count(arm.rows), units.level(arm.mean)];
        if report.are_arms_alike {
            row.push(units.text(&arm.effect));
        }
        row.push(units.text(&arm.robust_effect));
        if let Some((kind, own)) = &arm.kind {
            row.extend([kind.clone(), format::value(*own, Unit::Rate, units.currency)]);
        }
        row
    };
    let mut head = vec!["Arm", "Rows", "Mean"];
    if report.are_arms_alike {
        head.push("Effect (Welch)");
    }
    head.push("Effect (doubly robust)");
    if has_kinds {
        head.extend(["Kind", "Own effect kept"]);
    }
    let rows = std::iter::once(control).chain(report.arms.iter().map(row)).collect();
    Table::new("Arms", 1, &head, rows)
}

fn view(at: usize, arm: &UpliftArm, units: Units) -> Value {
    let id = format!("a{at}");
    context! {
        id => id.as_str(),
        name => arm.arm.as_str(),
        verdict => &arm.verdict,
        curve => curve(&format!("{id}-curve"), &arm.rankings, units),
        calibration => deciles(&format!("{id}-deciles"), &arm.groups, units),
        figures => figures(&arm.rankings, units),
    }
}

/// The Qini curve of each ranking, and the line of a random one.
fn curve(id: &str, rankings: &[UpliftRanking], units: Units) -> Option<Figure> {
    let drawn: Vec<&UpliftRanking> =
        rankings.iter().filter(|ranking| ranking.curve.len() > 1).collect();
    let steps = drawn.iter().map(|ranking| ranking.curve.len() - 1).min()?;
    let effect = drawn.first().and_then(|ranking| ranking.curve.last()).copied()?;
    let share = |step: usize| step as f64 / steps as f64;
    let shares: Vec<String> =
        (0..=steps).map(|step| format!("{:.0}%", 100.0 * share(step))).collect();
    let mut series: Vec<Line> = drawn
        .iter()
        .map(|ranking| Line {
            name: format!("by {}", ranking.by),
            values: ranking.curve.iter().copied().map(Some).collect(),
        })
        .collect();
    series.push(Line {
        name: "at random".to_owned(),
        values: (0..=steps).map(|step| Some(effect * share(step))).collect(),
    });
    let mut head = vec!["Top of the ranking".to_owned()];
    head.extend(series.iter().map(|line| line.name.clone()));
    let rows = (0..=steps).map(|step| {
        let values = series.iter().map(|line| line.values[step].map_or(0.0, |value| value));
        let mut row = vec![shares[step].clone()];
        row.extend(values.map(|value| units.signed(value)));
        row
    });
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let table = Table::new("Qini curve", 1, &head, rows.collect());
    let description = "What treating only the top of a ranking adds, per treated customer of the trial. A line above \
                       that at random finds customers whom it changes more than others.";
    Figure::draw(units.about(id, "Qini curve", description), table, |frame| {
        lines(frame, &shares, &series)
    })
}

/// Predicted against observed uplift.
fn deciles(id: &str, groups: &[UpliftDecile], units: Units) -> Option<Figure> {
    let name = |at: usize| format!("Group {}", at + 1);
    let row = |(at, group): (usize, &UpliftDecile)| {
        vec![
            name(at),
            format::count(group.rows),
            units.signed(group.predicted),
            units.text(&group.observed),
        ]
    };
    let rows = groups.iter().enumerate().map(row).collect();
    let head = ["Group", "Rows", "Predicted", "Observed"];
    let bin = |(at, group): (usize, &UpliftDecile)| match group.observed {
        Reading::Known { value, low, high } => Some(Bin {
            label: name(at),
            predicted: group.predicted,
            observed: value,
            interval: Some((low, high)),
            rows: group.rows,
        }),
        Reading::Refused { .. } => None,
    };
    let description = "Customers in ten groups by predicted uplift. On the dashed line, what was predicted came true.";
    Figure::draw(
        units.about(id, "Does predicted uplift happen?", description),
        Table::new("Uplift by decile", 1, &head, rows),
        |frame| {
            let bins: Vec<Bin> = groups.iter().enumerate().filter_map(bin).collect();
            calibration(frame, &bins)
        },
    )
}

/// Figures of the rankings beside each other.
fn figures(rankings: &[UpliftRanking], units: Units) -> Table {
    let number = |value: Option<f64>| {
        value.map_or("–".to_owned(), |value| format::value(value, Unit::Number, units.currency))
    };
    let mut head = vec!["Figure".to_owned()];
    head.extend(rankings.iter().map(|ranking| format!("By {}", ranking.by)));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let names = rankings.first().map_or(&[][..], |ranking| &ranking.figures);
    let rows = names.iter().enumerate().map(|(at, (name, _))| {
        let values = rankings.iter().map(|ranking| ranking.figures.get(at).and_then(|of| of.1));
        let mut row = vec![name.clone()];
        row.extend(values.map(number));
        row
    });
    Table::new("Figures of the rankings", 1, &head, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::assert_whole;
    use super::*;

    #[test]
    fn the_sample_renders_whole_and_needs_nothing_from_outside() {
        let html = UpliftReport::sample().html().unwrap();
        assert_whole(&html);
        for said in
            ["Qini curve", "Does predicted uplift happen?", "by predicted outcome", "postal"]
        {
            assert!(html.contains(said), "{said}");
        }
    }

    #[test]
    fn arms_that_are_not_alike_have_one_effect() {
        let check = |are_arms_alike: bool| {
            let html = UpliftReport { are_arms_alike, ..UpliftReport::sample() }.html().unwrap();
            assert_whole(&html);
            assert_eq!(html.contains("Effect (Welch)"), are_arms_alike);
            assert!(html.contains("Effect (doubly robust)"));
            assert_eq!(html.contains("arms hold different customers"), !are_arms_alike);
        };
        check(true);
        check(false);
    }

    #[test]
    fn a_trial_that_says_nothing_renders() {
        let sample = UpliftReport::sample();
        let refused = Reading::Refused { refused: "all units are alike".into() };
        let bare = UpliftArm {
            effect: refused.clone(),
            robust_effect: refused,
            verdict: vec![],
            rankings: vec![],
            groups: vec![],
            kind: None,
            ..sample.arms[0].clone()
        };
        let report = UpliftReport {
            are_shares: false,
            is_broken: true,
            arms: vec![bare],
            policy: vec![],
            policy_said: vec![],
            facts: vec![],
            headlines: vec![],
            notes: vec![],
            ..sample
        };
        let html = report.html().unwrap();
        assert_whole(&html);
        assert!(html.contains("all units are alike") && html.contains("No effect can be read"));
    }
}
