//! Pixels at the borders of sequences and images.

use super::spatial::{Grid, PerAxis, rows_and_columns};
use crate::error::Result;
use crate::plan::ops::PadDims;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Pixels before and behind, along each axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Given", into = "Vec<Side>")]
pub struct Margins<const RANK: usize>(pub [[usize; 2]; RANK]);

/// One number for all borders, or what Keras takes for each axis.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a whole number, or a list of them")]
enum Given {
    One(usize),
    Each(Vec<Side>),
}

/// Pixels on either side, or before and behind.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Side {
    Both(usize),
    Each([usize; 2]),
}

impl<const RANK: usize> TryFrom<Given> for Margins<RANK> {
    type Error = String;

    fn try_from(given: Given) -> std::result::Result<Self, String> {
        let sides = match (&given, RANK) {
            (Given::One(number), _) => return Ok((*number).into()),
            (Given::Each(sides), _) => &sides[..],
        };
        let margins = match (sides, RANK) {
            (&[Side::Both(before), Side::Both(behind)], 1) => vec![[before, behind]],
            (_, 1) => return Err("expected a whole number, or a list of two".into()),
            _ => sides.iter().map(|side| side.both()).collect(),
        };
        match margins.try_into() {
            Ok(margins) => Ok(Margins(margins)),
            Err(_) => {
                let each = "each a whole number, or a list of two";
                Err(format!(
                    "expected a whole number, or a list of {RANK}, {each}"
                ))
            }
        }
    }
}

impl Side {
    fn both(self) -> [usize; 2] {
        match self {
            Side::Both(number) => [number; 2],
            Side::Each(numbers) => numbers,
        }
    }
}

impl<const RANK: usize> From<Margins<RANK>> for Vec<Side> {
    fn from(margins: Margins<RANK>) -> Self {
        match &margins.0[..] {
            [sides] => sides.map(Side::Both).to_vec(),
            all => all.iter().copied().map(Side::Each).collect(),
        }
    }
}

impl<const RANK: usize> From<usize> for Margins<RANK> {
    fn from(number: usize) -> Self {
        Margins([[number; 2]; RANK])
    }
}

impl From<[usize; 2]> for Margins<1> {
    fn from(sides: [usize; 2]) -> Self {
        Margins([sides])
    }
}

impl From<[usize; 2]> for Margins<2> {
    fn from(axes: [usize; 2]) -> Self {
        Margins(axes.map(|number| [number; 2]))
    }
}

impl From<[[usize; 2]; 2]> for Margins<2> {
    fn from(sides: [[usize; 2]; 2]) -> Self {
        Margins(sides)
    }
}

impl<const RANK: usize> JsonSchema for Margins<RANK> {
    fn schema_name() -> Cow<'static, str> {
        format!("Margins{RANK}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let number = generator.subschema_for::<usize>();
        let two = json_schema!(
            { "type": "array", "items": number, "minItems": 2, "maxItems": 2 }
        );
        match RANK {
            1 => json_schema!({ "anyOf": [number, two] }),
            _ => json_schema!({ "anyOf": [number, {
                "type": "array",
                "items": { "anyOf": [number, two] },
                "minItems": RANK,
                "maxItems": RANK,
            }] }),
        }
    }
}

impl<const RANK: usize> Margins<RANK> {
    /// Refuses numbers of the argument `name` that are far too large.
    pub(super) fn check(self, name: &str) -> Result<()> {
        let sides = self.0.into_iter().flatten();
        sides
            .into_iter()
            .try_for_each(|side| PerAxis([side]).check(name, 0))
    }

    /// The sum of both sides along each axis.
    pub(super) fn sums(self) -> [usize; RANK] {
        self.0.map(|[before, behind]| before + behind)
    }

    /// The sizes of padding with so many pixels, or of cutting them off.
    pub(super) fn dims(self, from: Grid<RANK>, to: Grid<RANK>, cut: bool) -> PadDims {
        let before = self.0.map(|[before, _]| match cut {
            true => -(before as isize),
            false => before as isize,
        });
        PadDims {
            from: from.sides(),
            to: to.sides(),
            before: rows_and_columns(before, 0),
            channels: from.channels,
        }
    }
}
