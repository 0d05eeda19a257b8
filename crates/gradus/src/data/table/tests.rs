//! Tables read from files, and what is told of bad ones.

use super::cell::{date, date_text};
use super::{Cells, Kind, ReadTable, Table};
use crate::error::Result;
use std::path::PathBuf;

/// A file in the temporary folder, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("gradus-table-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn read(name: &str, text: &str) -> Result<Table> {
    Table::read(&Scratch::new(name, text).0, &ReadTable::default())
}

fn kinds(table: &Table) -> Vec<(&str, Kind)> {
    let columns = table.columns.iter();
    columns.map(|c| (c.name.as_str(), c.cells.kind())).collect()
}

#[test]
fn delimiter_header_types_and_gaps_are_found() {
    let text = "\u{feff}id;sold;price;new;town\r\n\
                1;2024-02-29;1,5e;yes;\"a;\nb\"\r\n\
                2;1969-12-31;?;No;N/A\r\n\
                3;2000-01-01 10:00;x;;c\r\n";
    let table = read("kinds.csv", text).unwrap();
    let expected = [
        ("id", Kind::Number),
        ("sold", Kind::Date),
        ("price", Kind::Category),
        ("new", Kind::Boolean),
        ("town", Kind::Category),
    ];
    assert_eq!(kinds(&table), expected);
    let missing: Vec<usize> = table.columns.iter().map(|c| c.cells.missing()).collect();
    assert_eq!((table.rows, missing), (3, vec![0, 0, 1, 1, 1]));
    let Cells::Category { names, codes } = &table.columns[4].cells else {
        panic!("{table:?}");
    };
    assert_eq!(names, &["a;\nb", "c"]);
    assert_eq!(codes, &[Some(0), None, Some(1)]);
    let Cells::Date(days) = &table.columns[1].cells else {
        panic!("{table:?}");
    };
    assert_eq!(days, &[Some(19782), Some(-1), Some(10957)]);
}

#[test]
fn without_a_header_columns_are_numbered() {
    let table = read("bare.csv", "1.5,a\n2,b\n").unwrap();
    assert_eq!(
        kinds(&table),
        [("column_0", Kind::Number), ("column_1", Kind::Category)]
    );
    assert_eq!(table.rows, 2);
}

#[test]
fn every_day_comes_back_from_its_number() {
    for day in (-700_000..2_900_000).step_by(17) {
        assert_eq!(date(&date_text(day)), Some(day));
    }
    for wrong in [
        "2023-02-29",
        "2023-13-01",
        "2023-00-10",
        "2023-01-32",
        "20-01-01",
        "2023-1-1x",
    ] {
        assert_eq!(date(wrong), None, "{wrong}");
    }
}

#[test]
fn a_given_type_replaces_the_inferred_one_and_is_checked() {
    let file = Scratch::new("given.csv", "zip,n\n1234,1\n99,x\n");
    let of = |column: &str, kind: Kind| {
        let kinds = [(column.to_owned(), kind)].into();
        Table::read(&file.0, &ReadTable { kinds })
    };
    assert_eq!(
        of("zip", Kind::Category).unwrap().columns[0].cells.kind(),
        Kind::Category
    );
    let error = of("n", Kind::Number).unwrap_err().to_string();
    assert!(
        error.contains("column `n`: line 3 has `x`, expected a number"),
        "{error}"
    );
    let error = of("zpi", Kind::Number).unwrap_err().to_string();
    assert!(error.contains("did you mean `zip`?"), "{error}");
}

#[test]
fn a_text_among_numbers_is_named_by_line() {
    let error = read("mixed.csv", "a,b\n1,2\n2,2\noops,3\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("column `a`: line 4 has `oops`, but 2 of its 3"),
        "{error}"
    );
}
