//! IDX: the array format of MNIST and its relatives, plain or gzipped.

use crate::data::dataset::{Dataset, Split};
use crate::data::folders::missing;
use crate::data::npy::open;
use crate::data::numbers::{Header, Kind, read_array, unreadable};
use crate::data::tensor::Tensor;
use crate::error::{Error, Result};
use flate2::bufread::GzDecoder;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

/// Reads an IDX file with its rows in the first dimension, gzipped or not.
///
/// Bytes stay bytes (as in images), any other type becomes `f32`. The tensor is named as the path.
pub fn read_idx(path: &Path) -> Result<Tensor> {
    let (mut file, length) = open(path)?;
    let start = file.fill_buf().map_err(|cause| unreadable(path, cause))?;
    if start.starts_with(&[0x1f, 0x8b]) {
        // Deflate compresses by at most 1032 to 1.
        read(path, &mut GzDecoder::new(file), length.saturating_mul(1032))
    } else {
        read(path, &mut file, length)
    }
}

fn read(path: &Path, from: &mut dyn Read, available: u64) -> Result<Tensor> {
    let mut magic = [0; 4];
    from.read_exact(&mut magic)
        .map_err(|cause| unreadable(path, cause))?;
    let [0, 0, kind, rank] = magic else {
        let problem = format!("it is no IDX file: it begins with {magic:02x?}, not with two zeros");
        return Err(Error::file(path, problem));
    };
    let kind = match kind {
        0x08 => Kind::U8,
        0x09 => Kind::I8,
        0x0b => Kind::I16,
        0x0c => Kind::I32,
        0x0d => Kind::F32,
        0x0e => Kind::F64,
        other => {
            let problem = format!("it is no IDX file: it has the unknown number type {other:#04x}");
            return Err(Error::file(path, problem));
        }
    };
    let mut dims = Vec::with_capacity(usize::from(rank));
    for _ in 0..rank {
        let mut dim = [0; 4];
        from.read_exact(&mut dim)
            .map_err(|cause| unreadable(path, cause))?;
        dims.push(u32::from_be_bytes(dim) as usize);
    }
    let header = Header {
        kind,
        big_endian: true,
        fortran_order: false,
        dims,
    };
    read_array(path, &header, from, available)
}

/// The images and the labels of a split, under the original names or those of the usual unpackers,
/// in the first of `folders` that has both.
pub(super) fn find(folders: &[PathBuf], split: Split) -> Option<(PathBuf, PathBuf)> {
    let file = |folder: &Path, stem: &str| {
        let dotted = stem.replacen("-idx", ".idx", 1);
        let names = [
            stem.to_owned(),
            format!("{stem}.gz"),
            dotted.clone(),
            format!("{dotted}.gz"),
        ];
        names
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| path.is_file())
    };
    let [images, labels] = file_names(split);
    folders
        .iter()
        .find_map(|folder| Some((file(folder, images)?, file(folder, labels)?)))
}

/// Reads a split of a data set of the MNIST family from the first of `folders` that has it.
/// `package` is Debian's, named in the error if none has.
pub(super) fn load(
    name: &str,
    package: Option<&str>,
    folders: &[PathBuf],
    split: Split,
) -> Result<Dataset> {
    let (images, labels) =
        find(folders, split).ok_or_else(|| missing(name, &files(split), package, folders))?;
    let x = read_idx(&images)?;
    if x.shape().rank() != 2 {
        return Err(Error::shape(
            x.name(),
            x.shape(),
            "pictures, (None, height, width)",
        ));
    }
    let y = read_idx(&labels)?;
    if y.shape().rank() != 0 {
        return Err(Error::shape(y.name(), y.shape(), "one label a row, (None)"));
    }
    Dataset::new(x, y)
}

/// The file names to look for, in words.
fn files(split: Split) -> String {
    let [images, labels] = file_names(split);
    format!("{images} and {labels}, plain or with .gz")
}

fn file_names(split: Split) -> [&'static str; 2] {
    match split {
        Split::Train => ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
        Split::Test => ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_set_is_missed_with_folders_files_and_package() {
        let folders = [PathBuf::from("/nowhere/one"), PathBuf::from("/nowhere/two")];
        let error = load(
            "fashion-mnist",
            Some("dataset-fashion-mnist"),
            &folders,
            Split::Test,
        );
        let text = error.map(|_| ()).unwrap_err().to_string();
        for part in [
            "fashion-mnist",
            "/nowhere/one",
            "/nowhere/two",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
            "GRADUS_DATA",
            "apt install dataset-fashion-mnist",
        ] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }
}
