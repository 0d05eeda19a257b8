//! The command line.

use crate::commands::optimize::Quantize;
use clap::{Parser, Subcommand};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Train deep neural networks: Keras' words, Keras' numbers, Keras' files.
#[derive(Debug, Parser)]
#[command(
    name = "gradus",
    version,
    after_help = "Examples:\n  gradus train\n  gradus init houses.csv > config.toml\n  gradus train config.toml"
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a network; without CONFIG, the default recipe on the built-in digits
    Train(Train),
    /// Measure a model's loss and metrics
    Evaluate(Evaluate),
    /// Write a model's outputs to a file
    Predict(Predict),
    /// Make a model's probabilities as often true as they say, by data that it was not trained on
    Calibrate(Calibrate),
    /// Answer requests for predictions over HTTP
    #[cfg(feature = "serve")]
    Serve(Serve),
    /// Raise the learning rate until the loss blows up, and suggest one
    LrFind(LrFind),
    /// Do everything but train, and say what is suspicious about data, recipe or weights
    Check(Check),
    /// Print a model's layers, shapes and parameters
    Summary(Summary),
    /// List the runs in a folder: best epoch, last figures, epochs (`5 of 20` of a run that has not
    /// ended), time, network
    Runs(Runs),
    /// Write a model, or its weights, in another format; the endings say which
    Convert(Convert),
    /// Make a model smaller and faster for deployment, and measure each step
    Optimize(Optimize),
    /// Write a page with a run's curves, predictions and configuration, or with several runs beside
    /// each other
    Report(Report),
    /// Print a commented configuration to begin with, for data that it looks at
    Init(Init),
    /// Print the JSON Schema of configurations, for editors and validators
    Schema(Schema),
    /// Print a script that completes commands and options in a shell
    Completions(Completions),
    /// Look at data
    #[command(subcommand, after_help = "Example:\n  gradus data list")]
    Data(Data),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus train\n  gradus train config.toml --set train.epochs=20 --out runs/first\n  gradus train config.toml --folds 5\n  gradus train config.toml --json > log.jsonl"
)]
pub struct Train {
    /// The configuration file (TOML)
    pub config: Option<PathBuf>,
    /// Override one key of the configuration: `train.epochs=3`
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The run folder [default: runs/NAME-N, N the first free]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on from the run folder's checkpoint (the newest run's without --out)
    #[arg(long)]
    pub resume: bool,
    /// Go on although the configuration or the data has changed since the run began
    #[arg(long, requires = "resume")]
    pub allow_changed: bool,
    /// Cross-validation: train K times, each time with another K-th of the rows held out, chosen as
    /// `data.validation` chooses its rows (`stratify`, `group`, `time`), else at random. Each has its
    /// run folder; `folds.csv` and `predictions.csv` have what was measured and predicted. With
    /// --resume, only what is missing is trained
    #[arg(long, value_name = "K")]
    pub folds: Option<usize>,
    /// Where all random numbers come from: short for `--set seed=N`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// How many threads to use; the result does not depend on it [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Print the result alone
    #[arg(long)]
    pub quiet: bool,
    /// Print a JSON object a line: `{"event": "epoch", "epoch": 0, "loss": …}` after each epoch, counted
    /// from 0, `{"event": "warning", …}` for what is suspicious, and at the end `{"event": "done", …}`
    /// with the results and the run folder. With --folds each names its `fold`. NaN and infinite
    /// numbers are null
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus evaluate runs/first --data test\n  gradus evaluate model.keras --data digits:test --json"
)]
pub struct Evaluate {
    /// A `.keras` file, or a run folder
    #[arg(value_name = "MODEL|RUN")]
    pub model: PathBuf,
    /// A built-in set (`digits:test`), array files (`x.npy,y.npy`), a table, a folder of pictures, or
    /// a TOML file with `[data]`; of a run folder also `train`, `validation` or `test`, its own rows
    #[arg(long, value_name = "SPEC")]
    pub data: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus predict runs/first --data new.csv --out scored.csv\n  gradus predict model.keras --data x.npy --out means.npy --mc-samples 100"
)]
pub struct Predict {
    /// A model (`.keras`, or `.h5` of Keras), or a run folder
    #[arg(value_name = "MODEL|RUN")]
    pub model: PathBuf,
    /// A built-in set (`digits:test`), array files (`x.npy`), a table, a folder of pictures, or a TOML file
    /// with `[data]`
    #[arg(long, value_name = "SPEC")]
    pub data: String,
    /// Where the outputs go, one row for each input row: a `.npy`, `.csv` or `.json` file, or `-`
    /// for CSV on standard output. Classes have a column with their names
    #[arg(long, value_name = "FILE|-", allow_hyphen_values = true)]
    pub out: PathBuf,
    /// Predict N times with dropout on: FILE gets the mean of the outputs, and FILE with
    /// `_std` before its extension their standard deviation
    #[arg(long, value_name = "N")]
    pub mc_samples: Option<NonZeroUsize>,
    /// Leave the class of a row empty if its probability is below P: see `gradus calibrate
    /// --accuracy`
    #[arg(long, value_name = "P", value_parser = probability)]
    pub reject_below: Option<f32>,
    /// Keep every sample, too: FILE's name with `_samples` and the ending `.npy` gets an array of
    /// shape (N, rows, outputs)
    #[arg(long, requires = "mc_samples")]
    pub keep: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus calibrate runs/first calibrated.keras --data validation\n  gradus calibrate model.keras calibrated.keras --data held-out.csv --accuracy 0.99"
)]
pub struct Calibrate {
    /// A model (`.keras`, or `.h5` of Keras), or a run folder, that predicts classes
    #[arg(value_name = "MODEL|RUN")]
    pub model: PathBuf,
    /// Where the calibrated model goes, a `.keras` file: the same model, its last layer divided by
    /// the temperature
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Rows with targets that the model was not trained on, as `evaluate` takes them
    #[arg(long, value_name = "SPEC")]
    pub data: String,
    /// Say below which probability to reject predictions so that the others have this accuracy
    #[arg(long, value_name = "SHARE", value_parser = probability)]
    pub accuracy: Option<f32>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// A number from 0 to 1.
fn probability(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("expected a number from 0 to 1".into()),
    }
}

#[cfg(feature = "serve")]
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus serve runs/first\n  gradus serve model.keras --listen 0.0.0.0:80 --mc-samples 50"
)]
pub struct Serve {
    /// A model (`.keras`, or `.h5` of Keras), or a run folder
    #[arg(value_name = "MODEL|RUN")]
    pub model: PathBuf,
    /// Address and port; port 0 takes a free one. The default is reached from this machine alone
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Predict N times with dropout on: answers have the mean of the outputs, and in `std` their
    /// standard deviation. Requests are then not joined to batches
    #[arg(long, value_name = "N")]
    pub mc_samples: Option<NonZeroUsize>,
    /// Leave the class of a row empty if its probability is below P: see `gradus calibrate
    /// --accuracy`
    #[arg(long, value_name = "P", value_parser = probability)]
    pub reject_below: Option<f32>,
    /// Requests that come while a batch runs are the next batch, until it has this many rows
    #[arg(long, value_name = "ROWS", default_value = "1024")]
    pub max_batch: NonZeroUsize,
    /// Refuse a request with more rows
    #[arg(long, value_name = "ROWS", default_value = "10000")]
    pub max_rows: NonZeroUsize,
    /// Refuse a request with a larger body. All bodies together take at most 8 times as much
    #[arg(long, value_name = "MB", default_value = "16", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_body: u32,
    /// Let further connections wait while this many are open
    #[arg(long, value_name = "N", default_value = "1024", value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub max_connections: u32,
    /// Give a client this long to send a request's headers, to send its body, and to take each part
    /// of the answer; and when a signal ends the server, requests to be answered
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub timeout: u32,
    /// Threads to predict with; the result does not depend on their number [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  gradus lr-find config.toml --set train.batch_size=64")]
pub struct LrFind {
    /// The configuration file (TOML); without it, the default recipe on the built-in digits
    pub config: Option<PathBuf>,
    /// Override one key of the configuration: `train.batch_size=64`
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where `lr-find.csv` and `lr-find.svg` go [default: runs/NAME-lr-find]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus check config.toml\n  gradus check model.keras --data new.csv"
)]
pub struct Check {
    /// A configuration file (TOML), a `.keras` file, or a run folder, which has both
    #[arg(value_name = "CONFIG.toml|MODEL|RUN")]
    pub file: PathBuf,
    /// Override one key of the configuration: `train.epochs=3`
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Data for a forward pass, as `predict` takes it: says how many units of each ReLU layer are
    /// never active; a trained model's rows are checked, too
    #[arg(long, value_name = "SPEC")]
    pub data: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gradus summary model.keras\n  gradus summary config.toml")]
pub struct Summary {
    /// A model (`.keras`, or `.h5` of Keras), a run folder, or a configuration file (TOML)
    #[arg(value_name = "MODEL|RUN|CONFIG.toml")]
    pub file: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus runs\n  gradus runs --sort val_accuracy\n  gradus runs experiments --sort best --json"
)]
pub struct Runs {
    /// The folder, or a run folder; folders in it are looked into, too
    #[arg(value_name = "DIR", default_value = "runs")]
    pub folder: PathBuf,
    /// Sort by name, best, epochs, time, parameters, date, or a figure of the last epoch such as
    /// `val_accuracy`: the better or smaller first
    #[arg(long, value_name = "KEY", default_value = "date")]
    pub sort: String,
    /// Print one JSON object; epochs are counted from 0
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus convert model.h5 model.keras\n  gradus convert model.keras weights.safetensors --layout pytorch\n  gradus convert model.keras model.onnx\n  gradus convert model.keras int8.onnx --quantize int8 --calibrate percentile --data fashion-mnist:train\n  gradus convert model.onnx model.keras"
)]
pub struct Convert {
    /// A model (`.keras`, `.h5` of Keras 2 or 3, `.onnx`) or a run folder, or weights
    /// (`.weights.h5`, Keras 2's `.h5`, `.safetensors`, `.npz`), which need --model
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// A model (`.keras`, `.onnx`) or weights (`.weights.h5`, `.safetensors`, `.npz`)
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// The model that weights are loaded into; all must fit
    #[arg(long)]
    pub model: Option<PathBuf>,
    /// How arrays of `.safetensors` and `.npz` are named and laid out in OUT:
    /// `keras` (`dense/kernel`) or `pytorch` (`dense.weight`, transposed). In IN
    /// either is understood [default: keras]
    #[arg(long, value_name = "LAYOUT")]
    pub layout: Option<String>,
    /// Set the weights of kernels and embeddings to zero whose absolute value is below this; the
    /// share of zeros is printed for each layer
    #[arg(long, value_name = "THRESHOLD")]
    pub zero_below: Option<f64>,
    /// Write an `.onnx` file of the numeric core alone: texts and dates are looked up and taken
    /// apart by who feeds it, so that it needs no operators of `ai.onnx.ml`
    #[arg(long)]
    pub core: bool,
    /// Write an `.onnx` file of int8 products with fixed scales (QDQ): weights by output channel, inputs
    /// of layers by the ranges that --data has
    #[arg(long, value_name = "int8")]
    pub quantize: Option<String>,
    /// How the range of a layer's inputs is chosen: `min-max`, `percentile` or `entropy` [default:
    /// min-max]
    #[arg(long, value_name = "METHOD", requires = "data")]
    pub calibrate: Option<String>,
    /// Percent of the numbers that `--calibrate percentile` keeps, the others cut off at both ends
    /// [default: 99.99]
    #[arg(long, value_name = "PERCENT", requires = "calibrate")]
    pub percentile: Option<f64>,
    /// Give the int8 weights 7 bits: for x86 processors without VNNI, whose sums of 8-bit products
    /// overflow
    #[arg(long, requires = "quantize")]
    pub reduce_range: bool,
    /// Rows like those that the model will be asked about, a few hundred at least, such as training
    /// rows; targets are not used. Not needed of a model that was trained with
    /// `quantization_aware`: it has learned the ranges
    #[arg(long, value_name = "SPEC", requires = "quantize")]
    pub data: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus optimize runs/first small.keras --data test.csv\n  gradus optimize model.keras small.keras --fold-batch-norm --prune 0.8 --quantize f16 --data fashion-mnist:test"
)]
pub struct Optimize {
    /// A model (`.keras`, or `.h5` of Keras), or a run folder
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Where the result goes, a `.keras` file that Keras loads, too
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Fold batch normalization, `Normalization` and `Rescaling` into the dense layers beside them,
    /// and leave out what does nothing in inference; predictions stay the same. Done if no other step
    /// is asked for
    #[arg(long)]
    pub fold_batch_norm: bool,
    /// Remove this share of the units of each hidden dense layer, those that matter least on --data,
    /// or by their weights; 0 removes dead ones alone
    #[arg(long, value_name = "SHARE")]
    pub prune_units: Option<f64>,
    /// Set the weights of kernels and embeddings to zero whose absolute value is below this, as those
    /// that an ℓ1 penalty has made tiny
    #[arg(long, value_name = "THRESHOLD")]
    pub zero_below: Option<f64>,
    /// Set this share of the weights of kernels and embeddings to zero, the smallest ones. More than
    /// half costs accuracy: `[callbacks] pruning` prunes while it trains
    #[arg(long, value_name = "SPARSITY")]
    pub prune: Option<f64>,
    /// Compare the weights of all layers with each other, so that some lose more than others
    #[arg(long, requires = "prune")]
    pub global: bool,
    /// Prune blocks of so many rows and columns, by their mean absolute value: `4,4`
    #[arg(long, value_name = "R,C", requires = "prune", value_parser = block)]
    pub block: Option<[usize; 2]>,
    /// Store weights in fewer bits
    #[arg(long, value_enum, value_name = "f16|int8")]
    pub quantize: Option<Quantize>,
    /// Rows to measure on: as `evaluate` takes them, or without targets
    #[arg(long, value_name = "SPEC")]
    pub data: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl Optimize {
    /// True if a step is asked for by name.
    pub fn has_step(&self) -> bool {
        let named = [self.prune, self.zero_below, self.prune_units];
        named.iter().any(Option::is_some) || self.quantize.is_some() || self.fold_batch_norm
    }
}

/// Two whole numbers above 0.
fn block(text: &str) -> Result<[usize; 2], String> {
    let numbers = text.split(',').map(|number| number.trim().parse().ok());
    match numbers.collect::<Option<Vec<usize>>>().as_deref() {
        Some(&[rows, columns]) if rows > 0 && columns > 0 => Ok([rows, columns]),
        _ => Err("expected two whole numbers above 0, such as 4,4".into()),
    }
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus report runs/first\n  gradus report runs/first runs/second --out compare.html"
)]
pub struct Report {
    /// The run folders
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    /// Where the page goes [default: report.html in the run folder; of several runs, compare.html]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gradus init houses.csv > config.toml\n  gradus init digits > config.toml"
)]
pub struct Init {
    /// A table (`my.csv`), arrays (`x.npy`, with `y.npy` beside it, or `x.npy,y.npy`), a folder of
    /// pictures with a folder for each class, or a built-in set (`digits`)
    #[arg(value_name = "FILE|FOLDER|NAME")]
    pub data: String,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  gradus completions bash > ~/.local/share/bash-completion/completions/gradus"
)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  gradus schema > gradus.schema.json")]
pub struct Schema {
    /// Print docs/config.md instead, which is made of it
    #[arg(long, hide = true)]
    pub markdown: bool,
}

#[derive(Debug, Subcommand)]
pub enum Data {
    /// List the data sets that have names, and where each is on this machine
    #[command(after_help = "Example:\n  gradus data list")]
    List,
    /// Fetch a data set: mnist, fashion-mnist, cifar10, cifar100 or housing
    #[command(after_help = "Example:\n  gradus data fetch fashion-mnist")]
    Fetch {
        /// Its name
        name: String,
        /// Where its files are, instead of the servers that gradus knows: URL/FILE for each file
        /// (repeatable: the next one is tried where one fails). What comes is checked the same
        #[arg(long, value_name = "URL")]
        mirror: Vec<String>,
    },
    /// Describe data: shapes, ranges, classes, the first pictures; of a table its columns
    #[command(
        after_help = "Examples:\n  gradus data show houses.csv --column zip=category\n  gradus data show fashion-mnist:test"
    )]
    Show {
        /// A built-in set (`digits:test`), array files (`x.npy,y.npy`), a table (`table.csv`,
        /// `table.parquet`), a folder of pictures, or a TOML file with `[data]`
        spec: String,
        /// What a table's column holds: number, boolean, date or category (repeatable)
        #[arg(long, value_name = "NAME=TYPE")]
        column: Vec<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, CommandFactory};

    /// The examples of a command and of all below it; each command must have some.
    fn examples(command: &Command, found: &mut Vec<String>) {
        let help = command.get_after_help().map(ToString::to_string);
        let lines = help.unwrap_or_else(|| panic!("`{}` has no example", command.get_name()));
        let before = found.len();
        let lines = lines.lines().filter_map(|line| line.strip_prefix("  "));
        found.extend(lines.map(str::to_owned));
        assert!(found.len() > before, "{}", command.get_name());
        for below in command.get_subcommands().filter(|c| c.get_name() != "help") {
            examples(below, found);
        }
    }

    #[test]
    fn each_command_has_examples_that_it_understands() {
        let mut found = Vec::new();
        examples(&Args::command(), &mut found);
        assert!(found.len() > 15, "{found:?}");
        for example in found {
            let typed = example.split(" > ").next().unwrap_or_default();
            let parsed = Args::try_parse_from(typed.split_whitespace());
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    }
}
