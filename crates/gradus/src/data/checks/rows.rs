//! The checks' view of a run: its rows, column by column.

use super::finding::Where;
use crate::data::classes;
use crate::data::dataset::Dataset;
use crate::data::run_data::RunData;
use crate::data::schema::{DATETIME_PARTS, LeftOut, Schema};
use crate::data::stream::Data;
use crate::data::table::{Kind, Table};
use crate::data::tensor::{Tensor, Values};
use std::collections::BTreeSet;

/// Values in the sample in which suspicious columns are searched.
const SAMPLED: usize = 1 << 22;
/// Rows in the sample, at most.
const MOST_SAMPLED: usize = 4096;
/// Rows with more elements are not treated as columns.
const MOST_COLUMNS: usize = 4096;
/// Rows in which a suspicious column is confirmed.
const MOST_ROWS: usize = 1 << 20;

/// The rows of a run.
pub(super) struct Rows<'a> {
    pub train: &'a Dataset,
    /// The held-out rows, with their use.
    pub held_out: Vec<(&'static str, &'a Dataset)>,
    /// The parts of that which are an end of the source.
    pub ends: &'a [&'static str],
    /// Columns of a table that were left out already.
    pub left_out: &'a [LeftOut],
    /// Every number or text of a row that means something by itself, unlike pixels.
    pub columns: Vec<Column<'a>>,
    pub targets: Vec<Target>,
    /// The schema, if the rows are a table's.
    pub schema: Option<&'a Schema>,
}

/// One column of the training rows.
pub(super) struct Column<'a> {
    pub place: Where,
    cells: Values<'a>,
    size: usize,
    offset: usize,
}

/// A target.
pub(super) struct Target {
    pub place: Where,
    pub what: What,
}

/// A target's values in the training rows.
pub(super) enum What {
    /// Class codes below `count`.
    Classes { of_rows: Vec<u32>, count: usize },
    /// Numbers.
    Numbers(Vec<f32>),
    /// Several numbers per row, or others.
    Other,
}

impl<'a> Rows<'a> {
    /// The rows of a run, if they are in memory.
    pub fn of(run: &'a RunData, of_classes: &[bool]) -> Option<Self> {
        let Data::Memory(train) = &run.train else {
            return None;
        };
        let schema = run.schema();
        let parts = [("validation", &run.validation), ("test", &run.test)];
        let held_out = parts.into_iter().filter_map(|(what, part)| match part {
            Some(Data::Memory(data)) => Some((what, data)),
            _ => None,
        });
        let targets = train.targets().iter().enumerate();
        let targets = targets.map(|(n, tensor)| Target {
            place: match schema.and_then(|schema| schema.targets.get(n)) {
                Some(target) => at_column(train.name(), &target.name),
                None => Where::of(tensor.name()),
            },
            what: what(tensor, of_classes.get(n).copied().unwrap_or(false)),
        });
        Some(Rows {
            train,
            held_out: held_out.collect(),
            ends: &run.facts.ends,
            left_out: &run.facts.left_out,
            columns: columns(train, schema),
            targets: targets.collect(),
            schema,
        })
    }

    /// True if the rows are a table's, whose columns have names.
    pub fn is_table(&self) -> bool {
        self.schema.is_some()
    }

    /// Evenly spread rows, enough to find suspicious columns.
    pub fn sample(&self) -> Vec<usize> {
        let most = SAMPLED / self.columns.len().max(1);
        spread(self.train.rows(), most.clamp(256, MOST_SAMPLED))
    }

    /// All rows, or enough of them to be sure.
    pub fn all(&self) -> Vec<usize> {
        spread(self.train.rows(), MOST_ROWS)
    }

    /// A row's location: the line of a table's file, or the row number.
    pub fn row(&self, data: &Dataset, row: usize) -> Where {
        let row = data.inputs()[0].source_row(row);
        Where {
            line: match self.is_table() {
                true => Table::line_of_row(data.name(), row),
                false => None,
            },
            row: Some(row),
            ..Where::of(data.name())
        }
    }

    /// Advice for leaving a column out.
    pub fn way_out(&self, column: &Where) -> String {
        match (&column.column, self.is_table()) {
            (Some(name), true) => format!("leave it out: `exclude = [{name:?}]`"),
            _ => "leave it out of the array".into(),
        }
    }
}

impl Column<'_> {
    /// The value in this row; `None` if it is missing or a text.
    pub fn number(&self, row: usize) -> Option<f64> {
        let place = row * self.size + self.offset;
        let number = match self.cells {
            Values::U8(all) => f64::from(all[place]),
            Values::F32(all) => f64::from(all[place]),
            Values::F64(all) => all[place],
            Values::Text { .. } => return None,
        };
        (!number.is_nan()).then_some(number)
    }

    /// A code of the cell, equal for equal cells.
    pub fn code(&self, row: usize) -> u64 {
        let place = row * self.size + self.offset;
        match self.cells {
            Values::U8(all) => all[place].into(),
            // Both zeros are equal.
            Values::F32(all) => (f64::from(all[place]) + 0.0).to_bits(),
            Values::F64(all) => (all[place] + 0.0).to_bits(),
            Values::Text { codes, .. } => codes[place].into(),
        }
    }

    /// Its dictionary, if it is a column of texts.
    pub fn texts(&self) -> Option<&[String]> {
        match self.cells {
            Values::Text { names, .. } => Some(names),
            _ => None,
        }
    }
}

/// At most `most` rows, evenly spread.
pub(super) fn spread(rows: usize, most: usize) -> Vec<usize> {
    (0..rows).step_by(rows.div_ceil(most).max(1)).collect()
}

fn at_column(source: &str, column: &str) -> Where {
    Where {
        column: Some(column.to_owned()),
        ..Where::of(source)
    }
}

fn columns<'a>(train: &'a Dataset, schema: Option<&Schema>) -> Vec<Column<'a>> {
    let mut columns = Vec::new();
    for (n, tensor) in train.inputs().iter().enumerate() {
        let feature = schema.and_then(|schema| schema.features.get(n));
        // In pictures, and in rows as long, no element means something by itself.
        if tensor.shape().rank() > 1 || tensor.size() > MOST_COLUMNS {
            continue;
        }
        for offset in 0..tensor.size() {
            let place = match feature {
                Some(feature) if matches!(feature.kind, Kind::Date | Kind::DateTime) => {
                    // A date's parts come as the first features of the tensor.
                    let part = DATETIME_PARTS.get(offset).copied().unwrap_or_default();
                    at_column(train.name(), &format!("{} ({part})", feature.name))
                }
                Some(feature) => at_column(train.name(), &feature.name),
                None => at_column(tensor.name(), &offset.to_string()),
            };
            columns.push(Column {
                place,
                cells: tensor.values(),
                size: tensor.size(),
                offset,
            });
        }
    }
    columns
}

fn what(tensor: &Tensor, of_classes: bool) -> What {
    if of_classes {
        // Invalid labels are reported by training itself.
        return match classes::codes(tensor) {
            Ok(of_rows) => What::Classes {
                count: of_rows.iter().collect::<BTreeSet<_>>().len(),
                of_rows,
            },
            Err(_) => What::Other,
        };
    }
    match tensor.size() {
        1 => What::Numbers(tensor.to_f32()),
        _ => What::Other,
    }
}
