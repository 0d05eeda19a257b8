//! Tests of the fast engine against the reference, on whole models.

mod convolution;
mod images;
mod observation;
mod pruned;
mod quantized;
mod residual;

use super::cpu::{Cpu, Isa};
use super::null::Null;
use super::reference::Reference;
use crate::data::{Dataset, Tensor};
use crate::model::layers::{
    Activation as ActivationLayer, ActivityRegularization, BatchNormalization, Dense, Dropout,
    LayerNormalization, PReLU, Quantization,
};
use crate::model::lowering::PlanSpec;
use crate::model::{Model, Sequential};
use crate::plan::{Mode, Op};
use crate::predict::device::Device;
use crate::rules::activations::Activation;
use crate::rules::constraints::{Axes, MaxNorm, NonNeg, UnitNorm};
use crate::rules::initializers::Initializer;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::{Adam, Ftrl, Lamb, Method, Muon, Nadam, Optimizer, SGD};
use crate::rules::regularizers::{L1, L1L2, L2, OrthogonalRegularizer};
use crate::train::{Fit, Precision};
use std::collections::BTreeSet;

fn data(rows: usize, inputs: usize, classes: usize) -> Dataset {
    data_of(rows, &[inputs], classes)
}

fn data_of(rows: usize, shape: &[usize], classes: usize) -> Dataset {
    let inputs: usize = shape.iter().product();
    let number = |i: usize| ((i * 7919 % 1013) as f32 / 1013.0 - 0.5) * 3.0;
    let x = (0..rows * inputs).map(number).collect();
    let y = (0..rows).map(|i| (i * 31 % 17 % classes) as f32).collect();
    let x = Tensor::from_f32(shape, x).unwrap();
    Dataset::new(x, Tensor::from_column(y).unwrap()).unwrap()
}

/// Data whose values are mostly zeros.
fn mostly_zeros(rows: usize, inputs: usize, classes: usize) -> Dataset {
    let number = |i: usize| match i * 7919 % 1013 {
        n @ 0..300 => n as f32 / 100.0 - 1.5,
        _ => 0.0,
    };
    let x = (0..rows * inputs).map(number).collect();
    let y = (0..rows).map(|i| (i * 31 % 17 % classes) as f32).collect();
    let x = Tensor::from_f32([inputs], x).unwrap();
    Dataset::new(x, Tensor::from_column(y).unwrap()).unwrap()
}

/// A number of units: fewer under Miri, an interpreter.
const fn units(wanted: usize) -> usize {
    if cfg!(miri) && wanted > 100 {
        51
    } else {
        wanted
    }
}

/// Models that together have every operation, in sizes that leave lanes and tiles partly filled.
fn models() -> Vec<(&'static str, Dataset, Model)> {
    let elu = || {
        Sequential::new()
            .seed(3)
            .add(
                Dense::new(67)
                    .activation(Activation::Elu)
                    .kernel_initializer(Initializer::HeNormal),
            )
            .add(Dense::new(33).activation(Activation::Selu))
            .add(Dense::new(5).activation(Activation::Softmax))
    };
    let normalized = |width: usize| {
        Sequential::new()
            .seed(4)
            .add(BatchNormalization::new())
            .add(Dense::new(width).use_bias(false))
            .add(BatchNormalization::new().scale(false))
            .add(ActivationLayer::new(Activation::Tanh))
            .add(Dropout::new(0.3))
            .add(Dense::new(19).activation(Activation::Sigmoid))
            .add(BatchNormalization::new().center(false))
            .add(Dense::new(5).activation(Activation::Softmax))
    };
    let first = |units: usize| {
        Sequential::new()
            .seed(6)
            .add(BatchNormalization::new())
            .add(Dense::new(units).activation(Activation::Tanh))
            .add(crate::model::layers::Flatten::new())
            .add(Dense::new(5).activation(Activation::Softmax))
    };
    let layered = || {
        use crate::model::layers::{
            AlphaDropout, GaussianDropout, GaussianNoise, MCDropout, Normalization, RReLU, ReLU,
            Rescaling, Softmax,
        };
        Sequential::new()
            .seed(5)
            .add(Rescaling::new(0.7).offset(0.1))
            .add(Normalization::new())
            .add(Dense::new(37))
            .add(PReLU::new().shared_axes([1]))
            .add(LayerNormalization::new())
            .add(GaussianNoise::new(0.1))
            .add(Dense::new(19))
            .add(RReLU::new())
            .add(BatchNormalization::new().axis(1))
            .add(GaussianDropout::new(0.1))
            .add(LayerNormalization::new().axis([1, 2]).center(false))
            .add(PReLU::new().alpha_initializer(Initializer::Ones))
            .add(Softmax::new().axis(1))
            .add(crate::model::layers::Flatten::new())
            .add(Dense::new(21).activation(Activation::Selu))
            .add(AlphaDropout::new(0.2))
            .add(MCDropout::new(0.1))
            .add(ReLU::new().max_value(3.0))
            .add(Dense::new(5).activation(Activation::Softmax))
    };
    let augmented = || {
        use crate::model::layers::{
            CenterCrop, FillMode, FlipMode, RandomBrightness, RandomContrast, RandomCrop,
            RandomErasing, RandomFlip, RandomRotation, RandomTranslation, RandomZoom, Reshape,
            Resizing,
        };
        let images = |chain: Sequential| {
            chain
                .add(RandomFlip::new(FlipMode::Horizontal))
                .add(RandomTranslation::new(0.2, 0.3).fill_mode(FillMode::Constant))
                .add(RandomRotation::new(0.1))
                .add(RandomZoom::new(0.3))
                .add(RandomContrast::new(0.5).value_range(-2.0, 2.0))
                .add(RandomBrightness::new(0.3).value_range(-2.0, 2.0))
                .add(RandomErasing::new(0.9).value_range(-2.0, 2.0))
        };
        images(images(Sequential::new().seed(9)).add(Dense::new(2)))
            .add(Resizing::new(6, 7))
            .add(RandomCrop::new(4, 5))
            .add(CenterCrop::new(3, 3))
            .add(Reshape::new([-1]))
            .add(Dense::new(5).activation(Activation::Softmax))
    };
    let zeros = || {
        let relu = |width| Dense::new(width).activation(Activation::Relu);
        Sequential::new()
            .seed(11)
            .add(relu(units(301)))
            .add(Dropout::new(0.5))
            .add(relu(77))
            .add(Dropout::new(0.5))
            .add(relu(41))
            .add(Dense::new(5).activation(Activation::Softmax))
    };
    let tied = || {
        use crate::model::layers::DenseTranspose;
        let dense = |units| Dense::new(units).activation(Activation::Tanh);
        Sequential::new()
            .seed(10)
            .add_named("outer", dense(67), true)
            .add_named("inner", dense(50), true)
            .add(DenseTranspose::new(67, "inner").activation(Activation::Elu))
            .add(DenseTranspose::new(31, "outer"))
            .add(Dense::new(5).activation(Activation::Softmax))
    };
    let frozen = || {
        Sequential::new()
            .seed(15)
            .add(Dense::new(67).activation(Activation::Tanh))
            .add_named("frozen", BatchNormalization::new(), false)
            .add_named("frozen_too", Dense::new(33), false)
            .add(Dense::new(5).activation(Activation::Softmax))
    };
    let quantized = || {
        let base = Sequential::new().seed(16).input([31]);
        let base = base.add(Dense::new(67).activation(Activation::Elu));
        let mut base = base.add(Dense::new(33)).build().unwrap();
        base.quantize(Quantization::Int8).unwrap();
        base.set_trainable("*", false).unwrap();
        let head = Dense::new(5).activation(Activation::Softmax);
        let hidden = Dense::new(19).activation(Activation::Tanh);
        let whole = Sequential::new().add_layers(&base, ..).unwrap();
        whole.add(hidden).add(head)
    };
    let rounded = || {
        use crate::model::layers::{Conv2D, DepthwiseConv2D, Flatten, Reshape};
        Sequential::new()
            .seed(17)
            .add(Dense::new(50).activation(Activation::Relu))
            .add(Reshape::new([5, 5, 2]))
            .add(Conv2D::new(7, 2).activation(Activation::Tanh))
            .add(DepthwiseConv2D::new(2).depth_multiplier(3))
            .add(Flatten::new())
            .add(Dense::new(33).activation(Activation::Elu))
            .add(Dense::new(5).activation(Activation::Softmax))
    };
    let kept = || {
        let mut first = Dense::new(67)
            .activation(Activation::Elu)
            .kernel_regularizer(L1L2 { l1: 1e-3, l2: 1e-2 })
            .bias_regularizer(L1 { l1: 1e-3 })
            .kernel_constraint(MaxNorm::new(0.9))
            .bias_constraint(NonNeg {});
        first.activity_regularizer = Some(L2 { l2: 1e-3 }.into());
        let mut second = Dense::new(33).kernel_regularizer(OrthogonalRegularizer::default());
        second.kernel_constraint = Some(
            UnitNorm {
                axis: Axes::One(-1),
            }
            .into(),
        );
        second.activity_regularizer = Some(OrthogonalRegularizer::default().into());
        Sequential::new()
            .seed(6)
            .add(first)
            .add(
                BatchNormalization::new()
                    .gamma_regularizer(L2 { l2: 1e-2 })
                    .gamma_constraint(MaxNorm::new(3.0)),
            )
            .add(PReLU::new().alpha_regularizer(L1 { l1: 1e-3 }))
            .add(second)
            .add(LayerNormalization::new().gamma_constraint(NonNeg {}))
            .add(ActivityRegularization::new(1e-3, 1e-3))
            .add(Dense::new(5).activation(Activation::Softmax))
    };
    let graph = || {
        use crate::model::layers::{
            Add, Average, Concatenate, Dot, Flatten, Layer, Maximum, Minimum, Multiply, Reshape,
            Subtract,
        };
        let mut g = crate::model::Functional::new().seed(7);
        let x = g.input([23]);
        let dense = |units| Dense::new(units).activation(Activation::Tanh);
        let a = g.layer(dense(34), x)?;
        let b = g.layer(dense(34), x)?;
        let shared = g.share(Dense::new(34).use_bias(false));
        let (c, d) = (g.call(shared, a)?, g.call(shared, b)?);
        let merges: [Layer; 6] = [
            Add::new().into(),
            Average::new().into(),
            Maximum::new().into(),
            Minimum::new().into(),
            Multiply::new().into(),
            Subtract::new().into(),
        ];
        let mut all = Vec::new();
        for merge in merges {
            all.push(g.layer(merge, [c, d])?);
        }
        all.push(g.layer(Dot::new(1).normalize(true), [a, b])?);
        let (e, f) = (
            g.layer(Reshape::new([2, -1]), c)?,
            g.layer(Reshape::new([17, 2]), d)?,
        );
        let product = g.layer(Dot::new([2, 1]), [e, f])?;
        let row = g.layer(Dense::new(17), x)?;
        let row = g.layer(Reshape::new([1, 17]), row)?;
        let spread = g.layer(Add::new(), [e, row])?;
        let joined = g.layer(Concatenate::new().axis(1), [spread, e])?;
        all.push(g.layer(Flatten::new(), product)?);
        all.push(g.layer(Flatten::new(), joined)?);
        let all = g.layer(Concatenate::new(), all)?;
        let y = g.layer(Dense::new(5).activation(Activation::Softmax), all)?;
        let mut model = g.model(y)?;
        model.compile(Adam::new(), Loss::SparseCategoricalCrossentropy, &[])?;
        Ok::<Model, crate::Error>(model)
    };
    let indexed = || {
        use crate::model::Dtype;
        use crate::model::layers::{
            Cast, CategoryEncoding, Concatenate, Discretization, Embedding, Flatten, Hashing,
            IntegerLookup, Isnan, NanToNum, OutputMode, Rescaling,
        };
        let mut g = crate::model::Functional::new().seed(8);
        let x = g.input([23]);
        let names = g.layer(Rescaling::new(8.0).offset(13.0), x)?;
        let names = g.layer(Cast::new(Dtype::Int32), names)?;
        let rows = g.layer(Embedding::new(27, 19), names)?;
        let rows = g.layer(Flatten::new(), rows)?;
        let gaps = g.layer(Isnan::new(), rows)?;
        let hidden = g.layer(Dense::new(37), rows)?;
        let hidden = g.layer(NanToNum::new(), hidden)?;
        let some: Vec<i64> = (3..17).rev().collect();
        let known = IntegerLookup::new().vocabulary(some).num_oov_indices(3);
        let known = g.layer(known.output_mode(OutputMode::Count), names)?;
        let bins = Hashing::new(7).salt(1, 2).mask_value(4);
        let bins = g.layer(bins.output_mode(OutputMode::OneHot), names)?;
        let bins = g.layer(Flatten::new(), bins)?;
        let steps = g.layer(Discretization::new([-1.0, 0.0, 0.7]), x)?;
        let coded = g.layer(CategoryEncoding::new(4), steps)?;
        let all = [hidden, gaps, known, bins, coded];
        let all = g.layer(Concatenate::new(), all)?;
        let y = g.layer(Dense::new(5).activation(Activation::Softmax), all)?;
        let mut model = g.model(y)?;
        model.compile(Adam::new(), Loss::SparseCategoricalCrossentropy, &[])?;
        Ok::<Model, crate::Error>(model)
    };
    let averaged = |optimizer: Optimizer| {
        let mut optimizer = optimizer
            .weight_decay(0.1)
            .exclude_from_weight_decay(&["bias"])
            .use_ema(0.9)
            .gradient_accumulation_steps(2);
        optimizer.ema_overwrite_frequency = Some(2);
        optimizer
    };
    let sparse = Loss::SparseCategoricalCrossentropy;
    let compile = |model: Sequential, optimizer: Optimizer| {
        model
            .compile(optimizer, sparse.clone(), &[Metric::Accuracy])
            .unwrap()
    };
    let sgd = || SGD::new().momentum(0.9).nesterov(true);
    let fake_quantized = |model: Sequential| {
        let mut model = compile(model, sgd().into());
        model.fake_quantize().unwrap();
        model
    };
    let mut all = vec![
        ("fake-quantized", data(40, 9, 5), fake_quantized(rounded())),
        ("graph", data(75, 23, 5), graph().unwrap()),
        ("indexed", data(75, 23, 5), indexed().unwrap()),
        ("elu sgd", data(75, 23, 5), compile(elu(), sgd().into())),
        (
            "elu adam",
            data(75, 23, 5),
            compile(elu(), Adam::new().into()),
        ),
        (
            "elu clipvalue",
            data(40, 9, 5),
            compile(elu(), Optimizer::from(sgd()).clipvalue(0.001)),
        ),
        (
            "elu clipnorm",
            data(40, 9, 5),
            compile(elu(), Optimizer::from(sgd()).clipnorm(0.01)),
        ),
        (
            "elu global clipnorm, decay",
            data(40, 9, 5),
            compile(
                elu(),
                Adam::new().global_clipnorm(0.01).weight_decay(0.1).into(),
            ),
        ),
        (
            "normalized",
            data(75, 31, 5),
            compile(normalized(50), sgd().into()),
        ),
        (
            "elu nadam",
            data(75, 23, 5),
            compile(elu(), Nadam::new().into()),
        ),
        (
            "kept",
            data(75, 31, 5),
            compile(kept(), averaged(sgd().into())),
        ),
        (
            "kept, clipvalue",
            data(75, 31, 5),
            compile(kept(), Optimizer::from(sgd()).clipvalue(0.01)),
        ),
        (
            "kept, clipnorm",
            data(75, 31, 5),
            compile(kept(), averaged(sgd().into()).clipnorm(0.1)),
        ),
        (
            "kept, global clipnorm",
            data(75, 31, 5),
            compile(kept(), averaged(sgd().into()).global_clipnorm(0.1)),
        ),
        (
            "ftrl",
            data(75, 23, 5),
            compile(elu(), averaged(Ftrl::new().into())),
        ),
        (
            "kept, lamb, clipvalue",
            data(75, 31, 5),
            compile(kept(), averaged(Lamb::new().into()).clipvalue(0.01)),
        ),
        (
            "kept, muon, clipnorm",
            data(75, 31, 5),
            compile(kept(), averaged(Muon::new().into()).clipnorm(0.1)),
        ),
        (
            "normalized wide",
            data(130, 300, 5),
            compile(normalized(units(520)), sgd().into()),
        ),
        (
            "normalized input, clipnorm",
            data(75, 131, 5),
            compile(first(units(300)), averaged(sgd().into()).clipnorm(0.1)),
        ),
        (
            "normalized input, many positions",
            data_of(300, &[17, 23], 5),
            compile(first(37), Adam::new().into()),
        ),
        (
            "frozen",
            data(75, 31, 5),
            compile(frozen(), Adam::new().into()),
        ),
        (
            "quantized, frozen",
            data(75, 31, 5),
            compile(quantized(), Adam::new().into()),
        ),
        (
            "tied",
            data(75, 31, 5),
            compile(tied(), averaged(sgd().into())),
        ),
        (
            "tied, clipnorm",
            data(75, 31, 5),
            compile(tied(), Adam::new().clipnorm(0.1).into()),
        ),
        (
            "augmented",
            data_of(75, &[7, 6, 3], 5),
            compile(augmented(), sgd().into()),
        ),
        (
            "all other layers",
            data_of(75, &[6, 9], 5),
            compile(layered(), sgd().into()),
        ),
        (
            "zeros, left out",
            mostly_zeros(75, 131, 5),
            compile(zeros(), sgd().into()),
        ),
        (
            "zeros, left out, clipnorm",
            mostly_zeros(75, 131, 5),
            compile(zeros(), Optimizer::from(sgd()).clipnorm(0.1)),
        ),
        (
            "a kept gradient whose last lane is narrow",
            data(40, 250, 5),
            Sequential::new()
                .seed(12)
                .add(Dense::new(28).activation(Activation::Tanh))
                .add(Dense::new(5).activation(Activation::Softmax))
                .compile(
                    Adam::new().clipnorm(0.1),
                    Loss::SparseCategoricalCrossentropy,
                    &[],
                )
                .unwrap(),
        ),
        (
            "one input, one output",
            data(20, 1, 2),
            Sequential::new()
                .add(Dense::new(1).activation(Activation::Relu))
                .add(Dense::new(1))
                .compile(sgd(), Loss::MeanSquaredError, &[])
                .unwrap(),
        ),
    ];
    all.extend(images::models());
    all
}

/// A model for each activation and each optimizer.
fn rules() -> Vec<(String, Dataset, Model)> {
    let data = data(45, 9, 5);
    let model = |activation: Activation, optimizer: Optimizer| {
        Sequential::new()
            .seed(5)
            .add(Dense::new(37).activation(activation))
            .add(Dense::new(5).activation(Activation::Softmax))
            .compile(optimizer, Loss::SparseCategoricalCrossentropy, &[])
            .unwrap()
    };
    let mut all = Vec::new();
    let named = Activation::MEMBERS.iter().map(|m| m.class);
    for class in named.filter(|class| *class != "Threshold") {
        let activation = Activation::from_config("", &class.into()).unwrap();
        let sgd = SGD::new().momentum(0.9).into();
        all.push((class.to_owned(), data.clone(), model(activation, sgd)));
    }
    for member in Method::MEMBERS {
        let optimizer = Optimizer::from_config("", &member.class.into()).unwrap();
        let model = model(Activation::Tanh, optimizer);
        all.push((member.class.to_owned(), data.clone(), model));
    }
    all
}

/// The fast engine with these instructions, on its own threads.
fn on(isa: Isa, threads: usize) -> Device {
    let threads = Some(threads);
    Device::new(Cpu { isa, threads })
}

fn trained(device: &Device, model: &Model, data: &Dataset) -> (Vec<Vec<f32>>, Vec<f64>) {
    trained_with(device, model, data, Precision::Float32)
}

fn trained_with(
    device: &Device,
    model: &Model,
    data: &Dataset,
    precision: Precision,
) -> (Vec<Vec<f32>>, Vec<f64>) {
    let mut model = model.clone();
    let options = Fit::new()
        .epochs(2)
        .batch_size(32)
        .precision(precision)
        .validation_data(data.clone());
    let history = model.fit(data, options.on(device.clone())).unwrap();
    let mut measured = history.get("loss");
    measured.extend(history.get("val_loss"));
    (
        model.weights().map(|w| w.values.clone()).collect(),
        measured,
    )
}

/// The operations of a model's plans for training and evaluation.
fn operations(mut model: Model, data: &Dataset, bfloat16: bool) -> Vec<Op> {
    let options = Fit::new().on(Device::new(Null));
    model.fit(data, options).unwrap();
    let wanted = |mode, bfloat16, observed| PlanSpec {
        mode,
        rows: 32,
        weighted: false,
        mixed: false,
        bfloat16,
        observed,
        from_features: false,
    };
    let wanted = [
        wanted(Mode::Train, bfloat16, true),
        wanted(Mode::Evaluate, false, false),
    ];
    let plans = model.lower(&wanted).unwrap().program.plans;
    plans.into_iter().flat_map(|plan| plan.ops).collect()
}

#[test]
fn every_operation_is_in_a_model_that_is_compared() {
    let mut found = BTreeSet::new();
    for (_, data, model) in models() {
        for bfloat16 in [false, true] {
            found.extend(
                operations(model.clone(), &data, bfloat16)
                    .iter()
                    .map(Op::name),
            );
        }
    }
    let missing: Vec<_> = Op::NAMES
        .iter()
        // Plans for several ranks have it: see `share.rs`.
        .filter(|name| !found.contains(*name) && **name != "Gather")
        .collect();
    assert!(missing.is_empty(), "no model here has {missing:?}");
}

#[test]
fn the_fast_engine_does_what_the_reference_does() {
    let models = models().into_iter().map(|(n, d, m)| (n.to_owned(), d, m));
    for (name, data, model) in models.chain(rules()) {
        let (expected, losses) = trained(&Device::new(Reference), &model, &data);
        for isa in Isa::tested() {
            let (found, found_losses) = trained(&on(isa, 2), &model, &data);
            for (a, b) in losses.iter().zip(&found_losses) {
                assert!(
                    (a - b).abs() <= 1e-4 * a.abs().max(1.0),
                    "{name}, {isa:?}: loss {a} {b}"
                );
            }
            for (n, (a, b)) in expected.iter().zip(&found).enumerate() {
                let largest = a.iter().fold(0.01_f32, |m, x| m.max(x.abs()));
                let worst = a
                    .iter()
                    .zip(b)
                    .fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()));
                assert!(
                    worst <= 1e-3 * largest,
                    "{name}, {isa:?}, weight {n}: {worst} of {largest}"
                );
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for (name, data, model) in models() {
        for isa in Isa::tested() {
            let one = trained(&on(isa, 1), &model, &data);
            for threads in [2, 3, 5] {
                let more = trained(&on(isa, threads), &model, &data);
                assert!(one == more, "{name}, {isa:?}, {threads} threads");
            }
        }
    }
}

/// Euclidean distance of all weights.
fn distance(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    let squares = pairs.map(|(a, b)| f64::from(a - b).powi(2));
    squares.sum::<f64>().sqrt()
}

/// A factor near a tie may be rounded the other way, so that weights are not the reference's to
/// rounding; but they must be far nearer to it than single precision is.
#[test]
fn products_of_bfloat16_round_their_factors() {
    for (name, data, model) in models() {
        // Two steps: later ones would amplify what these round otherwise.
        let data = data.slice(0..32.min(data.rows())).unwrap();
        let reference = Device::new(Reference);
        let (rounded, _) = trained_with(&reference, &model, &data, Precision::MixedBfloat16);
        let (exact, _) = trained_with(&reference, &model, &data, Precision::Float32);
        let effect = distance(&rounded, &exact);
        assert!(effect > 0.0, "{name}");
        for isa in Isa::tested() {
            let on =
                |threads| trained_with(&on(isa, threads), &model, &data, Precision::MixedBfloat16);
            let one = on(1);
            let off = distance(&rounded, &one.0);
            assert!(off <= 0.1 * effect, "{name}, {isa:?}: {off} of {effect}");
            assert!(one == on(3), "{name}, {isa:?}");
        }
    }
}

#[test]
fn pairs_of_bfloat16_change_no_bit() {
    let parts = |optimizer: Optimizer| {
        let dense = |units| Dense::new(units).activation(Activation::Tanh);
        let model = Sequential::new().seed(13).add(dense(83)).add(dense(45));
        let model = model.add(Dense::new(5).activation(Activation::Softmax));
        let loss = Loss::SparseCategoricalCrossentropy;
        let model = model.compile(optimizer, loss, &[]).unwrap();
        ("in parts", data(1700, 131, 5), model)
    };
    let more = [
        parts(SGD::new().into()),
        parts(Adam::new().clipnorm(0.1).into()),
    ];
    for (name, data, model) in models().into_iter().chain(more) {
        let size = if name == "in parts" { 1100 } else { 32 };
        for (paired, single) in Isa::paired() {
            let weights = |isa, threads| {
                let mut model = model.clone();
                let options = Fit::new().epochs(2).batch_size(size);
                let options = options.precision(Precision::MixedBfloat16);
                model.fit(&data, options.on(on(isa, threads))).unwrap();
                let weights = model.weights().map(|w| w.values.clone());
                weights.collect::<Vec<_>>()
            };
            let expected = weights(single, 1);
            for threads in [1, 3] {
                let fine = expected == weights(paired, threads);
                assert!(fine, "{name}, {paired:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn what_bfloat16_cannot_tell_apart_trains_alike() {
    let rows = |off: f32| {
        let number = |i: usize| (1.0 + (i * 7 % 64) as f32 / 64.0) * off;
        let x = Tensor::from_f32([9], (0..40 * 9).map(number).collect()).unwrap();
        let y = (0..40).map(|i| (i % 5) as f32).collect();
        Dataset::new(x, Tensor::from_column(y).unwrap()).unwrap()
    };
    let model = Sequential::new()
        .add(Dense::new(20).activation(Activation::Tanh))
        .add(Dense::new(5).activation(Activation::Softmax))
        .compile(SGD::new(), Loss::SparseCategoricalCrossentropy, &[])
        .unwrap();
    let weights =
        |off, precision| trained_with(&Device::new(Reference), &model, &rows(off), precision).0;
    let (exact, off) = (1.0, 1.0 + 1.0 / 4096.0);
    let single = Precision::Float32;
    assert!(weights(exact, single) != weights(off, single));
    let mixed = Precision::MixedBfloat16;
    assert!(weights(exact, mixed) == weights(off, mixed));
    assert!(weights(exact, mixed) != weights(exact, single));
}

#[test]
fn batches_that_are_gone_over_in_parts_train_alike() {
    let model = |optimizer: Optimizer| {
        let dense = |units, activation| Dense::new(units).activation(activation);
        Sequential::new()
            .seed(13)
            .add(dense(83, Activation::Relu))
            .add(dense(45, Activation::Tanh))
            .add(dense(5, Activation::Softmax))
            .compile(optimizer, Loss::SparseCategoricalCrossentropy, &[])
            .unwrap()
    };
    let trained = |device: &Device, model: &Model, data: &Dataset| {
        let mut model = model.clone();
        let options = Fit::new().batch_size(1100).epochs(2);
        model.fit(data, options.on(device.clone())).unwrap();
        let weights = model.weights().flat_map(|w| w.values.clone());
        weights.collect::<Vec<f32>>()
    };
    for optimizer in [SGD::new(), SGD::new().clipnorm(0.1)] {
        for data in [mostly_zeros(1700, 131, 5), data(1700, 29, 5)] {
            let model = model(optimizer.clone().into());
            let expected = trained(&Device::new(Reference), &model, &data);
            for isa in Isa::tested() {
                let found = trained(&on(isa, 1), &model, &data);
                let pairs = expected.iter().zip(&found);
                let worst = pairs.fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()));
                assert!(worst < 1e-4, "{isa:?}: {worst}");
                assert!(found == trained(&on(isa, 3), &model, &data), "{isa:?}");
            }
        }
    }
}

#[test]
fn inputs_that_are_gone_over_in_parts_train_alike() {
    let relu = |units| Dense::new(units).activation(Activation::Relu);
    let loss = Loss::SparseCategoricalCrossentropy;
    let model = Sequential::new().seed(14).add(relu(700)).add(relu(100));
    let model = model
        .add(Dense::new(5).activation(Activation::Softmax))
        .compile(SGD::new(), loss, &[])
        .unwrap();
    let data = data(200, 9, 5);
    let trained = |device: &Device| {
        let mut model = model.clone();
        // For a batch of this size, fewer than 700 columns are transposed at a time.
        let options = Fit::new().batch_size(100).epochs(2);
        model.fit(&data, options.on(device.clone())).unwrap();
        let weights = model.weights().flat_map(|w| w.values.clone());
        weights.collect::<Vec<f32>>()
    };
    let expected = trained(&Device::new(Reference));
    for isa in Isa::tested() {
        let found = trained(&on(isa, 2));
        let pairs = expected.iter().zip(&found);
        let worst = pairs.fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()));
        assert!(worst < 1e-4, "{isa:?}: {worst}");
    }
}

/// One step of each model, small enough for an interpreter; Miri sees what is undefined in it.
#[test]
#[cfg_attr(not(miri), ignore = "others go further: `.ci/miri` runs it")]
fn a_step_of_every_operation_is_defined() {
    for (name, data, mut model) in models() {
        let data = data.slice(0..3.min(data.rows())).unwrap();
        for isa in Isa::tested() {
            println!("{name}, {isa:?}");
            let options = Fit::new().precision(Precision::MixedBfloat16);
            model.fit(&data, options.on(on(isa, 2))).unwrap();
        }
    }
}
