//! An event file, which grows while a training goes on.

use super::messages::{Event, SessionLog, Summary, Value, What};
use super::records;
use crate::base::atomic_file::{create_parent, write_atomic};
use crate::error::{Error, Result};
use prost::Message;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The place in a training that one goes on from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// The next epoch, from 0.
    pub epoch: usize,
    /// The steps that have been taken.
    pub step: u64,
}

impl Position {
    /// True if an event is of later epochs or steps: of a process that was killed after the state that it
    /// left behind was saved.
    fn is_before(&self, event: &Event) -> bool {
        let Some(What::Summary(summary)) = &event.what else {
            return false;
        };
        let first = summary.value.first().map_or("", |value| &value.tag);
        // The events of an epoch begin with its loss; the others count steps, those of an evaluation
        // the steps before it.
        let next = if first.starts_with("epoch_") {
            self.epoch as i64
        } else if first.starts_with("evaluation_") {
            self.step as i64 + 1
        } else {
            self.step as i64
        };
        event.step >= next
    }
}

/// A file of events in a folder of its own. Nothing is written before there are events.
#[derive(Debug)]
pub struct EventFile {
    folder: PathBuf,
    /// The position to go on from, if the folder has the events before it.
    resumed: Option<Position>,
    /// The file, once it is there, and the bytes of it that are whole records.
    file: Option<(PathBuf, u64)>,
    /// Records that are still to be written.
    pending: Vec<u8>,
}

impl EventFile {
    /// A file beside those that the folder has, if any.
    pub fn new(folder: PathBuf) -> Self {
        EventFile {
            folder,
            resumed: None,
            file: None,
            pending: Vec::new(),
        }
    }

    /// A file in place of those that the folder has, which goes on behind their events before
    /// `position`.
    pub fn resumed(folder: PathBuf, position: Position) -> Self {
        EventFile {
            resumed: Some(position),
            ..Self::new(folder)
        }
    }

    /// True if the folder has no events to go on with.
    pub fn is_new(&self) -> bool {
        self.resumed.is_none() || names(&self.folder).is_ok_and(|names| names.is_empty())
    }

    /// Adds the values of an epoch or a step, to be written with the next [`write`](Self::write).
    pub fn add(&mut self, step: u64, values: Vec<Value>) {
        if !values.is_empty() {
            let summary = What::Summary(Summary { value: values });
            append(&mut self.pending, step as i64, summary);
        }
    }

    /// Writes what has been added. It is kept if that fails.
    pub fn write(&mut self) -> Result<()> {
        if self.file.is_none() {
            self.begin()?;
        }
        let Some((path, size)) = &mut self.file else {
            return Ok(());
        };
        if self.pending.is_empty() {
            return Ok(());
        }
        create_parent(path)?;
        let write = || {
            let mut file = OpenOptions::new().append(true).create(true).open(&*path)?;
            if file.metadata()?.len() > *size {
                // The last write broke off.
                file.set_len(*size)?;
            }
            file.write_all(&self.pending)
        };
        write().map_err(|cause| Error::io("write", &*path, cause))?;
        *size += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Begins the file, if there is something to write.
    fn begin(&mut self) -> Result<()> {
        let before = names(&self.folder).map_err(|cause| Error::io("read", &self.folder, cause))?;
        let old = match self.resumed {
            Some(_) => &before[..],
            None => &[],
        };
        if self.pending.is_empty() && old.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(name(before.last()));
        let mut begun = Vec::new();
        append(&mut begun, 0, What::FileVersion("brain.Event:2".into()));
        let (Some(position), Some(newest)) = (self.resumed, old.last()) else {
            self.pending.splice(0..0, begun);
            self.file = Some((path, 0));
            return Ok(());
        };
        // A TensorBoard that is open has read the old file.
        let status = SessionLog::START;
        append(&mut begun, 0, What::SessionLog(SessionLog { status }));
        let newest = self.folder.join(newest);
        let kept = copy_before(&newest, position, &mut begun);
        kept.map_err(|cause| Error::io("read", newest, cause))?;
        tidy(&self.folder);
        write_atomic(&path, |file| file.write_all(&begun))?;
        self.file = Some((path, begun.len() as u64));
        for name in old {
            let path = self.folder.join(name);
            fs::remove_file(&path).map_err(|cause| Error::io("remove", path, cause))?;
        }
        Ok(())
    }
}

/// Appends an event of now.
fn append(records: &mut Vec<u8>, step: i64, what: What) {
    let event = Event {
        wall_time: seconds(),
        step,
        what: Some(what),
    };
    records::append(records, &event.encode_to_vec());
}

/// Seconds since 1970.
pub fn seconds() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0.0, |now| now.as_secs_f64())
}

/// Copies the summaries of a file up to the first that comes from behind the position.
fn copy_before(path: &Path, position: Position, records: &mut Vec<u8>) -> io::Result<()> {
    let mut file = BufReader::new(File::open(path)?);
    while let Some(record) = records::next(&mut file)? {
        match Event::decode(&record[..]) {
            Ok(event) if !matches!(event.what, Some(What::Summary(_))) => {}
            Ok(event) if !position.is_before(&event) => records::append(records, &record),
            _ => break,
        }
    }
    Ok(())
}

/// The beginning of an event file's name, behind which is the time.
const PREFIX: &str = "events.out.tfevents.";

/// The names of a folder's event files, from the oldest on.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(PREFIX)).collect();
    names.sort();
    Ok(names)
}

/// Removes what killed processes have left of new files: TensorBoard would read them.
fn tidy(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_left = |name: &str| name.starts_with(PREFIX) && name.ends_with(".tmp");
        if name.strip_prefix('.').is_some_and(is_left) {
            // A leftover file does little harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The name of a new file, which sorts behind the newest one: readers go from file to file by name.
fn name(newest: Option<&String>) -> String {
    let digits = newest.and_then(|name| name.strip_prefix(PREFIX)?.split('.').next());
    let before: u64 = digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let time = (seconds() as u64).max(before.saturating_add(1));
    format!("{PREFIX}{time:010}.gradus.{}.v2", std::process::id())
}
