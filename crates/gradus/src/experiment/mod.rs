//! Experiments: a configuration, from its file to a run folder.
//!
//! An [`Experiment`] is a configuration, the same that `gradus train` takes, with overrides. [`Experiment::run`] reads it, opens the data, builds the model, trains it and
//! leaves a run folder, which can be resumed after an interruption;
//! [`Experiment::cross_validate`] does so for each fold. Nothing is printed: a callback gets
//! an [`Event`] for each thing that happens.
//!
//! ```
//! use gradus::experiment::{Event, Experiment};
//!
//! # let folder = std::env::temp_dir().join(format!("gradus-experiment-{}", std::process::id()));
//! let text = r#"
//!     [data]
//!     dataset = "digits"
//!     validation = { fraction = 0.1 }
//!
//!     [model]
//!     recipe = "default"
//!     hidden = [32]
//!
//!     [train]
//!     epochs = 5
//! "#;
//! let experiment = Experiment::from_toml(text)?.set("train.epochs=3")?.out(&folder);
//! let outcome = experiment.run(|event| {
//!     if let Event::EpochEnd { epoch, .. } = event {
//!         println!("epoch {}: loss {:?}", epoch.epoch + 1, epoch.logs.get("loss"));
//!     }
//!     Ok(())
//! })?;
//! assert_eq!(outcome.history.epochs.len(), 3);
//! assert!(outcome.folder.join("model.keras").is_file());
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok::<(), gradus::Error>(())
//! ```

pub mod calibrate;
mod changes;
mod check;
mod checkpoint;
mod clock;
mod config;
mod cross_validate;
mod event;
mod health_file;
mod labels;
mod lock;
mod logs;
mod model_data;
mod model_file;
mod pretrain;
mod ranks;
mod recorder;
mod reference;
mod report;
mod resolve;
mod results;
mod reuse;
pub mod run_folder;
mod runs;
mod starter;
mod train;
mod unwritten;

use crate::base::ranks::Collective;
pub use crate::base::registry::Value;
pub use check::{Checked, check_model};
pub use cross_validate::CrossValidated;
pub use event::{Event, FoundRate};
pub use model_data::{data_to_evaluate, data_to_predict, unfamiliar};
pub use model_file::ModelFile;
pub use reference::{reference, schema};
pub use report::report;
pub use resolve::SuggestedRates;
pub use results::{BetterEpoch, Results};
pub use runs::{BestEpoch, RunList, RunSummary, runs};
pub use starter::starter;

use crate::data::RunData;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::train::{History, LearningRateCurve};
use config::{Config, Document, Override};
use event::Progress;
use ranks::Ranks;
use run_folder::{CONFIG, Destination, Resume};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A configuration with overrides, and the place of its runs.
///
/// Every method that opens data or trains takes a callback for its [`Event`]s. An error that
/// the callback returns ends the method with that error; a training that it ends can be
/// resumed, as one that was interrupted.
#[derive(Clone, Debug)]
pub struct Experiment {
    document: Document,
    out: Option<PathBuf>,
    resume: bool,
    allow_changed: bool,
    ranks: Ranks,
}

/// The outcome of a training.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The trained model, as it is in `model.keras`.
    pub model: Model,
    /// The results of every epoch.
    pub history: History,
    /// The epoch that was kept, and measurements of its model.
    pub results: Results,
    /// The run folder.
    pub folder: PathBuf,
    /// The name of rows that were not trained on, as [`data_to_evaluate`] takes it, if it is
    /// shorter than the run folder's configuration: `digits:test`.
    pub test_data: Option<String>,
    /// The errors of files that could not be written, also when it was tried again: empty if the
    /// run folder is complete.
    pub not_written: Vec<String>,
}

impl Experiment {
    /// Reads a configuration file (TOML). Relative paths in it are relative to its folder.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Document::open(path.as_ref()).map(Self::of)
    }

    /// Reads a configuration in TOML. Relative paths in it are relative to the working
    /// directory.
    pub fn from_toml(text: &str) -> Result<Self> {
        Document::of_text(text).map(Self::of)
    }

    /// Takes a configuration as plain data: tables of keys and values. Relative paths are
    /// relative to the working directory.
    pub fn from_value(config: Value) -> Self {
        Self::of(Document::of_value(config))
    }

    /// The built-in configuration: the default recipe on the built-in digits.
    pub fn built_in() -> Result<Self> {
        Document::built_in().map(Self::of)
    }

    fn of(document: Document) -> Self {
        Experiment {
            document,
            out: None,
            resume: false,
            allow_changed: false,
            ranks: Ranks::default(),
        }
    }

    /// Overrides one key by text: `train.epochs=3`, `model.layers[0].units=64`, as `--set` of
    /// the command line. The value is TOML or a plain word.
    pub fn set(mut self, key_and_value: &str) -> Result<Self> {
        self.document.set(Override::parse(key_and_value)?)?;
        Ok(self)
    }

    /// Overrides one key by a value.
    pub fn set_value(mut self, key: &str, value: impl Into<Value>) -> Result<Self> {
        self.document.set(Override::new(key, value.into())?)?;
        Ok(self)
    }

    /// Sets the run folder. Default: `runs/NAME-N`, N the first free number. Of a
    /// cross-validation it gets a run folder for each fold.
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// Goes on from the checkpoint of the run folder, the newest run's without
    /// [`out`](Self::out). Configuration and data have to be the run's; only the number of
    /// epochs, `[checkpoint]` and the places of files may change. The built-in configuration
    /// gives way to the one in the run folder.
    ///
    /// The data is compared by digests: of all values in memory; of rows that are larger than
    /// memory, of their number and of 256 of them, spread evenly.
    pub fn resume(mut self) -> Self {
        self.resume = true;
        self
    }

    /// Lets a resumed run go on with another configuration or other data:
    /// [`Event::ChangesAllowed`] names what has changed. The model stays the checkpoint's.
    pub fn allow_changed(mut self) -> Self {
        self.allow_changed = true;
        self
    }

    /// Trains as one of several [ranks](crate::ranks), each of which runs the same experiment: rank 0 by
    /// [`run`](Self::run), which writes the run folder, the others by [`follow`](Self::follow), which
    /// write nothing. The training proper is shared out; what comes before it (data, pretraining, the search
    /// for a learning rate) each rank does for itself. All ranks must find the same files; to resume,
    /// also those of the run folder.
    pub fn ranks(mut self, ranks: Arc<dyn Collective>) -> Self {
        self.ranks = Ranks(Some(ranks));
        self
    }

    /// Trains with rank 0, which writes what there is to write.
    pub fn follow(&self) -> Result<()> {
        if self.ranks.leads() {
            let expected = "a rank above 0: rank 0 is the one that runs";
            return Err(Error::invalid("ranks", "rank 0", expected));
        }
        let followed = self.followed();
        self.ranks.fail(&followed);
        followed
    }

    fn followed(&self) -> Result<()> {
        let mut silent = |_: &Event<'_>| Ok(());
        let (config, document, place, resume) = self.prepared()?;
        let progress = Progress::new(&mut silent);
        train::follow(&document, config, place, resume, &progress, &self.ranks)
    }

    /// The name of its runs: the file's without its ending, or `digits` of the built-in
    /// configuration, or `experiment`.
    pub fn name(&self) -> String {
        self.document.name()
    }

    /// Trains: opens the data, builds the model, pretrains it and looks for a learning rate
    /// if the configuration says so, trains it, and leaves a run folder.
    pub fn run(&self, mut progress: impl FnMut(&Event<'_>) -> Result<()>) -> Result<Outcome> {
        let progress = Progress::new(&mut progress);
        let trained = self.trained(&progress);
        self.ranks.fail(&trained);
        let trained = trained?;
        let results = trained.record.results(&trained.run)?;
        Ok(Outcome {
            model: trained.run.model,
            history: trained.record.history,
            results,
            folder: trained.folder,
            test_data: trained.run.test_spec,
            not_written: trained.not_written,
        })
    }

    fn trained(&self, progress: &Progress<'_>) -> Result<train::Trained> {
        if !self.ranks.leads() {
            let expected = "rank 0: the others follow";
            return Err(Error::invalid("ranks", "a rank above 0", expected));
        }
        let (config, document, place, resume) = self.prepared()?;
        train::train(&document, config, place, resume, progress, &self.ranks)
    }

    /// The configuration as it is to be trained, with its text, and the place of the run.
    fn prepared(&self) -> Result<(Config, Document, Destination, Option<Resume>)> {
        let (mut document, place) = (self.document.clone(), self.place());
        let resume = self.resumed(&place, false)?;
        if let Some(resume) = &resume
            && document.is_built_in()
        {
            document = document.over_file(&resume.folder.join(CONFIG))?;
        }
        Ok((document.read()?, document, place, resume))
    }

    /// Trains once for each of so many folds, with the fold's rows held out: chosen as
    /// `data.validation` chooses its rows, else at random. Leaves a folder with `folds.csv`,
    /// `predictions.csv` and a run folder for each fold. [`resume`](Self::resume) goes on with
    /// the folds that are not trained.
    pub fn cross_validate(
        &self,
        folds: usize,
        mut progress: impl FnMut(&Event<'_>) -> Result<()>,
    ) -> Result<CrossValidated> {
        let progress = Progress::new(&mut progress);
        self.ranks.refuse("a cross-validation")?;
        let place = self.place();
        let resume = self.resumed(&place, true)?;
        cross_validate::cross_validate(self.document.clone(), place, resume, folds, &progress)
    }

    /// The run that is resumed, if one is; otherwise its folder has to be free.
    fn resumed(&self, place: &Destination, of_folds: bool) -> Result<Option<Resume>> {
        if self.resume {
            return Ok(Some(Resume {
                folder: place.existing(of_folds)?,
                allow_changed: self.allow_changed,
            }));
        }
        if self.allow_changed {
            let expected = "--resume with it: a new run has nothing that could have changed";
            return Err(Error::invalid("", "--allow-changed", expected));
        }
        if self.ranks.leads() {
            place.check_free()?;
        }
        Ok(None)
    }

    /// Raises the learning rate until the loss blows up, from the model as it would be
    /// trained. [`SuggestedRates::of`] reads the curve.
    pub fn find_learning_rate(
        &self,
        mut progress: impl FnMut(&Event<'_>) -> Result<()>,
    ) -> Result<LearningRateCurve> {
        let progress = Progress::new(&mut progress);
        let run = self.document.read()?;
        let run = run.resolve(self.document.base(), &progress);
        let curve = run.and_then(|run| run.find_rate());
        curve.map_err(|error| self.document.locate(error))
    }

    /// Does everything but train, and says what is suspicious about data and configuration.
    pub fn check(&self, mut progress: impl FnMut(&Event<'_>) -> Result<()>) -> Result<Checked> {
        check::check(&self.document, None, &Progress::new(&mut progress))
    }

    /// As [`check`](Self::check), and says which units are never active on the data of `spec`.
    pub fn check_on(
        &self,
        spec: &str,
        mut progress: impl FnMut(&Event<'_>) -> Result<()>,
    ) -> Result<Checked> {
        check::check(&self.document, Some(spec), &Progress::new(&mut progress))
    }

    /// Builds the model, its weights made for the data's shapes.
    pub fn model(&self, mut progress: impl FnMut(&Event<'_>) -> Result<()>) -> Result<Model> {
        let progress = Progress::new(&mut progress);
        let config = self.document.read()?;
        let model = resolve::model_of(&config, self.document.base(), &progress);
        model.map_err(|error| self.document.locate(error))
    }

    /// Opens the rows, as a trained model takes them: a table's columns are the model's.
    pub fn data(
        &self,
        model: &Model,
        mut progress: impl FnMut(&Event<'_>) -> Result<()>,
    ) -> Result<RunData> {
        let progress = Progress::new(&mut progress);
        let (config, schema) = (self.document.read()?, model.table_schema());
        let rows = config.open(self.document.base(), schema.as_ref(), &progress);
        rows.map_err(|error| self.document.locate(error))
    }

    fn place(&self) -> Destination {
        match &self.out {
            Some(folder) => Destination::Named(folder.clone()),
            None => Destination::Numbered(self.document.name()),
        }
    }
}
