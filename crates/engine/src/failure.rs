//! Which of the six error kinds is a failure of the engine below?

use datafusion::error::DataFusionError;
use tercet_types::Error;

/// Words that mean "the disk is full or the limit is reached" on the systems we run on.
const NO_SPACE: [&str; 4] = ["No space left", "StorageFull", "File too large", "Disk quota"];

/// Turns a DataFusion failure into ours; `place` names what was being done.
pub(crate) fn query_failure(place: &str, failure: DataFusionError) -> Error {
    let root = failure.find_root();
    let text = root.to_string();
    let first_line = text.lines().next().unwrap_or_default().to_owned();
    if NO_SPACE.iter().any(|word| text.contains(word)) {
        return no_space(place).cause(failure);
    }
    match root {
        DataFusionError::SchemaError(..) | DataFusionError::Plan(_) | DataFusionError::SQL(..) => {
            Error::config("T0901", format!("{place}: {first_line}"))
                .hint("check the column names and the SQL expression")
        }
        DataFusionError::ResourcesExhausted(_) => {
            Error::unavailable("T0902", format!("{place}: out of memory: {first_line}"))
                .hint("raise [run] memory_mb, or close other programs")
        }
        DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => {
            Error::unavailable("T0903", format!("{place}: {first_line}"))
                .hint("check that the store answers and that you may read it, then run again")
        }
        DataFusionError::Internal(_) => {
            Error::internal("T0904", format!("{place}: {first_line}"))
        }
        _ => Error::data("T0905", format!("{place}: {first_line}"))
            .hint("the file may be damaged or of another format: open it with another tool, or fetch it again"),
    }
}

/// Turns an object store's failure into ours; `place` names the file.
pub(crate) fn store_failure(place: &str, failure: object_store::Error) -> Error {
    let text = format!("{failure:?}");
    if NO_SPACE.iter().any(|word| text.contains(word)) {
        return no_space(place).cause(failure);
    }
    match failure {
        object_store::Error::NotFound { .. } => {
            Error::not_found("T0906", format!("{place}: there is no such file"))
                .hint("check the path; relative paths start at the folder of tercet.toml")
        }
        object_store::Error::AlreadyExists { .. } => {
            Error::conflict("T0907", format!("{place}: already exists"))
        }
        other => Error::unavailable("T0903", format!("{place}: the store does not answer"))
            .hint("check the address and your rights, then run the same command again: it resumes")
            .cause(other),
    }
}

fn no_space(place: &str) -> Error {
    Error::unavailable("T0908", format!("{place}: the disk is full")).hint(
        "free some space and run the same command again: it resumes after the last finished stage",
    )
}
