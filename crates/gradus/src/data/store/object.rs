//! An object of a store: its bytes, by ranges.

use super::connect::connect;
use super::failure::{self, is_beyond, is_whole_only};
use crate::base::hash::fnv;
use crate::base::url::Url;
use crate::error::{Error, Result};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use object_store::path::Path as Location;
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The bytes of the first request.
const START: u64 = 64 << 10;
/// The most bytes of a request.
const BLOCK: u64 = 8 << 20;

/// An object as it was when it was opened. When it has changed since, reading it is an error.
#[derive(Clone)]
pub struct Object {
    url: PathBuf,
    store: Arc<dyn ObjectStore>,
    location: Location,
    about: Option<ObjectMeta>,
    /// Its first bytes.
    start: Bytes,
    /// True if the server sends no parts of it.
    whole_only: bool,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url.display())
    }
}

impl Object {
    /// Opens an object, by a request for its first bytes.
    pub fn open(url: &Path) -> Result<Self> {
        let (store, location) = connect(url)?;
        let mut object = Object {
            url: url.to_owned(),
            store,
            location,
            about: None,
            start: Bytes::new(),
            whole_only: false,
        };
        match object.get(Some(0..START)) {
            Ok(first) => {
                let (about, range) = (first.meta.clone(), first.range.clone());
                let mut start = Vec::new();
                object.add(first, range.end, &mut start)?;
                object.about = Some(about);
                object.start = Bytes::from(start);
            }
            Err(error) if is_beyond(&error) => {}
            Err(error) if is_whole_only(&error) => {
                object.whole_only = true;
                let whole = object.get(None).map_err(|error| object.failed(error))?;
                object.about = Some(whole.meta);
            }
            Err(error) => return Err(object.failed(error)),
        }
        Ok(object)
    }

    /// Length in bytes, as the server says.
    pub fn length(&self) -> u64 {
        self.about.as_ref().map_or(0, |about| about.size)
    }

    /// A number that changes with the object's bytes, as far as the server says: of one that says
    /// nothing, it changes always.
    pub fn version(&self) -> u64 {
        let said = self.about.as_ref().map(|about| {
            let changed = about
                .last_modified
                .timestamp_nanos_opt()
                .unwrap_or_default();
            (changed, about.e_tag.clone(), about.version.clone())
        });
        let is_known = said.as_ref().is_some_and(|(changed, tag, version)| {
            *changed != 0 || tag.is_some() || version.is_some()
        });
        match is_known {
            true => fnv(format!("{said:?}").as_bytes()),
            false => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |now| now.as_nanos() as u64),
        }
    }

    /// Some of its bytes, all of them within its length.
    pub fn range(&self, range: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let held = self.start.len() as u64;
        if range.end <= held {
            bytes.extend_from_slice(&self.start[range.start as usize..range.end as usize]);
            return Ok(bytes);
        }
        if self.whole_only {
            let problem = "the server sends no parts of files, which are needed of a Parquet file: \
                           download it, or keep it on another server";
            return Err(Error::file(&self.url, problem));
        }
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min(at + BLOCK);
            let got = self
                .get(Some(at..end))
                .map_err(|error| self.failed(error))?;
            self.same(&got.meta)?;
            self.add(got, end - at, &mut bytes)?;
            at = end;
        }
        Ok(bytes)
    }

    /// All of its bytes from one on, read when they are asked for.
    pub fn reader(&self, start: u64) -> impl Read + Send + 'static {
        Reader {
            object: self.clone(),
            at: start,
            block: io::Cursor::new(Bytes::new()),
            whole: None,
        }
    }

    fn get(&self, range: Option<Range<u64>>) -> object_store::Result<GetResult> {
        let options = GetOptions {
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        wait(self.store.get_opts(&self.location, options))?
    }

    /// Adds the bytes of an answer, which are to be so many.
    fn add(&self, got: GetResult, expected: u64, bytes: &mut Vec<u8>) -> Result<()> {
        let before = bytes.len();
        let mut stream = got.into_stream();
        while let Some(piece) = next(&mut stream) {
            bytes.extend_from_slice(&piece.map_err(|error| self.failed(error))?);
            if (bytes.len() - before) as u64 > expected {
                break;
            }
        }
        match (bytes.len() - before) as u64 {
            found if found == expected => Ok(()),
            found => Err(self.short(found, expected)),
        }
    }

    fn short(&self, found: u64, expected: u64) -> Error {
        let problem =
            format!("the server sends {found} bytes or more, where it says it sends {expected}");
        Error::file(&self.url, problem)
    }

    /// Refuses an object that is not the one that was opened.
    fn same(&self, now: &ObjectMeta) -> Result<()> {
        let of = |about: &ObjectMeta| (about.size, about.e_tag.clone(), about.last_modified);
        match &self.about {
            Some(about) if of(about) == of(now) => Ok(()),
            _ => Err(Error::file(&self.url, "was changed while it was read")),
        }
    }

    fn failed(&self, error: object_store::Error) -> Error {
        let scheme = Url::of(&self.url).map_or("", |url| url.scheme);
        Error::io("read", &self.url, failure::of(error, scheme))
    }
}

/// An object that is read from a byte on.
struct Reader {
    object: Object,
    /// The byte behind the block.
    at: u64,
    block: io::Cursor<Bytes>,
    /// The rest of an object that is sent as a whole.
    whole: Option<BoxStream<'static, object_store::Result<Bytes>>>,
}

impl Reader {
    /// The next bytes; none at the end.
    fn next(&mut self) -> Result<Bytes> {
        let (object, length) = (&self.object, self.object.length());
        if self.at >= length {
            return Ok(Bytes::new());
        }
        let held = object
            .start
            .slice(object.start.len().min(self.at as usize)..);
        if !held.is_empty() {
            return Ok(held);
        }
        if !object.whole_only {
            let end = length.min(self.at + BLOCK);
            return object.range(self.at..end).map(Bytes::from);
        }
        let mut stream = match self.whole.take() {
            Some(stream) => stream,
            None => {
                let whole = object.get(None).map_err(|error| object.failed(error))?;
                object.same(&whole.meta)?;
                whole.into_stream()
            }
        };
        let piece = match next(&mut stream) {
            Some(piece) => piece.map_err(|error| object.failed(error))?,
            None => return Err(object.short(self.at, length)),
        };
        self.whole = Some(stream);
        Ok(piece)
    }
}

impl Read for Reader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.block.read(to)?;
        if read > 0 || to.is_empty() {
            return Ok(read);
        }
        let next = self.next().map_err(|error| match error {
            // The caller names the object once more.
            Error::Io { cause, .. } => cause,
            Error::File { problem, .. } => io::Error::other(problem),
            other => io::Error::other(other.to_string()),
        })?;
        self.at += next.len() as u64;
        self.block = io::Cursor::new(next);
        self.block.read(to)
    }
}

/// The next piece of an answer.
fn next(
    stream: &mut BoxStream<'static, object_store::Result<Bytes>>,
) -> Option<object_store::Result<Bytes>> {
    match wait(poll_fn(|context| stream.as_mut().poll_next(context))) {
        Ok(next) => next,
        Err(error) => Some(Err(error)),
    }
}

/// Waits for a request. Its work is done on this thread; the runtime has the clock by which the crate
/// waits before it asks once more.
fn wait<F: Future + Send>(request: F) -> object_store::Result<F::Output>
where
    F::Output: Send,
{
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.map(|runtime| runtime.block_on(request))
    };
    let done = match tokio::runtime::Handle::try_current() {
        Err(_) => work(),
        // Within a runtime of the program, which must not be blocked by another one.
        Ok(_) => std::thread::scope(|scope| {
            let joined = scope.spawn(work).join();
            joined.unwrap_or_else(|_| Err(io::Error::other("a request has panicked")))
        }),
    };
    done.map_err(|cause| object_store::Error::Generic {
        store: "gradus",
        source: Box::new(cause),
    })
}
