use super::{Callback, Progress, Training};
use crate::base::setters::setters;
use crate::error::{Error, Result};
use crate::model::{Model, Prune, Zeros};
use serde::{Deserialize, Serialize};

/// Name of the callback in errors.
const NAME: &str = "Pruning";

/// Prunes the model while it is trained (Zhu & Gupta 2017, "To prune, or not to prune"): every so
/// many steps the smallest weights become zeros, more of them each time, and zeros stay zeros. The
/// share at a step is that of the TensorFlow model optimization toolkit's `PolynomialDecay`:
/// final + (initial - final) (1 - progress)³.
///
/// Frozen layers stay as they are. Until the last share is reached, an epoch counts neither for
/// `EarlyStopping` nor for a `ModelCheckpoint` that saves only the best: its weights are not pruned
/// to the end yet.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::train::callbacks::Pruning;
///
/// let mut model = Sequential::new()
///     .add(Flatten::new())
///     .add(Dense::new(30).activation("relu"))
///     .add(Dense::new(10).activation("softmax"))
///     .compile("nadam", "sparse_categorical_crossentropy", &[])?;
/// let pruning = Pruning::new(0.8).frequency(10);
/// model.fit(&data::digits(Split::Train)?, Fit::new().epochs(4).callback(pruning))?;
/// assert!(model.zeros()?.iter().all(|of| (of.share() - 0.8).abs() < 0.01));
///
/// // Training that goes on keeps the zeros, if it is asked to.
/// model.fit(&data::digits(Split::Train)?, Fit::new().callback(Pruning::keep_zeros()))?;
/// assert!(model.zeros()?[0].share() > 0.79);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pruning {
    /// Share of zeros at the end, from 0 to below 1. Default none: nothing is pruned, the zeros
    /// that are there stay zeros.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [0.9]))]
    pub final_sparsity: Option<f64>,
    /// Share of zeros at the beginning. Default 0.
    #[schemars(extend("examples" = [0.5]))]
    pub initial_sparsity: f64,
    /// The step, from 0, from which on it prunes. Default 0.
    #[schemars(extend("examples" = [1000]))]
    pub begin_step: usize,
    /// The step at which the final share is reached. Default half of the training's, so that the
    /// other half can make up for what was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [5000]))]
    pub end_step: Option<usize>,
    /// Steps from one pruning to the next. Default 100.
    pub frequency: usize,
    /// Exponent of the schedule. Default 3.
    pub power: f64,
    /// True to compare the weights of all layers with each other. Default no: each layer loses the
    /// same share.
    pub global: bool,
    /// Rows and columns of the blocks that become zeros together. Default 1 and 1: each weight on
    /// its own.
    #[schemars(extend("examples" = [[4, 4]]))]
    pub block_size: [usize; 2],
    /// The layers that are pruned: names, `*` stands for any text. Default all.
    #[schemars(extend("examples" = [["dense", "dense_1"]]))]
    pub layers: Vec<String>,
    /// The pruned variables, by layer and weight.
    #[serde(skip)]
    variables: Vec<(usize, usize)>,
    /// True once zeros are kept.
    #[serde(skip)]
    keeps: bool,
    /// The epoch in which the last share is reached.
    #[serde(skip)]
    reached_in: Option<usize>,
}

impl Default for Pruning {
    fn default() -> Self {
        let Prune {
            global,
            block_size,
            layers,
            ..
        } = Prune::new(0.0);
        Pruning {
            final_sparsity: None,
            initial_sparsity: 0.0,
            begin_step: 0,
            end_step: None,
            frequency: 100,
            power: 3.0,
            global,
            block_size,
            layers,
            variables: Vec::new(),
            keeps: false,
            reached_in: None,
        }
    }
}

setters!(Pruning {
    /// Sets the share of zeros at the beginning.
    initial_sparsity(f64);
    /// Sets the step from which on it prunes.
    begin_step(usize);
    /// Sets the step at which the final share is reached.
    end_step(some usize);
    /// Sets the steps from one pruning to the next.
    frequency(usize);
    /// Sets the exponent of the schedule.
    power(f64);
    /// Compares the weights of all layers with each other.
    global(bool);
    /// Sets the rows and columns of the blocks.
    block_size([usize; 2]);
    /// Sets the names of the layers that are pruned.
    layers(Vec<String>);
});

impl Pruning {
    /// Prunes to this share of zeros in the first half of the training.
    pub fn new(final_sparsity: f64) -> Self {
        Pruning {
            final_sparsity: Some(final_sparsity),
            ..Self::default()
        }
    }

    /// Prunes nothing: the zeros that are there stay zeros, as in the fine-tuning of a pruned model.
    pub fn keep_zeros() -> Self {
        Self::default()
    }

    /// Refuses arguments that mean nothing, and layers that the model does not have.
    pub fn check(&self, model: &Model) -> Result<()> {
        self.how(self.initial_sparsity)
            .check(model)
            .map_err(|error| {
                // The one share stands for the two of the schedule.
                match self.initial_sparsity {
                    0.0..1.0 => error,
                    found => {
                        let expected = "a number from 0 to below 1";
                        Error::invalid("initial_sparsity", found, expected)
                    }
                }
            })?;
        self.check_zeros(model)?;
        self.check_beginning(model)?;
        if self.frequency == 0 {
            return Err(Error::invalid("frequency", 0, "a whole number above 0"));
        }
        if !(self.power > 0.0 && self.power.is_finite()) {
            return Err(Error::invalid("power", self.power, "a number above 0"));
        }
        let Some(last) = self.final_sparsity else {
            return self.check_keeping();
        };
        if !(last > 0.0 && last < 1.0) {
            let expected = "a number above 0 and below 1, such as 0.9";
            return Err(Error::invalid("final_sparsity", last, expected));
        }
        if self.initial_sparsity > last {
            let expected = format!("at most final_sparsity, {last}");
            let found = self.initial_sparsity;
            return Err(Error::invalid("initial_sparsity", found, expected));
        }
        Ok(())
    }

    /// Refuses rules that make zeros of their own, which would stay.
    fn check_zeros(&self, model: &Model) -> Result<()> {
        let compiled = model.compiled.as_ref();
        if let Some(optimizer) = compiled.and_then(|compiled| compiled.optimizer.as_ref())
            && optimizer.method.makes_zeros()
        {
            let found = format!("{}, whose zeros would stay zeros", optimizer.method.class());
            return Err(Error::invalid("optimizer", found, "another beside pruning"));
        }
        for (l, w) in self.trained(model) {
            let (layer, weight) = (&model.layers[l], &model.layers[l].weights[w]);
            let constraint = layer.rule.constraint(weight.name);
            if let Some(rule) = constraint.filter(|rule| rule.makes_zeros()) {
                let at = format!("layer {}", layer.name);
                let problem = format!(
                    "the zeros that its constraint {} makes would stay zeros: leave it out of \
                     `layers`, or the constraint out",
                    rule.class()
                );
                return Err(Error::Config { at, problem });
            }
        }
        Ok(())
    }

    /// Refuses arguments of a schedule where there is none.
    fn check_keeping(&self) -> Result<()> {
        let given = [
            ("initial_sparsity", self.initial_sparsity != 0.0),
            ("begin_step", self.begin_step != 0),
            ("end_step", self.end_step.is_some()),
            ("global", self.global),
            ("block_size", self.block_size != [1, 1]),
        ];
        if let Some((key, _)) = given.into_iter().find(|(_, given)| *given) {
            let expected = "final_sparsity beside it: without that nothing is pruned";
            return Err(Error::invalid(key, "a value", expected));
        }
        Ok(())
    }

    /// Refuses a variable that begins at 0, every number of it: it would stay so.
    fn check_beginning(&self, model: &Model) -> Result<()> {
        for (l, w) in self.trained(model) {
            let (layer, weight) = (&model.layers[l], &model.layers[l].weights[w]);
            if self.begin_step == 0 && weight.values.iter().all(|&x| x == 0.0) {
                let way = match self.final_sparsity {
                    Some(_) => ", or prune from a later step on, such as `begin_step = 100`",
                    None => "",
                };
                let problem = format!(
                    "every number of its {} is 0, and would stay 0: leave it out of `layers`{way}",
                    weight.name
                );
                let at = format!("layer {}", layer.name);
                return Err(Error::Config { at, problem });
            }
        }
        Ok(())
    }

    /// The epoch, from 0, in which the last share of zeros is reached, once it is known.
    pub fn reached_in(&self) -> Option<usize> {
        self.reached_in
    }

    /// The share of zeros in the model's variables that it prunes. An error if the model has no
    /// weights yet.
    pub fn sparsity_of(&self, model: &Model) -> Result<f64> {
        let named = self.how(0.0).variables(model);
        let named = |of: &Zeros| named.iter().any(|&(l, _)| model.layers[l].name == of.layer);
        Ok(Zeros::total(model.zeros()?.iter().filter(|of| named(of))))
    }

    fn how(&self, sparsity: f64) -> Prune {
        Prune {
            sparsity,
            global: self.global,
            block_size: self.block_size,
            layers: self.layers.clone(),
        }
    }

    /// The pruned variables that are trained, by layer and weight.
    fn trained(&self, model: &Model) -> Vec<(usize, usize)> {
        let all = self.how(0.0).variables(model).into_iter();
        all.filter(|&(l, _)| model.layers[l].trainable).collect()
    }

    /// Refuses a schedule that the steps of the training do not reach the end of.
    fn check_steps(&mut self, steps: usize) -> Result<()> {
        let end = *self.end_step.get_or_insert(steps / 2);
        if end >= steps {
            let found = format!("{end}, and a training of {steps} steps");
            let expected = "a step of the training: it would end before the final sparsity";
            return Err(Error::invalid("end_step", found, expected));
        }
        if self.begin_step > end {
            let expected = format!("at most end_step, {end}");
            return Err(Error::invalid("begin_step", self.begin_step, expected));
        }
        Ok(())
    }

    /// The share of zeros from this step on, if it prunes there.
    fn sparsity(&self, step: usize) -> Option<f64> {
        let (last, end) = (self.final_sparsity?, self.end_step?);
        if step < self.begin_step || step > end {
            return None;
        }
        let since = step - self.begin_step;
        if step == end {
            return Some(last);
        }
        let progress = since as f64 / (end - self.begin_step) as f64;
        let left = (1.0 - progress).powf(self.power);
        let now = last + (self.initial_sparsity - last) * left;
        since.is_multiple_of(self.frequency).then_some(now)
    }
}

/// The number of a step among those of all epochs.
fn step_of(progress: &Progress<'_>) -> usize {
    let before = progress.epoch.saturating_mul(progress.batches);
    before.saturating_add(progress.batch)
}

impl Callback for Pruning {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        let checked = self.check(training.model);
        checked.map_err(|error| error.under(NAME))?;
        self.variables = self.trained(training.model);
        self.keeps = false;
        if self.variables.is_empty() {
            let expected = "at least one that is trained";
            return Err(Error::invalid("layers", "frozen layers", expected).under(NAME));
        }
        if self.final_sparsity.is_some() {
            let checked = self.check_steps(training.steps);
            checked.map_err(|error| error.under(NAME))?;
            training.unfinished = true;
        }
        Ok(())
    }

    fn on_train_batch_begin(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let step = step_of(progress);
        if !self.keeps && step >= self.begin_step {
            let layers = &training.model.layers;
            let pruned = self.variables.iter();
            let pruned = pruned.map(|&(l, w)| (layers[l].name.clone(), layers[l].weights[w].name));
            training.keep_zeros(pruned.collect())?;
            self.keeps = true;
        }
        if let Some(sparsity) = self.sparsity(step) {
            let how = self.how(sparsity);
            training.edit(|model| how.apply(model, &self.variables))?;
        }
        if let Some(end) = self.end_step {
            training.unfinished = step < end;
            self.reached_in = Some(end / progress.batches.max(1));
        }
        Ok(())
    }
}
