//! The training configuration of a model: an optimizer, and a loss for each output.

use super::graph::{Model, State};
use crate::error::{Error, Result};
use crate::rules::losses::Loss;
use crate::rules::metrics::{Better, Metric};
use crate::rules::optimizers::Optimizer;
use std::collections::HashMap;

/// The training configuration of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The optimizer. `None` if a file has none, or one unknown to gradus: such a model can be
    /// evaluated, and trained once it is compiled with another.
    pub optimizer: Option<Optimizer>,
    /// The loss and metrics of each output; an output without is not trained. All are `None` if a
    /// file's losses are unknown.
    pub output_losses: Vec<Option<OutputLoss>>,
}

/// The loss and the metrics of an output.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputLoss {
    /// The loss to minimize.
    pub loss: Loss,
    /// Factor of the loss in the sum of all losses. Default 1.
    pub weight: f64,
    /// Metrics with their names. Sample and class weights are ignored.
    pub metrics: Vec<(String, Metric)>,
    /// Metrics that weight each row by its sample and class weight. A name that is taken gets
    /// `weighted_` before it in the history.
    pub weighted_metrics: Vec<(String, Metric)>,
}

impl OutputLoss {
    /// An output's loss, with weight 1.
    pub fn new(loss: impl Into<Loss>) -> Self {
        OutputLoss {
            loss: loss.into(),
            weight: 1.0,
            metrics: Vec::new(),
            weighted_metrics: Vec::new(),
        }
    }

    /// Sets the factor of the loss in the sum of all losses.
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// Sets the metrics.
    pub fn metrics(mut self, metrics: &[Metric]) -> Self {
        let named = metrics.iter().map(|m| (m.name().to_owned(), m.clone()));
        self.metrics = named.collect();
        self
    }

    /// All metrics with their names in the history, and true for the weighted ones.
    pub fn reported(&self) -> Vec<(String, &Metric, bool)> {
        let mut all: Vec<(String, &Metric, bool)> = Vec::new();
        let lists = [(&self.metrics, false), (&self.weighted_metrics, true)];
        for (list, weighted) in lists {
            for (name, metric) in list {
                let taken = |name: &str| all.iter().any(|(other, ..)| other == name);
                let mut own = name.clone();
                if weighted && taken(&own) {
                    own = format!("weighted_{name}");
                }
                let mut free = own.clone();
                for n in 1.. {
                    if !taken(&free) {
                        break;
                    }
                    free = format!("{own}_{n}");
                }
                all.push((free, metric, weighted));
            }
        }
        all
    }
}

impl Compiled {
    /// For a model with one output.
    pub fn new(optimizer: impl Into<Optimizer>, output_loss: OutputLoss) -> Self {
        Compiled {
            optimizer: Some(optimizer.into()),
            output_losses: vec![Some(output_loss)],
        }
    }

    /// The optimizer; if there is none, an error that names the missing call.
    pub fn optimizer(&self) -> Result<&Optimizer> {
        self.optimizer.as_ref().ok_or_else(|| Error::NotReady {
            problem: "the model has no optimizer: call `compile` with one before it is trained"
                .into(),
        })
    }

    /// True if a loss is the user's own, which cannot be saved.
    pub(crate) fn is_own(&self) -> bool {
        self.trained()
            .any(|(_, output_loss)| output_loss.loss.is_own())
    }

    /// The trained outputs' losses, each with its output's index.
    pub fn trained(&self) -> impl Iterator<Item = (usize, &OutputLoss)> {
        let output_losses = self.output_losses.iter().enumerate();
        output_losses.filter_map(|(n, output_loss)| Some((n, output_loss.as_ref()?)))
    }
}

impl Model {
    /// Sets the optimizer, and one loss for every output. The optimizer's state is reset.
    pub fn compile(
        &mut self,
        optimizer: impl Into<Optimizer>,
        loss: impl Into<Loss>,
        metrics: &[Metric],
    ) -> Result<()> {
        let output_loss = OutputLoss::new(loss).metrics(metrics);
        self.compile_with(Compiled {
            optimizer: Some(optimizer.into()),
            output_losses: vec![Some(output_loss); self.outputs.len()],
        })
    }

    /// Like [`Model::compile`], with a loss and metrics for each output, by the output's name; an
    /// output that is not named is not trained.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let mut g = Functional::new();
    /// let x = g.input([6]);
    /// let h = g.layer(Dense::new(8).activation(Activation::Elu), x)?;
    /// let kind = Dense::new(3).activation(Activation::Softmax);
    /// let kind = g.layer_named("kind", kind, h)?;
    /// let size = g.layer_named("size", Dense::new(1), h)?;
    /// let mut model = g.model([kind, size])?;
    /// let kind = OutputLoss::new(Loss::SparseCategoricalCrossentropy).metrics(&[Metric::Accuracy]);
    /// let size = OutputLoss::new(Loss::MeanSquaredError).weight(0.3);
    /// model.compile_outputs(Adam::new(), [("kind", kind), ("size", size)])?;
    /// assert_eq!(model.measurements(), ["loss", "kind_loss", "size_loss", "kind_accuracy"]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn compile_outputs<'a>(
        &mut self,
        optimizer: impl Into<Optimizer>,
        output_losses: impl IntoIterator<Item = (&'a str, OutputLoss)>,
    ) -> Result<()> {
        let names = self.output_names();
        let places: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
        let mut of_outputs = vec![None; names.len()];
        for (name, output_loss) in output_losses {
            let Some(&output) = places.get(name) else {
                let known = names.iter().map(String::as_str);
                return Err(Error::unknown("", "output", name, known));
            };
            of_outputs[output] = Some(output_loss);
        }
        self.compile_with(Compiled {
            optimizer: Some(optimizer.into()),
            output_losses: of_outputs,
        })
    }

    /// Like [`Model::compile`], with a complete configuration.
    pub fn compile_with(&mut self, compiled: Compiled) -> Result<()> {
        let optimizer = compiled.optimizer()?.check();
        optimizer.map_err(|e| e.under("optimizer"))?;
        if compiled.output_losses.len() != self.outputs.len() || compiled.trained().next().is_none()
        {
            let found = format!("{} output_losses", compiled.trained().count());
            let expected = format!("one for each of {} outputs", self.outputs.len());
            return Err(Error::invalid("loss", found, expected));
        }
        for (_, output_loss) in compiled.trained() {
            output_loss.loss.check().map_err(|e| e.under("loss"))?;
            for (_, metric, _) in output_loss.reported() {
                metric.check().map_err(|e| e.under("metrics"))?;
            }
            if !output_loss.weight.is_finite() {
                return Err(Error::invalid(
                    "loss_weights",
                    output_loss.weight,
                    "a finite number",
                ));
            }
        }
        self.compiled = Some(compiled);
        self.state = State::default();
        Ok(())
    }

    /// The names of an epoch's values, without validation: the loss, the outputs' losses if there
    /// are several, the metrics. In a model with several outputs, names begin with the output's.
    pub fn measurements(&self) -> Vec<String> {
        self.measured().into_iter().map(|(name, _)| name).collect()
    }

    /// Like [`Model::measurements`], with the better direction of each: smaller for a loss; for a
    /// metric its own.
    pub(crate) fn measured(&self) -> Vec<(String, Option<Better>)> {
        let smaller = Some(Better::Smaller);
        let mut all = vec![("loss".to_owned(), smaller)];
        let Some(compiled) = &self.compiled else {
            return all;
        };
        let output_losses: Vec<(String, &OutputLoss)> = self.named_outputs(compiled);
        if output_losses.len() > 1 {
            all.extend(
                output_losses
                    .iter()
                    .map(|(output, _)| (format!("{output}loss"), smaller)),
            );
        }
        for (output, output_loss) in &output_losses {
            let metrics = output_loss.reported().into_iter();
            all.extend(metrics.map(|(name, m, _)| (format!("{output}{name}"), m.better())));
        }
        all
    }

    /// The trained outputs' losses, each with the prefix of its values' names.
    fn named_outputs<'a>(&self, compiled: &'a Compiled) -> Vec<(String, &'a OutputLoss)> {
        let names = self.output_names();
        let prefix = |output: usize| match names.len() {
            1 => String::new(),
            _ => format!("{}_", names[output]),
        };
        let output_losses = compiled.trained();
        output_losses
            .map(|(output, output_loss)| (prefix(output), output_loss))
            .collect()
    }

    /// The training configuration, with at least one loss; if there is none, an error that names
    /// the missing call.
    pub(crate) fn compiled(&self) -> Result<&Compiled> {
        let compiled = self.compiled.as_ref();
        let compiled = compiled.filter(|compiled| compiled.trained().next().is_some());
        compiled.ok_or_else(|| Error::NotReady {
            problem: "the model is not compiled: call `compile` with an optimizer and a loss first"
                .into(),
        })
    }
}
