//! Cross-validation: a training for each fold, measured on the rows that it did not see.

use super::config::Document;
use super::event::{Event, Progress};
use super::lock::Lock;
use super::ranks::Ranks;
use super::run_folder::{
    CONFIG, Destination, FOLDS, PREDICTIONS, Resume, create, fold_folder, tidy, write_text,
};
use super::train::{Trained, train};
use crate::base::atomic_file::write_atomic;
use crate::data::{Data, HoldOut};
use crate::error::{Error, Result};
use crate::model::Scored;
use crate::train::{CrossValidation, Logs, OutOfFold};
use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// The outcome of a cross-validation.
#[derive(Clone, Debug)]
pub struct CrossValidated {
    /// The measurements of every fold: the training's of the epoch that was kept, `val_` of
    /// the rows that were held out, `test_` of the test, with `epochs` and `rows`.
    pub measured: CrossValidation,
    /// The prediction of each row by the model that did not see it.
    pub predictions: Scored,
    /// The run folder, with a run folder for each fold in it.
    pub folder: PathBuf,
    /// The seconds that the epochs of all folds took.
    pub seconds: f64,
    /// The errors of files that could not be written, also when it was tried again.
    pub not_written: Vec<String>,
}

/// Trains on the rows outside each fold, and evaluates on those in it. Of a run that is resumed,
/// only what is missing is trained.
pub fn cross_validate(
    document: Document,
    place: Destination,
    resume: Option<Resume>,
    folds: usize,
    progress: &Progress<'_>,
) -> Result<CrossValidated> {
    if folds < 2 {
        return Err(Error::invalid("--folds", folds, "2 or more"));
    }
    let document = document.of_folds(folds);
    let config = document.read()?;
    if let Some(run) = &resume {
        same_folds(&run.folder, folds)?;
    }
    let lock = resume.as_ref().map(|run| Lock::take(&run.folder, progress));
    let lock = RefCell::new(lock.transpose()?);
    if let Some(run) = &resume {
        // A process that was killed on the way may have left a part of `folds.csv`.
        tidy(&run.folder);
    }
    let mut lock_new = |event: &Event<'_>| {
        if let Event::PretrainBegin { folder } | Event::TrainBegin { folder } = event
            && lock.borrow().is_none()
        {
            let all = folder.parent().unwrap_or(folder);
            lock.replace(Some(Lock::take(all, progress)?));
        }
        progress.tell(event)
    };
    let progress = &Progress::new(&mut lock_new);
    let (mut measured, mut predictions) = (CrossValidation::new(), OutOfFold::new());
    let (mut seconds, mut not_written) = (0.0, Vec::new());
    let mut folder = resume.as_ref().map(|run| run.folder.clone());
    for fold in 1..=folds {
        let config = config.with_fold(fold, folds);
        let config = config.map_err(|error| document.locate(error))?;
        progress.tell(&Event::FoldBegin { fold, folds })?;
        let place = match &folder {
            None => Destination::Fold(Box::new(place.clone()), fold),
            Some(run) => Destination::Named(fold_folder(run, fold)),
        };
        let begun = resume.as_ref().and_then(|run| {
            let folder = fold_folder(&run.folder, fold);
            folder.join(CONFIG).is_file().then_some(Resume {
                folder,
                allow_changed: run.allow_changed,
            })
        });
        let trained = train(&document, config, place, begun, progress, &Ranks::default())?;
        let run = trained.folder.parent().unwrap_or(Path::new(""));
        folder = Some(run.to_owned());
        seconds += trained.record.seconds();
        measured.add(trained.measured()?);
        // Streamed folds were refused before.
        if let Some(Data::Memory(held_out)) = &trained.run.data.validation {
            predictions.add(fold, &trained.run.model, held_out)?;
        }
        not_written.extend(trained.not_written);
    }
    let folder = folder.unwrap_or_default();
    create(&folder)?;
    write_text(&folder.join(FOLDS), &measured.to_csv())?;
    let predictions = predictions.scored();
    write_atomic(&folder.join(PREDICTIONS), |file| {
        predictions.write_csv(file)
    })?;
    Ok(CrossValidated {
        measured,
        predictions,
        folder,
        seconds,
        not_written,
    })
}

/// Refuses to go on with another number of folds than the run's: its folds have other rows.
fn same_folds(run: &Path, folds: usize) -> Result<()> {
    let first = Document::open(&fold_folder(run, 1).join(CONFIG))?.read()?;
    match first.data.validation {
        Some(HoldOut::Fold { folds: its, .. }) if its == folds => Ok(()),
        Some(HoldOut::Fold { folds: its, .. }) => Err(Error::invalid(
            "--folds",
            folds,
            format!("{its}, as the run has"),
        )),
        _ => Err(Error::file(run, "its first fold is a run without folds")),
    }
}

impl Trained {
    /// The line of a fold: rows and epochs, the training's measurements of the
    /// epoch that was kept, those of the rows in the fold, and of the test.
    fn measured(&self) -> Result<Logs> {
        let (data, history) = (&self.run.data, &self.record.history);
        let mut all = vec![("epochs".to_owned(), history.epochs.len() as f64)];
        let held_out = data.validation.as_ref();
        for (name, part) in [("rows", Some(&data.train)), ("val_rows", held_out)] {
            let rows = part.and_then(Data::rows);
            all.extend(rows.map(|rows| (name.to_owned(), rows as f64)));
        }
        let is_training = |name: &str| !name.starts_with("val_") && name != "learning_rate";
        let kept = self.record.kept().map(|epoch| &epoch.logs);
        let kept = kept.into_iter().flat_map(|logs| logs.iter());
        all.extend(
            kept.filter(|(name, _)| is_training(name))
                .map(|(name, value)| (name.to_owned(), value)),
        );
        for (part, prefix) in [(held_out, "val_"), (data.test.as_ref(), "test_")] {
            if let Some(part) = part {
                let logs = self.run.model.evaluate(part)?;
                all.extend(logs.iter().map(|(n, v)| (format!("{prefix}{n}"), v)));
            }
        }
        Ok(all.into_iter().collect())
    }
}
