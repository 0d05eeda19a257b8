//! A program that was built without object stores.

use crate::base::url::Url;
use crate::error::{Error, Result};
use std::io::{Empty, Read};
#[cfg(feature = "parquet")]
use std::ops::Range;
use std::path::Path;

/// An object of a store: there is none.
#[derive(Clone, Debug)]
pub enum Object {}

impl Object {
    /// An error.
    pub fn open(url: &Path) -> Result<Self> {
        Url::of(url)?;
        let problem = "is a url, which this program was built without: build it with \
                       `--features object-store`, or download the file";
        Err(Error::file(url, problem))
    }

    /// Length in bytes.
    pub fn length(&self) -> u64 {
        match *self {}
    }

    /// A number that changes with the object's bytes.
    pub fn version(&self) -> u64 {
        match *self {}
    }

    /// Some of its bytes.
    #[cfg(feature = "parquet")]
    pub fn range(&self, _range: Range<u64>) -> Result<Vec<u8>> {
        match *self {}
    }

    /// All of its bytes from one on.
    pub fn reader(&self, _start: u64) -> impl Read + Send + 'static {
        match *self {}
        #[allow(unreachable_code)]
        Empty::default()
    }
}
