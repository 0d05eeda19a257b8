//! Tables of Arrow record batches.

use super::typed::{Cell, Head, Making};
use super::{Kind, ReadTable, Table, Tabular};
use crate::error::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, TimeUnit};

/// Cells converted at a time.
const AT_ONCE: usize = 1 << 16;
const NAME: &str = "record batches";

impl Tabular for [RecordBatch] {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn to_table(&self, options: &ReadTable) -> Result<Table> {
        let Some(first) = self.first() else {
            return Err(Error::file(NAME, "there is none"));
        };
        let mut making = Making::new(NAME, heads(first.schema_ref()), options)?;
        for (n, batch) in self.iter().enumerate() {
            if !same(batch.schema_ref(), first.schema_ref()) {
                let problem = format!("batch {n} has other columns than batch 0");
                return Err(Error::file(NAME, problem));
            }
            add(&mut making, batch, 0)?;
        }
        making.table()
    }
}

impl Tabular for Vec<RecordBatch> {
    fn name(&self) -> String {
        self.as_slice().name()
    }

    fn to_table(&self, options: &ReadTable) -> Result<Table> {
        self.as_slice().to_table(options)
    }
}

impl Tabular for RecordBatch {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn to_table(&self, options: &ReadTable) -> Result<Table> {
        std::slice::from_ref(self).to_table(options)
    }
}

/// True if columns have the same names and types; other properties, such as nullability, may differ
/// between batches.
fn same(a: &Schema, b: &Schema) -> bool {
    let of = |schema: &Schema| -> Vec<(String, DataType)> {
        let fields = schema.fields().iter();
        let of = fields.map(|field| (field.name().clone(), field.data_type().clone()));
        of.collect()
    };
    of(a) == of(b)
}

/// The columns of a schema.
pub(super) fn heads(schema: &Schema) -> Vec<Head> {
    let fields = schema.fields().iter().map(|field| Head {
        name: field.name().clone(),
        kind: kind(field.data_type()),
        called: field.data_type().to_string(),
    });
    fields.collect()
}

/// Adds the rows of a batch; `before` is the number of rows in earlier, completed blocks.
pub(super) fn add(making: &mut Making, batch: &RecordBatch, before: usize) -> Result<()> {
    for (n, column) in batch.columns().iter().enumerate() {
        add_column(making, n, column.as_ref(), before)?;
    }
    Ok(())
}

/// Adds the cells of one column.
pub(super) fn add_column(
    making: &mut Making,
    column: usize,
    array: &dyn Array,
    before: usize,
) -> Result<()> {
    if !making.is_read(column) {
        return add_missing(making, column, array.len());
    }
    for start in (0..array.len()).step_by(AT_ONCE) {
        let part = array.slice(start, AT_ONCE.min(array.len() - start));
        let cells = cells(part.as_ref())
            .ok_or_else(|| Error::Internal(format!("{} has no cells", part.data_type())))?;
        making.add(column, before, cells)?;
    }
    Ok(())
}

/// Adds missing cells.
pub(super) fn add_missing(making: &mut Making, column: usize, cells: usize) -> Result<()> {
    making.add(column, 0, std::iter::repeat_n(Cell::Missing, cells))
}

/// The column type for a foreign type, if there is one.
fn kind(of: &DataType) -> Option<Kind> {
    use DataType as D;
    match of {
        D::Int8 | D::Int16 | D::Int32 | D::Int64 => Some(Kind::Number),
        D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64 => Some(Kind::Number),
        D::Float16 | D::Float32 | D::Float64 => Some(Kind::Number),
        D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) => Some(Kind::Number),
        // Like an empty column of a CSV file.
        D::Null => Some(Kind::Number),
        D::Boolean => Some(Kind::Boolean),
        D::Date32 => Some(Kind::Date),
        D::Date64 | D::Timestamp(..) => Some(Kind::DateTime),
        D::Utf8 | D::LargeUtf8 | D::Utf8View => Some(Kind::Category),
        D::Dictionary(_, of) if !matches!(**of, D::Dictionary(..)) => kind(of),
        _ => None,
    }
}

/// The cells of an array of a supported type.
fn cells(array: &dyn Array) -> Option<Vec<Cell<'_>>> {
    use DataType as D;
    let times = |micros: i64| move |time: i64| Cell::Time(time.saturating_mul(micros));
    match array.data_type() {
        D::Null => Some(vec![Cell::Missing; array.len()]),
        D::Boolean => {
            let all = array.as_boolean_opt()?.iter();
            Some(
                all.map(|x| x.map_or(Cell::Missing, Cell::Boolean))
                    .collect(),
            )
        }
        D::Int8 => primitive::<Int8Type>(array, |n| Cell::Whole(n.into())),
        D::Int16 => primitive::<Int16Type>(array, |n| Cell::Whole(n.into())),
        D::Int32 => primitive::<Int32Type>(array, |n| Cell::Whole(n.into())),
        D::Int64 => primitive::<Int64Type>(array, |n| Cell::Whole(n.into())),
        D::UInt8 => primitive::<UInt8Type>(array, |n| Cell::Whole(n.into())),
        D::UInt16 => primitive::<UInt16Type>(array, |n| Cell::Whole(n.into())),
        D::UInt32 => primitive::<UInt32Type>(array, |n| Cell::Whole(n.into())),
        D::UInt64 => primitive::<UInt64Type>(array, |n| Cell::Whole(n.into())),
        D::Float16 => primitive::<Float16Type>(array, |x| Cell::Single(x.into())),
        D::Float32 => primitive::<Float32Type>(array, Cell::Single),
        D::Float64 => primitive::<Float64Type>(array, Cell::Double),
        D::Decimal32(_, scale) => {
            primitive::<Decimal32Type>(array, |n| Cell::Decimal(n.into(), *scale))
        }
        D::Decimal64(_, scale) => {
            primitive::<Decimal64Type>(array, |n| Cell::Decimal(n.into(), *scale))
        }
        D::Decimal128(_, scale) => primitive::<Decimal128Type>(array, |n| Cell::Decimal(n, *scale)),
        D::Date32 => primitive::<Date32Type>(array, |day| Cell::Date(day.into())),
        D::Date64 => primitive::<Date64Type>(array, times(1_000)),
        D::Timestamp(unit, _) => match unit {
            TimeUnit::Second => primitive::<TimestampSecondType>(array, times(1_000_000)),
            TimeUnit::Millisecond => primitive::<TimestampMillisecondType>(array, times(1_000)),
            TimeUnit::Microsecond => primitive::<TimestampMicrosecondType>(array, times(1)),
            TimeUnit::Nanosecond => {
                let micros = |time: i64| Cell::Time(time.div_euclid(1_000));
                primitive::<TimestampNanosecondType>(array, micros)
            }
        },
        D::Utf8 => Some(texts(array.as_string_opt::<i32>()?.iter())),
        D::LargeUtf8 => Some(texts(array.as_string_opt::<i64>()?.iter())),
        D::Utf8View => Some(texts(array.as_string_view_opt()?.iter())),
        D::Dictionary(..) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let values = cells(dictionary.values().as_ref())?;
            let keys = cells(dictionary.keys())?.into_iter();
            let value = |key| match key {
                // Arrow guarantees that valid codes have a value.
                Cell::Whole(n) => usize::try_from(n).ok().and_then(|n| values.get(n).copied()),
                _ => None,
            };
            Some(
                keys.map(|key| value(key).unwrap_or(Cell::Missing))
                    .collect(),
            )
        }
        _ => None,
    }
}

fn primitive<T: ArrowPrimitiveType>(
    array: &dyn Array,
    cell: impl Fn(T::Native) -> Cell<'static>,
) -> Option<Vec<Cell<'_>>> {
    let all = array.as_primitive_opt::<T>()?.iter();
    Some(all.map(|x| x.map_or(Cell::Missing, &cell)).collect())
}

fn texts<'a>(all: impl Iterator<Item = Option<&'a str>>) -> Vec<Cell<'a>> {
    all.map(|text| text.map_or(Cell::Missing, Cell::Text))
        .collect()
}
