//! What do neighbours lend to every promotion?

use std::collections::BTreeMap;

use crate::Eligibility;

/// The ways in which customers are alike: by products, and by types.
const WAYS: usize = 2;

/// What a member can lend of one product: half of what a cache is filled with is of use to no other.
#[derive(Clone, Copy)]
struct Loan {
    product: u32,
    lines: f32,
}

/// What each member can lend: decayed lines of the products that some promotion applies to.
pub(super) struct Loans<'a> {
    /// Where the loans of a member begin; one more than members.
    starts: Vec<usize>,
    loans: Vec<Loan>,
    /// The sum of each product, when never bought: that of its group. When bought, the next.
    sums_of: Vec<u32>,
    /// The promotions of each group of products; products of a group have the same promotions.
    promotions: Vec<&'a [u32]>,
}

/// A number in each way.
type Lent = [f64; WAYS];

/// One thread's sums, all zero between customers.
pub(super) struct Lending {
    sums_of: Vec<u32>,
    /// Per group: of products never bought, and of those bought.
    of_groups: Vec<Lent>,
    of_promotions: Vec<[Lent; 2]>,
}

impl<'a> Loans<'a> {
    /// Of members with these lines by product.
    pub(super) fn new(eligibility: &'a Eligibility, vectors: &[Vec<(u32, f64)>]) -> Self {
        let mut groups: BTreeMap<&[u32], u32> = BTreeMap::new();
        let mut promotions = Vec::new();
        let mut group_of = |product: u32| {
            let list = eligibility.promotions_of(product);
            *groups.entry(list).or_insert_with(|| {
                promotions.push(list);
                promotions.len() as u32 - 1
            })
        };
        let groups: Vec<u32> = (0..eligibility.products() as u32).map(&mut group_of).collect();
        let (mut starts, mut loans) = (vec![0], Vec::new());
        let mut met = vec![0_u32; promotions.len()];
        for vector in vectors {
            // A sum waits for its last term: loans of one group are laid apart, in the same order.
            let mut of_member: Vec<(u32, u32, Loan)> = Vec::with_capacity(vector.len());
            for (product, lines) in vector {
                let group = groups[*product as usize];
                if !promotions[group as usize].is_empty() {
                    let loan = Loan { product: *product, lines: *lines as f32 };
                    of_member.push((met[group as usize], group, loan));
                    met[group as usize] += 1;
                }
            }
            of_member.sort_unstable_by_key(|(earlier, group, _)| (*earlier, *group));
            for (_, group, loan) in of_member {
                met[group as usize] = 0;
                loans.push(loan);
            }
            starts.push(loans.len());
        }
        let sums_of = groups.into_iter().map(|group| 2 * group).collect();
        Self { starts, loans, sums_of, promotions }
    }

    /// For one thread.
    pub(super) fn lending(&self, promotions: usize) -> Lending {
        Lending {
            sums_of: self.sums_of.clone(),
            of_groups: vec![Lent::default(); 2 * self.promotions.len()],
            of_promotions: vec![<[Lent; 2]>::default(); promotions],
        }
    }

    /// Fills, way by way, one row of all loans and, after it, one row of those on products never bought: `bought` are
    /// the others, with any number.
    pub(super) fn fill(
        &self,
        bought: &[(u32, f64)],
        neighbours: [&[(u32, f64)]; WAYS],
        lending: &mut Lending,
        row: &mut [f32],
    ) {
        let Lending { sums_of, of_groups, of_promotions } = lending;
        bought.iter().for_each(|(product, _)| sums_of[*product as usize] += 1);
        for (way, neighbours) in neighbours.into_iter().enumerate() {
            let total: f64 = neighbours.iter().map(|(_, cosine)| cosine).sum();
            for (neighbour, cosine) in neighbours {
                let share = cosine / total;
                let neighbour = *neighbour as usize;
                for loan in &self.loans[self.starts[neighbour]..self.starts[neighbour + 1]] {
                    let sum = sums_of[loan.product as usize] as usize;
                    of_groups[sum][way] += share * f64::from(loan.lines);
                }
            }
        }
        bought.iter().for_each(|(product, _)| sums_of[*product as usize] -= 1);
        for (lent, promotions) in of_groups.as_chunks_mut().0.iter_mut().zip(&self.promotions) {
            let lent: [Lent; 2] = std::mem::take(lent);
            if lent != <[Lent; 2]>::default() {
                for promotion in *promotions {
                    let sums = of_promotions[*promotion as usize].as_flattened_mut();
                    sums.iter_mut().zip(lent.as_flattened()).for_each(|(sum, lent)| *sum += lent);
                }
            }
        }
        let promotions = of_promotions.len();
        for (promotion, lent) in of_promotions.iter_mut().enumerate() {
            let [new, owned] = std::mem::take(lent);
            for (way, (new, owned)) in new.into_iter().zip(owned).enumerate() {
                row[2 * way * promotions + promotion] = (owned + new) as f32;
                row[(2 * way + 1) * promotions + promotion] = new as f32;
            }
        }
    }
}
