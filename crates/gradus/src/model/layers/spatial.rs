//! Sequences and images: their axes, and numbers for each of these.

use super::{Call, DataFormat};
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Limit of the pixels that a window takes or goes on by, above any honest one's.
const MOST: usize = 1 << 21;

/// A number for each axis: of a sequence one, of an image one for its rows and one for its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OneOrEach", into = "Vec<usize>")]
pub struct PerAxis<const RANK: usize>(pub [usize; RANK]);

/// One number for all axes, or one for each.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a whole number, or a list of them")]
enum OneOrEach {
    One(usize),
    Each(Vec<usize>),
}

impl<const RANK: usize> TryFrom<OneOrEach> for PerAxis<RANK> {
    type Error = String;

    fn try_from(given: OneOrEach) -> std::result::Result<Self, String> {
        match given {
            OneOrEach::One(number) => Ok(number.into()),
            OneOrEach::Each(numbers) => match numbers.try_into() {
                Ok(numbers) => Ok(PerAxis(numbers)),
                Err(_) => Err(format!("expected a whole number, or a list of {RANK}")),
            },
        }
    }
}

impl<const RANK: usize> From<PerAxis<RANK>> for Vec<usize> {
    fn from(numbers: PerAxis<RANK>) -> Self {
        numbers.0.to_vec()
    }
}

impl<const RANK: usize> From<usize> for PerAxis<RANK> {
    fn from(number: usize) -> Self {
        PerAxis([number; RANK])
    }
}

impl<const RANK: usize> From<[usize; RANK]> for PerAxis<RANK> {
    fn from(numbers: [usize; RANK]) -> Self {
        PerAxis(numbers)
    }
}

impl<const RANK: usize> Default for PerAxis<RANK> {
    /// 1 for each axis.
    fn default() -> Self {
        1.into()
    }
}

impl<const RANK: usize> JsonSchema for PerAxis<RANK> {
    fn schema_name() -> Cow<'static, str> {
        format!("PerAxis{RANK}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let number = generator.subschema_for::<usize>();
        json_schema!({ "anyOf": [
            number,
            { "type": "array", "items": number, "minItems": RANK, "maxItems": RANK },
        ] })
    }
}

impl<const RANK: usize> PerAxis<RANK> {
    /// Refuses a number of the argument `name` that is below `least`, or far too large.
    pub(super) fn check(self, name: &str, least: usize) -> Result<()> {
        match self.0.iter().all(|number| (least..=MOST).contains(number)) {
            true => Ok(()),
            false => {
                let expected = format!("whole numbers from {least} to {MOST}");
                Err(Error::invalid(name, format!("{:?}", self.0), expected))
            }
        }
    }

    /// The largest of the numbers.
    pub(super) fn largest(self) -> usize {
        self.0.into_iter().max().unwrap_or(0)
    }
}

/// The sizes of a sequence or an image in each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid<const RANK: usize> {
    /// Steps of a sequence; rows and columns of an image.
    pub axes: [usize; RANK],
    /// Channels of each step or pixel.
    pub channels: usize,
}

/// The word for the rows of that rank.
pub(super) fn noun(rank: usize) -> &'static str {
    match rank {
        1 => "sequences",
        _ => "images",
    }
}

impl<const RANK: usize> Grid<RANK> {
    /// The sizes of rows of that shape.
    pub fn of(shape: &Shape, format: DataFormat) -> Result<Self> {
        let last = format == DataFormat::ChannelsLast;
        let axes = match (RANK, last) {
            (1, true) => "(steps, channels)",
            (1, false) => "(channels, steps)",
            (_, true) => "(height, width, channels)",
            (_, false) => "(channels, height, width)",
        };
        let expected = format!("{}, {axes}", noun(RANK));
        let dims = shape.dims();
        if dims.len() == RANK {
            let mut whole = dims.to_vec();
            whole.insert(if last { RANK } else { 0 }, 1);
            let expected = format!("{expected}: put a Reshape to {whole:?} before it");
            return Err(Error::shape("", shape, expected));
        }
        let (axes, channels) = match (dims, last) {
            ([axes @ .., channels], true) | ([channels, axes @ ..], false) => (axes, *channels),
            _ => return Err(Error::shape("", shape, expected)),
        };
        match axes.try_into() {
            Ok(axes) => Ok(Grid { axes, channels }),
            Err(_) => Err(Error::shape("", shape, expected)),
        }
    }

    /// The shape of such rows.
    pub fn shape(self, format: DataFormat) -> Shape {
        let mut dims = self.axes.to_vec();
        let last = format == DataFormat::ChannelsLast;
        dims.insert(if last { RANK } else { 0 }, self.channels);
        dims.into()
    }

    /// Rows and columns: a sequence is an image of one row.
    pub fn sides(self) -> [usize; 2] {
        rows_and_columns(self.axes, 1)
    }
}

/// Something of the rows and of the columns of an image; of a sequence, that has one row alone,
/// `one`.
pub(super) fn rows_and_columns<T: Copy, const RANK: usize>(axes: [T; RANK], one: T) -> [T; 2] {
    match axes[..] {
        [rows, columns] => [rows, columns],
        [columns] => [one, columns],
        _ => [one; 2],
    }
}

/// The result of `f` for the call's only input with its channels last, back in the input's own
/// order of axes. Shapes for which it has none were refused by shape inference.
pub(super) fn channels_last<const RANK: usize>(
    plan: &mut Lowering,
    call: &Call<'_>,
    format: DataFormat,
    f: impl FnOnce(&mut Lowering, &Value, Grid<RANK>) -> Result<Value>,
) -> Value {
    let x = &call.inputs[0];
    let y = Grid::of(&x.shape, format).and_then(|grid| match format {
        DataFormat::ChannelsLast => f(plan, x, grid),
        DataFormat::ChannelsFirst => {
            let order: Vec<usize> = (1..=RANK).chain([0]).collect();
            let turned = plan.permute(x, &order);
            let y = f(plan, &turned, grid)?;
            let last = y.shape.rank() - 1;
            let order: Vec<usize> = [last].into_iter().chain(0..last).collect();
            Ok(plan.permute(&y, &order))
        }
    });
    y.unwrap_or_else(|_| x.clone())
}
