//! Tests of texts and missing values in a model: the layers' results through all of the API, and in
//! files.

mod common;

use common::Folder;
use gradus::Dtype;
use gradus::data::Values;
use gradus::prelude::*;
use layers::{
    Cast, Concatenate, Embedding, Isnan, NanToNum, Normalization, OutputMode, StringLookup,
};

fn towns() -> Tensor {
    Tensor::from_texts(&["b", "a", "a", "c", "b", "d", ""]).unwrap()
}

fn alone(layer: impl Into<Layer>) -> Model {
    Sequential::new().input([1]).add(layer).build().unwrap()
}

/// The layer's results for the texts.
fn looked_up(layer: StringLookup, texts: &Tensor) -> Vec<f32> {
    let data = Dataset::unlabelled(texts.clone());
    alone(layer).predict(&data).unwrap().to_f32()
}

#[test]
fn texts_are_a_dictionary_that_slices_share() {
    let texts = towns();
    assert!(texts.is_text() && texts.rows() == 7);
    let taken = texts.slice(2..7).unwrap().take(&[4, 0]).unwrap();
    let Values::Text { names, codes } = taken.values() else {
        panic!("no text");
    };
    let found: Vec<&str> = codes.iter().map(|&c| names[c as usize].as_str()).collect();
    assert_eq!(found, ["", "a"]);
    assert_eq!(taken, Tensor::from_texts(&["", "a"]).unwrap());
    let error = texts.gather(&[0], &mut [0.0]).unwrap_err().to_string();
    assert!(
        error.contains("text") && error.contains("StringLookup"),
        "{error}"
    );
    assert!(Tensor::from_dictionary([], vec!["a".to_owned()].into(), vec![1]).is_err());
}

#[test]
fn places_are_those_of_keras() {
    // Values from Keras 3.15.
    let known = || StringLookup::new().vocabulary(["b", "a"]);
    assert_eq!(looked_up(known(), &towns()), [1., 2., 2., 0., 1., 0., 0.]);
    let masked = known().mask_token("");
    assert_eq!(looked_up(masked, &towns()), [2., 3., 3., 1., 2., 1., 0.]);
    let hot = known().output_mode(OutputMode::OneHot);
    let two = Tensor::from_texts(&["a", "x"]).unwrap();
    assert_eq!(looked_up(hot.clone(), &two), [0., 0., 1., 1., 0., 0.]);
    let masked = hot.mask_token("x");
    assert_eq!(looked_up(masked, &two), [0., 0., 1., 0., 0., 0.]);
    let names = std::sync::Arc::new(vec!["a".to_owned(), "b".to_owned(), "x".to_owned()]);
    let rows = Tensor::from_dictionary([3], names, vec![0, 1, 0, 2, 2, 1]).unwrap();
    for (mode, expected) in [
        (OutputMode::MultiHot, [0., 1., 1., 1., 1., 0.]),
        (OutputMode::Count, [0., 1., 2., 2., 1., 0.]),
    ] {
        let layer = known().output_mode(mode);
        let model = Sequential::new().input([3]).add(layer).build().unwrap();
        let found = model.predict(Dataset::unlabelled(rows.clone())).unwrap();
        assert_eq!(found.to_f32(), expected);
    }
}

#[test]
fn an_unknown_text_without_a_place_is_named_with_its_row() {
    let model = alone(
        StringLookup::new()
            .vocabulary(["b", "a"])
            .num_oov_indices(0),
    );
    let data = Dataset::unlabelled(towns().slice(1..7).unwrap());
    let error = model.predict(&data).unwrap_err().to_string();
    assert!(
        error.contains("row 3") && error.contains("\"c\""),
        "{error}"
    );
    let known = Dataset::unlabelled(towns().slice(0..3).unwrap());
    assert_eq!(model.predict(&known).unwrap().to_f32(), [0., 1., 1.]);
}

#[test]
fn a_vocabulary_is_learned_as_keras_learns_it() {
    let mut model = alone(StringLookup::new().output_mode(OutputMode::OneHot));
    assert!(!model.is_built());
    model.adapt(Dataset::unlabelled(towns())).unwrap();
    // Values from Keras 3.15: by count, among equals the last first.
    let config = model.layers[0].rule.to_config();
    let expected = serde_json::json!(["b", "a", "d", "c", ""]);
    assert_eq!(config["vocabulary"], expected);
    assert_eq!(model.output_shapes().unwrap(), [[6].into()]);
    // A second adaptation changes nothing.
    let other = Tensor::from_texts(&["x"]).unwrap();
    model.adapt(Dataset::unlabelled(other)).unwrap();
    assert_eq!(model.layers[0].rule.to_config(), config);
    let mut short = alone(StringLookup::new().max_tokens(3));
    short.adapt(Dataset::unlabelled(towns())).unwrap();
    let config = short.layers[0].rule.to_config();
    assert_eq!(config["vocabulary"], serde_json::json!(["b", "a"]));
}

/// Two numbers with missing values and a text, and a target to learn from them.
fn houses(rows: usize) -> Dataset {
    let number = |i: usize| ((i * 7919) % 101) as f32 / 50.0 - 1.0;
    let gap = |i: usize| if i % 5 == 3 { f32::NAN } else { number(i) };
    let a = Tensor::from_f32([1], (0..rows).map(gap).collect()).unwrap();
    let b = Tensor::from_f32([1], (0..rows).map(|i| number(3 * i)).collect()).unwrap();
    let kinds = ["inland", "near bay", "island", ""];
    let kind = |i: usize| kinds[i * 7 % 11 % 4];
    let c = Tensor::from_texts(&(0..rows).map(kind).collect::<Vec<_>>()).unwrap();
    let value = |i: usize| number(3 * i) + kind(i).len() as f32 / 4.0;
    let y = Tensor::from_column((0..rows).map(value).collect()).unwrap();
    Dataset::from_parts(vec![a, b, c], vec![y])
        .unwrap()
        .with_names(&["a", "b", "kind"], &["value"])
        .unwrap()
}

/// Numbers imputed by their mean, an indicator, a text's index in two encodings.
fn graph() -> Model {
    let mut g = Functional::new().seed(3);
    let (a, b) = (g.input_named("a", [1]), g.input_named("b", [1]));
    let kind = g.text_input("kind");
    let numbers = g.layer(Concatenate::new(), [a, b]).unwrap();
    let filled = g.layer(Normalization::new(), numbers).unwrap();
    let filled = g.layer(NanToNum::new(), filled).unwrap();
    let missing = g.layer(Isnan::new(), numbers).unwrap();
    let missing = g.layer(Cast::new(Dtype::Float32), missing).unwrap();
    let hot = StringLookup::new().output_mode(OutputMode::OneHot);
    let hot = g.layer(hot, kind).unwrap();
    let known = StringLookup::new().vocabulary(["inland", "island"]);
    let place = g.layer(known, kind).unwrap();
    let embedded = g.layer(Embedding::new(3, 2), place).unwrap();
    let embedded = g.layer(Flatten::new(), embedded).unwrap();
    let all = [filled, missing, hot, embedded];
    let all = g.layer(Concatenate::new(), all).unwrap();
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
fn a_model_of_raw_rows_goes_through_all_doors() {
    let data = houses(60);
    let mut model = graph();
    let curve = model.find_learning_rate(&data, gradus::train::LearningRateFinder::new().steps(5));
    assert!(curve.unwrap().points.len() > 1);
    assert!(!model.is_built());
    let fit = Fit::new().epochs(30).validation_split(0.2);
    let history = model.fit(&data, fit).unwrap();
    let loss = |epoch: usize| history.epochs[epoch].logs.get("loss").unwrap();
    assert!(loss(29) < loss(0) / 2.0, "{} {}", loss(0), loss(29));
    let measured = model.evaluate(&data).unwrap();
    assert!(measured.get("loss").unwrap().is_finite());
    assert!(
        model
            .predict(&data)
            .unwrap()
            .to_f32()
            .iter()
            .all(|y| y.is_finite())
    );
    assert!(model.predict_mc(&data, 3).is_ok());
    // The training rows' vocabulary, without the held-out rows.
    let vocabulary = &model.layer("string_lookup").unwrap().rule.to_config()["vocabulary"];
    assert_eq!(vocabulary.as_array().unwrap().len(), 4);

    // Configurations and files keep all of it.
    let (tables, outputs) = model.to_layers();
    let again = Model::from_layers("layers", &tables, outputs.as_deref(), 3).unwrap();
    assert_eq!(again.inputs, model.inputs);
    let folder = Folder::new();
    let path = folder.path("model.keras");
    model.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    // Nodes may be reordered, and the seed is not saved.
    assert_eq!(loaded.layers, model.layers);
    assert_eq!(loaded.inputs, model.inputs);
    assert_eq!(
        loaded.predict(&data).unwrap(),
        model.predict(&data).unwrap()
    );
    assert!(model.summary().unwrap().contains("StringLookup"));
}

#[test]
fn a_gap_is_refused_unless_every_way_out_fills_it() {
    let gaps = Tensor::from_f32([1], vec![1.0, f32::NAN, 3.0]).unwrap();
    let y = Tensor::from_column(vec![0.0; 3]).unwrap();
    let data = Dataset::new(gaps, y).unwrap();
    let fit = |layers: Sequential| {
        let mut model = layers.add(Dense::new(1)).build().unwrap();
        model
            .compile(SGD::new(), Loss::MeanSquaredError, &[])
            .unwrap();
        model.fit(&data, Fit::new()).map_err(|e| e.to_string())
    };
    let chain = || Sequential::new().input([1]).add(Normalization::new());
    assert!(fit(chain().add(NanToNum::new())).is_ok());
    let error = fit(chain()).unwrap_err();
    assert!(
        error.contains("row 1") && error.contains("NanToNum"),
        "{error}"
    );
    // Imputed too late: the weights before it would become NaN.
    assert!(fit(chain().add(Dense::new(2)).add(NanToNum::new())).is_err());
}

#[test]
fn what_does_not_fit_is_named() {
    let mut g = Functional::new();
    let text = g.text_input("town");
    let error = g.layer(Dense::new(1), text).unwrap_err().to_string();
    assert!(
        error.contains("dense") && error.contains("StringLookup"),
        "{error}"
    );
    let number = g.input([1]);
    let lookup = StringLookup::new().vocabulary(["a"]);
    let error = g.layer(lookup.clone(), number).unwrap_err().to_string();
    assert!(
        error.contains("numbers") && error.contains("text"),
        "{error}"
    );
    let numbers = Dataset::unlabelled(Tensor::from_column(vec![1.0]).unwrap());
    let error = alone(lookup.clone())
        .predict(&numbers)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("numbers") && error.contains("text"),
        "{error}"
    );
    let texts = Dataset::unlabelled(towns());
    let error = alone(Dense::new(1))
        .predict(&texts)
        .unwrap_err()
        .to_string();
    assert!(error.contains("StringLookup"), "{error}");
    let unknown = alone(StringLookup::new()).predict(&texts).unwrap_err();
    assert!(unknown.to_string().contains("vocabulary"), "{unknown}");

    let embedding = alone(Embedding::new(3, 2));
    let rows = Tensor::from_column(vec![0.0, 2.0, 3.0]).unwrap();
    let error = embedding
        .predict(Dataset::unlabelled(rows))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("row 2") && error.contains("from 0 to 2"),
        "{error}"
    );
    let wide = lookup.vocabulary(["a", "b", "c"]);
    let layers = Sequential::new()
        .input([1])
        .add(wide)
        .add(Embedding::new(3, 2));
    let error = layers
        .build()
        .unwrap()
        .predict(&texts)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("string_lookup") && error.contains("below 3"),
        "{error}"
    );

    for (layer, word) in [
        (
            r#"{"type": "StringLookup", "output_mode": "tf_idf"}"#,
            "tf_idf",
        ),
        (
            r#"{"type": "StringLookup", "vocabulary": ["a", "a"]}"#,
            "twice",
        ),
        (r#"{"type": "StringLookup", "invert": true}"#, "invert"),
        (
            r#"{"type": "Embedding", "input_dim": 3, "output_dim": 2, "mask_zero": true}"#,
            "mask_zero",
        ),
        (r#"{"type": "Cast", "dtype": "float64"}"#, "float64"),
    ] {
        let config = serde_json::from_str(layer).unwrap();
        let error = Layer::from_config("", &config).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
