//! Tests of folders of pictures larger than `data.memory`, decoded: training from the cache equals
//! that in memory.

mod common;

use common::{Place, Said, results};
use image::{GrayImage, ImageFormat, Luma};
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

/// A vertical gradient, upwards or downwards, with noise for each picture.
fn slope(up: bool, seed: u32) -> Vec<u8> {
    let picture = GrayImage::from_fn(10, 8, |x, y| {
        let tone = if up { y } else { 7 - y };
        Luma([(tone * 20 + (x * 7 + y * 13 + seed * 29) % 90) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// 400 pictures of two classes, and 60 in a separate folder.
fn place() -> Place {
    let place = Place::new();
    for (folder, count) in [("all", 200), ("more", 30)] {
        for (class, up) in [("down", false), ("up", true)] {
            fs::create_dir_all(place.path(&format!("{folder}/{class}"))).unwrap();
            for n in 0..count {
                let seed = n + if folder == "more" { 1000 } else { 0 };
                let name = format!("{folder}/{class}/{n:03}.png");
                place.write(&name, slope(up, seed));
            }
        }
    }
    place.write("c.toml", CONFIG);
    place
}

const CONFIG: &str = r#"
seed = 3
[data]
images = "all"
size = [8, 9]
color_mode = "grayscale"
validation = { fraction = 0.2 }
test = { first = 20 }
[model]
layers = [
  { type = "Flatten" },
  { type = "Dense", units = 12, activation = "elu" },
  { type = "Dropout", rate = 0.1 },
  { type = "Dense", units = 2, activation = "softmax" },
]
[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
optimizer = { type = "Adam", learning_rate = 0.01 }
class_weight = "balanced"
batch_size = 8
epochs = 4
shuffle = false
"#;

fn ok(place: &Place, arguments: &[&str]) -> Said {
    let said = place.run_cached(arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
    said
}

/// Trains with a memory limit below the 28,800 bytes.
fn small(place: &Place, out: &str, more: &[&str]) -> Said {
    let memory = r#"data.memory="16 kB""#;
    let train = ["train", "c.toml", "--out", out, "--set", memory];
    ok(place, &[&train, more].concat())
}

/// The cache files of the decoded pictures.
fn kept(place: &Place) -> Vec<PathBuf> {
    let folder = fs::read_dir(place.path("cache/gradus/images"));
    folder.unwrap().map(|file| file.unwrap().path()).collect()
}

#[test]
fn pictures_in_their_order_give_the_files_that_pictures_in_memory_give() {
    let place = place();
    let ways = [
        ("last", &[][..]),
        (
            "mixed",
            &[
                "--set",
                "data.validation={ fraction = 0.3, shuffle = true }",
            ],
        ),
        (
            "alike",
            &[
                "--set",
                "data.validation={ fraction = 0.3, stratify = true }",
            ],
        ),
        (
            "own",
            &[
                "--set",
                "data.validation={ images = \"more\" }",
                "--set",
                "data.scale=\"standard\"",
            ],
        ),
    ];
    for (name, more) in ways {
        let whole = format!("{name}-whole");
        let train = ["train", "c.toml", "--out", &whole];
        ok(&place, &[&train, more].concat());
        // Decoded again, some at a time, and then from the cache.
        for file in kept(&place) {
            fs::remove_file(file).unwrap();
        }
        for again in ["first", "second"] {
            let out = format!("{name}-{again}");
            let said = small(&place, &out, more);
            assert!(said.err.contains("within 16 kB"), "{}", said.err);
            assert!(results(&place, &whole) == results(&place, &out), "{out}");
        }
    }
    // Training rows are evaluated too, and the model has its classes.
    let spec = place.text("last-first/config.toml");
    assert!(spec.contains("memory = \"16 kB\""), "{spec}");
    place.write("some.toml", spec.split("[model]").next().unwrap());
    let evaluated = |spec: &str| {
        ok(
            &place,
            &["evaluate", "own-first/model.keras", "--data", spec],
        )
        .out
    };
    let whole = spec.replace("memory = \"16 kB\"\n", "");
    place.write("whole.toml", whole.split("[model]").next().unwrap());
    assert_eq!(evaluated("some.toml"), evaluated("whole.toml"));
    let model = "last-first/model.keras";
    ok(
        &place,
        &["predict", model, "--data", "more", "--out", "scored.csv"],
    );
    assert!(
        place.text("scored.csv").contains("down/000.png,down"),
        "{}",
        place.text("scored.csv")
    );
}

#[test]
fn shuffled_pictures_are_a_function_of_the_seed() {
    let place = place();
    let more = ["--set", "train.shuffle=true"];
    for out in ["a", "b"] {
        small(&place, out, &more);
    }
    assert!(results(&place, "a") == results(&place, "b"));
    let accuracy = place.history("a", "val_accuracy");
    assert!(accuracy.last() > Some(&0.9), "{accuracy:?}");
}

#[test]
fn what_is_wrong_with_what_was_kept_is_told() {
    let place = place();
    // Their own size.
    place.write("c.toml", CONFIG.replace("size = [8, 9]\n", ""));
    small(&place, "run", &[]);
    let [file] = &kept(&place)[..] else {
        panic!("one file is kept")
    };
    // A byte of the last picture, before the 400 checksums.
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.len() - 400 * 4 - 3;
    bytes[at] ^= 1;
    fs::write(file, &bytes).unwrap();
    let refused = |out: &str| {
        let memory = r#"data.memory="16 kB""#;
        place.run_cached(&["train", "c.toml", "--out", out, "--set", memory])
    };
    let said = refused("damaged");
    assert!(
        said.code != Some(0)
            && said
                .err
                .contains("it was damaged and is removed: run again"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains(&file.display().to_string()),
        "{}",
        said.err
    );
    assert!(!file.exists());
    // It is decoded again, also if the file is truncated.
    ok(&place, &["train", "c.toml", "--out", "whole"]);
    assert_eq!(kept(&place), std::slice::from_ref(file), "of both");
    small(&place, "second", &[]);
    fs::write(file, &bytes[..at]).unwrap();
    small(&place, "third", &[]);
    assert!(results(&place, "run") == results(&place, "third"));

    // A damaged picture is named, and nothing is cached.
    fs::remove_file(file).unwrap();
    place.write("all/up/150.png", &slope(true, 1)[..60]);
    let said = refused("picture");
    assert!(
        said.code == Some(2) && said.err.contains("150.png"),
        "{}",
        said.err
    );
    assert!(kept(&place).is_empty());
    fs::remove_file(place.path("all/up/150.png")).unwrap();

    // Without a cache folder.
    fs::remove_dir_all(place.path("cache")).unwrap();
    place.write("cache", "no folder");
    let said = refused("nowhere");
    assert!(
        said.code != Some(0) && said.err.contains("cache"),
        "{}",
        said.err
    );
    ok(&place, &["train", "c.toml", "--out", "without"]);
}
