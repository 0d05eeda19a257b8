//! Plans as text, and what the verifier finds in damaged ones.

use super::memory::Place;
use super::verify::verify;
use super::{Mode, Op, Plan};
use crate::model::layers::{Activation, BatchNormalization, Dense, Dropout};
use crate::model::lowering::Wanted;
use crate::model::{Model, Sequential};
use crate::rules::activations::Activation as Function;
use crate::rules::losses::Loss;
use crate::rules::optimizers::{Optimizer, SGD};

fn model(optimizer: impl Into<Optimizer>) -> Model {
    Sequential::new()
        .input([20])
        .add(Dense::new(12).use_bias(false))
        .add(BatchNormalization::new())
        .add(Activation::new(Function::Elu))
        .add(Dropout::new(0.1))
        .add(Dense::new(8).activation(Function::Elu))
        .add(Dense::new(3).activation(Function::Softmax))
        .compile(optimizer, Loss::SparseCategoricalCrossentropy, &[])
        .unwrap()
}

fn plan(model: &Model, mode: Mode) -> Plan {
    let wanted = Wanted {
        mode,
        rows: 4,
        weighted: false,
        mixed: false,
        bfloat16: false,
    };
    model.lower(&[wanted]).unwrap().program.plans.remove(0)
}

/// Compares with the committed text; `GRADUS_SNAPSHOTS=write` writes it anew.
fn snapshot(name: &str, plan: &Plan) {
    let path = format!(
        "{}/src/plan/snapshots/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = plan.to_string();
    if std::env::var("GRADUS_SNAPSHOTS").is_ok_and(|v| v == "write") {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{path} differs from:\n{text}");
}

#[test]
fn a_training_step_is_the_plan_that_was_reviewed() {
    let momentum = || SGD::new().momentum(0.9).nesterov(true);
    snapshot("train", &plan(&model(momentum()), Mode::Train));
    let clipped = momentum().global_clipnorm(1.0);
    snapshot("train_clipped", &plan(&model(clipped), Mode::Train));
    snapshot("infer", &plan(&model(momentum()), Mode::Infer));
}

#[test]
fn gamma_and_beta_of_an_input_need_no_signal() {
    let model = Sequential::new()
        .input([20])
        .add(BatchNormalization::new())
        .add(Dense::new(12).activation(Function::Elu))
        .add(Dense::new(3).activation(Function::Softmax))
        .compile(SGD::new(), Loss::SparseCategoricalCrossentropy, &[])
        .unwrap();
    snapshot("train_normalized", &plan(&model, Mode::Train));
}

#[test]
fn frozen_layers_have_no_backward() {
    let mut frozen = model(SGD::new());
    frozen.set_trainable("dense", false).unwrap();
    frozen.set_trainable("batch_normalization", false).unwrap();
    frozen.set_trainable("dense_1", false).unwrap();
    let plan = plan(&frozen, Mode::Train);
    let count = |f: fn(&Op) -> bool| plan.ops.iter().filter(|op| f(op)).count();
    assert_eq!(count(|op| matches!(op, Op::ProductInput { .. })), 0);
    assert_eq!(count(|op| matches!(op, Op::ProductWeight { .. })), 1);
    assert_eq!(count(|op| matches!(op, Op::Normalize { .. })), 0);
    assert_eq!(count(|op| matches!(op, Op::Update { .. })), 2);
}

#[test]
fn the_verifier_finds_damage() {
    let good = plan(&model(SGD::new()), Mode::Train);
    assert_eq!(verify(&good), Ok(()));

    let mut swapped = good.clone();
    swapped.ops.swap(0, 1);
    assert!(
        verify(&swapped).is_err(),
        "an operation before what it reads"
    );

    let mut twice = good.clone();
    let first = twice.ops[0].clone();
    twice.ops[1] = first;
    assert!(verify(&twice).is_err(), "a temporary written twice");

    let mut overlapping = good.clone();
    for place in &mut overlapping.places {
        if let Place::Arena(start) = place {
            *start = 0;
        }
    }
    assert!(
        verify(&overlapping).is_err(),
        "temporaries on top of each other"
    );

    let mut short = good.clone();
    short.arena /= 2;
    assert!(
        verify(&short).is_err(),
        "a temporary behind the arena's end"
    );
}
