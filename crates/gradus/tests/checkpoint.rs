//! Checkpoints: believed only if they are whole.

mod common;

use common::Folder;
use gradus::experiment::{Event, Experiment, Outcome};
use gradus::{Error, Result, set_threads};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Files by their names.
type Files = BTreeMap<String, Vec<u8>>;

const ROWS: usize = 12;

/// A training of a moment, with best weights beside the current ones.
fn experiment(folder: &Folder) -> Experiment {
    let text = |columns: usize| -> String {
        let line = |row: usize| (0..columns).map(move |i| ((row * 5 + i * 3) % 7).to_string());
        let lines = (0..ROWS).map(|row| line(row).collect::<Vec<_>>().join(","));
        lines.collect::<Vec<_>>().join("\n")
    };
    folder.write("t.csv", format!("a,b,y\n{}\n", text(3)));
    let config = r#"
        [data]
        table = "TABLE"
        target = "y"
        columns = { y = "number" }
        validation = { first = 4 }
        checks = false
        [model]
        layers = [{ type = "Dense", units = 2 }, { type = "Dense", units = 1 }]
        [train]
        loss = "mse"
        optimizer = { type = "Adam", learning_rate = 0.01 }
        epochs = 3
        batch_size = 4
        [callbacks]
        early_stopping = { patience = 5, restore_best_weights = true }
        reduce_lr_on_plateau = { patience = 1 }
    "#;
    let table = folder.path("t.csv").display().to_string();
    let config = config.replace("TABLE", &table);
    Experiment::from_toml(&config)
        .unwrap()
        .out(folder.path("run"))
}

fn weights(outcome: &Outcome) -> Vec<Vec<u32>> {
    let bits = |values: &Vec<f32>| values.iter().map(|x| x.to_bits()).collect();
    let weights = outcome.model.weights();
    weights.map(|weight| bits(&weight.values)).collect()
}

/// The files of a folder.
fn files(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    };
    entries.map(read).collect()
}

/// Makes a folder have these files and no others.
fn put(folder: &Path, files: &Files) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir(folder).unwrap();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// The outcome of a resumed training, and the checkpoints that it called damaged.
fn resume(experiment: &Experiment) -> (Result<Outcome>, Vec<String>) {
    let mut damaged = Vec::new();
    let outcome = experiment.clone().resume().run(|event| {
        if let Event::CheckpointDamaged { path, problem } = event {
            damaged.push(format!("{}: {problem}", path.display()));
        }
        Ok(())
    });
    (outcome, damaged)
}

/// A training of three epochs, its weights, and the files of its checkpoints.
fn trained() -> (Folder, Experiment, Vec<Vec<u32>>, Files) {
    set_threads(1);
    let folder = Folder::new();
    let experiment = experiment(&folder);
    let outcome = experiment.run(|_| Ok(())).unwrap();
    let whole = files(&folder.path("run/checkpoint"));
    (folder, experiment, weights(&outcome), whole)
}

#[test]
fn a_damaged_checkpoint_never_gives_another_model_in_silence() {
    let (folder, experiment, expected, whole) = trained();
    let place = folder.path("run/checkpoint");
    let states: Vec<_> = whole.keys().filter(|n| n.starts_with("state-")).collect();
    assert_eq!(states.len(), 2, "{:?}", whole.keys());
    let newest = String::from_utf8(whole[states[1]].clone()).unwrap();
    let flips = std::env::var("GRADUS_FLIPS").map_or(80, |n| n.parse().unwrap());

    let mut damages: Vec<(String, Files)> = Vec::new();
    let mut random = 1_u64;
    let mut draw = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) as usize % below
    };
    let names: Vec<&String> = whole.keys().collect();
    for _ in 0..flips {
        let name = names[draw(names.len())];
        let (byte, bit) = (draw(whole[name].len()), draw(8));
        let mut files = whole.clone();
        files.get_mut(name).unwrap()[byte] ^= 1 << bit;
        damages.push((name.clone(), files));
    }
    for &name in &names {
        for size in [0, 1, whole[name].len() / 2, whole[name].len() - 1] {
            let mut files = whole.clone();
            files.get_mut(name).unwrap().truncate(size);
            damages.push((name.clone(), files));
        }
        let mut files = whole.clone();
        files.remove(name);
        damages.push((name.clone(), files));
        for &other in names.iter().filter(|other| **other > name) {
            let mut files = whole.clone();
            files.insert(name.clone(), whole[other].clone());
            files.insert(other.clone(), whole[name].clone());
            // Two states under each other's name are whole.
            if whole[name] != whole[other] && !other.starts_with("state-") {
                damages.push((format!("{name} {other}"), files));
            }
        }
    }

    let (mut refused, mut fallen_back, mut harmless) = (0, 0, 0);
    for (what, files) in damages {
        put(&place, &files);
        let (outcome, damaged) = resume(&experiment);
        // A state that is not there cannot be missed.
        let gone = what == *states[1] && !files.contains_key(&what);
        let of_newest = !gone
            && what
                .split(' ')
                .any(|name| name == states[1] || newest.contains(&format!("{name:?}")));
        match outcome {
            Ok(outcome) => {
                assert!(weights(&outcome) == expected, "{what}: another model");
                assert_eq!(damaged.len(), usize::from(of_newest), "{what}: {damaged:?}");
                if of_newest {
                    fallen_back += 1
                } else {
                    harmless += 1
                }
            }
            Err(error) => {
                assert!(matches!(&error, Error::File { .. }), "{what}: {error}");
                let text = error.to_string();
                assert!(text.contains("start anew: with another --out"), "{text}");
                refused += 1;
            }
        }
    }
    println!("{refused} refused, {fallen_back} fallen back, {harmless} harmless");
    assert!(refused > 0 && fallen_back > 0 && harmless > 0);
}

#[test]
fn the_message_names_the_file_and_the_fault() {
    let (folder, experiment, expected, whole) = trained();
    let place = folder.path("run/checkpoint");
    let names: Vec<String> = whole
        .keys()
        .filter(|n| n.starts_with("state-"))
        .cloned()
        .collect();
    let text = |name: &String| String::from_utf8(whole[name].clone()).unwrap();
    let swapped = |from: &str, to: &str| {
        let mut files = whole.clone();
        let changed = text(&names[1]).replacen(from, to, 1);
        assert_ne!(changed, text(&names[1]), "{from}");
        files.insert(names[1].clone(), changed.into_bytes());
        put(&place, &files);
        let (outcome, damaged) = resume(&experiment);
        assert!(weights(&outcome.unwrap()) == expected);
        damaged.concat()
    };
    let said = swapped("epoch = 3", "epoch = 2");
    assert!(
        said.contains(&names[1]) && said.contains("its text is not the one"),
        "{said}"
    );
    let model = names[1]
        .replace("state-", "model-")
        .replace(".toml", ".keras");
    let mut files = whole.clone();
    files.get_mut(&model).unwrap()[100] ^= 1;
    put(&place, &files);
    let said = resume(&experiment).1.concat();
    assert!(
        said.contains(&model) && said.contains("not those that were written"),
        "{said}"
    );

    // A checkpoint of 0.1.
    put(
        &place,
        &BTreeMap::from([("state.toml".to_owned(), b"epoch = 3\n".to_vec())]),
    );
    let error = resume(&experiment).0.unwrap_err().to_string();
    assert!(error.contains("is of an older gradus"), "{error}");
}
