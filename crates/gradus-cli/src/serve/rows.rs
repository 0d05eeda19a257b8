//! Rows of a table in JSON: objects with a value for each column.

use gradus::data::{RawCell, RawTable, Schema};
use gradus::{Error, Result};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::HashMap;
use std::fmt;

/// The name of the rows in messages.
pub const NAME: &str = "rows of the request";

/// Cells of a request, those that rows do not give included: an empty row costs as much memory.
const MOST_CELLS: usize = 20_000_000;

/// The columns that rows may have.
pub struct Columns {
    /// Those that are kept: features, then ids.
    kept: Vec<String>,
    features: usize,
    /// The place of each name among those that are kept; `None` for a column that the model does
    /// not look at, such as a target.
    places: HashMap<String, Option<usize>>,
    /// All names, for messages.
    known: Vec<String>,
}

impl Columns {
    /// The columns of a model's tables.
    pub fn new(schema: &Schema) -> Self {
        let features = schema.features.iter().map(|feature| &feature.name);
        let kept: Vec<String> = features.chain(&schema.ids).cloned().collect();
        let known: Vec<String> = schema.columns().map(str::to_owned).collect();
        let mut places: HashMap<_, _> = known.iter().map(|name| (name.clone(), None)).collect();
        let named = kept.iter().enumerate();
        places.extend(named.map(|(place, name)| (name.clone(), Some(place))));
        Columns {
            kept,
            features: schema.features.len(),
            places,
            known,
        }
    }

    /// True if there is a column of that name.
    pub fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The place of a column, `None` if it is not looked at; an error if there is none of that name.
    pub fn place(&self, at: &str, name: &str) -> Result<Option<usize>> {
        let known = || self.known.iter().map(String::as_str);
        let place = self.places.get(name).copied();
        place.ok_or_else(|| Error::unknown(at, "column", name, known()))
    }
}

/// Cells of rows, column by column.
pub struct Cells<'a> {
    columns: &'a Columns,
    cells: Vec<Vec<RawCell>>,
    /// The number of the last row, from 1, that gave a column.
    given: Vec<usize>,
    rows: usize,
    most: usize,
}

impl<'a> Cells<'a> {
    /// No rows yet, and at most so many.
    pub fn new(columns: &'a Columns, most: usize) -> Self {
        let width = columns.kept.len();
        Cells {
            columns,
            cells: vec![Vec::new(); width],
            given: vec![0; width],
            rows: 0,
            most: most.min(MOST_CELLS / width.max(1)),
        }
    }

    /// Begins a row, of which nothing is known yet.
    pub fn begin(&mut self) -> Result<()> {
        check_rows(self.rows + 1, self.most)?;
        self.rows += 1;
        self.cells
            .iter_mut()
            .for_each(|cells| cells.push(RawCell::Missing));
        Ok(())
    }

    /// Reads a column of the last row.
    pub fn read<'de, A: MapAccess<'de>>(
        &mut self,
        column: &str,
        row: &mut A,
    ) -> Result<(), A::Error> {
        let at = || format!("rows[{}]", self.rows.saturating_sub(1));
        let Some(place) = self.columns.place(&at(), column).map_err(custom)? else {
            return row.next_value::<IgnoredAny>().map(drop);
        };
        if self.given[place] == self.rows {
            let found = format!("`{column}` twice");
            return Err(custom(Error::invalid(&at(), found, "each column once")));
        }
        self.given[place] = self.rows;
        let Value(cell) = row.next_value()?;
        if let Some(last) = self.cells[place].last_mut() {
            *last = cell;
        }
        Ok(())
    }

    /// Sets a whole column. An error if it has other rows than the columns before it.
    pub fn set(&mut self, column: &str, cells: Vec<RawCell>) -> Result<()> {
        check_rows(cells.len(), self.most)?;
        if self.rows == 0 {
            for cells_of in &mut self.cells {
                cells_of.resize(cells.len(), RawCell::Missing);
            }
            self.rows = cells.len();
        }
        if cells.len() != self.rows {
            let found = format!("{} rows in `{column}`", cells.len());
            let expected = format!("{}, as in the input before it", self.rows);
            return Err(Error::invalid("inputs", found, expected));
        }
        if let Some(place) = self.columns.place("inputs", column)? {
            self.cells[place] = cells;
        }
        Ok(())
    }

    /// The rows as a table: all features, and the ids that a row has. An error without rows.
    pub fn table(self) -> Result<RawTable> {
        if self.rows == 0 {
            return Err(Error::invalid("rows", "no rows", "at least one"));
        }
        let features = self.columns.features;
        let named = self.columns.kept.iter().cloned().zip(self.cells);
        let there = |(place, (_, cells)): &(usize, (String, Vec<RawCell>))| {
            *place < features || cells.iter().any(|cell| *cell != RawCell::Missing)
        };
        let columns = named.enumerate().filter(there).map(|(_, column)| column);
        Ok(RawTable::new(NAME, columns.collect()))
    }
}

/// Refuses more rows than the server takes.
pub fn check_rows(rows: usize, most: usize) -> Result<()> {
    match rows > most {
        true => {
            let expected = format!("at most {most}, by the server's --max-rows and columns");
            Err(Error::invalid("rows", "more rows", expected))
        }
        false => Ok(()),
    }
}

/// An error in the words of the JSON reader, which adds the place in the text.
pub fn custom<E: serde::de::Error>(error: Error) -> E {
    E::custom(error)
}

/// A list of rows.
pub struct RowList<'a, 'b>(pub &'a mut Cells<'b>);

impl<'de> DeserializeSeed<'de> for RowList<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowList<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows, each an object with a value for each column")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Row(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

/// A row.
struct Row<'a, 'b>(&'a mut Cells<'b>);

impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row: an object with a value for each column")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        self.0.begin().map_err(custom)?;
        while let Some(name) = row.next_key::<String>()? {
            self.0.read(&name, &mut row)?;
        }
        Ok(())
    }
}

/// A cell's value.
struct Value(RawCell);

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ValueVisitor).map(Value)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = RawCell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, true, false or null")
    }

    fn visit_unit<E>(self) -> Result<RawCell, E> {
        Ok(RawCell::Missing)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<RawCell, E> {
        Ok(RawCell::Boolean(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<RawCell, E> {
        Ok(RawCell::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<RawCell, E> {
        Ok(i64::try_from(number).map_or(RawCell::Number(number as f64), RawCell::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<RawCell, E> {
        Ok(RawCell::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<RawCell, E> {
        Ok(RawCell::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<RawCell, E> {
        Ok(RawCell::Text(text))
    }
}
