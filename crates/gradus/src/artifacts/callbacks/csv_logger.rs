use super::python;
use crate::error::{Error, Result};
use crate::train::{Callback, Logs, Training};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// Writes the results of each epoch to a CSV file at once.
///
/// The file is Keras': `epoch` from 0, then the values by their sorted names, lines that end in
/// `\r\n`, numbers as Python prints them, and, without validation, columns of `NA` for it. It has
/// one more column: `learning_rate` is always recorded here, in Keras only if a callback sets it.
///
/// ```
/// use gradus::artifacts::callbacks::CSVLogger;
/// use gradus::prelude::*;
///
/// let log = std::env::temp_dir().join("gradus-doc.csv");
/// let mut model = Sequential::new()
///     .add(Flatten::new())
///     .add(Dense::new(10).activation(Activation::Softmax))
///     .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[Metric::Accuracy])?;
/// let options = Fit::new().epochs(3).callback(CSVLogger::new(&log));
/// model.fit(&data::digits(Split::Train)?, options)?;
/// let text = std::fs::read_to_string(&log).unwrap();
/// assert!(text.starts_with("epoch,accuracy,learning_rate,loss,"));
/// assert_eq!(text.lines().count(), 1 + 3);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CSVLogger {
    /// The file.
    pub filename: PathBuf,
    /// Separator of columns, one character. Default a comma.
    #[serde(default = "comma")]
    pub separator: String,
    /// True to append to an existing file instead of overwriting it. Default no.
    #[serde(default)]
    pub append: bool,
    /// Columns after `epoch`, once they are known.
    #[serde(skip)]
    columns: Option<Vec<String>>,
}

fn comma() -> String {
    ",".into()
}

impl CSVLogger {
    /// A new file of that name, with commas.
    pub fn new(filename: impl Into<PathBuf>) -> Self {
        CSVLogger {
            filename: filename.into(),
            separator: comma(),
            append: false,
            columns: None,
        }
    }

    /// Sets the separator of columns.
    pub fn separator(mut self, separator: impl Into<String>) -> Self {
        self.separator = separator.into();
        self
    }

    /// Enables or disables appending to an existing file.
    pub fn append(mut self, append: bool) -> Self {
        self.append = append;
        self
    }

    /// Refuses a separator that is not one character.
    pub fn check(&self) -> Result<()> {
        let mut letters = self.separator.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) if !"\r\n\"".contains(letter) => Ok(()),
            _ => {
                let found = format!("{:?}", self.separator);
                Err(Error::invalid("separator", found, "one character"))
            }
        }
    }

    fn open(&self, options: &mut OpenOptions) -> Result<File> {
        let file = options.open(&self.filename);
        file.map_err(|cause| Error::io("write", &self.filename, cause))
    }

    fn write(&self, text: &str) -> Result<()> {
        let mut file = self.open(OpenOptions::new().append(true).create(true))?;
        let written = file.write_all(text.as_bytes());
        written.map_err(|cause| Error::io("write", &self.filename, cause))
    }

    /// Appends an epoch's line, after the header if the file is empty.
    fn add(&mut self, epoch: usize, logs: &Logs) -> Result<()> {
        if self.columns.is_none() {
            let mut columns: Vec<String> = logs.names().map(str::to_owned).collect();
            columns.sort();
            if !columns.iter().any(|name| name.starts_with("val_")) {
                let absent: Vec<String> = columns.iter().map(|c| format!("val_{c}")).collect();
                columns.extend(absent);
            }
            let header = self.line(std::iter::once("epoch".into()).chain(columns.iter().cloned()));
            self.columns = Some(columns);
            let size = std::fs::metadata(&self.filename).map_or(0, |about| about.len());
            if size == 0 {
                self.write(&header)?;
            }
        }
        let columns = self.columns.iter().flatten();
        let values = columns.map(|name| logs.get(name).map_or("NA".into(), python));
        self.write(&self.line(std::iter::once(epoch.to_string()).chain(values)))
    }

    /// One line, with cells quoted that contain the separator.
    fn line(&self, cells: impl Iterator<Item = String>) -> String {
        let special = |letter: char| self.separator.contains(letter) || "\"\r\n".contains(letter);
        let quote = |cell: String| match cell.contains(special) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell,
        };
        let cells: Vec<String> = cells.map(quote).collect();
        cells.join(&self.separator) + "\r\n"
    }
}

impl Callback for CSVLogger {
    fn on_train_begin(&mut self, _: &mut Training<'_>) -> Result<()> {
        self.check()?;
        self.columns = None;
        if !self.append {
            self.open(OpenOptions::new().write(true).create(true).truncate(true))?;
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, epoch: usize, logs: &Logs, _: &mut Training<'_>) -> Result<()> {
        self.add(epoch, logs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(mut logger: CSVLogger, epochs: &[&[(&str, f64)]]) -> String {
        for (epoch, measured) in epochs.iter().enumerate() {
            let mut logs = Logs::default();
            for (name, value) in *measured {
                logs.push(*name, *value);
            }
            logger.add(epoch, &logs).unwrap();
        }
        std::fs::read_to_string(&logger.filename).unwrap()
    }

    /// Expected: output of `keras.callbacks.CSVLogger` of Keras 3.15 for the same values.
    #[test]
    fn the_file_is_kerass_to_the_byte() {
        let folder = tempfile::tempdir().unwrap();
        let a = [
            ("loss", 0.5),
            ("accuracy", 0.9876543283462524),
            ("val_loss", 1e-5),
            ("val_accuracy", 1.0),
        ];
        let b = [
            ("loss", f64::NAN),
            ("accuracy", 0.25),
            ("val_loss", 1e16),
            ("val_accuracy", 0.0),
        ];
        let logger = CSVLogger::new(folder.path().join("a.csv"));
        let expected = "epoch,accuracy,loss,val_accuracy,val_loss\r\n\
                        0,0.9876543283462524,0.5,1.0,1e-05\r\n1,0.25,nan,0.0,1e+16\r\n";
        assert_eq!(written(logger.clone(), &[&a, &b]), expected);
        // A second run adds no second header.
        let twice = written(logger, &[&a]);
        assert_eq!(twice.matches("epoch").count(), 1);
        assert!(twice.ends_with("1e+16\r\n0,0.9876543283462524,0.5,1.0,1e-05\r\n"));
        let logger = CSVLogger::new(folder.path().join("b.csv")).separator(";");
        let expected = "epoch;\"a;b\";loss;\"val_a;b\";val_loss\r\n0;2.0;0.1;NA;NA\r\n";
        assert_eq!(written(logger, &[&[("loss", 0.1), ("a;b", 2.0)]]), expected);
    }
}
