//! Runs of the real binary, in a separate folder.
#![allow(dead_code)] // every test file uses its part of it

#[path = "../../../gradus/tests/common/mod.rs"]
mod folder;

use folder::Folder;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A folder that the binary runs in, removed at the end.
pub struct Place(Folder);

impl Deref for Place {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.0
    }
}

/// The result of a command.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Runs the command.
    pub fn by(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        Said {
            code: status.code(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }
}

impl Place {
    pub fn new() -> Self {
        Place(Folder::new())
    }

    /// A column of a run's `history.csv`, an epoch a number.
    pub fn history(&self, run: &str, name: &str) -> Vec<f64> {
        column(&self.text(&format!("{run}/history.csv")), name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gradus"));
        command.current_dir(self.root()).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        Said::by(&mut self.command(arguments))
    }

    /// Runs with a cache folder of its own.
    pub fn run_cached(&self, arguments: &[&str]) -> Said {
        Said::by(
            self.command(arguments)
                .env("XDG_CACHE_HOME", self.path("cache")),
        )
    }

    /// Runs a command that must succeed, and returns its standard output.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
        said.out
    }

    /// Runs a command that must be the user's mistake: exit code 2, nothing on standard output, no
    /// panic. Returns standard error.
    pub fn mistake(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(
            said.code,
            Some(2),
            "{arguments:?}: {}{}",
            said.out,
            said.err
        );
        assert_eq!(said.out, "", "{arguments:?}");
        assert!(!said.err.contains("panicked") && !said.err.contains("internal error"));
        said.err
    }
}

/// The numbers of a column of a CSV file whose cells hold no commas.
pub fn column(csv: &str, name: &str) -> Vec<f64> {
    let mut lines = csv.lines();
    let at = lines.next().unwrap().split(',').position(|n| n == name);
    let at = at.unwrap_or_else(|| panic!("no column {name}: {csv}"));
    lines
        .map(|line| line.split(',').nth(at).unwrap().parse().unwrap())
        .collect()
}

/// A small training that takes a moment: two epochs of the digits.
pub const SMALL: &str = r#"
seed = 7

[data]
dataset = "digits"
validation = { first = 200 }
scale = "unit"

[model]
layers = [
  { type = "Flatten" },
  { type = "Dense", name = "hidden", units = 16, activation = "elu", kernel_initializer = { type = "HeNormal", seed = 3 } },
  { type = "BatchNormalization", momentum = 0.9 },
  { type = "Dropout", rate = 0.1 },
  { type = "Dense", units = 10, activation = "softmax" },
]
trainable = { "hidden" = true }

[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy", { type = "SparseCategoricalAccuracy", name = "again" }]
weighted_metrics = ["accuracy"]
epochs = 4
batch_size = 64
shuffle = true
optimizer = { type = "Nadam", learning_rate = 0.01, clipnorm = 1.0 }

[callbacks]
early_stopping = { monitor = "val_loss", patience = 3, restore_best_weights = true }
reduce_lr_on_plateau = { factor = 0.5, patience = 1, min_delta = 10.0 }
"#;

/// A folder with a run of so many epochs of the small training in `run`.
pub fn trained(epochs: usize) -> Place {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let epochs = format!("train.epochs={epochs}");
    place.ok(&[
        "train", "c.toml", "--quiet", "--out", "run", "--set", &epochs,
    ]);
    place
}

/// The files of a run that must agree between equal runs: the model to the byte, the results
/// without durations, and the health of the layers.
pub fn results(place: &Place, run: &str) -> (Vec<u8>, String) {
    let history = place.text(&format!("{run}/history.csv"));
    let without_seconds = history.lines().map(|line| line.rsplit_once(',').unwrap().0);
    let health = place.text(&format!("{run}/health.csv"));
    let measurements = without_seconds.chain(health.lines()).collect::<Vec<_>>();
    let measurements = measurements.join("\n");
    (place.read(&format!("{run}/model.keras")), measurements)
}

/// Starts a training that `cut` ends before its end: with more epochs if it was too fast for that,
/// which `cut` says with `None`. The setting that holds the epochs, and what `cut` gave.
pub fn cut_short<T>(
    place: &Place,
    train: &[&str],
    out: &str,
    mut cut: impl FnMut(&mut Command) -> Option<T>,
) -> (&'static str, T) {
    for epochs in ["train.epochs=60", "train.epochs=1000", "train.epochs=20000"] {
        let folder = place.path(out);
        if folder.exists() {
            std::fs::remove_dir_all(folder).unwrap();
        }
        let arguments = [train, &["--set", epochs, "--out", out]].concat();
        if let Some(found) = cut(&mut place.command(&arguments)) {
            return (epochs, found);
        }
    }
    panic!("{train:?} always came to its end");
}

/// Kills a training once its checkpoint has this many completed epochs; `None` if it was done first.
pub fn kill_after(place: &Place, command: &mut Command, run: &str, epochs: usize) -> Option<()> {
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    loop {
        let text = newest_state(place, run).unwrap_or_default();
        let epoch = text.lines().find_map(|l| l.strip_prefix("epoch = "));
        if epoch.is_some_and(|e| e.parse::<usize>().unwrap() >= epochs) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "no checkpoint");
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    (!place.path(run).join("model.keras").exists()).then_some(())
}

/// The text of a run's newest checkpoint state, if there is one.
pub fn newest_state(place: &Place, run: &str) -> Option<String> {
    let folder = format!("{run}/checkpoint");
    let mut names = place.names(&folder).into_iter();
    let newest = names.rfind(|name| name.starts_with("state-"))?;
    std::fs::read_to_string(place.path(&folder).join(newest)).ok()
}

/// A `.npy` file of zeros.
pub fn npy(shape: &[usize]) -> Vec<u8> {
    let dims: String = shape.iter().map(|dim| format!("{dim},")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({dims}), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.resize(file.len() + 4 * shape.iter().product::<usize>(), 0);
    file
}

/// True if no file under a folder is a temporary one.
pub fn only_whole_files(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().all(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => only_whole_files(&path),
            false => path.extension().is_none_or(|extension| extension != "tmp"),
        }
    })
}

/// The files of a folder that end in `.toml`, its folders' too, sorted.
pub fn recipes(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(recipes(&path));
        } else if path.extension().is_some_and(|e| e == "toml") {
            found.push(path);
        }
    }
    found.sort();
    found
}
