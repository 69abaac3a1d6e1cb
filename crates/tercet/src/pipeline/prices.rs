//! What did limits cost in the week before, to start from?

use std::collections::BTreeMap;

use tercet_allocation::{Limit, RuleId, ShadowPrice};
use tercet_types::Result;

use super::manifest::{Stage, parse, stage_path};
use super::plan_facts::{LimitPriceFacts, PlanFacts};
use super::runner::StageContext;

/// The prices of limits in the newest of the earlier runs that this one looks at, of its engine and of the baseline of
/// its engine test; nothing without one.
pub(super) fn earlier_prices(context: &StageContext<'_>) -> Result<[Vec<LimitPriceFacts>; 2]> {
    let Some(before) = context.identity.history.last() else { return Ok(Default::default()) };
    let path = stage_path(before, Stage::Allocation, "plan.json");
    let Some(bytes) = context.store.get_if_there(&path)? else { return Ok(Default::default()) };
    let plan: PlanFacts = parse(&bytes, &path)?;
    let prices = |plan: PlanFacts| plan.certificate.map_or_else(Vec::new, |facts| facts.prices);
    let baseline = plan.baseline.clone().map_or_else(Vec::new, |plan| prices(*plan));
    Ok([prices(plan), baseline])
}

/// Earlier prices as prices of the limits of a problem; those of limits that are gone are passed over.
///
/// `promotions` has the places of promotions by id; names of budgets and floors stand in the problem's order.
pub(super) fn start_from(
    earlier: &[LimitPriceFacts],
    promotions: &BTreeMap<&str, u32>,
    budgets: &[String],
    floors: &[String],
) -> Vec<ShadowPrice> {
    let named = |names: &[String], name: &str| -> Option<u32> {
        names.iter().position(|known| known == name).and_then(|at| u32::try_from(at).ok())
    };
    let limit = |facts: &LimitPriceFacts| -> Option<Limit> {
        let name = facts.promotion.as_deref();
        let promotion = || name.and_then(|id| promotions.get(id).copied());
        match RuleId::from_name(&facts.limit)? {
            RuleId::Cap => promotion().map(Limit::Cap),
            RuleId::PromotionBudget => promotion().map(Limit::PromotionBudget),
            RuleId::TotalBudget => Some(Limit::TotalBudget),
            RuleId::NamedBudget => named(budgets, name?).map(Limit::Budget),
            RuleId::Floor => named(floors, name?).map(Limit::Floor),
            _ => None,
        }
    };
    let price = |facts: &LimitPriceFacts| {
        let price_minor = facts.price_minor;
        Some(ShadowPrice { limit: limit(facts)?, price_minor, weight_minor: facts.weight_minor })
    };
    earlier.iter().filter_map(price).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_find_their_limits_by_name() {
        let check = |limit: &str, name: Option<&str>, expect: Option<Limit>| {
            let facts = LimitPriceFacts {
                limit: limit.to_owned(),
                promotion: name.map(str::to_owned),
                price_minor: 2.5,
                weight_minor: 10.0,
            };
            let names = |list: [&str; 2]| list.map(str::to_owned);
            let promotions = BTreeMap::from([("TEA", 4), ("COFFEE", 0)]);
            let found = start_from(
                &[facts],
                &promotions,
                &names(["spring", "brand"]),
                &names(["new", "new: TEA"]),
            );
            let price =
                ShadowPrice { limit: Limit::TotalBudget, price_minor: 2.5, weight_minor: 10.0 };
            let expect: Vec<ShadowPrice> =
                expect.into_iter().map(|limit| ShadowPrice { limit, ..price }).collect();
            assert_eq!(found, expect, "{limit} {name:?}");
        };
        check("cap", Some("TEA"), Some(Limit::Cap(4)));
        check("cap", Some("gone"), None);
        check("promotion_budget", Some("COFFEE"), Some(Limit::PromotionBudget(0)));
        check("total_budget", None, Some(Limit::TotalBudget));
        check("budget", Some("brand"), Some(Limit::Budget(1)));
        check("floor", Some("new: TEA"), Some(Limit::Floor(1)));
        check("floor", Some("old"), None);
        check("nothing", None, None);
    }
}
