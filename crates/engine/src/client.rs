//! Which client speaks to the store behind a URL, and how long does it try?

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};
use tercet_types::{Error, Result};

use crate::Location;

/// How often a request that got no answer, or "slow down", is sent again.
const RETRIES_MAX: usize = 5;

/// After this long a request is not sent again: a wrong address fails in seconds.
const RETRY_SECONDS_MAX: u64 = 15;

/// The longest wait between two tries.
const BACKOFF_SECONDS_MAX: u64 = 5;

/// How long a server may take to accept a connection, unless `AWS_CONNECT_TIMEOUT` says otherwise.
const CONNECT_SECONDS_MAX: u64 = 3;

/// What to do when the settings of the object store are not complete.
const SETTINGS_HINT: &str = "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION; for another \
                             server than Amazon's also AWS_ENDPOINT_URL";

/// The client of the store at `location`, with `options` as `object_store` names them.
///
/// # Errors
/// `T0909` when no store speaks the URL's scheme, `T0917` for settings that cannot work.
pub(crate) fn client(
    location: &Location,
    options: &[(String, String)],
) -> Result<Arc<dyn ObjectStore>> {
    match location.url().scheme() {
        "file" => Ok(Arc::new(LocalFileSystem::new())),
        "s3" | "s3a" => s3(location, options),
        scheme => Err(Error::config(
            "T0909",
            format!("'{}': no store is called {scheme}", location.url()),
        )
        .hint("give a path, or an address such as s3://bucket/folder")),
    }
}

fn s3(location: &Location, options: &[(String, String)]) -> Result<Arc<dyn ObjectStore>> {
    let unusable = |why: &str| {
        Error::config("T0917", format!("{}: {why}", location.url())).hint(SETTINGS_HINT)
    };
    let retry = RetryConfig {
        backoff: BackoffConfig {
            max_backoff: Duration::from_secs(BACKOFF_SECONDS_MAX),
            ..BackoffConfig::default()
        },
        max_retries: RETRIES_MAX,
        retry_timeout: Duration::from_secs(RETRY_SECONDS_MAX),
    };
    let connect = Duration::from_secs(CONNECT_SECONDS_MAX);
    let mut builder = AmazonS3Builder::new()
        .with_url(location.url().as_str())
        .with_retry(retry)
        .with_client_options(ClientOptions::new().with_connect_timeout(connect));
    for (name, value) in options.iter().filter(|(_, value)| !value.is_empty()) {
        // Variables that belong to other programs are not ours to judge.
        if let Ok(key) = name.to_ascii_lowercase().parse() {
            builder = builder.with_config(key, value);
        }
    }
    let set = |key: AmazonS3ConfigKey| builder.get_config_value(&key);
    let endpoint = set(AmazonS3ConfigKey::S3Endpoint).or(set(AmazonS3ConfigKey::Endpoint));
    if let Some(endpoint) = endpoint {
        let address = url::Url::parse(&endpoint)
            .ok()
            .filter(|address| address.has_host() && address.scheme().starts_with("http"));
        let Some(address) = address else {
            return Err(unusable("the endpoint is not an http address")
                .hint("AWS_ENDPOINT_URL is a whole address, such as https://storage.example"));
        };
        if !address.username().is_empty() || address.password().is_some() {
            return Err(unusable("the endpoint holds a name or a password"));
        }
        let allowed = set(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
        if address.scheme() == "http" && allowed.is_none_or(|allowed| allowed == "false") {
            return Err(unusable("the endpoint is not encrypted (http://)").hint(
                "give an https:// address, or set AWS_ALLOW_HTTP=true for a server in your own network",
            ));
        }
    }
    match builder.build() {
        Ok(store) => Ok(Arc::new(store)),
        Err(cause) => Err(unusable("the object store's settings are not usable").cause(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_named_at_once() {
        let check = |place: &str, settings: &[(&str, &str)], code: &str, words: &str| {
            let options: Vec<(String, String)> =
                settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let location = Location::new(place, "/shop".as_ref()).unwrap();
            let error = client(&location, &options).unwrap_err();
            assert_eq!(error.code(), code, "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.hint_text().is_some());
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        };
        let s3 = "s3://shop/sales";
        check("gs://shop/sales", &[], "T0909", "no store is called gs");
        check("https://example.com/sales.csv", &[], "T0909", "no store is called https");
        check(s3, &[("aws_secret_access_key", "hush")], "T0917", "not usable");
        check(s3, &[("aws_endpoint", "http://127.0.0.1:1")], "T0917", "not encrypted");
        check(s3, &[("aws_endpoint_url", "storage.example")], "T0917", "not an http address");
        check(s3, &[("aws_endpoint_url_s3", "https://me:hush@host")], "T0917", "a password");
    }

    #[test]
    fn settings_of_others_and_empty_ones_do_no_harm() {
        let location = Location::new("s3://shop", "/shop".as_ref()).unwrap();
        let options = [("aws_profile", "mine"), ("aws_endpoint_url", ""), ("aws_region", "eu-1")];
        let options = options.map(|(k, v)| (k.to_owned(), v.to_owned()));
        client(&location, &options).unwrap();
    }
}
