//! Callbacks, through the public doors.

use gradus::prelude::*;
use gradus::rules::schedules::ExponentialDecay;
use gradus::train::callbacks::{LearningRateScheduler, TerminateOnNaN};

fn data() -> Dataset {
    let x: Vec<f32> = (0..40).map(|i| i as f32 / 20.0 - 1.0).collect();
    let x = Tensor::from_f32([1], x).unwrap();
    Dataset::new(x.clone(), x).unwrap()
}

fn model(optimizer: impl Into<Optimizer>) -> Model {
    Sequential::new()
        .add(Dense::new(1))
        .compile(optimizer, Loss::MeanSquaredError, &[])
        .unwrap()
}

#[test]
fn a_scheduler_sets_the_rate_of_each_epoch() {
    let mut model = model(SGD::new().learning_rate(0.5));
    let halving = LearningRateScheduler::new(|epoch, rate| match epoch {
        0 => rate,
        _ => rate / 2.0,
    });
    let history = model
        .fit(data(), Fit::new().epochs(4).callback(halving))
        .unwrap();
    assert_eq!(history.get("learning_rate"), [0.5, 0.25, 0.125, 0.0625]);
    // The optimizer stays there, as Keras' does.
    let LearningRate::Constant(rate) = model.compiled.unwrap().optimizer.unwrap().learning_rate
    else {
        panic!("it was a number");
    };
    assert_eq!(rate, 0.0625);
}

#[test]
fn a_scheduler_that_cannot_set_the_rate_is_an_error() {
    let fit = |optimizer: Optimizer, to: f64| {
        let callback = LearningRateScheduler::new(move |_, _| to);
        let error = model(optimizer).fit(data(), Fit::new().callback(callback));
        error.unwrap_err().to_string()
    };
    for bad in [f64::NAN, -1.0, f64::INFINITY] {
        let error = fit(SGD::new().into(), bad);
        assert!(error.contains("LearningRateScheduler"), "{error}");
    }
    let decay = ExponentialDecay {
        initial_learning_rate: 0.1,
        decay_steps: 10.0,
        decay_rate: 0.5,
        staircase: false,
    };
    let error = fit(SGD::new().learning_rate(Schedule::from(decay)), 0.1);
    assert!(error.contains("only one of the two"), "{error}");
}

#[test]
fn a_loss_that_is_no_number_ends_the_training() {
    let fit = |rate: f64| {
        let options = Fit::new().epochs(5).batch_size(4).validation_data(data());
        let mut model = model(SGD::new().learning_rate(rate));
        let history = model.fit(data(), options.callback(TerminateOnNaN::new()));
        (history.unwrap(), model.state.iteration)
    };
    let (history, steps) = fit(0.01);
    assert_eq!((history.epochs.len(), steps), (5, 50));
    // The epoch in which it happens is noted and validated, as in Keras.
    let (history, steps) = fit(1e12);
    assert_eq!(history.epochs.len(), 1);
    assert!(steps < 10, "{steps} steps");
    assert!(!history.last("loss").unwrap().is_finite());
    assert!(history.last("val_loss").is_some());
}
