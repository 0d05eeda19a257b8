//! Augmentation: a random layer's effect on an image, given its draws.
//!
//! Draws are a function of the step's key and the row alone. Both engines call [`Augment::image`]
//! and [`Augment::gradient`], row by row.

mod erase;
mod resample;
mod resize;

use crate::base::random::Key;
pub use erase::{Boxed, Fill};
pub use resample::{FillMode, Interpolation, Matrix, Resample};
pub use resize::{Axis, Part, Resampling, Resize};

/// The layout of an image in a row of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// True if each channel is a plane of its own; otherwise a pixel's channels are contiguous.
    pub channels_first: bool,
}

impl Image {
    /// Number of elements.
    pub fn size(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Strides from a pixel to the one below, to the next one, and to its next channel.
    fn steps(&self) -> (usize, usize, usize) {
        match self.channels_first {
            true => (self.width, 1, self.height * self.width),
            false => (self.width * self.channels, self.channels, 1),
        }
    }
}

/// The numbers from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub low: f32,
    pub high: f32,
}

impl Range {
    /// Interpolates between the ends by a share from 0 to 1.
    fn at(self, share: f32) -> f32 {
        self.low + share * (self.high - self.low)
    }

    fn cut(self, x: f32) -> f32 {
        x.max(self.low).min(self.high)
    }

    /// True if `cut` leaves the value unchanged.
    fn inside(self, x: f32) -> bool {
        self.low < x && x < self.high
    }
}

/// A random change of each image by itself. All draws are uniform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Augment {
    /// Flips every image with probability ½, in one direction or in both.
    Flip { horizontal: bool, vertical: bool },
    /// Shifts the picture by these shares of its height and width.
    Translation {
        height: Range,
        width: Range,
        by: Resample,
    },
    /// Rotates the picture about its centre by these shares of a turn.
    Rotation { turns: Range, by: Resample },
    /// Enlarges the visible area by these shares: above 0 zooms out. Without a width, both are
    /// equal.
    Zoom {
        height: Range,
        width: Option<Range>,
        by: Resample,
    },
    /// Multiplies the deviations from each channel's mean.
    Contrast { factor: Range, values: Range },
    /// Adds a share of the value range.
    Brightness { share: Range, values: Range },
    /// Erases a rectangle, with a probability that is itself drawn.
    Erasing {
        probability: Range,
        /// The squares of the sides' shares of the image's sides.
        scale: Range,
        fill: Fill,
        values: Range,
    },
}

/// The draws for an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drawn {
    /// No change.
    Same,
    /// A flip.
    Flipped,
    /// A map from each pixel to its source position.
    Warp(Matrix),
    /// The factor or summand.
    Number(f32),
    /// The erased rectangle.
    Erased(Boxed),
}

/// Draws per image, at most.
const DRAWS: usize = 8;

impl Augment {
    /// True if the gradient needs the augmented image.
    pub fn gradient_needs_output(&self) -> bool {
        matches!(self, Augment::Contrast { .. } | Augment::Brightness { .. })
    }

    /// The draws of a key for a row of the batch.
    pub fn draw(&self, image: &Image, key: Key, row: usize) -> Drawn {
        self.draw_by(image, |n| key.uniform::<f32>((row * DRAWS + n) as u32))
    }

    /// The draws from numbers from 0 to 1.
    pub fn draw_by(&self, image: &Image, number: impl Fn(usize) -> f32) -> Drawn {
        match *self {
            Augment::Flip { .. } => match number(0) <= 0.5 {
                true => Drawn::Flipped,
                false => Drawn::Same,
            },
            Augment::Translation { height, width, .. } => {
                let down = height.at(number(0)) * image.height as f32;
                let right = width.at(number(1)) * image.width as f32;
                Drawn::Warp(Matrix::translation(down, right))
            }
            Augment::Rotation { turns, .. } => {
                Drawn::Warp(Matrix::rotation(turns.at(number(0)) * 360.0, image))
            }
            Augment::Zoom { height, width, .. } => {
                let height = 1.0 + height.at(number(0));
                let width = width.map_or(height, |width| 1.0 + width.at(number(1)));
                Drawn::Warp(Matrix::zoom(height, width, image))
            }
            Augment::Contrast { factor, .. } => Drawn::Number(factor.at(number(0))),
            Augment::Brightness { share, values } => {
                Drawn::Number(share.at(number(0)) * (values.high - values.low))
            }
            Augment::Erasing {
                probability, scale, ..
            } => {
                if number(0) >= probability.at(number(1)) {
                    return Drawn::Same;
                }
                let side = |at: usize, length: usize| {
                    let side = scale.at(number(at)).sqrt() * length as f32;
                    let start = number(at + 1) * (length as f32 - side);
                    (start, start + side)
                };
                Drawn::Erased(Boxed {
                    columns: side(2, image.width),
                    rows: side(4, image.height),
                })
            }
        }
    }

    /// Augments an image that is a row of the batch.
    #[inline(always)]
    pub fn image(&self, image: &Image, key: Key, row: usize, x: &[f32], y: &mut [f32]) {
        self.drawn(image, self.draw(image, key, row), (key, row), x, y);
    }

    /// Augments an image by its draws.
    #[inline(always)]
    pub fn drawn(
        &self,
        image: &Image,
        drawn: Drawn,
        noise: (Key, usize),
        x: &[f32],
        y: &mut [f32],
    ) {
        match (*self, drawn) {
            (Augment::Flip { .. }, Drawn::Flipped) => self.flip(image, x, y),
            (
                Augment::Translation { by, .. }
                | Augment::Rotation { by, .. }
                | Augment::Zoom { by, .. },
                Drawn::Warp(matrix),
            ) => by.image(image, &matrix, x, y),
            (Augment::Contrast { values, .. }, Drawn::Number(factor)) => {
                by_channel(image, |channel, step| {
                    let mean = mean(image, x, channel.clone(), step);
                    for i in channel.step_by(step) {
                        y[i] = values.cut((x[i] - mean) * factor + mean);
                    }
                });
            }
            (Augment::Brightness { values, .. }, Drawn::Number(more)) => {
                for (y, x) in y.iter_mut().zip(x) {
                    *y = values.cut(x + more);
                }
            }
            (Augment::Erasing { fill, values, .. }, Drawn::Erased(at)) => {
                y.copy_from_slice(x);
                at.erase(image, fill, values, noise, y);
            }
            _ => y.copy_from_slice(x),
        }
    }

    /// The gradient by the image; `y` is the augmented image, if needed.
    #[inline(always)]
    pub fn gradient(
        &self,
        image: &Image,
        (key, row): (Key, usize),
        y: &[f32],
        dy: &[f32],
        dx: &mut [f32],
    ) {
        match (*self, self.draw(image, key, row)) {
            // A flip is its own inverse.
            (Augment::Flip { .. }, Drawn::Flipped) => self.flip(image, dy, dx),
            (
                Augment::Translation { by, .. }
                | Augment::Rotation { by, .. }
                | Augment::Zoom { by, .. },
                Drawn::Warp(matrix),
            ) => by.gradient(image, &matrix, dy, dx),
            (Augment::Contrast { values, .. }, Drawn::Number(factor)) => {
                for ((dx, dy), &y) in dx.iter_mut().zip(dy).zip(y) {
                    *dx = if values.inside(y) { *dy } else { 0.0 };
                }
                by_channel(image, |channel, step| {
                    let mean = mean(image, dx, channel.clone(), step);
                    for i in channel.step_by(step) {
                        dx[i] = (dx[i] - mean) * factor + mean;
                    }
                });
            }
            (Augment::Brightness { values, .. }, Drawn::Number(_)) => {
                for ((dx, dy), &y) in dx.iter_mut().zip(dy).zip(y) {
                    *dx = if values.inside(y) { *dy } else { 0.0 };
                }
            }
            (Augment::Erasing { .. }, Drawn::Erased(at)) => {
                dx.copy_from_slice(dy);
                at.clear(image, dx);
            }
            _ => dx.copy_from_slice(dy),
        }
    }

    #[inline(always)]
    fn flip(&self, image: &Image, x: &[f32], y: &mut [f32]) {
        let Augment::Flip {
            horizontal,
            vertical,
        } = *self
        else {
            return;
        };
        let (down, right, deep) = image.steps();
        for row in 0..image.height {
            let from = if vertical {
                image.height - 1 - row
            } else {
                row
            };
            for column in 0..image.width {
                let beside = if horizontal {
                    image.width - 1 - column
                } else {
                    column
                };
                let (to, from) = (row * down + column * right, from * down + beside * right);
                for channel in 0..image.channels {
                    y[to + channel * deep] = x[from + channel * deep];
                }
            }
        }
    }
}

/// Calls `f` for each channel with the range of its elements and their stride.
fn by_channel(image: &Image, mut f: impl FnMut(std::ops::Range<usize>, usize)) {
    let pixels = image.height * image.width;
    for channel in 0..image.channels {
        match image.channels_first {
            true => f(channel * pixels..(channel + 1) * pixels, 1),
            false => f(channel..image.size(), image.channels),
        }
    }
}

fn mean(image: &Image, x: &[f32], channel: std::ops::Range<usize>, step: usize) -> f32 {
    let sum: f64 = channel.step_by(step).map(|i| f64::from(x[i])).sum();
    (sum / (image.height * image.width) as f64) as f32
}
