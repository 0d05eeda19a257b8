//! Models of thousands of layers: nothing about them takes more than their work.

mod common;

use common::Folder;
use gradus::layers::{Add, Concatenate};
use gradus::prelude::*;

fn rows(size: usize) -> Dataset {
    let value = |i: usize| (i * 37 % 101) as f32 / 101.0;
    let x = Tensor::from_f32([size], (0..32 * size).map(value).collect()).unwrap();
    let y = Tensor::from_column((0..32).map(value).collect()).unwrap();
    Dataset::new(x, y).unwrap()
}

#[test]
fn a_chain_of_thousands_of_layers_is_saved_and_comes_back() {
    let mut chain = Sequential::new().input([1]);
    for _ in 0..7000 {
        chain = chain.add(Dense::new(1));
    }
    let model = chain
        .compile(SGD::new(), Loss::MeanSquaredError, &[])
        .unwrap();
    assert_eq!(model.layers[6999].name, "dense_6999");
    let folder = Folder::new();
    let path = folder.path("chain.keras");
    model.save(&path).unwrap();
    let back = Model::load(&path).unwrap();
    assert!(back == model, "another model came back");
}

#[test]
fn a_deep_graph_of_skip_connections_is_trained_and_saved() {
    let mut g = Functional::new();
    let mut h = g.input([4]);
    for _ in 0..1500 {
        let change = Dense::new(4).activation(Activation::Tanh);
        let change = g.layer(change, h).unwrap();
        h = g.layer(Add::new(), [h, change]).unwrap();
    }
    let out = g.layer(Dense::new(1), h).unwrap();
    let mut model = g.model(out).unwrap();
    let optimizer = SGD::new().learning_rate(1e-9);
    model
        .compile(optimizer, Loss::MeanSquaredError, &[])
        .unwrap();
    let data = rows(4);
    let history = model.fit(&data, Fit::new().epochs(1)).unwrap();
    assert!(history.last("loss").is_some());
    let folder = Folder::new();
    let path = folder.path("graph.keras");
    model.save(&path).unwrap();
    let back = Model::load(&path).unwrap();
    assert_eq!(back.predict(&data).unwrap(), model.predict(&data).unwrap());
}

#[test]
fn a_layer_on_thousands_of_others_makes_no_table_of_their_names() {
    let mut g = Functional::new();
    let x = g.input([4]);
    let mut branches = Vec::new();
    for _ in 0..2000 {
        branches.push(g.layer(Dense::new(2), x).unwrap());
    }
    let all = g.layer(Concatenate::new(), branches).unwrap();
    let model = g.model(all).unwrap();
    let summary = model.summary().unwrap();
    assert!(
        summary.contains("dense_7[0][0], and 1,992 more"),
        "{summary}"
    );
    let widest = summary.lines().map(|line| line.chars().count()).max();
    assert!(widest < Some(300), "{widest:?}");
}
