//! Tests of callbacks through the public API.

use gradus::Error;
use gradus::prelude::*;
use gradus::rules::metrics::TruePositives;
use gradus::rules::schedules::{ExponentialDecay, PiecewiseConstantDecay};
use gradus::train::callbacks::{Direction, LearningRateScheduler, TerminateOnNaN};

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
    // The optimizer keeps that rate, as in Keras.
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
    let error = fit(SGD::new().learning_rate(Schedule::from(decay)).into(), 0.1);
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
    // The epoch in which it happens is recorded and validated, as in Keras.
    let (history, steps) = fit(1e12);
    assert_eq!(history.epochs.len(), 1);
    assert!(steps < 10, "{steps} steps");
    assert!(!history.last("loss").unwrap().is_finite());
    assert!(history.last("val_loss").is_some());
}

#[test]
fn a_training_that_breaks_leaves_the_end_of_the_epoch_before() {
    // Ten steps per epoch; from the 25th on the rate is far too high.
    let rates = PiecewiseConstantDecay {
        boundaries: vec![24.0],
        values: vec![0.01, 1e30],
    };
    let fit = |epochs: usize, on_nan: OnNan| {
        let mut model = model(SGD::new().learning_rate(Schedule::from(rates.clone())));
        let fit = Fit::new().epochs(epochs).batch_size(4).on_nan(on_nan);
        let history = model.fit(data(), fit);
        (model, history)
    };
    let (broken, history) = fit(4, OnNan::Stop);
    let error = history.unwrap_err();
    assert!(
        matches!(
            error,
            Error::BlowUp {
                epoch: 2,
                step: 5..,
                ..
            }
        ),
        "{error}"
    );
    assert!(!error.is_users_mistake());
    assert!(error.to_string().contains("layer `dense`"), "{error}");
    let (whole, history) = fit(2, OnNan::Stop);
    assert_eq!(history.unwrap().epochs.len(), 2);
    assert_eq!(broken.state, whole.state);
    assert!(broken.weights().eq(whole.weights()));

    let (mut broken, history) = fit(4, OnNan::Continue);
    assert_eq!(history.unwrap().epochs.len(), 4);
    assert_eq!(broken.not_finite().next(), Some(("dense", "kernel")));
    // Such a model is refused for training, unless that is requested.
    let error = broken.fit(data(), Fit::new()).unwrap_err().to_string();
    assert!(error.contains("layer dense: its kernel has NaN"), "{error}");
}

#[test]
fn a_monitor_of_validation_rows_that_are_not_there_says_so() {
    let model = Sequential::new().add(Dense::new(1));
    let mut model = model.compile("sgd", "mse", &[]).unwrap();
    let fit = model.fit(data(), Fit::new().callback(EarlyStopping::new()));
    let error = fit.unwrap_err().to_string();
    assert!(error.contains("no validation rows"), "{error}");
    assert!(error.contains("Fit::validation_split"), "{error}");
}

#[test]
fn a_misspelled_monitor_is_told_before_the_first_epoch() {
    let model = Sequential::new().add(Dense::new(1));
    let mut model = model.compile("sgd", "mse", &["mae".into()]).unwrap();
    for (monitor, nearest) in [("val_lss", "val_loss"), ("val_mse", "val_mae")] {
        let stop = EarlyStopping::new().monitor(monitor);
        let fit = model.fit(data(), Fit::new().validation_split(0.2).callback(stop));
        let error = fit.unwrap_err().to_string();
        let words = format!("did you mean `{nearest}`");
        assert!(error.contains(&words), "{error}");
    }
}

#[test]
fn a_callback_ends_a_training_with_an_error_of_its_own() {
    struct Fails;
    impl Callback for Fails {
        fn on_epoch_end(&mut self, _: usize, _: &Logs, _: &mut Training<'_>) -> gradus::Result<()> {
            Err(gradus::Error::other("the queue is gone"))
        }
    }
    let model = Sequential::new().add(Dense::new(1));
    let mut model = model.compile("sgd", "mse", &[]).unwrap();
    let error = model.fit(data(), Fit::new().callback(Fails)).unwrap_err();
    assert!(matches!(error, gradus::Error::Other(_)));
    assert!(!error.is_users_mistake());
    assert_eq!(error.to_string(), "the queue is gone");
}

#[test]
fn a_monitor_without_a_direction_asks_for_it() {
    let count = TruePositives::default();
    let fit = |callback: EarlyStopping| {
        let mut model = Sequential::new()
            .add(Dense::new(1))
            .compile(SGD::new(), Loss::MeanSquaredError, &[count.clone().into()])
            .unwrap();
        model.fit(data(), Fit::new().callback(callback))
    };
    for monitor in ["true_positives", "learning_rate"] {
        let error = fit(EarlyStopping::new().monitor(monitor))
            .unwrap_err()
            .to_string();
        assert!(error.contains("set `mode` to"), "{error}");
        let mut told = EarlyStopping::new().monitor(monitor);
        told.mode = Direction::Max;
        fit(told).unwrap();
    }
    fit(EarlyStopping::new().monitor("loss")).unwrap();
}
