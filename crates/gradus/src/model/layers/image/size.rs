//! Code shared by the layers that give images another size.

use super::{DataFormat, LONGEST, image};
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::layers::Call;
use crate::plan::lower::{Lowering, Value};
use crate::rules::augment::{Axis, Image, Part, Resampling, Resize};

/// A height and a width.
pub(in crate::model::layers) type Sides = [usize; 2];

/// Operations that bring an image to these sides.
pub(in crate::model::layers) struct Window {
    /// Parts of its height and of its width.
    pub parts: [Part; 2],
    pub by: Resampling,
    pub smooth: bool,
    pub fill: f32,
}

impl Window {
    /// A part of the image, by Keras' usual rule.
    pub fn of(parts: [Part; 2]) -> Self {
        Window {
            parts,
            by: Resampling::Bilinear,
            smooth: false,
            fill: 0.0,
        }
    }

    /// Adds the operation, unless nothing changes.
    pub fn lower(&self, plan: &mut Lowering, x: &Value, from: Image, to: Image) -> Value {
        let [from_sides, to_sides] = [sides(from), sides(to)];
        let whole = |n: usize| self.parts[n] == part(0, from_sides[n]);
        if from_sides == to_sides && whole(0) && whole(1) {
            return x.clone();
        }
        let axis = |n: usize| {
            let (part, by) = (self.parts[n], self.by);
            Axis::new(part, from_sides[n], to_sides[n], by, self.smooth)
        };
        let (rows, columns, fill) = (axis(0), axis(1), self.fill);
        let rule = Resize {
            from,
            to,
            rows,
            columns,
            fill,
        };
        plan.resize(x, &shape_of(to), rule, None)
    }
}

pub(in crate::model::layers) fn part(start: usize, length: usize) -> Part {
    Part {
        start: start as isize,
        length,
    }
}

pub(in crate::model::layers) fn sides(image: Image) -> Sides {
    [image.height, image.width]
}

pub(in crate::model::layers) fn shape_of(of: Image) -> Shape {
    match of.channels_first {
        true => [of.channels, of.height, of.width].into(),
        false => [of.height, of.width, of.channels].into(),
    }
}

/// Refuses impossible sides.
pub(in crate::model::layers) fn check_sides([height, width]: Sides) -> Result<()> {
    for (name, side) in [("height", height), ("width", width)] {
        if !(1..=LONGEST).contains(&side) {
            let expected = format!("a number of pixels from 1 to {LONGEST}");
            return Err(Error::invalid(name, side, expected));
        }
    }
    Ok(())
}

/// The image dimensions of a row, before and after.
fn images(row: &Shape, format: DataFormat, [height, width]: Sides) -> Result<(Image, Image)> {
    let from = image(row, format)?;
    let to = Image {
        height,
        width,
        ..from
    };
    Ok((from, to))
}

/// The shape of a resized row.
pub(in crate::model::layers) fn resized_shape(
    row: &Shape,
    format: DataFormat,
    to: Sides,
) -> Result<Shape> {
    images(row, format, to).map(|(_, to)| shape_of(to))
}

/// Resizes the images of a layer's only input by the operation that `lower` adds. Other shapes were
/// refused by shape inference.
pub(in crate::model::layers) fn resized(
    plan: &mut Lowering,
    call: &Call<'_>,
    format: DataFormat,
    to: Sides,
    lower: impl FnOnce(&mut Lowering, &Value, Image, Image) -> Value,
) -> Value {
    let x = &call.inputs[0];
    match images(&x.shape, format, to) {
        Ok((from, to)) => lower(plan, x, from, to),
        Err(_) => x.clone(),
    }
}

/// The largest centred part with the proportions of `to`: Keras' `smart_resize`.
pub(in crate::model::layers) fn middle([height, width]: Sides, to: Sides) -> [Part; 2] {
    let rows = (width * to[0] / to[1]).clamp(1, height);
    let columns = (height * to[1] / to[0]).clamp(1, width);
    [
        part((height - rows) / 2, rows),
        part((width - columns) / 2, columns),
    ]
}

/// The smallest area around the image with the proportions of `to`, padded evenly on both sides as
/// in Keras.
pub(in crate::model::layers) fn around([height, width]: Sides, to: Sides) -> [Part; 2] {
    let more = [
        (width * to[0] / to[1]).saturating_sub(height) / 2,
        (height * to[1] / to[0]).saturating_sub(width) / 2,
    ];
    let part = |more: usize, side: usize| Part {
        start: -(more as isize),
        length: side + 2 * more,
    };
    [part(more[0], height), part(more[1], width)]
}
