//! Experiments by the library alone: a configuration, from text to a run folder.

use gradus::experiment::run_folder::{CONFIG, FOLDS, HISTORY, MODEL, PREDICTIONS};
use gradus::experiment::{Event, Experiment, SuggestedRates, check_model, data_to_evaluate};
use gradus::{Error, Model, Result};
use std::fs;
use std::path::PathBuf;

/// A chain without a schedule, so that its epochs are the same however many there are.
const TEXT: &str = r#"
    [data]
    dataset = "digits"
    validation = { fraction = 0.1 }

    [model]
    layers = [
      { type = "Flatten" },
      { type = "Dense", units = 16, activation = "elu" },
      { type = "Dropout", rate = 0.2 },
      { type = "Dense", units = 10, activation = "softmax" },
    ]

    [train]
    loss = "sparse_categorical_crossentropy"
    metrics = ["accuracy"]
    optimizer = { type = "Nadam", learning_rate = 0.01 }
    epochs = 4
"#;

/// A folder that is not there yet.
fn folder(name: &str) -> PathBuf {
    let name = format!("gradus-experiment-{name}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn silent(_: &Event<'_>) -> Result<()> {
    Ok(())
}

fn weights(model: &Model) -> Vec<Vec<u32>> {
    let bits = |values: &Vec<f32>| values.iter().map(|x| x.to_bits()).collect();
    model.weights().map(|weight| bits(&weight.values)).collect()
}

#[test]
fn a_text_is_trained_and_leaves_a_run_folder() {
    let folder = folder("text");
    let experiment = Experiment::from_toml(TEXT).unwrap().out(&folder);
    let mut events = Vec::new();
    let outcome = experiment
        .run(|event| {
            match event {
                Event::DataOpened { description } => {
                    assert!(description.starts_with("rows: "), "{description}");
                    events.push("opened".to_owned());
                }
                Event::TrainBegin { folder: made } => {
                    assert!(made.join(CONFIG).is_file());
                    events.push("begin".to_owned());
                }
                Event::EpochEnd { epoch, epochs } => {
                    events.push(format!("{}/{epochs}", epoch.epoch + 1));
                }
                Event::TrainEnd => events.push("end".to_owned()),
                _ => {}
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(
        events,
        ["opened", "begin", "1/4", "2/4", "3/4", "4/4", "end"]
    );
    assert_eq!(outcome.folder, folder);
    assert_eq!(outcome.history.epochs.len(), 4);
    assert_eq!(outcome.test_data.as_deref(), Some("digits:test"));
    let results = &outcome.results;
    assert_eq!((results.kept, results.restored), (Some(3), None));
    let accuracy = results.training.as_ref().unwrap().get("accuracy");
    assert!(results.training_evaluated && accuracy > Some(0.9));
    assert!(results.validation.as_ref().unwrap().get("loss").is_some());

    let saved = Model::load(folder.join(MODEL)).unwrap();
    assert_eq!(weights(&saved), weights(&outcome.model));
    let history = fs::read_to_string(folder.join(HISTORY)).unwrap();
    assert_eq!(history, outcome.history.to_csv());
    // The folder repeats the run.
    let again = self::folder("text-again");
    let repeated = Experiment::read(folder.join(CONFIG)).unwrap().out(&again);
    let repeated = repeated.run(silent).unwrap();
    assert_eq!(weights(&repeated.model), weights(&outcome.model));
    let occupied = experiment.run(silent).unwrap_err().to_string();
    assert!(occupied.contains("holds a run already"), "{occupied}");
    fs::remove_dir_all(folder).unwrap();
    fs::remove_dir_all(again).unwrap();
}

#[test]
fn an_interrupted_run_is_resumed_to_the_bit() {
    let (straight, broken) = (folder("straight"), folder("broken"));
    let experiment = Experiment::from_toml(TEXT).unwrap();
    let whole = experiment.clone().out(&straight).run(silent).unwrap();
    let experiment = experiment.out(&broken);
    let interrupted = experiment.run(|event| match event {
        Event::BatchEnd(progress) if progress.epoch == 2 => Err(Error::NotReady {
            problem: "that is enough".into(),
        }),
        _ => Ok(()),
    });
    let error = interrupted.unwrap_err();
    assert!(matches!(error, Error::NotReady { .. }), "{error}");
    assert!(!broken.join(MODEL).exists());
    let mut resumed = None;
    let rest = experiment.resume().run(|event| {
        if let Event::Resumed {
            epochs, finished, ..
        } = event
        {
            resumed = Some((*epochs, *finished));
        }
        Ok(())
    });
    let rest = rest.unwrap();
    let (epochs, finished) = resumed.unwrap();
    assert!((1..=2).contains(&epochs) && !finished);
    assert_eq!(weights(&rest.model), weights(&whole.model));
    assert_eq!(rest.history.epochs.len(), 4);
    fs::remove_dir_all(straight).unwrap();
    fs::remove_dir_all(broken).unwrap();
}

#[test]
fn every_fold_is_a_run() {
    let folder = folder("folds");
    let experiment = Experiment::from_toml(TEXT).unwrap();
    let experiment = experiment.set("train.epochs=1").unwrap().out(&folder);
    let mut begun = Vec::new();
    let outcome = experiment.cross_validate(3, |event| {
        if let Event::FoldBegin { fold, folds } = event {
            begun.push((*fold, *folds));
        }
        Ok(())
    });
    let outcome = outcome.unwrap();
    assert_eq!(begun, [(1, 3), (2, 3), (3, 3)]);
    assert_eq!(outcome.measured.folds.len(), 3);
    assert!(outcome.measured.mean("val_accuracy") > Some(0.5));
    let csv = fs::read_to_string(folder.join(FOLDS)).unwrap();
    assert_eq!(csv, outcome.measured.to_csv());
    assert!(folder.join(PREDICTIONS).is_file());
    assert!(folder.join("fold-3").join(MODEL).is_file());
    fs::remove_dir_all(folder).unwrap();
    let one = Experiment::from_toml(TEXT)
        .unwrap()
        .cross_validate(1, silent);
    assert!(matches!(one, Err(Error::Invalid { .. })));
}

#[test]
fn overrides_take_text_or_values() {
    let folder = folder("overrides");
    let experiment = Experiment::from_toml(TEXT).unwrap();
    let experiment = experiment.set("model.layers[1].units=8").unwrap();
    let experiment = experiment.set_value("train.epochs", 1).unwrap();
    let experiment = experiment.set_value("seed", 7).unwrap().out(&folder);
    let outcome = experiment.run(silent).unwrap();
    assert_eq!(outcome.model.seed, 7);
    assert_eq!(outcome.history.epochs.len(), 1);
    assert_eq!(outcome.model.weights().nth(1).unwrap().values.len(), 8);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn errors_name_the_path_of_the_key() {
    let refused = |from: &str, to: &str| {
        let experiment = Experiment::from_toml(&TEXT.replace(from, to)).unwrap();
        experiment.out(folder("refused")).run(silent).unwrap_err()
    };
    let error = refused("epochs = 4", "epochs = 0");
    assert!(
        matches!(&error, Error::Invalid { at, .. } if at == "train.epochs"),
        "{error}"
    );
    let error = refused("elu", "elo").to_string();
    let named = "model.layers[1].activation: unknown activation `elo`; did you mean `elu`?";
    assert_eq!(error, named);
    let experiment = Experiment::from_toml(TEXT).unwrap();
    let experiment = experiment.set("train.batch_size=none").unwrap();
    let error = experiment.run(silent).unwrap_err().to_string();
    assert!(error.starts_with("--set train.batch_size: "), "{error}");
    assert!(!folder("refused").exists());
}

#[test]
fn a_configuration_is_looked_at_without_a_training() {
    let experiment = Experiment::from_toml(TEXT).unwrap();
    let checked = experiment.check(silent).unwrap();
    assert!(checked.rows.starts_with("rows: "), "{}", checked.rows);
    let model = experiment.model(silent).unwrap();
    assert_eq!(model.weights().count(), 4);
    let of_model = check_model(&model, Some("digits:test"), silent).unwrap();
    assert!(
        of_model.rows.starts_with("digits:test: "),
        "{}",
        of_model.rows
    );
    let rows = experiment.data(&model, silent).unwrap();
    assert!(rows.train.rows() > rows.validation.unwrap().rows());
    let test = data_to_evaluate(&model, "digits:test", silent).unwrap();
    assert!(test.rows() > Some(0));
    let curve = experiment.find_learning_rate(silent).unwrap();
    let rates = SuggestedRates::of(&curve).unwrap();
    assert!(rates.rate < rates.max_rate && rates.max_rate < rates.turning_point);
}
