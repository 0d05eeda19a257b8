//! The recipe for images, through the real binary.

mod common;

use common::{Place, npy};

const CNN: &str = "[data]\ndataset = \"digits\"\nrows = 300\nvalidation = { first = 50 }\n[model]\nrecipe = \"cnn\"\n";

#[test]
fn digits_are_learned_by_a_network_of_their_size() {
    let place = Place::new();
    place.write("c.toml", CNN);
    let checked = place.ok(&["check", "c.toml"]);
    assert!(checked.contains("nothing suspicious found"), "{checked}");
    let summary = place.ok(&["summary", "c.toml"]);
    // Two stages: a third one would have images of 2 x 2.
    assert!(
        summary.contains("(None, 4, 4, 64)") && !summary.contains("128)"),
        "{summary}"
    );
    assert!(!summary.contains("RandomFlip"), "{summary}");
    place.write("flips.toml", format!("{CNN}flip = true\n"));
    let flips = place.ok(&["summary", "flips.toml"]);
    assert!(flips.contains("RandomFlip"), "{flips}");
    let own = "hidden = [8, 16, 24]\nblocks = 2\n";
    place.write("own.toml", format!("{CNN}{own}"));
    let own = place.ok(&["summary", "own.toml"]);
    assert!(own.contains("(None, 2, 2, 24)"), "{own}");
    assert_eq!(own.matches("(Add)").count(), 6, "{own}");

    let train = ["train", "c.toml", "--out", "run", "--quiet"];
    let small = ["--set", "model.hidden=[8, 16]", "--set", "train.epochs=8"];
    place.ok(&[&train[..], &small].concat());
    let accuracy = place.history("run", "val_accuracy");
    assert!(
        accuracy.iter().any(|accuracy| *accuracy > 0.3),
        "{accuracy:?}"
    );
}

#[test]
fn large_images_are_halved_before_the_first_stage() {
    let place = Place::new();
    let rows = npy(&[2, 160, 150, 3]);
    place.write("x.npy", rows);
    place.write("y.npy", npy(&[2]));
    let data = "data = { x = \"x.npy\", y = \"y.npy\" }\nmodel.recipe = \"cnn\"\ntrain.loss = \"binary_crossentropy\"\n";
    place.write("c.toml", data);
    let summary = place.ok(&["summary", "c.toml"]);
    for shape in [
        "(None, 80, 75, 32)",
        "(None, 40, 38, 32)",
        "(None, 5, 5, 256)",
    ] {
        assert!(summary.contains(shape), "{shape}: {summary}");
    }
}

#[test]
fn mistakes_are_told_with_their_keys() {
    let place = Place::new();
    place.write("c.toml", CNN);
    place.write("t.csv", "a,b\n1,2\n2,3\n");
    place.write("x.npy", npy(&[2, 3]));
    place.write("y.npy", npy(&[2]));
    for (set, parts) in [
        ("model.flip=1", &["model.flip", "true or false"][..]),
        (
            "model.recipe=default",
            &["model.flip", "belongs to the recipe \"cnn\""],
        ),
        (
            "data={ table = \"t.csv\", target = \"b\" }",
            &["model.recipe", "take the columns of a table"],
        ),
        (
            "data={ x = \"x.npy\", y = \"y.npy\" }",
            &["model.recipe", "images, (height, width)"],
        ),
    ] {
        let flip = ["--set", "model.flip=true"];
        let arguments = ["train", "c.toml", "--out", "x"];
        let message = place.mistake(&[&arguments[..], &flip, &["--set", set]].concat());
        for part in parts {
            assert!(message.contains(part), "{set}: {message}");
        }
    }
}
