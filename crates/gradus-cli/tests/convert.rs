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

#[test]
fn tiny_weights_become_zeros() {
    let place = Place::new();
    let keras = real("keras_files/keras3.keras");
    place.ok(&["convert", &keras, "start.keras"]);
    let said = place.ok(&["convert", &keras, "zeros.keras", "--zero-below", "0.3"]);
    let load = |name: &str| gradus::Model::load(place.path(name)).unwrap();
    let (start, zeros) = (load("start.keras"), load("zeros.keras"));
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("zeros.keras: 8 arrays, 123 numbers"));
    let (mut all, mut numbers) = (0, 0);
    for (before, after) in start.layers.iter().zip(&zeros.layers) {
        for (before, after) in before.weights.iter().zip(&after.weights) {
            if before.name != "kernel" {
                assert_eq!(before, after);
                continue;
            }
            let expected = before.values.iter();
            let expected: Vec<f32> = expected
                .map(|&x| if x.abs() < 0.3 { 0.0 } else { x })
                .collect();
            assert_eq!(after.values, expected);
            let (few, many) = (
                expected.iter().filter(|x| **x == 0.0).count(),
                expected.len(),
            );
            let line = lines.next().unwrap();
            assert!(line.contains(".kernel "), "{line}");
            assert!(line.ends_with(&format!("({few} of {many})")), "{line}");
            (all, numbers) = (all + few, numbers + many);
        }
    }
    let share = 100.0 * all as f64 / numbers as f64;
    let last = lines.next().unwrap();
    assert!(
        all > 0 && all < numbers && last.starts_with("all "),
        "{last}"
    );
    assert!(last.contains(&format!("{share:5.1}% zeros")), "{last}");
    assert_eq!(lines.next(), None);
    for wrong in ["0", "-1", "nan", "inf"] {
        let below = format!("--zero-below={wrong}");
        let message = place.mistake(&["convert", &keras, "x.keras", &below]);
        assert!(message.contains("a number above 0"), "{message}");
        assert!(!place.path("x.keras").exists());
    }
}
