//! The health of layers: its figures against sums made here, and the findings about it.

use gradus::Result;
use gradus::inspect::HealthWatch;
use gradus::prelude::*;
use gradus::rules::initializers::RandomNormal;
use gradus::train::health::{HealthView, LayerHealth};

/// Rows of two numbers, and a target.
fn rows() -> Dataset {
    let x: Vec<f32> = (0..80)
        .map(|i| ((i * 37 % 41) as f32 - 20.0) / 10.0)
        .collect();
    let y: Vec<f32> = (0..40)
        .map(|i| ((i * 17 % 23) as f32 - 11.0) / 5.0)
        .collect();
    let x = Tensor::from_f32([2], x).unwrap();
    Dataset::new(x, Tensor::from_f32([1], y).unwrap()).unwrap()
}

fn close(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    let off = (found - expected).abs();
    assert!(
        off <= 1e-5 * expected.abs().max(1e-3),
        "{found}, expected {expected}"
    );
}

#[test]
fn the_figures_are_those_of_their_definitions() {
    let data = rows();
    let mut model = Sequential::new()
        .seed(1)
        .add(Dense::new(1))
        .compile(SGD::new().learning_rate(0.01), Loss::MeanSquaredError, &[])
        .unwrap();
    model.build_for(&data).unwrap();
    let before: Vec<Vec<f32>> = model.weights().map(|w| w.values.clone()).collect();
    let predicted = model.predict(&data).unwrap();
    let outputs: Vec<f64> = predicted.to_f32().iter().map(|&y| y.into()).collect();
    let options = Fit::new().batch_size(40).shuffle(false).health_every(1);
    let history = model.fit(&data, options).unwrap();

    let health = &history.health;
    assert_eq!(health.layers, ["dense"]);
    let [sample] = &health.samples[..] else {
        panic!("{health:?}")
    };
    assert_eq!((sample.epoch, sample.step), (0, 0));
    let layer = &sample.layers[0];

    let mean = outputs.iter().sum::<f64>() / 40.0;
    let variance = outputs.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 40.0;
    close(layer.outputs.map(|d| d.mean), mean);
    close(layer.outputs.map(|d| d.std), variance.sqrt());
    close(
        layer.outputs.map(|d| d.largest),
        outputs.iter().fold(0.0, |m, y| m.max(y.abs())),
    );

    // The gradient of the mean squared error: 2 (y - target) / rows.
    let targets = (0..40).map(|i| f64::from((i * 17 % 23) as f32 - 11.0) / 5.0);
    let gradients: Vec<f64> = outputs
        .iter()
        .zip(targets)
        .map(|(y, t)| 2.0 * (y - t) / 40.0)
        .collect();
    let mean = gradients.iter().sum::<f64>() / 40.0;
    let variance = gradients.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / 40.0;
    close(layer.gradients.map(|d| d.mean), mean);
    close(layer.gradients.map(|d| d.std), variance.sqrt());
    let x =
        |row: usize, column: usize| f64::from(((2 * row + column) * 37 % 41) as f32 - 20.0) / 10.0;
    let of_kernel = |column| {
        (0..40)
            .map(|row| x(row, column) * gradients[row])
            .sum::<f64>()
    };
    let of_bias: f64 = gradients.iter().sum();
    let norm = (of_kernel(0).powi(2) + of_kernel(1).powi(2) + of_bias.powi(2)).sqrt();
    close(layer.gradient_norm, norm);
    let weights = before
        .iter()
        .flatten()
        .map(|&w| f64::from(w).powi(2))
        .sum::<f64>()
        .sqrt();
    close(layer.weight_norm, weights);
    // A step of plain gradient descent changes the weights by rate times gradient.
    close(layer.update_ratio, 0.01 * norm / weights);
    assert_eq!((layer.dead, layer.saturated), (None, None));
}

/// The health of the first layer at the first step: a kernel of these numbers, no bias.
fn first(activation: Activation, kernel: [f32; 6]) -> LayerHealth {
    let data = rows();
    let mut model = Sequential::new()
        .add(Dense::new(3).activation(activation).use_bias(false))
        .add(Dense::new(1))
        .compile(SGD::new(), Loss::MeanSquaredError, &[])
        .unwrap();
    model.build_for(&data).unwrap();
    model.layers[0].weights[0].set(&kernel).unwrap();
    let options = Fit::new()
        .batch_size(40)
        .health_every(1)
        .on_nan(OnNan::Continue);
    model.fit(&data, options).unwrap().health.samples[0].layers[0].clone()
}

#[test]
fn dead_and_saturated_shares_are_counted() {
    // The second unit gives -(x² …) is not possible: one that is 0 for all inputs has no weights.
    let kernel = [1.0, 0.0, -1.0, 0.5, 0.0, 1.0];
    let relu = first(Activation::Relu, kernel);
    assert_eq!((relu.dead, relu.saturated), (Some(1.0 / 3.0), None));
    // tanh(x) is flat where 1 - tanh² is below 5%: beyond |x| = 2.18.
    let tanh = first(Activation::Tanh, kernel.map(|w| 1000.0 * w));
    let zero = (0..40).filter(|row| {
        let x = |column: i32| (2 * row + column) * 37 % 41 - 20;
        2 * x(0) + x(1) == 0
    });
    let zeros = zero.count()
        + (0..40)
            .filter(|row| 2 * row * 37 % 41 == (2 * row + 1) * 37 % 41)
            .count();
    let share = (80 - zeros) as f64 / 120.0;
    assert_eq!(tanh.dead, None);
    close(tanh.saturated, share);
    close(
        first(Activation::Tanh, kernel.map(|w| w / 100.0)).saturated,
        0.0,
    );
}

#[test]
fn vanishing_numbers_have_their_deviation() {
    // Squares of 1e-25 are no f32.
    let layer = first(
        Activation::Linear,
        [1e-25, 2e-25, -1e-25, 1e-25, 1e-25, 3e-25],
    );
    let outputs = layer.outputs.unwrap();
    assert!(outputs.std > 1e-25 && outputs.std < 1e-24, "{outputs:?}");
    let norm = layer.weight_norm.unwrap();
    assert!((norm - 17_f64.sqrt() * 1e-25).abs() < 1e-30, "{norm}");
}

#[test]
fn broken_numbers_are_shown() {
    let layer = first(Activation::Linear, [f32::MAX, 0.0, 0.0, f32::MAX, 0.0, 0.0]);
    assert!(layer.is_broken(), "{layer:?}");
    assert!(layer.outputs.unwrap().largest.is_nan());
}

/// Counts samples, and those with histograms.
#[derive(Default)]
struct Counts {
    samples: Vec<u64>,
    outputs: Vec<u64>,
}

impl Callback for Counts {
    fn on_health(&mut self, health: &HealthView<'_>, _: &mut Training<'_>) -> Result<()> {
        self.samples.push(health.sample.step);
        if let Some(of) = health.histograms.first() {
            self.outputs.push(of.outputs.as_ref().unwrap().count());
            let names: Vec<&str> = of.gradients.iter().map(|(name, _)| &**name).collect();
            assert_eq!(names, ["kernel", "bias"]);
        }
        Ok(())
    }
}

#[test]
fn each_epoch_has_histograms_of_its_first_sample() {
    let mut counts = Counts::default();
    let mut model = Sequential::new()
        .add(Dense::new(7))
        .add(Dense::new(1))
        .compile(SGD::new(), Loss::MeanSquaredError, &[])
        .unwrap();
    let options = Fit::new().epochs(3).batch_size(10).health_every(2);
    let history = model.fit(rows(), options.callback(&mut counts)).unwrap();
    assert_eq!(counts.samples, [0, 1, 2, 4, 6, 8, 10]);
    assert_eq!(counts.outputs, [70, 70, 70]);
    let steps: Vec<u64> = history
        .health
        .samples
        .iter()
        .map(|sample| sample.step)
        .collect();
    assert_eq!(steps, counts.samples);
}

/// The findings about a stack of hidden layers on the digits.
fn told(activation: Activation, initializer: Initializer, depth: usize, rate: f64) -> Vec<String> {
    let mut model = Sequential::new().seed(2).add(Flatten::new());
    model = model.add(layers::Rescaling::new(1.0 / 16.0));
    for _ in 0..depth {
        let dense = Dense::new(30).activation(activation.clone());
        model = model.add(dense.kernel_initializer(initializer.clone()));
    }
    let mut model = model
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(
            SGD::new().learning_rate(rate),
            Loss::SparseCategoricalCrossentropy,
            &[],
        )
        .unwrap();
    let mut told = Vec::new();
    let watch = HealthWatch::new(&model, |finding| {
        told.push(finding.to_string());
        Ok(())
    });
    let data = gradus::data::digits(Split::Train).unwrap();
    let data = data.take(&(0..320).collect::<Vec<_>>()).unwrap();
    let options = Fit::new().epochs(3).health_every(2).on_nan(OnNan::Continue);
    model.fit(&data, options.callback(watch)).unwrap();
    told
}

#[test]
fn what_is_wrong_is_told_once_and_what_is_well_is_not() {
    let normal = |stddev| {
        Initializer::from(RandomNormal {
            stddev,
            ..RandomNormal::default()
        })
    };
    let names = |told: &[String]| -> Vec<String> {
        let name = |line: &String| {
            line.rsplit_once('[')
                .unwrap()
                .1
                .trim_end_matches(']')
                .to_owned()
        };
        told.iter().map(name).collect()
    };
    let vanishing = told(Activation::Sigmoid, Initializer::GlorotUniform, 6, 0.01);
    assert_eq!(names(&vanishing), ["vanishing_gradients"], "{vanishing:?}");
    assert!(
        vanishing[0].contains("layers dense to dense_"),
        "{vanishing:?}"
    );
    let saturated = told(Activation::Tanh, normal(3.0), 3, 1e-6);
    assert!(
        names(&saturated).contains(&"saturated_units".to_owned()),
        "{saturated:?}"
    );
    let large = told(Activation::Selu, Initializer::LecunNormal, 2, 1.0);
    assert!(
        names(&large)
            .iter()
            .any(|name| name == "update_ratio" || name == "not_finite"),
        "{large:?}"
    );
    let twice = |told: &[String]| {
        names(told)
            .iter()
            .collect::<std::collections::HashSet<_>>()
            .len()
            < told.len()
    };
    assert!(!twice(&large) && !twice(&saturated));
    for (activation, initializer) in [
        (Activation::Selu, Initializer::LecunNormal),
        (Activation::Relu, Initializer::HeNormal),
        (Activation::Elu, Initializer::HeNormal),
        (Activation::Tanh, Initializer::GlorotUniform),
    ] {
        let well = told(activation.clone(), initializer, 10, 0.003);
        assert!(well.is_empty(), "{activation:?}: {well:?}");
    }
}

#[test]
fn one_step_before_training_shows_signal_and_gradients() {
    let data = gradus::data::digits(Split::Train).unwrap();
    let stack = |activation: Activation, initializer: Initializer| {
        let mut model = Sequential::new().seed(3).add(Flatten::new());
        for _ in 0..100 {
            let dense = Dense::new(20).activation(activation.clone());
            model = model.add(dense.kernel_initializer(initializer.clone()));
        }
        let model = model.add(Dense::new(10).activation(Activation::Softmax));
        let loss = Loss::SparseCategoricalCrossentropy;
        let mut model = model.compile(SGD::new(), loss, &[]).unwrap();
        model.build_for(&data).unwrap();
        let before: Vec<_> = model.weights().map(|w| w.values.clone()).collect();
        let health = model.initial_health(&data).unwrap();
        assert_eq!(
            before,
            model
                .weights()
                .map(|w| w.values.clone())
                .collect::<Vec<_>>()
        );
        health
    };
    let sick = stack(
        Activation::Sigmoid,
        RandomNormal {
            stddev: 1.0,
            ..RandomNormal::default()
        }
        .into(),
    );
    assert_eq!(sick.health.layers.len(), 101);
    let finding = sick
        .findings
        .iter()
        .find(|f| f.check == "vanishing_gradients");
    assert!(
        finding.is_some_and(|f| f.found.contains("that of dense_100")),
        "{:?}",
        sick.findings
    );
    let well = stack(Activation::Selu, Initializer::LecunNormal);
    assert!(well.findings.is_empty(), "{:?}", well.findings);
    assert!(
        well.to_string()
            .contains("signal and gradients are healthy")
    );
    assert!((well.chance.unwrap() - 10_f64.ln()).abs() < 1e-12);
}

#[test]
fn one_class_for_all_rows_is_told() {
    let data = gradus::data::digits(Split::Train).unwrap();
    let held_out = data.slice(0..100).unwrap();
    let train = |metrics: &[Metric]| {
        let mut model = Sequential::new()
            .add(Flatten::new())
            .add(Dense::new(10).activation(Activation::Softmax))
            .compile(
                SGD::new().learning_rate(0.0),
                Loss::SparseCategoricalCrossentropy,
                metrics,
            )
            .unwrap();
        model.build_for(&data).unwrap();
        let mut bias = vec![0.0; 10];
        bias[4] = 1e4;
        model.layers[1].weights[1].set(&bias).unwrap();
        let mut told = Vec::new();
        let watch = HealthWatch::new(&model, |finding| {
            told.push(finding.clone());
            Ok(())
        });
        let options = Fit::new()
            .epochs(4)
            .validation_data(&held_out)
            .callback(watch);
        model.fit(&held_out, options).unwrap();
        told.into_iter()
            .find(|finding| finding.check == "one_class")
    };
    let finding = train(&[Metric::Accuracy]).unwrap();
    assert!(finding.found.ends_with("now class 4"), "{finding}");
    assert_eq!(finding.place.source, "epoch 3");
    // Without a metric, predictions are not fetched.
    assert_eq!(train(&[]), None);
}
