//! What do the facts of every pair, and the answers to its promotion and its customer's types, say an offer brings?

use tercet_features::{Offered, PairBlock};
use tercet_models::LogLinear;
use tercet_scoring::quickscorer::{Place, Side};

use super::answers::{FACTS, Fact, Factors, factor_of, pooled};

/// The log-linear model of what offers bring, with the facts of a week's promotions taken together.
pub(super) struct ByFacts {
    model: LogLinear,
    factors: Factors,
    promotions: Vec<OfPromotion>,
    groups: usize,
    /// The facts of a customer and a group: their place among the facts, and their features' column.
    of_cross: Vec<(usize, usize)>,
}

/// What a promotion is without knowing the customer.
struct OfPromotion {
    group: u32,
    /// What its own facts say that an offer brings.
    rate: f64,
    factor: f64,
    of_type: Option<i32>,
}

impl ByFacts {
    /// `places` says where the features of answers stand, `promotions` has rows of `stride` of the week's promotions.
    pub(super) fn new(
        (model, factors): (LogLinear, Factors),
        offered: &Offered,
        places: &[Place],
        promotions: &[f32],
        stride: usize,
    ) -> Self {
        let of_side = |side: Side| {
            let facts = Fact::places().into_iter().enumerate();
            facts
                .filter(move |(_, feature)| places[*feature].side == side)
                .map(|(fact, feature)| (fact, places[feature].column))
                .collect::<Vec<_>>()
        };
        let own = of_side(Side::Promotion);
        let rows = promotions.chunks_exact(stride).zip(&offered.promotion_ix);
        let promotions = rows
            .zip(&offered.group_of)
            .map(|((row, ix), group)| OfPromotion {
                group: *group,
                rate: model.intercept().exp() * rate_of(&model, &own, row),
                factor: factors.of_promotion(*ix),
                of_type: factors.type_of(*ix),
            })
            .collect();
        let (groups, of_cross) = (offered.groups(), of_side(Side::Cross));
        Self { model, factors, promotions, groups, of_cross }
    }

    /// The purchases that the offers of a block are expected to bring, customer after customer: `trees` is what those
    /// say of each. `cross` has rows of `otherwise.len()` for each of the block's; `ids` are those of the shop's
    /// customers.
    pub(super) fn block(
        &self,
        block: &PairBlock,
        cross: &[f32],
        otherwise: &[f32],
        ids: &[String],
        trees: &[f64],
    ) -> Vec<f64> {
        let none = rate_of(&self.model, &self.of_cross, otherwise);
        let mut of_group = vec![none; self.groups];
        let mut found = Vec::with_capacity(trees.len());
        let customers =
            block.customer_ix.iter().zip(trees.chunks_exact(self.promotions.len().max(1)));
        for (at, (customer, trees)) in customers.enumerate() {
            let rows = block.starts[at]..block.starts[at + 1];
            for row in rows.clone() {
                let values = &cross[row * otherwise.len()..(row + 1) * otherwise.len()];
                of_group[block.groups[row] as usize] = rate_of(&self.model, &self.of_cross, values);
            }
            let tastes = self.factors.tastes(&ids[*customer as usize]);
            found.extend(self.promotions.iter().zip(trees).map(|(promotion, trees)| {
                let taste = promotion.of_type.map_or(1.0, |of_type| factor_of(tastes, of_type));
                let rate = promotion.rate * of_group[promotion.group as usize];
                pooled(rate, *trees, promotion.factor * taste)
            }));
            rows.for_each(|row| of_group[block.groups[row] as usize] = none);
        }
        found
    }
}

/// By what some facts of a row multiply.
fn rate_of(model: &LogLinear, facts: &[(usize, usize)], row: &[f32]) -> f64 {
    let part = |(fact, column): &(usize, usize)| model.part(*fact, FACTS[*fact].of(row[*column]));
    facts.iter().map(part).sum::<f64>().exp()
}

#[cfg(test)]
mod tests {
    use tercet_features::{CROSS_FEATURES, CUSTOMER_FEATURES, PROMOTION_FEATURES};

    use super::super::predict::{WIDE_CROSS, WIDE_PROMOTION, answer_places};
    use super::*;

    fn drawn(key: usize) -> f32 {
        let draw = key * 7 % 13;
        if draw == 5 { f32::NAN } else { draw as f32 * 0.25 }
    }

    #[test]
    fn a_block_is_what_its_rows_are() {
        let facts: Vec<f64> =
            (0..60 * FACTS.len()).map(|key| f64::from(drawn(key * key))).collect();
        let counts: Vec<f64> = (0..60).map(|key| f64::from(drawn(key)).max(0.0) * 0.1).collect();
        let model = LogLinear::fit(&facts, FACTS.len(), &counts, 1.0).unwrap();
        let text = r#"{"promotions": [[0, 2.0], [3, 0.5]], "types": {"0": 7, "1": 8, "3": 7},
            "tastes": {"c1": [[7, 3.0]], "c3": [[6, 9.0], [8, 0.1]]}}"#;
        let factors: Factors = serde_json::from_str(text).unwrap();
        let factor = |customer: usize, promotion: usize| match (customer, promotion) {
            (1, 0) => 6.0,
            (1, 3) => 1.5,
            (_, 0) => 2.0,
            (_, 3) => 0.5,
            (3, 1) => 0.1,
            _ => 1.0,
        };
        let offered = Offered {
            promotion_ix: (0..5).collect(),
            group_of: vec![0, 1, 2, 1, 0],
            group_products: vec![Vec::new(); 3],
            values: vec![0.0; 5 * PROMOTION_FEATURES],
        };
        let promotions: Vec<f32> = (0..5 * WIDE_PROMOTION).map(|key| drawn(key + 3)).collect();
        let block = PairBlock {
            customer_ix: vec![1, 2, 3],
            customers: vec![0.0; 3 * CUSTOMER_FEATURES],
            starts: vec![0, 2, 2, 3],
            groups: vec![0, 2, 1],
            cross: vec![0.0; 3 * CROSS_FEATURES],
            otherwise: [0.0; CROSS_FEATURES],
        };
        let cross: Vec<f32> = (0..3 * WIDE_CROSS).map(|key| drawn(key + 11)).collect();
        let otherwise: Vec<f32> = (0..WIDE_CROSS).map(|key| drawn(key + 1)).collect();
        let ids: Vec<String> = (0..4).map(|ix| format!("c{ix}")).collect();
        let trees: Vec<f64> = (1..=15).map(|key| f64::from(key) * 0.01).collect();
        let places = answer_places();
        let by_facts =
            ByFacts::new((model.clone(), factors), &offered, &places, &promotions, WIDE_PROMOTION);
        let found = by_facts.block(&block, &cross, &otherwise, &ids, &trees);
        assert_eq!(found.len(), 15);
        for (at, found) in found.iter().enumerate() {
            let (customer, promotion) = (at / 5, at % 5);
            let mut rows = block.starts[customer]..block.starts[customer + 1];
            let row = rows.find(|row| block.groups[*row] == offered.group_of[promotion]);
            let of_cross = row.map_or(&otherwise[..], |row| &cross[row * WIDE_CROSS..]);
            let facts: Vec<f64> = FACTS
                .iter()
                .zip(Fact::places())
                .map(|(fact, feature)| match places[feature].side {
                    Side::Cross => fact.of(of_cross[places[feature].column]),
                    Side::Promotion => {
                        fact.of(promotions[promotion * WIDE_PROMOTION + places[feature].column])
                    }
                    Side::Customer => panic!("a fact of customers alone puts no offer first"),
                })
                .collect();
            let expect =
                pooled(model.log_rate(&facts).exp(), trees[at], factor(customer + 1, promotion));
            assert!((found - expect).abs() < 1e-12, "{at}: {found} {expect}");
        }
        let none = Offered { promotion_ix: vec![], group_of: vec![], values: vec![], ..offered };
        let by_facts =
            ByFacts::new((model, Factors::default()), &none, &places, &[], WIDE_PROMOTION);
        assert!(by_facts.block(&block, &cross, &otherwise, &ids, &[]).is_empty());
    }
}
