//! Tests of sample weights, through the real binary.

mod common;

use common::{Place, npy};

/// Rows on a line, every third one wrong and with weight 0.
fn line(from: usize, rows: usize, wrong: bool) -> String {
    let mut text = String::from("x,w,y\n");
    for row in from..from + rows {
        let (x, is_wrong) = (row % 10, row % 3 == 0);
        match is_wrong {
            true if wrong => text += &format!("{x},0,{}\n", 1000 + row),
            true => {}
            false => text += &format!("{x},1.0,{}\n", 2 * x + 1),
        }
    }
    text
}

const CONFIG: &str = r#"
data = { table = "t.csv", target = "y", sample_weight = "w", validation = { table = "v.csv" } }
model = { recipe = "default", hidden = [] }
train = { epochs = 40, learning_rate = 0.03, metrics = ["mae"], weighted_metrics = ["mse"] }
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("t.csv", line(0, 300, true));
    place.write("v.csv", line(300, 60, true));
    place.write("good.csv", line(300, 60, false));
    place.write("c.toml", CONFIG);
    place
}

/// A value of the last epoch.
fn last(place: &Place, run: &str, name: &str) -> f64 {
    *place.history(run, name).last().unwrap()
}

#[test]
fn a_tables_weights_count_in_training_and_in_its_own_validation_table() {
    let place = place();
    place.ok(&["train", "c.toml", "--out", "run"]);
    let good = "data.validation={table=\"good.csv\"}";
    place.ok(&["train", "c.toml", "--out", "good", "--set", good]);
    // The loss is a mean over rows, as in Keras: those with weight 0 count as 0.
    let (weighted, whole) = (
        last(&place, "run", "val_loss"),
        last(&place, "good", "val_loss"),
    );
    assert!(
        (weighted - whole * 40.0 / 60.0).abs() < 1e-4 * whole,
        "{weighted} {whole}"
    );
    // A weighted metric is a mean over weights; an unweighted one counts every row.
    let (weighted, whole) = (
        last(&place, "run", "val_mse"),
        last(&place, "good", "val_mse"),
    );
    assert!(
        (weighted - whole).abs() < 1e-4 * whole,
        "{weighted} {whole}"
    );
    assert!(whole < 100.0 && last(&place, "run", "val_mae") > 100.0);
    // The configuration's weights apply in evaluation, too.
    let json = place.ok(&[
        "evaluate",
        "run/model.keras",
        "--data",
        "run/config.toml",
        "--json",
    ]);
    let measured: serde_json::Value = serde_json::from_str(&json).unwrap();
    let loss = measured["loss"].as_f64().unwrap();
    let losses = place.history("run", "val_loss").into_iter();
    let least = losses.fold(f64::INFINITY, f64::min);
    assert!(
        (loss - least).abs() < 1e-6 * least.max(1.0),
        "{loss} {least}"
    );
    // New rows need none, and may have them.
    place.write("new.csv", "x\n3\n");
    place.ok(&[
        "predict",
        "run/model.keras",
        "--data",
        "new.csv",
        "--out",
        "o.csv",
    ]);
    place.ok(&[
        "predict",
        "run/model.keras",
        "--data",
        "v.csv",
        "--out",
        "o.csv",
    ]);
    // A pretrained model brings its schema.
    let more = "model = { file = \"run/model.keras\" }\ntrain.epochs = 1\n";
    let data = CONFIG
        .lines()
        .find(|line| line.starts_with("data"))
        .unwrap();
    place.write("more.toml", format!("{data}\n{more}"));
    place.ok(&["train", "more.toml", "--out", "more"]);
    // Folds have weights, too.
    let all = "data.validation={fraction=0.2}";
    place.ok(&[
        "train", "c.toml", "--out", "folds", "--folds", "2", "--set", all,
    ]);
    let text = place.text("folds/folds.csv");
    assert!(text.contains(",val_mse\n"), "{text}");
}

#[test]
fn weights_that_are_none_are_named_by_line_and_column() {
    let place = place();
    let wrong = |file: &str, text: &str, words: &str| {
        let good = place.read(file);
        place.write(file, text);
        let message = place.mistake(&["train", "c.toml", "--out", "run"]);
        assert!(message.contains(words), "{message}");
        place.write(file, good);
    };
    for (file, text, words) in [
        (
            "t.csv",
            "x,w,y\n1,1,3\n2,-1,5\n",
            "t.csv, column `w`, line 3: found -1, expected a weight",
        ),
        (
            "t.csv",
            "x,w,y\n\n1,1,3\n2,,5\n",
            "t.csv, column `w`, line 4: found nothing, expected a weight",
        ),
        (
            "t.csv",
            "x,w,y\n1,a,3\n2,b,5\n3,a,5\n",
            "sample_weight, `w`: found a column of type category, expected numbers",
        ),
        ("t.csv", "x,y\n1,3\n2,5\n", "unknown column `w`"),
        (
            "v.csv",
            "x,w,y\n1,nan,3\n",
            "v.csv, column `w`, line 2: found nothing, expected a weight",
        ),
        (
            "v.csv",
            "x,w,y\n1,much,3\n",
            "column `w`: line 2 has `much`",
        ),
        (
            "v.csv",
            "x,y\n1,3\n",
            "v.csv: sample_weight: unknown column `w`",
        ),
        (
            "v.csv",
            "x,w,y\n1,1,3\n1,1,\n",
            "v.csv, target `y`, line 3: found nothing",
        ),
    ] {
        wrong(file, text, words);
    }
    let target = "data.sample_weight=\"y\"";
    let message = place.mistake(&["train", "c.toml", "--set", target]);
    assert!(
        message.contains("`y` is named under `sample_weight` too"),
        "{message}"
    );
}

/// A file of these values.
fn numbers(shape: &[usize], all: &[f32]) -> Vec<u8> {
    let mut file = npy(shape);
    let start = file.len() - 4 * all.len();
    for (place, x) in all.iter().enumerate() {
        file[start + 4 * place..][..4].copy_from_slice(&x.to_le_bytes());
    }
    file
}

const ARRAYS: &str = r#"
data = { x = "x.npy", y = "y.npy", sample_weight = "w.npy", validation = { x = "x.npy", y = "y.npy", sample_weight = "w.npy" } }
train = { loss = "mse", optimizer = "sgd", epochs = 1 }
model.layers = [{ type = "Dense", units = 1, kernel_initializer = "zeros" }]
"#;

#[test]
fn arrays_have_a_file_of_weights_for_validation_too() {
    let place = Place::new();
    let y: Vec<f32> = (0..8).map(|row| row as f32).collect();
    place.write("x.npy", npy(&[8, 1]));
    place.write("y.npy", numbers(&[8], &y));
    place.write("w.npy", npy(&[8]));
    place.write("c.toml", ARRAYS);
    place.ok(&["train", "c.toml", "--out", "run"]);
    assert_eq!(last(&place, "run", "val_loss"), 0.0);
    let config = place.text("run/config.toml");
    assert_eq!(config.matches("w.npy").count(), 2, "{config}");
    let mut wrong = vec![1.0; 8];
    for (bad, words) in [
        (-0.5, "row 3: found -0.5, expected a weight of 0 or more"),
        (f32::NAN, "row 3: found NaN"),
    ] {
        wrong[3] = bad;
        place.write("w.npy", numbers(&[8], &wrong));
        let message = place.mistake(&["train", "c.toml"]);
        assert!(
            message.contains("w.npy") && message.contains(words),
            "{message}"
        );
    }
    let without = "data.validation={ fraction = 0.5, sample_weight = \"w.npy\" }";
    let message = place.mistake(&["train", "c.toml", "--set", without]);
    assert!(
        message.contains("`sample_weight` belongs to `x` and `y`"),
        "{message}"
    );
}
