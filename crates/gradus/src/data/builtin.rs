//! The data sets that gradus knows by name.

use crate::base::shape::Shape;
use crate::data::dataset::{Dataset, Split};
use crate::data::scale::Scale;
use crate::data::{digits, idx};
use crate::error::{Error, Result};

/// A data set that gradus knows by name.
#[derive(Debug)]
pub struct BuiltIn {
    /// What it is called on the command line and in a configuration.
    pub name: &'static str,
    /// What it is, in a few words.
    pub description: &'static str,
    /// The shape of one row.
    pub shape: &'static [usize],
    /// How many rows are for training, and how many for the test.
    pub rows: [usize; 2],
    /// The classes' names, in the order of their labels.
    pub classes: &'static [&'static str],
    /// The largest pixel: `scale = "unit"` divides by it.
    pub unit: f32,
    /// Who made it, where it comes from, and under which licence.
    pub source: &'static str,
    home: Home,
}

/// Where a set's files are.
#[derive(Debug)]
enum Home {
    /// In the binary.
    Embedded,
    /// IDX files in one of the data folders; Debian's package, if it has one.
    Idx { package: Option<&'static str> },
}

const DIGITS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Every set, the one to begin with first. A new one is a new entry here.
pub const BUILT_IN: &[BuiltIn] = &[
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
        classes: &[
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
        unit: 255.0,
        source: "H. Xiao, K. Rasul, R. Vollgraf (Zalando): Fashion-MNIST (MIT)",
        home: Home::Idx {
            package: Some("dataset-fashion-mnist"),
        },
    },
];

impl BuiltIn {
    /// The set of a name; an error with the nearest name if there is none.
    /// `at` is where the name stands, for the error's text.
    pub fn find(at: &str, name: &str) -> Result<&'static BuiltIn> {
        let known = || BUILT_IN.iter().map(|set| set.name);
        BUILT_IN
            .iter()
            .find(|set| set.name == name)
            .ok_or_else(|| Error::unknown(at, "data set", name, known()))
    }

    /// Its rows for training or for the test, unscaled.
    pub fn load(&self, split: Split) -> Result<Dataset> {
        let data = match self.home {
            Home::Embedded => digits::digits(split)?,
            Home::Idx { package } => {
                idx::load(self.name, package, &idx::data_folders(self.name), split)?
            }
        };
        Ok(data
            .named(&self.title(split))
            .with_class_names(self.classes))
    }

    /// The scale that brings its pixels between 0 and 1.
    pub fn unit_scale(&self) -> Scale {
        Scale::Divide(self.unit)
    }

    /// The set's name with a split's: `digits:test`.
    pub fn title(&self, split: Split) -> String {
        format!("{}:{}", self.name, split.name())
    }

    /// Where it is on this machine: `built in`, a folder, or nothing if it is
    /// not there.
    pub fn found(&self) -> Option<String> {
        match self.home {
            Home::Embedded => Some("built in".into()),
            Home::Idx { .. } => {
                let (images, _) = idx::find(&idx::data_folders(self.name), Split::Train)?;
                Some(images.parent()?.display().to_string())
            }
        }
    }
}

/// The sets as a table for `gradus data list`: name, rows, shape, classes,
/// where each is on this machine, and where it comes from.
pub fn list() -> String {
    let mut text = format!(
        "{:<15}{:>14}  {:<17}{:>7}  {:<26}{}\n",
        "name", "rows + test", "shape", "classes", "what", "where"
    );
    for set in BUILT_IN {
        let found = set.found().unwrap_or_else(|| "not on this machine".into());
        text.push_str(&format!(
            "{:<15}{:>14}  {:<17}{:>7}  {:<26}{found}\n",
            set.name,
            format!("{} + {}", set.rows[0], set.rows[1]),
            Shape::new(set.shape).to_string(),
            set.classes.len(),
            set.description,
        ));
    }
    text.push('\n');
    for set in BUILT_IN {
        text.push_str(&format!("{}: {}\n", set.name, set.source));
    }
    text
}
