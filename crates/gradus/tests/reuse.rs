//! Tests of models made of other models, layers by name and index, freezing and unfreezing.
// `1..-1` is not empty here: negative indices count from the end.
#![allow(clippy::reversed_empty_ranges)]

mod common;

use common::Folder;
use gradus::artifacts::keras::{load_keras, save_keras};
use gradus::layers::Add;
use gradus::prelude::*;
use gradus::rules::optimizers::{AdamW, Ftrl, Lamb, Muon};
use gradus::train::GradualUnfreezing;

fn data() -> Dataset {
    let numbers = |n: usize, by: usize| {
        let mixed = (0..n).map(|i| (i * by % 17) as f32 / 8.0 - 1.0);
        mixed.collect::<Vec<f32>>()
    };
    let x = Tensor::from_f32([6], numbers(40 * 6, 7)).unwrap();
    Dataset::new(x, Tensor::from_f32([3], numbers(40 * 3, 5)).unwrap()).unwrap()
}

fn layers() -> Sequential {
    Sequential::new()
        .input([6])
        .add(Dense::new(5).activation(Activation::Elu))
        .add(BatchNormalization::new())
        .add(Dense::new(4).activation(Activation::Elu))
        .add(Dense::new(3))
}

fn model(optimizer: impl Into<Optimizer>) -> Model {
    layers()
        .compile(optimizer, Loss::MeanSquaredError, &[])
        .unwrap()
}

fn options(epochs: usize) -> Fit<'static> {
    Fit::new().epochs(epochs).batch_size(8)
}

fn message<T>(result: gradus::Result<T>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn a_range_of_layers_begins_another_model() {
    let a = model(SGD::new());
    let range = |from: &Model| Sequential::new().add_layers(from, 1..-1);
    let b = range(&a).unwrap().add(Dense::new(2)).build().unwrap();
    let names: Vec<&str> = b.layers.iter().map(|l| &*l.name).collect();
    assert_eq!(names, ["batch_normalization", "dense_1", "dense"]);
    assert_eq!(b.inputs[0].shape, Some([5].into()));
    assert_eq!(
        b.layer("dense_1").unwrap().get_weights(),
        a.layer_at(-2).unwrap().get_weights()
    );
    // As a part of a graph, with its weights too.
    let body = range(&a).unwrap().build().unwrap();
    let mut g = Functional::new();
    let x = g.input([5]);
    let body = g.nest("body", &body).unwrap();
    let h = g.call(body, x).unwrap();
    let nested = g.model(h).unwrap();
    assert_eq!(
        nested.layer("body/dense_1").unwrap().get_weights(),
        a.layer("dense_1").unwrap().get_weights()
    );
    // A part's layers alone are not a part.
    let flat = Sequential::new().add_layers(&nested, ..).unwrap();
    assert_eq!(
        flat.build().unwrap().layer_at(-1).unwrap().name,
        "body_dense_1"
    );
    for wrong in [2..2, 3..1, 0..9] {
        let error = message(Sequential::new().add_layers(&a, wrong));
        assert!(error.contains("some of its 4 layers"), "{error}");
    }
}

#[test]
fn only_a_chain_is_taken_out_of_a_graph() {
    let mut g = Functional::new();
    let x = g.input([6]);
    let h = g.layer_named("first", Dense::new(6), x).unwrap();
    let y = g.layer_named("second", Dense::new(6), h).unwrap();
    let sum = g.layer(Add::new(), [h, y]).unwrap();
    let model = g.model(sum).unwrap();
    Sequential::new().add_layers(&model, ..2).unwrap();
    let error = message(Sequential::new().add_layers(&model, ..));
    assert!(error.contains("layer add"), "{error}");
    let first = model.up_to(&["first", "second"]).unwrap();
    assert_eq!(first.layers.len(), 2);
    assert_eq!(first.output_names(), ["first", "second"]);
    let inputs = data().without_targets();
    assert_eq!(first.predict_all(&inputs).unwrap().len(), 2);
    let error = message(model.up_to(&["frist"]));
    assert!(error.contains("`first`"), "{error}");
}

#[test]
fn layers_are_found_by_name_and_number() {
    let mut a = model(SGD::new());
    assert_eq!(a.layer_at(0).unwrap().name, "dense");
    assert_eq!(a.layer_at(-1).unwrap().name, "dense_2");
    assert_eq!(a.layer("dense_1").unwrap(), a.layer_at(2).unwrap());
    a.layer_at_mut(-4).unwrap().trainable = false;
    assert!(!a.layer("dense").unwrap().trainable);
    for number in [4, -5, isize::MIN, isize::MAX] {
        assert!(message(a.layer_at(number)).contains("4"));
    }
}

#[test]
fn clones_have_new_weights_and_take_the_old_ones() {
    let mut a = model(Adam::new());
    a.fit(data(), options(2)).unwrap();
    let mut copy = a.clone_model(7).unwrap();
    assert!(copy.compiled.is_none() && copy.state.slots.is_empty());
    assert_ne!(copy.get_weights(), a.get_weights());
    copy.set_weights(&a.get_weights()).unwrap();
    assert_eq!(copy.get_weights(), a.get_weights());
    let inputs = data().without_targets();
    let predicted = |m: &Model| m.predict(&inputs).unwrap().to_f32();
    assert_eq!(predicted(&copy), predicted(&a));
}

#[test]
fn weights_of_another_shape_are_refused_and_nothing_changes() {
    let mut a = model(SGD::new());
    let before = a.clone();
    let mut weights = a.clone_model(3).unwrap().get_weights();
    let last = weights.len() - 1;
    weights[last].shape = vec![4];
    let error = message(a.set_weights(&weights));
    assert!(error.contains("dense_2.bias"), "{error}");
    assert!(error.contains("[4]") && error.contains("[3]"), "{error}");
    let error = message(a.set_weights(&weights[..2]));
    assert!(error.contains("2 weights"), "{error}");
    let error = message(a.layer_at_mut(0).unwrap().set_weights(&weights));
    assert!(error.contains("layer dense"), "{error}");
    assert_eq!(a, before);
    let mut unbuilt = Sequential::new().add(Dense::new(1)).build().unwrap();
    assert!(message(unbuilt.set_weights(&[])).contains("build"));
}

/// Without recompiling, the next `fit` trains the trainable layers, and the optimizer keeps its
/// state.
#[test]
fn freezing_takes_effect_at_once() {
    let mut a = model(Adam::new());
    a.fit(data(), options(1)).unwrap();
    a.set_trainable("dense*", false).unwrap();
    a.layer_mut("dense_1").unwrap().trainable = true;
    let (before, slots) = (a.clone(), a.state.slots[0].clone());
    a.fit(data(), options(1)).unwrap();
    for (now, was) in a.layers.iter().zip(&before.layers) {
        let moved = now.weights != was.weights;
        let trained = ["dense_1", "batch_normalization"].contains(&&*now.name);
        assert_eq!(moved, trained, "{}", now.name);
    }
    assert_eq!(a.state.slots[0], slots);
}

fn optimizers() -> Vec<Optimizer> {
    vec![
        SGD::new().momentum(0.9).nesterov(true).into(),
        Nadam::new().use_ema(0.9).into(),
        AdamW::new().into(),
        Adam::new().gradient_accumulation_steps(2).into(),
        Ftrl::new().into(),
        Lamb::new().into(),
        Muon::new().into(),
    ]
}

#[test]
fn everything_unfrozen_with_one_rate_is_a_plain_run() {
    for optimizer in optimizers() {
        let (mut plain, mut gradual) = (model(optimizer.clone()), model(optimizer));
        plain.fit(data(), options(3)).unwrap();
        let callback = GradualUnfreezing::new().all(0).factor(1.0);
        let options = options(3).callback(callback);
        gradual.fit(data(), options).unwrap();
        assert_eq!(plain, gradual);
    }
}

/// Freezing frozen layers makes the plans anew during training.
struct Remake;

impl Callback for Remake {
    fn on_epoch_begin(
        &mut self,
        _: usize,
        training: &mut gradus::train::Training<'_>,
    ) -> gradus::Result<()> {
        training.set_trainable("dense", false)
    }
}

#[test]
fn slots_of_layers_that_stay_are_kept() {
    for optimizer in optimizers() {
        let (mut plain, mut remade) = (model(optimizer.clone()), model(optimizer));
        plain.set_trainable("dense", false).unwrap();
        remade.set_trainable("dense", false).unwrap();
        plain.fit(data(), options(3)).unwrap();
        remade.fit(data(), options(3).callback(Remake)).unwrap();
        assert_eq!(plain, remade);
    }
}

/// The same by hand: a `fit` for each stage, which begins where the previous one ended.
#[test]
fn stages_are_trainings_one_after_the_other() {
    let mut by_hand = model(Adam::new());
    by_hand.set_trainable("*", false).unwrap();
    by_hand.set_trainable("dense_2", true).unwrap();
    by_hand.fit(data(), options(2)).unwrap();
    by_hand.set_trainable("*", true).unwrap();
    let compiled = by_hand.compiled.as_mut().unwrap();
    compiled.optimizer.as_mut().unwrap().learning_rate = LearningRate::Constant(0.0005);
    by_hand.fit(data(), options(5).initial_epoch(2)).unwrap();

    let mut gradual = model(Adam::new());
    let callback = GradualUnfreezing::new()
        .top(0, 1)
        .all(2)
        .learning_rate(0.0005);
    let history = gradual.fit(data(), options(5).callback(callback)).unwrap();
    assert_eq!(by_hand, gradual);
    let rates = history.get("learning_rate");
    assert_eq!(rates, [0.001, 0.001, 0.0005, 0.0005, 0.0005]);
}

#[test]
fn one_layer_more_thaws_with_each_epoch() {
    let mut model = model(SGD::new().learning_rate(0.1));
    for epoch in 0..5 {
        let before = model.clone();
        let options = options(epoch + 1).initial_epoch(epoch);
        let fit = options.callback(GradualUnfreezing::new());
        model.fit(data(), fit).unwrap();
        let moved = model.layers.iter().zip(&before.layers);
        let moved: Vec<bool> = moved.map(|(now, was)| now.weights != was.weights).collect();
        let expected: Vec<bool> = (0..4).map(|layer| layer + epoch >= 3).collect();
        assert_eq!(moved, expected, "epoch {epoch}");
    }
}

/// The first step of plain gradient descent is the gradient times the rate.
#[test]
fn each_layer_below_has_a_smaller_rate() {
    let step = |factor: Option<f64>| {
        let mut model = model(SGD::new().learning_rate(0.1));
        let mut options = Fit::new().batch_size(40);
        if let Some(factor) = factor {
            options = options.callback(GradualUnfreezing::new().all(0).factor(factor));
        }
        let before = model.clone();
        model.fit(data(), options).unwrap();
        assert!(
            model
                .compiled
                .unwrap()
                .optimizer
                .unwrap()
                .layer_rates
                .is_empty()
        );
        let steps = model.layers.iter().zip(&before.layers).map(|(now, was)| {
            let (now, was) = (&now.weights[0].values, &was.weights[0].values);
            now.iter().zip(was).map(|(a, b)| a - b).collect::<Vec<_>>()
        });
        steps.collect::<Vec<_>>()
    };
    let (plain, gradual) = (step(None), step(Some(0.5)));
    for (depth, (plain, gradual)) in plain.iter().rev().zip(gradual.iter().rev()).enumerate() {
        let factor = 0.5_f32.powi(depth as i32);
        for (plain, gradual) in plain.iter().zip(gradual) {
            assert!((plain * factor - gradual).abs() < 1e-6, "depth {depth}");
        }
        assert!(plain.iter().any(|s| s.abs() > 1e-3));
    }
}

/// Every optimizer with factor ½ for all layers equals the optimizer at half the rate.
#[test]
fn a_layer_rate_is_a_rate() {
    for optimizer in optimizers() {
        let LearningRate::Constant(rate) = optimizer.learning_rate else {
            panic!("a number");
        };
        let mut scaled = model(optimizer.clone().layer_rates(&[("*", 0.5)]));
        let mut lower = model(optimizer.learning_rate(rate / 2.0));
        scaled.fit(data(), options(3)).unwrap();
        lower.fit(data(), options(3)).unwrap();
        let pairs = scaled.weights().zip(lower.weights());
        for (a, b) in pairs.flat_map(|(a, b)| a.values.iter().zip(&b.values)) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }
}

#[test]
fn stages_that_make_no_sense_are_errors() {
    let fails = |callback: GradualUnfreezing| {
        message(model(SGD::new()).fit(data(), options(1).callback(callback)))
    };
    let new = GradualUnfreezing::new;
    assert!(fails(new().all(3)).contains("epoch 0"));
    assert!(fails(new().named(0, &["dens"])).contains("`dense`"));
    assert!(fails(new().top(0, 0)).contains("stages[0].layers"));
    assert!(fails(new().all(0).learning_rate(-1.0)).contains("learning_rate"));
    assert!(fails(new().factor(0.0)).contains("factor"));
}

#[test]
fn what_is_frozen_is_frozen_in_its_file() {
    let folder = Folder::new();
    let path = folder.path("model.keras");
    let mut a = model(Adam::new());
    let callback = GradualUnfreezing::new().top(0, 1).top(1, 2);
    a.fit(data(), options(2).callback(callback)).unwrap();
    save_keras(&a, &path).unwrap();
    let mut b = load_keras(&path).unwrap();
    let trainable = |m: &Model| m.layers.iter().map(|l| l.trainable).collect::<Vec<_>>();
    assert_eq!(trainable(&b), [false, false, true, true]);
    a.fit(data(), options(1)).unwrap();
    b.fit(data(), options(1)).unwrap();
    assert_eq!(a.get_weights(), b.get_weights());
}

#[test]
fn a_training_that_fails_leaves_the_optimizer_its_layer_rates() {
    struct Fails;
    impl Callback for Fails {
        fn on_epoch_end(&mut self, _: usize, _: &Logs, _: &mut Training<'_>) -> gradus::Result<()> {
            Err(gradus::Error::invalid("a callback", "a fault", "none"))
        }
    }
    let optimizer = SGD::new().layer_rates(&[("dense", 0.5)]);
    let mut model = Sequential::new()
        .add(Dense::new(2))
        .add(Dense::new(1))
        .compile(optimizer, Loss::MeanSquaredError, &[])
        .unwrap();
    let x = Tensor::from_f32([1], vec![0.5; 40]).unwrap();
    let data = Dataset::new(x.clone(), x).unwrap();
    let options = Fit::new().callback(GradualUnfreezing::new().all(0).factor(0.1));
    let error = model.fit(&data, options.callback(Fails)).unwrap_err();
    assert!(error.to_string().contains("a fault"), "{error}");
    let optimizer = model.compiled.unwrap().optimizer.unwrap();
    assert_eq!(optimizer.layer_rates, [("dense".to_owned(), 0.5)]);
}
