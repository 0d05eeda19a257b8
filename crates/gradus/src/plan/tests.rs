//! Plans as text, gradients that there are and are not, and the faults that the verifier finds
//! in damaged plans.

use super::lower::Lowering;
use super::ops::{EmbedGradient, MultiHot, Op};
use super::share::Place;
use super::updates::Trained;
use super::verify::verify;
use super::{Buffer, Mode, Plan, Variable, View};
use crate::model::layers::{Activation, BatchNormalization, Dense, Dropout};
use crate::model::lowering::PlanSpec;
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
    let spec = PlanSpec {
        mode,
        rows: 4,
        weighted: false,
        mixed: false,
        bfloat16: false,
        observed: false,
        from_features: false,
    };
    model.lower(&[spec]).unwrap().program.plans.remove(0)
}

#[test]
fn a_plan_as_text_names_operations_and_buffers() {
    let text = plan(&model(SGD::new()), Mode::Infer).to_string();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("Infer, up to 4 rows"));
    let first = lines.next().unwrap_or_default();
    assert_eq!(
        first.trim(),
        "MatMul %9 input, %0 dense.kernel -> %10 product"
    );
}

#[test]
fn frozen_layers_have_no_backward() {
    let mut frozen = model(SGD::new());
    frozen.set_trainable("dense", false).unwrap();
    frozen.set_trainable("batch_normalization", false).unwrap();
    frozen.set_trainable("dense_1", false).unwrap();
    let plan = plan(&frozen, Mode::Train);
    let count = |f: fn(&Op) -> bool| plan.ops.iter().filter(|op| f(op)).count();
    assert_eq!(count(|op| matches!(op, Op::MatMulInput(_))), 0);
    assert_eq!(count(|op| matches!(op, Op::MatMulWeight(_))), 1);
    assert_eq!(count(|op| matches!(op, Op::BatchNormTrain(_))), 0);
    assert_eq!(count(|op| matches!(op, Op::Update(_))), 2);
}

/// A trained bias, an operation on what it is added to, and the backward pass from there.
fn through(op: impl FnOnce(Buffer, Buffer, View) -> Op) -> crate::Result<Vec<&'static str>> {
    let bias = Variable {
        name: "bias".into(),
        size: 3,
    };
    let mut plan = Lowering::new(Mode::Train, false, &[bias]);
    let x = plan.feed("x", [3].into());
    let x = plan.bias(&x, Buffer(0));
    let (y, dy) = (plan.like("y", &x.shape), plan.like("dy", &x.shape));
    let view = x.view();
    plan.push(op(x.buffer, y.buffer, view));
    let trained = Trained {
        variable: Buffer(0),
        slots: Vec::new(),
        average: None,
        accumulator: None,
        regularizer: None,
        constraint: None,
        shape: vec![3],
        whole: false,
        decay: 0.0,
        rate: 1.0,
        keeps_zeros: false,
    };
    let by = Optimizer::from(SGD::new());
    plan.backward(&[(y.buffer, dy.buffer, view)], &[trained], &by, &[])?;
    Ok(plan.ops().iter().map(Op::name).collect())
}

#[test]
fn an_operation_without_a_backward_is_an_error_before_a_trained_variable() {
    let error = through(|x, y, view| {
        let gradient = EmbedGradient {
            x,
            dy: x,
            dw: y,
            rows: 1,
            view,
        };
        gradient.into()
    });
    let message = error.unwrap_err().to_string();
    assert!(
        message.contains("EmbedGradient") && message.contains("biased"),
        "{message}"
    );
}

#[test]
fn an_operation_of_derivative_zero_passes_nothing_on_as_in_keras() {
    let ops = through(|x, y, view| {
        let encoded = MultiHot {
            x,
            y,
            indices: 1,
            count: false,
            view,
        };
        encoded.into()
    });
    assert_eq!(ops.unwrap(), ["Bias", "MultiHot"]);
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

    let mut unknown = good.clone();
    unknown.buffers.pop();
    assert!(verify(&unknown).is_err(), "a buffer that there is not");
}

#[test]
fn the_verifier_checks_the_size_of_every_operand() {
    let good = plan(&model(SGD::new().momentum(0.9)), Mode::Train);
    let used: std::collections::BTreeSet<Buffer> = good
        .ops
        .iter()
        .flat_map(Op::operands)
        .map(|operand| operand.buffer)
        .collect();
    for buffer in used {
        let mut damaged = good.clone();
        let info = &mut damaged.buffers[buffer.index()];
        info.size = match info.size {
            super::Size::Fixed(n) => super::Size::Fixed(n + 1),
            super::Size::PerRow(n) => super::Size::PerRow(n + 1),
        };
        assert!(verify(&damaged).is_err(), "{buffer:?}");
    }
}

/// The operations of a shared plan by name, with a mark behind those that a rank does in part.
fn of_a_rank(plan: Plan, exact: bool) -> Vec<String> {
    let (plan, sharing) = plan.share(exact);
    assert_eq!(verify(&plan), Ok(()));
    assert_eq!(sharing.verify(&plan), Ok(()));
    let mark = |place: &Place| match place {
        Place::Whole => "",
        Place::Rows => " (rows)",
        Place::Columns => " (columns)",
        Place::Sums => " (sums)",
    };
    let ops = plan.ops.iter().zip(&sharing.places);
    ops.map(|(op, place)| match op {
        Op::Gather(gather) => format!("Gather {}", gather.buffers.len()),
        op => format!("{}{}", op.name(), mark(place)),
    })
    .collect()
}

#[test]
fn a_rank_does_its_rows_and_gathers_what_is_summed_over_all() {
    let train = of_a_rank(plan(&model(SGD::new()), Mode::Train), true);
    let expected = [
        "MatMul (rows)",
        // The input of the normalization.
        "Gather 1",
        "BatchNormTrain",
        "Activate",
        "Dropout",
        "MatMul (rows)",
        "Bias (rows)",
        "Activate (rows)",
        "MatMul (rows)",
        "Bias (rows)",
        // The output before its softmax, and the last layer's input.
        "Gather 2",
        "Softmax",
        "Loss",
        "BiasGradient",
        "Update",
        "MatMulInput (rows)",
        "ActivateGradient (rows)",
        // The gradient of the middle layer's output.
        "Gather 1",
        "BiasGradient",
        "Update",
        "MatMulWeight (columns)",
        "Gather 1",
        "Update",
        "MatMulInput (rows)",
        "Dropout (rows)",
        "ActivateGradient (rows)",
        "Gather 1",
        "BatchNormTrainGradient",
        "Update",
        "Update",
        "MatMulWeight (columns)",
        "Gather 1",
        "Update",
        "MatMulWeight (columns)",
        "Gather 1",
        "Update",
    ];
    assert_eq!(train, expected, "{train:#?}");

    let evaluate = of_a_rank(plan(&model(SGD::new()), Mode::Evaluate), true);
    assert!(
        evaluate.contains(&"BatchNormInfer (rows)".to_owned()),
        "{evaluate:?}"
    );
    let gathers = evaluate.iter().filter(|op| op.starts_with("Gather"));
    assert_eq!(gathers.collect::<Vec<_>>(), ["Gather 1"]);
}

#[test]
fn a_rank_that_need_not_make_the_same_bits_adds_sums_up_in_one_message() {
    let train = of_a_rank(plan(&model(SGD::new()), Mode::Train), false);
    let expected = [
        "MatMul (rows)",
        "Gather 1",
        "BatchNormTrain",
        "Activate",
        "Dropout",
        "MatMul (rows)",
        "Bias (rows)",
        "Activate (rows)",
        "MatMul (rows)",
        "Bias (rows)",
        "Gather 1",
        "Softmax",
        "Loss",
        "BiasGradient (sums)",
        "MatMulInput (rows)",
        "ActivateGradient (rows)",
        "BiasGradient (sums)",
        "MatMulWeight (sums)",
        "MatMulInput (rows)",
        "Dropout (rows)",
        "ActivateGradient (rows)",
        "Gather 1",
        "BatchNormTrainGradient",
        "Update",
        "Update",
        "MatMulWeight (sums)",
        "MatMulWeight (sums)",
        "Gather 5",
        "Update",
        "Update",
        "Update",
        "Update",
        "Update",
    ];
    assert_eq!(train, expected, "{train:#?}");
    let evaluate = |exact| of_a_rank(plan(&model(SGD::new()), Mode::Evaluate), exact);
    assert_eq!(evaluate(false), evaluate(true));
}

#[test]
fn a_feed_that_is_summed_over_is_wanted_whole() {
    let shared = |mode| {
        plan(&model(SGD::new()), mode)
            .share(true)
            .1
            .whole_feeds
            .len()
    };
    // Inputs and targets; without a gradient of the first weights, targets alone.
    assert_eq!(shared(Mode::Train), 2);
    assert_eq!(shared(Mode::Evaluate), 1);
    assert_eq!(shared(Mode::Infer), 0);
}

#[test]
fn a_plan_in_which_a_rank_lacks_rows_is_refused() {
    for exact in [true, false] {
        refuses_without_a_gather(exact);
    }
}

fn refuses_without_a_gather(exact: bool) {
    let (whole, sharing) = plan(&model(SGD::new()), Mode::Train).share(exact);
    let mut refused = 0;
    for n in 0..whole.ops.len() {
        let (mut plan, mut sharing) = (whole.clone(), sharing.clone());
        if !matches!(plan.ops[n], Op::Gather(_)) {
            continue;
        }
        plan.ops.remove(n);
        sharing.places.remove(n);
        let found = sharing.verify(&plan).unwrap_err();
        assert!(
            found.contains("needs all rows") || found.contains("not added up"),
            "{found}"
        );
        refused += 1;
    }
    assert!(refused > 0);
    let mut sharing = sharing;
    sharing.whole_feeds.clear();
    assert!(sharing.verify(&whole).is_err());
}
