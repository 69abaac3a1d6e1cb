//! Which code does a customer redeem with?
//!
//! A promotion with a pool hands each offer a code of its own; one with a shared code gives everyone
//! the same; one with neither gives none.

use std::collections::BTreeMap;

use tercet_types::{Error, Result};

use crate::offers::Promotion;

/// The unused codes of pools, by name. They are handed out from the front, to the customers of one part after the other.
#[derive(Clone, Debug, Default)]
pub struct CodePools(BTreeMap<String, Pool>);

#[derive(Clone, Debug)]
struct Pool {
    codes: Vec<String>,
    used: usize,
}

impl CodePools {
    /// Pools of codes, each in the order in which they are to be handed out.
    ///
    /// # Errors
    /// `T0804` when a pool holds a code twice or a blank one.
    pub fn new(pools: BTreeMap<String, Vec<String>>) -> Result<Self> {
        for (name, codes) in &pools {
            let blank = codes.iter().position(|code| code.trim().is_empty());
            let wrong = blank.map(|row| (row, "is blank"));
            if let Some((row, what)) = wrong.or(repeated(codes).map(|row| (row, "is there twice")))
            {
                return Err(Error::data(
                    "T0804",
                    format!("code pool '{name}': code {} {what}", row + 1),
                )
                .hint("every code of a pool must be present once"));
            }
        }
        let pool = |(name, codes)| (name, Pool { codes, used: 0 });
        Ok(Self(pools.into_iter().map(pool).collect()))
    }

    /// The codes that were handed out of each pool.
    pub fn handed_out(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, pool)| (name.as_str(), &pool.codes[..pool.used]))
    }
}

/// The first place of a code that an earlier one repeats.
fn repeated(codes: &[String]) -> Option<usize> {
    let mut order: Vec<usize> = (0..codes.len()).collect();
    order.sort_unstable_by_key(|at| (&codes[*at], *at));
    let pairs = order.windows(2).filter(|pair| codes[pair[0]] == codes[pair[1]]);
    pairs.map(|pair| pair[1]).min()
}

/// Codes handed out one by one.
#[derive(Debug)]
pub(crate) struct Codes<'a> {
    pools: &'a mut CodePools,
    missing: BTreeMap<(String, String), usize>,
}

impl<'a> Codes<'a> {
    pub(crate) fn new(pools: &'a mut CodePools) -> Self {
        Self { pools, missing: BTreeMap::new() }
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
        let pool = self.pools.0.get_mut(name).ok_or_else(|| {
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

    /// `T0803` when a pool ran out.
    pub(crate) fn finish(self) -> Result<()> {
        if self.missing.is_empty() {
            return Ok(());
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

    fn pools(codes: &[&str]) -> Result<CodePools> {
        let codes = codes.iter().map(|&code| code.to_owned()).collect();
        CodePools::new(BTreeMap::from([("p".to_owned(), codes)]))
    }

    #[test]
    fn shared_pooled_and_none() {
        let mut pools = pools(&["1", "2", "3"]).unwrap();
        let mut codes = Codes::new(&mut pools);
        let mut check = |code: &str, pool: &str, expect: Option<&str>| {
            assert_eq!(codes.next("A", &promotion(code, pool)).unwrap().as_deref(), expect);
        };
        check("", "", None);
        check(" ", "", None);
        check("SAVE", "", Some("SAVE"));
        check("SAVE", "p", Some("1"));
        check("", "p", Some("2"));
        codes.finish().unwrap();
        // Who comes later goes on where the others stopped.
        let mut codes = Codes::new(&mut pools);
        assert_eq!(codes.next("A", &promotion("", "p")).unwrap().as_deref(), Some("3"));
        codes.finish().unwrap();
        let handed_out: Vec<_> = pools.handed_out().collect();
        assert_eq!(handed_out, [("p", &["1", "2", "3"].map(str::to_owned)[..])]);
    }

    #[test]
    fn an_exhausted_pool_names_the_promotion_and_how_many_are_missing() {
        let mut pools = pools(&["1"]).unwrap();
        let mut codes = Codes::new(&mut pools);
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
            let error = pools(codes).unwrap_err();
            assert_eq!((error.code(), error.to_string().contains(words)), ("T0804", true));
        };
        check(&["1", "1"], "code 2 is there twice");
        check(&["2", "1", "3", "1", "2"], "code 4 is there twice");
        check(&["1", ""], "code 2 is blank");
        let mut none = CodePools::default();
        let error = Codes::new(&mut none).next("A", &promotion("", "gone")).unwrap_err();
        assert_eq!(error.code(), "T0805");
    }
}
