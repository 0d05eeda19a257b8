//! Rows of the data as images.

use super::figure::Image;
use crate::data::{Tensor, Values};

/// Rows that are images.
#[derive(Clone, Debug)]
pub struct Pictures {
    tensor: Tensor,
    /// Height, width and channels.
    shape: (usize, usize, usize),
}

/// The pixels of a side from which on an image is drawn smaller, and the fewest of one.
const SIDE: usize = 64;
const SMALLEST: usize = 4;

impl Pictures {
    /// The rows of an input, if they can be images: grey or coloured ones of bytes, or of
    /// numbers if they are `known` to be images.
    pub fn of(tensor: &Tensor, known: bool) -> Option<Self> {
        let shape = match *tensor.shape().dims() {
            [height, width] => (height, width, 1),
            [height, width, channels @ (1 | 3)] => (height, width, channels),
            _ => return None,
        };
        let bytes = matches!(tensor.values(), Values::U8(_));
        let large = shape.0 >= SMALLEST && shape.1 >= SMALLEST;
        ((bytes || known) && large && !tensor.is_text()).then(|| Pictures {
            tensor: tensor.clone(),
            shape,
        })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.tensor.rows()
    }

    /// The image of a row, with words below it: black is the row's lowest value, white the highest.
    pub fn image(&self, row: usize, lines: Vec<String>) -> Image {
        let (height, width, channels) = self.shape;
        let values = self.tensor.slice(row..row + 1).map(|row| row.to_f32());
        let values = values.unwrap_or_default();
        let finite = || values.iter().copied().filter(|x| x.is_finite());
        let low = finite().fold(f32::INFINITY, f32::min);
        let high = finite().fold(f32::NEG_INFINITY, f32::max);
        let step = height.max(width).div_ceil(SIDE).max(1);
        let size = (height.div_ceil(step), width.div_ceil(step));
        let mut pixels = String::with_capacity(size.0 * size.1 * channels * 2);
        for y in (0..height).step_by(step) {
            for x in (0..width).step_by(step) {
                for channel in 0..channels {
                    // The mean of a square of pixels.
                    let place = |y: usize, x: usize| (y * width + x) * channels + channel;
                    let (down, right) = ((y + step).min(height), (x + step).min(width));
                    let square = (y..down).flat_map(|y| (x..right).map(move |x| (y, x)));
                    let square = square.filter_map(|(y, x)| values.get(place(y, x)));
                    let (sum, count) = square.fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
                    let share = (sum / count - low) / (high - low);
                    let byte = (share.clamp(0.0, 1.0) * 255.0) as u8;
                    pixels += &format!("{byte:02x}");
                }
            }
        }
        Image {
            lines,
            size,
            pixels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_image_is_drawn_smaller() {
        let pixels: Vec<u8> = (0..128 * 100)
            .map(|i| if i % 100 < 50 { 10 } else { 210 })
            .collect();
        let tensor = Tensor::from_u8([128, 100], pixels).unwrap();
        let pictures = Pictures::of(&tensor, false).unwrap();
        let image = pictures.image(0, vec!["a".into()]);
        assert_eq!(image.size, (64, 50));
        assert_eq!(image.pixels.len(), 64 * 50 * 2);
        assert!(image.pixels.starts_with("0000"), "{}", image.pixels);
        assert!(image.pixels.ends_with("ffff"), "{}", image.pixels);
    }

    #[test]
    fn sequences_are_no_images() {
        let rows = Tensor::from_f32([10, 3], vec![0.5; 30]).unwrap();
        assert!(Pictures::of(&rows, false).is_none());
        let texts = Tensor::from_texts(&["a", "b"]).unwrap();
        assert!(Pictures::of(&texts, true).is_none());
        let flat = Tensor::from_u8([64], vec![1; 64]).unwrap();
        assert!(Pictures::of(&flat, true).is_none());
    }
}
