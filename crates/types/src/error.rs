//! What went wrong, where, and what should the reader do about it?

use std::fmt;

/// The result of every fallible call in the workspace.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The six kinds of failure, each with one thing to do about it.
///
/// The kind decides the exit code of the command line and, later, the HTTP problem type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The configuration or a flag is wrong: edit it and run again.
    Config,
    /// The input data are wrong: mend the file, or relax the contract that the message names.
    Data,
    /// Somebody else holds the resource, or it already exists: wait or pick another.
    Conflict,
    /// A disk, store or network does not answer: run the same command again; it resumes.
    Unavailable,
    /// What was asked for is not there: list what is.
    NotFound,
    /// A bug in tercet: report it with the message.
    Internal,
}

impl ErrorKind {
    /// The process exit code of this kind.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Config => 2,
            Self::Data => 3,
            Self::Conflict => 4,
            Self::Unavailable => 5,
            Self::NotFound => 6,
            Self::Internal => 70,
        }
    }
}

/// One error type for the workspace: a kind, a stable code, a message, a hint and a cause.
///
/// Messages are lower-case and name the place (table, column, row, file); the hint names the remedy.
///
/// ```
/// use tercet_types::{Error, ErrorKind};
/// let error = Error::data("T0203", "transactions: column 'qty' is missing")
///     .hint("map the column in [sources.transactions.columns]");
/// assert_eq!(error.kind(), ErrorKind::Data);
/// assert_eq!(error.to_string(), "transactions: column 'qty' is missing");
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    code: &'static str,
    message: String,
    hint: Option<String>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with a stable code such as `T0412`.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, code, message: message.into(), hint: None, cause: None }))
    }

    /// A wrong configuration or flag.
    pub fn config(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, code, message)
    }

    /// Wrong input data.
    pub fn data(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, code, message)
    }

    /// Something held or already there.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, code, message)
    }

    /// A store or disk that does not answer.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, code, message)
    }

    /// Something asked for that is not there.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, code, message)
    }

    /// A bug.
    pub fn internal(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, code, message)
    }

    /// Adds the remedy, shown on its own line.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the underlying error, shown after the message.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Puts a place before the message: `context: message`.
    #[must_use]
    pub fn context(mut self, place: impl fmt::Display) -> Self {
        self.0.message = format!("{place}: {}", self.0.message);
        self
    }

    /// What the reader must do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code, for example `T0203`.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The remedy, when one is known.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}
