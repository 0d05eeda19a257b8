//! Tests of columns of dates and times, through the real binary.

mod common;

use common::{Place, results};
use std::fmt::Write as _;

/// Times of one day with the hour as target.
fn hours() -> String {
    let mut text = String::from("when,y\n");
    for row in 0..200 {
        let second = (row * 7919) % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let _ = writeln!(text, "2024-05-01 {hour:02}:{minute:02}:{second:02},{hour}");
    }
    text
}

const CONFIG: &str = r#"
data.table = "t.csv"
data.target = "y"
data.validation = { fraction = 0.25, shuffle = true }
model = { recipe = "default", hidden = [16] }
train.epochs = 40
"#;

fn place(table: &str) -> Place {
    let place = Place::new();
    place.write("t.csv", table);
    place.write("t.toml", CONFIG);
    place
}

#[test]
fn a_time_of_day_is_among_the_numbers_of_its_column() {
    let place = place(&hours());
    let shown = place.ok(&["data", "show", "t.csv"]);
    let line = shown.lines().find(|line| line.contains("when")).unwrap();
    for words in [
        "datetime",
        "200",
        "2024-05-01 00:0",
        "to 2024-05-01 23:",
        "8 numbers",
    ] {
        assert!(line.contains(words), "{words}: {line}");
    }
    let said = place.run(&["train", "t.toml", "--out", "run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("1 date with time"), "{}", said.err);
    // Guessing is off by 7 hours.
    let line = said.out.lines().find(|line| line.starts_with("validation"));
    let error = line.and_then(|line| line.split_whitespace().last()?.parse::<f64>().ok());
    assert!(error.is_some_and(|error| error < 3.0), "{}", said.out);
    // New rows are read in the same format.
    place.write("a.csv", "when\n2024-05-01 06:30:00\n2024-05-01 18:30:00\n");
    place.write(
        "b.csv",
        "when\n2024-05-01T08:30:00+02:00\n2024-05-01T18:30Z\n",
    );
    let score = |file: &str| {
        place.ok(&[
            "predict",
            "run/model.keras",
            "--data",
            file,
            "--out",
            "p.csv",
        ]);
        place.text("p.csv")
    };
    assert_eq!(score("a.csv"), score("b.csv"));
    assert_ne!(score("a.csv").lines().nth(1), score("a.csv").lines().nth(2));
}

#[test]
fn times_are_split_by_their_instant() {
    let place = place(&hours());
    let split = "data.validation={ fraction = 0.25, time = \"when\" }";
    let train = |out: &str| {
        let arguments = [
            "train",
            "t.toml",
            "--set",
            split,
            "--set",
            "train.epochs=1",
            "--out",
            out,
        ];
        place.run(&arguments)
    };
    assert!(
        train("a")
            .err
            .contains("rows: 150 to train on, 50 for validation")
    );
    // Half of the clocks are an hour ahead, and half an hour of a second.
    let mut text = String::from("when,y\n");
    for row in 0..40 {
        let fraction = format!("{:06}", row * 25_000);
        let _ = match row % 2 {
            0 => writeln!(text, "2024-05-01T13:00:00.{fraction}+01:00,{row}"),
            _ => writeln!(text, "2024-05-01T12:00:00.{fraction}Z,{row}"),
        };
    }
    place.write("t.csv", text);
    let said = train("b");
    assert!(
        said.err.contains("rows: 30 to train on, 10 for validation"),
        "{}",
        said.err
    );
    assert!(
        said.err
            .contains("column `when`: mixes offsets from UTC (+01:00, +00:00)"),
        "{}",
        said.err
    );
}

#[test]
fn dates_without_times_and_dates_that_are_said_have_five_numbers() {
    let midnight: String = (1..=28)
        .map(|d| format!("2024-02-{d:02} 00:00:00,{d}\n"))
        .collect();
    let place = place(&format!("when,y\n{midnight}"));
    let shown = place.ok(&["data", "show", "t.csv"]);
    assert!(
        shown.contains("5 numbers") && !shown.contains("datetime"),
        "{shown}"
    );
    place.write("t.csv", hours());
    place.write(
        "date.toml",
        format!("{CONFIG}\ndata.columns = {{ when = \"date\" }}"),
    );
    let said = place.run(&["train", "date.toml", "--out", "run"]);
    // A model of days cannot learn from a single day.
    assert!(
        said.err.contains("when (always the same date)") || said.code == Some(2),
        "{}",
        said.err
    );
}

#[test]
fn formats_of_dates_are_seen_or_said() {
    let rows: String = (1..=24)
        .map(|n| format!("{n:02}/{:02}/2024 {n}:30,{n}\n", n % 12 + 1))
        .collect();
    let place = place(&format!("d,y\n{}", rows.replace("24:30", "0:30")));
    let text = place.ok(&["data", "show", "t.csv"]);
    assert!(
        text.contains("datetime") && !text.contains("date_format"),
        "{text}"
    );

    // A 12-hour clock, and an ambiguous order.
    place.write("t.csv", "d,y\n03/04/2024 1:45 PM,1\n05/06/2024 1:45 AM,2\n");
    let text = place.ok(&["data", "show", "t.csv"]);
    assert!(
        text.contains("2024-03-04 13:45:00 to 2024-05-06 01:45:00"),
        "{text}"
    );
    assert!(text.contains("read with the month first"), "{text}");
    place.write(
        "spec.toml",
        "[data]\ntable = \"t.csv\"\ndate_format = { d = \"day-first\" }\n",
    );
    let text = place.ok(&["data", "show", "spec.toml"]);
    assert!(
        text.contains("2024-04-03 13:45:00 to 2024-06-05 01:45:00"),
        "{text}"
    );
    assert!(!text.contains("month first"), "{text}");

    // Digits alone only with a given format.
    place.write("t.csv", "d,y\n20240131,1\n20240229,2\n");
    assert!(place.ok(&["data", "show", "t.csv"]).contains("number"));
    place.write(
        "spec.toml",
        "[data]\ntable = \"t.csv\"\ndate_format = { d = \"%Y%m%d\" }\n",
    );
    let text = place.ok(&["data", "show", "spec.toml"]);
    assert!(text.contains("2024-01-31 to 2024-02-29"), "{text}");
}

#[test]
fn a_format_is_kept_by_the_model_and_the_resolved_configuration() {
    let mut text = String::from("d,n,y\n");
    for n in 0..60 {
        let _ = writeln!(
            text,
            "{:02}.{:02}.24 {:02}:00,{},{}",
            n % 28 + 1,
            n % 12 + 1,
            n % 24,
            n % 5,
            n % 24
        );
    }
    let place = place(&text);
    let format = "data.date_format=\"%d.%m.%y %H:%M\"";
    let train = |config: &str, more: &[&str]| {
        let all = [&["train", config, "--set", "train.epochs=2"], more].concat();
        place.run(&all)
    };
    let said = train("t.toml", &["--out", "none"]);
    assert!(
        said.err.contains("though its texts look like dates"),
        "{}",
        said.err
    );
    let said = train("t.toml", &["--set", format, "--out", "a"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(place.text("a/config.toml").contains("%d.%m.%y %H:%M"));
    let said = train("a/config.toml", &["--out", "b"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(results(&place, "a") == results(&place, "b"));
    place.write("new.csv", "d,n\n03.04.24 05:00,1\n");
    place.ok(&[
        "predict",
        "a/model.keras",
        "--data",
        "new.csv",
        "--out",
        "p.csv",
    ]);
    assert_eq!(place.text("p.csv").lines().count(), 2);
    place.write("new.csv", "d,n\n2024-04-03 05:00,1\n");
    let error = place.mistake(&[
        "predict",
        "a/model.keras",
        "--data",
        "new.csv",
        "--out",
        "p.csv",
    ]);
    assert!(
        error.contains("line 2 has `2024-04-03 05:00`") && error.contains("%d.%m.%y %H:%M"),
        "{error}"
    );
}

#[test]
fn formats_that_make_no_sense_are_refused() {
    let place = place("d,y\n2024-01-31,1\n2024-02-29,2\n");
    for (set, words) in [
        ("data.date_format=\"%d/%m\"", "a year (%Y)"),
        ("data.date_format=\"%Q/%m/%Y\"", "not `%Q`"),
        ("data.date_format=\"%Y%m%d\"", "the column by name"),
        ("data.date_format={ e = \"%Y-%m-%d\" }", "`e`"),
        (
            "data.date_format={ d = \"%d/%m/%Y\" }",
            "line 2 has `2024-01-31`",
        ),
        ("data.date_format=\"%d/%m/%Y\"", "no column"),
        ("data.date_format=3", "%d/%m/%Y"),
    ] {
        let error = place.mistake(&["train", "t.toml", "--set", set, "--out", "run"]);
        assert!(error.contains(words), "{set}: {error}");
    }
}
