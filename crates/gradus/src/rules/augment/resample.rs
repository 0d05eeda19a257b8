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

/// Pixels whose places are worked out together.
const TOGETHER: usize = 16;

/// No image has as many rows or columns: a sum of a whole number below it with it
/// has that number in the bits of its fraction.
const EXACT: u32 = 1 << 23;

/// What some pixels are made of: four others each, and their shares.
struct Parts {
    at: [[u32; TOGETHER]; 4],
    shares: [[f32; TOGETHER]; 4],
}

/// A place on an axis: the two pixels that it is made of, and their shares.
///
/// `pixel` gives the pixel that stands for one anywhere; with `CONSTANT` one that is
/// beyond the edge has no share.
#[inline(always)]
fn on_axis<const CONSTANT: bool>(
    x: f32,
    between: bool,
    pixel: impl Fn(f32) -> f32,
) -> ([u32; 2], [f32; 2]) {
    let (first, share) = match between {
        true => (x.floor(), x - x.floor()),
        // Halves go away from 0.
        false => {
            let whole = x.trunc();
            let more = if (x - whole).abs() < 0.5 {
                0.0
            } else {
                1_f32.copysign(x)
            };
            (whole + more, 0.0)
        }
    };
    let side = |at: f32, share: f32| {
        let pixel = pixel(at);
        let share = if CONSTANT && pixel != at { 0.0 } else { share };
        let bits = (pixel + EXACT as f32).to_bits();
        (bits & (EXACT - 1), share)
    };
    let (a, b) = (side(first, 1.0 - share), side(first + 1.0, share));
    ([a.0, b.0], [a.1, b.1])
}

impl Resample {
    /// Calls `f` for each pixel with where it is, and the places and shares of the
    /// pixels that it is made of.
    #[inline(always)]
    fn each(&self, image: &Image, matrix: &Matrix, f: impl FnMut(usize, [usize; 4], [f32; 4])) {
        match self.fill_mode {
            FillMode::Constant => {
                let pixel = |at: f32, length: f32| at.max(0.0).min(length - 1.0);
                self.walk::<true>(image, matrix, pixel, f);
            }
            FillMode::Nearest => {
                let pixel = |at: f32, length: f32| at.max(0.0).min(length - 1.0);
                self.walk::<false>(image, matrix, pixel, f);
            }
            FillMode::Wrap => {
                let pixel = |at: f32, length: f32| at - length * (at / length).floor();
                self.walk::<false>(image, matrix, pixel, f);
            }
            FillMode::Reflect => {
                let pixel = |at: f32, length: f32| {
                    let twice = 2.0 * length;
                    let at = at - twice * (at / twice).floor();
                    at.min(twice - 1.0 - at)
                };
                self.walk::<false>(image, matrix, pixel, f);
            }
        }
    }

    #[inline(always)]
    fn walk<const CONSTANT: bool>(
        &self,
        image: &Image,
        matrix: &Matrix,
        pixel: impl Fn(f32, f32) -> f32,
        mut f: impl FnMut(usize, [usize; 4], [f32; 4]),
    ) {
        let (down, right, _) = image.steps();
        let (height, width) = (image.height as f32, image.width as f32);
        let between = self.interpolation == Interpolation::Bilinear;
        let mut parts = Parts {
            at: [[0; TOGETHER]; 4],
            shares: [[0.0; TOGETHER]; 4],
        };
        for row in 0..image.height {
            let from = matrix.row(row);
            for start in (0..image.width).step_by(TOGETHER) {
                // No branches: a processor takes several in one instruction.
                for i in 0..TOGETHER {
                    let (x, y) = from(start + i);
                    let (x, x_shares) = on_axis::<CONSTANT>(x, between, |at| pixel(at, width));
                    let (y, y_shares) = on_axis::<CONSTANT>(y, between, |at| pixel(at, height));
                    for n in 0..4 {
                        parts.at[n][i] = y[n / 2] * down as u32 + x[n % 2] * right as u32;
                        parts.shares[n][i] = y_shares[n / 2] * x_shares[n % 2];
                    }
                }
                for column in start..image.width.min(start + TOGETHER) {
                    let i = column - start;
                    // Not `map`: it copies each of the lists.
                    let at = std::array::from_fn(|n| parts.at[n][i] as usize);
                    let shares = std::array::from_fn(|n| parts.shares[n][i]);
                    f(row * down + column * right, at, shares);
                }
            }
        }
    }

    /// y is x seen through the matrix.
    #[inline(always)]
    pub fn image(&self, image: &Image, matrix: &Matrix, x: &[f32], y: &mut [f32]) {
        let (_, _, deep) = image.steps();
        let fill = match self.fill_mode {
            FillMode::Constant => self.fill_value,
            _ => 0.0,
        };
        self.each(image, matrix, |to, at, shares| {
            let beyond = 1.0 - (shares[0] + shares[1] + shares[2] + shares[3]);
            for channel in (0..image.channels).map(|channel| channel * deep) {
                y[to + channel] = shares[0] * x[at[0] + channel]
                    + shares[1] * x[at[1] + channel]
                    + shares[2] * x[at[2] + channel]
                    + shares[3] * x[at[3] + channel]
                    + beyond * fill;
            }
        });
    }

    /// dx gathers what each pixel has given to those of dy.
    #[inline(always)]
    pub fn gradient(&self, image: &Image, matrix: &Matrix, dy: &[f32], dx: &mut [f32]) {
        let (_, _, deep) = image.steps();
        dx.fill(0.0);
        self.each(image, matrix, |to, at, shares| {
            for channel in (0..image.channels).map(|channel| channel * deep) {
                for (at, share) in at.iter().zip(shares) {
                    dx[at + channel] += share * dy[to + channel];
                }
            }
        });
    }
}
