//! `.npy`: NumPy's array file, and `.npz`, a zip archive of them.
//!
//! The header is a Python literal with three known keys. It is read by a few
//! lines of our own: a general Python parser recurses as deep as a hostile
//! header nests, and multiplies the dimensions before anybody can check them.

use crate::base::files;
use crate::base::shown::list;
use crate::data::numbers::{Header, Kind, read_array, unreadable};
use crate::data::tensor::Tensor;
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// Reads an array with its rows in the first dimension: `x.npy`, or `file.npz:key`. The `:key` may
/// be left out if the archive has one array.
///
/// Bytes and booleans stay bytes; any other integer or float type, of either byte order, becomes
/// `f32`, or `f64` if `f32` would round one of its values; texts (`<U8`) stay texts. The tensor is
/// named as the path.
pub fn read_npy(path: &Path) -> Result<Tensor> {
    match split_key(path) {
        Some((archive, key)) => read_npz(&archive, key.as_deref()),
        None => {
            let (mut file, length) = open(path)?;
            let header = read_header(path, &mut file)?;
            read_array(path, &header, &mut file, length)
        }
    }
}

/// Reads the bytes of a `.npy` file, as [`read_npy`] does; `name` is their name in messages.
pub fn read_npy_bytes(name: &str, bytes: &[u8]) -> Result<Tensor> {
    let (path, mut rest) = (Path::new(name), bytes);
    let header = read_header(path, &mut rest)?;
    let left = rest.len() as u64;
    read_array(path, &header, &mut rest, left)
}

/// The names of an archive's arrays, in their order.
pub fn npz_keys(path: &Path) -> Result<Vec<String>> {
    Ok(keys(&archive(path)?.0))
}

/// True if a path names an array file: `.npy`, `.npz` or `.npz:key`.
pub(super) fn is_array(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    lower.ends_with(".npy") || lower.ends_with(".npz") || lower.contains(".npz:")
}

/// Splits `file.npz:key` into archive and key; `None` for another path.
pub(super) fn split_key(path: &Path) -> Option<(PathBuf, Option<String>)> {
    let text = path.to_str()?;
    let lower = text.to_ascii_lowercase();
    if lower.ends_with(".npz") {
        return Some((path.to_owned(), None));
    }
    let end = lower.rfind(".npz:")? + ".npz".len();
    Some((text[..end].into(), Some(text[end + 1..].to_owned())))
}

fn read_npz(path: &Path, key: Option<&str>) -> Result<Tensor> {
    let (mut archive, length) = archive(path)?;
    let known = keys(&archive);
    let at = path.display().to_string();
    let key = match (key, known.as_slice()) {
        (Some(key), _) if known.iter().any(|name| name == key) => key.to_owned(),
        (Some(key), _) => {
            return Err(Error::unknown(
                &at,
                "array",
                key,
                known.iter().map(String::as_str),
            ));
        }
        (None, [only]) => only.clone(),
        (None, []) => return Err(Error::file(path, "it has no arrays")),
        (None, _) => {
            let expected = format!("`{at}:KEY` with one of its arrays: {}", list(&known));
            return Err(Error::invalid("data", at, expected));
        }
    };
    let place = PathBuf::from(format!("{at}:{key}"));
    // NumPy adds the extension, other writers may not.
    let index = archive
        .index_for_name(&format!("{key}.npy"))
        .or_else(|| archive.index_for_name(&key));
    let Some(index) = index else {
        return Err(Error::file(&place, "it is not in the archive"));
    };
    read_entry(&mut archive, index, &place, length)
}

/// One array of an archive; `length` is the archive's.
fn read_entry(
    archive: &mut ZipArchive<BufReader<File>>,
    index: usize,
    place: &Path,
    length: u64,
) -> Result<Tensor> {
    let mut entry = archive
        .by_index(index)
        .map_err(|error| damaged(place, &error))?;
    // The size in the archive's directory is only a claim; deflate compresses by at most 1032 to 1,
    // which bounds it.
    let most = entry.compressed_size().min(length).saturating_mul(1032);
    let available = entry.size().min(most);
    let header = read_header(place, &mut entry)?;
    read_array(place, &header, &mut BufReader::new(entry), available)
}

/// All arrays of an archive of weights, with their names.
///
/// Weights hardly compress: an archive that would unpack to much more than its own size is refused.
pub(crate) fn read_all(path: &Path) -> Result<Vec<(String, Tensor)>> {
    const MAX_RATIO: u64 = 16;
    const SPARE: u64 = 32 << 20;
    let (mut archive, length) = archive(path)?;
    let names = keys(&archive);
    let mut left = length.saturating_mul(MAX_RATIO).saturating_add(SPARE);
    let mut arrays = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        let entry = archive
            .by_index(index)
            .map_err(|error| damaged(path, &error))?;
        let size = entry.size();
        drop(entry);
        left = left.checked_sub(size).ok_or_else(|| {
            let problem = format!("{name} would unpack to {size} bytes, too much for weights");
            Error::file(path, problem)
        })?;
        let place = PathBuf::from(format!("{}:{name}", path.display()));
        arrays.push((name, read_entry(&mut archive, index, &place, length)?));
    }
    Ok(arrays)
}

/// An opened archive and the length of its file.
fn archive(path: &Path) -> Result<(ZipArchive<BufReader<File>>, u64)> {
    let (file, length) = open(path)?;
    let archive = ZipArchive::new(file).map_err(|error| damaged(path, &error))?;
    Ok((archive, length))
}

fn keys(archive: &ZipArchive<BufReader<File>>) -> Vec<String> {
    let names = archive.file_names().flatten();
    names
        .map(|name| name.strip_suffix(".npy").unwrap_or(&name).to_owned())
        .collect()
}

fn damaged(path: &Path, error: &zip::result::ZipError) -> Error {
    Error::file(path, format!("it is no whole .npz archive: {error}"))
}

/// An opened file and its length.
pub(super) fn open(path: &Path) -> Result<(BufReader<File>, u64)> {
    let file = files::open(path, "an array file")?;
    let about = file
        .metadata()
        .map_err(|cause| Error::io("read", path, cause))?;
    Ok((BufReader::with_capacity(1 << 16, file), about.len()))
}

/// An opened `.npy` file with its header, the offset of its values, and its length.
pub(super) fn open_header(path: &Path) -> Result<(File, Header, u64, u64)> {
    let (mut file, length) = open(path)?;
    let header = read_header(path, &mut file)?;
    let start = file.stream_position();
    let start = start.map_err(|cause| Error::io("read", path, cause))?;
    Ok((file.into_inner(), header, start, length))
}

/// Length limit of a header, NumPy's own default.
const LONGEST_HEADER: usize = 10_000;

fn read_header(path: &Path, from: &mut dyn Read) -> Result<Header> {
    let no_npy = || Error::file(path, "it is no .npy file: it does not begin as one");
    let mut magic = [0; 8];
    from.read_exact(&mut magic).map_err(|_| no_npy())?;
    if magic[..6] != *b"\x93NUMPY" {
        return Err(no_npy());
    }
    let wide = match magic[6..] {
        [1, 0] => false,
        [2 | 3, 0] => true,
        _ => {
            let version = format!("{}.{}", magic[6], magic[7]);
            return Err(Error::file(
                path,
                format!(".npy version {version}, known are 1 to 3"),
            ));
        }
    };
    let mut length = [0; 4];
    let bytes = if wide { 4 } else { 2 };
    from.read_exact(&mut length[..bytes])
        .map_err(|cause| unreadable(path, cause))?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_HEADER {
        let problem = format!("its header has {length} bytes, at most {LONGEST_HEADER} are read");
        return Err(Error::file(path, problem));
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text)
        .map_err(|cause| unreadable(path, cause))?;
    parse(&String::from_utf8_lossy(&text)).map_err(|problem| Error::file(path, problem))
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse(text: &str) -> Result<Header, String> {
    let mut rest = Literal(text.trim());
    let (mut kind, mut fortran_order, mut dims) = (None, None, None);
    rest.expect('{')?;
    while !rest.skip('}') {
        let key = rest.string()?;
        rest.expect(':')?;
        match key {
            "descr" if rest.0.starts_with('[') => {
                return Err("its rows are records; save each field as an array of its own".into());
            }
            "descr" => kind = Some(number_type(rest.string()?)?),
            "fortran_order" => fortran_order = Some(rest.boolean()?),
            "shape" => dims = Some(rest.tuple()?),
            other => return Err(format!("its header has the unknown key `{other}`")),
        }
        rest.skip(',');
    }
    match (kind, fortran_order, dims) {
        (Some((kind, big_endian)), Some(fortran_order), Some(dims)) => Ok(Header {
            kind,
            big_endian,
            fortran_order,
            dims,
        }),
        _ => Err("its header lacks one of `descr`, `fortran_order`, `shape`".into()),
    }
}

/// Length limit of texts: longer ones are no names.
const MOST_CHARACTERS: usize = 1 << 16;

/// A type and whether its bytes are big-endian, from `<f4` and the like.
fn number_type(text: &str) -> Result<(Kind, bool), String> {
    let name = text.trim_start_matches(['<', '>', '|', '=']);
    let kind = match name {
        "b1" | "?" => Kind::Bool,
        "u1" | "B" => Kind::U8,
        "u2" => Kind::U16,
        "u4" => Kind::U32,
        "u8" => Kind::U64,
        "i1" | "b" => Kind::I8,
        "i2" => Kind::I16,
        "i4" => Kind::I32,
        "i8" => Kind::I64,
        "f2" => Kind::F16,
        "f4" => Kind::F32,
        "f8" => Kind::F64,
        _ if name.starts_with('U') => match name[1..].parse() {
            Ok(characters @ 1..=MOST_CHARACTERS) => Kind::Text(characters),
            _ => {
                return Err(format!(
                    "it holds texts of another length than known (`{text}`)"
                ));
            }
        },
        _ => {
            let what = match name.chars().next() {
                Some('O') => "Python objects",
                Some('S' | 'a') => "bytes",
                Some('c') => "complex numbers",
                Some('M' | 'm') => "dates or times",
                _ => "an unknown type",
            };
            let expected = "expected booleans, integers or floats of up to 64 bits, or text";
            return Err(format!("it holds {what} (`{text}`), {expected}"));
        }
    };
    Ok((kind, text.starts_with('>')))
}

/// The unread rest of a Python literal.
struct Literal<'a>(&'a str);

impl<'a> Literal<'a> {
    fn skip(&mut self, token: char) -> bool {
        match self.0.strip_prefix(token) {
            Some(rest) => {
                self.0 = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: char) -> Result<(), String> {
        if self.skip(token) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{token}`")))
        }
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let text = self.0;
        let inner = match text.chars().next() {
            Some(quote @ ('\'' | '"')) => text[1..].split_once(quote),
            _ => None,
        };
        let (string, rest) = inner.ok_or_else(|| self.unexpected("a string"))?;
        self.0 = rest.trim_start();
        Ok(string)
    }

    fn boolean(&mut self) -> Result<bool, String> {
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.0.strip_prefix(word) {
                self.0 = rest.trim_start();
                return Ok(value);
            }
        }
        Err(self.unexpected("True or False"))
    }

    fn tuple(&mut self) -> Result<Vec<usize>, String> {
        self.expect('(')?;
        let mut dims = Vec::new();
        while !self.skip(')') {
            let digits = self.0.len()
                - self
                    .0
                    .trim_start_matches(|c: char| c.is_ascii_digit())
                    .len();
            let dim = self.0[..digits].parse();
            dims.push(dim.map_err(|_| self.unexpected("a dimension"))?);
            self.0 = self.0[digits..].trim_start();
            // Python 2 wrote long integers with an L.
            self.skip('L');
            if !self.skip(',') && !self.0.starts_with(')') {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
        Ok(dims)
    }

    fn unexpected(&self, expected: &str) -> String {
        let found: String = self.0.chars().take(20).collect();
        format!("its header cannot be read: found `{found}`, expected {expected}")
    }
}
