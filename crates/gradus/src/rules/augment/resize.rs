//! Resizing of a picture: each pixel is a weighted sum of neighbours in some rows of another
//! picture, with weights computed once.

use super::Image;
use crate::base::random::Key;
use serde::{Deserialize, Serialize};

/// The interpolation of a resized picture.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Resampling {
    /// The four pixels around it, weighted by distance.
    #[default]
    Bilinear,
    /// The nearest pixel.
    Nearest,
    /// The sixteen pixels around it: Keys' cubic kernel.
    Bicubic,
    /// Pixels up to three away: the Lanczos kernel.
    Lanczos3,
    /// Pixels up to five away.
    Lanczos5,
}

impl Resampling {
    /// Radius of its kernel.
    fn radius(self) -> f64 {
        match self {
            Resampling::Nearest => 0.0,
            Resampling::Bilinear => 1.0,
            Resampling::Bicubic => 2.0,
            Resampling::Lanczos3 => 3.0,
            Resampling::Lanczos5 => 5.0,
        }
    }

    /// The weight of a pixel at this distance, which is 0 or more.
    fn weight(self, x: f64) -> f64 {
        match self {
            Resampling::Nearest => 1.0,
            Resampling::Bilinear => (1.0 - x).max(0.0),
            Resampling::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Resampling::Bicubic if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Resampling::Bicubic => 0.0,
            Resampling::Lanczos3 | Resampling::Lanczos5 => {
                let (radius, angle) = (self.radius(), std::f64::consts::PI * x);
                match x {
                    // As in JAX and TensorFlow.
                    ..=1e-3 => 1.0,
                    x if x > radius => 0.0,
                    _ => radius * angle.sin() * (angle / radius).sin() / (angle * angle),
                }
            }
        }
    }
}

/// A range of a picture's axis, which may extend beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First pixel.
    pub start: isize,
    /// Number of pixels.
    pub length: usize,
}

/// The sources of an axis' pixels: some neighbours each.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// First neighbour of each pixel.
    first: Vec<u32>,
    /// Weights of the neighbours, pixel by pixel. They add up to less than 1 at the edge of a
    /// padded picture.
    shares: Vec<f32>,
    /// Neighbours per pixel.
    each: usize,
    /// Limit of a random shift of all neighbours, in pixels.
    room: usize,
}

impl Axis {
    /// Resizes a range of `size` pixels to `to` pixels; `smooth` widens the kernel when pixels get
    /// closer together.
    pub fn new(part: Part, size: usize, to: usize, by: Resampling, smooth: bool) -> Self {
        let scale = part.length as f64 / to as f64;
        let wide = if smooth { scale.max(1.0) } else { 1.0 };
        let neighbours = |pixel: usize| -> (isize, Vec<f64>) {
            if part.length == to {
                return (pixel as isize, vec![1.0]);
            }
            if by == Resampling::Nearest {
                // In Keras' float32, which decides between equally near pixels.
                let at = (pixel as f32 + 0.5) * part.length as f32 / to as f32;
                return ((at as usize).min(part.length - 1) as isize, vec![1.0]);
            }
            let (at, radius) = ((pixel as f64 + 0.5) * scale - 0.5, by.radius() * wide);
            let start = (at - radius).ceil().max(0.0) as usize;
            let end = ((at + radius).floor() as usize).min(part.length - 1);
            let weight = |neighbour: usize| by.weight((at - neighbour as f64).abs() / wide);
            let weights: Vec<f64> = (start..=end).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            (start as isize, weights.iter().map(|w| w / sum).collect())
        };
        let inside = |(start, shares): (isize, Vec<f64>)| {
            let start = start + part.start;
            let numbered = (start..).zip(shares);
            let inside = numbered.filter(|(at, _)| (0..size as isize).contains(at));
            let shares: Vec<f32> = inside.map(|(_, share)| share as f32).collect();
            (start.clamp(0, size as isize - 1) as usize, shares)
        };
        let pixels: Vec<_> = (0..to).map(|pixel| inside(neighbours(pixel))).collect();
        let each = pixels.iter().map(|(_, shares)| shares.len()).max();
        let each = each.unwrap_or(0).max(1);
        let mut axis = Axis {
            first: Vec::with_capacity(to),
            shares: vec![0.0; to * each],
            each,
            room: 0,
        };
        for (pixel, (start, shares)) in pixels.into_iter().enumerate() {
            let first = start.min(size - each);
            let from = pixel * each + (start - first);
            axis.first.push(first as u32);
            axis.shares[from..from + shares.len()].copy_from_slice(&shares);
        }
        axis
    }

    /// `to` of `size` pixels, unscaled, beginning anywhere.
    pub fn anywhere(size: usize, to: usize) -> Self {
        let part = Part {
            start: 0,
            length: to,
        };
        Axis {
            room: size - to,
            ..Axis::new(part, size, to, Resampling::Nearest, false)
        }
    }

    /// The weight of each of `size` pixels, for each pixel: a matrix of a row for each.
    pub fn matrix(&self, size: usize) -> Vec<f32> {
        let mut matrix = vec![0.0; self.first.len() * size];
        for (pixel, &first) in self.first.iter().enumerate() {
            let from = pixel * size + first as usize;
            matrix[from..from + self.each].copy_from_slice(self.shares(pixel));
        }
        matrix
    }

    fn shares(&self, pixel: usize) -> &[f32] {
        &self.shares[pixel * self.each..(pixel + 1) * self.each]
    }

    fn drawn(&self, share: f32) -> usize {
        ((share * (self.room + 1) as f32) as usize).min(self.room)
    }
}

/// The resizing of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Resize {
    pub from: Image,
    pub to: Image,
    pub rows: Axis,
    pub columns: Axis,
    /// Value beyond the edge.
    pub fill: f32,
}

impl Resize {
    /// The shift in rows and columns that a key draws for all pictures of a batch.
    pub fn draw(&self, key: Key) -> [usize; 2] {
        self.draw_by(|n| key.uniform::<f32>(n))
    }

    /// The draws from numbers from 0 to 1.
    pub fn draw_by(&self, number: impl Fn(u32) -> f32) -> [usize; 2] {
        [self.rows.drawn(number(0)), self.columns.drawn(number(1))]
    }

    /// Calls `f` for each pixel with its index, that of its first neighbour, and the neighbours'
    /// weights by rows and by columns.
    #[inline(always)]
    fn each(&self, moved: [usize; 2], mut f: impl FnMut(usize, usize, &[f32], &[f32])) {
        let (down, right, _) = self.from.steps();
        let (to_down, to_right, _) = self.to.steps();
        for (row, &first) in self.rows.first.iter().enumerate() {
            let above = (first as usize + moved[0]) * down;
            for (column, &first) in self.columns.first.iter().enumerate() {
                let from = above + (first as usize + moved[1]) * right;
                let (rows, columns) = (self.rows.shares(row), self.columns.shares(column));
                f(row * to_down + column * to_right, from, rows, columns);
            }
        }
    }

    /// y is the resized x.
    #[inline(always)]
    pub fn image(&self, moved: [usize; 2], x: &[f32], y: &mut [f32]) {
        let (down, right, deep) = self.from.steps();
        let (_, _, to_deep) = self.to.steps();
        self.each(moved, |to, from, rows, columns| {
            let beyond = match self.fill {
                0.0 => 0.0,
                fill => fill * (1.0 - rows.iter().sum::<f32>() * columns.iter().sum::<f32>()),
            };
            for channel in 0..self.to.channels {
                let mut sum = beyond;
                for (row, by_row) in rows.iter().enumerate() {
                    let start = from + row * down + channel * deep;
                    let mut along = 0.0;
                    for (column, share) in columns.iter().enumerate() {
                        along += share * x[start + column * right];
                    }
                    sum += by_row * along;
                }
                y[to + channel * to_deep] = sum;
            }
        });
    }

    /// dx collects each pixel's share of dy.
    #[inline(always)]
    pub fn gradient(&self, moved: [usize; 2], dy: &[f32], dx: &mut [f32]) {
        let (down, right, deep) = self.from.steps();
        let (_, _, to_deep) = self.to.steps();
        dx.fill(0.0);
        self.each(moved, |to, from, rows, columns| {
            for channel in 0..self.to.channels {
                let dy = dy[to + channel * to_deep];
                for (row, by_row) in rows.iter().enumerate() {
                    let start = from + row * down + channel * deep;
                    for (column, share) in columns.iter().enumerate() {
                        dx[start + column * right] += by_row * share * dy;
                    }
                }
            }
        });
    }
}
