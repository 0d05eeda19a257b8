//! Tests of tables through the real binary: display, and errors for damaged ones.

mod common;

use common::Place;
use std::io::Write;

const HOUSES: &str = "\
longitude;median_age;bedrooms;sold;value;proximity
-122.23;41;129;2024-01-05;452600;NEAR BAY
-122.22;21;;2024-01-06;358500;NEAR BAY
-117.10;52;190;2024-02-29;352100;INLAND
-118.00;52;235;2024-03-01;341300;<1H OCEAN
";

#[test]
fn a_table_is_shown_column_by_column() {
    let place = Place::new();
    place.write("houses.csv", HOUSES);
    let out = place.ok(&["data", "show", "houses.csv"]);
    let line = |name: &str| {
        let mut lines = out.lines().map(str::trim);
        let line = lines.find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_else(|| panic!("{name}: {out}"))
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    assert!(out.starts_with("houses.csv: 4 rows, 6 columns\n"), "{out}");
    assert!(
        line("longitude").ends_with(&["-122.23", "to", "-117.1", "standardized"]),
        "{out}"
    );
    assert_eq!(line("bedrooms")[..4], ["bedrooms", "number", "25.0%", "3"]);
    assert_eq!(line("median_age")[..3], ["median_age", "number", "3"]);
    assert!(
        line("sold").ends_with(&["2024-01-05", "to", "2024-03-01", "5", "numbers"]),
        "{out}"
    );
    assert!(out.contains("standardized + is missing"), "{out}");
    assert!(
        out.contains("NEAR BAY 50%, INLAND 25%, +1          one-hot of 1 + unknown"),
        "{out}"
    );
    assert!(out.contains("6 columns are 12 numbers"), "{out}");
    assert!(!out.contains('\u{1b}'), "{out}");

    place.write(
        "houses.toml",
        "data.table = \"houses.csv\"\ndata.target = \"value\"\ndata.columns = { sold = \"drop\", \
         longitude = \"id\" }\nmodel.recipe = \"default\"",
    );
    let out = place.ok(&["data", "show", "houses.toml"]);
    for (column, words) in [
        ("value", "the target, a number"),
        ("sold", "not looked at"),
        ("longitude", "kept beside predictions"),
    ] {
        let line = out.lines().find(|line| line.trim().starts_with(column));
        assert!(line.unwrap().ends_with(words), "{column}: {out}");
    }

    let show = ["data", "show", "houses.csv", "--column"];
    let out = place.ok(&[&show[..], &["median_age=category"]].concat());
    assert!(out.contains("52 50%, 41 25%, 21 25%"), "{out}");
    let message = place.mistake(&[&show[..], &["median_ag=category"]].concat());
    assert!(message.contains("did you mean `median_age`?"), "{message}");
    let message = place.mistake(&[&show[..], &["sold=dat"]].concat());
    assert!(message.contains("did you mean `date`?"), "{message}");
    place.mistake(&[&show[..], &["sold"]].concat());
    place.mistake(&["data", "show", "digits", "--column", "sold=date"]);
}

/// A gzip member that unpacks to far more than its length.
fn bomb() -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    file.resize(4096, 0);
    file
}

/// Damaged tables, with words of the expected message: the location, and advice.
fn damaged() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    let wide = |separator: &str| {
        let names: Vec<String> = (0..100_000).map(|n| format!("c{n}")).collect();
        format!("{}\n", names.join(separator)).into_bytes()
    };
    let text = |text: &str| text.as_bytes().to_vec();
    let many = |bad: &str| {
        let mut rows: Vec<String> = (0..200).map(|n| format!("{n},x{n}")).collect();
        rows[150] = bad.to_owned();
        format!("a,b\n{}\n", rows.join("\n")).into_bytes()
    };
    vec![
        ("empty", vec![], &["is empty"]),
        ("blank", text("  \n\n \r\n"), &["is empty"]),
        ("only a mark", text("\u{feff}"), &["is empty"]),
        ("header only", text("a,b,c\n"), &["no rows"]),
        ("header without an end", text("a,b,c"), &["no rows"]),
        (
            "short row",
            text("a,b\n1,2\n3\n"),
            &["line 3", "found 1 cell, expected 2"],
        ),
        (
            "long row",
            text("a,b\n1,2\n3,4,5\n"),
            &["line 3", "found 3 cells, expected 2"],
        ),
        (
            "long last row",
            many("7,a,b"),
            &["line 152", "found 3 cells"],
        ),
        (
            "total below",
            text("a,b\n1,2\n\nrows: 1\n"),
            &["line 4", "found 1 cell"],
        ),
        (
            "unquoted comma",
            text("name,n\nSmith, J,1\n"),
            &["line 2", "not quoted"],
        ),
        (
            "open quote",
            text("a,b\n1,\"x\n2,y\n3,z\n"),
            &["line 2, column 3", "never closed"],
        ),
        (
            "open quote at the end",
            text("a,b\n1,\""),
            &["line 2, column 3", "never closed"],
        ),
        (
            "text behind a quote",
            text("a,b\n1,\"x\"y\n"),
            &["line 2, column 6", "written twice"],
        ),
        (
            "quote in quotes",
            text("a,b\n1,\"5\" disk\"\n"),
            &["line 2", "written twice"],
        ),
        (
            "same names",
            text("a,b,a\n1,2,3\n"),
            &["columns 1 and 3", "`a`"],
        ),
        (
            "latin 1",
            b"name,n\nM\xfcller,1\n".to_vec(),
            &["line 2, column 2", "0xfc", "UTF-8"],
        ),
        (
            "cut in a character",
            b"name,n\nx,1\ny,\xe2\x82".to_vec(),
            &["line 3", "UTF-8"],
        ),
        (
            "little utf-16",
            b"\xff\xfea\0,\0b\0\n\0".to_vec(),
            &["UTF-16"],
        ),
        ("big utf-16", b"\xfe\xff\0a\0,\0b\0\n".to_vec(), &["UTF-16"]),
        (
            "utf-16 without a mark",
            b"a\0,\0b\0\n\0".to_vec(),
            &["line 1", "NUL"],
        ),
        (
            "a NUL",
            b"a,b\n1,2\n3,\0\n".to_vec(),
            &["line 3, column 3", "NUL"],
        ),
        ("zeros", vec![0; 4096], &["line 1", "NUL"]),
        ("gzip bomb", bomb(), &["gzip", "unpack"]),
        ("excel", b"PK\x03\x04\x14\0".to_vec(), &["Excel", "CSV"]),
        (
            "old excel",
            b"\xd0\xcf\x11\xe0\xa1\xb1".to_vec(),
            &["Excel", "CSV"],
        ),
        ("parquet", b"PAR1\x15\0".to_vec(), &["Parquet"]),
        ("pdf", b"%PDF-1.7\n".to_vec(), &["PDF"]),
        ("array", b"\x93NUMPY\x01\0".to_vec(), &[".npy"]),
        ("100000 columns", wide(","), &["100000 columns", "10000"]),
        (
            "100000 columns of tabs",
            wide("\t"),
            &["100000 columns", "\\t"],
        ),
        (
            "a text among numbers",
            many("oops,x"),
            &["column `a`", "line 152", "`oops`", "199 of its 200"],
        ),
        (
            "an infinity",
            many("inf,x"),
            &["column `a`", "line 152", "`inf`"],
        ),
        (
            "too large a number",
            many("1e99,x"),
            &["column `a`", "line 152", "`1e99`"],
        ),
        (
            "a decimal comma among points",
            text("a\n1.5\n2.5\n\"1,23\"\n"),
            &["line 4", "`1,23`"],
        ),
        (
            "a date that is none",
            text("d\n2024-02-28\n2024-02-29\n2024-02-30\n"),
            &["line 4", "2 of its 3"],
        ),
        (
            "maybe",
            text("y\nyes\nno\nno\nmaybe\n"),
            &["column `y`", "line 5", "booleans"],
        ),
    ]
}

#[test]
fn every_damaged_table_is_named_with_its_place_and_a_way_out() {
    let place = Place::new();
    let damaged = damaged();
    assert!(damaged.len() >= 30);
    for (what, bytes, words) in damaged {
        place.write("t.csv", bytes);
        let message = place.mistake(&["data", "show", "t.csv"]);
        assert!(message.starts_with("error: t.csv: "), "{what}: {message}");
        assert!(message.len() < 400, "{what}: {message}");
        for word in words {
            assert!(message.contains(word), "{what}: no {word:?} in {message}");
        }
    }
}

#[test]
fn a_table_that_is_no_file_is_named() {
    let place = Place::new();
    std::fs::create_dir(place.path("d.csv")).unwrap();
    let message = place.mistake(&["data", "show", "d.csv"]);
    assert!(message.contains("d.csv: is a folder"), "{message}");
    let message = place.mistake(&["data", "show", "gone.csv"]);
    assert!(message.contains("cannot read gone.csv"), "{message}");
}

/// The message of a program without Parquet support.
#[test]
#[cfg(not(feature = "parquet"))]
fn a_parquet_file_says_how_it_is_read() {
    let place = Place::new();
    place.write("t.parquet", b"PAR1");
    let message = place.mistake(&["data", "show", "t.parquet"]);
    for word in ["t.parquet: is a Parquet file", "--features parquet", "CSV"] {
        assert!(message.contains(word), "{message}");
    }
    let message = place.mistake(&["data", "show", "gone.parquet"]);
    assert!(message.contains("cannot read gone.parquet"), "{message}");
}

#[test]
fn odd_tables_that_are_whole_are_read() {
    let place = Place::new();
    let rows = |text: &[u8]| {
        place.write("t.csv", text);
        let out = place.ok(&["data", "show", "t.csv"]);
        out.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        rows(b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n3,4"),
        "t.csv: 2 rows, 2 columns"
    );
    assert_eq!(rows(b"a\tb\n1,5\t2\n3,5\t4\n"), "t.csv: 2 rows, 2 columns");
    assert_eq!(rows(b"a|b\n\"x\n|y\"|2\n"), "t.csv: 1 rows, 2 columns");
    assert_eq!(rows(b"1\n2\n3\n"), "t.csv: 3 rows, 1 columns");
    assert_eq!(rows(b",a\n0,x\n1,y\n"), "t.csv: 2 rows, 2 columns");
    assert_eq!(rows(b"a,b\nit's 5\" wide,1\n"), "t.csv: 1 rows, 2 columns");
    // One of a thousand columns has a missing value, all of another are missing.
    let mut file = std::fs::File::create(place.path("w.csv")).unwrap();
    let names: Vec<String> = (0..1000).map(|n| format!("c{n}")).collect();
    writeln!(file, "{}\n{}", names.join(","), vec![""; 1000].join(",")).unwrap();
    assert!(
        place
            .ok(&["data", "show", "w.csv"])
            .contains("1 rows, 1000 columns")
    );
}
