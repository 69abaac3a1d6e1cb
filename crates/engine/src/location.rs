//! Where is it: which store, which path?

use std::path::{Path, PathBuf};

use tercet_types::{Error, Result};
use url::Url;

/// A place given by the user: a URL (`s3://bucket/folder`), or a path that starts at a folder.
///
/// ```
/// use tercet_engine::Location;
/// let local = Location::new("data/sales.csv", "/shop".as_ref()).unwrap();
/// assert_eq!(local.url().as_str(), "file:///shop/data/sales.csv");
/// let remote = Location::new("s3://bucket/sales/*.parquet", "/shop".as_ref()).unwrap();
/// assert_eq!(remote.url().scheme(), "s3");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    url: Url,
    local: Option<PathBuf>,
}

impl Location {
    /// The place that `text` names; relative paths start at the absolute folder `base`.
    ///
    /// # Errors
    /// `T0909` when the text is neither a URL nor a path, or holds a password.
    pub fn new(text: &str, base: &Path) -> Result<Self> {
        let bad = || {
            Error::config("T0909", format!("'{text}' is not a place"))
                .hint("give a path, or a URL such as s3://bucket/folder")
        };
        if text.is_empty() {
            return Err(bad());
        }
        if text.contains("://") && !text.starts_with("file://") {
            let url = Url::parse(text).map_err(|cause| bad().cause(cause))?;
            // It would stand in messages and manifests.
            if !url.username().is_empty() || url.password().is_some() {
                let place = url.host_str().unwrap_or_default();
                return Err(Error::config(
                    "T0909",
                    format!("the address of '{place}' holds a name or a password"),
                )
                .hint("credentials come from the environment: AWS_ACCESS_KEY_ID and the like"));
            }
            return Ok(Self { url, local: None });
        }
        let path = base.join(text.strip_prefix("file://").unwrap_or(text));
        let folder = text.ends_with('/');
        let path: PathBuf = path.components().collect();
        let url = if folder { Url::from_directory_path(&path) } else { Url::from_file_path(&path) };
        Ok(Self { url: url.map_err(|()| bad())?, local: Some(path) })
    }

    /// The URL; local paths as `file://`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The path on this machine, when it is one.
    pub fn local(&self) -> Option<&Path> {
        self.local.as_deref()
    }
}
