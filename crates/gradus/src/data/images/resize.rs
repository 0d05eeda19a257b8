//! Bringing a picture to a size, as TensorFlow's bilinear `resize` does for Keras: pixel centres at
//! halves, no smoothing when a picture gets smaller. Keras keeps the result as floats; here it is
//! rounded to bytes.

use super::decode::Picture;
use crate::data::pictures::Resize;

/// Writes the picture, resized to height and width, to `out`.
pub(super) fn resize(picture: &Picture, size: [usize; 2], how: Resize, out: &mut [u8]) {
    let whole = Region {
        top: 0,
        left: 0,
        height: picture.height,
        width: picture.width,
    };
    let to = Region {
        top: 0,
        left: 0,
        height: size[0],
        width: size[1],
    };
    match how {
        Resize::Stretch => stretch(picture, &whole, out, size[1], &to),
        Resize::Crop => stretch(picture, &whole.cropped(size), out, size[1], &to),
        Resize::Pad => stretch(picture, &whole, out, size[1], &to.padded(&whole)),
    }
}

/// A rectangle of a picture.
#[derive(Debug, PartialEq)]
struct Region {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

impl Region {
    /// The largest centred rectangle with the proportions of `size`: Keras' `smart_resize`, in its
    /// float32.
    fn cropped(&self, size: [usize; 2]) -> Region {
        let share = |side: usize, to: usize, of: usize| ((side * to) as f32 / of as f32) as usize;
        let height = share(self.width, size[0], size[1]).min(self.height).max(1);
        let width = share(self.height, size[1], size[0]).min(self.width).max(1);
        Region {
            top: (self.height - height) / 2,
            left: (self.width - width) / 2,
            height,
            width,
        }
    }

    /// The centred rectangle with the proportions of `picture`: TensorFlow's `resize_with_pad`, in
    /// its float32.
    fn padded(&self, picture: &Region) -> Region {
        let (height, width) = (self.height as f32, self.width as f32);
        let (from_height, from_width) = (picture.height as f32, picture.width as f32);
        let ratio = (from_width / width).max(from_height / height);
        let (new_height, new_width) = (from_height / ratio, from_width / ratio);
        Region {
            top: ((height - new_height) / 2.0).floor().max(0.0) as usize,
            left: ((width - new_width) / 2.0).floor().max(0.0) as usize,
            // A thin picture keeps one pixel, where TensorFlow fails.
            height: (new_height.floor() as usize).clamp(1, self.height),
            width: (new_width.floor() as usize).clamp(1, self.width),
        }
    }
}

/// Two source pixels around a position, and the weight of the second.
struct Between {
    low: usize,
    high: usize,
    share: f32,
}

/// The source positions of `to` pixels among `from`.
fn places(from: usize, to: usize) -> Vec<Between> {
    let scale = from as f32 / to as f32;
    let place = |pixel: usize| {
        let place = (pixel as f32 + 0.5) * scale - 0.5;
        let low = place.floor();
        Between {
            low: (low.max(0.0) as usize).min(from - 1),
            high: (place.ceil().max(0.0) as usize).min(from - 1),
            share: place - low,
        }
    };
    (0..to).map(place).collect()
}

/// Fills the rectangle `to` of a picture of width `width` with a rectangle of another; the rest
/// stays black.
fn stretch(picture: &Picture, from: &Region, out: &mut [u8], width: usize, to: &Region) {
    let channels = picture.channels;
    let (rows, columns) = (places(from.height, to.height), places(from.width, to.width));
    out.fill(0);
    for (y, row) in rows.iter().enumerate() {
        let line = |y: usize| {
            let start = ((from.top + y) * picture.width + from.left) * channels;
            &picture.pixels[start..start + from.width * channels]
        };
        let (above, below) = (line(row.low), line(row.high));
        let start = ((to.top + y) * width + to.left) * channels;
        let pixels = out[start..].chunks_exact_mut(channels);
        for (pixel, column) in pixels.zip(&columns) {
            for (channel, number) in pixel.iter_mut().enumerate() {
                let at = |line: &[u8], x: usize| f32::from(line[x * channels + channel]);
                let mix = |line: &[u8]| {
                    let (left, right) = (at(line, column.low), at(line, column.high));
                    left + (right - left) * column.share
                };
                let (top, bottom) = (mix(above), mix(below));
                *number = (top + (bottom - top) * row.share + 0.5) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(top: usize, left: usize, height: usize, width: usize) -> Region {
        Region {
            top,
            left,
            height,
            width,
        }
    }

    #[test]
    fn parts_lie_in_the_middle() {
        let wide = part(0, 0, 340, 500);
        assert_eq!(wide.cropped([200, 200]), part(0, 80, 340, 340));
        assert_eq!(part(0, 0, 8, 8).padded(&part(0, 0, 4, 8)), part(2, 0, 4, 8));
        // A single row or column of pixels stays one.
        assert_eq!(
            part(0, 0, 4, 4).padded(&part(0, 0, 1, 1000)),
            part(1, 0, 1, 4)
        );
        assert_eq!(part(0, 0, 1, 1000).cropped([9, 1]), part(0, 499, 1, 1));
    }
}
