//! Erasing of a rectangle of an image.

use super::{Image, Range};
use crate::base::random::Key;

/// The values of an erased rectangle, clipped to the value range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// Normal numbers times the largest value, drawn for each element.
    Noise,
    /// One number.
    Number(f32),
    /// One number for each of three channels.
    Channels([f32; 3]),
}

/// A rectangle: first and last row and column, which may be fractional. Pixels on the last are
/// outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Boxed {
    pub rows: (f32, f32),
    pub columns: (f32, f32),
}

impl Boxed {
    /// Calls `f` with the index and the channel of every element inside.
    fn each(self, image: &Image, mut f: impl FnMut(usize, usize)) {
        let (down, right, deep) = image.steps();
        let whole = |(from, to): (f32, f32), length: usize| {
            let end = |x: f32| (x.ceil().max(0.0) as usize).min(length);
            end(from)..end(to)
        };
        for row in whole(self.rows, image.height) {
            for column in whole(self.columns, image.width) {
                for channel in 0..image.channels {
                    f(row * down + column * right + channel * deep, channel);
                }
            }
        }
    }

    /// Overwrites the elements inside.
    pub fn erase(
        self,
        image: &Image,
        fill: Fill,
        values: Range,
        (key, row): (Key, usize),
        y: &mut [f32],
    ) {
        let (key, start) = (key.beside(), row * image.size());
        self.each(image, |at, channel| {
            y[at] = values.cut(match fill {
                Fill::Noise => key.normal::<f32>((start + at) as u32) * values.high,
                Fill::Number(number) => number,
                Fill::Channels(numbers) => numbers[channel % 3],
            });
        });
    }

    /// Passes no gradient inside.
    pub fn clear(self, image: &Image, dx: &mut [f32]) {
        self.each(image, |at, _| dx[at] = 0.0);
    }
}
