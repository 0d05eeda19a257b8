//! Training on tables, and scoring raw ones, through the real binary.

mod common;

use common::{Place, results};

/// Numbers with missing values, a boolean, a date, a category, texts without information, an id,
/// and classes whose names need quotes.
fn mixed() -> String {
    let mut text = String::from("id,size,heated,sold,town,note,a/b,species\n");
    let mut state = 7_u32;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    let unless = |missing: bool, cell: String| if missing { String::new() } else { cell };
    for k in 0..240 {
        let (size, town, yes) = (draw(1000), draw(4), draw(2));
        let species = match (size > 500, yes) {
            (true, _) => "a",
            (_, 1) => "\"b, c\"",
            _ => "c",
        };
        let cells = [
            format!("k{k}"),
            unless(k % 17 == 0, format!("{}", f64::from(size) / 100.0)),
            unless(k % 29 == 0, ["no", "yes"][yes as usize].into()),
            unless(
                k % 31 == 0,
                format!("20{}-0{}-1{}", 20 + draw(4), 1 + draw(9), draw(9)),
            ),
            unless(
                k % 23 == 0,
                ["Graz", "Bern", "Oslo", "Rome"][town as usize].into(),
            ),
            format!("n{k}"),
            format!("{}", draw(5)),
            species.into(),
        ];
        text += &(cells.join(",") + "\n");
    }
    text
}

const CONFIG: &str = r#"
data.table = "mixed.csv"
data.target = "species"
data.columns = { id = "id" }
data.validation = { fraction = 0.2, stratify = true }
model = { recipe = "default", hidden = [16] }
train.epochs = 20
"#;

fn trained() -> Place {
    let place = Place::new();
    place.write("mixed.csv", mixed());
    place.write("mixed.toml", CONFIG);
    let said = place.run(&["train", "mixed.toml", "--out", "run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for words in [
        "2 numbers, 1 boolean, 1 date, 1 category",
        "predicts species: 3 classes, a (",
        "note (no text is there twice)",
    ] {
        assert!(said.err.contains(words), "{}", said.err);
    }
    place
}

#[test]
fn raw_rows_are_scored_in_any_order_with_gaps_and_unseen_categories() {
    let place = trained();
    place.write(
        "new.csv",
        "town;a/b;id;sold;size;heated\n\
         Graz;1;r1;2022-03-04;9.5;yes\n\
         Atlantis;;\"r;2\";;;\n\
         ;2;;2022-03-04;0.5;no\n",
    );
    let model = "run/model.keras";
    place.ok(&["predict", model, "--data", "new.csv", "--out", "scored.csv"]);
    let text = place.text("scored.csv");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "id,species,species_a,\"species_b, c\",species_c");
    assert!(lines[1].starts_with("r1,a,"), "{text}");
    assert!(lines[2].starts_with("\"r;2\","), "{text}");
    assert_eq!(lines.len(), 4);
    for line in &lines[1..] {
        let cells: Vec<f64> = line
            .rsplitn(4, ',')
            .take(3)
            .map(|c| c.parse().unwrap())
            .collect();
        assert!((cells.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{line}");
    }
    // As plain numbers.
    place.ok(&["predict", model, "--data", "new.csv", "--out", "scored.npy"]);
    // The training table, target, left-out column and all.
    place.ok(&["predict", model, "--data", "mixed.csv", "--out", "all.csv"]);
    let said = place.ok(&["evaluate", model, "--data", "mixed.csv"]);
    assert!(said.contains("accuracy"), "{said}");
}

#[test]
fn what_does_not_fit_the_model_is_named() {
    let place = trained();
    let row = "Graz,1,2022-03-04,9.5,yes\n";
    let cases = [
        (
            format!("town,a/b,sold,sise,heated\n{row}"),
            "no column `size`, which the model takes; is it `sise`?",
        ),
        (
            "town,a/b,sold,size,heated\nGraz,1,2022-03-04,9.5,yes\nGraz,1,2022-03-04,big,yes\n"
                .into(),
            "column `size`: line 3 has `big`",
        ),
        (
            "town,a/b,sold,size,heated\nGraz,1,soon,9.5,yes\n".into(),
            "column `sold`: line 2 has `soon`",
        ),
    ];
    for (table, words) in cases {
        place.write("new.csv", table);
        let message = place.mistake(&[
            "predict",
            "run/model.keras",
            "--data",
            "new.csv",
            "--out",
            "o.csv",
        ]);
        assert!(message.contains(words), "{message}");
    }
    place.write("new.csv", format!("town,a/b,sold,size,heated\n{row}"));
    let message = place.mistake(&["evaluate", "run/model.keras", "--data", "new.csv"]);
    assert!(
        message.contains("`species`, what the model predicts: `gradus predict` does without"),
        "{message}"
    );
}

#[test]
fn the_resolved_configuration_repeats_the_run() {
    let place = trained();
    place.ok(&["train", "run/config.toml", "--out", "again"]);
    assert_eq!(results(&place, "run"), results(&place, "again"));
}

#[test]
fn numbers_are_predicted_in_their_own_units() {
    let place = Place::new();
    let rows = (0..200).map(|i| format!("{},{}\n", i % 20, 1_000_000 + 50_000 * (i % 20)));
    place.write(
        "prices.csv",
        format!("rooms,price\n{}", rows.collect::<String>()),
    );
    place.write(
        "prices.toml",
        "data = { table = \"prices.csv\", target = \"price\" }\n\
         model = { recipe = \"default\", hidden = [16] }\n",
    );
    place.ok(&["train", "prices.toml", "--out", "run"]);
    place.write("new.csv", "rooms\n10\n");
    place.ok(&[
        "predict",
        "run/model.keras",
        "--data",
        "new.csv",
        "--out",
        "o.csv",
    ]);
    let text = place.text("o.csv");
    let price: f64 = text.lines().nth(1).unwrap().parse().unwrap();
    assert!(
        text.starts_with("price\n") && (price - 1.5e6).abs() < 1e5,
        "{text}"
    );
}

#[test]
fn mistakes_about_columns_are_named() {
    let place = Place::new();
    place.write("mixed.csv", mixed());
    place.write("mixed.toml", CONFIG);
    let cases = [
        ("data.target=\"speces\"", "did you mean `species`?"),
        ("data.exclude=[\"twon\"]", "did you mean `town`?"),
        ("data.columns={ sise = \"number\" }", "did you mean `size`?"),
        (
            "data.columns={ size = \"nmber\" }",
            "did you mean `number`?",
        ),
        (
            "data.exclude=[\"species\"]",
            "`species` is named under `exclude` too",
        ),
        ("data.target=\"sold\"", "dates as a target"),
        ("data.target=\"size\"", "a value in each row"),
        ("data.missing=\"mode\"", "data.missing"),
        ("data.scale=\"standard\"", "`scale` belongs to arrays"),
    ];
    for (set, words) in cases {
        let message = place.mistake(&["train", "mixed.toml", "--out", "run", "--set", set]);
        assert!(message.contains(words), "{set}: {message}");
    }
    let message = place.mistake(&["train", "mixed.csv", "--out", "run"]);
    assert!(message.contains("`data.table = \"FILE.csv\"`"), "{message}");
}

const LOOKUPS: &str = r#"
data.table = "t.csv"
data.target = "y"
[model]
layers = [
  { type = "StringLookup", name = "towns", output_mode = "one_hot", vocabulary = TOWNS, inputs = ["town"] },
  { type = "IntegerLookup", name = "codes", output_mode = "one_hot", vocabulary = CODES, inputs = ["code"] },
  { type = "Concatenate", name = "all", inputs = ["towns", "codes"] },
  { type = "Dense", name = "out", units = 1, inputs = ["all"] },
]
[train]
loss = "mse"
optimizer = "adam"
"#;

#[test]
fn vocabularies_stand_in_files_of_their_own() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("configs")).unwrap();
    let rows = (0..40).map(|row| {
        let town = ["Bern", "Graz", "Žilina", "Ulm"][row % 4];
        format!("{town},{},{row}\n", [7, -2, 30][row % 3])
    });
    place.write(
        "configs/t.csv",
        format!("town,code,y\n{}", rows.collect::<String>()),
    );
    let config = |towns: &str, codes: &str| LOOKUPS.replace("TOWNS", towns).replace("CODES", codes);
    place.write(
        "configs/list.toml",
        config(r#"["Graz", "Žilina", "Bern"]"#, "[7, 30, -2]"),
    );
    place.write(
        "configs/file.toml",
        config("\"towns.txt\"", "\"codes.txt\""),
    );
    // Other paths are relative to the current folder, not the configuration's.
    place.write(
        "configs/towns.txt",
        "\u{feff}Graz\r\nŽilina\r\nBern\r\n\r\n",
    );
    place.write("configs/codes.txt", "7\n 30\n-2");
    for name in ["list", "file"] {
        place.ok(&["train", &format!("configs/{name}.toml"), "--out", name]);
    }
    let model = |run: &str| place.read(&format!("{run}/model.keras"));
    assert!(
        model("list") == model("file"),
        "the model keeps what was in the files"
    );
    // So does the run's configuration.
    std::fs::remove_file(place.path("configs/towns.txt")).unwrap();
    place.ok(&["train", "file/config.toml", "--out", "again"]);
    assert!(model("again") == model("file"));

    let wrong: [(&[u8], &[u8], &[&str]); 6] = [
        (b"", b"7", &["towns.txt", "it is empty"]),
        (b"\n\n", b"7", &["towns.txt", "it is empty"]),
        (
            b"Graz\nBern\nGraz\n",
            b"7",
            &["towns.txt", "line 3: found `Graz`, which is in line 1"],
        ),
        (
            b"Graz\nB\xe4rn\n",
            b"7",
            &["towns.txt", "line 2 is not UTF-8"],
        ),
        (
            b"Graz",
            b"7\nsix",
            &["codes.txt", "line 2: found `six`, expected a whole number"],
        ),
        (
            b"Graz",
            b"7\n30\n07",
            &["codes.txt", "line 3: found `07`, which is in line 1"],
        ),
    ];
    for (towns, codes, words) in wrong {
        place.write("configs/towns.txt", towns);
        place.write("configs/codes.txt", codes);
        let message = place.mistake(&["train", "configs/file.toml"]);
        for word in words {
            assert!(message.contains(word), "{message}");
        }
    }
    std::fs::remove_file(place.path("configs/towns.txt")).unwrap();
    let message = place.mistake(&["train", "configs/file.toml"]);
    assert!(
        message.contains("model.layers[0].vocabulary") && message.contains("configs/towns.txt"),
        "{message}"
    );
}
