//! Does a SQL file say what it answers, and a feature its grain, its inputs and its as-of column?

use super::Source;

/// What the header of a feature file names, each as `word: ...`.
const HEADER: &[&str] = &["grain:", "inputs:", "as-of column:"];

/// The rules for one SQL file.
pub(crate) fn check(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    let header: Vec<&str> =
        source.text.lines().map_while(|line| line.strip_prefix("--")).map(str::trim).collect();
    if !header.first().is_some_and(|line| line.contains('?')) {
        findings.push(source.at(1, "begin with '-- <the question this file answers>?'"));
    }
    if source.path.starts_with("crates/features/sql/") {
        for word in HEADER {
            if !header.iter().any(|line| line.contains(word)) {
                findings.push(source.at(1, format!("the header must name '{word} ...'")));
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
        let header = "-- What?\n-- grain: customer. inputs: lines.\n-- as-of column: day.\n";
        check(&format!("{header}select 1"), 0);
        check("-- What? grain: customer. inputs: lines. as-of column: day.\nselect 1", 0);
        check("-- grain: customer\nselect 1", 3);
        check(&format!("{header}select now()"), 1);
        check(&format!("{header}select 1 -- not now()"), 0);
    }
}
