//! How a model is trained: an optimizer, and a goal for each output.

use super::graph::{Model, State};
use crate::error::{Error, Result};
use crate::rules::losses::Loss;
use crate::rules::metrics::{Better, Metric};
use crate::rules::optimizers::Optimizer;

/// How a model is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// How gradients become steps. None where a file has none, or one that gradus does not
    /// know: such a model is evaluated, and trained when it is compiled with another.
    pub optimizer: Option<Optimizer>,
    /// What each output is for; one without a goal is not trained. None has one where a
    /// file's losses are not known.
    pub goals: Vec<Option<Goal>>,
}

/// What an output is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// What is made small.
    pub loss: Loss,
    /// What its loss is multiplied by in the sum of all losses. Default 1.
    pub weight: f64,
    /// What is reported beside it, under these names. Sample and class weights
    /// do not count.
    pub metrics: Vec<(String, Metric)>,
    /// What is reported beside it and counts each row by its weight. A name that
    /// is taken gets `weighted_` before it in the history.
    pub weighted_metrics: Vec<(String, Metric)>,
}

impl Goal {
    /// A small loss, of weight 1.
    pub fn new(loss: impl Into<Loss>) -> Self {
        Goal {
            loss: loss.into(),
            weight: 1.0,
            metrics: Vec::new(),
            weighted_metrics: Vec::new(),
        }
    }

    /// Sets what its loss is multiplied by in the sum of all losses.
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// Sets what is reported beside it.
    pub fn metrics(mut self, metrics: &[Metric]) -> Self {
        let named = metrics.iter().map(|m| (m.name().to_owned(), m.clone()));
        self.metrics = named.collect();
        self
    }

    /// All metrics under their names in the history, and whether rows count by
    /// their weights.
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
    pub fn new(optimizer: impl Into<Optimizer>, goal: Goal) -> Self {
        Compiled {
            optimizer: Some(optimizer.into()),
            goals: vec![Some(goal)],
        }
    }

    /// The optimizer; an error that says what to call if there is none.
    pub fn optimizer(&self) -> Result<&Optimizer> {
        self.optimizer.as_ref().ok_or_else(|| Error::NotReady {
            problem: "the model has no optimizer: call `compile` with one before it is trained"
                .into(),
        })
    }

    /// Whether a loss is the user's own, which no file can hold.
    pub(crate) fn is_own(&self) -> bool {
        self.trained().any(|(_, goal)| goal.loss.is_own())
    }

    /// The goals that there are, each with its output's number.
    pub fn trained(&self) -> impl Iterator<Item = (usize, &Goal)> {
        let goals = self.goals.iter().enumerate();
        goals.filter_map(|(n, goal)| Some((n, goal.as_ref()?)))
    }
}

impl Model {
    /// Sets how the model is trained, every output with this loss. The optimizer
    /// starts afresh.
    pub fn compile(
        &mut self,
        optimizer: impl Into<Optimizer>,
        loss: impl Into<Loss>,
        metrics: &[Metric],
    ) -> Result<()> {
        let goal = Goal::new(loss).metrics(metrics);
        self.compile_with(Compiled {
            optimizer: Some(optimizer.into()),
            goals: vec![Some(goal); self.outputs.len()],
        })
    }

    /// As [`Model::compile`], each output with a goal of its own, by the output's
    /// name; one that is not named is not trained.
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
    /// let kind = Goal::new(Loss::SparseCategoricalCrossentropy).metrics(&[Metric::Accuracy]);
    /// let size = Goal::new(Loss::MeanSquaredError).weight(0.3);
    /// model.compile_outputs(Adam::new(), [("kind", kind), ("size", size)])?;
    /// assert_eq!(model.measurements(), ["loss", "kind_loss", "size_loss", "kind_accuracy"]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn compile_outputs<'a>(
        &mut self,
        optimizer: impl Into<Optimizer>,
        goals: impl IntoIterator<Item = (&'a str, Goal)>,
    ) -> Result<()> {
        let names = self.output_names();
        let mut of_outputs = vec![None; names.len()];
        for (name, goal) in goals {
            let Some(output) = names.iter().position(|n| n == name) else {
                let known = names.iter().map(String::as_str);
                return Err(Error::unknown("", "output", name, known));
            };
            of_outputs[output] = Some(goal);
        }
        self.compile_with(Compiled {
            optimizer: Some(optimizer.into()),
            goals: of_outputs,
        })
    }

    /// As [`Model::compile`], with everything chosen.
    pub fn compile_with(&mut self, compiled: Compiled) -> Result<()> {
        let optimizer = compiled.optimizer()?.check();
        optimizer.map_err(|e| e.under("optimizer"))?;
        if compiled.goals.len() != self.outputs.len() || compiled.trained().next().is_none() {
            let found = format!("{} goals", compiled.trained().count());
            let expected = format!("one for each of {} outputs", self.outputs.len());
            return Err(Error::invalid("loss", found, expected));
        }
        for (_, goal) in compiled.trained() {
            goal.loss.check().map_err(|e| e.under("loss"))?;
            if !goal.weight.is_finite() {
                return Err(Error::invalid(
                    "loss_weights",
                    goal.weight,
                    "a finite number",
                ));
            }
        }
        self.compiled = Some(compiled);
        self.state = State::default();
        Ok(())
    }

    /// The names of everything that an epoch measures, without validation: the
    /// loss, the outputs' losses if there are several, the metrics. Those of a
    /// model with several outputs have the output's name in front.
    pub fn measurements(&self) -> Vec<String> {
        self.measured().into_iter().map(|(name, _)| name).collect()
    }

    /// As [`Model::measurements`], and which of two measurements is better: of a loss
    /// the smaller, of a metric what the metric says.
    pub(crate) fn measured(&self) -> Vec<(String, Option<Better>)> {
        let smaller = Some(Better::Smaller);
        let mut all = vec![("loss".to_owned(), smaller)];
        let Some(compiled) = &self.compiled else {
            return all;
        };
        let goals: Vec<(String, &Goal)> = self.named_goals(compiled);
        if goals.len() > 1 {
            all.extend(
                goals
                    .iter()
                    .map(|(output, _)| (format!("{output}loss"), smaller)),
            );
        }
        for (output, goal) in &goals {
            let metrics = goal.reported().into_iter();
            all.extend(metrics.map(|(name, m, _)| (format!("{output}{name}"), m.better())));
        }
        all
    }

    /// The goals, each with what stands before its measurements' names.
    fn named_goals<'a>(&self, compiled: &'a Compiled) -> Vec<(String, &'a Goal)> {
        let names = self.output_names();
        let prefix = |output: usize| match names.len() {
            1 => String::new(),
            _ => format!("{}_", names[output]),
        };
        let goals = compiled.trained();
        goals.map(|(output, goal)| (prefix(output), goal)).collect()
    }

    /// How it is trained, with a loss at least; an error that says what to call if there
    /// is none.
    pub(crate) fn compiled(&self) -> Result<&Compiled> {
        let compiled = self.compiled.as_ref();
        let compiled = compiled.filter(|compiled| compiled.trained().next().is_some());
        compiled.ok_or_else(|| Error::NotReady {
            problem: "the model is not compiled: call `compile` with an optimizer and a loss first"
                .into(),
        })
    }
}
