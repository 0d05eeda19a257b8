//! Tests of new rows that deviate from the training rows, through the real binary.

mod common;

use common::Place;

/// A number, a category of numbers, a town, and two classes.
fn table(rows: usize, cells: impl Fn(usize) -> String) -> String {
    let mut text = String::from("size,rooms,town,kind\n");
    for row in 0..rows {
        text += &format!("{},{}\n", cells(row), ["a", "b"][usize::from(row % 3 == 0)]);
    }
    text
}

fn cells(row: usize) -> String {
    format!(
        "{}.5,{},{}",
        row % 13,
        row % 4,
        ["bay", "hill", "town"][row % 3]
    )
}

const CONFIG: &str = r#"
data = { table = "t.csv", target = "kind", columns = { rooms = "category" }, checks = false }
model = { recipe = "default", hidden = [4] }
train.epochs = 3
"#;

fn trained() -> Place {
    let place = Place::new();
    place.write("t.csv", table(120, cells));
    place.write("c.toml", CONFIG);
    place.ok(&["train", "c.toml", "--out", "run"]);
    place
}

/// The messages of `predict` on a table, and its output file.
fn predicted(place: &Place, table: &str) -> (String, String) {
    place.write("new.csv", table);
    let said = place.run(&[
        "predict",
        "run/model.keras",
        "--data",
        "new.csv",
        "--out",
        "p.csv",
    ]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    (said.err, place.text("p.csv"))
}

#[test]
fn a_category_of_numbers_may_be_written_as_floats() {
    let place = trained();
    let (said, plain) = predicted(&place, &table(40, cells));
    assert_eq!(said, "");
    let float = |row: usize| {
        let cells = cells(row);
        let [size, rooms, town] = cells.split(',').collect::<Vec<_>>()[..] else {
            panic!()
        };
        format!("{size},{rooms}.0,{town}")
    };
    let (said, floats) = predicted(&place, &table(40, float));
    assert_eq!((&*said, floats), ("", plain.clone()));
    // Another number is another category.
    let other = |row: usize| cells(row).replace(",2,", ",2.5,");
    let (said, others) = predicted(&place, &table(40, other));
    assert_ne!(others, plain);
    assert!(
        said.contains("column `rooms`: 10 of 40 filled rows (25%)"),
        "{said}"
    );
    // Held-out rows of another file are read the same way.
    place.write("v.csv", table(40, float));
    let losses = |file: &str| {
        place.write("v.csv", file);
        let held_out = ["--set", "data.validation={table=\"v.csv\"}", "--quiet"];
        let out = format!("v{}", file.len());
        place.ok(&[&["train", "c.toml", "--out", &out], &held_out[..]].concat());
        common::results(&place, &out).1
    };
    assert_eq!(losses(&table(40, float)), losses(&table(40, cells)));
}

#[test]
fn unknown_categories_are_told_where_they_are_more_than_a_few() {
    let place = trained();
    let with = |unknown: usize| {
        move |row: usize| match row < unknown {
            true => cells(row)
                .replace("bay", "Atlantis")
                .replace("hill", "Ys")
                .replace("town", "Ys"),
            false => cells(row),
        }
    };
    for (unknown, share) in [
        (100, "100 of 100 filled rows (all)"),
        (6, "6 of 100 filled rows (6%)"),
    ] {
        let (said, _) = predicted(&place, &table(100, with(unknown)));
        let expected = format!(
            "warning: new.csv, column `town`: {share} have a category that the model does not know"
        );
        assert!(
            said.starts_with(&expected) && said.contains("`Atlantis`"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        let labelled = ["evaluate", "run/model.keras", "--data", "new.csv"];
        assert_eq!(place.run(&labelled).err, said);
    }
    assert_eq!(predicted(&place, &table(100, with(5))).0, "");
    // A missing value is no unknown category.
    let gaps = |row: usize| cells(row).replace("bay", "");
    assert_eq!(predicted(&place, &table(100, gaps)).0, "");
}

#[test]
fn columns_without_a_value_are_told() {
    let place = trained();
    let empty = |row: usize| format!(",{}", cells(row).split_once(',').unwrap().1);
    let (said, _) = predicted(&place, &table(20, empty));
    let expected = "warning: new.csv, column `size`: empty in all 20 rows, which it was not in \
                    training\n";
    assert_eq!(said, expected);
    // A single row may have a missing value.
    assert_eq!(predicted(&place, &table(1, empty)).0, "");
    let some = |row: usize| if row < 19 { empty(row) } else { cells(row) };
    assert_eq!(predicted(&place, &table(20, some)).0, "");
}

#[test]
fn other_columns_are_left_aside_with_a_note_and_missing_ones_refused() {
    let place = trained();
    let plain = table(30, cells);
    let expected = predicted(&place, &plain).1;
    // In another order, with extra columns of unsupported contents.
    let mut other = String::from("note,kind,town,when,rooms,size\n");
    for (row, line) in plain.lines().skip(1).enumerate() {
        let [size, rooms, town, kind] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!()
        };
        let stray = if row == 3 { "x" } else { "1" };
        other += &format!("{stray},{kind},{town},2024-01-02,{rooms},{size}\n");
    }
    let (said, file) = predicted(&place, &other);
    let note = "note: new.csv: the model does not look at the columns `note`, `when`\n";
    assert_eq!((&*said, file), (note, expected));
    let labelled = place.run(&["evaluate", "run/model.keras", "--data", "new.csv"]);
    assert_eq!((labelled.code, &*labelled.err), (Some(0), note));
    // Training rows are still checked strictly.
    place.write("v.csv", other.replace("\nx,", "\n1,"));
    let held_out = ["--set", "data.validation={table=\"v.csv\"}"];
    let message = place.mistake(&[&["train", "c.toml"], &held_out[..]].concat());
    assert!(
        message.contains("`note`, `when`, of which the model knows nothing"),
        "{message}"
    );
    place.write("new.csv", plain.replace("rooms", "room"));
    let message = place.mistake(&[
        "predict",
        "run/model.keras",
        "--data",
        "new.csv",
        "--out",
        "q.csv",
    ]);
    assert!(
        message.contains("has no column `rooms`") && message.contains("is it `room`?"),
        "{message}"
    );
    assert!(!place.path("q.csv").exists());
}

#[test]
fn rows_that_are_read_meanwhile_are_told_of_once() {
    let place = trained();
    let strange = |row: usize| match row % 4 {
        0 => cells(row).replace(",0,", ",9,"),
        _ => cells(row).replace(",1,", ",1.0,"),
    };
    place.write("new.csv", table(200_000, strange));
    let mut told = Vec::new();
    for memory in ["1 GB", "1.5 MB"] {
        place.write(
            "new.toml",
            format!("[data]\ntable = \"new.csv\"\ntarget = \"kind\"\nmemory = \"{memory}\"\n"),
        );
        let out = format!("p{}.csv", told.len());
        let model = "run/model.keras";
        let said = place.run_cached(&["predict", model, "--data", "new.toml", "--out", &out]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert_eq!(
            said.err.contains("a binary copy is made"),
            memory == "1.5 MB",
            "{}",
            said.err
        );
        let warnings = said
            .err
            .lines()
            .filter(|line| line.starts_with("warning: "));
        told.push(warnings.map(str::to_owned).collect::<Vec<_>>());
        let said = place.run_cached(&["evaluate", model, "--data", "new.toml"]);
        let warnings = said
            .err
            .lines()
            .filter(|line| line.starts_with("warning: "));
        assert!(warnings.eq(told[0].iter()), "{}", said.err);
    }
    assert_eq!(told[0].len(), 1);
    assert!(
        told[0][0].contains("column `rooms`: 50000 of 200000 filled rows (25%)"),
        "{}",
        told[0][0]
    );
    assert_eq!(told[0], told[1]);
    assert!(place.text("p0.csv") == place.text("p1.csv"));
}
