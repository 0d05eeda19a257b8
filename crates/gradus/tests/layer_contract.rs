//! The contract of every layer: each member of the registry, in an example network, goes
//! through gradients, configuration, file, threads, freezing and shapes.

mod common;

use common::{Folder, code};
use finite_differences::{check_on, numbers};
use gradus::Dtype;
use gradus::prelude::*;
use layers::{
    Add, AlphaDropout, Average, AveragePooling1D, AveragePooling2D, Cast, CategoryEncoding,
    CenterCrop, Concatenate, Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Cropping1D,
    Cropping2D, DataFormat, DenseTranspose, DepthwiseConv1D, DepthwiseConv2D, Discretization, Dot,
    ELU, Effect, Embedding, FlipMode, GaussianDropout, GaussianNoise, GlobalAveragePooling1D,
    GlobalAveragePooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D, GroupNormalization, Hashing,
    IntegerLookup, Isnan, LayerNormalization, LeakyReLU, MCAlphaDropout, MCDropout, MaxPooling1D,
    MaxPooling2D, Maximum, Minimum, Multiply, NanToNum, Normalization, PReLU, Padding, Permute,
    Quantization, RReLU, RandomBrightness, RandomContrast, RandomCrop, RandomErasing, RandomFlip,
    RandomRotation, RandomTranslation, RandomZoom, Randomness, ReLU, RepeatVector, Resampling,
    Rescaling, Reshape, Resizing, SeparableConv1D, SeparableConv2D, Softmax, SpatialDropout1D,
    SpatialDropout2D, StringLookup, Subtract, UpSampling1D, UpSampling2D, ZeroPadding1D,
    ZeroPadding2D,
};

// Each of the files that include it uses its part.
#[allow(dead_code)]
#[path = "common/finite_differences.rs"]
mod finite_differences;

const ROWS: usize = 48;

/// A place for a layer in a network.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// Between dense layers.
    Between,
    /// On images that a dense layer makes.
    Images,
    /// On sequences that a dense layer makes.
    Sequences,
    /// On whole numbers from 0 to 3, as they are in the data.
    WholeNumbers,
    /// On an input of texts.
    Texts,
    /// On two branches.
    Merge,
    /// Behind the dense layer whose kernel it shares.
    Tied,
}

/// An example of each member of the registry, with arguments of its own; none of a layer
/// that has no example yet.
fn example(class: &str) -> Option<(Place, Layer)> {
    use Place::{Between, Images, Merge, Sequences, Texts, Tied, WholeNumbers};
    let (place, layer): (Place, Layer) = match class {
        "Activation" => (Between, layers::Activation::new(Activation::Tanh).into()),
        "ActivityRegularization" => (
            Between,
            layers::ActivityRegularization::new(0.02, 0.03).into(),
        ),
        "Add" => (Merge, Add::new().into()),
        "AlphaDropout" => (Between, AlphaDropout::new(0.3).into()),
        "Average" => (Merge, Average::new().into()),
        "AveragePooling1D" => (
            Sequences,
            AveragePooling1D::new(3)
                .padding(Padding::Same)
                .strides(2)
                .into(),
        ),
        "AveragePooling2D" => (Images, AveragePooling2D::new([2, 1]).into()),
        "BatchNormalization" => (Between, BatchNormalization::new().momentum(0.9).into()),
        "Cast" => (Between, Cast::new(Dtype::Float32).into()),
        "CategoryEncoding" => (WholeNumbers, CategoryEncoding::new(4).into()),
        "CenterCrop" => (Images, CenterCrop::new(2, 2).into()),
        "Concatenate" => (Merge, Concatenate::new().axis(1).into()),
        "Conv1D" => (
            Sequences,
            Conv1D::new(3, 2)
                .padding(Padding::Causal)
                .dilation_rate(2)
                .into(),
        ),
        "Conv1DTranspose" => (Sequences, Conv1DTranspose::new(3, 2).strides(2).into()),
        "Conv2D" => (
            Images,
            Conv2D::new(4, [3, 2])
                .padding(Padding::Same)
                .strides(2)
                .groups(2)
                .activation(Activation::Tanh)
                .into(),
        ),
        "Conv2DTranspose" => (
            Images,
            Conv2DTranspose::new(3, [2, 3])
                .strides(2)
                .padding(Padding::Same)
                .output_padding(1)
                .use_bias(false)
                .into(),
        ),
        "Cropping1D" => (Sequences, Cropping1D::new([1, 2]).into()),
        "Cropping2D" => (Images, Cropping2D::new([[1, 0], [0, 1]]).into()),
        "Dense" => (
            Between,
            Dense::new(6)
                .activation(Activation::Elu)
                .use_bias(false)
                .into(),
        ),
        "DenseTranspose" => (
            Tied,
            DenseTranspose::new(5, "code")
                .activation(Activation::Tanh)
                .into(),
        ),
        "DepthwiseConv1D" => (Sequences, DepthwiseConv1D::new(2).strides(2).into()),
        "DepthwiseConv2D" => (
            Images,
            DepthwiseConv2D::new([2, 3])
                .depth_multiplier(2)
                .padding(Padding::Same)
                .data_format(DataFormat::ChannelsFirst)
                .into(),
        ),
        "Discretization" => (WholeNumbers, Discretization::new([0.5, 2.5]).into()),
        "Dot" => (Merge, Dot::new(1).normalize(true).into()),
        "Dropout" => (Between, Dropout::new(0.4).into()),
        "ELU" => (Between, ELU::new().alpha(0.7).into()),
        "Embedding" => (
            WholeNumbers,
            Embedding::new(4, 3)
                .embeddings_initializer(Initializer::HeNormal)
                .into(),
        ),
        "Flatten" => (Images, Flatten::new().into()),
        "GaussianDropout" => (Between, GaussianDropout::new(0.3).into()),
        "GaussianNoise" => (Between, GaussianNoise::new(0.3).into()),
        "GlobalAveragePooling1D" => (Sequences, GlobalAveragePooling1D::new().into()),
        "GlobalAveragePooling2D" => (Images, GlobalAveragePooling2D::new().keepdims(true).into()),
        "GlobalMaxPooling1D" => (Sequences, GlobalMaxPooling1D::new().keepdims(true).into()),
        "GlobalMaxPooling2D" => (Images, GlobalMaxPooling2D::new().into()),
        "GroupNormalization" => (Images, GroupNormalization::new(2).into()),
        "Hashing" => (WholeNumbers, Hashing::new(3).salt(1, 2).into()),
        "IntegerLookup" => (
            WholeNumbers,
            IntegerLookup::new().vocabulary([2, 0, 1]).into(),
        ),
        "Isnan" => (Between, Isnan::new().into()),
        "LayerNormalization" => (Between, LayerNormalization::new().epsilon(0.01).into()),
        "LeakyReLU" => (Between, LeakyReLU::new().negative_slope(0.2).into()),
        "MCAlphaDropout" => (Between, MCAlphaDropout::new(0.3).into()),
        "MCDropout" => (Between, MCDropout::new(0.3).into()),
        "MaxPooling1D" => (Sequences, MaxPooling1D::new(2).strides(1).into()),
        "MaxPooling2D" => (Images, MaxPooling2D::new(2).padding(Padding::Same).into()),
        "Maximum" => (Merge, Maximum::new().into()),
        "Minimum" => (Merge, Minimum::new().into()),
        "Multiply" => (Merge, Multiply::new().into()),
        "NanToNum" => (Between, NanToNum::new().nan(0.5).into()),
        "Normalization" => (Between, Normalization::new().given([0.3], [2.0]).into()),
        "PReLU" => (
            Between,
            PReLU::new().alpha_initializer(Initializer::Ones).into(),
        ),
        "Permute" => (Images, Permute::new([3, 1, 2]).into()),
        "RReLU" => (Between, RReLU::new().upper(0.5).into()),
        "RandomBrightness" => (
            Images,
            RandomBrightness::new(0.4).value_range(-3.0, 3.0).into(),
        ),
        "RandomContrast" => (
            Images,
            RandomContrast::new(0.5).value_range(-9.0, 9.0).into(),
        ),
        "RandomCrop" => (Images, RandomCrop::new(2, 2).into()),
        "RandomErasing" => (Images, RandomErasing::new(0.9).fill_value(0.25).into()),
        "RandomFlip" => (Images, RandomFlip::new(FlipMode::Horizontal).into()),
        "RandomRotation" => (Images, RandomRotation::new(0.2).into()),
        "RandomTranslation" => (Images, RandomTranslation::new(0.3, 0.2).into()),
        "RandomZoom" => (Images, RandomZoom::new(0.4).width_factor([0.1, 0.3]).into()),
        "ReLU" => (
            Between,
            ReLU::new().negative_slope(0.1).threshold(0.2).into(),
        ),
        "RepeatVector" => (Between, RepeatVector::new(3).into()),
        "Rescaling" => (Between, Rescaling::new(1.5).offset(0.5).into()),
        "Reshape" => (Between, Reshape::new([2, -1]).into()),
        "Resizing" => (Images, Resizing::new(5, 2).into()),
        "SeparableConv1D" => (Sequences, SeparableConv1D::new(2, 3).use_bias(false).into()),
        "SeparableConv2D" => (
            Images,
            SeparableConv2D::new(3, 2)
                .depth_multiplier(2)
                .activation(Activation::Elu)
                .into(),
        ),
        "Softmax" => (Between, Softmax::new().into()),
        "SpatialDropout1D" => (Sequences, SpatialDropout1D::new(0.4).into()),
        "SpatialDropout2D" => (
            Images,
            SpatialDropout2D::new(0.4)
                .data_format(DataFormat::ChannelsFirst)
                .into(),
        ),
        "StringLookup" => {
            let lookup = StringLookup::new().vocabulary(["b", "c"]);
            (Texts, lookup.output_mode(layers::OutputMode::OneHot).into())
        }
        "Subtract" => (Merge, Subtract::new().into()),
        "UpSampling1D" => (Sequences, UpSampling1D::new(3).into()),
        "UpSampling2D" => (
            Images,
            UpSampling2D::new([2, 1])
                .interpolation(Resampling::Bilinear)
                .into(),
        ),
        "ZeroPadding1D" => (Sequences, ZeroPadding1D::new([0, 2]).into()),
        "ZeroPadding2D" => (Images, ZeroPadding2D::new([1, 2]).into()),
        _ => return None,
    };
    Some((place, layer))
}

fn every_layer() -> impl Iterator<Item = (&'static str, Place, Layer)> {
    Layer::MEMBERS.iter().map(|member| {
        let found = example(member.class);
        let (place, layer) = found.unwrap_or_else(|| panic!("{} has no example", member.class));
        assert_eq!(layer.class(), member.class);
        (member.class, place, layer)
    })
}

/// A network with the layer, called `it`, between dense layers.
fn network(place: Place, layer: &Layer) -> Model {
    let dense = |units| Dense::new(units).kernel_initializer(Initializer::HeNormal);
    let tanh = |units| dense(units).activation(Activation::Tanh);
    let mut g = Functional::new().seed(11);
    let x = match place {
        Place::Texts => g.text_input("x"),
        Place::WholeNumbers => g.input_named("x", [3]),
        _ => g.input_named("x", [5]),
    };
    let inputs = match place {
        Place::Texts | Place::WholeNumbers => vec![x],
        Place::Between => vec![g.layer(tanh(6), x).unwrap()],
        Place::Images => {
            let rows = g.layer(tanh(4 * 3 * 2), x).unwrap();
            vec![g.layer(Reshape::new([4, 3, 2]), rows).unwrap()]
        }
        Place::Sequences => {
            let rows = g.layer(tanh(6 * 2), x).unwrap();
            vec![g.layer(Reshape::new([6, 2]), rows).unwrap()]
        }
        Place::Merge => {
            let mut branch = |activation| {
                let rows = dense(4 * 3).activation(activation);
                let rows = g.layer(rows, x).unwrap();
                g.layer(Reshape::new([4, 3]), rows).unwrap()
            };
            vec![branch(Activation::Tanh), branch(Activation::Elu)]
        }
        Place::Tied => vec![g.layer_named("code", tanh(4), x).unwrap()],
    };
    let y = g.layer_named("it", layer.clone(), inputs).unwrap();
    let y = g.layer(Flatten::new(), y).unwrap();
    let y = g.layer_named("last", dense(3), y).unwrap();
    g.model(y).unwrap()
}

/// Rows for the network, whose targets have this many numbers.
fn data(place: Place, width: usize) -> Dataset {
    let x = match place {
        Place::Texts => {
            let text = |n: usize| ["a", "b", "c"][n * 7 % 5 % 3];
            Tensor::from_texts(&(0..ROWS).map(text).collect::<Vec<_>>()).unwrap()
        }
        Place::WholeNumbers => {
            let all = (0..ROWS * 3).map(|n| (n * 7 % 11 % 4) as f32);
            Tensor::from_f32([3], all.collect()).unwrap()
        }
        _ => Tensor::from_f32([5], numbers(ROWS * 5, 1)).unwrap(),
    };
    let y = Tensor::from_f32([width], numbers(ROWS * width, 2)).unwrap();
    Dataset::new(x.named("x"), y).unwrap()
}

/// The network after two epochs of training.
fn trained(place: Place, layer: &Layer, frozen: bool) -> (Model, f64) {
    let mut model = network(place, layer);
    model.layer_mut("it").unwrap().trainable = !frozen;
    let adam = Adam::new().learning_rate(0.01);
    model.compile(adam, Loss::MeanSquaredError, &[]).unwrap();
    let fit = Fit::new().epochs(2).batch_size(20);
    let history = model.fit(data(place, 3), fit).unwrap();
    (model, history.last("loss").unwrap())
}

fn weights(model: &Model) -> Vec<Vec<u32>> {
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect();
    model.weights().map(|w| bits(&w.values)).collect()
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for (class, place, layer) in every_layer() {
        let model = network(place, &layer);
        let rows = data(place, 3).slice(0..finite_differences::ROWS).unwrap();
        check_on(class, model, Loss::MeanSquaredError, &rows);
    }
}

#[test]
fn configurations_are_read_as_they_were_written() {
    for (class, place, layer) in every_layer() {
        let again = Layer::from_config("", &layer.to_config()).unwrap();
        assert_eq!(again, layer, "{class}");
        let model = network(place, &layer);
        let (tables, outputs) = model.to_layers();
        let read = Model::from_layers("", &tables, outputs.as_deref(), 11).unwrap();
        assert_eq!(read.layers, model.layers, "{class}");
        assert_eq!(read.nodes, model.nodes, "{class}");
    }
}

#[test]
fn files_give_the_same_model_back() {
    let folder = Folder::new();
    let path = folder.path("model.keras");
    for (class, place, layer) in every_layer() {
        let (model, _) = trained(place, &layer, false);
        if place == Place::Tied {
            let found = model.save(&path).unwrap_err().to_string();
            assert!(found.contains("layer it"), "{class}: {found}");
            continue;
        }
        model.save(&path).unwrap();
        let mut loaded = Model::load(&path).unwrap();
        // Files have no place for a model's seed.
        loaded.seed = model.seed;
        assert_eq!(loaded.layers, model.layers, "{class}");
        let rows = data(place, 3);
        let (found, wanted) = (loaded.evaluate(&rows), model.evaluate(&rows));
        assert_eq!(found.unwrap(), wanted.unwrap(), "{class}");
    }
}

#[test]
fn quantized_networks_are_read_as_they_were_written() {
    let folder = Folder::new();
    let path = folder.path("model.keras");
    for (class, place, layer) in every_layer() {
        let (mut model, _) = trained(place, &layer, false);
        let done = model.quantize(Quantization::Int8).unwrap();
        assert!(done.layers.iter().any(|name| name == "last"), "{class}");
        if place == Place::Tied {
            continue;
        }
        model.save(&path).unwrap();
        let mut loaded = Model::load(&path).unwrap();
        loaded.seed = model.seed;
        assert_eq!(loaded.layers, model.layers, "{class}");
        let rows = data(place, 3);
        let of = |model: &Model, threads| {
            gradus::set_threads(threads);
            model.evaluate(&rows).unwrap()
        };
        let wanted = of(&model, 1);
        assert_eq!(of(&loaded, 1), wanted, "{class}");
        assert_eq!(of(&loaded, 3), wanted, "{class} on 3 threads");
        gradus::set_threads(0);
    }
}

#[test]
fn any_number_of_threads_makes_the_same_bits() {
    for (class, place, layer) in every_layer() {
        let bits = |threads| {
            gradus::set_threads(threads);
            let (model, loss) = trained(place, &layer, false);
            (weights(&model), loss.to_bits())
        };
        let one = bits(1);
        assert!(bits(2) == one, "{class} on 2 threads");
        assert!(bits(3) == one, "{class} on 3 threads");
    }
    gradus::set_threads(0);
}

#[test]
fn a_frozen_layer_does_not_move() {
    for (class, place, layer) in every_layer() {
        let before = network(place, &layer);
        let (after, _) = trained(place, &layer, true);
        let of = |model: &Model, name: &str| model.layer(name).unwrap().get_weights();
        assert_eq!(of(&after, "it"), of(&before, "it"), "{class} moved");
        assert_ne!(of(&after, "last"), of(&before, "last"), "{class}");
        // And moves where it is not frozen.
        let (after, _) = trained(place, &layer, false);
        let has_weights = !of(&before, "it").is_empty();
        let moved = of(&after, "it") != of(&before, "it");
        assert_eq!(moved, has_weights, "{class}");
    }
}

#[test]
fn training_and_inference_give_rows_of_the_shape_that_is_promised() {
    for (class, place, layer) in every_layer() {
        let mut model = network(place, &layer).up_to(&["it"]).unwrap();
        let shape = model.output_shapes().unwrap().remove(0);
        let found = model.predict(data(place, 1)).unwrap();
        assert_eq!((found.shape(), found.rows()), (&shape, ROWS), "{class}");
        // A target of another size is refused, and a training plan of another makes no loss.
        model
            .compile(SGD::new().learning_rate(0.01), Loss::MeanSquaredError, &[])
            .unwrap();
        let fit = |width: usize| model.clone().fit(data(place, width), Fit::new());
        let history = fit(shape.size()).unwrap();
        assert!(history.last("loss").unwrap().is_finite(), "{class}");
        assert!(fit(shape.size() + 1).is_err(), "{class}");
    }
}

/// The names of the layers that a layer of the model is applied to.
fn before<'a>(model: &'a Model, name: &str) -> Vec<&'a str> {
    let of = |node: &&gradus::model::Node| model.layers[node.layer].name == name;
    let node = model.nodes.iter().find(of).unwrap();
    let names = node.inputs.iter().filter_map(|source| match *source {
        gradus::model::Source::Node(n) => Some(&*model.layers[model.nodes[n].layer].name),
        gradus::model::Source::Input(_) => None,
    });
    names.collect()
}

#[test]
fn traits_say_when_random_numbers_are_drawn() {
    for (class, place, layer) in every_layer() {
        let randomness = layer.traits().randomness;
        let mut model = network(place, &layer);
        let still = SGD::new().learning_rate(0.0);
        model.compile(still, Loss::MeanSquaredError, &[]).unwrap();
        let rows = data(place, 3);
        let loss = |seed: u64| {
            let mut model = model.clone();
            model.seed = seed;
            let fit = Fit::new().shuffle(false);
            model.fit(&rows, fit).unwrap().last("loss").unwrap()
        };
        // A place that is drawn among few may be the same by chance.
        let first = loss(1);
        let in_training = (2..6).any(|seed| loss(seed) != first);
        assert_eq!(in_training, randomness != Randomness::Never, "{class}");
        let always = model.predict(&rows).unwrap() != model.predict(&rows).unwrap();
        assert_eq!(always, randomness == Randomness::Always, "{class}");
        let std = model.predict_mc(&rows, 4).unwrap().std.to_f32();
        // The mean of equal numbers may be another one in its last bit.
        let sampled = std.iter().any(|&deviation| deviation > 1e-5);
        let noise = matches!(randomness, Randomness::Training | Randomness::Always);
        assert_eq!((sampled, model.is_noisy()), (noise, noise), "{class}");
    }
}

#[test]
fn traits_about_numbers_are_kept() {
    for (class, place, layer) in every_layer() {
        let traits = layer.traits();
        let model = network(place, &layer);
        let rows = data(place, 3);
        let of = |names: &[&str]| -> Vec<f32> {
            let outputs = model.up_to(names).unwrap().predict_all(&rows).unwrap();
            outputs.iter().flat_map(|output| output.to_f32()).collect()
        };
        let found = of(&["it"]);
        if let Some(limit) = traits.gives_below {
            let fits = |&x: &f32| x >= 0.0 && x < limit as f32 && x.fract() == 0.0;
            assert!(found.iter().all(fits), "{class}: {found:?}");
        }
        if traits.effect == Effect::KeepsScale && traits.randomness != Randomness::Always {
            let given = of(&before(&model, "it"));
            let least = given.iter().copied().fold(0.0, f32::min) - 1e-6;
            let most = given.iter().copied().fold(0.0, f32::max) + 1e-6;
            assert!(found.iter().all(|x| (least..=most).contains(x)), "{class}");
        }
        if traits.stops_nan && traits.takes_numbers {
            let alone = Sequential::new().input([2]).add(layer).build().unwrap();
            let x = Tensor::from_f32([2], vec![f32::NAN, 1.0]).unwrap();
            let found = alone.predict(Dataset::unlabelled(x)).unwrap();
            assert!(found.to_f32().iter().all(|x| !x.is_nan()), "{class}");
        }
    }
}

/// A list of layers by their classes' names is one that somebody forgets to add to: what
/// others have to know is among the layer's traits.
#[test]
fn no_class_is_named_outside_of_keras_files() {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let exceptions = [
        // Keras' files name classes.
        "artifacts/keras",
        // ONNX's operators have some of the classes' names.
        "artifacts/onnx",
        // A test of how names are made of classes'.
        "model/sequential.rs",
        // Words of other libraries belong to classes; a test of the table knows the registries.
        "base/old_words.rs",
        // A configuration's layers are read here before they are layers.
        "experiment/config/vocabulary.rs",
        "experiment/resolve/target.rs",
        // The family of functions has a layer's name.
        "experiment/reference",
    ]
    .map(|path| src.join(path));
    // `Softmax` is a function, too.
    let functions = gradus::rules::activations::Activation::MEMBERS;
    let is_layer = |class: &&str| !functions.iter().any(|function| function.class == *class);
    let classes = Layer::MEMBERS.iter().map(|member| member.class);
    let classes: Vec<&str> = classes.filter(is_layer).collect();
    let mut looked_at = 0;
    for path in code::files(&src) {
        if code::is_a_test(&path) || exceptions.iter().any(|e| path.starts_with(e)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for line in code::lines(&text) {
            // An example in a key's documentation lists nothing.
            if line
                .trim_start()
                .starts_with("#[schemars(extend(\"examples\"")
            {
                continue;
            }
            let named = |class: &&&str| line.contains(&format!("\"{class}\""));
            if let Some(class) = classes.iter().find(named) {
                panic!("{} names {class}: {line}", path.display());
            }
        }
        looked_at += 1;
    }
    assert!(looked_at > 200, "only {looked_at} files");
}
