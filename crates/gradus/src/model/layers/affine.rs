//! Affine layers: those that in inference only scale and shift each number.

use super::axes::dims_of;
use crate::base::shape::Shape;

/// Scale and offset of each number of a row, in the row's order: y = scale · x + offset.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Affine {
    pub scale: Vec<f64>,
    pub offset: Vec<f64>,
}

impl Affine {
    /// One pair for each place along these axes of a row of that shape, as a layer's weights have
    /// them.
    pub fn along(axes: &[usize], shape: &Shape, scale: &[f64], offset: &[f64]) -> Self {
        let kept = dims_of(axes, shape);
        let dims = shape.dims();
        // The place of each number of the row among those of the axes.
        let place = |mut number: usize| {
            let (mut place, mut step) = (0, 1);
            let mut kept = axes.iter().zip(&kept).rev().peekable();
            for (axis, &dim) in dims.iter().enumerate().rev() {
                let index = number % dim.max(1);
                number /= dim.max(1);
                if let Some((_, &size)) = kept.next_if(|(kept, _)| **kept == axis) {
                    place += index * step;
                    step *= size;
                }
            }
            place
        };
        let all = (0..shape.size()).map(place);
        // One number is for all places.
        let get = |numbers: &[f64], place: usize| match numbers {
            [one] => *one,
            many => many[place],
        };
        let (scale, offset) = all
            .map(|place| (get(scale, place), get(offset, place)))
            .unzip();
        Affine { scale, offset }
    }

    /// The pairs of the last axis, if they are the same along all others.
    pub fn of_last_axis(&self, width: usize) -> Option<(&[f64], &[f64])> {
        let same = |all: &[f64]| {
            let first = all.get(..width);
            first.is_some_and(|first| all.chunks(width).all(|row| row == first))
        };
        (width > 0 && same(&self.scale) && same(&self.offset))
            .then(|| (&self.scale[..width], &self.offset[..width]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_along_their_axes() {
        let shape = Shape::new([2, 3]);
        let of =
            |axes: &[usize], numbers: &[f64]| Affine::along(axes, &shape, numbers, numbers).scale;
        assert_eq!(of(&[1], &[1.0, 2.0, 3.0]), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        assert_eq!(of(&[0], &[1.0, 2.0]), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
        let each = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(of(&[0, 1], &each), each);
        assert_eq!(of(&[], &[7.0]), [7.0; 6]);
        let by_row = Affine::along(&[0], &shape, &[1.0, 2.0], &[0.0]);
        assert_eq!(by_row.of_last_axis(3), None);
        let by_column = Affine::along(&[1], &shape, &[1.0, 2.0, 3.0], &[0.0]);
        assert_eq!(by_column.of_last_axis(3).unwrap().0, [1.0, 2.0, 3.0]);
    }
}
