//! The store that a url names.

use super::failure;
use super::transport::{Connector, silence};
use crate::base::threads::lock;
use crate::base::url::Url;
use crate::error::{Error, Result};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path as Location;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Tries of a request that the server has answered with an error of its own, beside the first.
const AGAIN: usize = 2;

/// The stores so far, by scheme and bucket, with their connections and credentials.
static STORES: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>> = Mutex::new(BTreeMap::new());

/// The store of a url, and the object's place in it.
pub(super) fn connect(path: &Path) -> Result<(Arc<dyn ObjectStore>, Location)> {
    let url = Url::of(path)?;
    let failed = |error| Error::io("read", path, failure::of(error, url.scheme));
    let location = Location::from_url_path(url.path).map_err(|error| failed(error.into()))?;
    let root = format!("{}://{}", url.scheme, url.place);
    if let Some(store) = lock(&STORES).get(&root) {
        return Ok((Arc::clone(store), location));
    }
    let store = store(url.scheme, &root).map_err(failed)?;
    lock(&STORES).insert(root, Arc::clone(&store));
    Ok((store, location))
}

fn store(scheme: &str, root: &str) -> object_store::Result<Arc<dyn ObjectStore>> {
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: AGAIN,
        // A silent server has had its time.
        retry_timeout: silence(),
    };
    macro_rules! built {
        ($builder:expr) => {
            Arc::new(
                $builder
                    .with_url(root)
                    .with_retry(retry)
                    .with_http_connector(Connector)
                    .build()?,
            )
        };
    }
    Ok(match scheme {
        "s3" => built!(AmazonS3Builder::from_env()),
        "gs" => built!(GoogleCloudStorageBuilder::from_env()),
        "az" => built!(MicrosoftAzureBuilder::from_env()),
        _ => {
            // The url itself says whether it is encrypted.
            let options = ClientOptions::new().with_allow_http(true);
            built!(HttpBuilder::new().with_client_options(options))
        }
    })
}
