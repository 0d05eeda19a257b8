//! TensorBoard's event files.

mod file;
mod health;
mod hparams;
mod messages;
mod records;
#[cfg(test)]
mod tests;
mod thinning;
mod values;

use crate::artifacts::keras::config;
use crate::base::registry::Value;
use crate::error::Result;
use crate::model::Model;
use crate::train::health::{HealthView, Histogram};
use crate::train::{Callback, Logs, Training};
use file::{EventFile, Position};
use std::path::PathBuf;
use thinning::Thinning;
use values::{graph, histogram, scalar, text};

/// Writes TensorBoard's event files, as Keras' callback of that name: `tensorboard --logdir logs`
/// shows them, also while the training goes on.
///
/// `train` and `validation` in the folder have Keras' tags: at each epoch `epoch_loss`,
/// `epoch_accuracy`, … and, for training, `epoch_learning_rate`; for validation also
/// `evaluation_loss_vs_iterations`, … at the number of steps. Histograms of the weights
/// (`dense/kernel/histogram`) count epochs. The model's graph is in `train`.
///
/// Beyond Keras', `train` has the health of the layers, where it is sampled: `gradient_norm/dense`,
/// `output_mean/dense`, `update_ratio/dense`, `dead/dense`, …, and histograms `outputs/dense` and
/// `gradients/dense/kernel`, at the number of steps that had been taken.
///
/// Files stay small: of a long training, ever fewer epochs have histograms (all of the first 16, every
/// second of the next 16, every fourth of the next 32, …; sooner for a model of hundreds of layers), and
/// so does the health thin out after some thousand values. What has been measured of an epoch is always
/// there.
///
/// ```
/// use gradus::artifacts::callbacks::TensorBoard;
/// use gradus::prelude::*;
///
/// let logs = std::env::temp_dir().join("gradus-doc-logs");
/// let mut model = Sequential::new()
///     .add(Flatten::new())
///     .add(Dense::new(10).activation(Activation::Softmax))
///     .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[Metric::Accuracy])?;
/// let options = Fit::new().epochs(3).validation_split(0.1);
/// model.fit(&data::digits(Split::Train)?, options.callback(TensorBoard::new(&logs)))?;
/// assert!(logs.join("train").is_dir() && logs.join("validation").is_dir());
/// # std::fs::remove_dir_all(logs).unwrap();
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug)]
pub struct TensorBoard {
    /// The folder; it is created.
    pub log_dir: PathBuf,
    /// The epochs from one with histograms to the next; 0 for none. Default 1, of Keras 0.
    pub histogram_freq: usize,
    /// True if the model's graph is written. Default yes.
    pub write_graph: bool,
    /// True if the folder is this training's, which may go on.
    resumes: bool,
    /// The samples of health that there have been.
    samples: usize,
    /// The text and the hyper-parameters of the run.
    run: Option<(String, Vec<(String, Value)>)>,
    /// The files, once the first epoch has begun.
    files: Option<Files>,
    /// True if all that has begun has ended well.
    well: bool,
}

/// The files of a training.
#[derive(Debug)]
struct Files {
    train: EventFile,
    validation: EventFile,
    /// That of the run as a whole, in the folder above the other two: the HParams dashboard looks for
    /// a session's measurements in the folders below it.
    run: EventFile,
    /// The epochs that have histograms.
    histograms: Thinning,
    /// The samples of health that are written.
    health: Thinning,
}

impl TensorBoard {
    /// Files in that folder, beside those that it has.
    pub fn new(log_dir: impl Into<PathBuf>) -> Self {
        TensorBoard {
            log_dir: log_dir.into(),
            histogram_freq: 1,
            write_graph: true,
            resumes: false,
            samples: 0,
            run: None,
            files: None,
            well: true,
        }
    }

    /// Sets the epochs from one with histograms to the next; 0 for none.
    pub fn histogram_freq(mut self, epochs: usize) -> Self {
        self.histogram_freq = epochs;
        self
    }

    /// Enables or disables the model's graph.
    pub fn write_graph(mut self, write: bool) -> Self {
        self.write_graph = write;
        self
    }

    /// Goes on with the folder's events behind so many samples of health: later ones than those of
    /// the epochs and steps before the training's first are dropped.
    pub(crate) fn resumes(mut self, samples: usize) -> Self {
        self.resumes = true;
        self.samples = samples;
        self
    }

    /// Shows a text (Markdown) of the run, and these hyper-parameters and the model's size in the
    /// HParams dashboard.
    pub(crate) fn run(mut self, text: String, hparams: Vec<(String, Value)>) -> Self {
        self.run = Some((text, hparams));
        self
    }

    /// The files of a training that begins with that epoch.
    fn begin(&self, epoch: usize, model: &Model) -> Files {
        let step = model.state.iteration;
        let position = Position { epoch, step };
        let open = |folder: PathBuf, position| match self.resumes {
            true => EventFile::resumed(folder, position),
            false => EventFile::new(folder),
        };
        let (weights, layers) = (model.weights().count(), model.layers.len());
        let mut files = Files {
            train: open(self.log_dir.join("train"), position),
            validation: open(self.log_dir.join("validation"), position),
            run: open(self.log_dir.clone(), Position::default()),
            histograms: Thinning::new(1000, 2 * weights + layers, (2, 16)),
            health: Thinning::new(8000, layers, (16, 8000)),
        };
        let begins = position == Position::default() || files.train.is_new();
        if begins
            && self.write_graph
            // A model that Keras has no file for has no graph.
            && let Ok(json) = config::write(model)
        {
            files.train.add(0, vec![graph(json)]);
        }
        if let Some((about, hparams)) = &self.run {
            let parameters: usize = model.weights().map(|weight| weight.values.len()).sum();
            let size = [("parameters", parameters), ("layers", layers)];
            let size = size.map(|(name, n)| (name.to_owned(), n.into()));
            let hparams = [&hparams[..], &size].concat();
            let values = vec![text("config", about.clone()), hparams::start(&hparams)];
            files.run.add(0, values);
        }
        files
    }

    /// True if the epoch, from 0, has histograms.
    fn has_histograms(&self, epoch: usize) -> bool {
        let due = self.histogram_freq > 0 && epoch.is_multiple_of(self.histogram_freq);
        let files = self.files.as_ref();
        due && files.is_some_and(|f| f.histograms.keeps(epoch / self.histogram_freq))
    }
}

impl Files {
    /// Writes what has been added.
    fn write(&mut self) -> Result<()> {
        let files = [&mut self.run, &mut self.train, &mut self.validation];
        // One that cannot be written keeps none of the others from it.
        let written = files.map(EventFile::write);
        written.into_iter().collect()
    }
}

/// Histograms of the weights, with Keras' tags.
fn of_weights(model: &Model) -> Vec<messages::Value> {
    let layers = model.layers.iter();
    let weights = layers.flat_map(|layer| layer.weights.iter().map(move |w| (&layer.name, w)));
    let histograms = weights.filter_map(|(layer, weight)| {
        let tag = format!("{layer}/{}/histogram", weight.name);
        histogram(tag, &Histogram::of(weight.values.iter().copied()))
    });
    histograms.collect()
}

impl Callback for TensorBoard {
    fn on_train_begin(&mut self, _: &mut Training<'_>) -> Result<()> {
        self.files = None;
        self.well = true;
        Ok(())
    }

    fn on_epoch_begin(&mut self, epoch: usize, training: &mut Training<'_>) -> Result<()> {
        self.well = false;
        if self.files.is_some() {
            return Ok(());
        }
        let files = self.begin(epoch, training.kept());
        self.files.insert(files).write()
    }

    fn on_health(&mut self, health: &HealthView<'_>, _: &mut Training<'_>) -> Result<()> {
        let histograms = self.has_histograms(health.sample.epoch);
        let number = self.samples;
        self.samples += 1;
        let Some(files) = &mut self.files else {
            return Ok(());
        };
        let mut values = Vec::new();
        if files.health.keeps(number) {
            values = health::scalars(health);
        }
        if histograms {
            values.extend(health::histograms(health));
        }
        files.train.add(health.sample.step, values);
        // A training that is interrupted ends without a further call.
        files.train.write()
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &Logs,
        training: &mut Training<'_>,
    ) -> Result<()> {
        self.well = logs.get("loss").is_none_or(f64::is_finite);
        let histograms = self.has_histograms(epoch);
        let Some(files) = &mut self.files else {
            return Ok(());
        };
        let (mut train, mut validation, mut evaluation) = (Vec::new(), Vec::new(), Vec::new());
        for (name, value) in logs.iter() {
            match name.strip_prefix("val_") {
                None => train.push(scalar(format!("epoch_{name}"), value)),
                Some(name) => {
                    validation.push(scalar(format!("epoch_{name}"), value));
                    let tag = format!("evaluation_{name}_vs_iterations");
                    evaluation.push(scalar(tag, value));
                }
            }
        }
        if histograms {
            train.extend(of_weights(training.model()));
        }
        files.train.add(epoch as u64, train);
        files.validation.add(epoch as u64, validation);
        let iterations = training.kept().state.iteration;
        files.validation.add(iterations, evaluation);
        files.write()
    }

    fn on_train_end(&mut self, _: &mut Training<'_>) -> Result<()> {
        let Some(files) = &mut self.files else {
            return Ok(());
        };
        if self.run.is_some() {
            files.run.add(0, vec![hparams::end(self.well)]);
        }
        files.write()
    }
}
