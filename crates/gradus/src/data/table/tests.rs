//! Tests of tables read from files, and of the errors for bad ones.

use super::calendar::date_text;
use super::read::read_by;
use super::{Cells, DateFormat, Kind, ReadTable, Table};
use crate::error::Result;
use std::path::PathBuf;

/// A file in a folder of its own, removed at the end.
struct Scratch(PathBuf, #[allow(dead_code)] tempfile::TempDir);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Scratch(path, folder)
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
fn a_first_line_may_name_the_delimiter() {
    let expected = [("size", Kind::Number), ("town, street", Kind::Category)];
    for (name, text) in [
        (
            "excel.csv",
            "sep=;\r\nsize;town, street\r\n1,5;a, b\r\n2,5;c, d\r\n",
        ),
        (
            "bom.csv",
            "\u{feff}sep=|\nsize|town, street\n1.5|a, b\n2.5|c, d\n",
        ),
        ("odd.csv", "SEP=:\nsize:town, street\n1.5:a, b\n2.5:c, d\n"),
    ] {
        let scratch = Scratch::new(name, text);
        let table = Table::read(&scratch.0, &ReadTable::default()).unwrap();
        assert_eq!(kinds(&table), expected, "{name}");
        let Cells::Number(sizes) = &table.columns[0].cells else {
            panic!("{table:?}");
        };
        assert_eq!((table.rows, &sizes[..]), (2, &[1.5, 2.5][..]), "{name}");
        assert_eq!(Table::line_of_row(&scratch.0, 1), Some(4), "{name}");
    }
    // Such a line needs a delimiter.
    let table = read("none.csv", "sep=\n1\n2\n").unwrap();
    assert_eq!(
        (table.rows, kinds(&table)),
        (2, vec![("sep=", Kind::Number)])
    );
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
        ("sold", Kind::DateTime),
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
    let Cells::DateTime(times) = &table.columns[1].cells else {
        panic!("{table:?}");
    };
    let hour = 3_600_000_000;
    let expected = [19782 * 24 * hour, -24 * hour, (10957 * 24 + 10) * hour];
    assert_eq!(times, &expected.map(Some));
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
        let read = DateFormat::Iso.read(&date_text(day));
        assert_eq!(read.map(|moment| moment.day), Some(day));
    }
    for wrong in [
        "2023-02-29",
        "2023-13-01",
        "2023-00-10",
        "2023-01-32",
        "20-01-01",
        "2023-1-1x",
    ] {
        assert_eq!(DateFormat::Iso.read(wrong), None, "{wrong}");
    }
}

#[test]
fn a_given_type_replaces_the_inferred_one_and_is_checked() {
    let file = Scratch::new("given.csv", "zip,n\n1234,1\n99,x\n");
    let of = |column: &str, kind: Kind| {
        let kinds = [(column.to_owned(), kind)].into();
        let options = ReadTable {
            kinds,
            ..ReadTable::default()
        };
        Table::read(&file.0, &options)
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

#[test]
fn the_table_is_the_same_on_any_number_of_threads_and_in_any_blocks() {
    let mut text = String::from("n;late;town;sold;note\n");
    for row in 0..500 {
        // Numbers only up to here: the first block predicts the wrong type.
        let late = if row % 2 == 0 || row < 200 { "7" } else { "x7" };
        let town = ["Bern", "\"Zü\"\"rich;\n\"", "", "Genève"][row % 4];
        let day = row % 28 + 1;
        text += &format!("{row}.5;{late};{town};2024-02-{day:02};it's 5\" wide\r\n\r\n");
    }
    let file = Scratch::new("threads.csv", &text);
    let by = |threads, block| read_by(&file.0, &ReadTable::default(), threads, block).unwrap();
    let whole = by(1, 1 << 20);
    assert_eq!(whole.rows, 500);
    assert_eq!(whole.columns[1].cells.kind(), Kind::Category);
    for (threads, block) in [(1, 16), (2, 64), (3, 999), (8, 4096)] {
        assert_eq!(
            by(threads, block),
            whole,
            "{threads} threads, {block} bytes"
        );
    }
}

#[test]
fn a_fault_far_down_is_named_the_same_in_any_blocks() {
    let rows: Vec<String> = (0..500).map(|n| format!("{n},\"a\nb\"")).collect();
    let damaged = |row: usize, bad: &[u8]| {
        let mut rows: Vec<Vec<u8>> = rows.iter().map(|r| r.clone().into_bytes()).collect();
        rows[row] = bad.to_vec();
        [b"a,b\n".to_vec(), rows.join(&b'\n')].concat()
    };
    for (what, bytes) in [
        ("ragged", damaged(400, b"1,2,3")),
        ("latin", damaged(300, b"1,M\xfcller")),
        ("nul", damaged(300, b"1,\0")),
        ("open", damaged(300, b"1,\"x")),
        ("behind", damaged(300, b"1,\"x\"y")),
        ("stray", damaged(300, b"oops,y")),
    ] {
        let file = Scratch::new(&format!("far-{what}.csv"), "");
        std::fs::write(&file.0, bytes).unwrap();
        let by = |threads, block| {
            let read = read_by(&file.0, &ReadTable::default(), threads, block);
            read.unwrap_err().to_string()
        };
        let whole = by(1, 1 << 20);
        for (threads, block) in [(1, 16), (2, 64), (3, 999)] {
            assert_eq!(
                by(threads, block),
                whole,
                "{threads} threads, {block} bytes"
            );
        }
    }
}

#[test]
fn a_header_with_a_number_among_its_names_is_a_header() {
    let table = read("years.csv", "id,sold,2020\n1,2024-01-05,7\n2,,8\n").unwrap();
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!((names, table.rows), (vec!["id", "sold", "2020"], 2));
    let table = read("data.csv", "Bern,1,2\nThun,3,4\n").unwrap();
    assert_eq!(
        (table.columns[0].name.as_str(), table.rows),
        ("column_0", 2)
    );
}

#[test]
fn the_order_of_day_and_month_is_that_of_all_rows() {
    let read = |name: &str, rows: &str| read(name, &format!("d,n\n{rows}"));
    let days = |table: &Table| match &table.columns[0].cells {
        Cells::Date(days) => days.clone(),
        other => panic!("{other:?}"),
    };
    let day = |text: &str| Some(DateFormat::Iso.read(text).unwrap().day);
    let table = read(
        "day-first.csv",
        "03/04/2024,1\n31/12/2024,2\n2024-01-02,3\n",
    )
    .unwrap();
    let expected = [day("2024-04-03"), day("2024-12-31"), day("2024-01-02")];
    assert_eq!(days(&table), expected);
    assert_eq!(table.columns[0].reading.dates, DateFormat::DayFirst);
    assert_eq!(table.notes(&|_| true), [""; 0]);
    let table = read("month-first.csv", "03/04/2024,1\n12/31/2024,2\n").unwrap();
    assert_eq!(days(&table), [day("2024-03-04"), day("2024-12-31")]);
    // Both orders are possible: pandas' for slashes, Central Europe's for points.
    for (name, text, expected) in [
        ("slashes.csv", "03/04/2024,1\n", "2024-03-04"),
        ("dashes.csv", "03-04-2024,1\n", "2024-03-04"),
        ("points.csv", "03.04.2024,1\n", "2024-04-03"),
    ] {
        let table = read(name, text).unwrap();
        assert_eq!(days(&table), [day(expected)], "{name}");
        let notes = table.notes(&|_| true);
        assert!(notes[0].contains("column `d`: its dates") && notes[0].contains("date_format"));
        assert!(table.notes(&|name| name != "d").is_empty());
    }
    // No remark if both orders give the same day.
    assert!(
        read("alike.csv", "05/05/2024,1\n")
            .unwrap()
            .notes(&|_| true)
            .is_empty()
    );
    let error = read("both.csv", "13/01/2024,1\n05/05/2024,2\n01/13/2024,3\n").unwrap_err();
    let error = error.to_string();
    for words in [
        "column `d`",
        "line 4 has `01/13/2024`",
        "line 2 has `13/01/2024`",
        "date_format",
    ] {
        assert!(error.contains(words), "{error}");
    }
    // Blocks that would decide differently by themselves agree in the end.
    let file = Scratch::new(
        "blocks.csv",
        &format!("d,n\n{}31/01/2024,0\n", "01/02/2024,1\n".repeat(90)),
    );
    let table = read_by(&file.0, &ReadTable::default(), 2, 64).unwrap();
    assert_eq!(days(&table)[0], day("2024-02-01"));
    // Other texts are categories, with a remark if they look like dates.
    let table = read("two.csv", "31.12.24,1\n01.02.25,2\n").unwrap();
    assert_eq!(table.columns[0].cells.kind(), Kind::Category);
    assert!(table.notes(&|_| true)[0].contains("look like dates (`31.12.24`)"));
}

#[test]
fn a_format_that_only_later_rows_tell_is_found_in_any_blocks() {
    let (comma, groups) = ("decimal comma", "decimal comma, thousands `.`");
    // Among decimal commas `1.500` is 1500, unless a point is clearly a decimal point.
    for (last, formats, second) in [
        ("5.000", [comma, groups, groups, "with %", ""], 1500.0),
        ("5.0", [comma, "", "", "with %", ""], 1.5),
    ] {
        let mut text = String::from("a;b;c;d;e\n");
        for row in 0..400 {
            // Whole numbers, judging by the first rows.
            let late = match row {
                390.. => format!("{row},5"),
                _ => row.to_string(),
            };
            let point = if row == 399 { last } else { "1.500" };
            let percent = if row > 350 { "%" } else { "" };
            text += &format!("{late};{point};2.{row:03};{row}{percent};None\n");
        }
        let file = Scratch::new("late.csv", &text);
        let by = |threads, block| read_by(&file.0, &ReadTable::default(), threads, block).unwrap();
        let whole = by(1, 1 << 20);
        let found = whole.columns.iter().map(|c| c.reading.format.to_string());
        assert_eq!(found.collect::<Vec<_>>(), formats);
        let number = |n: usize, row: usize| match &whole.columns[n].cells {
            Cells::Number(all) => all[row],
            other => panic!("{other:?}"),
        };
        assert_eq!((number(0, 395), number(3, 399)), (395.5, 399.0));
        assert_eq!((number(1, 0), number(2, 250)), (second, second * 1.5));
        assert_eq!(whole.columns[4].cells.kind(), Kind::Category);
        for (threads, block) in [(1, 16), (2, 64), (3, 999), (8, 4096)] {
            assert_eq!(
                by(threads, block),
                whole,
                "{threads} threads, {block} bytes"
            );
        }
    }
}
