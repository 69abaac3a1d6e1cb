//! Which of the six error kinds is a failure of the engine below?

use datafusion::error::DataFusionError;
use tercet_types::Error;

/// Words that mean "the disk is full or the limit is reached" on the systems we run on.
const NO_SPACE: [&str; 4] = ["No space left", "StorageFull", "File too large", "Disk quota"];

/// What S3 calls it when the caller is not who may do this; some come with other statuses than 403.
const REFUSALS: [&str; 9] = [
    "status code: 401",
    "status code: 403",
    "<Code>AuthorizationHeaderMalformed</Code>",
    "<Code>ExpiredToken</Code>",
    "<Code>InvalidToken</Code>",
    "<Code>InvalidAccessKeyId</Code>",
    "<Code>SignatureDoesNotMatch</Code>",
    "<Code>AccessDenied</Code>",
    "incorrectly configured region",
];

/// The most of a server's own words that are passed on, characters.
const WORDS_MAX: usize = 200;

/// Turns a DataFusion failure into ours; `place` names what was being done.
pub(crate) fn query_failure(place: &str, failure: DataFusionError) -> Error {
    let root = failure.find_root();
    let text = root.to_string();
    let first_line = text.lines().next().unwrap_or_default().to_owned();
    if let Some(error) = server_failure(place, root) {
        return error;
    }
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
    if NO_SPACE.iter().any(|word| format!("{failure:?}").contains(word)) {
        return no_space(place).cause(failure);
    }
    match &failure {
        object_store::Error::NotFound { .. } if !said(&failure).contains("NoSuchBucket") => {
            let hint = if place.starts_with("s3") {
                "check the bucket and the path below it; capital letters count"
            } else {
                "check the path; relative paths start at the folder of tercet.toml"
            };
            Error::not_found("T0906", format!("{place}: there is no such file")).hint(hint)
        }
        object_store::Error::AlreadyExists { .. } => {
            Error::conflict("T0907", format!("{place}: already exists"))
        }
        _ => server_failure(place, &failure).unwrap_or_else(|| {
            Error::unavailable("T0903", format!("{place}: the store does not answer"))
                .hint("check the address and your rights, then run the same command again: it resumes")
                .cause(failure)
        }),
    }
}

/// The failure of a request to a server; nothing when `failure` is about something else.
///
/// The cause is made of the server's code and words or of the system's: what else the layers below
/// print (the signed request, ids of keys) does not belong on a terminal or in a log.
fn server_failure(place: &str, failure: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let text = failure.to_string();
    let request = text.split_once("Error performing ")?.1;
    let address = request.split_whitespace().nth(1).and_then(|url| url::Url::parse(url).ok());
    let host = address.map(|url| url[..url::Position::BeforePath].to_owned());
    let host = host.unwrap_or_else(|| "the server".to_owned());
    let error = if text.contains("<Code>NoSuchBucket</Code>") {
        Error::not_found("T0915", format!("{place}: there is no such bucket"))
            .hint("make the bucket, or check its name and AWS_ENDPOINT_URL")
    } else if REFUSALS.iter().any(|word| text.contains(word)) {
        Error::config("T0916", format!("{place}: the store refuses access")).hint(
            "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and that this key may read \
             and write there",
        )
    } else if request.contains("/latest/") {
        return Some(
            Error::config("T0917", format!("{place}: no credentials for the object store")).hint(
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run on a machine that has a role",
            ),
        );
    } else {
        Error::unavailable("T0903", format!("{place}: the store does not answer")).hint(
            "check AWS_ENDPOINT_URL and the network, then run the same command again: it resumes",
        )
    };
    Some(error.cause(format!("{host}: {}", said(failure))))
}

/// What the server said went wrong, or the system when there was no server.
fn said(failure: &(dyn std::error::Error + 'static)) -> String {
    let text = failure.to_string();
    let between = |from: &str, to: &str| Some(text.split_once(from)?.1.split_once(to)?.0);
    let words = match between("<Code>", "</Code>") {
        Some(code) => match between("<Message>", "</Message>") {
            Some(message) => format!("{code}: {message}"),
            None => code.to_owned(),
        },
        None => {
            let mut deepest = failure;
            while let Some(inner) = deepest.source() {
                deepest = inner;
            }
            deepest.to_string()
        }
    };
    let line = words.lines().next().unwrap_or_default();
    line.chars().take(WORDS_MAX).collect()
}

fn no_space(place: &str) -> Error {
    Error::unavailable("T0908", format!("{place}: the disk is full")).hint(
        "free some space and run the same command again: it resumes after the last finished stage",
    )
}
