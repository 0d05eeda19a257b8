//! Resampling of an image by an affine map: each pixel is taken from a source position.

use super::Image;
use serde::{Deserialize, Serialize};

/// The values beyond the edge of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FillMode {
    /// A constant: `k k | a b c | k k`.
    Constant,
    /// The pixel at the edge: `a a | a b c | c c`.
    Nearest,
    /// The mirrored image: `b a | a b c | c b`.
    Reflect,
    /// The repeated image: `b c | a b c | a b`.
    Wrap,
}

/// The interpolation between pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// The four pixels around it, weighted by distance.
    Bilinear,
}

/// An affine map to source positions: column and row x, y come from (`x[0]` x + `x[1]` y + `x[2]`,
/// `y[0]` x + `y[1]` y + `y[2]`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matrix {
    pub x: [f32; 3],
    pub y: [f32; 3],
}

impl Matrix {
    /// Shifts the image down and to the right by this many pixels.
    pub fn translation(down: f32, right: f32) -> Self {
        Matrix {
            x: [1.0, 0.0, -right],
            y: [0.0, 1.0, -down],
        }
    }

    /// Rotates the image counterclockwise by this many degrees.
    pub fn rotation(degrees: f32, image: &Image) -> Self {
        let angle = degrees * (std::f64::consts::PI / 180.0) as f32;
        let (cx, cy) = image.centre();
        let (cos, sin) = (angle.cos(), angle.sin());
        Matrix {
            x: [cos, -sin, cx - cx * cos - cy * -sin],
            y: [sin, cos, cy - cx * sin - cy * cos],
        }
    }

    /// Makes the visible area this many times as high and wide.
    pub fn zoom(height: f32, width: f32, image: &Image) -> Self {
        let (cx, cy) = image.centre();
        Matrix {
            x: [width, 0.0, cx * (1.0 - width)],
            y: [0.0, height, cy * (1.0 - height)],
        }
    }

    /// The source positions of a row's pixels, by their columns.
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
    /// The column and the row of the centre.
    fn centre(&self) -> (f32, f32) {
        let middle = |length: usize| (length as f32 - 1.0) / 2.0;
        (middle(self.width), middle(self.height))
    }
}

/// The values between and beyond the pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resample {
    pub fill_mode: FillMode,
    pub interpolation: Interpolation,
    pub fill_value: f32,
}

/// Pixels whose source positions are computed together.
const TOGETHER: usize = 16;

/// Above any image's height and width: adding it to a smaller whole number leaves that in the low
/// bits of the fraction.
const EXACT: u32 = 1 << 23;

/// The sources of some pixels: four pixels each, and their weights.
struct Neighbours {
    at: [[u32; TOGETHER]; 4],
    shares: [[f32; TOGETHER]; 4],
}

/// A position on an axis: its two pixels and their weights.
///
/// `pixel` maps an index beyond the edge to a pixel; with `CONSTANT`, one beyond the edge has
/// weight 0.
#[inline(always)]
fn on_axis<const CONSTANT: bool>(
    x: f32,
    between: bool,
    pixel: impl Fn(f32) -> f32,
) -> ([u32; 2], [f32; 2]) {
    let (first, share) = match between {
        true => (x.floor(), x - x.floor()),
        // Halves are rounded away from 0.
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
    /// Calls `f` for each pixel with its index, and the indices and weights of its sources.
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
        let mut parts = Neighbours {
            at: [[0; TOGETHER]; 4],
            shares: [[0.0; TOGETHER]; 4],
        };
        for row in 0..image.height {
            let from = matrix.row(row);
            for start in (0..image.width).step_by(TOGETHER) {
                // Branch-free: the loop becomes vector instructions.
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
                    // Not `map`, which copies each of the arrays.
                    let at = std::array::from_fn(|n| parts.at[n][i] as usize);
                    let shares = std::array::from_fn(|n| parts.shares[n][i]);
                    f(row * down + column * right, at, shares);
                }
            }
        }
    }

    /// y is the resampled x.
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

    /// dx collects each pixel's share of dy.
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
