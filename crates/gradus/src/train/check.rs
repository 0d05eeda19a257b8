//! Whether a model can take the data: what does not fit is named before a step
//! is taken.

use crate::base::shape::Shape;
use crate::data::{Dataset, check};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::rules::losses::Targets;

/// Rows, and inputs of the model's shapes.
pub(super) fn inputs(model: &Model, data: &Dataset) -> Result<()> {
    check::not_empty(data)?;
    let shapes = shapes(model, data)?;
    let mut pairs = data.inputs().iter().zip(&shapes);
    pairs.try_for_each(|(tensor, shape)| check::shape(tensor, shape))
}

/// As [`inputs`], and finite numbers with targets that fit the output and the loss.
pub(super) fn labelled(model: &Model, data: &Dataset) -> Result<()> {
    check::dataset(data, &shapes(model, data)?)?;
    let compiled = model.compiled()?;
    let [target] = data.targets() else {
        let found = match data.targets().len() {
            0 => "no targets".to_owned(),
            n => format!("{n} targets"),
        };
        let expected = "one target, for the model's output";
        return Err(Error::invalid(data.name(), found, expected));
    };
    let outputs = model.output_shapes()?;
    let Some(output) = outputs.first() else {
        return Ok(());
    };
    let (wanted, by_class) = match compiled.loss.targets() {
        Targets::ClassNumbers => (output.size() / output.last().max(1), true),
        Targets::LikeOutputs => (output.size(), false),
    };
    if target.size() != wanted {
        let expected = format!(
            "{wanted} numbers a row: the model's output is {output} and its loss {}",
            compiled.loss.class()
        );
        return Err(Error::shape(target.name(), target.shape(), expected));
    }
    // A class to be ignored may be any number.
    let ignores = compiled.loss.to_config()["ignore_class"].is_number();
    if by_class && !ignores {
        check::labels(target, output.last())?;
    }
    Ok(())
}

/// The shapes of the model's inputs, as many as the data has.
fn shapes(model: &Model, data: &Dataset) -> Result<Vec<Shape>> {
    let shapes = model.inputs.iter().filter_map(|input| input.shape.clone());
    let shapes: Vec<Shape> = shapes.collect();
    if shapes.len() == data.inputs().len() {
        return Ok(shapes);
    }
    let expected = format!("{}, as the model has", model.inputs.len());
    let found = format!("{} inputs", data.inputs().len());
    Err(Error::invalid(data.name(), found, expected))
}
