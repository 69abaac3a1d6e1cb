//! Which products does a cell list, and in which baskets?

/// The baskets of a cell, each with its products, in order.
///
/// `[1, 2]`, `1 2` and `1,2` are two baskets of one product each, `[[1, 2], [3]]` one of two and one of one. Quotes
/// around a product fall away; a product's own name holds no comma, bracket or, where nothing else parts products, space.
pub(super) fn baskets(cell: &str) -> Vec<Vec<String>> {
    let inner = unbracketed(cell);
    if !inner.contains('[') {
        return products(inner).into_iter().map(|product| vec![product]).collect();
    }
    let parts = inner.split('[').skip(1);
    parts.map(|part| products(part.split(']').next().unwrap_or_default())).collect()
}

/// True of a cell that lists baskets, not products.
pub(super) fn is_nested(cell: &str) -> bool {
    unbracketed(cell).contains('[')
}

/// True of a cell that is written as a list.
pub(super) fn is_list(cell: &str) -> bool {
    cell.trim().starts_with('[')
}

/// The products of a list without brackets.
pub(super) fn products(list: &str) -> Vec<String> {
    let separator = if list.contains(',') { ',' } else { ' ' };
    let parts = list.split(separator).map(|part| part.trim().trim_matches(['"', '\'']).to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

pub(super) fn unbracketed(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_every_spelling() {
        let check = |cell: &str, expect: &[&[&str]]| assert_eq!(baskets(cell), expect, "{cell}");
        check("[1, 2]", &[&["1"], &["2"]]);
        check("1 2  3", &[&["1"], &["2"], &["3"]]);
        check("a b,c", &[&["a b"], &["c"]]);
        check("[\"a b\", 'c']", &[&["a b"], &["c"]]);
        check("[[1, 2], [], [3]]", &[&["1", "2"], &[], &["3"]]);
        check("[]", &[]);
        check("7", &[&["7"]]);
        assert!(
            is_nested("[[1], [2]]") && !is_nested("[1, 2]") && is_list(" [1]") && !is_list("1")
        );
    }
}
