//! Conversion of a model's outputs to a table's columns.

use crate::base::atomic_file::write_atomic;
use crate::data::{Dataset, Kind, NumberFormat, Target, Tensor, Values};
use crate::error::{Error, Result};
use crate::model::{Compiled, Model};
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

/// Columns of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Ids first, then the prediction of each target.
    pub columns: Vec<ScoredColumn>,
}

/// A column of scored rows.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredColumn {
    /// The name.
    pub name: String,
    /// Type of the column.
    pub cells: ScoredCells,
}

/// The cells of a scored column.
#[derive(Clone, Debug, PartialEq)]
pub enum ScoredCells {
    /// Numbers.
    Numbers(Vec<f32>),
    /// Texts: each code is an index into the names.
    Texts(Vec<String>, Vec<u32>),
}

impl Model {
    /// The outputs for the rows of `data` as columns: its ids, then each target's columns. A
    /// number's column has the target's name; so has the predicted class', and each class'
    /// probability is `target_class`. An output without a known target has columns of its own name.
    pub fn scored(&self, data: &Dataset, outputs: &[Tensor]) -> Result<Scored> {
        self.columns_of(data, outputs, true)
    }

    /// Like [`Model::scored`], with an empty text in place of a predicted class whose probability is
    /// below `least`, or NaN.
    pub fn scored_rejecting(
        &self,
        data: &Dataset,
        outputs: &[Tensor],
        least: f32,
    ) -> Result<Scored> {
        let mut scored = self.scored(data, outputs)?;
        let mut columns = &mut scored.columns[data.ids().len()..];
        while let Some((first, rest)) = columns.split_first_mut() {
            columns = match &mut first.cells {
                ScoredCells::Numbers(_) => rest,
                // The classes' probabilities follow.
                ScoredCells::Texts(names, codes) => {
                    let (chances, others) = rest.split_at_mut(names.len());
                    let none = names.len() as u32;
                    names.push(String::new());
                    for (row, code) in codes.iter_mut().enumerate() {
                        let chance = &chances[*code as usize].cells;
                        let is_sure =
                            matches!(chance, ScoredCells::Numbers(all) if all[row] >= least);
                        if !is_sure {
                            *code = none;
                        }
                    }
                    others
                }
            };
        }
        Ok(scored)
    }

    /// Like [`Model::scored`], for values about the outputs, such as deviations, without a
    /// predicted class.
    pub fn scored_about(&self, data: &Dataset, numbers: &[Tensor]) -> Result<Scored> {
        self.columns_of(data, numbers, false)
    }

    fn columns_of(&self, data: &Dataset, outputs: &[Tensor], values: bool) -> Result<Scored> {
        let mut columns = id_columns(data)?;
        let named = outputs.iter().zip(self.output_names());
        for (number, ((output, name), target)) in named.zip(self.known_targets()).enumerate() {
            columns.extend(match target.or_else(|| self.classes_of(number)) {
                Some(target) => {
                    self.output_columns(number, output, &target, &target.name, values)?
                }
                None => numbers(&name, output),
            });
        }
        Ok(Scored { columns })
    }

    /// The known target of each output: the one of its name, or the only one for the only trained
    /// output; for pictures `class`, if the output's size fits the number of classes.
    pub(crate) fn known_targets(&self) -> Vec<Option<Target>> {
        let names = self.output_names();
        let Some(schema) = &self.facts.schema else {
            let class = || {
                let classes = &self.facts.pictures.as_ref()?.classes;
                let size = self.output_shapes().ok()?.first()?.size();
                let of_each = size == classes.len() || size == 1 && classes.len() == 2;
                (names.len() == 1 && classes.len() > 1 && of_each).then(|| Target {
                    name: "class".into(),
                    kind: Kind::Category,
                    classes: classes.clone(),
                    format: NumberFormat::PLAIN,
                })
            };
            return vec![class(); names.len()];
        };
        let targets = &schema.targets;
        let trained = |compiled: &Compiled| compiled.trained().map(|(n, _)| n).collect();
        let trained: Vec<usize> = match self.compiled() {
            Ok(compiled) => trained(compiled),
            Err(_) => (0..names.len()).collect(),
        };
        if let ([only], [one]) = (&targets[..], &trained[..]) {
            let only = |output: usize| (output == *one).then(|| only.clone());
            return (0..names.len()).map(only).collect();
        }
        let named: HashMap<String, &Target> = targets.iter().map(|t| (t.output(), t)).collect();
        let named = |name: &String| named.get(name).map(|&target| target.clone());
        names.iter().map(named).collect()
    }

    /// True if the model's one output predicts classes, by its loss or its class names.
    pub fn is_classifier(&self) -> bool {
        let known = self.known_targets().into_iter().next();
        known
            .flatten()
            .or_else(|| self.classes_of(0))
            .is_some_and(|t| !t.classes.is_empty())
    }

    /// True if an output predicts classes that have names or labels.
    pub fn predicts_classes(&self) -> bool {
        let known = self.known_targets().into_iter().enumerate();
        let mut targets = known.filter_map(|(n, target)| target.or_else(|| self.classes_of(n)));
        targets.any(|target| !target.classes.is_empty())
    }

    /// The classes of the only output, if neither a table nor pictures name them: under the names
    /// of the training rows, else, if the loss is for classes, under their labels.
    pub(crate) fn classes_of(&self, output: usize) -> Option<Target> {
        if self.outputs.len() != 1 || self.facts.schema.is_some() {
            return None;
        }
        let shape = self.output_shapes().ok()?.into_iter().nth(output)?;
        if shape.rank() > 1 {
            return None;
        }
        // A single value is the probability of the second of two classes.
        let count = shape.size().max(2);
        let output_loss = self.compiled().ok()?.output_losses.get(output)?.as_ref()?;
        let by_loss = match output_loss.loss.class() {
            "SparseCategoricalCrossentropy"
            | "CategoricalCrossentropy"
            | "CategoricalFocalCrossentropy" => shape.size() > 1,
            "BinaryCrossentropy" | "BinaryFocalCrossentropy" => shape.size() == 1,
            _ => false,
        };
        let classes = match self.facts.classes.len() == count {
            true if output_loss.loss.of_classes() => self.facts.classes.clone(),
            _ if by_loss => (0..count).map(|class| class.to_string()).collect(),
            _ => return None,
        };
        Some(Target {
            name: "class".into(),
            kind: Kind::Category,
            classes,
            format: NumberFormat::PLAIN,
        })
    }

    /// The columns of one output: its numbers, or the predicted class, under `name`, and the class
    /// probabilities under the target's name.
    pub(crate) fn output_columns(
        &self,
        number: usize,
        output: &Tensor,
        target: &Target,
        name: &str,
        values: bool,
    ) -> Result<Vec<ScoredColumn>> {
        if target.classes.is_empty() || output.shape().rank() > 1 {
            return Ok(numbers(name, output));
        }
        let (size, rows) = (output.size(), output.to_f32());
        let rows = self.probabilities(number, target, size, rows, values)?;
        Ok(classes(target, name, &rows, values))
    }

    /// A probability for each class, also for an output with only the second class' probability, or
    /// with logits.
    pub(super) fn probabilities(
        &self,
        output: usize,
        target: &Target,
        size: usize,
        mut rows: Vec<f32>,
        values: bool,
    ) -> Result<Vec<f32>> {
        let output_loss = self
            .compiled
            .as_ref()
            .and_then(|c| c.output_losses.get(output)?.as_ref());
        let logits = output_loss
            .is_some_and(|output_loss| output_loss.loss.to_config()["from_logits"] == true);
        if size == 1 && target.classes.len() == 2 {
            let both = |p: f32| match values {
                true if logits => {
                    let p = 1.0 / (1.0 + (-p).exp());
                    [1.0 - p, p]
                }
                true => [1.0 - p, p],
                false => [p, p],
            };
            return Ok(rows.into_iter().flat_map(both).collect());
        }
        if size != target.classes.len() {
            let found = format!("{} classes of `{}`", target.classes.len(), target.name);
            let expected = format!("{size}, for that many numbers come out of the model");
            return Err(Error::invalid("predict", found, expected));
        }
        if logits && values {
            for row in rows.chunks_mut(size) {
                let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                row.iter_mut().for_each(|x| *x = (*x - most).exp());
                let sum: f32 = row.iter().sum();
                row.iter_mut().for_each(|x| *x /= sum);
            }
        }
        Ok(rows)
    }
}

/// The predicted class of each row, if these are the probabilities, and a column for each class.
fn classes(target: &Target, name: &str, rows: &[f32], values: bool) -> Vec<ScoredColumn> {
    let size = target.classes.len();
    let mut columns = Vec::new();
    if values {
        let largest = |row: &[f32]| {
            let larger = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
            (0..row.len()).reduce(larger).unwrap_or(0) as u32
        };
        columns.push(ScoredColumn {
            name: name.to_owned(),
            cells: ScoredCells::Texts(
                target.classes.clone(),
                rows.chunks(size).map(largest).collect(),
            ),
        });
    }
    let named = target.classes.iter().enumerate();
    columns.extend(named.map(|(n, class)| ScoredColumn {
        name: format!("{}_{class}", target.name),
        cells: ScoredCells::Numbers(rows.iter().skip(n).step_by(size).copied().collect()),
    }));
    columns
}

/// The id columns.
pub(crate) fn id_columns(data: &Dataset) -> Result<Vec<ScoredColumn>> {
    let column = |(name, id): &(String, Tensor)| {
        let Values::Text { names, codes } = id.values() else {
            return Err(Error::invalid(name, "numbers", "texts"));
        };
        // Only the texts in use, since others may share the dictionary.
        let cells = match names.len() > codes.len() {
            true => {
                let here = codes.iter().map(|&code| names[code as usize].clone());
                ScoredCells::Texts(here.collect(), (0..codes.len() as u32).collect())
            }
            false => ScoredCells::Texts(names.to_vec(), codes.to_vec()),
        };
        Ok(ScoredColumn {
            name: name.clone(),
            cells,
        })
    };
    data.ids().iter().map(column).collect()
}

/// A column for each element of a row.
pub(crate) fn numbers(name: &str, tensor: &Tensor) -> Vec<ScoredColumn> {
    let (size, rows) = (tensor.size(), tensor.to_f32());
    let column = |n: usize| ScoredColumn {
        name: match size {
            1 => name.to_owned(),
            _ => format!("{name}_{n}"),
        },
        cells: ScoredCells::Numbers(rows.iter().skip(n).step_by(size.max(1)).copied().collect()),
    };
    (0..size).map(column).collect()
}

impl Scored {
    /// Writes the columns as `.csv` with a header. Every value has the fewest digits that read back
    /// to the same bits; a text is quoted where it has to be.
    ///
    /// The writer should be buffered.
    pub fn write_csv(&self, to: &mut impl Write) -> io::Result<()> {
        self.write_csv_header(to)?;
        self.write_csv_rows(to)
    }

    /// Writes them as a `.csv` file, whole or not at all.
    pub fn save_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomic(path.as_ref(), |file| self.write_csv(file))
    }

    /// The numbers of a column: predicted ones, or a class' probabilities (`kind_cat`). An error if
    /// there is no such column, or if it has texts.
    pub fn numbers(&self, column: &str) -> Result<&[f32]> {
        match self.cells(column)? {
            ScoredCells::Numbers(all) => Ok(all),
            ScoredCells::Texts(..) => Err(Error::invalid(column, "texts", "numbers")),
        }
    }

    /// The texts of a column: predicted classes, or ids. An error if there is no such column, or if
    /// it has numbers.
    pub fn texts(&self, column: &str) -> Result<Vec<&str>> {
        match self.cells(column)? {
            ScoredCells::Texts(names, codes) => Ok(codes
                .iter()
                .map(|&code| names[code as usize].as_str())
                .collect()),
            ScoredCells::Numbers(_) => Err(Error::invalid(column, "numbers", "texts")),
        }
    }

    fn cells(&self, column: &str) -> Result<&ScoredCells> {
        let found = self.columns.iter().find(|scored| scored.name == column);
        let known = || self.columns.iter().map(|scored| scored.name.as_str());
        match found {
            Some(scored) => Ok(&scored.cells),
            None => Err(Error::unknown("scored", "column", column, known())),
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        let first = self.columns.first();
        first.map_or(0, |column| match &column.cells {
            ScoredCells::Numbers(all) => all.len(),
            ScoredCells::Texts(_, codes) => codes.len(),
        })
    }

    /// Writes only the header.
    pub fn write_csv_header(&self, to: &mut impl Write) -> io::Result<()> {
        for (n, column) in self.columns.iter().enumerate() {
            write!(to, "{}{}", comma(n), quoted(&column.name))?;
        }
        writeln!(to)
    }

    /// Writes only the rows.
    pub fn write_csv_rows(&self, to: &mut impl Write) -> io::Result<()> {
        for row in 0..self.rows() {
            for (n, column) in self.columns.iter().enumerate() {
                to.write_all(comma(n).as_bytes())?;
                match &column.cells {
                    ScoredCells::Numbers(all) => write!(to, "{:?}", all[row])?,
                    ScoredCells::Texts(names, codes) => {
                        to.write_all(quoted(&names[codes[row] as usize]).as_bytes())?;
                    }
                }
            }
            writeln!(to)?;
        }
        Ok(())
    }
}

/// The separator before a column.
fn comma(column: usize) -> &'static str {
    if column > 0 { "," } else { "" }
}

/// A cell of a `.csv` file.
fn quoted(text: &str) -> std::borrow::Cow<'_, str> {
    let bare = !text.contains([',', '"', '\n', '\r', ';', '\t', '|'])
        && !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace);
    match bare {
        true => text.into(),
        false => format!("\"{}\"", text.replace('"', "\"\"")).into(),
    }
}
