//! Out-of-fold predictions: the models' predictions in a cross-validation for their held-out rows.

use crate::data::classes::class_of;
use crate::data::{Dataset, Kind, NumberFormat, Target, Tensor};
use crate::error::{Error, Result};
use crate::model::table::{id_columns, numbers};
use crate::model::{Model, Scored, ScoredCells, ScoredColumn};
use std::collections::HashMap;

/// Collects the predictions of each fold's model for its held-out rows, beside their targets.
///
/// ```no_run
/// # use gradus::prelude::*;
/// # use gradus::data::split;
/// use gradus::train::OutOfFold;
/// # let data = data::digits(Split::Train)?;
/// # let model = |_: &Dataset| -> gradus::Result<Model> { unimplemented!() };
/// let folds = split::folds(data.rows(), 5, 42)?;
/// let mut predictions = OutOfFold::new();
/// for n in 0..5 {
///     let (train, held_out) = data.split_by(&split::fold(&folds, n, false)?)?;
///     predictions.add(n + 1, &model(&train)?, &held_out)?;
/// }
/// let mut file = std::io::BufWriter::new(std::fs::File::create("predictions.csv").unwrap());
/// predictions.scored().write_csv(&mut file).unwrap();
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct OutOfFold {
    /// Row number in the data, and fold, of each row.
    rows: Vec<(usize, usize)>,
    columns: Vec<ScoredColumn>,
}

impl OutOfFold {
    /// Without rows yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Predicts all rows that were held out from the model. Their row numbers are those in the data
    /// that they come from.
    ///
    /// An error if the model does not take them, or predicts other columns than the previous ones.
    pub fn add(&mut self, fold: usize, model: &Model, held_out: &Dataset) -> Result<()> {
        let columns = columns(model, held_out)?;
        if self.rows.is_empty() {
            self.columns = columns;
        } else {
            let names = |columns: &[ScoredColumn]| {
                let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
                names.join(", ")
            };
            let (before, now) = (names(&self.columns), names(&columns));
            if before != now {
                return Err(Error::invalid("the columns of a fold", now, before));
            }
            for (all, more) in self.columns.iter_mut().zip(columns) {
                append(&mut all.cells, more.cells)?;
            }
        }
        let source = |row: usize| held_out.inputs()[0].source_row(row);
        self.rows
            .extend((0..held_out.rows()).map(|row| (source(row), fold)));
        Ok(())
    }

    /// The table, in the order of the rows: `row` (from 0), `fold`, ids, then for each target its
    /// own column, `target_predicted`, and for classes `target_CLASS`, the probability of each. In
    /// data without names the target is `target`.
    pub fn scored(self) -> Scored {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by_key(|&place| self.rows[place]);
        let number = |of: &dyn Fn(&(usize, usize)) -> usize, name: &str| {
            // As texts, since not every row number is an exact f32.
            let texts: Vec<usize> = order.iter().map(|&place| of(&self.rows[place])).collect();
            let mut places = HashMap::new();
            let mut names = Vec::new();
            let codes = texts.iter().map(|&n| {
                *places.entry(n).or_insert_with(|| {
                    names.push(n.to_string());
                    names.len() as u32 - 1
                })
            });
            let codes = codes.collect();
            ScoredColumn {
                name: name.to_owned(),
                cells: ScoredCells::Texts(names, codes),
            }
        };
        let mut columns = vec![number(&|row| row.0, "row"), number(&|row| row.1, "fold")];
        columns.extend(self.columns.into_iter().map(|column| ScoredColumn {
            name: column.name,
            cells: match column.cells {
                ScoredCells::Numbers(all) => {
                    ScoredCells::Numbers(order.iter().map(|&place| all[place]).collect())
                }
                ScoredCells::Texts(names, codes) => {
                    let codes = order.iter().map(|&place| codes[place]).collect();
                    ScoredCells::Texts(names, codes)
                }
            },
        }));
        Scored { columns }
    }
}

/// Ids, and for each output its target beside the prediction.
fn columns(model: &Model, data: &Dataset) -> Result<Vec<ScoredColumn>> {
    let mut columns = id_columns(data)?;
    let outputs = model.predict_all(data)?;
    let names = model.output_names();
    let places: Vec<&str> = names.iter().map(String::as_str).collect();
    let trained: Vec<usize> = match &model.compiled {
        Some(compiled) => compiled.trained().map(|(output, _)| output).collect(),
        None => (0..names.len()).collect(),
    };
    let targets = data.for_targets(&places, &trained)?;
    let alone = trained.len() == 1;
    let mut known = model.known_targets();
    for (&output, actual) in trained.iter().zip(targets) {
        let target = known[output].take().unwrap_or_else(|| {
            let name = match (data.target_names(), alone) {
                ([name], true) => name,
                (_, true) => "target",
                _ => &names[output],
            };
            unknown_target(model, data, output, &outputs[output], (name, alone))
        });
        columns.extend(actual_columns(&target, actual));
        let name = format!("{}_predicted", target.name);
        let predicted = &outputs[output];
        columns.extend(model.output_columns(output, predicted, &target, &name, true)?);
    }
    Ok(columns)
}

/// A target that the model does not know, from the loss and the data: its name, and true if it is
/// the only one.
fn unknown_target(
    model: &Model,
    data: &Dataset,
    output: usize,
    values: &Tensor,
    (name, alone): (&str, bool),
) -> Target {
    let output_loss = model.compiled.as_ref();
    let output_loss = output_loss.and_then(|compiled| compiled.output_losses.get(output)?.as_ref());
    let loss = output_loss.map_or("", |output_loss| output_loss.loss.class());
    let classes = match (loss, values.size()) {
        _ if values.shape().rank() > 1 => 0,
        ("SparseCategoricalCrossentropy" | "CategoricalCrossentropy", size) if size > 1 => size,
        // Without class names a target may be any value between 0 and 1.
        ("BinaryCrossentropy", 1) if data.class_names().len() == 2 => 2,
        _ => 0,
    };
    let named = data.class_names();
    Target {
        name: name.to_owned(),
        kind: if classes == 0 {
            Kind::Number
        } else {
            Kind::Category
        },
        classes: match classes == named.len() && alone {
            true => named.to_vec(),
            false => (0..classes).map(|class| class.to_string()).collect(),
        },
        format: NumberFormat::PLAIN,
    }
}

/// The classes by name, if all labels are known; else the numbers.
fn actual_columns(target: &Target, actual: &Tensor) -> Vec<ScoredColumn> {
    let rows = actual.to_f32();
    let class = |row: &[f32]| {
        let class = class_of(row);
        (0.0..target.classes.len() as f64)
            .contains(&class)
            .then_some(class as u32)
    };
    let codes: Option<Vec<u32>> = rows.chunks(actual.size().max(1)).map(class).collect();
    match codes {
        Some(codes) if !target.classes.is_empty() => vec![ScoredColumn {
            name: target.name.clone(),
            cells: ScoredCells::Texts(target.classes.clone(), codes),
        }],
        _ => numbers(&target.name, actual),
    }
}

fn append(all: &mut ScoredCells, more: ScoredCells) -> Result<()> {
    match (all, more) {
        (ScoredCells::Numbers(all), ScoredCells::Numbers(more)) => all.extend(more),
        (ScoredCells::Texts(names, codes), ScoredCells::Texts(new, more)) => {
            if *names == new {
                codes.extend(more);
                return Ok(());
            }
            let mut places: HashMap<String, u32> = HashMap::new();
            for (place, name) in names.iter().enumerate() {
                places.insert(name.clone(), place as u32);
            }
            let place = |name: String| {
                *places.entry(name).or_insert_with_key(|name| {
                    names.push(name.clone());
                    names.len() as u32 - 1
                })
            };
            let places: Vec<u32> = new.into_iter().map(place).collect();
            codes.extend(more.into_iter().map(|code| places[code as usize]));
        }
        _ => return Err(Error::invalid("a column of a fold", "texts", "numbers")),
    }
    Ok(())
}
