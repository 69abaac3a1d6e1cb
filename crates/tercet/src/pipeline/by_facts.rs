//! What do the facts of every pair, and the answers to its promotion and its customer's types, say an offer brings?

use tercet_features::{Offered, PairBlock};
use tercet_models::LogLinear;
use tercet_scoring::quickscorer::{Place, Side};

use super::answers::{Answers, FACTS, Fact, Factors, pooled};

/// The log-linear model of what offers bring, with the facts of a week's promotions added up.
pub(super) struct ByFacts {
    model: LogLinear,
    factors: Factors,
    promotion_ix: Vec<i32>,
    group_of: Vec<u32>,
    groups: usize,
    /// What each promotion's own facts come to, with the intercept.
    of_promotion: Vec<f64>,
    /// The facts of a customer and a group: their place among the facts, and their features' column.
    of_cross: Vec<(usize, usize)>,
}

impl ByFacts {
    /// `places` says where the features of answers stand, `promotions` has rows of `stride` of the week's promotions.
    pub(super) fn new(
        answers: &Answers,
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
        let of_promotion = of_side(Side::Promotion);
        let sum =
            |row: &[f32]| answers.extra.intercept() + sum_of(&answers.extra, &of_promotion, row);
        Self {
            model: answers.extra.clone(),
            factors: answers.factors.clone(),
            promotion_ix: offered.promotion_ix.clone(),
            group_of: offered.group_of.clone(),
            groups: offered.groups(),
            of_promotion: promotions.chunks_exact(stride).map(sum).collect(),
            of_cross: of_side(Side::Cross),
        }
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
        let none = sum_of(&self.model, &self.of_cross, otherwise);
        let mut of_group = vec![none; self.groups];
        let mut found = Vec::with_capacity(trees.len());
        let customers = block.customer_ix.iter().zip(trees.chunks_exact(self.promotion_ix.len()));
        for (at, (customer, trees)) in customers.enumerate() {
            let rows = block.starts[at]..block.starts[at + 1];
            for row in rows.clone() {
                let values = &cross[row * otherwise.len()..(row + 1) * otherwise.len()];
                of_group[block.groups[row] as usize] = sum_of(&self.model, &self.of_cross, values);
            }
            let factor = self.factors.of_customer(&ids[*customer as usize]);
            let pairs = self.promotion_ix.iter().zip(&self.group_of).zip(&self.of_promotion);
            found.extend(pairs.zip(trees).map(|(((promotion, group), of_promotion), trees)| {
                let log_rate = of_promotion + of_group[*group as usize];
                pooled(log_rate, *trees, factor(*promotion))
            }));
            rows.for_each(|row| of_group[block.groups[row] as usize] = none);
        }
        found
    }
}

fn sum_of(model: &LogLinear, facts: &[(usize, usize)], row: &[f32]) -> f64 {
    facts.iter().map(|(fact, column)| model.part(*fact, FACTS[*fact].of(row[*column]))).sum()
}
