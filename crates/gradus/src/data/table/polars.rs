//! Tables of polars' frames.

use super::typed::{Cell, Head, Making};
use super::{Kind, ReadTable, Table, Tabular};
use crate::error::Result;
use polars_core::prelude::{AnyValue, DataFrame, DataType, TimeUnit};

impl Tabular for DataFrame {
    fn name(&self) -> String {
        "frame".to_owned()
    }

    fn to_table(&self, options: &ReadTable) -> Result<Table> {
        let heads = self.columns().iter().map(|column| Head {
            name: column.name().to_string(),
            kind: kind(column.dtype()),
            called: column.dtype().to_string(),
        });
        let mut making = Making::new(&self.name(), heads.collect(), options)?;
        for (n, column) in self.columns().iter().enumerate() {
            match making.is_read(n) {
                true => {
                    let series = column.as_materialized_series();
                    making.add(n, 0, series.iter().map(cell))?;
                }
                false => {
                    let missing = std::iter::repeat_n(Cell::Missing, column.len());
                    making.add(n, 0, missing)?;
                }
            }
        }
        making.table()
    }
}

/// The column type for a foreign type, if there is one.
fn kind(of: &DataType) -> Option<Kind> {
    match of {
        // Like an empty column of a CSV file.
        DataType::Null => Some(Kind::Number),
        // A cell holds a signed number of 128 bits at most.
        DataType::UInt128 => None,
        of if of.is_primitive_numeric() || of.is_decimal() => Some(Kind::Number),
        DataType::Boolean => Some(Kind::Boolean),
        DataType::Date => Some(Kind::Date),
        DataType::Datetime(..) => Some(Kind::DateTime),
        DataType::String | DataType::Categorical(..) | DataType::Enum(..) => Some(Kind::Category),
        _ => None,
    }
}

/// A cell of a column of a supported type.
fn cell(value: AnyValue<'_>) -> Cell<'_> {
    match value {
        AnyValue::Boolean(x) => Cell::Boolean(x),
        AnyValue::UInt8(n) => Cell::Whole(n.into()),
        AnyValue::UInt16(n) => Cell::Whole(n.into()),
        AnyValue::UInt32(n) => Cell::Whole(n.into()),
        AnyValue::UInt64(n) => Cell::Whole(n.into()),
        AnyValue::Int8(n) => Cell::Whole(n.into()),
        AnyValue::Int16(n) => Cell::Whole(n.into()),
        AnyValue::Int32(n) => Cell::Whole(n.into()),
        AnyValue::Int64(n) => Cell::Whole(n.into()),
        AnyValue::Int128(n) => Cell::Whole(n),
        AnyValue::Float16(x) => Cell::Single(x.into()),
        AnyValue::Float32(x) => Cell::Single(x),
        AnyValue::Float64(x) => Cell::Double(x),
        AnyValue::Decimal(n, _, scale) => match i8::try_from(scale) {
            Ok(scale) => Cell::Decimal(n, scale),
            Err(_) => Cell::Double(n as f64 / 10_f64.powi(scale as i32)),
        },
        AnyValue::Date(day) => Cell::Date(day.into()),
        AnyValue::Datetime(time, unit, _) => Cell::Time(micros(time, unit)),
        AnyValue::DatetimeOwned(time, unit, _) => Cell::Time(micros(time, unit)),
        AnyValue::String(text) => Cell::Text(text),
        AnyValue::Categorical(code, names) | AnyValue::Enum(code, names) => {
            names.cat_to_str(code).map_or(Cell::Missing, Cell::Text)
        }
        _ => Cell::Missing,
    }
}

/// The microseconds of a time since 1970-01-01.
fn micros(time: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Nanoseconds => time.div_euclid(1_000),
        TimeUnit::Microseconds => time,
        TimeUnit::Milliseconds => time.saturating_mul(1_000),
    }
}
