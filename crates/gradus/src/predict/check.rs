//! Checks of data against a model: what does not fit is named before a step
//! is taken.

use super::feeds;
use crate::data::{Dataset, Tensor, check};
use crate::error::{Error, Result};
use crate::model::feeds::takes_nan;
use crate::model::layers::{InputCheck, MOST_PLACES};
use crate::model::{Dtype, Input, Model, Source};
use crate::rules::losses::Targets;

/// Refuses to train a quantized layer, or through one.
pub(crate) fn trainable(model: &Model) -> Result<()> {
    // True of each node whose output depends on a weight that is to be trained.
    let mut moves: Vec<bool> = Vec::new();
    for node in &model.nodes {
        let layer = &model.layers[node.layer];
        let inputs = node.inputs.iter();
        let before = inputs.into_iter().any(|source| match *source {
            Source::Input(_) => false,
            Source::Node(n) => moves[n],
        });
        if let Some(mode) = layer.rule.quantization()
            && (layer.trainable || before)
        {
            let what = match layer.trainable {
                true => "a layer to be trained that is",
                false => "a layer before it to be trained, and itself",
            };
            let found = format!("{what} quantized to {}", mode.name());
            let expected = "`trainable = false`, for it and those before it: \
                            a model is trained first, then quantized";
            return Err(Error::invalid(
                &format!("layer {}", layer.name),
                found,
                expected,
            ));
        }
        moves.push(before || layer.trainable && layer.weights.iter().any(|w| w.trainable));
    }
    Ok(())
}

/// Checks rows and the types and shapes of the inputs.
pub(crate) fn inputs(model: &Model, data: &Dataset) -> Result<()> {
    check::not_empty(data)?;
    let tensors = feeds::inputs(model, data)?;
    for (tensor, input) in tensors.iter().zip(&model.inputs) {
        kind(tensor, input)?;
        if let Some(shape) = &input.shape {
            check::shape(tensor, shape)?;
        }
    }
    for node in &model.nodes {
        let layer = &model.layers[node.layer];
        if let Source::Input(n) = node.inputs[0]
            && let Some(InputCheck { fits, expected }) = layer.rule.input_check()?
        {
            check::each(tensors[n], fits, expected)
                .map_err(|error| error.under(&format!("layer {}", layer.name)))?;
        }
        if let Some(limit) = layer.rule.traits().takes_below {
            named(model, node.inputs[0], limit, &tensors)
                .map_err(|error| error.under(&format!("layer {}", layer.name)))?;
        }
    }
    Ok(())
}

/// Requires texts for a text input, and whole numbers for an input of these.
fn kind(tensor: &Tensor, input: &Input) -> Result<()> {
    match (input.dtype, tensor.is_text()) {
        (Dtype::String, true) => Ok(()),
        (Dtype::String, false) => {
            let expected = format!("text, which the model's input {} takes", input.name);
            Err(Error::invalid(tensor.name(), "numbers", expected))
        }
        (_, true) => tensor.numbers(),
        (whole, false) if whole.is_whole() => {
            let most = MOST_PLACES as f32;
            let expected = "a whole number between -2^24 and 2^24, which alone are exact here";
            check::whole(tensor, -most, most, expected)
        }
        _ => Ok(()),
    }
}

/// Refuses values that are not indices below `limit`, for layers whose input is known before the
/// model runs.
fn named(model: &Model, mut from: Source, limit: usize, tensors: &[&Tensor]) -> Result<()> {
    loop {
        let node = match from {
            Source::Input(n) => {
                let expected = format!("a whole number from 0 to {}", limit.saturating_sub(1));
                return check::whole(tensors[n], 0.0, limit as f32, &expected);
            }
            Source::Node(n) => &model.nodes[n],
        };
        let layer = &model.layers[node.layer];
        let traits = layer.rule.traits();
        match traits.gives_below {
            Some(places) if places > limit => {
                let found = format!("whole numbers below {places} from layer {}", layer.name);
                return Err(Error::invalid("input", found, format!("below {limit}")));
            }
            None if traits.passes_indices => from = node.inputs[0],
            _ => return Ok(()),
        }
    }
}

/// Like [`inputs`], and refuses NaN and infinity, except NaN that stays inside the model.
pub(crate) fn finite_inputs(model: &Model, data: &Dataset) -> Result<()> {
    inputs(model, data)?;
    let tensors = feeds::inputs(model, data)?;
    for (tensor, takes_nan) in tensors.into_iter().zip(takes_nan(model)) {
        match takes_nan {
            true => check::not_infinite(tensor)?,
            false => check::finite_input(tensor)?,
        }
    }
    Ok(())
}

/// Like [`finite_inputs`], with targets that fit the outputs and losses.
pub(crate) fn labelled(model: &Model, data: &Dataset) -> Result<()> {
    let compiled = model.compiled()?;
    finite_inputs(model, data)?;
    for column in data.targets().iter().chain(data.sample_weight()) {
        column.numbers()?;
        check::finite(column)?;
    }
    let shapes = model.output_shapes()?;
    let targets = feeds::targets(model, data)?;
    for ((output, target), (_, output_loss)) in targets.into_iter().zip(compiled.trained()) {
        let output = &shapes[output];
        let (wanted, by_class) = match output_loss.loss.targets() {
            Targets::ClassNumbers => (output.size() / output.last().max(1), true),
            Targets::LikeOutputs => (output.size(), false),
        };
        if target.size() != wanted {
            let mut expected = format!(
                "{wanted} numbers a row: the model's output is {output} and its loss {}",
                output_loss.loss.class()
            );
            if target.size() == 1 && output_loss.loss.class().starts_with("Categorical") {
                expected += "; class numbers take sparse_categorical_crossentropy";
            }
            return Err(Error::shape(target.name(), target.shape(), expected));
        }
        // The class to be ignored may be any number.
        let ignores = output_loss.loss.to_config()["ignore_class"].is_number();
        if by_class && !ignores {
            check::labels(target, output.last())?;
        }
    }
    Ok(())
}

impl Model {
    /// Refuses data that `fit` would refuse: shapes, texts, NaN and infinity, labels beyond the
    /// output. Targets are checked if the model is compiled.
    pub fn check_data(&self, data: &Dataset) -> Result<()> {
        match self.is_built() && self.compiled().is_ok() {
            true => labelled(self, data),
            // Shapes after a layer that still has to adapt are unknown.
            false => finite_inputs(self, data),
        }
    }

    /// True for each target of the data that its loss takes as classes.
    ///
    /// An error if the model is not compiled, or the targets don't fit it.
    pub fn targets_of_classes(&self, data: &Dataset) -> Result<Vec<bool>> {
        let output_losses = feeds::targets(self, data)?;
        let output_losses = output_losses.iter().zip(self.compiled()?.trained());
        let of_classes =
            output_losses.filter(|(_, (_, output_loss))| output_loss.loss.of_classes());
        let of_classes: Vec<&Tensor> = of_classes.map(|((_, target), _)| *target).collect();
        let targets = data.targets().iter();
        Ok(targets
            .map(|target| of_classes.iter().any(|of| std::ptr::eq(*of, target)))
            .collect())
    }
}
