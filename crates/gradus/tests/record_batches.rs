//! Tests of Arrow record batches (the feature `arrow`): trained on, saved and scored like a CSV
//! file of the same rows.

mod common;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, ListArray, NullArray,
    RecordBatch, StringArray, TimestampMillisecondArray,
};
use common::Folder;
use gradus::data::{Cells, DataConfig, HoldOut, Kind, ReadTable, SplitBy, Table, TableOptions};
use gradus::prelude::*;
use std::sync::Arc;

/// Rows from `first` on.
fn batch(first: i64, rows: i64) -> RecordBatch {
    let each = || first..first + rows;
    let gap = |n: i64, every: i64| n % every != every - 1;
    let mut places = StringDictionaryBuilder::<Int32Type>::new();
    for n in each() {
        places.append_option(gap(n, 5).then_some(["bay", "inland"][n as usize % 2]));
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "house",
            Arc::new(Int64Array::from_iter_values(each().map(|n| (1 << 60) + n))),
        ),
        (
            "rooms",
            Arc::new(Float64Array::from_iter(
                each().map(|n| gap(n, 7).then_some(n as f64 / 2.0)),
            )),
        ),
        (
            "new",
            Arc::new(BooleanArray::from_iter(
                each().map(|n| gap(n, 3).then_some(n % 2 == 0)),
            )),
        ),
        (
            "built",
            Arc::new(Date32Array::from_iter(
                each().map(|n| gap(n, 4).then_some(n as i32 - 5)),
            )),
        ),
        (
            "seen",
            Arc::new(
                TimestampMillisecondArray::from_iter(each().map(|n| Some(n * 43_200_000 - 1)))
                    .with_timezone("UTC"),
            ),
        ),
        ("place", Arc::new(places.finish())),
        (
            "price",
            Arc::new(Float64Array::from_iter_values(
                each().map(|n| (n % 9) as f64 * 50.0),
            )),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The same rows as a CSV file.
fn csv(folder: &Folder, rows: i64) -> std::path::PathBuf {
    let table = Table::read(batch(0, rows), &as_texts()).unwrap();
    let mut text: Vec<String> = vec![String::new(); rows as usize];
    for (n, column) in table.columns.iter().enumerate() {
        let Cells::Category { names, codes } = &column.cells else {
            panic!()
        };
        for (row, code) in text.iter_mut().zip(codes) {
            *row += if n > 0 { "," } else { "" };
            *row += code.map_or("", |code| &names[code as usize]);
        }
    }
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    let text = format!("{}\n{}\n", names.join(","), text.join("\n"));
    folder.write("rows.csv", text)
}

fn as_texts() -> ReadTable {
    let mut options = ReadTable::default();
    for name in ["house", "rooms", "new", "built", "seen", "place", "price"] {
        options.kinds.insert(name.into(), Kind::Category);
    }
    options
}

#[test]
fn batches_are_the_table_that_their_csv_is() {
    let folder = Folder::new();
    let path = csv(&folder, 60);
    let batches = vec![batch(0, 13), batch(13, 1), batch(14, 0), batch(14, 46)];
    let mut options = ReadTable::default();
    options.kinds.insert("house".into(), Kind::Category);
    let found = Table::read(&batches, &options).unwrap();
    let expected = Table::read(&path, &options).unwrap();
    assert_eq!(
        format!("{:?}", found.columns),
        format!("{:?}", expected.columns)
    );
    // A slice of a batch has offsets in every column.
    let part = batch(0, 60).slice(7, 20);
    let part = Table::read(&part, &options).unwrap();
    let same = Table::read(batch(7, 20), &options).unwrap();
    assert_eq!(format!("{part:?}"), format!("{same:?}"));
}

#[test]
fn training_and_scoring_are_the_same_as_on_a_csv() {
    let folder = Folder::new();
    let path = csv(&folder, 80);
    let data = DataConfig::of(TableOptions::new().target("price").id("house"))
        .validation(HoldOut::fraction(
            0.2,
            SplitBy::Stratify(Some("place".into())),
        ))
        .test(HoldOut::fraction(0.1, SplitBy::Time("seen".into())));
    let recipe = Recipe::default_dnn(&[8]);
    let trained = |rows: gradus::data::RunData| {
        let mut model = recipe.model_of(&rows, &data.columns).unwrap();
        let fit = Fit::recipe(&recipe, 2).validation_data(rows.validation.unwrap());
        model.fit(&rows.train, fit).unwrap();
        let test = model.evaluate(rows.test.unwrap()).unwrap();
        (model, format!("{test:?}"))
    };
    let (of_csv, csv_test) = trained(data.load_table(&path, 7).unwrap());
    let (model, test) = trained(data.load_table(batch(0, 80), 7).unwrap());
    assert_eq!(test, csv_test);

    let saved = path.with_extension("keras");
    model.save(&saved).unwrap();
    let model = Model::load(&saved).unwrap();
    // New rows, in another order, without a price.
    let new = batch(80, 20).project(&[5, 0, 1, 2, 3, 4]).unwrap();
    let scored = model.score(&new).unwrap();
    assert_eq!(scored, of_csv.score(batch(80, 20)).unwrap());
    let out = scored.to_record_batch().unwrap();
    assert_eq!((out.num_rows(), out.num_columns()), (20, 2));
    let ids: &StringArray = out["house"].as_any().downcast_ref().unwrap();
    assert_eq!(ids.value(0), ((1_i64 << 60) + 80).to_string());
    assert!(out["price"].as_any().is::<arrow_array::Float32Array>());

    let error = model.score(batch(0, 3).project(&[0, 1, 2, 3, 4]).unwrap());
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("record batches: has no column `place`"),
        "{error}"
    );
}

#[test]
fn a_table_of_one_s_own_is_scored_too() {
    let table = Table::read(batch(0, 40), &ReadTable::default()).unwrap();
    let data = DataConfig::of(TableOptions::new().target("place").exclude("house"));
    let rows = data.load_table(&table, 0);
    // A missing target is named with its row.
    let error = rows.unwrap_err().to_string();
    assert_eq!(
        error,
        "record batches, target `place`, row 4: found nothing, expected a value in each row: \
         leave such rows out"
    );
    let data = DataConfig::of(TableOptions::new().target("price").exclude("house"));
    let rows = data.load_table(&table, 0).unwrap();
    let model = Recipe::default_dnn(&[4])
        .model_of(&rows, &data.columns)
        .unwrap();
    assert_eq!(
        model.score(&table).unwrap(),
        model.score(batch(0, 40)).unwrap()
    );
}

#[test]
fn odd_batches_are_named() {
    let refused = |batches: &[RecordBatch]| {
        let error = Table::read(batches, &ReadTable::default()).unwrap_err();
        assert!(error.is_users_mistake());
        error.to_string()
    };
    assert!(refused(&[]).contains("there is none"));
    assert!(refused(&[batch(0, 0)]).contains("no rows"));
    let other = batch(0, 3).project(&[1, 0]).unwrap();
    assert!(refused(&[batch(0, 3), other]).contains("batch 1 has other columns"));
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), None]);
    let lists = RecordBatch::try_from_iter([("tags", Arc::new(lists) as ArrayRef)]).unwrap();
    assert!(refused(&[lists]).contains("column `tags` is of type List"));
    let nothing: Vec<(&str, ArrayRef)> = vec![
        ("x", Arc::new(NullArray::new(2))),
        ("", Arc::new(StringArray::from(vec!["a", " null "]))),
    ];
    let nothing = RecordBatch::try_from_iter(nothing).unwrap();
    let table = Table::read(&nothing, &ReadTable::default()).unwrap();
    assert_eq!(
        (
            table.columns[0].cells.missing(),
            table.columns[1].cells.missing()
        ),
        (2, 1)
    );
    assert_eq!(table.columns[1].name, "column_1");
    // A dictionary without values.
    let mut empty = StringDictionaryBuilder::<Int32Type>::new();
    empty.append_null();
    let empty = RecordBatch::try_from_iter([("e", Arc::new(empty.finish()) as ArrayRef)]).unwrap();
    let table = Table::read(&empty, &ReadTable::default()).unwrap();
    assert_eq!(table.columns[0].cells.missing(), 1);
}
