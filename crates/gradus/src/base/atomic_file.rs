//! Atomic files: written completely or not at all.

use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file atomically: it gets its final name only when all of it is on the disk.
///
/// `write` fills a temporary file beside it, which is then synced and renamed. A process killed on
/// the way leaves the old file, or none, under `path`; an error also removes the temporary file.
pub fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<()> {
    fill_atomic(path, |file| {
        write(file).map_err(|cause| Error::io("write", path, cause))
    })
}

/// As [`write_atomic`], for what may go wrong otherwise than in writing.
pub fn fill_atomic(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let failed = |cause| Error::io("write", path, cause);
    let (aside, file) = create_aside(path).map_err(failed)?;
    let filled = (|| {
        let mut buffered = BufWriter::with_capacity(1 << 16, file);
        fill(&mut buffered)?;
        let written = buffered.into_inner().map_err(|e| e.into_error());
        written.and_then(|file| file.sync_all()).map_err(failed)?;
        fs::rename(&aside, path).map_err(failed)
    })();
    if filled.is_err() {
        // The first error is the one to report; a leftover file does no harm.
        let _ = fs::remove_file(&aside);
        return filled;
    }
    sync_folder(path)
}

/// Gives a complete file its final name after syncing it: the last step for callers who fill a
/// temporary file in several goes.
pub fn into_place(file: &File, aside: &Path, path: &Path) -> Result<()> {
    let failed = |cause| Error::io("write", path, cause);
    file.sync_all().map_err(failed)?;
    fs::rename(aside, path).map_err(failed)?;
    sync_folder(path)
}

/// Creates the folder of a file, if it is not there.
pub(crate) fn create_parent(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(|cause| Error::io("create", folder, cause))
}

/// Removes what killed processes have left of that file: see [`write_atomic`].
pub(crate) fn tidy_beside(path: &Path) {
    let start = path.file_name().unwrap_or_default().to_string_lossy();
    let start = format!(".{start}.");
    for entry in fs::read_dir(folder_of(path))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| {
            let number = name.strip_prefix(&start)?.strip_suffix(".tmp")?;
            number.split_once('-')
        });
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if number.is_some_and(|(process, count)| digits(process) && digits(count)) {
            // A leftover file does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A new file in the same folder, so that the rename stays on one disk.
fn create_aside(path: &Path) -> io::Result<(PathBuf, File)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        let problem = "the path does not end in a file's name";
        return Err(io::Error::new(ErrorKind::InvalidInput, problem));
    };
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut aside = std::ffi::OsString::from(".");
        aside.push(name);
        aside.push(format!(".{}-{count}.tmp", std::process::id()));
        let aside = path.with_file_name(aside);
        match OpenOptions::new().write(true).create_new(true).open(&aside) {
            Ok(file) => return Ok((aside, file)),
            // Left by an earlier process of the same number.
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => continue,
            Err(cause) => return Err(cause),
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes the rename itself survive a power cut, if the system can sync folders.
fn sync_folder(path: &Path) -> Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = folder_of(path);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    match synced.map_err(|cause| (cause.kind(), cause)) {
        Ok(()) => Ok(()),
        // The file system cannot, or the folder may be written but not read.
        Err((
            ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied,
            _,
        )) => Ok(()),
        Err((_, cause)) => Err(Error::io("sync the folder of", path, cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_replaces_the_old_one_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomic(&path, |file| file.write_all(b"old")).unwrap();
        write_atomic(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_failure_keeps_the_old_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomic(&path, |file| file.write_all(b"old")).unwrap();
        let failed = write_atomic(&path, |file| {
            file.write_all(b"half of the ne")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.unwrap_err().to_string().contains("disk full"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let path = Path::new("/nowhere/at/all/a.txt");
        assert!(write_atomic(path, |_| Ok(())).is_err());
        assert!(write_atomic(Path::new("/"), |_| Ok(())).is_err());
    }
}
