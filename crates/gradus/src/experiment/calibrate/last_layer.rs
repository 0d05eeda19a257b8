//! The layers that give an output's probabilities.

use crate::error::{Error, Result};
use crate::model::{Model, OutputLoss, Source};
use crate::rules::activations::Activation;

/// Interpretation of an output's numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// One class of several.
    Softmax,
    /// Yes or no, for each number.
    Sigmoid,
}

/// The last layer of an output.
#[derive(Clone, Debug)]
pub struct LastLayer {
    /// The output's number and name.
    pub number: usize,
    pub output: String,
    /// The layer's number and name.
    pub layer: usize,
    pub name: String,
    pub kind: Kind,
    /// Answers of a row: 1, but for several answers of yes or no.
    pub answers: usize,
}

impl LastLayer {
    /// Those of all outputs with a loss of classes, and the names of the other outputs.
    pub fn all(model: &Model) -> Result<(Vec<Self>, Vec<String>)> {
        let (mut layers, mut others) = (Vec::new(), Vec::new());
        let compiled = model.compiled()?;
        let names = model.output_names();
        for (number, (name, loss)) in names.into_iter().zip(&compiled.output_losses).enumerate() {
            match loss {
                Some(loss) if loss.loss.class().ends_with("Crossentropy") => {
                    layers.push(Self::of(model, number, &name, loss)?);
                }
                _ => others.push(name),
            }
        }
        Ok((layers, others))
    }

    fn of(model: &Model, number: usize, output: &str, loss: &OutputLoss) -> Result<Self> {
        let refused = |found: String| {
            let expected = "a Dense layer with the activation softmax or sigmoid, or with none \
                            for a loss of logits, whose output and weights nothing else uses";
            Error::invalid(&format!("output {output}"), found, expected)
        };
        let Some(&Source::Node(node)) = model.outputs.get(number) else {
            return Err(refused("an input as the output".into()));
        };
        let layer = model.nodes[node].layer;
        let entry = &model.layers[layer];
        let here = format!("layer {}, {}", entry.name, entry.rule.class());
        let Some(dense) = entry.rule.as_dense() else {
            return Err(refused(here));
        };
        let logits = loss.loss.to_config()["from_logits"] == true;
        let is_binary = loss.loss.class().starts_with("Binary");
        let is = |activation: Activation| dense.activation == activation;
        let fits = match logits {
            true => is(Activation::Linear),
            false if is_binary => is(Activation::Sigmoid),
            false => is(Activation::Softmax),
        };
        if !fits {
            let (activation, loss) = (dense.activation.class(), loss.loss.class());
            return Err(refused(format!("{here} with {activation}, and {loss}")));
        }
        let kind = match is_binary {
            true => Kind::Sigmoid,
            false => Kind::Softmax,
        };
        let shares = |other: &crate::model::LayerEntry| {
            let last = other.rule.tied_to();
            last.is_some_and(|owner| entry.name.ends_with(owner))
        };
        let same = model
            .outputs
            .iter()
            .filter(|&&source| source == Source::Node(node));
        let uses = model.uses()[layer].len();
        let is_used = uses > 1 || same.count() > 1 || !model.takers()[node].is_empty();
        if is_used || model.layers.iter().any(shares) {
            return Err(refused(format!("{here} that is used elsewhere, too")));
        }
        let shape = &model.output_shapes()?[number];
        if shape.rank() > 1 {
            return Err(refused(format!("rows of shape {shape}")));
        }
        Ok(LastLayer {
            number,
            output: output.to_owned(),
            layer,
            name: entry.name.clone(),
            kind,
            answers: match kind {
                Kind::Softmax => 1,
                Kind::Sigmoid => shape.size(),
            },
        })
    }

    /// Makes the layer give logits.
    pub fn without_activation(&self, model: &mut Model) {
        let entry = &mut model.layers[self.layer];
        if let Some(dense) = entry.rule.as_dense() {
            entry.rule = dense.clone().activation(Activation::Linear).into();
        }
    }

    /// Divides the layer's weights, and so its logits.
    pub fn divide(&self, model: &mut Model, temperature: f64) {
        for weight in &mut model.layers[self.layer].weights {
            let factor = match weight.name {
                // The whole numbers of a quantized kernel stay, and are divided by more.
                "kernel" if weight.int8 => continue,
                "kernel_scale" => temperature,
                _ => 1.0 / temperature,
            };
            for value in &mut weight.values {
                *value = (f64::from(*value) * factor) as f32;
            }
        }
    }
}
