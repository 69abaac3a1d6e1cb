//! Which engine brings more, in a shop whose truth is known?

mod redraws;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tercet_measurement::Found;
use tercet_measurement::assignment::Holdout;
use tercet_simulator::{Size, World};
use tercet_types::{Currency, Error, Result};

use super::simulate::{WorldFlags, project_of};
use super::{FormatFlag, Shared};
use crate::config::{Config, Environment, load};
use crate::output::{Format, heading, print, rows, thousands};
use crate::pipeline::{Campaign, Coverage, Effect, EffectFacts, EngineFacts, REDRAWS_MAX};
use crate::pipeline::{campaign, effects, participant, redraw};

/// `tercet compare`
#[derive(Debug, Args)]
#[command(after_help = "\
Every engine gets its own copy of the same simulated shop and decides in it week by week, on what its copy
has seen. The true effect is against the same customers in the same weeks without offers; the measured
one is what a shop would see: treated against holdout. 'policy' is the policy by which the shop sent
offers before; 'oracle' knows the truth, and is the bound of what offers can bring; 'tercet-order' and
'tercet-incremental' are 'tercet' with that [model] value. Everything printed is simulated.

With --redraws the campaign is decided once, for everybody; then what customers leave to chance, who is held
out and who gets which engine's offers are drawn so many times anew, and it is counted how often the 95 %
interval of such a test holds the true effect.

Examples:
  tercet compare --engines legacy,tercet
  tercet compare --engines policy,legacy,tercet,oracle --seed 7 --format json
  tercet compare --engines legacy,tercet --redraws 2000
  tercet compare --world my-world.toml --rules my-project --engines popular,tercet --weeks 4")]
pub(crate) struct CompareArguments {
    /// The engines, separated by commas; the others are held against the first
    #[arg(long, value_delimiter = ',', default_value = "legacy,tercet", value_name = "NAMES")]
    engines: Vec<String>,
    /// Weeks of the campaign
    #[arg(long, default_value_t = 10, value_name = "N")]
    weeks: u32,
    /// Share of customers who get nothing, so that the effect can be measured
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    holdout: f64,
    /// Weeks of the shop's past before the campaign
    #[arg(long, default_value_t = 12, value_name = "N")]
    history_weeks: u32,
    /// Customers
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    customers: u32,
    /// Products
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    products: u32,
    /// Promotions, over the past and the campaign [default: 25 for each week]
    #[arg(long, value_name = "N")]
    promotions: Option<u32>,
    /// Decide for everybody, then draw chance and assignment so many times anew
    #[arg(long, default_value_t = 0, value_name = "N")]
    redraws: u32,
    #[command(flatten)]
    made: WorldFlags,
    /// Take slots, rules, routes, exploration and models of the project in this folder [default: those of a simulated shop]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    format: FormatFlag,
}

/// Promotions for each week simulated: about as many hold at a time as narrow coupons do in The Complete Journey.
const PROMOTIONS_PER_WEEK: u32 = 25;

/// The most engines of one comparison.
const ENGINES_MAX: usize = 8;

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Comparison<'a> {
    simulated: bool,
    version: &'static str,
    seed: u64,
    customers: u32,
    products: u32,
    promotions: u32,
    history_weeks: u32,
    weeks: u32,
    holdout_rate: f64,
    engines: &'a [EngineFacts],
    redraws: u32,
    coverage: &'a [Coverage],
}

/// Runs the engines against each other and prints what they brought.
pub(crate) fn compare(
    verb: &CompareArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let mut engines = Vec::new();
    for name in &verb.engines {
        let known = participant(name.trim())?;
        if !engines.contains(&known) {
            engines.push(known);
        }
    }
    if engines.len() > ENGINES_MAX {
        return Err(Error::config("T1032", format!("{} engines", engines.len()))
            .hint(format!("compare at most {ENGINES_MAX} at once")));
    }
    if verb.weeks == 0 || verb.history_weeks == 0 {
        return Err(Error::config("T1032", "a comparison without weeks").hint(
            "give --weeks and --history-weeks at least one each; the model needs about eight weeks of past",
        ));
    }
    if verb.redraws > REDRAWS_MAX {
        return Err(Error::config("T1032", format!("{} redraws", verb.redraws))
            .hint(format!("draw at most {REDRAWS_MAX} times")));
    }
    // Before the past is simulated: what cannot be held out is refused at once.
    Holdout::new([0; 16], verb.holdout)?;
    let weeks = verb.history_weeks.saturating_add(verb.weeks);
    let size = Size {
        customers: verb.customers,
        products: verb.products,
        promotions: verb.promotions.unwrap_or(PROMOTIONS_PER_WEEK.saturating_mul(weeks)),
        weeks,
    };
    let world = verb.made.world(size)?;
    let mut config = shop_config(&world)?;
    if let Some(folder) = &verb.rules {
        let theirs = load(folder, environment)?.config;
        config = Config {
            features: theirs.features,
            model: theirs.model,
            routes: theirs.routes,
            slots: theirs.slots,
            audience: theirs.audience,
            rules: theirs.rules,
            exploration: theirs.exploration,
            ..config
        };
    }
    config.rules.holdout_rate = verb.holdout;
    let ask = Campaign {
        world: &world,
        history_weeks: verb.history_weeks,
        engines,
        config,
        for_everybody: verb.redraws > 0,
        threads: verb.made.threads(),
    };
    let progress = shared.progress();
    let campaigned = campaign(&ask, &progress)?;
    let found = effects(&campaigned);
    let coverage = redraw(&ask, &campaigned, verb.redraws, &progress)?;
    match verb.format.format {
        Format::Json => {
            let comparison = Comparison {
                simulated: true,
                version: env!("CARGO_PKG_VERSION"),
                seed: verb.made.seed,
                customers: size.customers,
                products: size.products,
                promotions: size.promotions,
                history_weeks: verb.history_weeks,
                weeks: verb.weeks,
                holdout_rate: verb.holdout,
                engines: &found,
                redraws: verb.redraws,
                coverage: &coverage,
            };
            print(serde_json::to_string_pretty(&comparison).map_err(|cause| {
                Error::internal("T1005", "the results could not be written as JSON").cause(cause)
            })?)
        }
        Format::Csv if verb.redraws > 0 => redraws::lines(&coverage),
        Format::Csv => print(rows(Format::Csv, &csv_header(), &csv_lines(&found))),
        Format::Table => {
            tables(&ask, &found)?;
            redraws::tables(&coverage, verb.redraws, Currency::new(&ask.config.project.currency)?)
        }
    }
}

/// The project of a simulated shop.
fn shop_config(world: &World) -> Result<Config> {
    toml::from_str(&project_of(world, "")).map_err(|cause| {
        Error::internal("T1005", "the simulated shop has no readable project").cause(cause)
    })
}

fn tables(ask: &Campaign<'_>, found: &[EngineFacts]) -> Result<()> {
    let currency = Currency::new(&ask.config.project.currency)?;
    let size = ask.world.size();
    print(heading("Simulated: nothing here says anything about a real shop."))?;
    print(format!(
        "{} customers, {} products, {} promotions; {} weeks after {} weeks of past; seed {}",
        thousands(size.customers),
        thousands(size.products),
        thousands(size.promotions),
        size.weeks - ask.history_weeks,
        ask.history_weeks,
        ask.world.seed(),
    ))?;
    let first = found.first().map_or("", |facts| facts.engine);
    for (place, facts) in found.iter().enumerate() {
        print(format!(
            "\n{}  {} offers to {} customers, {} held out (simulated)",
            heading(facts.engine),
            thousands(facts.offers),
            thousands(facts.treated),
            thousands(facts.held_out),
        ))?;
        let over = format!("over {first}");
        let mut header =
            vec!["a customer's week", "treated", "no offers", "true effect", "measured", "95 %"];
        if place > 0 {
            header.extend([over.as_str(), "95 %"]);
        }
        let lines: Vec<Vec<String>> =
            facts.effects.iter().map(|effect| table_line(effect, currency, place > 0)).collect();
        print(rows(Format::Table, &header, &lines))?;
    }
    print(
        "\ntrue effect: against the same customers in the same weeks without offers\n\
         measured: treated against holdout, Welch's t over customers; coupon usage: share of offers used",
    )
}

fn table_line(facts: &EffectFacts, currency: Currency, with_lift: bool) -> Vec<String> {
    let scale = scale_of(facts.effect, currency);
    let number = |value: f64| format!("{:.4}", value / scale);
    let signed = |value: f64| format!("{:+.4}", value / scale);
    let optional =
        |value: Option<f64>, show: &dyn Fn(f64) -> String| value.map_or_else(String::new, show);
    let is_usage = facts.effect == Effect::CouponUsage;
    let (measured, interval) = match &facts.measured {
        Found::Estimate(estimate) if is_usage => (
            number(estimate.value),
            format!("{} to {}", number(estimate.low), number(estimate.high)),
        ),
        Found::Estimate(estimate) => (
            signed(estimate.value),
            format!("{} to {}", signed(estimate.low), signed(estimate.high)),
        ),
        Found::Refused { refused } => (String::new(), refused.words().to_owned()),
    };
    let mut line = vec![
        name_of(facts.effect, currency),
        number(facts.treated),
        optional(facts.without_offers, &number),
        optional(facts.true_effect, &signed),
        measured,
        interval,
    ];
    if with_lift {
        let percent = |share: f64| format!("{:+.1}", 100.0 * share);
        line.extend(match &facts.over_first {
            Some(Found::Estimate(lift)) => [
                format!("{} %", percent(lift.value)),
                format!("{} to {}", percent(lift.low), percent(lift.high)),
            ],
            Some(Found::Refused { refused }) => [String::new(), refused.words().to_owned()],
            None => [String::new(), String::new()],
        });
    }
    line
}

/// By what amounts are divided: they are shown in major units.
fn scale_of(effect: Effect, currency: Currency) -> f64 {
    if effect.is_amount() { currency.minor_per_major() as f64 } else { 1.0 }
}

fn name_of(effect: Effect, currency: Currency) -> String {
    if effect.is_amount() {
        format!("{}, {}", effect.name(), currency.code())
    } else {
        effect.name().to_owned()
    }
}

fn csv_header() -> Vec<&'static str> {
    vec![
        "simulated",
        "engine",
        "effect",
        "treated",
        "without_offers",
        "true_effect",
        "measured",
        "measured_low",
        "measured_high",
        "over_first",
        "over_first_low",
        "over_first_high",
    ]
}

fn csv_lines(found: &[EngineFacts]) -> Vec<Vec<String>> {
    let optional = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let three = |found: Option<&Found>| match found {
        Some(Found::Estimate(estimate)) => {
            [estimate.value, estimate.low, estimate.high].map(|value| value.to_string())
        }
        _ => <[String; 3]>::default(),
    };
    let line = |engine: &EngineFacts, facts: &EffectFacts| {
        let mut line = vec![
            "true".to_owned(),
            engine.engine.to_owned(),
            facts.effect.name().to_owned(),
            facts.treated.to_string(),
            optional(facts.without_offers),
            optional(facts.true_effect),
        ];
        line.extend(three(Some(&facts.measured)));
        line.extend(three(facts.over_first.as_ref()));
        line
    };
    found
        .iter()
        .flat_map(|engine| engine.effects.iter().map(move |facts| line(engine, facts)))
        .collect()
}
