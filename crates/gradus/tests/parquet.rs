//! Tests of Parquet files (the feature `parquet`): the same rows as a CSV file give the same table,
//! from any writer; damaged files are refused without a panic. `parquet/make.py` makes the files.

mod common;

use common::Folder;
use gradus::data::{Cells, Kind, ReadTable, Table};
use std::path::{Path, PathBuf};

const WHOLE: [&str; 11] = [
    "none", "snappy", "gzip", "brotli", "lz4", "zstd", "groups", "pages", "int96", "zoned",
    "polars",
];

const SLOW: std::time::Duration = std::time::Duration::from_secs(10);

fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet");
    folder.join(name)
}

fn read(name: &str) -> gradus::Result<Table> {
    Table::read(file(&format!("{name}.parquet")), &ReadTable::default())
}

fn refused(name: &str) -> String {
    read(name).unwrap_err().to_string()
}

/// The types that the texts of `rows.csv` do not determine.
fn of_texts() -> ReadTable {
    let mut options = ReadTable::default();
    options.kinds.insert("house".into(), Kind::Category);
    options
}

#[test]
fn every_writer_s_file_is_the_table_that_the_csv_is() {
    for options in [ReadTable::default(), of_texts()] {
        let csv = Table::read(file("rows.csv"), &options).unwrap();
        assert_eq!((csv.rows, csv.columns.len()), (60, 13));
        for name in WHOLE.into_iter().chain(["pandas"]) {
            let path = file(&format!("{name}.parquet"));
            let table = Table::read(&path, &options).unwrap();
            assert_eq!(table.name, path.display().to_string());
            for (found, expected) in table.columns.iter().zip(&csv.columns) {
                // NaN does not equal NaN.
                let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
                assert_eq!(found, expected, "{name}");
            }
            assert_eq!((table.rows, table.columns.len()), (60, 13), "{name}");
        }
    }
}

#[test]
fn a_table_is_the_same_on_any_number_of_threads() {
    let one = format!("{:?}", read("groups").unwrap());
    gradus::set_threads(1);
    assert_eq!(format!("{:?}", read("groups").unwrap()), one);
    gradus::set_threads(2);
    assert_eq!(format!("{:?}", read("groups").unwrap()), one);
}

#[test]
fn a_type_that_is_asked_for_is_read_from_the_text() {
    let mut options = of_texts();
    options.kinds.insert("rooms".into(), Kind::Category);
    let table = Table::read(file("snappy.parquet"), &options).unwrap();
    let Cells::Category { names, codes } = &table.columns[0].cells else {
        panic!()
    };
    assert_eq!(
        (names[0].as_str(), codes[59]),
        ("9007199254740993", Some(59))
    );
    let Cells::Category { names, codes } = &table.columns[1].cells else {
        panic!()
    };
    assert_eq!((names.join(" ").as_str(), codes[3]), ("0 1 2 4 3", None));

    options.kinds.insert("note".into(), Kind::Number);
    let error = Table::read(file("groups.parquet"), &options)
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with(
            "column `note`, row 0: found `n0 x`, expected a number that 32 bits can hold"
        ),
        "{error}"
    );
    let mut options = ReadTable::default();
    options.kinds.insert("pric".into(), Kind::Number);
    let error = Table::read(file("groups.parquet"), &options)
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("did you mean `price`?"), "{error}");
}

#[test]
fn what_no_cell_holds_is_refused_by_column_and_type_unless_nobody_looks_at_it() {
    let odd = [
        ("tags", "List"),
        ("point", "Struct"),
        ("map", "Map"),
        ("bytes", "Binary"),
        ("time", "Time64"),
        ("took", "Duration"),
        ("huge", "Decimal256"),
    ];
    let mut none = ReadTable::default();
    for (name, _) in odd {
        none.ignore(name);
    }
    for (name, kind) in odd {
        let mut options = none.clone();
        options.kinds.remove(name);
        options.ignored.remove(name);
        let error = Table::read(file("odd.parquet"), &options)
            .unwrap_err()
            .to_string();
        let words = [
            &format!("column `{name}` is of type {kind}"),
            "`exclude` it",
        ];
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
    let table = Table::read(file("odd.parquet"), &none).unwrap();
    assert_eq!(table.columns[0].cells, Cells::Number(vec![1.0, 2.0, 3.0]));
    assert!(
        table.columns[1..]
            .iter()
            .all(|column| column.cells.missing() == 3)
    );
}

#[test]
fn what_nobody_looks_at_may_be_anything() {
    for (name, column, missing) in [("large", "n", 1), ("far", "d", 1), ("snappy", "note", 12)] {
        let mut options = ReadTable::default();
        options.ignore(column);
        let table = Table::read(file(&format!("{name}.parquet")), &options).unwrap();
        let found = table.columns.iter().find(|c| c.name == column).unwrap();
        assert_eq!(found.cells.missing(), missing, "{name}");
    }
}

#[test]
fn files_that_are_no_table_say_what_they_are() {
    let scratch = Folder::new();
    let whole = std::fs::read(file("snappy.parquet")).unwrap();
    let written = |name: &str, bytes: &[u8]| {
        let path = scratch.write(&format!("{name}.parquet"), bytes);
        let error = Table::read(&path, &ReadTable::default()).unwrap_err();
        assert!(error.is_users_mistake(), "{error}");
        error.to_string()
    };
    let cases = [
        (refused("no-rows"), "has columns and no rows"),
        (refused("twice"), "two columns are named `a`"),
        (refused("large"), "column `n`, row 1: found `1e300`"),
        (refused("far"), "column `d`, row 1: found `day 2147483647"),
        (refused("gone"), "cannot read"),
        (written("empty", b""), "is empty"),
        (written("short", b"PAR1"), "is no Parquet file"),
        (written("csv", b"a,b\n1,2\n3,4\n"), "is no Parquet file"),
        (written("cut", &whole[..whole.len() / 2]), "is cut off"),
        (
            written("lying length", &[b"PAR1", &[0xff; 8][..], b"PAR1"].concat()),
            "damaged",
        ),
        (written("no footer", b"PAR1\0\0\0\0\0\0\0\0PAR1"), "damaged"),
        (
            written("encrypted", b"PARE\0\0\0\0\0\0\0\0PARE"),
            "encrypted",
        ),
    ];
    for (error, words) in &cases {
        assert!(
            error.contains(words) && error.len() < 400,
            "no {words:?} in {error}"
        );
    }
    std::fs::create_dir_all(scratch.path("folder.parquet")).unwrap();
    let folder = Table::read(scratch.path("folder.parquet"), &ReadTable::default());
    assert!(folder.unwrap_err().to_string().contains("is a folder"));
    // With another name it is not a CSV file either.
    scratch.write("x.csv", &whole);
    let error = Table::read(scratch.path("x.csv"), &ReadTable::default()).unwrap_err();
    assert!(
        error.to_string().contains("must end in .parquet"),
        "{error}"
    );
}

/// Damaged files of each kind; more with `MUTATIONS=1000`.
const MUTATIONS: usize = 40;

/// A damaged copy, a function of its number: bytes changed anywhere, or within the footer, which
/// has all counts and sizes; or a part cut out.
fn mutation(number: u64, whole: &[u8]) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let mut bytes = whole.to_vec();
    let length = bytes.len();
    let tail: [u8; 4] = bytes[length - 8..length - 4].try_into().unwrap();
    let footer = length - 8 - u32::from_le_bytes(tail) as usize;
    let from = if number.is_multiple_of(3) { 4 } else { footer };
    match number % 7 {
        6 => {
            let at = from + draw(length - 8 - from);
            let end = at + draw(length - 8 - at);
            bytes.drain(at..end);
        }
        _ => {
            for _ in 0..=draw(6) {
                let at = from + draw(length - 4 - from);
                bytes[at] = match draw(4) {
                    0 => 0xff,
                    1 => 0,
                    2 => bytes[at] ^ (1 << draw(8)),
                    _ => draw(256) as u8,
                };
            }
        }
    }
    bytes
}

#[test]
fn damaged_files_are_refused_or_read_without_a_panic() {
    let scratch = Folder::new();
    let path = scratch.path("x.parquet");
    let times = std::env::var("MUTATIONS").ok();
    let times = times
        .and_then(|times| times.parse().ok())
        .unwrap_or(MUTATIONS as u64);
    let mut refused = 0;
    for name in WHOLE {
        let whole = std::fs::read(file(&format!("{name}.parquet"))).unwrap();
        for number in 0..times {
            std::fs::write(&path, mutation(number, &whole)).unwrap();
            let start = std::time::Instant::now();
            if let Err(error) = Table::read(&path, &ReadTable::default()) {
                let text = error.to_string();
                assert!(error.is_users_mistake(), "{name} {number}: {text}");
                assert!(text.len() < 500, "{name} {number}: {text}");
                refused += 1;
            }
            assert!(start.elapsed() < SLOW, "{name} {number}");
        }
    }
    let all = times as usize * WHOLE.len();
    assert!(refused * 2 > all, "{refused} of {all}");
    if times > MUTATIONS as u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let most = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("{refused} of {all} refused, {most:?}");
    }
}
