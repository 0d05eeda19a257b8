//! An experiment on several ranks: the files of one process, written by the first rank alone; rows from
//! streams; interruptions that go on with another number of ranks.

use gradus::experiment::{Event, Experiment};
use gradus::ranks::{InProcess, in_process};
use gradus::{Error, Result};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Runs an experiment on that many ranks, the first with `progress`; returns what each has made of it.
fn run(
    experiment: &Experiment,
    ranks: usize,
    progress: impl Fn(&Event<'_>) -> Result<()> + Sync,
) -> Vec<Result<()>> {
    let run = |rank: InProcess| {
        let leads = gradus::ranks::Collective::rank(&rank) == 0;
        let experiment = experiment.clone().ranks(Arc::new(rank));
        match leads {
            true => experiment.run(&progress).map(drop),
            false => experiment.follow(),
        }
    };
    std::thread::scope(|scope| {
        let run = &run;
        let ranks = in_process(ranks).unwrap().into_iter();
        let started: Vec<_> = ranks.map(|rank| scope.spawn(move || run(rank))).collect();
        started
            .into_iter()
            .map(|rank| rank.join().unwrap())
            .collect()
    })
}

/// The model of a run folder, and its history without the seconds.
fn results(folder: &Path) -> (Vec<u8>, Vec<String>) {
    let history = std::fs::read_to_string(folder.join("history.csv")).unwrap();
    let lines = history
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0.to_owned());
    (
        std::fs::read(folder.join("model.keras")).unwrap(),
        lines.collect(),
    )
}

/// Holds an experiment on 2 and 3 ranks against one process.
fn same_on_ranks(text: &str, place: &Path) {
    let of = |out: &str| {
        let path = place.join("config.toml");
        std::fs::write(&path, text).unwrap();
        Experiment::read(path).unwrap().out(place.join(out))
    };
    of("alone").run(|_| Ok(())).unwrap();
    let alone = results(&place.join("alone"));
    for ranks in [2, 3] {
        let out = format!("on-{ranks}");
        for rank in run(&of(&out), ranks, |_| Ok(())) {
            rank.unwrap();
        }
        let (model, history) = results(&place.join(&out));
        assert_eq!(history, alone.1, "{ranks} ranks");
        assert!(model == alone.0, "model of {ranks} ranks");
    }
}

const PICTURES: &str = r#"
    seed = 7
    [data]
    dataset = "digits"
    rows = 300
    validation = { fraction = 0.2 }
    [model]
    layers = [
      { type = "Reshape", target_shape = [8, 8, 1] },
      { type = "RandomTranslation", height_factor = 0.1, width_factor = 0.1 },
      { type = "RandomErasing" },
      { type = "Flatten" },
      { type = "Dense", units = 20, activation = "elu", kernel_initializer = "he_normal" },
      { type = "BatchNormalization" },
      { type = "Dropout", rate = 0.2 },
      { type = "Dense", units = 10, activation = "softmax" },
    ]
    [train]
    loss = "sparse_categorical_crossentropy"
    metrics = ["accuracy"]
    epochs = 3
    optimizer = { type = "Nadam", global_clipnorm = 1.0, gradient_accumulation_steps = 2 }
    [callbacks]
    early_stopping = { monitor = "val_loss", patience = 1, restore_best_weights = true }
    reduce_lr_on_plateau = { factor = 0.5, patience = 1 }
"#;

#[test]
fn pictures_that_are_changed_at_random() {
    let place = tempfile::tempdir().unwrap();
    same_on_ranks(PICTURES, place.path());
}

#[test]
fn a_table_that_is_streamed() {
    let place = tempfile::tempdir().unwrap();
    let mut table = "rooms,town,income,price\n".to_owned();
    for row in 0..6000_u64 {
        let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let town = ["bay", "inland", "", "ocean"][(mixed % 4) as usize];
        let rooms = if mixed % 13 == 0 {
            String::new()
        } else {
            (mixed % 7).to_string()
        };
        writeln!(
            table,
            "{rooms},{town},{}.{},{}",
            mixed % 100,
            mixed % 9,
            mixed % 7 * 3
        )
        .unwrap();
    }
    std::fs::write(place.path().join("t.csv"), table).unwrap();
    let text = r#"
        seed = 3
        [data]
        table = "t.csv"
        target = "price"
        memory = "100 kB"
        validation = { fraction = 0.2 }
        [model]
        recipe = "default"
        hidden = [12, 8]
        [train]
        epochs = 2
        batch_size = 100
    "#;
    same_on_ranks(text, place.path());
}

#[test]
fn an_interrupted_training_goes_on_with_another_number_of_ranks() {
    let place = tempfile::tempdir().unwrap();
    let of = |out: &str| {
        Experiment::from_toml(PICTURES)
            .unwrap()
            .out(place.path().join(out))
    };
    of("whole").run(|_| Ok(())).unwrap();

    let stopped = |event: &Event<'_>| match event {
        Event::BatchEnd(at) if (at.epoch, at.batch) == (1, 3) => Err(Error::Interrupted),
        _ => Ok(()),
    };
    let ends = run(&of("cut"), 3, stopped);
    assert!(matches!(ends[0], Err(Error::Interrupted)), "{ends:?}");
    for end in &ends[1..] {
        let said = end.as_ref().unwrap_err().to_string();
        assert!(said.starts_with("rank 0: "), "{said}");
    }
    let again = |event: &Event<'_>| match event {
        Event::BatchEnd(at) if (at.epoch, at.batch) == (1, 6) => Err(Error::Interrupted),
        _ => Ok(()),
    };
    assert!(run(&of("cut").resume(), 2, again)[0].is_err());
    for rank in run(&of("cut").resume(), 4, |_| Ok(())) {
        rank.unwrap();
    }
    assert!(results(&place.path().join("cut")) == results(&place.path().join("whole")));
}

#[test]
fn what_is_not_shared_out_is_refused() {
    let ranks = in_process(2).unwrap();
    let place = tempfile::tempdir().unwrap();
    let mut experiments = ranks.into_iter().map(|rank| {
        let experiment = Experiment::from_toml(PICTURES)
            .unwrap()
            .out(place.path().join("no"));
        experiment.ranks(Arc::new(rank))
    });
    let (first, second) = (experiments.next().unwrap(), experiments.next().unwrap());
    let said = first.cross_validate(3, |_| Ok(())).unwrap_err().to_string();
    assert!(said.contains("a cross-validation on 2 ranks"), "{said}");
    assert!(first.follow().is_err());
    assert!(second.run(|_| Ok(())).is_err());
    assert!(!place.path().join("no").exists());
}

#[test]
fn only_the_first_rank_writes() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let log = out.join("log.csv");
    let experiment = Experiment::from_toml(PICTURES).unwrap().out(&out);
    let key = "callbacks.csv_logger.filename";
    let experiment = experiment.set_value(key, log.to_str().unwrap()).unwrap();
    // A folder that holds a run is the first rank's to refuse, and ends the other.
    for rank in run(&experiment, 2, |_| Ok(())) {
        rank.unwrap();
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    let lines = |path| std::fs::read_to_string(path).unwrap().lines().count();
    assert_eq!(lines(log), lines(out.join("history.csv")));
    let ends = run(&experiment, 2, |_| Ok(()));
    let said: Vec<String> = ends
        .iter()
        .map(|end| end.as_ref().unwrap_err().to_string())
        .collect();
    assert!(said[0].contains("holds a run already"), "{said:?}");
    assert_eq!(said[1], format!("rank 0: {}", said[0]), "{said:?}");
}

#[test]
fn a_run_whose_ranks_add_sums_up_says_so_and_goes_on_to_the_same_bits() {
    let place = tempfile::tempdir().unwrap();
    let text = format!("{PICTURES}\n[distributed]\nexact = false\n");
    let of = |out: &str| {
        let experiment = Experiment::from_toml(&text).unwrap();
        experiment.out(place.path().join(out))
    };
    for rank in run(&of("whole"), 3, |_| Ok(())) {
        rank.unwrap();
    }
    let config = std::fs::read_to_string(place.path().join("whole/config.toml")).unwrap();
    assert!(
        config.contains("[distributed]\nexact = false\n"),
        "{config}"
    );
    let stopped = |event: &Event<'_>| match event {
        Event::BatchEnd(at) if (at.epoch, at.batch) == (1, 3) => Err(Error::Interrupted),
        _ => Ok(()),
    };
    assert!(run(&of("cut"), 3, stopped)[0].is_err());
    for rank in run(&of("cut").resume(), 3, |_| Ok(())) {
        rank.unwrap();
    }
    assert!(results(&place.path().join("cut")) == results(&place.path().join("whole")));
    // One process alone adds nothing up.
    of("alone").run(|_| Ok(())).unwrap();
    let exact = Experiment::from_toml(PICTURES)
        .unwrap()
        .out(place.path().join("exact"));
    exact.run(|_| Ok(())).unwrap();
    let model = |out: &str| results(&place.path().join(out)).0;
    assert!(model("alone") == model("exact"));
    assert!(model("alone") != model("whole"));
}
