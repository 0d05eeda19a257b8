//! Destinations of predictions: a file, written atomically, or standard output.

use crate::output;
use gradus::artifacts::atomic_file::fill_atomic;
use gradus::{Error, Result};
use std::ffi::OsStr;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, PartialEq)]
pub enum Format {
    Csv,
    Json,
    Npy,
}

/// Formats by extension; `-` is CSV on standard output.
pub fn format(path: &Path) -> Result<Format> {
    if is_standard_output(path) {
        return Ok(Format::Csv);
    }
    let extension = path.extension().and_then(|e| e.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("json") => Ok(Format::Json),
        Some("npy") => Ok(Format::Npy),
        _ => {
            let problem = "found as --out, expected a name that ends in .npy, .csv or .json, or - \
                           for CSV on standard output";
            Err(Error::file(path, problem))
        }
    }
}

pub fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-")
}

/// Writes the output of `fill`. A closed pipe on standard output (`| head`) is no error.
pub fn fill(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    if output::is_mute() {
        return fill(&mut io::sink());
    }
    if !is_standard_output(path) {
        return fill_atomic(path, |file| fill(file));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let filled = fill(&mut out).and_then(|()| written(path, out.flush()));
    match filled {
        Err(Error::Io { cause, .. }) if cause.kind() == ErrorKind::BrokenPipe => {
            // The rest of the buffer has no reader either.
            let _ = out.into_parts();
            Ok(())
        }
        other => other,
    }
}

pub fn written(path: &Path, written: io::Result<()>) -> Result<()> {
    written.map_err(|cause| match is_standard_output(path) {
        true => Error::io("write to", "standard output", cause),
        false => Error::io("write", path, cause),
    })
}

/// Reports the file; silent after rows on standard output.
pub fn say(path: &Path, what: &str) -> Result<()> {
    match is_standard_output(path) {
        true => Ok(()),
        false => output::result(&format!("{}: {what}\n", path.display())),
    }
}

/// The name of an additional file: `p.csv` becomes `p_std.csv`.
pub fn beside(path: &Path, what: &str) -> PathBuf {
    let part = |part: Option<&OsStr>| part.unwrap_or_default().to_os_string();
    let mut name = part(path.file_stem());
    name.push(format!("_{what}."));
    name.push(part(path.extension()));
    path.with_file_name(name)
}
