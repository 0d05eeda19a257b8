//! Urls where paths are read: `s3://bucket/table.csv`.

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// The schemes of the urls that are read.
const SCHEMES: [&str; 5] = ["s3", "gs", "az", "http", "https"];

/// A url in its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Url<'a> {
    /// One of the schemes above.
    pub scheme: &'a str,
    /// The bucket, the container, or the server with its port.
    pub place: &'a str,
    /// The path in it, as it is written.
    pub path: &'a str,
}

/// True for a url of any scheme.
pub(crate) fn is_url(path: &Path) -> bool {
    path.to_str().is_some_and(|text| scheme(text).is_some())
}

/// The path of `name`, which is relative to the folder `base`; a url stays as it is.
pub(crate) fn join(base: &Path, name: impl AsRef<Path>) -> PathBuf {
    match is_url(name.as_ref()) {
        true => name.as_ref().to_owned(),
        false => base.join(name),
    }
}

/// Scheme and rest of a url.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let is_name = scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    is_name.then_some((scheme, rest))
}

impl<'a> Url<'a> {
    /// The parts of a url. One that holds a password, or a query, which may hold a signature, is refused:
    /// it would be kept in a run's files. The error does not repeat these.
    pub fn of(path: &'a Path) -> Result<Self> {
        let text = path.to_str().unwrap_or_default();
        let (scheme, rest) = scheme(text).ok_or_else(|| {
            Error::file(path, "is no url, expected one such as s3://bucket/t.csv")
        })?;
        let (rest, query) = match rest.find(['?', '#']) {
            Some(end) => (&rest[..end], true),
            None => (rest, false),
        };
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
        let shown = format!("{scheme}://{host}/{path}");
        let refused = |problem: &str| Err(Error::file(&shown, problem));
        if host.len() < place.len() {
            return refused(
                "has a user's name or a password, which a run's files would keep: leave them out; \
                 credentials are read from environment variables",
            );
        }
        if query {
            return refused(
                "has a query behind `?` or a fragment behind `#`: a signature there would be kept in a \
                 run's files. Leave it out; credentials are read from environment variables. In a name, \
                 `?` is written %3F, and `#` %23",
            );
        }
        if !SCHEMES.contains(&scheme) {
            let expected =
                "is a url of a scheme that is not read, expected one of s3, gs, az, http, https";
            return refused(expected);
        }
        if place.is_empty() || path.is_empty() {
            return refused(
                "names no object, expected a bucket or a server, and the object's name in it",
            );
        }
        Ok(Url {
            scheme,
            place,
            path,
        })
    }

    /// Refuses a url that [`Url::of`] refuses; says nothing of other paths.
    pub fn check(path: &'a Path) -> Result<()> {
        match is_url(path) {
            true => Url::of(path).map(drop),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_from_paths() {
        for url in ["s3://b/t.csv", "https://a.b:80/c/t.parquet", "ftp://a/b"] {
            assert!(is_url(Path::new(url)), "{url}");
            assert_eq!(join(Path::new("/base"), url), Path::new(url));
        }
        for path in ["t.csv", "/a/b", "C:\\t.csv", "c://t.csv", "a b://c", "://a"] {
            assert!(!is_url(Path::new(path)), "{path}");
            assert!(Url::check(Path::new(path)).is_ok());
        }
        assert_eq!(join(Path::new("base"), "t.csv"), Path::new("base/t.csv"));
        let url = Url::of(Path::new("http://localhost:80/a/t.csv")).unwrap();
        assert_eq!(
            (url.scheme, url.place, url.path),
            ("http", "localhost:80", "a/t.csv")
        );
    }

    #[test]
    fn secrets_are_refused_and_not_repeated() {
        for url in [
            "https://me:hush@server/t.csv",
            "https://server/t.csv?X-Amz-Signature=hush",
            "https://server?hush/t.csv",
            "s3://bucket/t.csv#hush",
            "az://hush@account/t.csv?sig=hush",
        ] {
            let said = Url::of(Path::new(url)).unwrap_err().to_string();
            assert!(said.contains("environment variables"), "{said}");
            assert!(!said.contains("hush"), "{said}");
        }
        let said = |url: &str| Url::of(Path::new(url)).unwrap_err().to_string();
        assert!(said("ftp://server/t.csv").contains("expected one of s3, gs"));
        assert!(said("s3://bucket").contains("names no object"));
    }
}
