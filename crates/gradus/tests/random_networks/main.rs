//! Properties of random networks: layers of the registry with random arguments in a random graph,
//! a random loss, optimizer and batch size, on random rows.
//!
//! A case is a function of its number. `GRADUS_CASES=100..200 cargo test --release -p gradus --test
//! random_networks` runs others than the usual ones, `GRADUS_CASES=123..124` one of them.

#[path = "../common/random.rs"]
mod random;

mod arguments;
mod network;
mod onnx;
mod training;
mod windows;

use gradus::optimize::fold;
use gradus::prelude::*;
use gradus::ranks::{InProcess, in_process};
use gradus::{Error, layers::Randomness, threads};
use network::Network;
use random::Random;
use std::ops::Range;
use std::sync::Arc;
use training::{Training, draw_loss};

/// The cases that every run of the tests has.
const USUAL: Range<u64> = 0..40;

fn cases() -> Range<u64> {
    let Ok(text) = std::env::var("GRADUS_CASES") else {
        return USUAL;
    };
    let numbers = text.split_once("..").map(|(a, b)| (a.parse(), b.parse()));
    let Some((Ok(first), Ok(end))) = numbers else {
        panic!("GRADUS_CASES is {text}, expected numbers like 100..200");
    };
    first..end
}

/// Classes of the layers that quantization-aware training rounds.
const ROUNDED: [&str; 5] = [
    "Dense",
    "Conv1D",
    "Conv2D",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
];

/// True if a model can be trained quantization-aware.
fn may_be_aware(model: &Model) -> bool {
    let of_class = |layer: &&gradus::model::LayerEntry| ROUNDED.contains(&layer.rule.class());
    let mut layers = model.layers.iter().filter(of_class).peekable();
    layers.peek().is_some() && layers.all(|layer| layer.trainable)
}

/// Weights and learned ranges by layer, as bits.
fn weights(model: &Model) -> Vec<(String, Vec<u32>)> {
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect();
    let of = |layer: &gradus::model::LayerEntry| {
        let all: Vec<f32> = layer
            .weights
            .iter()
            .flat_map(|w| w.values.clone())
            .chain(layer.input_range.into_iter().flatten())
            .collect();
        (layer.name.clone(), bits(&all))
    };
    model.layers.iter().map(of).collect()
}

fn predicted(model: &Model, rows: &Dataset) -> Vec<u32> {
    let outputs = model.predict_all(rows).unwrap();
    let numbers = outputs.iter().flat_map(|output| output.to_f32());
    numbers.map(|x| x.to_bits()).collect()
}

/// The results of a training.
#[derive(Debug, PartialEq)]
enum End {
    /// The bits of the losses, and of the weights.
    Trained(Vec<u64>, Vec<(String, Vec<u32>)>),
    /// The loss blew up, said like this.
    BlewUp(String),
    /// It was refused, said like this.
    Refused(String),
}

/// Trains a copy of the model on so many threads.
fn train(model: &Model, training: &Training, rows: &Dataset, count: usize) -> (End, Model) {
    gradus::set_threads(count);
    let trained = fit(model, training, rows, training.fit());
    gradus::set_threads(0);
    trained
}

/// Trains a copy of the model on so many ranks, which make the bits of one, or add their sums up.
fn train_on_ranks(
    model: &Model,
    training: &Training,
    rows: &Dataset,
    (count, exact): (usize, bool),
) -> Vec<End> {
    std::thread::scope(|scope| {
        let start = |rank: InProcess| {
            scope.spawn(move || {
                let options = training.fit().ranks(Arc::new(rank)).exact_ranks(exact);
                fit(model, training, rows, options).0
            })
        };
        let started: Vec<_> = in_process(count).unwrap().into_iter().map(start).collect();
        let ends = started.into_iter().map(|rank| rank.join().unwrap());
        ends.collect()
    })
}

/// Trains a copy of the model with these options.
fn fit(model: &Model, training: &Training, rows: &Dataset, options: Fit<'_>) -> (End, Model) {
    let mut model = model.clone();
    let result = training
        .compile(&mut model)
        .and_then(|()| model.fit(rows, options));
    let end = match result {
        Ok(history) => {
            let losses = history.get("loss");
            assert!(losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
            let losses = losses.into_iter().map(f64::to_bits).collect();
            End::Trained(losses, weights(&model))
        }
        Err(error @ Error::BlowUp { .. }) => End::BlewUp(error.to_string()),
        Err(error) => {
            assert!(error.is_users_mistake(), "{error}");
            End::Refused(error.to_string())
        }
    };
    (end, model)
}

/// True if it predicts something else each time.
fn draws_always(model: &Model) -> bool {
    let mut layers = model.layers.iter();
    layers.any(|layer| layer.rule.traits().randomness == Randomness::Always)
}

/// A folded model predicts the same, up to rounding, from no more layers.
fn folds_to_the_same(model: &Model, rows: &Dataset) {
    if draws_always(model) {
        return;
    }
    let (folded, layers) = fold(model).unwrap();
    assert_eq!(folded.layers.len() + layers.len(), model.layers.len());
    let outputs = [model, &folded].map(|model| model.predict_all(rows).unwrap());
    for (before, after) in outputs[0].iter().zip(&outputs[1]) {
        let (before, after) = (before.to_f32(), after.to_f32());
        let largest = before.iter().fold(1.0f32, |a, x| a.max(x.abs()));
        for (x, y) in before.iter().zip(&after) {
            assert!(
                (x - y).abs() <= 1e-5 * largest,
                "{x} {y} of {largest}: {layers:?}"
            );
        }
    }
}

/// Holds one case to all properties; gives the reason if it was not trained.
fn hold(case: u64, file: &std::path::Path) -> Option<String> {
    let mut random = Random(case);
    let (loss, targets, activation) = draw_loss(&mut random);
    let network = match Network::draw(&mut random, activation) {
        Ok(network) => network,
        Err(error) => {
            assert!(error.is_users_mistake(), "{error}");
            return Some(error.to_string());
        }
    };
    let model = &network.model;
    // A configuration is read as it was written.
    let (tables, outputs) = model.to_layers();
    let read = Model::from_layers("", &tables, outputs.as_deref(), model.seed).unwrap();
    assert_eq!((&read.layers, &read.nodes), (&model.layers, &model.nodes));

    let mut training = Training::draw(&mut random, loss);
    training.aware = case % 3 == 1 && may_be_aware(model);
    let rows = training.rows(&mut random, &network, targets);
    let (end, trained) = train(model, &training, &rows, 1);
    for count in [2, 3] {
        assert_eq!(
            train(model, &training, &rows, count).0,
            end,
            "{count} threads"
        );
    }
    if !matches!(end, End::Refused(_)) {
        let count = 2 + case as usize % 3;
        for (rank, found) in train_on_ranks(model, &training, &rows, (count, true))
            .into_iter()
            .enumerate()
        {
            assert_eq!(found, end, "rank {rank} of {count}");
        }
        let near = train_on_ranks(model, &training, &rows, (count, false));
        for (rank, found) in near.iter().enumerate() {
            assert_eq!(*found, near[0], "rank {rank} of {count}, not exact");
        }
    }
    let losses = match &end {
        End::Trained(losses, _) => losses,
        End::BlewUp(text) => {
            assert!(text.contains("epoch") && text.contains("layer"), "{text}");
            return Some(text.clone());
        }
        End::Refused(text) => return Some(text.clone()),
    };
    assert_eq!(losses.len(), training.epochs);
    // Frozen weights do not move.
    for ((name, before), (_, after)) in weights(model).iter().zip(&weights(&trained)) {
        if !model.layer(name).unwrap().trainable {
            assert_eq!(before, after, "the frozen layer {name}");
        }
    }
    // A last bit may round a number the other way.
    if !training.aware {
        folds_to_the_same(&trained, &rows);
    }
    // A file gives the same model back, which predicts the same.
    let saved = trained.save(file);
    if network.is_tied {
        assert!(saved.is_err());
        return None;
    }
    saved.unwrap();
    let loaded = Model::load(file).unwrap();
    assert_eq!(weights(&loaded), weights(&trained));
    if !draws_always(model) {
        assert_eq!(predicted(&loaded, &rows), predicted(&trained, &rows));
    }
    // Trained on, the file's model goes the way of the one that was not saved.
    let on = training.further();
    let [mut straight, mut reloaded] = [trained, loaded];
    reloaded.seed = straight.seed;
    let ends = [&mut straight, &mut reloaded].map(|model| model.fit(&rows, on.fit()).is_ok());
    assert_eq!(ends[0], ends[1]);
    assert_eq!(
        weights(&reloaded),
        weights(&straight),
        "trained on from the file"
    );
    None
}

#[test]
fn random_networks_keep_what_is_promised() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.keras");
    let (mut all, mut trained) = (0, 0);
    for case in cases() {
        let run = std::panic::AssertUnwindSafe(|| hold(case, &file));
        match std::panic::catch_unwind(run) {
            Ok(None) => trained += 1,
            Ok(Some(reason)) => println!("case {case}: {reason}"),
            Err(_) => panic!("case {case}: GRADUS_CASES={case}..{} repeats it", case + 1),
        }
        all += 1;
    }
    println!("{trained} of {all} networks trained on {} cores", threads());
    // Some arguments do not fit each other, and some losses blow up; not many.
    assert!(
        trained * 4 >= all * 3,
        "only {trained} of {all} networks trained"
    );
}

#[test]
fn every_layer_has_random_arguments() {
    let mut random = Random(7);
    for member in Layer::MEMBERS {
        for _ in 0..20 {
            let (_, layer) = arguments::draw(member.class, &mut random);
            assert_eq!(layer.class(), member.class);
        }
    }
}
