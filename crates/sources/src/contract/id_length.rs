//! Is every id of a sane length?

use super::RowRule;
use crate::mapping::ID_ISSUE;

/// The mapping has measured them, before any pseudonym.
pub(super) fn rules() -> Vec<RowRule> {
    vec![RowRule {
        check: "id_length",
        condition: format!("{ID_ISSUE} is not null"),
        reason: ID_ISSUE.to_owned(),
    }]
}
