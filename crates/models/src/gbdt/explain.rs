//! Which features moved the predictions, and this one?

use tercet_types::{Error, Result};

use super::{Ensemble, Tree};

impl Ensemble {
    /// Each feature's share of the total loss reduction of all splits, in schema order; sums to 1,
    /// or all 0 when no tree splits.
    pub fn importances(&self) -> Vec<(String, f64)> {
        let mut gains = vec![0.0_f64; self.schema.len()];
        for tree in &self.trees {
            for node in (0..tree.len()).filter(|node| tree.left[*node] != 0) {
                gains[tree.feature[node] as usize] += f64::from(tree.gain[node]);
            }
        }
        let total: f64 = gains.iter().sum();
        let share = |gain: f64| if total > 0.0 { gain / total } else { 0.0 };
        self.schema.names.iter().cloned().zip(gains.into_iter().map(share)).collect()
    }
}

/// The most players on a path whose contributions are worked out beforehand for every outcome: at most 2^6.
const TABLED_MAX: usize = 6;

/// The most players on a path: bits of a word.
const PLAYERS_MAX: usize = u64::BITS as usize;

/// Says how much each of some players moved a margin: Shapley values of the trees.
///
/// A player is a feature, or a group of features that is told or withheld as one. The value of a coalition is
/// what the trees expect of a row of which only its features are known: where a test looks at another, both
/// children count by their cover ("path-dependent"). With a player per feature this is TreeSHAP: Lundberg et al.,
/// "From local explanations to global understanding with explainable AI for trees", Nature Machine Intelligence
/// 2, 2020, doi:10.1038/s42256-019-0138-9; with groups, the Shapley values of the game between groups: Jullum,
/// Redelmeier, Aas, "groupShapley", arXiv:2106.12228, 2021. A leaf's part hangs on nothing but which players of
/// its path the row agrees with, so it is worked out once: Yang, "Fast TreeSHAP", arXiv:2109.09847, 2021.
#[derive(Clone, Debug)]
pub struct Explainer<'a> {
    ensemble: &'a Ensemble,
    players: usize,
    expected_margin: f64,
    trees: Vec<Paths>,
}

/// The paths of one tree.
#[derive(Clone, Debug)]
struct Paths {
    /// Per inner node the bit of its player among those of the path.
    bits: Vec<u64>,
    /// Per leaf, in the order of nodes.
    leaves: Vec<Leaf>,
}

/// The path to a leaf: its players in order of appearance.
#[derive(Clone, Debug)]
struct Leaf {
    value: f64,
    players: Vec<u32>,
    /// The share of rows that get past all tests of each player, by cover.
    withheld: Vec<f64>,
    /// Contributions by outcome, `players` each; empty when they are worked out when asked.
    table: Vec<f64>,
}

impl<'a> Explainer<'a> {
    /// `player_of[f]` is the player of feature `f`.
    ///
    /// # Errors
    /// `T0401` when there is not one player per feature; `T0402` when a path has more than 64 players.
    pub fn new(ensemble: &'a Ensemble, player_of: &[usize]) -> Result<Self> {
        ensemble.check_columns(player_of.len())?;
        let trees: Option<Vec<Paths>> =
            ensemble.trees.iter().map(|tree| Paths::new(tree, player_of)).collect();
        let trees = trees.ok_or_else(|| {
            Error::data("T0402", format!("model: a path with more than {PLAYERS_MAX} players"))
        })?;
        let expected: f64 = trees.iter().flat_map(|tree| &tree.leaves).map(Leaf::expected).sum();
        Ok(Self {
            ensemble,
            players: player_of.iter().max().map_or(0, |last| last + 1),
            expected_margin: ensemble.base_margin() + expected,
            trees,
        })
    }

    /// The margin expected of a row of which nothing is known: what contributions add to.
    pub const fn expected_margin(&self) -> f64 {
        self.expected_margin
    }

    /// What each player added to the margin of one row: the sum is `margin − expected_margin()`.
    ///
    /// # Errors
    /// `T0401` when `row` has another length than the schema.
    pub fn contributions(&self, row: &[f32]) -> Result<Vec<f64>> {
        self.ensemble.check_columns(row.len())?;
        let mut sums = vec![0.0; self.players];
        let mut agreed: Vec<u64> = Vec::new();
        for ((tree, walk), paths) in
            self.ensemble.trees.iter().zip(&self.ensemble.walks).zip(&self.trees)
        {
            agreed.clear();
            agreed.resize(tree.len(), u64::MAX);
            let mut leaves = paths.leaves.iter();
            // Children stand after their parent.
            for node in 0..tree.len() {
                let of_node = agreed[node];
                if tree.left[node] == 0 {
                    leaves.next().into_iter().for_each(|leaf| leaf.add(of_node, &mut sums));
                    continue;
                }
                let left = walk.goes_left(node, row);
                let otherwise = of_node & !paths.bits[node];
                agreed[tree.left[node] as usize] = if left { of_node } else { otherwise };
                agreed[tree.right[node] as usize] = if left { otherwise } else { of_node };
            }
        }
        Ok(sums)
    }
}

impl Paths {
    /// `None` when a path has too many players.
    fn new(tree: &Tree, player_of: &[usize]) -> Option<Self> {
        let mut bits = vec![0; tree.len()];
        let mut leaves = Vec::new();
        let mut paths: Vec<Vec<(u32, f64)>> = vec![Vec::new(); tree.len()];
        for node in 0..tree.len() {
            let path = std::mem::take(&mut paths[node]);
            let (left, right) = (tree.left[node] as usize, tree.right[node] as usize);
            if left == 0 {
                leaves.push(Leaf::new(f64::from(tree.value[node]), &path));
                continue;
            }
            let player = player_of[tree.feature[node] as usize] as u32;
            let known = path.iter().position(|(known, _)| *known == player);
            let place = known.unwrap_or(path.len());
            if place >= PLAYERS_MAX {
                return None;
            }
            bits[node] = 1 << place;
            let covers = [left, right].map(|child| f64::from(tree.cover[child]).max(0.0));
            let all = covers[0] + covers[1];
            for (child, cover) in [left, right].into_iter().zip(covers) {
                let mut path = path.clone();
                if known.is_none() {
                    path.push((player, 1.0));
                }
                path[place].1 *= if all > 0.0 { cover / all } else { 0.5 };
                paths[child] = path;
            }
        }
        Some(Self { bits, leaves })
    }
}

impl Leaf {
    fn new(value: f64, path: &[(u32, f64)]) -> Self {
        let mut leaf = Self {
            value,
            players: path.iter().map(|(player, _)| *player).collect(),
            withheld: path.iter().map(|(_, share)| *share).collect(),
            table: Vec::new(),
        };
        let players = leaf.players.len();
        if players <= TABLED_MAX {
            leaf.table = vec![0.0; players << players];
            for outcome in 0..1 << players {
                let row = (0..players).map(|player| leaf.part(player, outcome as u64));
                let row: Vec<f64> = row.collect();
                leaf.table[outcome * players..(outcome + 1) * players].copy_from_slice(&row);
            }
        }
        leaf
    }

    /// The value times the share of rows that come here.
    fn expected(&self) -> f64 {
        self.value * self.withheld.iter().product::<f64>()
    }

    fn add(&self, agreed: u64, sums: &mut [f64]) {
        let players = self.players.len();
        if self.table.is_empty() {
            for (place, player) in self.players.iter().enumerate() {
                sums[*player as usize] += self.part(place, agreed);
            }
            return;
        }
        let outcome = agreed as usize & ((1 << players) - 1);
        let parts = &self.table[outcome * players..(outcome + 1) * players];
        for (player, part) in self.players.iter().zip(parts) {
            sums[*player as usize] += part;
        }
    }

    /// The Shapley value of the player at a place in the game whose coalitions are worth the leaf's value times,
    /// for each other player, `[the row agrees]` when it is in and the withheld share when not.
    fn part(&self, place: usize, agreed: u64) -> f64 {
        let bit = |place: usize| if agreed >> place & 1 == 1 { 1.0 } else { 0.0 };
        // Coefficient k: coalitions of k of the others.
        let mut coalitions = vec![1.0];
        for (other, share) in self.withheld.iter().enumerate().filter(|(other, _)| *other != place)
        {
            coalitions.push(0.0);
            for size in (0..coalitions.len()).rev() {
                let with = if size > 0 { coalitions[size - 1] * bit(other) } else { 0.0 };
                coalitions[size] = coalitions[size] * share + with;
            }
        }
        // Coalitions of each size count the same together: 1 / n over the binomial of n − 1 and the size.
        let players = self.players.len() as f64;
        let mut weight = 1.0 / players;
        let mut sum = 0.0;
        for (size, coalition) in coalitions.iter().enumerate() {
            sum += weight * coalition;
            weight *= (size as f64 + 1.0) / (players - 1.0 - size as f64).max(1.0);
        }
        self.value * (bit(place) - self.withheld[place]) * sum
    }
}
