//! Does every cell have the type of its column?

use super::RowRule;
use crate::mapping::TYPE_ISSUE;

/// The mapping has found them already; with the policy `warn` the cell is null.
pub(super) fn rules() -> Vec<RowRule> {
    vec![RowRule {
        check: "type",
        condition: format!("{TYPE_ISSUE} is not null"),
        reason: TYPE_ISSUE.to_owned(),
    }]
}
