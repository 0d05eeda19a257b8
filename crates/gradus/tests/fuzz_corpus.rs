//! Replays what fuzzing has found: the corpora in `fuzz/corpus`, and each input that once was
//! taken badly.

#[allow(dead_code)]
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[test]
fn every_input_is_taken_or_refused() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let mut inputs: Vec<_> = fs::read_dir(corpora.join(name))
            .unwrap_or_else(|error| panic!("the corpus of {name}: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort();
        assert!(inputs.len() > 3, "{name} has {} inputs", inputs.len());
        for path in inputs {
            let bytes = fs::read(&path).unwrap();
            assert!(
                catch_unwind(|| target(&bytes)).is_ok(),
                "{}",
                path.display()
            );
        }
    }
    let _ = fs::remove_dir_all(targets::folder("").parent().unwrap());
}
