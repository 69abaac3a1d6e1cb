//! Which rows of a table are a customer's?

/// Where the rows of each of ascending `customers` begin, and these rows; `of` is the customer of each row of a table
/// in any order. Rows of a customer stay in the table's order; rows of others are left out.
pub(crate) fn rows_of(customers: &[i32], of: &[i32]) -> (Vec<usize>, Vec<u32>) {
    let mut place_of = vec![None; customers.last().map_or(0, |last| *last as usize + 1)];
    for (place, customer) in customers.iter().enumerate() {
        place_of[*customer as usize] = Some(place);
    }
    let place = |row: usize| place_of.get(of[row] as usize).copied().flatten();
    let mut starts = vec![0; customers.len() + 1];
    for row in 0..of.len() {
        if let Some(place) = place(row) {
            starts[place + 1] += 1;
        }
    }
    for at in 0..customers.len() {
        starts[at + 1] += starts[at];
    }
    let (mut next, mut rows) = (starts.clone(), vec![0_u32; starts[customers.len()]]);
    for row in 0..of.len() {
        if let Some(place) = place(row) {
            rows[next[place]] = row as u32;
            next[place] += 1;
        }
    }
    (starts, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_by_customer_in_their_order() {
        let found = rows_of(&[2, 5, 7], &[7, 2, 9, 2, 7, 0, 2]);
        assert_eq!(found, (vec![0, 3, 3, 5], vec![1, 3, 6, 0, 4]));
        assert_eq!(rows_of(&[], &[1]), (vec![0], vec![]));
    }
}
