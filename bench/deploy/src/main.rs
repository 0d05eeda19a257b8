//! gradus, ONNX Runtime, tract and rten on the same rows, in turns, by one process: the program of
//! `bench/deploy/run`. Each has one thread.
//!
//! - `gradus-bench-deploy networks FOLDER`: writes the networks whose latency is compared, each as
//!   a `.keras` and an `.onnx` file, the book's excepted, which is trained;
//! - `gradus-bench-deploy time SECONDS SHAPE ROWS LABELS|- NAME=FILE...`: a line of JSON for each
//!   file: microseconds of one row (p50, p99), rows a second in batches of 1000, accuracy and the
//!   largest difference from the first one's outputs. SHAPE is a row's, `28,28`; ROWS are float32,
//!   LABELS bytes. What runs a file is the beginning of its NAME: `gradus`, `onnxruntime`, `tract`
//!   or `rten`. `ORT_DYLIB_PATH` names the shared library of ONNX Runtime.

mod networks;
mod runtimes;
mod time;

use std::sync::Arc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["networks", folder] => networks::write(folder.as_ref()),
        ["time", seconds, shape, rows, labels, ref files @ ..] => {
            let shape = shape
                .split(',')
                .map(str::parse)
                .collect::<std::result::Result<_, _>>()?;
            let rows = time::Rows::read(shape, rows, labels)?;
            let seconds = seconds.parse()?;
            gradus::set_threads(1);
            // On the thread of rten's pool, so that rten need not go there for each call.
            let pool = Arc::new(rten::ThreadPool::with_num_threads(1));
            pool.run(|| time::time(seconds, &rows, files, &pool))
        }
        _ => {
            eprintln!("usage: gradus-bench-deploy networks FOLDER");
            eprintln!("       gradus-bench-deploy time SECONDS SHAPE ROWS LABELS|- NAME=FILE...");
            std::process::exit(2);
        }
    }
}
