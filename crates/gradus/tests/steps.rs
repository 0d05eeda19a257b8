//! Trainings that are ended at a step, and go on from it to the same bits.

mod common;

use common::Folder;
use gradus::experiment::run_folder::MODEL;
use gradus::experiment::{Event, Experiment, Outcome};
use gradus::{Error, Result};

/// A table with numbers, a category, weights, a class and a number to predict.
fn table() -> String {
    let mut text = String::from("a,b,kind,w,class,price\n");
    for row in 0..240_u32 {
        let (a, b) = (row * 37 % 101, row * row % 89);
        let (kind, w) = (["x", "y", "z"][row as usize % 3], 1 + row % 4);
        let class = if (a + b) % 100 > 45 { "high" } else { "low" };
        text += &format!("{a},{b},{kind},{w},{class},{}\n", a * 2 + b);
    }
    text
}

/// The layers of a chain behind the table's columns, with noise and gathered statistics.
const TABLE: &str = r#"
seed = 5
[data]
table = "t.csv"
target = "class"
columns = { price = "drop" }
sample_weight = "w"
validation = { fraction = 0.2, shuffle = true }
[model]
layers = [
  { type = "Dense", name = "hidden", units = 8, activation = "elu" },
  { type = "BatchNormalization" },
  { type = "Dropout", rate = 0.2 },
  { type = "Dense", units = 2, activation = "softmax" },
]
[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
optimizer = { type = "Adam", learning_rate = 0.01 }
batch_size = 16
epochs = 4
"#;

/// A place at which a training is ended with an error.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Step(usize),
    LastStep,
    Validation,
    End,
}

/// Places, and the epochs that they are in.
const PLACES: [(usize, Place); 6] = [
    (0, Place::Step(0)),
    (1, Place::Step(5)),
    (1, Place::Step(6)),
    (1, Place::Validation),
    (1, Place::End),
    (2, Place::LastStep),
];

/// The results that are the same however often a run is interrupted.
fn lasting(outcome: &Outcome) -> (Vec<Vec<u32>>, String) {
    let bits = |values: &Vec<f32>| values.iter().map(|x| x.to_bits()).collect();
    let weights = outcome.model.weights().map(|w| bits(&w.values)).collect();
    let mut history = outcome.history.clone();
    history
        .epochs
        .iter_mut()
        .for_each(|epoch| epoch.seconds = 0.0);
    (weights, history.to_csv())
}

/// Runs, and ends at each place in turn; the number of steps in all.
fn in_pieces(experiment: &Experiment) -> (Outcome, usize) {
    let (mut steps, mut experiment) = (0, experiment.clone());
    for (epoch, place) in PLACES {
        let ended = experiment.run(|event| {
            let here = match event {
                Event::BatchEnd(p) => {
                    steps += 1;
                    let last = p.batch + 1 == p.batches && place == Place::LastStep;
                    p.epoch == epoch && (last || place == Place::Step(p.batch))
                }
                Event::ValidationBatchEnd(p) => (p.epoch, Place::Validation) == (epoch, place),
                Event::EpochEnd { epoch: ended, .. } => (ended.epoch, Place::End) == (epoch, place),
                _ => false,
            };
            if here {
                Err(Error::Interrupted)
            } else {
                Ok(())
            }
        });
        let error = ended.map(drop).unwrap_err();
        assert!(matches!(error, Error::Interrupted), "{error}");
        experiment = experiment.resume();
    }
    let outcome = experiment.run(|event| {
        steps += usize::from(matches!(event, Event::BatchEnd(_)));
        Ok(())
    });
    (outcome.unwrap(), steps)
}

/// Compares a run with one that is ended at places inside its epochs.
fn compare(folder: &Folder, name: &str, experiment: Experiment) {
    let (straight, pieces) = (folder.path("straight"), folder.path("pieces"));
    let mut steps = 0;
    let whole = experiment.clone().out(&straight).run(|event| {
        steps += usize::from(matches!(event, Event::BatchEnd(_)));
        Ok(())
    });
    let whole = whole.unwrap_or_else(|error| panic!("{name}: {error}"));
    let (resumed, taken) = in_pieces(&experiment.out(&pieces));
    // No step is lost, and none is taken twice.
    assert_eq!(taken, steps, "{name}");
    assert_eq!(lasting(&whole), lasting(&resumed), "{name}");
    let file = |folder: &std::path::Path| std::fs::read(folder.join(MODEL)).unwrap();
    assert!(file(&straight) == file(&pieces), "{name}");
    for path in [straight, pieces] {
        std::fs::remove_dir_all(path).unwrap();
    }
}

/// The table's experiment with settings.
fn of_table(folder: &Folder, sets: &[&str]) -> Result<Experiment> {
    let experiment = Experiment::read(folder.write("c.toml", TABLE))?;
    sets.iter().try_fold(experiment, |e, set| e.set(set))
}

#[test]
fn a_training_goes_on_inside_an_epoch_to_the_same_bits() {
    let folder = Folder::new();
    folder.write("t.csv", table());
    let average = "train.optimizer={type='Nadam', learning_rate=0.01, use_ema=true, \
                   ema_momentum=0.9, ema_overwrite_frequency=3, gradient_accumulation_steps=2}";
    let own_schedule = "train.optimizer={type='SGD', momentum=0.9, nesterov=true, learning_rate=\
                        {type='ExponentialDecay', initial_learning_rate=0.1, decay_steps=7, \
                        decay_rate=0.9}}";
    let cycle = "train.schedule={type='OneCycle', max_rate=0.05}";
    let plateau = "callbacks.reduce_lr_on_plateau={factor=0.5, patience=1, min_delta=10.0}";
    let best = "callbacks.early_stopping={patience=2, restore_best_weights=true}";
    let unfreezing = "callbacks.gradual_unfreezing={factor=0.5, stages=[{epoch=0, layers=1}, \
                      {epoch=2, layers=['*'], learning_rate=0.002}]}";
    let two = "data={table='t.csv', target=['class', 'price'], validation={fraction=0.2}}";
    let recipe = "model={recipe='default', hidden=[8]}";
    for (name, sets) in [
        ("weighted averages", &[average, plateau][..]),
        ("the optimizer's schedule", &[own_schedule, best]),
        ("1cycle", &[cycle, "train.precision=mixed_bfloat16"]),
        ("unfreezing", &[unfreezing]),
        (
            "gathered metrics",
            &[
                "train.weighted_metrics=['accuracy']",
                "train.metrics=['F1Score', 'AUC']",
            ],
        ),
        ("streamed", &["data.memory='100 kB'", average]),
        (
            "two targets",
            &[
                two,
                recipe,
                "train={epochs=4, batch_size=16, metrics={price=['r2_score']}}",
            ],
        ),
    ] {
        let experiment = of_table(&folder, sets);
        compare(&folder, name, experiment.unwrap());
    }
}

#[test]
fn mixed_pictures_go_on_inside_an_epoch_to_the_same_bits() {
    let text = r#"
        data = { dataset = "digits", validation = { first = 1200 }, scale = "unit" }
        [model]
        layers = [
          { type = "Reshape", target_shape = [8, 8, 1] },
          { type = "RandomTranslation", height_factor = 0.1, width_factor = 0.1 },
          { type = "Flatten" },
          { type = "Dense", units = 10, activation = "softmax" },
        ]
        [train]
        loss = "sparse_categorical_crossentropy"
        optimizer = "Lion"
        mixup = 0.2
        batch_size = 16
        epochs = 3
    "#;
    let experiment = Experiment::from_toml(text).unwrap();
    compare(&Folder::new(), "mixup", experiment);
}

#[test]
fn a_pretraining_goes_on_from_its_step_to_the_same_bits() {
    let folder = Folder::new();
    folder.write("t.csv", table());
    let layers = "model.layers=[{type='Dense', units=8, activation='elu'}, {type='Dense', units=4, \
                  activation='tanh'}, {type='Dense', units=2, activation='softmax'}]";
    let average = "optimizer={type='Nadam', use_ema=true, ema_momentum=0.8}";
    for (name, pretrain) in [
        ("at once", "type='autoencoder', dropout=0.1"),
        (
            "greedy",
            "type='autoencoder', greedy=true, tied=true, noise=0.1",
        ),
        ("masked", "type='masked_features'"),
        ("pairs", "type='siamese', noise=0.1"),
        ("triplets", "type='siamese', triplets=true"),
    ] {
        let pretrain = format!("pretrain={{{pretrain}, epochs=2, batch_size=32, {average}}}");
        let experiment = of_table(&folder, &[layers, &pretrain, "train.epochs=1"]).unwrap();
        pretrain_in_pieces(&folder, name, experiment);
    }
}

#[test]
fn a_stack_of_rbms_goes_on_from_its_step_to_the_same_bits() {
    let text = r#"
        data = { dataset = "digits", rows = 160 }
        [model]
        layers = [
          { type = "Flatten" },
          { type = "Dense", units = 8, activation = "sigmoid" },
          { type = "Dropout", rate = 0.1 },
          { type = "Dense", units = 6, activation = "sigmoid" },
          { type = "Dense", units = 10, activation = "softmax" },
        ]
        [train]
        loss = "sparse_categorical_crossentropy"
        optimizer = "sgd"
        [pretrain]
        type = "rbm"
        epochs = 2
        k = 2
    "#;
    let experiment = Experiment::from_toml(text).unwrap();
    pretrain_in_pieces(&Folder::new(), "rbm", experiment);
}

/// Pretrains at once, and with an end behind every fourth step.
fn pretrain_in_pieces(folder: &Folder, name: &str, experiment: Experiment) {
    let (straight, pieces) = (folder.path("straight"), folder.path("pieces"));
    let (mut steps, mut told) = (0, Vec::new());
    let whole = experiment.clone().out(&straight).run(|event| {
        steps += usize::from(matches!(event, Event::PretrainBatchEnd(_)));
        if let Event::Pretrained { history, .. } = event {
            told.push(history.get("loss"));
        }
        Ok(())
    });
    let whole = whole.unwrap_or_else(|error| panic!("{name}: {error}"));
    let (mut experiment, mut taken, mut again) = (experiment.out(&pieces), 0, Vec::new());
    let resumed = loop {
        let before = taken;
        let ended = experiment.run(|event| match event {
            Event::PretrainBatchEnd(_) => {
                taken += 1;
                let enough = taken == before + 4;
                if enough {
                    Err(Error::Interrupted)
                } else {
                    Ok(())
                }
            }
            Event::Pretrained { history, .. } => {
                again.push(history.get("loss"));
                Ok(())
            }
            _ => Ok(()),
        });
        experiment = experiment.resume();
        match ended {
            Err(Error::Interrupted) => {}
            ended => break ended.unwrap_or_else(|error| panic!("{name}: {error}")),
        }
    };
    assert!(steps > 8 && taken == steps, "{name}: {taken} of {steps}");
    assert_eq!(told, again, "{name}");
    assert_eq!(lasting(&whole), lasting(&resumed), "{name}");
    for path in [straight, pieces] {
        std::fs::remove_dir_all(path).unwrap();
    }
}
