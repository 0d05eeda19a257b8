//! Reports of runs that are there, from their folders.

use super::{Known, compare, page};
use crate::artifacts::report::{Report, RunPage};
use crate::data::RunData;
use crate::error::{Error, Result};
use crate::experiment::event::{Event, Progress};
use crate::experiment::run_folder::{
    CONFIG, HEALTH, HISTORY, MODEL, REPORT, fold_folder, write_text,
};
use crate::experiment::{Experiment, ModelFile, checkpoint};
use crate::model::Model;
use crate::train::History;
use crate::train::health::Health;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes the page of a run folder, or of several beside each other, and returns its path: the
/// given one, else `report.html` in the folder, of several `compare.html` in the working directory.
///
/// The page of one run has everything that is in its folder, and predictions of its data, if that
/// can be opened; what is missing is named on the page. Of several runs it has curves, figures and
/// the differences of their configurations.
pub fn report(
    folders: &[PathBuf],
    out: Option<&Path>,
    mut progress: impl FnMut(&Event<'_>) -> Result<()>,
) -> Result<PathBuf> {
    let progress = Progress::new(&mut progress);
    let several = folders.len() > 1;
    let runs: Vec<Found> = folders
        .iter()
        .map(|folder| Found::read(folder, !several, &progress))
        .collect::<Result<_>>()?;
    let mut pages: Vec<RunPage> = runs.iter().map(|run| run.page(!several)).collect();
    let same = |page: &RunPage| pages.iter().filter(|other| other.name == page.name).count() > 1;
    let same: Vec<bool> = pages.iter().map(same).collect();
    for ((page, folder), same) in pages.iter_mut().zip(folders).zip(same) {
        if same {
            page.name = folder.display().to_string();
        }
    }
    let differences = match several {
        true => {
            let each = pages.iter();
            let each = each.map(|page| (page.name.as_str(), page.config.as_str()));
            Some(compare::differences(&each.collect::<Vec<_>>())?)
        }
        false => None,
    };
    let default = match folders {
        [folder] => folder.join(REPORT),
        _ => PathBuf::from("compare.html"),
    };
    let path = out.map_or(default, Path::to_owned);
    let report = Report {
        runs: pages,
        differences,
    };
    write_text(&path, &report.html()?)?;
    Ok(path)
}

/// The contents of a run folder.
struct Found {
    folder: PathBuf,
    config: String,
    history: History,
    model: Option<Model>,
    data: Option<RunData>,
    /// Lines about parts that could not be read, with the reason.
    notes: Vec<String>,
}

impl Found {
    /// Reads a run folder, and opens its data if that is wanted.
    fn read(folder: &Path, with_data: bool, progress: &Progress<'_>) -> Result<Self> {
        let path = folder.join(CONFIG);
        if !path.is_file() {
            return Err(no_run(folder));
        }
        let config = fs::read_to_string(&path).map_err(|e| Error::io("read", &path, e))?;
        let mut found = Found {
            folder: folder.to_owned(),
            config,
            history: History::default(),
            model: None,
            data: None,
            notes: Vec::new(),
        };
        found.read_results(progress)?;
        if let Some(csv) = read_if_there(&folder.join(HEALTH))? {
            match Health::from_csv(&csv) {
                Ok(health) => found.history.health = health,
                Err(problem) => found.notes.push(format!("Layer health: {problem}")),
            }
        }
        if let (Some(model), true) = (&found.model, with_data) {
            let told = |event: &Event<'_>| progress.tell(event);
            match Experiment::read(&path).and_then(|run| run.data(model, told)) {
                Ok(data) => found.data = Some(data),
                Err(problem) => found.notes.push(format!("Predictions: {problem}")),
            }
        }
        Ok(found)
    }

    /// Reads history and model; of a training that has not ended, those of its checkpoint.
    fn read_results(&mut self, progress: &Progress<'_>) -> Result<()> {
        if self.folder.join(MODEL).is_file() {
            match ModelFile::open(&self.folder).and_then(ModelFile::into_evaluable) {
                Ok(opened) => self.model = Some(opened),
                Err(problem) => {
                    let line = format!("Weights and predictions: {problem}");
                    self.notes.push(line);
                }
            }
        }
        let path = self.folder.join(HISTORY);
        if let Some(csv) = read_if_there(&path)? {
            let history = History::from_csv(&csv);
            self.history = history.map_err(|error| Error::file(&path, error.to_string()))?;
            return Ok(());
        }
        let line = "The training has not ended: this is its last checkpoint.";
        self.notes.push(line.into());
        match checkpoint::read(&self.folder, progress) {
            Ok(Some(last)) => {
                self.history = last.history;
                self.model = self.model.take().or(Some(last.model));
            }
            Ok(None) => {}
            Err(problem) => self.notes.push(format!("Checkpoint: {problem}")),
        }
        Ok(())
    }

    fn page(&self, all: bool) -> RunPage {
        let known = Known {
            folder: &self.folder,
            config: &self.config,
            history: &self.history,
            model: self.model.as_ref(),
            data: self.data.as_ref(),
            trained_here: false,
        };
        let mut page = page(&known, all);
        page.notes.splice(0..0, self.notes.iter().cloned());
        page
    }
}

fn read_if_there(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::io("read", path, cause)),
    }
}

/// The error of a folder without a run.
fn no_run(folder: &Path) -> Error {
    let fold = fold_folder(folder, 1);
    let problem = match fold.join(CONFIG).is_file() {
        true => format!(
            "holds a cross-validation: name its folds, such as `{}`",
            fold.display()
        ),
        false => format!("found no `{CONFIG}` in it, expected a run folder"),
    };
    Error::file(folder, problem)
}
