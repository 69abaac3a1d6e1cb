//! What does the page of a campaign say?

use std::collections::BTreeMap;

use tercet_delivery::report::lift::{
    Attributed, LiftComparison, LiftLook, LiftMetric, LiftReport, LiftSegment, Reading,
};
use tercet_delivery::report::{Fact, Headline};
use tercet_measurement::Found;
use tercet_measurement::lift::{Lift, Role, WeekLift};
use tercet_measurement::sequential::Verdict;
use tercet_types::{Currency, DAYS_PER_WEEK, Result};

use crate::commands::Project;
use crate::output::thousands;
use crate::pipeline::{Comparison, Measured};

/// The whole page.
pub(super) fn report(
    project: &Project,
    id: &str,
    measured: &Measured,
    comparisons: &[Comparison],
) -> Result<LiftReport> {
    let currency = Currency::new(&project.config.project.currency)?;
    let first = comparisons.first();
    Ok(LiftReport {
        project: project.config.project.name.clone(),
        currency: currency.code().to_owned(),
        first_day: measured.first_day,
        weeks: measured.weeks,
        summary: first.map_or_else(String::new, |of| summary(of, measured, currency)),
        facts: facts(project, id, measured),
        headlines: first.map_or_else(Vec::new, |of| headlines(of, currency)),
        notes: notes(project, measured),
        comparisons: comparisons.iter().map(|of| comparison(of, measured)).collect(),
        attribution: measured
            .attribution
            .iter()
            .filter_map(|rule| {
                let (offers, paid_minor) = *measured.attributed.get(rule.name())?;
                Some(Attributed { rule: rule.name().to_owned(), offers: offers as i64, paid_minor })
            })
            .collect(),
    })
}

fn amount(minor: f64, currency: Currency) -> String {
    tercet_delivery::format::money(minor.round() as i64, currency)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// What came out, in a sentence.
fn summary(of: &Comparison, measured: &Measured, currency: Currency) -> String {
    let weeks = match measured.weeks {
        1 => "one week".to_owned(),
        weeks => format!("{weeks} weeks"),
    };
    if of.is_broken() {
        return "The arms did not come out as planned: no lift can be read before it is known why."
            .to_owned();
    }
    match &of.lift.total_margin {
        Found::Estimate(found) => {
            let money = |minor: f64| amount(minor, currency);
            let interval = format!("{} to {}", money(found.low), money(found.high));
            if found.low > 0.0 {
                format!(
                    "Offers brought {} more margin in {weeks} ({interval}).",
                    money(found.value)
                )
            } else if found.high < 0.0 {
                format!("Offers cost {} of margin in {weeks} ({interval}).", money(-found.value))
            } else {
                format!(
                    "After {weeks} nobody can tell what offers brought from chance: {} of margin ({interval}).",
                    money(found.value)
                )
            }
        }
        Found::Refused { refused } => {
            format!("What offers brought in {weeks} is not known: {}.", refused.words())
        }
    }
}

fn headlines(of: &Comparison, currency: Currency) -> Vec<Headline> {
    let tile = |label: &str, value: String, note: String| Headline {
        label: label.to_owned(),
        value,
        note,
    };
    let refused = |found: &Found| match found {
        Found::Refused { refused } => refused.words().to_owned(),
        Found::Estimate(_) => String::new(),
    };
    let lift = &of.lift;
    let total = |label: &str, found: &Found| match found {
        Found::Estimate(sum) => tile(
            label,
            amount(sum.value, currency),
            format!(
                "{} to {}, all treated together",
                amount(sum.low, currency),
                amount(sum.high, currency)
            ),
        ),
        Found::Refused { .. } => tile(label, "–".to_owned(), refused(found)),
    };
    let metric = |name: &str| lift.metrics.iter().find(|metric| metric.metric == name);
    let mut tiles = vec![
        total("Margin brought", &lift.total_margin),
        total("Revenue brought", &lift.total_revenue),
    ];
    if let Some(conversion) = metric("conversion_rate").and_then(|of| of.best_relative()) {
        tiles.push(match conversion {
            Found::Estimate(found) => tile(
                "Conversion",
                format!("{:+.1} %", 100.0 * found.value),
                format!("{:+.1} % to {:+.1} %", 100.0 * found.low, 100.0 * found.high),
            ),
            Found::Refused { .. } => tile("Conversion", "–".to_owned(), refused(conversion)),
        });
    }
    if let Some(rate) = metric("hit_rate").and_then(|of| of.treatment) {
        tiles.push(tile("Offers used", percent(rate), "of those sent".to_owned()));
    }
    tiles
}

/// Where the campaign stands, by its last look.
pub(super) fn verdict(lift: &Lift) -> Vec<String> {
    let known = |look: &&tercet_measurement::lift::WeekLook| look.planned.is_some();
    let Some(last) = lift.looks.iter().rev().find(known) else {
        if lift.looks.iter().all(|look| look.margin.estimate().is_none()) {
            return Vec::new();
        }
        return vec![
            "No end was planned ([lift] planned_weeks), so there is no weekly verdict: the intervals hold for one look. What holds at any look stands under 'The campaign so far'."
                .to_owned(),
        ];
    };
    let (Some(planned), Some(found)) = (last.planned, last.margin.estimate()) else {
        return Vec::new();
    };
    let week = last.week + 1;
    let weeks = (week as f64 / planned.fraction).round();
    let errors = found.value / found.std_error;
    let decided = lift.looks.iter().find(|look| {
        look.planned.is_some_and(|look| matches!(look.verdict, Verdict::Wins | Verdict::Loses))
    });
    let in_week = decided.map_or(week, |look| look.week + 1);
    let mut sentences = vec![match planned.verdict {
        Verdict::Wins => format!(
            "Week {week} of {weeks}: offers win. Their margin passed the bound for a weekly look in week {in_week}."
        ),
        Verdict::Loses => format!(
            "Week {week} of {weeks}: offers lose. Their margin fell below the bound for a weekly look in week {in_week}: stop."
        ),
        Verdict::GoesOn => format!(
            "Week {week} of {weeks}: go on. The margin is {errors:.2} standard errors from none; {:.2} would decide today.",
            planned.bound
        ),
        Verdict::EndedWithout => format!(
            "Week {week} of {weeks}: the campaign ended, and its margin ({errors:.2} standard errors from none, {:.2} were needed) cannot be told from chance.",
            planned.bound
        ),
    }];
    if lift.looks.len() > week {
        sentences.push(format!(
            "The campaign ran {} weeks longer than planned: they are not part of the verdict.",
            lift.looks.len() - week
        ));
    }
    sentences
}

/// Whether the arms came out as planned.
pub(super) fn ratio(of: &Comparison) -> Vec<String> {
    let (treated, all) = (of.lift.treated as f64, (of.lift.treated + of.lift.control) as f64);
    let p_value = of.ratio.overall.p_value;
    let sizes = format!(
        "{:.2} % of these customers were to be in the first arm, {:.2} % are (p {})",
        100.0 * of.planned_rate,
        100.0 * treated / all,
        if p_value < 0.001 { "< 0.001".to_owned() } else { format!("= {p_value:.3}") },
    );
    match of.is_broken() {
        false => vec![format!("The arms came out as planned: {sizes}.")],
        true => vec![
            format!("The arms did not come out as planned: {sizes}. No lift can be read."),
            format!("Where to look: {}.", of.ratio.cause.words()),
        ],
    }
}

fn comparison(of: &Comparison, measured: &Measured) -> LiftComparison {
    let lift = &of.lift;
    let monday =
        |week: usize| measured.first_day.plus_days(DAYS_PER_WEEK * week as i32).to_string();
    LiftComparison {
        name: of.name.clone(),
        treated: lift.treated as i64,
        control: lift.control as i64,
        ratio: ratio(of),
        is_broken: of.is_broken(),
        verdict: verdict(lift),
        metrics: lift
            .metrics
            .iter()
            .map(|metric| LiftMetric {
                metric: metric.metric.to_owned(),
                is_guardrail: metric.role == Role::Guardrail,
                treatment: metric.treatment,
                control: metric.control,
                difference: reading(&metric.difference),
                adjusted: metric.adjusted.as_ref().map(reading),
                stratified: metric.stratified.as_ref().map(reading),
                relative: metric.best_relative().map(reading),
                explained: metric.explained,
            })
            .collect(),
        weeks: lift.weeks.iter().map(|week| (monday(week.week), reading(&week.margin))).collect(),
        looks: lift
            .looks
            .iter()
            .map(|look| LiftLook {
                week: monday(look.week),
                margin: reading(&look.margin),
                anytime: look.anytime.map(|found| (found.low, found.high)),
            })
            .collect(),
        after: after(lift, measured),
        segments: lift
            .segments
            .iter()
            .map(|segment| LiftSegment {
                segment: segment.segment.clone(),
                treated: segment.treated as i64,
                control: segment.control as i64,
                margin: reading(&segment.margin),
                revenue: reading(&segment.revenue),
                conversion: reading(&segment.conversion),
                p_corrected: segment.p_holm,
            })
            .collect(),
        methods: methods(lift),
    }
}

fn after(lift: &Lift, measured: &Measured) -> Vec<(String, Reading)> {
    let (Some(after), Some(both), Some(campaign)) =
        (lift.after, lift.with_after, lift.looks.last())
    else {
        return Vec::new();
    };
    let weeks = |weeks: usize, what: &str| match weeks {
        1 => format!("1 week {what}"),
        weeks => format!("{weeks} weeks {what}"),
    };
    let of = |weeks: &WeekLift| reading(&weeks.margin);
    vec![
        (weeks(measured.weeks, "of it"), reading(&campaign.margin)),
        (weeks(measured.weeks_after, "after"), of(&after)),
        ("both together".to_owned(), of(&both)),
    ]
}

fn reading(found: &Found) -> Reading {
    match found {
        Found::Estimate(found) => {
            Reading::Known { value: found.value, low: found.low, high: found.high }
        }
        Found::Refused { refused } => Reading::Refused { refused: refused.words().to_owned() },
    }
}

/// Methods of the figures, each once, with what must hold for them.
fn methods(lift: &Lift) -> Vec<Fact> {
    let mut found: BTreeMap<String, &'static str> = BTreeMap::new();
    for metric in &lift.metrics {
        let all = [Some(&metric.difference), metric.adjusted.as_ref(), metric.best_relative()];
        for estimate in
            all.into_iter().flatten().chain(&metric.stratified).filter_map(Found::estimate)
        {
            let name = serde_json::to_value(estimate.method).ok();
            let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default();
            found.insert(name.replace('_', " "), estimate.method.assumptions());
        }
    }
    found.into_iter().map(|(name, value)| Fact { name, value: value.to_owned() }).collect()
}

fn facts(project: &Project, id: &str, measured: &Measured) -> Vec<Fact> {
    let settings = &project.config.lift;
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value };
    let left_out = [
        (measured.moved, "whom a larger holdout moved"),
        (measured.others, "for whom another share of control was planned"),
        (measured.gone, "who are no longer in the shop's data"),
    ];
    let left_out: String = left_out
        .into_iter()
        .filter(|(customers, _)| *customers > 0)
        .map(|(customers, why)| format!("; {} left out, {why}", thousands(customers)))
        .collect();
    let cap = |at: usize| match (measured.caps_minor[at], measured.caps_are_configured[at]) {
        (i64::MAX, _) => "none, for nothing is known of the weeks before".to_owned(),
        (cap, true) => format!("{cap} minor units, as configured"),
        (cap, false) => format!("{cap} minor units, from the weeks before, both arms together"),
    };
    let caps = format!("revenue: {}; margin: {}", cap(0), cap(1));
    let rules: Vec<&str> = measured.attribution.iter().map(|rule| rule.name()).collect();
    vec![
        fact("measurement", id.to_owned()),
        fact("runs", format!("{}: {}", measured.runs.len(), measured.runs.join(", "))),
        fact("customers", format!("{}{left_out}", thousands(measured.units))),
        fact(
            "weeks",
            format!(
                "{} before anybody was assigned, {} of the campaign, {} after",
                measured.weeks_before, measured.weeks, measured.weeks_after
            ),
        ),
        fact("intervals", percent(settings.level)),
        fact("caps", caps),
        fact("an offer is used by", rules.join(", then ")),
        fact("cost of a contact", format!("{} minor units", settings.contact_cost_minor)),
        fact("rows that failed their contract", thousands(measured.quarantined)),
        fact("tercet", measured.tercet_version.clone()),
    ]
}

fn notes(project: &Project, measured: &Measured) -> Vec<String> {
    let mut notes = project.config.project.notes.clone();
    notes.push(format!(
        "Products that say no margin count with {} of revenue ([lift] margin_rate).",
        percent(measured.margin_rate)
    ));
    if measured.weeks_before == 0 {
        notes.push(
            "Nothing is known of customers from before they were assigned, so differences are not adjusted: measure from the first run on, or with a longer past."
                .to_owned(),
        );
    }
    let idle = measured.weeks.saturating_sub(measured.runs.len());
    if idle > 0 {
        notes.push(format!(
            "{idle} of the {} weeks had no run: nothing was offered in them. --from and --to say which weeks are measured.",
            measured.weeks
        ));
    }
    notes.push(
        "Customers are compared in the arm they were logged in first, whatever reached them: intention to treat."
            .to_owned(),
    );
    notes
}
