//! Does a feature file say its grain, its inputs and the day it may look up to?

use super::Source;

/// What the header of a feature file names, each as `-- word: ...`.
const HEADER: &[&str] = &["grain", "inputs", "as-of"];

/// The rules for one SQL file.
pub(crate) fn check(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    if source.path.starts_with("crates/features/sql/") {
        let header: Vec<&str> =
            source.text.lines().take_while(|line| line.starts_with("--")).collect();
        for word in HEADER {
            let named = header
                .iter()
                .filter_map(|line| line.trim_start_matches('-').trim().split_once(':'))
                .any(|(name, what)| name.eq_ignore_ascii_case(word) && !what.trim().is_empty());
            if !named {
                findings.push(source.at(1, format!("the header must name '-- {word}: ...'")));
            }
        }
    }
    for (number, line) in source.text.lines().enumerate() {
        let code = line.split("--").next().unwrap_or("").to_ascii_lowercase();
        if ["now()", "current_date", "current_timestamp", "random()"]
            .iter()
            .any(|word| code.contains(word))
        {
            findings.push(source.at(number + 1, "reads a clock or chance: take the as-of date"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::source;
    use super::*;

    #[test]
    fn headers_and_clocks() {
        let check = |text: &str, expect: usize| {
            let findings = check(&source("crates/features/sql/customer/rfm.sql", text));
            assert_eq!(findings.len(), expect, "{text}: {findings:?}");
        };
        let header =
            "-- What?\n-- grain: customer\n-- inputs: transactions\n-- as-of: occurred_at\n";
        check(&format!("{header}select 1"), 0);
        check("-- grain: customer\nselect 1", 2);
        check(&format!("{header}select now()"), 1);
        check(&format!("{header}select 1 -- not now()"), 0);
    }
}
