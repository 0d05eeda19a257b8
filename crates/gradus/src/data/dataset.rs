//! `Dataset`: inputs, targets and weights whose rows belong together.

use crate::data::split;
use crate::data::tensor::Tensor;
use crate::error::{Error, Result};
use std::collections::HashSet;
use std::ops::Range;

/// A part of a built-in data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The rows to train on.
    Train,
    /// The rows that training never sees.
    Test,
}

impl Split {
    /// `train` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Test => "test",
        }
    }
}

/// Inputs and targets, row by row.
///
/// One input and one target are usual; a model with several takes them in its own order. Without
/// targets it can only be used for `predict`.
#[derive(Clone, Debug)]
pub struct Dataset {
    name: String,
    inputs: Vec<Tensor>,
    targets: Vec<Tensor>,
    input_names: Vec<String>,
    target_names: Vec<String>,
    sample_weight: Option<Tensor>,
    class_names: Vec<String>,
    /// Named text columns that identify each row.
    ids: Vec<(String, Tensor)>,
}

impl Dataset {
    /// Inputs `x` with targets `y`; an error if their row counts differ.
    pub fn new(x: Tensor, y: Tensor) -> Result<Self> {
        Self::from_parts(vec![x], vec![y])
    }

    /// Inputs without targets.
    pub fn unlabelled(x: Tensor) -> Self {
        Dataset {
            name: x.name().to_owned(),
            inputs: vec![x],
            targets: Vec::new(),
            input_names: Vec::new(),
            target_names: Vec::new(),
            sample_weight: None,
            class_names: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// Several inputs and targets, in the order in which the model has them (a [`Functional`] has its
    /// inputs in the order in which they were made), or by [`Dataset::with_names`]; no targets for
    /// predictions. An error if there is no input or row counts differ. The name is the first
    /// input's.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let mut g = Functional::new();
    /// let (wide, deep) = (g.input_named("wide", [2]), g.input_named("deep", [3]));
    /// let h = g.layer(Dense::new(8).activation(Activation::Relu), deep)?;
    /// let all = g.layer(layers::Concatenate::new(), [wide, h])?;
    /// let out = g.layer(Dense::new(1), all)?;
    /// let mut model = g.model(out)?;
    /// model.compile(Adam::new(), Loss::MeanSquaredError, &[])?;
    ///
    /// let wide = Tensor::from_rows(&[[0.5, 1.0], [0.0, 2.0]])?;
    /// let deep = Tensor::from_rows(&[[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])?;
    /// let y = Tensor::from_column(vec![1.0, 0.0])?;
    /// let data = Dataset::from_parts(vec![wide.clone(), deep.clone()], vec![y])?;
    /// model.fit(&data, Fit::new())?;
    /// let predicted = model.predict(Dataset::from_parts(vec![wide, deep], vec![])?)?;
    /// assert_eq!(predicted.rows(), 2);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// [`Functional`]: crate::Functional
    pub fn from_parts(inputs: Vec<Tensor>, targets: Vec<Tensor>) -> Result<Self> {
        let Some(first) = inputs.first() else {
            return Err(Error::invalid("data", "no input", "at least one"));
        };
        for other in inputs.iter().chain(&targets) {
            same_rows(first, other)?;
        }
        Ok(Dataset {
            name: first.name().to_owned(),
            inputs,
            targets,
            input_names: Vec::new(),
            target_names: Vec::new(),
            sample_weight: None,
            class_names: Vec::new(),
            ids: Vec::new(),
        })
    }

    /// The same data under another name.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The same data with a weight for each row's loss: one number a row.
    pub fn with_sample_weight(mut self, weight: Tensor) -> Result<Self> {
        same_rows(&self.inputs[0], &weight)?;
        if weight.size() != 1 {
            return Err(Error::shape(
                weight.name(),
                weight.shape(),
                "one number a row",
            ));
        }
        self.sample_weight = Some(weight);
        Ok(self)
    }

    /// The same data with other targets.
    pub(crate) fn with_targets(mut self, targets: Vec<Tensor>) -> Result<Self> {
        for target in &targets {
            same_rows(&self.inputs[0], target)?;
        }
        self.targets = targets;
        Ok(self)
    }

    /// The same data with names for its classes, in the order of their labels.
    pub fn with_class_names(mut self, names: &[impl AsRef<str>]) -> Self {
        self.class_names = names.iter().map(|name| name.as_ref().to_owned()).collect();
        self
    }

    /// The same data with names for its inputs and targets, by which a model with several finds
    /// them; without names their order counts.
    pub fn with_names(
        mut self,
        inputs: &[impl AsRef<str>],
        targets: &[impl AsRef<str>],
    ) -> Result<Self> {
        for (what, names, tensors) in [
            ("input", inputs.len(), self.inputs.len()),
            ("target", targets.len(), self.targets.len()),
        ] {
            if names != 0 && names != tensors {
                let found = format!("{names} {what} names");
                return Err(Error::invalid(&self.name, found, tensors));
            }
        }
        self.input_names = inputs.iter().map(|name| name.as_ref().to_owned()).collect();
        self.target_names = targets
            .iter()
            .map(|name| name.as_ref().to_owned())
            .collect();
        Ok(self)
    }

    /// The same data with named text columns that identify each row.
    pub fn with_ids(mut self, ids: Vec<(String, Tensor)>) -> Result<Self> {
        for (_, id) in &ids {
            same_rows(&self.inputs[0], id)?;
        }
        self.ids = ids;
        Ok(self)
    }

    /// The same data with only the inputs of these names.
    pub fn keep_inputs(mut self, names: &[&str]) -> Result<Self> {
        let inputs = std::mem::take(&mut self.inputs).into_iter();
        let named = std::mem::take(&mut self.input_names)
            .into_iter()
            .zip(inputs);
        let names: HashSet<&str> = names.iter().copied().collect();
        let kept = named.filter(|(name, _)| names.contains(name.as_str()));
        (self.input_names, self.inputs) = kept.unzip();
        match self.inputs.is_empty() {
            true => Err(Error::invalid(&self.name, "no input", "at least one")),
            false => Ok(self),
        }
    }

    /// The same data without its targets and weights.
    pub fn without_targets(mut self) -> Self {
        self.targets.clear();
        self.target_names.clear();
        self.sample_weight = None;
        self
    }

    /// The same data, each input mapped by `change`, which keeps the rows.
    pub(super) fn map_inputs(
        mut self,
        change: impl Fn(usize, Tensor) -> Result<Tensor>,
    ) -> Result<Self> {
        let inputs = self.inputs.into_iter().enumerate();
        self.inputs = inputs
            .map(|(i, input)| change(i, input))
            .collect::<Result<_>>()?;
        Ok(self)
    }

    /// The name used in messages: a built-in set's or a file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.inputs[0].rows()
    }

    /// The inputs, at least one.
    pub fn inputs(&self) -> &[Tensor] {
        &self.inputs
    }

    /// The targets, none if it is unlabelled.
    pub fn targets(&self) -> &[Tensor] {
        &self.targets
    }

    /// The inputs' names, for a model with several; empty if they have none.
    pub fn input_names(&self) -> &[String] {
        &self.input_names
    }

    /// The targets' names, for a model with several; empty if they have none.
    pub fn target_names(&self) -> &[String] {
        &self.target_names
    }

    /// The weight of each row's loss; `None` is 1 for every row.
    pub fn sample_weight(&self) -> Option<&Tensor> {
        self.sample_weight.as_ref()
    }

    /// The classes' names in the order of their labels; empty if unknown.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The text columns that identify each row, with their names; only tables have them.
    pub fn ids(&self) -> &[(String, Tensor)] {
        &self.ids
    }

    /// The rows of a range, sharing memory with this data set.
    pub fn slice(&self, range: Range<usize>) -> Result<Self> {
        self.map(|tensor| tensor.slice(range.clone()))
    }

    /// The given rows in the given order, copied.
    pub fn take(&self, rows: &[usize]) -> Result<Self> {
        self.map(|tensor| tensor.take(rows))
    }

    /// The given rows, ascending: shared if they are contiguous, else copied.
    pub(crate) fn select(&self, rows: &[usize]) -> Result<Self> {
        self.map(|tensor| tensor.select(rows))
    }

    /// The first `n` rows, and the rest; an error if either is empty.
    pub fn split_first(&self, n: usize) -> Result<(Self, Self)> {
        let parts = split::first(self.rows(), n)?;
        Ok((self.select(&parts.held_out)?, self.select(&parts.rest)?))
    }

    /// Splits off the last `fraction` of the rows: Keras' `validation_split`, which holds out the
    /// rows from `floor(rows * (1 - fraction))` on. An error where either would be empty.
    pub fn split_fraction(&self, fraction: f64) -> Result<(Self, Self)> {
        self.split_by(&split::last(self.rows(), fraction)?)
    }

    /// Splits into the remaining and the held-out rows of any split or fold of
    /// [`split`](crate::data::split).
    ///
    /// ```
    /// use gradus::prelude::*;
    /// use gradus::data::split;
    ///
    /// let data = data::digits(Split::Train)?;
    /// let (train, validation) = data.split_by(&split::stratified(&data.classes()?, 0.2, 42)?)?;
    /// assert_eq!(train.rows() + validation.rows(), data.rows());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn split_by(&self, sides: &split::Sides) -> Result<(Self, Self)> {
        Ok((self.select(&sides.rest)?, self.select(&sides.held_out)?))
    }

    /// Inputs, targets and weights, in this order.
    pub(super) fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        let labelled = self.inputs.iter().chain(&self.targets);
        labelled.chain(&self.sample_weight)
    }

    /// Like `tensors`, by value.
    pub(super) fn into_tensors(self) -> impl Iterator<Item = Tensor> {
        let labelled = self.inputs.into_iter().chain(self.targets);
        labelled.chain(self.sample_weight)
    }

    /// The same data with each tensor mapped, in the order of `tensors`, then the ids; all keep the
    /// same rows.
    pub(super) fn map(&self, mut change: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<Self> {
        Ok(Dataset {
            name: self.name.clone(),
            inputs: self.inputs.iter().map(&mut change).collect::<Result<_>>()?,
            targets: self
                .targets
                .iter()
                .map(&mut change)
                .collect::<Result<_>>()?,
            input_names: self.input_names.clone(),
            target_names: self.target_names.clone(),
            sample_weight: self.sample_weight.as_ref().map(&mut change).transpose()?,
            class_names: self.class_names.clone(),
            ids: self
                .ids
                .iter()
                .map(|(name, id)| Ok((name.clone(), change(id)?)))
                .collect::<Result<_>>()?,
        })
    }
}

fn same_rows(a: &Tensor, b: &Tensor) -> Result<()> {
    if a.rows() == b.rows() {
        return Ok(());
    }
    Err(Error::Data {
        source_name: b.name().to_owned(),
        row: None,
        column: None,
        found: format!("{} rows", b.rows()),
        expected: format!("{} as in {}", a.rows(), a.name()),
    })
}
