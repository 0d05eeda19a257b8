//! Several ranks, each with its rows of every batch, train to the bits of one.

use gradus::layers;
use gradus::prelude::*;
use gradus::ranks::{InProcess, in_process};
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
