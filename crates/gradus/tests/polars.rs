//! Tests of polars' frames (the feature `polars`): the same rows as a CSV file give the same table.

use gradus::data::{Cells, DataConfig, Kind, ReadTable, Table, TableOptions};
use gradus::prelude::*;
use polars_core::prelude::*;

fn frame(rows: i32) -> DataFrame {
    let each = || 0..rows;
    let gap = |n: i32, every: i32| n % every != every - 1;
    let house: Vec<i64> = each().map(|n| (1 << 60) + i64::from(n)).collect();
    let rooms: Vec<Option<f64>> = each()
        .map(|n| gap(n, 7).then_some(f64::from(n) / 2.0))
        .collect();
    let new: Vec<Option<bool>> = each().map(|n| gap(n, 3).then_some(n % 2 == 0)).collect();
    let built: Vec<Option<i32>> = each().map(|n| gap(n, 4).then_some(n - 5)).collect();
    let seen: Vec<i64> = each().map(|n| i64::from(n) * 43_200_000_000 - 1).collect();
    let place: Vec<Option<&str>> = each()
        .map(|n| gap(n, 5).then_some(["bay", "inland"][n as usize % 2]))
        .collect();
    let area: Vec<Option<i32>> = each().map(|n| gap(n, 6).then_some(n)).collect();
    let price: Vec<f32> = each().map(|n| (n % 9) as f32 * 50.0).collect();
    let datetime = DataType::Datetime(TimeUnit::Microseconds, None);
    let categories = DataType::from_categories(Categories::global());
    let columns = [
        Series::new("house".into(), house),
        Series::new("rooms".into(), rooms),
        Series::new("new".into(), new),
        Series::new("built".into(), built)
            .cast(&DataType::Date)
            .unwrap(),
        Series::new("seen".into(), seen).cast(&datetime).unwrap(),
        Series::new("place".into(), place)
            .cast(&categories)
            .unwrap(),
        Series::new("area".into(), area)
            .cast(&DataType::Decimal(9, 2))
            .unwrap(),
        Series::new("price".into(), price),
    ];
    DataFrame::new_infer_height(columns.into_iter().map(Column::from).collect()).unwrap()
}

#[test]
fn a_frame_is_the_table_that_its_texts_are() {
    let all = frame(40);
    let table = Table::read(&all, &ReadTable::default()).unwrap();
    let kinds: Vec<Kind> = table.columns.iter().map(|c| c.cells.kind()).collect();
    use Kind::*;
    assert_eq!(
        kinds,
        [
            Number, Number, Boolean, Date, DateTime, Category, Number, Number
        ]
    );
    let cells = |name: &str| &table.columns.iter().find(|c| c.name == name).unwrap().cells;
    let Cells::DateTime(seen) = cells("seen") else {
        panic!()
    };
    assert_eq!(seen[..2], [Some(-1), Some(43_199_999_999)]);
    let Cells::Date(built) = cells("built") else {
        panic!()
    };
    assert_eq!(built[..4], [Some(-5), Some(-4), Some(-3), None]);
    let Cells::Category { names, codes } = cells("place") else {
        panic!()
    };
    assert_eq!((names.join(" ").as_str(), codes[4]), ("bay inland", None));
    let Cells::Number(area) = cells("area") else {
        panic!()
    };
    assert!(area[4] == 4.0 && area[5].is_nan());
    let Cells::Boolean(new) = cells("new") else {
        panic!()
    };
    assert!(new[0] == 1.0 && new[1] == 0.0 && new[2].is_nan());
    // Several chunks, and a slice.
    let mut twice = all.slice(0, 15);
    twice.vstack_mut(&all.slice(15, 25)).unwrap();
    let twice = Table::read(&twice, &ReadTable::default()).unwrap();
    assert_eq!(format!("{twice:?}"), format!("{table:?}"));
}

#[test]
fn training_and_scoring_take_frames_and_give_frames() {
    let data = DataConfig::of(TableOptions::new().target("price").id("house"));
    let rows = data.load_table(frame(60), 1).unwrap();
    let recipe = Recipe::default_dnn(&[8]);
    let mut model = recipe.model_of(&rows, &data.columns).unwrap();
    model
        .fit(&rows.train, Fit::recipe(&recipe, 2).validation_split(0.2))
        .unwrap();
    let scored = model.score(frame(10).drop("price").unwrap()).unwrap();
    let out = scored.to_frame().unwrap();
    assert_eq!(out.shape(), (10, 2));
    let id = out.column("house").unwrap().get(3).unwrap().to_string();
    assert!(id.contains(&((1_i64 << 60) + 3).to_string()), "{id}");
    // The same rows as a table.
    let table = Table::read(frame(10), &data.columns.read_table(&[])).unwrap();
    assert_eq!(model.score(&table).unwrap(), scored);
    let error = model
        .score(frame(3).drop("place").unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("frame: has no column `place`"), "{error}");
}

#[test]
fn what_no_cell_holds_is_refused() {
    let lists = Series::new("tags".into(), [Series::new("".into(), [1_i32])]);
    let frame = DataFrame::new_infer_height(vec![lists.into()]).unwrap();
    let error = Table::read(&frame, &ReadTable::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("column `tags` is of type list"), "{error}");
    let empty = Table::read(DataFrame::empty(), &ReadTable::default()).unwrap_err();
    assert!(empty.to_string().contains("no columns"), "{empty}");
}
