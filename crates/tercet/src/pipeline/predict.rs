//! What do the models say of every pair?

use tercet_features::{
    CROSS_FEATURES, CUSTOMER_FEATURES, CustomerAnswers, Offered, PAIR_FEATURES, PROMOTION_FEATURES,
    PairBlock, PairFeature, PairSide,
};
use tercet_models::gbdt::{Ensemble, FeatureSchema, Objective, Tree};
use tercet_scoring::quickscorer::{
    Kernel, Place, Promotions, Rows, Scorer, Side, SomeRows, TreeView,
};
use tercet_scoring::{Brought, Prediction, Rates};
use tercet_types::Result;

use super::answers::{
    Answers, CUSTOMER_ANSWERS, Levels, Line, PROMOTION_ANSWERS, RELATIVE, Uses, answer_schema,
    relative,
};
use super::by_facts::ByFacts;
use super::learn::{Models, schema};

/// The three ensembles as masks, with those of a week's promotions.
pub(super) struct Predictor<'a> {
    kernel: Kernel,
    spend: Compiled<'a>,
    response: Compiled<'a>,
    discovery: Compiled<'a>,
}

/// What offers bring, learnt from wider rows than those of pairs.
pub(super) struct Bringer {
    kernel: Kernel,
    by_facts: ByFacts,
    extra: Scorer,
    unoffered: Scorer,
    /// `promotions × WIDE_PROMOTION`.
    promotions: Vec<f32>,
    group_of: Vec<u32>,
    /// What the features of each group that are told relative to others are multiplied by.
    factors: Vec<[f32; RELATIVE.len()]>,
    line: Line,
    /// Purchases more than the line says, by promotion.
    beside: Vec<f64>,
    /// What is learnt beside that, and how much of it counts.
    left: Option<(Scorer, f64)>,
    uses: Uses,
    /// The rates over all customers, to read a customer's answers by.
    pub(super) means: [f64; CUSTOMER_ANSWERS],
}

pub(super) const WIDE_PROMOTION: usize = PROMOTION_FEATURES + PROMOTION_ANSWERS;
const WIDE_CUSTOMER: usize = CUSTOMER_FEATURES + CUSTOMER_ANSWERS;
pub(super) const WIDE_CROSS: usize = CROSS_FEATURES + RELATIVE.len();

impl Bringer {
    /// `sample` are customers who stand for all. Refused when an ensemble was trained on other features.
    pub(super) fn new(answers: &Answers, offered: &Offered, sample: &PairBlock) -> Result<Self> {
        let places = answer_places();
        let (mut levels, relative) = (vec![Levels::default(); offered.groups()], Levels::places());
        for customer in 0..sample.len() {
            for (group, levels) in (0_u32..).zip(&mut levels) {
                levels.add(sample.cross_row(customer, group), &relative);
            }
        }
        let schema = answer_schema();
        let compiled = |ensemble: &Ensemble| compile(ensemble, &schema, &places);
        let rows = offered.values.chunks_exact(PROMOTION_FEATURES).zip(&offered.promotion_ix);
        let promotions: Vec<f32> =
            rows.flat_map(|(row, ix)| row.iter().copied().chain(answers.promotion(*ix))).collect();
        let by_facts = (answers.extra.clone(), answers.factors.clone());
        Ok(Self {
            kernel: Kernel::best(),
            by_facts: ByFacts::new(by_facts, offered, &places, &promotions, WIDE_PROMOTION),
            extra: compiled(&answers.extra_trees)?,
            uses: answers.uses,
            unoffered: compiled(&answers.unoffered)?,
            promotions,
            group_of: offered.group_of.clone(),
            factors: Levels::factors(&levels),
            line: answers.line,
            beside: offered.promotion_ix.iter().map(|ix| answers.beside(*ix)).collect(),
            left: match &answers.beside.left {
                Some(ensemble) => Some((compiled(ensemble)?, answers.beside.left_share)),
                None => None,
            },
            means: answers.means,
        })
    }

    /// What is expected of all pairs of a block, customer after customer; `ids` are those of the shop's customers.
    pub(super) fn block(
        &self,
        block: &PairBlock,
        customers: &CustomerAnswers,
        ids: &[String],
    ) -> Result<Vec<Brought>> {
        let rows = block.customers.chunks_exact(CUSTOMER_FEATURES).zip(&block.customer_ix);
        let wide: Vec<f32> =
            rows.flat_map(|(row, ix)| row.iter().copied().chain(customers.of(*ix))).collect();
        let places = Levels::places();
        let mut cross = Vec::with_capacity(block.groups.len() * WIDE_CROSS);
        for (row, group) in block.cross.chunks_exact(CROSS_FEATURES).zip(&block.groups) {
            cross.extend_from_slice(row);
            cross.extend(relative(row, &places, &self.factors[*group as usize]));
        }
        // Who has no row has nothing that could be relative.
        let mut otherwise = block.otherwise.to_vec();
        otherwise.extend([0.0; RELATIVE.len()]);
        let margins = |scorer: &Scorer| -> Result<Vec<f64>> {
            let rows = Rows { values: &self.promotions, stride: WIDE_PROMOTION };
            let promotions = scorer.promotions(self.kernel, rows, &self.group_of)?;
            let customers = Rows { values: &wide, stride: WIDE_CUSTOMER };
            let cross = SomeRows {
                starts: &block.starts,
                groups: &block.groups,
                rows: Rows { values: &cross, stride: WIDE_CROSS },
                otherwise: &otherwise,
            };
            let sums = scorer.score(self.kernel, &promotions, block.len(), customers, cross)?;
            Ok(sums.into_iter().map(|sum| scorer.margin(sum)).collect())
        };
        let mut beside: Vec<f64> = self.beside.repeat(block.len());
        if let Some((scorer, share)) = &self.left {
            let left = margins(scorer)?;
            beside.iter_mut().zip(left).for_each(|(beside, left)| *beside += share * left);
        }
        let rate = |margin: f64| Objective::Logistic.link(margin);
        let trees: Vec<f64> = margins(&self.extra)?.into_iter().map(rate).collect();
        let extra = self.by_facts.block(block, &cross, &otherwise, ids, &trees);
        let unoffered = margins(&self.unoffered)?.into_iter().map(rate);
        let pairs = extra.into_iter().zip(unoffered).zip(beside);
        Ok(pairs
            .map(|((extra, unoffered), beside)| Brought {
                use_rate: self.uses.rate(extra, unoffered),
                extra: self.line.extra(extra, unoffered, beside),
            })
            .collect())
    }
}

/// The cross rows of a block.
fn cross_of(block: &PairBlock) -> SomeRows<'_> {
    SomeRows {
        starts: &block.starts,
        groups: &block.groups,
        rows: Rows { values: &block.cross, stride: CROSS_FEATURES },
        otherwise: &block.otherwise,
    }
}

/// Refused when the ensemble was trained on other features.
fn compile(ensemble: &Ensemble, schema: &FeatureSchema, places: &[Place]) -> Result<Scorer> {
    ensemble.schema().check_same(schema)?;
    let trees: Vec<TreeView<'_>> = ensemble.trees().iter().map(view).collect();
    Scorer::new(&trees, ensemble.base_margin(), places)
}

/// Where the features of answers stand.
pub(super) fn answer_places() -> Vec<Place> {
    let more = |side, first: usize, count: usize| {
        (first..first + count).map(move |column| Place { side, column })
    };
    pair_places()
        .chain(more(Side::Promotion, PROMOTION_FEATURES, PROMOTION_ANSWERS))
        .chain(more(Side::Customer, CUSTOMER_FEATURES, CUSTOMER_ANSWERS))
        .chain(more(Side::Cross, CROSS_FEATURES, RELATIVE.len()))
        .collect()
}

/// Where the features of a pair stand.
fn pair_places() -> impl Iterator<Item = Place> {
    (0..PAIR_FEATURES.len()).map(|place| {
        let (side, column) = PairFeature::side(place);
        let side = match side {
            PairSide::Customer => Side::Customer,
            PairSide::Promotion => Side::Promotion,
            PairSide::Cross => Side::Cross,
        };
        Place { side, column }
    })
}

/// One ensemble, compiled once.
struct Compiled<'a> {
    scorer: Scorer,
    objective: Objective,
    promotions: Promotions<'a>,
}

impl<'a> Predictor<'a> {
    /// Refused when an ensemble was trained on other features than pairs have.
    pub(super) fn new(models: &Models, offered: &'a Offered) -> Result<Self> {
        let (kernel, schema) = (Kernel::best(), schema());
        let compiled = |ensemble| Compiled::new(kernel, ensemble, &schema, offered);
        Ok(Self {
            kernel,
            spend: compiled(&models.spend)?,
            response: compiled(&models.response)?,
            discovery: compiled(&models.discovery)?,
        })
    }

    /// Predictions for all pairs of a block, customer after customer.
    pub(super) fn block(&self, block: &PairBlock) -> Result<Vec<Prediction>> {
        let (spend, rates) = (self.spend.predictions(self.kernel, block)?, self.rates(block)?);
        let pairs = spend.zip(rates);
        Ok(pairs.map(|(spend_minor, rates)| Prediction { spend_minor, rates }).collect())
    }

    /// The same, but for what is spent.
    pub(super) fn rates(&self, block: &PairBlock) -> Result<Vec<Rates>> {
        let responses = self.response.predictions(self.kernel, block)?;
        let discoveries = self.discovery.predictions(self.kernel, block)?;
        let pairs = responses.zip(discoveries);
        let rates = |(response_rate, discovery_rate)| Rates { response_rate, discovery_rate };
        Ok(pairs.map(rates).collect())
    }
}

impl<'a> Compiled<'a> {
    fn new(
        kernel: Kernel,
        ensemble: &Ensemble,
        schema: &FeatureSchema,
        offered: &'a Offered,
    ) -> Result<Self> {
        let places: Vec<Place> = pair_places().collect();
        let scorer = compile(ensemble, schema, &places)?;
        let rows = Rows { values: &offered.values, stride: PROMOTION_FEATURES };
        let promotions = scorer.promotions(kernel, rows, &offered.group_of)?;
        Ok(Self { scorer, objective: ensemble.objective(), promotions })
    }

    fn predictions(&self, kernel: Kernel, block: &PairBlock) -> Result<impl Iterator<Item = f64>> {
        let customers = Rows { values: &block.customers, stride: CUSTOMER_FEATURES };
        let (promotions, cross) = (&self.promotions, cross_of(block));
        let sums = self.scorer.score(kernel, promotions, block.len(), customers, cross)?;
        Ok(sums.into_iter().map(|sum| self.objective.link(self.scorer.margin(sum))))
    }
}

fn view(tree: &Tree) -> TreeView<'_> {
    TreeView {
        feature: &tree.feature,
        threshold: &tree.threshold,
        default_left: &tree.default_left,
        level_set: &tree.level_set,
        left: &tree.left,
        right: &tree.right,
        value: &tree.value,
        level_sets: &tree.level_sets,
    }
}

#[cfg(test)]
mod tests {
    use tercet_models::gbdt::Matrix;

    use super::*;

    /// A tree that splits `depth` times on column after column, and its rightmost leaf again.
    fn tree(seed: usize, depth: usize) -> Tree {
        let mut tree = Tree::default();
        for node in 0..=2 * depth {
            let inner = node.is_multiple_of(2) && node < 2 * depth;
            tree.feature.push(if inner { ((seed + node) % PAIR_FEATURES.len()) as u32 } else { 0 });
            tree.threshold.push(if inner { (seed % 5) as f32 } else { 0.0 });
            tree.default_left.push(inner && (seed + node).is_multiple_of(3));
            tree.level_set.push(-1);
            tree.left.push(if inner { node as u32 + 1 } else { 0 });
            tree.right.push(if inner { node as u32 + 2 } else { 0 });
            tree.value.push(if inner { 0.0 } else { 0.01 * (seed + node) as f32 - 0.2 });
            tree.cover.push(1.0);
            tree.gain.push(0.0);
        }
        tree
    }

    fn drawn(key: usize) -> f32 {
        let draw = key * 7 % 11;
        if draw == 3 { f32::NAN } else { draw as f32 * 0.5 }
    }

    #[test]
    fn masks_and_walk_agree() {
        let schema = schema();
        let ensemble = |objective, base| {
            let trees = (0..40).map(|seed| tree(seed, 1 + seed)).collect();
            Ensemble::new(schema.clone(), objective, base, trees).unwrap()
        };
        let models = Models {
            spend: ensemble(Objective::SquaredError, 3.0),
            response: ensemble(Objective::Logistic, -1.0),
            discovery: ensemble(Objective::Logistic, -2.0),
            answers: None,
        };
        // 19 promotions of 7 groups; a customer has rows of some groups, another of none.
        let offered = Offered {
            promotion_ix: (0..19).collect(),
            group_of: (0..19).map(|promotion| promotion % 7).collect(),
            group_products: vec![Vec::new(); 7],
            values: (0..19 * PROMOTION_FEATURES).map(drawn).collect(),
        };
        let mut block = PairBlock {
            customer_ix: (0..37).collect(),
            customers: (0..37 * CUSTOMER_FEATURES).map(|key| drawn(key + 5)).collect(),
            starts: vec![0],
            groups: Vec::new(),
            cross: Vec::new(),
            otherwise: std::array::from_fn(|column| drawn(column + 2)),
        };
        for customer in 0..37_u32 {
            block.groups.extend((0..7).filter(|group| (customer * group) % 3 == 1));
            block.starts.push(block.groups.len());
        }
        block.cross = (0..block.groups.len() * CROSS_FEATURES).map(|key| drawn(key + 9)).collect();
        let rows: Vec<f32> = (0..37)
            .flat_map(|customer| {
                (0..19)
                    .flat_map(|promotion| block.row(customer, &offered, promotion))
                    .collect::<Vec<f32>>()
            })
            .collect();
        let matrix = Matrix::new(37 * 19, PAIR_FEATURES.len(), rows).unwrap();
        let predictor = Predictor::new(&models, &offered).unwrap();
        let found = predictor.block(&block).unwrap();
        let check = |ensemble: &Ensemble, of: fn(&Prediction) -> f64| {
            let walked = ensemble.predict(&matrix).unwrap();
            assert_eq!(found.len(), walked.len());
            for (found, walked) in found.iter().map(of).zip(walked) {
                assert!((found - walked).abs() <= 1e-6 * walked.abs().max(1.0), "{found} {walked}");
            }
        };
        check(&models.spend, |prediction| prediction.spend_minor);
        check(&models.response, |prediction| prediction.rates.response_rate);
        check(&models.discovery, |prediction| prediction.rates.discovery_rate);
        let other = FeatureSchema::numeric(["other"]);
        let stump = Ensemble::new(other, Objective::Logistic, 0.0, Vec::new()).unwrap();
        assert!(Predictor::new(&Models { spend: stump, ..models }, &offered).is_err());
    }
}
