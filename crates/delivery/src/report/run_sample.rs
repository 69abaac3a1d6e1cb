//! What could the report of a healthy run look like?
//!
//! Invented figures of an invented grocer: for tests, and to look at a page while changing it.

use tercet_types::Date;

use super::run::{
    CalibrationBin, Certificate, CheckStatus, Contest, ExampleCustomer, ExampleOffer, HealthCheck,
    Importance, Limit, LimitPrice, Metric, ModelQuality, PromotionCount, RunReport, SegmentCount,
    SlotFill, SourceHealth, Standing, Timing,
};
use super::{Fact, Headline, NamedCount};
use crate::format::Unit;

/// Monday, 4 September 2017.
const AS_OF: Date = Date::from_days(17_413);

fn fact(name: &str, value: &str) -> Fact {
    Fact { name: name.into(), value: value.into() }
}

fn count(name: &str, count: i64) -> NamedCount {
    NamedCount { name: name.into(), count }
}

pub(crate) fn sample() -> RunReport {
    let headline = |label: &str, value: &str, note: &str| Headline {
        label: label.into(),
        value: value.into(),
        note: note.into(),
    };
    RunReport {
        project: "Corner grocer".into(),
        run_id: "2017-09-04-7f3a".into(),
        as_of: AS_OF,
        currency: "USD".into(),
        summary: "2,044 customers get 6,021 offers from 48 promotions this week; 227 customers in \
                  control get none, so that the effect can be measured."
            .into(),
        facts: vec![
            fact("Engine", "tercet"),
            fact("Transactions", "1,012,873 lines, 1 January to 3 September 2017"),
            fact("Seed", "7"),
            fact("Model version", "5c1e90ab"),
            fact("Policy version", "e41f77d2"),
            fact("tercet", "0.1.0"),
        ],
        headlines: vec![
            headline("Customers with offers", "2,044", "90% of the audience"),
            headline("Offers", "6,021", "98.2% of slots filled"),
            headline("Value of offers", "$11,482.30", "expected order value"),
            headline("Expected cost", "$1,904.11", "38% of the budget"),
        ],
        notes: vec![
            "Coupon values are not in the data: they are estimated from past redeemed lines."
                .into(),
            "Interactions are synthetic: drawn from each household's past purchases and chance."
                .into(),
        ],
        customers: segments(),
        promotions: promotions(),
        limits: limits(),
        certificate: Some(certificate()),
        slots: slots(),
        contest: Some(contest()),
        models: vec![response_model(), value_model()],
        routes: vec![
            count("transaction_model", 1_812),
            count("browsed_categories", 118),
            count("category_recency_and_model", 341),
        ],
        health: health(),
        examples: examples(),
        timings: [
            ("sources", 3.82),
            ("features", 6.41),
            ("models", 7.95),
            ("scoring", 2.14),
            ("allocation", 0.61),
            ("delivery", 0.18),
        ]
        .map(|(stage, seconds)| Timing { stage: stage.into(), seconds })
        .into(),
    }
}

fn segments() -> Vec<SegmentCount> {
    [
        ("transaction_only", "champions", 402, 44),
        ("transaction_only", "loyal", 518, 61),
        ("transaction_only", "at_risk", 366, 39),
        ("transaction_only", "hibernating", 283, 31),
        ("transaction_only", "new", 64, 4),
        ("both", "champions", 148, 18),
        ("both", "loyal", 104, 11),
        ("both", "at_risk", 41, 6),
        ("both", "new", 12, 1),
        ("browsing_only", "", 106, 12),
    ]
    .into_iter()
    .flat_map(|(behaviour, rfm, treated, control)| {
        [("treatment", treated), ("control", control)].map(|(arm, customers)| SegmentCount {
            behaviour: behaviour.into(),
            rfm: rfm.into(),
            arm: arm.into(),
            customers,
        })
    })
    .collect()
}

fn promotions() -> Vec<PromotionCount> {
    let names = [
        "Yogurt 25% off",
        "Ground beef $1 off",
        "Frozen pizza 2 for 1",
        "Cheese 20% off",
        "Soft drinks 15% off",
        "Bath tissue $1.50 off",
        "Cereal buy 2 get 1",
        "Coffee 20% off",
        "Pasta sauce $0.75 off",
        "Ice cream 30% off",
        "Baby food 15% off",
        "Salad mix $0.50 off",
        "Cat food 20% off",
        "Laundry detergent $2 off",
        "Chicken 10% off",
        "Orange juice 25% off",
        "Candy 3 for 2",
        "Crackers 20% off",
        "Soup 4 for 3",
        "Bread $0.40 off",
        "Eggs 10% off",
        "Salmon 15% off",
        "Tea 20% off",
        "Deli meats & cheeses, family size, with a long name, 12% off",
    ];
    (0_i64..)
        .zip(names)
        .map(|(rank, name)| {
            let offers = 720 / (rank + 2) + 340 - 13 * rank;
            PromotionCount {
                promotion_id: format!("100-{:05}", 51_380 + rank * 17),
                name: name.into(),
                offers,
                value_minor: offers * 190,
                expected_cost_minor: offers * 31,
            }
        })
        .collect()
}

fn limits() -> Vec<Limit> {
    let limit = |name: &str, unit, used, limit| Limit { name: name.into(), unit, used, limit };
    vec![
        limit("All promotions", Unit::Money, 190_411, 500_000),
        limit("Yogurt 25% off", Unit::Count, 700, 700),
        limit("Ground beef $1 off", Unit::Count, 567, 600),
        limit("Frozen pizza 2 for 1", Unit::Money, 15_210, 40_000),
        limit("Cheese 20% off", Unit::Count, 445, 1_500),
    ]
}

fn certificate() -> Certificate {
    let price = |name: &str, limits, price, weight| {
        let name = name.into();
        LimitPrice { name, limits, price, weight }
    };
    Certificate {
        unit: Unit::Money,
        value: 1_148_230.0,
        bound: 1_150_417.0,
        greedy: 1_121_904.0,
        gap: 0.0019,
        prices: vec![
            price("Yogurt 25% off", Unit::Count, 104.0, 72_800.0),
            price("Frozen pizza 2 for 1", Unit::Money, 1.25, 50_000.0),
        ],
    }
}

fn slots() -> Vec<SlotFill> {
    let slot = |slot, name: &str, filled, empty, empty_reasons| SlotFill {
        slot,
        name: name.into(),
        filled,
        empty,
        empty_reasons,
    };
    vec![
        slot(
            1,
            "bought_before",
            2_031,
            13,
            vec![count("frequency_cap", 9), count("already_redeemed", 4)],
        ),
        slot(2, "new_to_you", 2_044, 0, vec![]),
        slot(
            3,
            "threshold",
            1_946,
            98,
            vec![count("budget_spent", 71), count("no_eligible_promotion", 27)],
        ),
    ]
}

fn metric(name: &str, value: f64, unit: Unit, note: &str) -> Metric {
    Metric { name: name.into(), value, unit, note: note.into() }
}

fn response_model() -> ModelQuality {
    ModelQuality {
        name: "response".into(),
        version: "5c1e90ab".into(),
        labels:
            "Bought an eligible product of the promotion in the week; the response itself is not \
                 observable for promotions that were not mailed."
                .into(),
        labels_are_estimated: true,
        unit: Unit::Rate,
        metrics: vec![
            metric("AUC", 0.862, Unit::Number, "0.5 is chance, 1 is perfect"),
            metric("Log loss", 0.1437, Unit::Number, "lower is better"),
            metric("Base rate", 0.0412, Unit::Rate, "of pairs in held-out weeks"),
        ],
        calibration: [0.002, 0.005, 0.009, 0.014, 0.021, 0.030, 0.042, 0.061, 0.094, 0.182]
            .into_iter()
            .zip([0.003, 0.004, 0.010, 0.015, 0.019, 0.033, 0.040, 0.064, 0.091, 0.176])
            .zip(1..)
            .map(|((predicted, observed), decile)| CalibrationBin {
                decile,
                predicted,
                observed,
                rows: 9_412,
            })
            .collect(),
        importances: importances(),
    }
}

fn value_model() -> ModelQuality {
    ModelQuality {
        name: "order value".into(),
        version: "a90b33f1".into(),
        labels: "Spend on eligible products of the promotion in its week.".into(),
        labels_are_estimated: false,
        unit: Unit::Money,
        metrics: vec![
            metric("Mean absolute error", 212.0, Unit::Money, "per buyer and promotion"),
            metric("R²", 0.327, Unit::Number, "share of variance explained"),
        ],
        calibration: [40.0, 90.0, 130.0, 180.0, 230.0, 290.0, 370.0, 480.0, 660.0, 1_180.0]
            .into_iter()
            .zip([52.0, 84.0, 139.0, 171.0, 240.0, 301.0, 352.0, 497.0, 641.0, 1_102.0])
            .zip(1..)
            .map(|((predicted, observed), decile)| CalibrationBin {
                decile,
                predicted,
                observed,
                rows: 388,
            })
            .collect(),
        importances: importances(),
    }
}

fn importances() -> Vec<Importance> {
    [
        ("pair_orders_decayed", 0.312),
        ("pair_recency_days", 0.174),
        ("promotion_breadth", 0.121),
        ("category_propensity", 0.098),
        ("customer_frequency", 0.081),
        ("repurchase_due", 0.066),
        ("customer_monetary_minor", 0.049),
        ("promotion_depth_rate", 0.037),
        ("product_popularity", 0.031),
        ("brand_share", 0.019),
        ("household_size", 0.012),
    ]
    .map(|(feature, share)| Importance { feature: feature.into(), share })
    .into()
}

fn health() -> Vec<SourceHealth> {
    let check = |check: &str, status, rows, detail: &str, examples: &[&str]| HealthCheck {
        check: check.into(),
        status,
        rows,
        detail: detail.into(),
        examples: examples.iter().map(|&example| example.to_owned()).collect(),
    };
    let ok = |name: &str| check(name, CheckStatus::Ok, 0, "", &[]);
    vec![
        SourceHealth {
            table: "transactions".into(),
            location: "data/transactions.parquet".into(),
            rows: 1_012_873,
            quarantined: 412,
            new_columns: vec!["loyalty_tier".into()],
            checks: vec![
                ok("required columns and types"),
                ok("not after the as-of date"),
                check(
                    "quantity in range",
                    CheckStatus::Quarantine,
                    412,
                    "quantity must be above 0",
                    &[
                        "data/transactions.parquet row 8,812: quantity = 0",
                        "data/transactions.parquet row 9,034: quantity = 0",
                    ],
                ),
                check(
                    "product is known",
                    CheckStatus::Warn,
                    1_733,
                    "0.2% of lines name a product without master data",
                    &["data/transactions.parquet row 77: product_id = 5978648"],
                ),
            ],
        },
        SourceHealth {
            table: "products".into(),
            location: "data/products.parquet".into(),
            rows: 92_331,
            quarantined: 0,
            new_columns: vec![],
            checks: vec![ok("required columns and types"), ok("one row per product_id")],
        },
        SourceHealth {
            table: "interactions".into(),
            location: "data/interactions.csv.gz".into(),
            rows: 18_240,
            quarantined: 0,
            new_columns: vec![],
            checks: vec![ok("required columns and types"), ok("fresh within 14 days")],
        },
    ]
}

fn examples() -> Vec<ExampleCustomer> {
    let offer =
        |slot: &str, promotion: &str, code: &str, value_minor, reasons: &[&str]| ExampleOffer {
            slot: slot.into(),
            promotion: promotion.into(),
            code: code.into(),
            valid_from: Some(AS_OF),
            valid_to: Some(AS_OF.plus_days(6)),
            value_minor,
            reasons: reasons.iter().map(|&reason| reason.to_owned()).collect(),
        };
    let customer =
        |id: &str, behaviour: &str, rfm: &str, arm: &str, about: &str, offers| ExampleCustomer {
            customer_id: id.into(),
            behaviour: behaviour.into(),
            rfm: rfm.into(),
            arm: arm.into(),
            about: about.into(),
            offers,
        };
    vec![
        customer(
            "1274",
            "transaction_only",
            "champions",
            "treatment",
            "41 orders in 8 weeks, last one 2 days ago",
            vec![
                offer(
                    "bought_before",
                    "Ground beef $1 off",
                    "BEEF1",
                    412,
                    &[
                        "You buy ground beef about every 14 days, and it is due",
                        "You save about $1.00",
                    ],
                ),
                offer(
                    "new_to_you",
                    "Cheese 20% off",
                    "CHZ-88KQ-2",
                    268,
                    &["Something new for you: cheese", "Customers with baskets like yours buy it"],
                ),
                offer(
                    "threshold",
                    "$5 off a basket of $60",
                    "FIVE60",
                    530,
                    &["You often buy soft drinks"],
                ),
            ],
        ),
        customer(
            "v-2209",
            "browsing_only",
            "",
            "treatment",
            "No orders yet; looked at 9 products in 2 sessions",
            vec![
                offer(
                    "bought_before",
                    "Coffee 20% off",
                    "",
                    120,
                    &["You looked at coffee 3 times"],
                ),
                offer(
                    "new_to_you",
                    "Tea 20% off",
                    "",
                    88,
                    &["Popular with other customers right now"],
                ),
                ExampleOffer {
                    slot: "threshold".into(),
                    promotion: String::new(),
                    code: String::new(),
                    valid_from: None,
                    valid_to: None,
                    value_minor: 0,
                    reasons: vec!["budget_spent".into()],
                },
            ],
        ),
        customer(
            "88",
            "both",
            "loyal",
            "treatment",
            "12 orders in 8 weeks; browsed yesterday",
            vec![
                offer(
                    "bought_before",
                    "Yogurt 25% off",
                    "YOG25",
                    355,
                    &["You often buy yogurt", "You looked at yogurt twice"],
                ),
                offer(
                    "new_to_you",
                    "Pasta sauce $0.75 off",
                    "SAUCE75",
                    204,
                    &["Pasta sauce goes well with the pasta you buy"],
                ),
                offer(
                    "threshold",
                    "$5 off a basket of $60",
                    "FIVE60",
                    498,
                    &["You have bought frozen pizza 6 times"],
                ),
            ],
        ),
        customer("1901", "transaction_only", "loyal", "control", "", vec![]),
    ]
}

fn contest() -> Contest {
    let standing = |name: &str, value: f64, behind_first: Option<[f64; 3]>| Standing {
        name: name.to_owned(),
        value,
        low: value - 9.0,
        high: value + 9.5,
        behind_first,
    };
    let weeks = ["2026-10-12", "2026-10-19", "2026-10-26"];
    Contest {
        champion: "tercet".to_owned(),
        metric: "spend_captured_minor".to_owned(),
        scope: "narrow".to_owned(),
        weeks: weeks.iter().filter_map(|day| day.parse().ok()).collect(),
        engines: vec![
            standing("tercet", 123.0, None),
            standing("legacy", 117.0, Some([6.0, 1.0, 11.5])),
            standing("popular", 41.0, Some([82.0, 70.5, 93.0])),
        ],
        ablation: vec![
            standing("tercet without alike", 119.0, Some([4.0, -1.5, 9.0])),
            standing("tercet without rhythm", 122.5, Some([0.5, -3.0, 4.5])),
        ],
    }
}
