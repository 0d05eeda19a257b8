//! Tests of arrays larger than `data.memory`: training from their files equals that in memory.

mod common;

use common::{Place, npy, results};

const ROWS: usize = 30_000;
const WIDTH: usize = 8;

/// A `.npy` file of float32, with the header of `common::npy`.
fn write(place: &Place, name: &str, shape: &[usize], values: impl Iterator<Item = f32>) {
    let mut file = npy(shape);
    let numbers: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
    let start = file.len() - numbers.len();
    file[start..].copy_from_slice(&numbers);
    place.write(name, file);
}

const CONFIG: &str = r#"
seed = 3
[data]
x = "x.npy"
y = "y.npy"
validation = { fraction = 0.2 }
test = { first = 100 }
scale = "standard"
[model]
layers = [
  { type = "Dense", units = 12, activation = "elu" },
  { type = "Dropout", rate = 0.1 },
  { type = "Dense", units = 3, activation = "softmax" },
]
[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
optimizer = { type = "Adam", learning_rate = 0.01 }
class_weight = "balanced"
epochs = 4
"#;

fn place() -> Place {
    let place = Place::new();
    let x = (0..ROWS * WIDTH).map(|i| (i * 37 % 113) as f32 * 0.3);
    write(&place, "x.npy", &[ROWS, WIDTH], x);
    write(
        &place,
        "y.npy",
        &[ROWS],
        (0..ROWS).map(|i| (i * i % 3) as f32),
    );
    place.write("c.toml", CONFIG);
    place
}

/// Trains with a memory limit that leaves most of the rows in their files.
fn small(place: &Place, out: &str, more: &[&str]) -> String {
    let memory = r#"data.memory="560 kB""#;
    let train = ["train", "c.toml", "--out", out, "--set", memory];
    let said = place.run(&[&train, more].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    said.err
}

#[test]
fn rows_in_their_order_give_the_files_that_rows_in_memory_give() {
    let place = place();
    let in_order = ["--set", "train.shuffle=false"];
    let (one, three) = (["--threads", "1"], ["--threads", "3"]);
    place.ok(&[&["train", "c.toml", "--out", "here"], &in_order[..], &one].concat());
    let said = small(&place, "read", &[&in_order[..], &three].concat());
    let rows = "rows: 23920 to train on, 5980 for validation (the last 0.2), 100 for test (the \
                first rows)\nread meanwhile, within 560 kB: they would take 1080 kB";
    assert!(said.contains(rows), "{said}");
    assert!(results(&place, "here") == results(&place, "read"));
    let evaluate = |run: &str| {
        let model = format!("{run}/model.keras");
        place.ok(&[
            "evaluate",
            &model,
            "--data",
            &format!("{run}/config.toml"),
            "--json",
        ])
    };
    assert_eq!(evaluate("here"), evaluate("read"));
}

#[test]
fn a_run_repeats_and_goes_on_to_the_same_bits() {
    let place = place();
    small(&place, "whole", &["--threads", "2"]);
    assert!(
        place
            .text("whole/config.toml")
            .contains("memory = \"560 kB\"")
    );
    place.ok(&[
        "train",
        "whole/config.toml",
        "--quiet",
        "--out",
        "again",
        "--threads",
        "1",
    ]);
    assert!(results(&place, "whole") == results(&place, "again"));
    small(&place, "half", &["--set", "train.epochs=2"]);
    let more = [
        "train",
        "--resume",
        "--quiet",
        "--out",
        "half",
        "--set",
        "train.epochs=4",
    ];
    place.ok(&more);
    assert!(results(&place, "whole") == results(&place, "half"));
}

#[test]
fn a_recipe_and_the_finder_read_too() {
    let place = place();
    let recipe = r#"model={recipe="default", hidden=[10]}"#;
    let auto = r#"train={epochs=2, learning_rate="auto"}"#;
    let said = small(&place, "run", &["--set", recipe, "--set", auto]);
    assert!(said.contains("learning rate found"), "{said}");
    assert!(place.text("run/config.toml").contains("softmax"));
}

#[test]
fn what_cannot_be_read_meanwhile_is_refused() {
    let place = place();
    let train = ["train", "c.toml", "--out", "run", "--set"];
    for (settings, expected) in [
        (&["data.memory=\"1 kB\""][..], "memory: found"),
        (&["data.memory=\"much\""], "data.memory: found `much`"),
        (&["data.memory=0"], "data.memory: found 0"),
        (
            &[
                "data.memory=\"40 kB\"",
                "data.validation={fraction=0.1, shuffle=true}",
            ],
            "data.validation: found 0.1 at random",
        ),
        (
            &["data.memory=\"40 kB\"", "data.validation={fold=2, folds=5}"],
            "data.validation: found fold 2 of 5",
        ),
        (
            &[
                "data.memory=\"40 kB\"",
                "data={memory=1000, dataset=\"digits\"}",
            ],
            "`memory` belongs to arrays",
        ),
    ] {
        let set: Vec<&str> = settings.iter().flat_map(|s| ["--set", s]).skip(1).collect();
        let message = place.mistake(&[&train[..], &set].concat());
        assert!(message.contains(expected), "{message}");
    }
    let folds = ["--folds", "3", "--set", "data.memory=\"40 kB\""];
    let message = place.mistake(&[&train[..4], &folds].concat());
    assert!(message.contains("found fold 1 of 3"), "{message}");
}

#[test]
fn predictions_come_block_by_block_and_are_those_of_rows_in_memory() {
    let place = place();
    small(&place, "run", &[]);
    place.write("large.toml", "[data]\nx = \"x.npy\"\nmemory = \"40 kB\"\n");
    let predict = |data: &'static str, out: &'static str| {
        let model = ["predict", "run/model.keras", "--data", data, "--out", out];
        place.ok(&model).replace(out, "")
    };
    for (here, read) in [("a.npy", "b.npy"), ("a.csv", "b.csv")] {
        assert_eq!(predict("x.npy", here), predict("large.toml", read));
        assert!(place.read(here) == place.read(read), "{read}");
    }
    let noisy = ["predict", "run/model.keras", "--data", "large.toml"];
    let noisy = [&noisy[..], &["--out", "c.npy", "--mc-samples", "3"]].concat();
    let message = place.mistake(&noisy);
    assert!(
        message.contains("--mc-samples: found several samples"),
        "{message}"
    );
}

#[test]
fn a_file_that_is_too_short_is_named_with_its_row() {
    let place = place();
    let mut x = place.read("x.npy");
    x.truncate(x.len() - 4 * WIDTH * 10 - 1);
    place.write("x.npy", x);
    let train = [
        "train",
        "c.toml",
        "--out",
        "run",
        "--set",
        "data.memory=\"40 kB\"",
    ];
    let message = place.mistake(&train);
    assert!(
        message.contains("x.npy, row 29989: found the end of the file"),
        "{message}"
    );
}
