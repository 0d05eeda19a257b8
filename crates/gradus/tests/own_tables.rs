//! Tables made of a program's own columns.

use gradus::data::{
    Cells, DateFormat, Feature, HoldOut, Kind, NumberFormat, RawCell, RawTable, Schema, SplitBy,
};
use gradus::prelude::*;

fn animals(rows: usize) -> Table {
    let legs: Vec<i32> = (0..rows).map(|i| [2, 4, 6][i % 3]).collect();
    let weight: Vec<Option<f64>> = (0..rows)
        .map(|i| (i % 11 != 0).then_some(i as f64 / 7.0))
        .collect();
    let wings: Vec<bool> = (0..rows).map(|i| i % 3 != 1).collect();
    let kind: Vec<String> = (0..rows)
        .map(|i| ["bird", "cat", "bee"][i % 3].to_owned())
        .collect();
    Table::from_columns([
        ("legs", Cells::from(legs)),
        ("weight", weight.into()),
        ("wings", wings.into()),
        ("kind", kind.into()),
    ])
    .unwrap()
}

#[test]
fn columns_keep_types_gaps_and_texts() {
    let table = animals(22);
    let kinds: Vec<Kind> = table.columns.iter().map(|c| c.cells.kind()).collect();
    assert_eq!(
        kinds,
        [Kind::Number, Kind::Number, Kind::Boolean, Kind::Category]
    );
    assert_eq!(table.rows, 22);
    assert_eq!(table.columns[1].cells.missing(), 2);
    let Cells::Category { names, codes } = &table.columns[3].cells else {
        panic!("texts are a category");
    };
    assert_eq!(names, &["bird", "cat", "bee"]);
    assert_eq!(codes[..4], [Some(0), Some(1), Some(2), Some(0)]);
}

#[test]
fn a_table_of_vectors_is_trained_saved_and_scored_row_by_row() {
    let data = DataConfig::of(TableOptions::new().target("kind"))
        .validation(HoldOut::fraction(0.2, SplitBy::Shuffle));
    let rows = data.load_table(animals(300), 1).unwrap();
    let recipe = Recipe::of_table(rows.train_rows()).hidden(&[20]);
    let mut model = recipe.model_of(&rows, &data.columns).unwrap();
    let fit = Fit::recipe(&recipe, 20).validation_data(rows.validation.unwrap());
    model.fit(&rows.train, fit).unwrap();

    let folder = std::env::temp_dir().join(format!("gradus-own-tables-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    model.save(folder.join("animals.keras")).unwrap();
    let model = Model::load(folder.join("animals.keras")).unwrap();
    for (legs, kind) in [(2, "bird"), (4, "cat"), (6, "bee")] {
        let row = Table::from_columns([
            ("wings", vec![kind != "cat"].into()),
            ("weight", vec![None::<f64>].into()),
            ("legs", vec![legs].into()),
        ]);
        let scored = model.score(row.unwrap()).unwrap();
        assert_eq!(scored.texts("kind").unwrap(), [kind]);
        assert!(scored.numbers(&format!("kind_{kind}")).unwrap()[0] > 0.5);
        scored.save_csv(folder.join("scored.csv")).unwrap();
    }
    let text = std::fs::read_to_string(folder.join("scored.csv")).unwrap();
    assert!(text.starts_with("kind,kind_"), "{text}");
    std::fs::remove_dir_all(folder).unwrap();

    let scored = model.score(animals(3)).unwrap();
    let error = scored.numbers("kinds").unwrap_err().to_string();
    assert!(error.contains("did you mean `kind`"), "{error}");
    let error = scored.numbers("kind").unwrap_err().to_string();
    assert!(error.contains("expected numbers"), "{error}");
}

#[test]
fn columns_that_make_no_table_are_refused() {
    let refused = |columns: Vec<(&str, Cells)>, words: &str| {
        let error = Table::from_columns(columns).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refused(vec![], "no columns");
    refused(
        vec![("a", vec![1.0, 2.0].into()), ("b", vec!["x"].into())],
        "1 rows",
    );
    refused(
        vec![("a", vec![1.0].into()), ("a", vec!["x"].into())],
        "two columns of this name",
    );
}

/// Texts are read in their column's format, numbers need none, and both have gaps.
#[test]
fn cells_with_types_of_their_own_are_read_by_a_schema() {
    let feature = |name: &str, kind: Kind| Feature {
        name: name.into(),
        input: name.into(),
        kind,
        format: NumberFormat {
            decimal: ',',
            thousands: Some('.'),
            unit: None,
        },
        dates: DateFormat::DayFirst,
        offset: None,
    };
    let mut schema = Schema::default();
    schema.features.extend([
        feature("price", Kind::Number),
        feature("sold", Kind::Date),
        feature("new", Kind::Boolean),
        feature("zip", Kind::Category),
    ]);
    let text = |text: &str| RawCell::Text(text.into());
    let table = RawTable::new(
        "request",
        vec![
            (
                "price".into(),
                vec![
                    RawCell::Number(1234.5),
                    text("1.234,5"),
                    text("NA"),
                    RawCell::Missing,
                ],
            ),
            (
                "sold".into(),
                vec![
                    text("03.02.2024"),
                    text("2024-02-03"),
                    text(""),
                    RawCell::Missing,
                ],
            ),
            (
                "new".into(),
                vec![
                    RawCell::Boolean(true),
                    RawCell::Whole(1),
                    text("yes"),
                    RawCell::Missing,
                ],
            ),
            (
                "zip".into(),
                vec![
                    RawCell::Whole(53111),
                    RawCell::Number(53111.0),
                    text("53111"),
                    text(" "),
                ],
            ),
        ],
    );
    let rows = schema.rows(&table, false).unwrap();
    let inputs = rows.inputs();
    let prices = inputs[0].to_f64();
    assert_eq!(prices[..2], [1234.5, 1234.5]);
    assert!(prices[2..].iter().all(|x| x.is_nan()));
    let dates = inputs[1].to_f32();
    assert_eq!(dates[..3], [2024.0, 2.0, 3.0]);
    assert_eq!(dates[..5], dates[5..10]);
    assert!(dates[10..].iter().all(|x| x.is_nan()));
    assert_eq!(inputs[2].to_f32()[..3], [1.0; 3]);
    let gradus::data::Values::Text { names, codes } = inputs[3].values() else {
        panic!("a category is a text");
    };
    let zips: Vec<&str> = codes.iter().map(|&code| &*names[code as usize]).collect();
    assert_eq!(zips, ["53111", "53111", "53111", ""]);
    let wrong = RawTable::new("request", vec![("price".into(), vec![text("many")])]);
    let mut one = schema.clone();
    one.features.truncate(1);
    let error = one.rows(&wrong, false).unwrap_err().to_string();
    assert!(
        error.starts_with("request, column `price`, row 0: found `many`"),
        "{error}"
    );
}
