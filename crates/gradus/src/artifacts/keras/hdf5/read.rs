//! Reading of an untrusted HDF5 file as a tree.
//!
//! No size, depth or count in the file is trusted. Every byte read is charged to a [`Meter`], which
//! refuses beyond a few times the file's length: cyclic links, many links to one object and strings
//! that share one heap all end there.

use super::{Array, Attribute, Group, Values};
use crate::data::numbers::half;
use hdf5_pure::{
    AttrValue, Dataset, Datatype, DatatypeByteOrder, File, FormatError, Layout, Source,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Depth limit, deeper than any nested Keras model.
const MAX_DEPTH: usize = 64;
/// Rank limit, NumPy's.
const MAX_RANK: usize = 32;

/// The complete tree of an HDF5 file.
pub(crate) fn read(bytes: Vec<u8>) -> Result<Group, String> {
    let mut left = bytes.len() as u64;
    let file = File::from_source(Meter::new(bytes)).map_err(describe)?;
    group("", &file.root(), 0, &mut left)
}

/// `left` is the byte limit of the remaining arrays: together they cannot be larger than the file,
/// because nothing in it is compressed.
fn group(
    at: &str,
    found: &hdf5_pure::Group,
    depth: usize,
    left: &mut u64,
) -> Result<Group, String> {
    if depth == MAX_DEPTH {
        return Err(format!("groups nested deeper than {MAX_DEPTH}: {at}"));
    }
    let within = |error| format!("{}: {}", shown(at), describe(error));
    let mut tree = Group::default();
    for (name, value) in found.attrs().map_err(within)? {
        if let Some(attribute) = attribute(value) {
            tree.attributes.insert(name, attribute);
        }
    }
    for (name, dataset) in found.iter_datasets().map_err(within)? {
        let at = format!("{at}/{name}");
        let array = array(&dataset, left).map_err(|problem| format!("{at}: {problem}"))?;
        insert(&mut tree.arrays, name, array, &at)?;
    }
    for (name, child) in found.iter_groups().map_err(within)? {
        let at = format!("{at}/{name}");
        let child = group(&at, &child, depth + 1, left)?;
        insert(&mut tree.groups, name, child, &at)?;
    }
    Ok(tree)
}

fn insert<T>(
    map: &mut BTreeMap<String, T>,
    name: String,
    value: T,
    at: &str,
) -> Result<(), String> {
    match map.insert(name, value) {
        Some(_) => Err(format!("{at} is there twice")),
        None => Ok(()),
    }
}

fn array(dataset: &Dataset, left: &mut u64) -> Result<Array, String> {
    let datatype = dataset.datatype().map_err(describe)?;
    let dims = dataset.shape().map_err(describe)?;
    if dims.len() > MAX_RANK {
        return Err(format!(
            "{} dimensions, at most {MAX_RANK} expected",
            dims.len()
        ));
    }
    match dataset.layout().map_err(describe)? {
        Layout::Contiguous {
            address: None,
            size,
        } if size > 0 => {
            return Err("has a shape and no values".to_owned());
        }
        Layout::Contiguous { .. } | Layout::Compact { .. } => {}
        _ => return Err("is stored in pieces; Keras stores arrays whole".to_owned()),
    }
    let count = dims
        .iter()
        .try_fold(1u64, |size, &dim| size.checked_mul(dim));
    let bytes = count.and_then(|count| count.checked_mul(dataset.element_size().ok()?));
    match bytes.and_then(|bytes| left.checked_sub(bytes)) {
        Some(rest) => *left = rest,
        None => return Err(format!("shape {dims:?} is larger than the file")),
    }
    let values = values(&datatype, dataset)?;
    let shape: Vec<usize> = dims.iter().map(|&dim| dim as usize).collect();
    if Some(values.len() as u64) != count {
        return Err(format!("{} values, shape {shape:?}", values.len()));
    }
    Ok(Array { shape, values })
}

fn values(datatype: &Datatype, dataset: &Dataset) -> Result<Values, String> {
    let values = match datatype {
        Datatype::FloatingPoint {
            size: 2,
            byte_order: DatatypeByteOrder::LittleEndian,
            layout,
        } if layout.exponent_size == 5 && layout.mantissa_size == 10 => {
            let halves = |bytes: Vec<u8>| {
                let (bits, _) = bytes.as_chunks::<2>();
                bits.iter().map(|&b| half(u16::from_le_bytes(b))).collect()
            };
            dataset.read_raw().map(|bytes| Values::F32(halves(bytes)))
        }
        Datatype::FloatingPoint { size: 4, .. } => dataset.read_f32().map(Values::F32),
        Datatype::FloatingPoint { size: 8, .. } => dataset
            .read_f64()
            .map(|values| Values::F32(values.into_iter().map(|value| value as f32).collect())),
        Datatype::FixedPoint { size, layout, .. } if *size < 4 || *size == 4 && layout.signed => {
            dataset.read_i32().map(Values::I32)
        }
        Datatype::FixedPoint { size: 4, .. } => dataset.read_i64().map(Values::I64),
        Datatype::FixedPoint {
            size: 8, layout, ..
        } if layout.signed => dataset.read_i64().map(Values::I64),
        _ => {
            let found = dataset.dtype().map_err(describe)?;
            return Err(format!("found type {found}, expected floats or integers"));
        }
    };
    values.map_err(describe)
}

/// The supported kinds of attributes; others are ignored.
fn attribute(value: AttrValue) -> Option<Attribute> {
    if let Some(text) = value.as_str() {
        return Some(Attribute::Text(text.to_owned()));
    }
    if let Some(texts) = value.as_strings() {
        return Some(Attribute::Texts(texts.to_vec()));
    }
    value.to_f64s().map(Attribute::Numbers)
}

fn shown(at: &str) -> &str {
    if at.is_empty() { "/" } else { at }
}

fn describe(error: impl std::fmt::Display) -> String {
    format!("damaged HDF5: {error}")
}

/// The file's bytes, up to a total limit.
struct Meter {
    bytes: Vec<u8>,
    left: AtomicU64,
}

impl Meter {
    /// Least charge of a read, which bounds the number of small reads.
    const LEAST: u64 = 64;
    /// An honest file is read about once, its headers a few times more.
    const TIMES: u64 = 2;
    /// Allowance for the headers of a small file of many arrays.
    const SPARE: u64 = 48 << 20;

    fn new(bytes: Vec<u8>) -> Self {
        let left = (bytes.len() as u64).saturating_mul(Self::TIMES) + Self::SPARE;
        Meter {
            bytes,
            left: AtomicU64::new(left),
        }
    }

    fn spend(&self, bytes: u64) -> Result<(), FormatError> {
        let price = bytes.max(Self::LEAST);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(price)
            })
            .map(|_| ())
            .map_err(|_| FormatError::Source("the file refers to itself over and over".to_owned()))
    }
}

impl Source for Meter {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), FormatError> {
        self.spend(into.len() as u64)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(into.len());
        match self.bytes.get(start..end) {
            Some(part) => into.copy_from_slice(part),
            None => {
                return Err(FormatError::UnexpectedEof {
                    expected: end,
                    available: self.bytes.len(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// A file made by `tests/keras_files/make.py`.
    fn file(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keras_files/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    }

    #[test]
    fn every_type_that_h5py_writes_is_read() {
        let tree = read(file("types.h5")).unwrap();
        for name in ["f2", "f4", "f8", "big_f4"] {
            assert_eq!(tree.arrays[name], Array::floats([3], vec![1.5, -2.0, 0.25]));
        }
        for (name, array) in &tree.arrays {
            let whole = match name.as_str() {
                "i1" | "i2" | "i4" | "u1" | "u2" | "big_i4" => Values::I32(vec![1, 2, 100]),
                "i8" | "u4" => Values::I64(vec![1, 2, 100]),
                _ => continue,
            };
            assert_eq!(array.values, whole, "{name}");
        }
        assert_eq!(tree.arrays["scalar"], Array::floats([], vec![3.5]));
        let text = |name: &str| tree.attributes[name].clone();
        assert_eq!(text("text"), Attribute::Text("caf\u{e9}".into()));
        assert_eq!(text("bytes"), Attribute::Text("plain".into()));
        let names = vec!["a".to_owned(), "bc".to_owned()];
        assert_eq!(tree.attributes["names"], Attribute::Texts(names));
        assert_eq!(tree.attributes["none"], Attribute::Numbers(vec![]));
    }

    #[test]
    fn hostile_files_are_refused_at_once() {
        let expected = [
            ("circle.h5", "nested deeper"),
            ("branching.h5", "over and over"),
            ("promise.h5", "no values"),
            ("shared.h5", "larger than the file"),
            ("pieces.h5", "in pieces"),
            ("text.h5", "found type vlen_string"),
        ];
        for (name, part) in expected {
            let start = Instant::now();
            let problem = read(file(name)).unwrap_err();
            assert!(problem.contains(part), "{name}: {problem}");
            assert!(start.elapsed() < Duration::from_secs(2), "{name}");
        }
    }

    #[test]
    fn damaged_files_are_never_a_panic() {
        let whole = file("types.h5");
        for length in (0..whole.len()).step_by(37) {
            let _ = read(whole[..length].to_vec());
        }
        let start = Instant::now();
        for round in 0..600usize {
            let mut bytes = whole.clone();
            for step in 0..=round % 4 {
                let at = (round * 7919 + step * 104_729) % bytes.len();
                bytes[at] ^= 1 << (round % 8);
            }
            let _ = read(bytes);
        }
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
