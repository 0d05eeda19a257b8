//! The run folder that a training leaves behind: the names of its files.

use crate::base::atomic_file::write_atomic;
use crate::error::{Error, Result};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The trained model.
pub const MODEL: &str = "model.keras";
/// The results of every epoch.
pub const HISTORY: &str = "history.csv";
/// The health of each layer at sampled steps.
pub const HEALTH: &str = "health.csv";
/// The page with curves, predictions and configuration.
pub const REPORT: &str = "report.html";
/// The resolved configuration.
pub const CONFIG: &str = "config.toml";
/// The checkpoint that a resumed training continues from.
pub const CHECKPOINT: &str = "checkpoint";
/// TensorBoard's event files, in `train` and `validation`.
pub const EVENTS: &str = "events";

/// The results of every fold of a cross-validation.
pub const FOLDS: &str = "folds.csv";
/// The prediction of each row by the model that did not see it.
pub const PREDICTIONS: &str = "predictions.csv";

/// The run folder of a fold.
pub(super) fn fold_folder(run: &Path, fold: usize) -> PathBuf {
    run.join(format!("fold-{fold}"))
}

/// The model given to a command: a file, or the one in a run folder.
pub(super) fn model_path(given: &Path) -> Result<PathBuf> {
    if !given.is_dir() {
        return Ok(given.to_owned());
    }
    let model = given.join(MODEL);
    if model.is_file() {
        return Ok(model);
    }
    let fold = fold_folder(given, 1);
    let problem = if fold.is_dir() {
        let fold = fold.display();
        format!("holds a cross-validation: name one of its folds, such as `{fold}`")
    } else if given.join(CONFIG).is_file() {
        format!("holds no `{MODEL}` yet: its training has not ended; go on with --resume")
    } else {
        // Reading the model reports the kind of folder.
        return Ok(given.to_owned());
    };
    Err(Error::file(given, problem))
}

/// The run that a training goes on with.
#[derive(Clone, Debug)]
pub(super) struct Resume {
    /// Its folder.
    pub folder: PathBuf,
    /// True if its configuration and its data may have changed.
    pub allow_changed: bool,
}

/// The folder of a run.
#[derive(Clone, Debug)]
pub(super) enum Destination {
    /// The one that was named.
    Named(PathBuf),
    /// `runs/NAME-N`, N the first free.
    Numbered(String),
    /// A fold's, in a folder that is created for all of them.
    Fold(Box<Destination>, usize),
}

impl Destination {
    /// Creates the folder of a new run. A folder that holds a run already is an error.
    pub(super) fn create(&self) -> Result<PathBuf> {
        self.check_free()?;
        match self {
            Destination::Named(folder) => {
                create(folder)?;
                Ok(folder.clone())
            }
            Destination::Fold(all, fold) => {
                let folder = fold_folder(&all.create()?, *fold);
                create(&folder)?;
                Ok(folder)
            }
            Destination::Numbered(name) => {
                let runs = Path::new("runs");
                create(runs)?;
                let mut number = last_number(name).unwrap_or(0) + 1;
                loop {
                    let folder = runs.join(format!("{name}-{number}"));
                    match fs::create_dir(&folder) {
                        Ok(()) => return Ok(folder),
                        // Another run was faster.
                        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {
                            number += 1;
                        }
                        Err(cause) => return Err(Error::io("create", folder, cause)),
                    }
                }
            }
        }
    }

    /// Refuses a named folder that holds a run already, or is no folder.
    pub(super) fn check_free(&self) -> Result<()> {
        let folder = match self {
            Destination::Named(folder) => folder,
            Destination::Fold(all, _) => return all.check_free(),
            Destination::Numbered(_) => return Ok(()),
        };
        if folder.exists() && !folder.is_dir() {
            return Err(Error::file(
                folder,
                "is a file, expected a folder for the run",
            ));
        }
        let taken = [
            MODEL,
            HISTORY,
            CONFIG,
            CHECKPOINT,
            FOLDS,
            "fold-1/config.toml",
        ];
        match taken.iter().find(|name| folder.join(name).exists()) {
            None => Ok(()),
            Some(name) => Err(Error::file(
                folder,
                format!(
                    "holds a run already (`{name}`): choose another --out, or go on with --resume"
                ),
            )),
        }
    }

    /// The folder of an existing run, or cross-validation if it is of folds: the one named, or
    /// the last.
    pub(super) fn existing(&self, of_folds: bool) -> Result<PathBuf> {
        let folder = match self {
            Destination::Fold(all, _) => return all.existing(of_folds),
            Destination::Named(folder) => folder.clone(),
            Destination::Numbered(name) => {
                let number = last_number(name);
                Path::new("runs").join(format!("{name}-{}", number.unwrap_or(1)))
            }
        };
        let has_run = folder.join(CONFIG).is_file();
        let has_folds = fold_folder(&folder, 1).join(CONFIG).is_file();
        let problem = match (of_folds, has_run, has_folds) {
            (false, true, _) | (true, _, true) => return Ok(folder),
            (false, _, true) => "holds a cross-validation: resume it with its --folds",
            (true, true, _) => "holds a run without folds: resume it without --folds",
            _ => "holds no run to resume: start one without --resume",
        };
        Err(Error::file(folder, problem))
    }
}

/// The highest number of the runs of that name.
fn last_number(name: &str) -> Option<u64> {
    let entries = fs::read_dir("runs").ok()?;
    let number = |entry: fs::DirEntry| {
        let found = entry.file_name().into_string().ok()?;
        found.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
    };
    entries.flatten().filter_map(number).max()
}

/// Creates a folder, if it is not there.
pub(super) fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|cause| Error::io("create", folder, cause))
}

/// Writes a text atomically.
pub(super) fn write_text(path: &Path, text: &str) -> Result<()> {
    write_atomic(path, |file| file.write_all(text.as_bytes()))
}

/// Removes temporary files of a killed run.
pub(super) fn tidy(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(".tmp") {
            // A leftover file does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}
