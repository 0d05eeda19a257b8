//! The recipe for tables, through the real binary.

mod common;

use common::Place;

/// Rows whose class is mostly chance: a network overfits them in a few epochs.
fn table(rows: usize) -> String {
    let mut state = 7_u64;
    let mut draw = move || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let mut text = String::from("a,b,c,d,e,f,kind\n");
    for _ in 0..rows {
        let numbers: Vec<f64> = (0..6).map(|_| draw()).collect();
        let kind = if numbers[0] + 4.0 * draw() > 2.5 {
            "up"
        } else {
            "down"
        };
        for number in numbers {
            text += &format!("{number:.3},");
        }
        text += &format!("{kind}\n");
    }
    text
}

const CONFIG: &str = r#"
seed = 1
data.table = "t.csv"
data.target = "kind"
data.validation = { fraction = 0.2, shuffle = true }
model.recipe = "default"
"#;

#[test]
fn the_best_of_all_epochs_is_kept() {
    let place = Place::new();
    place.write("t.csv", table(100));
    place.write("c.toml", CONFIG);
    let said = place.ok(&["train", "c.toml", "--out", "run"]);
    let losses = place.history("run", "val_loss");
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let best = losses.iter().position(|&loss| loss == least).unwrap();
    // Early, or this would prove little; and training continued beyond it.
    assert!(
        best < 30 && losses.len() > 60,
        "epoch {best} of {}",
        losses.len()
    );
    assert!(
        said.contains(&format!("kept the weights of epoch {}\n", best + 1)),
        "{said}"
    );
    assert!(
        said.contains(&format!("validation  loss {least:.4}")),
        "{said}"
    );
}

#[test]
fn a_table_has_a_recipe_of_its_own_sized_by_its_rows() {
    let place = Place::new();
    place.write("t.csv", table(100));
    place.write("c.toml", CONFIG);
    let resolved = |more: &[&str], out: &str| {
        let mut command = vec!["train", "c.toml", "--out", out, "--quiet"];
        for key in more {
            command.extend(["--set", key]);
        }
        place.ok(&command);
        place.text(&format!("{out}/config.toml"))
    };
    let small = resolved(&["train.epochs=2"], "small");
    for part in [
        "AdamW",
        "units = 64",
        "rate = 0.3",
        "tanh",
        "kernel_initializer = \"zeros\"",
        "batch_size = 32",
    ] {
        assert!(small.contains(part), "{part}: {small}");
    }
    place.write("t.csv", table(2600));
    let large = resolved(&["train.epochs=1"], "large");
    assert_eq!(large.matches("units = 128").count(), 3, "{large}");
    // Keys given are kept; the rest is the recipe's.
    let own = resolved(
        &["train.epochs=1", "model.hidden=[5]", "train.batch_size=50"],
        "own",
    );
    assert!(
        own.contains("units = 5\n") || own.contains("units = 5,"),
        "{own}"
    );
    assert!(
        own.contains("batch_size = 50") && own.contains("AdamW"),
        "{own}"
    );
    // Table 11-4 stays as in the book.
    let book = resolved(
        &["train.epochs=1", "model.recipe=\"self-normalizing\""],
        "book",
    );
    assert!(
        book.contains("selu") && book.contains("SGD") && !book.contains("tanh"),
        "{book}"
    );
}
