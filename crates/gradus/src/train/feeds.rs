//! A model's share of the data: what a plan is fed with, in its order.

use crate::data::{Dataset, Tensor};
use crate::error::Result;
use crate::model::{Input, Model};

/// A batch's inputs, targets and weights, in the order of a plan's feeds.
pub(crate) fn tensors<'a>(
    model: &Model,
    data: &'a Dataset,
    with_targets: bool,
) -> Result<Vec<&'a Tensor>> {
    let mut all = inputs(&model.inputs, data)?;
    if with_targets {
        all.extend(targets(model, data)?.into_iter().map(|(_, target)| target));
        all.extend(data.sample_weight());
    }
    Ok(all)
}

/// The tensor of each input.
pub(crate) fn inputs<'a>(inputs: &[Input], data: &'a Dataset) -> Result<Vec<&'a Tensor>> {
    data.for_inputs(inputs.iter().map(|input| &*input.name))
}

/// The target of each trained output, with the output's number.
pub(crate) fn targets<'a>(model: &Model, data: &'a Dataset) -> Result<Vec<(usize, &'a Tensor)>> {
    let names = model.output_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted: Vec<usize> = model.compiled()?.trained().map(|(o, _)| o).collect();
    let found = data.for_targets(&names, &wanted)?;
    Ok(wanted.into_iter().zip(found).collect())
}
