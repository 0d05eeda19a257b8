//! CIFAR-10 and CIFAR-100 in their binary format: <https://www.cs.toronto.edu/~kriz/cifar.html>.
//!
//! A row is one label (CIFAR-100: the superclass, then the class), then 32×32
//! pixels of red, of green and of blue. The rows come as Keras' `load_data`
//! gives them: shape (32, 32, 3), channels last.

use super::tar;
use crate::data::dataset::{Dataset, Split};
use crate::data::folders::missing;
use crate::data::npy::open;
use crate::data::numbers::unreadable;
use crate::data::tensor::Tensor;
use crate::error::{Error, Result};
use std::io::Read;
use std::path::{Path, PathBuf};

const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;

/// A CIFAR data set and its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cifar {
    /// CIFAR-10.
    Ten,
    /// CIFAR-100 with its 100 classes: Keras' `label_mode="fine"`.
    Fine,
    /// CIFAR-100 with its 20 superclasses: Keras' `label_mode="coarse"`.
    Coarse,
}

impl Cifar {
    /// The set whose files hold it.
    pub(super) fn set(self) -> &'static str {
        match self {
            Cifar::Ten => "cifar10",
            Cifar::Fine | Cifar::Coarse => "cifar100",
        }
    }

    fn archive(self) -> &'static str {
        match self {
            Cifar::Ten => "cifar-10-binary.tar.gz",
            Cifar::Fine | Cifar::Coarse => "cifar-100-binary.tar.gz",
        }
    }

    /// The folder in the archive.
    fn folder(self) -> &'static str {
        match self {
            Cifar::Ten => "cifar-10-batches-bin",
            Cifar::Fine | Cifar::Coarse => "cifar-100-binary",
        }
    }

    /// A split's files, in order, and the rows in each.
    fn files(self, split: Split) -> (&'static [&'static str], usize) {
        match (self, split) {
            (Cifar::Ten, Split::Train) => (
                &[
                    "data_batch_1.bin",
                    "data_batch_2.bin",
                    "data_batch_3.bin",
                    "data_batch_4.bin",
                    "data_batch_5.bin",
                ],
                10_000,
            ),
            (Cifar::Ten, Split::Test) => (&["test_batch.bin"], 10_000),
            (_, Split::Train) => (&["train.bin"], 50_000),
            (_, Split::Test) => (&["test.bin"], 10_000),
        }
    }

    fn classes(self) -> u8 {
        match self {
            Cifar::Ten => 10,
            Cifar::Fine => 100,
            Cifar::Coarse => 20,
        }
    }

    /// The number of labels before a row's pixels, and the index of the one to use.
    fn labels(self) -> (usize, usize) {
        match self {
            Cifar::Ten => (1, 0),
            Cifar::Coarse => (2, 0),
            Cifar::Fine => (2, 1),
        }
    }

    fn row(self) -> usize {
        self.labels().0 + 3 * PIXELS
    }
}

/// The files of a split: its own, or the archive that has it.
#[derive(Debug)]
pub(super) enum Location {
    Files(Vec<PathBuf>),
    Archive(PathBuf),
}

impl Location {
    /// The folder of the files or of the archive.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Location::Files(files) => files.first()?.parent(),
            Location::Archive(file) => file.parent(),
        }
    }
}

/// The first of `folders` that has the split, as plain files, as files in the archive's folder, or
/// in the archive.
pub(super) fn find(cifar: Cifar, folders: &[PathBuf], split: Split) -> Option<Location> {
    let (names, _) = cifar.files(split);
    folders.iter().find_map(|folder| {
        let unpacked = [folder.join(cifar.folder()), folder.clone()];
        let files = unpacked
            .iter()
            .map(|folder| names.iter().map(|name| folder.join(name)).collect())
            .find(|files: &Vec<PathBuf>| files.iter().all(|file| file.is_file()));
        let archive = folder.join(cifar.archive());
        files
            .map(Location::Files)
            .or_else(|| archive.is_file().then_some(Location::Archive(archive)))
    })
}

/// Reads a split from the first of `folders` that has it.
pub(super) fn load(cifar: Cifar, folders: &[PathBuf], split: Split) -> Result<Dataset> {
    let (names, each) = cifar.files(split);
    let Some(place) = find(cifar, folders, split) else {
        let files = format!("{}, or {}", cifar.archive(), names.join(", "));
        return Err(missing(cifar.set(), &files, None, folders));
    };
    let length = (each * cifar.row()) as u64;
    let wrong_length = |file: &Path, found: u64| {
        let problem = format!(
            "it has {found} bytes, expected {length}: {each} rows of {}; it may be cut short, or \
             not CIFAR's binary version",
            cifar.row()
        );
        Error::file(file, problem)
    };
    let mut parts: Vec<Option<Rows>> = names.iter().map(|_| None).collect();
    let name = match &place {
        Location::Files(files) => {
            for (part, path) in parts.iter_mut().zip(files) {
                let (mut file, found) = open(path)?;
                if found != length {
                    return Err(wrong_length(path, found));
                }
                *part = Some(Rows::read(cifar, path, each, &mut file)?);
            }
            files[0].display().to_string()
        }
        Location::Archive(path) => {
            // An upper bound on the unpacked size: both splits, the class names, a page of text,
            // headers.
            let most = 60_000 * cifar.row() as u64 + (1 << 20);
            tar::each_file(path, most, |name, found, contents| {
                let Some(number) = names.iter().position(|&wanted| wanted == name) else {
                    return Ok(());
                };
                let file = path.join(name);
                if found != length {
                    return Err(wrong_length(&file, found));
                }
                parts[number] = Some(Rows::read(cifar, &file, each, contents)?);
                Ok(())
            })?;
            path.display().to_string()
        }
    };
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (part, wanted) in parts.into_iter().zip(names) {
        let part = part.ok_or_else(|| Error::file(&name, format!("it does not hold {wanted}")))?;
        if pixels.is_empty() {
            (pixels, labels) = (part.pixels, part.labels);
            pixels.reserve_exact((names.len() - 1) * each * 3 * PIXELS);
        } else {
            pixels.extend_from_slice(&part.pixels);
            labels.extend_from_slice(&part.labels);
        }
    }
    let x = Tensor::from_u8([SIDE, SIDE, 3], pixels)?.named(&name);
    let y = Tensor::from_u8([], labels)?.named(&format!("the labels of {name}"));
    Dataset::new(x, y)
}

struct Rows {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Rows {
    fn read(cifar: Cifar, path: &Path, rows: usize, from: &mut dyn Read) -> Result<Rows> {
        let (labels_each, wanted) = cifar.labels();
        let mut row = vec![0; cifar.row()];
        let mut pixels = Vec::with_capacity(rows * 3 * PIXELS);
        let mut labels = Vec::with_capacity(rows);
        for number in 0..rows {
            from.read_exact(&mut row)
                .map_err(|cause| unreadable(path, cause))?;
            let label = row[wanted];
            if label >= cifar.classes() {
                return Err(Error::Data {
                    source_name: path.display().to_string(),
                    row: Some(number),
                    column: None,
                    found: format!("label {label}"),
                    expected: format!("a label from 0 to {}", cifar.classes() - 1),
                });
            }
            labels.push(label);
            let (red, rest) = row[labels_each..].split_at(PIXELS);
            let (green, blue) = rest.split_at(PIXELS);
            pixels.extend((0..PIXELS).flat_map(|pixel| [red[pixel], green[pixel], blue[pixel]]));
        }
        Ok(Rows { pixels, labels })
    }
}
