//! The fuzz targets: what is done with the bytes of a stranger's file.
//!
//! Each goes through public doors, takes any bytes, and says whether they were a good file. `fuzz_targets/` has a program for each;
//! `crates/gradus/tests/fuzz_corpus.rs` includes this file and replays the corpora.
//!
//! Where a format has checksums or is packed, mutated bytes would be refused before they are
//! looked at. There the bytes are the inner files, and the container is made of them here.

use flate2::write::GzEncoder;
use gradus::data::{self, DataConfig, NpyRows, ReadTable, Rows, Table, TextOptions};
use gradus::experiment::{Event, Experiment, check_model};
use gradus::layers::PReLU;
use gradus::prelude::*;
use gradus::{Error, Result, Shape};
use serde_json::json;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use twox_hash::xxhash3_128::Hasher;
use zip::write::{SimpleFileOptions, ZipWriter};

/// The line between the inner files of one input.
const BETWEEN: &[u8] = b"\n--\n";

/// A `.keras` file (`f`), or its inner files `config.json`, the weights and `gradus.json`.
pub fn keras(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else {
        return false;
    };
    let folder = folder("keras");
    let path = folder.join("it.keras");
    match kind {
        b'f' => write(&path, rest),
        _ => {
            let [config, weights, own] = parts(rest);
            let metadata = br#"{"keras_version": "3.15.0", "date_saved": "2026-11-30@12:00:00"}"#;
            let mut entries = vec![
                ("metadata.json", &metadata[..]),
                ("config.json", config),
                ("model.weights.h5", weights),
            ];
            if !own.is_empty() {
                entries.push(("gradus.json", own));
            }
            write(&path, &zipped(&entries));
        }
    }
    let model = expected(Model::load(&path));
    model.is_some_and(|model| comes_back(&model, &folder.join("again.keras")))
}

/// An HDF5 file: a whole model (`m`), or weights for a model.
pub fn hdf5(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else {
        return false;
    };
    let folder = folder("hdf5");
    if *kind == b'm' {
        let path = folder.join("it.h5");
        write(&path, rest);
        let model = expected(Model::load(&path));
        return model.is_some_and(|model| comes_back(&model, &folder.join("again.keras")));
    }
    let path = folder.join("it.weights.h5");
    write(&path, rest);
    load_weights(&path)
}

/// A `.npy` file (`n`), an `.npz` archive (`z`), or an archive of two given entries.
pub fn npy(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else {
        return false;
    };
    let folder = folder("npy");
    if *kind == b'n' {
        let path = folder.join("it.npy");
        write(&path, rest);
        let Some(whole) = expected(data::read_npy(&path)) else {
            return false;
        };
        if let Some(mut rows) = expected(NpyRows::new(&path, &path)) {
            // Rows that are read by position are those of the whole file.
            assert_eq!(whole.rows(), rows.rows());
            let some = 0..rows.rows().min(3);
            if let Some(first) = expected(rows.read(some.clone())) {
                let wanted = whole.slice(some).unwrap();
                assert_eq!(bits(&first.inputs()[0].to_f32()), bits(&wanted.to_f32()));
            }
        }
        return true;
    }
    let path = folder.join("it.npz");
    match kind {
        b'z' => write(&path, rest),
        _ => {
            let [first, second] = parts(rest);
            let entries = [("hidden/kernel.npy", first), ("hidden/bias.npy", second)];
            write(&path, &zipped(&entries));
        }
    }
    for key in expected(data::npz_keys(&path))
        .into_iter()
        .flatten()
        .take(8)
    {
        let place = format!("{}:{key}", path.display());
        expected(data::read_npy(Path::new(&place)));
    }
    load_weights(&path)
}

/// An IDX file, plain (`p`), compressed (`z`), or compressed here.
pub fn idx(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else {
        return false;
    };
    let path = folder("idx").join("it-idx3-ubyte");
    match kind {
        b'p' | b'z' => write(&path, rest),
        _ => {
            let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(rest).unwrap();
            write(&path, &packed.finish().unwrap());
        }
    }
    expected(data::read_idx(&path)).is_some()
}

/// A table, behind a byte that says how it is read.
pub fn csv(bytes: &[u8]) -> bool {
    let Some((how, rest)) = bytes.split_first() else {
        return false;
    };
    let path = folder("csv").join("it.csv");
    write(&path, rest);
    let mut text = TextOptions::default();
    if how & 1 != 0 {
        text.header = Some(how & 2 != 0);
    }
    if how & 4 != 0 {
        text.missing_values = Some(vec!["-".into(), "none".into()]);
    }
    let options = ReadTable {
        text,
        ..ReadTable::default()
    };
    let Some(table) = expected(Table::read(&path, &options)) else {
        return false;
    };
    for column in &table.columns {
        assert!(column.cells.missing() <= table.rows, "{}", column.name);
    }
    // The same rows, as a training takes them: the last column is to be predicted.
    let Some(target) = table.columns.last() else {
        return false;
    };
    let mut config = json!({ "table": path, "target": target.name });
    config["validation"] = match how >> 3 & 3 {
        0 => json!(null),
        1 => json!({ "fraction": 0.3 }),
        2 => json!({ "fraction": 0.5, "stratify": true }),
        _ => json!({ "first": 1 }),
    };
    let config = expected(DataConfig::from_value("data", &config));
    let rows = config.and_then(|c| expected(c.open(Path::new(""), 1, Default::default())));
    rows.is_some_and(|rows| !data::describe(rows.train.sample()).is_empty())
}

/// A picture, in a folder beside another. A PNG's checksums are put right.
pub fn picture(bytes: &[u8]) -> bool {
    let Some((how, rest)) = bytes.split_first() else {
        return false;
    };
    let folder = folder("picture");
    let (mine, other) = (folder.join("all/a"), folder.join("all/b"));
    if !other.exists() {
        fs::create_dir_all(&mine).unwrap();
        fs::create_dir_all(&other).unwrap();
        write(&other.join("good.png"), GOOD_PICTURE);
    }
    let mut rest = rest.to_vec();
    mend_png(&mut rest);
    write(&mine.join("it.png"), &rest);
    let config = json!({
        "images": folder.join("all"),
        "size": [5, 3],
        "color_mode": if how & 1 == 0 { "rgb" } else { "grayscale" },
        "resize": if how & 2 == 0 { "stretch" } else { "crop" },
    });
    let config = DataConfig::from_value("data", &config).unwrap();
    expected(config.open(Path::new(""), 1, Default::default())).is_some()
}

/// A safetensors file (`f`), or its header and its numbers.
pub fn safetensors(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else {
        return false;
    };
    let path = folder("safetensors").join("it.safetensors");
    match kind {
        b'f' => write(&path, rest),
        _ => {
            let [header, numbers] = parts(rest);
            let length = (header.len() as u64).to_le_bytes();
            write(&path, &[&length, header, numbers].concat());
        }
    }
    load_weights(&path)
}

/// A configuration on the built-in digits: checked, then trained for one step.
pub fn config(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    // As it is, without its files.
    let experiment = expected(Experiment::from_toml(text));
    let (Some(_), Ok(mut table)) = (experiment, text.parse::<toml::Table>()) else {
        return false;
    };
    make_small(&mut table);
    let folder = folder("config");
    std::env::set_current_dir(&folder).unwrap();
    let table = serde_json::to_value(&table).unwrap();
    let experiment = Experiment::from_value(table).out(folder.join("run"));
    if expected(experiment.check(|_| Ok(()))).is_none() {
        return false;
    }
    let _ = fs::remove_dir_all(folder.join("run"));
    one_step(&experiment)
}

/// The digits, no files of the user's, and nothing large: sizes are others' tests, and would take
/// the time from these.
fn make_small(config: &mut toml::Table) {
    fn clamp(value: &mut toml::Value) {
        match value {
            toml::Value::Integer(n) => *n = (*n).clamp(-100, 100),
            toml::Value::Array(all) => all.iter_mut().for_each(clamp),
            toml::Value::Table(all) => all.iter_mut().for_each(|(_, value)| clamp(value)),
            _ => {}
        }
    }
    config.iter_mut().for_each(|(_, value)| clamp(value));
    let data = config.entry("data").or_insert(toml::Table::new().into());
    if let Some(data) = data.as_table_mut() {
        for key in ["x", "y", "table", "images", "sample_weight"] {
            data.remove(key);
        }
        data.insert("dataset".into(), "digits".into());
    }
    if let Some(callbacks) = config.get_mut("callbacks").and_then(|c| c.as_table_mut()) {
        for key in ["csv_logger", "model_checkpoint"] {
            callbacks.remove(key);
        }
    }
    let train = config.entry("train").or_insert(toml::Table::new().into());
    if let Some(train) = train.as_table_mut() {
        train.insert("epochs".into(), 1.into());
    }
}

/// A checkpoint that a run is resumed from: its state (`s`), or its model. What the state says of
/// itself and of its model is made to fit.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else {
        return false;
    };
    static RUN: LazyLock<Interrupted> = LazyLock::new(interrupted);
    let run = folder("checkpoint").join("again");
    let _ = fs::remove_dir_all(&run);
    let checkpoint = run.join("checkpoint");
    fs::create_dir_all(&checkpoint).unwrap();
    write(&run.join("config.toml"), &RUN.config);
    let mut state = RUN.state.clone();
    let mut model = &RUN.model[..];
    if *kind == b's' {
        state = String::from_utf8_lossy(rest).into_owned();
    } else {
        model = rest;
        let mut table: toml::Table = state.parse().unwrap();
        table["model"]["size"] = (rest.len() as i64).into();
        table["model"]["digest"] = format!("{:032x}", Hasher::oneshot(rest)).into();
        state = table.to_string();
    }
    let state = state.replace(PLACE, &folder("checkpoint").display().to_string());
    let digest = format!("digest = \"{:032x}\"\n", Hasher::oneshot(state.as_bytes()));
    write(&checkpoint.join(STATE), (digest + &state).as_bytes());
    write(&checkpoint.join(&RUN.model_name), model);
    let experiment = Experiment::read(run.join("config.toml")).unwrap();
    one_step(&experiment.out(&run).resume())
}

/// Stands for the folder of the data in a state.
const PLACE: &str = "/PLACE";

/// The name of a state's file.
const STATE: &str = "state-000009.toml";

/// A run that was interrupted.
pub struct Interrupted {
    config: Vec<u8>,
    /// The text of the newest state, without its digest.
    pub state: String,
    model_name: String,
    model: Vec<u8>,
}

/// A run that was interrupted in its third epoch.
pub fn interrupted() -> Interrupted {
    let folder = folder("checkpoint");
    let run = folder.join("run");
    let _ = fs::remove_dir_all(&run);
    let mut x = Vec::new();
    let numbers: Vec<f32> = (0..24_u8).map(f32::from).collect();
    data::write_npy(&mut x, &Shape::new([3]), &numbers).unwrap();
    write(&folder.join("x.npy"), &x);
    let config = json!({
        "data": { "x": folder.join("x.npy"), "y": folder.join("x.npy") },
        "model": { "layers": [{ "type": "Dense", "units": 3 }] },
        "train": { "loss": "mse", "optimizer": "adam", "epochs": 5, "batch_size": 4 },
        "callbacks": { "early_stopping": { "monitor": "loss" } },
    });
    let ended = Experiment::from_value(config)
        .out(&run)
        .run(|event| match event {
            Event::BatchEnd(progress) if progress.epoch == 2 => Err(enough()),
            _ => Ok(()),
        });
    assert!(ended.is_err());
    let files = fs::read_dir(run.join("checkpoint")).unwrap();
    let states = files.map(|entry| entry.unwrap().path());
    let state = states.filter(|path| path.extension().is_some_and(|e| e == "toml"));
    let text = fs::read_to_string(state.max().unwrap()).unwrap();
    let state = text.split_once('\n').unwrap().1;
    let table: toml::Table = state.parse().unwrap();
    let model_name = table["model"]["name"].as_str().unwrap().to_owned();
    Interrupted {
        config: fs::read(run.join("config.toml")).unwrap(),
        state: state.replace(&folder.display().to_string(), PLACE),
        model: fs::read(run.join("checkpoint").join(&model_name)).unwrap(),
        model_name,
    }
}

fn enough() -> Error {
    Error::invalid("", "one step", "no more")
}

/// Trains for one step; true if it was done.
fn one_step(experiment: &Experiment) -> bool {
    let mut done = false;
    let end = experiment.run(|event| match event {
        Event::BatchEnd(_) => {
            done = true;
            Err(enough())
        }
        _ => Ok(()),
    });
    match end {
        Err(Error::BlowUp { .. }) => {}
        end => drop(expected(end)),
    }
    done
}

/// A folder of this process' own, the same for every input: the library remembers paths.
pub fn folder(target: &str) -> PathBuf {
    gradus::set_threads(1); // Starting more would take longer than the work.
    let name = format!("gradus-fuzz-{}", std::process::id());
    let folder = std::env::temp_dir().join(name).join(target);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

/// The inner files of an input; the last one may hold the line between them.
fn parts<const N: usize>(mut bytes: &[u8]) -> [&[u8]; N] {
    let mut found = [&bytes[..0]; N];
    for (n, part) in found.iter_mut().enumerate() {
        let mut places = bytes.windows(BETWEEN.len());
        match places.position(|place| place == BETWEEN) {
            Some(at) if n + 1 < N => (*part, bytes) = (&bytes[..at], &bytes[at + BETWEEN.len()..]),
            _ => (*part, bytes) = (bytes, &[]),
        }
    }
    found
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let stored =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(*name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The result, if there is one. An error has to be the user's mistake, said in a few words.
fn expected<T>(result: Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            let text = error.to_string();
            assert!(error.is_users_mistake(), "{text}");
            assert!(text.len() < 100_000, "{} bytes of error", text.len());
            None
        }
    }
}

/// A model that was read is written, and read again to the same.
fn comes_back(model: &Model, path: &Path) -> bool {
    expected(model.summary());
    expected(check_model(model, None, |_| Ok(())));
    predicts(model);
    model.save(path).unwrap();
    let again = Model::load(path).unwrap();
    assert_eq!(again.layers.len(), model.layers.len());
    for (one, other) in again.weights().zip(model.weights()) {
        assert_eq!(bits(&one.values), bits(&other.values), "{}", other.name);
    }
    true
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// A model of one input that is not large predicts a row of it.
fn predicts(model: &Model) {
    let weights: usize = model.weights().map(|weight| weight.values.len()).sum();
    if let [input] = &model.inputs[..]
        && let Some(shape) = &input.shape
        && shape.size() < 1000
        && weights < 100_000
        && let Ok(row) = Tensor::from_f32(shape.clone(), vec![0.0; shape.size()])
    {
        expected(model.predict(Dataset::unlabelled(row)));
    }
}

/// Weights for two models, in their order and by their names; true if they fit one.
fn load_weights(path: &Path) -> bool {
    let dense = Sequential::new()
        .input([4])
        .add_named("hidden", Dense::new(3), true)
        .add_named("norm", BatchNormalization::new(), true)
        .add_named("slope", PReLU::new(), true)
        .add_named("out", Dense::new(2), true);
    let flat = Sequential::new()
        .input([4, 3])
        .add(Flatten::new())
        .add(Dense::new(6))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.2))
        .add_named("out", Dense::new(3), true);
    let fit = |chain: Sequential| {
        let mut model = chain.build().unwrap();
        let all = expected(model.load_weights(path)).is_some();
        expected(model.load_weights_by_name(path)).is_some() || all
    };
    [dense, flat].map(fit).contains(&true)
}

/// Puts the checksum of each chunk of a PNG right.
fn mend_png(bytes: &mut [u8]) {
    if !bytes.starts_with(b"\x89PNG") {
        return;
    }
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(head.try_into().unwrap()) as usize;
        let end = at + 8 + length;
        if end.saturating_add(4) > bytes.len() {
            break;
        }
        let mut sum = flate2::Crc::new();
        sum.update(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&sum.sum().to_be_bytes());
        at = end + 4;
    }
}

/// A picture of 2 x 2 gray pixels.
const GOOD_PICTURE: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x02\x00\x00\x00\x02\x08\x00\x00\x00\x00W\xddR\xf8\x00\x00\x00\x0eIDATx\xdac\x10h`8\xf0\x1f\x00\x04\xd5\x02P7c\xf4D\x00\x00\x00\x00IEND\xaeB`\x82";
