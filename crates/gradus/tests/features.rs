//! Frozen layers at the beginning are computed once for each row, which changes no bit of the
//! training.

use gradus::layers::{Add, Conv2D, GaussianNoise, GlobalAveragePooling2D, RandomFlip};
use gradus::prelude::*;
use gradus::rules::regularizers::L2;
use gradus::train::callbacks::Progress;
use gradus::train::{GradualUnfreezing, Logs, OnNan, Training};

fn images(rows: usize) -> Dataset {
    let numbers = |size: usize, by: usize| -> Vec<f32> {
        let all = (0..rows * size).map(|i| (i * by % 1009) as f32 / 500.0 - 1.0);
        all.collect()
    };
    let x = Tensor::from_f32([6, 5, 2], numbers(60, 7919)).unwrap();
    let classes = (0..rows).map(|i| (i * 7 % 3) as f32);
    Dataset::new(x, Tensor::from_column(classes.collect()).unwrap()).unwrap()
}

/// A frozen base of convolutions, a dropout, and a trained head.
fn model(base: impl Fn(Sequential) -> Sequential) -> Model {
    let mut model = base(Sequential::new().input([6, 5, 2]).seed(3))
        .add(GlobalAveragePooling2D::new())
        .add(Dropout::new(0.3))
        .add(Dense::new(4).activation(Activation::Elu))
        .add(Dense::new(3).activation(Activation::Softmax))
        .compile(
            Adam::new(),
            Loss::SparseCategoricalCrossentropy,
            &[Metric::Accuracy],
        )
        .unwrap();
    model.set_trainable("*", false).unwrap();
    model.set_trainable("dense*", true).unwrap();
    model
}

fn plain_base(model: Sequential) -> Sequential {
    model
        .add(Conv2D::new(4, 3).activation(Activation::Relu))
        .add(BatchNormalization::new())
        .add(Conv2D::new(5, 2))
}

/// Notes at each step if features are kept; gives them up first if they are not `wanted`.
struct Watch {
    wanted: bool,
    kept: Vec<bool>,
}

impl Callback for Watch {
    fn on_train_batch_begin(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> gradus::Result<()> {
        if !self.wanted && progress.batch == 0 {
            training.set_trainable("dense_1", true)?;
        }
        self.kept.push(training.keeps_features());
        Ok(())
    }
}

/// The trained model, its history, and for each step whether features were kept.
fn trained(
    mut model: Model,
    wanted: bool,
    more: impl Fn(Fit<'_>) -> Fit<'_>,
) -> (Model, History, Vec<bool>) {
    let mut watch = Watch {
        wanted,
        kept: Vec::new(),
    };
    let options = Fit::new().epochs(4).batch_size(8);
    let options = more(options.validation_data(images(13))).callback(&mut watch);
    let history = model.fit(images(27), options).unwrap();
    (model, history, watch.kept)
}

/// Trains with and without features; `kept` of the four epochs have them.
fn compare(model: &Model, kept: [bool; 4], more: impl Fn(Fit<'_>) -> Fit<'_>) {
    let (with, history, found) = trained(model.clone(), true, &more);
    let (without, other, none) = trained(model.clone(), false, &more);
    assert_eq!(found, kept.map(|kept| [kept; 4]).concat());
    assert!(!none.contains(&true));
    assert_eq!(with, without);
    for name in ["loss", "accuracy", "val_loss", "val_accuracy"] {
        assert_eq!(history.get(name), other.get(name), "{name}");
    }
    assert_ne!(with.layers, model.layers);
}

#[test]
fn a_frozen_base_is_computed_once_and_no_bit_changes() {
    compare(&model(plain_base), [true; 4], |fit| fit);
    compare(&model(plain_base), [true; 4], |fit| fit.health_every(3));
    // Noise before frozen layers, in inference: the head's draws the same numbers behind it.
    let mut g = Functional::new().seed(4);
    let x = g.input([6, 5, 2]);
    let base = Sequential::new()
        .input([6, 5, 2])
        .add(Dropout::new(0.5))
        .add(Conv2D::new(4, 3));
    let base = g.nest("base", &base.build().unwrap()).unwrap();
    let h = g.call_as(base, x, true).unwrap()[0];
    let h = g.layer(GlobalAveragePooling2D::new(), h).unwrap();
    // Trained layers beside the base take the input itself.
    let flat = g.layer(Flatten::new(), x).unwrap();
    let beside = g.layer(Dense::new(4), flat).unwrap();
    let h = g.layer(Add::new(), [h, beside]).unwrap();
    let h = g.layer(Dropout::new(0.4), h).unwrap();
    let y = g.layer(Dense::new(3).activation(Activation::Softmax), h);
    let mut graph = g.model(y.unwrap()).unwrap();
    let loss = Loss::SparseCategoricalCrossentropy;
    graph
        .compile(SGD::new(), loss, &[Metric::Accuracy])
        .unwrap();
    graph.set_trainable("base/*", false).unwrap();
    compare(&graph, [true; 4], |fit| fit);
}

#[test]
fn layers_that_thaw_are_trained_from_then_on() {
    let head_then_all = || GradualUnfreezing::new().named(0, &["dense*"]).all(2);
    compare(&model(plain_base), [true, true, false, false], |fit| {
        fit.callback(head_then_all())
    });
}

#[test]
fn what_changes_from_epoch_to_epoch_is_not_kept() {
    let never: [fn(Sequential) -> Sequential; 3] = [
        |model| plain_base(model.add(RandomFlip::default())),
        |model| plain_base(model.add(GaussianNoise::new(0.1))),
        |model| {
            let base = Conv2D::new(4, 3).activity_regularizer(L2::new(0.1));
            model.add(base)
        },
    ];
    for base in never {
        compare(&model(base), [false; 4], |fit| fit);
    }
    // Statistics that move.
    let mut moving = model(|model| plain_base(model.add(BatchNormalization::new())));
    moving.set_trainable("batch_normalization", true).unwrap();
    compare(&moving, [false; 4], |fit| fit);
}

/// Changes the frozen weights in the middle of a training.
struct Halves;

impl Callback for Halves {
    fn on_epoch_end(
        &mut self,
        epoch: usize,
        _: &Logs,
        training: &mut Training<'_>,
    ) -> gradus::Result<()> {
        if epoch == 1 {
            let mut weights = training.weights();
            weights[0].iter_mut().for_each(|w| *w *= 0.5);
            training.set_weights(&weights)?;
        }
        Ok(())
    }
}

/// Lets the first epoch compute all layers.
struct FirstWithout;

impl Callback for FirstWithout {
    fn on_train_batch_begin(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> gradus::Result<()> {
        match (progress.epoch, progress.batch) {
            (0, 0) => training.set_trainable("dense_1", true),
            _ => Ok(()),
        }
    }
}

#[test]
fn features_begin_with_the_weights_of_the_epochs_before() {
    for on_nan in [OnNan::Stop, OnNan::Continue] {
        compare(&model(plain_base), [false, true, true, true], |fit| {
            fit.on_nan(on_nan).callback(FirstWithout)
        });
    }
}

#[test]
fn other_frozen_weights_have_other_features() {
    compare(&model(plain_base), [true; 4], |fit| fit.callback(Halves));
}
