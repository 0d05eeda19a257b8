//! An image seen through a matrix: each pixel is taken from somewhere else.

use super::Image;
use serde::{Deserialize, Serialize};

/// What is seen beyond the edge of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillMode {
    /// One and the same number: `k k | a b c | k k`.
    Constant,
    /// The pixel at the edge: `a a | a b c | c c`.
    Nearest,
    /// The image in a mirror: `b a | a b c | c b`.
    Reflect,
    /// The image again: `b c | a b c | a b`.
    Wrap,
}

/// What a place between pixels is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// The four pixels around it, by how near they are.
    Bilinear,
}

impl FillMode {
    /// The place along an axis of `length` that stands for any place.
    fn place(self, at: i64, length: usize) -> Option<usize> {
        let last = length as i64 - 1;
        if (0..=last).contains(&at) {
            return Some(at as usize);
        }
        match self {
            FillMode::Constant => None,
            FillMode::Nearest => Some(at.clamp(0, last) as usize),
            FillMode::Wrap => Some(at.rem_euclid(last + 1) as usize),
            FillMode::Reflect => {
                let at = at.rem_euclid(2 * (last + 1));
                Some(at.min(2 * last + 1 - at) as usize)
            }
        }
    }
}

/// Where each pixel comes from: column and row x, y from
/// (`x[0]` x + `x[1]` y + `x[2]`, `y[0]` x + `y[1]` y + `y[2]`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matrix {
    pub x: [f32; 3],
    pub y: [f32; 3],
}

impl Matrix {
    /// The image moves down and to the right by so many pixels.
    pub fn translation(down: f32, right: f32) -> Self {
        Matrix {
            x: [1.0, 0.0, -right],
            y: [0.0, 1.0, -down],
        }
    }

    /// The image turns counterclockwise by so many degrees.
    pub fn rotation(degrees: f32, image: &Image) -> Self {
        let angle = degrees * (std::f64::consts::PI / 180.0) as f32;
        let (cx, cy) = image.centre();
        let (cos, sin) = (angle.cos(), angle.sin());
        Matrix {
            x: [cos, -sin, cx - cx * cos - cy * -sin],
            y: [sin, cos, cy - cx * sin - cy * cos],
        }
    }

    /// So many times the height and the width are seen.
    pub fn zoom(height: f32, width: f32, image: &Image) -> Self {
        let (cx, cy) = image.centre();
        Matrix {
            x: [width, 0.0, cx * (1.0 - width)],
            y: [0.0, height, cy * (1.0 - height)],
        }
    }

    /// Where the pixels of a row come from, by their columns.
    #[inline(always)]
    fn row(&self, row: usize) -> impl Fn(usize) -> (f32, f32) + use<> {
        let row = row as f32;
        let (x, y) = (self.x, self.y);
        let (x_start, y_start) = (x[1] * row + x[2], y[1] * row + y[2]);
        move |column| {
            let column = column as f32;
            (x[0] * column + x_start, y[0] * column + y_start)
        }
    }
}

impl Image {
    /// The column and the row of its middle.
    fn centre(&self) -> (f32, f32) {
        let middle = |length: usize| (length as f32 - 1.0) / 2.0;
        (middle(self.width), middle(self.height))
    }
}

/// How what lies between and beyond the pixels is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resample {
    pub fill_mode: FillMode,
    pub interpolation: Interpolation,
    pub fill_value: f32,
}

/// A place between pixels: the whole one before it, and how far it is from there.
#[inline(always)]
fn split(at: f32) -> (f32, f32) {
    let whole = at.floor();
    (whole, at - whole)
}

/// The shares of the four pixels around a place, row by row.
#[inline(always)]
fn shares(x: f32, y: f32) -> [f32; 4] {
    [(1.0 - y) * (1.0 - x), (1.0 - y) * x, y * (1.0 - x), y * x]
}

impl Resample {
    /// The pixels that one is made of with their shares, and the share of the
    /// number beyond the edge.
    fn parts(&self, image: &Image, x: f32, y: f32) -> ([(usize, f32); 4], f32) {
        let (down, right, _) = image.steps();
        let mut parts = [(0, 0.0); 4];
        let mut beyond = 0.0;
        let mut part = |n: usize, x: i64, y: i64, share: f32| {
            let x = self.fill_mode.place(x, image.width);
            let y = self.fill_mode.place(y, image.height);
            match (x, y) {
                (Some(x), Some(y)) => parts[n] = (y * down + x * right, share),
                _ => beyond += share,
            }
        };
        match self.interpolation {
            Interpolation::Nearest => part(0, x.round() as i64, y.round() as i64, 1.0),
            Interpolation::Bilinear => {
                let ((left, x), (top, y)) = (split(x), split(y));
                for (n, share) in shares(x, y).into_iter().enumerate() {
                    let (right, below) = ((n % 2) as i64, (n / 2) as i64);
                    let (x, y) = (left as i64, top as i64);
                    part(n, x.saturating_add(right), y.saturating_add(below), share);
                }
            }
        }
        (parts, beyond)
    }

    /// y is x seen through the matrix.
    #[inline(always)]
    pub fn image(&self, image: &Image, matrix: &Matrix, x: &[f32], y: &mut [f32]) {
        let (down, right, deep) = image.steps();
        let between = self.interpolation == Interpolation::Bilinear;
        let (last_x, last_y) = (image.width as f32 - 1.0, image.height as f32 - 1.0);
        for row in 0..image.height {
            let from = matrix.row(row);
            for column in 0..image.width {
                let (at_x, at_y) = from(column);
                let to = row * down + column * right;
                let within = at_x >= 0.0 && at_y >= 0.0 && at_x < last_x && at_y < last_y;
                if between && within {
                    let ((left, share_x), (top, share_y)) = (split(at_x), split(at_y));
                    let at = top as usize * down + left as usize * right;
                    let shares = shares(share_x, share_y);
                    for channel in 0..image.channels {
                        let at = at + channel * deep;
                        y[to + channel * deep] = shares[0] * x[at]
                            + shares[1] * x[at + right]
                            + shares[2] * x[at + down]
                            + shares[3] * x[at + down + right];
                    }
                    continue;
                }
                let (parts, beyond) = self.parts(image, at_x, at_y);
                for channel in 0..image.channels {
                    let made = parts.iter().filter(|part| part.1 != 0.0);
                    let made = made.map(|&(at, share)| share * x[at + channel * deep]);
                    y[to + channel * deep] = made.sum::<f32>() + beyond * self.fill_value;
                }
            }
        }
    }

    /// dx gathers what each pixel has given to those of dy.
    pub fn gradient(&self, image: &Image, matrix: &Matrix, dy: &[f32], dx: &mut [f32]) {
        let (down, right, deep) = image.steps();
        dx.fill(0.0);
        for row in 0..image.height {
            let from = matrix.row(row);
            for column in 0..image.width {
                let (at_x, at_y) = from(column);
                let (parts, _) = self.parts(image, at_x, at_y);
                for channel in 0..image.channels {
                    let dy = dy[row * down + column * right + channel * deep];
                    for (at, share) in parts {
                        dx[at + channel * deep] += share * dy;
                    }
                }
            }
        }
    }
}
