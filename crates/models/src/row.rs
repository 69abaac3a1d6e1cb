//! Which scores does one customer have?

/// Scores over products or promotions that are cleared in the time of what was touched.
///
/// What was never touched has no score, which is another thing than a score of zero.
#[derive(Clone, Debug, Default)]
pub struct Row {
    scores: Vec<f64>,
    known: Vec<bool>,
    touched: Vec<u32>,
}

impl Row {
    /// No scores over `length` places.
    pub fn new(length: usize) -> Self {
        Self { scores: vec![0.0; length], known: vec![false; length], touched: Vec::new() }
    }

    /// The number of places.
    pub const fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether nothing has a score.
    pub const fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }

    /// Adds to the score at a place, which must be below [`len`](Self::len).
    #[inline]
    pub fn add(&mut self, at: u32, amount: f64) {
        let place = at as usize;
        if !self.known[place] {
            self.known[place] = true;
            self.touched.push(at);
        }
        self.scores[place] += amount;
    }

    /// Gives every place a score.
    pub fn add_all(&mut self, amounts: impl IntoIterator<Item = f64>) {
        (0..).zip(amounts).for_each(|(at, amount)| self.add(at, amount));
    }

    /// The score at a place.
    pub fn get(&self, at: u32) -> Option<f64> {
        let place = at as usize;
        (*self.known.get(place)?).then(|| self.scores[place])
    }

    /// The places with a score, in the order they were first touched, and their scores.
    pub fn iter(&self) -> impl Iterator<Item = (u32, f64)> {
        self.touched.iter().map(|at| (*at, self.scores[*at as usize]))
    }

    /// The scores by place, leaving none.
    pub fn take(&mut self) -> Vec<(u32, f64)> {
        self.touched.sort_unstable();
        let taken = self.iter().collect();
        self.clear();
        taken
    }

    /// Leaves no score.
    pub fn clear(&mut self) {
        for at in self.touched.drain(..) {
            self.scores[at as usize] = 0.0;
            self.known[at as usize] = false;
        }
    }
}

/// The `k` best of some scores, best first, ties by place; scores that are not finite are none.
pub fn top(scores: impl Iterator<Item = (u32, f64)>, k: usize) -> Vec<(u32, f64)> {
    let mut best = Best::new(k);
    for (at, score) in scores {
        if score >= best.floor() {
            best.push(at, score);
        }
    }
    best.sorted()
}

/// The `k` best of the scores seen so far.
pub(crate) struct Best {
    k: usize,
    room: usize,
    scores: Vec<(u32, f64)>,
    floor: f64,
}

impl Best {
    pub(crate) fn new(k: usize) -> Self {
        let floor = if k == 0 { f64::INFINITY } else { f64::NEG_INFINITY };
        Self { k, room: k.saturating_mul(2).max(16), scores: Vec::new(), floor }
    }

    /// What is below the `k`-th best of those looked at cannot be among the `k` best of all.
    pub(crate) const fn floor(&self) -> f64 {
        self.floor
    }

    /// Takes one more score; one that is not finite is none.
    pub(crate) fn push(&mut self, at: u32, score: f64) {
        if self.k == 0 || !score.is_finite() {
            return;
        }
        // Zero has two signs, which total order tells apart and ranking must not.
        self.scores.push((at, score + 0.0));
        if self.scores.len() >= self.room && self.scores.len() > self.k {
            self.scores.select_nth_unstable_by(self.k - 1, Self::better);
            self.scores.truncate(self.k);
            self.floor = self.scores[self.k - 1].1;
        }
    }

    /// Best first, ties by place.
    pub(crate) fn sorted(mut self) -> Vec<(u32, f64)> {
        self.scores.sort_unstable_by(Self::better);
        self.scores.truncate(self.k);
        self.scores
    }

    fn better(a: &(u32, f64), b: &(u32, f64)) -> std::cmp::Ordering {
        b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::draws;

    #[test]
    fn what_was_not_touched_has_no_score() {
        let mut row = Row::new(4);
        row.add(2, 1.5);
        row.add(0, -1.0);
        row.add(2, -1.5);
        assert_eq!((row.get(2), row.get(1), row.get(9)), (Some(0.0), None, None));
        assert_eq!(row.iter().collect::<Vec<_>>(), [(2, 0.0), (0, -1.0)]);
        assert_eq!(row.take(), [(0, -1.0), (2, 0.0)]);
        assert!(row.is_empty() && row.take().is_empty());
        row.add_all([3.0, 4.0]);
        assert_eq!(row.take(), [(0, 3.0), (1, 4.0)]);
    }

    #[test]
    fn the_best_are_those_that_sorting_finds() {
        let mut draw = draws(3);
        for (length, different, k) in
            [(0, 3, 2), (10, 2, 3), (1000, 7, 5), (1000, 9999, 70), (99, 5, 0), (9, 9, 99)]
        {
            let mut all: Vec<(u32, f64)> =
                (0..length).map(|at| (at, f64::from(draw(different)) - 3.0)).collect();
            let found = top(all.iter().copied(), k);
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            all.truncate(k);
            assert_eq!(found, all, "{k} of {length}");
        }
        let odd = [(0, f64::NAN), (1, -0.0), (2, 0.0), (3, f64::INFINITY)];
        assert_eq!(top(odd.into_iter(), 9), [(1, 0.0), (2, 0.0)]);
    }
}
