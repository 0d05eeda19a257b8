//! The data sets that gradus knows by name.
//!
//! `digits`, `idx` (the MNISTs) and `cifar` read them, out of archives with `tar`; `list` shows
//! them, `remote` is where their files can be fetched.

mod cifar;
mod digits;
mod idx;
mod list;
mod names;
mod remote;
mod tar;

pub use digits::digits;
pub use idx::read_idx;
pub use list::list;
pub use remote::{REMOTE, Remote, RemoteFile};

use crate::data::dataset::{Dataset, Split};
use crate::data::folders::{data_folders, missing};
use crate::data::scale::Scale;
use crate::error::{Error, Result};
use cifar::Cifar;
use names::{CIFAR10, CIFAR100, CIFAR100_COARSE, CLOTHES, DIGITS};
use std::path::PathBuf;

/// A data set that gradus knows by name.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its name on the command line and in a configuration.
    pub name: &'static str,
    /// A description in a few words.
    pub description: &'static str,
    /// The shape of one row.
    pub shape: &'static [usize],
    /// Number of training rows, and of test rows.
    pub rows: [usize; 2],
    /// The classes' names, in the order of their labels.
    pub classes: &'static [&'static str],
    /// The largest pixel: `scale = "unit"` divides by it.
    pub unit: f32,
    /// Its makers, origin and licence.
    pub source: &'static str,
    home: Home,
}

/// The location of a set's files.
#[derive(Debug)]
enum Home {
    /// Embedded in the binary.
    Embedded,
    /// IDX files in one of the data folders; Debian's package, if it has one.
    Idx { package: Option<&'static str> },
    /// CIFAR's binary files, or their archive, in one of the data folders.
    Cifar(Cifar),
}

const CIFAR: &str = "A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images (2009), \
                     University of Toronto";

/// Every set, the one for beginners first. A new set is a new entry here.
pub(super) const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "digits",
        description: "handwritten digits, tiny",
        shape: &[8, 8],
        rows: [1442, 355],
        classes: DIGITS,
        unit: 16.0,
        source: "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI (CC BY 4.0)",
        home: Home::Embedded,
    },
    BuiltIn {
        name: "mnist",
        description: "handwritten digits",
        shape: &[28, 28],
        rows: [60_000, 10_000],
        classes: DIGITS,
        unit: 255.0,
        source: "Y. LeCun, C. Cortes, C. Burges: the MNIST database (CC BY-SA 3.0)",
        home: Home::Idx { package: None },
    },
    BuiltIn {
        name: "fashion-mnist",
        description: "pictures of clothes",
        shape: &[28, 28],
        rows: [60_000, 10_000],
        classes: CLOTHES,
        unit: 255.0,
        source: "H. Xiao, K. Rasul, R. Vollgraf (Zalando): Fashion-MNIST (MIT)",
        home: Home::Idx {
            package: Some("dataset-fashion-mnist"),
        },
    },
    BuiltIn {
        name: "cifar10",
        description: "tiny photographs",
        shape: &[32, 32, 3],
        rows: [50_000, 10_000],
        classes: CIFAR10,
        unit: 255.0,
        source: CIFAR,
        home: Home::Cifar(Cifar::Ten),
    },
    BuiltIn {
        name: "cifar100",
        description: "tiny photographs",
        shape: &[32, 32, 3],
        rows: [50_000, 10_000],
        classes: CIFAR100,
        unit: 255.0,
        source: CIFAR,
        home: Home::Cifar(Cifar::Fine),
    },
    BuiltIn {
        name: "cifar100-coarse",
        description: "cifar100, superclasses",
        shape: &[32, 32, 3],
        rows: [50_000, 10_000],
        classes: CIFAR100_COARSE,
        unit: 255.0,
        source: CIFAR,
        home: Home::Cifar(Cifar::Coarse),
    },
];

impl BuiltIn {
    /// The set of a name; an error with the nearest name if there is none. `at` is the name's path
    /// of keys, for the error's text.
    pub fn find(at: &str, name: &str) -> Result<&'static BuiltIn> {
        let known = || BUILT_IN.iter().map(|set| set.name).chain([HOUSING]);
        BUILT_IN
            .iter()
            .find(|set| set.name == name)
            .ok_or_else(|| Error::unknown(at, "data set", name, known()))
    }

    /// The training or test rows, unscaled.
    pub fn load(&self, split: Split) -> Result<Dataset> {
        let folders = data_folders(self.files());
        let data = match self.home {
            Home::Embedded => digits::digits(split)?,
            Home::Idx { package } => idx::load(self.name, package, &folders, split)?,
            Home::Cifar(cifar) => cifar::load(cifar, &folders, split)?,
        };
        Ok(data
            .named(&self.title(split))
            .with_class_names(self.classes))
    }

    /// The scale that maps its pixels to between 0 and 1.
    pub fn unit_scale(&self) -> Scale {
        Scale::Divide(self.unit)
    }

    /// The set's name with a split's: `digits:test`.
    pub fn title(&self, split: Split) -> String {
        format!("{}:{}", self.name, split.name())
    }

    /// The name that its files are fetched under: two sets may share them.
    pub fn files(&self) -> &'static str {
        match self.home {
            Home::Cifar(cifar) => cifar.set(),
            _ => self.name,
        }
    }

    /// Its location on this machine: `built in` or a folder; `None` if it is not there.
    pub fn found(&self) -> Option<String> {
        let folders = data_folders(self.files());
        let folder = match self.home {
            Home::Embedded => return Some("built in".into()),
            Home::Idx { .. } => {
                let (images, _) = idx::find(&folders, Split::Train)?;
                images.parent()?.to_owned()
            }
            Home::Cifar(cifar) => {
                let place = cifar::find(cifar, &folders, Split::Train)?;
                place.folder()?.to_owned()
            }
        };
        Some(folder.display().to_string())
    }
}

/// The name of the housing table, the one built-in data set that is not of pictures.
pub(crate) const HOUSING: &str = "housing";

const HOUSING_FILE: &str = "housing.csv";

/// The file of the California housing table, in the first data folder that has it.
pub fn housing() -> Result<PathBuf> {
    let folders = data_folders(HOUSING);
    let files = folders.iter().map(|folder| folder.join(HOUSING_FILE));
    files
        .into_iter()
        .find(|file| file.is_file())
        .ok_or_else(|| missing(HOUSING, HOUSING_FILE, None, &folders))
}
