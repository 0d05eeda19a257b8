//! `gradus convert`.

mod common;

use common::Place;
use std::path::Path;

fn real(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gradus/tests");
    folder.join(path).display().to_string()
}

#[test]
fn a_model_goes_through_every_format_and_back() {
    let place = Place::new();
    let keras = real("keras_files/keras3.keras");
    place.ok(&["convert", &keras, "start.keras"]);
    place.write("x.npy", common::npy(&[5, 4, 3]));
    let predicted = |model: &str| {
        place.ok(&["predict", model, "--data", "x.npy", "--out", "p.npy"]);
        place.read("p.npy")
    };
    let expected = predicted("start.keras");
    // The same architecture with other weights.
    place.ok(&["convert", &real("keras_files/keras3.h5"), "old.keras"]);
    assert_eq!(predicted("old.keras"), expected);
    for (name, more) in [
        ("a.weights.h5", &[][..]),
        ("a.safetensors", &[]),
        ("b.safetensors", &["--layout", "pytorch"]),
        ("a.npz", &[]),
        ("b.npz", &["--layout", "pytorch"]),
    ] {
        let said = place.ok(&[&["convert", "start.keras", name], more].concat());
        assert_eq!(said, format!("{name}: 8 arrays, 123 numbers\n"));
        place.ok(&["convert", name, "back.keras", "--model", "old.keras"]);
        assert_eq!(predicted("back.keras"), expected, "{name}");
        assert_eq!(
            place.read("back.keras"),
            place.read("start.keras"),
            "{name}"
        );
    }
    let text = String::from_utf8_lossy(&place.read("b.safetensors")).into_owned();
    assert!(
        text.contains("\"batch_normalization.running_mean\""),
        "{text}"
    );
    assert!(
        text.contains("\"dense.weight\":{\"dtype\":\"F32\",\"shape\":[6,12]"),
        "{text}"
    );
}

#[test]
fn what_does_not_go_together_is_told() {
    let place = Place::new();
    let (keras, weights) = (
        real("keras_files/keras3.keras"),
        real("weight_files/keras.npz"),
    );
    for (arguments, parts) in [
        (
            &[&keras, "m.txt"][..],
            &["m.txt", "expected a name that ends in .keras"][..],
        ),
        (
            &[&keras, "m.h5"],
            &["m.h5", "expected a name that ends in .keras"],
        ),
        (
            &[&weights, "m.keras"],
            &["keras.npz", "weights alone", "--model"],
        ),
        (
            &[&keras, "m.npz", "--model", &keras],
            &["--model", "no file of weights alone"],
        ),
        (
            &[&keras, "m.keras", "--layout", "pytorch"],
            &["--layout", "found pytorch"],
        ),
        (
            &[&keras, "m.npz", "--layout", "torch"],
            &["--layout", "unknown layout `torch`"],
        ),
        (
            &[&weights, "m.keras", "--model", &keras],
            &[
                "0 of 8 weights found",
                "not in the file: dense/kernel",
                "not in the model: hidden/bias",
            ],
        ),
        (&["none.keras", "m.npz"], &["none.keras"]),
    ] {
        let told = place.mistake(&[&["convert"], arguments].concat());
        for part in parts {
            assert!(told.contains(part), "{part} is not in {told}");
        }
        assert!(place.names(".").is_empty(), "{arguments:?}");
    }
}
