use super::python;
use crate::base::atomic_file::create_parent;
use crate::error::{Error, Result};
use crate::train::{Callback, Logs, Training};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CSVLogger {
    /// The file; its folder is created.
    #[schemars(extend("examples" = ["log.csv"]))]
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
    /// Lines that are still to be written.
    #[serde(skip)]
    pending: String,
    /// The size to which the file is cut before it goes on, after a write that broke off.
    #[serde(skip)]
    torn: Option<u64>,
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
            pending: String::new(),
            torn: None,
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
        create_parent(&self.filename)?;
        let file = options.open(&self.filename);
        file.map_err(|cause| Error::io("write", &self.filename, cause))
    }

    /// The size of the file, if it is there.
    pub(crate) fn size(&self) -> Option<u64> {
        Some(std::fs::metadata(&self.filename).ok()?.len())
    }

    /// Takes back the lines behind the first `size` bytes: of epochs that are trained again.
    pub(crate) fn cut(&self, size: u64) -> Result<()> {
        if self.size().is_none_or(|now| now <= size) {
            return Ok(());
        }
        let mut file = self.open(OpenOptions::new().read(true).write(true))?;
        let mut before = [b'\n'];
        let cut = (|| {
            if size > 0 {
                file.seek(SeekFrom::Start(size - 1))?;
                file.read_exact(&mut before)?;
            }
            match before {
                // Another file has taken its place.
                [letter] if letter != b'\n' => Ok(()),
                _ => file.set_len(size),
            }
        })();
        cut.map_err(|cause| Error::io("write", &self.filename, cause))
    }

    /// Writes the lines that are to be written, after the header if the file is empty. They are
    /// kept if that fails.
    fn write(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut file = self.open(OpenOptions::new().append(true).create(true))?;
        let failed = |cause| Error::io("write", &self.filename, cause);
        if let Some(size) = self.torn
            && file.metadata().map_err(failed)?.len() > size
        {
            file.set_len(size).map_err(failed)?;
        }
        let size = file.metadata().map_err(failed)?.len();
        let columns = self.columns.iter().flatten().cloned();
        let header = match size {
            0 => self.line(std::iter::once("epoch".into()).chain(columns)),
            _ => String::new(),
        };
        let written = file.write_all((header + &self.pending).as_bytes());
        written.map_err(|cause| {
            self.torn = Some(size);
            Error::io("write", &self.filename, cause)
        })?;
        self.torn = None;
        self.pending.clear();
        Ok(())
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
            self.columns = Some(columns);
        }
        let columns = self.columns.iter().flatten();
        let values = columns.map(|name| logs.get(name).map_or("NA".into(), python));
        self.pending += &self.line(std::iter::once(epoch.to_string()).chain(values));
        self.write()
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
        self.pending.clear();
        self.torn = None;
        if !self.append {
            self.open(OpenOptions::new().write(true).create(true).truncate(true))?;
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, epoch: usize, logs: &Logs, _: &mut Training<'_>) -> Result<()> {
        self.add(epoch, logs)
    }

    fn on_train_end(&mut self, _: &mut Training<'_>) -> Result<()> {
        self.write()
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
