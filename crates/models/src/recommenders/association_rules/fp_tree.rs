//! Which sets of things are often found together?

use tercet_types::{Error, Result};

/// A frequent set: its members, sorted, and the number of transactions that hold all of them.
pub(crate) type Itemset = (Vec<u32>, u32);

/// How deep and how wide the search may go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) min_count: u32,
    pub(crate) max_length: usize,
    pub(crate) max_itemsets: usize,
}

/// A prefix tree of transactions; items are numbered by falling frequency.
struct FpTree {
    item: Vec<u32>,
    count: Vec<u32>,
    parent: Vec<u32>,
    /// Per item, the nodes that hold it.
    holders: Vec<Vec<u32>>,
}

impl FpTree {
    /// From weighted paths of ascending item numbers; sorting them makes prefixes neighbours, so
    /// that the tree grows along one open path.
    fn new(items: usize, mut paths: Vec<(Vec<u32>, u32)>) -> Self {
        paths.sort_unstable();
        let mut tree = Self {
            item: vec![u32::MAX],
            count: vec![0],
            parent: vec![0],
            holders: vec![Vec::new(); items],
        };
        let mut open: Vec<u32> = Vec::new();
        for (path, count) in paths {
            let shared = open
                .iter()
                .zip(&path)
                .take_while(|(node, item)| tree.item[**node as usize] == **item)
                .count();
            open.truncate(shared);
            open.iter().for_each(|node| tree.count[*node as usize] += count);
            for item in &path[shared..] {
                // More nodes than u32 would not fit in memory.
                let node = tree.item.len() as u32;
                tree.item.push(*item);
                tree.count.push(count);
                tree.parent.push(open.last().copied().unwrap_or(0));
                tree.holders[*item as usize].push(node);
                open.push(node);
            }
        }
        tree
    }

    /// The paths above every holder of `item`, weighted by the holder.
    fn above(&self, item: u32) -> Vec<(Vec<u32>, u32)> {
        let path = |holder: &u32| {
            let mut path = Vec::new();
            let mut node = self.parent[*holder as usize];
            while node != 0 {
                path.push(self.item[node as usize]);
                node = self.parent[node as usize];
            }
            path.reverse();
            (path, self.count[*holder as usize])
        };
        self.holders[item as usize].iter().map(path).collect()
    }

    fn total(&self, item: u32) -> u32 {
        self.holders[item as usize].iter().map(|holder| self.count[*holder as usize]).sum()
    }
}

/// All sets of at most `max_length` items held by at least `min_count` transactions.
///
/// FP-Growth: Han, Pei, Yin, "Mining frequent patterns without candidate generation", SIGMOD 2000,
/// doi:10.1145/342009.335372. Transactions are sorted and distinct within.
///
/// # Errors
/// `T0408` when there are more than `max_itemsets`.
pub(crate) fn frequent(transactions: &[Vec<u32>], limits: Limits) -> Result<Vec<Itemset>> {
    let mut counts = std::collections::BTreeMap::<u32, u32>::new();
    transactions.iter().flatten().for_each(|item| *counts.entry(*item).or_default() += 1);
    let mut items: Vec<(u32, u32)> =
        counts.into_iter().filter(|(_, count)| *count >= limits.min_count).collect();
    items.sort_by_key(|(item, count)| (std::cmp::Reverse(*count), *item));
    let mut number = std::collections::BTreeMap::new();
    number.extend((0_u32..).zip(&items).map(|(number, (item, _))| (*item, number)));
    let path = |transaction: &Vec<u32>| {
        let mut path: Vec<u32> =
            transaction.iter().filter_map(|item| number.get(item).copied()).collect();
        path.sort_unstable();
        (path, 1)
    };
    let tree = FpTree::new(items.len(), transactions.iter().map(path).collect());
    let mut found = Vec::new();
    if limits.max_length > 0 {
        grow(&tree, &mut Vec::new(), limits, &mut found)?;
    }
    for (set, _) in &mut found {
        set.iter_mut().for_each(|member| *member = items[*member as usize].0);
        set.sort_unstable();
    }
    found.sort_unstable();
    Ok(found)
}

/// Adds every frequent set that ends in `suffix`; recursion is as deep as the longest set.
fn grow(
    tree: &FpTree,
    suffix: &mut Vec<u32>,
    limits: Limits,
    found: &mut Vec<Itemset>,
) -> Result<()> {
    for item in 0..tree.holders.len() as u32 {
        let count = tree.total(item);
        if count == 0 || count < limits.min_count {
            continue;
        }
        if found.len() == limits.max_itemsets {
            return Err(Error::data(
                super::rules::TOO_MANY,
                format!("association rules: more than {} frequent sets", limits.max_itemsets),
            )
            .hint("raise the minimal support"));
        }
        suffix.push(item);
        found.push((suffix.clone(), count));
        if suffix.len() < limits.max_length && item > 0 {
            let mut paths = tree.above(item);
            let mut counts = vec![0_u32; item as usize];
            for (path, count) in &paths {
                path.iter().for_each(|item| counts[*item as usize] += count);
            }
            paths.iter_mut().for_each(|(path, _)| {
                path.retain(|item| counts[*item as usize] >= limits.min_count)
            });
            paths.retain(|(path, _)| !path.is_empty());
            if !paths.is_empty() {
                grow(&FpTree::new(item as usize, paths), suffix, limits, found)?;
            }
        }
        suffix.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_counting_every_subset_finds(
            sets in proptest::collection::vec(proptest::collection::btree_set(0_u32..7, 0..6), 0..25),
            min_count in 1_u32..6,
            max_length in 1_usize..5,
        ) {
            let transactions: Vec<Vec<u32>> = sets.into_iter().map(|set| set.into_iter().collect()).collect();
            let found = frequent(&transactions, Limits { min_count, max_length, max_itemsets: 1000 }).unwrap();
            let mut expect = Vec::new();
            for mask in 1_u32..128 {
                let set: Vec<u32> = (0..7).filter(|bit| mask >> bit & 1 == 1).collect();
                let holds = |t: &&Vec<u32>| set.iter().all(|item| t.contains(item));
                let count = transactions.iter().filter(holds).count() as u32;
                if count >= min_count && set.len() <= max_length {
                    expect.push((set, count));
                }
            }
            expect.sort_unstable();
            prop_assert_eq!(found, expect);
        }
    }

    #[test]
    fn the_number_of_sets_is_bounded() {
        let all: Vec<u32> = (0..40).collect();
        let limits = Limits { min_count: 1, max_length: 40, max_itemsets: 500 };
        assert_eq!(frequent(&[all], limits).unwrap_err().code(), "T0408");
    }
}
