//! Compiled plans as text, and the faults that the verifier finds in damaged ones.

use super::Compiled;
use super::allocation::Allocation;
use super::packing::weights;
use super::verify::verify;
use crate::model::layers::{Activation, BatchNormalization, Dense, Dropout};
use crate::model::lowering::PlanSpec;
use crate::model::{Model, Sequential};
use crate::plan::Mode;
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

/// A model's plan, compiled for batches of so many rows.
pub(super) fn compiled(model: &Model, mode: Mode, rows: usize) -> Compiled {
    let spec = PlanSpec {
        mode,
        rows,
        weighted: false,
        mixed: false,
        bfloat16: false,
        observed: false,
        from_features: false,
    };
    let mut program = model.lower(&[spec]).unwrap().program;
    let weights = weights(&program).remove(0);
    Compiled::new(program.plans.remove(0), weights, None).unwrap()
}

/// Compares with the committed text; `GRADUS_SNAPSHOTS=write` rewrites it.
fn snapshot(name: &str, compiled: &Compiled) {
    let path = format!(
        "{}/src/engine/cpu/compile/snapshots/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = compiled.to_string();
    if std::env::var("GRADUS_SNAPSHOTS").is_ok_and(|v| v == "write") {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{path} differs from:\n{text}");
}

#[test]
fn a_training_step_is_the_schedule_that_was_reviewed() {
    let momentum = || SGD::new().momentum(0.9).nesterov(true);
    snapshot("train", &compiled(&model(momentum()), Mode::Train, 4));
    let clipped = momentum().global_clipnorm(1.0);
    snapshot("train_clipped", &compiled(&model(clipped), Mode::Train, 4));
    snapshot("infer", &compiled(&model(momentum()), Mode::Infer, 4));
}

#[test]
fn gamma_and_beta_of_an_input_need_no_gradient_of_it() {
    let model = Sequential::new()
        .input([20])
        .add(BatchNormalization::new())
        .add(Dense::new(12).activation(Function::Elu))
        .add(Dense::new(3).activation(Function::Softmax))
        .compile(SGD::new(), Loss::SparseCategoricalCrossentropy, &[])
        .unwrap();
    snapshot("train_normalized", &compiled(&model, Mode::Train, 4));
}

#[test]
fn the_verifier_finds_damage() {
    let good = compiled(&model(SGD::new()), Mode::Train, 4);
    assert_eq!(verify(&good), Ok(()));

    let mut overlapping = good.clone();
    for allocation in &mut overlapping.allocations {
        if let Allocation::Arena(start) = allocation {
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

    let mut apart = good.clone();
    apart.phases.remove(1);
    assert!(verify(&apart).is_err(), "an operation in no group");

    let mut unknown = good.clone();
    let bias = good
        .plan
        .buffers
        .iter()
        .position(|b| b.name.ends_with("bias"));
    unknown.weights[bias.unwrap()] = good.weights.iter().find_map(|packed| *packed);
    assert!(
        verify(&unknown).is_err(),
        "a packed matrix that is read row-major"
    );
}
