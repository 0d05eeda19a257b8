//! Tests of layers that map numbers and texts to indices: vocabularies, hashes, bins.

mod common;

use common::Folder;
use gradus::prelude::*;
use layers::{
    CategoryEncoding, Discretization, Embedding, Hashing, IntegerLookup, OovMethod, OutputMode,
    StringLookup,
};

fn alone(layer: impl Into<Layer>) -> Model {
    Sequential::new().input([1]).add(layer).build().unwrap()
}

fn column(values: &[f32]) -> Dataset {
    Dataset::unlabelled(Tensor::from_column(values.to_vec()).unwrap())
}

fn texts(all: &[&str]) -> Dataset {
    Dataset::unlabelled(Tensor::from_texts(all).unwrap())
}

fn found(layer: impl Into<Layer>, x: &[f32]) -> Vec<f32> {
    alone(layer).predict(column(x)).unwrap().to_f32()
}

#[test]
fn unknown_texts_are_where_keras_puts_them() {
    // Values from Keras 3.15.
    let layer = StringLookup::new().vocabulary(["a"]).num_oov_indices(5);
    let all = texts(&["a", "b", "Zürich", ""]);
    let of = |layer: StringLookup| alone(layer).predict(&all).unwrap().to_f32();
    assert_eq!(of(layer.clone()), PLAIN);
    assert_eq!(of(layer.clone().mask_token("b")), MASKED);
    assert_eq!(of(layer.salt(3, 3)), SALTED);
}

const PLAIN: [f32; 4] = [5., 2., 3., 3.];
const MASKED: [f32; 4] = [6., 0., 4., 4.];
const SALTED: [f32; 4] = [5., 0., 4., 4.];

#[test]
fn hashes_of_texts_are_those_of_keras() {
    let all = texts(&["a", "b", "Zürich", ""]);
    let of = |layer: Hashing| {
        // Only the data shows that it is text.
        let mut model = Sequential::new().add(layer).build().unwrap();
        model.build_for(&all).unwrap();
        model.predict(&all).unwrap().to_f32()
    };
    assert_eq!(of(Hashing::new(7)), [5., 2., 0., 6.]);
    assert_eq!(of(Hashing::new(7).mask_value("b")), [4., 0., 2., 6.]);
    assert_eq!(of(Hashing::new(7).salt(133, 137)), [4., 4., 5., 6.]);
}

#[test]
fn a_vocabulary_of_numbers_is_learned_as_keras_learns_it() {
    let mut model = alone(IntegerLookup::new().output_mode(OutputMode::OneHot));
    let x = column(&[5., 5., 7., -3., 9., -1., f32::NAN]);
    model.adapt(&x).unwrap();
    // Values from Keras 3.15; -1 stands for unknown numbers.
    let config = model.layers[0].rule.to_config();
    assert_eq!(config["vocabulary"], serde_json::json!([5, 9, 7, -3]));
    assert_eq!(model.output_shapes().unwrap(), [[5].into()]);
    let layer = || IntegerLookup::new().vocabulary([2, 5]);
    let x = [0., 2., -1., 5., 2.9, f32::NAN];
    assert_eq!(found(layer(), &x), [0., 1., 0., 2., 1., 0.]);
    let several = layer().num_oov_indices(3);
    assert_eq!(found(several.clone(), &x[..4]), [0., 3., 2., 4.]);
    let masked = several.clone().mask_token(0);
    assert_eq!(found(masked, &x[..4]), [0., 4., 3., 5.]);
    let mut hashed = several.oov_method(OovMethod::FarmHash);
    hashed.salt = Some(layers::Salt(1, 2));
    assert_eq!(found(hashed, &x[..4]), [2., 3., 2., 4.]);
}

#[test]
fn an_unknown_number_without_a_place_is_named_with_its_row() {
    let model = alone(IntegerLookup::new().vocabulary([2, 5]).num_oov_indices(0));
    let error = model.predict(column(&[5., 3.])).unwrap_err().to_string();
    assert!(error.contains("row 1") && error.contains('3'), "{error}");
    assert_eq!(model.predict(column(&[5., 2.])).unwrap().to_f32(), [1., 0.]);
}

#[test]
fn bins_are_learned_as_keras_learns_them() {
    // Values from Keras 3.15.
    let cases: [(usize, usize, f64, &[f64]); 4] = [
        (
            150,
            4,
            0.01,
            &[
                -0.5200003385543823,
                -0.02000051736831665,
                0.48999983072280884,
            ],
        ),
        (
            57,
            5,
            0.01,
            &[
                -0.6159999966621399,
                -0.2120000123977661,
                0.19200000166893005,
                0.5959998965263367,
            ],
        ),
        (300, 3, 0.1, &[-0.3333333730697632, 0.33333325386047363]),
        (
            20,
            4,
            0.01,
            &[
                -0.5600000023841858,
                -0.12000000476837158,
                0.3799999952316284,
            ],
        ),
    ];
    for (rows, bins, epsilon, expected) in cases {
        let number = |i: usize| (i * 7919 % 101) as f32 / 50.0 - 1.0;
        let mut layer = Discretization::bins(bins).output_mode(OutputMode::OneHot);
        layer.epsilon = epsilon;
        let mut model = alone(layer);
        let x: Vec<f32> = (0..rows).map(number).collect();
        model.adapt(column(&x)).unwrap();
        let config = model.layers[0].rule.to_config();
        let found = config["bin_boundaries"].as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!(
                (a.as_f64().unwrap() - b).abs() < 1e-6,
                "{found:?} {expected:?}"
            );
        }
        assert_eq!(model.output_shapes().unwrap(), [[bins].into()]);
        assert!(model.predict(column(&x)).is_ok());
    }
}

#[test]
fn numbers_that_name_nothing_count_for_nothing() {
    let x = Tensor::from_rows(&[[0.0, 2.0], [2.0, 2.0], [-1.0, 5.0]]).unwrap();
    let count = CategoryEncoding::new(3).output_mode(OutputMode::Count);
    let model = Sequential::new().input([2]).add(count).build().unwrap();
    let found = model.predict(Dataset::unlabelled(x)).unwrap().to_f32();
    assert_eq!(found, [1., 0., 1., 0., 0., 2., 0., 0., 0.]);
}

/// Ids, a town and a number, and a target to learn from them.
fn rows(n: usize) -> Dataset {
    let id = |i: usize| (i * 7919 % 23) as f32;
    let towns = ["Graz", "Bern", "Linz", "", "Wien"];
    let town = |i: usize| towns[i * 7 % 11 % 5];
    let ids = Tensor::from_f32([1], (0..n).map(id).collect()).unwrap();
    let towns = Tensor::from_texts(&(0..n).map(town).collect::<Vec<_>>()).unwrap();
    let x = Tensor::from_f32([1], (0..n).map(|i| (i as f32 / 9.0).sin()).collect()).unwrap();
    let y = (0..n).map(|i| id(i) / 10.0 + town(i).len() as f32 / 4.0 + (i as f32 / 9.0).sin());
    let y = Tensor::from_column(y.collect()).unwrap();
    Dataset::from_parts(vec![ids, towns, x], vec![y])
        .unwrap()
        .with_names(&["id", "town", "x"], &["value"])
        .unwrap()
}

fn graph() -> Model {
    let mut g = Functional::new().seed(3);
    let id = g.input_named("id", [1]);
    let town = g.text_input("town");
    let x = g.input_named("x", [1]);
    let hot = |layer: Layer, of, g: &mut Functional| g.layer(layer, of).unwrap();
    let learned = IntegerLookup::new().max_tokens(9).num_oov_indices(2);
    let place = g.layer(learned, id).unwrap();
    let embedded = g.layer(Embedding::new(9, 2), place).unwrap();
    let parts = [
        g.layer(Flatten::new(), embedded).unwrap(),
        hot(
            StringLookup::new()
                .output_mode(OutputMode::OneHot)
                .num_oov_indices(2)
                .into(),
            town,
            &mut g,
        ),
        hot(
            Hashing::new(6).output_mode(OutputMode::OneHot).into(),
            town,
            &mut g,
        ),
        hot(
            Hashing::new(6)
                .mask_value(0)
                .output_mode(OutputMode::OneHot)
                .into(),
            id,
            &mut g,
        ),
        hot(
            Discretization::bins(4)
                .output_mode(OutputMode::OneHot)
                .into(),
            x,
            &mut g,
        ),
        hot(
            CategoryEncoding::new(23)
                .output_mode(OutputMode::OneHot)
                .into(),
            id,
            &mut g,
        ),
    ];
    let all = g.layer(layers::Concatenate::new(), parts).unwrap();
    let hidden = g
        .layer(Dense::new(8).activation(Activation::Elu), all)
        .unwrap();
    let value = g.layer(Dense::new(1), hidden).unwrap();
    let mut model = g.model(value).unwrap();
    model
        .compile(Adam::new(), Loss::MeanSquaredError, &[])
        .unwrap();
    model
}

#[test]
fn models_with_them_go_through_all_doors() {
    let data = rows(120);
    let mut model = graph();
    let history = model
        .fit(&data, Fit::new().epochs(30).validation_split(0.2))
        .unwrap();
    let loss = |epoch: usize| history.epochs[epoch].logs.get("loss").unwrap();
    assert!(loss(29) < loss(0) / 2.0, "{} {}", loss(0), loss(29));

    let folder = Folder::new();
    let path = folder.path("model.keras");
    model.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    assert_eq!(loaded.layers, model.layers);
    assert_eq!(
        loaded.predict(&data).unwrap(),
        model.predict(&data).unwrap()
    );
    // A learned vocabulary is a separate text, as in Keras' files.
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
    let mut text = |name: &str| {
        let file = zip.by_name(name).unwrap();
        std::io::read_to_string(file).unwrap()
    };
    let ids = text("assets/layers/integer_lookup/vocabulary.txt");
    assert!(
        ids.starts_with("-1\n-1\n") && ids.lines().count() == 9,
        "{ids}"
    );
    let config: serde_json::Value = serde_json::from_str(&text("config.json")).unwrap();
    let layers = config["config"]["layers"].as_array().unwrap();
    let lookup = layers
        .iter()
        .find(|l| l["class_name"] == "IntegerLookup")
        .unwrap();
    assert!(lookup["config"]["vocabulary"].is_null());
    assert_eq!(lookup["config"]["vocabulary_size"], 9);
    // The same, and configurations keep all of it.
    let (tables, outputs) = model.to_layers();
    let again = Model::from_layers("layers", &tables, outputs.as_deref(), 3).unwrap();
    assert_eq!(again.inputs, model.inputs);
}

#[test]
fn a_text_that_lines_cannot_hold_stays_among_the_arguments() {
    for last in ["", "two\nlines", "\u{2028}"] {
        let mut model = alone(StringLookup::new());
        model.adapt(texts(&["a", "a", last])).unwrap();
        let folder = Folder::new();
        let path = folder.path("model.keras");
        model.save(&path).unwrap();
        let loaded = Model::load(&path).unwrap();
        let vocabulary = |model: &Model| model.layers[0].rule.to_config()["vocabulary"].clone();
        assert_eq!(vocabulary(&loaded), serde_json::json!(["a", last]));
    }
}

#[test]
fn what_makes_no_sense_is_named() {
    for (layer, word) in [
        (
            r#"{"type": "IntegerLookup", "output_mode": "tf_idf"}"#,
            "tf_idf",
        ),
        (
            r#"{"type": "IntegerLookup", "vocabulary": [1, 1]}"#,
            "1 twice",
        ),
        (
            r#"{"type": "IntegerLookup", "vocabulary": [20000000]}"#,
            "20000000",
        ),
        (r#"{"type": "IntegerLookup", "salt": 3}"#, "farmhash"),
        (
            r#"{"type": "IntegerLookup", "oov_method": "floor"}"#,
            "floormod",
        ),
        (
            r#"{"type": "IntegerLookup", "num_oov_indices": 18446744073709551615}"#,
            "num_oov_indices",
        ),
        (
            r#"{"type": "StringLookup", "num_oov_indices": 1000000000000}"#,
            "num_oov_indices",
        ),
        (
            r#"{"type": "StringLookup", "max_tokens": 100000000, "pad_to_max_tokens": true}"#,
            "100000000",
        ),
        (r#"{"type": "Hashing", "num_bins": 0}"#, "num_bins"),
        (
            r#"{"type": "Hashing", "num_bins": 1000000000000}"#,
            "num_bins",
        ),
        (
            r#"{"type": "Hashing", "num_bins": 3, "salt": [1]}"#,
            "two of them",
        ),
        (r#"{"type": "Hashing"}"#, "num_bins"),
        (
            r#"{"type": "Hashing", "num_bins": 3, "mask_value": 1.5}"#,
            "a whole number or a text",
        ),
        (
            r#"{"type": "CategoryEncoding", "num_tokens": 0}"#,
            "num_tokens",
        ),
        (
            r#"{"type": "CategoryEncoding", "num_tokens": 3, "output_mode": "int"}"#,
            "one_hot",
        ),
        (r#"{"type": "Discretization"}"#, "num_bins"),
        (
            r#"{"type": "Discretization", "num_bins": 1000000000}"#,
            "num_bins",
        ),
        (
            r#"{"type": "Discretization", "num_bins": 3, "epsilon": 0.0}"#,
            "epsilon",
        ),
        (
            r#"{"type": "Discretization", "bin_boundaries": [0, 2, 1]}"#,
            "1 after 2",
        ),
    ] {
        let config = serde_json::from_str(layer).unwrap();
        let error = Layer::from_config("", &config).unwrap_err().to_string();
        assert!(error.contains(word), "{layer}: {error}");
    }
    let error = alone(Hashing::new(3).mask_value("a")).predict(column(&[1.0]));
    let error = error.map_err(|e| e.to_string());
    assert!(error.unwrap_err().contains("text"));
}
