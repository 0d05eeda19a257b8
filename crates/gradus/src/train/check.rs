//! Whether a model can take the data: what does not fit is named before a step
//! is taken.

use super::feeds;
use crate::data::{Dataset, check};
use crate::error::{Error, Result};
use crate::model::{Input, Model};
use crate::rules::losses::Targets;

/// Rows, and inputs of the model's shapes.
pub(super) fn inputs(inputs: &[Input], data: &Dataset) -> Result<()> {
    check::not_empty(data)?;
    let tensors = feeds::inputs(inputs, data)?;
    let shapes = inputs.iter().filter_map(|input| input.shape.as_ref());
    let mut pairs = tensors.into_iter().zip(shapes);
    pairs.try_for_each(|(tensor, shape)| check::shape(tensor, shape))
}

/// As [`inputs`], and finite numbers with targets that fit the outputs and losses.
pub(super) fn labelled(model: &Model, data: &Dataset) -> Result<()> {
    let compiled = model.compiled()?;
    inputs(&model.inputs, data)?;
    check::finite_all(data)?;
    let shapes = model.output_shapes()?;
    let targets = feeds::targets(model, data)?;
    for ((output, target), (_, goal)) in targets.into_iter().zip(compiled.trained()) {
        let output = &shapes[output];
        let (wanted, by_class) = match goal.loss.targets() {
            Targets::ClassNumbers => (output.size() / output.last().max(1), true),
            Targets::LikeOutputs => (output.size(), false),
        };
        if target.size() != wanted {
            let expected = format!(
                "{wanted} numbers a row: the model's output is {output} and its loss {}",
                goal.loss.class()
            );
            return Err(Error::shape(target.name(), target.shape(), expected));
        }
        // A class to be ignored may be any number.
        let ignores = goal.loss.to_config()["ignore_class"].is_number();
        if by_class && !ignores {
            check::labels(target, output.last())?;
        }
    }
    Ok(())
}
