//! Tests of the layers' contracts: statistics of noise, statistics of data, files.

mod common;

use common::Folder;
use gradus::prelude::*;
use layers::{
    AlphaDropout, Axes, ELU, GaussianDropout, GaussianNoise, LayerNormalization, LeakyReLU,
    MCAlphaDropout, MCDropout, Normalization, PReLU, RReLU, ReLU, Rescaling, Reshape, Softmax,
};

/// Nearly normal values of mean 0 and variance 1.
fn normal(n: usize, salt: u64) -> Vec<f32> {
    let mut state = salt;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let mut sum = move || (0..12).map(|_| uniform()).sum::<f32>() - 6.0;
    (0..n).map(|_| sum()).collect()
}

fn rows(shape: impl Into<Vec<usize>>, rows: usize, salt: u64) -> Dataset {
    let shape = shape.into();
    let size = shape.iter().product::<usize>();
    Dataset::unlabelled(Tensor::from_f32(shape, normal(rows * size, salt)).unwrap())
}

fn moments(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = values
        .iter()
        .map(|&x| (f64::from(x) - mean).powi(2))
        .sum::<f64>()
        / n;
    (mean, variance)
}

fn alone(layer: impl Into<Layer>, shape: &[usize]) -> Model {
    Sequential::new()
        .input(shape.to_vec())
        .seed(8)
        .add(layer)
        .build()
        .unwrap()
}

#[test]
fn alpha_dropout_keeps_mean_and_variance() {
    let data = rows([500], 400, 1);
    for rate in [0.1, 0.3, 0.5] {
        let noisy = alone(MCAlphaDropout::new(rate), &[500])
            .predict(&data)
            .unwrap();
        let (mean, variance) = moments(&noisy.to_f32());
        assert!(mean.abs() < 0.01, "{rate}: mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "{rate}: variance {variance}");
        // Off in inference.
        let quiet = alone(AlphaDropout::new(rate), &[500])
            .predict(&data)
            .unwrap();
        assert_eq!(quiet.to_f32(), data.inputs()[0].to_f32());
    }
}

#[test]
fn rules_that_do_not_fit_their_variable_are_named_with_it() {
    use gradus::rules::constraints::{Axes, MaxNorm};
    use gradus::rules::regularizers::OrthogonalRegularizer;
    let mut over_axis_2 = MaxNorm::new(1.0);
    over_axis_2.axis = Axes::One(2);
    let cases: [(Layer, &str, &str); 5] = [
        (
            Dense::new(2).bias_initializer(Initializer::Identity).into(),
            "layer it: bias_initializer",
            "rank 2",
        ),
        (
            PReLU::new()
                .alpha_initializer(Initializer::Orthogonal)
                .into(),
            "layer it: alpha_initializer",
            "rank 2 or more",
        ),
        (
            Dense::new(2)
                .bias_regularizer(OrthogonalRegularizer::default())
                .into(),
            "layer it: bias_regularizer",
            "rank 2",
        ),
        (
            Dense::new(2).kernel_constraint(over_axis_2.clone()).into(),
            "layer it: kernel_constraint",
            "axis",
        ),
        (
            LayerNormalization::new()
                .gamma_constraint(over_axis_2)
                .into(),
            "layer it: gamma_constraint",
            "axis",
        ),
    ];
    for (layer, place, expected) in cases {
        let model = Sequential::new().input([3]).add_named("it", layer, true);
        let error = model.build().unwrap_err().to_string();
        assert!(error.contains(place) && error.contains(expected), "{error}");
    }
}

#[test]
fn a_hundred_selu_layers_normalize_themselves() {
    for rate in [0.0, 0.05] {
        let mut model = Sequential::new().input([200]).seed(5);
        for _ in 0..100 {
            let dense = Dense::new(200)
                .activation(Activation::Selu)
                .kernel_initializer(Initializer::LecunNormal);
            model = model.add(dense);
            if rate > 0.0 {
                model = model.add(MCAlphaDropout::new(rate));
            }
        }
        let model = model.build().unwrap();
        let (mean, variance) = moments(&model.predict(rows([200], 300, 2)).unwrap().to_f32());
        assert!(mean.abs() < 0.15, "rate {rate}: mean {mean}");
        assert!(
            (0.7..1.35).contains(&variance),
            "rate {rate}: variance {variance}"
        );
    }
}

#[test]
fn gaussian_noise_has_its_deviation_and_is_off_in_inference() {
    let data = rows([10], 20, 3);
    let x = data.inputs()[0].to_f32();
    // The deviation at 0, and that proportional to the value: rate / (1 - rate) is ¼.
    let cases: [(Layer, f32, f32); 2] = [
        (GaussianNoise::new(0.3).into(), 0.3, 0.0),
        (GaussianDropout::new(0.2).into(), 0.0, 0.5),
    ];
    for (layer, fixed, share) in cases {
        let model = alone(layer, &[10]);
        assert_eq!(model.predict(&data).unwrap().to_f32(), x);
        let found = model.predict_mc(&data, 4000).unwrap();
        let (mean, std) = (found.mean.to_f32(), found.std.to_f32());
        for i in 0..x.len() {
            let want = fixed + share * x[i].abs();
            assert!(
                (mean[i] - x[i]).abs() < 0.08 * want + 1e-4,
                "{i}: {} {}",
                mean[i],
                x[i]
            );
            assert!(
                (std[i] - want).abs() < 0.07 * want + 1e-4,
                "{i}: {} {want}",
                std[i]
            );
        }
    }
}

#[test]
fn rrelu_takes_the_mean_slope_in_inference() {
    let data = rows([6], 9, 4);
    let y = alone(RReLU::new(), &[6]).predict(&data).unwrap().to_f32();
    let slope = (1.0 / 8.0 + 1.0 / 3.0) / 2.0;
    for (x, y) in data.inputs()[0].to_f32().iter().zip(y) {
        let want = if *x > 0.0 { *x } else { x * slope };
        assert!((y - want).abs() < 1e-6);
    }
}

#[test]
fn monte_carlo_dropout_gives_the_moments_of_dropout() {
    // A single 2 under dropout of ¼ becomes 0 or 8/3: mean 2, deviation 2/√3.
    let data = Dataset::unlabelled(Tensor::from_f32([3], vec![2.0; 3 * 7]).unwrap());
    let model = alone(Dropout::new(0.25), &[3]);
    let found = model.predict_mc(&data, 5000).unwrap();
    for (mean, std) in found.mean.to_f32().iter().zip(found.std.to_f32()) {
        assert!((mean - 2.0).abs() < 0.08, "{mean}");
        assert!(
            (f64::from(std) - 2.0 / 3.0_f64.sqrt()).abs() < 0.05,
            "{std}"
        );
    }
    assert!(found.predictive_entropy.is_none());
    let again = model.predict_mc(&data, 5000).unwrap();
    assert_eq!(again.mean.to_f32(), found.mean.to_f32());
    assert!(model.predict_mc(&data, 0).is_err());
}

#[test]
fn entropy_and_information_are_those_of_the_formula() {
    let data = rows([4], 5, 6);
    let classifier = |rate: f64| {
        Sequential::new()
            .input([4])
            .seed(2)
            .add(Dense::new(16).activation(Activation::Relu))
            .add(BatchNormalization::new())
            .add(Dropout::new(rate))
            .add(Dense::new(3).activation(Activation::Softmax))
            .build()
            .unwrap()
    };
    // Without noise, all samples equal the prediction.
    let quiet = classifier(0.0);
    let found = quiet.predict_mc(&data, 7).unwrap();
    let p = quiet.predict(&data).unwrap().to_f32();
    let (mean, entropy) = (found.mean.to_f32(), found.predictive_entropy.unwrap());
    assert_eq!(entropy.rows(), 5);
    for (row, (p, entropy)) in p.chunks(3).zip(entropy.to_f32()).enumerate() {
        let want: f32 = p.iter().map(|p| -p * p.ln()).sum();
        assert!((entropy - want).abs() < 1e-5);
        assert!((p[0] - mean[row * 3]).abs() < 1e-6);
    }
    assert!(
        found
            .mutual_information
            .unwrap()
            .to_f32()
            .iter()
            .all(|&i| i < 1e-6)
    );
    assert!(found.std.to_f32().iter().all(|&s| s < 1e-6));
    let found = classifier(0.5).predict_mc(&data, 200).unwrap();
    let entropy = found.predictive_entropy.unwrap().to_f32();
    for (information, entropy) in found
        .mutual_information
        .unwrap()
        .to_f32()
        .iter()
        .zip(entropy)
    {
        assert!(*information > 1e-3 && *information < entropy);
        assert!(entropy <= 3.0_f32.ln());
    }
}

#[test]
fn layers_that_are_always_noisy_are_noisy_in_predict() {
    let data = rows([50], 600, 9);
    let y = alone(MCDropout::new(0.5), &[50])
        .predict(&data)
        .unwrap()
        .to_f32();
    let dropped = y.iter().filter(|&&y| y == 0.0).count() as f64 / y.len() as f64;
    assert!((dropped - 0.5).abs() < 0.02, "{dropped}");
    // Another mask for each batch of 256 rows.
    let mask = |rows: std::ops::Range<usize>| -> Vec<bool> {
        y[rows.start * 50..rows.end * 50]
            .iter()
            .map(|&y| y == 0.0)
            .collect()
    };
    assert_ne!(mask(0..200), mask(256..456));
}

#[test]
fn normalization_adapts_to_the_rows_that_reach_it() {
    let x = normal(300 * 6, 10)
        .iter()
        .enumerate()
        .map(|(i, x)| x * 3.0 + (i % 2) as f32)
        .collect();
    let x = Tensor::from_f32([3, 2], x).unwrap();
    let y = Tensor::from_column(vec![0.0; 300]).unwrap();
    let data = Dataset::new(x, y).unwrap();
    let model = |axis: Axes| {
        Sequential::new()
            .add(Rescaling::new(0.5))
            .add(Normalization::new().axis(axis))
            .add(Flatten::new())
            .add(Dense::new(1))
            .compile(SGD::new(), Loss::MeanSquaredError, &[])
            .unwrap()
    };
    for (axis, shape) in [
        (Axes::from(-1), vec![2]),
        ([1, 2].into(), vec![3, 2]),
        ([].into(), vec![]),
    ] {
        let mut model = model(axis);
        model.adapt(&data).unwrap();
        let weights = model.layers[1].weights.clone();
        assert_eq!(weights[0].shape, shape);
        let mut cut = model.clone();
        cut.nodes.truncate(2);
        cut.outputs = vec![gradus::model::Source::Node(1)];
        let (mean, variance) = moments(&cut.predict(&data).unwrap().to_f32());
        assert!(
            mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3,
            "{mean} {variance}"
        );
        // The first fit does not adapt again, and training does not change them.
        let some = data.slice(0..50).unwrap();
        model.fit(&some, Fit::new()).unwrap();
        assert_eq!(model.layers[1].weights, weights);
    }
    // A fit adapts the layers that were not adapted yet.
    let mut fresh = model((-1).into());
    fresh.fit(&data, Fit::new()).unwrap();
    let variance = &fresh.layers[1].weights[1].values;
    assert!(
        variance.iter().all(|v| (v - 2.25).abs() < 0.3),
        "{variance:?}"
    );
}

#[test]
fn batch_normalization_over_all_axes_is_that_of_the_flattened_row() {
    let x = rows([3, 4], 40, 11).inputs()[0].clone();
    let y = Tensor::from_f32([12], normal(40 * 12, 12)).unwrap();
    let data = Dataset::new(x, y).unwrap();
    let fitted = |layers: Sequential| {
        let mut model = layers
            .compile(SGD::new(), Loss::MeanSquaredError, &[])
            .unwrap();
        model
            .fit(&data, Fit::new().epochs(2).shuffle(false))
            .unwrap();
        let weights = model.weights().map(|w| w.values.clone());
        weights.collect::<Vec<_>>()
    };
    let axes = BatchNormalization::new().axis([1, 2]);
    let a = fitted(Sequential::new().add(axes).add(Flatten::new()));
    let b = fitted(
        Sequential::new()
            .add(Flatten::new())
            .add(BatchNormalization::new()),
    );
    assert_eq!(a, b);
    let wrong = Sequential::new()
        .input([3, 4])
        .add(BatchNormalization::new().axis(3))
        .build();
    assert!(wrong.is_err());
}

/// The augmentation layers, each with arguments of its own.
fn augmentations() -> Vec<Layer> {
    use layers::{
        FillMode, FlipMode, Interpolation, RandomBrightness, RandomContrast, RandomErasing,
        RandomFlip, RandomRotation, RandomTranslation, RandomZoom,
    };
    vec![
        RandomFlip::new(FlipMode::Vertical).into(),
        RandomTranslation::new(0.1, [-0.1, 0.2])
            .fill_mode(FillMode::Wrap)
            .into(),
        RandomRotation::new([0.0, 0.1])
            .interpolation(Interpolation::Nearest)
            .into(),
        RandomZoom::new(0.2)
            .fill_mode(FillMode::Constant)
            .fill_value(0.5)
            .into(),
        RandomZoom::new(0.2).width_factor([0.1, 0.3]).into(),
        RandomContrast::new(0.5).value_range(-5.0, 5.0).into(),
        RandomBrightness::new(0.5).value_range(-5.0, 5.0).into(),
        RandomErasing::new(0.9)
            .scale(0.1)
            .value_range(-5.0, 5.0)
            .into(),
        RandomErasing::new([0.2, 0.4]).fill_value(0.25).into(),
    ]
}

#[test]
fn images_are_changed_in_training_alone() {
    let data = rows([6, 5, 2], 12, 21);
    let x = data.inputs()[0].to_f32();
    let labelled = Dataset::new(data.inputs()[0].clone(), data.inputs()[0].clone()).unwrap();
    for layer in augmentations() {
        let mut model = alone(layer.clone(), &[6, 5, 2]);
        assert_eq!(model.predict(&data).unwrap().to_f32(), x, "{layer:?}");
        let sampled = model.predict_mc(&data, 2).unwrap();
        assert_eq!(sampled.mean.to_f32(), x, "{layer:?}");
        model
            .compile(Adam::new(), Loss::MeanSquaredError, &[])
            .unwrap();
        assert_eq!(model.evaluate(&labelled).unwrap().get("loss"), Some(0.0));
        let mut losses = |seed: u64| {
            model.seed = seed;
            let options = Fit::new().shuffle(false);
            model.fit(&labelled, options).unwrap().last("loss").unwrap()
        };
        let (first, other) = (losses(1), losses(2));
        assert!(first > 0.0 && first != other, "{layer:?}: {first}, {other}");
    }
}

#[test]
fn tied_layers_need_their_dense() {
    use layers::DenseTranspose;
    let chain = |tied: DenseTranspose| {
        let code = Dense::new(3).activation(Activation::Tanh);
        let chain = Sequential::new().input([5]).add_named("code", code, true);
        chain.add_named("back", tied, true).build()
    };
    let refused = |tied| chain(tied).unwrap_err().to_string();
    let found = refused(DenseTranspose::new(5, "cod"));
    assert!(
        found.contains("back") && found.contains("did you mean `code`?"),
        "{found}"
    );
    let found = refused(DenseTranspose::new(4, "code"));
    assert!(
        found.contains("3 inputs and 5 units, those of code"),
        "{found}"
    );
    let found = refused(DenseTranspose::new(5, "back"));
    assert!(found.contains("a Dense layer"), "{found}");
    let model = chain(DenseTranspose::new(5, "code")).unwrap();
    assert_eq!(model.weights().count(), 3, "one kernel and two biases");
    let folder = Folder::new();
    let path = folder.path("tied.keras");
    let found = model.save(&path).unwrap_err().to_string();
    assert!(
        found.contains("layer back") && found.contains("up_to"),
        "{found}"
    );
    assert!(!path.exists());
}

#[test]
fn what_is_no_image_is_told_so() {
    use layers::{FlipMode, RandomErasing, RandomFlip, RandomZoom};
    let refused = |layer: Layer, shape: &[usize]| {
        let model = Sequential::new().input(shape.to_vec()).add(layer).build();
        model.unwrap_err().to_string()
    };
    let flip = || RandomFlip::new(FlipMode::Horizontal).into();
    let found = refused(flip(), &[28, 28]);
    assert!(
        found.contains("put a Reshape to [28, 28, 1] before it"),
        "{found}"
    );
    let found = refused(flip(), &[784]);
    assert!(found.contains("(height, width, channels)"), "{found}");
    let found = refused(RandomZoom::new([-1.0, 0.5]).into(), &[4, 4, 1]);
    assert!(
        found.contains("height_factor") && found.contains("above -1 to 1"),
        "{found}"
    );
    let three = serde_json::json!({ "type": "RandomErasing", "fill_value": [0.1, 0.2, 0.3] });
    let found = refused(Layer::from_config("", &three).unwrap(), &[4, 4, 1]);
    assert!(found.contains("three channels"), "{found}");
    let found = refused(RandomErasing::new(1.5).into(), &[4, 4, 1]);
    assert!(
        found.contains("factor") && found.contains("from 0 to 1"),
        "{found}"
    );
}

#[test]
fn every_layer_comes_back_from_its_file() {
    let images = Sequential::new().input([4, 3]).add(Reshape::new([4, 3, 1]));
    let images = augmentations().into_iter().fold(images, Sequential::add);
    let model = images
        .add(Reshape::new([4, 3]))
        .add(Rescaling::new(2.0).offset(0.5))
        .add(Normalization::new())
        .add(Normalization::new().given([1.0], [4.0]).invert(true))
        .add(Dense::new(5))
        .add(PReLU::new().shared_axes([1]))
        .add(LayerNormalization::new().axis([1, 2]))
        .add(GaussianNoise::new(0.1))
        .add(BatchNormalization::new().axis(1))
        .add(GaussianDropout::new(0.1))
        .add(LeakyReLU::new())
        .add(ELU::new().alpha(0.5))
        .add(Softmax::new().axis(1))
        .add(Flatten::new())
        .add(ReLU::new().max_value(2.0).threshold(0.01))
        .add(AlphaDropout::new(0.1))
        .add(RReLU::new())
        .add(MCDropout::new(0.0))
        .add(MCAlphaDropout::new(0.0))
        .add(Dense::new(1))
        .compile(Adam::new(), Loss::MeanSquaredError, &[]);
    let mut model = model.unwrap();
    let x = rows([4, 3], 30, 13).inputs()[0].clone();
    let y = Tensor::from_column(normal(30, 14)).unwrap();
    let data = Dataset::new(x, y).unwrap();
    model.fit(&data, Fit::new()).unwrap();
    let folder = Folder::new();
    let path = folder.path("model.keras");
    model.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    assert_eq!(loaded.layers, model.layers);
    let predicted = |model: &Model| model.predict(&data).unwrap().to_f32();
    assert_eq!(predicted(&loaded), predicted(&model));
}
