//! A stranger's file in every format that gradus reads models and weights from.
//!
//! `cargo +nightly fuzz run model_file -- -rss_limit_mb=300 -timeout=2`; good seeds
//! are `crates/gradus/tests/keras_files` and `weight_files`, each with a byte before
//! it that says which format it is.

#![no_main]

use gradus::Model;
use gradus::model::layers::{BatchNormalization, Dense, Dropout, Flatten};
use libfuzzer_sys::fuzz_target;
use std::io::Write;

const ENDINGS: [&str; 5] = [".keras", ".h5", ".weights.h5", ".safetensors", ".npz"];

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let ending = ENDINGS[usize::from(*first) % ENDINGS.len()];
    let mut file = tempfile::Builder::new().suffix(ending).tempfile().unwrap();
    file.write_all(rest).unwrap();
    if matches!(ending, ".keras" | ".h5") {
        let _ = Model::load(file.path());
        return;
    }
    let chain = gradus::Sequential::new()
        .input([4, 3])
        .add(Flatten::new())
        .add(Dense::new(6))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.2))
        .add_named("out", Dense::new(3), true);
    let mut model = chain.build().unwrap();
    let _ = model.load_weights(file.path());
    let _ = model.load_weights_by_name(file.path());
});
