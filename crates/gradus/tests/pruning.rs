//! Pruning: at once, and while a model is trained.

use gradus::Error;
use gradus::model::{Prune, Zeros};
use gradus::prelude::*;
use gradus::train::callbacks::{Progress, Pruning};
use gradus::train::{Logs, Training};

const OPTIMIZERS: [&str; 11] = [
    "sgd", "adam", "adamw", "adamax", "nadam", "adagrad", "adadelta", "rmsprop", "lamb", "lion",
    "muon",
];

fn model(optimizer: impl Into<Optimizer>) -> Model {
    Sequential::new()
        .input([6])
        .add(Dense::new(10).activation("elu"))
        .add(BatchNormalization::new())
        .add(Dense::new(9).activation("relu").use_bias(false))
        .add(Dense::new(3).activation("softmax"))
        .compile(
            optimizer,
            "sparse_categorical_crossentropy",
            &["accuracy".into()],
        )
        .unwrap()
}

fn data() -> Dataset {
    let x = (0..240)
        .map(|i| ((i * 37 % 97) as f32 / 48.0) - 1.0)
        .collect();
    let y = (0..40).map(|i| (i * i % 3) as f32).collect();
    let tensor = |shape: [usize; 1], values| Tensor::from_f32(shape, values).unwrap();
    Dataset::new(tensor([6], x), tensor([1], y)).unwrap()
}

fn shares(model: &Model) -> Vec<f64> {
    model.zeros().unwrap().iter().map(Zeros::share).collect()
}

/// The places of the zeros of each kernel.
fn places(model: &Model) -> Vec<bool> {
    let kernels = model.weights().filter(|weight| weight.name == "kernel");
    kernels
        .flat_map(|weight| weight.values.iter().map(|&x| x == 0.0))
        .collect()
}

#[test]
fn each_layer_loses_its_smallest_weights() {
    let mut model = model("sgd");
    let before: Vec<Vec<f32>> = model.weights().map(|w| w.values.clone()).collect();
    let zeros = model.prune(&Prune::new(0.7)).unwrap();
    assert_eq!(zeros.len(), 3);
    for of in &zeros {
        assert_eq!(
            of.zeros,
            of.numbers - (of.numbers as f64 * 0.3).round() as usize
        );
    }
    for (weight, old) in model.weights().zip(&before) {
        let kept = |of: &&(&f32, &f32)| *of.0 != 0.0;
        let pairs: Vec<_> = weight.values.iter().zip(old).collect();
        if weight.name != "kernel" {
            assert_eq!(&weight.values, old);
            continue;
        }
        let least = pairs
            .iter()
            .filter(kept)
            .map(|of| of.1.abs())
            .fold(f32::MAX, f32::min);
        for (now, old) in pairs {
            assert!(now == old || *now == 0.0 && old.abs() <= least);
        }
    }
    // A second time nothing is left to prune.
    let once = model.clone();
    model.prune(&Prune::new(0.7)).unwrap();
    assert_eq!(model, once);
}

#[test]
fn layers_may_be_compared_or_chosen() {
    let mut one = model("sgd");
    for x in &mut one.layer_mut("dense").unwrap().weights[0].values {
        *x *= 1e6;
    }
    let global = one.clone().prune(&Prune::new(0.6).global(true)).unwrap();
    assert_eq!(global[0].zeros, 0);
    assert!((Zeros::total(&global) - 0.6).abs() < 0.005, "{global:?}");
    // Each layer keeps something.
    let most = one.clone().prune(&Prune::new(0.99).global(true)).unwrap();
    assert!(most.iter().all(|of| of.zeros < of.numbers), "{most:?}");
    let named = Prune::new(0.5).layers(vec!["dense_1".into()]);
    let named = one.prune(&named).unwrap();
    assert_eq!([named[0].zeros, named[1].zeros, named[2].zeros], [0, 45, 0]);
}

#[test]
fn blocks_become_zeros_together() {
    let mut model = model("sgd");
    let zeros = model.prune(&Prune::new(0.5).block_size([4, 2])).unwrap();
    // 6 × 10 has 2 × 5 blocks; the lower ones have two rows.
    let kernel = &model.layer("dense").unwrap().weights[0].values;
    for block in 0..10 {
        let (top, left) = (block / 5 * 4, block % 5 * 2);
        let rows = top..(top + 4).min(6);
        let all: Vec<bool> = rows
            .flat_map(|row| {
                [
                    kernel[row * 10 + left] == 0.0,
                    kernel[row * 10 + left + 1] == 0.0,
                ]
            })
            .collect();
        assert!(all.iter().all(|&zero| zero == all[0]), "{all:?}");
    }
    assert!(zeros[0].zeros > 0);
}

#[test]
fn every_optimizer_keeps_the_zeros() {
    for name in OPTIMIZERS {
        let plain = Optimizer::from(name);
        let averaged = Optimizer::from(name).use_ema(0.9);
        let gathered = Optimizer::from(name).gradient_accumulation_steps(2);
        let clipped = Optimizer::from(name).clipvalue(0.5).weight_decay(0.01);
        for optimizer in [plain, averaged, gathered, clipped] {
            let mut pruned = model(optimizer);
            pruned.prune(&Prune::new(0.6)).unwrap();
            let before = pruned.clone();
            let fit = Fit::new().epochs(3).batch_size(8);
            pruned
                .fit(data(), fit.callback(Pruning::keep_zeros()))
                .unwrap();
            assert_eq!(places(&pruned), places(&before), "{name}");
            assert_ne!(pruned.layers[3].weights, before.layers[3].weights, "{name}");
            // Without the callback they are trained.
            let mut other = before;
            other.fit(data(), Fit::new().epochs(1)).unwrap();
            assert!(shares(&other)[0] < 0.3, "{name}");
        }
    }
}

/// Notes the share of zeros behind each step.
struct Shares(Vec<f64>);

impl Callback for Shares {
    fn on_train_batch_end(
        &mut self,
        _: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> gradus::Result<()> {
        self.0.push(shares(training.model())[0]);
        Ok(())
    }
}

#[test]
fn the_share_follows_the_polynomial_and_stays() {
    let mut seen = Shares(Vec::new());
    let pruning = Pruning::new(0.8)
        .initial_sparsity(0.2)
        .begin_step(3)
        .end_step(13)
        .frequency(4);
    let fit = Fit::new()
        .epochs(4)
        .batch_size(8)
        .callback(pruning)
        .callback(&mut seen);
    model("adam").fit(data(), fit).unwrap();
    // 5 steps an epoch; it prunes at 3, 7, 11 and, though 13 is none of them, at the end.
    let share = |step: usize| match step {
        0..3 => 0.0,
        13.. => 0.8,
        _ => {
            let last = 3 + (step - 3) / 4 * 4;
            0.8 - 0.6 * (1.0 - (last - 3) as f64 / 10.0).powi(3)
        }
    };
    assert_eq!(seen.0.len(), 20);
    for (step, found) in seen.0.iter().enumerate() {
        let kept = (60.0 * (1.0 - share(step))).round();
        assert!(
            (found - (1.0 - kept / 60.0)).abs() < 1e-9,
            "step {step}: {found}"
        );
    }
}

#[test]
fn an_epoch_counts_once_the_last_share_is_reached() {
    struct Falling;
    impl Callback for Falling {
        fn on_epoch_end(
            &mut self,
            epoch: usize,
            logs: &Logs,
            training: &mut Training<'_>,
        ) -> gradus::Result<()> {
            // The first epoch would be the best one: its rate is the only one that is not 0.
            let _ = (epoch, logs);
            training.set_learning_rate(0.0);
            Ok(())
        }
    }
    let mut pruned = model("adam");
    let stopping = EarlyStopping::new()
        .monitor("loss")
        .patience(1)
        .restore_best_weights(true);
    let fit = Fit::new()
        .epochs(8)
        .batch_size(8)
        .callback(Pruning::new(0.9).frequency(5));
    let history = pruned
        .fit(data(), fit.callback(stopping).callback(Falling))
        .unwrap();
    assert!(history.epochs.len() > 5, "it stopped before it was pruned");
    assert!(
        shares(&pruned).iter().all(|&share| share > 0.85),
        "{:?}",
        shares(&pruned)
    );
}

/// Ends a training by an error.
struct Fails;

impl Callback for Fails {
    fn on_train_batch_end(&mut self, _: &Progress<'_>, _: &mut Training<'_>) -> gradus::Result<()> {
        Err(Error::other("enough"))
    }
}

#[test]
fn zeros_are_kept_for_one_training_however_it_ends() {
    let mut pruned = model("adam");
    pruned.prune(&Prune::new(0.6)).unwrap();
    let fit = Fit::new().callback(Pruning::keep_zeros()).callback(Fails);
    assert!(pruned.fit(data(), fit).is_err());
    pruned.fit(data(), Fit::new()).unwrap();
    assert!(shares(&pruned)[0] < 0.3);
}

#[test]
fn a_schedule_must_end_within_the_training() {
    let refused = |pruning: Pruning| {
        let fit = Fit::new().epochs(2).batch_size(8).callback(pruning);
        model("adam").fit(data(), fit).unwrap_err().to_string()
    };
    let message = refused(Pruning::new(0.5).end_step(10));
    assert!(
        message.contains("end_step") && message.contains("10 steps"),
        "{message}"
    );
    let message = refused(Pruning::new(0.5).begin_step(9).end_step(4));
    assert!(message.contains("begin_step"), "{message}");
    for (pruning, key) in [
        (Pruning::new(1.0), "final_sparsity"),
        (Pruning::new(f64::NAN), "final_sparsity"),
        (Pruning::new(0.5).initial_sparsity(0.6), "initial_sparsity"),
        (Pruning::new(0.5).frequency(0), "frequency"),
        (Pruning::new(0.5).block_size([0, 1]), "block_size"),
        (Pruning::new(0.5).layers(vec!["dens".into()]), "dense"),
        (Pruning::new(0.5).layers(vec!["batch*".into()]), "layers"),
        (Pruning::keep_zeros().end_step(3), "end_step"),
    ] {
        let message = refused(pruning);
        assert!(
            message.contains("Pruning") && message.contains(key),
            "{message}"
        );
    }
    let fit = Fit::new().callback(Pruning::keep_zeros());
    let error = model("ftrl").fit(data(), fit).unwrap_err().to_string();
    assert!(error.contains("Ftrl"), "{error}");
    let mut positive = Sequential::new()
        .input([6])
        .add(
            Dense::new(3)
                .kernel_constraint("non_neg")
                .activation("softmax"),
        )
        .compile("adam", "sparse_categorical_crossentropy", &[])
        .unwrap();
    let fit = Fit::new().callback(Pruning::new(0.5));
    let error = positive.fit(data(), fit).unwrap_err().to_string();
    assert!(
        error.contains("NonNeg") && error.contains("layer dense"),
        "{error}"
    );
    let mut zero = model("adam");
    zero.layer_mut("dense").unwrap().weights[0].values.fill(0.0);
    let fit = Fit::new().callback(Pruning::keep_zeros());
    let error = zero.fit(data(), fit).unwrap_err();
    assert!(error.to_string().contains("layer dense"), "{error}");
    // As the last layer of a table's recipe begins.
    let mut zero = model("adam");
    let last = zero.layer_mut("dense_2").unwrap();
    last.weights[0].values.fill(0.0);
    let fit = Fit::new().callback(Pruning::new(0.5));
    let error = zero.fit(data(), fit).unwrap_err().to_string();
    assert!(
        error.contains("layer dense_2") && error.contains("begin_step"),
        "{error}"
    );
    let fit = Fit::new().epochs(4).batch_size(8);
    let pruning = Pruning::new(0.5).begin_step(5).frequency(2);
    zero.fit(data(), fit.callback(pruning)).unwrap();
    assert!((shares(&zero)[2] - 0.5).abs() < 0.05, "{:?}", shares(&zero));
}

#[test]
fn a_model_without_kernels_or_with_nan_is_not_pruned() {
    let mut plain = Sequential::new()
        .input([3])
        .add(BatchNormalization::new())
        .build()
        .unwrap();
    assert!(matches!(
        plain.prune(&Prune::new(0.5)),
        Err(Error::Invalid { .. })
    ));
    let mut broken = model("sgd");
    broken.layer_mut("dense_1").unwrap().weights[0].values[0] = f32::NAN;
    let error = broken.prune(&Prune::new(0.5)).unwrap_err().to_string();
    assert!(error.contains("dense_1"), "{error}");
}
