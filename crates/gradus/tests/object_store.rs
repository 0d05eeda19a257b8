//! Tests of tables in object stores and on servers (the features `object-store` and `parquet`): the
//! same table as of a file, by ranges; servers that refuse, lie or break off.

mod common;
#[path = "common/server.rs"]
mod server;

use ::parquet::arrow::ArrowWriter;
use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use common::Folder;
use gradus::data::{DataConfig, HoldOut, Kind, ReadTable, Table, TableOptions};
use gradus::experiment::Experiment;
use server::{Manner, SECRET, Server};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet");
    folder.join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(file(name)).unwrap()
}

fn read(url: &str) -> gradus::Result<Table> {
    Table::read(url, &ReadTable::default())
}

/// The columns in words: NaN does not equal NaN.
fn columns(table: &Table) -> String {
    format!("{:?}", table.columns)
}

fn refused(object: Vec<u8>, name: &str, manner: Manner) -> String {
    let server = Server::start(object, manner);
    let said = read(&server.url(name)).unwrap_err().to_string();
    assert!(said.contains(&server.url(name)), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    said
}

/// Rows of a table of about that many megabytes.
fn large(megabytes: usize) -> String {
    let mut text = "a,b,c\n".to_owned();
    let mut row = 0_u64;
    while text.len() < megabytes << 20 {
        let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        writeln!(text, "{row},{}.{},{}", mixed % 1000, mixed % 97, mixed % 3).unwrap();
        row += 1;
    }
    text
}

#[test]
fn a_table_of_a_server_is_the_file_s() {
    for name in [
        "rows.csv",
        "groups.parquet",
        "pages.parquet",
        "zstd.parquet",
    ] {
        let server = Server::start(bytes(name), Manner::Well);
        let found = read(&server.url(name)).unwrap();
        let expected = Table::read(file(name), &ReadTable::default()).unwrap();
        assert_eq!(found.name, server.url(name));
        assert_eq!(columns(&found), columns(&expected), "{name}");
    }
    // A server that knows no ranges sends text as a whole.
    let server = Server::start(bytes("rows.csv"), Manner::Whole);
    let found = read(&server.url("rows.csv")).unwrap();
    let expected = Table::read(file("rows.csv"), &ReadTable::default()).unwrap();
    assert_eq!(columns(&found), columns(&expected));
}

#[test]
fn a_large_text_is_read_by_ranges_and_as_a_whole() {
    let text = large(19);
    let folder = Folder::new();
    std::fs::write(folder.path("t.csv"), &text).unwrap();
    let expected = columns(&read(folder.path("t.csv").to_str().unwrap()).unwrap());
    for manner in [Manner::Well, Manner::Whole] {
        let server = Server::start(text.clone().into_bytes(), manner);
        let found = read(&server.url("t.csv")).unwrap();
        assert!(columns(&found) == expected, "{manner:?}");
        if manner == Manner::Well {
            let ranges = server.ranges();
            assert!(ranges.iter().all(|(first, end)| end - first <= 8 << 20));
            let read: u64 = ranges.iter().map(|(first, end)| end - first).sum();
            assert!(read < 2 * text.len() as u64, "{ranges:?}");
        }
    }
}

/// A Parquet file of four row groups of 50,000 rows, whose columns `a` and `c` are integers, and `b` texts
/// that take most of its bytes.
fn wide() -> Vec<u8> {
    let rows = 50_000_u64;
    let mixed = |row: u64, by: u64| row.wrapping_mul(by | 1).rotate_left(17);
    let mut bytes = Vec::new();
    let mut writer: Option<ArrowWriter<&mut Vec<u8>>> = None;
    let mut place = Some(&mut bytes);
    for group in 0..4 {
        let rows = group * rows..(group + 1) * rows;
        let a: Int32Array = rows
            .clone()
            .map(|row| (mixed(row, 77) % 1000) as i32)
            .collect();
        let b = rows
            .clone()
            .map(|row| format!("{:016x}{:016x}", mixed(row, 0x9e37_79b9), row));
        let b: StringArray = b.map(Some).collect();
        let c: Int32Array = rows.map(|row| (row % 3) as i32).collect();
        let columns: [(&str, ArrayRef); 3] =
            [("a", Arc::new(a)), ("b", Arc::new(b)), ("c", Arc::new(c))];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let new = || ArrowWriter::try_new(place.take().unwrap(), batch.schema(), None).unwrap();
        let writer = writer.get_or_insert_with(new);
        writer.write(&batch).unwrap();
        writer.flush().unwrap();
    }
    writer.unwrap().close().unwrap();
    bytes
}

#[test]
fn of_a_parquet_file_only_the_columns_that_are_wanted_are_read() {
    let object = wide();
    let folder = Folder::new();
    std::fs::write(folder.path("t.parquet"), &object).unwrap();
    let mut options = ReadTable::default();
    options.kinds.insert("a".into(), Kind::Number);
    options.kinds.insert("c".into(), Kind::Number);
    options.others_ignored = true;
    let expected = Table::read(folder.path("t.parquet").as_path(), &options).unwrap();
    let server = Server::start(object.clone(), Manner::Well);
    let found = Table::read(server.url("t.parquet").as_str(), &options).unwrap();
    assert_eq!(found.rows, 200_000);
    assert!(columns(&found) == columns(&expected));
    let read: u64 = server.ranges().iter().map(|(first, end)| end - first).sum();
    assert!(read < object.len() as u64 / 2, "{read} of {}", object.len());
}

#[test]
fn a_configuration_trains_on_urls_as_on_files() {
    let folder = Folder::new();
    let server = Server::start(bytes("rows.csv"), Manner::Well);
    let trained = |table: &str, validation: &str, memory: &str, out: &str| {
        let text = format!(
            "[data]\ntable = \"{table}\"\ntarget = \"price\"\nexclude = [\"note\", \"nothing\"]\n{memory}\
             columns = {{ house = \"id\" }}\nvalidation = {{ table = \"{validation}\" }}\n\
             [model]\nrecipe = \"default\"\nhidden = [8]\n[train]\nepochs = 2\n"
        );
        let out = folder.path(out);
        Experiment::from_toml(&text)
            .unwrap()
            .out(&out)
            .run(|_| Ok(()))
            .unwrap();
        let config = std::fs::read_to_string(out.join("config.toml")).unwrap();
        (std::fs::read(out.join("model.keras")).unwrap(), config)
    };
    let path = file("rows.csv").display().to_string();
    let (expected, _) = trained(&path, &path, "", "files");
    let url = server.url("rows.csv");
    let (found, config) = trained(&url, &url, "", "urls");
    assert!(found == expected);
    // The url stays what it is.
    assert_eq!(config.matches(&format!("\"{url}\"")).count(), 2, "{config}");

    // The same rows from a binary copy.
    let (found, _) = trained(&url, &url, "memory = \"20 kB\"\n", "streamed");
    let (expected, _) = trained(&path, &path, "memory = \"20 kB\"\n", "streamed-file");
    assert!(found == expected);
}

#[test]
fn rows_of_a_table_of_their_own_come_from_a_url() {
    let server = Server::start(bytes("groups.parquet"), Manner::Well);
    let options = TableOptions::new()
        .target("price")
        .exclude("note")
        .exclude("nothing");
    let data = DataConfig::of(options).validation(HoldOut::Table {
        table: server.url("groups.parquet"),
    });
    let rows = data
        .load_table(file("groups.parquet").as_path(), 1)
        .unwrap();
    assert_eq!(rows.validation.unwrap().rows(), Some(60));
}

#[test]
fn what_a_server_refuses_is_said_by_name() {
    let csv = || bytes("rows.csv");
    let said = refused(csv(), "t.csv", Manner::Refuses("404 Not Found"));
    assert!(said.contains("no such object (404)"), "{said}");
    for status in ["403 Forbidden", "401 Unauthorized"] {
        let said = refused(csv(), "t.csv", Manner::Refuses(status));
        assert!(
            said.contains(&format!("access is denied ({status}, OddCode)")),
            "{said}"
        );
        assert!(said.contains("download the file"), "{said}");
    }
    let said = refused(csv(), "t.csv", Manner::Refuses("410 Gone"));
    assert!(said.contains("the answer is 410 Gone, OddCode"), "{said}");
    let said = refused(Vec::new(), "t.csv", Manner::Well);
    assert!(said.contains("is empty"), "{said}");
    let said = refused(Vec::new(), "t.parquet", Manner::Well);
    assert!(said.contains("is empty"), "{said}");
    let error = read("http://127.0.0.1:9/t.csv").unwrap_err();
    assert!(!error.is_users_mistake(), "{error}");
}

#[test]
fn servers_that_lie_or_break_off_are_found_out() {
    for (name, object) in [
        ("t.csv", large(1).into_bytes()),
        ("t.parquet", bytes("groups.parquet")),
    ] {
        let said = refused(object.clone(), name, Manner::Elsewhere);
        assert!(said.contains("Requested"), "{said}");
        let said = refused(object.clone(), name, Manner::Absurd);
        assert!(said.contains("which it is"), "{said}");
        let said = refused(object.clone(), name, Manner::Short);
        assert!(
            said.contains("cannot read") || said.contains("sends"),
            "{said}"
        );
        for more in [1, 1 << 20, 1 << 60] {
            refused(object.clone(), name, Manner::Longer(more));
        }
    }
    let said = refused(large(1).into_bytes(), "t.csv", Manner::Changes);
    assert!(said.contains("was changed while it was read"), "{said}");
    let said = refused(bytes("groups.parquet"), "t.parquet", Manner::Whole);
    assert!(said.contains("sends no parts of files"), "{said}");
    // A footer that points out of the object: the object is cut short, and its end is as it was.
    let mut object = wide();
    object.drain(4..1 << 20);
    let said = refused(object, "t.parquet", Manner::Well);
    assert!(said.contains("is not within the file"), "{said}");
}

#[test]
fn urls_with_secrets_are_refused_everywhere() {
    let url = format!("https://server/t.csv?sig={SECRET}");
    let of_toml = |text: &str| Experiment::from_toml(text).unwrap().check(|_| Ok(()));
    let config = |table: &str| format!("[data]\ntable = \"{table}\"\ntarget = \"a\"\n");
    let user = format!("http://me:{SECRET}@server/t.csv");
    let said = [
        read(&url).unwrap_err().to_string(),
        read(&user).unwrap_err().to_string(),
        gradus::data::load(&url, gradus::data::Split::Train)
            .unwrap_err()
            .to_string(),
        gradus::data::table_of(&user).unwrap_err().to_string(),
        of_toml(&config(&url)).unwrap_err().to_string(),
        of_toml(&format!(
            "{}validation = {{ table = \"{user}\" }}\n",
            config("t.csv")
        ))
        .unwrap_err()
        .to_string(),
    ];
    for said in said {
        assert!(said.contains("environment variables"), "{said}");
        assert!(!said.contains(SECRET), "{said}");
    }
}
