//! A list of run folders.

use super::checkpoint;
use super::clock::utc;
use super::config::{Config, Document};
use super::run_folder::{CHECKPOINT, CONFIG, HISTORY, MODEL};
use crate::artifacts::keras::load_outline;
use crate::base::files;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::rules::metrics::Better;
use crate::train::History;
use crate::train::callbacks::Direction;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The run folders below a folder.
#[derive(Debug, Default)]
pub struct RunList {
    /// Those that could be read.
    pub runs: Vec<RunSummary>,
    /// The errors of those that could not be read, and of files of others.
    pub problems: Vec<Error>,
}

/// A run folder in a list.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// The folder's path below the one that was listed: `digits-1`, `folds-2/fold-1`.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// The best epoch by the value that early stopping watches, else by `val_loss`, else by `loss`.
    pub best: Option<BestEpoch>,
    /// The results of every epoch: of an unfinished run, up to its last checkpoint.
    pub history: History,
    /// The number of epochs that the configuration asks for.
    pub epochs: Option<usize>,
    /// True if the training has ended: the run has its model.
    pub finished: bool,
    /// The network in one phrase: `784-300-100-10 elu, 266,610 parameters`.
    pub network: Option<String>,
    /// The number of parameters.
    pub parameters: Option<usize>,
    /// The time of its last results, as `2026-11-30 13:40:05 UTC`.
    pub date: String,
    /// The model without its weights, which knows its metrics.
    model: Option<Model>,
}

/// The best epoch of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct BestEpoch {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The name of the value by which it is the best.
    pub monitor: String,
    /// That value.
    pub value: f64,
}

/// Folders in folders that are looked into.
const DEPTH: usize = 3;

/// Size limit of a history: that of two million epochs.
const MAX_HISTORY: u64 = 256 << 20;

/// Lists the run folders in a folder, also those in folders of it (the folds of a cross-validation), the
/// oldest first. Weights are not read. A run that cannot be read does not end the list; an error only if
/// the folder itself cannot be read.
pub fn runs(folder: impl AsRef<Path>) -> Result<RunList> {
    let folder = folder.as_ref();
    let mut found = Vec::new();
    find(folder, DEPTH, &mut found)?;
    let mut list = RunList::default();
    for path in found {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        let name = match name.as_os_str().is_empty() {
            true => path.file_name().unwrap_or(path.as_os_str()).to_owned(),
            false => name.as_os_str().to_owned(),
        };
        match RunSummary::read(
            name.to_string_lossy().into_owned(),
            &path,
            &mut list.problems,
        ) {
            Ok(run) => list.runs.push(run),
            Err(error) => list.problems.push(error),
        }
    }
    list.sort("date")?;
    Ok(list)
}

/// Finds run folders, in the order of their names.
fn find(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let is_run = [CONFIG, HISTORY, MODEL]
        .iter()
        .any(|name| folder.join(name).is_file());
    if is_run {
        found.push(folder.to_owned());
        return Ok(());
    }
    let failed = |cause| Error::io("read", folder, cause);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    for path in folders {
        if depth > 0 {
            // A folder that may not be read holds none that could be.
            let _ = find(&path, depth - 1, found);
        }
    }
    Ok(())
}

impl RunSummary {
    /// Reads a run folder; what is not needed for the rest of it may go to `problems`.
    fn read(name: String, folder: &Path, problems: &mut Vec<Error>) -> Result<Self> {
        let config = match folder.join(CONFIG) {
            path if path.is_file() => Some(Document::open(&path)?.read()?),
            _ => None,
        };
        let (history, checkpoint) = history(folder)?;
        let model = folder.join(MODEL);
        let finished = model.is_file();
        let model = match finished {
            true => Some(model),
            false => checkpoint,
        };
        let model = model.and_then(|path| match load_outline(&path) {
            Ok(model) => Some(model),
            Err(error) => {
                problems.push(error);
                None
            }
        });
        let newest = [HISTORY, MODEL, CHECKPOINT, CONFIG]
            .iter()
            .filter_map(|name| {
                let about = fs::metadata(folder.join(name)).ok()?;
                about.modified().ok()
            });
        Ok(RunSummary {
            name,
            folder: folder.to_owned(),
            best: best(config.as_ref(), &history, model.as_ref()),
            epochs: config.and_then(|config| config.train.epochs),
            finished,
            network: model.as_ref().map(Model::phrase),
            parameters: model.as_ref().and_then(Model::parameters),
            date: newest.max().map_or(String::new(), utc),
            history,
            model,
        })
    }

    /// The seconds that all epochs took.
    pub fn seconds(&self) -> f64 {
        self.history.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// The place of a column's value among those of other runs: true if it is missing, and a number
    /// that is smaller for better ones.
    fn rank(&self, column: &str) -> (bool, f64) {
        let (value, name) = match column {
            "best" => {
                let best = self.best.as_ref();
                (best.map(|b| b.value), best.map_or("", |b| &b.monitor))
            }
            "epochs" => (Some(self.history.epochs.len() as f64), ""),
            "time" => (Some(self.seconds()), ""),
            "parameters" => (self.parameters.map(|n| n as f64), ""),
            name => (self.history.last(name), name),
        };
        let value = value.filter(|value| !value.is_nan());
        match better(Direction::Auto, name, self.model.as_ref()) {
            Some(Better::Larger) => (value.is_none(), -value.unwrap_or(0.0)),
            _ => (value.is_none(), value.unwrap_or(0.0)),
        }
    }
}

/// The history of a run; of an unfinished one that of its newest whole checkpoint, with the file of
/// its model.
fn history(folder: &Path) -> Result<(History, Option<PathBuf>)> {
    let path = folder.join(HISTORY);
    if path.is_file() {
        let text = files::read_text(&path, "a history", MAX_HISTORY)?;
        let history = History::from_csv(&text).map_err(|error| Error::file(&path, error))?;
        return Ok((history, None));
    }
    let folder = folder.join(CHECKPOINT);
    let mut damaged = None;
    for number in checkpoint::numbers(&folder)?.into_iter().rev() {
        match checkpoint::read_state(&folder, number) {
            Ok((state, history)) => {
                // A name of a damaged file leads nowhere else.
                let name = Path::new(&state.model.name).file_name();
                return Ok((history, name.map(|name| folder.join(name))));
            }
            Err(error) => damaged = Some(Error::file(&folder, error)),
        }
    }
    damaged.map_or(Ok((History::default(), None)), Err)
}

/// The best epoch of a history.
fn best(config: Option<&Config>, history: &History, model: Option<&Model>) -> Option<BestEpoch> {
    let stopping = config.and_then(|config| config.callbacks.given.early_stopping.as_ref());
    let watched = stopping.map(|stopping| (stopping.monitor.as_str(), stopping.mode));
    let usual = ["val_loss", "loss"].map(|name| (name, Direction::Auto));
    let mut monitors = watched.into_iter().chain(usual);
    let (monitor, mode) = monitors.find(|(name, _)| history.last(name).is_some())?;
    let better = better(mode, monitor, model)?;
    let (epoch, value) = history.best(monitor, better)?;
    let monitor = monitor.to_owned();
    Some(BestEpoch {
        epoch,
        monitor,
        value,
    })
}

/// The better direction of a value; of losses also without a model.
fn better(mode: Direction, name: &str, model: Option<&Model>) -> Option<Better> {
    match (mode, model) {
        (Direction::Min, _) => Some(Better::Smaller),
        (Direction::Max, _) => Some(Better::Larger),
        (Direction::Auto, Some(model)) => mode.of(name, model).ok(),
        (Direction::Auto, None) => name.ends_with("loss").then_some(Better::Smaller),
    }
}

/// The columns that a list may be sorted by, beside the values of the histories.
const COLUMNS: [&str; 6] = ["name", "best", "epochs", "time", "parameters", "date"];

impl RunList {
    /// Sorts the runs by a column (`name`, `best`, `epochs`, `time`, `parameters`, `date`) or a
    /// value of their last epochs (`val_accuracy`): the better or smaller ones first, those without it
    /// last.
    pub fn sort(&mut self, column: &str) -> Result<()> {
        let logs = self.runs.iter().filter_map(|run| run.history.epochs.last());
        let names = logs.flat_map(|epoch| epoch.logs.names());
        let mut known: Vec<&str> = COLUMNS.into_iter().chain(names).collect();
        let mut seen = HashSet::new();
        known.retain(|name| seen.insert(*name));
        if !known.contains(&column) {
            return Err(Error::unknown("--sort", "column", column, known));
        }
        match column {
            "name" => self.runs.sort_by(|a, b| a.name.cmp(&b.name)),
            "date" => self.runs.sort_by(|a, b| a.date.cmp(&b.date)),
            column => self.runs.sort_by(|a, b| {
                let ((a_missing, a), (b_missing, b)) = (a.rank(column), b.rank(column));
                a_missing.cmp(&b_missing).then(a.total_cmp(&b))
            }),
        }
        Ok(())
    }
}
