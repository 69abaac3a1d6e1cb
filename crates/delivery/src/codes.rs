//! Which code does a customer redeem with?
//!
//! A promotion with a pool hands each offer a code of its own; one with a shared code gives everyone
//! the same; one with neither gives none.

use std::collections::{BTreeMap, BTreeSet};

use tercet_types::{Error, Result};

use crate::offers::Promotion;

/// Unused codes by name of pool, in the order they are to be handed out.
pub type CodePools = BTreeMap<String, Vec<String>>;

/// The codes of one run, handed out one by one.
#[derive(Debug)]
pub(crate) struct Codes<'a> {
    pools: BTreeMap<&'a str, Pool<'a>>,
    missing: BTreeMap<(String, String), usize>,
}

#[derive(Debug)]
struct Pool<'a> {
    codes: &'a [String],
    used: usize,
}

impl<'a> Codes<'a> {
    /// `T0804` when a pool holds a code twice or a blank one.
    pub(crate) fn new(pools: &'a CodePools) -> Result<Self> {
        for (name, codes) in pools {
            let mut seen = BTreeSet::new();
            for (row, code) in codes.iter().enumerate() {
                if code.trim().is_empty() || !seen.insert(code.as_str()) {
                    let what = if code.trim().is_empty() { "is blank" } else { "is there twice" };
                    return Err(Error::data(
                        "T0804",
                        format!("code pool '{name}': code {} {what}", row + 1),
                    )
                    .hint("every code of a pool must be present once"));
                }
            }
        }
        let pools =
            pools.iter().map(|(name, codes)| (name.as_str(), Pool { codes, used: 0 })).collect();
        Ok(Self { pools, missing: BTreeMap::new() })
    }

    /// The next code of a promotion; `T0805` when its pool is not there.
    ///
    /// An exhausted pool is counted here and refused by [`Codes::finish`], so that the error can say
    /// how many codes are missing in all.
    pub(crate) fn next(
        &mut self,
        promotion_id: &str,
        promotion: &Promotion,
    ) -> Result<Option<String>> {
        let Some(name) = promotion.code_pool.as_deref().filter(|name| !name.trim().is_empty())
        else {
            return Ok(promotion.code.clone().filter(|code| !code.trim().is_empty()));
        };
        let pool = self.pools.get_mut(name).ok_or_else(|| {
            Error::config(
                "T0805",
                format!("promotion '{promotion_id}': there is no code pool '{name}'"),
            )
            .hint("add a file of unused codes for the pool, or give the promotion a shared code")
        })?;
        let code = pool.codes.get(pool.used).cloned();
        if code.is_some() {
            pool.used += 1;
        } else {
            *self.missing.entry((promotion_id.to_owned(), name.to_owned())).or_default() += 1;
        }
        Ok(code)
    }

    /// Codes taken per pool; `T0803` when a pool ran out.
    pub(crate) fn finish(self) -> Result<BTreeMap<String, usize>> {
        if self.missing.is_empty() {
            return Ok(self
                .pools
                .into_iter()
                .map(|(name, pool)| (name.to_owned(), pool.used))
                .collect());
        }
        let lines: Vec<String> = self
            .missing
            .iter()
            .map(|((promotion, pool), count)| {
                let codes = if *count == 1 { "code" } else { "codes" };
                format!("promotion '{promotion}': code pool '{pool}' lacks {count} {codes}")
            })
            .collect();
        Err(Error::data("T0803", lines.join("; "))
            .hint("add that many unused codes to the pool, or lower the promotion's cap"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promotion(code: &str, pool: &str) -> Promotion {
        let day = "2017-09-04".parse().unwrap();
        Promotion {
            name: None,
            code: (!code.is_empty()).then(|| code.into()),
            code_pool: (!pool.is_empty()).then(|| pool.into()),
            valid_from: day,
            valid_to: day,
        }
    }

    #[test]
    fn shared_pooled_and_none() {
        let pools = CodePools::from([("p".into(), vec!["1".into(), "2".into()])]);
        let mut codes = Codes::new(&pools).unwrap();
        let mut check = |code: &str, pool: &str, expect: Option<&str>| {
            assert_eq!(codes.next("A", &promotion(code, pool)).unwrap().as_deref(), expect);
        };
        check("", "", None);
        check(" ", "", None);
        check("SAVE", "", Some("SAVE"));
        check("SAVE", "p", Some("1"));
        check("", "p", Some("2"));
        assert_eq!(codes.finish().unwrap()["p"], 2);
    }

    #[test]
    fn an_exhausted_pool_names_the_promotion_and_how_many_are_missing() {
        let pools = CodePools::from([("p".into(), vec!["1".into()])]);
        let mut codes = Codes::new(&pools).unwrap();
        for promotion_id in ["A", "A", "A", "B"] {
            codes.next(promotion_id, &promotion("", "p")).unwrap();
        }
        let error = codes.finish().unwrap_err();
        assert_eq!(error.code(), "T0803");
        assert_eq!(
            error.to_string(),
            "promotion 'A': code pool 'p' lacks 2 codes; promotion 'B': code pool 'p' lacks 1 code"
        );
    }

    #[test]
    fn bad_pools_are_refused() {
        let check = |codes: &[&str], words: &str| {
            let pools = CodePools::from([(
                "p".into(),
                codes.iter().map(|&code| code.to_owned()).collect(),
            )]);
            let error = Codes::new(&pools).unwrap_err();
            assert_eq!((error.code(), error.to_string().contains(words)), ("T0804", true));
        };
        check(&["1", "1"], "code 2 is there twice");
        check(&["1", ""], "code 2 is blank");
        let none = CodePools::new();
        let error = Codes::new(&none).unwrap().next("A", &promotion("", "gone")).unwrap_err();
        assert_eq!(error.code(), "T0805");
    }
}
