//! Which offers leave the house?
//!
//! The last gate: what is decided here for nobody, or twice, is never published.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tercet_types::{Currency, Date, Error, Result};

use crate::codes::{CodePools, Codes};
use crate::reasons;

/// The arm whose customers get offers.
pub const TREATMENT: &str = "treatment";
/// The arm whose customers get none.
pub const CONTROL: &str = "control";

/// What delivery reads of one row of [`tercet_types::tables::decisions::DECISIONS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The customer.
    pub customer_id: String,
    /// The slot, from 1.
    pub slot: i32,
    /// Keyed hash of run, customer and slot.
    pub decision_id: String,
    /// `treatment` or `control`.
    pub arm: String,
    /// The promotion; `None` when the slot stayed empty.
    pub promotion_id: Option<String>,
    /// The value it was chosen for, minor units.
    pub value_minor: i64,
    /// The engine that decided.
    pub engine: String,
    /// Fingerprint of the model.
    pub model_version: String,
    /// The run.
    pub run_id: String,
    /// Why, as codes separated by `|`, strongest first.
    pub reason_codes: Option<String>,
}

/// What delivery needs to know of a promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The name a customer reads.
    pub name: Option<String>,
    /// The code every customer uses.
    pub code: Option<String>,
    /// The pool that one code per customer is drawn from; goes before `code`.
    pub code_pool: Option<String>,
    /// The first day it can be redeemed.
    pub valid_from: Date,
    /// The last day it can be redeemed.
    pub valid_to: Date,
}

/// One row of [`tercet_types::tables::decisions::OFFERS`], column for column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The customer.
    pub customer_id: String,
    /// The slot, from 1.
    pub slot: i32,
    /// The promotion.
    pub promotion_id: String,
    /// The decision it comes from.
    pub decision_id: String,
    /// The code to redeem with.
    pub code: Option<String>,
    /// The first day it can be redeemed.
    pub valid_from: Date,
    /// The last day it can be redeemed.
    pub valid_to: Date,
    /// Why, in words.
    pub reasons: String,
    /// The engine that decided.
    pub engine: String,
    /// `treatment`.
    pub arm: String,
    /// Fingerprint of the model.
    pub model_version: String,
    /// The value it was chosen for, minor units.
    pub value_minor: i64,
    /// The run.
    pub run_id: String,
}

/// The offers of some customers: their filled slots with codes, windows and reasons, by customer and slot.
///
/// The order of `decisions` does not matter: codes are handed out by customer and slot, from the front of the pools.
///
/// # Errors
/// - `T0801` when a customer outside treatment has an offer, a slot of a customer repeats, a slot is
///   below 1 or the decisions come from more than one run: allocation has a bug, or its table was edited.
/// - `T0802` when a decided promotion is not in `promotions`.
/// - `T0803` when a pool has too few codes, `T0805` when there is none of its name.
pub fn publish(
    decisions: &[Decision],
    promotions: &BTreeMap<String, Promotion>,
    pools: &mut CodePools,
    currency: Currency,
) -> Result<Vec<Offer>> {
    let mut ordered: Vec<&Decision> = decisions.iter().collect();
    ordered.sort_by(|a, b| (&a.customer_id, a.slot).cmp(&(&b.customer_id, b.slot)));
    assert_publishable(&ordered)?;

    let mut codes = Codes::new(pools);
    let mut offers = Vec::with_capacity(ordered.len());
    for decision in ordered {
        let Some(promotion_id) = &decision.promotion_id else { continue };
        let promotion = promotions.get(promotion_id).ok_or_else(|| {
            Error::data("T0802", format!("decisions: promotion '{promotion_id}' is not known"))
                .hint("re-run the sources stage: the promotion table changed since the decision")
        })?;
        offers.push(Offer {
            customer_id: decision.customer_id.clone(),
            slot: decision.slot,
            promotion_id: promotion_id.clone(),
            decision_id: decision.decision_id.clone(),
            code: codes.next(promotion_id, promotion)?,
            valid_from: promotion.valid_from,
            valid_to: promotion.valid_to,
            reasons: reasons::in_words(decision.reason_codes.as_deref(), currency),
            engine: decision.engine.clone(),
            arm: decision.arm.clone(),
            model_version: decision.model_version.clone(),
            value_minor: decision.value_minor,
            run_id: decision.run_id.clone(),
        });
    }
    codes.finish()?;
    Ok(offers)
}

/// The reader's half of the pair of assertions; allocation asserts the same where it writes.
fn assert_publishable(ordered: &[&Decision]) -> Result<()> {
    // Error messages reach logs, so they name decisions, never customers.
    let refuse = |decision: &Decision, what: String| {
        Err(Error::internal("T0801", format!("decision '{}': {what}", decision.decision_id))
            .hint("nothing was published; re-run the allocation stage and report this message"))
    };
    for decision in ordered {
        if decision.arm != TREATMENT && decision.promotion_id.is_some() {
            return refuse(decision, format!("a customer in '{}' has an offer", decision.arm));
        }
        if decision.arm != TREATMENT && decision.arm != CONTROL {
            return refuse(decision, format!("'{}' is not an arm", decision.arm));
        }
        if decision.slot < 1 {
            return refuse(decision, format!("slot {} is below 1", decision.slot));
        }
    }
    for pair in ordered.windows(2) {
        let [first, second] = pair else { continue };
        let same_customer = first.customer_id == second.customer_id;
        if same_customer && first.slot == second.slot {
            return refuse(second, format!("slot {} of its customer repeats", second.slot));
        }
        if same_customer && first.arm != second.arm {
            return refuse(second, "its customer is in two arms".to_owned());
        }
        if first.run_id != second.run_id {
            return refuse(second, format!("run '{}' among '{}'", second.run_id, first.run_id));
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tercet_types::tables::decisions::OFFERS;

    pub(crate) fn decision(customer: &str, slot: i32, promotion: Option<&str>) -> Decision {
        Decision {
            customer_id: customer.into(),
            slot,
            decision_id: format!("d-{customer}-{slot}"),
            arm: TREATMENT.into(),
            promotion_id: promotion.map(Into::into),
            value_minor: 250,
            engine: "tercet".into(),
            model_version: "m1".into(),
            run_id: "r1".into(),
            reason_codes: Some("due:GROUND BEEF:14".into()),
        }
    }

    fn promotion(code: Option<&str>, pool: Option<&str>) -> Promotion {
        Promotion {
            name: None,
            code: code.map(Into::into),
            code_pool: pool.map(Into::into),
            valid_from: "2017-09-04".parse().unwrap(),
            valid_to: "2017-09-10".parse().unwrap(),
        }
    }

    fn run(decisions: &[Decision]) -> Result<Vec<Offer>> {
        let promotions = BTreeMap::from([
            ("A".to_owned(), promotion(Some("SAVE5"), None)),
            ("B".to_owned(), promotion(None, Some("gold"))),
            ("C".to_owned(), promotion(None, None)),
        ]);
        let gold = ["G1", "G2"].map(str::to_owned).to_vec();
        let mut pools = CodePools::new(BTreeMap::from([("gold".to_owned(), gold)]))?;
        publish(decisions, &promotions, &mut pools, Currency::new("USD")?)
    }

    #[test]
    fn offers_carry_codes_windows_and_reasons_in_key_order() {
        let offers = run(&[
            decision("k2", 1, Some("B")),
            decision("k1", 2, Some("B")),
            decision("k1", 1, Some("A")),
            decision("k1", 3, None),
            decision("k3", 1, Some("C")),
        ])
        .unwrap();
        let rows: Vec<_> =
            offers.iter().map(|o| (o.customer_id.as_str(), o.slot, o.code.as_deref())).collect();
        assert_eq!(
            rows,
            [
                ("k1", 1, Some("SAVE5")),
                ("k1", 2, Some("G1")),
                ("k2", 1, Some("G2")),
                ("k3", 1, None)
            ]
        );
        assert_eq!(offers[0].reasons, "You buy ground beef about every 14 days, and it is due.");
    }

    #[test]
    fn an_offer_has_the_columns_of_the_table() {
        let offers = run(&[decision("k1", 1, Some("A"))]).unwrap();
        let row = serde_json::to_value(&offers[0]).unwrap();
        let names: Vec<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, OFFERS.columns.iter().map(|c| c.name).collect::<Vec<_>>());
    }

    #[test]
    fn what_must_not_leave_is_refused() {
        let check = |edit: fn(&mut Vec<Decision>), code: &str, words: &str| {
            let mut rows = vec![decision("k1", 1, Some("A")), decision("k2", 1, Some("A"))];
            edit(&mut rows);
            let error = run(&rows).unwrap_err();
            assert_eq!(error.code(), code, "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.hint_text().is_some());
        };
        check(|rows| rows[0].arm = CONTROL.into(), "T0801", "'control' has an offer");
        check(|rows| rows[0].arm = "holdout".into(), "T0801", "'holdout' has an offer");
        check(|rows| rows.push(decision("k1", 1, None)), "T0801", "slot 1 of its customer repeats");
        check(|rows| rows[0].slot = 0, "T0801", "below 1");
        check(|rows| rows[1].run_id = "r0".into(), "T0801", "run 'r0'");
        check(
            |rows| {
                rows.push(Decision { arm: CONTROL.into(), ..decision("k1", 2, None) });
            },
            "T0801",
            "two arms",
        );
        check(|rows| rows[0].promotion_id = Some("Z".into()), "T0802", "'Z' is not known");
    }

    #[test]
    fn control_without_offers_and_nobody_at_all_are_fine() {
        let control = Decision { arm: CONTROL.into(), ..decision("k1", 1, None) };
        assert!(run(&[control]).unwrap().is_empty());
        assert!(run(&[]).unwrap().is_empty());
    }
}
