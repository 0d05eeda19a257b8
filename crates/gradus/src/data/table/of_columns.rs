//! Tables made in a program, of columns of its own.

use super::{Cells, Column, Kind, Reading, Table};
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};

impl Table {
    /// A table of columns: each a name and its cells, such as a `Vec` of numbers, truths or texts;
    /// of `Option`s where cells may be missing. Whole numbers of 64 bits are no `f64`s without loss:
    /// `numbers.iter().map(|&n| n as f64).collect::<Vec<_>>()`.
    ///
    /// An error without columns, for columns of different lengths, and for two of one name.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let rooms: Vec<f64> = (0..80).map(|i| f64::from(i % 7)).collect();
    /// let price: Vec<f64> = rooms.iter().map(|rooms| 100.0 + 30.0 * rooms).collect();
    /// let place: Vec<&str> = (0..80).map(|i| ["inland", "bay"][i % 2]).collect();
    /// let houses = Table::from_columns([
    ///     ("rooms", rooms.into()),
    ///     ("place", place.into()),
    ///     ("price", price.into()),
    /// ])?;
    ///
    /// let data = DataConfig::of(TableOptions::new().target("price"))
    ///     .validation(HoldOut::fraction(0.2, SplitBy::Shuffle));
    /// let rows = data.load_table(&houses, 42)?;
    /// let recipe = Recipe::of_table(rows.train_rows()).hidden(&[30]);
    /// let mut model = recipe.model_of(&rows, &data.columns)?;
    /// model.fit(&rows.train, Fit::recipe(&recipe, 3).validation_data(rows.validation.unwrap()))?;
    ///
    /// let new = Table::from_columns([
    ///     ("rooms", vec![Some(3.0), None].into()), // the second is not known
    ///     ("place", vec!["bay", "inland"].into()),
    /// ])?;
    /// let scored = model.score(&new)?;
    /// let prices = scored.numbers("price")?;
    /// assert_eq!(prices.len(), 2);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn from_columns<N: Into<String>>(
        columns: impl IntoIterator<Item = (N, Cells)>,
    ) -> Result<Self> {
        let mut made: Vec<Column> = Vec::new();
        let mut names = HashSet::new();
        for (name, cells) in columns {
            let name = name.into();
            if !names.insert(name.clone()) {
                return Err(Error::invalid(&name, "two columns of this name", "one"));
            }
            if let Some(first) = made.first()
                && first.cells.len() != cells.len()
            {
                let expected = format!("{} as in `{}`", first.cells.len(), first.name);
                let found = format!("{} rows", cells.len());
                return Err(Error::invalid(&name, found, expected));
            }
            made.push(Column {
                name,
                cells,
                reading: Reading::default(),
            });
        }
        let Some(first) = made.first() else {
            return Err(Error::invalid("table", "no columns", "at least one"));
        };
        Ok(Table {
            name: "table".to_owned(),
            rows: first.cells.len(),
            columns: made,
            note: None,
        })
    }
}

impl Cells {
    /// Texts, some of them missing.
    fn texts<T: AsRef<str>>(texts: impl ExactSizeIterator<Item = Option<T>>) -> Self {
        let mut codes_of: HashMap<String, u32> = HashMap::new();
        let Cells::Category {
            mut names,
            mut codes,
        } = Cells::new(Kind::Category, texts.len())
        else {
            unreachable!("a category's cells are texts");
        };
        for text in texts {
            codes.push(text.map(|text| {
                let text = text.as_ref();
                *codes_of.entry(text.to_owned()).or_insert_with(|| {
                    names.push(text.to_owned());
                    names.len() as u32 - 1
                })
            }));
        }
        Cells::Category { names, codes }
    }
}

/// Cells from numbers that are `f64`s without loss.
macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl From<Vec<$number>> for Cells {
            fn from(cells: Vec<$number>) -> Self {
                Cells::Number(cells.into_iter().map(f64::from).collect())
            }
        }

        impl From<Vec<Option<$number>>> for Cells {
            fn from(cells: Vec<Option<$number>>) -> Self {
                let number = |cell: Option<$number>| cell.map_or(f64::NAN, f64::from);
                Cells::Number(cells.into_iter().map(number).collect())
            }
        }
    )+};
}

numbers!(f64, f32, i32, u32, i16, u16, i8, u8);

impl From<Vec<bool>> for Cells {
    fn from(cells: Vec<bool>) -> Self {
        Cells::Boolean(cells.into_iter().map(f32::from).collect())
    }
}

impl From<Vec<Option<bool>>> for Cells {
    fn from(cells: Vec<Option<bool>>) -> Self {
        let truth = |cell: Option<bool>| cell.map_or(f32::NAN, f32::from);
        Cells::Boolean(cells.into_iter().map(truth).collect())
    }
}

impl From<Vec<&str>> for Cells {
    fn from(cells: Vec<&str>) -> Self {
        Cells::texts(cells.into_iter().map(Some))
    }
}

impl From<Vec<String>> for Cells {
    fn from(cells: Vec<String>) -> Self {
        Cells::texts(cells.into_iter().map(Some))
    }
}

impl From<Vec<Option<&str>>> for Cells {
    fn from(cells: Vec<Option<&str>>) -> Self {
        Cells::texts(cells.into_iter())
    }
}

impl From<Vec<Option<String>>> for Cells {
    fn from(cells: Vec<Option<String>>) -> Self {
        Cells::texts(cells.into_iter())
    }
}
