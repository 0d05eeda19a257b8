//! Gradients against finite differences, through the public doors: a step of plain SGD
//! with rate 1 moves a weight by its gradient, and a step with rate 0 only measures the
//! loss of training mode.

use gradus::Shape;
use gradus::prelude::*;
use gradus::rules::losses::{Reduction, Targets};

pub const ROWS: usize = 12;

/// Numbers from -1 to 1 that look random.
pub fn numbers(n: usize, salt: usize) -> Vec<f32> {
    let number = |i: usize| ((i * 7919 + salt * 104_729) % 2003) as f32 / 1001.5 - 1.0;
    (0..n).map(number).collect()
}

/// Data that fits the model and the loss.
pub fn data(inputs: Vec<&[usize]>, outputs: &[Shape], loss: &Loss) -> Dataset {
    let input = |(n, shape): (usize, &[usize])| {
        let size: usize = shape.iter().product();
        Tensor::from_f32(shape, numbers(ROWS * size, 1 + 4 * n)).unwrap()
    };
    let inputs = inputs.into_iter().enumerate().map(input).collect();
    let target = |(n, shape): (usize, &Shape)| match loss.targets() {
        Targets::ClassNumbers => {
            let classes = shape.last();
            let positions = shape.size() / classes;
            let y = (0..ROWS * positions).map(|i| (i * 5 % 7 % classes) as f32);
            Tensor::from_f32([positions], y.collect()).unwrap()
        }
        // Probabilities if the loss needs them.
        Targets::LikeOutputs => {
            let y = numbers(ROWS * shape.size(), 2 + 4 * n)
                .iter()
                .map(|t| 0.5 + 0.45 * t)
                .collect();
            Tensor::from_f32(shape.clone(), y).unwrap()
        }
    };
    let targets = outputs.iter().enumerate().map(target).collect();
    let data = Dataset::from_parts(inputs, targets).unwrap();
    if loss.reduction == Reduction::SumOverBatchSize {
        return data;
    }
    let weights = numbers(ROWS, 4).iter().map(|w| 1.0 + 0.9 * w).collect();
    let weights = Tensor::from_column(weights).unwrap();
    data.with_sample_weight(weights).unwrap()
}

/// The loss of training mode, and the weights after one step.
pub fn step(model: &Model, data: &Dataset, rate: f64) -> (f64, Vec<Vec<f32>>) {
    let mut model = model.clone();
    let compiled = model.compiled.as_mut().unwrap();
    compiled.optimizer = Some(SGD::new().learning_rate(rate).into());
    let options = Fit::new().batch_size(ROWS).shuffle(false);
    let history = model.fit(data, options).unwrap();
    let weights = model.weights().map(|w| w.values.clone()).collect();
    (history.last("loss").unwrap(), weights)
}

/// Compares some numbers of every trained weight with finite differences, on data made
/// for the model.
pub fn check_model(name: &str, model: Model, loss: Loss) {
    let shapes = model
        .inputs
        .iter()
        .map(|i| i.shape.as_ref().unwrap().dims());
    let data = data(shapes.collect(), &model.output_shapes().unwrap(), &loss);
    check_on(name, model, loss, &data);
}

/// As [`check_model`], on this data.
pub fn check_on(name: &str, mut model: Model, loss: Loss, data: &Dataset) {
    model.compile(SGD::new(), loss, &[]).unwrap();
    // Biases and the like start at 0: other values are a stronger test.
    for (n, layer) in model.layers.iter_mut().enumerate() {
        for weight in layer.weights.iter_mut().filter(|w| w.shape.len() == 1) {
            let shifts = numbers(weight.values.len(), 3 + n);
            let shifted = weight.values.iter_mut().zip(shifts);
            shifted.for_each(|(w, shift)| *w += 0.3 * shift);
        }
    }
    // Outputs have different weights.
    for (n, output_loss) in model
        .compiled
        .iter_mut()
        .flat_map(|c| &mut c.output_losses)
        .enumerate()
    {
        output_loss.as_mut().unwrap().weight = 1.0 - 0.4 * n as f64;
    }
    let (here, after) = step(&model, data, 1.0);
    let before: Vec<Vec<f32>> = model.weights().map(|w| w.values.clone()).collect();
    let mut compared = 0;
    for l in 0..model.layers.len() {
        for w in 0..model.layers[l].weights.len() {
            let weight = &model.layers[l].weights[w];
            let trained = model.layers[l].trainable && weight.trainable;
            let number = model.layers[..l]
                .iter()
                .map(|l| l.weights.len())
                .sum::<usize>()
                + w;
            let place = format!("{name}: {}.{}", model.layers[l].name, weight.name);
            let count = weight.values.len();
            for i in (0..count).step_by(count.div_ceil(7)) {
                let gradient = f64::from(before[number][i] - after[number][i]);
                if !trained {
                    let statistic = weight.name.starts_with("moving");
                    assert!(statistic || gradient == 0.0, "{place}[{i}] moved");
                    continue;
                }
                let mut losses = [0.0; 2];
                let eps = 4e-3_f32;
                for (loss, sign) in losses.iter_mut().zip([1.0, -1.0]) {
                    let mut moved = model.clone();
                    moved.layers[l].weights[w].values[i] += sign * eps;
                    *loss = step(&moved, data, 0.0).0;
                }
                let difference = (losses[0] - losses[1]) / (2.0 * f64::from(eps));
                // At a kink the derivatives on both sides differ; the gradient is one of them.
                let bend = (losses[0] + losses[1] - 2.0 * here).abs() / f64::from(eps);
                let tolerance = 2e-3 + 0.02 * gradient.abs() + 0.5 * bend;
                assert!(
                    (gradient - difference).abs() <= tolerance,
                    "{place}[{i}]: gradient {gradient}, difference {difference}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "{name}: nothing was compared");
}
