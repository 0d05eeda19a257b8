//! The recipe for images: a small residual network (He, Zhang, Ren & Sun, "Deep residual learning
//! for image recognition", 2016) with batch normalization before the activations.
//!
//! The blocks of a stage have two convolutions and a shortcut around them; each stage but the first
//! halves the image's sides. A block's last normalization begins with a gamma of zeros, so that the
//! network begins as a shallow one (Goyal et al. 2017). In training, images are moved by up to an
//! eighth of their sides, by whole pixels.

use super::functional::{Functional, Symbol};
use super::graph::Model;
use super::layers::{
    Add, BatchNormalization, Conv2D, FlipMode, GlobalAveragePooling2D, MaxPooling2D, Padding,
    RandomFlip, RandomTranslation, ReLU, Reshape,
};
use super::recipe::Recipe;
use super::task::Task;
use crate::base::shape::Shape;
use crate::data::Tensor;
use crate::error::{Error, Result};
use crate::rules::augment::{FillMode, Interpolation};
use crate::rules::initializers::Initializer;

/// The longest side of the images of the first stage: larger ones are halved before it.
const LARGEST: usize = 56;
/// The longest side of images for which three stages are enough.
const SMALL: usize = 32;
/// The shortest side of the last stage's images.
const SMALLEST: usize = 4;
/// The filters of the first stage.
const FILTERS: usize = 32;
/// The share of its sides by which an image is moved.
const MOVED: f64 = 0.125;

/// The network for rows like `input`: images of shape (height, width) or (height, width, channels).
pub(super) fn network(recipe: &Recipe, input: &Tensor, task: Task, seed: u64) -> Result<Model> {
    let (height, width, has_channels) = match *input.shape().dims() {
        [height, width] => (height, width, false),
        [height, width, _] => (height, width, true),
        _ => return Err(no_images(input.shape())),
    };
    let mut graph = Functional::new().seed(seed);
    let mut last = graph.input(input.shape().clone());
    if !has_channels {
        let image = [height as i64, width as i64, 1];
        last = graph.layer(Reshape::new(image), last)?;
    }
    let moved = RandomTranslation::new(MOVED, MOVED)
        .fill_mode(FillMode::Constant)
        .interpolation(Interpolation::Nearest);
    last = graph.layer(moved, last)?;
    if recipe.flip {
        last = graph.layer(RandomFlip::new(FlipMode::Horizontal), last)?;
    }

    let (mut side, mut halvings) = (height.max(width), 0);
    while side > LARGEST {
        side = side.div_ceil(2);
        halvings += 1;
    }
    let stages = match recipe.hidden.is_empty() {
        true => stages(side),
        false => recipe.hidden.clone(),
    };
    let mut filters = stages[0];
    let strides = if halvings > 0 { 2 } else { 1 };
    last = normalized(&mut graph, last, (filters, 3, strides), Initializer::Ones)?;
    last = graph.layer(ReLU::new(), last)?;
    for _ in 1..halvings {
        last = graph.layer(MaxPooling2D::new(2).padding(Padding::Same), last)?;
    }
    for (stage, &units) in stages.iter().enumerate() {
        for nth in 0..recipe.blocks {
            let strides = if stage > 0 && nth == 0 { 2 } else { 1 };
            last = block(&mut graph, last, (filters, units), strides)?;
            filters = units;
        }
    }
    last = graph.layer(GlobalAveragePooling2D::new(), last)?;
    let output = graph.layer(recipe.last_layer(task), last)?;
    graph.model(output)
}

fn no_images(shape: &Shape) -> Error {
    let expected = "images, (height, width) or (height, width, channels), for the recipe \"cnn\"";
    Error::shape("model.recipe", shape, expected)
}

/// The filters of each stage for images of that longest side.
fn stages(mut side: usize) -> Vec<usize> {
    let most = if side <= SMALL { 3 } else { 4 };
    let mut filters = vec![FILTERS];
    while side / 2 >= SMALLEST && filters.len() < most {
        filters.push(FILTERS << filters.len());
        side /= 2;
    }
    filters
}

/// A convolution and its normalization, which begins with this gamma.
fn normalized(
    graph: &mut Functional,
    input: Symbol,
    (filters, size, strides): (usize, usize, usize),
    gamma: Initializer,
) -> Result<Symbol> {
    let convolution = Conv2D::new(filters, size)
        .strides(strides)
        .padding(Padding::Same)
        .use_bias(false)
        .kernel_initializer(Initializer::HeNormal);
    let sum = graph.layer(convolution, input)?;
    // Keras' 0.99 would still have the first statistics after the steps of few images.
    let normalization = BatchNormalization::new().momentum(0.9);
    graph.layer(normalization.gamma_initializer(gamma), sum)
}

/// A residual block from and to these numbers of filters.
fn block(
    graph: &mut Functional,
    input: Symbol,
    (from, filters): (usize, usize),
    strides: usize,
) -> Result<Symbol> {
    let branch = normalized(graph, input, (filters, 3, strides), Initializer::Ones)?;
    let branch = graph.layer(ReLU::new(), branch)?;
    let branch = normalized(graph, branch, (filters, 3, 1), Initializer::Zeros)?;
    let shortcut = match strides == 1 && from == filters {
        true => input,
        false => normalized(graph, input, (filters, 1, strides), Initializer::Ones)?,
    };
    let sum = graph.layer(Add::new(), [branch, shortcut])?;
    graph.layer(ReLU::new(), sum)
}
