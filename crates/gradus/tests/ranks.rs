//! Several ranks, each with its rows of every batch, train to the bits of one.

use gradus::layers;
use gradus::prelude::*;
use gradus::ranks::{Collective, InProcess, in_process};
use gradus::rules::optimizers::Optimizer;
use gradus::train::{Precision, QuantizationAware};
use gradus::{Error, Result};
use std::sync::Arc;

/// A model's file, and the bits of the values of each epoch by name.
type Trained = (Vec<u8>, Vec<Vec<(String, u64)>>);

/// The files of the models that `train` makes on that many ranks, with the history of each.
fn on_ranks(
    ranks: usize,
    train: impl Fn(Fit<'static>) -> Result<(Model, History)> + Sync,
) -> Vec<Trained> {
    let folder = tempfile::tempdir().unwrap();
    let run = |number: usize, options: Fit<'static>| {
        let (model, history) = train(options).unwrap();
        let path = folder.path().join(format!("{number}.keras"));
        model.save(&path).unwrap();
        let epochs = history.epochs.iter().map(|epoch| {
            let logs = epoch.logs.iter();
            logs.map(|(name, value)| (name.to_owned(), value.to_bits()))
                .collect()
        });
        (std::fs::read(path).unwrap(), epochs.collect())
    };
    if ranks == 0 {
        return vec![run(0, Fit::new())];
    }
    each_rank(ranks, run)
}

/// The results of a run on each of so many ranks, which are threads.
fn each_rank<T: Send>(ranks: usize, run: impl Fn(usize, Fit<'static>) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let run = &run;
        let start = |(n, rank): (usize, InProcess)| {
            scope.spawn(move || run(n, Fit::new().ranks(Arc::new(rank))))
        };
        let started: Vec<_> = in_process(ranks)
            .unwrap()
            .into_iter()
            .enumerate()
            .map(start)
            .collect();
        started
            .into_iter()
            .map(|rank| rank.join().unwrap())
            .collect()
    })
}

/// Holds 1, 2, 3 and 4 ranks against a training without any.
fn same_on_any_number(train: impl Fn(Fit<'static>) -> Result<(Model, History)> + Sync) {
    let alone = on_ranks(0, &train).remove(0);
    for ranks in [1, 2, 3, 4] {
        for (rank, trained) in on_ranks(ranks, &train).into_iter().enumerate() {
            assert_eq!(trained.1, alone.1, "history of rank {rank} of {ranks}");
            assert!(trained.0 == alone.0, "model of rank {rank} of {ranks}");
        }
    }
}

/// Rows of the digits, so few that the last batch of 32 has 5.
fn rows() -> Dataset {
    first(32 * 6 + 5)
}

fn first(rows: usize) -> Dataset {
    let rows: Vec<usize> = (0..rows).collect();
    data::digits(Split::Train).unwrap().take(&rows).unwrap()
}

fn hidden(units: usize, activation: &str) -> Dense {
    Dense::new(units)
        .activation(activation)
        .kernel_initializer("he_normal")
}

fn output() -> Dense {
    Dense::new(10).activation("softmax")
}

/// The book's network, smaller, with all that sums over rows.
fn network() -> Sequential {
    Sequential::new()
        .add(Flatten::new())
        .add(BatchNormalization::new())
        .add(hidden(50, "elu"))
        .add(Dropout::new(0.2))
        .add(hidden(33, "relu"))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.1))
        .add(output())
}

fn fit(
    layers: Sequential,
    optimizer: impl Into<Optimizer>,
    options: Fit<'static>,
) -> Result<(Model, History)> {
    let mut model = layers.compile(
        optimizer,
        "sparse_categorical_crossentropy",
        &["accuracy".into()],
    )?;
    let options = options.epochs(2).validation_split(0.15).health_every(3);
    let history = model.fit(rows(), options)?;
    Ok((model, history))
}

#[test]
fn a_network_with_dropout_and_batch_normalization() {
    same_on_any_number(|options| fit(network(), Nadam::new().learning_rate(0.01), options));
}

#[test]
fn a_network_whose_gradient_is_clipped_as_a_whole() {
    same_on_any_number(|options| {
        fit(
            network(),
            Adam::new().learning_rate(0.01).global_clipnorm(0.5),
            options,
        )
    });
}

#[test]
fn a_network_that_gathers_gradients() {
    same_on_any_number(|options| {
        let optimizer = SGD::new()
            .momentum(0.9)
            .learning_rate(0.05)
            .gradient_accumulation_steps(3)
            .use_ema(0.9)
            .weight_decay(0.01);
        fit(network(), optimizer, options)
    });
}

#[test]
fn a_training_that_ends_early_on_a_schedule_with_class_weights() {
    same_on_any_number(|options| {
        let mut model = network().compile(
            SGD::new().momentum(0.9),
            "sparse_categorical_crossentropy",
            &["accuracy".into()],
        )?;
        let options = options
            .epochs(8)
            .batch_size(20)
            .schedule(OneCycle::new(0.5))
            .class_weight(&[(3, 2.5), (7, 0.0)])
            .validation_split(0.2)
            .callback(EarlyStopping::new().patience(1).restore_best_weights(true));
        let history = model.fit(rows(), options)?;
        Ok((model, history))
    });
}

#[test]
fn convolutions_and_pictures_that_are_changed_at_random() {
    same_on_any_number(|options| {
        let layers = Sequential::new()
            .add(layers::Reshape::new([8, 8, 1]))
            .add(layers::RandomTranslation::new(0.1, 0.1))
            .add(
                layers::Conv2D::new(5, 3)
                    .activation("relu")
                    .padding(layers::Padding::Same),
            )
            .add(layers::BatchNormalization::new())
            .add(layers::Conv2D::new(6, 1).activation("elu"))
            .add(layers::MaxPooling2D::new(2))
            .add(layers::SpatialDropout2D::new(0.1))
            .add(layers::Conv2D::new(7, 3).activation("relu"))
            .add(layers::BatchNormalization::new())
            .add(Flatten::new())
            .add(output());
        fit(layers, Adam::new(), options)
    });
}

#[test]
fn layers_of_every_kind_of_sum() {
    same_on_any_number(|options| {
        let layers = Sequential::new()
            .add(Flatten::new())
            .add(layers::GaussianNoise::new(0.1))
            .add(hidden(24, "linear").kernel_regularizer(L2::new(0.01)))
            .add(layers::PReLU::new())
            .add(layers::LayerNormalization::new())
            .add(layers::ActivityRegularization::new(0.001, 0.002))
            .add(layers::AlphaDropout::new(0.1))
            .add(hidden(9, "tanh").kernel_constraint(gradus::rules::constraints::MaxNorm::new(1.0)))
            .add(output());
        fit(layers, gradus::rules::optimizers::Lamb::new(), options)
    });
}

#[test]
fn mixtures_and_rounded_products() {
    same_on_any_number(|options| {
        let options = options.mixup(0.4).precision(Precision::MixedBfloat16);
        fit(network(), Adam::new(), options)
    });
}

#[test]
fn ranges_of_the_whole_batch() {
    same_on_any_number(|options| {
        let options = options.quantization_aware(QuantizationAware::new());
        fit(network(), Adam::new(), options)
    });
}

/// The errors of ranks that `train` leads apart.
fn errors(ranks: usize, train: impl Fn(usize, Fit<'static>) -> Result<()> + Sync) -> Vec<String> {
    let ended = each_rank(ranks, train).into_iter();
    ended.map(|ended| ended.unwrap_err().to_string()).collect()
}

#[test]
fn ranks_that_differ_are_named_before_the_first_step() {
    let found = errors(3, |n, options| {
        let optimizer = SGD::new().learning_rate(if n == 2 { 0.02 } else { 0.01 });
        fit(network(), optimizer, options).map(drop)
    });
    assert!(
        found.iter().all(|e| e.starts_with("rank 2: its model is ")),
        "{found:?}"
    );

    let found = errors(2, |n, options| {
        let mut model = network().compile(SGD::new(), "sparse_categorical_crossentropy", &[])?;
        model.fit(first(100 - n), options).map(drop)
    });
    assert!(
        found[0].starts_with("rank 1: its training data is 99 rows, "),
        "{found:?}"
    );
    assert_eq!(found[0], found[1]);

    let found = errors(2, |n, options| {
        fit(network(), SGD::new(), options.batch_size(16 + n)).map(drop)
    });
    assert!(found[0].contains("in batches of 17"), "{found:?}");
}

#[test]
fn a_rank_that_breaks_off_ends_the_others_by_name() {
    struct Breaks;
    impl Callback for Breaks {
        fn on_epoch_end(
            &mut self,
            _: usize,
            _: &gradus::train::Logs,
            _: &mut gradus::train::Training<'_>,
        ) -> Result<()> {
            Err(Error::other("the disk is full"))
        }
    }
    let found = errors(3, |n, options| {
        let options = if n == 1 {
            options.callback(Breaks)
        } else {
            options
        };
        fit(network(), SGD::new(), options).map(drop)
    });
    assert_eq!(found[0], "rank 1: the disk is full");
    assert_eq!(found[1], "the disk is full");
    assert_eq!(found[2], found[0]);
}

#[test]
fn a_training_that_blows_up_does_so_on_all_ranks() {
    let found = errors(2, |_, options| {
        fit(network(), SGD::new().learning_rate(1e30), options).map(drop)
    });
    assert!(found[0].contains("the loss is"), "{found:?}");
    assert_eq!(found[0], found[1]);
}

/// The models that ranks make which add their sums up, from the first to the last.
fn inexact(
    ranks: usize,
    train: &(impl Fn(Fit<'static>) -> Result<(Model, History)> + Sync),
) -> Vec<Trained> {
    on_ranks(ranks, |options| train(options.exact_ranks(false)))
}

/// Holds ranks that add sums up against a training without any: the same bits on all ranks and each time,
/// others than those of one, and as near as rounding.
fn near_on_any_number(train: impl Fn(Fit<'static>) -> Result<(Model, History)> + Sync) {
    let alone = train(Fit::new()).unwrap().0;
    // Of 7, some have no row of the last batch.
    for ranks in [2, 3, 7] {
        let first = inexact(ranks, &train);
        for (rank, found) in first.iter().enumerate() {
            assert!(*found == first[0], "rank {rank} of {ranks}");
        }
        assert!(
            inexact(ranks, &train)[0] == first[0],
            "{ranks} ranks, again"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.keras");
        std::fs::write(&path, &first[0].0).unwrap();
        let found = Model::load(&path).unwrap();
        let mut differs = false;
        for (a, b) in found.weights().zip(alone.weights()) {
            let most = b.values.iter().fold(0.01_f32, |most, x| most.max(x.abs()));
            for (x, y) in a.values.iter().zip(&b.values) {
                differs |= x != y;
                assert!((x - y).abs() <= 1e-3 * most, "{ranks} ranks: {x} and {y}");
            }
        }
        assert!(differs, "{ranks} ranks have the bits of one");
    }
}

#[test]
fn gradients_that_are_added_up_are_as_near_as_rounding() {
    near_on_any_number(|options| fit(network(), SGD::new().learning_rate(0.05), options));
    near_on_any_number(|options| {
        let optimizer = SGD::new()
            .momentum(0.9)
            .learning_rate(0.02)
            .global_clipnorm(0.5)
            .gradient_accumulation_steps(3)
            .weight_decay(0.01);
        fit(network(), optimizer, options)
    });
}

#[test]
fn gradients_of_convolutions_and_penalties_are_added_up_too() {
    near_on_any_number(|options| {
        let layers = Sequential::new()
            .add(layers::Reshape::new([8, 8, 1]))
            .add(layers::Conv2D::new(5, 3).activation("relu"))
            .add(layers::DepthwiseConv2D::new(3).padding(layers::Padding::Same))
            .add(layers::BatchNormalization::new())
            .add(layers::Conv2D::new(6, 1).activation("elu"))
            .add(layers::LayerNormalization::new())
            .add(Flatten::new())
            .add(hidden(24, "tanh").kernel_regularizer(L2::new(0.01)))
            .add(layers::ActivityRegularization::new(0.001, 0.002))
            .add(output());
        fit(layers, SGD::new().learning_rate(0.05), options)
    });
}

#[test]
fn ranks_that_disagree_about_exactness_are_named() {
    let found = errors(2, |n, options| {
        fit(network(), SGD::new(), options.exact_ranks(n == 0)).map(drop)
    });
    assert!(found[0].contains("not exact"), "{found:?}");
}

/// The results of `ask` on each of so many ranks.
fn asked<T: Send>(ranks: usize, ask: impl Fn(Arc<dyn Collective>) -> Result<T> + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let ask = &ask;
        let ranks = in_process(ranks).unwrap().into_iter();
        let started: Vec<_> = ranks
            .map(|rank| scope.spawn(move || ask(Arc::new(rank)).unwrap()))
            .collect();
        started
            .into_iter()
            .map(|rank| rank.join().unwrap())
            .collect()
    })
}

#[test]
fn a_model_is_measured_and_asked_by_several_ranks_with_the_bits_of_one() {
    let train = |layers: Sequential| fit(layers, Adam::new(), Fit::new()).unwrap().0;
    let (model, noisy) = (
        train(network()),
        train(
            Sequential::new()
                .add(Flatten::new())
                .add(layers::MCDropout::new(0.3))
                .add(output()),
        ),
    );
    let rows = first(700);
    let stream = || {
        let rows = rows.clone();
        gradus::data::Stream::new(Slices(rows))
            .unwrap()
            .memory(60_000)
    };
    let measured = model.evaluate(&rows).unwrap();
    let predicted = model.predict_all(&rows).unwrap();
    let drawn = noisy
        .clone()
        .predictor()
        .unwrap()
        .predict_all(&rows)
        .unwrap();
    let sampled = model.predict_mc_samples(&rows, 30).unwrap();
    for ranks in [1, 2, 3, 5] {
        for found in asked(ranks, |rank| model.evaluate_on_ranks(&rows, rank)) {
            assert_eq!(found, measured, "{ranks} ranks");
        }
        for found in asked(ranks, |rank| model.evaluate_on_ranks(stream(), rank)) {
            assert_eq!(found, model.evaluate(stream()).unwrap(), "{ranks} ranks");
        }
        for found in asked(ranks, |rank| {
            model.predictor()?.on_ranks(rank).predict_all(&rows)
        }) {
            assert_eq!(found, predicted, "{ranks} ranks");
        }
        for found in asked(ranks, |rank| {
            model.predictor()?.on_ranks(rank).predict_all(stream())
        }) {
            assert_eq!(found, predicted, "{ranks} ranks");
        }
        for found in asked(ranks, |rank| {
            noisy.clone().predictor()?.on_ranks(rank).predict_all(&rows)
        }) {
            assert_eq!(found, drawn, "{ranks} ranks");
        }
        for found in asked(ranks, |rank| {
            model.predict_mc_on_ranks(&rows, 30, true, rank)
        }) {
            let words = |of: &[gradus::train::McPrediction]| format!("{of:?}");
            assert_eq!(words(&found), words(&sampled), "{ranks} ranks");
        }
    }
    let found = std::thread::scope(|scope| {
        let (model, rows) = (&model, &rows);
        let start = |(n, rank): (usize, InProcess)| {
            scope.spawn(move || {
                let rows: Vec<usize> = (0..rows.rows() - n).collect();
                model
                    .evaluate_on_ranks(first(rows.len()), Arc::new(rank))
                    .unwrap_err()
                    .to_string()
            })
        };
        let ranks = in_process(2).unwrap().into_iter().enumerate();
        let started: Vec<_> = ranks.map(start).collect();
        started
            .into_iter()
            .map(|rank| rank.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert!(
        found[0].starts_with("rank 1: its data is 699 rows, "),
        "{found:?}"
    );
}

/// Rows that are read as they are needed.
struct Slices(Dataset);

impl gradus::data::Rows for Slices {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn read(&mut self, rows: std::ops::Range<usize>) -> Result<Dataset> {
        self.0.take(&rows.collect::<Vec<_>>())
    }
}
