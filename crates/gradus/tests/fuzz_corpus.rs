//! Replays what fuzzing has found: the corpora in `fuzz/corpus`, each with the inputs that once
//! were taken badly, and damaged ones of them.
//!
//! `GRADUS_MUTATIONS=10000 cargo test --release -p gradus --test fuzz_corpus` damages more of them
//! for each target, from the number in `GRADUS_FROM` on.

#[path = "common/mutate.rs"]
mod mutate;
#[allow(dead_code)]
#[path = "common/random.rs"]
mod random;
#[allow(dead_code)]
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

use random::Random;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

/// The inputs of a target, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut inputs: Vec<_> = fs::read_dir(corpora.join(target))
        .unwrap_or_else(|error| panic!("the corpus of {target}: {error}"))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    inputs.sort();
    assert!(inputs.len() > 3, "{target} has {} inputs", inputs.len());
    if target == "checkpoint" {
        let state = targets::interrupted().state;
        inputs.push(("a state".to_owned(), [b"s", state.as_bytes()].concat()));
    }
    inputs
}

fn number(variable: &str) -> Option<usize> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is {text}, expected a number")))
}

/// A test of each target's own, which fails with the name of the input that was taken badly.
macro_rules! replay {
    ($($target:ident)+) => {$(
        #[test]
        fn $target() {
            let inputs = corpus(stringify!($target));
            let run = |bytes: &[u8]| catch_unwind(|| targets::$target(bytes));
            let mut good = 0;
            for (name, bytes) in &inputs {
                good += usize::from(run(bytes).unwrap_or_else(|_| panic!("{name}")));
            }
            assert!(good > 0, "none of {} inputs is a good file", inputs.len());
            let first = number("GRADUS_FROM").unwrap_or(0);
            for n in first..first + number("GRADUS_MUTATIONS").unwrap_or(50) {
                let mut random = Random(n as u64);
                let (_, bytes) = &inputs[random.below(inputs.len())];
                let mut bytes = bytes.clone();
                if random.chance(3) {
                    let (_, other) = &inputs[random.below(inputs.len())];
                    bytes.truncate(random.below(bytes.len() + 1));
                    bytes.extend(&other[random.below(other.len() + 1)..]);
                }
                for _ in 0..1 + random.below(3) {
                    match random.below(2) {
                        0 => mutate::reword(&mut bytes, &mut random),
                        _ => bytes = mutate::mutate(bytes, random.below(1 << 30)),
                    }
                }
                if run(&bytes).is_err() {
                    let name = format!("{}-{n}", stringify!($target));
                    let path = std::env::temp_dir().join(name);
                    fs::write(&path, &bytes).unwrap();
                    panic!("{} is taken badly", path.display());
                }
            }
            let folder = targets::folder(stringify!($target));
            fs::remove_dir_all(&folder).unwrap();
            // The last of these tests finds it empty.
            let _ = fs::remove_dir(folder.parent().unwrap());
        }
    )+};
}

replay! { keras hdf5 npy idx csv picture safetensors config checkpoint }
