//! Every gradient against finite differences.

use finite_differences::check_model;
use gradus::prelude::*;
use gradus::rules::losses::{Function, Reduction, Targets};
use gradus::rules::regularizers::{L1, L1L2, L2, OrthogonalRegularizer, Regularizer, Vectors};

#[path = "common/finite_differences.rs"]
mod finite_differences;

/// Compares some elements of every trained weight of a chain.
fn check(name: &str, layers: Sequential, shape: &[usize], loss: Loss) {
    let model = layers.seed(11).input(shape.to_vec()).build().unwrap();
    check_model(name, model, loss);
}

fn dense(units: usize) -> Dense {
    Dense::new(units).kernel_initializer(Initializer::HeNormal)
}

#[test]
fn dense_and_every_activation() {
    use gradus::rules::activations::Activation as Function;
    let names = Function::MEMBERS.iter().filter_map(|m| m.aliases.first());
    for name in names {
        // `threshold` has no defaults.
        let Ok(function) = Function::from_config("", &(*name).into()) else {
            continue;
        };
        let model = Sequential::new()
            .add(dense(9).activation(Function::Tanh))
            .add(dense(7).activation(function))
            .add(dense(3));
        check(name, model, &[5], Loss::MeanSquaredError);
    }
}

#[test]
fn every_loss() {
    for member in Loss::MEMBERS {
        let loss = Loss::from_config("", &member.class.into()).unwrap();
        // Losses of probabilities get some; others accept them.
        for last in [Activation::Softmax, Activation::Sigmoid] {
            let model = Sequential::new()
                .add(dense(9).activation(Activation::Elu))
                .add(dense(4).activation(last.clone()));
            check(
                &format!("{} after {last:?}", member.class),
                model,
                &[5],
                loss.clone(),
            );
        }
    }
}

#[test]
fn every_reduction_of_weighted_rows() {
    use Reduction::{Mean, MeanWithSampleWeight, Sum};
    for reduction in [Mean, Sum, MeanWithSampleWeight] {
        let model = Sequential::new()
            .add(dense(5).activation(Activation::Tanh))
            .add(dense(3).activation(Activation::Softmax));
        let loss = Loss::CategoricalCrossentropy.reduction(reduction);
        check(&format!("{reduction:?}"), model, &[2, 4], loss);
    }
}

#[test]
fn losses_that_are_functions() {
    let cube = Loss::function("cube", |target, output, gradient| {
        let mut sum = 0.0;
        for ((g, y), t) in gradient.iter_mut().zip(output).zip(target) {
            *g = 3.0 * (y - t).powi(2) * (y - t).signum();
            sum += (y - t).abs().powi(3);
        }
        sum
    });
    let brier = Function::new("brier", |target, output, gradient| {
        let mut sum = 0.0;
        for (class, (g, y)) in gradient.iter_mut().zip(output).enumerate() {
            let error = y - f32::from(class as f32 == target[0]);
            *g = 2.0 * error;
            sum += error * error;
        }
        sum
    });
    let brier = Loss::from(brier.targets(Targets::ClassNumbers));
    for (name, loss) in [("cube", cube), ("brier", brier)] {
        let model = Sequential::new()
            .add(dense(5).activation(Activation::Tanh))
            .add(dense(3).activation(Activation::Softmax));
        check(name, model, &[4], loss);
    }
}

#[test]
fn batch_normalization_first_before_and_after_the_activation() {
    let model = Sequential::new()
        .add(BatchNormalization::new())
        .add(dense(8).use_bias(false))
        .add(BatchNormalization::new().scale(false))
        .add(layers::Activation::new(Activation::Tanh))
        .add(dense(6).activation(Activation::Elu))
        .add(BatchNormalization::new().center(false))
        .add(dense(3).activation(Activation::Softmax));
    check(
        "normalized",
        model,
        &[5],
        Loss::SparseCategoricalCrossentropy,
    );
}

/// γ and β before the first product have no gradient path of their own.
#[test]
fn batch_normalization_of_the_input() {
    let normalization = BatchNormalization::new;
    let all = [
        ("both", normalization()),
        ("no beta", normalization().center(false)),
        ("no gamma", normalization().scale(false)),
        ("neither", normalization().center(false).scale(false)),
    ];
    for (name, first) in all {
        for shape in [&[6][..], &[2, 5]] {
            let model = Sequential::new()
                .add(first.clone())
                .add(dense(70).activation(Activation::Tanh))
                .add(Flatten::new())
                .add(dense(3).activation(Activation::Softmax));
            check(name, model, shape, Loss::SparseCategoricalCrossentropy);
        }
    }
    let normalized = |frozen: bool| {
        Sequential::new()
            .add(normalization())
            .add_named(
                "hidden",
                dense(9).kernel_regularizer(L2 { l2: 0.1 }),
                !frozen,
            )
            .add(BatchNormalization::new())
            .add(layers::Activation::new(Activation::Tanh))
            .add(dense(3))
    };
    for frozen in [false, true] {
        check(
            "in front of another",
            normalized(frozen),
            &[5],
            Loss::MeanSquaredError,
        );
    }
    // Two products take the normalized values, or one does and another layer, too.
    for other in [
        dense(4).into(),
        Layer::from(layers::Activation::new(Activation::Tanh)),
    ] {
        let mut g = Functional::new().seed(11);
        let x = g.input([5]);
        let x = g.layer(normalization(), x).unwrap();
        let a = g.layer(dense(4), x).unwrap();
        let b = g.layer(other, x).unwrap();
        let both = g.layer(layers::Concatenate::new(), [a, b]).unwrap();
        let y = g.layer(dense(2), both).unwrap();
        check_model("two readers", g.model(y).unwrap(), Loss::MeanSquaredError);
    }
}

#[test]
fn dropout_flatten_and_several_positions() {
    let model = Sequential::new()
        .add(dense(4).activation(Activation::Selu))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.4))
        .add(Flatten::new())
        .add(dense(6).activation(Activation::Sigmoid))
        .add(dense(3).activation(Activation::Softmax));
    check(
        "flatten",
        model,
        &[3, 4],
        Loss::SparseCategoricalCrossentropy,
    );
    let model = Sequential::new()
        .add(dense(5).activation(Activation::Tanh))
        .add(dense(3));
    check("positions", model, &[4, 6], Loss::MeanSquaredError);
}

#[test]
fn activations_as_layers() {
    use layers::{ELU, LeakyReLU, PReLU, RReLU, ReLU, Softmax};
    let general = ReLU::new()
        .max_value(0.9)
        .negative_slope(0.1)
        .threshold(0.2);
    let all: Vec<(&str, Layer)> = vec![
        ("relu", general.into()),
        ("leaky", LeakyReLU::new().into()),
        ("elu", ELU::new().alpha(0.7).into()),
        ("softmax", Softmax::new().into()),
        ("softmax over the first axis", Softmax::new().axis(1).into()),
        ("prelu", PReLU::new().into()),
        ("prelu, shared", PReLU::new().shared_axes([1]).into()),
        ("prelu, shared last", PReLU::new().shared_axes([2]).into()),
        ("prelu, shared all", PReLU::new().shared_axes([1, 2]).into()),
        ("rrelu", RReLU::new().into()),
    ];
    for (name, layer) in all {
        let model = Sequential::new().add(dense(5)).add(layer).add(dense(3));
        check(name, model, &[4, 2], Loss::MeanSquaredError);
    }
}

#[test]
fn normalization_over_other_axes() {
    use layers::{Axes, LayerNormalization, Normalization, Rescaling};
    let layer = |axes: Axes| LayerNormalization::new().axis(axes);
    let all: Vec<(&str, Layer)> = vec![
        ("layer", layer((-1).into()).into()),
        (
            "layer, bare",
            LayerNormalization::new().center(false).scale(false).into(),
        ),
        ("layer, axis 1", layer(1.into()).into()),
        ("layer, both axes", layer([1, 2].into()).into()),
        ("batch, axis 1", BatchNormalization::new().axis(1).into()),
        (
            "batch, both axes",
            BatchNormalization::new().axis([1, 2]).into(),
        ),
        (
            "given",
            Normalization::new()
                .given([0.1, -0.2, 0.3, 0.0], [0.5, 1.0, 2.0, 0.1])
                .into(),
        ),
        (
            "given, inverse, for all",
            Normalization::new()
                .axis([])
                .given([0.1], [2.0])
                .invert(true)
                .into(),
        ),
        ("rescaling", Rescaling::new(0.5).offset(-0.1).into()),
    ];
    for (name, layer) in all {
        let model = Sequential::new()
            .add(dense(4).activation(Activation::Tanh))
            .add(layer)
            .add(dense(3));
        check(name, model, &[3, 2], Loss::MeanSquaredError);
    }
}

#[test]
fn noise() {
    use layers::{AlphaDropout, GaussianDropout, GaussianNoise, MCAlphaDropout, MCDropout};
    let all: Vec<(&str, Layer)> = vec![
        ("alpha dropout", AlphaDropout::new(0.3).into()),
        ("gaussian dropout", GaussianDropout::new(0.2).into()),
        ("gaussian noise", GaussianNoise::new(0.3).into()),
        ("mc dropout", MCDropout::new(0.3).into()),
        ("mc alpha dropout", MCAlphaDropout::new(0.3).into()),
    ];
    for (name, layer) in all {
        let model = Sequential::new()
            .add(dense(7).activation(Activation::Selu))
            .add(layer)
            .add(dense(3).activation(Activation::Softmax));
        check(name, model, &[5], Loss::SparseCategoricalCrossentropy);
    }
}

/// The kernel's gradient is the sum of both uses'.
#[test]
fn tied_weights() {
    use layers::DenseTranspose;
    let tied = |frozen: bool| {
        Sequential::new()
            .add_named("outer", dense(7).activation(Activation::Tanh), true)
            .add_named("inner", dense(3).activation(Activation::Elu), !frozen)
            .add(DenseTranspose::new(7, "inner").activation(Activation::Tanh))
            .add(DenseTranspose::new(5, "outer").use_bias(false))
    };
    check("tied", tied(false), &[5], Loss::MeanSquaredError);
    check(
        "tied positions",
        tied(false),
        &[4, 5],
        Loss::MeanSquaredError,
    );
    check("tied, frozen", tied(true), &[5], Loss::MeanSquaredError);
    let with_penalty = Sequential::new()
        .add_named("code", dense(4).kernel_regularizer(L2 { l2: 0.03 }), true)
        .add(DenseTranspose::new(6, "code"));
    check("tied, penalty", with_penalty, &[6], Loss::MeanSquaredError);
}

/// A trained layer before the images: its gradient passes through the augmentation.
#[test]
fn augmentation() {
    use layers::{
        CenterCrop, DataFormat, FillMode, FlipMode, Interpolation, RandomBrightness,
        RandomContrast, RandomCrop, RandomErasing, RandomFlip, RandomRotation, RandomTranslation,
        RandomZoom, Resampling, Reshape, Resizing,
    };
    let all: Vec<(&str, Layer)> = vec![
        ("flip", RandomFlip::new(FlipMode::Horizontal).into()),
        ("turn over", RandomFlip::default().into()),
        ("translation", RandomTranslation::new(0.3, 0.3).into()),
        (
            "translation to nothing",
            RandomTranslation::new(0.5, 0.5)
                .fill_mode(FillMode::Constant)
                .fill_value(0.7)
                .into(),
        ),
        (
            "translation around",
            RandomTranslation::new(0.7, 0.7)
                .fill_mode(FillMode::Wrap)
                .interpolation(Interpolation::Nearest)
                .into(),
        ),
        ("rotation", RandomRotation::new(0.4).into()),
        (
            "rotation of channels",
            RandomRotation::new(0.1)
                .fill_mode(FillMode::Nearest)
                .data_format(DataFormat::ChannelsFirst)
                .into(),
        ),
        ("zoom", RandomZoom::new(0.4).width_factor(0.2).into()),
        (
            "contrast",
            RandomContrast::new([0.3, 0.9])
                .value_range(-0.6, 0.6)
                .into(),
        ),
        (
            "brightness",
            RandomBrightness::new(0.3).value_range(-0.6, 0.6).into(),
        ),
        (
            "erasing",
            RandomErasing::new([0.5, 1.0]).fill_value(0.3).into(),
        ),
        (
            "erasing by noise",
            RandomErasing::new([0.5, 1.0]).value_range(-1.0, 1.0).into(),
        ),
        ("middle", CenterCrop::new(2, 3).into()),
        ("middle of smaller", CenterCrop::new(6, 2).into()),
        ("anywhere", RandomCrop::new(2, 1).into()),
        ("anywhere of smaller", RandomCrop::new(5, 2).into()),
        ("larger", Resizing::new(7, 5).into()),
        (
            "smaller",
            Resizing::new(2, 2)
                .interpolation(Resampling::Lanczos3)
                .antialias(true)
                .into(),
        ),
        (
            "padded",
            Resizing::new(5, 6)
                .pad_to_aspect_ratio(true)
                .fill_value(0.7)
                .data_format(DataFormat::ChannelsFirst)
                .into(),
        ),
    ];
    for (name, layer) in all {
        let model = Sequential::new()
            .add(dense(4 * 3 * 2))
            .add(Reshape::new([4, 3, 2]))
            .add(layer)
            .add(Flatten::new())
            .add(dense(3).activation(Activation::Softmax));
        check(name, model, &[5], Loss::SparseCategoricalCrossentropy);
    }
}

#[test]
fn frozen_layers_do_not_move_and_pass_the_gradient_on() {
    let model = Sequential::new()
        .add(dense(8).activation(Activation::Tanh))
        .add_named("still", BatchNormalization::new(), false)
        .add_named("fixed", dense(6).activation(Activation::Elu), false)
        .add(dense(3).activation(Activation::Softmax));
    check("frozen", model, &[5], Loss::SparseCategoricalCrossentropy);
}

#[test]
fn penalties_belong_to_the_loss() {
    use layers::{ActivityRegularization, LayerNormalization, PReLU};
    let regularizers: [Regularizer; 5] = [
        L1 { l1: 0.03 }.into(),
        L2 { l2: 0.1 }.into(),
        L1L2 { l1: 0.02, l2: 0.05 }.into(),
        OrthogonalRegularizer {
            factor: 0.3,
            mode: Vectors::Rows,
        }
        .into(),
        OrthogonalRegularizer {
            factor: 0.3,
            mode: Vectors::Columns,
        }
        .into(),
    ];
    for rule in regularizers {
        let mut first = dense(6).activation(Activation::Tanh);
        first.kernel_regularizer = Some(rule.clone());
        let mut second = dense(4).activation(Activation::Elu);
        second.activity_regularizer = Some(rule.clone());
        let mut normalization = BatchNormalization::new();
        let mut by_row = LayerNormalization::new();
        let mut slopes = PReLU::new();
        let mut last = dense(3).activation(Activation::Softmax);
        last.activity_regularizer = Some(rule.clone());
        if rule.check_shape(&[3]).is_ok() {
            normalization.gamma_regularizer = Some(rule.clone());
            normalization.beta_regularizer = Some(rule.clone());
            last.bias_regularizer = Some(rule.clone());
            by_row = by_row
                .gamma_regularizer(rule.clone())
                .beta_regularizer(rule.clone());
            slopes = slopes.alpha_regularizer(rule.clone());
        }
        let model = Sequential::new()
            .add(first)
            .add(normalization)
            .add(slopes)
            .add(second)
            .add(by_row)
            .add(ActivityRegularization::new(0.02, 0.03))
            .add(last);
        let loss = Loss::SparseCategoricalCrossentropy;
        check(&format!("{rule:?}"), model, &[5], loss);
    }
}

/// A graph of two branches joined by `merge`.
fn merged(merge: impl Into<Layer>, left: usize, right: usize, shape: [usize; 2]) -> Model {
    let mut g = Functional::new().seed(11);
    let x = g.input(shape);
    let a = g
        .layer(dense(left).activation(Activation::Tanh), x)
        .unwrap();
    let b = g
        .layer(dense(right).activation(Activation::Elu), x)
        .unwrap();
    let y = g.layer(merge, [a, b]).unwrap();
    let y = g.layer(dense(3), y).unwrap();
    g.model(y).unwrap()
}

#[test]
fn gaps_and_rows_for_numbers() {
    use layers::{Embedding, NanToNum, Reshape};
    let chain = Sequential::new()
        .add(dense(6).activation(Activation::Tanh))
        .add(NanToNum::new())
        .add(dense(3));
    check("nan to num", chain, &[4], Loss::MeanSquaredError);

    let mut g = Functional::new().seed(11);
    let (x, names) = (g.input([3]), g.input([4]));
    // Values from -1 to 1 become whole numbers from 0 to 4, with repetitions.
    let names = g
        .layer(layers::Rescaling::new(2.49).offset(2.5), names)
        .unwrap();
    let names = g
        .layer(layers::Cast::new(gradus::Dtype::Int32), names)
        .unwrap();
    let shared = g.share(Embedding::new(6, 3).embeddings_initializer(Initializer::HeNormal));
    let rows = g.call(shared, names).unwrap();
    let flat = g.layer(Reshape::new([-1]), rows).unwrap();
    let side = g.layer(Reshape::new([2, 2]), names).unwrap();
    let again = g.call(shared, side).unwrap();
    let again = g.layer(Flatten::new(), again).unwrap();
    let all = g
        .layer(layers::Concatenate::new(), [x, flat, again])
        .unwrap();
    let hidden = g.layer(dense(5).activation(Activation::Tanh), all).unwrap();
    let y = g.layer(dense(3), hidden).unwrap();
    check_model("embedding", g.model(y).unwrap(), Loss::MeanSquaredError);
}

#[test]
fn merge_layers() {
    use layers::{Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract};
    let all: Vec<(&str, Layer, usize)> = vec![
        ("add", Add::new().into(), 5),
        ("subtract", Subtract::new().into(), 5),
        ("multiply", Multiply::new().into(), 5),
        ("average", Average::new().into(), 5),
        ("maximum", Maximum::new().into(), 5),
        ("minimum", Minimum::new().into(), 5),
        ("multiply by one column", Multiply::new().into(), 1),
        ("concatenate", Concatenate::new().into(), 2),
        ("concatenate, axis 1", Concatenate::new().axis(1).into(), 5),
        ("dot of columns", Dot::new(1).into(), 2),
        ("dot of rows", Dot::new([2, 2]).into(), 5),
        ("dot, normalized", Dot::new(-1).normalize(true).into(), 5),
    ];
    for (name, layer, right) in all {
        let model = merged(layer, 5, right, [3, 4]);
        check_model(name, model, Loss::MeanSquaredError);
    }
}

#[test]
fn shared_layers_and_models_residuals_and_several_ends() {
    use layers::{Add, Concatenate, Reshape};
    let encoder = Sequential::new()
        .input([4])
        .add(dense(6).activation(Activation::Tanh))
        .add(BatchNormalization::new())
        .build()
        .unwrap();
    let mut g = Functional::new().seed(11);
    let (x, z) = (g.input([4]), g.input([2, 2]));
    let flat = g.layer(Reshape::new([-1]), z).unwrap();
    let encoder = g.nest("encoder", &encoder).unwrap();
    let (a, b) = (g.call(encoder, x).unwrap(), g.call(encoder, flat).unwrap());
    let shared = g.share(dense(6).activation(Activation::Sigmoid));
    let twice = g.call(shared, a).unwrap();
    let twice = g.call(shared, twice).unwrap();
    let sum = g.layer(Add::new(), [twice, a, b]).unwrap();
    let wide = g.layer(Concatenate::new(), [x, sum]).unwrap();
    let softmax = dense(3).activation(Activation::Softmax);
    let first = g.layer(softmax.clone(), wide).unwrap();
    // One output in the middle, another one after it.
    let second = g.layer(softmax, first).unwrap();
    let model = g.model([first, second]).unwrap();
    check_model("graph", model, Loss::SparseCategoricalCrossentropy);
}
