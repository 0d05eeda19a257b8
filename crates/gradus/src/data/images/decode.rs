//! Decoding of a picture: PNG or JPEG in, bytes out, with the values of TensorFlow's
//! `decode_image`.
//!
//! A JPEG may differ from libjpeg's by a few steps in 256: the standard leaves rounding open. The
//! camera's orientation (Exif) is ignored, as in Keras.

use super::options::ColorMode;
use crate::base::files;
use crate::error::{Error, Result};
use png::{ColorType, DecodingError, Limits, Transformations};
use std::io::{Cursor, ErrorKind};
use std::path::Path;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// Pixel limit: a small file can claim any size.
const MOST_PIXELS: usize = 100_000_000;

/// File size limit.
const MOST_BYTES: u64 = 256 << 20;

const CUT_SHORT: &str = "it is cut short: the end of the picture is missing";

/// The pixels of a picture, row after row, each with its channels.
#[derive(Debug)]
pub(super) struct Picture {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub pixels: Vec<u8>,
}

/// Reads a picture. Its contents tell the format, not its name.
pub(super) fn decode(path: &Path, color: ColorMode) -> Result<Picture> {
    let bytes = files::read(path, "a picture", MOST_BYTES)?;
    let decoded = match bytes.as_slice() {
        [] => Err("it is empty".into()),
        [0x89, b'P', b'N', b'G', ..] => png(&bytes, color),
        [0xff, 0xd8, ..] => jpeg(&bytes, color),
        _ => Err(format!(
            "it is {}, not a PNG or JPEG picture: convert it",
            what(&bytes)
        )),
    };
    decoded.map_err(|problem| Error::file(path, problem))
}

/// The format of an unsupported file, by its first bytes.
fn what(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'G', b'I', b'F', b'8', ..] => "a GIF",
        [b'B', b'M', ..] => "a BMP",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "a WebP",
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => "a TIFF",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "a HEIC, an AVIF or a film",
        [b'%', b'P', b'D', b'F', ..] => "a PDF",
        [b'<', ..] => "a text (SVG or HTML)",
        _ => "something else",
    }
}

fn check_size(height: usize, width: usize) -> Result<(), String> {
    match height.checked_mul(width) {
        Some(0) => Err("it has no pixels".into()),
        Some(pixels) if pixels <= MOST_PIXELS => Ok(()),
        _ => Err(format!(
            "it has {height} x {width} pixels (height x width), more than the {MOST_PIXELS} that \
             are read"
        )),
    }
}

fn png(bytes: &[u8], color: ColorMode) -> Result<Picture, String> {
    let said = |error: DecodingError| match error {
        DecodingError::IoError(cause) if cause.kind() == ErrorKind::UnexpectedEof => {
            CUT_SHORT.into()
        }
        DecodingError::LimitsExceeded => "it takes too much memory to read".into(),
        other => format!("it is damaged: {other}"),
    };
    let limits = Limits { bytes: 64 << 20 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(said)?;
    let (height, width) = (header.height as usize, header.width as usize);
    check_size(height, width)?;
    let mut reader = decoder.read_info().map_err(said)?;
    let length = reader.output_buffer_size().unwrap_or_default();
    let mut pixels = vec![0; length];
    let info = reader.next_frame(&mut pixels).map_err(said)?;
    pixels.truncate(info.buffer_size());
    let pixels = match (info.color_type, color) {
        (ColorType::Grayscale, ColorMode::Grayscale) | (ColorType::Rgb, ColorMode::Rgb) => pixels,
        (ColorType::Grayscale, ColorMode::Rgb) => each::<1, 3>(&pixels, |[gray]| [gray; 3]),
        (ColorType::GrayscaleAlpha, ColorMode::Rgb) => each::<2, 3>(&pixels, |[gray, _]| [gray; 3]),
        (ColorType::GrayscaleAlpha, ColorMode::Grayscale) => {
            each::<2, 1>(&pixels, |[gray, _]| [gray])
        }
        (ColorType::Rgba, ColorMode::Rgb) => each::<4, 3>(&pixels, |[r, g, b, _]| [r, g, b]),
        (ColorType::Rgba, ColorMode::Grayscale) => {
            each::<4, 1>(&pixels, |[r, g, b, _]| [brightness(r, g, b)])
        }
        (ColorType::Rgb, ColorMode::Grayscale) => {
            each::<3, 1>(&pixels, |[r, g, b]| [brightness(r, g, b)])
        }
        (ColorType::Indexed, _) => return Err("it is damaged: it has no palette".into()),
    };
    Ok(Picture {
        height,
        width,
        channels: color.channels(),
        pixels,
    })
}

/// Converts every pixel from `FROM` to `TO` channels.
fn each<const FROM: usize, const TO: usize>(
    pixels: &[u8],
    change: impl Fn([u8; FROM]) -> [u8; TO],
) -> Vec<u8> {
    let (pixels, _) = pixels.as_chunks::<FROM>();
    pixels.iter().flat_map(|&pixel| change(pixel)).collect()
}

/// As in libpng for TensorFlow: 0.299 and 0.587 of 32768 truncated, the rest for blue, and the sum
/// truncated.
fn brightness(red: u8, green: u8, blue: u8) -> u8 {
    let sum = 9797 * u32::from(red) + 19_234 * u32::from(green) + 3737 * u32::from(blue);
    (sum >> 15) as u8
}

fn jpeg(bytes: &[u8], color: ColorMode) -> Result<Picture, String> {
    if !has_an_end(bytes) {
        return Err(CUT_SHORT.into());
    }
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let said = |error: zune_jpeg::errors::DecodeErrors| format!("it is damaged: {error}");
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(said)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    check_size(height, width)?;
    // CMYK has no brightness of its own.
    let inks = matches!(
        decoder.input_colorspace(),
        Some(ColorSpace::CMYK | ColorSpace::YCCK)
    );
    let own = color == ColorMode::Grayscale && !inks;
    let wanted = if own {
        ColorSpace::Luma
    } else {
        ColorSpace::RGB
    };
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let pixels = decoder.decode().map_err(said)?;
    let pixels = match color {
        ColorMode::Grayscale if !own => each::<3, 1>(&pixels, |[r, g, b]| [brightness(r, g, b)]),
        _ => pixels,
    };
    if pixels.len() != height * width * color.channels() {
        return Err("it is damaged: its pixels are not as many as it says".into());
    }
    Ok(Picture {
        height,
        width,
        channels: color.channels(),
        pixels,
    })
}

/// True if a JPEG is complete: the decoder fills missing data with gray. Segments have lengths;
/// after a scan's segment comes data, in which 0xff stands only before 0 or a restart marker.
fn has_an_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(place) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|&b| b == 0xff))
    {
        at += place + 1;
        match bytes.get(at) {
            Some(0xd9) => return true,
            // A stuffed byte, a marker without a segment, or padding.
            Some(0 | 1 | 0xd0..=0xd8) => at += 1,
            Some(0xff) => {}
            Some(_) => match bytes.get(at + 1..at + 3) {
                Some(&[high, low]) => at += 1 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_from_what_looks_like_it() {
        // A thumbnail's end marker in a segment, a stuffed byte and a restart marker in a scan.
        let whole = [
            &[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9][..],
            &[
                0xff, 0xda, 0, 2, 7, 0xff, 0, 0xff, 0xd3, 9, 0xff, 0xff, 0xd9,
            ],
        ]
        .concat();
        assert!(has_an_end(&whole));
        for length in 0..whole.len() {
            assert!(!has_an_end(&whole[..length]), "{length}");
        }
    }

    #[test]
    fn brightness_is_libpngs() {
        // Of TensorFlow's decode_image(channels=1).
        assert_eq!(brightness(200, 0, 0), 59);
        assert_eq!(brightness(0, 200, 0), 117);
        assert_eq!(brightness(0, 0, 200), 22);
        assert_eq!(brightness(90, 160, 37), 125);
        assert_eq!(brightness(255, 255, 255), 255);
    }
}
