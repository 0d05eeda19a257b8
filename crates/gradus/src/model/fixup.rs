//! Fixup: deep residual networks that train without normalization (Zhang, Dauphin & Ma, "Fixup
//! initialization: residual learning without normalization", 2019).
//!
//! A residual network adds up as many branches as it has blocks: with ordinary weights, its outputs
//! grow with each, and a step changes them by so much more. Fixup begins with branches that give
//! zeros, with weights in them that are the smaller the more branches there are, and with a last
//! layer of zeros. A branch of m layers among L has its first m - 1 layers' weights multiplied by
//! L^(-1 / (2m - 2)). What normalization would scale, one trained number for each branch does.
//!
//! Here a branch has two Dense layers. Keras has no layer that multiplies all numbers by one that is
//! trained; a Dense layer of one unit on rows of shape (units, 1) does so, and adds the branch's
//! second scalar bias. The biases before it are the Dense layers' own, one for each unit.

use super::functional::{Functional, Symbol};
use super::graph::Model;
use super::layers::{Activation as ActivationLayer, Add, Dense, Flatten, Reshape};
use super::recipe::Recipe;
use super::task::Task;
use crate::data::Tensor;
use crate::error::Result;
use crate::rules::activations::Activation;
use crate::rules::initializers::{Initializer, VarianceScaling};

/// The network for rows like `input`: for each number of hidden units a Dense layer and
/// `blocks` residual blocks behind it.
pub(super) fn network(recipe: &Recipe, input: &Tensor, task: Task, seed: u64) -> Result<Model> {
    let mut graph = Functional::new().seed(seed);
    let mut last = graph.input(input.shape().clone());
    if input.shape().rank() != 1 {
        last = graph.layer(Flatten::new(), last)?;
    }
    let branches = recipe.blocks * recipe.hidden.len();
    for &units in &recipe.hidden {
        let stem = Dense::new(units)
            .activation(Activation::Relu)
            .kernel_initializer(Initializer::HeNormal);
        last = graph.layer(stem, last)?;
        for _ in 0..recipe.blocks {
            last = block(&mut graph, last, units, branches)?;
        }
    }
    let output = task.last_layer().kernel_initializer(Initializer::Zeros);
    let output = graph.layer(output, last)?;
    graph.model(output)
}

/// A residual block.
fn block(graph: &mut Functional, input: Symbol, units: usize, branches: usize) -> Result<Symbol> {
    // He's variance is 2 / inputs; the factor of the weights is a root of that of their variance.
    let scaled = VarianceScaling {
        scale: 2.0 / branches as f64,
        ..VarianceScaling::default()
    };
    let first = Dense::new(units)
        .activation(Activation::Relu)
        .kernel_initializer(scaled);
    let second = Dense::new(units)
        .use_bias(false)
        .kernel_initializer(Initializer::Zeros);
    let multiplier = Dense::new(1).kernel_initializer(Initializer::Ones);
    let size = units as i64;
    let branch = graph.layer(first, input)?;
    let branch = graph.layer(second, branch)?;
    let branch = graph.layer(Reshape::new([size, 1]), branch)?;
    let branch = graph.layer(multiplier, branch)?;
    let branch = graph.layer(Reshape::new([size]), branch)?;
    let sum = graph.layer(Add::new(), [input, branch])?;
    graph.layer(ActivationLayer::new(Activation::Relu), sum)
}
