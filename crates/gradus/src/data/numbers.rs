//! Array elements in files: any type and byte order in, `u8`, `f32` or `f64` out.

use crate::base::shape::Shape;
use crate::data::tensor::{Tensor, is_single};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// An element type in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    F32,
    F64,
    /// Texts of this many characters of 4 bytes, padded with zeros.
    Text(usize),
}

impl Kind {
    /// True if `f32` may round its values.
    fn is_wide(self) -> bool {
        matches!(
            self,
            Kind::U32 | Kind::U64 | Kind::I32 | Kind::I64 | Kind::F64
        )
    }

    /// Bytes per element.
    pub(super) fn size(self) -> usize {
        match self {
            Kind::Bool | Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 | Kind::F16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
            Kind::Text(characters) => characters.saturating_mul(4),
        }
    }
}

/// The header of an array file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    pub kind: Kind,
    pub big_endian: bool,
    /// True if the first dimension runs fastest, not the last (Fortran order).
    pub fortran_order: bool,
    /// All dimensions, the rows first.
    pub dims: Vec<usize>,
}

/// Reads the elements after a header, up to the end of `from`.
///
/// `available` is the most bytes that can follow: a header that promises more
/// is refused before anything is allocated for it.
pub(super) fn read_array(
    path: &Path,
    header: &Header,
    from: &mut dyn Read,
    available: u64,
) -> Result<Tensor> {
    let Some(row_dims) = header.dims.get(1..) else {
        return Err(Error::shape(
            &path.display().to_string(),
            "() of a single number",
            "rows in the first dimension",
        ));
    };
    let count = header
        .dims
        .iter()
        .try_fold(1_usize, |count, &dim| count.checked_mul(dim))
        .filter(|&count| {
            let bytes = count.checked_mul(header.kind.size());
            bytes.is_some_and(|bytes| bytes as u64 <= available)
        })
        .ok_or_else(|| {
            let promised = format!("its header promises an array of {:?}", header.dims);
            Error::file(
                path,
                format!("{promised}, more than it can hold; it may be cut short"),
            )
        })?;
    let shape = Shape::new(row_dims);
    if row_dims.contains(&0) {
        return Err(Error::file(
            path,
            format!("its rows of shape {shape} hold no numbers"),
        ));
    }
    let tensor = if matches!(header.kind, Kind::U8 | Kind::Bool) {
        let values = read_bytes(path, from, count)?;
        Tensor::from_u8(shape, in_rows(header, values))
    } else if let Kind::Text(_) = header.kind {
        let (names, codes) = read_texts(path, header, from, count)?;
        Tensor::from_dictionary(shape, Arc::new(names), in_rows(header, codes))
    } else {
        match read_numbers(path, header, from, count)? {
            Decoded::Single(values) => Tensor::from_f32(shape, in_rows(header, values)),
            Decoded::Double(values) => Tensor::from_wide(shape, in_rows(header, values)),
        }
    };
    end(path, from)?;
    Ok(tensor?.named(&path.display().to_string()))
}

fn read_bytes(path: &Path, from: &mut dyn Read, count: usize) -> Result<Vec<u8>> {
    let mut values = room(path, count)?;
    from.take(count as u64)
        .read_to_end(&mut values)
        .map_err(|cause| unreadable(path, cause))?;
    if values.len() < count {
        return Err(cut_short(path, count));
    }
    Ok(values)
}

/// The distinct texts, and the index of each element's text.
fn read_texts(
    path: &Path,
    header: &Header,
    from: &mut dyn Read,
    count: usize,
) -> Result<(Vec<String>, Vec<u32>)> {
    let mut places = HashMap::new();
    let mut codes = room(path, count)?;
    // The total size of the texts was already checked against the file's.
    let mut bytes = vec![0_u8; if count > 0 { header.kind.size() } else { 0 }];
    while codes.len() < count {
        from.read_exact(&mut bytes)
            .map_err(|cause| match cause.kind() {
                io::ErrorKind::UnexpectedEof => cut_short(path, count),
                _ => unreadable(path, cause),
            })?;
        let character = |bytes: &[u8]| {
            let mut number = [0; 4];
            number.copy_from_slice(bytes);
            char::from_u32(match header.big_endian {
                true => u32::from_be_bytes(number),
                false => u32::from_le_bytes(number),
            })
        };
        let text: Option<String> = bytes.chunks_exact(4).map(character).collect();
        let text = text.ok_or_else(|| Error::file(path, "it holds text that is no Unicode"))?;
        let text = text.trim_end_matches('\0');
        let next = places.len() as u32;
        codes.push(match places.get(text) {
            Some(&code) => code,
            None => *places.entry(text.to_owned()).or_insert(next),
        });
    }
    let mut names = vec![String::new(); places.len()];
    for (name, code) in places {
        names[code as usize] = name;
    }
    Ok((names, codes))
}

/// The values of a file: `f32`, unless that would round one of them.
enum Decoded {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

fn read_numbers(
    path: &Path,
    header: &Header,
    from: &mut dyn Read,
    count: usize,
) -> Result<Decoded> {
    /// Elements decoded at a time: the bytes stay in the second-level cache, and system calls are
    /// few.
    const BLOCK: usize = 16 * 1024;
    let size = header.kind.size();
    let mut bytes = vec![0_u8; BLOCK * size];
    let mut values = room(path, count)?;
    let mut doubles: Vec<f64> = Vec::new();
    let mut wide = Vec::with_capacity(BLOCK.min(count));
    let mut read = 0;
    while read < count {
        let numbers = BLOCK.min(count - read);
        let block = &mut bytes[..numbers * size];
        from.read_exact(block).map_err(|cause| match cause.kind() {
            io::ErrorKind::UnexpectedEof => cut_short(path, count),
            _ => unreadable(path, cause),
        })?;
        if header.big_endian {
            block.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        read += numbers;
        if !header.kind.is_wide() {
            decode(header.kind, block, &mut values, |x| x as f32);
            continue;
        }
        wide.clear();
        decode(header.kind, block, &mut wide, |x| x);
        if doubles.is_empty() && wide.iter().all(|&x| is_single(x)) {
            values.extend(wide.iter().map(|&x| x as f32));
        } else {
            if doubles.is_empty() {
                doubles = room(path, count)?;
                doubles.extend(values.iter().map(|&x| f64::from(x)));
                values = Vec::new();
            }
            doubles.extend_from_slice(&wide);
        }
    }
    Ok(match doubles.is_empty() {
        true => Decoded::Single(values),
        false => Decoded::Double(doubles),
    })
}

/// Appends little-endian elements, each converted to the nearest `f64` and then by `finish`.
#[inline(always)]
fn decode<T>(kind: Kind, bytes: &[u8], to: &mut Vec<T>, finish: impl Fn(f64) -> T) {
    macro_rules! each {
        ($number:ty) => {
            each!($number, |x| x as f64)
        };
        ($number:ty, $convert:expr) => {
            to.extend(bytes.chunks_exact(size_of::<$number>()).map(|bytes| {
                let mut number = [0; size_of::<$number>()];
                number.copy_from_slice(bytes);
                finish($convert(<$number>::from_le_bytes(number)))
            }))
        };
    }
    match kind {
        Kind::Bool | Kind::U8 => each!(u8),
        Kind::U16 => each!(u16),
        Kind::U32 => each!(u32),
        Kind::U64 => each!(u64),
        Kind::I8 => each!(i8),
        Kind::I16 => each!(i16),
        Kind::I32 => each!(i32),
        Kind::I64 => each!(i64),
        Kind::F16 => each!(u16, |bits| f64::from(half(bits))),
        Kind::F32 => each!(f32, f64::from),
        Kind::F64 => each!(f64, |x| x),
        // Texts are decoded elsewhere.
        Kind::Text(_) => {}
    }
}

/// An IEEE half-precision number from its bits: 1 sign, 5 exponent, 10 fraction.
pub(crate) fn half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let fraction = u32::from(bits & 0x3ff);
    let magnitude = match exponent {
        // Subnormal: below 2^-14 the fraction counts in steps of 2^-24.
        0 => (fraction as f32 * f32::from_bits((127 - 24) << 23)).to_bits(),
        0x1f => 0x7f80_0000 | fraction << 13,
        _ => (exponent + 127 - 15) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// The bits of the nearest half-precision number, of two the even one; beyond 65504 infinity.
pub(crate) fn to_half(x: f32) -> u16 {
    /// The least number that is rounded to infinity.
    const INFINITE: f32 = 65520.0;
    /// The least normal number, 2^-14.
    const NORMAL: f32 = 6.103_515_6e-5;
    let (sign, size) = ((x.to_bits() >> 16) as u16 & 0x8000, x.abs());
    let magnitude = if size.is_nan() {
        0x7e00
    } else if size >= INFINITE {
        0x7c00
    } else if size < NORMAL {
        // In steps of 2^-24.
        (size * f32::from_bits((127 + 24) << 23)).round_ties_even() as u16
    } else {
        let bits = size.to_bits();
        let rounded = bits + 0xfff + (bits >> 13 & 1);
        ((rounded >> 13) - ((127 - 15) << 10)) as u16
    };
    sign | magnitude
}

/// The values with the last dimension running fastest.
fn in_rows<T: Copy>(header: &Header, values: Vec<T>) -> Vec<T> {
    let dims = &header.dims;
    if !header.fortran_order || dims.len() < 2 || values.is_empty() {
        return values;
    }
    let mut strides = Vec::with_capacity(dims.len());
    let mut stride = 1;
    for dim in dims {
        strides.push(stride);
        stride *= dim;
    }
    let mut place = vec![0; dims.len()];
    let mut offset = 0;
    let mut rows = Vec::with_capacity(values.len());
    while rows.len() < values.len() {
        rows.push(values[offset]);
        // Increment the index, the last dimension first, and carry.
        for axis in (0..dims.len()).rev() {
            place[axis] += 1;
            offset += strides[axis];
            if place[axis] < dims[axis] {
                break;
            }
            place[axis] = 0;
            offset -= strides[axis] * dims[axis];
        }
    }
    rows
}

fn room<T>(path: &Path, count: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    match values.try_reserve_exact(count) {
        Ok(()) => Ok(values),
        Err(_) => Err(Error::file(
            path,
            format!("no memory for its {count} numbers"),
        )),
    }
}

/// Checks that nothing is left; archives verify their checksums at the end.
fn end(path: &Path, from: &mut dyn Read) -> Result<()> {
    match from.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(Error::file(
            path,
            "it goes on after the numbers that its header promises",
        )),
        Err(cause) => Err(unreadable(path, cause)),
    }
}

pub(super) fn unreadable(path: &Path, cause: io::Error) -> Error {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    match cause.kind() {
        UnexpectedEof => Error::file(path, "it is cut short"),
        // The errors of decompressors on damaged files.
        InvalidData | InvalidInput | Other => Error::file(path, format!("it is damaged: {cause}")),
        _ => Error::io("read", path, cause),
    }
}

fn cut_short(path: &Path, count: usize) -> Error {
    let problem = format!("it is cut short: it ends before the {count} numbers that it promises");
    Error::file(path, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_numbers_are_exact() {
        // numpy.array([...], numpy.float16).view(numpy.uint16)
        let known = [
            (0x0000, 0.0),
            (0x8001, -5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
        ];
        for (bits, number) in known {
            assert_eq!(half(bits), number, "{bits:#06x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn the_nearest_half_precision_number_is_found() {
        for bits in 0..=u16::MAX {
            let number = half(bits);
            if number.is_nan() {
                assert!(half(to_half(number)).is_nan());
                continue;
            }
            assert_eq!(to_half(number), bits, "{number}");
            // Between it and the next one, away from 0: to the nearer, in the middle to the even.
            if bits & 0x7fff < 0x7bff {
                let next = half(bits + 1);
                let middle = (number + next) / 2.0;
                let even = bits + (bits & 1);
                assert_eq!(to_half(middle), even, "{middle}");
                assert_eq!(to_half(number + (middle - number) * 0.9), bits);
                assert_eq!(to_half(middle + (next - middle) * 0.1), bits + 1);
            }
        }
        assert_eq!(to_half(65519.0), 0x7bff);
        assert_eq!(to_half(-65520.0), 0xfc00);
        assert_eq!(to_half(1e-30), 0);
    }
}
