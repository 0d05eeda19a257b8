//! `gradus init`, `schema` and `completions`: what a newcomer begins with.

mod common;

use common::Place;
use gradus::{Shape, data};

/// A configuration by `init`: checked, and trained for an epoch. Returns its text.
fn begun(place: &Place, data: &str) -> String {
    let text = place.ok(&["init", data]);
    place.write("config.toml", text.as_bytes());
    let checked = place.run_cached(&["check", "config.toml"]);
    assert_eq!(
        checked.code,
        Some(0),
        "{data}: {}{}",
        checked.out,
        checked.err
    );
    let arguments = [
        "train",
        "config.toml",
        "--set",
        "train.epochs=1",
        "--out",
        "run",
        "--quiet",
    ];
    let trained = place.run_cached(&arguments);
    assert_eq!(trained.code, Some(0), "{data}: {}", trained.err);
    assert!(trained.out.contains("1 epochs"), "{}", trained.out);
    text
}

/// A table of 60 houses: the price is last, and the town has a name that TOML has to quote.
fn houses(rows: usize) -> String {
    let mut text = String::from("house,rooms,the town,sold,price\n");
    for i in 0..rows {
        let town = ["Bern", "Basel", "Chur"][i % 3];
        text += &format!(
            "h{i},{},{town},2024-0{}-11,{}\n",
            i % 7,
            1 + i % 9,
            100 + (i * 37) % 101
        );
    }
    text
}

#[test]
fn a_table_is_described_and_its_last_column_guessed() {
    let place = Place::new();
    place.write("houses.csv", houses(60).as_bytes());
    let text = begun(&place, "houses.csv");
    for line in [
        "# 60 rows, 5 columns, as they were read:",
        "#   rooms     number, 0 to 6",
        "#   the town  category, 3 different: Bern, Basel, Chur",
        "#   sold      date, 2024-01-11 to 2024-09-11",
        "table = \"houses.csv\"",
        "# The column to predict: a guess, the last column; change this.",
        "target = \"price\"",
        "validation = { fraction = 0.1, shuffle = true }",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
}

#[test]
fn a_column_that_says_it_is_the_target_is_taken_and_classes_are_shared_out() {
    let place = Place::new();
    let rows = (0..90).map(|i| format!("{},{},{i}\n", ["a", "b"][i % 2], (i * 7) % 11));
    let table = format!("Label,x,when\n{}", rows.collect::<String>());
    place.write("few.csv", table.as_bytes());
    let text = begun(&place, "few.csv");
    assert!(text.contains("by its name"), "{text}");
    assert!(text.contains("\ntarget = \"Label\"\n"), "{text}");
    assert!(
        text.contains("\ntest = { fraction = 0.2, stratify = true }\n"),
        "{text}"
    );
}

#[test]
fn of_few_rows_none_is_held_out() {
    let place = Place::new();
    place.write("houses.csv", houses(12).as_bytes());
    let text = begun(&place, "houses.csv");
    assert!(text.contains("\n# validation = { fraction"), "{text}");
}

#[test]
fn a_date_or_a_text_of_each_row_is_no_guess() {
    let place = Place::new();
    let rows = (0..40).map(|i| {
        format!(
            "{},{},note {i},2024-01-{:02}\n",
            i % 5,
            i * i % 13,
            1 + i % 28
        )
    });
    let table = format!("a,b,note,day\n{}", rows.collect::<String>());
    place.write("notes.csv", table.as_bytes());
    let text = begun(&place, "notes.csv");
    assert!(
        text.contains("a guess, the last column with numbers or classes"),
        "{text}"
    );
    assert!(text.contains("\ntarget = \"b\"\n"), "{text}");
}

#[test]
fn names_from_a_table_cannot_leave_their_comment() {
    let place = Place::new();
    let rows = (0..40).map(|i| format!("{},{}\n", i % 5, i * 3 % 7));
    let table = format!(
        "\"a\n[train]\nepochs = 9\",\"b\"\"\\\"\n{}",
        rows.collect::<String>()
    );
    place.write("odd.csv", table.as_bytes());
    let text = begun(&place, "odd.csv");
    assert!(!text.contains("\nepochs"), "{text}");
    let config: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(config["data"]["target"].as_str(), Some("b\"\\"));
}

#[test]
fn arrays_find_their_targets_beside_them() {
    let place = Place::new();
    let array = |row: &[usize], values: Vec<f32>| {
        let mut file = Vec::new();
        data::write_npy(&mut file, &Shape::new(row), &values).unwrap();
        file
    };
    let x = array(&[4], (0..200).map(|i| (i % 17) as f32).collect());
    place.write("train_x.npy", &x);
    place.write("alone.npy", x);
    place.write(
        "train_y.npy",
        array(&[], (0..50).map(|i| (i % 3) as f32).collect()),
    );
    let text = begun(&place, "train_x.npy");
    assert!(text.contains("# 50 rows of 4\n"), "{text}");
    assert!(text.contains("a guess, the file beside it"), "{text}");
    assert!(text.contains("\ny = \"train_y.npy\"\n"), "{text}");
    assert!(text.contains("# What is predicted: 3 classes.\n"), "{text}");
    let named = place.ok(&["init", "train_x.npy,train_y.npy"]);
    assert!(!named.contains("guess"), "{named}");
    let said = place.mistake(&["init", "alone.npy"]);
    assert!(said.contains("gradus init alone.npy,FILE.npy"), "{said}");
}

#[test]
fn a_folder_of_pictures_is_counted_and_sized() {
    let place = Place::new();
    for (class, shade) in [("dark", 20), ("light", 220)] {
        for n in 0..25 {
            let picture = image::RgbImage::from_pixel(12, 10, image::Rgb([shade, n, 0]));
            let path = place.path(&format!("shades/{class}/{n}.png"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            picture.save(path).unwrap();
        }
    }
    let text = begun(&place, "shades");
    assert!(
        text.contains("# 50 pictures in 2 class folders:\n#   dark  25\n"),
        "{text}"
    );
    assert!(text.contains("\nsize = [10, 12]\n"), "{text}");
    assert!(text.contains("\nrecipe = \"cnn\"\n"), "{text}");
    let said = place.mistake(&["init", "shades/dark"]);
    assert!(said.contains("class folder"), "{said}");
}

#[test]
fn a_built_in_set_by_its_name() {
    let place = Place::new();
    let text = begun(&place, "digits");
    assert!(text.contains("\ndataset = \"digits\"\n"), "{text}");
    assert!(
        text.contains("1442 rows of 8 × 8 and 355 for the test, 10 classes"),
        "{text}"
    );
    let said = place.mistake(&["init", "digitz"]);
    assert!(said.contains("did you mean `digits`?"), "{said}");
}

#[test]
fn nothing_to_look_at_is_the_users_mistake() {
    let place = Place::new();
    place.write("one.csv", b"a\n1\n2\n");
    place.write("same.csv", b"a,b\n1,1\n1,1\n");
    place.write("config.toml", b"seed = 1\n");
    for (data, message) in [
        ("none.csv", "none.csv"),
        ("none.npy", "none.npy"),
        ("no/folder", "no/folder"),
        ("one.csv", "two at least"),
        ("same.csv", "no column that could be predicted"),
        ("config.toml", "a configuration"),
        ("digits:all", "known: train, test"),
        ("", ""),
    ] {
        let said = place.mistake(&["init", data]);
        assert!(said.contains(message), "{data}: {said}");
    }
}

#[test]
fn the_schema_and_the_completions_are_printed() {
    let place = Place::new();
    let schema: serde_json::Value = serde_json::from_str(&place.ok(&["schema"])).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.ok(&["completions", shell]);
        assert!(
            script.contains("lr-find") && script.contains("mc-samples"),
            "{shell}"
        );
    }
    let said = place.mistake(&["completions", "bsh"]);
    assert!(said.contains("bash"), "{said}");
}
