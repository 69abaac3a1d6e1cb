//! Where does a row lie, while those of the other side stand?

use rayon::prelude::*;

use super::factors::{Block, Factors, LANES};
use super::pairs::Pairs;
use super::{Als, Solver};
use crate::dense::{Instructions, Lanes, ROWS, Work, add_scaled, dot, run, tile};

/// Rows of one piece of work.
const STRIP: usize = 32;
/// Rows of the other side whose products are summed in single precision.
const PANEL: usize = 128;
/// A pivot below this share of its diagonal is rounding: the matrix has no such direction, and the row nothing in it.
const PIVOT_MIN: f32 = 1e-6;
/// Rows of the other side whose sums one piece of work makes.
const PART: usize = 32 * PANEL;

/// The side that stands: its factors, and the sum of their products with each other.
pub(super) struct Against<'a> {
    others: &'a Factors,
    gram: &'a [Block],
    als: &'a Als,
}

/// Solves for every row of the pairs, while the others stand.
pub(super) fn solve_all(pairs: &Pairs, rows: &mut Factors, others: &Factors, als: &Als) {
    let gram = gram(others);
    let against = Against::with(others, &gram, als);
    let blocks = rows.blocks();
    let strips = rows.cells_mut().par_chunks_mut(STRIP * blocks).enumerate();
    strips.for_each_init(
        || scratch(blocks),
        |scratch, (strip, cells)| {
            for (at, cells) in cells.chunks_exact_mut(blocks).enumerate() {
                let (places, weights) = pairs.of(strip * STRIP + at);
                against.solve(places, weights, cells, scratch, als.solver);
            }
        },
    );
}

/// Room for a matrix and a panel.
fn scratch(blocks: usize) -> Vec<Block> {
    vec![[0.0; LANES]; (blocks * LANES + PANEL) * blocks]
}

impl<'a> Against<'a> {
    /// `gram` is that of `others`.
    pub(super) const fn with(others: &'a Factors, gram: &'a [Block], als: &'a Als) -> Self {
        Self { others, gram, als }
    }

    /// The row of these pairs alone.
    pub(super) fn solve_one(&self, places: &[u32], weights: &[f32]) -> Vec<Block> {
        let blocks = self.others.blocks();
        let mut row = vec![[0.0; LANES]; blocks];
        self.solve(places, weights, &mut row, &mut scratch(blocks), Solver::Cholesky);
        row
    }

    fn solve(
        &self,
        places: &[u32],
        weights: &[f32],
        row: &mut [Block],
        scratch: &mut [Block],
        solver: Solver,
    ) {
        if places.is_empty() {
            row.fill([0.0; LANES]);
            return;
        }
        let confidences =
            self.others.rows() as f64 + weights.iter().map(|w| f64::from(*w)).sum::<f64>();
        let cost =
            (self.als.regularisation * confidences.powf(self.als.regularisation_power)) as f32;
        let job = Job { against: self, cost, places, weights, row, scratch, solver };
        match self.others.blocks() {
            1 => run(Solving::<1>(job)),
            2 => run(Solving::<2>(job)),
            4 => run(Solving::<4>(job)),
            8 => run(Solving::<8>(job)),
            _ => run(Solving::<16>(job)),
        }
    }
}

/// One row that is solved for.
struct Job<'a> {
    against: &'a Against<'a>,
    cost: f32,
    places: &'a [u32],
    weights: &'a [f32],
    row: &'a mut [Block],
    /// Room for a matrix and a panel.
    scratch: &'a mut [Block],
    solver: Solver,
}

/// A job whose rows are of `B` blocks.
struct Solving<'a, const B: usize>(Job<'a>);

impl<const B: usize> Work for Solving<'_, B> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self) {
        match self.0.solver {
            Solver::Cholesky => self.cholesky::<I>(),
            Solver::ConjugateGradient => self.conjugate_gradient::<I>(),
        }
    }
}

impl<const B: usize> Solving<'_, B> {
    /// The pairs: factors of the other side, and weight.
    #[inline(always)]
    fn pairs(&self) -> impl Iterator<Item = (&[Block; B], f32)> {
        let (rows, _) = self.0.against.others.cells().as_chunks::<B>();
        self.0
            .places
            .iter()
            .zip(self.0.weights)
            .map(|(place, weight)| (&rows[*place as usize], *weight))
    }

    /// `(Σ y yᵀ + λ) p + Σ (w (y · p) − target (1 + w)) y`.
    #[inline(always)]
    fn applied<I: Instructions>(&self, p: &[Block; B], target: f32) -> [Block; B] {
        let mut out = [[0.0; LANES]; B];
        add_scaled::<I>(&mut out, self.0.cost, p);
        let (gram, _) = self.0.against.gram.as_chunks::<B>();
        for (row, number) in gram.iter().zip(p.as_flattened()) {
            add_scaled::<I>(&mut out, *number, row);
        }
        for (y, weight) in self.pairs() {
            let by = weight * dot::<I>(y, p) - target * (1.0 + weight);
            add_scaled::<I>(&mut out, by, y);
        }
        out
    }

    #[inline(always)]
    fn conjugate_gradient<I: Instructions>(self) {
        let mut x = [[0.0; LANES]; B];
        x.copy_from_slice(self.0.row);
        let mut rest = self.applied::<I>(&x, 1.0);
        for number in rest.as_flattened_mut() {
            *number = -*number;
        }
        let mut p = rest;
        let mut left = dot::<I>(&rest, &rest);
        for _ in 0..self.0.against.als.steps {
            let applied = self.applied::<I>(&p, 0.0);
            let along = dot::<I>(&p, &applied);
            if left < f32::MIN_POSITIVE || along <= 0.0 || along.is_nan() {
                break;
            }
            let step = left / along;
            add_scaled::<I>(&mut x, step, &p);
            add_scaled::<I>(&mut rest, -step, &applied);
            let before = left;
            left = dot::<I>(&rest, &rest);
            let mut next = rest;
            add_scaled::<I>(&mut next, left / before, &p);
            p = next;
        }
        self.0.row.copy_from_slice(&x);
    }

    #[inline(always)]
    fn cholesky<I: Instructions>(mut self) {
        let scratch = std::mem::take(&mut self.0.scratch);
        let (matrix, panel) = scratch.split_at_mut(B * LANES * B);
        matrix.copy_from_slice(self.0.against.gram);
        let (matrix, _) = matrix.as_chunks_mut::<B>();
        for (at, row) in matrix.iter_mut().enumerate() {
            row[at / LANES][at % LANES] += self.0.cost;
        }
        let mut x = [[0.0; LANES]; B];
        let (panel, _) = panel.as_chunks_mut::<B>();
        let mut filled = 0;
        for (y, weight) in self.pairs() {
            add_scaled::<I>(&mut x, 1.0 + weight, y);
            panel[filled] = [[0.0; LANES]; B];
            add_scaled::<I>(&mut panel[filled], weight.sqrt(), y);
            filled += 1;
            if filled == PANEL {
                add_products::<I, B>(panel, matrix.as_flattened_mut());
                filled = 0;
            }
        }
        add_products::<I, B>(&panel[..filled], matrix.as_flattened_mut());
        let mut diagonal = [[0.0; LANES]; B];
        for (at, row) in matrix.iter().enumerate() {
            diagonal[at / LANES][at % LANES] = row[at / LANES][at % LANES];
        }
        // The upper triangle becomes U with UᵀU = matrix, and x solves Uᵀ on the way.
        for at in 0..B * LANES {
            let (head, tail) = matrix.split_at_mut(at + 1);
            let own = &mut head[at];
            let pivot = own[at / LANES][at % LANES];
            let enough = PIVOT_MIN * diagonal[at / LANES][at % LANES];
            let scale = if pivot > enough { 1.0 / pivot.sqrt() } else { 0.0 };
            let mut lead = *own;
            for number in lead.as_flattened_mut() {
                *number *= scale;
            }
            *own = lead;
            lead[at / LANES][..at % LANES].fill(0.0);
            let value = x[at / LANES][at % LANES] * scale;
            add_scaled::<I>(&mut x[at / LANES..], -value, &lead[at / LANES..]);
            // What was solved for stays.
            x[at / LANES][at % LANES] = value;
            for (row, below) in (at + 1..).zip(tail) {
                let by = -lead[row / LANES][row % LANES];
                add_scaled::<I>(&mut below[row / LANES..], by, &lead[row / LANES..]);
            }
        }
        for at in (0..B * LANES).rev() {
            let row = &mut matrix[at];
            let pivot = row[at / LANES][at % LANES];
            row[at / LANES][..=at % LANES].fill(0.0);
            let known = dot::<I>(&row[at / LANES..], &x[at / LANES..]);
            let value = x[at / LANES][at % LANES] - known;
            x[at / LANES][at % LANES] = if pivot > 0.0 { value / pivot } else { 0.0 };
        }
        self.0.row.copy_from_slice(&x);
    }
}

/// Adds `Σ z zᵀ` over the rows of a panel to the upper triangle of a matrix.
#[inline(always)]
fn add_products<I: Instructions, const B: usize>(panel: &[[Block; B]], matrix: &mut [Block]) {
    let cells = panel.as_flattened();
    let (parts, _) = cells.as_flattened().as_chunks::<ROWS>();
    for column in 0..B {
        for from in (0..(column + 1) * LANES).step_by(ROWS) {
            let left =
                parts.get(from / ROWS..).unwrap_or_default().iter().step_by(B * LANES / ROWS);
            let right = cells.get(column..).unwrap_or_default().iter().step_by(B);
            let sums: [I::Singles; ROWS] = tile::<I, _, _, LANES>(left.zip(right), 0.0);
            for (row, sums) in sums.iter().enumerate() {
                let out = &mut matrix[(from + row) * B + column];
                sums.plus(I::Singles::of(out)).to(out);
            }
        }
    }
}

/// `Σ y yᵀ` over all rows, summed in parts whose bounds do not depend on the number of threads.
pub(super) fn gram(factors: &Factors) -> Vec<Block> {
    let blocks = factors.blocks();
    let parts: Vec<Vec<f64>> = factors
        .cells()
        .par_chunks(PART * blocks)
        .map(|cells| {
            let mut sums = vec![0.0; blocks * LANES * blocks * LANES];
            for panel in cells.chunks(PANEL * blocks) {
                let mut products = vec![[0.0; LANES]; blocks * LANES * blocks];
                let matrix = &mut products[..];
                match blocks {
                    1 => run(Products::<1> { panel, matrix }),
                    2 => run(Products::<2> { panel, matrix }),
                    4 => run(Products::<4> { panel, matrix }),
                    8 => run(Products::<8> { panel, matrix }),
                    _ => run(Products::<16> { panel, matrix }),
                }
                let products = products.as_flattened();
                sums.iter_mut()
                    .zip(products)
                    .for_each(|(sum, product)| *sum += f64::from(*product));
            }
            sums
        })
        .collect();
    let width = blocks * LANES;
    let mut sums = vec![0.0; width * width];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    let mut gram = vec![[0.0; LANES]; width * blocks];
    let cells = gram.as_flattened_mut();
    for row in 0..width {
        for column in row..width {
            cells[row * width + column] = sums[row * width + column] as f32;
            cells[column * width + row] = cells[row * width + column];
        }
    }
    gram
}

struct Products<'a, const B: usize> {
    panel: &'a [Block],
    matrix: &'a mut [Block],
}

impl<const B: usize> Work for Products<'_, B> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self) {
        let (panel, _) = self.panel.as_chunks::<B>();
        add_products::<I, B>(panel, self.matrix);
    }
}
