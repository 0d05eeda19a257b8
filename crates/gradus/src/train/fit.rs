//! `fit`: the training configuration, and training from its checks to its history.

use super::blow_up::OnNan;
use super::callbacks::{Callback, EarlyStopping, optimizer_mut};
use super::epochs::Epochs;
use super::health::Sampling;
use super::history::History;
use super::position::Position;
use super::precision::Precision;
use super::quantization_aware::QuantizationAware;
use super::together;
use crate::base::digest::Digest;
use crate::base::ranks::Collective;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::model::{Model, Recipe, mixup};
use crate::predict::device::Device;
use crate::rules::schedules::Schedule;
use std::sync::Arc;

/// The training configuration: Keras' arguments of `fit`, with Keras' defaults.
///
/// Where a model begins with frozen layers (a pretrained base), their outputs are computed once for
/// each row and kept, to the bits of a training that computes them in each epoch: of rows in memory,
/// for two epochs or more, within 500 MB, if nothing before them is random and no mixup is on. Layers
/// that are unfrozen are computed again from then on.
pub struct Fit<'a> {
    pub(super) epochs: usize,
    pub(super) initial_epoch: usize,
    pub(super) position: Position,
    pub(super) batch_size: usize,
    pub(super) steps_per_epoch: Option<usize>,
    pub(super) shuffle: bool,
    pub(super) validation: Validation,
    pub(super) schedule: Option<Schedule>,
    pub(super) class_weight: Vec<(usize, f64)>,
    pub(super) mixup: Option<f64>,
    pub(super) precision: Precision,
    pub(super) quantization_aware: Option<QuantizationAware>,
    pub(super) on_nan: OnNan,
    pub(super) health_every: usize,
    pub(super) verbose: bool,
    pub(super) callbacks: Vec<Box<dyn Callback + 'a>>,
    pub(super) device: Device,
    pub(super) ranks: Option<Arc<dyn Collective>>,
    pub(super) exact: bool,
}

/// The source of the validation rows.
pub(super) enum Validation {
    None,
    Split(f64),
    Data(Box<Data>),
}

impl Default for Fit<'_> {
    fn default() -> Self {
        Fit {
            epochs: 1,
            initial_epoch: 0,
            position: Position::default(),
            batch_size: 32,
            steps_per_epoch: None,
            shuffle: true,
            validation: Validation::None,
            schedule: None,
            class_weight: Vec::new(),
            mixup: None,
            precision: Precision::Float32,
            quantization_aware: None,
            on_nan: OnNan::Stop,
            health_every: Sampling::EVERY,
            verbose: false,
            callbacks: Vec::new(),
            device: Device::default(),
            ranks: None,
            exact: true,
        }
    }
}

impl<'a> Fit<'a> {
    /// One epoch, batches of 32 rows, shuffled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the exclusive end of the epochs; without `initial_epoch`, their number.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Sets the number of the first epoch, for a resumed training. Default 0.
    pub fn initial_epoch(mut self, epoch: usize) -> Self {
        self.initial_epoch = epoch;
        self
    }

    /// Begins inside the first epoch: with the step after those that are done, from the model as
    /// it was then. Callbacks are told that the epoch begins, once more.
    pub(crate) fn position(mut self, done: Position) -> Self {
        self.position = done;
        self
    }

    /// Sets the batch size. Default 32.
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.batch_size = rows;
        self
    }

    /// Sets the steps per epoch of a [`Generator`](crate::data::Generator), whose batches continue
    /// from epoch to epoch. An error for other data.
    pub fn steps_per_epoch(mut self, steps: usize) -> Self {
        self.steps_per_epoch = Some(steps);
        self
    }

    /// Sets whether each epoch shuffles the rows anew. Default yes.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Evaluates loss and metrics on this data after each epoch: rows in memory, or a
    /// [`Stream`](crate::data::Stream), with a memory limit of its own.
    pub fn validation_data(mut self, data: impl Into<Data>) -> Self {
        self.validation = Validation::Data(Box::new(data.into()));
        self
    }

    /// Holds out the last share of the rows for validation. A stream's are streamed too, with an
    /// eighth of its memory.
    pub fn validation_split(mut self, fraction: f64) -> Self {
        self.validation = Validation::Split(fraction);
        self
    }

    /// Takes the learning rate (and momentum) from a schedule over the whole training.
    pub fn schedule(mut self, schedule: impl Into<Schedule>) -> Self {
        self.schedule = Some(schedule.into());
        self
    }

    /// Weights the loss of each row by its class; classes without an entry have weight 1.
    /// Validation is not weighted.
    pub fn class_weight(mut self, weights: &[(usize, f64)]) -> Self {
        self.class_weight = weights.to_vec();
        self
    }

    /// Applies mixup: each row of a batch is mixed with another one, inputs and targets alike: λ of
    /// the one and 1 - λ of the other, λ drawn for each row from the beta distribution with both
    /// parameters `alpha` (Zhang et al., "mixup: beyond empirical risk minimization", 2018; Keras'
    /// `MixUp`, whose default is 0.2). A label is mixed as its one-hot row. Training metrics
    /// compare with the target of the larger share. Validation is not mixed. Not available with
    /// sample or class weights.
    pub fn mixup(mut self, alpha: f64) -> Self {
        self.mixup = Some(alpha);
        self
    }

    /// Sets the precision of the training's products: `Float32` by default. Validation, and the
    /// model afterwards, are single precision.
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Trains with the error of int8 numbers: see [`QuantizationAware`]. The model is from then on one of
    /// rounded inputs and kernels, when it is trained on without this, too.
    ///
    /// ```
    /// use gradus::artifacts::onnx::{Inputs, Int8, save_onnx_int8};
    /// use gradus::optimize::Calibration;
    /// use gradus::prelude::*;
    /// use gradus::train::QuantizationAware;
    ///
    /// # let folder = std::env::temp_dir().join(format!("gradus-doc-qat-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let mut model = Sequential::new()
    ///     .add(Flatten::new())
    ///     .add(Dense::new(30).activation(Activation::Relu))
    ///     .add(Dense::new(10).activation(Activation::Softmax))
    ///     .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[])?;
    /// let options = Fit::new().quantization_aware(QuantizationAware::new());
    /// model.fit(&data::digits(Split::Train)?, options)?;
    /// let learned = Calibration::learned(&model)?;
    /// assert_eq!(learned.ranges[1].layer, "dense_1");
    /// save_onnx_int8(&model, folder.join("int8.onnx"), Inputs::Raw, Int8::new(&learned))?;
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn quantization_aware(mut self, configuration: QuantizationAware) -> Self {
        self.quantization_aware = Some(configuration);
        self
    }

    /// Sets the reaction to a NaN or infinite loss. By default the training ends at once with
    /// [`Error::BlowUp`], and the model keeps its last finite state, that of the end of the
    /// previous epoch. With a callback such as Keras' `TerminateOnNaN`, which ends the training at
    /// that step, there is no error, and the same state is kept.
    ///
    /// ```
    /// use gradus::Error;
    /// use gradus::prelude::*;
    ///
    /// let mut model = Sequential::new()
    ///     .add(Flatten::new())
    ///     .add(Dense::new(10))
    ///     .compile(SGD::new().learning_rate(1e30), Loss::MeanSquaredError, &[])?;
    /// let x = Tensor::from_f32([4], vec![1.0; 400])?;
    /// let data = Dataset::new(x, Tensor::from_f32([10], vec![1.0; 1000])?)?;
    /// let error = model.fit(&data, Fit::new().epochs(3)).unwrap_err();
    /// assert!(matches!(error, Error::BlowUp { epoch: 0, .. }), "{error}");
    /// assert_eq!(model.not_finite().count(), 0);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn on_nan(mut self, on_nan: OnNan) -> Self {
        self.on_nan = on_nan;
        self
    }

    /// Samples the [health](crate::train::health) of the layers about every `steps` steps, more often
    /// in the first steps, less often once there are many samples; 0 turns it off. Default 100. The
    /// weights are the same in any case.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let mut model = Sequential::new()
    ///     .add(Flatten::new())
    ///     .add(Dense::new(30).activation(Activation::Relu))
    ///     .add(Dense::new(10).activation(Activation::Softmax))
    ///     .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[])?;
    /// let history = model.fit(&data::digits(Split::Train)?, Fit::new().health_every(10))?;
    /// let health = &history.health;
    /// assert_eq!(health.layers, ["dense", "dense_1"]);
    /// let hidden = &health.samples[0].layers[0];
    /// println!("{:?} of the units are dead", hidden.dead);
    /// assert!(hidden.gradient_norm.is_some_and(|norm| norm > 0.0));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn health_every(mut self, steps: usize) -> Self {
        self.health_every = steps;
        self
    }

    /// Enables or disables a line on standard error after each epoch: its number, loss and metrics,
    /// and its duration. Default no.
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose = verbose;
        self
    }

    /// The training configuration of a recipe for `epochs` epochs: its batches and schedule, and
    /// early stopping, which needs validation data.
    pub fn recipe(recipe: &Recipe, epochs: usize) -> Self {
        Self::new()
            .epochs(epochs)
            .batch_size(recipe.batch_size)
            .schedule(recipe.schedule())
            .callback(EarlyStopping::recipe(epochs))
    }

    /// Trains as one of several [ranks](crate::ranks), each of which calls `fit` with the same model, the
    /// same data and the same options: each computes its rows of every batch, whose size stays that
    /// of all ranks together. All of them end with the model that one would make alone, bit for bit,
    /// whatever their number. Which callbacks a rank has is its own affair, as long as they
    /// change the training alike.
    ///
    /// Before the first step the ranks compare models, data and options; an error names the rank that is
    /// different. A rank that ends with an error, or is dropped, ends all others with an error that names it.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// use gradus::ranks::in_process;
    /// use std::sync::Arc;
    ///
    /// let trained = |options: Fit<'_>| -> gradus::Result<Model> {
    ///     let mut model = Sequential::new()
    ///         .add(Flatten::new())
    ///         .add(Dense::new(30).activation(Activation::Elu))
    ///         .add(Dropout::new(0.2))
    ///         .add(Dense::new(10).activation(Activation::Softmax))
    ///         .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[])?;
    ///     model.fit(&data::digits(Split::Train)?, options)?;
    ///     Ok(model)
    /// };
    /// let ranks = in_process(2)?.into_iter().map(|rank| {
    ///     std::thread::spawn(move || trained(Fit::new().ranks(Arc::new(rank))))
    /// });
    /// // All are started before the first one is waited for.
    /// let ranks: Vec<_> = ranks.collect();
    /// let alone = trained(Fit::new())?;
    /// for rank in ranks {
    ///     let model = rank.join().unwrap()?;
    ///     for (a, b) in model.weights().zip(alone.weights()) {
    ///         assert_eq!(a.values, b.values);
    ///     }
    /// }
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn ranks(mut self, ranks: Arc<dyn Collective>) -> Self {
        self.ranks = Some(ranks);
        self
    }

    /// Sets whether [ranks](Fit::ranks) make the bits of one process. Default true. With false, each sums the
    /// gradients over its own rows of a batch, and the ranks add their sums up, in their order: fewer bytes
    /// are passed on where batches are large beside layers, and for convolutions. The same number of ranks
    /// still gives the same bits each time; another number gives others, as near as float32's rounding.
    /// Statistics (of batch normalization), losses and metrics are of the whole batch in any case.
    pub fn exact_ranks(mut self, exact: bool) -> Self {
        self.exact = exact;
        self
    }

    /// Trains on that device.
    #[cfg(test)]
    pub(crate) fn on(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// Adds something that is called between epochs and batches: a callback, or a `&mut` of
    /// one that is looked at afterwards.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// use gradus::train::{Logs, Training};
    ///
    /// /// Adds up the loss of all epochs.
    /// struct Sum(f64);
    ///
    /// impl Callback for Sum {
    ///     fn on_epoch_end(
    ///         &mut self,
    ///         _: usize,
    ///         logs: &Logs,
    ///         _: &mut Training<'_>,
    ///     ) -> gradus::Result<()> {
    ///         self.0 += logs.get("loss").unwrap_or_default();
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let mut model = Sequential::new()
    ///     .add(Flatten::new())
    ///     .add(Dense::new(10).activation(Activation::Softmax))
    ///     .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[])?;
    /// let mut sum = Sum(0.0);
    /// let options = Fit::new().epochs(2).callback(&mut sum);
    /// let history = model.fit(&data::digits(Split::Train)?, options)?;
    /// assert_eq!(sum.0, history.get("loss").iter().sum::<f64>());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn callback(mut self, callback: impl Callback + 'a) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }
}

impl Model {
    /// Trains on `data`, and returns the loss and metrics of each epoch. The data is a `&Dataset`
    /// in memory, a [`&Stream`](crate::data::Stream) of rows read during training, or a
    /// [`&Generator`](crate::data::Generator) of batches.
    pub fn fit(&mut self, data: impl Into<Data>, mut options: Fit<'_>) -> Result<History> {
        options.ranks = options.ranks.filter(|ranks| ranks.ranks() > 1);
        let ranks = options.ranks.clone();
        let history = self.fitted(data.into(), options);
        if let (Some(ranks), Err(error)) = (ranks, &history) {
            together::fail(&*ranks, error);
        }
        history
    }

    fn fitted(&mut self, data: Data, mut options: Fit<'_>) -> Result<History> {
        let (train, held_out) = match (data, &options.validation) {
            (data, Validation::None) => (data, None),
            (data, Validation::Data(held_out)) => (data, Some(Data::clone(held_out))),
            (data, Validation::Split(fraction)) => {
                let (train, held_out) = data.split_fraction(*fraction)?;
                (train, Some(held_out))
            }
        };
        if let Some(Data::Generator(_)) = held_out {
            let expected = "rows that can be visited after each epoch";
            return Err(Error::invalid("validation_data", "a generator", expected));
        }
        let train = self.prepare(
            &options.device,
            train,
            held_out.as_ref(),
            &options.class_weight,
        )?;
        if let Some(configuration) = options.quantization_aware {
            let under = |error: Error| error.under("quantization_aware");
            configuration.check().map_err(under)?;
            self.fake_quantize().map_err(under)?;
        }
        if let Some(alpha) = options.mixup {
            mixup::check(
                self,
                train.sample(),
                !options.class_weight.is_empty(),
                alpha,
            )?;
        }
        if let (OnNan::Stop, Some((layer, weight))) = (options.on_nan, self.not_finite().next()) {
            let problem = format!("its {weight} has NaN or infinite numbers: it cannot be trained");
            let at = format!("layer {layer}");
            return Err(Error::Config { at, problem });
        }
        if let Some(ranks) = &options.ranks {
            together::compare(
                self,
                &train,
                held_out.as_ref(),
                &of_options(&options),
                &**ranks,
            )?;
            options.device = Device::ranked(Arc::clone(ranks), options.exact);
        }
        let first = options.initial_epoch;
        let rates = optimizer_mut(self).map(|optimizer| optimizer.layer_rates.clone());
        let mut epochs = Epochs::new(self, &train, held_out.as_ref(), options)?;
        let history = epochs.run(first);
        match history {
            Ok(_) | Err(Error::BlowUp { .. }) => epochs.finish(),
            Err(_) => drop(epochs),
        }
        if let Some(optimizer) = optimizer_mut(self) {
            // However the training has ended.
            optimizer.pruned.clear();
            // `GradualUnfreezing` sets these rates for one training; an error must not leave them behind.
            if let (Err(_), Some(rates)) = (&history, rates) {
                optimizer.layer_rates = rates;
            }
        }
        history
    }
}

/// The options that decide which steps are taken.
fn of_options(options: &Fit<'_>) -> String {
    let done = &options.position;
    let meters: Vec<u64> = done.meters.iter().map(|sum| sum.to_bits()).collect();
    format!(
        "epochs {} to {}, from step {}, in batches of {} ({}{}), {}",
        options.initial_epoch,
        options.epochs,
        done.step,
        options.batch_size,
        if options.shuffle {
            "shuffled"
        } else {
            "in order"
        },
        if options.exact { "" } else { ", not exact" },
        Digest::of(
            format!(
                "{:?} {:?} {:?} {:?} {:?} {:?} {meters:?}",
                options.steps_per_epoch,
                options.schedule,
                options.class_weight,
                options.mixup,
                options.precision,
                (
                    options.on_nan,
                    options.health_every,
                    options.quantization_aware
                ),
            )
            .as_bytes()
        ),
    )
}
