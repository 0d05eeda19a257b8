use super::make::Making;
use super::*;
use std::iter::once;

const WORDS: [&str; 4] = ["red", "green, or so", "", "blue"];

/// A table, in a folder for it and its copy.
struct Place(tempfile::TempDir);

impl Place {
    fn new(csv: &str) -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::write(place.table(), csv).unwrap();
        place
    }

    fn table(&self) -> PathBuf {
        self.0.path().join("table.csv")
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("copy.bin")
    }

    fn make(&self, options: &ReadTable) -> Result<Copied> {
        let (table, path) = (self.table(), self.path());
        let origin = Origin::of(&table)?;
        let making = Making {
            table: &table,
            options,
            memory: 1 << 20,
            on_copy: OnCopy::default(),
            origin: &origin,
            path: &path,
        };
        making.csv()?;
        Ok(self.open().unwrap())
    }

    fn open(&self) -> Option<Copied> {
        Copied::open(self.path(), &Origin::of(&self.table()).unwrap())
    }
}

/// Texts where there were numbers, far beyond the rows examined first.
fn csv(rows: usize) -> String {
    let mut text = "number,colour,late,day,truth\n".to_owned();
    for row in 0..rows {
        let late = match row {
            50_000.. => format!("x{}", row % 5),
            _ => (row % 9).to_string(),
        };
        let colour = WORDS[row % 4];
        let colour = match colour.contains(',') {
            true => format!("\"{colour}\""),
            false => colour.to_owned(),
        };
        let day = row % 27 + 1;
        text += &format!(
            "{},{colour},{late},2024-02-{day:02},{}\n",
            row as f32 * 0.5,
            row % 2 == 0
        );
    }
    text
}

fn cells(table: &Table, row: usize) -> Vec<String> {
    let of = |column: &Column| match &column.cells {
        Cells::Number(all) => format!("{:?}", all[row]),
        Cells::Boolean(all) => format!("{:?}", all[row]),
        Cells::DateTime(all) => format!("{:?}", all[row]),
        Cells::Date(all) => format!("{:?}", all[row]),
        Cells::Category { names, codes } => {
            format!("{:?}", codes[row].map(|code| &names[code as usize]))
        }
    };
    table.columns.iter().map(of).collect()
}

/// Asserts the same cells, whatever their texts' indices.
fn same(a: &Table, b: &Table) {
    assert_eq!(a.rows, b.rows);
    let heads = |table: &Table| -> Vec<(String, Kind)> {
        let head = |c: &Column| (c.name.clone(), c.cells.kind());
        table.columns.iter().map(head).collect()
    };
    assert_eq!(heads(a), heads(b));
    for row in (0..a.rows).step_by(7) {
        assert_eq!(cells(a, row), cells(b, row), "row {row}");
    }
}

#[test]
fn a_copy_has_the_rows_of_the_table() {
    let place = Place::new(&csv(100_000));
    let whole = Table::read(place.table(), &ReadTable::default()).unwrap();
    // The column has only numbers in the rows examined first.
    let copied = place.make(&ReadTable::default()).unwrap();
    assert_eq!(copied.rows(), 100_000);
    same(&copied.table(&|_| true, once(0..100_000)).unwrap(), &whole);
    let some = copied.table(&|name| name == "colour", [5..9, 70_000..70_002]);
    let some = some.unwrap();
    assert_eq!((some.rows, some.columns.len()), (6, 1));
    for (place, row) in [5, 6, 7, 8, 70_000, 70_001].into_iter().enumerate() {
        assert_eq!(cells(&some, place)[0], cells(&whole, row)[1]);
    }
    assert_eq!(
        copied.texts("colour").unwrap(),
        ["red", "green, or so", "blue"]
    );
    let late = whole.columns[2].clone();
    let Cells::Category { names, .. } = late.cells else {
        panic!()
    };
    assert_eq!(copied.texts("late").unwrap(), names);
}

#[test]
fn types_that_the_first_rows_do_not_promise_are_found() {
    let mut text = "a,b\n".to_owned();
    for row in 0..90_000 {
        // Missing, then words.
        let b = if row < 60_000 { "" } else { "w" };
        text += &format!("{row},{b}\n");
    }
    let place = Place::new(&text);
    let whole = Table::read(place.table(), &ReadTable::default()).unwrap();
    assert_eq!(whole.columns[1].cells.kind(), Kind::Category);
    let copied = place.make(&ReadTable::default()).unwrap();
    same(&copied.table(&|_| true, once(0..90_000)).unwrap(), &whole);
}

#[test]
fn a_copy_serves_who_asks_for_what_it_has() {
    let mut options = ReadTable::default();
    options.kinds.insert("late".into(), Kind::Category);
    options.ignore("number");
    let place = Place::new(&csv(60_000));
    let copied = place.make(&options).unwrap();
    assert!(copied.serves(&options, None));
    // Ignored columns are not in the copy, and a type given differs from the inferred one.
    assert!(!copied.serves(&ReadTable::default(), None));
    let mut fewer = options.clone();
    fewer.ignore("late");
    fewer.ignore("colour");
    assert!(copied.serves(&fewer, None));
    options.kinds.insert("colour".into(), Kind::Number);
    assert!(!copied.serves(&options, None));
    fewer.kinds.insert("nowhere".into(), Kind::Number);
    assert!(!copied.serves(&fewer, None));
}

#[test]
fn a_damaged_copy_is_none_or_an_error() {
    let place = Place::new(&csv(40_000));
    place.make(&ReadTable::default()).unwrap();
    let bytes = std::fs::read(place.path()).unwrap();
    let write = |bytes: &[u8]| std::fs::write(place.path(), bytes).unwrap();
    let read = || -> Option<Result<Table>> {
        let copied = place.open()?;
        Some(copied.table(&|_| true, once(0..copied.rows())))
    };
    assert!(read().unwrap().is_ok());
    for length in [
        0,
        1,
        16,
        40,
        bytes.len() / 2,
        bytes.len() - 37,
        bytes.len() - 1,
    ] {
        write(&bytes[..length]);
        assert!(place.open().is_none(), "{length}");
    }
    let end = bytes.len();
    let places = (0..end).step_by(9973).chain(end - 300..end);
    for at in places {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        write(&damaged);
        match read() {
            None => {}
            Some(Ok(_)) => panic!("byte {at} is not looked at"),
            Some(Err(error)) => {
                assert!(
                    error.to_string().contains("was damaged and is removed"),
                    "{error}"
                );
            }
        }
    }
    // Impossible sizes with a correct overall checksum.
    let mut hostile = bytes[..16].to_vec();
    let mut sizes = Vec::new();
    for _ in 0..3 {
        sizes.extend(u32::MAX.to_le_bytes());
        sizes.extend((u64::MAX / 2).to_le_bytes());
    }
    let about = serde_json::to_vec(&serde_json::json!({
        "origin": Origin::of(&place.table()).unwrap(),
        "columns": [],
    }));
    let mut both = about.unwrap();
    let length = both.len() as u64;
    both.extend(sizes);
    let mut sum = flate2::Crc::new();
    sum.update(&both);
    hostile.extend(both);
    for number in [length, 3] {
        hostile.extend(number.to_le_bytes());
    }
    hostile.extend(sum.sum().to_le_bytes());
    hostile.extend(MAGIC);
    write(&hostile);
    assert!(place.open().is_none());
    for at in [hostile.len() - 36, hostile.len() - 28] {
        let mut more = hostile.clone();
        more[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        write(&more);
        assert!(place.open().is_none());
    }
    // A rewritten table has no copy any more.
    write(&bytes);
    assert!(place.open().is_some());
    std::fs::write(place.table(), csv(40_001)).unwrap();
    assert!(place.open().is_none());
}

#[test]
fn what_somebody_who_was_killed_has_left_is_removed_once_it_is_old() {
    let place = Place::new("a\n1\n");
    let left = |name: &str, old: bool| {
        let path = place.0.path().join(name);
        let file = std::fs::File::create(&path).unwrap();
        if old {
            let hour = std::time::Duration::from_secs(3600);
            file.set_modified(std::time::SystemTime::now() - hour)
                .unwrap();
        }
        path
    };
    let old = left(".copy.bin.1-0.tmp", true);
    let others = left(".other.bin.1-0.tmp", true);
    let new = left(".copy.bin.2-0.tmp", false);
    make::remove_left(place.0.path(), &place.path());
    assert!(!old.exists() && others.exists() && new.exists());
}
