//! `gradus optimize`, and pruning by a configuration, through the real binary.

mod common;

use common::{Place, SMALL, trained};
use serde_json::Value;

fn steps(text: &str) -> Vec<(String, Value)> {
    let object: Value = serde_json::from_str(text).unwrap();
    let steps = object["steps"].as_array().unwrap().iter();
    let named = steps.map(|step| (step["step"].as_str().unwrap().to_owned(), step.clone()));
    named.collect()
}

#[test]
fn a_model_becomes_smaller_step_by_step() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    place.ok(&["train", "c.toml", "--quiet", "--out", "run"]);
    let optimize = [
        "optimize",
        "run",
        "small.keras",
        "--data",
        "digits:test",
        "--json",
    ];
    let more = [
        "--fold-batch-norm",
        "--prune-units",
        "0.25",
        "--prune",
        "0.5",
        "--quantize",
        "f16",
    ];
    let said = place.ok(&[&optimize[..], &more].concat());
    let steps = steps(&said);
    let names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["given", "folded", "shrunk", "pruned", "float16"]);
    let bytes: Vec<u64> = steps
        .iter()
        .map(|step| step.1["bytes"].as_u64().unwrap())
        .collect();
    assert!(bytes.windows(2).all(|pair| pair[1] < pair[0]), "{bytes:?}");
    let of_file = |name: &str| place.read(name).len() as u64;
    assert_eq!(
        (bytes[0], bytes[4]),
        (of_file("run/model.keras"), of_file("small.keras"))
    );
    // A quarter of the bytes, and the same classes.
    let int8 = [
        "optimize",
        "run",
        "int8.keras",
        "--data",
        "digits:test",
        "--json",
    ];
    let said = place.ok(&[&int8[..], &["--fold-batch-norm", "--quantize", "int8"]].concat());
    let of_int8 = &self::steps(&said)[2].1;
    let of_folded = self::steps(&said)[1].1["bytes"].as_f64().unwrap();
    assert!(
        of_int8["bytes"].as_f64().unwrap() < 0.75 * of_folded,
        "{said}"
    );
    assert!(
        of_int8["largest_difference"].as_f64().unwrap() < 0.1,
        "{said}"
    );
    let message = place.mistake(&["optimize", "int8.keras", "x.keras", "--quantize", "int8"]);
    assert!(
        message.contains("--quantize int8") && message.contains("hidden"),
        "{message}"
    );
    let message = place.mistake(&["optimize", "int8.keras", "x.keras", "--prune", "0.5"]);
    assert!(message.contains("hidden"), "{message}");
    // Folding changes nothing but the last bits.
    let folded = &steps[1].1;
    assert!(folded["largest_difference"].as_f64().unwrap() < 1e-5);
    assert_eq!(
        folded["measured"]["accuracy"],
        steps[0].1["measured"]["accuracy"]
    );
    assert!((steps[3].1["zeros"].as_f64().unwrap() - 0.5).abs() < 0.01);
    // The file has what the last line says.
    let said = place.ok(&["evaluate", "small.keras", "--data", "digits:test", "--json"]);
    let measured: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(measured, steps[4].1["measured"]);
    let summary = place.ok(&["summary", "small.keras"]);
    assert!(
        summary.contains("hidden (Dense)") && summary.contains("Zeros: 50"),
        "{summary}"
    );
    assert!(
        !summary.contains("BatchNormalization") && !summary.contains("Dropout"),
        "{summary}"
    );
}

#[test]
fn without_a_step_it_folds_and_without_data_it_says_what_is_missing() {
    let place = trained(1);
    let said = place.ok(&["optimize", "run", "out.keras"]);
    assert!(
        said.contains("batch_normalization (BatchNormalization) into"),
        "{said}"
    );
    assert!(
        said.contains("dropout (Dropout) does nothing in inference"),
        "{said}"
    );
    assert!(said.contains("--data SPEC"), "{said}");
    for (arguments, found) in [
        (&["run", "out.onnx2"][..], "ends in .keras"),
        (&["run", "o.keras", "--prune", "1"], "--prune"),
        (&["run", "o.keras", "--prune-units", "1"], "--prune-units"),
        (&["run", "o.keras", "--zero-below", "0"], "--zero-below"),
        (&["run", "o.keras", "--block", "4,4"], "--prune"),
        (&["run", "o.keras", "--prune", "0.5", "--block", "4"], "4,4"),
        (&["run", "o.keras", "--quantize", "f8"], "f16"),
        (&["run", "o.keras", "--data", "digitz:test"], "digits"),
        (&["nothing", "o.keras"], "nothing"),
    ] {
        let message = place.mistake(&[&["optimize"], arguments].concat());
        assert!(message.contains(found), "{arguments:?}: {message}");
        assert!(!place.path("o.keras").exists());
    }
}

#[test]
fn a_training_prunes_and_another_keeps_the_zeros() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let pruning = "callbacks.pruning={final_sparsity=0.75, frequency=5}";
    let train = [
        "train",
        "c.toml",
        "--set",
        pruning,
        "--set",
        "train.epochs=6",
        "--out",
    ];
    let said = place.ok(&[&train[..], &["run"]].concat());
    assert!(
        said.contains("pruned      75.0% of the weights are 0"),
        "{said}"
    );
    // The resolved configuration repeats it.
    place.ok(&["train", "run/config.toml", "--out", "again", "--quiet"]);
    assert!(place.read("run/model.keras") == place.read("again/model.keras"));
    let tuned = [
        "train",
        "c.toml",
        "--quiet",
        "--set",
        "model={file=\"run/model.keras\"}",
        "--out",
    ];
    let keep = ["--set", "callbacks.pruning=true"];
    let said = place.ok(&[&tuned[..], &["kept"], &keep].concat());
    assert!(said.contains("pruned      75.0%"), "{said}");
    place.ok(&[&tuned[..], &["lost"]].concat());
    // Those of pixels that are always 0 have no gradient.
    let summary = place.ok(&["summary", "lost"]);
    assert!(!summary.contains("Zeros: 7"), "{summary}");
    // The schedule must end in time, and its keys are checked.
    for (value, found) in [
        ("{final_sparsity=0.5, end_step=1000000}", "end_step"),
        ("{final_sparsity=2}", "final_sparsity"),
        ("{final_sparsty=0.5}", "final_sparsity"),
        ("{final_sparsity=0.5, layers=[\"hiden\"]}", "hidden"),
    ] {
        let set = format!("callbacks.pruning={value}");
        let message = place.mistake(&["train", "c.toml", "--set", &set, "--out", "no"]);
        assert!(message.contains(found), "{value}: {message}");
    }
}
