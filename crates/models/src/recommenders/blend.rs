//! Which of the products that other estimators find is bought next?

mod features;
mod lesson;
mod members;
mod panel;
mod rows;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

use self::features::{COUNTS, GROUPS, ProductFacts};
pub use self::lesson::HeldBack;
use self::lesson::{Lesson, Pupil};
pub use self::members::Members;
use self::panel::{Panel, SAID};
use self::rows::{Rows, drawn};
use crate::gbdt::{self, Ensemble, FeatureSchema, Matrix, Objective, Params};
use crate::likeness::evenly;
use crate::pool::Pool;
use crate::recommender::Filter;
use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Purchases, Query, Ranked, Recommender, Row, Training, Wanted, top};

const NAME: &str = "blend";
/// What a rank counts that no member gave, in reciprocal rank fusion.
const FUSION: f64 = 60.0;
/// One pupil in so many says when the trees are enough.
const VALIDATION: u32 = 10;

/// A learnt ranking of what its members find: the best products of each are candidates, what the members say of them
/// and simple counts are features, and a tree ensemble learns which candidates were bought.
///
/// What it learns from are lessons: the history without what each customer bought last, which is the label. Members
/// are fitted anew on what is left, so that no score knows any label, its own customer's or another's; they are fitted
/// on everything for what is asked in the end. Stacking: Wolpert, "Stacked generalization", Neural Networks 5(2), 1992,
/// doi:10.1016/S0893-6080(05)80023-1, its folds cut in time; candidates, then ranking: Covington, Adams, Sargin, "Deep
/// neural networks for YouTube recommendations", RecSys 2016, doi:10.1145/2959100.2959190.
///
/// Where no lesson has anything to teach, ranks are fused: `Σ 1 / (60 + rank)`, Cormack, Clarke, Büttcher, SIGIR 2009,
/// doi:10.1145/1571941.1572114. A score is the chance that the product is bought next, or that sum.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Blend {
    /// What finds candidates and says something of them.
    pub members: Members,
    /// What a lesson holds back.
    pub held_back: HeldBack,
    /// The lessons, each one step before the other, `1..=20`.
    pub lessons: usize,
    /// The best products of each member that are candidates, `>= 1`.
    pub candidates: usize,
    /// The most customers of a lesson that are learnt from, evenly spaced.
    pub pupils_max: usize,
    /// The share of the candidates not bought that are learnt from, in `(0, 1]`; each then weighs as many.
    pub negatives: f64,
    /// The most trees.
    pub rounds: usize,
    /// The leaves of a tree, `>= 2`.
    pub leaves: usize,
    /// The share of each tree's step that is kept, in `(0, 1]`.
    pub learning_rate: f64,
    /// The fewest rows of a leaf.
    pub min_rows_per_leaf: usize,
    /// Feature groups that are left out: names of members, who then find no candidates either, `customer`, `product`
    /// or `pair`.
    pub left_out: Vec<String>,
    /// The seed of all draws.
    pub seed: u64,
}

impl Default for Blend {
    fn default() -> Self {
        Self {
            members: Members::default(),
            held_back: HeldBack::LastOrder,
            lessons: 2,
            candidates: 50,
            pupils_max: 50_000,
            negatives: 0.25,
            rounds: 300,
            leaves: 31,
            learning_rate: 0.05,
            min_rows_per_leaf: 50,
            left_out: Vec::new(),
            seed: 7,
        }
    }
}

impl Blend {
    /// The feature groups that an ablation can leave out: the members by name, then the counts.
    pub fn feature_groups(&self) -> Vec<&'static str> {
        let members = self.members.iter().map(|member| member.name());
        members.chain(GROUPS.iter().map(|(name, _)| *name)).collect()
    }

    /// The members that are not left out.
    fn heard(&self) -> impl Iterator<Item = &dyn Recommender> {
        self.members.iter().filter(|member| !self.leaves_out(member.name()))
    }

    fn leaves_out(&self, group: &str) -> bool {
        self.left_out.iter().any(|name| name == group)
    }

    fn check(&self) -> Result<()> {
        for (name, value, least, most) in [
            ("lessons", self.lessons, 1.0, 20.0),
            ("candidates", self.candidates, 1.0, f64::MAX),
            ("pupils_max", self.pupils_max, 1.0, f64::MAX),
            ("leaves", self.leaves, 2.0, f64::MAX),
        ] {
            check_setting(NAME, name, value as f64, least..=most)?;
        }
        check_setting(NAME, "negatives", self.negatives, f64::MIN_POSITIVE..=1.0)?;
        let groups = self.feature_groups();
        if let Some(name) = self.left_out.iter().find(|name| !groups.contains(&name.as_str())) {
            return Err(Error::config(
                "T0405",
                format!("{NAME}: there is no feature group '{name}'"),
            )
            .hint(format!("there are {}", groups.join(", "))));
        }
        Ok(())
    }

    /// The features that are learnt from, and for each count whether it is.
    fn schema(&self) -> (FeatureSchema, [bool; COUNTS]) {
        let said = |name: &str| SAID.map(|what| format!("{name}.{what}"));
        let mut names: Vec<String> = self.heard().flat_map(|member| said(member.name())).collect();
        let mut used = [true; COUNTS];
        let counts =
            GROUPS.iter().flat_map(|(group, names)| names.iter().map(move |name| (group, name)));
        for (used, (group, name)) in used.iter_mut().zip(counts) {
            *used = !self.leaves_out(group);
            if *used {
                names.push(format!("{group}.{name}"));
            }
        }
        (FeatureSchema::numeric(names), used)
    }

    fn panel<'b>(&'b self, training: &Training<'b>, counts: [bool; COUNTS]) -> Result<Panel<'b>> {
        let members = self.heard().map(|member| member.fit(training)).collect::<Result<_>>()?;
        let facts = ProductFacts::new(training.history, training.as_of);
        let products = training.history.products();
        Ok(Panel {
            members,
            facts,
            counts,
            candidates: self.candidates,
            products,
            rows: Pool::new(),
        })
    }

    /// Learns to rank from lessons; nothing where they hold no candidate that was bought, or none that was not.
    fn learn(&self, training: &Training<'_>) -> Result<Option<Ensemble>> {
        let (schema, counts) = self.schema();
        let mut sets = [Rows::default(), Rows::default()];
        for back in 0..self.lessons {
            let lesson = Lesson::new(training, self.held_back, back)?;
            let training = Training { history: &lesson.history, as_of: lesson.as_of, ..*training };
            let panel = self.panel(&training, counts)?;
            let pupils = evenly(lesson.pupils, self.pupils_max);
            let rows: Vec<Rows> =
                pupils.par_iter().map(|pupil| self.rows(&panel, &lesson.history, pupil)).collect();
            for (pupil, rows) in pupils.iter().zip(rows) {
                sets[usize::from(pupil.customer.is_multiple_of(VALIDATION))].append(rows);
            }
        }
        let [mut learnt, mut judged] = sets;
        if !learnt.tells() {
            return Ok(None);
        }
        let params = Params {
            objective: Objective::Logistic,
            rounds: self.rounds,
            leaves: Some(self.leaves),
            learning_rate: self.learning_rate,
            min_rows_per_leaf: self.min_rows_per_leaf,
            seed: self.seed,
            ..Params::default()
        };
        let (learnt_rows, judged_rows) =
            (learnt.matrix(schema.len())?, judged.matrix(schema.len())?);
        let judged_set = judged.set(&judged_rows);
        let validation = judged.tells().then_some(&judged_set);
        let (ensemble, _) = gbdt::train(&params, &learnt.set(&learnt_rows), validation, &schema)?;
        Ok(Some(ensemble))
    }

    /// The rows of one customer of a lesson.
    fn rows(&self, panel: &Panel<'_>, history: &Purchases, pupil: &Pupil) -> Rows {
        let query = Query {
            customer: Some(pupil.customer),
            lines: history.of(pupil.customer),
            as_of: pupil.as_of,
        };
        let (products, values) = panel.look(&query, None);
        let columns = values.len() / products.len().max(1);
        let mut rows = Rows::default();
        for (product, values) in products.iter().zip(values.chunks_exact(columns.max(1))) {
            let is_bought = pupil.bought.binary_search(product).is_ok();
            let key = u64::from(*product) << 32 | u64::from(pupil.customer);
            if is_bought || drawn(key, self.seed, self.negatives) {
                rows.values.extend_from_slice(values);
                rows.labels.push(f32::from(u8::from(is_bought)));
                rows.weights.push(if is_bought { 1.0 } else { 1.0 / self.negatives as f32 });
            }
        }
        rows
    }
}

impl Configured for Blend {
    const NAME: &'static str = NAME;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "candidates", range: Range::LogWhole(10, 200) },
        Axis { setting: "leaves", range: Range::LogWhole(7, 127) },
        Axis { setting: "learning_rate", range: Range::LogReal(0.01, 0.2) },
        Axis { setting: "min_rows_per_leaf", range: Range::LogWhole(10, 1_000) },
    ];
}

impl Recommender for Blend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        self.check()?;
        training.check()?;
        let ensemble = self.learn(training)?;
        Ok(Box::new(Ranker { ensemble, panel: self.panel(training, self.schema().1)? }))
    }
}

/// Members fitted on everything, and what was learnt of whom to believe.
struct Ranker<'a> {
    /// None where lessons had nothing to teach.
    ensemble: Option<Ensemble>,
    panel: Panel<'a>,
}

impl Fitted for Ranker<'_> {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        self.scored(query, None).into_iter().for_each(|(product, score)| row.add(product, score));
    }

    fn recommend(&self, queries: &[Query<'_>], wanted: &Wanted<'_>) -> Vec<Ranked> {
        let answer = |query: &Query<'_>| {
            let filter = wanted.filter(query);
            let filter = (!filter.allows_all()).then_some(&filter);
            top(self.scored(query, filter).into_iter(), wanted.k)
        };
        queries.par_iter().map(answer).collect()
    }

    fn products(&self) -> usize {
        self.panel.products
    }
}

impl Ranker<'_> {
    /// The candidates that may be ranked, and the chance that each is bought next.
    fn scored(&self, query: &Query<'_>, filter: Option<&Filter<'_>>) -> Vec<(u32, f64)> {
        let (products, values) = self.panel.look(query, filter);
        let columns = values.len() / products.len().max(1);
        let scores = match &self.ensemble {
            // Rows and ensemble have one schema: only of no candidate is nothing predicted.
            Some(ensemble) => Matrix::new(products.len(), columns, values)
                .and_then(|rows| ensemble.predict(&rows))
                .unwrap_or_default(),
            None => {
                let rows = values.chunks(columns.max(1));
                rows.map(|values| fused(values, self.panel.members.len())).collect()
            }
        };
        products.into_iter().zip(scores).collect()
    }
}

/// The fused reciprocal ranks of a row of features.
fn fused(values: &[f32], members: usize) -> f64 {
    let ranks = values.chunks(SAID.len()).take(members).map(|said| f64::from(said[2]));
    ranks.filter(|rank| !rank.is_nan()).map(|rank| 1.0 / (FUSION + rank)).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::{check_recommender, draws, history};
    use crate::{Attributes, Seen};

    fn blend(left_out: &[&str], held_back: HeldBack) -> Blend {
        let always = json!({ "window_days": 9999 });
        let members = [
            ("popular", always),
            ("personal", json!({ "window_days": 9999, "fill": null })),
            ("up-cf", json!({})),
        ];
        Blend {
            members: Members::new(members.map(|(name, value)| (name.to_owned(), value))).unwrap(),
            rounds: 20,
            min_rows_per_leaf: 5,
            lessons: 2,
            held_back,
            left_out: left_out.iter().map(|name| (*name).to_owned()).collect(),
            ..Blend::default()
        }
    }

    #[test]
    fn conforms() {
        check_recommender(&blend(&[], HeldBack::LastOrder));
        check_recommender(&blend(&["up-cf", "customer", "product"], HeldBack::Days(14)));
    }

    #[test]
    fn filters_come_before_candidates_are_chosen() {
        // Everybody buys the products below 20 a lot, and one of the others once.
        let mut draw = draws(8);
        let mut lines: Vec<_> =
            (0..2_000).map(|_| (draw(100), draw(50) as i32, draw(20))).collect();
        lines.extend((0..100).map(|customer| (customer, 50, 20 + customer % 20)));
        let past = history(100, 40, &lines);
        let (products, customers) = (Attributes::none(40), Attributes::none(100));
        let training =
            Training { history: &past, as_of: 60, products: &products, customers: &customers };
        let blend = Blend { candidates: 5, ..blend(&[], HeldBack::LastOrder) };
        let fitted = blend.fit(&training).unwrap();
        let rare: Vec<bool> = (0..40).map(|product| product >= 20).collect();
        let wanted = Wanted { k: 10, seen: Seen::Keep, among: Some(&rare) };
        let lists = fitted.recommend(&[Query::of(&past, 3, 60)], &wanted);
        assert!(lists[0].len() >= 5, "{:?}", lists[0]);
        assert!(lists[0].iter().all(|(product, _)| *product >= 20));
    }

    #[test]
    fn it_learns_what_no_member_knows() {
        // Everybody takes turns among three products of their own: what is next was bought longest ago.
        let mut draw = draws(4);
        let mut lines = Vec::new();
        for customer in 0..200 {
            let (first, orders) = (draw(30), 6 + draw(6));
            lines.extend(
                (0..orders).map(|order| (customer, order as i32, (first + order % 3) % 30)),
            );
        }
        let all = history(200, 30, &lines);
        let next: Vec<u32> =
            (0..200).map(|customer| all.of(customer).last().unwrap().product).collect();
        let known: Vec<_> = (0..200)
            .flat_map(|customer| {
                let own = all.of(customer);
                own[..own.len() - 1].iter().map(move |line| (customer, line.day, line.product))
            })
            .collect();
        let past = history(200, 30, &known);
        let (products, customers) = (Attributes::none(30), Attributes::none(200));
        let training =
            Training { history: &past, as_of: 99, products: &products, customers: &customers };
        let hits = |estimator: &dyn Recommender| {
            let queries: Vec<_> = (0..200).map(|customer| Query::of(&past, customer, 99)).collect();
            let wanted = Wanted { k: 1, seen: Seen::Keep, among: None };
            let lists = estimator.fit(&training).unwrap().recommend(&queries, &wanted);
            lists.iter().zip(&next).filter(|(list, next)| list[0].0 == **next).count()
        };
        let blend = blend(&[], HeldBack::LastOrder);
        let learnt = hits(&blend);
        let best = blend.members.iter().map(hits).max().unwrap();
        assert!(learnt >= 190 && best <= 150, "{learnt} of 200 against {best}");
    }

    #[test]
    fn feature_groups_are_named_and_can_be_left_out() {
        let whole = blend(&[], HeldBack::LastOrder);
        assert_eq!(
            whole.feature_groups(),
            ["personal", "popular", "up-cf", "customer", "product", "pair"]
        );
        assert_eq!(whole.schema().0.len(), 3 * 3 + COUNTS);
        let names = blend(&["popular", "pair"], HeldBack::LastOrder).schema().0.names;
        assert_eq!(names[0], "personal.score");
        assert!(
            !names.iter().any(|name| name.starts_with("pair.") || name.starts_with("popular."))
        );
        assert_eq!(names.len(), 2 * 3 + 6);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let past = history(1, 1, &[]);
        let none = Attributes::none(1);
        let training = Training { history: &past, as_of: 9, products: &none, customers: &none };
        let ok = || blend(&[], HeldBack::LastOrder);
        for wrong in [
            Blend { lessons: 0, ..ok() },
            Blend { candidates: 0, ..ok() },
            Blend { negatives: 0.0, ..ok() },
            Blend { leaves: 1, ..ok() },
            blend(&["nobody"], HeldBack::LastOrder),
        ] {
            assert_eq!(wrong.fit(&training).map(|_| ()).unwrap_err().code(), "T0405");
        }
    }
}
