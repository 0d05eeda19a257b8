//! Tests of the loop around the engine, on the null engine.

use super::callbacks::{Callback, EarlyStopping, Progress, ReduceLROnPlateau, Training};
use super::{Fit, History, Logs};
use crate::data::{Dataset, Tensor};
use crate::engine::null::Null;
use crate::error::Result;
use crate::model::layers::Dense;
use crate::model::{Model, OutputLoss, Sequential};
use crate::predict::device::Device;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::SGD;
use crate::rules::schedules::OneCycle;
use std::cell::RefCell;
use std::rc::Rc;

fn data(rows: usize) -> Dataset {
    let x = Tensor::from_f32([3], vec![0.5; rows * 3]).unwrap();
    Dataset::new(x, Tensor::from_column(vec![1.0; rows]).unwrap()).unwrap()
}

fn model() -> Model {
    let optimizer = SGD::new().learning_rate(0.1);
    Sequential::new()
        .add(Dense::new(1))
        .compile(optimizer, Loss::MeanSquaredError, &[])
        .unwrap()
}

fn fit(model: &mut Model, options: Fit<'_>) -> History {
    model.fit(data(70), options.on(Device::new(Null))).unwrap()
}

/// Records its calls.
struct Diary(Rc<RefCell<Vec<String>>>);

impl Diary {
    fn write(&self, line: String) -> Result<()> {
        self.0.borrow_mut().push(line);
        Ok(())
    }
}

impl Callback for Diary {
    fn on_train_begin(&mut self, _: &mut Training<'_>) -> Result<()> {
        self.write("begin".into())
    }
    fn on_epoch_begin(&mut self, epoch: usize, _: &mut Training<'_>) -> Result<()> {
        self.write(format!("epoch {epoch}"))
    }
    fn on_train_batch_begin(&mut self, p: &Progress<'_>, _: &mut Training<'_>) -> Result<()> {
        assert_eq!(p.loss().is_nan(), p.batch == 0);
        self.write(format!("batch {} of {}", p.batch, p.batches))
    }
    fn on_train_batch_end(&mut self, p: &Progress<'_>, _: &mut Training<'_>) -> Result<()> {
        assert!(p.loss().is_finite());
        self.write(format!("batch {} done", p.batch))
    }
    fn on_test_begin(&mut self, _: &mut Training<'_>) -> Result<()> {
        self.write("test".into())
    }
    fn on_test_end(&mut self, logs: &Logs, _: &mut Training<'_>) -> Result<()> {
        let names: Vec<&str> = logs.names().collect();
        self.write(format!("tested: {}", names.join(" ")))
    }
    fn on_epoch_end(&mut self, epoch: usize, logs: &Logs, _: &mut Training<'_>) -> Result<()> {
        let names: Vec<&str> = logs.names().collect();
        self.write(format!("end {epoch}: {}", names.join(" ")))
    }
    fn on_train_end(&mut self, _: &mut Training<'_>) -> Result<()> {
        self.write("done".into())
    }
}

#[test]
fn hooks_are_called_in_keras_order_and_the_short_last_batch_counts() {
    let diary = Rc::new(RefCell::new(Vec::new()));
    let mut model = model();
    let options = Fit::new()
        .epochs(3)
        .initial_epoch(2)
        .validation_data(data(5))
        .callback(Diary(Rc::clone(&diary)));
    fit(&mut model, options);
    let expected = [
        "begin",
        "epoch 2",
        "batch 0 of 3",
        "batch 0 done",
        "batch 1 of 3",
        "batch 1 done",
        "batch 2 of 3",
        "batch 2 done",
        "test",
        "tested: loss",
        "end 2: loss val_loss learning_rate",
        "done",
    ];
    assert_eq!(*diary.borrow(), expected);
    assert_eq!(model.state.iteration, 3);
}

/// Stops at one of the batches.
struct StopAt(usize);

impl Callback for StopAt {
    fn on_train_batch_end(&mut self, p: &Progress<'_>, t: &mut Training<'_>) -> Result<()> {
        if p.batch == self.0 {
            t.stop();
        }
        Ok(())
    }
}

#[test]
fn a_stop_within_an_epoch_ends_it_and_it_is_still_validated() {
    let mut model = model();
    let options = Fit::new().epochs(9).validation_data(data(5));
    let history = fit(&mut model, options.callback(StopAt(1)));
    assert_eq!((history.epochs.len(), model.state.iteration), (1, 2));
    assert!(history.last("val_loss").is_some());
}

#[test]
fn early_stopping_waits_its_patience() {
    // The null engine's loss never changes: the first epoch is the best.
    let options = Fit::new()
        .epochs(50)
        .callback(EarlyStopping::new().monitor("loss").patience(4));
    assert_eq!(fit(&mut model(), options).epochs.len(), 5);
}

#[test]
fn a_plateau_lowers_the_rate() {
    let plateau = ReduceLROnPlateau::new()
        .monitor("loss")
        .patience(2)
        .factor(0.5);
    let history = fit(&mut model(), Fit::new().epochs(6).callback(plateau));
    let rates = history.get("learning_rate");
    assert_eq!(rates, [0.1, 0.1, 0.1, 0.05, 0.05, 0.025]);
}

#[test]
fn a_schedule_sets_the_rate_of_each_step() {
    let options = Fit::new().epochs(10).schedule(OneCycle::new(1.0));
    let rates = fit(&mut model(), options).get("learning_rate");
    assert!(
        rates[4] > 0.9 && rates[0] < 0.3 && rates[9] < 0.05,
        "{rates:?}"
    );
}

#[test]
fn an_unknown_monitor_is_named_with_those_there_are() {
    let options = Fit::new()
        .epochs(2)
        .callback(EarlyStopping::new().monitor("val_los"));
    let error = model()
        .fit(data(70), options.on(Device::new(Null)))
        .unwrap_err();
    assert!(error.to_string().contains("`val_los`"), "{error}");
}

/// In Keras' names, and in those of `sample_weight` and `class_weight`.
#[test]
fn weighted_metrics_have_names_of_their_own() {
    let metric = |name: &str| {
        (
            name.to_owned(),
            Metric::from_config("", &name.into()).unwrap(),
        )
    };
    let mut output_loss = OutputLoss::new(Loss::MeanSquaredError);
    output_loss.metrics = vec![metric("mae"), metric("mse"), metric("mae")];
    output_loss.weighted_metrics = vec![metric("mae"), metric("mape"), metric("mae")];
    let names: Vec<String> = output_loss.reported().into_iter().map(|r| r.0).collect();
    let want = [
        "mae",
        "mse",
        "mae_1",
        "weighted_mae",
        "mape",
        "weighted_mae_1",
    ];
    assert_eq!(names, want);
}
